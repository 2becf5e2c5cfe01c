import numpy as np
import pandas as pd
import pytest

from ecggan.data.sets.labels import carried, joined, known_labels

RECORDS = pd.DataFrame({"labels": ["IMI|MI|SR", "NORM | SR", None, ["MI"], ""]})


def test_labels_are_found_by_their_whole_name_in_texts_and_lists():
    found = carried(RECORDS, ["MI", "NORM"], "the set")
    np.testing.assert_array_equal(found.T, [[True, False, False, True, False], [False, True, False, False, False]])


def test_labels_are_counted():
    assert known_labels(RECORDS) == {"MI": 2, "SR": 2, "IMI": 1, "NORM": 1}
    assert known_labels(pd.DataFrame({"record": ["a"]})) == {}


def test_a_name_that_holds_the_separator_stays_one_label():
    assert joined(["a|b", " c "]) == "a/b|c"


def test_a_table_without_labels_is_named_with_what_it_has():
    with pytest.raises(ValueError, match="ours has no column 'labels' in its table, which has record, patient;"):
        carried(pd.DataFrame({"record": ["a"], "patient": ["1"]}), ["MI"], "ours")
