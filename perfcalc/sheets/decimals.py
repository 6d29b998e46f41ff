"""Which decimal mark a column uses: decided from the whole column, never from one cell."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from perfcalc.fields import FIELDS
from perfcalc.sheets.cells import as_text, may_hold
from perfcalc.sheets.headers import read_heading
from perfcalc.sheets.numerals import COMMA, COMMA_EVIDENCE, EITHER, POINT, POINT_EVIDENCE

#: Where the marks of a sheet travel: in the metadata of its Arrow schema.
KEY = b"perfcalc.decimals"


@dataclass
class Evidence:
    """What the cells of one column say about its decimal mark."""

    comma: bool = False
    point: bool = False

    def add(self, text: pa.Array) -> None:
        """Look at more cells."""
        commas, points = may_hold(text, ","), may_hold(text, ".")
        if not self.comma and (commas or (points and _has_two(text, "."))):
            self.comma = bool(pc.any(pc.match_substring_regex(text, COMMA_EVIDENCE)).as_py())
        if not self.point and (points or (commas and _has_two(text, ","))):
            self.point = bool(pc.any(pc.match_substring_regex(text, POINT_EVIDENCE)).as_py())


def _has_two(text: pa.Array, mark: str) -> bool:
    """Whether one cell has two of a mark: then it groups thousands, and the other mark is the decimal one."""
    return (pc.max(pc.count_substring(text, mark)).as_py() or 0) > 1


@dataclass
class Study:
    """The evidence of a sheet, column by column."""

    columns: dict[str, Evidence] = field(default_factory=dict)

    def add(self, name: str, column: pa.Array) -> None:
        """Look at a part of a column; a column of Arrow numbers has no text to doubt."""
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            self.columns.setdefault(name, Evidence()).add(as_text(column))

    def marks(self, default: str = POINT) -> dict[str, str]:
        """The mark of each column that does not simply use a point.

        A column without evidence follows the rest of its sheet, and without any evidence there `default`.
        """
        counted = [one for name, one in self.columns.items() if _is_number(name)]
        commas = any(one.comma for one in counted)
        points = any(one.point for one in counted)
        usual = default if commas == points else (COMMA if commas else POINT)
        if commas and points:
            usual = EITHER
        found = {}
        for name, one in self.columns.items():
            mark = EITHER if one.comma and one.point else COMMA if one.comma else POINT if one.point else usual
            if mark != POINT:
                found[name] = mark
        return found


def _is_number(name: str) -> bool:
    """Whether a heading promises numbers: those of a title or a note say nothing about other columns."""
    heading = read_heading(name)
    return heading.style.unit is not None or any(FIELDS[field].type == "number" for field in heading.fields)


def is_words(name: str) -> bool:
    """Whether a heading promises words and no number: its column has no decimal mark to look for."""
    heading = read_heading(name)
    fields = heading.fields
    return bool(fields) and heading.style.unit is None and all(FIELDS[field].type != "number" for field in fields)


def _may_hold_comma(text: pa.Array) -> bool:
    return (may_hold(text, ",") and bool(pc.any(pc.match_substring(text, ",")).as_py())) or _has_two(text, ".")


def any_comma(batches: Iterable[pa.RecordBatch]) -> bool:
    """Whether any cell of a column that promises numbers may hold a decimal comma."""
    wanted: dict[str, bool] = {}
    for batch in batches:
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            if name not in wanted:
                wanted[name] = _is_number(name)
            if wanted[name] and _may_hold_comma(as_text(column)):
                return True
    return False


def study(batches: Iterable[pa.RecordBatch], default: str = POINT) -> dict[str, str]:
    """The decimal marks of a sheet, see `Study.marks`."""
    evidence = Study()
    for batch in batches:
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            evidence.add(name, column)
    return evidence.marks(default)


def decimal_marks(schema: pa.Schema) -> dict[str, str]:
    """The marks that a schema carries."""
    raw = (schema.metadata or {}).get(KEY)
    return dict(json.loads(raw)) if raw else {}


def with_marks(schema: pa.Schema, marks: Mapping[str, str]) -> pa.Schema:
    """A schema that carries decimal marks."""
    metadata = {key: value for key, value in (schema.metadata or {}).items() if key != KEY}
    if marks:
        metadata[KEY] = json.dumps(dict(sorted(marks.items()))).encode()
    return schema.with_metadata(metadata or None)
