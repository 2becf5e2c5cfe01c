"""The quiz: a reader kit whose pages are on the screen. It follows from its numbers, so that nothing need be kept."""

import csv
import io
import tempfile
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from ecggan.evaluation.reader_study.kit import Kit, choose_kit
from ecggan.evaluation.reader_study.scores import reader_table, score_readers
from ecggan.evaluation.reader_study.sheets import KEY, SHEET_COLUMNS
from ecggan.page.encoding import signals
from ecggan.page.in_process import opened

READER = "you"


@lru_cache(maxsize=4)
def _kit(real: str, generated: str, num_each: int, seed: int) -> Kit:
    is_set = not opened.describe(generated)["draws"]
    ours = opened.ecg_set(generated) if is_set else opened.records(generated, seed, num_each)
    return choose_kit(opened.ecg_set(real), ours, num_each, seed)


def facts(real: str, generated: str, num_each: int, seed: int) -> dict[str, Any]:
    """The kit's name and the number of its ECGs.

    Raises:
        ValueError: the sets' leads, rates or lengths differ, or one has too few records.
    """
    kit = _kit(real, generated, num_each, seed)
    return {"kit": kit.name, "num_ecgs": len(kit.shown)}


def ecg(real: str, generated: str, num_each: int, seed: int, number: int) -> dict[str, Any]:
    """ECG `number`, from 1, as its page shows it.

    Raises:
        ValueError: there is none of that number.
    """
    kit = _kit(real, generated, num_each, seed)
    if number not in kit.numbers():
        raise ValueError(f"the quiz has the ECGs 1 to {len(kit.shown)}; got {number}")
    return signals(kit.millivolts(number), kit.leads, kit.sampling_rate)


def scores(real: str, generated: str, num_each: int, seed: int, answers: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The reader's score, which ECG was what, and the sheet and key as `job=reader_scores` reads them.

    Args:
        real: the source of the real ECGs; with the next three, the kit.
        generated: the source of the generated ones.
        num_each: ECGs of either.
        seed: of the kit.
        answers: `ecg`, `answer` and `confidence` of each ECG that was answered.

    Raises:
        ValueError: an answer is none, or there is no answer.
    """
    kit = _kit(real, generated, num_each, seed)
    given = {int(answer["ecg"]): answer for answer in answers}
    rows = [
        [kit.name, number, given.get(number, {}).get("answer", ""), given.get(number, {}).get("confidence") or "", ""]
        for number in kit.numbers()
    ]
    sheet, key = _csv([SHEET_COLUMNS, *rows]), _csv(kit.key())
    with tempfile.TemporaryDirectory() as folder:
        paths = {KEY: key, f"{READER}.csv": sheet}
        for name, text in paths.items():
            (Path(folder) / name).write_text(text, encoding="utf-8", newline="")
        found = score_readers(Path(folder) / KEY, Path(folder) / f"{READER}.csv", seed=seed, progress=False)
    row = found.readers.iloc[0]
    numbers = ("num_answered", "accuracy", "accuracy_low", "accuracy_high", "p_guessing")
    return {
        "kit": kit.name,
        "score": {name: _known(row[name]) for name in numbers},
        "table": reader_table(found).iloc[:1].to_dict("records")[0],
        "ecgs": found.ecgs[["ecg", "origin", f"answer_{READER}"]].fillna("").to_numpy().tolist(),
        "sheet": sheet,
        "key": key,
    }


def _csv(rows: Sequence[Sequence[object]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue()


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
