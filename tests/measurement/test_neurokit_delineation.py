from collections.abc import Callable, Mapping

import neurokit2
import numpy as np
import pandas as pd
import pytest

from ecggan.ecg import EIGHT_LEADS
from ecggan.measurement.measure_record import Value, measure_record
from ecggan.measurement.normality.screen import findings

RATE = 500
INTERVALS = ("p_duration_ms", "pr_interval_ms", "qrs_duration_ms", "qt_interval_ms")
# in samples after each R-peak: P 100 ms, PR 160, QRS 90, QT 400
TRUE = {
    "ECG_P_Onsets": -100,
    "ECG_P_Offsets": -50,
    "ECG_R_Onsets": -20,
    "ECG_R_Offsets": 25,
    "ECG_T_Offsets": 180,
}


def measured(ecg: np.ndarray, method: str) -> dict[str, Value]:
    return measure_record(ecg, EIGHT_LEADS[: len(ecg)], RATE, f"neurokit2_{method}")


@pytest.fixture(scope="module")
def ecg(known_ecg: Callable[..., np.ndarray]) -> np.ndarray:
    return known_ecg(num_records=1, seed=1)[0]


@pytest.fixture(scope="module")
def short(ecg: np.ndarray) -> np.ndarray:
    """Two leads, I and II, and 6 s, as neurokit2 takes its time."""
    return ecg[:2, :3000]


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[..., list[float]]], None]:
    """Let neurokit2 answer with the true boundaries, changed by a function of key, lead and positions."""

    def give(change: Callable[..., list[float]]) -> None:
        leads: list[int] = []

        def delineate(cleaned: object, peaks: np.ndarray, **_: object) -> tuple[None, Mapping[str, list[float]]]:
            leads.append(1)
            return None, {key: change(key, len(leads) - 1, [float(p + at) for p in peaks]) for key, at in TRUE.items()}

        monkeypatch.setattr(neurokit2, "ecg_delineate", delineate)
        monkeypatch.setattr(neurokit2, "ecg_clean", lambda lead, **_: lead)

    return give


def intervals(row: Mapping[str, Value]) -> list[float]:
    return [float(row[column]) for column in INTERVALS]


def test_an_interval_is_the_median_over_beats_then_over_leads(ecg, given) -> None:
    given(lambda key, lead, at: [x + 10 * (lead == 3) * (key == "ECG_R_Offsets") for x in at])
    assert intervals(measured(ecg, "dwt")) == pytest.approx([100, 160, 90, 400])
    given(lambda key, lead, at: [x + 10 * (lead < 4) * (key == "ECG_R_Offsets") for x in at])
    assert float(measured(ecg, "dwt")["qrs_duration_ms"]) == pytest.approx(100)


@pytest.mark.parametrize(
    "change",
    [
        lambda key, lead, at: at[1:] if key == "ECG_P_Onsets" else at,
        lambda key, lead, at: [np.nan, *at] if key == "ECG_R_Onsets" else at,
        lambda key, lead, at: [x for i, x in enumerate(at) if i % 3] if key == "ECG_T_Offsets" else at,
        lambda key, lead, at: [np.nan if i % 3 == 0 else x for i, x in enumerate(at)],
        lambda key, lead, at: at[::-1],
        lambda key, lead, at: [] if lead in (0, 5) else at,
    ],
    ids=["first dropped", "shifted", "every third dropped", "gaps", "backwards", "two leads without any"],
)
def test_boundaries_belong_to_beats_by_time_and_not_by_index(change, ecg, given) -> None:
    given(lambda key, lead, at: at)
    whole = intervals(measured(ecg, "dwt"))
    given(change)
    assert intervals(measured(ecg, "dwt")) == pytest.approx(whole)


def test_a_boundary_of_another_beat_is_none(ecg, given) -> None:
    given(lambda key, lead, at: [x + 270 for x in at] if key == "ECG_T_Offsets" else at)
    row = measured(ecg, "dwt")
    assert np.isnan(float(row["qt_interval_ms"]))
    assert np.isnan(float(row["qtc_fridericia_ms"]))
    assert "T wave (QT, QTc, axis, amplitudes): neurokit2 (dwt) gives no T offset" in str(row["missing"])
    assert row["reason"] == "neurokit2 (dwt) gives no T offset"


def test_a_lead_counts_with_half_of_its_beats(ecg, given) -> None:
    def change(key: str, lead: int, at: list[float]) -> list[float]:
        if key != "ECG_P_Onsets":
            return at
        return [x - 10 for x in at] if lead == 2 else [np.nan if i % 3 else x for i, x in enumerate(at)]

    given(change)
    assert float(measured(ecg, "dwt")["pr_interval_ms"]) == pytest.approx(180)


def test_an_error_of_neurokit2_is_a_reason(ecg, monkeypatch) -> None:
    def fails(*_: object, **__: object) -> None:
        raise ZeroDivisionError("float division by zero")

    monkeypatch.setattr(neurokit2, "ecg_delineate", fails)
    row = measured(ecg, "prominence")
    assert not row["is_measurable"]
    assert row["reason"] == "neurokit2 (prominence) gives no QRS onset and offset"
    assert np.isfinite(float(row["heart_rate_bpm"]))


@pytest.mark.parametrize("method", ["cwt", "prominence"])
def test_a_beat_at_an_end_of_the_record_costs_no_other(method: str, short) -> None:
    cut = short[:, 180:]  # the first R-peak is 40 ms after its start
    assert np.allclose(intervals(measured(cut, method)), intervals(measured(short, method)), atol=12, equal_nan=True)


@pytest.mark.parametrize("method", ["dwt", "cwt", "prominence"])
def test_each_method_measures_a_known_ecg(method: str, short) -> None:
    row, usual = measured(short, method), measure_record(short, ("I", "II"), RATE)
    assert row["is_measurable"], row["reason"]
    assert row["heart_rate_bpm"] == usual["heart_rate_bpm"]
    assert np.allclose(intervals(row)[1:], intervals(usual)[1:], atol=60)
    assert float(row["r_amplitude_ii_mv"]) == pytest.approx(float(usual["r_amplitude_ii_mv"]), abs=0.1)
    assert intervals(row) != intervals(usual)


def test_the_method_peak_has_pr_but_no_p_duration_and_its_ecgs_do_not_lack_p_waves(short) -> None:
    row = measured(short, "peak")
    assert row["is_measurable"], row["reason"]
    assert np.isfinite(float(row["pr_interval_ms"]))
    assert np.isnan(float(row["p_duration_ms"]))
    assert "P duration, axis, amplitudes: no P offset" in str(row["missing"])
    assert "P axis:" not in str(row["missing"])
    assert findings(pd.DataFrame([{"record": "0", **row}]))["p_wave"].item() == ""
