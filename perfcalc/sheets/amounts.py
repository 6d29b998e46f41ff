"""The amounts that a cell names, one by one: ``~814 mm²``, ``7~9``, ``2x 324``, ``1.979 TFLOPS (sparse)``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Final

from perfcalc.sheets.numerals import NUMERAL, POINT, last_digit, readings
from perfcalc.sheets.units import COUNT_LETTERS, Unit, parse_unit
from perfcalc.sheets.words import pattern

Bound = Fraction | float
INF: Final = float("inf")
#: A cell with more amounts than this is a text, not a number.
MOST_AMOUNTS: Final = 12


@dataclass
class Amount:
    """One amount of a cell.

    Attributes
    ----------
    lows, highs
        Its bounds, once for each way to read its separators.
    unit
        As written beside it.
    slack
        How far the figure is rounded when it is called approximate.
    labels
        What the cell calls it: ``sparse``, ``dense``, ``base``, ``boost``.
    is_range
        It was written as two ends.
    doubtful
        A question mark stands behind it.
    starred
        An asterisk stands behind it.
    lost_power
        ``12.5×10``: the exponent was lost with its superscript.
    foreign
        The word behind it that is neither unit nor label: ``(2 GPUs)``.
    before
        What separates it from the amount before: a blank, ``(``, ``/`` and so on.
    """

    lows: tuple[Bound, ...]
    highs: tuple[Bound, ...]
    unit: Unit | None = None
    slack: Fraction = Fraction(0)
    labels: frozenset[str] = frozenset()
    is_range: bool = False
    doubtful: bool = False
    starred: bool = False
    lost_power: bool = False
    foreign: str = ""
    before: str = ""
    text: str = ""


#: Words behind a figure that do not change it.
HARMLESS: Final = frozenset(
    [
        "each",
        "total",
        "typ",
        "typical",
        "max",
        "maximum",
        "min",
        "peak",
        "est",
        "and",
        "or",
        "at",
        "with",
        "for",
        "dense",
        "oem",
        "in",
        "approx",
        "chip",
        "chips",
        "die",
        "dies",
        "package",
    ]
)
_TOKEN: Final = re.compile(
    rf"(?P<times>[xX*]\s*(?=\d))|(?P<number>{NUMERAL})|(?P<power>\^\s*[+-]?\d{{1,3}})|(?P<plusminus>±|\+/-|\+-)"
    r"|(?P<word>[^\W\d_][^\s()\[\]{},;|&?~≈±<>≤≥=:+*-]*|[$€£¥₩%])|(?P<open>[(\[{])|(?P<close>[)\]}])"
    r"|(?P<dash>\.{2,3}|…|[-~])|(?P<sign><=|>=|[<>≤≥≈])|(?P<mark>[?*†‡#])|(?P<separator>[/,;|&\n])|(?P<blank>[^\S\n]+)|(?P<other>.)",
)
_PERCENT: Final = "share"
_FOOTNOTE: Final = re.compile(r"\[(?:\d{1,3}|[a-z]{1,2}|note \d+|citation needed)\]", re.IGNORECASE)


@dataclass
class _Parser:
    text: str
    decimal: str
    found: list[Amount] = field(default_factory=list)
    unreadable: bool = False

    def __post_init__(self) -> None:
        self.tokens = [(match.lastgroup or "other", match[0]) for match in _TOKEN.finditer(self.text)]
        self.at = 0

    def peek(self, skip_blanks: bool = True, ahead: int = 0) -> tuple[str, str]:
        position = self.at
        while True:
            while skip_blanks and position < len(self.tokens) and self.tokens[position][0] == "blank":
                position += 1
            if ahead == 0 or position >= len(self.tokens):
                break
            ahead, position = ahead - 1, position + 1
        return self.tokens[position] if position < len(self.tokens) else ("end", "")

    def take(self) -> tuple[str, str]:
        while self.at < len(self.tokens) and self.tokens[self.at][0] == "blank":
            self.at += 1
        token = self.tokens[self.at] if self.at < len(self.tokens) else ("end", "")
        self.at += 1
        return token

    def number(self) -> Amount | None:
        """A number with its exponent, multipliers and unit."""
        text = self.take()[1]
        values = readings(text, self.decimal)
        if not values:
            self.unreadable = True
            return None
        amount = Amount(values, values, text=text, slack=last_digit(text, values[0]) / 2)
        if self.peek(skip_blanks=False)[0] == "power":
            exponent = Fraction(int(self.take()[1][1:].replace(" ", "")))
            if values[0].denominator == 1 and abs(exponent) <= 30 and values[0] == 10:
                amount = _scaled(amount, Fraction(10) ** (int(exponent) - 1))
        while self.multiplier():
            amount = self.multiplied(amount)
        return self.with_unit(amount)

    def multiplier(self) -> bool:
        kind, text = self.peek()
        if kind == "times":
            return True
        if kind == "word" and text.casefold() == "x":
            return self.peek(ahead=1)[0] == "number"
        return False

    def multiplied(self, amount: Amount) -> Amount:
        self.take()
        text = self.take()[1]
        others = readings(text, self.decimal)
        if not others:
            self.unreadable = True
            return amount
        other = others[0]
        if other == 10 and self.peek(skip_blanks=False)[0] == "power":
            exponent = int(self.take()[1][1:].replace(" ", ""))
            other = Fraction(10) ** max(-30, min(30, exponent))
        elif other == 10 and not self.multiplier():
            return replace(amount, lost_power=True)
        return _scaled(amount, other)

    def with_unit(self, amount: Amount) -> Amount:
        """The unit behind a number: the longest run of words that is one."""
        start = self.at
        best: tuple[int, Unit | None] = (start, None)
        text = ""
        for _ in range(4):
            kind, part = self.peek()
            squared = kind == "number" and text.casefold() in ("mm", "cm", "um", "µm", "in") and part == "2"
            if not (squared or kind in ("power", "word") or (kind == "separator" and part == "/" and text)):
                break
            blank = " " if self.peek(skip_blanks=False)[0] == "blank" else ""
            self.take()
            text += (blank if text else "") + part
            unit = parse_unit(text)
            if unit is None and text in COUNT_LETTERS and not blank:
                unit = Unit("count", Fraction(10 ** COUNT_LETTERS[text]), text)
            if unit is not None:
                best = (self.at, unit)
        self.at = best[0] if best[1] else start
        if best[1] and best[1].dimension == "count" and best[1].factor >= 1000 and amount.unit is None:
            # "53.9 billion transistors", "1.5 million TFLOPS": a word multiplies what follows.
            following = self.with_unit(replace(amount, unit=best[1]))
            if following.unit is not best[1] and following.unit is not None and following.unit.symbol != "":
                scale = best[1].factor
                return replace(_scaled(amount, scale), unit=following.unit)
            return replace(amount, unit=best[1])
        return replace(amount, unit=best[1] or amount.unit)


def _scaled(amount: Amount, by: Fraction) -> Amount:
    return replace(
        amount,
        lows=tuple(low * by for low in amount.lows),
        highs=tuple(high * by for high in amount.highs),
        slack=amount.slack * abs(by),
    )


def amounts(text: str, decimal: str = POINT) -> tuple[list[Amount], bool]:
    """The amounts of a folded text, and whether something numeric in it made no sense."""
    parser = _Parser(_FOOTNOTE.sub("", text), decimal)
    return list(_amounts(parser)), parser.unreadable


def _amounts(parser: _Parser) -> Iterator[Amount]:  # noqa: PLR0915 - one loop over the tokens reads best whole
    before, depth = "", 0
    words_before: list[str] = []
    bound = ""
    money: Unit | None = None
    last: Amount | None = None
    count = 0
    while (kind := parser.peek()[0]) != "end":
        if kind == "number":
            if count >= MOST_AMOUNTS:
                parser.unreadable = True
                return
            amount = parser.number()
            if amount is None:
                continue
            amount = _ends(parser, amount)
            labels = _labels(" ".join(words_before))
            amount = replace(amount, before="(" if depth else before, labels=labels | amount.labels)
            if money is not None and amount.unit is None:
                amount = replace(amount, unit=money)
            amount = _bounded(amount, bound, " ".join(words_before))
            count += 1
            if last is not None:
                yield last
            last, before, words_before, bound, money = amount, " ", [], "", None
            continue
        text = parser.take()[1]
        if kind == "open":
            depth += 1
        elif kind == "close":
            depth = max(0, depth - 1)
        elif kind == "word":
            unit = parse_unit(text)
            if unit is not None and unit.dimension == "money":
                money = unit
            words_before.append(text)
            if last is not None:
                labels = _labels(text)
                # "1979 sparse", "1979 (with sparsity)": a label behind an amount is its own.
                last = replace(last, labels=last.labels | labels)
                if not text.isascii() and last.before != "(":
                    last = _bounded(last, "", text)  # in East Asian languages "or more" stands behind
                elif len(words_before) == 1 and not labels and last.unit is None and (not depth or last.before == "("):
                    last = replace(last, foreign="" if text.casefold().strip(".") in HARMLESS else text)
        elif kind == "sign":
            bound = text
        elif kind == "dash":
            if text == "~":
                bound = "≈"
        elif kind == "mark":
            if last is None and text == "?":
                # A lone question mark holds the place of an amount that is not known.
                last = Amount((Fraction(0),), (INF,), doubtful=True, text="?")
                continue
            if last is not None:
                last = replace(
                    last, doubtful=last.doubtful or text == "?", starred=last.starred or text in ("*", "†", "‡")
                )
        elif kind == "times" and last is not None and text.strip().casefold() != "*":
            parser.unreadable = True
        elif kind in ("separator", "plusminus"):
            before = text
        elif kind == "other" and text == "+" and last is not None and parser.peek()[0] in ("end", "close"):
            last = _bounded(last, ">=", "")
    if last is not None:
        yield last


def _labels(text: str) -> frozenset[str]:
    found = {name for name in ("sparse", "dense", "base", "boost") if text and pattern(name).search(text)}
    if "dense" in found:
        found.discard("sparse")
    return frozenset(found)


def _ends(parser: _Parser, amount: Amount) -> Amount:
    """A range or a tolerance, when one follows."""
    kind, text = parser.peek()
    if kind == "plusminus" and parser.peek(ahead=1)[0] == "number":
        parser.take()
        wide = parser.number()
        if wide is None:
            return amount
        by = wide.highs[0]
        if wide.unit is not None and wide.unit.dimension == _PERCENT and amount.unit is not wide.unit:
            by = amount.highs[0] * by / 100
        unit = amount.unit or (None if wide.unit and wide.unit.dimension == _PERCENT else wide.unit)
        lows = tuple(low - by for low in amount.lows)
        return replace(amount, lows=lows, highs=tuple(high + by for high in amount.highs), unit=unit, is_range=True)
    joins = kind == "dash" or (kind == "word" and text.casefold() in ("to", "bis", "a", "から", "至", "到"))
    if not joins or parser.peek(ahead=1)[0] != "number":
        return amount
    start = parser.at
    parser.take()
    top = parser.number()
    if top is None:
        return amount
    low, high = _in_one_unit(amount, top)
    if any(first > second for first, second in zip(low.lows, high.highs, strict=False)):
        parser.at = start  # "590-350" is no range
        parser.unreadable = True
        return amount
    size = min(len(low.lows), len(high.highs))
    return replace(low, lows=low.lows[:size], highs=high.highs[:size], unit=high.unit, is_range=True,
                   text=f"{amount.text}-{top.text}", slack=Fraction(0))  # fmt: skip


def _in_one_unit(first: Amount, second: Amount) -> tuple[Amount, Amount]:
    """Two ends of one range: a unit that stands once holds for both."""
    if first.unit is None or second.unit is None:
        unit = second.unit or first.unit
        return replace(first, unit=unit), replace(second, unit=unit)
    if first.unit.dimension == second.unit.dimension and first.unit.factor != second.unit.factor:
        return replace(_scaled(first, first.unit.factor / second.unit.factor), unit=second.unit), second
    return first, second


def _bounded(amount: Amount, sign: str, said: str) -> Amount:
    """`<`, "at least", "about": bounds told by a sign or a word."""
    folded = said.casefold()
    if sign in ("<", "<=", "≤") or (folded and pattern("below").search(folded)):
        return replace(amount, lows=tuple(Fraction(0) for _ in amount.lows), is_range=True)
    if folded and pattern("at_most").search(folded):
        return amount  # "up to 5.4 GHz" names the highest that is claimed
    if sign in (">", ">=", "≥") or (folded and pattern("above").search(folded) and folded != "from"):
        return replace(amount, highs=tuple(INF for _ in amount.highs), is_range=True)
    if sign == "≈" or (folded and pattern("approximate").search(folded)):
        return replace(amount, labels=amount.labels | {"approximate"})
    return amount
