"""Measured sets -> a folder to read, to cite and to compute with: report.html, tables, pictures, summary.json.

report.html is one file that opens anywhere, without network. Everything it says is computed from the tables beside it,
and it says nothing that the figures do not: no test, no threshold, no mark.

summary.json, schema version 1 (missing numbers are null)::

    schema_version          1
    sets                    {real, generated}: num_records, num_measurable, share_measurable (0 to 1), kind (real or
                            generated), name (of the set's folder, or null), content_sha256 (of its int16 µV in order)
    measurements            {measurement: a row of comparison.csv}
    reasons_not_measurable  {real, generated}: {reason: number of records}
    missing                 {real, generated}: {what is missing and why: number of measurable records}
    settings                what write_report was given
    versions                {package: version}
"""

import base64
import hashlib
import json
import logging
import math
import platform
from collections.abc import Mapping
from importlib import metadata, resources
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
import pandas as pd

from ecggan.atomic import atomic_folder
from ecggan.data.ecg_set import ECGSet, left_out_in_words
from ecggan.evaluation import plausibility
from ecggan.evaluation.columns import MAIN_MEASUREMENTS, display_name
from ecggan.evaluation.comparison import share_measurable
from ecggan.evaluation.delineation import EDGES
from ecggan.plotting import figure_png, plot_distributions, plot_ecg

log = logging.getLogger(__name__)

SCHEMA_VERSION = 1
NUM_SHOWN, NUM_REJECTED_SHOWN = 3, 2
FEW_RECORDS = 30
_DPI = 130
_DECIMALS = {"ms": 1, "bpm": 1, "°": 1, "mV": 2}
_PACKAGES = ("ecggan", "neurokit2", "numpy", "scipy", "pandas")


def write_report(
    out: Path,
    real: ECGSet,
    generated: ECGSet,
    real_table: pd.DataFrame,
    generated_table: pd.DataFrame,
    comparison: pd.DataFrame,
    settings: Mapping[str, Any],
) -> Path:
    """Write the report into a new folder, which appears whole or not at all.

    Args:
        out: the folder; there must be nothing in its place.
        real: the reference set.
        generated: the set that is judged.
        real_table: the measurements of `real`.
        generated_table: those of `generated`.
        comparison: of the two tables.
        settings: what the reader should know of how it was run; shown and kept as given.

    Returns:
        The path of report.html.

    Raises:
        FileExistsError: `out` is there already.
        ValueError: a table has another number of rows than its set.
    """
    sets, tables = {"real": real, "generated": generated}, {"real": real_table, "generated": generated_table}
    for name, ecgs in sets.items():
        if len(tables[name]) != len(ecgs):
            raise ValueError(
                f"{name}_table must have a row for each record of the {name} set, made by measure({name}); "
                f"it has {len(tables[name])} rows for {len(ecgs)} records"
            )
    summary = _without_nan(_summarise(sets, tables, comparison, settings))
    with atomic_folder(out) as folder:
        pictures = _draw(sets, tables)
        (folder / "pictures").mkdir()
        for name, picture in pictures.items():
            (folder / "pictures" / f"{name}.png").write_bytes(picture["png"])
        for name, table in tables.items():
            table.to_parquet(folder / f"measurements_{name}.parquet", index=False)
        comparison.to_csv(folder / "comparison.csv", index=False)
        text = json.dumps(summary, indent=2, ensure_ascii=False, allow_nan=False)
        (folder / "summary.json").write_text(text + "\n", encoding="utf-8")
        (folder / "report.html").write_text(_render(sets, summary, comparison, pictures), encoding="utf-8")
    log.info("report written to %s", Path(out) / "report.html")
    return Path(out) / "report.html"


