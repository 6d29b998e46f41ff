"""Any cell of any spec sheet as value, missing or ambiguous, from nothing but its heading and its text."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final, Literal

from perfcalc.sheets.amounts import Bound, amounts
from perfcalc.sheets.dates import read_date
from perfcalc.sheets.nodes import name_in
from perfcalc.sheets.numerals import fold
from perfcalc.sheets.quantities import Quantity, Style, read_quantity
from perfcalc.sheets.units import Unit, parse_unit
from perfcalc.sheets.words import pattern, words

#: Transistors on a mm² of logic, in millions: nothing was ever made outside of this (the span is below 1000, so
#: that a lost exponent of 6 and one of 9 never both fit).
DENSITY_LOW, DENSITY_HIGH = Fraction(2, 5), Fraction(350)

_KINDS: Final = (
    ("transistors_die", r"transistors?\b.*\bdie\b|\bdie\b.*\btransistors?"),
    ("money", r"price|msrp|\bcost\b|usd|\$|가격|価格|价格|preis"),
    ("date", r"\bdate\b|launch(?!\s*price)|released?\b|released?_|announced|_date\b|available since|출시|発売|发布|上市|datum"),
    ("area", r"die (?:size|area)|\barea\b|다이|ダイ|芯片面积|chipfläche|mm(?:2|\^2|²)"),
    ("bandwidth", r"bandwidth|대역폭|帯域|带宽|bandbreite|[gt]b/s"),
    ("rate", r"flops|\btops\b|\b(?:fp|int|bf|tf)\d+\b|gops|processing power|performance|tensor|(?:half|single|double)[ -]precision|성능|演算|算力"),
    ("process", r"process|\bfab\b|lithograph|\bnode\b|공정|プロセス|制程|工艺|fertigung|technology"),
    ("count", r"transistor|트랜지스터|トランジスタ|晶体管"),
    ("power", r"\btdp\b|watt|\bpower\b|\bpsu\b|\btbp\b|\(w\)|전력|電力|功耗|leistungsaufnahme|consumption"),
    ("frequency", r"clock|frequency|\b[mg]hz\b|클럭|クロック|频率|takt"),
    ("memory", r"memory size|\bvram\b|\bcapacity\b|\bcache\b|\bmemory\b|\((?:[mgk]i?b)\)|메모리|メモリ|显存|speicher"),
)  # fmt: skip
_COMPILED: Final = tuple((kind, re.compile(words_, re.IGNORECASE)) for kind, words_ in _KINDS)
_DEFAULT: Final = {"money": "USD", "power": "W", "area": "mm2", "process": "nm", "bandwidth": "GB/s"}


@dataclass(frozen=True)
class Messy:
    """What one cell says.

    Attributes
    ----------
    status
        ``value``, ``missing`` (nothing there, or nothing known) or ``ambiguous``.
    value
        In the words of `unit`: ``3364``, ``7..9`` for an interval, ``2016-Q3``, ``12LP``; ``12500;486`` for a cell
        with two fields.
    low, high
        The bounds that cover every reading; None where there is no number or no bound.
    unit
        Of the bounds.
    readings
        What an ambiguous cell may mean.
    """

    status: Literal["value", "missing", "ambiguous"]
    value: str = ""
    low: Fraction | None = None
    high: Fraction | None = None
    unit: str = ""
    readings: tuple[str, ...] = ()


def heading_unit(header: str) -> Unit | None:
    """The unit that a heading names, in brackets or at its end."""
    plain = header.replace("_", " ")
    rates = re.findall(r"(?<![A-Za-z])[KMGTPE]?(?:FL)?OPS?(?:/s)?(?![A-Za-z])", plain)
    if rates:
        return parse_unit(rates[-1])  # the last one is the most particular: "Power (TFLOPS) Tensor TOPS"
    for text in re.findall(r"[(\[（]([^()\[\]（）]*)[)\]）]", plain):
        for part in (text, *re.split(r"[,;]|\s", text)):
            unit = parse_unit(part) if part else None
            if unit is not None:
                return unit
    for text in re.findall(r"(?:,|\bin\b)\s*([^\s,]+)\s*$", plain) or plain.split()[-1:]:
        unit = parse_unit(text)
        if unit is not None and len(text) > 1 and unit.symbol:
            return unit
    return None


def kind_of(header: str) -> str:
    """What a heading is about: one of the dimensions, ``date``, ``process`` or ``transistors_die``."""
    plain = header.replace("_", " ")
    unit = heading_unit(header)
    for kind, heading in _COMPILED:
        if heading.search(plain):
            if unit is not None and unit.dimension in ("rate", "bandwidth", "frequency", "power") and kind != "power":
                return unit.dimension
            return kind
    return unit.dimension if unit is not None else "number"


def read_messy(header: str, raw: str) -> Messy:
    """Read one cell by its heading alone, as a person would who has never seen the sheet.

    >>> read_messy("TDP (W)", "7~9").value
    '7..9'
    >>> read_messy("Processing power (TFLOPS) Tensor", "30.1 60.2").status
    'ambiguous'
    """
    kind = kind_of(header)
    if kind == "date":
        return _date(raw)
    if kind == "process":
        return _process(raw)
    unit = heading_unit(header)
    if kind == "area" and (unit is None or unit.symbol == "mm"):
        unit = parse_unit("mm2")
    if kind == "transistors_die":
        return _both(raw)
    labels = frozenset(name for name in ("sparse", "dense") if pattern(name).search(header))
    sparse = labels if "sparse" not in labels else labels - {"dense"}
    quantity = read_quantity(raw, kind, Style(unit, labels=sparse if _only_sparse(header) else labels - {"sparse"}))
    shown = unit or quantity.unit or parse_unit(_DEFAULT.get(kind, ""))
    return _shown(quantity, shown, raw)


def _only_sparse(header: str) -> bool:
    """`(sparse)` says that the rates are sparse; `(2:1 sparse)` may also name what the column has besides."""
    return bool(pattern("sparse").search(header)) and not re.search(r"\d:\d", header)


def _number(value: Bound) -> str:
    value = Fraction(value)
    return str(value.numerator) if value.denominator == 1 else format(float(value), ".12g")


def _shown(quantity: Quantity, unit: Unit | None, raw: str) -> Messy:
    factor, symbol = (unit.factor, unit.symbol) if unit is not None else (Fraction(1), "")
    if quantity.status in ("missing", "unknown"):
        return Messy("missing")
    if quantity.status == "unreadable":
        return Messy("ambiguous", unit=symbol, readings=(raw.strip(),))
    low = Fraction(quantity.low) / factor
    high = None if quantity.high == float("inf") else Fraction(quantity.high) / factor
    if quantity.status == "ambiguous":
        return Messy("ambiguous", "", low, high, symbol, quantity.readings)
    value = _number(low) if low == high else f"{_number(low)}..{'' if high is None else _number(high)}"
    return Messy("value", value, low, high, symbol)


def read_both(raw: str, style: Style) -> tuple[Quantity, Quantity]:
    """Transistors and die area from one cell, ``53.9 billion 356.5 mm²``: as counts and as mm²."""
    folded = raw.strip().casefold()
    if folded in words("missing") or folded in words("unknown"):
        return Quantity("unknown"), Quantity("unknown")
    found, _nonsense = amounts(fold(raw), style.decimal)
    areas = [one for one in found if one.unit is not None and (one.unit.dimension == "area" or one.unit.symbol == "mm")]
    counts = [one for one in found if one not in areas and (one.unit is None or one.unit.dimension == "count")]
    if not areas and len(counts) == 2 and counts[1].unit is None and not counts[1].lost_power:
        areas, counts = counts[1:], counts[:1]
    area = _merged([(one.lows[0], one.highs[-1], one.text) for one in areas])
    spans: list[tuple[Bound, Bound, str]] = []
    for one in counts:
        if one.text == "?":
            continue
        for low, high in zip(one.lows, one.highs, strict=True):
            factors = _count_factors(one.unit, one.lost_power, low, area)
            spans.extend((low * by, high * by, one.text) for by in factors)
    return _merged(spans), area


def _count_factors(unit: Unit | None, lost: bool, low: Bound, area: Quantity) -> list[Fraction]:
    if unit is not None:
        return [unit.factor]
    if not lost and low >= 10**7:
        return [Fraction(1)]
    options = [Fraction(10**6), Fraction(10**9)]
    if area.status == "value" and area.low == area.high and area.low:
        return [
            by for by in options if DENSITY_LOW <= Fraction(low) * by / 10**6 / Fraction(area.low) <= DENSITY_HIGH
        ] or options
    if low >= 1000:
        return options[:1]
    return options[1:] if low < 100 else options


def _merged(spans: list[tuple[Bound, Bound, str]]) -> Quantity:
    if not spans:
        return Quantity("unknown")
    low, high = min(one[0] for one in spans), max(one[1] for one in spans)
    if len({(one[0], one[1]) for one in spans}) == 1:
        return Quantity("value", low, high)
    return Quantity("ambiguous", low, high, tuple(one[2] for one in spans))


def _both(raw: str) -> Messy:
    counts, area = read_both(raw, Style())
    if {counts.status, area.status} <= {"unknown", "missing"}:
        return Messy("missing")
    parts = []
    for quantity, by in ((counts, 10**6), (area, 1)):
        shown = _shown(quantity, Unit("", Fraction(by), ""), raw)
        parts.append(shown)
    if any(part.status == "ambiguous" for part in parts):
        return Messy("ambiguous", unit="million;mm2", readings=(raw.strip(),))
    return Messy("value", ";".join(part.value for part in parts), unit="million;mm2")


def _date(raw: str) -> Messy:
    when = read_date(raw)
    if when.status in ("missing", "unknown"):
        return Messy("missing")
    if when.status == "unreadable":
        nothing = not any(letter.isdigit() for letter in raw)
        return Messy("missing" if nothing else "ambiguous", unit="" if nothing else "date", readings=(raw.strip(),))
    if when.status == "ambiguous":
        return Messy("ambiguous", unit="date", readings=when.readings)
    return Messy("value", when.text, unit="date")


def _process(raw: str) -> Messy:
    text = fold(raw).strip()
    if text.casefold() in words("missing") or text.casefold() in words("unknown"):
        return Messy("missing")
    stated = re.findall(r"(\d+(?:\.\d+)?)\s*-?\s*(nm|nanomet\w+|µm|um|μm|micron)\b", text, re.IGNORECASE)
    if re.search(r"\d\s*/\s*\d+(?:\.\d+)?\s*nm", text):
        sizes = re.findall(r"\d+(?:\.\d+)?", text)
        return Messy("ambiguous", "", min(map(Fraction, sizes)), max(map(Fraction, sizes)), "nm", tuple(sizes))
    if stated:
        nanometres = {Fraction(number) * (1 if unit.casefold().startswith("n") else 1000) for number, unit in stated}
        low, high = min(nanometres), max(nanometres)
        if low == high:
            return Messy("value", _number(low), low, high, "nm")
        return Messy("ambiguous", "", low, high, "nm", tuple(number for number, _ in stated))
    name = name_in(text)
    if name:
        return Messy("value", name, unit="node")
    if re.fullmatch(r"\d+(?:\.\d+)?", text):
        value = Fraction(text)
        return Messy("value", _number(value), value, value, "nm")
    if not any(letter.isdigit() for letter in text):
        return Messy("missing", readings=(raw.strip(),))
    return Messy("ambiguous", unit="node", readings=(raw.strip(),))


def with_decimal(style: Style, decimal: str) -> Style:
    """The same style with the decimal mark that its column turned out to use."""
    return style if decimal == style.decimal else replace(style, decimal=decimal)
