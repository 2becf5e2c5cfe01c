"""The job whole and in small; what it finds is tested with the study."""

import json
from dataclasses import replace

import numpy as np
import pytest

from ecggan.data.sets.ecg_set import ECGSet
from ecggan.ecg import EIGHT_LEADS
from ecggan.evaluation.utility.utility_result import utility_verdicts
from ecggan.jobs import UtilityStudy


@pytest.fixture(scope="module")
def labelled(varied_ecgs):
    """Make labelled ECGs of 5 s, those with MI of small chest leads."""

    def make(count: int, seed: int, **columns: list) -> ECGSet:
        millivolts = varied_ecgs(count, seed=seed)[:, :, :2500]
        is_mi = np.arange(count) % 2 == 0
        millivolts[is_mi, 2:] *= 0.3
        ecgs = ECGSet.from_arrays(millivolts, EIGHT_LEADS, 500)
        return replace(ecgs, records=ecgs.records.assign(labels=np.where(is_mi, "IMI|MI", "NORM"), **columns))

    return make


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"generated": None}, "generated must be given: generated=ECG_SET with labels"),
        ({"models": ["forest"]}, "models must be a list of any of network, linear; got"),
        ({"models": []}, "models must name at least one of network and linear"),
        ({"labels": "MI"}, r"labels must be a list of distinct labels, such as \[NORM,MI\], or null; got MI"),
        ({"labels": ["MI", "MI"]}, "labels must be a list of distinct labels"),
        ({"num_records": 3}, "num_records must be a whole number, at least 10, or null; got 3"),
        ({"num_seeds": 0}, "num_seeds must be a whole number, at least 1; got 0"),
        ({"num_steps": 0.5}, "num_steps must be a whole number, at least 1, or null"),
        ({"seed": -1}, "seed must be a whole number, at least 0"),
        ({"allow_overlap": 1}, "allow_overlap must be true or false"),
    ],
)
def test_values_that_cannot_be_are_refused_at_once(parameters, message):
    with pytest.raises(ValueError, match=message):
        UtilityStudy(**{"real": "a", "generated": "b", "out": "out", **parameters})


def test_two_sets_of_one_name_are_refused_before_any_is_opened(tmp_path):
    job = UtilityStudy(real="nowhere", generated=["A/ecgs", "B/ecgs"], out=tmp_path / "out")
    with pytest.raises(ValueError, match="cannot tell 'ecgs' from the others"):
        job.run()


def test_both_models_are_trained_and_tested_and_all_is_written(labelled, tmp_path):
    split = ["train"] * 12 + ["test"] * 12
    real = labelled(24, 0, split=split, patient=[str(i // 2) for i in range(24)])
    job = UtilityStudy(
        data={"source": lambda: real, "split": "test"},
        generated=labelled(14, 1),
        num_seeds=1,
        num_steps=2,
        device="cpu",
        num_workers=1,
        out=tmp_path / "out",
    )
    result = job.run()
    assert result.path == tmp_path / "out" / "utility.md"
    assert str(result).endswith(f"\nSaved to {result.path}")
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert (summary["labels"], summary["num_records"]) == (["NORM", "MI"], 12)
    assert summary["num_test"] == {"records": 12, "patients": 6}
    assert {row["classifier"] for row in summary["areas"]} == {"network", "linear"}
    assert {(row["trained_on"], row["tested_on"]) for row in summary["areas"]} == {
        ("real", "real"),
        ("real", "generated"),
        ("generated", "real"),
        ("real + generated", "real"),
        ("real, labels shuffled", "real"),
    }
    assert all(0 <= row["area"] <= 1 for row in summary["areas"])
    assert list(utility_verdicts([tmp_path / "out"], {"ours": job.generated})) == ["ours"]


def test_one_set_a_label_needs_no_labels_in_its_table(labelled, tmp_path):
    training, test, made = labelled(12, 0), labelled(12, 1), labelled(24, 2)
    is_mi = made.records["labels"] == "IMI|MI"
    unlabelled = replace(made, records=made.records.drop(columns="labels"))
    sets = {name: unlabelled.subset(which.to_numpy()) for name, which in (("MI", is_mi), ("NORM", ~is_mi))}
    common = {"real": test, "training": training, "num_seeds": 1, "num_workers": 1, "models": ["linear"]}
    found = UtilityStudy(generated=sets, out=tmp_path / "out", **common).run().value
    assert found.labels == ("MI", "NORM")
    assert found.num_carrying["generated"].to_dict() == {"MI": 12, "NORM": 12}
    of_one = utility_verdicts([tmp_path / "out"], {"ours": sets["MI"]})["ours"]
    assert of_one.sentences[-1] == "Judged together with the sets of the other labels, 2 in all."
    with pytest.raises(ValueError, match="sets for the labels MI and others, ours"):
        UtilityStudy(generated={"MI": sets["MI"], "ours": made}, out=tmp_path / "other", **common).run()
    with pytest.raises(ValueError, match="generated has no column 'labels' in its table"):
        UtilityStudy(generated=unlabelled, out=tmp_path / "other", **common).run()
    assert not (tmp_path / "other").exists()


def test_where_to_learn_from_must_be_known(labelled, tmp_path):
    some = labelled(12, 0)
    with pytest.raises(ValueError, match="no split `train` to learn from; give training=ECG_SET"):
        UtilityStudy(real=some, generated=some, out=tmp_path / "out").run()
    split = replace(some, records=some.records.assign(split=["train", "test"] * 6))
    with pytest.raises(ValueError, match="would be learned from and tested on; give it as data=ecg_set"):
        UtilityStudy(real=split, generated=some, out=tmp_path / "out").run()
