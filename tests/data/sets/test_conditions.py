"""Conditions in tables and in numbers, and what may be asked of a generator."""

import json

import numpy as np
import pandas as pd
import pytest

from ecggan.data.sets.conditions import Conditions, condition_table, read_conditions, request_of

NAMES = ["sex", "age", "heart_rate", "labels"]


def training_records(count: int = 60) -> pd.DataFrame:
    """Women of 60 and men of 30; every third has LBBB, which is a CD; of every tenth the age is not known."""
    i = np.arange(count)
    return pd.DataFrame(
        {
            "sex": np.where(i % 2 == 0, "female", "male"),
            "age": np.where(i % 10 == 9, np.nan, np.where(i % 2 == 0, 60.0, 30.0) + i % 7),
            "heart_rate": 50.0 + i,
            "labels": np.where(i % 3 == 0, "CD|LBBB", "NORM"),
        }
    )


@pytest.fixture
def conditions() -> Conditions:
    return Conditions.of(condition_table(training_records(), NAMES, "the set"), "the set")


def test_what_was_trained_on_is_known(conditions):
    assert conditions.names == tuple(NAMES)
    assert conditions.sexes == ("male", "female")
    assert conditions.ranges == {"age": (30.0, 66.0), "heart_rate": (50.0, 109.0)}
    assert conditions.labels == ("CD", "LBBB", "NORM")
    assert conditions.missing == ("age",)


def test_each_value_has_its_place_and_what_is_not_known_one_of_its_own(conditions):
    table = pd.DataFrame({"sex": ["female", None], "age": [66.0, np.nan], "heart_rate": [50.0, 79.5]})
    encoded = conditions.encode(table.assign(labels=["CD|LBBB", None]))
    assert encoded.shape == (2, conditions.size) == (2, 11)
    assert encoded[0].tolist() == [0, 1, 0, 1, 0, -1, 0, 1, 1, 0, 0]
    assert encoded[1].tolist() == [0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 1]


def test_a_record_that_carries_none_of_the_labels_is_another_than_one_of_unknown_labels(conditions):
    table = pd.DataFrame({"sex": ["male"] * 2, "age": [40.0] * 2, "heart_rate": [60.0] * 2, "labels": ["", None]})
    none, unknown = conditions.encode(table)[:, -4:]
    assert (none.tolist(), unknown.tolist()) == ([0, 0, 0, 0], [0, 0, 0, 1])


def test_a_file_holds_them_as_plain_values(conditions):
    plain = conditions.plain()
    again = Conditions.from_plain(json.loads(json.dumps(plain)))
    assert again.plain() == plain
    pd.testing.assert_frame_equal(again.draw(1, range(9)), conditions.draw(1, range(9)))


def test_kept_rows_are_coarse_and_in_no_order_of_the_records(conditions):
    assert len(conditions.rows) == 60
    assert (conditions.rows["heart_rate"] % 5 == 0).all()
    assert conditions.rows["sex"].is_monotonic_increasing


def test_a_condition_depends_on_seed_and_index_alone(conditions):
    whole = conditions.draw(3, range(20))
    pd.testing.assert_frame_equal(conditions.draw(3, [7, 2]), whole.iloc[[7, 2]].reset_index(drop=True))
    assert not conditions.draw(4, range(20)).equals(whole)


def test_without_a_request_conditions_are_drawn_as_in_the_training_set(conditions):
    drawn = conditions.draw(0, range(600))
    assert (drawn["labels"] == "CD|LBBB").mean() == pytest.approx(1 / 3, abs=0.06)
    assert drawn["age"].isna().mean() == pytest.approx(0.1, abs=0.04)
    assert set(drawn.loc[drawn["age"] > 45, "sex"]) == {"female"}  # jointly
    assert drawn["heart_rate"].between(50, 109).all()
    assert drawn["heart_rate"].nunique() > 500


def test_what_is_asked_for_is_drawn_and_the_rest_as_beside_it(conditions):
    drawn = conditions.draw(0, range(50), request_of(conditions, {"sex": "female", "heart_rate": [80, 90]}))
    assert set(drawn["sex"]) == {"female"}
    assert drawn["heart_rate"].between(80, 90).all()
    assert drawn["heart_rate"].std() > 1
    women = conditions.draw(0, range(50), request_of(conditions, {"sex": "female"}))
    assert women["age"].dropna().min() > 45
    asked = conditions.draw(0, range(9), request_of(conditions, {"age": 31, "labels": ["LBBB"]}))
    assert set(asked["age"]) == {31}
    assert set(asked["labels"]) == {"CD|LBBB"}  # with what it always has beside it
    assert conditions.draw(0, range(9), request_of(conditions, {"age": None}))["age"].isna().all()


def test_a_table_is_taken_row_by_row(conditions):
    table = training_records(5)
    request = request_of(conditions, table)
    pd.testing.assert_frame_equal(conditions.draw(9, [3, 1], request), table.iloc[[3, 1]].reset_index(drop=True))
    assert request.description != request_of(conditions, training_records(6)).description


@pytest.fixture
def with_none() -> Conditions:
    """Of records a third of which carry no label, and of which all labels are known."""
    records = training_records().assign(labels=["", "NORM", "RARE"] * 2 + ["", "NORM", "MI"] * 18)
    return Conditions.of(condition_table(records, NAMES, "the set"), "the set")


def test_the_conditions_of_a_generated_set_can_be_asked_for_again(with_none):
    drawn = with_none.draw(0, range(40)).dropna()
    assert "" in set(drawn["labels"])
    again = with_none.draw(5, range(len(drawn)), request_of(with_none, drawn))
    pd.testing.assert_frame_equal(again, drawn.reset_index(drop=True))


