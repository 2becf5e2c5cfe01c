from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ecggan.data.sets.ecg_set import ECGSet
from ecggan.ecg import EIGHT_LEADS
from ecggan.measurement import cache, measure_set
from ecggan.measurement.measure_set import measure

RATE = 500


def test_measured_rows_are_kept_and_found_again(
    known_ecg: Callable[..., np.ndarray], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "RECORDS_PER_PART", 2)
    monkeypatch.setattr(measure_set, "RECORDS_PER_TASK", 1)
    ecgs = ECGSet.from_arrays(known_ecg(num_records=5, seed=4), EIGHT_LEADS, RATE).save(tmp_path / "set")
    fresh = measure(ecgs, num_workers=1, progress=False)
    seen: list[int] = []
    original = measure_set._measure_some

    def interrupted(*arguments: object) -> list:
        if len(seen) == 3:
            raise KeyboardInterrupt
        seen.append(1)
        return original(*arguments)

    monkeypatch.setattr(measure_set, "_measure_some", interrupted)
    with pytest.raises(KeyboardInterrupt):
        measure(ecgs, num_workers=1, progress=False, cache=tmp_path / "cache")
    kept = list((tmp_path / "cache").rglob("*.parquet"))
    assert len(kept) == 1  # two of three measured records were a whole part
    seen.clear()
    monkeypatch.setattr(measure_set, "_measure_some", lambda *arguments: (seen.append(1), original(*arguments))[1])
    resumed = measure(ecgs, num_workers=1, progress=False, cache=tmp_path / "cache")
    pd.testing.assert_frame_equal(resumed, fresh)
    assert len(seen) == 3
    pd.testing.assert_frame_equal(measure(ecgs, num_workers=1, progress=False, cache=tmp_path / "cache"), fresh)
    assert len(seen) == 3
    # another code, other records: no row is read back
    measure(ecgs.subset([0]), num_workers=1, progress=False, cache=tmp_path / "cache")
    monkeypatch.setattr(cache, "measuring_version", lambda: "another")
    measure(ecgs, num_workers=1, progress=False, cache=tmp_path / "cache")
    assert len(seen) == 3 + 1 + 5


def test_a_damaged_part_is_named(known_ecg: Callable[..., np.ndarray], tmp_path: Path) -> None:
    ecgs = ECGSet.from_arrays(known_ecg(), EIGHT_LEADS, RATE).save(tmp_path / "set")
    measure(ecgs, progress=False, cache=tmp_path)
    (part,) = (tmp_path / "measurements").rglob("*.parquet")
    part.write_bytes(b"half")
    with pytest.raises(ValueError, match=r"rows_000000000\.parquet is damaged .*; delete it"):
        measure(ecgs, progress=False, cache=tmp_path)
