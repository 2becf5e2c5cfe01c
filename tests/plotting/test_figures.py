import subprocess
import sys
import xml.etree.ElementTree

import numpy as np
import pytest

from ecggan.ecg import EIGHT_LEADS
from ecggan.plotting import (
    GENERATED,
    REAL,
    Interval,
    figure_png,
    plot_distributions,
    plot_ecg,
    plot_intervals,
    plot_lead_correlations,
    plot_qq,
    plot_relation,
    plot_spectra,
    save_figure,
    set_colours,
)

ODD_NAMES = ("$_{1 $x^$", "<b>real & 5 %</b>", "_hidden")
VALUES = {"rr_mean_ms": np.linspace(700, 900, 50), "qt_interval_ms": np.linspace(350, 400, 50)}
SPECTRUM = {"I": np.geomspace(1, 1e-6, 500)}
PICTURES = {
    "distributions": lambda names: plot_distributions(dict.fromkeys(names, VALUES)),
    "qq": lambda names: plot_qq(dict.fromkeys(names, VALUES)),
    "relation": lambda names: plot_relation(dict.fromkeys(names, VALUES), "rr_mean_ms", "qt_interval_ms"),
    "spectra": lambda names: plot_spectra(np.arange(1, 501) / 2, dict.fromkeys(names, SPECTRUM)),
    "lead_correlations": lambda names: plot_lead_correlations(dict.fromkeys(names, np.eye(2)), ["I", "II"]),
    "intervals": lambda names: plot_intervals({k: [Interval(names[0], 0.1, -1, 1, -0.8, 0.8)] for k in names}),
}


@pytest.mark.parametrize(("suffix", "magic"), [("png", b"\x89PNG"), ("pdf", b"%PDF"), ("svg", b"<?xml")])
def test_figure_is_saved_in_the_format_of_its_suffix(tmp_path, known_ecg, suffix, magic):
    save_figure(plot_ecg(known_ecg()[0], EIGHT_LEADS, 500), tmp_path / f"ecg.{suffix}", dpi=30)
    assert (tmp_path / f"ecg.{suffix}").read_bytes().startswith(magic)
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("name", ["ecg", "ecg.docx"])
def test_unknown_figure_format_is_refused(tmp_path, known_ecg, name):
    with pytest.raises(ValueError, match=r"figures are written as \.png"):
        save_figure(plot_ecg(known_ecg()[0], EIGHT_LEADS, 500), tmp_path / name, dpi=30)


def test_importing_the_module_does_not_import_matplotlib():
    code = "import sys, ecggan.plotting; assert not any(name.startswith('matplotlib') for name in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_reference_is_blue_and_the_first_generated_set_vermilion_with_and_without_it():
    assert set_colours(["real", "generated"]) == {"real": REAL, "generated": GENERATED}
    assert set_colours(["generated"], has_reference=False) == {"generated": GENERATED}
    assert len(set(set_colours("abcdefg").values())) == 7


@pytest.mark.parametrize("picture", PICTURES)
@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_same_picture_is_the_same_bytes(tmp_path, picture, suffix):
    for i in range(2):
        save_figure(PICTURES[picture](["real", "generated"]), tmp_path / f"{i}.{suffix}", dpi=50)
    assert (tmp_path / f"0.{suffix}").read_bytes() == (tmp_path / f"1.{suffix}").read_bytes()


@pytest.mark.parametrize("picture", PICTURES)
def test_names_with_odd_characters_are_written_as_they_are(tmp_path, picture):
    figure = PICTURES[picture](ODD_NAMES)
    save_figure(figure, tmp_path / "figure.svg", dpi=50)
    xml.etree.ElementTree.parse(tmp_path / "figure.svg")
    shown = [text.get_text() for legend in figure.legends for text in legend.texts]
    shown += [axes.get_title() for axes in figure.axes]
    expected = ODD_NAMES[1:] if picture == "qq" else ODD_NAMES
    assert all(any(name in text for text in shown) for name in expected)


@pytest.mark.parametrize("picture", [p for p in PICTURES if p != "lead_correlations"])
def test_no_set_at_all_is_an_empty_picture(picture):
    empty = {
        "distributions": lambda: plot_distributions({}),
        "qq": lambda: plot_qq({}),
        "relation": lambda: plot_relation({}, "rr_mean_ms", "qt_interval_ms"),
        "spectra": lambda: plot_spectra(np.empty(0), {}),
        "intervals": lambda: plot_intervals({}),
    }
    assert figure_png(empty[picture](), dpi=30).startswith(b"\x89PNG")
