"""How right the measurements and the normality screen are, against cardiologists and 12SL.

In: LUDB, PTB-XL, or a set of the published generator. Out: tables on the terminal, by
`python -m ecggan.evaluation.validation`. Begin with `validate_ludb`.
"""
