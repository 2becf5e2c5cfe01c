"""Checks of values that a user gives: each raises one ValueError that names the argument, the rule and the value.

With `or_null`, None is allowed too.
"""

import math
from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any


def whole_number(name: str, value: Any, at_least: int, at_most: int | None = None, or_null: bool = False) -> None:
    """Raise ValueError unless the value is a whole number within the limits.

    >>> whole_number("seed", 0, at_least=0)
    >>> whole_number("num_workers", "all", at_least=1, or_null=True)
    Traceback (most recent call last):
    ValueError: num_workers must be a whole number, at least 1, or null; got 'all'
    """
    is_whole = isinstance(value, Integral) and not isinstance(value, bool)
    is_right = is_whole and value >= at_least and (at_most is None or value <= at_most)
    limits = f"at least {at_least}" if at_most is None else f"from {at_least} to {at_most}"
    _require(bool(is_right), name, value, f"a whole number, {limits}{', or null' if or_null else ''}", or_null)


def positive(name: str, value: Any, unit: str = "", or_null: bool = False) -> None:
    """Raise ValueError unless the value is a finite number above 0."""
    is_right = isinstance(value, Real) and not isinstance(value, bool) and 0 < float(value) < math.inf
    words = f"a number above 0, in {unit}" if unit else "a number above 0"
    _require(is_right, name, value, f"{words}{', or null' if or_null else ''}", or_null)


def number(
    name: str, value: Any, at_least: int | float, at_most: int | float = math.inf, or_null: bool = False
) -> None:
    """Raise ValueError unless the value is a finite number within the limits.

    >>> number("min_likelihood", 101, at_least=0, at_most=100)
    Traceback (most recent call last):
    ValueError: min_likelihood must be a number, from 0 to 100; got 101
    """
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    is_right = is_number and at_least <= float(value) <= at_most and float(value) < math.inf
    limits = f"at least {at_least}" if at_most == math.inf else f"from {at_least} to {at_most}"
    _require(is_right, name, value, f"a number, {limits}{', or null' if or_null else ''}", or_null)


def one_of(name: str, value: Any, choices: Sequence[str], or_null: bool = False) -> None:
    """Raise ValueError unless the value is one of the words.

    >>> one_of("weights", "both", ("ema", "raw"))
    Traceback (most recent call last):
    ValueError: weights must be ema or raw; got 'both'
    """
    *others, last = [*choices, *(["null"] if or_null else [])]
    words = f"{', '.join(others)} or {last}" if others else last
    _require(isinstance(value, str) and value in choices, name, value, words, or_null)


def several_of(name: str, value: Any, choices: Sequence[str]) -> None:
    """Raise ValueError unless the value is a list of such words, which may be empty.

    >>> several_of("picture_formats", ["pdf", "gif"], ("pdf", "svg"))
    Traceback (most recent call last):
    ValueError: picture_formats must be a list of any of pdf, svg; got ['pdf', 'gif']
    """
    is_list = isinstance(value, Sequence) and not isinstance(value, str)
    is_right = is_list and all(isinstance(each, str) and each in choices for each in value)
    _require(is_right, name, value, f"a list of any of {', '.join(choices)}", False)


def given(name: str, value: Any, remedy: str) -> None:
    """Raise ValueError where there is no value: ``{name} must be given: {remedy}``."""
    if value is None:
        raise ValueError(f"{name} must be given: {remedy}")


def flag(name: str, value: Any) -> None:
    """Raise ValueError unless the value is true or false."""
    _require(isinstance(value, bool), name, value, "true or false", False)


def _require(is_right: bool, name: str, value: Any, words: str, or_null: bool) -> None:
    if not is_right and not (or_null and value is None):
        raise ValueError(f"{name} must be {words}; got {value!r}")
