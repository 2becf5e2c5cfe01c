import json
import zipfile

import numpy as np
import pandas as pd
import pytest

from ecggan.data.record import Layout
from ecggan.data.sets.splits import split_of
from ecggan.data.sources.folder import folder_set
from ecggan.data.sources.selection import Selection
from ecggan.ecg import EIGHT_LEADS
from tests.data.packers import packer

DEEPFAKE = Layout(EIGHT_LEADS, 500, "uV")
PATTERNS = ("*.hea", "*.asc", "*.csv")


@pytest.fixture
def make_set(tmp_path, paper_format):
    def make(root, patterns=PATTERNS, validation=0.2, test=0.2, layout=DEEPFAKE, age=None, sex=None):
        selection = Selection(None, None, age, sex)
        return folder_set(root, packer(paper_format, tmp_path / "cache"), selection, patterns, layout, validation, test)

    return make


@pytest.fixture
def root(tmp_path, write_wfdb, known_ecg):
    """Records of each kind at several depths, and files that are none."""
    root = tmp_path / "ecgs"
    a, b, c, d = known_ecg(4)
    write_wfdb(root, "b", b)
    write_wfdb(root / "deep" / "er", "a", a)
    np.savetxt(root / "c.asc", np.rint(c.T * 1000), fmt="%d")
    names = ",".join(EIGHT_LEADS)
    np.savetxt(root / "deep" / "d.csv", np.rint(d.T * 1000), fmt="%d", delimiter=",", header=names, comments="")
    for name in ("b.atr", "b.ii", "README.txt", ".hidden.csv", "._b.hea"):
        (root / name).write_text("no record")
    write_wfdb(root / ".trash", "e", d)
    return root


def test_every_file_at_any_depth_is_a_record_named_by_its_path(make_set, root, known_ecg):
    packed = make_set(root)
    assert list(packed.records["record"]) == ["b", "c", "deep/d", "deep/er/a"]
    assert list(packed.records["source"]) == ["b.hea", "c.asc", "deep/d.csv", "deep/er/a.hea"]
    assert np.array_equal(packed.microvolts(), np.rint(known_ecg(4)[[1, 2, 3, 0]] * 1000))
    assert packed.manifest["account"]["left_out"] == {}


def test_two_files_of_one_name_keep_their_suffix_and_share_a_split(make_set, root, known_ecg):
    np.savetxt(root / "b.asc", np.rint(known_ecg(5)[4].T * 1000), fmt="%d")
    records = make_set(root).records.set_index("record")
    assert list(records.index) == ["b.asc", "b.hea", "c", "deep/d", "deep/er/a"]
    assert records["split"]["b.asc"] == records["split"]["b.hea"] == split_of("b", 0.2, 0.2)


def test_adding_a_record_moves_no_other_to_another_split(make_set, root, write_wfdb, known_ecg):
    before = make_set(root).records.set_index("record")["split"]
    write_wfdb(root, "0_first", known_ecg(5)[4])
    after = make_set(root).records.set_index("record")["split"]
    assert after.drop("0_first").to_dict() == before.to_dict()


def test_patterns_narrow_what_is_read(make_set, root):
    assert list(make_set(root, patterns=["*.asc"]).records["record"]) == ["c"]


def test_folder_that_is_none_or_holds_nothing_says_what_to_give(make_set, tmp_path):
    for nowhere in (None, tmp_path / "nowhere"):
        with pytest.raises(FileNotFoundError, match=r"data=folder needs data.root=FOLDER, the folder of ECG files"):
            make_set(nowhere)
    with pytest.raises(FileNotFoundError, match=r"no file in .* or below is named like \*.hea, \*.asc, \*.csv"):
        make_set(tmp_path)


def test_real_folders_of_several_formats_are_read(make_set, shared_data):
    assert len(make_set(shared_data / "deepfake_asc")) == 3
    challenge = make_set(shared_data / "challenge2021").manifest["account"]["left_out"]
    assert {rule: len(entries) for rule, entries in challenge.items()} == {
        "duplicate": 1,  # E07510 of Georgia is E07509
        "flat": 2,
        "noise": 3,
        "amplitude": 1,
    }
    assert len(make_set(shared_data / "challenge2021_odd_headers")) == 3


def left_out(packed):
    return {entry["record"]: rule for rule, them in packed.manifest["account"]["left_out"].items() for entry in them}


