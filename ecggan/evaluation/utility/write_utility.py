"""The result of a utility study as text, table, figure and data."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from ecggan.evaluation.formatting import count_of, percent
from ecggan.evaluation.utility.copies import MANY
from ecggan.evaluation.utility.study import MACRO, REAL, SHUFFLED, Utility, both
from ecggan.files.atomic import atomic_folder
from ecggan.files.json_file import write_json
from ecggan.files.text_file import write_text
from ecggan.plotting import plot_areas, save_figure
from ecggan.stats.number_text import NONE, plain, signed

PAGE = "utility.md"


def verdicts(found: Utility) -> list[str]:
    """A sentence or more for each generated set: what it teaches, and whether it is of use."""
    return [" ".join(_verdict(found, name)) for name in found.copies]


def _verdict(found: Utility, name: str) -> Iterator[str]:
    copies = found.copies[name]
    if copies.of_training.value > MANY:
        yield (
            f"**{name}: copies.** {count_of(copies.of_training)} of its ECGs ({percent(copies.of_training.value)}) are "
            "copies of the real training ECGs: what it teaches is what those teach."
        )
    if copies.of_test.value > MANY:
        yield (
            f"**{name}: copies of the test.** {count_of(copies.of_test)} of its ECGs are copies of the real test ECGs: "
            "what is tested was trained on, and its figures mean nothing."
        )
    for classifier in dict.fromkeys(found.areas["classifier"]):
        alone, beside, real = (found.macro(classifier, kind) for kind in (name, both(name), REAL))
        of_use = "it helps" if beside["difference_low"] > 0 else "no gain is seen"
        of_use = "it does harm" if beside["difference_high"] < 0 else of_use
        yield (
            f"{name}, {classifier}: {_with_interval(alone, 'area')} on real ECGs where as many real ones give "
            f"{plain(real['area'], 3)} (difference {_signed(alone)}); beside real ones {_signed(beside)}, so {of_use}."
        )


def summary_text(found: Utility) -> str:
    """The result as Markdown."""
    num_test, num_patients = found.num_test
    wrong = [
        classifier
        for classifier in dict.fromkeys(found.areas["classifier"])
        if not found.macro(classifier, SHUFFLED)["low"] <= 0.5 <= found.macro(classifier, SHUFFLED)["high"]
    ]
    check = (
        f"Shuffled labels teach {', '.join(wrong)} something: do not trust these figures."
        if wrong
        else "Shuffled labels teach nothing, as it must be: the interval holds 0.5."
    )
    return f"""# Are they of use?

{chr(10).join(f"- {sentence}" for sentence in verdicts(found))}

Each figure is the area under the ROC curve, its mean over the labels ({", ".join(found.labels)}), of classifiers
trained on {found.num_trained_on:,} records (real + generated: twice as many, in as many steps), mean of
{found.num_seeds} trainings; in brackets its 95 % interval by test patient and training. {check}

{table(found).to_markdown(index=False)}

Tested on {num_test:,} real ECGs of {num_patients:,} patients. Records that carry each label:

{found.num_carrying.rename_axis("label").reset_index().to_markdown(index=False)}

Generated ECGs that are copies of real training ECGs: {_copies(found)}.
"""


def table(found: Utility) -> pd.DataFrame:
    """The means over the labels, a row a training and test."""
    rows = found.areas[found.areas["label"] == MACRO]
    wide = {
        "classifier": rows["classifier"],
        "trained on": rows["trained_on"],
        "tested on": rows["tested_on"],
        "macro-AUROC": [_with_interval(row, "area") for _, row in rows.iterrows()],
        "SD over trainings": [plain(sd, 3) for sd in rows["sd_over_seeds"]],
        "against real": [_signed(row) if row["trained_on"] != REAL else NONE for _, row in rows.iterrows()],
    }
    return pd.DataFrame(wide)


def write_utility(out: str | Path, found: Utility) -> Path:
    """Write text, figure and data into a new folder, which appears whole or not at all.

    Returns:
        The path of utility.md.

    Raises:
        FileExistsError: `out` is there already.
    """
    with atomic_folder(out) as folder:
        write_text(folder / PAGE, summary_text(found))
        found.areas.to_csv(folder / "areas.csv", index=False)
        summary = {
            "labels": list(found.labels),
            "num_records": found.num_trained_on,
            "num_seeds": found.num_seeds,
            "num_test": dict(zip(("records", "patients"), found.num_test, strict=True)),
            "num_carrying": found.num_carrying.to_dict(),
            "areas": found.areas[found.areas["label"] == MACRO].drop(columns="label").to_dict("records"),
            "copies": {
                name: {"of_training": each.of_training.value, "of_test": each.of_test.value}
                for name, each in found.copies.items()
            },
            "verdicts": verdicts(found),
        }
        write_json(folder / "summary.json", summary)
        for suffix in ("png", "pdf"):
            save_figure(plot_areas(found.areas), folder / f"utility.{suffix}", dpi=150)
    return Path(out) / PAGE


def _with_interval(row: pd.Series, name: str) -> str:
    return f"{plain(row[name], 3)} ({plain(row['low'], 3)} to {plain(row['high'], 3)})"


def _signed(row: pd.Series) -> str:
    if not np.isfinite(row["difference"]):
        return NONE
    ends = (signed(row[end], 3) for end in ("difference_low", "difference_high"))
    return f"{signed(row['difference'], 3)} ({' to '.join(ends)})"


def _copies(found: Utility) -> str:
    return "; ".join(f"{name} {count_of(copies.of_training)}" for name, copies in found.copies.items())
