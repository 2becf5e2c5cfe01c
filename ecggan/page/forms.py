"""The forms in which ECGs can be taken along, and how many at once."""

EXPORTS = ("csv", "asc", "wfdb", "npz")  # of generate.py
PICTURES = ("pdf", "png")
FORMS = (*EXPORTS, *PICTURES)
MOST_RECORDS = {form: 20 if form in PICTURES else 256 for form in FORMS}
