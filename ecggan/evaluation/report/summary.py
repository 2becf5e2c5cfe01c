"""summary.json: everything in the report, for programs.

Schema version 3 (missing numbers are null; shares and their differences run from 0 to 1)::

    schema_version   3
    real             the name of the reference among the sets
    sets             {name: num_records, kind (real or generated), folder (its name, or null), content_sha256 (of its
                     int16 µV in order), num_repeated (copies of another record of the set), leads, sampling_rate_hz,
                     num_samples,
                     shares {measurable, normal, otherwise normal, normal by the score: num_records, num_all,
                     effective_sample_size, value, low, high},
                     reasons_not_measurable {reason: records}, missing {what and why: measurable records},
                     not_normal_by_rule {rule: records}, made_by, account}
    judgements       {name of a generated set: verdict {level, headline, sentences}, variety, privacy and utility
                     in the same form, num_copies_of_real,
                     share_differences {as shares: value, low, high},
                     measurements {measurement: a row of comparison.csv}, relations [rows of relations.csv],
                     signals {column: a row of signals.csv}, clouds [rows of clouds.csv],
                     repeats {real, generated: a share}, novelty {has_training, num_training, num_held_out,
                     copies, same_beat, copies_of_held_out, held_out_copies, held_out_same_beat: shares,
                     membership, beat_membership: value, low, high, p_value}}
    failures         {step: error}
    settings         what write_report was given
    versions         {package: version}

A version only changes if a key goes or changes its meaning; new keys do not change it. Version 3: frechet_distance is
the standard one, at equal sizes, and num_witnesses of a share is effective_sample_size.
"""

import platform
from collections.abc import Mapping
from dataclasses import asdict
from importlib import metadata
from typing import Any

import pandas as pd

from ecggan.data.sets.training_records import without_hashes
from ecggan.evaluation.assessed_set import AssessedSet
from ecggan.evaluation.assessment import Assessment
from ecggan.evaluation.memorization.membership import Novelty
from ecggan.evaluation.report.tables import reasons_missing, reasons_not_measurable
from ecggan.evaluation.set_evaluation import SetEvaluation
from ecggan.files.json_file import without_nan
from ecggan.stats.proportions import difference_of

SCHEMA_VERSION = 3
_PACKAGES = ("ecggan", "neurokit2", "numpy", "scipy", "pandas")


def summarise(assessment: Assessment, failures: Mapping[str, str], settings: Mapping[str, Any]) -> dict[str, Any]:
    """The summary in strict JSON's terms.

    Args:
        assessment: of the sets.
        failures: of its steps and of the report's.
        settings: of the run.
    """
    summary = {
        "schema_version": SCHEMA_VERSION,
        "real": assessment.real.name,
        "sets": {some.name: _of_set(some) for some in assessment.sets()},
        "judgements": {
            name: _of_evaluation(evaluation, assessment, assessment.generated[name])
            for name, evaluation in assessment.evaluations.items()
        },
        "failures": dict(failures),
        "settings": dict(settings),
        "versions": {name: metadata.version(name) for name in _PACKAGES} | {"python": platform.python_version()},
    }
    return dict(without_nan(summary))


def _of_set(some: AssessedSet) -> dict[str, Any]:
    return {
        "num_records": len(some.ecgs),
        "kind": some.ecgs.kind,
        "folder": some.ecgs.path.name if some.ecgs.path else None,
        "content_sha256": some.content_sha256,
        "num_repeated": some.num_repeated(),
        "leads": list(some.ecgs.leads),
        "sampling_rate_hz": some.ecgs.sampling_rate,
        "num_samples": some.ecgs.num_samples,
        "shares": {what: asdict(share) for what, share in some.shares.items()},
        "reasons_not_measurable": reasons_not_measurable(some.table),
        "missing": reasons_missing(some.table),
        "not_normal_by_rule": some.num_by_rule,
        "made_by": without_hashes(some.ecgs.manifest.get("made_by") or {}),
        "account": some.ecgs.manifest.get("account"),
    }


def _of_evaluation(evaluation: SetEvaluation, assessment: Assessment, generated: AssessedSet) -> dict[str, Any]:
    real = assessment.real
    repeats = evaluation.repeats
    return {
        "verdict": asdict(evaluation.verdict) if evaluation.verdict else None,
        "variety": asdict(evaluation.variety) if evaluation.variety else None,
        "privacy": asdict(evaluation.privacy) if evaluation.privacy else None,
        "utility": asdict(evaluation.utility) if evaluation.utility else None,
        "num_copies_of_real": generated.num_copies_of(real),
        "share_differences": {
            what: asdict(difference_of(real.shares[what], share))
            for what, share in generated.shares.items()
            if what in real.shares
        },
        "measurements": _by_name(evaluation.comparison),
        "relations": None if evaluation.relations is None else evaluation.relations.to_dict("records"),
        "signals": _by_name(evaluation.signals),
        "clouds": None if evaluation.clouds is None else evaluation.clouds.to_dict("records"),
        "repeats": None
        if repeats is None
        else {name: asdict(each.share) for name, each in zip(("real", "generated"), repeats, strict=True)},
        "novelty": _of_novelty(evaluation.novelty, assessment),
    }


def _of_novelty(novelty: Novelty | None, assessment: Assessment) -> dict[str, Any] | None:
    if novelty is None:
        return None
    shares = ("copies", "same_beat", "copies_of_held_out", "held_out_copies", "held_out_same_beat")
    found = {name: getattr(novelty, name) for name in (*shares, "membership", "beat_membership")}
    return {
        "has_training": assessment.training is not None,
        "num_training": None if assessment.training is None else len(assessment.training),
        "num_held_out": len(assessment.held_out),
        **{name: None if value is None else asdict(value) for name, value in found.items()},
    }


def _by_name(comparison: pd.DataFrame | None) -> dict[str, Any] | None:
    if comparison is None:
        return None
    return {str(row.pop("measurement")): row for row in comparison.to_dict("records")}
