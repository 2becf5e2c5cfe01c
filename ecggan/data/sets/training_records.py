"""Which records a generator was trained on: their hashes, in its file and in the sets that it draws.

With them, an evaluation refuses to compare a generator with its own training data. They do not reveal a record, but who
has a record can tell whether it is among them: so no report shows them, and no export of ECGs contains them.
"""

import base64
import binascii
from collections.abc import Iterable, Mapping
from typing import Any

KEY = "trained_on"
_OLD_KEY = "learned_from"  # in older sets and generator files
_HASH_BYTES = 8  # of a record_hash


def encode_hashes(hashes: Iterable[str]) -> str:
    """The hashes as one text.

    >>> text = encode_hashes(["00000000000000ff", "0000000000000001"])
    >>> training_hashes({KEY: text}) == {"0000000000000001", "00000000000000ff"}
    True
    """
    return base64.b64encode(bytes.fromhex("".join(sorted(set(hashes))))).decode()


def training_hashes(made_by: Mapping[str, Any]) -> set[str]:
    """The hashes in a set's `made_by` or a generator's `trained`; empty if there are none.

    Raises:
        ValueError: they are damaged.
    """
    text = made_by.get(KEY, made_by.get(_OLD_KEY))
    if text is None:
        return set()
    try:
        packed = base64.b64decode(text, validate=True)
    except (binascii.Error, TypeError, ValueError) as error:
        raise ValueError(f"the hashes of the training records ({KEY}) are damaged ({error})") from error
    return {packed[start : start + _HASH_BYTES].hex() for start in range(0, len(packed), _HASH_BYTES)}


def without_hashes(made_by: Mapping[str, Any]) -> dict[str, Any]:
    """The same mapping, with the number of hashes in their place."""
    return {
        key: f"{len(training_hashes({key: value})):,} records" if key in (KEY, _OLD_KEY) else value
        for key, value in made_by.items()
    }