@pytest.mark.parametrize("asked", [[], "", "|", np.array([])])
def test_none_of_the_labels_can_be_asked_for_where_training_records_carried_none(with_none, conditions, asked):
    request = request_of(with_none, {"labels": asked})
    assert request.description == {"labels": []}
    drawn = with_none.draw(0, range(30), request)
    assert set(drawn["labels"]) == {""}
    assert drawn["heart_rate"].nunique() == 30
    assert not with_none.encode(drawn)[:, -3:].any()
    with pytest.raises(ValueError, match="labels=no label was never trained on; trained on: CD, LBBB, NORM"):
        request_of(conditions, {"labels": asked})


def test_a_lone_bar_in_a_csv_is_none_of_the_labels_and_an_empty_cell_not_known(with_none, tmp_path):
    (tmp_path / "wanted.csv").write_text("sex,age,heart_rate,labels\nmale,40,60,|\n")
    request = request_of(with_none, read_conditions(tmp_path / "wanted.csv"))
    assert request.table["labels"].tolist() == [""]
    (tmp_path / "wanted.csv").write_text("sex,age,heart_rate,labels\nmale,40,60,\n")
    with pytest.raises(ValueError, match="row 0 of the table of conditions: labels=null was never trained on"):
        request_of(with_none, read_conditions(tmp_path / "wanted.csv"))


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"weight": 70}, "weight is no condition; it was trained on sex, age, heart_rate, labels"),
        ({"age": 90}, "age=90 was never trained on; trained on: 30 to 66 years"),
        ({"heart_rate": [40, 60]}, r"heart_rate=\[40, 60\] was never trained on; trained on: 50 to 109 bpm"),
        ({"heart_rate": [90, 60]}, r"heart_rate must be a number or \[from,to\], in bpm; got \[90, 60\]"),
        ({"heart_rate": "fast"}, r"heart_rate must be a number or \[from,to\]"),
        ({"heart_rate": [60, 70, 80]}, r"heart_rate must be a number or \[from,to\]"),
        ({"heart_rate": True}, r"heart_rate must be a number or \[from,to\]"),
        ({"heart_rate": None}, "heart_rate=null was never trained on, as each training record had one"),
        ({"sex": "unknown"}, "sex=unknown was never trained on; trained on: male, female"),
        ({"labels": ["LBBB", "AFIB"]}, "labels=AFIB was never trained on; trained on: CD, LBBB, NORM"),
        ({"labels": []}, "labels=no label was never trained on"),
    ],
)
def test_what_was_never_trained_on_is_named_with_what_was(conditions, asked, message):
    with pytest.raises(ValueError, match=message):
        request_of(conditions, asked)


def test_a_condition_of_another_generator_is_named_with_those_of_this_one():
    only = Conditions.of(condition_table(training_records(), ["heart_rate"], "the set"), "the set")
    with pytest.raises(ValueError, match="age is no condition of this generator; it was trained on heart_rate"):
        request_of(only, {"age": 40})


def test_a_row_of_a_table_is_named(conditions):
    table = training_records(4)
    with pytest.raises(ValueError, match=r"row 2 of the table of conditions: age=99\.0 was never trained on"):
        request_of(conditions, table.assign(age=[40, 41, 99, 42]))
    with pytest.raises(ValueError, match="lacks the column labels; it must have sex, age, heart_rate, labels"):
        request_of(conditions, table.drop(columns="labels"))
    with pytest.raises(ValueError, match="height is no condition; it was trained on"):
        request_of(conditions, table.assign(height=1))


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["pulse"], r"condition must be a list of any of sex, age, heart_rate, labels; got \['pulse'\]"),
        ("age", "condition must be a list of any of"),
        ([], "condition must be a list of any of"),
        (["age", "age"], "condition must be a list of any of"),
        (["labels"], r"condition=\[labels\] needs the column 'labels', which ours does not have; it has record, age"),
        (["sex"], r"condition=\[sex\] needs values in the column 'sex'; in ours all are missing"),
        (["age"], r"condition=\[age\] cannot be learned from ours: it is known of none, or the same; leave it out"),
    ],
)
def test_a_set_that_lacks_a_condition_is_refused(names, message):
    records = pd.DataFrame({"record": ["a", "b"], "age": [50.0, 50.0], "sex": [None, "?"]})
    with pytest.raises(ValueError, match=message):
        Conditions.of(condition_table(records, names, "ours"), "ours")


def test_labels_of_few_records_cannot_be_asked_for():
    few = pd.DataFrame({"labels": ["AFIB"] * 4 + ["SR"] * 6})
    assert Conditions.of(condition_table(few, ["labels"], "ours"), "ours").labels == ("SR",)
    with pytest.raises(ValueError, match="no label is carried by 5 records"):
        Conditions.of(condition_table(few.head(4), ["labels"], "ours"), "ours")


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_table_is_read_from_a_file(conditions, tmp_path, suffix):
    table, path = training_records(8), tmp_path / f"wanted.{suffix}"
    table.to_csv(path, index=False) if suffix == "csv" else table.to_parquet(path)
    pd.testing.assert_frame_equal(conditions.draw(0, range(8), request_of(conditions, read_conditions(path))), table)


def test_what_is_no_table_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no table of conditions at"):
        read_conditions(tmp_path / "gone.csv")
    (tmp_path / "a.txt").write_text("age\n40\n")
    with pytest.raises(ValueError, match=r"must end in \.csv or \.parquet; got .*a\.txt"):
        read_conditions(tmp_path / "a.txt")
    (tmp_path / "b.parquet").write_text("no table")
    with pytest.raises(ValueError, match=r"b\.parquet cannot be read"):
        read_conditions(tmp_path / "b.parquet")
