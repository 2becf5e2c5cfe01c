"""Whether generated ECGs are of use for training classifiers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ecggan import checks
from ecggan.data.sets.ecg_set import ECGSet
from ecggan.jobs.base import OnRealECGs, Result, first_records, open_set, pairs_as_mapping
from ecggan.jobs.report import Sets, first_of_each, named_sets, open_sets

if TYPE_CHECKING:
    from ecggan.evaluation.utility.labelled_sets import LabelledSet
    from ecggan.evaluation.utility.study import Classifier, Utility

GENERATED = "generated"
MODELS = ("network", "linear")


@dataclass(frozen=True, kw_only=True)
class UtilityStudy(OnRealECGs):
    """Train classifiers on real, on generated and on both ECGs, and test them on real ECGs of other patients.

    Args:
        out: a new folder for the result.
        generated: labelled ECG sets, or their folders, as for [Report][ecggan.jobs.report.Report]; or one set a label:
            a mapping, label -> set.
        training: real ECGs to learn from: an ECG set or its folder; None for the split `train` of the real ECGs.
        labels: to learn; None for PTB-XL's superclasses, or for the keys of `generated` where they are labels.
        models: any of network and linear.
        num_records: of each training; None for as many as the smallest set has.
        num_seeds: how often each training is repeated.
        num_steps: of the network's training; None for 12 epochs.
        device: of the network's training.
        allow_overlap: accept test ECGs that a generator learned from.
        max_records: of each set; None for all.
        seed: of the first repetition, and of the bootstrap.
    """

    generated: Sets = None
    training: str | Path | ECGSet | None = None
    labels: Sequence[str] | None = None
    models: Sequence[str] = MODELS
    num_records: int | None = None
    num_seeds: int = 3
    num_steps: int | None = None
    device: str = "auto"
    allow_overlap: bool = False
    max_records: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.given("generated", self.generated, "generated=ECG_SET with labels, or generated={NORM:A,MI:B}")
        checks.several_of("models", self.models, MODELS)
        if not self.models:
            raise ValueError("models must name at least one of network and linear; got []")
        is_list = isinstance(self.labels, Sequence) and not isinstance(self.labels, str)
        if self.labels is not None and not (is_list and len(set(map(str, self.labels))) == len(self.labels) > 0):
            raise ValueError(f"labels must be a list of distinct labels, such as [NORM,MI], or null; got {self.labels}")
        for name, number in (("num_records", self.num_records), ("max_records", self.max_records)):
            checks.whole_number(name, number, at_least=10, or_null=True)
        checks.whole_number("num_steps", self.num_steps, at_least=1, or_null=True)
        checks.whole_number("num_seeds", self.num_seeds, at_least=1)
        checks.whole_number("seed", self.seed, at_least=0)
        checks.flag("allow_overlap", self.allow_overlap)
        named_sets(self.generated)

    def run(self) -> "Result[Utility]":
        """Write the tables.

        Raises:
            FileExistsError: `out` is there already.
            FileNotFoundError: a set is missing.
            ValueError: a set has no labels or too few records of one; a patient or a record is on both sides.
        """
        from ecggan.evaluation.assessment import check_names
        from ecggan.evaluation.utility import labelled_sets
        from ecggan.evaluation.utility.study import assess_utility
        from ecggan.evaluation.utility.utility_result import fingerprints_of
        from ecggan.evaluation.utility.write_utility import summary_text, write_utility
        from ecggan.files.atomic import require_new_folder

        require_new_folder(self.out)
        named = named_sets(self.generated)
        check_names([name for name, _ in named])
        everything = self.open_real()
        test = self.of_split(everything, self.max_records)
        training = first_records(self._training(everything), self.max_records)
        whole = open_sets(named, self.files)
        sets = first_of_each(whole, self.max_records)
        labelled_sets.check_apart(training, test, sets, self.allow_overlap)
        leads = labelled_sets.common_leads({"the real ECGs": test, "the training ECGs": training, **sets})
        labels, generated = self._labelled(test, training, sets)
        found = assess_utility(
            labelled_sets.labelled("the training ECGs", training, labels),
            labelled_sets.labelled("the test ECGs", test, labels),
            generated,
            labels,
            self._classifiers(),
            leads,
            num_records=self.num_records,
            num_seeds=self.num_seeds,
            seed=self.seed,
            num_workers=self.num_workers,
        )
        known = {name: fingerprints_of(ecgs) for name, ecgs in whole.items()}
        of_sets = {name: [with_labels] for name, (_, with_labels) in known.items()}
        if generated.keys() != whole.keys():  # a set a label: those in their tables do not count
            of_sets = {GENERATED: [content for content, _ in known.values()]}
        page = write_utility(self.out, found, of_sets)
        return Result(found, page, f"{summary_text(found)}\nSaved to {page}")

    def _training(self, real: ECGSet) -> ECGSet:
        if self.training is not None:
            return open_set("training", self.training, self.files)
        if "split" not in real.records or not (real.records["split"] == "train").any():
            raise ValueError(
                "the real ECGs have no split `train` to learn from; give training=ECG_SET, of other patients than the "
                "real ECGs, which are tested on"
            )
        if self.data is None:
            raise ValueError(
                "an ECG set with splits would be learned from and tested on; give it as data=ecg_set data.root=SET "
                "data.split=test, or give training=ECG_SET"
            )
        return real.where_split("train")

    def _labelled(
        self, test: ECGSet, training: ECGSet, sets: Mapping[str, ECGSet]
    ) -> "tuple[tuple[str, ...], dict[str, LabelledSet]]":
        """The labels to learn, and each generated set with them."""
        from ecggan.data.sets.labels import known_labels
        from ecggan.evaluation.utility.labelled_sets import labelled, labelled_by_set, labels_to_learn

        wanted = None if self.labels is None else tuple(map(str, self.labels))
        known = known_labels(test.records) | known_labels(training.records) if wanted is None else wanted
        named = [name for name in sets if name in known]
        if isinstance(pairs_as_mapping(self.generated), Mapping) and named:
            if len(named) < len(sets):
                others = ", ".join(name for name in sets if name not in named)
                raise ValueError(
                    f"generated has sets for the labels {', '.join(named)} and others, {others}; give a set a label, "
                    "or sets whose records carry labels, by names that are none"
                )
            labels = wanted or tuple(sets)
            return labels, {GENERATED: labelled_by_set(GENERATED, sets, labels)}
        labels = labels_to_learn(wanted, test)
        return labels, {name: labelled(name, ecgs, labels) for name, ecgs in sets.items()}

    def _classifiers(self) -> "list[Classifier]":
        from ecggan.evaluation.utility.linear_model import linear_classifier
        from ecggan.evaluation.utility.study import Classifier
        from ecggan.training.classification import NetworkClassifier, network_input

        found = {
            "network": Classifier("network", network_input, NetworkClassifier(self.device, self.num_steps)),
            "linear": linear_classifier(self.num_workers, self.cache),
        }
        return [found[name] for name in MODELS if name in self.models]
