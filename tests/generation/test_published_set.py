import pytest

from ecggan.ecg import EIGHT_LEADS, ECGFormat
from ecggan.generation.published_set import deepfake_set

ECG = ECGFormat(EIGHT_LEADS, 500, 5000, 6.0)


def test_embedded_ecgs_are_drawn_once_and_keep_their_splits(tmp_path):
    first = deepfake_set(30, 1, ECG, tmp_path, validation=0.2, test=0.3)
    written = (first.path / "signals.npy").stat().st_mtime_ns
    again = deepfake_set(30, 1, ECG, tmp_path, validation=0.2, test=0.3)
    assert (again.path / "signals.npy").stat().st_mtime_ns == written
    assert again.records.equals(first.records)
    assert {"train", "validation", "test"} == set(first.records["split"])
    assert first.kind == "generated"
    # a record's split depends on its name alone: more records move none
    more = deepfake_set(40, 1, ECG, tmp_path, validation=0.2, test=0.3)
    assert list(more.records["split"][:30]) == list(first.records["split"])


def test_embedded_ecgs_come_with_derived_leads(tmp_path):
    ecg = ECGFormat(("II", "III", "aVF"), 500, 5000, 6.0)
    assert deepfake_set(2, 1, ecg, tmp_path, 0.1, 0.2).leads == ("II", "III", "aVF")


def test_another_rate_is_refused(tmp_path):
    with pytest.raises(ValueError, match="data=deepfake has 5000 samples at 500 Hz; ecg asks for 2500 at 250 Hz"):
        deepfake_set(2, 1, ECGFormat(EIGHT_LEADS, 250, 2500, 6.0), tmp_path, 0.1, 0.2)


def test_a_damaged_cache_is_named_with_the_remedy(tmp_path):
    made = deepfake_set(2, 1, ECG, tmp_path, 0.1, 0.2)
    (made.path / "manifest.json").unlink()
    with pytest.raises(ValueError, match=rf"manifest.json is missing.*\); delete {made.path} to pack it again"):
        deepfake_set(2, 1, ECG, tmp_path, 0.1, 0.2)
