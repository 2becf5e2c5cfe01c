import warnings

import numpy as np
import pytest

from ecggan.ecg import EIGHT_LEADS
from ecggan.plotting import GENERATED, REAL, figure_png, plot_lead_correlations, plot_spectra

FREQUENCIES_HZ = np.arange(1, 501) / 2


def test_spectra_have_a_panel_a_lead_in_decibels_from_half_a_hertz_to_half_the_sampling_rate():
    density = dict.fromkeys(EIGHT_LEADS, np.full(500, 1e-3))
    figure = plot_spectra(FREQUENCIES_HZ, {"real": density, "generated": {k: 2 * v for k, v in density.items()}})
    assert [axes.get_title() for axes in figure.axes] == list(EIGHT_LEADS)
    for axes in figure.axes:
        assert (axes.get_xscale(), axes.get_xlim()) == ("log", (0.5, 250))
        assert axes.get_ylim() == figure.axes[0].get_ylim()
        real, generated = axes.lines
        assert (real.get_color(), generated.get_color()) == (REAL, GENERATED)
        np.testing.assert_allclose(real.get_ydata(), -30)
        np.testing.assert_allclose(generated.get_ydata(), -30 + 10 * np.log10(2))
    assert figure.axes[0].get_ylabel() == "dB re 1 mV²/Hz"


def test_quartiles_are_a_band_about_the_line():
    quartiles = {"real": {"I": np.stack([np.full(500, db) for db in (-50.0, -40.0, -35.0)])}}
    figure = plot_spectra(FREQUENCIES_HZ, {"real": {"I": np.full(500, 1e-4)}}, quartiles)
    (band,) = figure.axes[0].collections
    np.testing.assert_allclose(band.get_datalim(figure.axes[0].transData).intervaly, [-50, -35])


def test_leads_that_a_set_lacks_and_silent_ones_are_drawn_without_a_warning():
    sets = {"real": {"I": np.zeros(500), "V1": np.full(500, np.nan)}, "generated": {"V1": np.ones(500)}}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = plot_spectra(FREQUENCIES_HZ, sets)
        assert figure_png(figure, dpi=30).startswith(b"\x89PNG")
    assert [text.get_text() for text in figure.axes[0].texts] == ["no values"]
    assert len(figure.axes[1].lines) == 1


def _maps(figure):
    return [axes for axes in figure.axes if axes.images and axes.get_title()]


@pytest.mark.parametrize(("num_sets", "num_maps"), [(1, 1), (2, 3), (3, 5)])
def test_lead_correlations_have_a_map_a_set_and_one_a_difference(num_sets, num_maps):
    matrices = {f"set {i}": np.full((3, 3), 0.5 - 0.2 * i) for i in range(num_sets)}
    figure = plot_lead_correlations(matrices, ["I", "II", "V1"])
    maps = _maps(figure)
    assert len(maps) == num_maps
    assert [axes.images[0].get_clim() for axes in maps[:num_sets]] == [(-1, 1)] * num_sets
    for i, axes in enumerate(maps[num_sets:], start=1):
        assert axes.get_title() == f"set {i} − set 0"
        np.testing.assert_allclose(axes.images[0].get_array(), -0.2 * i)
        assert axes.images[0].get_clim() == pytest.approx((-0.2 * (num_sets - 1), 0.2 * (num_sets - 1)))


def test_cells_show_two_decimals_but_for_the_diagonal_and_what_is_missing():
    matrix = np.array([[1, -0.456, 1], [-0.456, 1, np.nan], [1, np.nan, 1]])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = plot_lead_correlations({"real": matrix, "generated": matrix * np.nan}, ["I", "II", "V1"])
        assert figure_png(figure, dpi=30).startswith(b"\x89PNG")
    assert [text.get_text() for text in _maps(figure)[0].texts] == ["−.46", "1.00", "−.46", "1.00"]


def test_small_differences_do_not_get_the_loudest_colours():
    figure = plot_lead_correlations({"a": np.zeros((2, 2)), "b": np.full((2, 2), 0.01)}, ["I", "II"])
    assert _maps(figure)[-1].images[0].get_clim() == (-0.1, 0.1)


def test_matrices_that_do_not_fit_the_leads_are_refused():
    with pytest.raises(ValueError, match=r"2 by 2 leads each; that of 'a' is \(3, 3\)"):
        plot_lead_correlations({"a": np.eye(3)}, ["I", "II"])
    with pytest.raises(ValueError, match="there is none"):
        plot_lead_correlations({}, ["I", "II"])
