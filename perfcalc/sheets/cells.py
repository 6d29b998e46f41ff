"""Cells become intervals: exact ones from the decimal text, and float64 ones in bulk."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from perfcalc.facts import Flags, Indices, Numbers
from perfcalc.fields import Field
from perfcalc.sheets.bulk import read_in_bulk, scaled
from perfcalc.sheets.messy import Messy, read_both, read_messy
from perfcalc.sheets.numerals import POINT
from perfcalc.sheets.plain import NUMBERS, is_mixed, read_plain
from perfcalc.sheets.quantities import PLAIN, Style, read_quantity
from perfcalc.sheets.units import Unit, field_unit
from perfcalc.sheets.words import choice_spellings, words

__all__ = ["Cell", "Column", "Messy", "read_cell", "read_column", "read_exactly", "read_messy", "texts"]

#: Cells that say nothing, in the form that bulk reading and text fields use.
MISSING: Final = words("missing")
#: Text cells that say nothing.
SILENT: Final = words("silent")

_PLAIN: Final = r"^-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?$"
_plain: Final = re.compile(_PLAIN, re.ASCII)
#: So many cells tell whether a column repeats itself.
SAMPLE: Final = 1 << 10
#: No number is longer; Python refuses to read one of more than 4,300 digits.
LONGEST_NUMBER: Final = 4_000


@dataclass(frozen=True)
class Cell:
    """One cell, read exactly.

    Attributes
    ----------
    low, high
        Bounds; fractions, or infinity.
    given
        The cell says something, if only that the value is unknown.
    problem
        Why the cell could not be read; empty if it could. A problem makes the value unknown, never clear.
    """

    low: Fraction | float
    high: Fraction | float
    given: bool = True
    problem: str = ""


def widest(field: Field) -> tuple[Fraction, Fraction | float]:
    """The interval of a value that is not known."""
    if field.type == "choice":
        return Fraction(0), Fraction(len(field.choices) - 1)
    return Fraction(0), float("inf")


def read_cell(text: str, field: Field, style: Style = PLAIN) -> Cell:
    """Read one cell of a number or choice field, exactly.

    Parameters
    ----------
    style
        How its column writes numbers: the unit of its heading, the decimal mark.
    """
    plain = text.strip()
    folded = plain.casefold()
    if folded in MISSING and not (field.type == "choice" and folded in words("no")):
        return _nothing(field)
    if folded in words("unknown"):
        return Cell(*widest(field))
    if field.type == "choice":
        return _read_choice(plain, field)
    if len(plain) > LONGEST_NUMBER:
        return Cell(*widest(field), problem=f"{field.name}: {_short(plain)} is too long for a number")
    if style is PLAIN and _plain.match(plain):
        value = Fraction(plain)
        if value <= field.high:
            return _within(Cell(value, value), plain, field)
    return _from_quantity(plain, field, style)


def _nothing(field: Field) -> Cell:
    if field.blank_is_zero:
        return Cell(Fraction(0), Fraction(0), given=False)
    return Cell(*widest(field), given=False)


def _from_quantity(plain: str, field: Field, style: Style) -> Cell:
    unit = _unit_of(field)
    if _is_both(style):
        quantity = read_both(plain, style)[0 if unit.dimension == "count" else 1]
    else:
        quantity = read_quantity(plain, unit.dimension, style if style.unit else replace(style, unit=unit))
    if quantity.status == "missing":
        # A word that is no number says no number; it is not the same as a blank.
        if quantity.readings:
            return Cell(*widest(field), problem=f"{field.name}: {_short(plain)} is not a number{_in_unit(field)}")
        return _nothing(field)
    if quantity.status == "unknown":
        return Cell(*widest(field))
    if quantity.status == "unreadable":
        why = " and ".join(quantity.readings) or "is not a number that perfcalc can read"
        return Cell(*widest(field), problem=f"{field.name}: {_short(plain)}: {why}{_in_unit(field)}")
    if quantity.stray:
        why = f"the unit {_short(quantity.stray)} is not known"
        return Cell(*widest(field), problem=f"{field.name}: {_short(plain)}: {why}{_in_unit(field)}")
    low, high = quantity.low, quantity.high
    if field.bits and quantity.pair and quantity.status == "value":
        low = high  # of several claimed rates the highest counts (3A090, technical note 1)
    if quantity.approximate:
        low, high = max(Fraction(0), Fraction(low) - quantity.slack), high + quantity.slack
    cell = Cell(low / unit.factor, high / unit.factor)
    if quantity.status == "ambiguous":
        readings = " or ".join(quantity.readings)
        cell = replace(cell, problem=f"{field.name}: {_short(plain)} is ambiguous ({readings}), kept as an interval")
    return _within(cell, plain, field)


@cache
def _unit_of(field: Field) -> Unit:
    return field_unit(field.unit)


def _is_both(style: Style) -> bool:
    return "transistors_die" in style.labels


def _within(cell: Cell, plain: str, field: Field) -> Cell:
    """Refuse what is outside the field's limits; an interval that only reaches out of them is cut to them."""
    bottom, top = _limits(field)
    if bottom <= cell.low and (cell.high <= top or (cell.high == float("inf") and cell.low <= top)):
        return cell
    if cell.low != cell.high and cell.high >= bottom and cell.low <= top:
        return replace(cell, low=max(cell.low, bottom), high=min(cell.high, top))
    limits = f"{field.low:g} to {field.high:g}"
    return Cell(*widest(field), problem=f"{field.name}: {_short(plain)} is outside {limits}{_in_unit(field)}")


