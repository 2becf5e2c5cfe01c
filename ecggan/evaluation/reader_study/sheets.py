"""Readers of the answer key and the filled-in sheets: any case, any spreadsheet's CSV, any order."""

import csv
import logging
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

log = logging.getLogger(__name__)

REAL, GENERATED = "real", "generated"
SHEET_COLUMNS = ("kit", "ecg", "answer", "confidence", "remarks")
KEY, KEY_COLUMNS = "key.csv", ("kit", "ecg", "origin", "set", "record", "position")
LEAST_CONFIDENCE, MOST_CONFIDENCE = 1, 5

_WORDS = {
    **dict.fromkeys(("r", "real", "recorded"), REAL),
    **dict.fromkeys(("g", "generated", "f", "fake", "s", "synthetic"), GENERATED),
}
_SEPARATORS = (",", ";", "\t")


def read_key(path: str | Path) -> pd.DataFrame:
    """Read the key that a kit was written with.

    Args:
        path: of ``key.csv``, or the folder that holds it.

    Returns:
        A row an ECG, by its number `ecg` as index: `kit`, `origin`, `set`, `record`.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is no key, or is damaged.
    """
    path = Path(path)
    path = path / KEY if path.is_dir() else path
    columns = ("kit", "ecg", "origin", "set", "record")
    rows = [{column: row[column] for column in columns} for _, row in _rows(path, columns)]
    key = pd.DataFrame(rows, columns=list(columns))
    is_sound = key["ecg"].str.isdecimal().all() and not key["ecg"].duplicated().any() and key["kit"].nunique() == 1
    if not is_sound or set(key["origin"]) != {REAL, GENERATED}:
        raise ValueError(f"{path} is not the key of a reader kit, or was edited: give KIT-key/{KEY} as it was written")
    return key.astype({"ecg": int}).set_index("ecg")


def name_readers(sheets: Any) -> dict[str, Path]:
    """Each reader's sheet by the name given, or by the name of its file.

    Args:
        sheets: one path, a list of them, or a mapping, name -> path.

    Raises:
        ValueError: no sheet, two readers of one name, or a value that is no path.

    >>> name_readers(["in/ann.csv", "in/bob.csv"])["bob"].name
    'bob.csv'
    """
    if isinstance(sheets, str | Path):
        sheets = [sheets]
    if isinstance(sheets, Mapping):
        named = list(sheets.items())
    else:
        named = [(Path(path).stem, path) for path in sheets] if _are_paths(sheets) else []
    if not named or not _are_paths([path for _, path in named]):
        raise ValueError(
            f"readers must be filled-in sheets, [ann.csv,bob.csv] or {{ann:a/sheet.csv,bob:b/sheet.csv}}; got {sheets}"
        )
    names = [str(name) for name, _ in named]
    for name in names:
        if names.count(name) > 1 or name == "all":
            raise ValueError(
                f"each reader must have a name of their own, and none is 'all'; got {', '.join(names)}: rename the "
                "sheets, or say readers={ann:a/sheet.csv,bob:b/sheet.csv}"
            )
    return {name: Path(sheet) for name, (_, sheet) in zip(names, named, strict=True)}


def _are_paths(sheets: Any) -> bool:
    return isinstance(sheets, list | tuple) and all(isinstance(path, str | Path) for path in sheets)


def read_sheet(path: str | Path, key: pd.DataFrame) -> pd.DataFrame:
    """Read a filled-in sheet; an ECG whose row is empty or missing is not answered.

    Args:
        path: of the sheet.
        key: of [read_key][].

    Returns:
        A row an ECG of the key: `answer` (real, generated, or None), `confidence` (1 to 5, or NaN).

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the sheet is of another kit, has no answer, an ECG that the kit has not or twice, a word that is no
            answer, or a quotation mark that takes up other rows; the message names file, row and value.
    """
    kit = key["kit"].iloc[0]
    answers: dict[int, tuple[str | None, float]] = {}
    has_kit = True
    for line, row in _rows(Path(path), ("ecg", "answer")):
        where = f"{path}, row {line}"
        of_kit = row.get("kit", "")
        has_kit &= of_kit != ""
        if of_kit not in ("", kit):
            raise ValueError(
                f"{where}: the sheet is of kit {of_kit!r}, the key of kit {kit!r}; give the key of that kit"
            )
        ecg = _number_of_ecg(row["ecg"])
        if ecg not in key.index:
            raise ValueError(f"{where}: ecg must be one of the kit's, {_range(key)}; got {row['ecg']!r}: correct it")
        if ecg in answers:
            raise ValueError(f"{where}: ECG {ecg} is answered twice; leave one row of it")
        answers[ecg] = (_answer(row["answer"], where), _confidence(row.get("confidence", ""), where))
    if not any(answer for answer, _ in answers.values()):
        raise ValueError(f"{path} has no answer: fill in the column 'answer' with {REAL} or {GENERATED}")
    if not has_kit:
        log.warning("%s names no kit; it is read as a sheet of kit %s", path, kit)
    rows = [answers.get(ecg, (None, float("nan"))) for ecg in key.index]
    return pd.DataFrame(rows, columns=["answer", "confidence"], index=key.index).astype(
        {"answer": object, "confidence": float}
    )


