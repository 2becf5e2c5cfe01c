import json

import numpy as np
import pandas as pd
import pytest
import scipy.stats

from ecggan.evaluation.reader_study.scores import score_readers, write_scores
from ecggan.evaluation.reader_study.sheets import name_readers, read_key, read_sheet
from ecggan.stats.proportions import share_of_number

ORIGINS = ["real", "generated", "generated", "real", "real", "generated", "real", "generated"]
OTHER = {"real": "generated", "generated": "real"}


@pytest.fixture
def study(tmp_path):
    """Write a key of these origins and sheets of these answers; gives the key's path and the sheets' paths."""

    def write(origins=ORIGINS, confidences=None, **answers):
        lines = [f"bcdfghjk,{i},{origin},set,r{i},{i}" for i, origin in enumerate(origins, 1)]
        (tmp_path / "key.csv").write_text("\n".join(["kit,ecg,origin,set,record,position", *lines]))
        paths = {}
        for name, said in answers.items():
            sure = confidences or [""] * len(said)
            lines = [f"bcdfghjk,{i},{word},{sure[i - 1]}," for i, word in enumerate(said, 1)]
            paths[name] = tmp_path / f"{name}.csv"
            paths[name].write_text("\n".join(["kit,ecg,answer,confidence,remarks", *lines]))
        return tmp_path / "key.csv", list(paths.values())

    return write


def scored(study, num_resamples=50, **arguments):
    scores = score_readers(*study(**arguments), num_resamples=num_resamples, progress=False)
    return scores, scores.readers.set_index("reader")


def test_a_perfect_reader_is_always_right_and_one_who_is_always_wrong_never(study):
    scores, table = scored(study, ann=ORIGINS, bob=[OTHER[origin] for origin in ORIGINS])
    assert (table.loc["ann", "accuracy"], table.loc["bob", "accuracy"]) == (1, 0)
    assert table.loc["ann", ["real_right", "generated_right"]].tolist() == [1, 1]
    expected = share_of_number(8, 8, 8.0)
    assert table.loc["ann", ["accuracy_low", "accuracy_high"]].tolist() == [expected.low, expected.high]
    assert table.loc["ann", "p_guessing"] == pytest.approx(2 / 70)
    assert scores.agreement.kappa == -1
    assert table.loc["all", "accuracy"] == 0.5


def test_a_guesser_is_right_in_half_and_the_interval_says_so(study):
    rng = np.random.default_rng(0)
    origins = ["real", "generated"] * 100
    _, table = scored(study, origins=origins, ann=list(rng.choice(["real", "generated"], 200)))
    row = table.loc["ann"]
    assert 0.4 < row["accuracy"] < 0.6
    assert row["accuracy_low"] < 0.5 < row["accuracy_high"]
    assert row["p_guessing"] > 0.05
    assert table.loc["all", "accuracy_low"] < 0.5 < table.loc["all", "accuracy_high"]


def test_who_calls_everything_real_gains_nothing(study):
    scores, table = scored(study, ann=["real"] * 8, bob=["r"] * 8)
    assert table.loc["ann", ["accuracy", "real_right", "generated_right", "p_guessing"]].tolist() == [0.5, 1, 0, 1]
    assert scores.agreement.share == 1
    assert np.isnan(scores.agreement.kappa)
    assert scores.mostly_wrong() == [2, 3, 6, 8]


def test_p_of_guessing_holds_its_level_for_a_reader_who_favours_real():
    """Of 2,000 readers who say real in 7 of 10 whatever they see, at most one in 20 seems to know."""
    rng = np.random.default_rng(1)
    said = rng.random((2000, 40)) < 0.7
    real = said[:, :20].sum(axis=1), said[:, 20:].sum(axis=1)
    p = [scipy.stats.fisher_exact(np.array([[a, 20 - a], [b, 20 - b]]))[1] for a, b in zip(*real, strict=True)]
    assert np.mean(np.array(p) < 0.05) < 0.05


def test_kappa_of_readers_who_say_the_same_is_one_without_an_interval(study):
    scores, _ = scored(study, ann=ORIGINS, bob=ORIGINS, cy=ORIGINS)
    assert (scores.agreement.kappa, scores.agreement.share) == (1, 1)
    assert np.isnan(scores.agreement.kappa_low)
    assert len(scores.agreement.pairs) == 3


