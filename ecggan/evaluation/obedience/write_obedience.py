"""What was found about obedience, as text, table and data."""

from pathlib import Path

import pandas as pd

from ecggan.data.sets.conditions import AGE, HEART_RATE, SEX
from ecggan.evaluation.formatting import interval
from ecggan.evaluation.obedience.obedience import NORMAL, HeartRates, Obedience
from ecggan.files.atomic import atomic_folder
from ecggan.files.json_file import write_json
from ecggan.files.text_file import write_text
from ecggan.measurement.columns import display_name
from ecggan.stats.number_text import plain, signed

PAGE = "obedience.md"
_SLOPES = {AGE: "each 10 years", HEART_RATE: "each 10 bpm"}


def summary_text(found: Obedience) -> str:
    """The result as Markdown."""
    shown, followed = found.shown_by_real(), found.followed()
    rates = "No heart rate was asked for." if found.heart_rates is None else _rates(found.heart_rates)
    table = pd.DataFrame(
        {
            "condition": [_contrast(name) for name in shown["condition"]],
            "measurement": [_named(name) for name in shown["measurement"]],
            "real": [_difference(row, "real") for _, row in shown.iterrows()],
            "generated": [_difference(row, "generated") for _, row in shown.iterrows()],
            "shown": ["yes" if is_so else "no" for is_so in followed],
        }
    )
    return f"""# Do they show what was asked for?

{rates}

Real ECGs show {len(shown)} of {len(found.effects)} differences by condition (their 95 % interval holds no zero); the
generated ones show {int(followed.sum())} of them (the same sign, and the intervals overlap).

{table.to_markdown(index=False) if len(table) else "No difference is shown."}
"""


def write_obedience(out: str | Path, found: Obedience) -> Path:
    """Write text, table and summary into a new folder, which appears whole or not at all.

    Returns:
        The path of obedience.md.

    Raises:
        FileExistsError: `out` is there already.
    """
    rates = found.heart_rates
    with atomic_folder(out) as folder:
        write_text(folder / PAGE, summary_text(found))
        found.effects.to_csv(folder / "effects.csv", index=False)
        summary = {
            "heart_rate": None if rates is None else vars(rates),
            "num_effects": len(found.effects),
            "num_shown_by_real": len(found.shown_by_real()),
            "num_followed": int(found.followed().sum()),
        }
        write_json(folder / "summary.json", summary)
    return Path(out) / PAGE


def _rates(rates: HeartRates) -> str:
    figures = ((rates.correlation, 3), (rates.mean_error, 1))
    r, error = (f"{plain(v, d)} ({plain(low, d)} to {plain(high, d)})" for (v, low, high), d in figures)
    return (
        f"Heart rate, wanted and measured: r = {r}, mean absolute error {error} bpm, bias {signed(rates.bias, 1)} bpm; "
        f"{rates.num_asked} of {rates.num_records} ECGs were asked for a rate, and {rates.num_measured} of these could "
        "be measured."
    )


def _contrast(condition: str) -> str:
    if condition == SEX:
        return "women − men"
    return f"{condition.replace('_', ' ')}, {_SLOPES[condition]}" if condition in _SLOPES else f"{condition} − others"


def _named(measurement: str) -> str:
    if measurement == NORMAL:
        return "share normal"
    name, unit = display_name(measurement)
    return f"{name} ({unit})" if unit else name


def _difference(row: pd.Series, which: str) -> str:
    return interval(row[which], row[f"{which}_low"], row[f"{which}_high"], 2)
