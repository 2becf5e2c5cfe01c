import pytest

from ecggan.data.sources.challenge import challenge_set
from ecggan.data.sources.selection import Selection, Statements
from tests.data.packers import packer

SINUS, ARRHYTHMIA, FIBRILLATION = "426783006", "427393009", "164889003"


@pytest.fixture
def make_set(tmp_path, paper_format):
    def make(root, labels=None, age=None, sex=None):
        selection = Selection(labels, Statements([SINUS], 0, [ARRHYTHMIA]), age, sex)
        return challenge_set(root, packer(paper_format, tmp_path / "cache"), selection, 0.2, 0.2)

    return make


@pytest.fixture
def root(tmp_path, write_wfdb, known_ecg):
    """Headers as the Challenges write them, and one without comments."""
    comments = [
        f"# Age: 61\n# Sex: Female\n# Dx: {SINUS}\n",
        f"# Age: NaN\n# Sex: Unknown\n# Dx: {SINUS}, {ARRHYTHMIA}\n",
        f"#Age: 70\n#Sex: M\n#Dx: {FIBRILLATION},{SINUS}\n",
        "",
    ]
    root = tmp_path / "challenge"
    for i, (ecg, text) in enumerate(zip(known_ecg(4), comments, strict=True)):
        write_wfdb(root / f"g{i % 2}", f"E{i}", ecg)
        with open(root / f"g{i % 2}" / f"E{i}.hea", "a", encoding="utf-8") as file:
            file.write(text)
    return root


def test_normal_records_are_chosen_by_their_codes(make_set, root):
    packed = make_set(root)
    assert list(packed.records["record"]) == ["g0/E0", "g1/E1"]
    assert list(packed.records["label"]) == [SINUS, SINUS]
    assert packed.records["age"].fillna(-1).tolist() == [61, -1]
    assert packed.records["sex"].fillna("unknown").tolist() == ["female", "unknown"]
    assert packed.manifest["made_by"]["counts"]["other_statements_beside"] == 1


def test_any_code_age_and_sex_can_be_asked_for(make_set, root):
    assert list(make_set(root, labels=[FIBRILLATION]).records["record"]) == ["g0/E2"]
    assert list(make_set(root, labels=[SINUS], age=[65, 80]).records["record"]) == ["g0/E2"]
    assert list(make_set(root, sex="female").records["record"]) == ["g0/E0"]


def test_what_cannot_be_had_says_what_to_give(make_set, root, tmp_path):
    for nowhere in (None, tmp_path / "nowhere"):
        with pytest.raises(FileNotFoundError, match=r"data=challenge needs data.root=FOLDER"):
            make_set(nowhere)
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match="no header"):
        make_set(tmp_path / "empty")
    with pytest.raises(ValueError, match=r"no record in .* is wanted \(without the label 4, chosen 0\)"):
        make_set(root, labels=["1"])


def test_header_that_leads_out_or_is_no_text_ends_nothing(make_set, root, tmp_path):
    (tmp_path / "outside.hea").write_text(f"# Dx: {SINUS}\n")
    (root / "link.hea").symlink_to(tmp_path / "outside.hea")
    (root / "broken.hea").symlink_to(root / "nothing.hea")
    (root / "noise.hea").write_bytes(bytes(range(256)) * 9)
    (root / "damaged.hea").write_text(f"damaged 12 x\n#Dx: {SINUS}\n")
    packed = make_set(root)
    assert list(packed.records["record"]) == ["g0/E0", "g1/E1"]
    assert [entry["record"] for entry in packed.manifest["account"]["left_out"]["unreadable"]] == ["damaged"]
