"""ECGs as a file to take along: the exports of `generate.py`, or pages on ECG paper."""

import io
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ecggan.data.exports.chunks import safe_names
from ecggan.data.exports.export import export
from ecggan.data.sets.ecg_set import ECGSet
from ecggan.page.forms import PICTURES
from ecggan.page.in_process import opened
from ecggan.page.sources import Address
from ecggan.plotting import plot_ecg, save_pages

if TYPE_CHECKING:
    import matplotlib.figure

_DPI = 200
_EARLIEST = (1980, 1, 1, 0, 0, 0)  # that a zip can hold: the same ECGs are the same bytes


def download(
    address: Address, form: str, num_records: int | None, leads: int | None, normal: bool
) -> tuple[str, bytes]:
    """One ECG, or the first `num_records` of its source and seed, as the name of a file and its content.

    Args:
        address: of the ECG.
        form: of [FORMS][ecggan.page.forms.FORMS].
        num_records: None for the one ECG.
        leads: 8 or 12, of a generator.
        normal: of many, normal ones alone.

    Raises:
        ValueError: a set does not have the ECG, or the generator not the leads.
    """
    seed = address.seed
    if num_records is None:
        ecgs = opened.record(address.source, seed, address.index, leads)
        (name,) = safe_names(ecgs.records["record"].tolist())
    else:
        ecgs = opened.records(address.source, seed, num_records, leads, "normal" if normal else None)
        name = f"{address.source}_seed{seed}_{len(ecgs)}{'_normal' if normal else ''}"
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "ecgs"
        if form in PICTURES:
            files = _pictures(ecgs, form, out)
        else:
            export(ecgs, form, out, num_workers=0, progress=False)
            files = [path for path in sorted(out.rglob("*")) if path.is_file()]
            if num_records is None:  # the record's own files, without the set's papers
                names = (
                    ("*.npz",) if form == "npz" else (f"*.{form}",) if form in ("asc", "csv") else ("*.hea", "*.dat")
                )
                files = [path for pattern in names for path in out.rglob(pattern)]
        if len(files) == 1:
            return f"{name}{files[0].suffix}", files[0].read_bytes()
        return f"{name}-{form}.zip", _zipped(files, out if num_records is not None else None)


def _pictures(ecgs: ECGSet, form: str, out: Path) -> list[Path]:
    out.mkdir()
    if form == "pdf":
        save_pages(_figures(ecgs), out / "ecgs.pdf", title=f"{len(ecgs)} ECGs")
        return [out / "ecgs.pdf"]
    for name, figure in zip(safe_names(ecgs.records["record"].tolist()), _figures(ecgs), strict=True):
        figure.savefig(out / f"{name}.png", dpi=_DPI)
    return sorted(out.iterdir())


def _figures(ecgs: ECGSet) -> "Iterator[matplotlib.figure.Figure]":
    for number, name in enumerate(ecgs.records["record"]):
        yield plot_ecg(ecgs.millivolts([number])[0], ecgs.leads, ecgs.sampling_rate, str(name))


def _zipped(files: list[Path], root: Path | None) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in files:
            name = path.name if root is None else path.relative_to(root).as_posix()
            archive.writestr(zipfile.ZipInfo(name, _EARLIEST), path.read_bytes(), zipfile.ZIP_DEFLATED)
    return content.getvalue()