def test_kappa_is_the_one_worked_out_by_hand(study):
    """20 alike as real, 5 and 10 apart, 15 alike as generated: 0.7 alike, 0.5 by chance, kappa 0.4."""
    ann = ["real"] * 25 + ["generated"] * 25
    bob = ["real"] * 20 + ["generated"] * 5 + ["real"] * 10 + ["generated"] * 15
    scores, _ = scored(study, origins=["real", "generated"] * 25, num_resamples=400, ann=ann, bob=bob)
    agreement = scores.agreement
    assert agreement.share == pytest.approx(0.7)
    assert agreement.kappa == pytest.approx(0.4)
    # Fleiss, Cohen and Everitt's large-sample error of this table is 0.128
    assert agreement.kappa_low == pytest.approx(0.4 - 1.96 * 0.128, abs=0.06)
    assert agreement.kappa_high == pytest.approx(0.4 + 1.96 * 0.128, abs=0.06)


def test_kappa_of_three_readers_is_the_mean_over_their_pairs(study):
    rng = np.random.default_rng(3)
    said = {name: list(rng.choice(["real", "generated"], 8)) for name in ("ann", "bob", "cy")}
    scores, _ = scored(study, **said)
    by_hand = []
    for one, other in (("ann", "bob"), ("ann", "cy"), ("bob", "cy")):
        a, b = (np.array(said[name]) == "real" for name in (one, other))
        chance = a.mean() * b.mean() + (1 - a.mean()) * (1 - b.mean())
        by_hand.append(((a == b).mean() - chance) / (1 - chance))
    assert scores.agreement.pairs["kappa"].to_numpy() == pytest.approx(by_hand)
    assert scores.agreement.kappa == pytest.approx(np.mean(by_hand))


def test_one_reader_has_no_agreement(study, tmp_path):
    scores, _ = scored(study, ann=ORIGINS)
    assert len(scores.agreement.pairs) == 0
    assert np.isnan([scores.agreement.share, scores.agreement.kappa]).all()
    text = write_scores(tmp_path / "out", scores).read_text()
    assert "**Agreement between readers**: –, it takes two readers." in text


def test_auc_is_mann_and_whitneys_of_the_signed_confidence(study):
    said = ["real", "generated", "real", "real", "generated", "generated", "real", "generated"]
    confidences = [5, 4, 2, 3, 1, 5, "", 2]
    _, table = scored(study, confidences=confidences, ann=said)
    real, generated = [5, 3, -1], [-4, 2, -5, -2]
    expected = scipy.stats.mannwhitneyu(real, generated).statistic / 12
    assert table.loc["ann", "auc"] == pytest.approx(expected)
    assert table.loc["ann", "auc_low"] <= expected <= table.loc["ann", "auc_high"]
    assert table.loc["ann", "num_with_confidence"] == 7


def test_no_confidence_is_no_auc(study):
    _, table = scored(study, ann=ORIGINS)
    assert np.isnan(table.loc["ann", "auc"])


def test_what_is_left_out_is_counted_and_not_held_against_the_reader(study):
    said = [*ORIGINS[:6], "", ""]
    _, table = scored(study, ann=said, bob=[OTHER[origin] for origin in ORIGINS])
    assert table.loc["ann", ["num_answered", "num_left_out", "accuracy"]].tolist() == [6, 2, 1]
    assert table.loc["all", "accuracy"] == 0.5  # each reader counts alike


def test_another_seed_changes_intervals_alone(study):
    rng = np.random.default_rng(3)
    files = study(**{name: list(rng.choice(["real", "generated"], 8)) for name in ("ann", "bob")})
    one, same, other = (score_readers(*files, num_resamples=60, seed=seed, progress=False) for seed in (0, 0, 1))
    pd.testing.assert_frame_equal(one.readers, same.readers)
    assert one.agreement.kappa == other.agreement.kappa
    assert one.agreement.kappa_low == same.agreement.kappa_low


