"""What a generator is conditioned on: sex, age, heart rate and labels of a record, as a table and as numbers.

In a table, a condition is a row with the columns `sex` (male or female), `age` (years), `heart_rate` (bpm) and `labels`
(``IMI|MI|SR``); a missing cell is a value that is not known, and an empty text of a record that carries none of the
labels. In numbers, it is what networks take: 1 for the sex, the labels and for what is not known, and ages and rates
within ±1 over the range of the training records.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float32

from ecggan.data.record import in_one_line
from ecggan.data.sets.labels import COLUMN as LABELS
from ecggan.data.sets.labels import joined, labels_of_cell
from ecggan.ecg import listed
from ecggan.stats.resampling import evenly_spaced

SEX, AGE, HEART_RATE = "sex", "age", "heart_rate"
CONDITIONS = (SEX, AGE, HEART_RATE, LABELS)
SEXES = ("male", "female")
UNITS = {AGE: "years", HEART_RATE: "bpm"}
NONE_OF_THEM = ""  # the labels of a record that carries none that were trained on; missing where they are not known
FEWEST = 5  # training records that carry a label, so that it can be asked for
_STEPS = 5.0  # to which ages and rates of training records are rounded, in their unit
_MOST_ROWS = 1000  # of training records, kept to draw conditions as theirs
_FEWEST_LIKE = 20  # kept rows that agree with a request, so that what it leaves open is drawn as beside it


@dataclass(frozen=True, eq=False)
class Conditions:
    """The conditions of a generator, and what it was trained on.

    Args:
        names: of [CONDITIONS][], in that order.
        sexes: trained on.
        ranges: of ages and rates of the training records: from, to.
        labels: that at least five training records carry.
        missing: the conditions that were not known of some training record.
        rows: conditions of at most 1,000 training records in no order, ages and rates rounded to 5.
    """

    names: tuple[str, ...]
    sexes: tuple[str, ...]
    ranges: Mapping[str, tuple[float, float]]
    labels: tuple[str, ...]
    missing: tuple[str, ...]
    rows: pd.DataFrame

    @classmethod
    def of(cls, table: pd.DataFrame, name: str) -> "Conditions":
        """Those of training records.

        Args:
            table: from [condition_table][], whose columns are the conditions.
            name: of the set, for the message.

        Raises:
            ValueError: a condition is the same for all records, or is known of none.
        """
        names = tuple(str(column) for column in table)
        counts = table[LABELS].map(labels_of_cell).explode().value_counts() if LABELS in table else pd.Series(dtype=int)
        labels = tuple(sorted(str(label) for label in counts.index[counts >= FEWEST]))
        sexes = tuple(sex for sex in SEXES if SEX in table and (table[SEX] == sex).any())
        ranges = {each: (float(table[each].min()), float(table[each].max())) for each in UNITS if each in table}
        flat = [each for each, (low, high) in ranges.items() if not low < high]
        if flat or (LABELS in table and not labels) or (SEX in table and not sexes):
            which = flat[0] if flat else LABELS if LABELS in table and not labels else SEX
            rule = f"no label is carried by {FEWEST} records" if which == LABELS else "it is known of none, or the same"
            raise ValueError(f"condition=[{which}] cannot be learned from {name}: {rule}; leave it out")
        missing = tuple(each for each in names if table[each].isna().any())
        return cls(names, sexes, ranges, labels, missing, _kept_rows(table, labels, ranges))

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> "Conditions":
        """From [Conditions.plain][]."""
        rows = pd.DataFrame(plain["rows"], columns=list(plain["names"]), dtype=object)
        for name in UNITS:
            if name in rows:
                rows[name] = rows[name].astype(float)
        ranges = {name: (float(low), float(high)) for name, (low, high) in plain["ranges"].items()}
        names, sexes, labels, missing = (tuple(map(str, plain[key])) for key in ("names", "sexes", "labels", "missing"))
        return cls(names, sexes, ranges, labels, missing, rows)

    def plain(self) -> dict[str, Any]:
        """Plain values, for a generator's file."""
        columns = {name: [None if pd.isna(cell) else cell for cell in self.rows[name]] for name in self.names}
        ranges = {name: list(ends) for name, ends in self.ranges.items()}
        facts = {"names": self.names, "sexes": self.sexes, "labels": self.labels, "missing": self.missing}
        return {**{key: list(value) for key, value in facts.items()}, "ranges": ranges, "rows": columns}

    def summary(self) -> list[str]:
        """What was trained on, a text a condition."""
        return [f"{name} {_known(self, name)}" for name in self.names]

    @property
    def size(self) -> int:
        """How many numbers a condition is."""
        return sum(self.sizes)

    @property
    def sizes(self) -> list[int]:
        """How many numbers each condition is; the last of them says whether it is unknown."""
        return [{SEX: len(SEXES) + 1, LABELS: len(self.labels) + 1}.get(name, 2) for name in self.names]

    def encode(self, table: pd.DataFrame) -> Float32[np.ndarray, "record value"]:
        """Conditions in numbers; labels that were not trained on are left out."""
        columns: list[np.ndarray] = []
        for name in self.names:
            cells = table[name]
            if name in UNITS:
                low, high = self.ranges[name]
                values = cells.to_numpy(float)
                is_known = np.isfinite(values)
                columns += [np.where(is_known, (2 * values - low - high) / (high - low), 0), ~is_known]
                continue
            choices = SEXES if name == SEX else self.labels
            carried = [set(labels_of_cell(cell)) for cell in cells]
            columns += [np.array([choice in some for some in carried], bool) for choice in choices]
            columns.append(cells.isna().to_numpy())
        return np.column_stack(columns).astype(np.float32).reshape(len(table), self.size)

    def draw(self, seed: int, indices: Sequence[int], request: "Request | None" = None) -> pd.DataFrame:
        """Conditions of records, each from (seed, index) and the request alone.

        Args:
            seed: of the set.
            indices: of the records.
            request: what is asked for; what it leaves open is drawn as in the training records that agree with it, if
                at least 20 of the kept ones do, else as in all. None leaves all open.
        """
        request = Request({}, None) if request is None else request
        if request.table is not None:
            return request.table.iloc[list(indices)].reset_index(drop=True)
        rows = self._rows_like(request.fixed)
        drawn = [self._draw_one(rows, request.fixed, seed, index) for index in indices]
        return _typed(pd.DataFrame(drawn, columns=list(self.names)))

    def _rows_like(self, fixed: Mapping[str, Any]) -> pd.DataFrame:
        """The kept rows that conditions are drawn from."""
        agree = _agreeing(self.rows, fixed)
        if agree.sum() >= _FEWEST_LIKE:
            return self.rows[agree]
        if LABELS not in fixed:
            return self.rows
        carriers = _agreeing(self.rows, {LABELS: fixed[LABELS]})  # for what belongs to these labels
        return self.rows[carriers] if carriers.any() else self.rows.assign(**{LABELS: None})

    def _draw_one(self, rows: pd.DataFrame, fixed: Mapping[str, Any], seed: int, index: int) -> list[Any]:
        # the same key as the record's noise, 2^128 numbers ahead
        rng = np.random.Generator(np.random.Philox(key=np.array([seed, index], dtype=np.uint64)).jumped())
        row = rows.iloc[int(rng.integers(len(rows)))]
        values: list[Any] = []
        for name in self.names:
            place = float(rng.random())  # drawn for each, so that one is the same whatever the others are
            asked, found = fixed.get(name, row[name]), row[name]
            if name in UNITS and name in fixed:
                low, high = asked if isinstance(asked, tuple) else (asked, asked)
                values.append(np.nan if low is None else low + place * (high - low))
            elif name in UNITS:
                values.append(float(np.clip(found + (place - 0.5) * _STEPS, *self.ranges[name])))
            elif name == LABELS and isinstance(asked, frozenset):
                values.append(joined({*labels_of_cell(found), *asked} & set(self.labels)) if found else joined(asked))
            else:
                values.append(None if pd.isna(asked) else asked)
        return values


