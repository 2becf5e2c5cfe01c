"""Train, validation and test, by patient."""

import hashlib
from typing import Literal


def split_of(name: str, validation: int | float, test: int | float) -> Literal["train", "validation", "test"]:
    """The split of a name (the patient's where it is known), which stays when records are added or removed.

    Args:
        name: hashed with SHA-256.
        validation: the share of names that go there, of 1.
        test: likewise; the rest is for training.
    """
    if min(validation, test) < 0 or validation + test > 1:
        raise ValueError(f"the shares validation and test must be within 0 and 1 together; got {validation} and {test}")
    position = int.from_bytes(hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest()[:8], "big") / 2**64
    if position < test:
        return "test"
    return "validation" if position < test + validation else "train"
