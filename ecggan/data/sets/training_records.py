"""Which records a generator learned from: their hashes, in its file and in the sets that are drawn from it.

By them an evaluation sees that it would judge a generator by what it knows. They tell nobody what the records are, but
who has a record can tell whether it was among them: so no report shows them, and no export of ECGs has them.
"""

import base64
import binascii
from collections.abc import Iterable, Mapping
from typing import Any

KEY = "learned_from"
_BYTES = 8  # of a record_hash


def encoded(hashes: Iterable[str]) -> str:
    """The hashes as one text.

    >>> hashes_in({KEY: encoded(["00000000000000ff", "0000000000000001"])}) == {"0000000000000001", "00000000000000ff"}
    True
    """
    return base64.b64encode(bytes.fromhex("".join(sorted(set(hashes))))).decode()


def hashes_in(made_by: Mapping[str, Any]) -> set[str]:
    """The hashes that a set's `made_by` or a generator's `trained` holds; none where it does not say.

    Raises:
        ValueError: they are damaged.
    """
    text = made_by.get(KEY)
    if text is None:
        return set()
    try:
        packed = base64.b64decode(text, validate=True)
    except (binascii.Error, TypeError, ValueError) as error:
        raise ValueError(f"the hashes of what the generator learned from are damaged ({error})") from error
    return {packed[start : start + _BYTES].hex() for start in range(0, len(packed), _BYTES)}


def without_hashes(made_by: Mapping[str, Any]) -> dict[str, Any]:
    """The same, with their number in the place of the hashes."""
    shown = dict(made_by)
    if KEY in shown:
        shown[KEY] = f"{len(hashes_in(made_by)):,} records"
    return shown
