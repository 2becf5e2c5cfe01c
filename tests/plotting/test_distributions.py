import numpy as np
import pytest
from matplotlib.colors import to_hex

from ecggan.measurement.columns import MAIN_MEASUREMENTS, display_name
from ecggan.plotting import GENERATED, REAL, figure_png, plot_distributions, plot_qq, plot_relation

NAMES = {column: display_name(column) for column in MAIN_MEASUREMENTS}
RNG = np.random.default_rng(0)
NORMAL = RNG.normal(100, 10, 5000)


def test_both_sets_share_their_bins_and_each_density_has_area_one():
    rng = np.random.default_rng(0)
    real, generated = rng.normal(90, 8, 200), rng.normal(100, 9, 4000)
    figure = plot_distributions({"real": {"qrs_duration_ms": real}, "generated": {"qrs_duration_ms": generated}}, NAMES)
    steps = [patch.get_data() for patch in figure.axes[0].patches]
    assert len({tuple(step.edges) for step in steps}) == 1
    for step in steps:
        assert (step.values * np.diff(step.edges)).sum() == pytest.approx(1, abs=0.03)
    assert [text.get_text() for text in figure.legends[0].texts] == ["real", "generated"]


def test_title_and_unit_are_the_display_name_or_else_the_key():
    values = {name: np.arange(5.0) for name in ("r_amplitude_v5_mv", "qrs_axis_deg", "num_beats")}
    figure = plot_distributions({"a": values, "b": values}, NAMES)
    shown = [(axes.get_title(), axes.get_xlabel()) for axes in figure.axes[: len(values)]]
    assert shown == [("R amplitude in V5", "mV"), ("QRS axis", "degrees"), ("num_beats", "")]


def test_panel_without_values_says_so_and_constant_values_have_a_panel():
    nothing, constant = np.full(5, np.nan), np.full(5, 100.0)
    figure = plot_distributions(
        {"a": {"pr_interval_ms": nothing, "qt_interval_ms": constant}, "b": {"pr_interval_ms": nothing}}
    )
    assert [text.get_text() for text in figure.axes[0].texts] == ["no values"]
    assert figure.axes[1].get_xlim()[0] < 100 < figure.axes[1].get_xlim()[1]


def test_a_few_wild_values_do_not_squeeze_the_rest():
    values = np.append(np.linspace(380, 420, 1000), 1e6)
    figure = plot_distributions({"a": {"qt_interval_ms": values}, "b": {}})
    assert figure.axes[0].get_xlim()[1] < 500


def test_of_many_sets_only_the_reference_is_filled():
    sets = {name: {"qt_interval_ms": NORMAL} for name in ("real", "one", "two")}
    patches = plot_distributions(sets).axes[0].patches
    assert [to_hex(patch.get_facecolor()) for patch in patches if patch.get_fill()] == [REAL]
    assert len(patches) == 4


def _lines(axes):
    return [line.get_xydata() for line in axes.lines]


def test_set_against_itself_lies_on_the_diagonal_and_a_shifted_one_beside_it():
    sets = {"real": {"qt_interval_ms": NORMAL}, "same": {"qt_interval_ms": NORMAL[::-1]}}
    sets["longer"] = {"qt_interval_ms": NORMAL + 7}
    (axes,) = plot_qq(sets, None, NAMES).axes
    identity, same, same_quartiles, longer, _ = _lines(axes)
    np.testing.assert_array_equal(identity[:, 0], identity[:, 1])
    np.testing.assert_array_equal(identity[:, 0], axes.get_xlim())
    np.testing.assert_allclose(same[:, 1], same[:, 0])
    np.testing.assert_allclose(longer[:, 1] - longer[:, 0], 7)
    np.testing.assert_allclose(same_quartiles[:, 0], np.quantile(NORMAL, [0.25, 0.5, 0.75]))
    assert (len(same), len(same_quartiles)) == (99, 3)


