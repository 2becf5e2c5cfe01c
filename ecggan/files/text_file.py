"""Text as UTF-8, whatever the locale."""

from pathlib import Path


def write_text(path: Path, text: str) -> None:
    r"""Write a text as UTF-8; of a file's name that no encoding could read, ``\\udcfc`` and the like stand escaped."""
    path.write_text(text, encoding="utf-8", errors="backslashreplace")
