"""The result of a utility study as text, table, figure and data."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import pandas as pd

from ecggan.evaluation.formatting import count_of
from ecggan.evaluation.utility.study import MACRO, REAL, Utility
from ecggan.evaluation.utility.utility_result import SUMMARY
from ecggan.evaluation.utility.utility_verdict import (
    judge_utility,
    misled_by_shuffled,
    signed_difference,
    with_interval,
)
from ecggan.files.atomic import atomic_folder
from ecggan.files.json_file import write_json
from ecggan.files.text_file import write_text
from ecggan.plotting import plot_areas, save_figure
from ecggan.stats.number_text import NONE, plain

PAGE = "utility.md"


def summary_text(found: Utility) -> str:
    """The result as Markdown."""
    num_test, num_patients = found.num_test
    wrong = misled_by_shuffled(found)
    verdicts = {name: judge_utility(found, name) for name in found.copies}
    bullets = [f"- **{name}. {each.headline}** {' '.join(each.sentences)}" for name, each in verdicts.items()]
    check = (
        f"Shuffled labels teach {', '.join(wrong)} something: do not trust these figures."
        if wrong
        else "Shuffled labels teach nothing, as it must be: no interval lies above 0.5."
    )
    return f"""# Are they of use?

{chr(10).join(bullets)}

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
        "macro-AUROC": [with_interval(row) for _, row in rows.iterrows()],
        "SD over trainings": [plain(sd, 3) for sd in rows["sd_over_seeds"]],
        "against real": [signed_difference(row) if row["trained_on"] != REAL else NONE for _, row in rows.iterrows()],
    }
    return pd.DataFrame(wide)


def write_utility(out: str | Path, found: Utility, fingerprints: Mapping[str, Sequence[str]]) -> Path:
    """Write text, figure and data into a new folder, which appears whole or not at all.

    Args:
        out: the folder.
        found: what is written.
        fingerprints: of each generated set, by which a report knows it again.

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
            "verdicts": {name: asdict(judge_utility(found, name)) for name in found.copies},
            "fingerprints": fingerprints,
        }
        write_json(folder / SUMMARY, summary)
        for suffix in ("png", "pdf"):
            save_figure(plot_areas(found.areas), folder / f"utility.{suffix}", dpi=150)
    return Path(out) / PAGE


def _copies(found: Utility) -> str:
    return "; ".join(f"{name} {count_of(copies.of_training)}" for name, copies in found.copies.items())
