from tests.training.callbacks.small_training import names, train


def test_pictures_are_kept_of_the_first_epoch_every_so_often_and_at_the_end(tmp_path):
    train(tmp_path, epochs=5)
    assert names(tmp_path / "pictures") == [f"epoch_000{epoch}.png" for epoch in (1, 2, 4, 5)]
