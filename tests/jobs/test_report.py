import json
from dataclasses import replace

import pytest

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


def test_a_report_says_how_it_was_made_and_where_it_is(real, generated, tmp_path):
    job = Report(
        data={"source": lambda: real, "split": "test"},
        generated={"ours": generated},
        baseline={"name": "theirs", "source": lambda: generated},
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
    assert {path.suffix for path in (tmp_path / "out" / "pictures").iterdir()} == {".png"}
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert {name: some["num_records"] for name, some in summary["sets"].items()} == {"real": 2, "ours": 2, "theirs": 2}
    settings = {"max_records": 2, "seed": 0, "margins": {"qt_interval_ms": 10}, "split": "test"}
    settings["delineation"] = "median_beat"
    assert summary["settings"] == {**settings, "rules_off": ["qtc"], "training": "2 records"}


def test_real_ecgs_that_a_generator_learned_from_are_refused(real, generated, tmp_path):
    learned = replace(generated, manifest={**generated.manifest})
    with pytest.raises(ValueError, match=r"4 of the 4 real ECGs are in the training set .* allow_overlap=true"):
        Report(real=real, generated=learned, training=real, num_workers=1, out=tmp_path / "out").run()


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
