from pathlib import Path

import pandas as pd
import pytest

from ecggan.run_folder import DISTANCE, SCORE, RunFolder, best_row


def run_with(path: Path, epochs: tuple[int, ...], distances: dict[int, float | None] | None = None) -> RunFolder:
    run = RunFolder(path)
    run.checkpoints.mkdir(parents=True)
    for epoch in epochs:
        run.generator_path(epoch).touch()
    if distances is not None:
        pd.DataFrame({"epoch": list(distances), DISTANCE: list(distances.values())}).to_csv(run.curve_path, index=False)
    return run


def test_the_best_epoch_is_the_nearest_of_those_kept(tmp_path):
    run = run_with(tmp_path, (25, 50, 100), {25: 0.3, 50: 0.2, 75: 0.1, 100: None})
    assert run.best_epoch() == 50
    assert run.generator("best") == run.generator() == run.generator_path(50)
    assert run.generator("last") == run.generator_path(100)
    assert run.generator(25) == run.generator_path(25)
    assert list(run.generators()) == run.epochs() == [25, 50, 100]


@pytest.mark.parametrize("distances", [None, {75: 0.1}, {25: None, 100: None}])
def test_without_a_distance_the_last_is_taken(tmp_path, distances, caplog):
    run = run_with(tmp_path, (100, 25), distances)
    with caplog.at_level("INFO"):
        assert run.best_epoch() is None
        assert run.generator() == run.generator_path(100)
    assert "the last is taken" in caplog.text


def test_a_folder_without_generators_is_no_run(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"not the folder of a training run: .*generator_epoch_\*\.pt"):
        RunFolder(tmp_path).generators()
    assert RunFolder(tmp_path).epochs() == []
    assert RunFolder(tmp_path).starts() == []
    assert RunFolder(tmp_path).curve().empty


@pytest.mark.parametrize("epoch", [7, True, "first"])
def test_an_epoch_that_is_not_kept_is_refused_with_those_that_are(tmp_path, epoch):
    with pytest.raises(ValueError, match=rf"epoch must be best, last, .*\(25, 50\); got {epoch}"):
        run_with(tmp_path, (25, 50)).generator(epoch)


@pytest.mark.parametrize("text", ["", "epoch,other\n25,1\n", f"epoch,{DISTANCE}\n25,near\n"])
def test_a_damaged_curve_is_named_with_a_way_round_it(tmp_path, text):
    run = run_with(tmp_path, (25,))
    run.curve_path.write_text(text)
    with pytest.raises(ValueError, match=r"physiology\.csv is damaged .*epoch=last or a number"):
        run.generator("best")
    assert run.generator("last") == run.generator_path(25)


def test_the_best_row_skips_what_could_not_be_measured(tmp_path):
    curve = pd.DataFrame({"epoch": [1, 2, 3], DISTANCE: [float("nan"), 0.4, 0.6], "share_normal": [0.1, 0.2, 0.3]})
    assert best_row(curve) == {"epoch": 2, DISTANCE: 0.4, "share_normal": 0.2}
    assert best_row(curve[:1]) is None


def test_the_best_row_is_chosen_by_score_and_by_distance_where_a_row_has_none():
    curve = pd.DataFrame({"epoch": [1, 2, 3], DISTANCE: [0.3, 0.2, 0.4], SCORE: [0.5, 0.6, float("nan")]})
    assert best_row(curve)["epoch"] == 3
    assert best_row(curve[:2])["epoch"] == 1
