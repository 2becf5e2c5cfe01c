"""Symbolic links are followed within the folder that a user gave, and refused if they lead out of it."""

import os
from pathlib import Path


def leads_out_of(path: Path, root: Path) -> bool:
    """Whether the file or folder is outside `root` once all links are resolved; a link to itself is where it is."""
    # Path.resolve raises at a loop in Python 3.11 and 3.12
    return not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(root))


def check_within_root(path: Path, root: Path) -> None:
    """Raise ValueError if a link leads out of `root`."""
    if leads_out_of(path, root):
        raise ValueError(f"{path} is a link that leads out of {root}; give the folder that it leads to")
