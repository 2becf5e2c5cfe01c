"""The proof that the evaluation cannot be fooled, on real ECGs and on the published generator's."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from ecggan.data.sets.ecg_set import ECGSet
from ecggan.ecg import EIGHT_LEADS
from ecggan.evaluation.self_test.corruptions import CORRUPTIONS, FRESH, HELD_OUT, TRAINING
from ecggan.evaluation.self_test.self_test import SelfTest, run_self_test, split_by_patient
from tests.conftest import SHARED_DATA
from tests.runs import run_in_process
from tests.sizes import IS_FULL, sized

# that few measures catch: novelty alone, repeats alone, clouds alone, one measurement alone
HARDEST = ("copy, noise", "one repeated", "half the modes", "unequal beats")
TRIED = sized(HARDEST, tuple(CORRUPTIONS))


def assert_that_nothing_fools_it(tmp_path: Path, *arguments: str) -> None:
    out, quoted = tmp_path / "out", ",".join(f"'{name}'" for name in TRIED)
    options = (f"corruptions=[{quoted}]", "num_workers=1", f"out={out}")
    run = run_in_process("evaluate", "job=self_test", *options, *arguments, cwd=tmp_path)
    assert run.returncode == 0, run.stdout + run.stderr
    num_tried = len(TRIED)
    assert (
        f"Passed: {num_tried} of {num_tried} corrupted sets are caught; fresh real ECGs raise no alarm." in run.stdout
    )
    names = {path.name for path in out.iterdir()}
    assert names == {"self_test.md", "self_test.png", "self_test.pdf", "alarms.csv", "summary.json"}
    summary = json.loads((out / "summary.json").read_text())
    assert summary["passes"] is True
    assert summary["failures"] == {}
    assert summary["alarms"].pop(FRESH) == []
    assert all(summary["alarms"][name] for name in TRIED)
    copies = {name for name in TRIED if CORRUPTIONS[name].source == TRAINING}
    leaks = copies | {name for name in TRIED if CORRUPTIONS[name].source == HELD_OUT}
    assert {summary["levels"][name]["New?"] for name in leaks} == {"far"}
    assert "far" not in summary["levels"][FRESH].values()
    alarms = pd.read_csv(out / "alarms.csv").set_index(["set", "measure"])["value"]
    for measure, least in (("membership", 0.99), ("membership by beat", 0.95)):
        assert min(alarms[name, measure] for name in copies - {"one repeated"}) >= least
        assert alarms[FRESH, measure] < 0.65


@pytest.mark.slow
def test_nothing_fools_it_on_real_ecgs(shared_data: Path, tmp_path: Path) -> None:
    size = "max_records=" + sized("240", "null")
    assert_that_nothing_fools_it(tmp_path, "data=ptbxl", f"data.root={shared_data / 'ptbxl'}", size)


@pytest.mark.slow
@pytest.mark.skipif(SHARED_DATA.is_dir() and not IS_FULL, reason="real ECGs are there; make test-full takes both")
def test_nothing_fools_it_on_the_published_generators_ecgs(tmp_path: Path) -> None:
    assert_that_nothing_fools_it(tmp_path, "data=deepfake", "data.source.num_records=180")


def test_no_patient_is_in_two_parts(known_ecg: Callable[..., np.ndarray]) -> None:
    ecgs = ECGSet.from_arrays(np.zeros((300, 8, 10)), EIGHT_LEADS, 500)
    ecgs.records["patient"] = [str(i // 2) for i in range(300)]
    splits = split_by_patient(ecgs, seed=1)
    patients = [set(each.records["patient"]) for each in splits.values()]
    assert sum(map(len, patients)) == len(set.union(*patients)) == 150
    assert sum(map(len, splits.values())) == 300
    again, other = (split_by_patient(ecgs, seed=seed)[FRESH].records["record"].tolist() for seed in (1, 2))
    assert again == splits[FRESH].records["record"].tolist() != other


def test_a_self_test_that_misses_a_set_or_gives_a_false_alarm_fails() -> None:
    rows = [{"set": name, "measure": "copies", "alarm": name != FRESH} for name in (FRESH, *CORRUPTIONS)]
    alarms = pd.DataFrame(rows)

    whole = SimpleNamespace(failures={})

    def found(table: pd.DataFrame) -> SelfTest:
        test = object.__new__(SelfTest)  # an assessment is long in the making
        test.__dict__.update(alarms=table, assessment=whole, splits={})
        return test

    assert found(alarms).passes()
    missed = found(alarms.assign(alarm=alarms["alarm"] & (alarms["set"] != "flat")))
    assert missed.missed() == ["flat"]
    assert missed.verdict() == (
        "FAILED: 19 of 20 corrupted sets are caught, but not flat; fresh real ECGs raise no alarm."
    )
    false_alarm = found(alarms.assign(alarm=True))
    assert false_alarm.false_alarms() == ["copies"]
    assert "FAILED" in false_alarm.verdict()


def test_too_few_patients_or_leads_are_refused(known_ecg: Callable[..., np.ndarray]) -> None:
    with pytest.raises(ValueError, match=r"of 120 patients or more, .* the set has 4"):
        run_self_test(ECGSet.from_arrays(known_ecg(num_records=4), EIGHT_LEADS, 500))
    with pytest.raises(ValueError, match="lacks V6"):
        run_self_test(ECGSet.from_arrays(known_ecg(num_records=4)[:, :7], EIGHT_LEADS[:7], 500))
