"""A study's result, read back: its verdicts, for the ECG sets that they are about and for no others."""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import pandas as pd

from ecggan.data.sets.ecg_set import ECGSet
from ecggan.data.sets.labels import COLUMN
from ecggan.evaluation.assessed_set import hashes_of
from ecggan.evaluation.verdict import Level, Verdict

SUMMARY = "summary.json"
_LEVELS = get_args(Level)


@dataclass(frozen=True)
class UtilityResult:
    """What a study wrote.

    Args:
        path: its folder.
        verdicts: on each generated set.
        fingerprints: of each of them; of several if each is of one label.
    """

    path: Path
    verdicts: Mapping[str, Verdict]
    fingerprints: Mapping[str, Sequence[str]]

    def verdict_on(self, known: Collection[str]) -> Verdict | None:
        """The verdict on a set of one of these fingerprints; None if the study is not about it."""
        for name, verdict in self.verdicts.items():
            of_name = self.fingerprints[name]
            if not set(known) & set(of_name):
                continue
            if len(of_name) == 1:
                return verdict
            together = f"Judged together with the sets of the other labels, {len(of_name)} in all."
            return Verdict(verdict.level, verdict.headline, [*verdict.sentences, together])
        return None


def fingerprints_of(ecgs: ECGSet) -> tuple[str, str]:
    """Hashes of a set's ECGs in their order, and of these with the labels in its table."""
    content = hashes_of(ecgs)[0]
    cells = ecgs.records.get(COLUMN, pd.Series(dtype=object))
    labels = json.dumps([None if pd.isna(cell) else str(cell) for cell in cells])
    return content, hashlib.sha256(f"{content}{labels}".encode()).hexdigest()


def read_utility(folder: str | Path) -> UtilityResult:
    """Open the folder that a study wrote.

    Raises:
        FileNotFoundError: there is no summary.json.
        ValueError: it is no study's.
    """
    path = Path(folder)
    file = path / SUMMARY
    if not file.is_file():
        raise FileNotFoundError(
            f"utility={path} holds no {SUMMARY}; give the folder that evaluate.py job=utility wrote, its out="
        )
    try:
        summary = json.loads(file.read_text(encoding="utf-8"))
        verdicts = {name: _verdict(facts) for name, facts in summary["verdicts"].items()}
        fingerprints = {name: [str(each) for each in summary["fingerprints"][name]] for name in verdicts}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f"utility={path} is no result of evaluate.py job=utility, or one of another version: its {SUMMARY} has no "
            "verdicts with fingerprints; run job=utility again and give its out="
        ) from error
    return UtilityResult(path, verdicts, fingerprints)


def utility_verdicts(folders: Sequence[str | Path], generated: Mapping[str, ECGSet]) -> dict[str, Verdict]:
    """The verdicts on sets, each whole, from the studies that are about them.

    Raises:
        FileNotFoundError: a folder holds no study.
        ValueError: likewise, a study is about none of the sets, or two are about one.
    """
    found: dict[str, Verdict] = {}
    results = [read_utility(folder) for folder in folders]
    known = {name: fingerprints_of(ecgs) for name, ecgs in generated.items()} if results else {}
    for result in results:
        of_folder = {name: result.verdict_on(some) for name, some in known.items()}
        answered = {name: verdict for name, verdict in of_folder.items() if verdict is not None}
        if not answered:
            raise ValueError(
                f"utility={result.path} is about other ECGs or labels than those of {', '.join(generated)}; run "
                "job=utility on the sets of this report, or leave it out"
            )
        twice = [name for name in answered if name in found]
        if twice:
            raise ValueError(f"utility= names two results about {twice[0]}: give one")
        found |= answered
    return found


def _verdict(facts: Mapping[str, Any]) -> Verdict:
    level, headline, sentences = facts["level"], facts["headline"], facts["sentences"]
    if level not in _LEVELS or not isinstance(headline, str) or not isinstance(sentences, list):
        raise ValueError("no verdict")
    return Verdict(level, headline, [str(sentence) for sentence in sentences])
