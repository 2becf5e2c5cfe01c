"""Fingerprints of ECGs: a segment of several seconds and the median beat, by which a copy of a record is recognised.

Two records count as the same if they match after a shift in time, a gain, a baseline or noise. A segment is therefore
cut around an R-peak, which moves with the ECG; it is filtered to 1 to 10 Hz, without baseline and most noise; and it
is normalised, so that its shape alone counts. Two segments match by their correlation over all leads: 1 for a copy,
about 0.7 for the nearest of 180 other patients (docs/results/published_generator.md). The times of the beats carry
most of the difference between ECGs there. The median beat answers another question: whether the shape of a heart's
beat returns at another rate.

The middle segment of a record is compared with every segment of another that has an R-peak at the same place. All pairs
of two sets are matrix products: exact, without an approximate search.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float16, Float32, Int
from tqdm import tqdm

from ecggan import checks
from ecggan.compute.workers import each
from ecggan.data.sets.ecg_set import ECGSet
from ecggan.data.sets.record_batches import RecordBatch
from ecggan.ecg import MICROVOLTS_PER_MILLIVOLT
from ecggan.measurement.beats import find_beats
from ecggan.measurement.filters import without_baseline, zero_phase
from ecggan.stats.resampling import evenly_spaced

SEGMENT_S = 6.5  # of 10 s: copies shifted by up to 1 s still have a common R-peak with room around it
_LONGEST_SHARE = SEGMENT_S / 10  # of a shorter record
SHORTEST_S = 4.0
_SEGMENT_BAND_HZ, _SEGMENT_RATE_HZ = (1.0, 10.0), 25
_BEAT_REACH_MS = (-250, 400)  # P to T, around the R-peak
_BEAT_BELOW_HZ, _BEAT_RATE_HZ = 40.0, 100
_LARGEST_MV = 1000.0  # far beyond any ECG, and within 16 bits
MOST_INDEXED = 5000
_RECORDS_PER_TASK = 32


@dataclass(frozen=True)
class Fingerprints:
    """The fingerprints of a set's records, in their order.

    Args:
        segments: of the records, each around an R-peak, as vectors of length 1; zeros if a record has no signal.
        owner: the record of each segment, ascending.
        middle: of each record, the segment whose R-peak is nearest to the middle.
        is_indexed: the records with all their segments, not the middle one alone.
        beats: the median beats in mV, all leads; NaN if a record has no beat.
        leads: of segments and beats.
    """

    segments: Float16[np.ndarray, "segment value"]
    owner: Int[np.ndarray, " segment"]
    middle: Int[np.ndarray, " record"]
    is_indexed: Bool[np.ndarray, " record"]
    beats: Float16[np.ndarray, "record lead time"]
    leads: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.middle)

    def subset(self, positions: Int[np.ndarray, " position"]) -> "Fingerprints":
        """The fingerprints of some records, by ascending position."""
        number = np.full(len(self), -1)
        number[positions] = np.arange(len(positions))
        kept = np.flatnonzero(number[self.owner] >= 0)
        middle = np.searchsorted(kept, self.middle[positions])
        of_kept = number[self.owner[kept]]
        return Fingerprints(
            self.segments[kept], of_kept, middle, self.is_indexed[positions], self.beats[positions], self.leads
        )

    def beat_shapes(self, which: slice = slice(None)) -> Float32[np.ndarray, "record value"]:
        """The median beats as vectors of length 1, each lead about its mean; zeros if a record has no beat."""
        beats = np.nan_to_num(self.beats[which].astype(np.float32))
        return _unit(beats - beats.mean(axis=2, keepdims=True))


def fingerprints(
    ecgs: ECGSet,
    leads: Sequence[str] | None = None,
    num_workers: int | None = None,
    progress: bool = True,
    most_indexed: int | None = None,
    duration_s: int | float | None = None,
) -> Fingerprints:
    """Compute the fingerprints of every record of a set.

    Args:
        ecgs: the set; 150,000 records of 8 leads take about 0.7 GB.
        leads: the leads to use, the same for all sets that are to be matched; None for all of the set.
        num_workers: processes; None for one a core. The result does not depend on it.
        progress: show a bar.
        most_indexed: the number of records, evenly spaced, that keep all segments, so that others can be compared with
            them; None for all. They take four times the memory of the others.
        duration_s: of the shortest record of all sets; None for that of this set.

    Raises:
        ValueError: records shorter than 4 s, a lead that the set does not have, or a number below 1.
    """
    duration = ecgs.num_samples / ecgs.sampling_rate if duration_s is None else float(duration_s)
    if duration < SHORTEST_S:
        raise ValueError(f"records of {duration:g} s cannot be recognised; at least {SHORTEST_S:g} s are needed")
    checks.whole_number("num_workers", num_workers, at_least=1, or_null=True)
    chosen = ecgs.leads if leads is None else tuple(leads)
    lacking = [lead for lead in chosen if lead not in ecgs.leads]
    if not chosen:
        raise ValueError("there is no lead that all sets have, by which ECGs could be recognised")
    if lacking:
        raise ValueError(f"lead {lacking[0]!r} is not in the set; it has {', '.join(ecgs.leads)}")
    indexed = np.zeros(len(ecgs), bool)
    indexed[evenly_spaced(len(ecgs), len(ecgs) if most_indexed is None else most_indexed)] = True
    reach = int(min(SEGMENT_S, _LONGEST_SHARE * duration) / 2 * _SEGMENT_RATE_HZ)
    tasks = ecgs.batches(_RECORDS_PER_TASK)
    found: list[_RecordFingerprint] = []
    with tqdm(total=len(ecgs), desc="fingerprints", unit="ECG", disable=not progress or len(tasks) < 2) as bar:
        columns = tuple(ecgs.leads.index(lead) for lead in chosen)
        arguments = ((RecordBatch.of(ecgs, task), columns, ecgs.sampling_rate, reach, indexed[task]) for task in tasks)
        for some in each(_take_some, arguments, len(tasks), num_workers):
            found += some
            bar.update(len(some))
    num_segments = np.array([len(each.segments) for each in found], int)
    starts = np.cumsum(num_segments) - num_segments
    size = (len(chosen) * 2 * reach, len(chosen), _beat_length())
    return Fingerprints(
        np.concatenate([np.empty((0, size[0]), np.float16), *(each.segments for each in found)]),
        np.repeat(np.arange(len(found)), num_segments),
        starts + np.array([each.middle for each in found], int),
        indexed,
        np.stack([each.beat for each in found]) if found else np.empty((0, *size[1:]), np.float16),
        chosen,
    )


@dataclass(frozen=True)
class _RecordFingerprint:
    segments: np.ndarray
    middle: int
    beat: np.ndarray


def _take_some(
    records: RecordBatch,
    columns: tuple[int, ...],
    sampling_rate: int,
    reach: int,
    all_of: np.ndarray,
) -> list[_RecordFingerprint]:
    millivolts = records.microvolts()[:, list(columns)].astype(np.float64) / MICROVOLTS_PER_MILLIVOLT
    return [_take(record, sampling_rate, reach, bool(every)) for record, every in zip(millivolts, all_of, strict=True)]


def _take(millivolts: np.ndarray, sampling_rate: int, reach: int, every: bool) -> _RecordFingerprint:
    found = find_beats(without_baseline(millivolts, sampling_rate), sampling_rate)
    step = sampling_rate / _SEGMENT_RATE_HZ
    length, before = millivolts.shape[1], int(np.ceil(reach * step))
    with_room = found.r_peaks[(found.r_peaks >= before) & (found.r_peaks + before <= length)]
    anchors = with_room if len(with_room) else np.array([length // 2])  # without a beat, the record's middle
    middle = int(np.abs(anchors - length / 2).argmin())
    if not every:
        anchors, middle = anchors[[middle]], 0
    banded = zero_phase("bandpass", _SEGMENT_BAND_HZ, millivolts, sampling_rate)
    times = np.rint(np.arange(-reach, reach) * step).astype(int)
    segments = banded[:, np.clip(anchors[:, None] + times, 0, length - 1)].swapaxes(0, 1)  # (segment, lead, time)
    segments = _unit(segments - segments.mean(axis=2, keepdims=True))
    return _RecordFingerprint(segments.astype(np.float16), middle, _beat(found.millivolts, found.r_peak, sampling_rate))


def _beat(median_beat: np.ndarray, r_peak: int, sampling_rate: int) -> np.ndarray:
    """The median beat around its R-peak at 100 Hz, each lead about its mean."""
    if not median_beat.shape[1]:
        return np.full((len(median_beat), _beat_length()), np.nan, np.float16)
    smooth = zero_phase("low", _BEAT_BELOW_HZ, median_beat, sampling_rate, order=4)
    start = _BEAT_REACH_MS[0] * _BEAT_RATE_HZ // 1000
    times = np.rint((start + np.arange(_beat_length())) * sampling_rate / _BEAT_RATE_HZ).astype(int)
    cut = smooth[:, np.clip(r_peak + times, 0, smooth.shape[1] - 1)]
    return (cut - cut.mean(axis=1, keepdims=True)).clip(-_LARGEST_MV, _LARGEST_MV).astype(np.float16)


def _beat_length() -> int:
    return (_BEAT_REACH_MS[1] - _BEAT_REACH_MS[0]) * _BEAT_RATE_HZ // 1000


def _unit(arrays: np.ndarray) -> np.ndarray:
    """``(n, …)`` as n vectors of length 1, zeros if an array is zero."""
    flat = arrays.reshape(len(arrays), int(np.prod(arrays.shape[1:])))
    norms = np.linalg.norm(flat, axis=1, keepdims=True)
    return flat / np.where(norms > 0, norms, 1)
