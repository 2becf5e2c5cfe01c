"""ecggan: train GANs on real ECGs, draw sets from them, and show how good the ECGs are.

>>> import ecggan
>>> ecgs = ecggan.generate("published", num_records=8, seed=0)   # doctest: +SKIP
>>> table = ecggan.measure(ecgs)                                 # doctest: +SKIP
>>> normal = ecggan.screen(table)["is_normal"]                   # doctest: +SKIP
"""

import importlib
import os
import warnings
from typing import TYPE_CHECKING, Any

# Threads of one OpenMP region wait for one another by spinning, some 15 ms long in libgomp: beside another busy process
# a training step took four to six times as long, as the thread that was put aside kept the others busy waiting. After
# 300 turns (about 20 µs) they sleep, which costs nothing on a quiet machine (docs/results/speed.md,
# benchmarks/contended.py). libgomp reads this when torch loads it; processes started from here inherit it.
if not {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT"} & set(os.environ):
    os.environ["GOMP_SPINCOUNT"] = "300"

if TYPE_CHECKING:
    from ecggan.checkpoints.open import convert_checkpoint as convert_checkpoint
    from ecggan.data.exports.export import export as export
    from ecggan.data.sets.ecg_set import ECGSet as ECGSet
    from ecggan.ecg import EIGHT_LEADS as EIGHT_LEADS
    from ecggan.ecg import TWELVE_LEADS as TWELVE_LEADS
    from ecggan.ecg import ECGFormat as ECGFormat
    from ecggan.evaluation.assessment import assess as assess
    from ecggan.evaluation.comparison.comparison import compare as compare
    from ecggan.evaluation.fidelity.like_real import LikeReal as LikeReal
    from ecggan.evaluation.report.report import write_report as write_report
    from ecggan.generation.generate import generate as generate
    from ecggan.generation.generator import Generator as Generator
    from ecggan.measurement.measure_set import measure as measure
    from ecggan.measurement.normality.normality_filter import NormalityFilter as NormalityFilter
    from ecggan.measurement.normality.screen import screen as screen
    from ecggan.plotting import plot_ecg as plot_ecg

from ecggan._version import __version__ as __version__

# Each public name and the module it lives in: imported when first asked for, so that `import ecggan` costs nothing.
_HOMES = {
    "ECGFormat": "ecggan.ecg",
    "EIGHT_LEADS": "ecggan.ecg",
    "TWELVE_LEADS": "ecggan.ecg",
    "ECGSet": "ecggan.data.sets.ecg_set",
    "export": "ecggan.data.exports.export",
    "generate": "ecggan.generation.generate",
    "Generator": "ecggan.generation.generator",
    "convert_checkpoint": "ecggan.checkpoints.open",
    "measure": "ecggan.measurement.measure_set",
    "screen": "ecggan.measurement.normality.screen",
    "compare": "ecggan.evaluation.comparison.comparison",
    "LikeReal": "ecggan.evaluation.fidelity.like_real",
    "NormalityFilter": "ecggan.measurement.normality.normality_filter",
    "assess": "ecggan.evaluation.assessment",
    "write_report": "ecggan.evaluation.report.report",
    "plot_ecg": "ecggan.plotting",
}
__all__ = ["__version__", *_HOMES]  # noqa: PLE0604  the names are resolved by __getattr__


def __getattr__(name: str) -> Any:
    if name == "KeepIf":
        warnings.warn("ecggan.KeepIf is ecggan.NormalityFilter now", DeprecationWarning, stacklevel=2)
        name = "NormalityFilter"
    if name not in _HOMES:
        raise AttributeError(f"module 'ecggan' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
