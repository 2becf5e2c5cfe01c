"""From which checkpoint a training resumes, and how far it had come."""

from dataclasses import dataclass
from pathlib import Path

from ecggan.checkpoints.generator_file import read_tensors
from ecggan.run_folder import RunFolder

AUTO = "auto"


@dataclass(frozen=True)
class TrainingProgress:
    """How far a training had come when its checkpoint was written.

    Attributes:
        epochs: completed.
        last_row: what was logged of the last of them; empty within an epoch, when it is on disk already.
    """

    epochs: int
    last_row: dict[str, float]

    def is_complete(self, max_epochs: int | None) -> bool:
        """Whether no epoch is left; None and -1 are without end."""
        return max_epochs is not None and 0 <= max_epochs <= self.epochs and self.epochs > 0


def resolve_resume_checkpoint(resume: str | None, run: RunFolder, out: str, check_folder: bool) -> Path | None:
    """The checkpoint that ``resume=`` stands for; None starts anew.

    "auto" is the run's own last checkpoint. A folder in which a run was killed before it had written one, at most its
    first generator, is started anew: there is nothing in it to lose.

    Args:
        resume: None, "auto" or a checkpoint.
        run: its folder; may hold Hydra's notes already.
        out: what the user called it.
        check_folder: check that the folder holds nothing else; for the first process, whose files the others may find.

    Raises:
        FileExistsError: the folder holds other files.
    """
    if resume == AUTO and run.last_checkpoint.exists():
        return run.last_checkpoint
    holds_files = check_folder and bool({path.name for path in run.path.iterdir()} - {".hydra"})
    is_begun = run.record_path.exists() and len(run.epochs()) <= 1
    if holds_files and resume == AUTO and not is_begun:
        raise FileExistsError(
            f"{out} holds files but no checkpoints/last.ckpt to resume from; give the run another out="
        )
    if holds_files and resume != AUTO:
        raise FileExistsError(
            f"{out} holds files already; give the run another out=, also when it resumes another run, or resume the "
            "run in it with resume=auto"
        )
    return None if resume in (None, AUTO) else Path(resume)


def training_progress(checkpoint: Path | None) -> TrainingProgress:
    """How far the training of a checkpoint had come; without one, nowhere."""
    if checkpoint is None:
        return TrainingProgress(0, {})
    contents = read_tensors(checkpoint)
    epochs = contents["loops"]["fit_loop"]["epoch_progress"]["current"]
    if epochs["processed"] == epochs["completed"]:
        return TrainingProgress(epochs["processed"], {})
    row = {name: (total / count).item() for name, (total, count) in contents["wgan_gp_epoch"].items()}
    place = {"epoch": epochs["processed"] - 1, "step": contents["wgan_gp_steps"]["critic"] - 1}
    return TrainingProgress(epochs["processed"], row | place)
