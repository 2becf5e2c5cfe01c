import numpy as np
import pytest
import torch

from ecggan.data.sets.ecg_set import ECGSet
from ecggan.ecg import EIGHT_LEADS
from ecggan.training.augmentation import AdaptiveShare, ECGAugmentation
from ecggan.training.callbacks.critic_scores import CriticScores
from ecggan.training.datamodule import ECGDataModule
from tests.training.quiet import quiet_trainer
from tests.training.test_adversarial_training import ECG, gan


def data_of(splits):
    signals = np.random.default_rng(0).normal(0, 0.2, (len(splits), 8, 2500))
    ecgs = ECGSet.from_arrays(signals, EIGHT_LEADS, 500)
    ecgs = ECGSet(ecgs.records.assign(split=list(splits)), ecgs.manifest, None, ecgs.signals, ecgs.rows)
    return ECGDataModule(lambda: ecgs, ECG, batch_size=2, num_workers=0, seed=0)


SPLITS = ("train",) * 4 + ("validation",) * 3


def fit(network, splits=SPLITS, epochs=2, every_n_epochs=1, **options):
    trainer = quiet_trainer(max_epochs=epochs, callbacks=[CriticScores(every_n_epochs, num_records=8, seed=1)])
    trainer.fit(network, data_of(splits), **options)
    return trainer


def adaptive(critic="multiscale", share=0.0):
    network = gan(critic=critic)
    changes = AdaptiveShare(target=0.5, step=0.1, largest=0.3)
    network.augmentation = ECGAugmentation(500, 6.0, share, 0.2, 0.2, 0.1, 0.2, 0.02, changes)
    network.augmented_share = share
    return network


@pytest.mark.parametrize("critic", ["wavegan", "multiscale"])
def test_scores_of_training_validation_and_generated_ecgs_are_logged(critic):
    network = gan(critic=critic)
    found = {name: float(value) for name, value in fit(network).callback_metrics.items()}
    data = data_of(SPLITS)
    data.setup("fit")
    ecg = ECG.to_network(torch.from_numpy(data.train.microvolts()).float())
    shifts = network.discriminator.draw_shifts(len(ecg), torch.Generator().manual_seed(1))
    with torch.no_grad():
        assert found["score_train"] == pytest.approx(float(network.discriminator(ecg, shifts).mean()), abs=1e-6)
    assert 0 <= found["train_told_apart"] <= 1
    assert 0 <= found["generated_told_apart"] <= 1
    assert {"score_validation", "score_generated"} <= found.keys()
    assert "augmented_share" not in found


def test_looking_at_scores_changes_nothing_that_is_learned():
    seen, unseen = gan(), gan()
    fit(seen)
    quiet_trainer(max_epochs=2).fit(unseen, data_of(SPLITS))
    assert all(torch.equal(a, b) for a, b in zip(seen.state_dict().values(), unseen.state_dict().values(), strict=True))


def test_without_a_validation_split_nothing_is_compared_and_nothing_can_adapt():
    assert "score_train" not in fit(gan(), ("train",) * 4).callback_metrics
    with pytest.raises(ValueError, match="augment=adaptive needs a validation split"):
        fit(adaptive(), ("train",) * 4)


def test_the_share_rises_while_the_critic_knows_its_training_records(monkeypatch):
    for told_apart, wanted in ((1.0, 0.2), (0.0, 0.0)):
        monkeypatch.setattr("ecggan.training.callbacks.critic_scores.telling_apart", lambda a, b, x=told_apart: x)
        network = adaptive(share=0.1)
        trainer = fit(network, epochs=1)
        assert network.augmented_share == pytest.approx(wanted)
        assert float(trainer.callback_metrics["augmented_share"]) == pytest.approx(wanted)


def test_a_resumed_training_adapts_on_bit_identically(tmp_path):
    whole, first, second = (adaptive() for _ in range(3))
    fit(whole, epochs=4)
    fit(first, epochs=2).save_checkpoint(tmp_path / "last.ckpt")
    fit(second, epochs=4, ckpt_path=tmp_path / "last.ckpt", weights_only=True)
    assert second.augmented_share == whole.augmented_share > 0
    for one, other in zip(whole.state_dict().values(), second.state_dict().values(), strict=True):
        assert torch.equal(one, other)
