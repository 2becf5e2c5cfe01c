from collections.abc import Callable

import numpy as np
import pytest

from ecggan.ecg import EIGHT_LEADS
from ecggan.measurement.filters import bridge_lead_off
from ecggan.measurement.measure_record import measure_record
from ecggan.measurement.rate import are_gaps, rate

RATE = 500
Make = Callable[..., np.ndarray]


def test_a_pause_is_no_part_of_the_rate() -> None:
    r_peaks = np.array([0, 400, 800, 1200, 2400, 2800, 3200])
    found = rate(r_peaks, np.zeros(7, bool), RATE)
    assert found == {"heart_rate_bpm": 75.0, "rr_mean_ms": 800.0, "rr_sd_ms": 0.0, "num_gaps": 1}


def test_a_beat_unlike_all_others_at_the_edge_of_a_gap_belongs_to_it() -> None:
    r_peaks, is_alone = np.array([0, 400, 800, 1200, 2300, 2400, 2800, 3200]), np.arange(8) == 4
    assert rate(r_peaks, is_alone, RATE)["heart_rate_bpm"] == 75.0
    assert rate(r_peaks, np.zeros(8, bool), RATE)["heart_rate_bpm"] != 75.0


@pytest.mark.parametrize(
    ("rr", "gaps"),
    [
        ([800, 800, 1600, 800, 800], [2]),  # a beat not conducted
        ([800, 780, 3000, 820, 800, 790, 1610, 810], [2, 6]),  # of different lengths
        ([900, 500, 1250, 900, 880, 910, 500, 1250, 900], []),  # extrasystoles and their pauses
        ([500, 1100, 510, 1090, 500, 1100], []),  # bigeminy
        ([420, 980, 610, 540, 820, 700, 480, 1050], []),  # fibrillation
        ([800, 1600], []),  # too few to tell
    ],
)
def test_gaps_are_few_and_stand_out(rr: list[float], gaps: list[int]) -> None:
    assert np.flatnonzero(are_gaps(np.array(rr, float))).tolist() == gaps


@pytest.mark.parametrize("what", ["zero", "held", "one volt up", "noise", "ramp"])
def test_two_seconds_with_leads_off_change_neither_rate_nor_qtc(ecg_of_known_intervals: Make, what: str) -> None:
    ecg = ecg_of_known_intervals(72) + 0.3
    whole = measure_record(ecg, EIGHT_LEADS, RATE)
    off = slice(1880, 2880)
    ecg[:, off] = {
        "zero": 0.0,
        "held": ecg[:, 1879:1880],
        "one volt up": 1.0,
        "noise": np.random.default_rng(0).normal(0.3, 0.02, (8, 1000)),
        "ramp": np.linspace(0, 1, 1000),
    }[what]
    row = measure_record(ecg, EIGHT_LEADS, RATE)
    assert row["is_measurable"], row["reason"]
    assert row["num_gaps"] == 1
    assert row["heart_rate_bpm"] == pytest.approx(whole["heart_rate_bpm"], abs=0.5)
    assert row["qtc_bazett_ms"] == pytest.approx(whole["qtc_bazett_ms"], abs=6)


def test_only_stretches_with_a_step_are_bridged() -> None:
    lead = np.sin(np.arange(2000) / 20)
    held = lead.copy()
    held[500:800] = 2.0
    quiet = lead.copy()
    quiet[500:800] = lead[499]
    quiet[800:] += lead[499] - lead[800]
    found = bridge_lead_off(np.stack([held, quiet]), RATE)
    np.testing.assert_allclose(found[0, 500:800], np.interp(np.arange(500, 800), [499, 800], lead[[499, 800]]))
    np.testing.assert_array_equal(found[0, :500], lead[:500])
    np.testing.assert_array_equal(found[1], quiet)


def test_a_stretch_at_an_end_of_the_record_holds_the_nearest_value() -> None:
    lead = np.sin(np.arange(2000) / 20)
    lead[:300] = lead[1700:] = 5.0
    found = bridge_lead_off(lead[None], RATE)[0]
    assert (found[:300] == lead[300]).all()
    assert (found[1700:] == lead[1699]).all()
