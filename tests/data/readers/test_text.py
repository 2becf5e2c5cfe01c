"""Text as other programs write it: no sample is lost or moved in silence."""

import numpy as np
import pandas as pd
import pytest

from ecggan.data.readers.text import parse_text, read_text
from ecggan.data.record import Layout
from ecggan.ecg import EIGHT_LEADS

MV, UV = Layout(EIGHT_LEADS, 500, "mV"), Layout(EIGHT_LEADS, 500, "uV")
NAMES = ",".join(EIGHT_LEADS)


@pytest.fixture
def ecg(known_ecg):
    """In mV, ``(lead, time)``."""
    return np.round(known_ecg(num_samples=60)[0], 3)


def table(ecg, separator=",", point=".", form="%.3f"):
    return "".join(separator.join((form % value).replace(".", point) for value in row) + "\n" for row in ecg.T)


def assert_read(content, layout, ecg, tmp_path):
    content = content.encode() if isinstance(content, str) else content
    record = parse_text(content, layout, tmp_path / "a.csv", EIGHT_LEADS)
    np.testing.assert_allclose([record.millivolts[record.leads.index(lead)] for lead in EIGHT_LEADS], ecg, atol=1e-9)


@pytest.mark.parametrize("form", ["%.3f", "%d"])
@pytest.mark.parametrize(
    "header",
    ["0,1,2,3,4,5,6,7", "1,2,3,4,5,6,7,8", '"0","1","2","3","4","5","6","7"', "0.0,1.0,2.0,3.0,4.0,5.0,6.0,7.0"],
)
def test_header_of_numbers_is_no_sample(ecg, tmp_path, header, form):
    ecg, layout = (ecg, MV) if form != "%d" else (np.rint(ecg * 1000), UV)
    scale = 1 if layout is MV else 1e-3
    assert_read(f"{header}\n{table(ecg, form=form)}", layout, ecg * scale, tmp_path)
    semicolons = table(ecg, ";", ",", form)
    assert_read(f"{header.replace(',', ';')}\n{semicolons}", layout, ecg * scale, tmp_path)


@pytest.mark.parametrize("unit", ["mV", "uV"])
@pytest.mark.parametrize("has_index", [True, False])
@pytest.mark.parametrize("columns", [None, list(EIGHT_LEADS), [f"Lead {lead}" for lead in EIGHT_LEADS]])
def test_what_pandas_writes_is_read_from_its_first_sample(ecg, tmp_path, unit, has_index, columns):
    values = ecg if unit == "mV" else np.rint(ecg * 1000).astype(int)
    content = pd.DataFrame(values.T, columns=columns).to_csv(index=has_index)
    assert_read(content, Layout(EIGHT_LEADS, 500, unit), ecg, tmp_path)


def test_numbers_of_some_columns_are_a_header_or_refused(ecg, tmp_path):
    header = "0,1,6,7,8,9,10,11\n"
    assert_read(header + table(ecg), MV, ecg, tmp_path)
    with pytest.raises(ValueError, match=r"its first row, 0, 1, 6, 7, .* may number the columns"):
        assert_read(header + table(np.rint(ecg * 1000), form="%d"), UV, ecg, tmp_path)


def test_first_row_that_may_be_either_is_refused_by_name(tmp_path):
    for content, leads in (("0\n5\n-3\n", ["I"]), ("0,1\n4,5\n", ["I", "II"]), ("1,2,3\n4,5,6\n", ["I", "II", "V1"])):
        row = content.split("\n")[0].replace(",", ", ")
        with pytest.raises(ValueError, match=f"its first row, {row}, may number the columns or hold the first sample"):
            parse_text(content.encode(), Layout(leads, 500, "uV"), tmp_path / "a.csv")
        named = ",".join(leads) + "\n" + content
        assert parse_text(named.encode(), Layout(None, 500, "uV"), tmp_path / "a.csv").millivolts[0, 0] in (0, 1e-3)
        said = Layout(None, 500, "uV", lead_names=dict(zip(content.split("\n")[0].split(","), leads, strict=True)))
        assert parse_text(content.encode(), said, tmp_path / "a.csv").millivolts[0, 0] in (5e-3, 4e-3)


