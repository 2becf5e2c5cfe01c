"""Which records of a source are selected, by their statements (diagnoses, rhythms), age and sex."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ecggan import checks
from ecggan.data.record import RecordReference
from ecggan.data.sets.labels import joined

ALL = "all"  # in the place of labels: any record
OLDEST = 90  # an age that is only known to be above 89 counts as this


@dataclass(frozen=True)
class Statements:
    """The statements that a selected ECG must and may carry.

    Args:
        labels: any of these must be there, as the source writes them.
        min_likelihood: of the label, 0 to 100; a likelihood of 0 means that it is not known.
        companions: what may stand beside the label; None for anything.
    """

    labels: Sequence[str | int]
    min_likelihood: int | float
    companions: Sequence[str | int] | None

    def __post_init__(self) -> None:
        object.__setattr__(self, "labels", _names(self.labels))
        object.__setattr__(self, "companions", None if self.companions is None else _names(self.companions))
        if not self.labels:
            raise ValueError("give at least one label, e.g. data.labels=[NORM]")
        checks.number("min_likelihood", self.min_likelihood, at_least=0, at_most=100)

    def exclusion_reason(self, statements: Mapping[str, int | float]) -> str | None:
        """The criterion that an ECG with these statements fails, or None if it is selected."""
        label = self.label_of(statements)
        if label is None:
            return "without_the_label"
        if statements[label] < self.min_likelihood:
            return "likelihood_too_low"
        if self.companions is not None and not set(statements) <= {*self.labels, *self.companions}:
            return "other_statements_beside"
        return None

    def label_of(self, statements: Mapping[str, int | float]) -> str | None:
        """The most likely of the labels that an ECG carries."""
        carried = [str(label) for label in self.labels if label in statements]
        return max(carried, key=lambda label: statements[label], default=None)


@dataclass(frozen=True)
class Candidate:
    """A record that may be chosen.

    Args:
        reference: its facts gain `labels`, all statements and classes, and the label that it is chosen for with its
            likelihood.
        statements: each with its likelihood, 0 to 100.
        age: in years; NaN where it is not known.
        sex: male, female, or None where it is not known.
        classes: of the statements, coarser labels that nothing is chosen by.
    """

    reference: RecordReference
    statements: Mapping[str, int | float]
    age: int | float
    sex: str | None
    classes: Collection[str] = ()


@dataclass(frozen=True)
class Selection:
    """The criteria of a selection; a record with an unknown age or sex fails a criterion on it.

    Args:
        labels: any of these, whatever stands beside it and however likely; "all" for every record; None for the normal
            ones.
        normal: what a source calls a normal ECG; None where it has no statements.
        age: from and to, in years, both included; None for any.
        sex: male, female, or None for both.
    """

    labels: Sequence[str | int] | None
    normal: Statements | None
    age: Sequence[int | float] | None
    sex: str | None

    def __post_init__(self) -> None:
        object.__setattr__(self, "labels", None if self.labels is None else _names(self.labels))
        object.__setattr__(self, "age", None if self.age is None else tuple(self.age))
        if self.age is not None and not (len(self.age) == 2 and 0 <= self.age[0] <= self.age[1]):
            raise ValueError(f"data.age must be [from,to] in years, such as [18,60]; got {list(self.age)}")
        checks.one_of("data.sex", self.sex, ("male", "female"), or_null=True)

    @property
    def statements(self) -> Statements | None:
        if self.labels == (ALL,):
            return None
        return self.normal if self.labels is None else Statements(self.labels, min_likelihood=0, companions=None)

    def choose(self, candidates: Iterable[Candidate]) -> tuple[list[RecordReference], dict[str, int]]:
        """The selected references, and how many candidates failed each criterion."""
        wanted = self.statements
        steps = ("without_the_label", "likelihood_too_low", "other_statements_beside", "age", "sex", "chosen")
        counts = dict.fromkeys(steps, 0)
        references = []
        for candidate in candidates:
            step = None if wanted is None else wanted.exclusion_reason(candidate.statements)
            step = step or self.exclusion_reason(candidate.age, candidate.sex)
            counts[step or "chosen"] += 1
            if step is None:
                references.append(_labelled(candidate, wanted))
        return references, counts

    def exclusion_reason(self, age: int | float, sex: str | None) -> str | None:
        """The criterion (age or sex) that a person fails, or None."""
        if self.age is not None and not self.age[0] <= age <= self.age[1]:  # NaN lies nowhere
            return "age"
        if self.sex is not None and sex != self.sex:
            return "sex"
        return None


def summary_text(counts: Mapping[str, int]) -> str:
    """How many records failed each criterion.

    >>> summary_text({"candidates": 5, "likelihood_too_low": 2, "chosen": 3, "sex": 0})
    'candidates 5, likelihood too low 2, chosen 3'
    """
    return ", ".join(f"{step.replace('_', ' ')} {count}" for step, count in counts.items() if count or step == "chosen")


def _names(some: Sequence[Any]) -> tuple[str, ...]:
    # a config hands over a list, or one name; SNOMED codes are whole numbers there
    return (some,) if isinstance(some, str) else tuple(map(str, some))


def _labelled(candidate: Candidate, wanted: Statements | None) -> RecordReference:
    facts = dict(candidate.reference.facts)
    if candidate.statements:
        facts["labels"] = joined([*candidate.statements, *candidate.classes])
    label = None if wanted is None else wanted.label_of(candidate.statements)
    if label is not None:
        facts |= {"label": label, "likelihood": candidate.statements[label]}
    return replace(candidate.reference, facts=facts)
