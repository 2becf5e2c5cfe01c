"""How WFDB signal files store samples: every format but the compressed ones, as integers.

Tested against wfdb's own reading.

Source: https://physionet.org/physiotools/wag/signal-5.htm.
"""

from collections.abc import Sequence
from math import ceil
from pathlib import Path

import numpy as np

INVALID = {
    "8": None,
    "16": -(2**15),
    "24": -(2**23),
    "32": -(2**31),
    "61": -(2**15),
    "80": -(2**7),
    "160": -(2**15),
    "212": -(2**11),
    "310": -(2**9),
    "311": -(2**9),
    "508": -(2**7),
    "516": -(2**15),
    "524": -(2**23),
}
"""The sample that stands for none, of every format that is known."""

COMPRESSED = ("508", "516", "524")  # FLAC
_WHOLE = {"8": "i1", "16": "<i2", "32": "<i4", "61": ">i2", "80": "u1", "160": "<u2"}
_OFFSET = {"80": 2**7, "160": 2**15}
_BLOCKS = {"24": (1, 3), "212": (2, 3), "310": (3, 4), "311": (3, 4)}  # samples and bytes of each


def num_samples(num_bytes: int, fmt: str) -> int:
    """How many samples of a format so many bytes hold at most."""
    if fmt in _WHOLE:
        return num_bytes // np.dtype(_WHOLE[fmt]).itemsize
    samples, size = _BLOCKS[fmt]
    begun = {"212": {2: 1}, "310": {2: 0, 3: 0}, "311": {2: 1, 3: 2}}.get(fmt, {})
    return num_bytes // size * samples + begun.get(num_bytes % size, 0)


def read_samples(file: Path, fmt: str, offset: int, count: int) -> np.ndarray:
    """So many samples from the offset on, which the file must hold.

    Differences of format 8 are not yet summed up.
    """
    if fmt in _WHOLE:
        stored = np.fromfile(file, _WHOLE[fmt], count, offset=offset)
        return stored.astype(np.int32) - _OFFSET[fmt] if fmt in _OFFSET else stored
    samples, size = _BLOCKS[fmt]
    blocks = ceil(count / samples)
    content = np.fromfile(file, np.uint8, blocks * size, offset=offset)
    content = np.concatenate([content, np.zeros(blocks * size - len(content), np.uint8)])  # a last block may be begun
    return _unpacked(content.reshape(blocks, size).astype(np.int32), fmt).reshape(-1)[:count]


def _unpacked(block: np.ndarray, fmt: str) -> np.ndarray:
    """Blocks of bytes -> the samples of each, ``(block, sample)``."""
    if fmt == "24":
        return _signed([block[:, 0] | block[:, 1] << 8 | block[:, 2] << 16], 24)
    if fmt == "212":
        return _signed([block[:, 0] | (block[:, 1] & 15) << 8, block[:, 2] | block[:, 1] >> 4 << 8], 12)
    if fmt == "310":
        low, high = block[:, 0] | block[:, 1] << 8, block[:, 2] | block[:, 3] << 8
        return _signed([low >> 1 & 1023, high >> 1 & 1023, low >> 11 | high >> 11 << 5], 10)
    word = block[:, 0] | block[:, 1] << 8 | block[:, 2] << 16 | (block[:, 3] & 63) << 24
    return _signed([word & 1023, word >> 10 & 1023, word >> 20 & 1023], 10)


def _signed(samples: Sequence[np.ndarray], bits: int) -> np.ndarray:
    stacked = np.stack(samples, axis=1)
    return stacked - (stacked >> bits - 1 << bits)