def _summarise(
    sets: Mapping[str, ECGSet],
    tables: Mapping[str, pd.DataFrame],
    comparison: pd.DataFrame,
    settings: Mapping[str, Any],
) -> dict[str, Any]:
    return {
        "schema_version": SCHEMA_VERSION,
        "sets": {
            name: {
                "num_records": len(ecgs),
                "num_measurable": int(tables[name]["is_measurable"].sum()),
                "share_measurable": share_measurable(tables[name]),
                "kind": ecgs.kind,
                "name": ecgs.path.name if ecgs.path else None,
                "content_sha256": _content_sha256(ecgs),
            }
            for name, ecgs in sets.items()
        },
        "measurements": {row.pop("measurement"): row for row in comparison.to_dict("records")},
        "reasons_not_measurable": {
            name: {str(k): int(n) for k, n in table.loc[~table["is_measurable"], "reason"].value_counts().items()}
            for name, table in tables.items()
        },
        "missing": {
            name: {str(k): int(n) for k, n in _each(table.loc[table["is_measurable"], "missing"]).items()}
            for name, table in tables.items()
        },
        "settings": dict(settings),
        "versions": {name: metadata.version(name) for name in _PACKAGES} | {"python": platform.python_version()},
    }


def _each(missing: pd.Series) -> pd.Series:
    """How many records have each of the reasons that stand in a row after one another."""
    reasons = missing.str.split("; ").explode()
    return reasons[reasons.fillna("") != ""].value_counts()


def _content_sha256(ecgs: ECGSet) -> str:
    """The same for the same ECGs in the same order, wherever they lie and whatever else the set's files hold."""
    digest = hashlib.sha256()
    for start in range(0, len(ecgs), 256):
        digest.update(np.ascontiguousarray(ecgs.microvolts(slice(start, start + 256)), "<i2").tobytes())
    return digest.hexdigest()


def _without_nan(value: Any) -> Any:
    """The value in strict JSON's terms: NaN and infinities become None, and what JSON does not know its text."""
    if isinstance(value, Mapping):
        return {str(key): _without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, bool | int | str) else str(value)


def _draw(sets: Mapping[str, ECGSet], tables: Mapping[str, pd.DataFrame]) -> dict[str, dict[str, Any]]:
    """The pictures by name: PNG bytes, a caption, and the set they are of.

    Examples are spread evenly over each set, the same ones each time: not the best, and not drawn by chance.
    """
    measurable = {name: table[table["is_measurable"]] for name, table in tables.items()}
    columns = [c for c in MAIN_MEASUREMENTS if any(c in t and t[c].notna().any() for t in measurable.values())]
    values = {_word(sets, k): {c: t[c].to_numpy(float) for c in columns if c in t} for k, t in measurable.items()}
    pictures: dict[str, dict[str, Any]] = {}
    if columns:
        pictures["distributions"] = {"png": figure_png(plot_distributions(values), dpi=100), "caption": "", "of": ""}
    for name in sets:
        fine = np.flatnonzero(tables[name]["is_measurable"])
        spread = np.linspace(0, len(fine) - 1, min(NUM_SHOWN, len(fine))).astype(int)
        for i, position in enumerate(fine[spread]):
            pictures[f"{name}_{i + 1}"] = _draw_record(sets, tables, name, int(position), name)
    rejected = [(name, i) for name in ("generated", "real") for i in np.flatnonzero(~tables[name]["is_measurable"])]
    for i, (name, position) in enumerate(rejected[:NUM_REJECTED_SHOWN]):
        pictures[f"not_measurable_{i + 1}"] = _draw_record(sets, tables, name, int(position), "rejected")
    return pictures


def _draw_record(
    sets: Mapping[str, ECGSet], tables: Mapping[str, pd.DataFrame], name: str, position: int, of: str
) -> dict[str, Any]:
    ecgs, row = sets[name], tables[name].iloc[position]
    title = f"{_word(sets, name)} {row['record']}"
    caption = f"{title}: {row['reason']}"
    if row["is_measurable"]:
        shown = ("heart_rate_bpm", "pr_interval_ms", "qrs_duration_ms", "qt_interval_ms", "qtc_fridericia_ms")
        caption = f"{title}: " + ", ".join(
            f"{display_name(c)[0]} {row[c]:.0f} {display_name(c)[1]}" for c in shown if np.isfinite(row[c])
        )
    figure = plot_ecg(ecgs.millivolts([position])[0], ecgs.leads, ecgs.sampling_rate, title=title)
    return {"png": figure_png(figure, dpi=_DPI), "caption": caption, "of": of}


