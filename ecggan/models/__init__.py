"""The networks, in plain torch."""
