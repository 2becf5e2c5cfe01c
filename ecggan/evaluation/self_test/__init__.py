"""Self-test: can this evaluation be fooled?

In: real ECGs. Out: which measure caught which of the `corruptions` (copies, flat lines, swapped leads, …), and whether
fresh real ECGs raised an alarm. Imports all of evaluation but its siblings, and plotting. Begin with `self_test`.
"""
