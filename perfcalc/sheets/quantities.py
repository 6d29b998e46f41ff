"""One cell becomes one quantity: a value, an interval, nothing, or an honest "ambiguous" with its readings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final, Literal

from perfcalc.sheets.amounts import INF, Amount, Bound, amounts
from perfcalc.sheets.numerals import POINT, fold
from perfcalc.sheets.units import Unit
from perfcalc.sheets.words import words

Status = Literal["value", "missing", "ambiguous", "unknown", "unreadable"]

#: Two rates this far apart are dense and sparse until someone says otherwise.
PAIR_LOW, PAIR_HIGH = Fraction(195, 100), Fraction(205, 100)
#: A boost clock lifts a rate by less than this.
BOOST: Final = Fraction(194, 100)


#: From here on a bare count counts ones, whatever the heading says: nothing has so many millions or billions.
COUNTED: Final = 10**8


@dataclass(frozen=True)
class Style:
    """How a column writes its cells.

    Attributes
    ----------
    unit
        The unit that cells have when they name none.
    decimal
        The decimal mark, see `perfcalc.sheets.numerals`.
    labels
        What the heading says of the rates: ``sparse``, ``dense``; both when it announces pairs.
    at_least
        The column counts only a part: its figures are lower bounds.
    """

    unit: Unit | None = None
    decimal: str = POINT
    labels: frozenset[str] = frozenset()
    at_least: bool = False


PLAIN: Final = Style()


@dataclass(frozen=True)
class Quantity:
    """What one cell says, in the base unit of its dimension.

    Attributes
    ----------
    status
        ``value`` (a point or a stated interval), ``missing``, ``unknown`` ("?"), ``ambiguous`` or ``unreadable``.
    low, high
        The bounds that cover every reading.
    readings
        The readings of an ambiguous cell, in words.
    unit
        The unit that the cell itself wrote, if any.
    pair
        Two claims stand in the cell (base and boost): of a rate the law takes the higher.
    approximate
        The cell calls the figure approximate.
    stray
        A word behind the figure that may be a unit, and that perfcalc does not know.
    slack
        By how much an approximate figure may be rounded.
    """

    status: Status
    low: Bound = Fraction(0)
    high: Bound = INF
    readings: tuple[str, ...] = ()
    unit: Unit | None = None
    pair: bool = False
    approximate: bool = False
    stray: str = ""
    slack: Fraction = Fraction(0)


def read_quantity(text: str, dimension: str, style: Style = PLAIN) -> Quantity:
    """Read one cell as a quantity of a dimension: ``rate``, ``bandwidth``, ``area``, ``count`` and so on."""
    folded = text.strip().casefold()
    # "No" under a number means: it has none. A "0" is a number.
    if folded in words("missing") or (folded in words("no") and not any(letter.isdigit() for letter in folded)):
        return Quantity("missing")
    if folded in words("unknown"):
        return Quantity("unknown")
    found, nonsense = amounts(fold(text), style.decimal)
    if nonsense and len(found) < 2:
        return Quantity("unreadable")
    if not found:
        return Quantity("unreadable" if any(letter.isdigit() for letter in text) else "missing", readings=(text,))
    fitting = _fitting(found, dimension, style)
    if not fitting:
        return Quantity("unreadable", readings=("the unit does not fit",))
    quantity = _settle(fitting, dimension, style)
    if nonsense and quantity.status == "value":
        quantity = replace(quantity, status="ambiguous", readings=tuple(amount.text for amount in found))
    return quantity


def _fitting(found: Sequence[Amount], dimension: str, style: Style) -> list[Amount]:
    """The amounts of the right dimension, each in base units."""
    if dimension == "count":
        found = [_billions(amount) for amount in found]
    if any(not amount.foreign for amount in found):
        found = [amount for amount in found if not (amount.foreign and amount.before == "(")]
    marked = [amount for amount in found if amount.unit is not None and _suits(amount, dimension)]
    if not marked and any(amount.unit is not None for amount in found):
        found = [amount for amount in found if amount.unit is None]
    chosen: list[Amount] = []
    for position, amount in enumerate(found):
        if amount.unit is None:
            if not marked:
                counted = dimension == "count" and amount.lows[0] >= COUNTED and not amount.lost_power
                chosen.append(_in_base(amount, None if counted else style.unit))
                continue
            # "989 / 1979 TFLOPS": the unit behind the last one holds for all, unless the sheet has a unit of its own.
            later = next((other for other in found[position:] if other in marked), None)
            if later is not None:
                chosen.append(_in_base(amount, later.unit))
            elif "(" not in amount.before:
                chosen.append(_in_base(amount, marked[-1].unit))
            elif _same(amount, marked[-1]):
                continue
            else:
                chosen.append(_in_base(amount, marked[-1].unit))
        elif amount in marked:
            chosen.append(_in_base(amount, amount.unit))
    return chosen


def _billions(amount: Amount) -> Amount:
    """`208B` under a heading that counts is no number of bytes."""
    if amount.unit is not None and amount.unit.symbol in ("B", "b") and amount.unit.dimension == "memory":
        return replace(amount, unit=Unit("count", Fraction(10**9), "billion"))
    return amount


def _same(first: Amount, second: Amount) -> bool:
    return first.highs[0] == second.highs[0]


def _suits(amount: Amount, dimension: str) -> bool:
    if amount.unit is None:
        return True
    if dimension == "number":
        return amount.unit.dimension in ("share", "count", "number")
    if dimension == "area" and amount.unit.symbol in ("mm", "cm"):
        return True  # the square was lost
    return amount.unit.dimension == dimension


def _in_base(amount: Amount, unit: Unit | None) -> Amount:
    factors: tuple[Fraction, ...] = (Fraction(1),)
    if unit is not None:
        factor = unit.factor
        if unit.symbol == "mm":
            factor = Fraction(1)
        elif unit.symbol == "cm":
            factor = Fraction(100)
        factors = (factor, *(other.factor for other in unit.others))
    pairs = [(low * by, high * by) for low, high in zip(amount.lows, amount.highs, strict=True) for by in factors]
    return replace(
        amount,
        lows=tuple(low for low, _ in pairs),
        highs=tuple(high for _, high in pairs),
        slack=amount.slack * factors[0],
    )


def _settle(found: list[Amount], dimension: str, style: Style) -> Quantity:
    unit = next((amount.unit for amount in found if amount.unit is not None), None)
    if dimension == "rate":
        found = _without_sparse(found, style)
    if any(amount.lost_power for amount in found) and not (dimension == "area" and len(found) == 1):
        found = [_powers(amount) if amount.lost_power else amount for amount in found]
    elif found and found[0].lost_power:
        found = [_times_ten(amount) for amount in found]
    if len(found) > 1 and len({(amount.lows, amount.highs) for amount in found}) == 1:
        found = found[:1]
    if len(found) == 2 and _equal_within_rounding(found):
        found = found[:1]
    if len(found) == 1:
        return replace(_one(found[0], dimension, style), unit=unit, stray=found[0].foreign)
    low = min(min(amount.lows) for amount in found)
    high = max(max(amount.highs) for amount in found)
    if dimension == "rate" and len(found) == 2 and _base_and_boost(found):
        return Quantity("value", low, high, unit=unit, pair=True)
    return Quantity("ambiguous", low, high, tuple(amount.text for amount in found), unit)


def _equal_within_rounding(found: Sequence[Amount]) -> bool:
    """`814 mm2 (8.14 cm2)`: one figure in two units."""
    first, second = found
    if first.unit is None or second.unit is None or first.unit == second.unit or len(first.lows) + len(second.lows) > 2:
        return False
    one, other = first.highs[0], second.highs[0]
    return INF not in (one, other) and bool(abs(Fraction(one) - Fraction(other)) <= Fraction(one) / 100)


def _without_sparse(found: list[Amount], style: Style) -> list[Amount]:
    """Leave out what is marked sparse, as long as something else is there."""
    dense = [amount for amount in found if "sparse" not in amount.labels]
    if dense and len(dense) < len(found):
        return dense
    stated = [amount for amount in found if "dense" in amount.labels]
    if stated and len(found) > 1:
        return stated
    if len(found) == 2 and {"dense", "sparse"} <= style.labels and found[0].highs[0] < found[1].highs[0]:
        return found[:1]
    if len(found) == 2 and "dense" in style.labels and "sparse" not in style.labels:
        first, second = sorted(found, key=lambda amount: Fraction(amount.lows[0]))
        if _is_pair(first, second):
            return [first]
    return found


def _is_pair(first: Amount, second: Amount) -> bool:
    if first.is_range or second.is_range or not first.highs[0] or first.highs[0] == INF:
        return False
    ratio = Fraction(second.highs[0]) / Fraction(first.highs[0])
    return bool(PAIR_LOW <= ratio <= PAIR_HIGH)


def _base_and_boost(found: Sequence[Amount]) -> bool:
    first, second = found
    if first.doubtful or second.doubtful or first.is_range or second.is_range:
        return False
    if len(first.lows) + len(second.lows) > 2 or not first.highs[0]:
        return False
    if "base" in first.labels or "boost" in second.labels:
        return first.highs[0] <= second.highs[0]
    return 1 <= Fraction(second.highs[0]) / Fraction(first.highs[0]) <= BOOST


def _powers(amount: Amount) -> Amount:
    """A lost exponent is 6 or 9 in every table that we have seen; only the rest of the cell can tell which."""
    if amount.lows[0] >= 1000:
        factors = [Fraction(10**6)]
    elif amount.lows[0] < 100:
        factors = [Fraction(10**9)]
    else:
        factors = [Fraction(10**6), Fraction(10**9)]
    lows = tuple(low * by for low in amount.lows for by in factors)
    return replace(amount, lows=lows, highs=tuple(high * by for high in amount.highs for by in factors))


def _times_ten(amount: Amount) -> Amount:
    return replace(amount, lows=tuple(10 * x for x in amount.lows), highs=tuple(10 * x for x in amount.highs))


def _one(amount: Amount, dimension: str, style: Style) -> Quantity:
    low, high = min(amount.lows), max(amount.highs)
    if amount.text == "?":
        return Quantity("unknown")
    approximate = "approximate" in amount.labels
    if dimension == "rate":
        sparse = "sparse" in amount.labels or ("sparse" in style.labels and "dense" not in style.labels)
        if sparse and "dense" not in amount.labels:
            return Quantity("ambiguous", Fraction(0), high, (f"{amount.text} with sparsity; dense is not stated",))
        if amount.starred:
            half = amount.lows[0] / 2
            return Quantity("ambiguous", half, high, (f"{amount.text} dense", f"{amount.text} with sparsity"))
    if amount.doubtful:
        return Quantity("ambiguous", low, high, (f"{amount.text} with a question mark",), approximate=True,
                        slack=amount.slack)  # fmt: skip
    if len(set(amount.lows)) > 1:
        shown = tuple(f"{float(value):.6g}" for value in sorted(set(amount.lows)))
        return Quantity("ambiguous", low, high, shown)
    if style.at_least:
        high = INF
    return Quantity("value", low, high, pair=amount.is_range and low > 0 and high != INF and not approximate,
                    approximate=approximate, slack=amount.slack)  # fmt: skip
