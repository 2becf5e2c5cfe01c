import numpy as np
import pytest

from ecggan.measurement.qrs_waves import QRSWaves, Wave, notch_depth, qrs_waves

RATE = 1000  # a sample a millisecond


def triangles(*waves: tuple[float, int]) -> np.ndarray:
    """One lead of triangles in turn, each of a height in mV and a length in ms, from 0 to 0."""
    return np.concatenate(
        [height * (1 - np.abs(np.linspace(-1, 1, length, endpoint=False))) for height, length in waves]
    )


def amplitudes(found: QRSWaves) -> list[float]:
    return [wave.amplitude_mv for wave in (found.q, found.r, found.s, found.r_prime)]


def test_waves_are_named_by_their_order_and_not_by_their_size() -> None:
    found = qrs_waves(triangles((-0.1, 20), (0.2, 20), (-0.9, 30), (0.5, 30)), RATE)
    assert amplitudes(found) == pytest.approx([-0.1, 0.2, -0.9, 0.5])
    durations = [wave.duration_ms for wave in (found.q, found.r, found.s, found.r_prime)]
    assert durations == pytest.approx([20, 20, 30, 30], abs=1)


def test_a_complex_that_begins_upwards_has_no_q_and_one_that_only_goes_down_is_a_q() -> None:
    assert amplitudes(qrs_waves(triangles((0.3, 20), (-0.9, 40)), RATE)) == pytest.approx([0, 0.3, -0.9, 0])
    assert amplitudes(qrs_waves(triangles((-0.9, 80)), RATE)) == pytest.approx([-0.9, 0, 0, 0])


def test_a_deflection_below_160_microvolt_milliseconds_is_no_wave_and_parts_none() -> None:
    # a triangle's area is half its height times its length
    assert amplitudes(qrs_waves(triangles((-0.05, 6), (1.0, 40)), RATE)) == pytest.approx([0, 1, 0, 0])
    assert amplitudes(qrs_waves(triangles((-0.05, 8), (1.0, 40)), RATE)) == pytest.approx([-0.05, 1, 0, 0])
    parted = qrs_waves(triangles((0.4, 20), (-0.05, 6), (0.6, 20)), RATE)
    assert amplitudes(parted) == pytest.approx([0, 0.6, 0, 0])
    assert parted.r.duration_ms == pytest.approx(46, abs=1)


def test_a_long_deflection_below_20_microvolts_is_no_wave() -> None:
    assert amplitudes(qrs_waves(triangles((-0.019, 60), (1.0, 40)), RATE)) == pytest.approx([0, 1, 0, 0])


def test_what_has_not_turned_back_at_the_qrs_offset_is_no_wave() -> None:
    to_high_st = np.concatenate([triangles((0.3, 20), (-0.9, 40)), np.linspace(0, 0.3, 20)])
    assert amplitudes(qrs_waves(to_high_st, RATE)) == pytest.approx([0, 0.3, -0.9, 0])
    turned = np.concatenate([to_high_st, np.linspace(0.3, 0.27, 5)])
    assert amplitudes(qrs_waves(turned, RATE)) == pytest.approx([0, 0.3, -0.9, 0.3])


def test_an_isoelectric_part_of_6_ms_belongs_to_no_wave() -> None:
    q = triangles((-0.3, 30), (1.0, 40))
    still = qrs_waves(np.concatenate([np.full(12, -0.01), q]), RATE).q.duration_ms
    assert still == pytest.approx(30, abs=2.5)
    assert qrs_waves(np.concatenate([np.full(3, -0.01), q]), RATE).q.duration_ms == pytest.approx(33, abs=1)


def test_durations_lie_between_samples() -> None:
    time = np.arange(0, 60, 2.0)
    for q_ms in (20.5, 21.0, 21.5):
        q = np.sin(np.pi * np.minimum(time / q_ms, 1)) * -0.3
        r = np.sin(np.pi * np.clip((time - q_ms) / 35, 0, 1))
        assert qrs_waves(q + r, 500).q.duration_ms == pytest.approx(q_ms, abs=0.4)


def test_the_notch_of_a_wave_is_measured_from_the_lower_of_its_two_peaks() -> None:
    hump = np.interp(np.arange(60), [0, 15, 25, 40, 59], [0, 0.8, 0.5, 1.0, 0])
    assert notch_depth(hump) == pytest.approx(0.3)
    assert qrs_waves(hump, RATE).r.notch_mv == pytest.approx(0.3)
    assert qrs_waves(-hump, RATE).q.notch_mv == pytest.approx(0.3)
    assert notch_depth(triangles((1.0, 40))) == 0


@pytest.mark.parametrize("lead", [np.zeros(40), np.full(40, 0.2), np.zeros(1), np.linspace(0, 1, 40)])
def test_without_a_wave_everything_is_0(lead: np.ndarray) -> None:
    assert qrs_waves(lead, RATE) == QRSWaves(Wave(), Wave(), Wave(), Wave())
