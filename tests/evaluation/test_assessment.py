from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from ecggan.data.sets.ecg_set import ECGSet
from ecggan.ecg import EIGHT_LEADS
from ecggan.evaluation import assessed_set as assessing
from ecggan.evaluation.assessed_set import hashes_of
from ecggan.evaluation.assessment import Assessment, assess, check_names
from ecggan.evaluation.report.gallery import choose_records, distance_from_middle

KnownECG = Callable[..., np.ndarray]


def assess_quietly(real: ECGSet, **generated: ECGSet) -> Assessment:
    return assess(real, generated, num_workers=1, progress=False)


@pytest.fixture(scope="module")
def real(known_ecg: KnownECG) -> ECGSet:
    return ECGSet.from_arrays(known_ecg(num_records=4), EIGHT_LEADS, 500)


@pytest.fixture(scope="module")
def faster(known_ecg: KnownECG) -> ECGSet:
    return ECGSet.from_arrays(known_ecg(num_records=3, heart_rate_bpm=80, seed=1), EIGHT_LEADS, 500, kind="generated")


def test_every_set_is_assessed_alike_and_each_generated_one_judged(real: ECGSet, faster: ECGSet) -> None:
    result = assess_quietly(real, ours=faster, same=real)
    assert [some.name for some in result.sets()] == ["real", "ours", "same"]
    assert not result.failures
    ours, same = (result.judgements[name].comparison for name in ("ours", "same"))
    assert ours is not None
    assert same is not None
    assert ours.set_index("measurement").loc["heart_rate_bpm", "difference"] == pytest.approx(10, abs=2)
    assert (same["difference"].dropna() == 0).all()
    assert result.real.shares["measurable"].value == 1
    assert result.paper_table is not None
    assert list(result.paper_table)[1:4] == ["real", "ours", "same"]


def test_a_part_that_fails_is_named_and_loses_nothing_else(
    real: ECGSet, faster: ECGSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("out of luck\nand more")

    monkeypatch.setattr(assessing, "describe_signals", broken)
    result = assess_quietly(real, ours=faster)
    assert result.failures == {
        "signals of real": "RuntimeError: out of luck",
        "signals of ours": "RuntimeError: out of luck",
    }
    assert result.judgements["ours"].signals is None
    assert result.judgements["ours"].comparison is not None
    assert result.judgements["ours"].verdict is not None


def test_patients_are_followed_into_every_comparison(faster: ECGSet, known_ecg: KnownECG) -> None:
    one = ECGSet.from_arrays(known_ecg(num_records=6), EIGHT_LEADS, 500)
    known = replace(one, records=one.records.assign(patient=["a", "a", "a", "b", "b", "b"]))
    by_patient, by_record = (assess_quietly(some, ours=faster) for some in (known, one))
    assert list(by_patient.real.table["patient"]) == ["a", "a", "a", "b", "b", "b"]
    for kind in ("comparison", "signals"):
        p = [getattr(result.judgements["ours"], kind).set_index("measurement") for result in (by_patient, by_record)]
        column = "heart_rate_bpm" if kind == "comparison" else "correlation_i_ii"
        assert p[0].loc[column, "p_difference"] > p[1].loc[column, "p_difference"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"margins": {"qt": 3}}, "margins.qt is no measurement"),
        ({"rules": {"no_such_rule": True}}, "unknown rule 'no_such_rule'; known are"),
        ({"generated": {}}, "at least one ECG set"),
    ],
)
def test_wrong_words_are_refused_before_anything_is_measured(
    real: ECGSet, settings: dict[str, dict[str, int]], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assessing, "hashes_of", lambda ecgs: pytest.fail("measured already"))
    with pytest.raises(ValueError, match=message):
        assess(real, **{"generated": {"ours": real}, "progress": False, **settings})  # type: ignore[arg-type]


def test_sets_with_nothing_one_thing_or_other_leads_are_marked_and_not_fatal(real: ECGSet, known_ecg: KnownECG) -> None:
    flat = ECGSet.from_arrays(np.zeros((2, 8, 5000)), EIGHT_LEADS, 500, kind="generated")
    limb = ECGSet.from_arrays(known_ecg(num_records=2)[:, :2], ("I", "II"), 500, kind="generated")
    one = ECGSet.from_arrays(known_ecg(num_records=1), EIGHT_LEADS, 500, kind="generated")
    slow = ECGSet.from_arrays(
        known_ecg(num_records=2, sampling_rate=250, num_samples=2500), EIGHT_LEADS, 250, "generated"
    )
    empty = ECGSet.from_arrays(np.zeros((0, 8, 5000)), EIGHT_LEADS, 500, kind="generated")
    result = assess_quietly(real, flat=flat, limb=limb, one=one, slow=slow, empty=empty)
    assert not result.failures
    for name in ("flat", "empty"):
        comparison, verdict = result.judgements[name].comparison, result.judgements[name].verdict
        assert comparison is not None
        assert (comparison["num_generated"] == 0).all()
        assert verdict is not None
        assert verdict.headline.startswith("Nothing can be said" if name == "empty" else "Not like the real ECGs")
    limb_rows = result.judgements["limb"].comparison
    assert limb_rows is not None
    assert limb_rows.set_index("measurement").loc["r_amplitude_v5_mv", "num_generated"] == 0
    assert limb_rows.set_index("measurement").loc["r_amplitude_avf_mv", "num_generated"] == 2


