"""What real ECGs a source holds, and which it left out."""

from dataclasses import dataclass

from ecggan.data.sets.ecg_set import ECGSet
from ecggan.jobs.base import OnRealECGs, Result


@dataclass(frozen=True, kw_only=True)
class DataReport(OnRealECGs):
    """Report who is in which split of real ECGs, what was left out and why, and whether an ECG is in two splits."""

    def run(self) -> Result[ECGSet]:
        """Write the report on all splits; no success if a step of it failed.

        Raises:
            FileExistsError: `out` is there already.
            FileNotFoundError: the real set is missing.
        """
        from ecggan.evaluation.report.data_report import summary_text, write_data_report
        from ecggan.files.atomic import require_new_folder

        require_new_folder(self.out)
        real = self.open_real()
        written = write_data_report(self.out, real, self.num_workers)
        text = f"{summary_text(real, written)}\nSaved to {written.page}"
        return Result(real, written.page, text, is_success=not written.failures)
