import base64
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import ecggan
from ecggan.data.sources.ludb import LUDBRecord, read_ludb
from ecggan.ecg import TWELVE_LEADS
from ecggan.evaluation.validation import validate_ludb as validation
from ecggan.evaluation.validation.validate_ludb import (
    LIMITS_MS,
    PUBLISHED_12SL,
    agreement,
    compare_with_12sl,
    main,
    reference_beats,
    reference_intervals,
    validate_on_ludb,
)
from ecggan.measurement.measure_record import measure_record
from ecggan.measurement.measure_set import measure

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


def muse(path: Path) -> tuple[np.ndarray, tuple[str, ...], dict[str, float]]:
    """Signals ``(lead, time)`` in mV, their leads, and the device's own measurements."""
    root = ET.parse(path).getroot()
    (rhythm,) = [w for w in root.iter("Waveform") if w.findtext("WaveformType") == "Rhythm"]
    leads = {}
    for lead in rhythm.iter("LeadData"):
        counts = np.frombuffer(base64.b64decode(lead.findtext("WaveFormData") or ""), "<i2")
        leads[lead.findtext("LeadID") or ""] = counts * float(lead.findtext("LeadAmplitudeUnitsPerBit") or "") / 1000
    of_device = root.find("RestingECGMeasurements")
    assert of_device is not None
    return np.stack(list(leads.values())), tuple(leads), {item.tag: float(item.text or "nan") for item in of_device}


@pytest.mark.slow
def test_intervals_agree_with_12sl_on_muse_records(shared_data: Path) -> None:
    files = sorted((shared_data / "muse_xml").glob("*.xml"))
    assert len(files) >= 2
    for file in files:
        signals, leads, device = muse(file)
        row = measure_record(signals, leads, RATE)
        assert row["heart_rate_bpm"] == pytest.approx(device["VentricularRate"], abs=1)
        assert row["pr_interval_ms"] == pytest.approx(device["PRInterval"], abs=12)
        assert row["qrs_duration_ms"] == pytest.approx(device["QRSDuration"], abs=12)
        assert row["qt_interval_ms"] == pytest.approx(device["QTInterval"], abs=20)
        assert row["qrs_axis_deg"] == pytest.approx(device["RAxis"], abs=8)


@pytest.mark.slow
def test_measurements_of_the_published_generator_agree_with_12sl() -> None:
    table = measure(ecggan.generate("published", num_records=400, seed=0, progress=False), progress=False)
    compared = compare_with_12sl(table)
    assert compared.attrs["num_normal"] > 320
    difference = dict(zip(PUBLISHED_12SL, compared["difference"], strict=True))
    for column, tolerance in {
        "heart_rate_bpm": 1.5,  # of 400 records the mean itself is known to 0.4 bpm; of 2,000 it lies within 1
        "pr_interval_ms": 6,
        "qrs_duration_ms": 6,
        "qt_interval_ms": 10,
        "qtc_fridericia_ms": 10,
        "qrs_axis_deg": 8,
    }.items():
        assert abs(difference[column]) <= tolerance, compared
    for lead in ("i", "ii", "v2", "v3", "v4", "v5", "v6"):
        column = f"r_amplitude_{lead}_mv"
        assert abs(difference[column]) <= 0.1 * PUBLISHED_12SL[column][0], compared


def test_ecgs_outside_every_range_are_an_error() -> None:
    columns = {column: [0.0] for column in PUBLISHED_12SL}
    with pytest.raises(ValueError, match="none of the 1 ECGs lies within the ranges"):
        compare_with_12sl(pd.DataFrame({"is_measurable": [True], **columns}))


def test_command_prints_both_halves(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = [*range(4, 84, 4), *range(2, 82, 4)]
    validated = pd.DataFrame({"record": numbers, "is_chosen_on": [n % 4 == 0 for n in numbers]})
    validated = validated.assign(
        is_measurable=validated["record"] != 50, reason="flat", annotated=10, matched=9, surplus=0
    )
    for column in LIMITS_MS:
        validated = validated.assign(**{column: 100.0, f"{column}_middle": 98.0, f"{column}_wide": 110.0})
    monkeypatch.setattr(validation, "validate_on_ludb", lambda root, num_workers: validated)
    main(["ludb_root=/anywhere"])
    printed = capsys.readouterr().out
    assert "40 records in sinus rhythm, 39 measurable (97.5%)" in printed
    assert "R-peaks within 75 ms: sensitivity 90.00%, precision 100.00% of 400 beats" in printed
    assert "not measurable: 50 (flat)" in printed
    for half in ("records that the constants were chosen on (20)", "records that confirm (20)", "all (40)"):
        assert half in printed
    assert printed.count("middle") == printed.count("wide") == 3 * 4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["ludb=/x"], "give ludb_root=DIR, ptbxl_root=DIR or generated=ECG_SET; got ludb=/x"),
        (["ludb_root=/nowhere"], "error: /nowhere/ludb.csv is missing; ludb_root must be the folder"),
        (["ludb_root=/nowhere", "num_workers=two"], "num_workers must be a whole number above 0; got two"),
    ],
)
def test_command_refuses_in_one_line(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code != 0
    assert message in capsys.readouterr().err