@cache
def _limits(field: Field) -> tuple[Fraction, Fraction]:
    return Fraction(str(field.low)), Fraction(str(field.high))


def _read_choice(text: str, field: Field) -> Cell:
    word = re.sub(r"[\s-]+", "_", text.casefold())
    if "yes" in field.choices:
        word = next((answer for answer in ("yes", "no") if text.casefold() in words(answer)), word)
    elif word not in field.choices:
        word = choice_spellings().get(word, word)
    if word in field.choices:
        code = Fraction(field.choices.index(word))
        return Cell(code, code)
    options = ", ".join(field.choices)
    # What cannot be read is not given either: another column may still tell.
    return Cell(*widest(field), given=False, problem=f"{field.name}: {_short(text)} is none of {options}")


def _in_unit(field: Field) -> str:
    return f" (in {field.unit})" if field.unit else ""


def _short(text: str, limit: int = 40) -> str:
    return repr(text if len(text) <= limit else text[: limit - 1] + "…")


@dataclass
class Column:
    """A number or choice column as float64 intervals, with what could not be read as (rows, text).

    `certain` as in `perfcalc.facts.Facts`.
    """

    low: Numbers
    high: Numbers
    given: Flags
    problems: list[tuple[Indices, str]]
    certain: bool = False


def as_text(column: pa.Array) -> pa.Array:
    """Any Arrow column as text: floats as the shortest decimal that names them, NaN as nothing, lists as JSON."""
    if isinstance(column, pa.DictionaryArray):
        column = column.dictionary_decode()
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return column
    if pa.types.is_floating(column.type):
        if column.type == pa.float16():
            column = column.cast(pa.float32())
        column = pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)
    if not (pa.types.is_nested(column.type) or pa.types.is_binary(column.type)):
        try:
            return pc.cast(column, pa.string())
        except (pa.ArrowNotImplementedError, pa.ArrowInvalid):
            pass  # a type that Arrow cannot write
    return pa.array([_spelled(cell) for cell in column.to_pylist()], pa.string())


def _spelled(cell: Any) -> str | None:
    if cell is None or isinstance(cell, str):
        return cell
    if isinstance(cell, bytes):
        return cell.decode("utf-8", "replace")
    return json.dumps(cell, ensure_ascii=False, default=str) if isinstance(cell, list | dict | tuple) else str(cell)


