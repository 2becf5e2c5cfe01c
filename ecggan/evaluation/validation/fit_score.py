"""Fit the normality score on PTB-XL.

Logistic regression whose weights take from the log-odds and never add: a measurement beyond a limit can only count
against an ECG. The limits are quartiles and 5 % points of the normal ECGs; an L1 penalty leaves most terms out. The
held-out patients are not used. Cross-validation is over patients; its out-of-fold log-odds calibrate the score
(Platt 1999) and give the operating point.
"""

import datetime
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from ecggan.evaluation.validation.validate_ptbxl import measure_ptbxl, roc_area
from ecggan.files.text_file import write_text
from ecggan.measurement.normality.score import score_measurements, units_beyond

PENALTY = 0.005
PERCENTILES: dict[Literal["below", "above"], tuple[int, int]] = {"below": (5, 25), "above": (75, 95)}
NUM_FOLDS, NUM_REPEATS = 5, 3
SHARE_PASSING = 0.95  # of the normal ECGs, at the operating point
_LEAST_WEIGHT = 0.005
_FEWEST_KNOWN = 50

Limit = tuple[str, Literal["below", "above"], float, float]
"""Measurement, side, limit and unit of distance."""


def limits_of(measured: pd.DataFrame, is_normal: Bool[np.ndarray, " record"]) -> list[Limit]:
    """The terms that a fit may use: percentiles of the normal ECGs; the unit is half from their 16th to their 84th."""
    limits: list[Limit] = []
    for name in map(str, measured):
        known = measured[name][is_normal].dropna()
        if len(known) < _FEWEST_KNOWN or known.std() == 0:
            continue
        low, high = np.percentile(known, [16, 84])
        per = _rounded((high - low) / 2 or known.std())
        for side, percentiles in PERCENTILES.items():
            of_side = sorted({_rounded(value) for value in np.percentile(known, percentiles)})
            limits += [(name, side, limit, per) for limit in of_side]
    return limits


def design(measured: pd.DataFrame, limits: Sequence[Limit]) -> Float[np.ndarray, "record term"]:
    columns = [units_beyond(measured[name].to_numpy(float), side, limit, per) for name, side, limit, per in limits]
    return np.stack(columns, axis=1)


def fit(terms: Float[np.ndarray, "record term"], is_normal: Bool[np.ndarray, " record"]) -> tuple[float, np.ndarray]:
    """The intercept and the weights, none of them below 0, of least penalised log loss."""
    sign = np.where(is_normal, 1.0, -1.0)

    def loss(values: np.ndarray) -> tuple[float, np.ndarray]:
        margin = sign * (values[0] - terms @ values[1:])
        pull = sign / (1 + np.exp(margin)) / len(sign)
        gradient = np.concatenate([[-pull.sum()], terms.T @ pull + PENALTY])
        return float(np.logaddexp(0, -margin).mean() + PENALTY * values[1:].sum()), gradient

    bounds = [(None, None), *[(0, None)] * terms.shape[1]]
    found = minimize(loss, np.zeros(len(bounds)), jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 500})
    return float(found.x[0]), found.x[1:]


def out_of_fold(
    measured: pd.DataFrame, is_normal: Bool[np.ndarray, " record"], patients: np.ndarray
) -> Float[np.ndarray, " record"]:
    """The log-odds of each record by fits without its patient, the mean over repeats."""
    log_odds = np.zeros(len(measured))
    for repeat in range(NUM_REPEATS):
        for train, test in GroupKFold(NUM_FOLDS, shuffle=True, random_state=repeat).split(measured, groups=patients):
            limits = limits_of(measured.iloc[train], is_normal[train])
            intercept, weights = fit(design(measured.iloc[train], limits), is_normal[train])
            log_odds[test] += (intercept - design(measured.iloc[test], limits) @ weights) / NUM_REPEATS
    return log_odds


def fit_score(table: pd.DataFrame, date: str) -> tuple[dict[str, Any], np.ndarray]:
    """The score's table, and the calibrated out-of-fold probability of each record.

    Args:
        table: of [measure_ptbxl][ecggan.evaluation.validation.validate_ptbxl.measure_ptbxl], measurable records.
        date: of the fit.
    """
    is_normal = table["is_norm"].to_numpy(bool)
    measured = pd.DataFrame(score_measurements(table))
    out = out_of_fold(measured, is_normal, table["patient"].to_numpy())
    calibration = LogisticRegression(C=np.inf).fit(out[:, None], is_normal)
    slope, offset = float(calibration.coef_[0, 0]), float(calibration.intercept_[0])
    probability = 1 / (1 + np.exp(-(offset + slope * out)))
    limits = limits_of(measured, is_normal)
    intercept, weights = fit(design(measured, limits), is_normal)
    terms = [
        {"measurement": name, "side": side, "limit": limit, "per": per, "weight": round(float(slope * weight), 3)}
        for (name, side, limit, per), weight in zip(limits, weights, strict=True)
        if slope * weight >= _LEAST_WEIGHT
    ]
    return {
        "fitted_on": {
            "source": "PTB-XL 1.0.3, cross-section, without the held-out patients",
            "licence": "CC BY 4.0",
            "num_records": len(table),
            "num_normal": int(is_normal.sum()),
            "num_patients": int(table["patient"].nunique()),
            "date": date,
        },
        "intercept": round(offset + slope * intercept, 3),
        "operating_point": round(float(np.quantile(probability[is_normal], 1 - SHARE_PASSING)), 2),
        "terms": sorted(terms, key=lambda term: -float(term["weight"])),
    }, probability


def score_text(score: dict[str, Any]) -> str:
    """As JSON, a term a line."""
    terms = ",\n".join(f"    {json.dumps(term)}" for term in score["terms"])
    rest = {key: value for key, value in score.items() if key != "terms"}
    return json.dumps(rest, indent=2)[:-2] + ',\n  "terms": [\n' + terms + "\n  ]\n}\n"


def fit_on_ptbxl(root: str | Path, out: str | Path, num_workers: int | None = None) -> str:
    """Fit the score on the records of the folder that are not held out, and write its table.

    Returns:
        What came of it, for a terminal.
    """
    table = measure_ptbxl(root, num_workers)
    table = table[(table["error"] == "") & ~table["is_held_out"] & table["is_measurable"]].reset_index(drop=True)
    score, probability = fit_score(table, datetime.datetime.now(datetime.UTC).date().isoformat())
    write_text(Path(out), score_text(score))
    area = roc_area(table["is_norm"].to_numpy(bool), probability)
    return f"{len(table)} records, area {area:.3f} out of fold; {len(score['terms'])} terms, saved to {out}"


def _rounded(value: float) -> float:
    """To 3 significant digits."""
    return float(f"{value:.3g}")
