import csv
import re
import zlib
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from ecggan.data.sets.ecg_set import ECGSet
from ecggan.ecg import EIGHT_LEADS, TWELVE_LEADS, select_leads
from ecggan.evaluation.reader_study.kit import write_reader_kit


@pytest.fixture(scope="module")
def sets(known_ecg, tmp_path_factory):
    """A real and a generated set of 8 records with names that would tell; the real ones stand still at their ends."""
    folder = tmp_path_factory.mktemp("sets")
    found = []
    for i, kind in enumerate(("real", "generated")):
        ecgs = ECGSet.from_arrays(known_ecg(8, num_samples=1500, seed=i), EIGHT_LEADS, 500, kind=kind)
        if kind == "real":
            ecgs.signals[:, :, -60:] = 777
            ecgs.signals[:, :, :5] = -777
        records = ecgs.records.assign(record=[f"zq{kind}{k}" for k in range(8)], patient=[k // 2 for k in range(8)])
        if kind == "generated":
            records = records.drop(columns="patient")
        found.append(replace(ecgs, records=records).save(folder / f"zqset{kind}"))
    return found


@pytest.fixture(scope="module")
def kit(sets, tmp_path_factory):
    out = tmp_path_factory.mktemp("kit") / "KIT"
    key = write_reader_kit(out, *sets, num_each=3, seed=1, progress=False)
    return out, key


def rows(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def text_of_pdf(path):
    """Everything with its streams unpacked, and without the spaces between letters that a PDF puts in."""

    def unpacked(found):
        try:
            return zlib.decompressobj().decompress(found[1])
        except zlib.error:
            return found[1]

    content = re.sub(rb"stream\r?\n(.*?)endstream", unpacked, path.read_bytes(), flags=re.DOTALL)
    return content + re.sub(rb"\)\s*-?[\d.]+\s*\(", b"", content)


def test_kit_is_what_readers_get_and_the_key_lies_apart(kit):
    out, key = kit
    assert {path.name for path in out.iterdir()} == {"ecgs.pdf", "sheet.csv", "how_to_read.md"}
    assert {path.name for path in key.iterdir()} == {"key.csv", "how_to_score.md"}
    assert key == out.with_name("KIT-key")


def test_nothing_that_a_reader_gets_names_a_record_a_set_or_an_origin(kit):
    out, _ = kit
    told = {path.name: path.read_bytes() for path in out.iterdir()} | {"ecgs.pdf": text_of_pdf(out / "ecgs.pdf")}
    assert b"(ECG 6)" in told["ecgs.pdf"]
    for content in told.values():
        assert b"zq" not in content
    for content in (told["ecgs.pdf"], told["sheet.csv"]):
        assert b"real" not in content.lower()
        assert b"generated" not in content.lower()
    assert b"half" not in told["how_to_read.md"]


def test_sheet_and_key_agree_and_the_sheet_is_empty(kit):
    out, key = kit
    sheet, origins = rows(out / "sheet.csv"), rows(key / "key.csv")
    assert list(sheet[0]) == ["kit", "ecg", "answer", "confidence", "remarks"]
    assert [(row["kit"], row["ecg"]) for row in sheet] == [(row["kit"], row["ecg"]) for row in origins]
    assert [row["ecg"] for row in sheet] == ["1", "2", "3", "4", "5", "6"]
    assert {row["answer"] + row["confidence"] + row["remarks"] for row in sheet} == {""}
    assert sorted(row["origin"] for row in origins) == ["generated"] * 3 + ["real"] * 3
    for row in origins:
        assert row["record"] == f"zq{row['origin']}{row['position']}"
        assert row["set"].endswith(f"zqset{row['origin']}")


def test_kits_id_is_letters_that_no_spreadsheet_changes(kit):
    assert re.fullmatch("[bcdfghjklmnpqrst]{8}", rows(kit[0] / "sheet.csv")[0]["kit"])


def test_same_seed_is_the_same_kit_and_another_seed_another(kit, sets, tmp_path):
    for seed in (1, 2):
        write_reader_kit(tmp_path / str(seed), *sets, num_each=3, seed=seed, progress=False)
    for name in ("ecgs.pdf", "sheet.csv", "how_to_read.md"):
        assert (tmp_path / "1" / name).read_bytes() == (kit[0] / name).read_bytes()
        if name != "how_to_read.md":
            assert (tmp_path / "2" / name).read_bytes() != (kit[0] / name).read_bytes()
    assert (tmp_path / "1-key" / "key.csv").read_bytes() == (kit[1] / "key.csv").read_bytes()
    assert rows(tmp_path / "2-key" / "key.csv") != rows(kit[1] / "key.csv")


def test_of_a_patient_one_record_is_shown_at_most(sets, tmp_path):
    key = write_reader_kit(tmp_path / "kit", *sets, num_each=4, progress=False)
    positions = [int(row["position"]) for row in rows(key / "key.csv") if row["origin"] == "real"]
    assert sorted(position // 2 for position in positions) == [0, 1, 2, 3]


def shown_pages(sets, tmp_path, monkeypatch):
    """What is handed to the drawing, in order, and the key."""
    seen = []

    def draw(millivolts, leads, sampling_rate, title):
        seen.append((millivolts, tuple(leads), sampling_rate, title))
        return plot_ecg(millivolts[:, :100], leads, sampling_rate, title)

    from ecggan.evaluation.reader_study import kit as reader_kit
    from ecggan.plotting import plot_ecg

    monkeypatch.setattr(reader_kit, "plot_ecg", draw)
    key = write_reader_kit(tmp_path / "kit", *sets, num_each=2, progress=False)
    return seen, rows(key / "key.csv")


def test_both_kinds_are_shown_alike_without_the_ends_that_give_real_ones_away(sets, tmp_path, monkeypatch):
    real, generated = sets
    twelve = ECGSet.in_memory(
        select_leads(generated.microvolts(), EIGHT_LEADS, TWELVE_LEADS),
        [{"record": str(i)} for i in range(8)],
        {**generated.manifest, "leads": list(TWELVE_LEADS)},
    )
    seen, key = shown_pages((real, twelve), tmp_path, monkeypatch)
    assert [title for *_, title in seen] == ["ECG 1", "ECG 2", "ECG 3", "ECG 4"]
    for (millivolts, leads, rate, _), row in zip(seen, key, strict=True):
        assert (leads, rate, millivolts.shape) == (EIGHT_LEADS, 500, (8, 1300))
        assert 0.777 not in np.abs(millivolts)
        steps = millivolts * 1000 / 5
        np.testing.assert_allclose(steps, np.rint(steps), atol=1e-6)
        stored = (real if row["origin"] == "real" else generated).millivolts([int(row["position"])])[0]
        np.testing.assert_allclose(millivolts, stored[:, 100:-100], atol=0.0026)


def test_same_two_leads_in_another_order_are_shown(sets, tmp_path, monkeypatch):
    real, generated = (
        ECGSet.from_arrays(ecgs.millivolts(leads=leads), leads, 500, kind=ecgs.kind)
        for ecgs, leads in zip(sets, (("V1", "V2"), ("V2", "V1")), strict=True)
    )
    seen, key = shown_pages((real, generated), tmp_path, monkeypatch)
    for (millivolts, leads, *_), row in zip(seen, key, strict=True):
        assert leads == ("V1", "V2")
        stored = (real if row["origin"] == "real" else generated).millivolts([int(row["position"])], leads)[0]
        np.testing.assert_allclose(millivolts, stored[:, 100:-100], atol=0.0026)


def test_order_is_not_to_be_guessed_and_every_record_may_be_drawn(known_ecg, tmp_path, monkeypatch):
    from ecggan.evaluation.reader_study import kit as reader_kit

    monkeypatch.setattr(reader_kit, "save_pages", lambda pages, path, title: path.touch())
    sets = [ECGSet.from_arrays(known_ecg(6, num_samples=800), EIGHT_LEADS, 500, kind) for kind in ("real", "generated")]
    drawn = []
    for seed in range(40):
        key = write_reader_kit(tmp_path / f"{seed}", *sets, num_each=2, seed=seed, progress=False)
        drawn.append(pd.read_csv(key / "key.csv"))
    first = [table["origin"][0] for table in drawn]
    assert 8 < first.count("real") < 32
    together = pd.concat(drawn)
    for origin in ("real", "generated"):
        counts = together.loc[together["origin"] == origin, "position"].value_counts()
        assert len(counts) == 6
        assert counts.min() > 4


def test_neither_folder_is_overwritten(sets, tmp_path):
    for name in ("KIT", "OTHER-key"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "mine.txt").touch()
    for name in ("KIT", "OTHER"):
        with pytest.raises(FileExistsError, match="is not empty; give another folder"):
            write_reader_kit(tmp_path / name, *sets, num_each=1, progress=False)
    assert {path.name for path in tmp_path.iterdir()} == {"KIT", "OTHER-key"}


def test_a_drawing_that_fails_leaves_neither_folder(sets, tmp_path, monkeypatch):
    from ecggan.evaluation.reader_study import kit as reader_kit

    def broken(*_):
        raise RuntimeError("no paper")

    monkeypatch.setattr(reader_kit, "plot_ecg", broken)
    with pytest.raises(RuntimeError, match="no paper"):
        write_reader_kit(tmp_path / "KIT", *sets, num_each=1, progress=False)
    assert not list(tmp_path.iterdir())


def test_sets_that_would_tell_the_origin_by_their_form_are_refused(sets, known_ecg, tmp_path):
    real = sets[0]
    others = {
        "the leads shown must be the same": ECGSet.from_arrays(known_ecg(4, num_samples=1500)[:, :2], ("I", "II"), 500),
        "at 250 Hz; give sets of one rate": ECGSet.from_arrays(known_ecg(4, num_samples=1500), EIGHT_LEADS, 250),
        "1400 samples at 500 Hz; give sets": ECGSet.from_arrays(known_ecg(4, num_samples=1400), EIGHT_LEADS, 500),
    }
    for message, generated in others.items():
        with pytest.raises(ValueError, match=message):
            write_reader_kit(tmp_path / "kit", real, generated, num_each=1)
    short = ECGSet.from_arrays(known_ecg(4, num_samples=600), EIGHT_LEADS, 500)
    with pytest.raises(ValueError, match=r"must be at least 1\.4 s long.*these are 1\.2 s"):
        write_reader_kit(tmp_path / "kit", short, short, num_each=1)


@pytest.mark.parametrize("num_each", [0, -1, True])
def test_number_of_ecgs_must_be_whole_and_above_zero(sets, tmp_path, num_each):
    with pytest.raises(ValueError, match=rf"must be a whole number, at least 1; got {num_each}"):
        write_reader_kit(tmp_path / "kit", *sets, num_each=num_each)


def test_too_few_patients_are_refused(sets, tmp_path):
    with pytest.raises(
        ValueError, match=r"5 real ECGs are asked for, one a patient, but .* has 8 records of 4 patients"
    ):
        write_reader_kit(tmp_path / "kit", *sets, num_each=5)


def test_a_set_of_another_kind_is_taken_and_said(sets, tmp_path, caplog):
    write_reader_kit(tmp_path / "kit", sets[0], sets[0], num_each=1, progress=False)
    assert "the set given as generated is real by its manifest; the key calls it generated" in caplog.text
