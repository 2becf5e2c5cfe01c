import numpy as np
import pandas as pd
import pytest

from ecggan.evaluation.comparison.comparison import compare
from ecggan.evaluation.verdict import Verdict, judge
from ecggan.stats.proportions import Proportion, share_of


def table(num_records: int, seed: int, qrs_ms: float = 92, qrs_sd_ms: float = 9) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    columns = {
        "qrs_duration_ms": rng.normal(qrs_ms, qrs_sd_ms, num_records),
        "qt_interval_ms": rng.normal(395, 20, num_records),
    }
    return pd.DataFrame({"is_measurable": True, "rr_sd_ms": rng.gamma(2, 15, num_records), **columns})


def share(num_true: int, num_all: int = 1000) -> Proportion:
    return share_of(pd.Series([True] * num_true + [False] * (num_all - num_true)))


def verdict_of(
    generated: pd.DataFrame, real: pd.DataFrame | None = None, share_normal: float = 0.9, why_few: str = ""
) -> Verdict:
    real = table(1000, 0) if real is None else real
    shares = [
        {"measurable": share_of(some["is_measurable"]), "normal": share(round(normal * len(some)), len(some))}
        for some, normal in ((real, 0.9), (generated, share_normal))
    ]
    return judge(compare(real, generated), *shares, why_few)


def test_sets_of_one_distribution_are_not_to_be_told_apart() -> None:
    verdict = verdict_of(table(1000, 1))
    assert verdict.level == "same"
    assert "2 of 2 measurements are equivalent" in verdict.sentences[0]
    assert any("None of 3 measurements can be told apart" in sentence for sentence in verdict.sentences)


def test_a_spread_too_narrow_is_close_and_told_apart() -> None:
    verdict = verdict_of(table(1000, 1, qrs_sd_ms=3))
    assert verdict.level == "close"
    assert any("Told apart" in sentence and "QRS duration" in sentence for sentence in verdict.sentences)


def test_a_mean_beyond_its_margin_is_not_like_real_ecgs() -> None:
    verdict = verdict_of(table(1000, 1, qrs_ms=110))
    assert verdict.level == "far"
    assert "1 of 2 measurements lie beyond" in verdict.headline
    assert "Beyond the margin: QRS duration." in verdict.sentences


def test_fewer_normal_ecgs_are_not_like_real_ones_beyond_five_points_only() -> None:
    assert verdict_of(table(1000, 1), share_normal=0.7).level == "far"
    assert "fewer of its ECGs are normal" in verdict_of(table(1000, 1), share_normal=0.7).headline
    assert verdict_of(table(1000, 1), share_normal=0.88).level == "same"
    assert any("90.0 % of the real ones" in sentence for sentence in verdict_of(table(1000, 1)).sentences)


def test_each_verdict_of_the_screen_and_its_score_count() -> None:
    real = {"measurable": share(1000), "normal": share(900), "otherwise normal": share(930)}
    real["normal by the score"] = share(950)
    compared = compare(table(1000, 0), table(1000, 1))
    fast = judge(compared, real, {**real, "normal": share(700)})  # tachycardia and nothing else
    assert fast.headline.endswith("fewer of its ECGs are normal.")
    unlikely = judge(compared, real, {**real, "otherwise normal": share(850), "normal by the score": share(700)})
    assert unlikely.headline.endswith("fewer of its ECGs are otherwise normal and normal by the score.")
    assert any(sentence.startswith("Normal by the score: 70.0 %") for sentence in unlikely.sentences)


def test_too_small_sets_are_undecided_or_say_nothing() -> None:
    undecided = verdict_of(table(40, 1, qrs_ms=100), table(40, 0))
    assert undecided.level == "undecided"
    assert "too small to say" in undecided.headline
    few = verdict_of(table(10, 1))
    assert few.level == "none"
    assert "each set needs measurable records of 30 patients or more" in few.headline
    assert not any("equivalent" in sentence or "told apart" in sentence for sentence in few.sentences)


def test_why_there_are_few_patients_is_said_first_and_only_then() -> None:
    one = table(60, 0).assign(patient="7")
    assert verdict_of(table(60, 1), one, why_few="All name '7'.").sentences[0] == "All name '7'."
    assert "30 patients or more" in verdict_of(table(60, 1), one).headline
    assert "All name '7'." not in verdict_of(table(1000, 1), why_few="All name '7'.").sentences


def test_without_anything_to_compare_nothing_is_said() -> None:
    empty = verdict_of(table(0, 1))
    assert empty.headline == "Nothing can be said: the generated set is empty."
    assert empty.sentences == ["Measurable: nothing, as a set is empty.", "Normal: nothing, as a set is empty."]
    assert verdict_of(table(1, 1)).level == "none"
    assert verdict_of(table(1000, 1), table(3, 0).assign(is_measurable=False)).level == "none"


def test_ecgs_that_cannot_be_measured_are_not_like_real_ones_however_few_can() -> None:
    flat = verdict_of(table(40, 1).assign(is_measurable=False), share_normal=0)
    assert flat.level == "far"
    assert flat.headline == "Not like the real ECGs: fewer of its ECGs are measurable and normal."
    assert verdict_of(table(2000, 1).assign(is_measurable=np.arange(2000) < 29), share_normal=0.01).level == "far"


def test_a_measurement_that_the_generated_ecgs_do_not_have_is_a_fault() -> None:
    without = verdict_of(table(1000, 1).assign(qt_interval_ms=np.nan))
    assert without.level == "far"
    assert "QT interval can be had in fewer of them" in without.headline
    assert "Fewer of the measurable records have them: QT interval." in without.sentences
    a_few = table(1000, 1)
    a_few.loc[:20, "qt_interval_ms"] = np.nan
    assert verdict_of(a_few).level == "same"


@pytest.mark.usefixtures("unchecked")
def test_verdicts_on_one_distribution_hold_the_stated_rate() -> None:
    """Of sets drawn like the real one, none is called far, and at most about one in twenty is told apart."""
    levels = [verdict_of(table(300, 2 * i + 1), table(300, 2 * i)).level for i in range(60)]
    assert levels.count("far") == levels.count("undecided") == 0
    assert levels.count("close") <= 9  # 3 are expected; more than 9 have a chance of 1 in 1,000
