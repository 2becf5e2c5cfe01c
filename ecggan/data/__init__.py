"""From raw records to ECG sets, and from sets to batches."""
