"""The network by which use is measured: what it sees, that it learns, and that it does so alike each time."""

import numpy as np
import pytest
import torch

from ecggan.data.sets.ecg_set import ECGSet
from ecggan.ecg import EIGHT_LEADS
from ecggan.training.classification import NetworkClassifier, network_input


def noise_or_waves(num_records: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Half of the records have a wave of 2 Hz in the second lead; and the labels: with it, without it."""
    rng = np.random.default_rng(seed)
    records = rng.normal(0, 0.2, (num_records, 2, 300)).astype(np.float32)
    has_wave = np.arange(num_records) % 2 == 0
    records[has_wave, 1] += np.sin(2 * np.pi * 2 * np.arange(300) / 100)
    return records, np.column_stack([has_wave, ~has_wave])


def test_a_label_is_learned_and_told_in_other_records():
    records, labels = noise_or_waves(32, seed=0)
    others, of_others = noise_or_waves(20, seed=1)
    (scores,) = NetworkClassifier("cpu", num_steps=30, progress=False)(records, labels, [others], 32, seed=0)
    assert scores.shape == (20, 2)
    assert scores[of_others[:, 0], 0].min() > scores[~of_others[:, 0], 0].max()


def test_the_same_seed_gives_the_same_scores_and_leaves_the_callers_random_numbers_alone():
    records, labels = noise_or_waves(12, seed=0)
    fit = NetworkClassifier("cpu", num_steps=3, progress=False)
    torch.manual_seed(5)
    first, again, other = (fit(records, labels, [records], 12, seed)[0] for seed in (0, 0, 1))
    assert torch.equal(torch.rand(3), torch.rand(3, generator=torch.Generator().manual_seed(5)))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


@pytest.mark.parametrize("sampling_rate", [100, 250, 500])
def test_a_record_is_seen_at_100_hz_about_its_median_whatever_its_rate(sampling_rate):
    time = np.arange(5 * sampling_rate) / sampling_rate
    wave = np.sin(2 * np.pi * 3 * time)
    ecgs = ECGSet.from_arrays(np.stack([[wave + 1.5] * 8] * 2), EIGHT_LEADS, sampling_rate)
    seen = network_input(ecgs, ("V1", "II"))
    assert (seen.shape, seen.dtype) == ((2, 2, 500), np.float32)
    np.testing.assert_allclose(seen[0, 0, 50:450], np.sin(2 * np.pi * 3 * np.arange(50, 450) / 100), atol=0.02)


def test_steps_are_a_whole_number():
    with pytest.raises(ValueError, match="num_steps must be a whole number, at least 1, or null; got 0"):
        NetworkClassifier(num_steps=0)
