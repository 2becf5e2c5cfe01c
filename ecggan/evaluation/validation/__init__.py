"""How accurate the measurements and the normality screen are, against cardiologists and 12SL.

In: LUDB, PTB-XL, or a set of the published generator. Out: tables on the terminal, by `python -m
ecggan.evaluation.validation`. Imports comparison, measurement, data, compute, stats and files. Begin with `__main__`,
the command line; `validate_ludb`, `compare_12sl` and `validate_ptbxl` are its three parts.
"""
