"""Links are followed within the folder that a user gave, and not out of it."""

import os
from pathlib import Path


def leads_out_of(path: Path, root: Path) -> bool:
    """Whether the file or folder lies elsewhere, once all links are followed; a link to itself lies where it is."""
    # Path.resolve raises at a loop in Python 3.11 and 3.12
    return not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(root))


def check_within_root(path: Path, root: Path) -> None:
    """Raise ValueError where the file lies elsewhere."""
    if leads_out_of(path, root):
        raise ValueError(f"{path} is a link that leads out of {root}; give the folder that it leads to")
