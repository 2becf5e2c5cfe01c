"""Figures as the pages of one PDF, each at its true size."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from ecggan.files.atomic import atomic_file

if TYPE_CHECKING:
    import matplotlib.figure

A4_MM = (297.0, 210.0)  # across and up, landscape
_MM_PER_INCH = 25.4


def save_pages(
    figures: "Iterable[matplotlib.figure.Figure]",
    path: str | Path,
    title: str = "",
    page_mm: tuple[float, float] = A4_MM,
) -> None:
    """Write each figure in the middle of a page of its own, neither shrunk nor stretched, whole or not at all.

    One figure at a time is in memory where `figures` yields them. The same figures are the same bytes: no dates.

    Args:
        figures: in the order of the pages.
        path: of the PDF.
        title: of the file, as a viewer shows it.
        page_mm: width and height of a page; a figure that is larger gets a page of its own size.

    Raises:
        ValueError: there is no figure.
    """
    from matplotlib.backends.backend_pdf import PdfPages
    from matplotlib.transforms import Bbox

    with atomic_file(path) as unfinished:
        with PdfPages(unfinished, metadata={"Title": title, "CreationDate": None}) as pages:
            for figure in figures:
                inches = figure.get_size_inches()
                beside = [max(0.0, mm / _MM_PER_INCH - size) / 2 for mm, size in zip(page_mm, inches, strict=True)]
                page = Bbox.from_extents(-beside[0], -beside[1], inches[0] + beside[0], inches[1] + beside[1])
                pages.savefig(figure, bbox_inches=page)
        if not unfinished.exists():
            raise ValueError(f"{path} would have no page: figures must yield at least one figure")
