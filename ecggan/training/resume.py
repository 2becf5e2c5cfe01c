"""Where a training goes on from, and how far it had come."""

from dataclasses import dataclass
from pathlib import Path

from ecggan.checkpoints.generator_file import read_tensors
from ecggan.run_folder import RUN_FILE

AUTO = "auto"


@dataclass(frozen=True)
class TrainingProgress:
    """How far a training had come when its checkpoint was written.

    Attributes:
        epochs: that were over.
        last_row: what was logged of the last of them; empty within an epoch, when it is on disk already.
    """

    epochs: int
    last_row: dict[str, float]

    def is_complete(self, max_epochs: int | None) -> bool:
        """Whether this is all there is to do; None and -1 are without end."""
        return max_epochs is not None and 0 <= max_epochs <= self.epochs and self.epochs > 0


def resolve_resume_checkpoint(resume: str | None, folder: Path, out: str, refuse: bool) -> Path | None:
    """The checkpoint that ``resume=`` stands for; None starts anew.

    With "auto" it is the last one of the run's own folder. A folder in which a run was killed before it had written
    any, at most its first generator, is started anew: there is nothing in it to lose.

    Args:
        resume: None, "auto" or a checkpoint.
        folder: of the run; may hold Hydra's notes already.
        out: what the user called it.
        refuse: look whether the folder holds anything else; for the first process, which the others may come after.

    Raises:
        FileExistsError: it does.
    """
    checkpoints = folder / "checkpoints"
    if resume == AUTO and (checkpoints / "last.ckpt").exists():
        return checkpoints / "last.ckpt"
    holds_files = refuse and bool({path.name for path in folder.iterdir()} - {".hydra"})
    begun = (folder / RUN_FILE).exists() and len(list(checkpoints.glob("*.pt"))) <= 1
    if holds_files and resume == AUTO and not begun:
        raise FileExistsError(
            f"{out} holds files but no checkpoints/last.ckpt to go on from; give the run another out="
        )
    if holds_files and resume != AUTO:
        raise FileExistsError(
            f"{out} holds files already; give the run another out=, also when it resumes one, or go on in it with "
            "resume=auto"
        )
    return None if resume in (None, AUTO) else Path(resume)


def reached(path: Path | None) -> TrainingProgress:
    """How far the training of a checkpoint had come; without one, nowhere."""
    if path is None:
        return TrainingProgress(0, {})
    contents = read_tensors(path)
    epochs = contents["loops"]["fit_loop"]["epoch_progress"]["current"]
    if epochs["processed"] == epochs["completed"]:
        return TrainingProgress(epochs["processed"], {})
    row = {name: (total / count).item() for name, (total, count) in contents["wgan_gp_epoch"].items()}
    place = {"epoch": epochs["processed"] - 1, "step": contents["wgan_gp_steps"]["critic"] - 1}
    return TrainingProgress(epochs["processed"], row | place)
