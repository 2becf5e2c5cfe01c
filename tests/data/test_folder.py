import numpy as np
import pytest

from ecggan.data.folder import folder_set
from ecggan.data.packing import split_of
from ecggan.data.record import Layout
from ecggan.ecg import EIGHT_LEADS
from tests.data.quality_rules import RULES

PATTERNS = ("*.hea", "*.asc", "*.csv")


@pytest.fixture
def make_set(tmp_path, paper_format):
    def make(root, patterns=PATTERNS, validation=0.2, test=0.2):
        text = Layout(EIGHT_LEADS, 500, "uV")
        return folder_set(root, paper_format, RULES, tmp_path / "cache", 1, patterns, text, validation, test)

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


def test_two_files_of_one_name_keep_their_suffix_and_share_a_split(make_set, root):
    (root / "b.asc").write_bytes((root / "c.asc").read_bytes())
    records = make_set(root).records.set_index("record")
    assert list(records.index) == ["b.asc", "b.hea", "c", "deep/d", "deep/er/a"]
    assert records["split"]["b.asc"] == records["split"]["b.hea"] == split_of("b", 0.2, 0.2)


def test_adding_a_record_moves_no_other_to_another_split(make_set, root, write_wfdb, known_ecg):
    before = make_set(root).records.set_index("record")["split"]
    write_wfdb(root, "0_first", known_ecg()[0])
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
    challenge = make_set(shared_data / "challenge2021").manifest["account"]
    assert {rule: len(entries) for rule, entries in challenge["left_out"].items()} == {"flat": 2, "amplitude": 4}
    with pytest.raises(ValueError, match=r"none of the 3 records in .*is usable \(unreadable 3\); the first, E00271"):
        make_set(shared_data / "challenge2021_odd_headers")
