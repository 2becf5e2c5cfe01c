"""Scores of a reader study, from the readers' sheets and the answer key: accuracy and agreement.

A kit has as many real as generated ECGs, in random order: a reader who guesses, or gives one answer for all, is right
in half.
"""

import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import scipy.stats
from jaxtyping import Bool, Float

from ecggan.evaluation.formatting import percent
from ecggan.evaluation.reader_study.agreement import Agreement, Answers, agree, draw_ecgs, interval, mean_known
from ecggan.evaluation.reader_study.sheets import REAL, name_readers, read_key, read_sheet
from ecggan.evaluation.rendering import render
from ecggan.files.atomic import atomic_folder
from ecggan.files.json_file import write_json
from ecggan.files.text_file import write_text
from ecggan.stats.number_text import NONE, plain
from ecggan.stats.proportions import share_of_number
from ecggan.stats.resampling import NUM_RESAMPLES, weighted_means

ALL = "all"
SHARES = ("accuracy", "real_right", "generated_right")
SCHEMA_VERSION = 1


@dataclass(frozen=True)
class ReaderScores:
    """The results of a reader study.

    Args:
        kit: its id.
        readers: a row a reader and one of `all`: `num_answered`, `num_left_out`, `accuracy`, `real_right` and
            `generated_right` (0 to 1, of those answered) with ``…_low`` and ``…_high``, `p_guessing`, and of the
            answers with a confidence `num_with_confidence` and `auc` (0 to 1) with its interval. NaN: there is none.
        ecgs: a row an ECG: `ecg`, `origin`, `set`, `record`, ``answer_…`` of each, `num_answered`, `share_right`.
        agreement: between the readers.
        num_resamples: of the bootstrap.
        seed: of the bootstrap.
    """

    kit: str
    readers: pd.DataFrame
    ecgs: pd.DataFrame
    agreement: Agreement
    num_resamples: int
    seed: int

    def mostly_wrong(self) -> list[int]:
        """The ECGs that more than half of the answers got wrong."""
        return [int(ecg) for ecg in self.ecgs.loc[self.ecgs["share_right"] < 0.5, "ecg"]]


def score_readers(
    key: str | Path,
    sheets: str | Path | Mapping[str, str | Path] | Sequence[str | Path],
    num_resamples: int = NUM_RESAMPLES,
    seed: int = 0,
    progress: bool = True,
) -> ReaderScores:
    """Score filled-in sheets by the key of their kit.

    Args:
        key: ``key.csv`` of the kit, or the folder that holds it.
        sheets: by reader, or a list, whose readers go by their files' names.
        num_resamples: of the bootstrap.
        seed: of the bootstrap.
        progress: show a bar.

    Raises:
        FileNotFoundError: a file is missing.
        ValueError: a sheet cannot be read, or is of another kit; the message names file, row and value.
    """
    paths = name_readers(sheets)
    known = read_key(key)
    filled = {name: read_sheet(path, known) for name, path in paths.items()}
    is_real = (known["origin"] == REAL).to_numpy(bool)
    given = pd.DataFrame({name: sheet["answer"] for name, sheet in filled.items()})
    answers = np.where(given.notna(), given == REAL, np.nan)
    confidences = np.column_stack([sheet["confidence"].to_numpy(float) for sheet in filled.values()])
    ratings = np.where(answers == 1, 1.0, -1.0) * np.where(np.isfinite(answers), confidences, np.nan)
    right = np.where(np.isfinite(answers), answers == is_real[:, None], np.nan)
    weights = draw_ecgs(is_real, num_resamples, np.random.default_rng(seed))
    rows = [
        {
            "reader": name,
            **_score_of_one(is_real, answers[:, i], right[:, i]),
            **_auc_of(is_real, ratings[:, i], weights),
        }
        for i, name in enumerate(paths)
    ]
    rows.append({"reader": ALL, **_score_of_all(is_real, right, weights)})
    rows[-1]["num_with_confidence"] = sum(row["num_with_confidence"] for row in rows[:-1])
    ecgs = known.drop(columns="kit").join(given.add_prefix("answer_"))
    ecgs["num_answered"] = np.isfinite(right).sum(axis=1)
    ecgs["share_right"] = mean_known(right.T)
    agreement = agree(answers, list(paths), weights, progress)
    return ReaderScores(
        str(known["kit"].iloc[0]), pd.DataFrame(rows), ecgs.reset_index(), agreement, num_resamples, seed
    )


def _kinds(is_real: Bool[np.ndarray, " ecg"]) -> dict[str, Bool[np.ndarray, " ecg"]]:
    return dict(zip(SHARES, (np.ones_like(is_real), is_real, ~is_real), strict=True))


def _score_of_one(
    is_real: Bool[np.ndarray, " ecg"], answers: Float[np.ndarray, " ecg"], right: Float[np.ndarray, " ecg"]
) -> dict[str, Any]:
    answered = np.isfinite(right)
    row: dict[str, Any] = {"num_answered": int(answered.sum()), "num_left_out": int((~answered).sum())}
    for name, which in _kinds(is_real).items():
        num_answered = int(answered[which].sum())
        share = share_of_number(int(np.nansum(right[which])), num_answered, float(num_answered))
        row |= {name: share.value, f"{name}_low": share.low, f"{name}_high": share.high}
    table = [[int(((answers == answer) & (is_real == origin)).sum()) for answer in (1, 0)] for origin in (True, False)]
    return row | {"p_guessing": float(scipy.stats.fisher_exact(np.array(table))[1])}


