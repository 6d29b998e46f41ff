"""Dates in many forms: the days that they may mean."""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Final

from perfcalc.sheets.numerals import fold
from perfcalc.sheets.words import words

MONTHS: Final = {
    name: number
    for number, names in enumerate(
        (
            "jan january januar jänner", "feb february februar", "mar march märz mrz maerz", "apr april", "may mai",
            "jun june juni", "jul july juli", "aug august", "sep sept september", "oct october okt oktober",
            "nov november", "dec december dez dezember",
        ),
        start=1,
    )
    for name in names.split()
}  # fmt: skip
#: Two-digit years: the trade is younger than 1970.
PIVOT: Final = 70


@dataclass(frozen=True)
class When:
    """What a cell says of a date.

    Attributes
    ----------
    status
        ``value``, ``missing``, ``unknown``, ``ambiguous`` or ``unreadable``.
    first, last
        The first and the last day that it may mean.
    text
        In ISO form, as fine as the cell is: ``2016``, ``2016-Q3``, ``2016-09``, ``2016-09-01``.
    readings
        Of an ambiguous cell.
    """

    status: str
    first: date | None = None
    last: date | None = None
    text: str = ""
    readings: tuple[str, ...] = ()


@lru_cache(maxsize=4096)
def read_date(cell: str) -> When:
    """Read one date. ``03/04/2015`` is ambiguous: the third of April or the fourth of March."""
    folded = cell.strip().casefold()
    if folded in words("missing"):
        return When("missing")
    if folded in words("unknown"):
        return When("unknown")
    text = re.sub(r"(?<=\d)(?:st|nd|rd|th)\b", "", fold(cell).strip().casefold())
    text = re.sub(
        r"\b(?:launch(?:ed)?|release[ds]?|announced|expected|date|on|of|in|the|mon|tue|wed|thu|fri|sat|sun)(?:day|sday|nesday|rsday|urday)?\b[:,]?",
        " ",
        text,
    )
    text = re.sub(r"\[[^\]]*\]|[?*†]", " ", text)
    text = re.sub(r"[t ]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:z| ?[+-]\d{2}:?\d{2}| ?utc| ?gmt)?", " ", text)
    text = re.sub(r"\s+", " ", text).strip(" ,.;")
    found = _candidates(text)
    if not found:
        return When("unreadable")
    if len(found) == 1:
        first, last, iso = found[0]
        return When("value", first, last, iso)
    return When(
        "ambiguous", min(a for a, _, _ in found), max(b for _, b, _ in found), "", tuple(t for _, _, t in found)
    )


Span = tuple[date, date, str]


def _candidates(text: str) -> list[Span]:
    for pattern, read in _FORMS:
        match = pattern.fullmatch(text)
        if match:
            found = [span for span in read(*match.groups()) if span]
            return list(dict.fromkeys(found))
    return []


def _year(text: str) -> int:
    number = int(text)
    if len(text) == 2:
        return number + (1900 if number >= PIVOT else 2000)
    return number


def _day(year: str, month: int, day: str) -> list[Span]:
    try:
        found = date(_year(year), month, int(day))
    except ValueError:
        return []
    return [(found, found, found.isoformat())]


def _span(year: str, first: int, last: int, text: str) -> list[Span]:
    number = _year(year)
    if not 1 <= number <= 9998 or not 1 <= first <= last <= 12:
        return []
    return [(date(number, first, 1), date(number, last, monthrange(number, last)[1]), text.format(number))]


def _month(year: str, month: int) -> list[Span]:
    return _span(year, month, month, f"{{:04d}}-{month:02d}")


def _quarter(quarter: str, year: str) -> list[Span]:
    number = int(quarter)
    return _span(year, 3 * number - 2, 3 * number, f"{{:04d}}-Q{number}")


def _half(half: str, year: str) -> list[Span]:
    number = int(half)
    return _span(year, 6 * number - 5, 6 * number, f"{{:04d}}-H{number}")


def _slashed(first: str, second: str, year: str) -> list[Span]:
    return _day(year, int(first), second) + _day(year, int(second), first)


def _short(first: str, second: str, third: str) -> list[Span]:
    return _slashed(first, second, third) + _day(first, int(second), third)


