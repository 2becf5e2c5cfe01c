"""Signal descriptions: correlations of the leads, power spectra, and deviations from Einthoven's law.

Intervals and amplitudes describe the median beat. Signal descriptions also show what a generator adds between the beats
(hum, noise, upsampling artefacts) and wrong relations between the leads. All but Einthoven's law is computed on the
signals above 0.5 Hz (see [ecggan.measurement.filters][]) and on the independent leads: beside I and II, the leads III,
aVR, aVL and aVF carry no information, so a set of 8 leads and a set of 12 are described alike.

The correlations and powers of a lead without a signal (see `plausibility`) are NaN and are excluded from the means.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
import scipy.signal
from jaxtyping import Float
from tqdm import tqdm

from ecggan import checks
from ecggan.compute.workers import each
from ecggan.data.sets.batches import batches
from ecggan.data.sets.ecg_set import ECGSet
from ecggan.data.sets.record_batches import RecordBatch
from ecggan.ecg import DERIVED_LEADS, MICROVOLTS_PER_MILLIVOLT, independent_leads, stored_derived_leads
from ecggan.measurement.columns import BANDS_HZ, HIGHEST_HZ, correlation_column, einthoven_column
from ecggan.measurement.filters import without_baseline
from ecggan.measurement.plausibility import leads_with_signal
from ecggan.stats.resampling import evenly_spaced

MAX_RECORDS = 5000
RECORDS_PER_TASK = 16
SEGMENT_S = 2  # of Welch's method: a frequency each 0.5 Hz, and 9 segments in 10 s
SLOWEST_SAMPLING_HZ = 10  # at lower rates not even the first band is complete
# Rounding to whole µV adds a noise of 1/12 µV², spread evenly up to half the sampling rate; power below it is unknown.
_ROUNDING_MV2 = MICROVOLTS_PER_MILLIVOLT**-2 / 12


@dataclass(frozen=True)
class SignalDescription:
    """The result of [describe_signals][].

    Args:
        table: one row a described record: `record`, its `position` in the set, and the [signal_columns][].
        leads: the independent ones, in the order of `power`.
        frequencies_hz: from 0.5 Hz in steps of 0.5 Hz to half the sampling rate, at most 250 Hz.
        power: the mean over records of the power spectral density, mV²/Hz.
        power_quartiles_db: its quartiles over records (25, 50 and 75 %) in dB re 1 mV²/Hz, at least the density of the
            rounding to whole µV.
    """

    table: pd.DataFrame
    leads: tuple[str, ...]
    frequencies_hz: Float[np.ndarray, " frequency"]
    power: Float[np.ndarray, "lead frequency"]
    power_quartiles_db: Float[np.ndarray, "quartile=3 lead frequency"]

    def mean_correlations(self) -> Float[np.ndarray, "lead lead"]:
        """The mean over records of the correlation of each two leads; NaN if no record has both."""
        matrix = np.eye(len(self.leads))
        for (i, a), (j, b) in combinations(enumerate(self.leads), 2):
            matrix[i, j] = matrix[j, i] = self.table[correlation_column(a, b)].mean()
        return matrix


def describe_signals(
    ecgs: ECGSet, num_workers: int | None = None, progress: bool = True, max_records: int = MAX_RECORDS
) -> SignalDescription:
    """Describe the signals of a set, or of `max_records` evenly spaced records of it.

    The standard error of a mean over 5,000 records is its SD divided by 70. Time and memory grow with the records
    described; the set is read in blocks.

    Args:
        ecgs: the set. Records shorter than 2 s, or below 10 Hz, have NaN for all but Einthoven's law.
        num_workers: processes; None for one a core. The result does not depend on it.
        progress: show a bar (not for a single block of records).
        max_records: how many to describe.

    Raises:
        ValueError: num_workers or max_records is below 1.
    """
    checks.whole_number("num_workers", num_workers, at_least=1, or_null=True)
    checks.whole_number("max_records", max_records, at_least=1)
    leads, columns = independent_leads(ecgs.leads), signal_columns(ecgs.leads)
    frequencies = _frequencies(ecgs.sampling_rate)
    positions = evenly_spaced(len(ecgs), max_records)
    blocks = batches(len(positions), RECORDS_PER_TASK)
    values = np.empty((len(positions), len(columns)))
    density = np.empty((len(positions), len(leads), len(frequencies)), np.float32)
    with tqdm(total=len(positions), desc="signals", unit="ECG", disable=not progress or len(blocks) < 2) as bar:
        arguments = ((RecordBatch.of(ecgs, positions[block]), ecgs.sampling_rate) for block in blocks)
        described = each(_describe_some, arguments, len(blocks), num_workers)
        for block, found in zip(blocks, described, strict=True):
            values[block], density[block] = found
            bar.update(len(found[0]))
    table = pd.DataFrame(values, columns=list(columns))
    table.insert(0, "record", ecgs.records["record"].astype(str).to_numpy(object)[positions])
    table.insert(1, "position", positions)
    return SignalDescription(table, leads, frequencies, *_over_records(density, ecgs.sampling_rate))


def signal_columns(leads: Sequence[str]) -> tuple[str, ...]:
    """The columns of a set with these leads.

    The Pearson correlation of each two independent leads over the record; the power in bands of frequency in dB re
    1 mV², the mean of the leads' dB, so that one noisy lead does not speak for all (NaN for a band that the sampling
    rate does not wholly hold, but for the last, which is cut: compare sets of one sampling rate); and by how many µV,
    at most, each stored limb lead contradicts I and II (rounding makes 1 or 2).

    >>> signal_columns(["V5", "I"])[:2]
    ('correlation_i_v5', 'power_0_5_5hz_db')
    >>> signal_columns(["I", "II", "aVF"])[-1]
    'einthoven_avf_uv'
    """
    pairs = [correlation_column(a, b) for a, b in combinations(independent_leads(leads), 2)]
    return (*pairs, *BANDS_HZ, *(einthoven_column(lead) for lead in stored_derived_leads(leads)))


def _frequencies(sampling_rate: int) -> np.ndarray:
    return np.arange(1, int(min(HIGHEST_HZ, sampling_rate / 2) * SEGMENT_S) + 1) / SEGMENT_S


def _describe_some(records: RecordBatch, sampling_rate: int) -> tuple[np.ndarray, np.ndarray]:
    """The columns' values ``(record, column)``, and the power spectral densities ``(record, lead, frequency)``."""
    microvolts, leads = records.microvolts(), records.leads
    lead = {name: microvolts[:, i].astype(np.float64) for i, name in enumerate(leads)}
    millivolts = np.stack([lead[name] for name in independent_leads(leads)], axis=1) / MICROVOLTS_PER_MILLIVOLT
    correlations, density = _correlations_and_density(millivolts, sampling_rate)
    above, beside = np.triu_indices(millivolts.shape[1], k=1)
    contradictions = [
        np.abs(lead[name] - DERIVED_LEADS[name][0] * lead["I"] - DERIVED_LEADS[name][1] * lead["II"]).max(axis=1)
        for name in stored_derived_leads(leads)
    ]
    values = np.column_stack([correlations[:, above, beside], _band_powers_db(density, sampling_rate), *contradictions])
    return values, density.astype(np.float32)


