"""Nearest ECGs by fingerprint, and the alignment of near pairs, which decides whether one is a copy.

The search is exact: it compares every pair of records, as matrix products, in blocks.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy.fft
from jaxtyping import Float, Float32, Int

from ecggan.compute.workers import each
from ecggan.data.sets.ecg_set import ECGSet
from ecggan.data.sets.record_batches import RecordBatch
from ecggan.measurement.filters import zero_phase
from ecggan.measurement.fingerprints import Fingerprints

# After alignment, the nearest of 179 patients reach 0.82, the nearest of 49 million pairs of generated ECGs 0.957;
# copies with 50 µV of white noise have at least 0.98 (docs/results/published_generator.md).
COPY_CORRELATION = 0.97
CANDIDATE_CORRELATION = 0.9  # of the segments; nearer pairs are aligned. Copies with 50 µV of noise have 0.99
FEWEST_PAIRS = 10  # the nearest are aligned at any correlation
_BLOCK_BYTES = 2**27
_BAND_HZ, _RATE_HZ = (1.0, 40.0), 100
_ENDS_S = 0.5  # excluded at both ends of a record: transients of filters, constants that recorders append
_FURTHEST_S = 2.0
_PAIRS_PER_TASK = 64


@dataclass(frozen=True)
class Nearest:
    """For each record the nearest one of another set: the correlation, and its position there (-1: none)."""

    correlation: Float32[np.ndarray, " record"]
    position: Int[np.ndarray, " record"]


def nearest_by_segment(queries: Fingerprints, index: Fingerprints) -> tuple[Nearest, Nearest]:
    """For each query the nearest record of the index, and for each record of the index the nearest query.

    Args:
        queries: the middle segment of each is compared with all segments of the others.
        index: with every segment of each record.

    Raises:
        ValueError: the leads differ, or the index is not whole.
    """
    if queries.leads != index.leads:
        raise ValueError(f"fingerprints of {queries.leads} cannot be compared with those of {index.leads}")
    if not index.is_indexed.all():
        raise ValueError("the index must hold every segment of its records; take fingerprints with most_indexed=None")
    return _nearest(_segment_blocks(queries, index), len(queries), len(index))


def nearest_by_beat(queries: Fingerprints, index: Fingerprints) -> tuple[Nearest, Nearest]:
    """As [nearest_by_segment][], by the shapes of the median beats."""
    transposed = index.beat_shapes().T
    blocks = ((some, queries.beat_shapes(some) @ transposed) for some in _slices(len(queries), len(index)))
    return _nearest(blocks, len(queries), len(index))


def nearest_within(prints: Fingerprints, groups: Int[np.ndarray, " record"]) -> Nearest:
    """For each record the nearest other one by segment; records of the same group (a patient) do not count."""

    def others() -> Iterator[tuple[slice, np.ndarray]]:
        for some, correlations in _segment_blocks(prints, prints):
            yield some, np.where(groups[some, None] == groups[None], -np.inf, correlations)

    found, _ = _nearest(others(), len(prints), len(prints))
    return found


def _segment_blocks(queries: Fingerprints, index: Fingerprints) -> Iterator[tuple[slice, np.ndarray]]:
    """Blocks of correlations ``(query, record of the index)``: the best over the segments of the latter."""
    if not len(index):
        return
    pieces = index.segments.astype(np.float32).T
    starts = np.searchsorted(index.owner, np.arange(len(index)))
    for some in _slices(len(queries), len(index.segments)):
        middles = queries.segments[queries.middle[some]].astype(np.float32)
        yield some, np.maximum.reduceat(middles @ pieces, starts, axis=1)


def _slices(num_rows: int, num_columns: int) -> Iterator[slice]:
    at_once = max(1, _BLOCK_BYTES // (4 * max(num_columns, 1)))
    for start in range(0, num_rows, at_once):
        yield slice(start, min(start + at_once, num_rows))


def _nearest(blocks: Iterator[tuple[slice, np.ndarray]], num_queries: int, num_indexed: int) -> tuple[Nearest, Nearest]:
    of_queries, of_index = _none(num_queries), _none(num_indexed)
    for some, correlations in blocks:
        if not correlations.shape[1]:
            continue
        of_queries.position[some] = correlations.argmax(axis=1)
        of_queries.correlation[some] = correlations.max(axis=1)
        rows = correlations.argmax(axis=0)
        best = correlations[rows, np.arange(num_indexed)]
        is_better = best > of_index.correlation
        of_index.correlation[is_better] = best[is_better]
        of_index.position[is_better] = rows[is_better] + some.start
    of_queries.position[np.isneginf(of_queries.correlation)] = -1
    return of_queries, of_index


def _none(number: int) -> Nearest:
    return Nearest(np.full(number, -np.inf, np.float32), np.full(number, -1))


def align_nearest(
    queries: ECGSet, index: ECGSet, found: Nearest, leads: Sequence[str], num_workers: int | None = None
) -> pd.DataFrame:
    """Align queries with their nearest records, over the whole length: possible copies, and the nearest in any case.

    Between 1 and 40 Hz, all leads together, shifted by up to 2 s (and by what one is longer), amplified as fits best. A
    copy has a correlation of at least [COPY_CORRELATION][].

    Args:
        queries: the set that `found` is of.
        index: the set that it points into.
        found: of [nearest_by_segment][] or [nearest_within][].
        leads: those to compare.
        num_workers: processes; None for one a core.

    Returns:
        A row a pair, the highest correlation first: `position` of the query, `of_position` in the index,
        `correlation`, `is_copy`, `shift_ms` (so much later the query shows a moment), `gain` (of the query), and
        `rest_mv`, the RMS of what differs, in mV of the record of the index.
    """
    order = np.argsort(-found.correlation, kind="stable")
    is_near = found.correlation[order] >= CANDIDATE_CORRELATION
    is_near[:FEWEST_PAIRS] = True
    candidates = order[is_near & (found.position[order] >= 0)]
    tasks = [candidates[start : start + _PAIRS_PER_TASK] for start in range(0, len(candidates), _PAIRS_PER_TASK)]
    pairs = (
        (
            RecordBatch.of(queries, task),
            RecordBatch.of(index, found.position[task]),
            tuple(leads),
            queries.sampling_rate,
            index.sampling_rate,
        )
        for task in tasks
    )
    rows = [row for some in each(_align_some, pairs, len(tasks), num_workers) for row in some]
    table = pd.DataFrame(rows, columns=["correlation", "shift_ms", "gain", "rest_mv"], dtype=float)
    table.insert(0, "position", candidates)
    table.insert(1, "of_position", found.position[candidates])
    table.insert(3, "is_copy", table["correlation"] >= COPY_CORRELATION)
    return table.sort_values("correlation", ascending=False, kind="stable", ignore_index=True)


def _align_some(
    copies: RecordBatch, originals: RecordBatch, leads: Sequence[str], *rates: int
) -> list[tuple[float, float, float, float]]:
    pairs = zip(copies.millivolts(leads).astype(float), originals.millivolts(leads).astype(float), strict=True)
    return [align(copy, original, *rates) for copy, original in pairs]


def align(
    copy: Float[np.ndarray, "lead copy_time"],
    original: Float[np.ndarray, "lead original_time"],
    copy_rate: int,
    original_rate: int,
) -> tuple[float, float, float, float]:
    """How well two records match at the best shift: correlation, shift in ms (the copy is so much later), its gain, and
    the RMS of what differs, in mV of the original.

    Args:
        copy: in mV.
        original: in mV, of the same leads.
        copy_rate: in Hz.
        original_rate: in Hz.
    """
    a, b = _steady(copy, copy_rate), _steady(original, original_rate)
    length = scipy.fft.next_fast_len(a.shape[1] + b.shape[1], real=True)
    spectra = scipy.fft.rfft(a, length) * scipy.fft.rfft(b, length).conj()
    products = scipy.fft.irfft(spectra.sum(axis=0), length)  # at n: a begins n samples later than b
    furthest = int(min(_FURTHEST_S * _RATE_HZ, min(a.shape[1], b.shape[1]) / 2))
    longer = a.shape[1] - b.shape[1]  # a shorter record may lie anywhere in a longer one
    lags = np.arange(min(longer, 0) - furthest, max(longer, 0) + furthest + 1)
    of_a, of_b = (np.concatenate([[0], np.cumsum((each**2).sum(axis=0))]) for each in (a, b))
    first_a, first_b = np.maximum(lags, 0), np.maximum(-lags, 0)
    overlap = np.minimum(a.shape[1] - first_a, b.shape[1] - first_b)
    energy_a = of_a[first_a + overlap] - of_a[first_a]
    energy_b = of_b[first_b + overlap] - of_b[first_b]
    norms = np.sqrt(np.maximum(energy_a * energy_b, np.finfo(float).tiny))
    correlations = np.where(norms > np.sqrt(np.finfo(float).tiny), products[lags] / norms, 0)
    best = int(correlations.argmax())
    correlation, energy = float(np.clip(correlations[best], -1, 1)), float(energy_b[best])
    gain = float(products[lags[best]] / energy) if energy > 0 else np.nan
    rest = np.sqrt(energy * max(1 - correlation**2, 0) / (len(b) * overlap[best]))
    return correlation, float(lags[best] * 1000 / _RATE_HZ), gain, float(rest)


def _steady(millivolts: np.ndarray, sampling_rate: int) -> np.ndarray:
    banded = zero_phase("bandpass", _BAND_HZ, millivolts, sampling_rate)
    times = np.rint(np.arange(0, banded.shape[1] / sampling_rate * _RATE_HZ - 1) * sampling_rate / _RATE_HZ).astype(int)
    ends = int(_ENDS_S * _RATE_HZ)
    return banded[:, times[ends:-ends]]
