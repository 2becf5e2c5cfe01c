"""The normality screen against cardiologists' statements, on every record of a PTB-XL folder.

A record with the statement `NORM`, at any likelihood and beside any other statement, is a normal ECG; every other
record should fail. Everything is chosen on three quarters of the patients; the quarter that [is_held_out][] names is
for one look at the end. docs/results/screen.md counts the looks.
"""

import hashlib
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import scipy.stats
from jaxtyping import Bool, Float
from tqdm import tqdm

from ecggan.compute.workers import each
from ecggan.data.readers.wfdb import read_wfdb
from ecggan.data.sources.ptbxl import DATABASE, read_statements
from ecggan.ecg import TWELVE_LEADS
from ecggan.measurement.measure_record import Value, measure_record, row_without_numbers
from ecggan.measurement.normality.screen import findings, screen
from ecggan.stats.proportions import Proportion, share_of_number

STATEMENTS = "scp_statements.csv"
STRICT_COMPANIONS = {"SR", "SARRH"}  # beside a NORM of 100, as configs/data/ptbxl.yaml chooses records to learn from
GROUPS = {
    "is_norm": "NORM that pass",
    "is_strict_norm": "strict NORM that pass",
    "is_other": "the others that fail",
}
VERDICTS = {
    "is_normal": "normal",
    "is_otherwise_normal": "otherwise normal",
    "is_normal_by_score": "normal by the score",
}
FACTS = (
    *("record", "patient", "recorder", "statements", "superclasses"),
    *("is_norm", "is_strict_norm", "is_other", "is_held_out", "error"),
)


def is_held_out(patient: int) -> bool:
    """Whether nothing may be chosen on a patient of PTB-XL: a quarter of all, by a hash of the number.

    >>> [patient for patient in range(20) if is_held_out(patient)]
    [11, 12, 13]
    """
    return int.from_bytes(hashlib.sha256(str(patient).encode()).digest()) % 4 == 0


def measure_ptbxl(root: str | Path, num_workers: int | None = None, progress: bool = True) -> pd.DataFrame:
    """Measure every record of the folder, at 500 Hz.

    Args:
        root: the folder that holds ptbxl_database.csv.
        num_workers: processes; None for one a core.
        progress: show a bar.

    Returns:
        One row a record: `record`, `patient` (−1 if unknown) and `recorder`, its `statements`, their `superclasses`
        after scp_statements.csv, `is_norm`, `is_strict_norm` (a likelihood of 100, beside it nothing but SR or SARRH),
        `is_other` (no NORM), `is_held_out`, `error` (empty, or why it could not be read: then it belongs to no share),
        and the measurements.

    Raises:
        FileNotFoundError: ptbxl_database.csv or scp_statements.csv is missing.
        ValueError: one of them lacks a column.
    """
    root = Path(root).expanduser()
    database = _read_table(root / DATABASE, ["patient_id", "scp_codes", "filename_hr"])
    classes = _read_table(root / STATEMENTS, ["diagnostic_class"])["diagnostic_class"].dropna().to_dict()
    arguments = ((root, str(name)) for name in database["filename_hr"])
    each_file = each(_measure_file, arguments, len(database), num_workers)
    measured = tqdm(each_file, total=len(database), desc="measuring", unit="ECG", disable=not progress)
    rows = []
    for fact, (row, error) in zip((_facts(row, classes) for row in database.to_dict("records")), measured, strict=True):
        rows.append(fact | row | {"error": fact["error"] or error})
    return pd.DataFrame(rows)


def validate_on_ptbxl(root: str | Path, num_workers: int | None = None, progress: bool = True) -> pd.DataFrame:
    """Measure and screen every record of the folder; Args and Raises: as of [measure_ptbxl][].

    Returns:
        The facts of [measure_ptbxl][], and what [screen][ecggan.measurement.normality.screen.screen] and its `findings`
        return.
    """
    table = measure_ptbxl(root, num_workers, progress)
    screened = screen(table).drop(columns="record")
    return pd.concat([table[list(FACTS)], screened, findings(table)], axis=1)


