"""Who is trained on what, how the areas come about, and what is said of them."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.stats
from sklearn.metrics import roc_auc_score

from ecggan.data.sets.ecg_set import ECGSet
from ecggan.ecg import EIGHT_LEADS
from ecggan.evaluation.utility.labelled_sets import LabelledSet, labelled
from ecggan.evaluation.utility.linear_model import fit_linear
from ecggan.evaluation.utility.study import (
    MACRO,
    REAL,
    SHUFFLED,
    Classifier,
    Utility,
    _interval,
    assess_utility,
    both,
)
from ecggan.evaluation.utility.utility_verdict import judge_utility
from ecggan.evaluation.utility.write_utility import summary_text, write_utility

LABELS = ("A", "B")


@pytest.fixture(scope="module")
def sets(varied_ecgs) -> dict[str, LabelledSet]:
    """Records of which those with A are large, and of the generated ones the others."""
    made = {}
    for seed, (name, count) in enumerate((("training", 40), ("test", 30), ("useful", 24), ("wrong", 24))):
        millivolts = varied_ecgs(count, seed=seed, sampling_rate=100)
        is_a = np.arange(count) % 2 == (name == "wrong")
        millivolts[np.arange(count) % 2 == 0] *= 1.6
        ecgs = ECGSet.from_arrays(millivolts, EIGHT_LEADS, 100)
        table = ecgs.records.assign(labels=np.where(is_a, "A", "B"), patient=[f"{name}{i // 2}" for i in range(count)])
        made[name] = labelled(name, replace(ecgs, records=table), LABELS)
    return made


def sizes(ecgs: ECGSet, leads: tuple[str, ...]) -> np.ndarray:
    return np.log(ecgs.millivolts(leads=leads).std(axis=2))


@pytest.fixture(scope="module")
def found(sets) -> Utility:
    copied = LabelledSet("copied", sets["training"].ecgs, sets["training"].labels)
    generated = {"useful": sets["useful"], "wrong": sets["wrong"], "copied": copied}
    classifier = Classifier("sizes", sizes, fit_linear)
    arguments = (sets["training"], sets["test"], generated, LABELS, [classifier], EIGHT_LEADS)
    return assess_utility(*arguments, num_seeds=2, num_workers=1, progress=False)


@pytest.mark.parametrize("name", ["training", "test", REAL, SHUFFLED])
def test_a_set_of_a_name_that_the_tables_use_is_refused(sets, name):
    with pytest.raises(ValueError, match=f"cannot be called '{name}'"):
        assess_utility(sets["training"], sets["test"], {name: sets["useful"]}, LABELS, [], EIGHT_LEADS)


def test_each_training_has_as_many_records_as_the_smallest_set(found):
    assert found.num_trained_on == 24
    assert found.num_test == (30, 15)
    assert found.num_carrying.loc["A"].tolist() == [20, 15, 12, 12, 20]  # in the order of the sets


def test_every_training_is_tested_on_real_ecgs_and_that_on_real_ones_on_generated_ones_too(found):
    pairs = set(zip(found.areas["trained_on"], found.areas["tested_on"], strict=True))
    generated = ("useful", "wrong", "copied")
    expected = {(REAL, REAL), (SHUFFLED, REAL)} | {(REAL, name) for name in generated}
    assert pairs == expected | {(kind, REAL) for name in generated for kind in (name, both(name))}


def test_what_is_useful_teaches_and_what_is_wrong_misleads(found):
    assert found.macro("sizes", REAL)["area"] > 0.8
    assert found.macro("sizes", "useful")["area"] > 0.8
    assert found.macro("sizes", "wrong")["area"] < 0.3
    assert found.macro("sizes", REAL, "wrong")["area"] < 0.3
    assert found.macro("sizes", "wrong")["difference_high"] < 0


def test_shuffled_labels_teach_nothing(found):
    shuffled = found.macro("sizes", SHUFFLED)
    assert shuffled["low"] <= 0.5 <= shuffled["high"]


def test_copies_teach_as_the_real_ones_do_and_are_called_copies(found, sets):
    assert found.copies["copied"].of_training.value == 1
    assert found.copies["useful"].of_training.value == 0
    assert found.macro("sizes", "copied")["difference"] == pytest.approx(0, abs=0.1)
    verdict = judge_utility(found, "copied")
    assert (verdict.level, verdict.headline[:9]) == ("far", "Of no use")
    assert verdict.sentences[0] == "40 of 40 of its ECGs (100.0 %) are copies of the real training ECGs."
    assert "copies" not in " ".join(judge_utility(found, "useful").sentences)


def test_use_is_judged_by_what_a_set_adds_and_by_what_it_teaches_alone(found):
    """By figures made up: beside real ECGs, alone, and its area alone."""

    def judged(beside: tuple[float, float], alone: float = -0.2, low: float = 0.4, shuffled: float = 0.45) -> tuple:
        areas = found.areas.copy()
        for kind, low_end, high_end in ((both("useful"), *beside), ("useful", alone, alone + 0.1)):
            areas.loc[areas["trained_on"] == kind, ["difference_low", "difference_high"]] = low_end, high_end
        areas.loc[areas["trained_on"] == "useful", "low"] = low
        areas.loc[areas["trained_on"] == SHUFFLED, ["low", "high"]] = shuffled, shuffled + 0.1
        verdict = judge_utility(replace(found, areas=areas), "useful")
        return verdict.level, " ".join(verdict.headline.split()[:3])

    assert judged((0.01, 0.1)) == ("same", "Of use: beside")
    assert judged((-0.1, -0.01)) == ("far", "Of no use:")
    assert judged((-0.1, 0.1), alone=-0.04) == ("close", "Of use where")
    assert judged((-0.1, 0.1), low=0.6) == ("undecided", "Undecided whether it")
    assert judged((-0.1, 0.1)) == ("far", "Of no use:")
    assert judged((-0.1, 0.1), alone=-0.09) == ("undecided", "Undecided whether it")
    assert judged((0.01, 0.1), shuffled=0.6) == ("none", "Nothing can be")


def test_an_area_is_the_mean_over_trainings_and_labels(sets):
    """Of one training on all records, which chance has no part in."""
    test, training = sets["test"], sets["training"]
    (scores,) = fit_linear(sizes(training.ecgs[0], EIGHT_LEADS), training.labels, [sizes(test.ecgs[0], EIGHT_LEADS)])
    expected = [roc_auc_score(test.labels[:, i], scores[:, i]) for i in range(2)]
    same = LabelledSet("same", training.ecgs, training.labels)
    arguments = (training, test, {"same": same}, LABELS, [Classifier("sizes", sizes, fit_linear)], EIGHT_LEADS)
    areas = assess_utility(*arguments, num_seeds=1, num_workers=1, progress=False).areas
    areas = areas[(areas["trained_on"] == REAL) & (areas["tested_on"] == REAL)].set_index("label")
    np.testing.assert_allclose(areas.loc[[*LABELS, MACRO], "area"], [*expected, np.mean(expected)])
    assert (areas["low"] < areas["area"]).all()
    assert (areas["area"] < areas["high"]).all()
    assert areas["difference"].tolist() == [0, 0, 0]


def test_an_interval_is_wider_where_trainings_differ():
    """Of areas that are the same in all resamples of the patients, it is Student's."""
    same, apart = np.full((3, 2001), 0.8), np.repeat([[0.75], [0.8], [0.85]], 2001, axis=1)
    assert _interval(same)[:3] == pytest.approx((0.8, 0.8, 0.8))
    mean, low, high, sd = _interval(apart)
    half = scipy.stats.t.isf(0.025, 2) * 0.05 / np.sqrt(3)
    assert (mean, sd) == pytest.approx((0.8, 0.05))
    assert (low, high) == pytest.approx((0.8 - half, 0.8 + half), abs=0.005)
    assert np.isnan(_interval(same[:1])[3])


def test_more_records_than_a_set_has_are_refused(sets):
    arguments = (sets["training"], sets["test"], {"ours": sets["useful"]}, LABELS, [], EIGHT_LEADS)
    with pytest.raises(ValueError, match="num_records = 30, but ours has 24 labelled records"):
        assess_utility(*arguments, num_records=30)


def test_the_result_is_written_whole(found, tmp_path):
    page = write_utility(tmp_path / "out", found, {})
    assert page.read_text() == summary_text(found)
    names = {path.name for path in page.parent.iterdir()}
    assert names == {"utility.md", "areas.csv", "summary.json", "utility.png", "utility.pdf"}
    with pytest.raises(FileExistsError):
        write_utility(tmp_path / "out", found, {})


def test_missing_values_are_no_scores_of_their_own_in_a_linear_model():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(60, 3))
    labels = np.column_stack([values[:, 0] > 0])
    values[rng.random((60, 3)) < 0.2] = np.nan
    values[:, 2] = np.nan  # one that no record has
    (scores,) = fit_linear(values[:40], labels[:40], [values[40:]])
    assert np.isfinite(scores).all()
    assert roc_auc_score(labels[40:, 0], scores[:, 0]) > 0.8