_NAME: Final = "(" + "|".join(sorted(MONTHS, key=len, reverse=True)) + r")\.?"
_Y: Final = r"['’]?(\d{4}|\d{2})"
_YEAR: Final = r"((?:19|20)\d{2})"
_FORMS: Final = tuple(
    (re.compile(pattern), read)
    for pattern, read in (
        (rf"{_YEAR}[-/.年년] ?(\d{{1,2}})[-/.月월] ?(\d{{1,2}})[日일.]?", lambda y, m, d: _day(y, int(m), d)),
        (rf"{_YEAR}(\d{{2}})(\d{{2}})", lambda y, m, d: _day(y, int(m), d)),
        (rf"{_YEAR}[-/.年년] ?(\d{{1,2}})[月월]?", lambda y, m: _month(y, int(m))),
        (rf"{_YEAR}[年년]?(?:\.0)?", lambda y: _span(y, 1, 12, "{:04d}")),
        (rf"(\d{{1,2}})[-. /]*{_NAME}[-., /]*{_Y}", lambda d, m, y: _day(y, MONTHS[m], d)),
        (rf"{_NAME}[-. /]*(\d{{1,2}})[-, /.]+{_Y}", lambda m, d, y: _day(y, MONTHS[m], d)),
        (rf"{_YEAR}[-., /]*{_NAME}[-. /]*(\d{{1,2}})", lambda y, m, d: _day(y, MONTHS[m], d)),
        (rf"{_NAME}[-., /]*['’]?(\d{{4}})", lambda m, y: _month(y, MONTHS[m])),
        (rf"{_NAME}[-., /]*['’](\d{{2}})", lambda m, y: _month(y, MONTHS[m])),
        (rf"{_NAME}[- ](\d{{2}})", lambda m, y: _month(y, MONTHS[m])),
        (rf"{_YEAR}[-., /]*{_NAME}", lambda y, m: _month(y, MONTHS[m])),
        (rf"(?:q|第|제)?([1-4])(?:q|st quarter|季度|四半期|분기|\. quartal)?[-', /]*{_YEAR}[年년]?", _quarter),
        (rf"q([1-4])[-' /]*{_Y}", _quarter),
        (rf"([1-4])q[-' /]*{_Y}", _quarter),
        (rf"(?:first|1) quarter {_YEAR}", lambda y: _quarter("1", y)),
        (rf"(?:second|2) quarter {_YEAR}", lambda y: _quarter("2", y)),
        (rf"(?:third|3) quarter {_YEAR}", lambda y: _quarter("3", y)),
        (rf"(?:fourth|4) quarter {_YEAR}", lambda y: _quarter("4", y)),
        (rf"{_YEAR}[年년]?[- ,/]*(?:q|第|제)?([1-4])(?:q|季度|四半期|분기)?", lambda y, q: _quarter(q, y)),
        (rf"{_YEAR}[- ,/]*q([1-4])", lambda y, q: _quarter(q, y)),
        (rf"h([12])[-' /]*{_Y}", _half),
        (rf"([12])h[-' /]*{_Y}", _half),
        (rf"{_YEAR}[- /]*h([12])", lambda y, h: _half(h, y)),
        (rf"{_YEAR}年(上半年|上期)", lambda y, _h: _half("1", y)),
        (rf"{_YEAR}年(下半年|下期)", lambda y, _h: _half("2", y)),
        (rf"early {_YEAR}", lambda y: _span(y, 1, 4, "{:04d}")),
        (rf"mid(?:-| |dle )*{_YEAR}", lambda y: _span(y, 4, 9, "{:04d}")),
        (rf"late {_YEAR}", lambda y: _span(y, 9, 12, "{:04d}")),
        (rf"(\d{{1,2}})\.(\d{{1,2}})\.{_Y}", lambda d, m, y: _day(y, int(m), d)),
        (r"(\d{1,2})[/-](\d{1,2})[/-]((?:19|20)\d{2})", _slashed),
        (r"(\d{2})[/-](\d{2})[/-](\d{2})", _short),
        (rf"(\d{{1,2}})[/.-]{_YEAR}", lambda m, y: _month(y, int(m))),
    )
)  # fmt: skip
