import re

import pytest
from matplotlib.figure import Figure

from ecggan.plotting import save_pages

MM = 25.4


def boxes(path):
    """(width, height) of each page, in mm."""
    found = re.findall(rb"/MediaBox \[\s*(\S+) (\S+) (\S+) (\S+)\s*\]", path.read_bytes())
    return [(float(c) / 72 * MM, float(d) / 72 * MM) for _, _, c, d in found]


def test_each_figure_is_a_page_and_all_pages_are_of_one_size(tmp_path):
    sizes = [(265, 150), (265, 180), (100, 100)]
    save_pages((Figure(figsize=(w / MM, h / MM)) for w, h in sizes), tmp_path / "pages.pdf")
    assert boxes(tmp_path / "pages.pdf") == [pytest.approx((297, 210), abs=0.05)] * 3


def test_a_figure_too_large_for_the_page_is_not_shrunk(tmp_path):
    save_pages([Figure(figsize=(300 / MM, 220 / MM))], tmp_path / "pages.pdf")
    assert boxes(tmp_path / "pages.pdf") == [pytest.approx((300, 220), abs=0.05)]


def test_same_pages_are_the_same_bytes_without_a_date(tmp_path):
    for name in "ab":
        save_pages([Figure(figsize=(4, 3))], tmp_path / f"{name}.pdf", title="two")
    assert (tmp_path / "a.pdf").read_bytes() == (tmp_path / "b.pdf").read_bytes()
    assert b"CreationDate" not in (tmp_path / "a.pdf").read_bytes()


def test_no_figure_is_an_error_and_leaves_nothing(tmp_path):
    with pytest.raises(ValueError, match="would have no page"):
        save_pages([], tmp_path / "pages.pdf")
    assert not list(tmp_path.iterdir())
