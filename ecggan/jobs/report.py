"""Real against generated ECGs, as a report."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecggan import checks
from ecggan.data.record import printable
from ecggan.data.sets.ecg_set import ECGSet
from ecggan.jobs.base import OnMeasuredECGs, Result, open_set, pairs_as_mapping

if TYPE_CHECKING:
    from ecggan.evaluation.assessment import Assessment

Sets = str | Path | ECGSet | Sequence[str | Path] | Mapping[Any, str | Path | ECGSet] | None


@dataclass(frozen=True, kw_only=True)
class Report(OnMeasuredECGs):
    """Measure real and generated ECGs alike and report how they compare.

    Args:
        out: a new folder for the report.
        generated: an ECG set or its folder, or a folder of files; or several: a list of folders, whose names the report
            takes, or a mapping, name -> set.
        baseline: a set beside these: its ``name``, and its ``source``, which makes the ECG set when called.
        training: what the generators learned from: an ECG set or its folder; None for the split `train` of the real
            ECGs, if there is one; False where it is not known.
        allow_overlap: accept real ECGs that a generator learned from.
        normality: rules of the normality screen, on or off; those that are not named are on.
        margins: how large a mean difference may be, by measurement, in its unit; see
            [compare][ecggan.evaluation.comparison.comparison.compare].
        max_records: of each set; None for all.
        seed: of the bootstrap and the random halves.
        utility: the folder of a [UtilityStudy][ecggan.jobs.utility.UtilityStudy] of these generated ECGs, or several,
            whose answers the report gives.
        picture_formats: pdf, svg, both or none: files of the pictures beside the PNG that the page shows.
    """

    generated: Sets = None
    baseline: Mapping[str, Any] | None = None
    training: str | Path | ECGSet | bool | None = None
    allow_overlap: bool = False
    normality: Mapping[str, bool] | None = None
    margins: Mapping[str, int | float] | None = None
    max_records: int | None = None
    seed: int = 0
    utility: str | Path | Sequence[str | Path] | None = None
    picture_formats: Sequence[str] = ("pdf", "svg")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.generated is None and self.baseline is None:
            raise ValueError(
                "generated ECGs must be given: generated=ECG_SET, as generate.py writes it (or several, "
                "generated=[A,B], generated={name:A}), or baseline=deepfake for the paper's generator"
            )
        if not (self.training is None or self.training is False or isinstance(self.training, str | Path | ECGSet)):
            raise ValueError(
                "training must be an ECG set, null (the split `train` of the real ECGs) or false (not known); got "
                f"{self.training} (of a folder named true: ./true)"
            )
        checks.flag("allow_overlap", self.allow_overlap)
        checks.whole_number("max_records", self.max_records, at_least=1, or_null=True)
        checks.whole_number("seed", self.seed, at_least=0)
        checks.several_of("picture_formats", self.picture_formats, ("pdf", "svg"))
        named_sets(self.generated)
        self._utility_folders()

    def run(self) -> "Result[Assessment]":
        """Write the report.

        Raises:
            FileExistsError: `out` is there already.
            FileNotFoundError: a set is missing.
            ValueError: real ECGs are among those that a generator learned from; two sets have one name; a study of use
                is about other sets.
        """
        from ecggan.evaluation.assessment import assess, check_names
        from ecggan.evaluation.comparison.margins import check_margins
        from ecggan.evaluation.memorization.training_overlap import check_no_overlap
        from ecggan.evaluation.report.report import write_report
        from ecggan.evaluation.report.tables import measurement_table
        from ecggan.evaluation.utility.utility_result import utility_verdicts
        from ecggan.files.atomic import require_new_folder

        require_new_folder(self.out)
        check_margins({} if self.margins is None else self.margins)
        named = named_sets(self.generated)
        check_names([name for name, _ in named] + ([] if self.baseline is None else [self.baseline["name"]]))
        whole = open_sets(named, self.files, self.baseline)
        of_use = utility_verdicts(self._utility_folders(), whole)
        generated = first_of_each(whole, self.max_records)
        everything = self.open_real()
        training = self._training_set(everything)
        real = self.of_split(everything, self.max_records)
        if not self.allow_overlap:
            is_told = isinstance(self.training, str | Path | ECGSet)
            check_no_overlap(real, generated, training if is_told else None)
        assessment = assess(
            real,
            generated,
            rules=self.normality,
            margins=self.margins,
            num_workers=self.num_workers,
            cache=self.cache,
            seed=self.seed,
            training=training,
            delineation=self.delineation,
        )
        evaluations = {n: replace(each, utility=of_use.get(n)) for n, each in assessment.evaluations.items()}
        assessment = replace(assessment, evaluations=evaluations)
        page = write_report(self.out, assessment, self._settings(training), self.picture_formats)
        lines = [measurement_table(assessment).frame().to_string(index=False)]
        for name, evaluation in assessment.evaluations.items():
            for question, verdict in evaluation.verdicts().items():
                lines += [f"\n{name}. {question} {verdict.headline}", *verdict.sentences]
        return Result(assessment, page, "\n".join([*lines, f"Saved to {page}"]))

    def _utility_folders(self) -> list[str | Path]:
        given = [self.utility] if isinstance(self.utility, str | Path) else self.utility
        if given is None:
            return []
        if not isinstance(given, Sequence) or not all(isinstance(each, str | Path) for each in given):
            raise ValueError(f"utility must be the folder of a job=utility, or a list of them; got {self.utility}")
        return list(given)

    def _training_set(self, real: ECGSet) -> ECGSet | None:
        if isinstance(self.training, str | Path | ECGSet):
            return open_set("training", self.training, self.files)
        has_split = "split" in real.records and (real.records["split"] == "train").any()
        return real.where_split("train") if has_split and self.training is None else None

    def _settings(self, training: ECGSet | None) -> dict[str, Any]:
        return {
            "max_records": self.max_records,
            "seed": self.seed,
            "margins": self.margins,
            "split": self.split,
            "utility": [Path(folder).name for folder in self._utility_folders()],
            "training": None if training is None else f"{len(training):,} records",
            "delineation": self.delineation,
            "rules_off": [rule for rule, is_on in (self.normality or {}).items() if not is_on],
        }


def named_sets(generated: Sets) -> list[tuple[str, str | Path | ECGSet]]:
    """Each set with what the report calls it: one is `generated`, several go by their folders' names.

    Raises:
        ValueError: something is no folder and no set.
    """
    if generated is None:
        return []
    if isinstance(generated, str | Path | ECGSet):
        return [("generated", generated)]
    generated = pairs_as_mapping(generated)
    if isinstance(generated, Mapping) and all(isinstance(some, str | Path | ECGSet) for some in generated.values()):
        return [(printable(str(name)), some) for name, some in generated.items()]
    if isinstance(generated, Sequence) and all(isinstance(path, str | Path) for path in generated):
        return [(printable(Path(path).resolve().name), path) for path in generated]
    raise ValueError(f"generated must be a folder, [A,B] or {{ours:A,theirs:B}}; got {generated}")


def open_sets(
    named: Sequence[tuple[str, str | Path | ECGSet]],
    files: Mapping[str, Any] | None,
    baseline: Mapping[str, Any] | None = None,
) -> dict[str, ECGSet]:
    """The generated sets by name, the baseline last, each whole."""
    opened = {name: open_set("generated", ecgs, files, "generated") for name, ecgs in named}
    if baseline is not None:
        opened[baseline["name"]] = baseline["source"]()
    return opened


def first_of_each(sets: Mapping[str, ECGSet], max_records: int | None) -> dict[str, ECGSet]:
    """The first records of each set; all for None."""
    return {name: ecgs.subset(slice(max_records)) for name, ecgs in sets.items()}
