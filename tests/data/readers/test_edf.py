"""EDF: as wfdb's converter writes it, and as the specification has it."""

import numpy as np
import pytest
from wfdb.io.convert.edf import read_edf as read_by_wfdb
from wfdb.io.convert.edf import wfdb_to_edf

from ecggan.data.readers.devices import read_device_file
from ecggan.data.readers.registry import read_record
from ecggan.data.record import Layout
from ecggan.ecg import EIGHT_LEADS, TWELVE_LEADS, select_leads


def edf(signals, reserved="EDF+C", patient="P7 F 02-MAR-1960 Roe", start="03.04.20", num_records=2, seconds="1"):
    """A file of these signals: label, unit, integers, and what else a signal states."""
    stated = [
        {"label": label, "unit": unit, "least": -1000, "most": 1000, "least_step": -2000, "most_step": 2000, **others}
        for label, unit, _, others in signals
    ]
    count = [len(steps) // num_records for _, _, steps, _ in signals]
    for each, per_record in zip(stated, count, strict=True):
        each.setdefault("per_record", per_record)
    fields = (("label", 16), ("", 80), ("unit", 8), ("least", 8), ("most", 8), ("least_step", 8), ("most_step", 8),
              ("", 80), ("per_record", 8), ("", 32))  # fmt: skip
    head = f"{'0':8}{patient:80}{'Startdate X X X X':80}{start:8}{'09.10.11':8}{256 * (1 + len(signals)):<8}"
    head += f"{reserved:44}{num_records:<8}{seconds:8}{len(signals):<4}"
    head += "".join(f"{each.get(name, ''):<{size}}" for name, size in fields for each in stated)
    records = [
        b"".join(
            steps[i * n : (i + 1) * n].astype("<i2").tobytes()
            for (_, _, steps, _), n in zip(signals, count, strict=True)
        )
        for i in range(num_records)
    ]
    return head.encode("latin-1") + b"".join(records)


@pytest.fixture
def steps():
    return np.random.default_rng(0).integers(-2000, 2000, (8, 1000))


def signals(steps, spelling="ECG {}", unit="uV"):
    return [(spelling.format(lead), unit, each, {}) for lead, each in zip(EIGHT_LEADS, steps, strict=True)]


def test_file_that_wfdb_writes_is_read_to_the_microvolt(tmp_path, shared_data):
    record = shared_data / "ptbxl/records500/00000/00001_hr"
    wfdb_to_edf(str(record), output_filename=str(tmp_path / "a.edf"))
    ours = read_device_file(tmp_path / "a.edf")
    assert (ours.leads, ours.sampling_rate) == (TWELVE_LEADS, 500)
    expected = read_record(record.with_suffix(".hea"), Layout()).millivolts
    # it rounds to steps of its own, and fills the last second
    np.testing.assert_allclose(ours.millivolts[:, : expected.shape[1]], expected, atol=0.002)
    np.testing.assert_allclose(ours.millivolts, read_by_wfdb(str(tmp_path / "a.edf")).p_signal.T, atol=1e-9)


def test_file_is_read_as_its_integers_say(tmp_path, steps):
    rest = [
        ("EDF Annotations", "", np.zeros(40), {}),
        ("Resp chest", "ohm", np.zeros(50), {}),
        ("HR", "", np.zeros(2), {}),
    ]
    (tmp_path / "a.edf").write_bytes(edf([*rest[:1], *signals(steps), *rest[1:]]))
    record = read_device_file(tmp_path / "a.edf")
    assert (record.leads, record.sampling_rate) == (EIGHT_LEADS, 500)
    np.testing.assert_allclose(record.millivolts, steps / 2000, atol=1e-12)
    assert record.facts == {"patient": "P7", "sex": "female", "age": 60.0, "date": "2020-04-03T09:10:11"}


def test_name_in_plain_edf_is_left_behind_and_an_empty_date_is_none(tmp_path, steps):
    (tmp_path / "a.edf").write_bytes(edf(signals(steps), reserved="", patient="Roe Jane 1960", start="01.01.85"))
    assert read_device_file(tmp_path / "a.edf").facts == {}
    (tmp_path / "a.edf").write_bytes(edf(signals(steps), patient="X X X X"))
    assert read_device_file(tmp_path / "a.edf").facts == {"date": "2020-04-03T09:10:11"}


def test_rate_follows_from_the_length_of_a_record(tmp_path, steps):
    (tmp_path / "a.edf").write_bytes(edf(signals(steps[:, :512]), seconds="1.024"))
    assert read_device_file(tmp_path / "a.edf").sampling_rate == 250


WRONG = {
    "the unit 'mmHg' is not known": {"unit": "mmHg"},
    "the unit of V6 is not stated": {"unit": ""},
    "the range of V6 is empty": {"least": 5, "most": 5},
    "the range of V6 is not stated in numbers": {"most_step": "x"},
    "two leads have one name": {"label": "ECG V5"},
}


@pytest.mark.parametrize("reason", WRONG)
def test_signal_that_nobody_asked_for_costs_itself_alone(tmp_path, steps, reason):
    changed = signals(steps)
    changed[7] = (*changed[7][:3], WRONG[reason])
    (tmp_path / "a.edf").write_bytes(edf(changed))
    record = read_record(tmp_path / "a.edf", Layout(), leads=EIGHT_LEADS[:6])
    np.testing.assert_allclose(
        select_leads(record.millivolts, record.leads, EIGHT_LEADS[:6]), steps[:6] / 2000, atol=1e-12
    )
    with pytest.raises(ValueError, match=f"a.edf cannot be read .*{reason}"):
        read_record(tmp_path / "a.edf", Layout())


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ({"reserved": "EDF+D"}, "do not follow one another"),
        ({"seconds": "0"}, "samples in 0 s"),
        ({"seconds": "nan"}, "samples in nan s"),
        ({"seconds": "x"}, "a.edf cannot be read"),
    ],
)
def test_file_that_leaves_something_to_guess_is_refused(tmp_path, steps, how, reason):
    (tmp_path / "a.edf").write_bytes(edf(signals(steps), **how))
    with pytest.raises(ValueError, match=reason):
        read_device_file(tmp_path / "a.edf")


def test_file_that_was_cut_off_is_refused_and_one_that_was_not_closed_is_read(tmp_path, steps):
    content = edf(signals(steps))
    for share in (0.001, 0.1, 0.5, 0.999):
        (tmp_path / "a.edf").write_bytes(content[: int(len(content) * share)])
        with pytest.raises(ValueError, match=r"a\.edf cannot be read"):
            read_device_file(tmp_path / "a.edf")
    (tmp_path / "a.edf").write_bytes(content[:236] + b"-1      " + content[244:])
    np.testing.assert_allclose(read_device_file(tmp_path / "a.edf").millivolts, steps / 2000, atol=1e-12)
