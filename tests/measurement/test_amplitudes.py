from collections.abc import Callable

import numpy as np
import pytest

from ecggan.ecg import EIGHT_LEADS, TWELVE_LEADS
from ecggan.measurement.amplitudes import axes, wave_amplitudes
from ecggan.measurement.columns import AMPLITUDES, amplitude_column
from ecggan.measurement.delineation import Boundaries
from ecggan.measurement.measure_record import measure_record
from tests.synthetic import TAIL, add_waves

RATE = 500
FOUND = Boundaries(p_onset=40.0, p_offset=90.0, qrs_onset=120.0, qrs_offset=170.0, t_offset=340.0)


def beat(p: float = 0, q: float = 0, r: float = 0, s: float = 0, st: float = 0, t: float = 0) -> np.ndarray:
    """One lead made of smooth humps, 0.3 mV above zero."""
    lead = np.full(500, 0.3)
    for start, stop, value in ((45, 85, p), (121, 135, q), (135, 151, r), (151, 167, s), (180, 220, st), (250, 310, t)):
        lead[start : stop + 1] += value * np.hanning(stop - start + 1)
    return lead[None]


def test_every_wave_is_measured_from_the_level_at_the_qrs_onset() -> None:
    values = wave_amplitudes(beat(0.1, -0.05, 1.2, -0.4, 0.07, 0.3), ["II"], FOUND, RATE)
    expected = {"P": 0.1, "Q": -0.05, "R": 1.2, "S": -0.4, "ST": 0.07, "T": 0.3}
    for wave, value in expected.items():
        assert values[amplitude_column(wave, "II")] == pytest.approx(value, rel=0.05), wave  # below 150 Hz


def test_inverted_waves_keep_their_sign() -> None:
    values = wave_amplitudes(beat(p=-0.1, r=1, t=-0.3), ["V1"], FOUND, RATE)
    assert values["p_amplitude_v1_mv"] == pytest.approx(-0.1, rel=0.05)
    assert values["t_amplitude_v1_mv"] == pytest.approx(-0.3, rel=0.05)


def test_a_qrs_that_only_goes_down_is_a_q_and_has_no_r() -> None:
    values = wave_amplitudes(beat(r=-1.0), ["aVR"], FOUND, RATE)
    found = [values[amplitude_column(wave, "aVR")] for wave in "QRS"]
    assert found == pytest.approx([-1.0, 0.0, 0.0], rel=0.05)


def test_waves_that_were_not_found_have_no_amplitude() -> None:
    values = wave_amplitudes(
        beat(r=1), ["I"], Boundaries(qrs_onset=120.0, qrs_offset=170.0, no_p="none", no_t="none"), RATE
    )
    assert set(values) == {
        *(amplitude_column(wave, "I") for wave in ("Q", "R", "S", "ST")),
        *("q_duration_i_ms", "qrs_notch_mv"),
    }


def test_durations_of_q_and_of_the_second_r_in_v1_are_measured() -> None:
    lead = np.interp(
        np.arange(500), [120, 130, 140, 145, 150, 155, 160, 165, 170], [0, -0.3, 0, 0.5, 0, -0.8, 0, 0.4, 0]
    )
    values = wave_amplitudes(lead[None], ["V1"], FOUND, RATE)
    assert values["q_duration_v1_ms"] == pytest.approx(40, abs=2)
    assert values["r_amplitude_v1_mv"] == pytest.approx(0.5, rel=0.05)
    assert values["r_prime_amplitude_v1_mv"] == pytest.approx(0.4, rel=0.05)
    assert values["r_prime_duration_v1_ms"] == pytest.approx(20, abs=2)


def test_the_second_phase_of_a_biphasic_t_has_its_own_amplitude() -> None:
    time = np.arange(500)
    plus = 0.3 * np.exp(-0.5 * ((time - 250) / 12) ** 2)
    minus = 0.12 * np.exp(-0.5 * ((time - 310) / 12) ** 2)
    for lead, first, second in (
        (plus - minus, 0.3, -0.12),
        (minus - plus, -0.3, 0.12),
        (plus, 0.3, 0),
        (-plus, -0.3, 0),
    ):
        values = wave_amplitudes(lead[None], ["V2"], FOUND, RATE)
        assert values["t_amplitude_v2_mv"] == pytest.approx(first, abs=0.005)
        assert values["t_prime_amplitude_v2_mv"] == pytest.approx(second, abs=0.02)  # below 20 Hz


