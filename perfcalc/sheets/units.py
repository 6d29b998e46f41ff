"""Units as people write them, each an exact factor. `B` is a byte and `b` a bit; `TiB` is not `TB`."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Final


@dataclass(frozen=True)
class Unit:
    """One unit: what it measures, and its size in the base unit of that dimension.

    Attributes
    ----------
    dimension
        ``rate`` (operations a second), ``bandwidth`` (bytes a second), ``area`` (mm²), ``count``, ``share``,
        ``power`` (W), ``length`` (nm), ``frequency`` (Hz), ``memory`` (bytes), ``money`` and so on.
    factor
        Base units in one of it.
    symbol
        How perfcalc writes it.
    others
        Readings beside this one: ``gb/s`` in small letters may be bits.
    """

    dimension: str
    factor: Fraction
    symbol: str
    others: tuple[Unit, ...] = ()


DECIMAL: Final = {"": 0, "k": 3, "K": 3, "M": 6, "m": 6, "G": 9, "g": 9, "T": 12, "t": 12, "P": 15, "p": 15, "E": 18}
LONG: Final = {"kilo": "K", "mega": "M", "giga": "G", "tera": "T", "peta": "P", "exa": "E"}
BINARY: Final = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5}
#: Words that multiply the number before them, in several languages.
WORDS: Final = {
    "thousand": 3, "million": 6, "millions": 6, "mio": 6, "mill": 6, "millionen": 6, "mln": 6,
    "billion": 9, "billions": 9, "bn": 9, "milliarden": 9, "mrd": 9, "bln": 9, "trillion": 12, "billionen": 12,
    "万": 4, "萬": 4, "만": 4, "億": 8, "亿": 8, "억": 8, "兆": 12, "조": 12, "百万": 6, "十亿": 9, "十億": 9, "십억": 9, "백만": 6,
}  # fmt: skip
#: Letters that multiply a count where no other unit stands: ``208B``, ``54.2 G``.
COUNT_LETTERS: Final = {"K": 3, "k": 3, "M": 6, "m": 6, "B": 9, "b": 9, "G": 9, "T": 12}

_FIXED: Final = {
    **dict.fromkeys(("mm2", "mm^2", "mm**2", "sqmm", "mmsq", "squaremm", "mm²", "squaremillimeters",
                     "squaremillimetres", "squaremillimeter", "평방mm", "平方毫米", "平方ミリメートル", "qmm",
                     "제곱밀리미터", "quadratmillimeter"), ("area", Fraction(1), "mm2")),
    **dict.fromkeys(("cm2", "cm^2", "cm²", "sqcm", "平方厘米"), ("area", Fraction(100), "cm2")),
    **dict.fromkeys(("um2", "µm2", "μm2", "um^2", "µm^2", "μm^2", "µm²", "μm²"), ("area", Fraction(1, 10**6), "um2")),
    **dict.fromkeys(("in2", "in^2", "sqin"), ("area", Fraction(64516, 100), "in2")),
    **dict.fromkeys(("nm", "nanometer", "nanometre", "ナノメートル", "나노", "纳米", "奈米"), ("length", Fraction(1), "nm")),
    **dict.fromkeys(("um", "µm", "μm", "micron", "微米"), ("length", Fraction(1000), "um")),
    "mm": ("length", Fraction(10**6), "mm"),
    "cm": ("length", Fraction(10**7), "cm"),
    "%": ("share", Fraction(1, 100), "%"),
    "percent": ("share", Fraction(1, 100), "%"),
    "ppm": ("share", Fraction(1, 10**6), "ppm"),
    **dict.fromkeys(("qubits", "qubit", "qubits.", "큐비트", "量子比特", "量子ビット"), ("count", Fraction(1), "qubits")),
    **dict.fromkeys(("transistors", "transistor", "xtors", "트랜지스터", "晶体管", "トランジスタ"), ("count", Fraction(1), "")),
    **dict.fromkeys(("pcs", "pieces", "units", "개", "個", "个", "stück"), ("count", Fraction(1), "")),
    **dict.fromkeys(("a", "amp", "amps", "ampere"), ("current", Fraction(1), "A")),
    **dict.fromkeys(("v", "volt", "volts"), ("voltage", Fraction(1), "V")),
    **dict.fromkeys(("gt/s", "mt/s"), ("transfers", Fraction(1), "GT/s")),
    **dict.fromkeys(("$", "usd", "us$", "dollar", "dollars"), ("money", Fraction(1), "USD")),
    **dict.fromkeys(("€", "eur", "euro"), ("money", Fraction(1), "EUR")),
    **dict.fromkeys(("£", "gbp"), ("money", Fraction(1), "GBP")),
    **dict.fromkeys(("¥", "jpy", "円", "엔"), ("money", Fraction(1), "JPY")),
    **dict.fromkeys(("cny", "rmb", "元"), ("money", Fraction(1), "CNY")),
    **dict.fromkeys(("₩", "krw", "원"), ("money", Fraction(1), "KRW")),
}  # fmt: skip

_SI: Final = re.compile(r"(kilo|mega|giga|tera|peta|exa|[kKMmGgTtPpE]?)(.*)", re.DOTALL | re.IGNORECASE)
_PER_SECOND: Final = re.compile(r"(?:/|per|p)(?:seconds?|secs?|s|초|秒|sekunde)$", re.IGNORECASE)
_BYTES: Final = re.compile(
    r"([KMGTPkmgtp]i?|kilo|mega|giga|tera|peta)?((?i:bytes?|bits?|octets?)|B|b|바이트|字节|バイト)$"
)
_RATE: Final = re.compile(
    r"(?:fp\d+|int\d+|bf16|tf32|tensor|sparse|dense|ai)?(kilo|mega|giga|tera|peta|exa|[KMGTPE]?)"
    r"(bit-?)?(flops?|ops?|operations?|macs?|opers|フロップス|플롭스)$",
    re.IGNORECASE,
)


@lru_cache(maxsize=4096)
def parse_unit(text: str) -> Unit | None:
    """The unit that a text names, or None.

    >>> parse_unit("TB/s").factor
    Fraction(1000000000000, 1)
    >>> parse_unit("Gb/s").factor
    Fraction(125000000, 1)
    """
    plain = unicodedata.normalize("NFKC", text.replace("²", "2")).strip().strip("[](){}.,;:").replace(" ", "")
    if not plain or len(plain) > 32:
        return None
    fixed = _FIXED.get(plain.casefold()) or _FIXED.get(plain)
    if fixed:
        return Unit(*fixed)
    word = WORDS.get(plain.casefold())
    if word is not None:
        return Unit("count", Fraction(10**word), plain.casefold())
    for read in (_parse_word_count, _parse_rate, _parse_bytes, _parse_plain_si):
        unit = read(plain)
        if unit is not None:
            return unit
    return None


def _parse_word_count(plain: str) -> Unit | None:
    match = re.match(r"(thousand|million|billion|mio|mrd)s?\.?(?:of)?(transistors?|xtors?)$", plain.casefold())
    return Unit("count", Fraction(10 ** WORDS[match[1]]), match[1]) if match else None


def _power_of(prefix: str) -> int:
    return DECIMAL[LONG.get(prefix.casefold(), prefix.upper())]


def _parse_rate(plain: str) -> Unit | None:
    per_second = _PER_SECOND.search(plain)
    match = _RATE.match(plain) or (_RATE.match(plain[: per_second.start()]) if per_second else None)
    if not match:
        return None
    prefix, of_bits, what = match[1], match[2], match[3].casefold()
    factor = Fraction(10) ** _power_of(prefix)
    short = LONG.get(prefix.casefold(), prefix.upper())
    if of_bits:
        return Unit("bit_operations", factor, f"{short}bit-OP/s")
    if what.startswith("mac"):
        # One multiply-accumulate is two operations.
        return Unit("rate", 2 * factor, f"{short}MAC/s")
    floating = what.startswith(("flop", "フ", "플"))
    return Unit("rate", factor, f"{short}FLOPS" if floating else f"{short}OPS")


def _parse_bytes(plain: str) -> Unit | None:
    per_second = _PER_SECOND.search(plain)
    bare = plain[: per_second.start()] if per_second else plain
    match = _BYTES.match(bare)
    if not match:
        return None
    prefix, what = match[1] or "", match[2]
    prefix = LONG.get(prefix.casefold(), prefix)
    if prefix.endswith("i"):
        factor = Fraction(1024) ** BINARY[prefix[0].upper() + "i"]
    else:
        factor = Fraction(10) ** DECIMAL[prefix.upper()]
    dimension, suffix = ("bandwidth", "/s") if per_second else ("memory", "")
    shown = prefix if prefix.endswith("i") else prefix.upper()
    as_bytes = Unit(dimension, factor, f"{shown}B{suffix}")
    as_bits = Unit(dimension, factor / 8, f"{shown}b{suffix}")
    long = what.casefold().startswith(("bit", "byte", "octet")) or what in ("바이트", "字节", "バイト")
    bits = what.casefold().startswith("bit") if long else what == "b"
    if per_second and not long and bare.islower() == plain.islower() and (plain.islower() or plain.isupper()):
        # All small or all capital letters say nothing about bytes or bits.
        return Unit(dimension, factor, f"{shown}B{suffix}", (as_bits,))
    return as_bits if bits else as_bytes


def _parse_plain_si(plain: str) -> Unit | None:
    for names, dimension, symbol in (
        (("w", "watt", "watts"), "power", "W"),
        (("hz", "hertz", "herz"), "frequency", "Hz"),
    ):
        for name in names:
            if plain.casefold().endswith(name):
                prefix = plain[: -len(name)]
                short = LONG.get(prefix.casefold(), prefix)
                if short == "m" and dimension == "power":
                    return Unit(dimension, Fraction(1, 1000), "mW")
                if short in DECIMAL:
                    power = DECIMAL[short]
                    return Unit(dimension, Fraction(10**power), f"{short.upper() if power > 3 else short}{symbol}")
    return None


def field_unit(unit: str) -> Unit:
    """The unit of a field of `perfcalc.fields`, as a unit."""
    if unit == "billion":
        return Unit("count", Fraction(10**9), "billion")
    if not unit:
        return Unit("number", Fraction(1), "")
    known = parse_unit(unit)
    return known or Unit(unit, Fraction(1), unit)
