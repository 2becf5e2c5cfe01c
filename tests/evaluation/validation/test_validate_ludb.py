from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ecggan.data.sources.ludb import LUDBRecord, read_ludb
from ecggan.ecg import TWELVE_LEADS
from ecggan.evaluation.validation.validate_ludb import (
    LIMITS_MS,
    agreement,
    reference_beats,
    reference_intervals,
    summary_text,
    validate_on_ludb,
)
from ecggan.measurement.measure_set import measure_record

RATE = 500


def annotated(onsets_ms: dict[str, list[float]], offsets_ms: dict[str, list[float]]) -> LUDBRecord:
    """Two beats, 1 s apart; the boundaries of each wave in the 12 leads, in ms after the R-peak."""
    rows = [
        (lead, wave, peak + onsets_ms[wave][i] / 2, peak + at / 2, peak + offsets_ms[wave][i] / 2)
        for peak in (1000.0, 1500.0)
        for i, lead in enumerate(TWELVE_LEADS)
        for wave, at in (("p", -120), ("qrs", 0), ("t", 250))
    ]
    waves = pd.DataFrame(rows, columns=["lead", "wave", "onset", "peak", "offset"])
    return LUDBRecord(1, np.zeros((12, 5000)), TWELVE_LEADS, RATE, waves)


def test_reference_takes_the_middle_or_the_second_outermost_of_the_leads() -> None:
    spread = [-10.0, -8, *[0] * 8, 8, 10]
    onsets = {"p": [-170 + x for x in spread], "qrs": [-40 + x for x in spread], "t": [200.0] * 12}
    offsets = {"p": [-70 + x for x in spread], "qrs": [50 + x for x in spread], "t": [350 + x for x in spread]}
    record = annotated(onsets, offsets)
    assert reference_beats(record).tolist() == [1000, 1500]
    middle, wide = (reference_intervals(record, convention) for convention in ("middle", "wide"))
    assert middle == {"p_duration_ms": 100, "pr_interval_ms": 130, "qrs_duration_ms": 90, "qt_interval_ms": 390}
    assert wide == {"p_duration_ms": 116, "pr_interval_ms": 130, "qrs_duration_ms": 106, "qt_interval_ms": 406}


def test_a_wave_that_few_leads_show_has_no_reference() -> None:
    known = {"p": [-170.0] * 12, "qrs": [-40.0] * 12, "t": [200.0] * 12}
    record = annotated(known, {"p": [-70.0] * 5 + [np.nan] * 7, "qrs": [50.0] * 12, "t": [350.0] * 12})
    middle = reference_intervals(record, "middle")
    assert np.isnan(middle["p_duration_ms"])
    assert middle["pr_interval_ms"] == 130


def test_agreement_leaves_the_largest_four_per_cent_out() -> None:
    errors = np.append(np.tile([-4.0, 6.0], 24), [300.0, 100.0])  # two of fifty
    validated = pd.DataFrame(dict.fromkeys(LIMITS_MS, 100 + errors))
    for column in LIMITS_MS:
        validated[f"{column}_middle"], validated[f"{column}_wide"] = 100.0, np.nan
        validated.loc[0, f"{column}_wide"] = validated.loc[1, f"{column}_wide"] = 100.0
    row = agreement(validated).set_index(["measurement", "convention"]).loc[("QRS duration", "middle")]
    assert (row["num_records"], row["num_missing"]) == (50, 0)
    assert row["trimmed_mean"] == pytest.approx(1)
    assert row["trimmed_sd"] == pytest.approx(5, abs=0.1)
    assert row["within_limits"]
    assert not row["all_within_limits"]


@pytest.mark.slow
def test_intervals_agree_with_cardiologists_within_iec_60601_2_25(shared_data: Path) -> None:
    validated = validate_on_ludb(shared_data / "ludb", progress=False)
    assert len(validated) >= 80
    assert validated["is_measurable"].mean() >= 0.98
    matched, surplus = validated["matched"].sum(), validated["surplus"].sum()
    assert matched / validated["annotated"].sum() >= 0.995
    assert matched / (matched + surplus) >= 0.995
    for half in (validated, validated[validated["is_chosen_on"]], validated[~validated["is_chosen_on"]]):
        table = agreement(half)
        middle = table[table["convention"] == "middle"]
        assert len(middle) == len(LIMITS_MS)
        assert middle["within_limits"].all(), table
        assert middle["num_missing"].max() <= 0.02 * len(half) + 1


@pytest.mark.slow
def test_fibrillation_on_ludb_has_no_p_wave(shared_data: Path) -> None:
    patients = pd.read_csv(shared_data / "ludb" / "ludb.csv")
    numbers = patients.loc[patients["Rhythms"].str.contains("fibrillation"), "ID"]
    rows = []
    for number in numbers:
        if (shared_data / "ludb" / "data" / f"{number}.hea").is_file():
            record = read_ludb(shared_data / "ludb", number)
            rows.append(measure_record(record.millivolts, record.leads, record.sampling_rate))
    table = pd.DataFrame(rows)
    assert len(table) >= 7
    assert table["is_measurable"].all()
    assert table["pr_interval_ms"].isna().sum() >= len(table) - 1
    assert table.loc[table["pr_interval_ms"].isna(), "missing"].str.contains("P wave").all()


def test_summary_has_both_halves() -> None:
    numbers = [*range(4, 84, 4), *range(2, 82, 4)]
    validated = pd.DataFrame({"record": numbers, "is_chosen_on": [n % 4 == 0 for n in numbers]})
    validated = validated.assign(
        is_measurable=validated["record"] != 50, reason="flat", annotated=10, matched=9, surplus=0
    )
    for column in LIMITS_MS:
        validated = validated.assign(**{column: 100.0, f"{column}_middle": 98.0, f"{column}_wide": 110.0})
    printed = summary_text(validated)
    assert "40 records in sinus rhythm, 39 measurable (97.5%)" in printed
    assert "R-peaks within 75 ms: sensitivity 90.00%, precision 100.00% of 400 beats" in printed
    assert "not measurable: 50 (flat)" in printed
    for half in ("records that the constants were chosen on (20)", "records that confirm (20)", "all (40)"):
        assert half in printed
    assert printed.count("middle") == printed.count("wide") == 3 * 4
