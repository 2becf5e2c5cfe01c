"""Each check accepts what its rule allows and names argument, rule and value of everything else."""

import math

import numpy as np
import pytest

from ecggan import checks


@pytest.mark.parametrize("value", [1, 7, np.int64(3)])
def test_a_whole_number_within_its_limits_is_accepted(value):
    checks.whole_number("n", value, at_least=1, at_most=7)


@pytest.mark.parametrize("value", [0, 8, -1, 1.0, True, "3", None, [2]])
def test_anything_else_is_no_whole_number_within_its_limits(value):
    with pytest.raises(ValueError, match=r"^n must be a whole number, from 1 to 7; got "):
        checks.whole_number("n", value, at_least=1, at_most=7)


@pytest.mark.parametrize("value", [0.5, 3, np.float32(2)])
def test_a_finite_number_above_zero_is_positive(value):
    checks.positive("x", value)


@pytest.mark.parametrize("value", [0, -1, math.inf, math.nan, True, "3", None])
def test_anything_else_is_not_positive(value):
    with pytest.raises(ValueError, match=r"^x must be a number above 0, in mV; got "):
        checks.positive("x", value, unit="mV")


@pytest.mark.parametrize("value", [-1, 0, 0.5])
def test_a_number_within_its_limits_is_accepted(value):
    checks.number("x", value, at_least=-1, at_most=0.5)


@pytest.mark.parametrize("value", [-1.1, 0.6, math.nan, True, "0", None])
def test_anything_else_is_no_number_within_its_limits(value):
    with pytest.raises(ValueError, match=r"^x must be a number, from -1 to 0\.5; got "):
        checks.number("x", value, at_least=-1, at_most=0.5)


@pytest.mark.parametrize("value", [-0.1, math.inf, math.nan])
def test_a_number_without_an_upper_limit_is_finite(value):
    checks.number("x", 1e9, at_least=0)
    with pytest.raises(ValueError, match=r"^x must be a number, at least 0; got "):
        checks.number("x", value, at_least=0)


@pytest.mark.parametrize("value", ["A", "", None, 1, ["a"]])
def test_a_word_that_is_no_choice_is_refused_with_the_choices(value):
    checks.one_of("letter", "a", ("a", "b", "c"))
    with pytest.raises(ValueError, match=r"^letter must be a, b or c; got "):
        checks.one_of("letter", value, ("a", "b", "c"))


@pytest.mark.parametrize("value", [1, 0, "true", None])
def test_a_flag_is_true_or_false_alone(value):
    checks.flag("on", True)
    checks.flag("on", False)
    with pytest.raises(ValueError, match=r"^on must be true or false; got "):
        checks.flag("on", value)


def test_null_is_accepted_only_where_it_is_allowed():
    checks.whole_number("n", None, at_least=1, or_null=True)
    checks.positive("x", None, or_null=True)
    checks.number("x", None, at_least=0, or_null=True)
    checks.one_of("letter", None, ("a",), or_null=True)
    with pytest.raises(ValueError, match=r"at least 1, or null; got 0"):
        checks.whole_number("n", 0, at_least=1, or_null=True)
    with pytest.raises(ValueError, match=r"above 0, or null; got 0"):
        checks.positive("x", 0, or_null=True)
    with pytest.raises(ValueError, match=r"must be a or null; got 'b'"):
        checks.one_of("letter", "b", ("a",), or_null=True)


def test_a_value_that_must_be_given_is_asked_for():
    checks.given("key", "k.csv", "key=KEY.CSV")
    with pytest.raises(ValueError, match=r"^key must be given: key=KEY\.CSV$"):
        checks.given("key", None, "key=KEY.CSV")
