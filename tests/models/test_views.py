import numpy as np
import pytest
import scipy.signal
import torch

from ecggan.models.views import View, compressed, without_baseline

SAMPLING_RATE = 500


def test_a_window_is_the_stretch_that_begins_at_its_start():
    ecg = torch.arange(2 * 3 * 100.0).view(2, 3, 100)
    view = View(window_s=0.02, step=1, envelope=False)
    seen = view.of(ecg, torch.tensor([0, 90]), view.num_samples(100, SAMPLING_RATE))
    assert torch.equal(seen, torch.stack([ecg[0, :, :10], ecg[1, :, 90:]]))


def test_a_step_takes_means_of_neighbours():
    ecg = torch.tensor([[[1.0, 3.0, 5.0, 9.0]]])
    view = View(window_s=None, step=2, envelope=False)
    assert view.of(ecg, torch.tensor([0]), view.num_samples(4, SAMPLING_RATE)).tolist() == [[[2.0, 7.0]]]


def test_the_envelope_is_the_leads_common_size_whatever_their_sign():
    ecg = torch.tensor([[[3.0, -3.0], [4.0, 4.0]]])
    view = View(window_s=None, step=1, envelope=True)
    seen = view.of(ecg, torch.tensor([0]), 2)
    assert seen.shape == (1, view.num_channels(2), 2)
    assert torch.allclose(seen, torch.full((1, 1, 2), np.sqrt(12.5)))


def test_the_envelope_of_a_flat_line_has_a_finite_gradient():
    ecg = torch.zeros(1, 8, 20, requires_grad=True)
    View(window_s=None, step=1, envelope=True).of(ecg, torch.tensor([0]), 20).sum().backward()
    assert torch.isfinite(ecg.grad).all()


@pytest.mark.parametrize(("view", "told"), [((0, 1, False), "window_s"), ((None, 0, False), "step")])
def test_a_view_that_shows_nothing_is_refused(view, told):
    with pytest.raises(ValueError, match=told):
        View(*view)


def test_a_window_longer_than_the_record_is_refused():
    with pytest.raises(ValueError, match="window_s = 3 is longer than a record of 2 s"):
        View(window_s=3, step=1, envelope=False).num_samples(1000, SAMPLING_RATE)


def test_compression_keeps_small_waves_and_tames_large_ones():
    ecg = torch.tensor([[[0.001, 1.0]]], dtype=torch.float64)
    small, large = compressed(ecg, knee=0.1)[0, 0].tolist()
    assert small == pytest.approx(0.01, rel=1e-4)
    assert large == pytest.approx(np.log(20), rel=1e-2)


def test_compression_is_asinh_to_rounding_and_so_are_its_slopes():
    ecg = torch.linspace(-6, 6, 4001).reshape(1, 1, -1)
    expected = torch.asinh(ecg.double() / 0.15)
    assert torch.allclose(compressed(ecg, knee=0.15).double(), expected, rtol=3e-7, atol=1e-9)
    exact = torch.tensor([[[-3.0, -1e-4, 0.0, 1e-4, 3.0]]], dtype=torch.float64, requires_grad=True)
    for check in (torch.autograd.gradcheck, torch.autograd.gradgradcheck):
        assert check(lambda x: compressed(x, 0.15), exact)


def test_the_baseline_filter_is_a_butterworth_run_both_ways():
    rng = np.random.default_rng(0)
    ecg = rng.normal(size=(1, 2, 5000)).cumsum(axis=2) / 50
    filtered = without_baseline(torch.from_numpy(ecg), SAMPLING_RATE, 0.5).numpy()
    sos = scipy.signal.butter(2, 0.5, "high", fs=SAMPLING_RATE, output="sos")
    wanted = scipy.signal.sosfiltfilt(sos, ecg, axis=2)
    middle = slice(1000, -1000)  # the ends are mirrored in another way
    assert np.abs(filtered - wanted)[..., middle].max() < 0.02 * wanted.std()


def test_the_baseline_filter_takes_wander_and_leaves_the_beat():
    time = torch.arange(5000, dtype=torch.float64)[None, None] / SAMPLING_RATE
    wander, wave = torch.sin(2 * torch.pi * 0.1 * time), torch.sin(2 * torch.pi * 10 * time)
    left = without_baseline(wander + wave, SAMPLING_RATE, 0.5) - wave
    assert left[..., 500:-500].abs().max() < 0.02
