"""An assessment -> report.html, tables, figures, summary.json.

In: an `Assessment`. Out: a folder. Imports all of evaluation below it, and plotting. Begin with `report`; `tables` and
`figures` hold the content, `page` and `html` the page.
"""
