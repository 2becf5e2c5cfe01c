"""How accurate are the measurements and the normality screen? Against cardiologists and against GE's 12SL.

python -m ecggan.evaluation.validation ludb_root=LUDB       intervals and R-peaks, see `validate_ludb`
python -m ecggan.evaluation.validation ludb_root=LUDB delineation=all     the errors of every delineation
python -m ecggan.evaluation.validation ptbxl_root=PTBXL     the normality screen, see `validate_ptbxl`
python -m ecggan.evaluation.validation ptbxl_root=PTBXL score=FILE     fit its score again, see `fit_score`
python -m ecggan.evaluation.validation generated=ECG_SET    of generate.py checkpoint=published num_records=2000
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from joblib import cpu_count

from ecggan.data.sets.ecg_set import ECGSet
from ecggan.evaluation.validation import compare_12sl, fit_score, validate_ludb, validate_ptbxl
from ecggan.measurement.delineation_choice import MEDIAN_BEAT, resolve_delineation
from ecggan.measurement.measure_set import measure
from ecggan.quoting import print_any_name


def main(arguments: Sequence[str]) -> None:
    """The command line: settings as ``key=value``."""
    print_any_name()
    parser = argparse.ArgumentParser(
        prog="python -m ecggan.evaluation.validation",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "settings",
        nargs="+",
        metavar="key=value",
        help="ludb_root=DIR, delineation=NAME, ptbxl_root=DIR, score=FILE, generated=ECG_SET, num_workers=N",
    )
    settings = dict(setting.partition("=")[::2] for setting in parser.parse_args(arguments).settings)
    sources = {"ludb_root", "ptbxl_root", "generated"}
    if set(settings) - sources - {"num_workers", "score", "delineation"} or not sources & set(settings):
        parser.error(f"give ludb_root=DIR, ptbxl_root=DIR or generated=ECG_SET; got {' '.join(arguments)}")
    if "score" in settings and "ptbxl_root" not in settings:
        parser.error("score=FILE needs ptbxl_root=DIR, the records to fit the score on")
    if "delineation" in settings and not {"ludb_root", "generated"} & set(settings):
        parser.error("delineation=NAME needs ludb_root=DIR or generated=ECG_SET")
    workers = settings.get("num_workers", str(cpu_count()))
    if not workers.isdecimal() or int(workers) < 1:
        parser.error(f"num_workers must be a whole number above 0; got {workers}")
    num_workers = int(workers)
    delineation = settings.get("delineation", MEDIAN_BEAT)
    try:
        if "ludb_root" in settings:
            print(_on_ludb(settings["ludb_root"], num_workers, delineation))
        if "score" in settings:
            print(fit_score.fit_on_ptbxl(settings["ptbxl_root"], settings["score"], num_workers))
        elif "ptbxl_root" in settings:
            print(validate_ptbxl.summary_text(validate_ptbxl.validate_on_ptbxl(settings["ptbxl_root"], num_workers)))
        if "generated" in settings:
            ecgs = ECGSet.open(Path(settings["generated"]).expanduser())
            table = measure(ecgs, num_workers=num_workers, delineation=delineation)
            print(compare_12sl.summary_text(table))
    except (OSError, ValueError) as error:
        parser.exit(1, f"error: {error}\n")


def _on_ludb(root: str, num_workers: int, delineation: str) -> str:
    if delineation == "all":
        table = validate_ludb.compare_delineations(root, num_workers)
        return table.to_string(index=False, float_format="%.1f")
    delineation = resolve_delineation(delineation)
    return validate_ludb.summary_text(validate_ludb.validate_on_ludb(root, num_workers, delineation=delineation))


if __name__ == "__main__":
    main(sys.argv[1:])
