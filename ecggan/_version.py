"""The version, which every set, generator file and report carries."""

__version__ = "0.1.0"
