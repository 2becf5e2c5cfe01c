import numpy as np
import pytest
import torch

from ecggan.training.augmentation import AdaptiveShare, ECGAugmentation


def augmentation(**changes):
    given = {"sampling_rate": 500, "full_scale_mv": 6.0, "share": 0.5, "slowing": 0.2, "mixing_sd": 0.2}
    return ECGAugmentation(**given | {"gain_sd": 0.2, "wander_mv": 0.3, "noise_mv": 0.03} | changes)


def alone(**change):
    """One change, to nearly all records."""
    none = dict.fromkeys(("slowing", "mixing_sd", "gain_sd", "wander_mv", "noise_mv"), 0.0)
    return augmentation(**none | {"share": 0.999} | change)


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


ECG = torch.randn(400, 8, 1000, generator=rng(9)) * 0.05


def test_nothing_happens_where_the_share_is_nil():
    assert torch.equal(augmentation(share=0).draw(ECG, rng())(ECG), ECG)


def test_each_change_happens_to_its_share_of_the_records():
    changes = augmentation(share=0.3).draw(ECG, rng())
    diagonal = changes.mixing.diagonal(dim1=1, dim2=2)
    happened = [
        (changes.speed != 1).flatten(1).any(dim=1),
        (changes.mixing - torch.diag_embed(diagonal) != 0).flatten(1).any(dim=1),
        (changes.wander != 0).flatten(1).any(dim=1),
        (changes.noise != 0).flatten(1).any(dim=1),
        (~changes.shown).flatten(1).any(dim=1),
    ]
    for which in happened:
        assert which.float().mean().item() == pytest.approx(0.3, abs=0.08)


def test_a_share_given_for_the_batch_takes_the_place_of_its_own():
    changes = augmentation(share=0.9).draw(ECG, rng(), share=0.0)
    assert torch.equal(changes(ECG), ECG)


def test_a_slower_tempo_is_a_stretch_of_the_record_made_longer():
    seconds = torch.arange(5000) / 500
    ecg = torch.sin(2 * torch.pi * 2 * seconds).expand(50, 8, -1)
    changes = alone(slowing=0.3).draw(ecg, rng())
    changed = changes(ecg)[changes.shown[:, 0, 0]][:, 0].numpy()
    speed = changes.speed[changes.shown[:, 0, 0], 0].numpy()
    assert 0.7 < speed.min() < 0.75
    assert speed.max() > 0.97
    power = np.abs(np.fft.rfft(changed * np.hanning(5000), n=100_000, axis=1))
    hertz = np.fft.rfftfreq(100_000, 1 / 500)[power.argmax(axis=1)]
    assert np.allclose(hertz, 2 * speed, atol=0.02)


def test_mixed_leads_stay_in_time_and_of_about_their_size():
    ecg = torch.randn(2000, 8, 50, generator=rng(1))
    mixing = alone(mixing_sd=0.3).draw(ecg, rng()).mixing
    away = mixing - torch.eye(8)
    assert away.mean().abs() < 0.01
    assert away.square().sum(dim=2).mean().sqrt().item() == pytest.approx(0.3, rel=0.02)


def test_a_gain_is_that_of_all_leads():
    mixing = alone(gain_sd=0.2).draw(ECG, rng()).mixing
    gains = mixing.diagonal(dim1=1, dim2=2)
    assert torch.equal(mixing, torch.diag_embed(gains))
    assert torch.equal(gains, gains[:, :1].expand_as(gains))
    assert gains[:, 0].log().std().item() == pytest.approx(0.2, rel=0.1)


def test_the_same_stream_gives_the_same_changes():
    one, other = (augmentation().draw(ECG, rng(3))(ECG) for _ in range(2))
    assert torch.equal(one, other)


def test_wander_stays_below_its_size_and_below_half_a_hertz():
    changes = augmentation(share=0.99, wander_mv=0.3).draw(torch.zeros(50, 8, 10_000), rng())
    wander = changes.wander.numpy() * 6
    assert 0.1 < np.abs(wander).max() <= 0.3 + 1e-6
    power = np.abs(np.fft.rfft(wander * np.hanning(10_000), axis=2)) ** 2
    hertz = np.fft.rfftfreq(10_000, 1 / 500)
    assert power[..., hertz > 0.7].sum() < 1e-4 * power.sum()


def test_noise_is_at_most_as_large_as_asked():
    changes = augmentation(share=0.99, noise_mv=0.04).draw(ECG, rng())
    rms = changes.noise.square().mean(dim=(1, 2)).sqrt() * 6
    assert 0.035 < rms.max() < 0.042


def test_one_lead_at_most_is_off_and_shows_nothing():
    changes = augmentation(share=0.99).draw(ECG, rng())
    changed = changes(ECG)
    off = (changed == 0).all(dim=2)
    assert off.sum(dim=1).max() == 1
    assert set(off.nonzero()[:, 1].tolist()) == set(range(8))


def test_gradients_pass_through_all_changes():
    ecg = ECG[:4, :, :60].double().clone().requires_grad_()
    changes = augmentation(share=0.7).draw(ecg, rng(4))
    assert (changes.speed != 1).any()
    assert torch.autograd.gradcheck(changes, (ecg,))


def test_narrow_records_are_changed_as_wide_ones_are():
    narrow = ECG.bfloat16()
    with torch.autocast("cpu", torch.bfloat16):
        changed = augmentation(share=0.7).draw(narrow, rng(4))(narrow)
    assert changed.dtype == torch.float32
    assert torch.equal(changed, augmentation(share=0.7).draw(ECG, rng(4))(narrow.float()))


@pytest.mark.parametrize("share", [-0.1, 1.0])
def test_a_share_that_every_record_or_none_can_have_is_refused(share):
    with pytest.raises(ValueError, match="share must lie in 0 to 1"):
        augmentation(share=share)


def test_a_tempo_that_leaves_nothing_of_a_record_is_refused():
    with pytest.raises(ValueError, match="slowing must lie in 0 to 1, 1 excluded; got 1"):
        augmentation(slowing=1)


def test_a_negative_size_is_refused():
    with pytest.raises(ValueError, match=r"wander_mv must be a number from 0 on; got -1"):
        augmentation(wander_mv=-1)


@pytest.mark.parametrize(
    ("share", "told_apart", "wanted"), [(0.5, 0.9, 0.55), (0.5, 0.55, 0.45), (0.0, 0.5, 0.0), (0.58, 0.9, 0.6)]
)
def test_the_share_follows_how_well_the_critic_knows_its_records(share, told_apart, wanted):
    assert AdaptiveShare(target=0.6, step=0.05, largest=0.6).after(share, told_apart) == pytest.approx(wanted)


@pytest.mark.parametrize("changes", [{"target": 0.4}, {"step": 0}, {"largest": 1}])
def test_an_adaptive_share_that_cannot_adapt_is_refused(changes):
    with pytest.raises(ValueError, match=r"target from 0\.5 to 1, step above 0 and largest between 0 and 1"):
        AdaptiveShare(**{"target": 0.6, "step": 0.05, "largest": 0.6} | changes)
