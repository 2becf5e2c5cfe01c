"""The runs of a sweep as one table: what each was given, how far it came, and how near its ECGs are to real ones."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from ecggan.files.atomic import atomic_folder
from ecggan.plotting import plot_sweep, save_figure
from ecggan.run_folder import CURVE_FILE, DISTANCE, RUN_FILE
from ecggan.training.provenance import starts_of

_FACTS = ["run", "state", "epochs", "hours", DISTANCE, "best_epoch", "share_normal", "share_measurable"]
_NOT_PARAMETERS = {"run_of_sweep", "out", "resume", "hydra/launcher", "sweep"}


def sweep_table(folder: str | Path) -> pd.DataFrame:
    """Gather the runs of a sweep, of whatever launcher, also while it goes on.

    Args:
        folder: of the sweep (its `out`); each folder in it that holds a run.json is a run.

    Returns:
        A row a run, the nearest to real ECGs first: `run` (its folder in the sweep), `state` (complete, ended early,
        interrupted, failed, unfinished: it still runs or was killed, or not begun), `epochs` trained, `hours` that all
        of its starts took (of those that were killed it is not known), the smallest `physiological_distance`, its
        `best_epoch` and shares; and a column for each parameter that differs between the runs, empty where a run was
        not given it.

    Raises:
        FileNotFoundError: there is no run.
    """
    folder = Path(folder)
    paths = sorted({path.parent for name in (RUN_FILE, ".hydra") for path in folder.glob(f"*/{name}")})
    if not any((path / RUN_FILE).is_file() for path in paths):
        raise FileNotFoundError(f"{folder} holds no runs: it must be the out= of a sweep of train.py")
    starts = [starts_of(path) for path in paths]
    given = [_given(some) for some in starts]
    names = list(dict.fromkeys(name for some in given for name in some))
    begun = [some for some in given if some]
    names = [name for name in names if len({str(some.get(name)) for some in begun}) > 1]
    rows = [
        _facts(path, its) | {name: some.get(name) for name in names}
        for path, its, some in zip(paths, starts, given, strict=True)
    ]
    table = pd.DataFrame(rows, columns=[*_FACTS, *names]).astype({"epochs": "Int64", "best_epoch": "Int64"})
    for name in names:
        if not pd.api.types.is_numeric_dtype(table[name]):  # numbers and words in one column are words
            table[name] = table[name].astype("string")
    return table.sort_values([DISTANCE, "run"], na_position="last", ignore_index=True)


def write_sweep(out: str | Path, table: pd.DataFrame) -> Path:
    """Write sweep.csv, sweep.parquet and, where there is a distance and a parameter, sweep.png, .pdf and .svg.

    Raises:
        FileExistsError: `out` is there already.
    """
    parameters = list(table.columns[len(_FACTS) :])
    looked_at = table[table[DISTANCE].notna()]
    with atomic_folder(out) as unfinished:
        table.to_csv(unfinished / "sweep.csv", index=False)
        table.to_parquet(unfinished / "sweep.parquet", index=False)
        if parameters and len(looked_at):
            figure = plot_sweep(
                looked_at[DISTANCE].to_numpy(float),
                {name: looked_at[name].tolist() for name in parameters},
                (looked_at["state"] == "complete").to_numpy(bool),
            )
            for form in ("png", "pdf", "svg"):
                save_figure(figure, unfinished / f"sweep.{form}", dpi=150)
    return Path(out)


def _facts(path: Path, starts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    ends = [start.get("end") for start in starts]
    last = {"how": "not begun"} if not ends else ends[-1] or {"how": "unfinished"}
    curve = path / "checkpoints" / CURVE_FILE
    best: Mapping[Any, Any] = {}
    epochs = last.get("epochs")
    if curve.is_file():
        looks = pd.read_csv(curve)
        best = looks.loc[looks[DISTANCE].idxmin()].to_dict() if looks[DISTANCE].notna().any() else {}
        epochs = max(int(looks["epoch"].max()), epochs or 0)
    seconds = [
        (pd.Timestamp(end["time"]) - pd.Timestamp(start["time"])).total_seconds()
        for start, end in zip(starts, ends, strict=True)
        if end
    ]
    return {
        "run": path.name,
        "state": last["how"].split(":")[0],
        "epochs": epochs,
        "hours": sum(seconds) / 3600 if seconds else None,
        DISTANCE: best.get(DISTANCE),
        "best_epoch": None if not best else int(best["epoch"]),
        "share_normal": best.get("share_normal"),
        "share_measurable": best.get("share_measurable"),
    }


def _given(starts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What a run was given on the command line, or by a search."""
    pairs = (override.lstrip("+").split("=", 1) for override in (starts[-1].get("given", []) if starts else []))
    given = {pair[0]: _value(pair[1]) for pair in pairs if len(pair) == 2}
    return {name: value for name, value in given.items() if not _is_ours(name)}


def _is_ours(name: str) -> bool:
    return name in _NOT_PARAMETERS or name.startswith(("hydra.", "sweep."))


def _value(text: str) -> Any:
    """A number, a truth or a word; of anything else, how it was written."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, bool | int | float | str) else text