def _word(sets: Mapping[str, ECGSet], name: str) -> str:
    """What a set is called where it is shown: by what it is, should it stand in the other's place."""
    if sets[name].kind == name:
        return name
    return {"real": "reference", "generated": "judged (real)"}[name]


def _render(
    sets: Mapping[str, ECGSet],
    summary: Mapping[str, Any],
    comparison: pd.DataFrame,
    pictures: Mapping[str, Mapping[str, Any]],
) -> str:
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    template = resources.files("ecggan.evaluation").joinpath("report.html.j2").read_text(encoding="utf-8")
    rows = [_shown_row({str(key): value for key, value in row.items()}) for row in comparison.to_dict("records")]
    ranked = [row for row in rows if row["is_main"] and row["apart"] is not None]
    return environment.from_string(template).render(
        words={name: _word(sets, name) for name in sets},
        summary=summary,
        rows=rows,
        furthest=sorted(ranked, key=lambda row: -row["apart"])[:3],
        few_records=FEW_RECORDS,
        pictures=[
            {**picture, "name": name, "base64": base64.b64encode(picture["png"]).decode()}
            for name, picture in pictures.items()
        ],
        origins={
            name: {
                "made_by": _lines(_without_nan(ecgs.manifest.get("made_by"))),
                "account": _account_lines(ecgs.manifest.get("account")),
                "form": f"{', '.join(ecgs.leads)}; {ecgs.num_samples} samples at {ecgs.sampling_rate} Hz",
            }
            for name, ecgs in sets.items()
        },
        settings=_lines(summary["settings"]),
        gate=plausibility,
        edges=", ".join(f"{wave} {share:g}" for wave, share in EDGES.items()),
        limits=[(*display_name(column), *limits) for column, limits in plausibility.LIMITS.items()],
    )


def _shown_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of the comparison as text, and how far apart the sets are in SDs of the real one (to rank unlike units)."""
    name, unit = display_name(row["measurement"])
    digits = _DECIMALS[unit]
    number = {k: "–" if not np.isfinite(v) else f"{v:.{digits}f}" for k, v in row.items() if isinstance(v, float)}
    if np.isfinite(row["difference"]):
        number["difference"] = f"{row['difference']:+.{digits}f}"
    number = {key: text.replace("-", "−") for key, text in number.items()}
    apart = row["wasserstein_distance"] / row["real_sd"] if row["real_sd"] > 0 else np.nan
    shown = {"name": name[0].upper() + name[1:], "unit": unit, "apart": float(apart) if np.isfinite(apart) else None}
    return {**row, **number, **shown, "is_main": row["measurement"] in MAIN_MEASUREMENTS}


def _account_lines(account: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    """How many records were read and kept, and by which rule others were left out, the first of them by name."""
    if account is None:
        return []
    lines = [("read", str(account["read"])), ("kept", str(account["kept"]))]
    return lines + [(f"left out by {rule}", text) for rule, text in left_out_in_words(account).items()]


def _lines(value: Any, name: str = "") -> list[tuple[str, str]]:
    """Nested facts as (name, value) lines: ``{"left_out": {"flat": 2}}`` -> ``[("left_out: flat", "2")]``."""
    if isinstance(value, Mapping):
        return [line for key, item in value.items() for line in _lines(item, f"{name}: {key}" if name else str(key))]
    if isinstance(value, list):
        value = ", ".join(str(item) for item in value)
    return [] if value is None and not name else [(name or "value", "–" if value is None else str(value))]