def test_a_real_set_without_a_measurable_record_still_gives_an_assessment(real: ECGSet) -> None:
    flat = ECGSet.from_arrays(np.zeros((2, 8, 5000)), EIGHT_LEADS, 500)
    result = assess_quietly(flat, ours=real)
    assert not result.failures
    verdict = result.judgements["ours"].verdict
    assert verdict is not None
    assert verdict.level == "none"


def test_content_hash_follows_the_ecgs_and_their_order(real: ECGSet) -> None:
    assert hashes_of(real) == hashes_of(real.subset(slice(None)))
    assert hashes_of(real)[0] != hashes_of(real.subset([1, 0, 2, 3]))[0]


def test_copies_are_counted_whatever_their_order(real: ECGSet, faster: ECGSet) -> None:
    result = assess_quietly(real, again=real.subset([2, 1, 1]), ours=faster)
    assert [result.generated[name].num_copies_of(result.real) for name in ("again", "ours")] == [3, 0]
    assert [some.num_repeated() for some in result.sets()] == [0, 1, 0]


def test_held_out_ecgs_are_those_of_patients_who_are_not_in_the_training(varied_ecgs: KnownECG) -> None:
    ecgs = ECGSet.from_arrays(varied_ecgs(6), EIGHT_LEADS, 500)
    named = replace(ecgs, records=ecgs.records.assign(patient=["a", "a", "b", "c", None, "d"]))
    real, training = named.subset([0, 2, 3, 4, 5]), named.subset([1, 5])
    result = assess(real, {"ours": ecgs.subset([1, 3])}, num_workers=1, progress=False, training=training)
    assert result.held_out == [1, 2, 3]  # not 0, another ECG of a, and not 5, which is in the training
    novelty = result.judgements["ours"].novelty
    assert novelty is not None
    assert novelty.has_held_out
    assert novelty.nearest["training"].tolist()[0] == 0
    assert novelty.copies.num_records == 1


@pytest.mark.parametrize("names", [["real"], ["Real"], ["a b", "a_b"], [""], ["x", "X"]])
def test_names_that_a_report_could_not_tell_apart_are_refused(names: list[str]) -> None:
    with pytest.raises(ValueError, match=r"give each generated set a name of its own, generated=\{ours:DIR1"):
        check_names(names)
    check_names(["ours", "theirs", "deepfake"])


def test_gallery_shows_typical_extreme_and_failing_records_once_each(known_ecg: KnownECG) -> None:
    signals = known_ecg(num_records=12)
    signals[3] = known_ecg(heart_rate_bpm=120)[0]  # too fast to be normal, and the furthest
    signals[5] = 0
    result = assess_quietly(
        ECGSet.from_arrays(known_ecg(num_records=10, seed=1), EIGHT_LEADS, 500),
        ours=ECGSet.from_arrays(signals, EIGHT_LEADS, 500),
    )
    shown = choose_records(result.generated["ours"], result.real)
    assert len({record.position for record in shown}) == len(shown)
    roles = {record.role: record for record in shown}
    assert roles["furthest from the middle of the real set"].position == 3
    assert roles["not measurable"].position == 5
    assert [record.role for record in shown].count("typical") == 2
    assert "above 100" in roles["furthest from the middle of the real set"].caption


def test_distance_counts_in_spreads_of_the_real_set_and_one_wild_value_does_not_decide() -> None:
    real = pd.DataFrame({"is_measurable": True, "qrs_duration_ms": np.arange(80.0, 101), "rr_sd_ms": 5.0})
    table = pd.DataFrame({"is_measurable": True, "qrs_duration_ms": [90.0, 100.0, 1e6, np.nan], "rr_sd_ms": 9.0})
    distances = distance_from_middle(table, real)
    assert distances[0] == 0
    assert distances[1] == pytest.approx(10 / (10 / 1.349))
    assert distances[2] == 10
    assert distances[3] == 0