@dataclass(frozen=True, eq=False)
class Request:
    """What is asked of a generator; made by [request_of][].

    Args:
        fixed: condition -> value, (from, to), a set of labels or [NONE_OF_THEM][], or None for "not known".
        table: a row a record, in their order; None where conditions are drawn.
    """

    fixed: Mapping[str, Any]
    table: pd.DataFrame | None

    @property
    def description(self) -> Any:
        """Plain values, for the manifest of a set; of a table, its SHA-256."""
        if self.table is not None:
            text = self.table.to_json(orient="split", double_precision=15)
            return {"table_sha256": hashlib.sha256(text.encode()).hexdigest()}
        plain = {
            name: sorted(value) if isinstance(value, frozenset) else list(value) if isinstance(value, tuple) else value
            for name, value in self.fixed.items()
        }
        if plain.get(LABELS) == NONE_OF_THEM:
            plain[LABELS] = []
        return plain or "as in the training set"


def condition_table(records: pd.DataFrame, names: Sequence[str], name: str) -> pd.DataFrame:
    """The conditions of a set's records.

    Args:
        records: the table of the set.
        names: of the conditions.
        name: of the set, for the message.

    Raises:
        ValueError: an unknown condition, a column is missing, or empty.
    """
    check_names(names)
    found = {}
    for each in (one for one in CONDITIONS if one in names):
        if each not in records:
            raise ValueError(
                f"condition=[{each}] needs the column {each!r}, which {name} does not have; it has "
                f"{', '.join(map(str, records))}"
            )
        found[each] = records[each].reset_index(drop=True)
    table = _typed(pd.DataFrame(found))
    for each in found:
        if not table[each].notna().any():
            raise ValueError(f"condition=[{each}] needs values in the column {each!r}; in {name} all are missing")
    return table


