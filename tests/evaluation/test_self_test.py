"""The proof that the evaluation cannot be fooled, on real ECGs and on the published generator's."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ecggan.data.ecg_set import ECGSet
from ecggan.data.ptbxl import ptbxl_set
from ecggan.data.quality import QualityRules
from ecggan.ecg import EIGHT_LEADS, ECGFormat
from ecggan.evaluation.self_test import FRESH, SelfTest, part, run_self_test, write_self_test
from ecggan.evaluation.spoilt import SPOILT


@pytest.fixture(scope="module")
def on_real_ecgs(shared_data: Path, paper_format: ECGFormat, tmp_path_factory: pytest.TempPathFactory) -> SelfTest:
    cache = tmp_path_factory.mktemp("cache")
    rules = QualityRules(min_peak_to_peak_mv=0.1, max_amplitude_mv=6)
    real = ptbxl_set(shared_data / "ptbxl", paper_format, rules, cache, 1, "NORM", 100, ["SR", "SARRH"])
    return run_self_test(real, num_workers=1, progress=False)


def assert_that_nothing_fools_it(found: SelfTest) -> None:
    assert found.assessment.failures == {}
    assert found.missed() == []
    assert found.false_alarms() == []
    assert found.passes()
    levels = {name: judgement.privacy.level for name, judgement in found.assessment.judgements.items()}
    copies = {name for name, spoilt in SPOILT.items() if spoilt.is_copy}
    assert {name for name, level in levels.items() if level == "far"} == copies
    assert all(found.assessment.judgements[name].novelty.membership.value >= 0.99 for name in copies - {"one repeated"})
    fresh = found.assessment.judgements[FRESH]
    for area in (fresh.novelty.membership, fresh.novelty.beat_membership):
        assert area.low < 0.5 < area.high
    assert "far" not in {fresh.verdict.level, fresh.variety.level, fresh.privacy.level}


@pytest.mark.slow
def test_nothing_fools_it_on_real_ecgs(on_real_ecgs: SelfTest) -> None:
    assert_that_nothing_fools_it(on_real_ecgs)


@pytest.mark.slow
def test_nothing_fools_it_on_the_published_generators_ecgs() -> None:
    from ecggan.generation.sampling import generate

    assert_that_nothing_fools_it(run_self_test(generate("published", 180, seed=3, progress=False), 1, progress=False))


@pytest.mark.slow
def test_what_was_found_is_written_down(on_real_ecgs: SelfTest, tmp_path: Path) -> None:
    page = write_self_test(tmp_path / "out", on_real_ecgs)
    names = {path.name for path in page.parent.iterdir()}
    assert names == {"self_test.md", "self_test.png", "self_test.pdf", "alarms.csv", "summary.json"}
    assert "Passed: 18 of 18 spoilt sets are caught; fresh real ECGs raise no alarm." in page.read_text()
    summary = json.loads((page.parent / "summary.json").read_text())
    assert summary["passes"] is True
    assert summary["alarms"][FRESH] == []
    assert {"copies", "membership"} <= set(summary["alarms"]["copy, shift"])
    with pytest.raises(FileExistsError, match="not empty"):
        write_self_test(tmp_path / "out", on_real_ecgs)


def test_no_patient_is_in_two_parts(known_ecg: Callable[..., np.ndarray]) -> None:
    ecgs = ECGSet.from_arrays(np.zeros((300, 8, 10)), EIGHT_LEADS, 500)
    ecgs.records["patient"] = [str(i // 2) for i in range(300)]
    parts = part(ecgs, seed=1)
    patients = [set(each.records["patient"]) for each in parts.values()]
    assert sum(map(len, patients)) == len(set.union(*patients)) == 150
    assert sum(map(len, parts.values())) == 300
    again, other = (part(ecgs, seed=seed)[FRESH].records["record"].tolist() for seed in (1, 2))
    assert again == parts[FRESH].records["record"].tolist() != other


def test_a_self_test_that_misses_a_set_or_gives_a_false_alarm_fails() -> None:
    rows = [{"set": name, "measure": "copies", "alarm": name != FRESH} for name in (FRESH, *SPOILT)]
    alarms = pd.DataFrame(rows)

    class Whole:
        failures: dict[str, str] = {}  # noqa: RUF012  stands in for an assessment

    def found(table: pd.DataFrame) -> SelfTest:
        return SelfTest(table, Whole(), {})  # type: ignore[arg-type]

    assert found(alarms).passes()
    missed = found(alarms.assign(alarm=alarms["alarm"] & (alarms["set"] != "flat")))
    assert missed.missed() == ["flat"]
    assert missed.verdict() == (
        "FAILED: 17 of 18 spoilt sets are caught, but not flat; fresh real ECGs raise no alarm."
    )
    false_alarm = found(alarms.assign(alarm=True))
    assert false_alarm.false_alarms() == ["copies"]
    assert "FAILED" in false_alarm.verdict()


def test_too_few_patients_or_leads_are_refused(known_ecg: Callable[..., np.ndarray]) -> None:
    with pytest.raises(ValueError, match=r"of 120 patients or more, .* the set has 4"):
        run_self_test(ECGSet.from_arrays(known_ecg(num_records=4), EIGHT_LEADS, 500))
    with pytest.raises(ValueError, match="lacks V6"):
        run_self_test(ECGSet.from_arrays(known_ecg(num_records=4)[:, :7], EIGHT_LEADS[:7], 500))
