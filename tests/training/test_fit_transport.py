"""On the published generator, and on real ECGs stood in for by synthetic ones of another law."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch

from ecggan.checkpoints.open import open_generator
from ecggan.data.sets.ecg_set import ECGSet
from ecggan.data.sets.training_records import training_hashes
from ecggan.ecg import EIGHT_LEADS, ECGFormat
from ecggan.evaluation.checkpoint_comparison import CheckpointComparison
from ecggan.run_folder import RunFolder
from ecggan.training.fit_transport import fit_transport
from ecggan.training.provenance import device_name
from ecggan.training.sweeps.table import sweep_table

pytestmark = pytest.mark.slow

NUM_TRAIN, NUM_VALIDATION = 60, 20


@pytest.fixture(scope="module")
def real(ecg_of_known_intervals):
    records = []
    for i in range(NUM_TRAIN + NUM_VALIDATION):
        rng = np.random.default_rng(i)
        ecg = ecg_of_known_intervals(
            rng.normal(75, 10), rng.normal(140, 10), rng.normal(86, 4), rng.normal(370, 15), seed=i, noise_mv=0.01
        )
        records.append(ecg * rng.lognormal(0.3, 0.2, (8, 1)))
    ecgs = ECGSet.from_arrays(np.stack(records), EIGHT_LEADS, 500)
    ecgs.records["split"] = ["train"] * NUM_TRAIN + ["validation"] * NUM_VALIDATION
    return ecgs


def fit(real, folder, paper_format, **changes):
    folder.mkdir(exist_ok=True)
    arguments = {"init": "published", "weights": "ema", "epoch": "best", "num_generated": 64, "num_compared": 24}
    arguments |= {"compare": CheckpointComparison(num_workers=1), "seed": 1, "num_workers": 1}
    arguments |= {"resume": None, "out": str(folder), "record": {}}
    source = real if callable(real) else lambda: real
    return fit_transport(source, paper_format, folder, **arguments | changes)


def test_a_training_checkpoint_is_refused_as_there_is_nothing_to_resume(real, tmp_path, paper_format):
    with pytest.raises(ValueError, match=r"resume=last\.ckpt: .*init="):
        fit(real, tmp_path, paper_format, resume="last.ckpt")


@pytest.fixture(scope="module")
def run(real, tmp_path_factory, paper_format):
    return fit(real, tmp_path_factory.mktemp("runs") / "run", paper_format)


def test_the_generators_ecgs_come_nearer_to_real_ones_that_nothing_was_fitted_on(run):
    assert run.after < 0.6 * run.before
    assert f"{run.after:.3f}" in str(run)


def test_its_distance_is_that_of_the_epoch_that_is_drawn_from(run):
    curve = run.folder.curve().set_index("epoch")
    assert run.distance == curve["physiological_distance"][run.folder.best_epoch()]
    gain, loss = replace(run, is_gain=True), replace(run, is_gain=False)
    assert (gain.distance, loss.distance) == (run.after, run.before)
    assert "worse" not in str(gain)
    assert "is worse: epoch=best draws without the transport, epoch=1 with it." in str(loss)


def test_the_folder_is_that_of_a_run_with_the_generator_before_and_after(run):
    before, after = (open_generator(run.folder.path, "ema", epoch) for epoch in (0, 1))
    assert before.transport is None
    assert after.transport is not None
    assert before.description["weights_sha256"] == after.description["weights_sha256"]
    assert "transport_sha256" in after.description


def test_the_file_knows_what_it_was_fitted_on_and_what_it_started_from(run, real):
    description = open_generator(run.folder.path, "ema", 1).description
    assert training_hashes(description) == set(real.where_split("train").hashes())
    assert "deepfake-ecg" in description["started_from"]["package"]


def test_the_record_says_how_the_run_ended_where_and_on_what(run, real):
    (start,) = run.folder.starts()
    assert start["end"]["how"] == "complete"
    assert start["devices"] == [device_name(torch.device("cpu"))]
    assert start["data_set"]["num_records_by_split"] == {"train": NUM_TRAIN, "validation": NUM_VALIDATION}
    assert {"resumed_from", "slurm_job", "code"} <= set(start)
    (row,) = sweep_table(run.folder.path.parent).to_dict("records")
    assert (row["state"], row["epochs"]) == ("complete", 1)


def raising(error):
    def source():
        raise error

    return source


@pytest.mark.parametrize(
    ("error", "how"),
    [
        (ValueError("no ECG at all"), "failed: no ECG at all"),
        (KeyboardInterrupt(), "interrupted"),
        (SystemExit("stopped by SIGTERM"), "interrupted"),
    ],
)
def test_the_record_says_what_broke_the_run_off(real, tmp_path, paper_format, error, how):
    with pytest.raises(type(error)):
        fit(raising(error), tmp_path / "run", paper_format)
    (start,) = RunFolder(tmp_path / "run").starts()
    assert (start["end"]["how"], start["end"]["epochs"]) == (how, 0)
    assert sweep_table(tmp_path)["state"].tolist() == [how.split(":")[0]]


def test_a_run_stopped_before_its_last_generator_is_made_anew(run, real, tmp_path, paper_format):
    stopped = RunFolder(tmp_path / "run")
    shutil.copytree(run.folder.path, stopped.path)
    stopped.generator_path(1).unlink()
    with pytest.raises(ValueError, match="no ECG at all"):  # it begins, and does not say that the folder holds files
        fit(raising(ValueError("no ECG at all")), stopped.path, paper_format, resume="auto")
    assert len(stopped.starts()) == 2


def test_a_complete_run_is_left_as_it_is(run, real, paper_format):
    written = run.folder.generator_path(1).stat().st_mtime_ns
    again = fit(real, run.folder.path, paper_format, resume="auto")
    assert (again.before, again.after) == (run.before, run.after)
    assert run.folder.generator_path(1).stat().st_mtime_ns == written


def test_a_folder_that_holds_files_is_not_written_to(run, real, paper_format):
    with pytest.raises(FileExistsError, match="holds files already"):
        fit(real, run.folder.path, paper_format)


def test_a_transport_upon_a_transport_is_refused(run, real, tmp_path, paper_format):
    with pytest.raises(ValueError, match="has a beat transport already"):
        fit(real, tmp_path / "second", paper_format, init=str(run.folder.path), epoch=1)


def test_ecgs_of_another_format_are_refused(real, tmp_path):
    other = ECGFormat(EIGHT_LEADS, 250, 2500, 6.0)
    with pytest.raises(ValueError, match=r"published draws .* change ecg="):
        fit(real, tmp_path / "run", other)
