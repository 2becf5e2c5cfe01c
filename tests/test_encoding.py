"""No text is read or written in the encoding of the locale; ruff's PLW1514 sees those whose types it knows."""

import ast
from collections.abc import Iterator
from pathlib import Path

import ecggan

PACKAGE = Path(ecggan.__file__).parent


def calls_without_encoding(code: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(code)):
        if not isinstance(node, ast.Call):
            continue
        given = {keyword.arg for keyword in node.keywords}
        is_text = isinstance(node.func, ast.Attribute) and node.func.attr in ("read_text", "write_text")
        if (is_text or {"text", "universal_newlines"} & given) and "encoding" not in given:
            yield ast.unparse(node)


def test_every_text_names_its_encoding():
    found = [
        f"{path.relative_to(PACKAGE)}: {call}"
        for path in sorted(PACKAGE.rglob("*.py"))
        for call in calls_without_encoding(path.read_text(encoding="utf-8"))
    ]
    assert found == []


def test_a_text_without_its_encoding_is_found():
    assert list(calls_without_encoding("path.read_text(encoding='utf-8'); run(['a'], text=True)")) == [
        "run(['a'], text=True)"
    ]
