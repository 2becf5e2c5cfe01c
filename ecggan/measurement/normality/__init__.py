"""Is it a normal ECG, and if not, why?

In: a table of measurements. Out: which records are normal and the reasons of the others. Imports measurement. Begin
with `screen`; `rules` holds each rule with limits and source, made of the `conditions`.
"""