def read_column(column: pa.Array, field: Field, style: Style = PLAIN) -> Column:
    """Read a whole column; plain decimals in bulk, every other distinct cell once by `read_cell`."""
    if field.type == "choice":
        return _read_each(column, field, style)
    factor = _bulk_factor(field, style)
    simple = factor is not None and style.decimal == POINT
    if simple and factor is not None:
        known = _read_plain(column, field, style, factor)
        if known is not None:
            return known
    if _repeats(column):
        encoded = column.dictionary_encode("encode")
        return _spread(read_column(encoded.dictionary, field, style), encoded.indices.to_numpy())
    if simple and column.type in NUMBERS:
        # What Arrow would write as a decimal and read again is the number itself.
        values: Numbers = pc.fill_null(column, 0).to_numpy(zero_copy_only=False).astype(np.float64)
        is_plain = np.isfinite(values) & column.is_valid().to_numpy(zero_copy_only=False)
        low: Numbers = np.where(is_plain, values, 0.0)
        text = None
    else:
        text = pc.fill_null(pc.utf8_trim_whitespace(as_text(column)), "")
        low, is_plain = _plain_decimals(text, style, factor)
    if factor is not None and factor != 1:
        low = scaled(low, factor)
    inside = (low >= field.low) & (low <= field.high)
    high = low
    given = is_plain.copy()
    problems: list[tuple[Indices, str]] = []
    odd = np.flatnonzero(~(is_plain & inside))
    if odd.size:
        high = low.copy()
        rest = column if text is None else text
        rest = rest if odd.size == len(rest) else rest.take(pa.array(odd))
        words = pc.fill_null(pc.utf8_trim_whitespace(as_text(rest)), "")
        blank = pc.equal(words, "").to_numpy(zero_copy_only=False)
        nothing = read_cell("", field, style)
        if blank.any() and not nothing.problem:
            # Most odd cells are blank: one answer for all of them.
            rows = odd[blank]
            low[rows], high[rows], given[rows] = float(nothing.low), float(nothing.high), nothing.given
            odd, words = odd[~blank], words.filter(pa.array(~blank))
        if odd.size and factor is not None and style.decimal == POINT and field.type == "number":
            left = read_in_bulk(words, odd, field, style.unit or _unit_of(field), (low, high, given))
            words, odd = words.filter(pa.array(np.isin(odd, left))), left
        each = _read_each(words, field, style)
        low[odd], high[odd], given[odd] = each.low, each.high, each.given
        problems = [(odd[rows], problem) for rows, problem in each.problems]
        if (low == high).all():
            high = low
    return Column(low, high, given, problems)


def _repeats(column: pa.Array) -> bool:
    """Whether it pays to read each distinct cell once: few of the first cells are different."""
    first = column.slice(0, SAMPLE)
    is_text = pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
    return bool(is_text and len(column) > SAMPLE and pc.count_distinct(first, mode="all").as_py() * 4 <= SAMPLE)


def _spread(words: Column, codes: Indices) -> Column:
    """What was read of each word, for every cell that says it."""
    lows = words.low[codes]
    problems: list[tuple[Indices, str]] = []
    if words.problems:
        told = {int(word): problem for at, problem in words.problems for word in at}
        rows_of = np.split(
            np.argsort(codes, kind="stable"), np.cumsum(np.bincount(codes, minlength=words.low.size))[:-1]
        )
        problems = [(rows_of[word], told[word]) for word in sorted(told)]
    return Column(lows, lows if words.high is words.low else words.high[codes], words.given[codes], problems)


