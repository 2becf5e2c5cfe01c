"""A folder that is filled over hours by one or several processes, and resumed after a kill."""

import json
import os
import re
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from ecggan.files.atomic import atomic_folder, require_new_folder
from ecggan.files.json_file import write_json

# What the users of a ResumableFolder write into its notes.
_KNOWN_NOTES = re.compile(r"request\.json|content|journal-\d+\.(jsonl|lock)|\w+\.lock|candidates\.raw")


class ResumableFolder:
    """A folder that takes long to fill, appears whole or not at all, and is resumed after a kill.

    The content is written to ``NAME.unfinished/content``, beside the final place. The folder ``NAME.unfinished`` stays
    when the work is interrupted; the same request resumes it, another request is refused, so that two halves never mix.
    Several processes with one request may fill it together; any of them may finish it.

    Attributes:
        notes: ``NAME.unfinished``, with the journals of the work; removed at the end.
        content: what becomes the folder.

    Raises:
        FileExistsError: the folder exists and is not empty, or another request left its unfinished one.
        PermissionError: its parent cannot be written to.
    """

    def __init__(self, path: str | Path, request: Mapping[str, Any]) -> None:
        self.path = Path(path).resolve()
        require_new_folder(self.path)
        self.notes = self.path.with_name(f"{self.path.name}.unfinished")
        self.content = self.notes / "content"
        found = self.notes / "request.json"
        if not found.is_file():
            with suppress(FileExistsError), atomic_folder(self.notes) as begun:  # another process may be first
                (begun / "content").mkdir()
                write_json(begun / "request.json", request)
        if not found.is_file():
            raise FileExistsError(
                f"{self.notes} is in the way and holds other things; remove it or give another folder"
            )
        try:
            begun_with = dict(json.loads(found.read_text(encoding="utf-8")))
        except (ValueError, TypeError) as error:
            raise FileExistsError(f"{found} is damaged; remove {self.notes} or give another folder") from error
        other = first_difference(begun_with, request)
        if other:
            raise FileExistsError(
                f"{self.notes} was begun with {other}: resume that, give another folder, or remove {self.notes}"
            )

    def finish(self) -> None:
        """Move the content to its place; the result of another process that was first stays."""
        try:
            os.replace(self.content, self.path)  # an empty folder there is replaced
        except FileNotFoundError:
            if not self.path.is_dir():
                raise
        shutil.rmtree(self.notes, ignore_errors=True)

    def discard(self) -> None:
        """Remove all that was written."""
        shutil.rmtree(self.notes, ignore_errors=True)

    def is_begun(self) -> bool:
        """Whether the work is unfinished."""
        return (self.notes / "request.json").is_file()

    @staticmethod
    def clear_away(path: str | Path) -> None:
        """Remove notes left by processes that were killed, or had just started, while another finished the folder."""
        path = Path(path).resolve()
        notes = path.with_name(f"{path.name}.unfinished")
        names = {file.name for file in notes.iterdir()} if notes.is_dir() else set()
        is_whole = {"request.json", "content"} <= names
        if names and not is_whole and all(_KNOWN_NOTES.fullmatch(name) for name in names):
            shutil.rmtree(notes, ignore_errors=True)


def first_difference(there: Mapping[str, Any], wanted: Mapping[str, Any]) -> str:
    """The first key by which two requests differ, as JSON sees them; empty if none does.

    >>> first_difference({"seed": 1, "leads": ["I"]}, {"leads": ("I",), "seed": 2})
    'seed=1, not 2'
    """
    there, wanted = json.loads(json.dumps(there)), json.loads(json.dumps(wanted))
    keys = [key for key in {**there, **wanted} if there.get(key) != wanted.get(key)]
    return f"{keys[0]}={there.get(keys[0])}, not {wanted.get(keys[0])}" if keys else ""
