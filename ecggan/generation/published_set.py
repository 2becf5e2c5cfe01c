"""The embedded ECGs: drawn from the paper's published generator, so that everything runs with no download.

It stands here and not with the other sources because those know nothing of networks.
"""

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from ecggan.checkpoints.open import PUBLISHED, PUBLISHED_FORMAT
from ecggan.data.packing.cache import open_cached
from ecggan.data.sets.ecg_set import ECGSet
from ecggan.data.sets.splits import split_of
from ecggan.ecg import ECGFormat
from ecggan.generation.generate import generate


def deepfake_set(
    num_records: int, seed: int, ecg: ECGFormat, cache: str | Path, validation: float, test: float
) -> ECGSet:
    """Draw the set once, and open it from the cache from then on.

    Args:
        num_records: over all splits.
        seed: of the set.
        ecg: the published generator's rate and length; any of the twelve leads.
        cache: folder.
        validation: share of the records in the split of this name.
        test: likewise; the rest is for training.

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
    folder = Path(cache).expanduser() / "sets" / name
    if not folder.exists():
        drawn_set = generate(PUBLISHED, num_records, seed, leads=ecg.leads)
        splits = [split_of(record, validation, test) for record in drawn_set.records["record"]]
        with suppress(FileExistsError):  # another process may draw the same set meanwhile
            replace(drawn_set, records=drawn_set.records.assign(split=splits)).save(folder)
    return open_cached(folder)
