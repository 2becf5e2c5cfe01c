import json
from dataclasses import replace

import pytest

from ecggan.evaluation.utility.utility_result import fingerprints_of, utility_verdicts
from ecggan.jobs import Report
from ecggan.jobs.report import named_sets


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"generated": None}, r"generated ECGs must be given: generated=ECG_SET"),
        ({"max_records": True}, "max_records must be a whole number, at least 1, or null; got True"),
        ({"picture_formats": "pdf"}, "picture_formats must be a list of any of pdf, svg; got 'pdf'"),
        ({"seed": -1}, "seed must be a whole number, at least 0; got -1"),
        ({"training": 3}, "training must be an ECG set, null"),
        ({"training": True}, "training must be an ECG set, null"),
        ({"measurement": {"delineation": "dwt"}}, "measurement.delineation must be median_beat, .*; got 'dwt'"),
        ({"allow_overlap": 3}, "allow_overlap must be true or false; got 3"),
        ({"utility": 3}, "utility must be the folder of a job=utility, or a list of them; got 3"),
        ({"generated": ["a", None]}, r"generated must be a folder, \[A,B\]"),
    ],
)
def test_values_that_cannot_be_are_refused_at_once(parameters, message):
    with pytest.raises(ValueError, match=message):
        Report(**{"real": "a", "generated": "b", "out": "out", **parameters})


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"margins": {"qt": 5}}, "margins.qt is no measurement"),
        ({"margins": 3}, "margins must name measurements"),
        ({"generated": ["x/b", "y/b"]}, "give each generated set a name of its own"),
        ({"normality": {"qtx": False}}, "qtx"),
        ({"generated": "nowhere"}, "nowhere is not an ECG set: manifest.json is missing"),
    ],
)
def test_what_is_not_known_is_refused_before_anything_is_measured(parameters, message, real, generated, tmp_path):
    given = {"real": real, "generated": generated, "out": tmp_path / "out", "num_workers": 1, **parameters}
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        Report(**given).run()
    assert not (tmp_path / "out").exists()


def write_study(folder, fingerprints, **facts):
    folder.mkdir()
    verdict = {
        "level": "close",
        "headline": "Of use where real ECGs are lacking.",
        "sentences": ["As measured."],
        **facts,
    }
    summary = {"verdicts": dict.fromkeys(fingerprints, verdict), "fingerprints": fingerprints}
    (folder / "summary.json").write_text(json.dumps(summary))
    return folder


def test_a_report_says_how_it_was_made_and_where_it_is(real, generated, tmp_path):
    study = write_study(tmp_path / "study", {"a name": [fingerprints_of(generated)[1]]})
    other = replace(generated, signals=generated.signals + 1)
    job = Report(
        data={"source": lambda: real, "split": "test"},
        generated={"ours": generated},
        baseline={"name": "theirs", "source": lambda: other},
        utility=study,
        margins={"qt_interval_ms": 10},
        normality={"qtc": False},
        max_records=2,
        picture_formats=[],
        num_workers=1,
        out=tmp_path / "out",
    )
    result = job.run()
    assert result.path == tmp_path / "out" / "report.html"
    assert str(result).endswith(f"\nSaved to {result.path}")
    assert "ours. Realistic and normal? " in str(result)
    assert list(result.value.generated) == ["ours", "theirs"]
    assert "\nours. Of use? Of use where real ECGs are lacking.\nAs measured." in str(result)
    assert "theirs. Of use?" not in str(result)
    page = " ".join(result.path.read_text().split())
    assert '<p class="question">Of use?</p>' in page
    assert "Whether theirs is of use for training classifiers was not asked." in page
    assert {path.suffix for path in (tmp_path / "out" / "pictures").iterdir()} == {".png"}
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert {name: some["num_records"] for name, some in summary["sets"].items()} == {"real": 2, "ours": 2, "theirs": 2}
    settings = {"max_records": 2, "seed": 0, "margins": {"qt_interval_ms": 10}, "split": "test"}
    settings["delineation"] = "median_beat"
    assert summary["judgements"]["ours"]["utility"]["level"] == "close"
    assert summary["judgements"]["theirs"]["utility"] is None
    assert summary["settings"] == {**settings, "rules_off": ["qtc"], "training": "2 records", "utility": ["study"]}


def test_real_ecgs_that_a_generator_learned_from_are_refused(real, generated, tmp_path):
    learned = replace(generated, manifest={**generated.manifest})
    with pytest.raises(ValueError, match=r"4 of the 4 real ECGs are in the training set .* allow_overlap=true"):
        Report(real=real, generated=learned, training=real, num_workers=1, out=tmp_path / "out").run()


def test_a_study_of_other_ecgs_or_of_other_labels_is_refused(generated, tmp_path):
    labelled = replace(generated, records=generated.records.assign(labels=["A", "B", None]))
    relabelled = replace(generated, records=generated.records.assign(labels=["A", "B", "B"]))
    study = write_study(tmp_path / "study", {"generated": [fingerprints_of(labelled)[1]]})
    assert list(utility_verdicts([study], {"ours": labelled, "theirs": relabelled})) == ["ours"]
    for other in (relabelled, labelled.subset([1, 0, 2]), replace(labelled, signals=labelled.signals + 1)):
        with pytest.raises(ValueError, match="study is about other ECGs or labels than those of ours"):
            utility_verdicts([study], {"ours": other})
    with pytest.raises(ValueError, match="two results about ours: give one"):
        utility_verdicts([study, study], {"ours": labelled})


def test_a_study_of_a_set_a_label_is_about_each_of_them(generated, tmp_path):
    sets = {"MI": generated, "NORM": replace(generated, signals=generated.signals + 1)}
    study = write_study(tmp_path / "study", {"generated": [fingerprints_of(each)[0] for each in sets.values()]})
    found = utility_verdicts([study], sets)
    assert list(found) == ["MI", "NORM"]
    assert found["MI"].sentences[-1] == "Judged together with the sets of the other labels, 2 in all."


@pytest.mark.parametrize("facts", [{"level": "best"}, {"headline": None}, {"sentences": "one"}])
def test_what_no_study_wrote_is_refused(facts, generated, tmp_path):
    study = write_study(tmp_path / "study", {"ours": ["a"]}, **facts)
    with pytest.raises(ValueError, match=r"study is no result of evaluate\.py job=utility"):
        utility_verdicts([study], {"ours": generated})
    with pytest.raises(FileNotFoundError, match=r"nowhere holds no summary\.json; give the folder"):
        utility_verdicts([tmp_path / "nowhere"], {"ours": generated})


def test_a_report_is_no_study(generated, tmp_path):
    (tmp_path / "summary.json").write_text('{"judgements": {}}')
    with pytest.raises(ValueError, match=r"is no result of evaluate\.py job=utility"):
        utility_verdicts([tmp_path], {"ours": generated})


@pytest.mark.parametrize(
    ("generated", "named"),
    [
        (None, []),
        ("runs/a", [("generated", "runs/a")]),
        (["runs/a", "b"], [("a", "runs/a"), ("b", "b")]),
        ({"ours": "x/set", 1: "y/set"}, [("ours", "x/set"), ("1", "y/set")]),
    ],
)
def test_generated_sets_are_called_by_what_the_user_says_or_by_their_folders(generated, named):
    assert named_sets(generated) == named


@pytest.mark.parametrize("generated", [5, [None], {"a": None}, {"a": ["b"]}])
def test_what_are_no_folders_is_refused(generated):
    with pytest.raises(ValueError, match=r"generated must be a folder, \[A,B\] or \{ours:A,theirs:B\}; got"):
        Report(real="a", generated=generated, out="out")
