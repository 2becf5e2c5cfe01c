import numpy as np
import pytest
import scipy.signal

from ecggan.measurement.filters import zero_phase


@pytest.mark.parametrize(
    ("kind", "edge_hz", "order"), [("low", 20.0, 4), ("high", 0.5, 2), ("bandpass", (0.5, 30.0), 2)]
)
@pytest.mark.parametrize("padding", [None, 0, 40])
def test_zero_phase_filters_are_those_of_scipy_to_the_bit(kind, edge_hz, order: int, padding: int | None) -> None:
    signals = np.random.default_rng(0).normal(size=(3, 2, 600)).cumsum(axis=-1)
    sections = scipy.signal.butter(order, edge_hz, kind, fs=500, output="sos")
    expected = scipy.signal.sosfiltfilt(sections, signals, padlen=padding)
    assert np.array_equal(zero_phase(kind, edge_hz, signals, 500, order, padding), expected)


def test_a_signal_no_longer_than_its_padding_is_refused() -> None:
    with pytest.raises(ValueError, match="longer than 9 samples; got 9"):
        zero_phase("low", 20.0, np.zeros((1, 9)), 500)