def test_scores_are_written_to_read_and_to_compute_with(study, tmp_path):
    scores, _ = scored(study, ann=ORIGINS, bob=["real", "", *ORIGINS[2:]], cy=["generated"] * 8)
    text = write_scores(tmp_path / "out", scores).read_text()
    assert "| ann      | 8 of 8     | 100.0 % (67.6 % to 100.0 %)" in text
    assert "**Most readers were wrong on** no ECG." in text
    assert pd.read_csv(tmp_path / "out" / "scores.csv")["reader"].tolist() == ["ann", "bob", "cy", "all"]
    ecgs = pd.read_csv(tmp_path / "out" / "ecgs.csv", keep_default_na=False)
    assert ecgs.loc[1, ["origin", "record", "answer_bob"]].tolist() == ["generated", "r2", ""]
    assert ecgs["share_right"].tolist() == pytest.approx([2 / 3, 1, 1, 2 / 3, 2 / 3, 1, 2 / 3, 1])
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert (summary["kit"], summary["num_real"], summary["num_generated"]) == ("bcdfghjk", 4, 4)
    assert [reader["auc"] for reader in summary["readers"]] == [None] * 4
    with pytest.raises(FileExistsError, match="is not empty"):
        write_scores(tmp_path / "out", scores)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_sheets_are_read_as_people_fill_them_in(study, tmp_path, encoding, separator):
    key, _ = study()
    words = [" Real ", "FAKE", "g", "r", "real", "Generated", "", "synthetic"]
    rows = [["Name", "KIT", " Ecg", "Answer ", "remarks", "Confidence", ""]]
    rows += [["ä", "bcdfghjk", f"ECG {i}" if i % 2 else f"{i}.0", w, "P?", "4"] for i, w in enumerate(words, 1)]
    rows[1:] = [[], *rows[:0:-1], ["", "", "", "", "", ""]]
    content = "\r\n".join(separator.join(row) for row in rows)
    (tmp_path / "a.csv").write_bytes(content.encode(encoding))
    sheet = read_sheet(tmp_path / "a.csv", read_key(key))
    expected = ["real", "generated", "generated", "real", "real", "generated", None, "generated"]
    assert [word if isinstance(word, str) else None for word in sheet["answer"]] == expected
    assert sheet.index.tolist() == [1, 2, 3, 4, 5, 6, 7, 8]
    assert set(sheet["confidence"]) == {4.0}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("bcdfghjk,9,real,,", "a.csv, row 3: ecg must be one of the kit's, 1 to 8; got '9'"),
        ("bcdfghjk,,real,,", "row 3: ecg must be one of the kit's, 1 to 8; got ''"),
        ("bcdfghjk,1,real,,", "row 3: ECG 1 is answered twice"),
        ("bcdfghjk,2,normal,,", r"row 3: answer must be one of r, real, .*, or empty .*; got 'normal'"),
        ("bcdfghjk,2,real,6,", "row 3: confidence must be a whole number from 1 to 5, or empty; got '6'"),
        ("bcdfghjk,2,real,sure,", "row 3: confidence must be .*; got 'sure'"),
        ("mmmmmmmm,2,real,,", "row 3: the sheet is of kit 'mmmmmmmm', the key of kit 'bcdfghjk'"),
    ],
)
def test_what_cannot_be_read_is_named_with_file_row_and_value(study, tmp_path, line, message):
    key, _ = study()
    (tmp_path / "a.csv").write_text("\n".join(["kit,ecg,answer,confidence,remarks", "bcdfghjk,1,real,3,", line]))
    with pytest.raises(ValueError, match=message):
        read_sheet(tmp_path / "a.csv", read_key(key))


HEADER = "kit,ecg,answer,confidence,remarks"


@pytest.mark.parametrize(
    "lines",
    [
        ['bcdfghjk,2,real,4,"odd', "bcdfghjk,3,real,4,", "bcdfghjk,4,real,4,"],
        ['bcdfghjk,2,real,4,"odd', "bcdfghjk,3,,,"],
        ['bcdfghjk,2,real,4,"odd', "bcdfghjk,3,nomral,,"],  # a word that is to be corrected
        ['bcdfghjk,2,real,4,"odd', "bcdfghjk,3,real,4,", 'bcdfghjk,4,real,4,"'],  # closed by the next reader's mark
        ['bcdfghjk,2,real,4,"odd', 'bcdfghjk,3,real,4,"wide', "bcdfghjk,4,real,4,"],
        ['bcdfghjk,2,"real,4,', "bcdfghjk,3,real,4,"],
        ['bcdfghjk,2,real,4,"odd', ",3,real"],
    ],
)
def test_a_quotation_mark_that_takes_up_other_answers_is_refused_with_its_row(study, tmp_path, lines):
    key, _ = study()
    (tmp_path / "a.csv").write_text("\n".join([HEADER, "bcdfghjk,1,real,3,", *lines]))
    with pytest.raises(ValueError, match=r"a\.csv, row 3: a quotation mark is opened and not closed.* remove the mark"):
        read_sheet(tmp_path / "a.csv", read_key(key))


