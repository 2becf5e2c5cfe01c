"""Which evaluation is fooled? The sets of the self-test, assessed by ecgen-eval's metrics and by ecggan's measures.

pip install ecgen-eval==0.5.0
python benchmarks/fooled.py ECG_SET [MAX_RECORDS]

ECG_SET holds real ECGs (a packed set; generate.py's will do to try it). Both tools see the same sets, in one run. A
metric is fooled by a corrupted set that it scores as well as the fresh ECGs, or better; ecggan's by one that raises no
alarm. ecgen-eval's `fed` (weights to be downloaded) and `dtw` (hours) are excluded.
"""

import sys
import time
import warnings

import numpy as np
import pandas as pd
from ecgen_eval import AVAILABLE_METRICS

from ecggan.data.sets.ecg_set import ECGSet
from ecggan.evaluation.self_test.corruptions import CORRUPTIONS, FRESH, HELD_OUT, corrupted_sets
from ecggan.evaluation.self_test.self_test import run_self_test, split_by_patient

LEFT_OUT = ("fed", "dtw")


def main(path: str, max_records: int | None = None) -> None:
    real = ECGSet.open(path).subset(slice(max_records))
    splits = split_by_patient(real, seed=0)
    held_out, sets = splits[HELD_OUT], {FRESH: splits[FRESH], **corrupted_sets(splits)}
    metrics = [name for name in AVAILABLE_METRICS if name not in LEFT_OUT]
    start = time.perf_counter()
    scores = pd.DataFrame(
        {name: [score(name, held_out, ecgs) for ecgs in sets.values()] for name in metrics}, list(sets)
    )
    theirs_s = time.perf_counter() - start
    start = time.perf_counter()
    found = run_self_test(real, progress=False)
    ours_s = time.perf_counter() - start
    is_caught = scores > scores.loc[FRESH]  # turned so that lower is better
    table = pd.DataFrame(
        {
            "ecgen-eval: metrics that rank it below fresh ECGs": is_caught.sum(axis=1),
            "ecggan: alarms": found.table().sum(axis=1),
        }
    ).drop(index=FRESH)
    print(table.to_markdown())
    fooled = (~is_caught.loc[list(CORRUPTIONS)]).sum()
    print("\nsets, of 18, that fool each of ecgen-eval's metrics:", fooled.to_dict())
    print(f"scores of fresh ECGs, and of the exact copy:\n{scores.loc[[FRESH, 'exact copy', 'flat']].T.to_string()}")
    print(f"ecggan: missed {found.missed()}, false alarms {found.false_alarms()}")
    print(f"{theirs_s:.0f} s ({len(metrics)} metrics) against {ours_s:.0f} s")


def score(metric: str, real: ECGSet, generated: ECGSet) -> float:
    """Lower is better; NaN where the metric gives none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            result = AVAILABLE_METRICS[metric]().compute(
                real=real.millivolts(), synth=generated.millivolts(), lead_names=list(real.leads)
            )
        except Exception as error:  # theirs, counted as no score
            print(f"{metric}: {type(error).__name__}: {error}", file=sys.stderr)
            return np.nan
    return -result.score if result.higher_is_better else result.score


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else None)