def _read_table(path: Path, columns: list[str]) -> pd.DataFrame:
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing; ptbxl_root must be the folder that holds it")
    table = pd.read_csv(path, index_col=0)
    lost = [column for column in columns if column not in table]
    if lost or not len(table):
        raise ValueError(f"{path} lacks {', '.join(lost) or 'rows'}; download it again")
    return table


def _facts(row: Mapping[Hashable, Any], classes: Mapping[Hashable, str]) -> dict[str, object]:
    statements = read_statements(row["scp_codes"])
    patient = pd.to_numeric(row["patient_id"], errors="coerce")
    names = set(statements or ())
    return {
        "record": Path(str(row["filename_hr"])).name,
        "patient": -1 if np.isnan(patient) else int(patient),
        "recorder": " ".join(str(row.get("device", "")).split()),
        "statements": " ".join(f"{name}:{likelihood:g}" for name, likelihood in (statements or {}).items()),
        "superclasses": " ".join(sorted({classes[name] for name in names if name in classes})),
        "is_norm": "NORM" in names,
        "is_strict_norm": (statements or {}).get("NORM") == 100 and names <= {"NORM", *STRICT_COMPANIONS},
        "is_other": "NORM" not in names,
        "is_held_out": not np.isnan(patient) and is_held_out(int(patient)),
        "error": "damaged row of the database" if statements is None or np.isnan(patient) else "",
    }


def _measure_file(root: Path, name: str) -> tuple[dict[str, Value], str]:
    """The row of a file, and the error if it could not be read."""
    try:
        record = read_wfdb(root / name)
        return measure_record(record.millivolts, record.leads, record.sampling_rate), ""
    except Exception as error:  # one bad file must not end a run of thousands: it is counted and named
        why = f"{type(error).__name__}: {error}".splitlines()[0]
        return row_without_numbers(TWELVE_LEADS, f"error: {why}"), why


def agreement_rates(validated: pd.DataFrame) -> pd.DataFrame:
    """How often the screen agrees with PTB-XL: for each part and verdict, NORM that pass and others that fail.

    Returns:
        A row for each part, verdict and group: `records`, `verdict`, `group`, `num_records`, `num_right`, the `share`
        and its Wilson 95 % interval from `low` to `high`; NaN for a group without records.
    """
    read = validated[validated["error"] == ""]
    parts = {"chosen on": ~read["is_held_out"], "held out": read["is_held_out"], "all": read["record"].notna()}
    rows = [
        {"records": part, "verdict": words} | row
        for part, is_in in parts.items()
        for verdict, words in VERDICTS.items()
        for row in _rates(read[is_in], verdict)
    ]
    return pd.DataFrame(rows)


def rates_by_recorder(validated: pd.DataFrame) -> pd.DataFrame:
    """As [agreement_rates][], for the verdict "otherwise normal" and each recorder, of all parts."""
    read = validated[validated["error"] == ""]
    rows = [
        {"recorder": recorder} | row
        for recorder, some in read.groupby("recorder")
        for row in _rates(some, "is_otherwise_normal")
    ]
    return pd.DataFrame(rows)


def score_areas(validated: pd.DataFrame) -> dict[str, float]:
    """The area under the ROC curve of the score by part, NORM against the others; a missing score counts as the lowest.

    NaN for a part that lacks one of the two.
    """
    read = validated[validated["error"] == ""]
    areas = {}
    for part, some in (("chosen on", read[~read["is_held_out"]]), ("held out", read[read["is_held_out"]])):
        areas[part] = roc_area(some["is_norm"].to_numpy(bool), some["probability_normal"].fillna(-1).to_numpy(float))
    return areas


def roc_area(is_normal: Bool[np.ndarray, " record"], score: Float[np.ndarray, " record"]) -> float:
    """The area under the ROC curve: how often a normal record scores higher; NaN unless there are both kinds."""
    if is_normal.all() or not is_normal.any():
        return np.nan
    pairs = is_normal.sum() * (~is_normal).sum()
    return float(scipy.stats.mannwhitneyu(score[is_normal], score[~is_normal]).statistic / pairs)


