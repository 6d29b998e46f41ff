"""The commonest messy cells in bulk: one number with its unit, rounded, as a range or with a tolerance.

Each reads as `perfcalc.sheets.cells.read_cell` reads it; a test holds the two together. However few they are, they are
read here: a float must not depend on how many others are in its batch.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from perfcalc.facts import Flags, Indices, Numbers
from perfcalc.fields import Field
from perfcalc.sheets.units import Unit, field_unit, parse_unit

#: Floats hold every whole number up to here.
LARGEST: Final = 2.0**53
_NUMBER: Final = r"\d+(?:,\d{3})*(?:\.\d+)?"
#: Thousands grouped by commas or not at all, a decimal point. Anything else is left to `read_cell`. What comes next is
#: always told by the next character, and there are no more than four groups: so RE2 reads a cell in one pass.
_CELL: Final = rf"^[~≈]? ?(?P<first>{_NUMBER}) ?(?:(?P<join>[-–±]) ?(?P<second>{_NUMBER}) ?)?(?P<unit>(?:[A-Za-z/]{{1,10}}[2²]?)?)$"
#: So many digits, at most, stand before the first comma.
_THOUSANDS: Final = 3


def scaled(values: Numbers, factor: Fraction) -> Numbers:
    """Multiply before dividing, by whole numbers: correctly rounded wherever one of them is 1."""
    with np.errstate(over="ignore"):
        return values * float(factor.numerator) / float(factor.denominator)


def read_in_bulk(
    text: pa.Array, odd: Indices, field: Field, unit: Unit, into: tuple[Numbers, Numbers, Flags]
) -> Indices:
    """Read what has the common shape into (low, high, given); the rows that are left come back.

    Parameters
    ----------
    text
        The cells to read.
    odd
        Their rows.
    unit
        Of the cells that name none.
    """
    parts = pc.extract_regex(text, _CELL)
    shaped = parts.is_valid().to_numpy(zero_copy_only=False)
    factors, done = _factors(pc.struct_field(parts, "unit"), field, unit)
    done &= shaped
    about = _flags(pc.or_(pc.starts_with(text, "~"), pc.starts_with(text, "≈")))
    ranged, tolerance = (
        _flags(pc.is_in(pc.struct_field(parts, "join"), pa.array(list(words)))) for words in ("-–", "±")
    )
    done &= ~(about & (ranged | tolerance))
    first, second = _numbers(pc.struct_field(parts, "first")), _numbers(pc.struct_field(parts, "second"))
    done &= first.good & second.good
    ones, tens = _common(first, second, ranged | tolerance)
    low, high = ones[0].copy(), ones[0].copy()
    high[ranged] = ones[1][ranged]
    low[tolerance] -= ones[1][tolerance]
    high[tolerance] += ones[1][tolerance]
    # An end below zero or a range that runs backwards needs a closer look, and so does a zero that is about zero.
    done &= (low <= high) & (low >= 0) & ~(about & (low == 0)) & ~(ranged & (low == 0))
    rounded = np.flatnonzero(about & done)
    if rounded.size:
        # Half of a digit: twice everything keeps it a whole number.
        slack = _slack(pc.struct_field(parts, "first").take(pa.array(rounded)))
        middle = 2 * low[rounded]
        low[rounded], high[rounded] = np.maximum(0, middle - slack), middle + slack
        tens[rounded] *= 2
    # A quotient of whole numbers that floats hold is the float nearest to the cell; others are for `read_cell`.
    over, under = factors[0], tens * factors[1]
    low, high = low * over, high * over
    done &= (high < LARGEST) & (under < LARGEST)
    low, high = low / under, high / under
    units = ones[0] / tens
    if field.bits:
        # Of two rates the higher is claimed; `read_cell` does the same.
        pair = ranged | tolerance
        low[pair & (low > 0)] = high[pair & (low > 0)]
    # Absolute counts, and what is outside the limits, are for `read_cell`.
    done &= (low >= field.low) & (high <= field.high) & ((unit.dimension != "count") | (units < 1e8))
    rows = odd[done]
    into[0][rows], into[1][rows], into[2][rows] = low[done], high[done], True
    return odd[~done]


def _flags(column: pa.Array) -> Flags:
    return np.asarray(pc.fill_null(column, False).to_numpy(zero_copy_only=False), dtype=bool)


@dataclass(frozen=True)
class _Numerals:
    """Numerals as whole numbers and the powers of ten that divide them, zero where there is none; and the well written."""

    whole: Numbers
    tens: Numbers
    good: Flags


def _numbers(numerals: pa.Array) -> _Numerals:
    numerals = pc.fill_null(numerals, "")
    plain = pc.replace_substring(numerals, ",", "")
    point = pc.find_substring(plain, ".").to_numpy()
    decimals = np.where(point >= 0, pc.binary_length(plain).to_numpy() - point - 1, 0)
    digits = pc.replace_substring(plain, ".", "")
    digits = pc.if_else(pc.equal(digits, ""), pa.scalar(None, digits.type), digits)
    whole = np.array(pc.fill_null(pc.cast(digits, pa.float64()), 0.0))
    return _Numerals(whole, 10.0**decimals, pc.find_substring(numerals, ",").to_numpy() <= _THOUSANDS)


def _common(first: _Numerals, second: _Numerals, both: Flags) -> tuple[tuple[Numbers, Numbers], Numbers]:
    """Both numbers as whole numbers over one power of ten."""
    tens = np.where(both, np.maximum(first.tens, second.tens), first.tens)
    return (first.whole * (tens / first.tens), second.whole * (tens / second.tens)), tens


def _factors(units: pa.Array, field: Field, default: Unit) -> tuple[tuple[Numbers, Numbers], Flags]:
    """For each cell its factor, as two whole numbers, and whether its unit is one of the field's."""
    wanted = field_unit(field.unit)
    encoded = units.dictionary_encode()
    codes = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False)
    up, down, good = np.ones(len(units)), np.ones(len(units)), np.zeros(len(units), dtype=bool)
    for code, spelled in enumerate(encoded.dictionary.to_pylist()):
        unit = parse_unit(spelled) if spelled else default
        if (
            unit is None
            or unit.others
            or unit.dimension != wanted.dimension
            or (spelled and unit.symbol in ("mm", "B"))
        ):
            continue
        here = codes == code
        factor = Fraction(1) if unit.symbol == "mm" and wanted.dimension == "area" else unit.factor / wanted.factor
        up[here], down[here] = float(factor.numerator), float(factor.denominator)
        good |= here
    return (up, down), good


def _slack(numerals: pa.Array) -> Numbers:
    """The last digit that a numeral commits to, see `perfcalc.sheets.numerals.last_digit`, over its power of ten."""
    plain = pc.replace_substring(numerals, ",", "")
    zeros = pc.subtract(pc.utf8_length(plain), pc.utf8_length(pc.utf8_rtrim(plain, "0"))).to_numpy(zero_copy_only=False)
    whole = pc.invert(pc.match_substring(plain, ".")).to_numpy(zero_copy_only=False)
    slack: Numbers = np.where(whole, 10.0**zeros, 1.0)
    return slack
