"""Bytes become text: byte-order marks, UTF-8, and the encodings that spreadsheets still write."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from typing import BinaryIO, Final

import numpy as np

from perfcalc.errors import InputError

BLOCK: Final = 1 << 20
SAMPLE: Final = 1 << 16
BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
#: Tried in this order when a file is not UTF-8; the text itself decides among them.
LEGACY: Final = ("cp949", "cp932", "gb18030", "big5", "euc_jp", "cp1252", "latin-1")


@dataclass(frozen=True)
class Scan:
    """What a look at every byte of a file tells.

    Attributes
    ----------
    encoding
        How the bytes are read as text.
    quotes
        There is a double quote somewhere.
    plain
        The bytes are UTF-8 as they stand (a byte-order mark aside).
    commas, lines
        How many there are of each, in text that is plain.
    """

    encoding: str
    quotes: bool
    plain: bool
    commas: int = 0
    lines: int = 0


def scan(file: BinaryIO, where: str) -> Scan:
    """Find the encoding of a file from all of its bytes.

    Raises
    ------
    InputError
        No encoding fits.
    """
    file.seek(0)
    first = file.read(BLOCK)
    for mark, name in BOMS:
        if first.startswith(mark):
            if name != "utf-8-sig":
                return Scan(name, True, False)
            break
    else:
        if wide := _without_mark(first):
            return Scan(wide, True, False)
    quotes, valid = False, True
    commas = lines = 0
    last = b""
    decoder = codecs.getincrementaldecoder("utf-8")()
    block = first
    while block:
        quotes = quotes or b'"' in block
        letters = np.frombuffer(block, np.uint8)
        commas += int(np.count_nonzero(letters == ord(",")))
        lines += int(np.count_nonzero(letters == ord("\n")))
        last = block[-1:]
        try:
            if not block.isascii() or decoder.getstate()[0]:
                decoder.decode(block)
        except UnicodeDecodeError:
            valid = False
            break
        block = file.read(BLOCK)
    if valid:
        try:
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            valid = False
    if valid:
        name = "utf-8-sig" if first.startswith(codecs.BOM_UTF8) else "utf-8"
        return Scan(name, quotes, True, commas, lines + (last not in (b"", b"\n")))
    return Scan(_legacy(file, where), True, False)


def _without_mark(data: bytes) -> str:
    """UTF-16 without a mark shows as every other byte zero."""
    sample = data[:4096]
    if len(sample) < 8 or b"\0" not in sample:
        return ""
    even, odd = sample[0::2].count(0) / (len(sample) / 2), sample[1::2].count(0) / (len(sample) / 2)
    if odd > 0.4 and even < 0.1:
        return "utf-16-le"
    return "utf-16-be" if even > 0.4 and odd < 0.1 else ""


def _legacy(file: BinaryIO, where: str) -> str:
    file.seek(0)
    sample = file.read(1 << 22)
    cut = sample.rfind(b"\n")
    sample = sample[: cut + 1] if cut > 0 and len(sample) == 1 << 22 else sample
    best = max(LEGACY, key=lambda name: _likelihood(sample, name))
    if _likelihood(sample, best) <= 0:
        raise InputError(f"{where}: its bytes are text in no encoding that perfcalc knows", "save it as UTF-8")
    file.seek(0)
    try:
        decoder = codecs.getincrementaldecoder(best)()
        while block := file.read(BLOCK):
            decoder.decode(block)
    except UnicodeDecodeError as error:
        raise InputError(
            f"{where}: mixes encodings ({best}, then something else: {error})", "save it as UTF-8"
        ) from error
    return best


def _likelihood(sample: bytes, encoding: str) -> float:
    """How much a sample looks like text in an encoding; zero or less if it cannot be."""
    try:
        text = sample.decode(encoding)
    except UnicodeDecodeError:
        return -1.0
    foreign = [letter for letter in text[: 4 * SAMPLE] if letter > "\x7f"]
    if not foreign:
        return 1.0
    size = len(foreign)
    share = {
        name: sum(low <= letter <= high for letter in foreign) / size
        for name, (low, high) in {
            "hangul": ("가", "힣"), "kana": ("ぁ", "ヿ"), "han": ("一", "鿿"), "half": ("｡", "ﾟ"), "private": ("\ue000", "\uf8ff"),
        }.items()
    }  # fmt: skip
    controls = sum("\x80" <= letter <= "\x9f" for letter in foreign) / size
    known = _known_headings(text)
    odd = share["private"] + controls
    if encoding == "cp949":
        fit = share["hangul"] if share["hangul"] > 0.85 else 0.2 * share["hangul"]
    elif encoding in ("cp932", "euc_jp"):
        fit = share["kana"] * 1.5 + 0.5 * share["han"] - share["half"] if share["kana"] > 0.1 else 0.2 * share["han"]
        fit -= 0.05 * (encoding == "euc_jp")
    elif encoding in ("gb18030", "big5"):
        fit = 0.7 * share["han"] - 0.05 * (encoding == "big5") - share["hangul"] - share["kana"]
    else:
        # Western text is mostly ASCII with single letters and signs between.
        runs = [len(run) for run in re.findall(r"[^\x00-\x7f]+", text[: 4 * SAMPLE])]
        usual = sum(letter in "äöüÄÖÜßéèàçñáíóú²³µ°±×–—’‘“”€®™©·†•…¹£¥§ª«»≤≥ " for letter in foreign) / size
        fit = 0.9 * usual if max(runs) <= 3 else 0.3 * usual
        fit += 0.01 - 0.02 * (encoding == "latin-1")
    return fit - odd + 0.5 * known + 0.001


def _known_headings(text: str) -> int:
    """How many cells of the first lines are headings that perfcalc knows by a foreign name."""
    from perfcalc.sheets.headers import read_heading  # noqa: PLC0415 - only a file that is not UTF-8 needs it

    cells = re.split(r"[,;\t|\r\n]", text[:4096])[:200]
    return sum(1 for cell in cells if not cell.isascii() and read_heading(cell.strip().strip('"')).fields)
