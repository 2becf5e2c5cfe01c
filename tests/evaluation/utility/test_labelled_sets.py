"""What is learned from and tested on, and what must not be in both."""

from dataclasses import replace

import numpy as np
import pytest

from ecggan.data.sets.ecg_set import ECGSet
from ecggan.data.sets.training_records import KEY, encode_hashes
from ecggan.evaluation.utility.labelled_sets import (
    check_apart,
    common_leads,
    labelled,
    labelled_by_set,
    labels_to_learn,
)

LEADS = ("I", "II", "V1")


def ecgs_of(labels: list[str | None], seed: int, **columns: list) -> ECGSet:
    signals = np.random.default_rng(seed).normal(0, 0.3, (len(labels), 3, 50))
    ecgs = ECGSet.from_arrays(signals, LEADS, 100)
    return replace(ecgs, records=ecgs.records.assign(labels=labels, **columns))


REAL = ecgs_of(["NORM|SR"] * 6 + ["MI"] * 7 + [None, "AFIB"], 0)


def test_by_default_the_superclasses_are_learned_that_are_there():
    assert labels_to_learn(None, REAL) == ("NORM", "MI")
    assert labels_to_learn(["SR", "MI"], REAL) == ("SR", "MI")


def test_of_a_set_without_superclasses_the_labels_are_asked_for_by_name():
    with pytest.raises(ValueError, match=r"labels must be given.*they carry SR \(3\)"):
        labels_to_learn(None, ecgs_of(["SR"] * 3, 1))


def test_records_without_a_label_are_left_out():
    found = labelled("ours", REAL, ["NORM", "MI"])
    assert (len(found), found.labels.sum(axis=0).tolist()) == (13, [6, 7])
    assert found.ecgs[0].records["record"].tolist() == [str(i) for i in range(13)]


def test_a_label_that_few_carry_or_lack_is_refused_with_what_is_there():
    with pytest.raises(ValueError, match=r"1 of the 14 labelled records of ours carry AFIB; at least 5 .*MI \(7\)"):
        labelled("ours", REAL, ["NORM", "MI", "AFIB"])
    with pytest.raises(ValueError, match="0 of the 6 labelled records of ours lack NORM"):
        labelled("ours", REAL, ["NORM"])


def test_one_set_a_label_is_one_set_whose_records_have_that_label():
    sets = {"MI": ecgs_of([None] * 5, 1), "NORM": ecgs_of([None] * 6, 2)}
    found = labelled_by_set("generated", sets, ["NORM", "MI"])
    np.testing.assert_array_equal(found.labels.argmax(axis=1), [0] * 6 + [1] * 5)
    assert [len(ecgs) for ecgs in found.ecgs] == [6, 5]
    assert found.patients().tolist() == list(range(11))
    with pytest.raises(ValueError, match=r"generated has a set for MI, NORM but none for CD; .*labels=\[MI,NORM\]"):
        labelled_by_set("generated", sets, ["NORM", "MI", "CD"])


def test_a_thinned_set_has_evenly_spaced_records_of_all_its_parts():
    whole = labelled_by_set("generated", {"A": ecgs_of([None] * 6, 1), "B": ecgs_of([None] * 6, 2)}, ["A", "B"])
    thinned = whole.thinned(4)
    assert [ecgs.records["record"].tolist() for ecgs in thinned.ecgs] == [["0", "3"], ["0", "3"]]
    np.testing.assert_array_equal(thinned.labels.argmax(axis=1), [0, 0, 1, 1])


def test_leads_that_not_all_store_are_left_out_and_none_in_common_is_refused():
    other = ECGSet.from_arrays(np.zeros((1, 2, 50)), ("II", "V6"), 100)
    assert common_leads({"real": REAL, "ours": other}) == ("II",)
    with pytest.raises(ValueError, match=r"no lead in common .*ours: V6"):
        common_leads({"real": REAL, "ours": ECGSet.from_arrays(np.zeros((1, 1, 50)), ("V6",), 100)})


class TestApart:
    """A test on what was trained on is refused, in each of its forms."""

    training = ecgs_of(["MI"] * 3, 3, patient=["1", "2", None])
    test = ecgs_of(["MI"] * 3, 4, patient=["3", "4", None])
    generated = ecgs_of(["MI"] * 3, 5)

    def test_sets_that_share_nothing_are_accepted(self):
        check_apart(self.training, self.test, {"ours": self.generated}, allow_overlap=False)

    def test_a_patient_on_both_sides(self):
        both = replace(self.test, records=self.test.records.assign(patient=["3", "2", None]))
        with pytest.raises(
            ValueError, match=r"1 patients have records in both .* \(2 is the first\).*split_by=patient"
        ):
            check_apart(self.training, both, {}, allow_overlap=False)

    def test_a_test_record_among_the_training_or_the_generated_ecgs(self):
        nobody = replace(self.training, records=self.training.records.drop(columns="patient"))
        with pytest.raises(ValueError, match=r"3 of the 3 test ECGs are in the training ECGs too \(0 is the first\)"):
            check_apart(nobody, nobody, {}, allow_overlap=False)
        with pytest.raises(ValueError, match="1 of the 3 test ECGs are in ours too"):
            check_apart(self.training, self.test, {"ours": self.test.subset([2])}, allow_overlap=True)

    def test_a_generator_that_learned_from_the_test_unless_that_is_allowed(self):
        manifest = {**self.generated.manifest, "made_by": {KEY: encode_hashes(self.test.hashes()[:2])}}
        learned = {"ours": replace(self.generated, manifest=manifest)}
        with pytest.raises(ValueError, match="2 of the 3 real ECGs are among those that ours learned from"):
            check_apart(self.training, self.test, learned, allow_overlap=False)
        check_apart(self.training, self.test, learned, allow_overlap=True)


def test_unknown_patients_are_each_their_own():
    some = labelled("ours", ecgs_of(["A"] * 5 + ["B"] * 5, 6, patient=["1", "1", *[None] * 8]), ["A", "B"])
    assert len(set(some.patients())) == 9
