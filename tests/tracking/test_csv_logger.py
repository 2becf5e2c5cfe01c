from pathlib import Path

from ecggan.tracking.csv_logger import CSVLog


def log(folder: Path, epochs: range, cut: tuple[int, dict[str, float]] | None = None) -> str:
    logger = CSVLog(folder, "logs")
    if cut is not None:
        logger.resume(*cut)
    for epoch in epochs:
        logger.log_metrics({"epoch": float(epoch), "gap": epoch / 7}, step=epoch)
        if epoch == 3:  # first seen later
            logger.log_metrics({"epoch": float(epoch), "generator": 1.0}, step=epoch)
    return (folder / "logs" / "metrics.csv").read_text()  # nothing is closed: each row is on disk at once


def test_a_table_that_is_gone_on_with_is_that_of_one_training(tmp_path):
    whole = log(tmp_path / "whole", range(6))
    assert whole.splitlines()[:2] == ["epoch,gap,generator,step", "0,0.0,,0"]
    for reached in range(7):  # rows 4 and 5 are written again where the checkpoint had not come so far
        folder = tmp_path / str(reached)
        log(folder, range(6))
        assert log(folder, range(reached, 6), (reached, {})) == whole


def test_the_row_of_an_epoch_whose_checkpoint_was_written_before_it_is_not_lost(tmp_path):
    whole = log(tmp_path / "whole", range(3))
    log(tmp_path / "killed", range(1))
    last_row = {"gap": 1 / 7, "epoch": 1, "step": 1}
    assert log(tmp_path / "killed", range(2, 3), (2, last_row)) == whole
    assert log(tmp_path / "whole", range(2, 3), (2, last_row)) == whole  # nor doubled


def test_a_training_that_is_begun_anew_keeps_no_row_of_before(tmp_path):
    log(tmp_path, range(4))
    assert log(tmp_path, range(1)).splitlines() == ["epoch,gap,step", "0,0.0,0"]
