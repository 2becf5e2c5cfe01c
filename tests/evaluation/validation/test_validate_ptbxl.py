from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ecggan.evaluation.validation.__main__ import main
from ecggan.evaluation.validation.validate_ptbxl import (
    agreement_rates,
    catches,
    caught_by_superclass,
    summary_text,
    validate_on_ptbxl,
)

ROWS = [  # patient (12 is held out), statements, the heart rate of the ECG that lies there; None: no file
    (2, "{'NORM': 100.0, 'SR': 0.0}", 70),
    (2, "{'NORM': 80.0, 'SR': 0.0}", 70),
    (3, "{'NORM': 100.0, 'PVC': 0.0}", 45),
    (5, "{'IMI': 100.0, 'LVH': 50.0}", 45),
    (7, "{'AFLT': 100.0}", 70),
    (8, "{'NORM': 100.0}", None),
    (9, "damaged", 70),
    (12, "{'NORM': 100.0}", 70),
]


@pytest.fixture
def folder(tmp_path: Path, known_ecg: Callable[..., np.ndarray], write_wfdb: Callable[..., Path]) -> Path:
    rows = []
    for i, (patient, codes, rate) in enumerate(ROWS):
        rows.append({"ecg_id": i, "patient_id": patient, "scp_codes": codes, "filename_hr": f"records500/{i}_hr"})
        if rate is not None:
            write_wfdb(tmp_path / "records500", f"{i}_hr", known_ecg(heart_rate_bpm=rate)[0])
    pd.DataFrame(rows).to_csv(tmp_path / "ptbxl_database.csv", index=False)
    classes = {"NORM": "NORM", "IMI": "MI", "LVH": "HYP", "SR": None, "PVC": None}
    statements = pd.DataFrame({"": list(classes), "diagnostic_class": list(classes.values())})
    statements.to_csv(tmp_path / "scp_statements.csv", index=False)
    return tmp_path


def test_rates_count_norm_that_passes_and_the_others_that_fail_in_each_part(folder: Path) -> None:
    validated = validate_on_ptbxl(folder, num_workers=1, progress=False)
    rates = agreement_rates(validated).query("verdict == 'normal'").set_index(["records", "group"])
    counts = [f"{right}/{total}" for right, total in rates[["num_right", "num_records"]].to_numpy()]
    assert counts == ["2/3", "1/1", "1/2", "1/1", "1/1", "0/0", "3/4", "2/2", "1/2"]
    assert rates.loc[("all", "the others that fail"), "share"] == 0.5
    low, high = rates.loc[("all", "the others that fail"), ["low", "high"]]
    assert low == pytest.approx(0.0945, abs=1e-3)  # (p + z²/2n ± z √(p(1 − p)/n + z²/4n²)) / (1 + z²/n)
    assert high == pytest.approx(0.9055, abs=1e-3)


def test_a_bad_file_is_counted_and_named_and_ends_nothing(folder: Path) -> None:
    validated = validate_on_ptbxl(folder, num_workers=1, progress=False)
    bad = validated[validated["error"] != ""]
    assert bad["record"].tolist() == ["5_hr", "6_hr"]
    assert "5_hr.hea is missing" in bad["error"].iloc[0]
    assert bad["error"].iloc[1] == "damaged row of the database"
    words = summary_text(validated)
    assert "6 records screened, 2 could not be read" in words
    assert "not read: 6_hr (damaged row of the database)" in words
    assert "NORM that fails: 2_hr (NORM:100 PVC:0): heart rate 4" in words
    assert "passes without NORM: 4_hr (AFLT:100)" in words


def test_catches_and_superclasses_count_what_fails(folder: Path) -> None:
    validated = validate_on_ptbxl(folder, num_workers=1, progress=False)
    rate = catches(validated).set_index("rule").loc["rate"]
    assert rate.to_dict() == {"norm": 1, "norm_alone": 1, "other": 1, "other_alone": 1}
    by_class = caught_by_superclass(validated).set_index("superclass")
    assert by_class["num_records"].to_dict() == {"HYP": 1, "MI": 1, "none": 1}
    assert by_class["num_caught"].to_dict() == {"HYP": 1, "MI": 1, "none": 0}


def test_command_prints_the_screen_on_ptbxl(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main([f"ptbxl_root={folder}", "num_workers=1"])
    assert "held out" in capsys.readouterr().out


def test_a_folder_without_the_database_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"ptbxl_database\.csv is missing; ptbxl_root must be the folder"):
        validate_on_ptbxl(tmp_path)
    (tmp_path / "ptbxl_database.csv").write_text("ecg_id,patient_id\n1,2\n")
    with pytest.raises(ValueError, match=r"lacks scp_codes, filename_hr; download it again"):
        validate_on_ptbxl(tmp_path)


@pytest.mark.full
def test_screen_agrees_with_ptbxl_as_written_down(shared_data: Path) -> None:
    rates = agreement_rates(validate_on_ptbxl(shared_data / "ptbxl", num_workers=2, progress=False))
    share = rates.set_index(["records", "verdict", "group"])["share"]
    # docs/results/screen.md, the oldest part
    assert share["all", "otherwise normal", "NORM that pass"] >= 0.9
    assert share["all", "otherwise normal", "strict NORM that pass"] >= 0.94
    assert share["all", "otherwise normal", "the others that fail"] >= 0.77
