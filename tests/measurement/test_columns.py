import pytest

from ecggan.measurement.columns import MEASUREMENTS, display_name


def test_measurements_have_distinct_names() -> None:
    assert len({display_name(column) for column in MEASUREMENTS}) == len(MEASUREMENTS)


def test_an_unknown_measurement_has_no_name() -> None:
    with pytest.raises(ValueError, match="'qrs' is not a measurement"):
        display_name("qrs")
