"""Units with any factor before them, wherever one is stated."""

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ecggan.data.readers.registry import read_record
from ecggan.data.record import Layout, millivolts_per
from ecggan.ecg import EIGHT_LEADS

STEPS = np.random.default_rng(0).integers(-2000, 2000, (8, 40)).astype(float)
FORMS = ("npz", "h5", "dataset.h5", "parquet", "field.parquet")


@pytest.mark.parametrize(
    ("unit", "millivolts"),
    [
        ("mV", 1),
        ("uV", 1e-3),
        ("µV", 1e-3),
        ("μV", 1e-3),
        ("V", 1e3),
        ("nV", 1e-6),
        ("millivolts", 1),
        (" Microvolt ", 1e-3),
        ("0.4 mV", 0.4),
        ("0.4mV", 0.4),
        ("2.5 uV", 2.5e-3),
        ("4.88 µV", 4.88e-3),
        ("0.001 V", 1),
        ("1e-3V", 1),
        (".5 mV", 0.5),
        ("1E3 UV", 1),
    ],
)
def test_a_factor_multiplies_its_unit(unit, millivolts):
    assert millivolts_per(unit) == pytest.approx(millivolts, rel=1e-12)


@pytest.mark.parametrize(
    "unit", ["0.4", 0.4, "", "LSB", "0,4 mV", "mV/LSB", "0.4 0.4 mV", "-1 mV", "4 kg", "1e mV", "μ"]
)
def test_what_names_no_voltage_is_refused_with_how_to_write_it(unit):
    with pytest.raises(ValueError, match=r"the unit .* is not known; known are mV, uV \(µV\) and V, .* such as 0.4 mV"):
        millivolts_per(unit)


@pytest.mark.parametrize("unit", ["0 mV", "0.0uV", "1e999 V"])
def test_a_factor_is_a_finite_number_above_0(unit):
    with pytest.raises(ValueError, match="needs a number above 0 before"):
        millivolts_per(unit)


def write(path, form, stated, name="unit"):
    """Steps in a file that states its unit, and returns the path."""
    file = path / f"{len(list(path.iterdir()))}.{form.split('.')[-1]}"  # an HDF5 file that was read stays open
    if form == "npz":
        np.savez(file, ecg=STEPS, **{name: np.array(stated)})
    elif file.suffix == ".h5":
        with h5py.File(file, "w") as opened:
            dataset = opened.create_dataset("ecg", data=STEPS)
            (dataset if "dataset" in form else opened).attrs[name] = stated
    else:
        texts = [stated] if isinstance(stated, str) else list(map(str, stated))
        columns = pa.array([STEPS.tolist()])
        metadata = {name: texts[0]}
        field = pa.field("ecg", columns.type, metadata=metadata if "field" in form else None)
        schema = pa.schema([field], metadata=None if "field" in form else metadata)
        pq.write_table(pa.Table.from_arrays([columns], schema=schema), file)
    return file


def millivolts_of(file, unit):
    return read_record(file, Layout(EIGHT_LEADS, 500, unit)).millivolts


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", ["unit", "units"])
def test_the_unit_that_a_file_states_goes_before_that_of_the_layout(tmp_path, form, name):
    np.testing.assert_allclose(millivolts_of(write(tmp_path, form, "0.4 mV", name), "uV"), STEPS * 0.4)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("stated", ["LSB", "counts", "a.u.", "0.00488", "unknown", " "])
def test_a_unit_that_is_no_voltage_leaves_that_of_the_layout(tmp_path, form, stated):
    np.testing.assert_allclose(millivolts_of(write(tmp_path, form, stated), "2.5 uV"), STEPS * 2.5e-3)


@pytest.mark.parametrize("form", FORMS)
def test_without_a_unit_of_the_layout_it_is_named_with_the_remedy(tmp_path, form):
    with pytest.raises(ValueError, match=r"states the unit 'ADU', which names no voltage; .*data.layout.unit='2.5 uV'"):
        millivolts_of(write(tmp_path, form, "ADU"), None)


