from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ecggan.data.sets.ecg_set import ECGSet
from ecggan.ecg import EIGHT_LEADS
from ecggan.evaluation.comparison.physiological_distance import LARGEST_SD, physiology_of_tables
from ecggan.evaluation.report.checkpoint_curve import write_curve
from ecggan.measurement.columns import PHYSIOLOGY
from ecggan.measurement.measure_set import measure
from ecggan.measurement.normality.screen import screen, share_normal

KnownECG = Callable[..., np.ndarray]


@pytest.fixture(scope="module")
def hearts(known_ecg: KnownECG) -> ECGSet:
    rates = np.random.default_rng(0).normal(70, 8, 12)
    signals = np.concatenate([known_ecg(heart_rate_bpm=float(rate), seed=i) for i, rate in enumerate(rates)])
    return ECGSet.from_arrays(signals, EIGHT_LEADS, 500)


@pytest.fixture(scope="module")
def table(hearts: ECGSet) -> pd.DataFrame:
    return measure(hearts, num_workers=1, progress=False)


def distance(real: pd.DataFrame, generated: pd.DataFrame) -> float:
    return physiology_of_tables(real, generated)["physiological_distance"]


def test_a_set_is_at_no_distance_from_itself_and_noise_at_the_largest(hearts: ECGSet, table: pd.DataFrame) -> None:
    same = physiology_of_tables(table, table)
    assert same["physiological_distance"] == 0
    assert same["share_measurable"] == 1
    assert same["share_normal"] == share_normal(screen(table)) > 0.5
    noise = ECGSet.from_arrays(np.random.default_rng(0).normal(0, 0.3, (3, 8, 5000)), EIGHT_LEADS, 500, "generated")
    worst = physiology_of_tables(table, measure(noise, num_workers=1, progress=False))
    assert worst["physiological_distance"] == LARGEST_SD
    assert worst["share_measurable"] == worst["share_normal"] == 0
    assert np.isnan(worst["wasserstein_qrs_duration_ms"])


def test_distance_is_in_sds_of_the_real_ecgs(table: pd.DataFrame) -> None:
    num_looked_at = table[[name for name in PHYSIOLOGY if name in table]].notna().any().sum()
    sd = table["qrs_duration_ms"].std()
    longer = table.assign(qrs_duration_ms=table["qrs_duration_ms"] + 2 * sd)
    assert distance(table, longer) == pytest.approx(2 / num_looked_at)
    assert physiology_of_tables(table, longer)["wasserstein_qrs_duration_ms"] == pytest.approx(2 * sd)
    wild = table.assign(qrs_duration_ms=table["qrs_duration_ms"] + 1000 * sd)
    assert distance(table, wild) == pytest.approx(LARGEST_SD / num_looked_at)


def test_what_is_lost_counts_as_far_off(table: pd.DataFrame) -> None:
    num_looked_at = table[[name for name in PHYSIOLOGY if name in table]].notna().any().sum()
    half = table["pr_interval_ms"].where(np.arange(len(table)) % 2 == 0)
    lost = distance(table, table.assign(pr_interval_ms=half))
    assert LARGEST_SD / 2 / num_looked_at < lost < (LARGEST_SD + 1) / 2 / num_looked_at
    unmeasurable = table.assign(is_measurable=np.arange(len(table)) < 6)
    assert distance(table, unmeasurable) > LARGEST_SD / 2
    assert distance(unmeasurable, table) < 1  # more than the real set has is no fault


def test_a_gan_that_learns_comes_nearer(hearts: ECGSet, known_ecg: KnownECG, tmp_path: Path) -> None:
    checkpoints = [
        (25, ECGSet.from_arrays(known_ecg(num_records=4, heart_rate_bpm=110), EIGHT_LEADS, 500, "generated")),
        (50, ECGSet.from_arrays(known_ecg(num_records=4, heart_rate_bpm=72), EIGHT_LEADS, 500, "generated")),
    ]
    curve = write_curve(tmp_path / "out", hearts, checkpoints, num_workers=1)
    assert list(curve["epoch"]) == [25, 50]
    assert curve["physiological_distance"].is_monotonic_decreasing
    assert list(curve["share_normal"]) == [0, 1]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        f"epochs.{s}" for s in ("csv", "pdf", "png", "svg")
    ]
    assert list(pd.read_csv(tmp_path / "out" / "epochs.csv")["epoch"]) == [25, 50]


def test_a_reference_without_measurements_is_refused(table: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match="none of the 12 real ECGs can be measured"):
        physiology_of_tables(table.assign(is_measurable=False), table)