def _auc_of(
    is_real: Bool[np.ndarray, " ecg"], ratings: Float[np.ndarray, " ecg"], weights: Float[np.ndarray, "draw ecg"]
) -> dict[str, Any]:
    """How often a real ECG is rated above a generated one, a tie counting half (Mann and Whitney)."""
    known = np.isfinite(ratings)
    real, generated = known & is_real, known & ~is_real
    row = {"num_with_confidence": int(known.sum()), "auc": np.nan, "auc_low": np.nan, "auc_high": np.nan}
    if not (real.any() and generated.any()):
        return row
    above = ratings[real][:, None] - ratings[generated][None, :]
    wins = np.where(above > 0, 1.0, np.where(above == 0, 0.5, 0.0))
    num_pairs = weights[:, real].sum(axis=1) * weights[:, generated].sum(axis=1)
    won = ((weights[:, real] @ wins) * weights[:, generated]).sum(axis=1)
    low, high = interval(won[num_pairs > 0] / num_pairs[num_pairs > 0])
    return row | {"auc": float(wins.mean()), "auc_low": low, "auc_high": high}


def _score_of_all(
    is_real: Bool[np.ndarray, " ecg"], right: Answers, weights: Float[np.ndarray, "draw ecg"]
) -> dict[str, Any]:
    """The mean over readers; if all draws are equal, Wilson's interval for as many ECGs."""
    answered = np.isfinite(right)
    row: dict[str, Any] = {"num_answered": int(answered.sum()), "num_left_out": int((~answered).sum())}
    for name, which in _kinds(is_real).items():
        value = float(mean_known(mean_known(right[which])[:, None])[0])
        low, high = interval(mean_known(weighted_means(weights[:, which], right[which]).T))
        if np.isnan(low) and np.isfinite(value):
            num_ecgs = int(answered[which].any(axis=1).sum())
            share = share_of_number(round(value * num_ecgs), num_ecgs, float(num_ecgs))
            low, high = share.low, share.high
        row |= {name: value, f"{name}_low": low, f"{name}_high": high}
    return row


def write_scores(out: str | Path, scores: ReaderScores) -> Path:
    """Write ``scores.md`` to read, ``scores.csv``, ``ecgs.csv`` and ``summary.json`` into a new folder, whole or not.

    Returns:
        The path of ``scores.md``.

    Raises:
        FileExistsError: `out` is there already.
    """
    agreement = asdict(scores.agreement)
    agreement["pairs"] = scores.agreement.pairs.to_dict("records")
    counts = scores.ecgs["origin"].value_counts()
    summary = {
        "schema_version": SCHEMA_VERSION,
        "kit": scores.kit,
        "num_real": int(counts[REAL]),
        "num_generated": int(counts.sum() - counts[REAL]),
        "readers": scores.readers.to_dict("records"),
        "agreement": agreement,
        "mostly_wrong": scores.mostly_wrong(),
        "num_resamples": scores.num_resamples,
        "seed": scores.seed,
        "versions": {name: metadata.version(name) for name in ("ecggan", "scikit-learn", "scipy", "numpy")}
        | {"python": platform.python_version()},
    }
    with atomic_folder(out) as folder:
        scores.readers.to_csv(folder / "scores.csv", index=False)
        scores.ecgs.to_csv(folder / "ecgs.csv", index=False)
        write_json(folder / "summary.json", summary)
        write_text(folder / "scores.md", _summary_text(scores, summary))
    return Path(out) / "scores.md"


def reader_table(scores: ReaderScores) -> pd.DataFrame:
    """The scores to read: shares in per cent, each with its interval."""
    rows = [
        {
            "reader": row["reader"],
            "answered": f"{row['num_answered']} of {row['num_answered'] + row['num_left_out']}",
            "right": _with_interval(row, "accuracy", percent),
            "real called real": _with_interval(row, "real_right", percent),
            "generated called generated": _with_interval(row, "generated_right", percent),
            "p, guessing": plain(row["p_guessing"], 3),
            "AUC": _with_interval(row, "auc", _two_digits),
        }
        for row in scores.readers.to_dict("records")
    ]
    return pd.DataFrame(rows)


def _summary_text(scores: ReaderScores, summary: Mapping[str, Any]) -> str:
    agreement = scores.agreement
    words = f"{NONE}, it takes two readers."
    pairs = ""
    if len(agreement.pairs):
        facts = asdict(agreement)
        words = f"alike {_with_interval(facts, 'share', percent)}, kappa {_with_interval(facts, 'kappa', _two_digits)}."
        shown = agreement.pairs.assign(
            agreement=agreement.pairs["agreement"].map(percent), kappa=agreement.pairs["kappa"].map(_two_digits)
        ).rename(columns={"num_both": "ECGs of both", "agreement": "alike"})
        pairs = _markdown(shown)
    wrong = ", ".join(f"ECG {ecg}" for ecg in scores.mostly_wrong()) or "no ECG"
    facts = {key: summary[key] for key in ("kit", "num_real", "num_generated", "num_resamples")}
    facts |= {"num_readers": len(scores.readers) - 1, "agreement": words, "pairs": pairs, "wrong": wrong}
    facts["readers"] = _markdown(reader_table(scores))
    return render(__package__, "reader_scores.md.j2", **facts)


def _markdown(table: pd.DataFrame) -> str:
    return table.to_markdown(index=False, disable_numparse=True)


def _with_interval(row: Mapping[Any, Any], name: str, write: Any) -> str:
    value, low, high = (row[f"{name}{suffix}"] for suffix in ("", "_low", "_high"))
    if not np.isfinite(low):
        return str(write(value))
    return f"{write(value)} ({write(low)} to {write(high)})"


def _two_digits(value: float) -> str:
    return plain(value, 2)