def read_conditions(path: Path) -> pd.DataFrame:
    """A table of conditions from a CSV or Parquet file.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is of another kind, or cannot be read.
    """
    if not path.is_file():
        raise FileNotFoundError(
            f"there is no table of conditions at {path}; give a CSV or Parquet file, or {{sex:female}}"
        )
    try:
        if path.suffix.lower() == ".parquet":
            return pd.read_parquet(path, use_threads=False, pre_buffer=False)
        if path.suffix.lower() == ".csv":
            return pd.read_csv(path)
    except (ValueError, OSError) as error:  # pandas' and pyarrow's own among them
        raise ValueError(f"the table of conditions {path} cannot be read: {in_one_line(error)}") from error
    raise ValueError(f"the table of conditions must end in .csv or .parquet; got {path}")


def check_names(names: Any) -> None:
    """Raise ValueError unless these are known conditions, none twice."""
    is_list = isinstance(names, Sequence) and not isinstance(names, str)
    unknown = [each for each in names if each not in CONDITIONS] if is_list else [names]
    if unknown or not names or len(set(names)) != len(names):
        raise ValueError(f"condition must be a list of any of {', '.join(CONDITIONS)}; got {names}")


def request_of(conditions: Conditions, given: Mapping[str, Any] | pd.DataFrame | None) -> Request:
    """A request, checked against what the generator was trained on.

    Args:
        conditions: of the generator.
        given: condition -> value, [from, to] or labels; or a table of conditions, a row a record.

    Raises:
        ValueError: a condition that the generator does not have, or a value that it was never trained on.
    """
    if isinstance(given, pd.DataFrame):
        return Request({}, _checked_table(conditions, given))
    fixed = {str(name): _checked(conditions, str(name), value) for name, value in (given or {}).items()}
    return Request(fixed, None)


def _checked_table(conditions: Conditions, given: pd.DataFrame) -> pd.DataFrame:
    for name in given:
        _check_known(conditions, str(name))
    lacking = [name for name in conditions.names if name not in given]
    if lacking:
        raise ValueError(
            f"the table of conditions lacks the column {', '.join(lacking)}; it must have {', '.join(conditions.names)}"
        )
    table = _typed(given[list(conditions.names)].reset_index(drop=True), strict=True)
    for name in conditions.names:
        for i, cell in enumerate(table[name]):
            try:
                _checked(conditions, name, None if pd.isna(cell) else cell, one=True)
            except ValueError as error:
                raise ValueError(f"row {i} of the table of conditions: {error}") from error
    return table


def _check_known(conditions: Conditions, name: str) -> None:
    if name not in conditions.names:
        kind = "is no condition" if name not in CONDITIONS else "is no condition of this generator"
        raise ValueError(f"{name} {kind}; it was trained on {', '.join(conditions.names)}")


def _checked(conditions: Conditions, name: str, value: Any, one: bool = False) -> Any:
    """A value as [Request.fixed][] has it."""
    _check_known(conditions, name)
    if value is None:
        if name not in conditions.missing:
            known = _known(conditions, name)
            raise ValueError(f"{name}=null was never trained on, as each training record had one; trained on: {known}")
        return None
    if name in UNITS:
        return _checked_number(conditions, name, value, one)
    if name == SEX:
        if value not in conditions.sexes:
            raise ValueError(f"sex={value} was never trained on; trained on: {_known(conditions, name)}")
        return value
    labels = labels_of_cell(value)
    if not labels and (conditions.rows[LABELS] == NONE_OF_THEM).any():
        return NONE_OF_THEM
    unknown = [label for label in labels if label not in conditions.labels]
    if unknown or not labels:
        what = listed(unknown) if unknown else "no label"
        raise ValueError(f"labels={what} was never trained on; trained on: {_known(conditions, name)}")
    return frozenset(labels)