def test_links_within_the_folder_are_read_and_those_that_lead_elsewhere_are_counted(make_set, root, tmp_path, caplog):
    (tmp_path / "elsewhere").mkdir()
    for name in ("mine.asc", "elsewhere/theirs.asc"):
        (tmp_path / name).write_bytes((root / "c.asc").read_bytes())
    (root / "inside.asc").symlink_to(root / "c.asc")
    (root / "outside.asc").symlink_to(tmp_path / "mine.asc")
    (root / "broken.asc").symlink_to(root / "nothing.asc")
    (root / "loop.asc").symlink_to(root / "loop.asc")
    (root / "deep" / "up").symlink_to(root)
    (root / "theirs").symlink_to(tmp_path / "elsewhere")
    packed = make_set(root)
    assert list(packed.records["record"]) == ["b", "c", "deep/d", "deep/er/a"]
    others = {"outside": "unreadable", "broken": "missing", "loop": "missing"}
    assert left_out(packed) == {"inside": "duplicate", **others}
    assert "1 links in" in caplog.text
    assert "theirs the first; give those as data.root" in caplog.text


def test_suffixes_are_found_in_capitals(make_set, root):
    (root / "c.asc").rename(root / "c.ASC")
    assert "c" in list(make_set(root).records["record"])


def test_sidecars_say_what_files_do_not_the_nearest_first(make_set, tmp_path, known_ecg):
    root = tmp_path / "ecgs"
    (root / "site").mkdir(parents=True)
    for ecg, name, scale in zip(known_ecg(3), ("a", "site/b", "site/c"), (1000, 1, 1e-3), strict=True):
        np.savetxt(root / f"{name}.csv", ecg.T * scale, delimiter=",")
    (root / "ecg.json").write_text(json.dumps({"leads": EIGHT_LEADS, "sampling_rate": 500, "unit": "uV"}))
    (root / "site" / "ecg.json").write_text('{"unit": "mV", "sex": "female"}')
    (root / "site" / "c.json").write_text('{"unit": "V", "patient": "P7", "age": 61}')
    packed = make_set(root, layout=Layout())
    assert np.array_equal(packed.microvolts(), np.rint(known_ecg(3) * 1000))
    rows = packed.records.set_index("record")
    assert (rows["patient"]["site/c"], rows["age"]["site/c"], rows["sex"]["site/b"]) == ("P7", 61, "female")
    assert rows["patient"].isna().to_dict() == {"a": True, "site/b": True, "site/c": False}
    (root / "site" / "ecg.json").write_text('{"unit": "V"}')
    assert left_out(make_set(root, layout=Layout())) == {"site/b": "amplitude"}  # a changed sidecar packs anew


def test_patient_with_several_files_is_in_one_split(make_set, tmp_path, known_ecg):
    for i, ecg in enumerate(known_ecg(12)):
        np.savetxt(tmp_path / f"{i}.asc", np.rint(ecg.T * 1000), fmt="%d")
        (tmp_path / f"{i}.json").write_text(json.dumps({"patient": f"P{i % 3}"}))
    records = make_set(tmp_path, patterns="*.asc", validation=0.4, test=0.3).records
    assert [*records["split"]] == [split_of(patient, 0.4, 0.3) for patient in records["patient"]]
    assert records["patient"].nunique() == 3


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is not valid JSON"),
        ("[" * 100000, "is not valid JSON"),
        ("[]", "must be an object with any of leads"),
        (
            '{"units": "uV"}',
            "has the key 'units'; known are leads, sampling_rate, unit, array, lead_names, factor, patient, age, sex",
        ),
        ('{"unit": "LSB"}', "the unit 'LSB' is not known"),
        ('{"unit": 3}', "states 3 for 'unit', which must be a short text"),
        ('{"leads": "I"}', "for 'leads', which must be a list of at most 100 names"),
        ('{"patient": 3}', "states 3 for 'patient', which must be a short text"),
        ('{"sampling_rate": -1}', "must be a number above 0"),
        ('{"sampling_rate": "fast"}', "\"fast\" for 'sampling_rate', which must be a number above 0, in Hz"),
        ('{"age": -5}', "states -5 for 'age', which must be a number of years"),
        ('{"sex": "m"}', "which must be male or female"),
    ],
)
def test_sidecar_that_cannot_be_meant_is_named(make_set, root, content, message):
    (root / "ecg.json").write_text(content)
    with pytest.raises(ValueError, match=r"none of the 4 records .* is usable \(unreadable 4\).*ecg.json.*") as caught:
        make_set(root)
    assert message in str(caught.value)


def test_devices_files_of_two_formats_are_read_with_their_patients(make_set, shared_data, tmp_path):
    packed = make_set(shared_data / "aecg", patterns="*.xml")
    assert list(packed.records["record"]) == ["Example_aECG"]
    assert left_out(packed) == {"empty": "unreadable", "minimum_aecg": "leads", "subject1_0": "duplicate"}
    assert [*packed.records["sex"]] == ["male"]
    assert len(make_set(shared_data / "muse_xml", patterns="*.xml")) == 2


def test_age_and_sex_choose_where_a_sidecar_says_them(make_set, root):
    for name, age, sex in (("b", 40, "female"), ("c", 17, "female"), ("deep/d", 61, "male")):
        (root / f"{name}.json").write_text(json.dumps({"age": age, "sex": sex}))
    assert left_out(make_set(root, age=[18, 60])) == {"c": "age", "deep/d": "age", "deep/er/a": "age"}
    assert left_out(make_set(root, sex="female")) == {"deep/d": "sex", "deep/er/a": "sex"}


