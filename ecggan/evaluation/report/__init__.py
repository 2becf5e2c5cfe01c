"""An assessment -> report.html, tables, figures, summary.json.

In: an `Assessment`. Out: a folder. Imports all of evaluation below it, and plotting. Begin with `report`; `tables` and
`figures` say what is shown, `cells` how a number is written.
"""
