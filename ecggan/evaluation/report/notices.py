"""Notices above the verdicts: copies, different leads, rates and lengths, contradicting leads, failed steps."""

from collections.abc import Mapping

from ecggan.data.sets.cautions import cautions
from ecggan.ecg import DERIVED_LEADS, independent_leads
from ecggan.evaluation.assessed_set import AssessedSet
from ecggan.evaluation.assessment import Assessment
from ecggan.measurement.columns import einthoven_column
from ecggan.measurement.delineation_choice import MEDIAN_BEAT

_CONTRADICTION_UV = 10  # rounding makes 1 or 2


def notices(assessment: Assessment, failures: Mapping[str, str]) -> list[str]:
    """A sentence for each limit of the figures.

    Args:
        assessment: of the sets.
        failures: the steps that failed, each with its error.
    """
    real, found = assessment.real, []
    if real.ecgs.kind == "generated":
        found.append("The reference set itself was drawn from a generator, so this is no comparison with patients.")
    if assessment.delineation != MEDIAN_BEAT:
        found.append(
            f"Waves were delineated by {assessment.delineation}, for comparison with figures that rest on it: compare "
            "this report with none of another delineation. The limits of the screen, its score and the gate of "
            "measurable records were chosen on the median beat, and the shares of normal and measurable records are "
            "off."
        )
    found += _doubts(assessment)
    for some in assessment.generated.values():
        found += _notices_of(some, real)
    for some in assessment.sets():
        if some.num_repeated():
            found.append(
                f"{some.name}: {some.num_repeated():,} of {len(some.ecgs):,} records are copies of another of the set, "
                "and count as independent ones: the figures are less certain than they look."
            )
        contradicting = _median_contradictions(some)
        if contradicting:
            words = ", ".join(f"{lead} by {size:.0f} µV" for lead, size in contradicting.items())
            found.append(
                f"{some.name}: the stored leads contradict I and II (median of the largest differences: {words}). They "
                "are derived anew for measuring."
            )
    return found + [
        f"This step failed and its result is missing below: {step} ({error})." for step, error in failures.items()
    ]


def _doubts(assessment: Assessment) -> list[str]:
    """What is doubtful about the origin of the sets, that of the training ECGs too."""
    sets = [*((some.name, some.ecgs) for some in assessment.sets())]
    if assessment.training is not None and assessment.training.path != assessment.real.ecgs.path:
        sets.append(("the training ECGs", assessment.training))
    return [
        f"{caution}." if caution.startswith(f"{name}:") else f"{name}: {caution}."
        for name, ecgs in sets
        for caution in cautions(ecgs)
    ]


def _notices_of(some: AssessedSet, real: AssessedSet) -> list[str]:
    name, found = some.name, []
    copies = some.num_copies_of(real)
    if copies == len(some.ecgs) > 0:
        found.append(f"{name} holds only ECGs of the real set, so the sets are alike.")
    elif copies:
        found.append(f"{name}: {copies:,} of {len(some.ecgs):,} records are copies of records of the real set.")
    if some.ecgs.kind == "real" and copies < len(some.ecgs):
        found.append(f"{name} holds real ECGs, so this report is not about a generator.")
    if some.ecgs.sampling_rate != real.ecgs.sampling_rate:
        rates = f"{some.ecgs.sampling_rate} Hz, the real set {real.ecgs.sampling_rate} Hz"
        found.append(f"{name} is sampled at {rates}: boundaries and spectra are not comparable in detail.")
    lengths = [each.ecgs.num_samples / each.ecgs.sampling_rate for each in (some, real)]
    if lengths[0] != lengths[1]:
        found.append(
            f"A record of {name} lasts {lengths[0]:g} s, one of the real set {lengths[1]:g} s: the SD of RR, and the "
            "shares of measurable and normal records, depend on that."
        )
    lacking = [lead for lead in independent_leads(real.ecgs.leads) if lead not in some.ecgs.leads]
    if lacking:
        found.append(
            f"{name} lacks the leads {', '.join(lacking)} of the real set: fewer comparisons, and rules of the screen "
            "that need them pass, so that the shares of normal records cannot be compared."
        )
    return found


def _median_contradictions(some: AssessedSet) -> dict[str, float]:
    """Stored limb leads that contradict I and II: the median over records of the largest difference in µV."""
    if some.signals is None or not len(some.signals.table):
        return {}
    columns = {einthoven_column(lead): lead for lead in DERIVED_LEADS}
    medians = {lead: some.signals.table[c].median() for c, lead in columns.items() if c in some.signals.table}
    return {lead: float(size) for lead, size in medians.items() if size > _CONTRADICTION_UV}
