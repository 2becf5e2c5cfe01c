import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist

from ecggan.ecg import EIGHT_LEADS
from ecggan.training import features
from ecggan.training.augmentation import AdaptiveShare, ECGAugmentation
from ecggan.training.matching import MatchingLoss, energy_distance
from tests.training.test_adversarial_training import fit, gan

RATE, SCALE = 500, 6.0


@pytest.fixture(scope="module")
def hearts(varied_ecgs):
    return torch.tensor(varied_ecgs(8, seed=1)) / SCALE


def matching(**weights):
    return MatchingLoss(EIGHT_LEADS, RATE, SCALE, weights or {"beats": 1.0, "rhythm": 1.0, "spectrum": 1.0})


def test_energy_distance_is_that_of_all_pairs():
    x, y = (torch.randn(n, 3, generator=torch.Generator().manual_seed(n), dtype=torch.float64) for n in (5, 7))
    within = [cdist(z, z)[~np.eye(len(z), dtype=bool)].mean() for z in (x, y)]
    assert energy_distance(x, y).item() == pytest.approx(2 * cdist(x, y).mean() - sum(within))


def test_energy_distance_of_points_that_are_the_same_has_a_slope():
    x = torch.zeros(3, 2, requires_grad=True)
    energy_distance(x, torch.zeros(3, 2)).backward()
    assert (x.grad == 0).all()


def test_r_peaks_are_the_known_ones(ecg_of_known_intervals):
    ecg = torch.tensor(ecg_of_known_intervals(heart_rate_bpm=75.0))[None]
    (places,) = features.r_peaks(ecg, RATE)[0].nonzero(as_tuple=True)
    known = np.arange(0.4, 10, 0.8) * RATE
    known = known[known + 225 < 5000]  # a whole beat has room
    assert len(places) == len(known)
    assert np.abs(places.numpy() - known).max() <= 10  # 20 ms
    assert features.r_peaks(torch.zeros(1, 8, 2500), RATE).any()


def test_the_mean_beat_is_the_mean_of_what_is_around_the_peaks(hearts):
    peaks = features.r_peaks(hearts, RATE)
    found = features.mean_beats(hearts, peaks, RATE)
    for record, beats, mean in zip(hearts.numpy(), peaks.numpy(), found.numpy(), strict=True):
        plain = np.mean([record[:, peak - 150 : peak + 225] for peak in np.flatnonzero(beats)], axis=0)
        assert np.allclose(mean, plain.reshape(8, 75, 5).mean(axis=2))


def test_rhythm_is_the_envelopes_autocorrelation(hearts):
    record = hearts[0].numpy()
    slope = (np.diff(record, axis=1) ** 2).sum(axis=0)[:4980].reshape(249, 20).mean(axis=1)
    envelope = np.sqrt(slope + 1e-12) - np.sqrt(slope + 1e-12).mean()
    plain = [(envelope[lag:] * envelope[: len(envelope) - lag]).sum() for lag in range(61)]
    assert np.allclose(features.rhythm(hearts[:1], RATE)[0].numpy(), np.array(plain)[5:60] / plain[0])


def test_rhythm_shows_the_heart_rate(ecg_of_known_intervals):
    for rate in (60.0, 90.0):
        seen = features.rhythm(torch.tensor(ecg_of_known_intervals(heart_rate_bpm=rate))[None], RATE)[0]
        assert abs(float(seen.argmax() + 5) / 25 - 60 / rate) <= 0.04


def test_spectrum_has_the_power_of_a_sine_in_its_band():
    sine = 0.2 * torch.sin(2 * torch.pi * 10 * torch.arange(5000) / RATE).expand(1, 1, -1)
    power = features.spectrum(sine, RATE)[0, 0].exp()
    assert power.max() == pytest.approx(0.2**2 / 2 / 2, rel=0.02)  # one-sided
    assert power.sort().values[-3] < 0.01 * power.max()


def test_limb_leads_are_those_that_follow_from_two(hearts):
    seen = features.features(hearts, RATE, SCALE, (0, 1))["beats"].unflatten(1, (12, 75))
    assert torch.allclose(seen[:, 8], seen[:, 1] - seen[:, 0])
    assert torch.allclose(seen[:, 11], seen[:, 1] - seen[:, 0] / 2)
    assert features.features(hearts[:, 2:], RATE, SCALE, None)["beats"].shape[1] == 6 * 75


def test_distances_are_about_none_between_halves_and_grow_with_what_is_wrong(varied_ecgs):
    real, other = (torch.tensor(varied_ecgs(24, seed=seed)) / SCALE for seed in (1, 2))
    fair, loud = matching().distances(real, other), matching().distances(real, 1.5 * other)
    assert all(abs(value) < 0.1 for value in fair.values())
    assert loud["beats"] > fair["beats"] + 0.1
    assert loud["spectrum"] > fair["spectrum"] + 0.1
    assert loud["rhythm"] == pytest.approx(float(fair["rhythm"]), abs=1e-4)  # a gain is no rhythm


def test_steps_along_the_slope_bring_ecgs_nearer(hearts, varied_ecgs):
    other = torch.tensor(1.5 * varied_ecgs(8, seed=2)) / SCALE
    losses = []
    for _ in range(5):
        other.requires_grad_()
        loss = matching(beats=1.0).generator_losses(hearts, other)["generator_loss"]
        (slope,) = torch.autograd.grad(loss, other)
        other = (other - 0.1 * slope / slope.norm()).detach()
        losses.append(loss.item())
    assert losses[-1] < losses[0]


def test_a_training_without_a_critic_moves_the_generator_alone():
    network = gan()
    network.loss = MatchingLoss(EIGHT_LEADS, RATE, SCALE, {"beats": 1.0, "spectrum": 0.5})
    critic = [p.clone() for p in network.discriminator.parameters()]
    before = [p.clone() for p in network.generator.parameters()]
    batch = torch.randn(4, 8, 2500, generator=torch.Generator().manual_seed(0)) / 20
    found = fit(network, [batch] * 2).callback_metrics
    assert all(torch.equal(a, b) for a, b in zip(critic, network.discriminator.parameters(), strict=True))
    assert any(not torch.equal(a, b) for a, b in zip(before, network.generator.parameters(), strict=True))
    assert (network.critic_steps, network.generator_steps) == (2, 2)
    parts = {name: float(found[f"distance_of_{name}"]) for name in ("beats", "rhythm", "spectrum")}
    assert float(found["generator_loss"]) == pytest.approx(parts["beats"] + 0.5 * parts["spectrum"], rel=1e-4)


@pytest.mark.parametrize(
    ("weights", "told"),
    [({"waves": 1.0}, "beats, rhythm, spectrum; got a weight of 'waves'"), ({"beats": 0.0}, "a weight above 0")],
)
def test_weights_that_match_nothing_are_refused(weights, told):
    with pytest.raises(ValueError, match=told):
        MatchingLoss(EIGHT_LEADS, RATE, SCALE, weights)


def test_an_augmentation_cannot_follow_a_critic_that_is_idle():
    augmentation = ECGAugmentation(RATE, SCALE, 0.0, 0.2, 0.2, 0.1, 0.2, 0.02, AdaptiveShare(0.6, 0.05, 0.6))
    network = gan()
    with pytest.raises(ValueError, match="augment=adaptive follows the critic"):
        type(network)(
            network.generator,
            network.discriminator,
            network.ecg,
            *(1, 10.0, 1e-3, (0.0, 0.99), 0.5, 3),
            loss=matching(),
            augmentation=augmentation,
        )