def _correlations_and_density(millivolts: np.ndarray, sampling_rate: int) -> tuple[np.ndarray, np.ndarray]:
    num_records, num_leads, num_samples = millivolts.shape
    frequencies = _frequencies(sampling_rate)
    if num_samples < SEGMENT_S * sampling_rate or sampling_rate < SLOWEST_SAMPLING_HZ:
        shape = (num_records, num_leads)
        return np.full((*shape, num_leads), np.nan), np.full((*shape, len(frequencies)), np.nan)
    flat = millivolts.reshape(-1, num_samples)
    has_signal = leads_with_signal(flat).reshape(num_records, num_leads)
    steady = without_baseline(flat, sampling_rate)
    # in 32 bits for speed: their rounding lies 60 dB below that of whole µV
    found, density = scipy.signal.welch(steady.astype(np.float32), sampling_rate, nperseg=SEGMENT_S * sampling_rate)
    density = density[:, np.searchsorted(found, frequencies)].reshape(num_records, num_leads, -1)
    steady = (steady - steady.mean(axis=1, keepdims=True)).reshape(millivolts.shape)
    norms = np.sqrt((steady**2).sum(axis=2))
    steady /= np.where(has_signal, norms, np.nan)[:, :, None]
    return (steady @ steady.swapaxes(1, 2)).clip(-1, 1), np.where(has_signal[:, :, None], density, np.nan)


def _band_powers_db(density: np.ndarray, sampling_rate: int) -> np.ndarray:
    frequencies, half = _frequencies(sampling_rate), sampling_rate / 2
    powers = np.full((len(density), len(BANDS_HZ)), np.nan)
    for i, (low, end) in enumerate(BANDS_HZ.values()):
        high = min(end, half)
        if high <= low or (high < end and i < len(BANDS_HZ) - 1):
            continue
        within = (frequencies >= low) & ((frequencies < high) | (high == frequencies[-1]))
        power = density[:, :, within].sum(axis=2) / SEGMENT_S  # each frequency stands for 1 / SEGMENT_S Hz
        powers[:, i] = _mean_over_leads(_decibels(power, _ROUNDING_MV2 * (high - low) / half))
    return powers


def _decibels(power: np.ndarray, least: float) -> np.ndarray:
    return 10 * np.log10(np.maximum(power, least))  # NaN stays NaN


def _mean_over_leads(values: np.ndarray) -> np.ndarray:
    """The means of ``(record, lead)`` without the leads that are NaN; NaN if all are."""
    count = np.isfinite(values).sum(axis=1)
    return np.where(count, np.nansum(values, axis=1) / np.maximum(count, 1), np.nan)


def _over_records(density: np.ndarray, sampling_rate: int) -> tuple[np.ndarray, np.ndarray]:
    """The mean ``(lead, frequency)`` and the quartiles in dB ``(quartile, lead, frequency)``, a lead at a time."""
    mean = np.full(density.shape[1:], np.nan)
    quartiles_db = np.full((3, *density.shape[1:]), np.nan)
    for lead in range(density.shape[1]):
        known = density[np.isfinite(density[:, lead]).all(axis=1), lead]
        if len(known):
            mean[lead] = known.mean(axis=0, dtype=np.float64)
            quartiles = np.quantile(known, [0.25, 0.5, 0.75], axis=0)
            quartiles_db[:, lead] = _decibels(quartiles, _ROUNDING_MV2 / (sampling_rate / 2))
    return mean, quartiles_db
