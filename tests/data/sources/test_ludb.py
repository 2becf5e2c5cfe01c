from pathlib import Path

import numpy as np
import pytest
import wfdb

from ecggan.data.sources.ludb import ludb_set, read_ludb, sinus_rhythm_numbers
from ecggan.data.sources.selection import Selection, Statements
from ecggan.ecg import TWELVE_LEADS, select_leads
from tests.data.packers import packer


@pytest.fixture
def root(tmp_path: Path, write_wfdb) -> Path:
    """A database of one record whose header states gains that are wrong, each lead with one beat bounded."""
    steps = np.arange(12)[:, None] * np.ones(1000)
    write_wfdb(tmp_path / "data", "4", steps / 1000, leads=tuple(lead.lower() for lead in TWELVE_LEADS), gain=77.0)
    for lead in TWELVE_LEADS:
        # a T wave without an offset, as LUDB's last often is
        marks = np.array([100, 120, 150, 180, 200, 230, 300, 350])
        wfdb.wrann("4", "atr", marks, list("(p)(N)(t"), write_dir=str(tmp_path / "data"))
        (tmp_path / "data" / "4.atr").rename(tmp_path / "data" / f"4.{lead.lower()}")  # wrann writes letters alone
    (tmp_path / "ludb.csv").write_text("ID,Rhythms,Cardiac pacing\n4,Sinus bradycardia,\n")
    return tmp_path


def test_a_step_is_a_microvolt_whatever_the_header_says(root: Path) -> None:
    record = read_ludb(root, 4)
    assert record.leads == TWELVE_LEADS
    assert record.sampling_rate == 500
    np.testing.assert_allclose(record.millivolts, np.arange(12)[:, None] / 1000 * np.ones(1000))


def test_every_wave_has_its_boundaries_or_none(root: Path) -> None:
    waves = read_ludb(root, 4).waves
    assert len(waves) == 12 * 3
    in_v1 = waves[waves["lead"] == "V1"].set_index("wave")
    assert in_v1.loc["p", ["onset", "peak", "offset"]].tolist() == [100, 120, 150]
    assert in_v1.loc["qrs", ["onset", "peak", "offset"]].tolist() == [180, 200, 230]
    assert in_v1.loc["t", ["onset", "peak"]].tolist() == [300, 350]
    assert np.isnan(in_v1.loc["t", "offset"])


def test_a_missing_annotation_is_named(root: Path) -> None:
    (root / "data" / "4.v3").unlink()
    with pytest.raises(FileNotFoundError, match=r"4\.v3 is missing"):
        read_ludb(root, 4)


def test_numbers_are_those_in_sinus_rhythm_without_a_pacemaker(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    rows = ["1,Sinus rhythm,", "2,Atrial fibrillation,", "3,Sinus rhythm,Unipolar pacing", "4,Sinus bradycardia,"]
    (tmp_path / "ludb.csv").write_text("\n".join(["ID,Rhythms,Cardiac pacing", *rows]))
    with pytest.raises(ValueError, match="holds none of the records"):
        sinus_rhythm_numbers(tmp_path)
    for number in range(1, 5):
        (tmp_path / "data" / f"{number}.hea").touch()
    assert sinus_rhythm_numbers(tmp_path) == [1, 4]


def test_another_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"ludb\.csv is missing; ludb_root must be the folder"):
        sinus_rhythm_numbers(tmp_path)


def test_iii_is_ii_less_i_on_every_real_record(shared_data: Path) -> None:
    record = read_ludb(shared_data / "ludb", 2)
    lead = dict(zip(record.leads, record.millivolts, strict=True))
    np.testing.assert_allclose(lead["III"], lead["II"] - lead["I"], atol=1e-9)
    assert np.ptp(record.millivolts, axis=1).std() > 0.1  # by the header each would be 1 mV


def test_normal_records_are_packed_in_the_microvolts_of_their_integers(shared_data, tmp_path, paper_format):
    companions = [f"Electric axis of the heart: {axis}" for axis in ("normal", "vertical", "horizontal")]
    normal = Statements(["Sinus rhythm"], 0, companions)
    packing = packer(paper_format, tmp_path / "cache")
    packed = ludb_set(shared_data / "ludb", packing, Selection(None, normal, None, None), "uV", 0.2, 0.2)
    left_out = [entry["record"] for entries in packed.manifest["account"]["left_out"].values() for entry in entries]
    numbers = ["56", "58", "62", "142", "152", "154", "162", "166", "168", "190", "194", "198"]
    assert sorted([*packed.records["record"], *left_out], key=int) == numbers
    first = read_ludb(shared_data / "ludb", int(packed.records["record"][0]))
    wanted = select_leads(first.millivolts, first.leads, paper_format.leads)
    np.testing.assert_allclose(packed.millivolts([0])[0], wanted, atol=1e-6)
    oldest = ludb_set(
        shared_data / "ludb", packing, Selection(["Sinus rhythm"], None, [89.5, 120], None), "uV", 0.2, 0.2
    )
    assert oldest.manifest["made_by"]["counts"]["chosen"] == 1
    assert oldest.records["age"].isna().all()
