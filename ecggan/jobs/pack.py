"""An ECG set of files, or of any other source."""

from dataclasses import dataclass
from pathlib import Path

from ecggan.data.sets.ecg_set import ECGSet
from ecggan.jobs.base import OnRealECGs, Result


@dataclass(frozen=True, kw_only=True)
class Pack(OnRealECGs):
    """Save what a source holds as an ECG set, which can stand for real, generated or training ECGs."""

    def run(self) -> Result[ECGSet]:
        """Write the set, of all splits.

        Raises:
            FileExistsError: `out` is there already.
            FileNotFoundError: the source is missing.
            ValueError: no record of it is usable.
        """
        from ecggan.files.atomic import require_new_folder

        require_new_folder(self.out)
        ecgs = self.open_real().save(self.out)
        text = f"{len(ecgs):,} {ecgs.kind} ECGs of {len(ecgs.leads)} leads{_splits(ecgs)}\nSaved to {self.out}"
        return Result(ecgs, Path(self.out), text)


def _splits(ecgs: ECGSet) -> str:
    if "split" not in ecgs.records or ecgs.records["split"].nunique() < 2:
        return ""
    counts = ecgs.records["split"].value_counts().items()
    return f", all splits: {', '.join(f'{count:,} {split}' for split, count in counts)}"
