from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ecggan.data.sets.ecg_set import ECGSet
from ecggan.ecg import EIGHT_LEADS
from ecggan.evaluation.comparison.associations import compare_relations
from ecggan.evaluation.comparison.comparison import compare
from ecggan.evaluation.comparison.physiological_distance import physiology_of_tables
from ecggan.evaluation.fidelity.features import measurement_features
from ecggan.jobs.base import OnMeasuredECGs
from ecggan.measurement.delineation_choice import DELINEATIONS, resolve_delineation
from ecggan.measurement.measure_set import measure


@pytest.fixture(scope="module")
def ecgs(known_ecg: Callable[..., np.ndarray], tmp_path_factory: pytest.TempPathFactory) -> ECGSet:
    folder = tmp_path_factory.mktemp("ecgs") / "set"
    return ECGSet.from_arrays(known_ecg(num_records=2, seed=3), EIGHT_LEADS, 500).save(folder)


def measured(ecgs: ECGSet, delineation: str, cache: Path | None = None) -> pd.DataFrame:
    return measure(ecgs, num_workers=1, progress=False, cache=cache, delineation=delineation)


def test_neurokit2_alone_is_its_default_method() -> None:
    assert resolve_delineation("neurokit2") == "neurokit2_dwt"
    assert all(resolve_delineation(name) == name for name in DELINEATIONS)


@pytest.mark.parametrize("name", ["neurokit", "neurokit2_DWT", "dwt", "", None, 2])
def test_another_name_is_refused_and_the_choices_are_named(name: object) -> None:
    with pytest.raises(ValueError, match=r"delineation must be median_beat, .*neurokit2_prominence; got") as refused:
        resolve_delineation(name)
    assert all(choice in str(refused.value) for choice in DELINEATIONS)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("measurement", "message"),
    [
        ({"delineation": "wavelets"}, "measurement.delineation must be median_beat, .*; got 'wavelets'"),
        ({"method": "dwt"}, "measurement must hold `delineation` alone.*'method'"),
        ("neurokit2", "measurement must hold `delineation` alone"),
    ],
)
def test_a_job_refuses_another_choice_at_once(measurement: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        OnMeasuredECGs(out="out", real="set", measurement=measurement)
    assert OnMeasuredECGs(out="out", real="set").delineation == "median_beat"
    assert (
        OnMeasuredECGs(out="out", real="set", measurement={"delineation": "neurokit2"}).delineation == "neurokit2_dwt"
    )


def test_a_table_says_its_delineation_and_the_cache_keeps_them_apart(ecgs: ECGSet, tmp_path: Path) -> None:
    tables = {}
    for name in ("median_beat", "neurokit2_prominence"):
        tables[name] = measured(ecgs, name, tmp_path)
        assert tables[name]["delineation"].tolist() == [name, name]
    assert len(list((tmp_path / "measurements").iterdir())) == 2
    assert not np.allclose(*(table["qrs_duration_ms"] for table in tables.values()))
    for name, table in tables.items():
        pd.testing.assert_frame_equal(measured(ecgs, name, tmp_path), table)
    assert measured(ecgs.subset([]), "neurokit2")["delineation"].tolist() == []


@pytest.mark.parametrize("compared", [compare, compare_relations, physiology_of_tables, measurement_features])
def test_tables_of_different_delineations_are_not_compared(compared: Callable, ecgs: ECGSet) -> None:
    real = measured(ecgs, "median_beat")
    other = real.assign(delineation="neurokit2_dwt")
    with pytest.raises(ValueError, match="by the delineation median_beat, the generated ones by neurokit2_dwt"):
        compared(real, other)
    compared(real, other.drop(columns="delineation"))  # a table made by others does not say