def _checked_number(conditions: Conditions, name: str, value: Any, one: bool) -> Any:
    ends = list(value) if isinstance(value, Sequence) and not isinstance(value, str) and not one else [value]
    is_right = len(ends) in (1, 2) and all(isinstance(end, int | float) and not isinstance(end, bool) for end in ends)
    if not is_right or not all(np.isfinite(ends)) or ends[0] > ends[-1]:
        raise ValueError(f"{name} must be a number or [from,to], in {UNITS[name]}; got {value}")
    low, high = conditions.ranges[name]
    if ends[0] < low or ends[-1] > high:
        raise ValueError(
            f"{name}={value if len(ends) == 1 else ends} was never trained on; trained on: {_known(conditions, name)}"
        )
    return (float(ends[0]), float(ends[1])) if len(ends) == 2 else float(ends[0])


def _known(conditions: Conditions, name: str) -> str:
    """What was trained on, for messages."""
    if name in UNITS:
        low, high = conditions.ranges[name]
        return f"{low:.4g} to {high:.4g} {UNITS[name]}"
    return listed(conditions.sexes if name == SEX else conditions.labels, most=40)


def _kept_rows(table: pd.DataFrame, labels: Sequence[str], ranges: Mapping[str, tuple[float, float]]) -> pd.DataFrame:
    """Rows of at most so many records, coarse and sorted, so that they are nobody's."""
    rows = table.iloc[evenly_spaced(len(table), _MOST_ROWS)]
    if LABELS in table:
        cells = [set(labels_of_cell(cell)) for cell in table[LABELS]]
        carriers = [[i for i, cell in enumerate(cells) if label in cell][:FEWEST] for label in labels]
        chosen = {*evenly_spaced(len(table), _MOST_ROWS).tolist(), *(i for some in carriers for i in some)}
        rows = table.iloc[sorted(chosen)]
        kept = [None if pd.isna(cell) else joined(set(labels_of_cell(cell)) & set(labels)) for cell in rows[LABELS]]
        rows = rows.assign(**{LABELS: pd.Series(kept, rows.index, object)})
    for name in ranges:
        rows = rows.assign(**{name: (rows[name] / _STEPS).round() * _STEPS})
    return rows.sort_values([str(name) for name in rows], ignore_index=True)


def _agreeing(rows: pd.DataFrame, fixed: Mapping[str, Any]) -> np.ndarray:
    """Which rows agree with what is fixed, numbers within half a step."""
    agree = np.ones(len(rows), bool)
    for name, value in fixed.items():
        cells = rows[name]
        if value is None:
            agree &= cells.isna().to_numpy()
        elif isinstance(value, frozenset):
            agree &= np.array([value <= set(labels_of_cell(cell)) for cell in cells], bool)
        elif name in UNITS:
            low, high = value if isinstance(value, tuple) else (value, value)
            agree &= cells.between(low - _STEPS / 2, high + _STEPS / 2).to_numpy()
        else:
            agree &= (cells == value).to_numpy()
    return agree


def _typed(table: pd.DataFrame, strict: bool = False) -> pd.DataFrame:
    """Numbers as numbers, texts as texts or None; what is no value of the column is missing, or an error if strict."""
    columns: dict[str, pd.Series] = {}
    for name in table:
        cells = table[name]
        if name in UNITS:
            columns[str(name)] = pd.to_numeric(cells, errors="raise" if strict else "coerce").astype(float)
        elif name == SEX and not strict:
            columns[str(name)] = pd.Series([cell if cell in SEXES else None for cell in cells], cells.index, object)
        else:
            texts = [None if _is_missing(cell) else joined(labels_of_cell(cell)) for cell in cells]
            columns[str(name)] = pd.Series(texts, cells.index, object)
    return pd.DataFrame(columns, index=table.index)


def _is_missing(cell: Any) -> bool:
    return not isinstance(cell, list | tuple | np.ndarray) and bool(pd.isna(cell))
