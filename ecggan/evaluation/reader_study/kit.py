"""The blinded reader kit: real and generated ECGs in random order on ECG paper, and the answer key in another folder.

Only the ECG itself may reveal its origin. So both kinds have the same leads, derived in the same way, the same samples
and amplitude steps, numbers as names and pages of one size; the kit's id is a hash of the pages' content, so it reveals
nothing more.
"""

import csv
import hashlib
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Int
from tqdm import tqdm

from ecggan import checks
from ecggan.data.patients import why_few_patients
from ecggan.data.sets.ecg_set import ECGSet
from ecggan.ecg import EIGHT_LEADS, MICROVOLTS_PER_MILLIVOLT, select_leads
from ecggan.evaluation.reader_study.sheets import GENERATED, KEY, KEY_COLUMNS, REAL, SHEET_COLUMNS
from ecggan.evaluation.rendering import render
from ecggan.files.atomic import atomic_folder, require_new_folder
from ecggan.files.text_file import write_text
from ecggan.plotting import plot_ecg, save_pages
from ecggan.quoting import as_argument
from ecggan.stats.resampling import patient_numbers

if TYPE_CHECKING:
    import matplotlib.figure

log = logging.getLogger(__name__)

# Excluded at either end. PTB-XL's records hold one value in their last 50 to 58 samples at 500 Hz and mostly in their
# first 5; convolutions pad, so that generated ECGs are up to three times as rough in their first 50 and last 35.
EDGE_S = 0.2
STEP_UV = 5  # most of PTB-XL's recorders had such steps; 0.05 mm on paper
SHORTEST_S = 1.0  # that can be shown
_LETTERS = "bcdfghjklmnpqrst"  # no vowels and no digits: spreadsheets do not read such an id as a word, number or date


@dataclass(frozen=True)
class _Shown:
    """One ECG of the kit: its origin, its set, and its position there."""

    origin: str
    ecgs: ECGSet
    position: int


@dataclass(frozen=True)
class Kit:
    """Real and generated ECGs in random order, as readers see them.

    Args:
        shown: the ECGs in their order; the first is number 1.
        leads: of all of them.
        sampling_rate: of all of them, in Hz.
    """

    shown: Sequence[_Shown]
    leads: Sequence[str]
    sampling_rate: int

    def millivolts(self, number: int) -> Float[np.ndarray, "lead time"]:
        """ECG `number` as its page shows it: the same leads, samples and steps for both kinds."""
        some, edge = self.shown[number - 1], round(EDGE_S * self.sampling_rate)
        record = select_leads(some.ecgs.microvolts([some.position])[0], some.ecgs.leads, self.leads)[:, edge:-edge]
        return np.rint(record / STEP_UV) * STEP_UV / MICROVOLTS_PER_MILLIVOLT

    def numbers(self) -> range:
        return range(1, len(self.shown) + 1)

    @cached_property
    def name(self) -> str:
        """A hash of what is shown, in letters."""
        digest = hashlib.sha256()
        for number in self.numbers():
            digest.update(self.millivolts(number).astype("<f4").tobytes())
        return "".join(_LETTERS[int(digit, 16)] for digit in digest.hexdigest()[:8])

    def key(self) -> list[Sequence[object]]:
        """The rows of ``key.csv``, the names of its columns first."""
        return [KEY_COLUMNS, *(_key_row(self.name, number, self.shown[number - 1]) for number in self.numbers())]


def choose_kit(real: ECGSet, generated: ECGSet, num_each: int, seed: int) -> Kit:
    """Choose the ECGs at random from all records, at most one of a patient; the same seed and sets give the same kit.

    Args and Raises: as of [write_reader_kit][].
    """
    checks.whole_number("num_each", num_each, at_least=1)
    leads = _leads_of_both(real, generated)
    _check_times(real, generated)
    rng = np.random.default_rng(seed)
    chosen = [
        _Shown(what, ecgs, int(position))
        for what, ecgs in ((REAL, real), (GENERATED, generated))
        for position in _choose(what, ecgs, num_each, rng)
    ]
    return Kit([chosen[i] for i in rng.permutation(len(chosen))], leads, real.sampling_rate)