def test_a_low_st_segment_before_an_upright_t_is_no_second_phase() -> None:
    lead = np.interp(np.arange(500), [165, 170, 200, 250, 330], [0, -0.2, -0.2, 0.3, 0])
    assert wave_amplitudes(lead[None], ["V5"], FOUND, RATE)["t_prime_amplitude_v5_mv"] == 0


def test_a_notch_counts_if_two_leads_show_it() -> None:
    t = np.interp(np.arange(500), [220, 250, 270, 290, 330], [0, 0.4, 0.2, 0.3, 0])
    r = np.interp(np.arange(500), [125, 135, 145, 155, 165], [0, 1.0, 0.7, 0.9, 0])
    plain = np.interp(np.arange(500), [125, 145, 165, 220, 270, 330], [0, 1.0, 0, 0, 0.3, 0])
    one = wave_amplitudes(np.stack([t + r, plain, plain]), ["I", "V5", "V6"], FOUND, RATE)
    two = wave_amplitudes(np.stack([t + r, plain, t + r]), ["I", "V5", "V6"], FOUND, RATE)
    assert [one["qrs_notch_mv"], one["t_notch_mv"]] == [0, 0]
    assert two["qrs_notch_mv"] == pytest.approx(0.2, abs=0.02)
    assert two["t_notch_mv"] == pytest.approx(0.1, abs=0.04)  # below 20 Hz


def test_the_p_terminal_force_is_depth_times_duration_of_the_part_that_ends_p_below_the_level() -> None:
    biphasic = np.interp(np.arange(500), [40, 55, 65, 75, 85], [0, 0.1, 0, -0.08, 0])
    assert wave_amplitudes(biphasic[None], ["V1"], FOUND, RATE)["p_terminal_force_v1_mv_ms"] == pytest.approx(
        3.2, abs=0.2
    )
    upright = np.interp(np.arange(500), [40, 65, 90], [0, 0.1, 0])
    assert wave_amplitudes(upright[None], ["V1"], FOUND, RATE)["p_terminal_force_v1_mv_ms"] < 0.05
    begins_below = np.interp(np.arange(500), [40, 50, 58, 75, 90], [0, -0.08, 0, 0.1, 0])
    assert wave_amplitudes(begins_below[None], ["V1"], FOUND, RATE)["p_terminal_force_v1_mv_ms"] < 0.05
    assert "p_terminal_force_v1_mv_ms" not in wave_amplitudes(biphasic[None], ["V2"], FOUND, RATE)


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


def test_shapes_of_known_ecgs_are_found_from_signal_to_row(ecg_of_known_intervals: Callable[..., np.ndarray]) -> None:
    plain, shaped = (ecg_of_known_intervals(60, noise_mv=0.002) for _ in range(2))
    in_v1, in_v2 = np.eye(8)[2], np.eye(8)[3]
    waves = [(0.056, 0.007, 0.6 * in_v1), (0.34, 0.02, -0.25 * in_v2)]  # an R' after the S, a second phase of T
    add_waves(shaped, RATE, np.arange(0.4, 11, 1.0), waves)
    before, after = (measure_record(ecg, EIGHT_LEADS, RATE) for ecg in (plain, shaped))
    assert before["r_prime_amplitude_v1_mv"] == before["t_prime_amplitude_v2_mv"] == 0
    assert after["r_prime_amplitude_v1_mv"] == pytest.approx(0.6, abs=0.06)
    assert after["r_prime_duration_v1_ms"] == pytest.approx(2 * TAIL * 7, abs=12)
    assert after["t_prime_amplitude_v2_mv"] == pytest.approx(-0.2, abs=0.06)
    # Q in V6 is a Gaussian of 8 % of 96 ms, cut short by R; V2 has none
    assert before["q_duration_v6_ms"] == pytest.approx(20, abs=8)
    assert before["q_duration_v2_ms"] == 0
