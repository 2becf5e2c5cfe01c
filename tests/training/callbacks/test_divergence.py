import pytest

from ecggan.training.callbacks.divergence import DivergedError
from tests.training.callbacks.small_training import names, train


def test_a_training_that_diverges_stops_and_keeps_nothing_of_it(tmp_path):
    with pytest.raises(DivergedError, match=r"infinite or NaN in epoch 1: .*lower model\.gan\.learning_rate") as raised:
        train(tmp_path, epochs=2, learning_rate=1e30)
    assert str(tmp_path / "checkpoints") in str(raised.value)
    assert not names(tmp_path / "checkpoints")