@pytest.fixture
def mixed(tmp_path, known_ecg):
    """A file of five records, one of one, and damaged ones of many."""
    root = tmp_path / "mixed"
    root.mkdir()
    microvolts = np.rint(known_ecg(6) * 1000).astype(np.int16)
    np.save(root / "five.npy", microvolts[:5])
    np.savez(root / "one.npz", microvolts[5])
    for name in ("damaged.npy", "damaged.npz", "damaged.parquet", "damaged.h5", "damaged.zip"):
        (root / name).write_bytes(b"not what it says")
    return root, microvolts


MANY = ("*.npy", "*.npz", "*.parquet", "*.h5", "*.zip")


def test_files_of_many_records_are_read_and_damaged_ones_counted(make_set, mixed):
    root, microvolts = mixed
    ecgs = make_set(root, MANY)
    assert list(ecgs.records["record"]) == [*(f"five/{i}" for i in range(5)), "one"]
    assert np.array_equal(ecgs.microvolts(), microvolts)
    assert list(ecgs.records["position"][:5]) == [0, 1, 2, 3, 4]
    assert set(ecgs.records["source"]) == {"five.npy", "one.npz"}
    assert list(ecgs.records["split"][:5]) == [split_of(f"five/{i}", 0.2, 0.2) for i in range(5)]
    account = ecgs.manifest["account"]
    assert (account["read"], account["kept"]) == (11, 6)
    left_out = {entry["record"]: entry["detail"] for entry in account["left_out"]["unreadable"]}
    assert sorted(left_out) == [f"damaged.{suffix}" for suffix in ("h5", "npy", "npz", "parquet", "zip")]
    assert all(f"{name} cannot be read" in detail for name, detail in left_out.items())


def test_one_file_of_many_records_may_be_the_root(make_set, mixed):
    root, microvolts = mixed
    assert np.array_equal(make_set(root / "five.npy").microvolts(), microvolts[:5])


def test_zip_of_the_published_ecgs_gives_what_its_folder_gives(make_set, shared_data, tmp_path):
    folder = shared_data / "deepfake_asc"
    with zipfile.ZipFile(tmp_path / "deepfake-ecg.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.glob("*.asc")):
            archive.write(file, f"from_001_to_150k/{file.name}")
    packed, unpacked = make_set(tmp_path / "deepfake-ecg.zip"), make_set(folder)
    assert len(packed) == 3
    assert np.array_equal(packed.microvolts(), unpacked.microvolts())
    assert packed.records["record"][0] == f"deepfake-ecg/from_001_to_150k/{unpacked.records['record'][0]}"


def test_ecg_set_given_as_a_folder_says_what_to_give(make_set, mixed, tmp_path):
    root, _ = mixed
    make_set(root, MANY).save(tmp_path / "set")
    with pytest.raises(ValueError, match=r"is an ECG set: give data=ecg_set data.root="):
        make_set(tmp_path / "set", MANY)


def test_set_of_files_of_many_does_not_depend_on_the_number_of_workers(mixed, paper_format, tmp_path):
    root, _ = mixed
    selection = Selection(None, None, None, None)
    sets = [
        folder_set(root, packer(paper_format, tmp_path / str(n), num_workers=n), selection, MANY, DEEPFAKE, 0.2, 0.2)
        for n in (0, 2)
    ]
    assert sets[0].manifest["sha256"] == sets[1].manifest["sha256"]
    assert sets[0].manifest["account"] == sets[1].manifest["account"]


def test_parquet_keeps_its_patients_and_splits(make_set, tmp_path, known_ecg):
    root = tmp_path / "table"
    root.mkdir()
    rows = [np.rint(record * 1000).astype(int).tolist() for record in known_ecg(4)]
    facts = {
        "patient": pd.array([7, 7, 8, None], "Int64"),
        "age": [50.0, None, 61.0, 300.0],
        "sex": ["male", "?", "female", None],
    }
    pd.DataFrame({"record": list("abcd"), **facts, "ecg": rows}).to_parquet(root / "ecgs.parquet")
    records = make_set(root, ("*.parquet",)).records
    assert list(records["record"]) == [f"ecgs/{name}" for name in "abcd"]
    assert list(records["patient"][:3]) == ["7", "7", "8"]
    assert records["patient"].isna()[3]
    assert records["split"][0] == records["split"][1]
    pd.DataFrame({"patient": ["7"] * 4, "split": ["test", "train", "validation", "odd"], "ecg": rows}).to_parquet(
        root / "ecgs.parquet"
    )
    assert list(make_set(root, ("*.parquet",)).records["split"][:3]) == ["test", "train", "validation"]
