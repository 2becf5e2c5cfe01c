import warnings
from itertools import pairwise

import numpy as np
import pytest

from ecggan.ecg import EIGHT_LEADS, TWELVE_LEADS
from ecggan.plotting import figure_png, plot_ecg, plot_ecg_grid

MM_PER_INCH = 25.4


def _traces(figure, num_samples):
    """(x, y) in mm of each line with that many points, from the top of the page down and left to right."""
    lines = [line.get_xydata() for line in figure.axes[0].lines if len(line.get_xydata()) == num_samples]
    return sorted(lines, key=lambda xy: (-round(np.median(xy[:, 1])), xy[0, 0]))


def _texts(figure):
    return [text.get_text() for text in figure.axes[0].texts]


def test_page_is_true_to_25_mm_a_second_and_10_mm_a_millivolt(known_ecg):
    ecg = known_ecg(noise_mv=0)[0]
    figure = plot_ecg(ecg, EIGHT_LEADS, 500)
    (rhythm,) = _traces(figure, 5000)
    width, height = figure.get_size_inches() * MM_PER_INCH
    assert (figure.axes[0].get_xlim(), figure.axes[0].get_ylim()) == ((0, width), (0, height))
    assert tuple(figure.axes[0].get_position().bounds) == (0, 0, 1, 1)
    assert rhythm[-1, 0] - rhythm[0, 0] == pytest.approx(25 * 4999 / 500)
    assert np.ptp(rhythm[:, 1]) == pytest.approx(10 * np.ptp(ecg[1]))


def test_leads_stand_where_a_cardiologist_looks_for_them(known_ecg):
    figure = plot_ecg(known_ecg()[0], EIGHT_LEADS, 500, title="record 7")
    by_row = ["I", "aVR", "V1", "V4", "II", "aVL", "V2", "V5", "III", "aVF", "V3", "V6", "II"]
    assert _texts(figure) == [*by_row, "record 7", "25 mm/s   10 mm/mV"]


def test_columns_show_consecutive_time():
    ramp = np.tile(np.linspace(0, 1, 5000), (12, 1))
    figure = plot_ecg(ramp, TWELVE_LEADS, 500)
    first_row = [line.get_xydata() for line in figure.axes[0].lines if len(line.get_xydata()) == 1250][:4]
    starts = [piece[0, 0] for piece in first_row]
    np.testing.assert_allclose(np.diff(starts), 62.5)


def test_what_twelve_leads_cannot_be_had_of_is_stacked(known_ecg):
    figure = plot_ecg(known_ecg()[0][2:4], ("V1", "V2"), 500)
    assert _texts(figure)[:2] == ["V1", "V2"]
    assert len(_traces(figure, 5000)) == 2


def test_large_waves_stay_on_the_page_and_off_the_next_row(known_ecg):
    ecg = known_ecg()[0]
    ecg[:, 100] = 9
    ecg[:, 200] = -9
    figure = plot_ecg(ecg[2:], EIGHT_LEADS[2:], 500)
    height = figure.axes[0].get_ylim()[1]
    traces = _traces(figure, 5000)
    assert len(traces) == 6
    for upper, lower in pairwise(traces):
        assert upper[:, 1].min() > lower[:, 1].max()
    assert 0 < traces[-1][:, 1].min() < traces[0][:, 1].max() < height


def test_flat_and_missing_leads_are_drawn_without_a_warning():
    ecg = np.zeros((8, 5000))
    ecg[3] = np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert figure_png(plot_ecg(ecg, EIGHT_LEADS, 500), dpi=30).startswith(b"\x89PNG")


def test_dollars_in_a_title_are_no_formula(known_ecg):
    title = "$_{1 $x^$ 100_hr"
    for figure in (
        plot_ecg(known_ecg()[0], EIGHT_LEADS, 500, title=title),
        plot_ecg_grid(known_ecg(1), EIGHT_LEADS, 500, title=title),
    ):
        (text,) = [text for text in figure.axes[0].texts if text.get_text() == title]
        assert not text.get_parse_math()
        assert figure_png(figure, dpi=30).startswith(b"\x89PNG")


def test_grid_has_a_strip_for_each_record(known_ecg):
    figure = plot_ecg_grid(known_ecg(3), EIGHT_LEADS, 500, lead="aVF", titles=["seed 1", "seed 2", "seed 3"])
    assert _texts(figure)[:3] == ["aVF  seed 1", "aVF  seed 2", "aVF  seed 3"]
    assert len(_traces(figure, 5000)) == 3


def test_nothing_to_draw_is_an_error():
    with pytest.raises(ValueError, match="there is nothing to plot"):
        plot_ecg_grid(np.zeros((0, 8, 5000)), EIGHT_LEADS, 500)
