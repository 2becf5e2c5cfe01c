"""Pacing spikes: find them in the leads of a record, and measure without them.

A pacemaker's stimulus is shorter than 3 ms and as steep as the recorder allows; filters of the recorder and resampling
make it a few samples wide. A wave of the heart rises for longer: its lead is not at rest until a few ms before its top.
So a spike stands out, in one direction, from the samples a few ms before and after it, and its lead was at rest before.
It is replaced by a line in every lead. An after-potential, which some electrodes leave for tens of ms, cannot be told
from the QRS complex that follows: a record with spikes of this kind is not measurable.
"""

from dataclasses import dataclass

import numpy as np
import scipy.signal
from jaxtyping import Float, Int

_WIDTH_MS = 3.0
_SMALLEST_MV = 0.2
_REST_MS = 20
_MOST_UNREST = 0.25  # the range of the time at rest, of the spike's height
_HALF_WIDTH_MS = 6.0  # at half its height, resampled to 250 Hz
_STEEP, _STEEP_MS = 0.85, 4  # of its height, that it rises in this time, or in two samples
_LEADS, _SHARE = 3, 0.3  # seen in so many leads, at such a share of its height; an artefact is seen in one
_LONGEST_MS = 12  # from its top, in which a spike rises or falls
_ENDED = 0.05  # of its height
_NOISE_PERCENT, _LEAST_TIMES_NOISE = 95, 3.0  # spikes and QRS complexes stand out in less time than the rest
_LEAST_ALIKE, _SMALLEST_SHARE = 0.9, 0.3  # of the clear ones: in how the leads share it, and in height
_FEWEST = 3  # fewer are artefacts, or next to nothing
_AFTER_MS = 4
_LARGEST_TAIL = 0.15  # of its height, that the level is changed after it


@dataclass(frozen=True)
class Spikes:
    """The pacing spikes of a record.

    Args:
        positions: of their tops, in samples.
        have_tails: whether most leave an after-potential.
        without: the signals with a line in the place of each, ``(lead, time)``.
    """

    positions: Int[np.ndarray, " spike"]
    have_tails: bool
    without: Float[np.ndarray, "lead time"]


def remove_spikes(millivolts: Float[np.ndarray, "lead time"], sampling_rate: int) -> Spikes:
    """Find the pacing spikes of a record; with fewer than three, none.

    Args:
        millivolts: leads with signal, as recorded: a filter would make the spikes wider.
        sampling_rate: in Hz.
    """
    per_ms = sampling_rate / 1000
    apart, longest = int(np.ceil(_WIDTH_MS * per_ms)) + 1, int(np.ceil(_LONGEST_MS * per_ms))
    sizes = _sizes(millivolts, apart)
    tallest = sizes.max(axis=0)
    tops, _ = scipy.signal.find_peaks(tallest, height=_SMALLEST_MV)
    after_length = max(round(_AFTER_MS * per_ms), 2)
    margin = 2 * longest + round(_REST_MS * per_ms)
    tops = tops[(tops >= margin) & (tops < millivolts.shape[1] - margin)]
    num_leads = (sizes[:, tops] >= _SHARE * tallest[tops]).sum(axis=0)
    tops = tops[num_leads >= min(_LEADS, len(millivolts))]
    heights = sizes[:, tops] * np.sign(millivolts[:, tops] - millivolts[:, tops - apart])  # (lead, top)
    is_clear = np.array(
        [_is_spike(millivolts, heights[:, i], top, per_ms) for i, top in enumerate(tops.tolist())], bool
    )
    none = Spikes(np.empty(0, int), False, millivolts)
    if is_clear.sum() < _FEWEST:
        return none
    noise = np.percentile(tallest, _NOISE_PERCENT)
    if np.median(tallest[tops[is_clear]]) < _LEAST_TIMES_NOISE * noise:
        return none
    # those that ring or fell between two samples resemble the clear ones in how the leads share them
    shares = heights / np.linalg.norm(heights, axis=0)
    is_alike = np.abs(shares[:, is_clear].T @ shares).max(axis=0) >= _LEAST_ALIKE
    is_alike &= tallest[tops] >= _SMALLEST_SHARE * np.median(tallest[tops[is_clear]])
    without, positions, tails, last = millivolts.copy(), [], [], -1
    for i in np.flatnonzero(is_alike):
        top = int(tops[i])
        if top <= last or not _is_after_rest(millivolts, heights[:, i], top, per_ms, 1.0):
            continue
        lead, height = int(np.abs(heights[:, i]).argmax()), tallest[top]
        rises = np.flatnonzero(tallest[top - longest : top + longest + 1] >= _ENDED * height) - longest
        start, stop = top + rises[0] - apart // 2, top + rises[-1] + apart // 2 + 1
        before, after = (
            millivolts[lead, at : at + after_length].mean() for at in (top - apart - after_length, top + apart + 1)
        )
        tails.append(abs(after - before) > _LARGEST_TAIL * height)
        # levels over an even number of samples, in which the ringing of a resampled spike cancels
        level, next_level = (
            millivolts[:, slice(*ends)].mean(axis=1) for ends in ((start - 3, start + 1), (stop, stop + 4))
        )
        along = np.linspace(0, 1, stop - start + 1)
        without[:, start : stop + 1] = np.outer(level, 1 - along) + np.outer(next_level, along)
        positions.append(top)
        last = stop
    return Spikes(np.array(positions), bool(np.mean(tails) > 0.5), without)


def _is_spike(millivolts: np.ndarray, heights: np.ndarray, top: int, per_ms: float) -> bool:
    """Whether the sample is the top of a spike: narrow, steep, and after time at rest."""
    sizes = np.abs(heights)
    height = sizes.max()
    if not _is_after_rest(millivolts, heights, top, per_ms, _MOST_UNREST):
        return False
    lead, longest = int(sizes.argmax()), int(np.ceil(_LONGEST_MS * per_ms))
    near = millivolts[lead, top - longest : top + longest + 1] * np.sign(heights[lead])
    near = near - np.median(near[: longest // 2 + 1])
    rise = near[longest] - near[longest - max(int(_STEEP_MS * per_ms), 2)]
    is_narrow = np.sum(near >= near[longest] / 2) <= np.ceil(_HALF_WIDTH_MS * per_ms)
    return bool(is_narrow and rise >= _STEEP * height)


def _is_after_rest(millivolts: np.ndarray, heights: np.ndarray, top: int, per_ms: float, most: float) -> bool:
    """Whether the lead that shows the spike best was at rest before it, within a share of its height."""
    lead, apart = int(np.abs(heights).argmax()), int(np.ceil(_WIDTH_MS * per_ms)) + 1
    before = millivolts[lead, top - apart - round(_REST_MS * per_ms) : top - apart + 1]
    return bool(np.ptp(before) <= most * np.abs(heights[lead]))


def _sizes(millivolts: np.ndarray, apart: int) -> np.ndarray:
    """How far each sample stands out from those `apart` samples before and after it, or 0 if it lies between them."""
    sizes = np.zeros_like(millivolts)
    middle = millivolts[:, apart:-apart]
    from_before, from_after = middle - millivolts[:, : -2 * apart], middle - millivolts[:, 2 * apart :]
    stands_out = from_before * from_after > 0
    np.minimum(np.abs(from_before), np.abs(from_after), out=sizes[:, apart:-apart], where=stands_out)
    return sizes
