"""When and how the networks learn."""
