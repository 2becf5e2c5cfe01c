"""The data source `deepfake`: ECGs drawn from the paper's published generator, so that all commands run offline.

It is here and not in data.sources because the data rooms import no networks.
"""

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from ecggan.checkpoints.published import PUBLISHED, PUBLISHED_FORMAT
from ecggan.data.packing.cache import open_cached
from ecggan.data.sets.ecg_set import ECGSet
from ecggan.data.sets.splits import split_of
from ecggan.ecg import ECGFormat
from ecggan.files.cache import in_cache, require_writable_cache
from ecggan.generation.generate import generate


def deepfake_set(
    num_records: int, seed: int, ecg: ECGFormat, cache: str | Path, validation: float, test: float
) -> ECGSet:
    """Draw the set once; later calls open it from the cache.

    Args:
        num_records: over all splits.
        seed: of the set.
        ecg: the published generator's rate and length; any of the twelve leads.
        cache: folder.
        validation: share of the records in the validation split.
        test: share of the records in the test split; the rest is for training.

    Raises:
        ValueError: `ecg` has another rate or length.
    """
    drawn = (PUBLISHED_FORMAT.sampling_rate, PUBLISHED_FORMAT.num_samples)
    if (ecg.sampling_rate, ecg.num_samples) != drawn:
        raise ValueError(
            f"data=deepfake has {drawn[1]} samples at {drawn[0]} Hz; ecg asks for {ecg.num_samples} at "
            f"{ecg.sampling_rate} Hz: choose another data source or leave ecg as it is"
        )
    name = f"deepfake-{num_records}-seed{seed}-{'-'.join(ecg.leads)}-{validation}-{test}"
    folder = in_cache(cache, "sets", name)
    if not folder.exists():
        require_writable_cache(cache)
        drawn_set = generate(PUBLISHED, num_records, seed, leads=ecg.leads)
        splits = [split_of(record, validation, test) for record in drawn_set.records["record"]]
        with suppress(FileExistsError):  # another process may draw the same set meanwhile
            replace(drawn_set, records=drawn_set.records.assign(split=splits)).save(folder)
    return open_cached(folder)
