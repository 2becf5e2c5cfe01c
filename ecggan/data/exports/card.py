"""The card of an export: what it is, how it was made, what was left out, how to read it, whose terms hold.

For Parquet it is a dataset card as the Hugging Face hub reads it. Values of its front matter are written as JSON, which
YAML takes.
"""

import json
from collections.abc import Mapping
from typing import Any

from ecggan._version import __version__
from ecggan.data.sets.ecg_set import ECGSet
from ecggan.data.sets.training_records import without_hashes

SIZES = {10**3: "n<1K", 10**4: "1K<n<10K", 10**5: "10K<n<100K", 10**6: "100K<n<1M", 10**7: "1M<n<10M"}

PAPER = """\
@article{thambawita2021deepfake,
  title   = {DeepFake electrocardiograms using generative adversarial networks are the beginning of the end for privacy
             issues in medicine},
  author  = {Thambawita, Vajira and Isaksen, Jonas L. and Hicks, Steven A. and Ghouse, Jonas and Ahlberg, Gustav and
             Linneberg, Allan and Grarup, Niels and Ellervik, Christina and Olesen, Morten Salling and Hansen, Torben
             and Graff, Claus and Holstein-Rathlou, Niels-Henrik and Strümke, Inga and Hammer, Hugo L. and Maleckar,
             Mary M. and Halvorsen, Pål and Riegler, Michael A. and Kanters, Jørgen K.},
  journal = {Scientific Reports},
  volume  = {11},
  pages   = {21896},
  year    = {2021},
  doi     = {10.1038/s41598-021-01295-2}
}
"""
SOFTWARE = f"""\
@software{{ecggan,
  title   = {{ecggan}},
  author  = {{{{The ecggan authors}}}},
  version = {{{__version__}}}
}}
"""


def card(ecgs: ECGSet, how_to_read: str, license: str | None) -> str:
    """The card in Markdown.

    Args:
        ecgs: the set that is exported.
        how_to_read: Python.
        license: of the export, in the hub's spelling, e.g. ``cc-by-4.0``; None where it is still to be chosen.
    """
    left_out = ecgs.manifest.get("account", {}).get("left_out", {})
    # where the source lay on somebody's disk is nobody's business
    made_by = {key: value for key, value in without_hashes(ecgs.manifest["made_by"]).items() if key != "root"}
    facts = {
        "records": f"{len(ecgs):,}",
        "kind": ecgs.kind,
        "leads": ", ".join(ecgs.leads),
        "sampling rate": f"{ecgs.sampling_rate} Hz",
        "length": f"{ecgs.num_samples} samples, {ecgs.num_samples / ecgs.sampling_rate:g} s",
        "unit": "µV, whole numbers (WFDB: mV, 1000 steps each)",
    }
    return "\n\n".join(
        [
            f"# {title(ecgs)}",
            _WHAT[ecgs.kind],
            _table(facts),
            "## How to read it",
            f"```python\n{how_to_read}\n```",
            "`records.parquet` has a row a record, `manifest.json` what the whole set was made of, and\n"
            "`sha256sum -c checksums.sha256` tells whether every file is whole.",
            "## How it was made",
            _table({key: f"`{json.dumps(value, ensure_ascii=False)}`" for key, value in made_by.items()}),
            *(["## What was left out", _table(_counts(left_out))] if left_out else []),
            "## Licence",
            _licence_in_words(ecgs, license),
            "## Citation",
            _citation(ecgs),
        ]
    )


def front_matter(ecgs: ECGSet, license: str | None, data_files: Mapping[str, str]) -> str:
    """What the hub reads of a card, and `datasets` of a folder.

    Args:
        ecgs: the set that is exported.
        license: as for [card][].
        data_files: of each split, as a pattern.
    """
    names = {"real": "that-of-the-source", "generated": "to-be-chosen-by-who-publishes"}
    terms = {"license": license} if license else {"license": "other", "license_name": names[ecgs.kind]}
    size = next((words for most, words in SIZES.items() if len(ecgs) < most), "n>10M")
    files = [{"split": split, "path": path} for split, path in data_files.items()]
    fields: dict[str, Any] = {
        **terms,
        "pretty_name": title(ecgs),
        "tags": ["ecg", "electrocardiogram", "medical", "time-series", *(["synthetic"] * (ecgs.kind == "generated"))],
        "task_categories": ["other"],
        "size_categories": [size],
        "configs": [{"config_name": "default", "data_files": files}],
    }
    lines = [f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in fields.items()]
    return "\n".join(["---", *lines, "---", "", ""])


def title(ecgs: ECGSet) -> str:
    return f"{len(ecgs):,} {ecgs.kind} ECG{'s' * (len(ecgs) != 1)} of {len(ecgs.leads)} leads"


_WHAT = {
    "generated": "Drawn by a generative adversarial network with ecggan; no record is a recording of a person.",
    "real": "Recordings of people, packed and exported with ecggan.",
}


def _licence_in_words(ecgs: ECGSet, license: str | None) -> str:
    if license:
        return f"`{license}`"
    if ecgs.kind == "real":
        return "None was stated here: the licence and the terms of the source hold."
    return "None was chosen yet: who publishes the set chooses it, within the terms of what the generator saw."


def _citation(ecgs: ECGSet) -> str:
    if ecgs.kind == "real":
        return f"Cite the source of the recordings as it asks, and the software:\n\n```bibtex\n{SOFTWARE}```\n"
    return f"```bibtex\n{PAPER}{SOFTWARE}```\n"


def _counts(left_out: Mapping[str, Any]) -> dict[str, str]:
    return {rule: f"{len(entries):,}" for rule, entries in left_out.items()}


def _table(rows: Mapping[str, str]) -> str:
    lines = [f"| {key} | {value.replace('|', chr(92) + '|')} |" for key, value in rows.items()]
    return "\n".join(["| | |", "|---|---|", *lines])
