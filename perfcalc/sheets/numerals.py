"""Numbers as people type them: separators, exponents, lost superscripts."""

from __future__ import annotations

import re
import unicodedata
from fractions import Fraction
from typing import Final

#: Which mark starts the decimals: a point, a comma, or (``?``) a column that uses both or neither surely.
POINT, COMMA, EITHER = ".", ",", "?"

#: A number with its separators; a blank groups digits only where it cannot be a second number.
NUMERAL: Final = r"(?:\d+(?:[.,'\u2019_\u00a0\u202f\u2009]\d+)*|\.\d+)\.?(?:[eE][+-]?\d{1,3}(?![A-Za-z0-9]))?"

_SUPERSCRIPTS: Final = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
_GROUPED: Final = re.compile(r"\d{1,3}(?: \d{3}){2,}(?!\d)")
_FOLDS: Final = str.maketrans(
    {"×": "x", "✕": "x", "✖": "x", "∗": "*", "–": "-", "—": "-", "−": "-", "‐": "-", "‑": "-", "‒": "-", "―": "-",
     "〜": "~", "～": "~", "∼": "~", "∽": "~", "≃": "≈", "≅": "≈", "⁓": "~", "\ufeff": "", "\u200b": "", "⁄": "/",
     "，": ",", "．": ".", "。": ".", "（": "(", "）": ")", "、": ",", "・": " ", "\t": " "}
)  # fmt: skip


def fold(text: str) -> str:
    """One spelling for signs: ``×`` is ``x``, ``〜`` is ``~``, full-width digits are digits, ``10⁹`` is ``10^9``.

    A superscript after anything but 10 or a unit is a footnote and goes.
    """
    if text.isascii():
        return _GROUPED.sub(lambda match: match[0].replace(" ", ""), text) if " " in text else text
    text = re.sub(r"(?<![\d.,])10([⁻⁺]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+)", lambda match: "10^" + match[1].translate(_SUPERSCRIPTS), text)
    text = re.sub(r"(?<=[a-zµμ])[²]", "2", text)
    text = re.sub(r"[⁰¹²³⁴⁵⁶⁷⁸⁹]+(?=\s|$|[,;)*])|(?<=\d)[¹²³⁴⁵⁶⁷⁸⁹⁰]+", "", text)
    text = text.translate(_FOLDS).replace("\u00a0", "_").replace("\u202f", "_").replace("\u2009", "_")
    text = unicodedata.normalize("NFKC", text)
    # A no-break blank groups digits only between digits; elsewhere it is a blank.
    text = re.sub(r"(?<!\d)_|_(?!\d{3}(?!\d))", " ", text)
    return _GROUPED.sub(lambda match: match[0].replace(" ", ""), text)


def readings(numeral: str, decimal: str = POINT) -> tuple[Fraction, ...]:
    """Every number that a numeral may be, given the decimal mark of its column; none if its groups make no sense.

    >>> readings("1,979")
    (Fraction(1979, 1),)
    >>> readings("1,979", "?")
    (Fraction(1979, 1000), Fraction(1979, 1))
    """
    mantissa, mark, exponent = numeral.partition("e") if "e" in numeral else numeral.partition("E")
    power = Fraction(10) ** int(exponent) if mark else Fraction(1)
    plain = re.sub(r"['\u2019_\u00a0\u202f\u2009]", "", mantissa).rstrip(".")
    return tuple(Fraction(text) * power for text in _spelled(plain, decimal))


def _spelled(plain: str, decimal: str) -> tuple[str, ...]:
    points, commas = plain.count("."), plain.count(",")
    if not points and not commas:
        return (plain,)
    if points and commas:
        last = "." if plain.rfind(".") > plain.rfind(",") else ","
        other = "," if last == "." else "."
        whole, _, part = plain.rpartition(last)
        if last in whole or not _groups(whole, other):
            return ()
        return (f"{whole.replace(other, '')}.{part}",)
    mark = "." if points else ","
    if points + commas > 1:
        return (plain.replace(mark, ""),) if _groups(plain, mark) else ()
    whole, _, part = plain.partition(mark)
    as_decimal, as_group = f"{whole or '0'}.{part}", whole + part
    if not _groups(plain, mark) or whole.startswith("0"):
        return (as_decimal,)
    if decimal == EITHER:
        return (as_decimal, as_group)
    return (as_decimal,) if mark == decimal else (as_group,)


def _groups(text: str, mark: str) -> bool:
    head, *rest = text.split(mark)
    return 0 < len(head) <= 3 and bool(rest) and all(len(part) == 3 for part in rest)


#: Numerals that can only have a decimal comma, and those that can only have a decimal point.
COMMA_EVIDENCE: Final = r"(?:^|[^\d.,])(?:\d{1,3}(?:\.\d{3})+,\d+|\d{1,3}(?:\.\d{3}){2,}|\d+,(?:\d{1,2}|\d{4,})|0,\d+|\d{4,},\d+)(?:$|[^\d.,])"
POINT_EVIDENCE: Final = r"(?:^|[^\d.,])(?:\d{1,3}(?:,\d{3})+\.\d+|\d{1,3}(?:,\d{3}){2,}|\d+\.(?:\d{1,2}|\d{4,})|0\.\d+|\d{4,}\.\d+)(?:$|[^\d.,])"


def last_digit(numeral: str, value: Fraction) -> Fraction:
    """The weight of the last digit that a numeral commits to: ``~30`` to tens, ``~814`` to ones, ``~1.50`` to 0.01."""
    if value == 0:
        return Fraction(0)
    mantissa = re.split(r"[eE]", numeral)[0]
    decimals = re.search(r"[.,](\d+)$", mantissa)
    # Three digits behind a mark are a group of thousands where the value says so.
    grouped = decimals is not None and len(decimals[1]) == 3 and value == Fraction(re.sub(r"\D", "", mantissa))
    if decimals is not None and not grouped and mantissa == numeral:
        return Fraction(1, 10 ** len(decimals[1]))
    if value.denominator != 1:
        return Fraction(1, 10 ** (len(str(value.denominator)) - 1))
    weight = 1
    while value % (weight * 10) == 0:
        weight *= 10
    return Fraction(weight)
