"""Can this evaluation be fooled?

In: real ECGs. Out: which of the `corruptions` (copies, flat lines, swapped leads, …) which measure caught, and whether
fresh real ECGs raised an alarm. Begin with `self_test`.
"""
