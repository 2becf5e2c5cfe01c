from tests.training.callbacks.small_training import train


def test_the_bar_shows_steps_epoch_and_losses(tmp_path, capfd):
    train(tmp_path, epochs=2)
    shown = capfd.readouterr().err
    assert "6/6" in shown
    assert all(word in shown for word in ("epoch=2/2", "gap=", "penalty=", "generator="))
