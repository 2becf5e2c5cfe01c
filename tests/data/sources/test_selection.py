import math
from dataclasses import replace
from pathlib import Path

import pytest

from ecggan.data.record import RecordReference
from ecggan.data.sources.selection import Candidate, Selection, Statements

ANYBODY = Selection(labels=None, normal=Statements(["NORM"], 100, ["SR"]), age=None, sex=None)


def candidate(name, said, age=50, sex="female"):
    return Candidate(RecordReference(name, Path(name), {"split": "train"}), said, age, sex)


CANDIDATES = [
    candidate("normal", {"NORM": 100, "SR": 0}),
    candidate("likely", {"NORM": 80, "SR": 0}, age=30),
    candidate("flutter", {"NORM": 100, "AFLT": 0}, age=90, sex="male"),
    candidate("fibrillation", {"AFIB": 0, "IMI": 50}, age=math.nan, sex=None),
    candidate("nothing", {}),
]


def names(selection):
    references, counts = selection.choose(CANDIDATES)
    assert sum(counts.values()) == len(CANDIDATES)
    return [reference.record for reference in references]


def test_normal_ecgs_have_the_label_likely_enough_and_nothing_strange_beside_it():
    assert names(ANYBODY) == ["normal"]
    counts = ANYBODY.choose(CANDIDATES)[1]
    assert [*counts.values()] == [2, 1, 1, 0, 0, 1]


def test_labels_choose_whatever_stands_beside_and_however_likely():
    assert names(replace(ANYBODY, labels=["AFIB", "AFLT"])) == ["flutter", "fibrillation"]
    assert names(replace(ANYBODY, labels="NORM")) == ["normal", "likely", "flutter"]


def test_chosen_reference_knows_its_most_likely_label():
    references, _ = replace(ANYBODY, labels=["AFIB", "IMI", "AFLT"]).choose(CANDIDATES)
    assert [reference.facts["label"] for reference in references] == ["AFLT", "IMI"]
    assert references[1].facts == {"split": "train", "labels": "AFIB|IMI", "label": "IMI", "likelihood": 50}


def test_all_labels_choose_every_record_which_keeps_its_statements_and_their_classes():
    everything = replace(ANYBODY, labels="all")
    assert names(everything) == [candidate.reference.record for candidate in CANDIDATES]
    infarction = replace(CANDIDATES[3], classes={"MI"})
    (reference,), _ = everything.choose([infarction])
    assert reference.facts == {"split": "train", "labels": "AFIB|IMI|MI"}
    assert "labels" not in everything.choose([CANDIDATES[4]])[0][0].facts


def test_whole_numbers_are_codes_too():
    snomed = replace(ANYBODY, labels=[426783006])
    assert snomed.choose([candidate("sinus", {"426783006": 0})])[1]["chosen"] == 1


def test_age_and_sex_leave_out_who_is_not_known_to_fit():
    everything = replace(ANYBODY, normal=None)
    assert names(replace(everything, age=[30, 90])) == ["normal", "likely", "flutter", "nothing"]
    assert names(replace(everything, age=[31, 89])) == ["normal", "nothing"]
    assert names(replace(everything, sex="male")) == ["flutter"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"age": [60, 18]}, "data.age must be"),
        ({"age": [18]}, "data.age must be"),
        ({"sex": "women"}, "data.sex must be male, female or null; got 'women'"),
    ],
)
def test_selection_that_cannot_be_meant_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        replace(ANYBODY, **change)


def test_statements_that_cannot_be_meant_are_refused():
    with pytest.raises(ValueError, match="min_likelihood must be a number, from 0 to 100; got 101"):
        Statements(["NORM"], 101, None)
    with pytest.raises(ValueError, match="give at least one label"):
        Statements([], 0, None)
