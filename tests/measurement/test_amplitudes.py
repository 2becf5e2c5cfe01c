from collections.abc import Callable

import numpy as np
import pytest

from ecggan.ecg import EIGHT_LEADS, TWELVE_LEADS
from ecggan.measurement.amplitudes import axes, wave_amplitudes
from ecggan.measurement.columns import AMPLITUDES, amplitude_column
from ecggan.measurement.delineation import Boundaries
from ecggan.measurement.measure_record import measure_record

RATE = 500
FOUND = Boundaries(p_onset=40.0, p_offset=90.0, qrs_onset=120.0, qrs_offset=170.0, t_offset=340.0)


def beat(p: float = 0, q: float = 0, r: float = 0, s: float = 0, st: float = 0, t: float = 0) -> np.ndarray:
    """One lead made of plateaus, 0.3 mV above zero."""
    lead = np.full(500, 0.3)
    for start, stop, value in ((50, 80, p), (122, 130, q), (135, 150, r), (155, 165, s), (190, 210, st), (260, 300, t)):
        lead[start:stop] += value
    return lead[None]


def test_every_wave_is_measured_from_the_level_at_the_qrs_onset() -> None:
    values = wave_amplitudes(beat(0.1, -0.05, 1.2, -0.4, 0.07, 0.3), ["II"], FOUND, RATE)
    expected = {"P": 0.1, "Q": -0.05, "R": 1.2, "S": -0.4, "ST": 0.07, "T": 0.3}
    assert values == pytest.approx({amplitude_column(wave, "II"): value for wave, value in expected.items()})


def test_inverted_waves_keep_their_sign() -> None:
    values = wave_amplitudes(beat(p=-0.1, r=1, t=-0.3), ["V1"], FOUND, RATE)
    assert values["p_amplitude_v1_mv"] == pytest.approx(-0.1)
    assert values["t_amplitude_v1_mv"] == pytest.approx(-0.3)


def test_a_qrs_that_only_goes_down_is_a_q_and_has_no_r() -> None:
    values = wave_amplitudes(beat(r=-1.0), ["aVR"], FOUND, RATE)
    found = [values[amplitude_column(wave, "aVR")] for wave in "QRS"]
    assert found == pytest.approx([-1.0, 0.0, 0.0])


def test_waves_that_were_not_found_have_no_amplitude() -> None:
    values = wave_amplitudes(
        beat(r=1), ["I"], Boundaries(qrs_onset=120.0, qrs_offset=170.0, no_p="none", no_t="none"), RATE
    )
    assert set(values) == {amplitude_column(wave, "I") for wave in ("Q", "R", "S", "ST")}


@pytest.mark.parametrize(("i", "avf", "axis"), [(1, 0, 0), (0.0, 1, 90), (-1, 0, 180), (1, np.sqrt(3) / 2, 45)])
def test_axes_follow_einthovens_triangle(i: float, avf: float, axis: float) -> None:
    shape = beat(p=0.1, r=1, t=0.3)[0] - 0.3
    found = axes({"I": i * shape, "aVF": avf * shape}, FOUND, RATE)
    assert found == pytest.approx({"p_axis_deg": axis, "qrs_axis_deg": axis, "t_axis_deg": axis})


def test_a_wave_without_net_area_has_no_axis() -> None:
    flat = np.zeros(500)
    assert np.isnan(list(axes({"I": flat, "aVF": flat}, FOUND, RATE).values())).all()


def test_known_amplitudes_are_found_in_every_lead(ecg_of_known_intervals: Callable[..., np.ndarray]) -> None:
    row = measure_record(ecg_of_known_intervals(60, noise_mv=0.002), EIGHT_LEADS, RATE)
    at_r_peak = ecg_of_known_intervals(60, noise_mv=0)[:, 7 * RATE // 5]
    assert {column for column in row if column in AMPLITUDES} == set(AMPLITUDES)  # of twelve leads
    in_eight = {
        "P": (0.08, 0.14, 0.06, 0.06, 0.06, 0.06, 0.06, 0.06),
        "R": at_r_peak,
        "T": (0.2, 0.3, -0.05, 0.35, 0.4, 0.4, 0.35, 0.3),
    }
    for wave, values in in_eight.items():
        found = [row[amplitude_column(wave, lead)] for lead in EIGHT_LEADS]
        np.testing.assert_allclose(found, values, atol=0.035, err_msg=wave)
    st = [row[amplitude_column("ST", lead)] for lead in TWELVE_LEADS]
    np.testing.assert_allclose(st, 0, atol=0.03)
    assert row["t_amplitude_avr_mv"] == pytest.approx(-0.25, abs=0.02)
