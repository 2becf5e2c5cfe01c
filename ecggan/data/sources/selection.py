"""Which records of a source are wanted, by their statements (diagnoses, rhythms), age and sex."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ecggan.data.record import RecordReference

OLDEST = 90  # an age that is only known to be above 89 counts as this


@dataclass(frozen=True)
class Statements:
    """What an ECG must and may say to be chosen.

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
        if not 0 <= self.min_likelihood <= 100:
            raise ValueError(f"min_likelihood must lie in 0 to 100; got {self.min_likelihood!r}")

    def misses(self, said: Mapping[str, int | float]) -> str | None:
        """The step at which an ECG that says this falls, or None where it is wanted."""
        label = self.label_of(said)
        if label is None:
            return "without_the_label"
        if said[label] < self.min_likelihood:
            return "likelihood_too_low"
        if self.companions is not None and not set(said) <= {*self.labels, *self.companions}:
            return "other_statements_beside"
        return None

    def label_of(self, said: Mapping[str, int | float]) -> str | None:
        """The most likely of the labels that an ECG carries."""
        carried = [str(label) for label in self.labels if label in said]
        return max(carried, key=lambda label: said[label], default=None)


@dataclass(frozen=True)
class Candidate:
    """A record that may be chosen.

    Args:
        reference: its facts gain the label and its likelihood where it is chosen.
        statements: each with its likelihood, 0 to 100.
        age: in years; NaN where it is not known.
        sex: male, female, or None where it is not known.
    """

    reference: RecordReference
    statements: Mapping[str, int | float]
    age: int | float
    sex: str | None


@dataclass(frozen=True)
class Selection:
    """The records that are wanted; who is not known to fit is left out.

    Args:
        labels: any of these, whatever stands beside it and however likely; None for the normal ones.
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
        if self.sex not in (None, "male", "female"):
            raise ValueError(f"data.sex must be male, female or null; got {self.sex!r}")

    @property
    def statements(self) -> Statements | None:
        return self.normal if self.labels is None else Statements(self.labels, min_likelihood=0, companions=None)

    def choose(self, candidates: Iterable[Candidate]) -> tuple[list[RecordReference], dict[str, int]]:
        """The references wanted, and how many candidates fell at which step."""
        wanted = self.statements
        steps = ("without_the_label", "likelihood_too_low", "other_statements_beside", "age", "sex", "chosen")
        counts = dict.fromkeys(steps, 0)
        references = []
        for candidate in candidates:
            step = None if wanted is None else wanted.misses(candidate.statements)
            step = step or self.misses(candidate.age, candidate.sex)
            counts[step or "chosen"] += 1
            if step is None:
                references.append(_labelled(candidate, wanted))
        return references, counts

    def misses(self, age: int | float, sex: str | None) -> str | None:
        """The step (age or sex) at which somebody falls, or None."""
        if self.age is not None and not self.age[0] <= age <= self.age[1]:  # NaN lies nowhere
            return "age"
        if self.sex is not None and sex != self.sex:
            return "sex"
        return None


def in_words(counts: Mapping[str, int]) -> str:
    """How many fell at which step.

    >>> in_words({"candidates": 5, "likelihood_too_low": 2, "chosen": 3, "sex": 0})
    'candidates 5, likelihood too low 2, chosen 3'
    """
    return ", ".join(f"{step.replace('_', ' ')} {count}" for step, count in counts.items() if count or step == "chosen")


def _names(some: Sequence[Any]) -> tuple[str, ...]:
    # a config hands over a list, or one name; SNOMED codes are whole numbers there
    return (some,) if isinstance(some, str) else tuple(map(str, some))


def _labelled(candidate: Candidate, wanted: Statements | None) -> RecordReference:
    label = None if wanted is None else wanted.label_of(candidate.statements)
    if label is None:
        return candidate.reference
    facts = {**candidate.reference.facts, "label": label, "likelihood": candidate.statements[label]}
    return replace(candidate.reference, facts=facts)
