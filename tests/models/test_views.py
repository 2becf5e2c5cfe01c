import numpy as np
import pytest
import scipy.signal
import torch

from ecggan.models.views import BeatPair, View, compressed, without_baseline

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


def beats(count, sizes, noise=0.0):
    """Records of narrow triphasic beats, 0.8 s apart, whose sizes take turns."""
    time = torch.arange(5000) / SAMPLING_RATE
    record = torch.zeros(5000)
    for i, peak in enumerate(torch.arange(0.5, 9.8, 0.8)):
        away = (time - peak) / 0.012
        record += sizes[i % len(sizes)] * (1 - away**2) * torch.exp(-0.5 * away**2)
    gain = torch.linspace(0.5, 1.2, 8)[:, None] * torch.tensor([1.0, -1.0] * 4)[:, None]
    ecg = (gain * record).expand(count, 8, 5000)
    return ecg + noise * torch.randn(count, 8, 5000, generator=torch.Generator().manual_seed(1))


PAIR = BeatPair(before_ms=200, after_ms=400, step=2)


def halves(pair):
    """The two beats, from their mean and twice their difference."""
    return pair[:, :8] + pair[:, 8:] / 4, pair[:, :8] - pair[:, 8:] / 4


def test_a_pair_is_two_beats_laid_on_each_other():
    ecg, drawn = beats(40, [1.0], noise=0.02), torch.arange(40) * 97
    seen = PAIR.of(ecg, drawn, PAIR.num_samples(5000, SAMPLING_RATE))
    assert seen.shape == (40, PAIR.num_channels(8), 150)
    one, other = halves(seen)
    assert (one.abs().amax(dim=(1, 2)) > 0.9).all()
    assert (one.abs().mean(dim=1).argmax(dim=1) - 50).abs().max() <= 10  # 200 ms from the start, where it is steep
    assert ((one - other).square().mean(dim=(1, 2)).sqrt() < 0.03).all()
    assert ((one - other).square().mean(dim=(1, 2)) > 0).all()  # two beats, not one twice


def test_a_pair_shows_that_beats_differ_in_size():
    ecg, drawn = beats(200, [0.8, 1.2]), torch.arange(200) * 23
    one, other = halves(PAIR.of(ecg, drawn, PAIR.num_samples(5000, SAMPLING_RATE)))
    ratio = one.abs().amax(dim=(1, 2)) / other.abs().amax(dim=(1, 2))
    assert {round(float(found), 1) for found in ratio} == {0.7, 1.0, 1.5}


def test_gradients_of_a_pair_pass_to_its_beats_alone():
    ecg = beats(3, [1.0]).clone().requires_grad_()
    PAIR.of(ecg, torch.tensor([5, 60, 700]), PAIR.num_samples(5000, SAMPLING_RATE)).sum().backward()
    assert (ecg.grad[:, 0].count_nonzero(dim=1) == 2 * 300).all()


@pytest.mark.parametrize("ecg", [torch.zeros(4, 8, 5000), beats(4, [1.0])[..., :700]])
def test_a_record_without_two_beats_has_a_view_nevertheless(ecg):
    length = PAIR.num_samples(ecg.shape[2], SAMPLING_RATE)
    seen = PAIR.of(ecg, torch.tensor([0, 1, 399, 100_000]), length)
    assert torch.isfinite(seen).all()
    assert seen.shape == (4, 16, length)


@pytest.mark.parametrize(
    ("given", "told"), [((-1, 400, 2), "before_ms"), ((200, 0, 2), "after_ms"), ((200, 400, 0), "step")]
)
def test_a_pair_that_shows_nothing_is_refused(given, told):
    with pytest.raises(ValueError, match=told):
        BeatPair(*given)


def test_a_pair_longer_than_the_record_is_refused():
    with pytest.raises(ValueError, match=r"600 ms are more than a record of 0\.5 s"):
        PAIR.num_samples(250, SAMPLING_RATE)
