import base64
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import ecggan
from ecggan.evaluation.comparison.published import PUBLISHED_12SL
from ecggan.evaluation.validation.compare_12sl import compare_with_12sl
from ecggan.measurement.measure_set import measure, measure_record
from tests.sizes import sized


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
        row = measure_record(signals, leads, 500)
        assert row["heart_rate_bpm"] == pytest.approx(device["VentricularRate"], abs=1)
        assert row["pr_interval_ms"] == pytest.approx(device["PRInterval"], abs=12)
        assert row["qrs_duration_ms"] == pytest.approx(device["QRSDuration"], abs=12)
        assert row["qt_interval_ms"] == pytest.approx(device["QTInterval"], abs=20)
        assert row["qrs_axis_deg"] == pytest.approx(device["RAxis"], abs=8)


@pytest.mark.slow
def test_measurements_of_the_published_generator_agree_with_12sl() -> None:
    table = measure(ecggan.generate("published", num_records=sized(200, 400), seed=0, progress=False), progress=False)
    compared = compare_with_12sl(table)
    assert compared.attrs["num_normal"] > 0.8 * len(table)
    difference = dict(zip(PUBLISHED_12SL, compared["difference"], strict=True))
    for column, tolerance in {
        "heart_rate_bpm": 1.5,  # of 200 records the mean itself is known to 0.6 bpm; of 2,000 it lies within 1
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
    for lead in ("iii", "avr", "v1"):  # of 200 records the mean in III is known to 6 %
        column = f"r_amplitude_{lead}_mv"
        assert abs(difference[column]) <= 0.2 * PUBLISHED_12SL[column][0], compared


def test_ecgs_outside_every_range_are_an_error() -> None:
    columns = {column: [0.0] for column in PUBLISHED_12SL}
    with pytest.raises(ValueError, match="none of the 1 ECGs is within the ranges"):
        compare_with_12sl(pd.DataFrame({"is_measurable": [True], **columns}))
