"""The normality screen: is an ECG normal, and if not, why?

In: a table of measurements. Out: which records are normal, and the reasons of the others. Imports columns, measure_set
and data. Begin with `screen`; `rules` has each rule with limits and source, made of `criteria`; `normality_filter`
keeps normal ECGs while a set is made.
"""