def _read_plain(column: pa.Array, field: Field, style: Style, factor: Fraction) -> Column | None:
    """A column of credible plain decimals and blanks; None if any cell is something else."""
    found = read_plain(column)
    if found is None:
        return None
    low, filled = found.values if factor == 1 else scaled(found.values, factor), found.filled
    whole = bool(filled.all())
    # Blanks are zeros here: they matter only where zero is no credible value.
    judged = low if whole or field.low <= 0 <= field.high else low[filled]
    if judged.size and not (judged.min() >= field.low and judged.max() <= field.high):
        return None
    high, given = low, filled
    if not whole:
        nothing = read_cell("", field, style)
        if nothing.problem:
            return None
        # What says nothing is zero, or anything from zero on.
        high = low if nothing.high == 0 else np.where(filled, low, float(nothing.high))
        given = filled | nothing.given
    return Column(low, high, given, [], certain=found.short and factor == 1)


def _plain_decimals(text: pa.Array, style: Style, factor: Fraction | None) -> tuple[Numbers, Flags]:
    """The cells that are plain decimals, as numbers (else 0), and which they are."""
    if factor is None:
        return np.zeros(len(text)), np.zeros(len(text), dtype=bool)
    nothing = pa.scalar(None, text.type)
    # Of exponents Arrow reads more than `_PLAIN` takes for one.
    if style.decimal == POINT and not (is_mixed(text) or may_hold(text, "e") or may_hold(text, "E")):
        try:
            values = pc.cast(pc.if_else(pc.equal(text, ""), nothing, text), pa.float64())
        except pa.ArrowInvalid:
            pass  # some cell is more than a plain decimal
        else:
            low = pc.fill_null(values, 0.0).to_numpy(zero_copy_only=False)
            if np.isfinite(low).all():
                return low.copy(), values.is_valid().to_numpy(zero_copy_only=False)
    plain = pc.match_substring_regex(text, _PLAIN)
    if style.decimal != POINT:
        # Where a point may group digits, only whole numbers are plain.
        plain = pc.and_(plain, pc.invert(pc.match_substring(text, ".")))
    values = pc.cast(pc.if_else(plain, text, nothing), pa.float64())
    return pc.fill_null(values, 0.0).to_numpy(zero_copy_only=False).copy(), plain.to_numpy(zero_copy_only=False)


def may_hold(text: pa.Array, character: str) -> bool:
    """Whether some cell of a text column may hold an ASCII character: one look at all of its bytes."""
    held = text.buffers()[2]
    return held is not None and bool((np.frombuffer(held, np.uint8) == ord(character)).any())


def _bulk_factor(field: Field, style: Style) -> Fraction | None:
    """What a plain number of this column is multiplied with; None if it takes more than that."""
    if style is PLAIN:
        return Fraction(1)
    if style.labels & {"sparse", "transistors_die"} or style.at_least or (style.unit and style.unit.others):
        return None
    if style.unit is None or field.type != "number":
        return Fraction(1)
    unit = Fraction(1) if style.unit.symbol == "mm" and field.unit == "mm²" else style.unit.factor
    return unit / _unit_of(field).factor


def read_exactly(column: pa.Array, field: Field, style: Style = PLAIN) -> Column:
    """The same column as exact fractions, from its decimal text."""
    return _read_each(column, field, style, exact=True)


def _read_each(column: pa.Array, field: Field, style: Style, exact: bool = False) -> Column:
    """Read every distinct cell once, by `read_cell`."""
    encoded = as_text(column).dictionary_encode("encode")
    cells = [read_cell(cell or "", field, style) for cell in encoded.dictionary.to_pylist()]
    low, high = (np.empty(len(cells), dtype=object if exact else np.float64) for _ in range(2))
    low[:], high[:] = [cell.low for cell in cells], [cell.high for cell in cells]
    problems = [(np.array([at]), cell.problem) for at, cell in enumerate(cells) if cell.problem]
    given = np.array([cell.given for cell in cells], dtype=bool)
    words = Column(low, low if all(cell.low == cell.high for cell in cells) else high, given, problems)
    return _spread(words, encoded.indices.to_numpy())


def texts(column: pa.Array) -> Iterator[Any]:
    """The cells of a column as stripped text, None where they say nothing."""
    for cell in as_text(column).to_pylist():
        word = "" if cell is None else cell.strip()
        yield None if word.casefold() in SILENT else word