@pytest.mark.parametrize("form", FORMS)
def test_a_unit_of_something_else_is_refused_whatever_the_layout_says(tmp_path, form):
    with pytest.raises(ValueError, match="the unit 'mmHg' is not known"):
        millivolts_of(write(tmp_path, form, "mmHg"), "mV")


@pytest.mark.parametrize("form", ["npz", "h5", "dataset.h5"])
def test_a_unit_for_each_lead_is_one_where_they_agree(tmp_path, form):
    np.testing.assert_allclose(millivolts_of(write(tmp_path, form, ["uV"] * 8), "mV"), STEPS * 1e-3)
    with pytest.raises(ValueError, match=r"several units \(mV, uV\)"):
        millivolts_of(write(tmp_path, form, ["uV"] * 7 + ["mV"]), "mV")


def test_a_number_for_a_unit_is_no_unit(tmp_path):
    for form in ("npz", "h5"):
        file = write(tmp_path, form, 0.4)
        np.testing.assert_allclose(millivolts_of(file, "0.4 mV"), STEPS * 0.4)
        with pytest.raises(ValueError, match=r"states the unit '0.4', which names no voltage"):
            millivolts_of(file, None)


def test_arrays_of_one_hdf5_file_have_each_its_own_unit(tmp_path):
    with h5py.File(tmp_path / "two.h5", "w") as file:
        for name, unit in (("a", "uV"), ("b", "0.5 mV")):
            file.create_dataset(name, data=STEPS).attrs["units"] = unit
    for position, factor in ((0, 1e-3), (1, 0.5)):
        record = read_record(tmp_path / "two.h5", Layout(EIGHT_LEADS, 500, "V"), position=position)
        np.testing.assert_allclose(record.millivolts, STEPS * factor)


def test_a_factor_corrects_what_files_state(tmp_path, write_wfdb):
    header = write_wfdb(tmp_path, "a", STEPS / 1000)
    corrected = read_record(header, Layout(factor=0.4))
    np.testing.assert_allclose(corrected.millivolts, read_record(header, Layout()).millivolts * 0.4)
    (tmp_path / "ecg.json").write_text('{"factor": 0.5}')
    np.testing.assert_allclose(read_record(header, Layout(factor=0.4)).millivolts, STEPS / 2000)
    for wrong in ("0", "-1", '"2"', "Infinity"):
        (tmp_path / "ecg.json").write_text(f'{{"factor": {wrong}}}')
        with pytest.raises(ValueError, match="'factor', which must be a number above 0"):
            read_record(header, Layout())
    with pytest.raises(ValueError, match="factor must be a number above 0; got 0"):
        Layout(factor=0)


def test_text_files_and_sidecars_take_factors(tmp_path):
    np.savetxt(tmp_path / "a.csv", STEPS.T, delimiter=",")
    layout = Layout(EIGHT_LEADS, 500, "2.5 uV")
    np.testing.assert_allclose(read_record(tmp_path / "a.csv", layout).millivolts, STEPS * 2.5e-3)
    (tmp_path / "a.json").write_text('{"unit": "0.4 mV"}')
    np.testing.assert_allclose(read_record(tmp_path / "a.csv", layout).millivolts, STEPS * 0.4)
    (tmp_path / "a.json").write_text('{"unit": 0.4}')
    with pytest.raises(ValueError, match=r"states 0.4 for 'unit', which must be a short text, such as mV or 0.4 mV"):
        read_record(tmp_path / "a.csv", layout)


def test_whatever_a_file_calls_its_unit_it_is_known_or_one_value_error():
    rng = np.random.default_rng(0)
    parts = [
        "",
        "0",
        "1e",
        "-",
        ".",
        ",",
        "9" * 400,
        " ",
        "\0",
        "µ",
        "μ",
        "m",
        "u",
        "V",
        "v",
        "e5",
        "∞",
        "½",
        "٣",
        "\ud800",
        "/",
    ]
    known, refusals = 0, []
    for _ in range(2000):
        unit = "".join(rng.choice(parts, rng.integers(1, 5)))
        try:
            known += 0 < millivolts_per(unit) < np.inf
        except ValueError as error:
            refusals.append(str(error))
    assert known > 10
    assert all(message.isprintable() and len(message) < 200 for message in refusals)
