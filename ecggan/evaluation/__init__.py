"""From ECG sets to measurements, comparisons and a report; no torch in here."""
