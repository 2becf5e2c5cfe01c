import numpy as np
import pandas as pd
import pytest
import scipy.stats

from ecggan.stats.proportions import Proportion, difference_of, share_of


@pytest.mark.parametrize(("num_true", "num_all"), [(0, 10), (7, 10), (10, 10), (812, 1000)])
def test_interval_is_wilsons(num_true: int, num_all: int) -> None:
    share = share_of(pd.Series([True] * num_true + [False] * (num_all - num_true)))
    expected = scipy.stats.binomtest(num_true, num_all).proportion_ci(method="wilson")
    assert (share.num_records, share.num_all, share.value) == (num_true, num_all, num_true / num_all)
    assert (share.low, share.high) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_records_of_one_patient_count_as_one() -> None:
    counts = pd.Series([True, True, False, False] * 10)
    patients = pd.Series([str(i // 4) for i in range(40)])
    assert share_of(counts, patients).value == 0.5
    assert share_of(counts, patients).low == pytest.approx(share_of(pd.Series([True, False] * 5)).low)


def test_a_patient_of_many_records_leaves_the_interval_wide() -> None:
    patients = pd.Series(["a"] * 200 + [f"p{i}" for i in range(100)])
    share = share_of(pd.Series([True] * 200 + [False] * 100), patients)
    assert share.effective_sample_size == pytest.approx(300**2 / (200**2 + 100))
    assert share.high - share.low > 0.5


def test_an_empty_set_has_no_proportion_and_no_difference() -> None:
    share = share_of(pd.Series([], dtype=bool))
    assert share.num_all == 0
    assert np.isnan([share.value, share.low, share.high]).all()
    difference = difference_of(share_of(pd.Series([True] * 20)), share)
    assert np.isnan([difference.value, difference.low, difference.high]).all()


def test_difference_is_generated_minus_real_with_newcombes_interval() -> None:
    # Newcombe 1998, table II, example (a): 56/70 against 48/80 gives 0.2000 with 0.0524 to 0.3339 by method 10
    generated, real = (share_of(pd.Series([True] * k + [False] * (n - k))) for k, n in ((56, 70), (48, 80)))
    difference = difference_of(real, generated)
    assert difference.value == pytest.approx(0.2)
    assert (difference.low, difference.high) == pytest.approx((0.0524, 0.3339), abs=5e-5)


def test_difference_of_sure_shares_keeps_a_width() -> None:
    sure = share_of(pd.Series([True] * 20))
    assert isinstance(sure, Proportion)
    assert difference_of(sure, sure).low < -0.1 < 0.1 < difference_of(sure, sure).high