def write_reader_kit(
    out: str | Path,
    real: ECGSet,
    generated: ECGSet,
    num_each: int = 20,
    seed: int = 0,
    progress: bool = True,
) -> Path:
    """Write the kit of blinded readers into a new folder, and the answer key into another beside it, OUT-key.

    Both appear whole or not at all. OUT holds ``ecgs.pdf``, ``sheet.csv`` to be filled in and ``how_to_read.md``;
    OUT-key holds ``key.csv`` and ``how_to_score.md``. For the choice of the ECGs see [choose_kit][].

    Args:
        out: the readers' folder.
        real: the set of the real ECGs; its column `patient`, if there is one, is respected.
        generated: the set of the generated ones.
        num_each: how many of either.
        seed: of the choice and the order.
        progress: show a bar.

    Returns:
        The folder OUT-key.

    Raises:
        FileExistsError: one of the folders is there already.
        ValueError: `num_each` is below 1 or more than a set has, or the sets' rates, lengths or leads differ.
    """
    out = Path(out).resolve()
    key_folder = out.with_name(f"{out.name}-key")
    for folder in (out, key_folder):
        require_new_folder(folder)
    kit = choose_kit(real, generated, num_each, seed)
    for what, ecgs in ((REAL, real), (GENERATED, generated)):
        if ecgs.kind != what:  # allowed: two generators, or two databases, may be set against each other
            log.warning("the set given as %s is %s by its manifest; the key calls it %s", what, ecgs.kind, what)
    facts = {
        "kit": kit.name,
        "num_ecgs": len(kit.shown),
        "num_each": num_each,
        "is_twelve": kit.leads == EIGHT_LEADS,
        "leads": ", ".join(kit.leads),
        "shown_s": f"{real.num_samples / real.sampling_rate - 2 * EDGE_S:g}",
        "edge_s": EDGE_S,
        "step_uv": STEP_UV,
        "seed": seed,
        "real": _name(real),
        "generated": _name(generated),
        "kit_folder": out.name,
        "key": as_argument("key", f"{key_folder.name}/key.csv"),
    }
    with atomic_folder(out) as for_readers, atomic_folder(key_folder) as apart:
        save_pages(_pages(kit, progress), for_readers / "ecgs.pdf", title=f"ECG reader kit {kit.name}")
        _write_csv(for_readers / "sheet.csv", [SHEET_COLUMNS, *([kit.name, ecg, "", "", ""] for ecg in kit.numbers())])
        _write_csv(apart / KEY, kit.key())
        for folder, name in ((for_readers, "how_to_read.md"), (apart, "how_to_score.md")):
            write_text(folder / name, render(__package__, f"{name}.j2", **facts))
    log.info("reader kit written to %s, its key to %s", out, key_folder)
    return key_folder


def _leads_of_both(real: ECGSet, generated: ECGSet) -> Sequence[str]:
    """The eight independent leads, from which a page derives the others; or the leads of both sets, if they agree."""
    if all(set(EIGHT_LEADS) <= set(ecgs.leads) for ecgs in (real, generated)):
        return EIGHT_LEADS
    if set(real.leads) == set(generated.leads):
        return real.leads
    raise ValueError(
        f"the leads shown must be the same, or they reveal the origin: the real set has {', '.join(real.leads)}, "
        f"the generated one {', '.join(generated.leads)}; give sets of the same leads, or both with I, II and V1 to V6"
    )


def _check_times(real: ECGSet, generated: ECGSet) -> None:
    times = [(ecgs.sampling_rate, ecgs.num_samples) for ecgs in (real, generated)]
    if times[0] != times[1]:
        words = [f"{num} samples at {rate} Hz" for rate, num in times]
        raise ValueError(
            f"sampling rate and length must be the same, or they reveal the origin: the real set has {words[0]}, "
            f"the generated one {words[1]}; give sets of one rate and length"
        )
    duration_s = real.num_samples / real.sampling_rate
    if duration_s < SHORTEST_S + 2 * EDGE_S:
        raise ValueError(
            f"records must be at least {SHORTEST_S + 2 * EDGE_S} s long, as {EDGE_S} s are excluded at either end; "
            f"these are {duration_s:g} s: give sets of longer records"
        )


def _choose(what: str, ecgs: ECGSet, num_each: int, rng: np.random.Generator) -> Int[np.ndarray, " chosen"]:
    """One record of each of `num_each` patients, all patients equally likely."""
    order = rng.permutation(len(ecgs))
    _, first = np.unique(patient_numbers(ecgs.records.get("patient"), len(ecgs))[order], return_index=True)
    if len(first) < num_each:
        raise ValueError(
            f"{num_each} {what} ECGs are asked for, one a patient, but {_name(ecgs)} has {len(ecgs)} records of "
            f"{len(first)} patients; ask for fewer, or give a larger set{why_few_patients(ecgs.records)}"
        )
    return np.asarray(rng.choice(order[first], num_each, replace=False))


def _pages(kit: Kit, progress: bool) -> "Iterator[matplotlib.figure.Figure]":
    for number in tqdm(kit.numbers(), desc="drawing", unit="ECG", disable=not progress):
        yield plot_ecg(kit.millivolts(number), kit.leads, kit.sampling_rate, f"ECG {number}")


def _key_row(kit: str, ecg: int, some: _Shown) -> list[object]:
    stored, record = int(some.ecgs.rows[some.position]), some.ecgs.records["record"].iloc[some.position]
    return [kit, ecg, some.origin, _name(some.ecgs), record, stored]


def _name(ecgs: ECGSet) -> str:
    return "a set in memory" if ecgs.path is None else str(ecgs.path)


def _write_csv(path: Path, rows: Sequence[Sequence[object]]) -> None:
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\r\n").writerows(rows)