def _rates(read: pd.DataFrame, verdict: str) -> list[dict[str, Any]]:
    rows = []
    for column, group in GROUPS.items():
        passes = read.loc[read[column], verdict]
        num_right = int((~passes).sum() if column == "is_other" else passes.sum())
        share = share_of_number(num_right, len(passes), len(passes))
        rows.append({"group": group, "num_records": len(passes), "num_right": num_right} | _with_interval(share))
    return rows


def catches(validated: pd.DataFrame) -> pd.DataFrame:
    """The records that each rule fails, `norm` and `other`, and those that it alone fails.

    Over the records that could be read and are not held out. A rule that fails no record alone could go; one that
    fails more of NORM alone than of the others is too strict.
    """
    read = validated[(validated["error"] == "") & ~validated["is_held_out"]]
    texts = read.loc[:, "not_measurable":]
    found = texts != ""
    is_alone = found.sum(axis=1) == 1
    counts = {
        f"{group}{suffix}": found[read[column] & chosen].sum()
        for column, group in (("is_norm", "norm"), ("is_other", "other"))
        for suffix, chosen in (("", True), ("_alone", is_alone))
    }
    return pd.DataFrame(counts).rename_axis("rule").reset_index()


def caught_by_superclass(validated: pd.DataFrame) -> pd.DataFrame:
    """Of the records without NORM, how many of each diagnostic superclass fail; a record may be in several.

    Returns:
        `superclass` (MI, STTC, CD, HYP, or none), `num_records`, `num_caught`, `share`, `low` and `high`.
    """
    others = validated[(validated["error"] == "") & validated["is_other"]]
    members = others.assign(superclass=others["superclasses"].str.split()).explode("superclass")
    rows = []
    for superclass, some in members.fillna({"superclass": "none"}).groupby("superclass"):
        num_caught = int((~some["is_normal"]).sum())
        share = share_of_number(num_caught, len(some), len(some))
        row = {"superclass": superclass, "num_records": len(some), "num_caught": num_caught}
        rows.append(row | _with_interval(share))
    return pd.DataFrame(rows, columns=["superclass", "num_records", "num_caught", "share", "low", "high"])


def _with_interval(share: Proportion) -> dict[str, float]:
    return {"share": share.value, "low": share.low, "high": share.high}


def summary_text(validated: pd.DataFrame) -> str:
    """The rates, the rules' catches, the superclasses, the wrong ones and the bad files, for a terminal."""
    bad = validated[validated["error"] != ""]
    read = validated[validated["error"] == ""]
    parts = [
        f"PTB-XL, {len(read)} records screened, {len(bad)} could not be read; intervals are Wilson's, 95 %",
        agreement_rates(validated).to_string(index=False, float_format="%.3f"),
        "area under the curve of the score: "
        + ", ".join(f"{part} {area:.3f}" for part, area in score_areas(validated).items()),
        "otherwise normal, by recorder",
        rates_by_recorder(validated).to_string(index=False, float_format="%.3f"),
        "chosen on: records that each rule fails, and fails alone",
        catches(validated).to_string(index=False),
        "records without NORM that fail, by diagnostic superclass",
        caught_by_superclass(validated).to_string(index=False, float_format="%.3f"),
        *(f"NORM that fails: {r['record']} ({r['statements']}): {r['reasons']}" for r in _rows(read, "is_norm", False)),
        *(f"passes without NORM: {r['record']} ({r['statements']})" for r in _rows(read, "is_other", True)),
        *(f"not read: {row['record']} ({row['error']})" for row in bad.to_dict("records")),
    ]
    return "\n".join(parts)


def _rows(read: pd.DataFrame, group: str, is_normal: bool) -> list[dict[Hashable, Any]]:
    is_named = read[group] & (read["is_normal"] == is_normal) & ~read["is_held_out"]
    return read[is_named].to_dict("records")