def test_quantiles_are_plotted_on_equal_axes_with_the_reference_across_and_all_of_them_in_view():
    sets = {"real": {"qt_interval_ms": NORMAL}, "generated": {"qt_interval_ms": 3 * NORMAL}}
    (axes,) = plot_qq(sets, None, NAMES).axes
    assert axes.get_xlim() == axes.get_ylim()
    assert axes.get_aspect() == 1
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("real (ms)", "generated (ms)")
    _, quantiles, _ = _lines(axes)
    np.testing.assert_allclose(quantiles[:, 1], 3 * quantiles[:, 0])
    assert axes.get_xlim()[0] < quantiles.min() < quantiles.max() < axes.get_xlim()[1]
    assert to_hex(axes.lines[1].get_color()) == GENERATED


def test_quantiles_have_a_panel_for_each_name_and_one_without_values_says_so():
    values = {"qt_interval_ms": NORMAL, "pr_interval_ms": np.array([160.0]), "p_axis_deg": np.array([np.nan])}
    figure = plot_qq({"real": values, "generated": values}, ["p_axis_deg", "pr_interval_ms"], NAMES)
    assert [axes.get_title() for axes in figure.axes] == ["P axis", "PR interval"]
    assert [text.get_text() for text in figure.axes[0].texts] == ["no values"]
    assert figure_png(figure, dpi=30).startswith(b"\x89PNG")
    assert [text.get_text() for text in plot_qq({"real": values}, ["qt_interval_ms"]).axes[0].texts] == ["no values"]


def _relation(slope, num_records=5000):
    rr = RNG.uniform(600, 1100, num_records)
    return {"rr_mean_ms": rr, "qt_interval_ms": 250 + slope * rr + RNG.normal(0, 1, num_records)}


def test_relation_has_a_panel_a_set_on_common_axes_with_its_slope_and_correlation():
    sets = {"real": _relation(0.15), "generated": _relation(-0.05)}
    figure = plot_relation(sets, "rr_mean_ms", "qt_interval_ms", NAMES)
    real, generated = figure.axes
    assert (real.get_xlim(), real.get_ylim()) == (generated.get_xlim(), generated.get_ylim())
    assert real.get_title() == "real\nr = 1.00, slope 0.150, n = 5,000"
    assert generated.get_title().startswith("generated\nr = −0.99, slope −0.050")
    assert (real.lines[0].get_slope(), real.get_xlabel()) == (pytest.approx(0.15, abs=0.001), "RR interval, mean (ms)")


def test_large_clouds_are_thinned_evenly_and_plotted_as_pixels():
    values = _relation(0.15, 4001)
    (cloud,) = plot_relation({"real": values}, "rr_mean_ms", "qt_interval_ms").axes[0].collections
    assert cloud.get_rasterized()
    np.testing.assert_array_equal(cloud.get_offsets()[:, 0], values["rr_mean_ms"][np.arange(2000) * 4001 // 2000])


def test_slope_of_two_units_has_theirs():
    values = {"rr_mean_ms": np.arange(5.0), "r_amplitude_i_mv": np.array([1.0, 1.25, 1.5, 1.75, np.nan])}
    figure = plot_relation({"real": values}, "rr_mean_ms", "r_amplitude_i_mv", NAMES)
    assert "slope 0.250 mV/ms, n = 4" in figure.axes[0].get_title()
    assert figure.axes[0].lines[0].get_slope() == pytest.approx(0.25)


def test_relation_of_no_record_of_one_and_of_equal_ones_has_no_line():
    one, equal = np.array([5.0]), np.full(4, 5.0)
    sets = {"none": {}, "one": {"a_ms": one, "b_ms": one}, "equal": {"a_ms": equal, "b_ms": equal}}
    figure = plot_relation(sets, "a_ms", "b_ms")
    assert [len(axes.lines) for axes in figure.axes] == [0, 0, 0]
    titles = [axes.get_title().split("\n")[1] for axes in figure.axes]
    assert titles == ["n = 0", "r = –, slope –, n = 1", "r = –, slope –, n = 4"]
    assert figure_png(figure, dpi=30).startswith(b"\x89PNG")