@pytest.mark.parametrize("content", ["0.0\n0.001\n", "5\n0\n", "-1\n3\n", "0.5\n1\n", "7,0\n1,2\n", "nan\n1\n"])
def test_first_sample_that_is_no_header_is_kept(tmp_path, content):
    layout = Layout(["I", "II"][: content.count(",") // 2 + 1], 500, "uV")
    record = parse_text(content.encode(), layout, tmp_path / "a.csv")
    assert record.millivolts.shape[1] == 2


@pytest.mark.parametrize(
    ("separator", "point"), [(";", ","), (";", "."), ("\t", ","), ("\t", "."), (" ", ","), ("  ", ".")]
)
@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_decimal_commas_are_read_where_something_else_separates(ecg, tmp_path, separator, point, header, end):
    first = separator.join(EIGHT_LEADS) + "\n" if header else ""
    assert_read((first + table(ecg, separator, point)).replace("\n", end), MV, ecg, tmp_path)


def test_decimal_commas_of_one_lead_are_known_by_its_name_or_its_number(ecg, tmp_path):
    one = table(ecg[:1], ";", ",")
    for content, layout in ((f"I\n{one}", Layout(None, 500, "mV")), (one, Layout(["I"], 500, "mV"))):
        record = parse_text(content.encode(), layout, tmp_path / "a.csv")
        np.testing.assert_allclose(record.millivolts, ecg[:1], atol=1e-9)


@pytest.mark.parametrize("row", ["1.234,5", "0,5x", "1 000,5", "0.5"])
def test_cell_that_mixes_points_and_commas_is_refused_with_its_row(ecg, tmp_path, row):
    lines = table(ecg, ";", ",").splitlines()
    lines[4] = ";".join([row] * 8)
    with pytest.raises(ValueError, match=rf"could not convert string to float: '{row}' \(I, row 5\)"):
        assert_read("\n".join(lines), MV, ecg, tmp_path)


@pytest.mark.parametrize(
    "units", [["mV"] * 8, ["(mV)"] * 8, ["[mV]"] * 8, ["'mV'"] * 8, ["millivolts"] * 8, ["mV", *[""] * 7]]
)
def test_row_of_units_is_no_sample(ecg, tmp_path, units):
    content = f"{NAMES}\n{','.join(units)}\n{table(ecg)}"
    assert_read(content, Layout(None, 500, "mV"), ecg, tmp_path)
    if all(units):
        assert_read(content, Layout(None, 500, None), ecg, tmp_path)
    with pytest.raises(ValueError, match=r"the name of I states .*, but its unit is stated as uV"):
        assert_read(content, Layout(None, 500, "uV"), ecg, tmp_path)


def test_unit_of_a_wanted_lead_that_is_no_voltage_is_refused_and_that_of_another_is_not(ecg, tmp_path):
    rows = "".join(f"{i},{line}\n" for i, line in enumerate(table(ecg).splitlines()))
    assert_read(f"RESP,{NAMES}\nohm,{','.join(['mV'] * 8)}\n{rows}", MV, ecg, tmp_path)
    with pytest.raises(ValueError, match="the unit 'mmHg' of I is no known voltage"):
        assert_read(f"{NAMES}\nmmHg,{','.join(['mV'] * 7)}\n{table(ecg)}", MV, ecg, tmp_path)
    with pytest.raises(ValueError, match="I is in uV by its name, and in mV by the row beneath it"):
        assert_read(f"I (uV){NAMES[1:]}\n{','.join(['mV'] * 8)}\n{table(ecg)}", Layout(None, 500), ecg, tmp_path)


@pytest.mark.parametrize("word", ["LSB", "[counts]", "(a.u.)", "n/a"])
def test_word_that_is_no_unit_leaves_that_of_the_user(ecg, tmp_path, word):
    bare = word.strip("[]()")
    for content in (
        f"{NAMES}\n{','.join([word] * 8)}\n{table(ecg)}",
        f"{NAMES.replace(',', f' ({bare}),')} ({bare})\n{table(ecg)}",
    ):
        assert_read(content, MV, ecg, tmp_path)
        with pytest.raises(ValueError, match="unit are not known"):
            assert_read(content, Layout(None, 500), ecg, tmp_path)


def test_what_rdsamp_writes_is_read(ecg, tmp_path):
    rows = [f"{i / 500:.3f},{line}" for i, line in enumerate(table(ecg).splitlines())]
    rows[7] = rows[7].rsplit(",", 1)[0] + ",-"  # an invalid sample
    ecg = ecg.copy()
    ecg[7, 7] = np.nan
    names = ",".join(f"'{lead}'" for lead in EIGHT_LEADS)
    units = ",".join(["'mV'"] * 8)
    content = f"'Elapsed time',{names}\n'seconds',{units}\n" + "\n".join(rows)
    assert_read(content, Layout(None, 500), ecg, tmp_path)


@pytest.mark.parametrize("stamp", ["12:00:00.00{}", "2026-11-29 00:00:0{}", "t{}"])
def test_column_that_is_no_number_costs_itself_alone(ecg, tmp_path, stamp):
    rows = "".join(f"{stamp.format(i % 9)},{line}\n" for i, line in enumerate(table(ecg).splitlines()))
    assert_read(f"Time,{NAMES}\n{rows}", MV, ecg, tmp_path)
    with pytest.raises(ValueError, match="could not convert string to float"):
        assert_read(f"{NAMES}\n" + table(ecg).replace("\n", "x\n"), MV, ecg, tmp_path)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_byte_order_marks_are_no_part_of_a_name(ecg, tmp_path, encoding):
    for content in (
        table(ecg),
        f"{NAMES}\n{table(ecg)}",
        f"I (mV){NAMES[1:]}\n{table(ecg)}",
        f"# {NAMES}\n{table(ecg)}",
    ):
        assert_read(content.encode(encoding), MV, ecg, tmp_path)


def test_separator_at_the_end_of_each_row_is_no_column(ecg, tmp_path):
    for content in (table(ecg, ";", ","), f"{NAMES.replace(',', ';')}\n{table(ecg, ';', ',')}"):
        assert_read(content.replace("\n", ";\n"), MV, ecg, tmp_path)
    assert_read("sep=;\n" + table(ecg, ";", ","), MV, ecg, tmp_path)


@pytest.mark.parametrize(
    ("first", "reason"),
    [
        ("x,0.1,0.2,0.3,0.4,0.5,0.6,0.7", "its first row, x, 0.1, 0.2.* holds neither the names of leads nor numbers"),
        ("x,0,1,2,3,4,5,6", "its first row, x, 0, 1.* holds neither the names of leads nor numbers"),
        ("500 Hz,12,x,y,z,a,b,c", "its first row, 500 Hz, 12, x.* holds neither"),
        (f"{NAMES}\na,b,c,d,e,f,g,h", "its second row, a, b, c.* holds neither numbers nor the units"),
    ],
)
def test_row_that_is_neither_names_nor_samples_is_named(ecg, tmp_path, first, reason):
    with pytest.raises(ValueError, match=reason):
        assert_read(f"{first}\n{table(ecg)}", MV, ecg, tmp_path)


def test_file_is_read_as_utf_8_whatever_the_locale(ecg, tmp_path, monkeypatch):
    monkeypatch.setattr("locale.getpreferredencoding", lambda *_: "ascii")
    (tmp_path / "ü.csv").write_bytes(
        f"Ableitung I (µV),{','.join(f'{lead} (µV)' for lead in EIGHT_LEADS[1:])}\n".encode()
    )
    with (tmp_path / "ü.csv").open("ab") as file:
        file.write(table(ecg).encode())
    np.testing.assert_allclose(read_text(tmp_path / "ü.csv", Layout(None, 500)).millivolts, ecg / 1000, atol=1e-12)
