import numpy as np

from ecggan.generation.progress import CANDIDATES_PER_BATCH, Batch


def make_batch(number, length=CANDIDATES_PER_BATCH, excluded=()):
    rng = np.random.default_rng(number)
    microvolts = rng.integers(-1000, 1000, (length, 2, 10)).astype(np.int16)
    return Batch(
        number, microvolts, {number * CANDIDATES_PER_BATCH + place: ("rule", f"detail {place}") for place in excluded}
    )
