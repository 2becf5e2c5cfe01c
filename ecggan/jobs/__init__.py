"""What the commands do: one class a job, whose parameters are its fields and whose `run()` gives its result.

>>> from ecggan.jobs import SelfTest
>>> print(SelfTest(real="ECG_SET", out="SELF_TEST").run())   # doctest: +SKIP

In: ECG sets or data sources, folders of runs, sheets, numbers. Out: a [Result][ecggan.jobs.base.Result] and a new
folder. Imports every room below; nothing imports it but the scripts, whose configuration (`configs/job/`) is a job's
constructor. Begin with `base`, then `report` and `generate`. A job checks its values when it is made and imports what
it needs when it runs, so that wrong values are refused at once.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ecggan.jobs.checkpoints import Checkpoints as Checkpoints
    from ecggan.jobs.convert import Convert as Convert
    from ecggan.jobs.data_report import DataReport as DataReport
    from ecggan.jobs.export import Export as Export
    from ecggan.jobs.generate import Generate as Generate
    from ecggan.jobs.obedience import Obedience as Obedience
    from ecggan.jobs.pack import Pack as Pack
    from ecggan.jobs.reader_kit import ReaderKit as ReaderKit
    from ecggan.jobs.reader_scores import ReaderScores as ReaderScores
    from ecggan.jobs.report import Report as Report
    from ecggan.jobs.self_test import SelfTest as SelfTest
    from ecggan.jobs.sweep import Sweep as Sweep
    from ecggan.jobs.utility import UtilityStudy as UtilityStudy

_HOMES = {  # imported when first asked for, one job without the others
    "Report": "report",
    "Checkpoints": "checkpoints",
    "Sweep": "sweep",
    "DataReport": "data_report",
    "SelfTest": "self_test",
    "UtilityStudy": "utility",
    "Obedience": "obedience",
    "Pack": "pack",
    "ReaderKit": "reader_kit",
    "ReaderScores": "reader_scores",
    "Generate": "generate",
    "Export": "export",
    "Convert": "convert",
}
__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'ecggan.jobs' has no attribute {name!r}")
    return getattr(importlib.import_module(f"ecggan.jobs.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
