"""An ECG set in the formats that others read: text, WFDB, Parquet for `datasets`, NumPy."""
