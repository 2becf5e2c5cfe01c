"""The checkpoints of a training run, compared with real ECGs epoch by epoch."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ecggan import checks
from ecggan.data.sets.ecg_set import ECGSet
from ecggan.jobs.base import OnMeasuredECGs, Result

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, kw_only=True)
class Checkpoints(OnMeasuredECGs):
    """Draw from each generator that a run has kept, and compare what it draws with real ECGs.

    Args:
        out: a new folder for the curve.
        run_folder: of the training run.
        num_records: drawn from each generator.
        allow_overlap: accept real ECGs that the run learned from.
        max_records: of the real ECGs; None for all.
        seed: of what is drawn.
    """

    run_folder: str | Path | None = None
    num_records: int = 256
    allow_overlap: bool = False
    max_records: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.given("run", self.run_folder, "run=RUN, the folder of a training run")
        checks.flag("allow_overlap", self.allow_overlap)
        checks.whole_number("num_records", self.num_records, at_least=1)
        checks.whole_number("max_records", self.max_records, at_least=1, or_null=True)
        checks.whole_number("seed", self.seed, at_least=0)

    def run(self) -> "Result[pd.DataFrame]":
        """Write the curve: a row an epoch.

        Raises:
            FileExistsError: `out` is there already.
            FileNotFoundError: the run or the real set is missing.
            ValueError: real ECGs are among those that the run learned from.
        """
        from tqdm import tqdm

        from ecggan.evaluation.memorization.training_overlap import check_no_overlap
        from ecggan.evaluation.report.checkpoint_curve import write_curve
        from ecggan.files.atomic import require_new_folder
        from ecggan.generation.generate import generate
        from ecggan.run_folder import RunFolder, best_row

        require_new_folder(self.out)
        real = self.of_split(self.open_real(), self.max_records)
        run = RunFolder(str(self.run_folder))
        found = tqdm(run.generators().items(), desc="checkpoints", unit="epoch")

        def draw(path: Path) -> ECGSet:
            ecgs = generate(path, self.num_records, self.seed, progress=False)
            if not self.allow_overlap:
                check_no_overlap(real, {"this run": ecgs})
            return ecgs

        drawn = ((epoch, draw(path)) for epoch, path in found)
        curve = write_curve(self.out, real, drawn, self.num_workers, self.cache, self.delineation)
        shown = curve[["epoch", "share_measurable", "share_normal", "physiological_distance"]]
        best = int(shown["epoch"].iloc[shown["physiological_distance"].argmin()])
        lines = [
            shown.to_string(index=False, float_format="%.3f"),
            f"Nearest to these real ECGs: epoch {best}",
            f"Saved to {self.out}",
        ]
        if in_training := best_row(run.curve()):
            lines.insert(2, f"generate.py draws from epoch {in_training['epoch']}, of the smallest score in training")
        return Result(curve, Path(self.out), "\n".join(lines))