def _rows(path: Path, needed: Sequence[str]) -> list[tuple[int, dict[str, str]]]:
    """The rows that are not empty, by column name in lower case, and the first line of each; texts are stripped."""
    if not path.is_file():
        raise FileNotFoundError(f"no file at {path}")
    lines = re.split("\r\n|\r|\n", _decoded(path.read_bytes()))
    headers = {
        separator: [_plain(name) for name in next(csv.reader(lines[:1], delimiter=separator), [])]
        for separator in _SEPARATORS
    }
    separator = max(_SEPARATORS, key=lambda each: len(set(needed) & set(headers[each])))
    missing = [column for column in needed if column not in headers[separator]]
    if missing:
        raise ValueError(
            f"{path} has no column {missing[0]!r}: its first row must name {', '.join(needed)}, separated by commas, "
            f"semicolons or tabs; it is {lines[0][:60]!r}"
        )
    rows, reader, end = [], csv.reader(lines, delimiter=separator), 0
    try:
        for cells in reader:
            line, end = end + 1, reader.line_num
            row = dict(zip(headers[separator], (cell.strip() for cell in cells), strict=False))
            for taken_up in lines[line:end]:
                _check_no_row(taken_up, headers[separator], separator, row, f"{path}, row {line}")
            if line > 1 and any(row.values()):
                rows.append((line, {column: row.get(column, "") for column in headers[separator]}))
    except csv.Error as error:
        raise ValueError(f"{path}, row {end + 1} cannot be read as CSV ({error}): correct it") from error
    return rows


def _check_no_row(line: str, header: Sequence[str], separator: str, row: Mapping[str, str], where: str) -> None:
    """Raise ValueError if a line within a quoted cell is a row of its own, which that cell would hide."""
    cells = dict(
        zip(header, (cell.strip() for cell in next(csv.reader([line], delimiter=separator), [])), strict=False)
    )
    said = [_plain(cells[column]) for column in ("answer", "origin") if column in cells]
    is_like = cells.get("kit", "") == row.get("kit") != "" or any(word in ("", *_WORDS) for word in said)
    if said and is_like and _number_of_ecg(cells.get("ecg", "")) >= 0:
        raise ValueError(
            f"{where}: a quotation mark is opened and not closed, so that the row takes up others, {line[:60]!r} among "
            "them: remove the mark, or close it"
        )


def _decoded(content: bytes) -> str:
    """As UTF-8 with or without a mark, UTF-16 with one, or else as Windows writes in Western Europe."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def _plain(text: str) -> str:
    return text.strip().lower()


def _number_of_ecg(text: str) -> int:
    """7 for "7", "ECG 7" and "7.0"; −1 for anything else."""
    found = re.fullmatch(r"(?:ecg\s*)?(\d+)(?:[.,]0*)?", _plain(text))
    return int(found[1]) if found else -1


def _answer(text: str, where: str) -> str | None:
    word = _plain(text)
    if word and word not in _WORDS:
        allowed = ", ".join(_WORDS)
        raise ValueError(
            f"{where}: answer must be one of {allowed}, or empty where there is none; got {text!r}: correct it"
        )
    return _WORDS.get(word)


def _confidence(text: str, where: str) -> float:
    if not text:
        return float("nan")
    found = re.fullmatch(r"(\d)(?:[.,]0*)?", text)
    if not found or not LEAST_CONFIDENCE <= int(found[1]) <= MOST_CONFIDENCE:
        raise ValueError(
            f"{where}: confidence must be a whole number from {LEAST_CONFIDENCE} to {MOST_CONFIDENCE}, or empty; "
            f"got {text!r}: correct it"
        )
    return float(found[1])


def _range(key: pd.DataFrame) -> str:
    return f"{key.index.min()} to {key.index.max()}"
