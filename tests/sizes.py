"""How large the sets are that the long tests take: enough to catch what they are for, or all (`make test-full`)."""

import os
from typing import TypeVar

IS_FULL = os.environ.get("ECGGAN_TEST_SIZE") == "full"

T = TypeVar("T")


def sized(usual: T, full: T) -> T:
    """The first in `make test`, the second in `make test-full`."""
    return full if IS_FULL else usual
