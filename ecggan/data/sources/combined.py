"""Several sources as one ECG set."""

import hashlib
import json
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from tqdm import tqdm

from ecggan.data.packing.cache import open_cached
from ecggan.data.patients import num_by_placeholder
from ecggan.data.sets.cautions import amplitudes_of, cautions_of, log_cautions
from ecggan.data.sets.ecg_set import ECGSet
from ecggan.data.sets.exclusions import log_account, read_examples, save_example
from ecggan.data.sets.manifest import FORMAT_VERSION
from ecggan.data.sets.writer import ECGSetWriter, create_ecg_set, records_table
from ecggan.files.cache import in_cache, require_writable_cache

log = logging.getLogger(__name__)

COMBINED_VERSION = 3


def combined_set(parts: Mapping[str, Mapping[str, Any]], cache: str | Path) -> ECGSet:
    """Join the sets of the sources that have a root or are to be downloaded; each keeps its own splits.

    A record is named ``SOURCE/NAME``, and its column `part` says the source. A record whose samples an earlier
    source has too is excluded, so that no recording is in two splits.

    Args:
        parts: for each source its `root`, `download` if it has one, and `source`, a callable that gives its set.
        cache: the folder for packed sets.

    Raises:
        ValueError: no root is given, a source has no usable record, or their shapes differ.
    """
    sources: dict[str, Callable[[], ECGSet]] = {
        name: part["source"] for name, part in parts.items() if part.get("root") is not None or part.get("download")
    }
    if not sources:
        given = " ".join(f"data.parts.{name}.root=FOLDER" for name in parts)
        raise ValueError(f"data=combined needs the folder of at least one source: {given}")
    sets = {name: source() for name, source in sources.items()}
    first_name, first = next(iter(sets.items()))
    for name, ecgs in sets.items():
        shapes = [(each.leads, each.sampling_rate, each.num_samples) for each in (ecgs, first)]
        if shapes[0] != shapes[1]:
            raise ValueError(f"{name} has (leads, Hz, samples) = {shapes[0]}, and {first_name} has {shapes[1]}")
    carried_over = ("made_by", "sha256")
    described = {name: {key: ecgs.manifest.get(key) for key in carried_over} for name, ecgs in sets.items()}
    made_by = {"source": "combined", "parts": described}
    key = [FORMAT_VERSION, COMBINED_VERSION, first.leads, first.sampling_rate, first.num_samples]
    key += [[name, ecgs.manifest["sha256"]] for name, ecgs in sets.items()]
    digest = hashlib.sha256(json.dumps(key).encode()).hexdigest()[:12]
    folder = in_cache(cache, "sets", f"combined-{digest}")
    if not folder.exists():
        require_writable_cache(cache)
        shape = (first.leads, first.sampling_rate, first.num_samples)
        # another process may join the same sets first; the result is byte-identical
        with suppress(FileExistsError), create_ecg_set(folder, *shape, kind="real", made_by=made_by) as writer:
            account: dict[str, Any] = {"read": 0, "kept": 0, "left_out": {}}
            seen: dict[str, str] = {}
            for name, ecgs in sets.items():
                _add_account(account, name, ecgs)
                for number, example in enumerate([] if ecgs.path is None else read_examples(ecgs.path)):
                    save_example(writer.folder, replace(example, record=f"{name}/{example.record}"), number, f"{name}-")
                _join(writer, name, ecgs, seen, account)
            table = records_table(writer.rows)
            account |= {
                "placeholder_patients": num_by_placeholder(table),
                "amplitudes": {name: next(iter(amplitudes_of(ecgs).values())) for name, ecgs in sets.items()},
            }
            account["cautions"] = cautions_of({"made_by": made_by, "account": account}, table)
            writer.account = account
    combined = open_cached(folder)
    log_account(folder, combined.manifest["account"])
    log_cautions(combined)
    return combined


def _add_account(account: dict[str, Any], part: str, ecgs: ECGSet) -> None:
    """Add the records read and excluded of a source; the kept ones are counted when they are joined."""
    of_part = ecgs.manifest.get("account") or {"read": len(ecgs), "left_out": {}}
    account["read"] += of_part["read"]
    for rule, entries in of_part["left_out"].items():
        named = [{**entry, "record": f"{part}/{entry['record']}"} for entry in entries]
        account["left_out"].setdefault(rule, []).extend(named)


def _join(writer: ECGSetWriter, part: str, ecgs: ECGSet, seen: dict[str, str], account: dict[str, Any]) -> None:
    hashes = ecgs.hashes()
    with tqdm(total=len(ecgs), desc=f"joining {part}", unit="record", disable=None) as bar:
        for batch in ecgs.batches():
            microvolts, rows = ecgs.microvolts(batch), ecgs.records.iloc[batch].to_dict("records")
            for signals, row, digest in zip(microvolts, rows, hashes[batch], strict=True):
                name = f"{part}/{row['record']}"
                if digest in seen:
                    entry = {"record": name, "detail": f"the same samples as {seen[digest]}"}
                    account["left_out"].setdefault("duplicate", []).append(entry)
                    continue
                seen[digest] = name
                account["kept"] += 1
                facts = {str(key): value for key, value in row.items()}
                writer.append(signals[None], [{**facts, "record": name, "part": part, "hash": digest}])
            bar.update(len(rows))
