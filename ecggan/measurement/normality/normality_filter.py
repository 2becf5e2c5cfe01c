"""A filter of ECGs that go into a set: the measurable ones, or those that the normality screen passes.

The paper kept the 121,977 of its 150,000 ECGs that 12SL called normal.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from joblib import cpu_count

from ecggan import checks
from ecggan.data.sets.ecg_set import ECGSet
from ecggan.measurement.measure_set import RECORDS_PER_TASK, measure
from ecggan.measurement.normality.screen import findings, switched_on


@dataclass(frozen=True)
class NormalityFilter:
    """Keep an ECG if it is "measurable" or, stricter, "normal"; for `keep=` of [generate][ecggan.generate].

    Args:
        what: "measurable" or "normal".
        rules: of the normality screen, which to switch on or off; the others are on.
        num_workers: processes that measure; None for one a core.

    Raises:
        ValueError: `what` is neither, or a rule is unknown.
    """

    what: str
    rules: Mapping[str, bool] | None = None
    num_workers: int | None = None

    def __post_init__(self) -> None:
        checks.one_of("keep", self.what, ("measurable", "normal"))
        switched_on(self.rules)
        checks.whole_number("num_workers", self.num_workers, at_least=1, or_null=True)

    @property
    def description(self) -> dict[str, Any]:
        """The parameters of the choice, for the set's manifest."""
        if self.what == "measurable":
            return {"what": self.what}
        return {"what": self.what, "rules": [rule.name for rule in switched_on(self.rules)]}

    @property
    def records_at_once(self) -> int:
        return RECORDS_PER_TASK * (self.num_workers or cpu_count())

    @property
    def learned_from(self) -> tuple[str, ...]:
        return ()

    def __call__(self, ecgs: ECGSet) -> list[tuple[str, str] | None]:
        """For each record None, or the first rule that it breaks and the detail; `not_measurable` comes first."""
        found = findings(measure(ecgs, num_workers=self.num_workers, progress=False), self.rules)
        if self.what == "measurable":
            found = found[["not_measurable"]]
        broken = ([(rule, detail) for rule, detail in row.items() if detail] for row in found.to_dict("records"))
        return [(str(reasons[0][0]), reasons[0][1]) if reasons else None for reasons in broken]