def test_a_quotation_mark_in_the_first_row_is_refused(study, tmp_path):
    key, _ = study()
    (tmp_path / "a.csv").write_text("\n".join(['kit,ecg,answer,confidence,"remarks', "bcdfghjk,1,real,3,"]))
    with pytest.raises(ValueError, match=r"a\.csv, row 1: a quotation mark"):
        read_sheet(tmp_path / "a.csv", read_key(key))


def test_remarks_may_hold_quotation_marks_and_lines(study, tmp_path):
    key, _ = study()
    remarks = [
        '3" high',
        '"odd" wave',
        '"first line\nV1, 2, broad, and, so on\n3"',
        '"a ""b"""',
        "one\u2028line",
        '"last',
    ]
    rows = [f"bcdfghjk,{i},real,{1 + i % 5},{remark}" for i, remark in enumerate(remarks, 1)]
    (tmp_path / "a.csv").write_text("\n".join([HEADER, *rows]), encoding="utf-8")
    sheet = read_sheet(tmp_path / "a.csv", read_key(key)).loc[: len(remarks)]
    assert sheet["answer"].tolist() == ["real"] * len(remarks)
    assert sheet["confidence"].tolist() == [2, 3, 4, 5, 1, 2]


def test_a_row_is_named_by_its_first_line(study, tmp_path):
    key, _ = study()
    (tmp_path / "a.csv").write_text(f'{HEADER}\nbcdfghjk,1,real,3,"two\nlines"\nbcdfghjk,2,maybe,3,"two\nlines"')
    with pytest.raises(ValueError, match=r"a\.csv, row 4: answer must be"):
        read_sheet(tmp_path / "a.csv", read_key(key))


def test_a_sheet_without_an_answer_is_refused(study):
    with pytest.raises(ValueError, match=r"ann\.csv has no answer: fill in the column 'answer'"):
        score_readers(*study(ann=[""] * 8))


def test_a_sheet_without_its_columns_is_refused(study, tmp_path):
    key, _ = study()
    for content in ("", "1,real\n", "kit,ecg\nb,1\n"):
        (tmp_path / "a.csv").write_text(content)
        with pytest.raises(
            ValueError, match=r"a\.csv has no column '(ecg|answer)': its first row must name ecg, answer"
        ):
            read_sheet(tmp_path / "a.csv", read_key(key))
    with pytest.raises(FileNotFoundError, match="no file at nowhere"):
        read_sheet("nowhere", read_key(key))


def test_a_sheet_that_does_not_say_its_kit_is_taken_and_said(study, tmp_path, caplog):
    key, _ = study()
    (tmp_path / "a.csv").write_text("ecg,answer\n1,real\n")
    assert read_sheet(tmp_path / "a.csv", read_key(key)).loc[1, "answer"] == "real"
    assert "names no kit" in caplog.text


def test_a_key_is_found_in_its_folder_and_what_is_no_key_refused(study, tmp_path):
    key, _ = study(ann=ORIGINS)
    assert len(read_key(tmp_path)) == 8
    with pytest.raises(ValueError, match=r"ann\.csv has no column 'origin'"):
        read_key(tmp_path / "ann.csv")
    key.write_text(key.read_text().replace("generated", "maybe"))
    with pytest.raises(ValueError, match="is not the key of a reader kit, or was edited"):
        read_key(key)


def test_readers_go_by_their_files_or_by_the_names_given():
    assert list(name_readers("in/ann.csv")) == ["ann"]
    assert list(name_readers({"ann": "a/sheet.csv", 2: "b/sheet.csv"})) == ["ann", "2"]


@pytest.mark.parametrize(
    ("sheets", "message"),
    [
        (["a/sheet.csv", "b/sheet.csv"], "each reader must have a name of their own.*got sheet, sheet"),
        ({"all": "a.csv"}, "none is 'all'"),
        ([], "readers must be filled-in sheets"),
        (5, "readers must be filled-in sheets.*got 5"),
        ([None], "readers must be filled-in sheets"),
        ({"ann": ["a.csv"]}, "readers must be filled-in sheets"),
    ],
)
def test_readers_that_cannot_be_told_apart_or_are_no_files_are_refused(sheets, message):
    with pytest.raises(ValueError, match=message):
        name_readers(sheets)
