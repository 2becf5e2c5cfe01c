"""What the docstring of a room says that it imports is what its modules import."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "ecggan"
SUMMARIES = ("every room", "all of", "what lies below")  # in the place of names


def stated_of(room: Path) -> str | None:
    docstring = ast.get_docstring(ast.parse((room / "__init__.py").read_text(encoding="utf-8"))) or ""
    found = re.search(r"\bImports (.*?)[.;](\s|$)", " ".join(docstring.split()))
    return None if found is None or any(words in found[1] for words in SUMMARIES) else found[1]


ROOMS = [path.parent for path in sorted(PACKAGE.glob("*/**/__init__.py")) if stated_of(path.parent) is not None]


def imported(tree: ast.AST) -> Iterator[str]:
    """The modules of ecggan that are imported, within functions too, but not for types alone."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        yield from imported(node)


def names_of(room: Path) -> set[str]:
    """What the modules of a room import: by its name beside the room, else by that of a room or module of ecggan."""
    names = set()
    own = ["ecggan", *room.relative_to(PACKAGE).parts]
    for path in room.rglob("*.py"):
        for module in imported(ast.parse(path.read_text(encoding="utf-8"))):
            parts = module.split(".")
            if parts[0] == "ecggan" and parts[: len(own)] != own:
                is_beside = parts[: len(own) - 1] == own[:-1]
                names.add(parts[len(own) - 1] if is_beside else parts[1])
    return names


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.relative_to(PACKAGE).as_posix())
def test_a_room_imports_what_its_docstring_says(room):
    stated, found = stated_of(room), names_of(room)
    known = {path.stem for folder in (PACKAGE, room.parent) for path in folder.iterdir()}
    named = set(re.findall(r"\w+", stated)) & known
    assert named <= found
    leaves = {path.stem for path in PACKAGE.glob("*.py")}  # need no mention, except where nothing else is imported
    assert found - named <= (leaves if found - leaves else {"_version"})


def test_most_rooms_say_what_they_import():
    assert len(ROOMS) > 20
