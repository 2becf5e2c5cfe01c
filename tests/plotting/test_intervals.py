import numpy as np
import pytest

from ecggan.plotting import GENERATED, Interval, plot_intervals


def _interval(label, difference, null=None):
    nulls = (None, None) if null is None else (-null, null)
    ends = (difference - 0.3, difference + 0.3, difference - 0.2, difference + 0.2)
    return Interval(label, difference, *ends, *nulls)


def _drawn(axes):
    """Lines of an interval and dots, but not the line at 0."""
    return [line.get_xydata() for line in axes.lines[1:]]


def test_interval_is_a_thin_line_a_thick_one_and_a_dot_at_its_row():
    (axes,) = plot_intervals({"generated": [_interval("QT", 0.5), _interval("PR", -0.1)]}).axes
    thin, thick, dot, *others = axes.lines[1:]
    np.testing.assert_allclose(thin.get_xydata(), [[0.2, 0], [0.8, 0]])
    np.testing.assert_allclose(thick.get_xydata(), [[0.3, 0], [0.7, 0]])
    np.testing.assert_allclose(dot.get_xydata(), [[0.5, 0]])
    assert thick.get_linewidth() > thin.get_linewidth()
    assert {line.get_color() for line in axes.lines[1:]} == {GENERATED}
    assert [line.get_ydata()[0] for line in others] == [1, 1, 1]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["QT", "PR"]


def test_margin_of_one_is_shaded_and_in_view():
    (axes,) = plot_intervals({"generated": [_interval("QT", 0.01)]}).axes
    (margin,) = axes.patches
    assert (margin.get_x(), margin.get_width()) == (-1, 2)
    assert axes.get_xlim() == (-1.5, 1.5)


def test_sets_stand_below_each_other_within_a_row_in_their_order():
    (axes,) = plot_intervals({"a": [_interval("QT", 0.1)], "b": [_interval("QT", 0.1), _interval("PR", 0)]}).axes
    heights = sorted({line[0, 1] for line in _drawn(axes)})
    assert heights[0] < 0 < heights[1] < 0.5 < heights[2] < 1.5
    assert heights[0] == pytest.approx(-heights[1])
    assert axes.get_ylim() == (1.5, -0.5)


def test_null_is_a_bar_with_a_place_in_the_legend():
    with_null, without = (plot_intervals({"a": [_interval("QT", 0.1, null)]}) for null in (0.2, None))
    bar = with_null.axes[0].patches[-1]
    assert (bar.get_x(), bar.get_width()) == (-0.2, 0.4)
    assert [text.get_text() for text in with_null.legends[0].texts][-1] == "real against real"
    assert [text.get_text() for text in without.legends[0].texts] == [
        "a",
        "90 % interval",
        "95 % interval",
        "within the margin",
    ]


def test_what_lies_far_outside_is_an_arrow_with_its_number_and_does_not_squeeze_the_rest():
    (axes,) = plot_intervals({"a": [_interval("QT", -40.0), _interval("PR", 2.0), _interval("P", 12.0)]}).axes
    limit = axes.get_xlim()[1]
    assert limit == pytest.approx(1.08 * 2.3)
    assert [text.get_text() for text in axes.texts] == ["−40.0", "12.0"]
    arrows = [line for line in axes.lines if line.get_marker() in ("<", ">")]
    assert [arrow.get_marker() for arrow in arrows] == ["<", ">"]
    assert [arrow.get_xdata()[0] for arrow in arrows] == pytest.approx([-limit, limit])


def test_missing_difference_and_missing_measurement_leave_their_row_empty():
    (axes,) = plot_intervals({"a": [_interval("QT", np.nan)], "b": []}).axes
    assert [text.get_text() for text in axes.texts] == ["no values"]
    assert _drawn(axes) == []
