"""The runs of a sweep as one table: parameters, progress, and the distance of each run's ECGs to real ones."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from ecggan.files.atomic import atomic_folder
from ecggan.plotting import plot_sweep, save_figure
from ecggan.run_folder import DISTANCE, RunFolder, best_row

_FACTS = ["run", "state", "epochs", "hours", DISTANCE, "best_epoch", "share_normal", "share_measurable"]
_NOT_PARAMETERS = {"run_of_sweep", "out", "resume", "hydra/launcher", "sweep"}


def sweep_table(folder: str | Path) -> pd.DataFrame:
    """Gather the runs of a sweep, of any launcher, also while it runs.

    Args:
        folder: of the sweep (its `out`); each folder in it that holds a run.json is a run.

    Returns:
        A row a run, the nearest to real ECGs first: `run` (its folder in the sweep), `state` (complete, ended early,
        interrupted, failed, unfinished: still running or killed, or not begun), `epochs` trained, `hours` of all its
        starts (without those that were killed), `physiological_distance` and shares of its `best_epoch`, by checkpoint
        score; and a column for each parameter that differs between the runs, empty if a run was not given it.

    Raises:
        FileNotFoundError: there is no run.
    """
    folder = Path(folder)
    runs = [RunFolder(path) for path in sorted(folder.iterdir())] if folder.is_dir() else []
    runs = [run for run in runs if run.record_path.exists() or (run.path / ".hydra").exists()]
    if not any(run.record_path.exists() for run in runs):
        raise FileNotFoundError(f"{folder} holds no runs: it must be the out= of a sweep of train.py")
    given = [_given(run.starts()) for run in runs]
    begun = [parameters for parameters in given if parameters]
    names = list(dict.fromkeys(name for parameters in given for name in parameters))
    names = [name for name in names if len({str(parameters.get(name)) for parameters in begun}) > 1]
    rows = [
        _facts(run) | {name: parameters.get(name) for name in names}
        for run, parameters in zip(runs, given, strict=True)
    ]
    table = pd.DataFrame(rows, columns=[*_FACTS, *names]).astype({"epochs": "Int64", "best_epoch": "Int64"})
    for name in names:
        if not pd.api.types.is_numeric_dtype(table[name]):  # numbers and words in one column are words
            table[name] = table[name].astype("string")
    return table.sort_values([DISTANCE, "run"], na_position="last", ignore_index=True)


def write_sweep(out: str | Path, table: pd.DataFrame) -> Path:
    """Write sweep.csv, sweep.parquet and, if there are a distance and a parameter, sweep.png, .pdf and .svg.

    Raises:
        FileExistsError: `out` is there already.
    """
    parameters = list(table.columns[len(_FACTS) :])
    compared = table[table[DISTANCE].notna()]
    with atomic_folder(out) as unfinished:
        table.to_csv(unfinished / "sweep.csv", index=False)
        table.to_parquet(unfinished / "sweep.parquet", index=False)
        if parameters and len(compared):
            figure = plot_sweep(
                compared[DISTANCE].to_numpy(float),
                {name: compared[name].tolist() for name in parameters},
                (compared["state"] == "complete").to_numpy(bool),
            )
            for form in ("png", "pdf", "svg"):
                save_figure(figure, unfinished / f"sweep.{form}", dpi=150)
    return Path(out)


def _facts(run: RunFolder) -> dict[str, Any]:
    starts, curve = run.starts(), run.curve()
    ends = [start.get("end") for start in starts]
    last = {"how": "not begun"} if not ends else ends[-1] or {"how": "unfinished"}
    best = best_row(curve) or {}
    epochs = last.get("epochs")
    if len(curve):
        epochs = max(int(curve["epoch"].max()), epochs or 0)
    seconds = [
        (pd.Timestamp(end["time"]) - pd.Timestamp(start["time"])).total_seconds()
        for start, end in zip(starts, ends, strict=True)
        if end
    ]
    return {
        "run": run.path.name,
        "state": last["how"].split(":")[0],
        "epochs": epochs,
        "hours": sum(seconds) / 3600 if seconds else None,
        DISTANCE: best.get(DISTANCE),
        "best_epoch": best.get("epoch"),
        "share_normal": best.get("share_normal"),
        "share_measurable": best.get("share_measurable"),
    }


def _given(starts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The parameters that a run was given on the command line, or by a search."""
    pairs = (override.lstrip("+").split("=", 1) for override in (starts[-1].get("given", []) if starts else []))
    given = {pair[0]: _value(pair[1]) for pair in pairs if len(pair) == 2}
    return {name: value for name, value in given.items() if not _is_of_the_sweep(name)}


def _is_of_the_sweep(name: str) -> bool:
    return name in _NOT_PARAMETERS or name.startswith(("hydra.", "sweep."))


def _value(text: str) -> Any:
    """A number, a boolean or a word; anything else as it was written."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, bool | int | float | str) else text
