"""The positions of a set's records in runs of bounded length, for what is read or written in constant memory."""


def batches(num_records: int, size: int) -> list[slice]:
    """Positions 0, 1, 2 … in runs of at most `size`.

    >>> batches(5, 2)
    [slice(0, 2, None), slice(2, 4, None), slice(4, 5, None)]
    """
    return [slice(start, min(start + size, num_records)) for start in range(0, num_records, size)]
