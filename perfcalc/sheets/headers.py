"""Column headings become fields, in several languages and with their units."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from fractions import Fraction
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final

import yaml

from perfcalc.errors import InputError
from perfcalc.fields import FIELDS, SHEET_FIELDS
from perfcalc.sheets.quantities import PLAIN, Style
from perfcalc.sheets.units import Unit, field_unit, parse_unit
from perfcalc.sheets.words import pattern

TABLE: Final = Path(__file__).parent / "headers.yaml"


@dataclass(frozen=True)
class Binding:
    """One column read as one field.

    Attributes
    ----------
    field, column
        The names of both.
    style
        How the column writes its cells.
    how
        Why perfcalc thinks so: ``name``, ``alias``, ``mapping``.
    values
        What the column's own words stand for.
    spread
        The figure times these two is the interval that the field gets (a rate whose number format is not stated).
    """

    field: str
    column: str
    style: Style = PLAIN
    how: str = "name"
    values: tuple[tuple[str, str], ...] = ()
    spread: tuple[Fraction, Fraction] | None = None


class Columns(dict[str, str]):
    """Which column carries which field, ``{field: column}``, and beside it every binding with its style.

    Several columns may carry one field: `bindings` has them all, the mapping itself the first.
    """

    def __init__(self, bindings: Iterable[Binding] = (), importer: str = "") -> None:
        self.bindings: dict[str, list[Binding]] = {}
        self.importer = importer
        super().__init__()
        for binding in bindings:
            self.bindings.setdefault(binding.field, []).append(binding)
            self.setdefault(binding.field, binding.column)

    def __reduce__(self) -> tuple[Any, ...]:
        return Columns, (tuple(one for many in self.bindings.values() for one in many), self.importer)


def bindings_of(columns: Mapping[str, str], field: str) -> list[Binding]:
    """Every column that carries a field; for a plain mapping the one that it names."""
    if isinstance(columns, Columns):
        return columns.bindings.get(field, [])
    return [Binding(field, columns[field])] if field in columns else []


def cells_of(columns: Mapping[str, str]) -> list[str]:
    """The columns that facts are read from: all that carry a field but the item's own name and id."""
    wanted = [one.column for field in columns if field not in ("id", "name") for one in bindings_of(columns, field)]
    return list(dict.fromkeys(wanted))


@dataclass(frozen=True)
class Heading:
    """What a heading says: the fields that it names, the unit of its cells, and ``sparse`` or ``dense``."""

    fields: tuple[str, ...]
    style: Style = PLAIN
    how: str = ""


_FOOTNOTES: Final = re.compile(r"\[(?:\d+|[a-z]|note \d+)\]|[*†‡¹²³⁴⁵⁶⁷⁸⁹⁰]+(?=\s|$)")
_ACCUMULATE: Final = re.compile(r"\(?(?:with |w/ )?(?:fp|int)\d+[ -]acc\w*\.?\)?|(?:fp|int)\d+ accumulate\w*")
_BRACKETS: Final = re.compile(r"[(\[（{]([^()\[\]（）{}]*)[)\]）}]")


@cache
def _table() -> tuple[dict[str, str], dict[str, str], tuple[str, ...]]:
    """Aliases, formats and generic words, each as folded keys."""
    raw = yaml.load(TABLE.read_text("utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - the safe loader, in C
    aliases = {_key(alias): name for name, found in raw["fields"].items() for alias in found}
    formats = {_key(alias): name for name, found in raw["formats"].items() for alias in found}
    generic = tuple(sorted({_key(word) for word in raw["generic"]}, key=len, reverse=True))
    return aliases, formats, generic


def _key(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(re.sub(r"[^\w%]+|_", " ", plain).split())


@lru_cache(maxsize=4096)
def read_heading(column: str) -> Heading:
    """What a heading says, by its name or the table of aliases; no guess.

    >>> read_heading("Peak INT8 (GOPS, dense)").fields
    ('int8_tops',)
    """
    known = {field.name for field in SHEET_FIELDS}
    name = _key(column).replace(" ", "_")
    if name in known:
        return Heading((name,), how="name")
    text = _ACCUMULATE.sub(" ", unicodedata.normalize("NFKC", _FOOTNOTES.sub("", column.replace("²", "^2"))))
    for plain in (text, column):
        heading = _alias(plain)
        if heading is not None:
            return heading
    return Heading(())


def _alias(text: str) -> Heading | None:
    labels = frozenset(name for name in ("sparse", "dense") if pattern(name).search(text))
    if re.search(r"\d:\d", text) and "sparse" in labels and "dense" not in labels:
        labels = frozenset(("sparse",))
    if "dense" in labels and re.search(r"without|no sparsity|non-sparse|w/o|ohne", text, re.IGNORECASE):
        labels = frozenset(("dense",))
    for name in ("sparse", "dense"):
        text = re.sub(r"\b\d:\d\b", " ", pattern(name).sub(" ", text))
    unit, text = _unit_in(text)
    bare = _key(_BRACKETS.sub(" ", text))
    aliases, _, _ = _table()
    for key in dict.fromkeys((bare, _key(text), *(_without_generic(_key(text)),))):
        field = aliases.get(key)
        if field is not None and _fits(unit, field):
            return Heading((field,), _style(unit, labels), "alias")
    if _key(text) in ("transistors die size", "transistors and die size", "transistors die area"):
        return Heading(("transistors_bn", "die_area_mm2"), Style(labels=frozenset(("transistors_die",))), "alias")
    fields = _formats(_key(text)) or _formats(bare)
    if fields and (unit is None or unit.dimension == "rate"):
        return Heading(fields, _style(unit, labels), "alias")
    return None


def _style(unit: Unit | None, labels: frozenset[str]) -> Style:
    return Style(unit=unit, labels=labels) if unit is not None or labels else PLAIN


def _fits(unit: Unit | None, field: str) -> bool:
    if unit is None:
        return True
    if FIELDS[field].type != "number":
        return field == "process_node" and unit.dimension == "length"
    wanted = field_unit(FIELDS[field].unit).dimension
    return unit.dimension == wanted or (wanted == "area" and unit.symbol in ("mm", "cm")) or (
        wanted == "number" and unit.dimension in ("share", "count")
    )  # fmt: skip


def _unit_in(text: str) -> tuple[Unit | None, str]:
    """The unit that a heading names, and the heading without it."""
    for match in _BRACKETS.finditer(text):
        inside = match[1].replace("_", " ")
        for part in (inside, *re.split(r"[,;|]|\bin\b", inside)):
            unit = parse_unit(part) if part.strip() else None
            if unit is not None:
                rest = inside.replace(part, " ") if part != inside else ""
                return unit, f"{text[: match.start()]} ({rest}) {text[match.end() :]}".replace("( )", "")
    words = re.sub(r"_", " ", text).replace(",", " ").split()
    for size in (3, 2, 1):
        if len(words) > size or (size == 1 and len(words) == 1):
            ending = words[-size:]
            for spelled in ("".join(ending), "/".join(ending)):
                unit = parse_unit(spelled)
                plain_letter = len(spelled) == 1 and spelled != "m"
                if spelled == "m":
                    unit = Unit("count", Fraction(10**6), "million")
                if unit is not None and not plain_letter and (unit.symbol or unit.factor > 1):
                    return unit, " ".join(word for word in words[:-size] if word.casefold() != "in")
    if len(words) > 1:
        unit = parse_unit(words[0])
        if unit is not None and unit.dimension == "rate":
            return unit, " ".join(words[1:])
    return None, text


def _without_generic(key: str) -> str:
    words = [word for word in key.split() if word not in ("total", "the", "of", "peak", "max", "in", "approx", "size")]
    return " ".join(words) if len(words) < len(key.split()) else key


def _formats(key: str) -> tuple[str, ...]:
    """The rate fields that a heading names, if all its other words add nothing."""
    _, formats, generic = _table()
    key = f" {re.sub(r'(?<=[a-z]) (?=(?:64|32|16|8|6|4)(?: |$))', '', key)} "
    key = re.sub(r"(?<=fp|bf|tf) (?=\d)|(?<=int) (?=\d)", "", key)
    found: list[str] = []
    for alias in sorted(formats, key=len, reverse=True):
        if f" {alias} " in key or (not alias.isascii() and alias in key):
            key = key.replace(alias if not alias.isascii() else f" {alias} ", "  ")
            key = f" {' '.join(key.split())} "
            if formats[alias] not in found:
                found.append(formats[alias])
    for word in generic:
        key = key.replace(word if not word.isascii() else f" {word} ", "  ")
        key = f" {' '.join(key.split())} "
    return tuple(found) if not key.strip() else ()


def recognise(columns: Sequence[str], where: str, mapping: Mapping[str, Any] | None = None) -> Columns:
    """Which column carries which field: ``{field: column}``, with the style of each in `Columns.bindings`.

    A column that `mapping` names is read as it says; else by the mapping file whose headings it has (an importer);
    else by its name or alias. A heading that is a field's name goes before one that is an alias of it.

    Raises
    ------
    InputError
        No column is the name, or the mapping names what does not exist.
    """
    from perfcalc.sheets.mapping import bindings_from, find_importer  # noqa: PLC0415 - it imports this module

    importer, imported = find_importer(columns)
    mapped = bindings_from(imported, columns, where) if imported else []
    if mapping:
        own = bindings_from(mapping, columns, where, strict=True)
        taken = {one.column for one in own} | set(mapping.get("columns", {}))
        mapped = [one for one in mapped if one.column not in taken] + own
    settled = {one.column for one in mapped}
    settled |= {column for source in (imported, mapping) if source for column in source.get("columns", {})}
    read = {column: read_heading(_unnumbered(column, columns)) for column in columns if column not in settled}
    named = [
        Binding(field, column, heading.style, heading.how)
        for how in ("name", "alias")
        for column, heading in read.items()
        if heading.how == how
        for field in heading.fields
    ]
    own_names = {one.field for one in (*mapped, *named) if one.how != "alias"}
    # An alias of a text field is a second opinion that nobody asked for: "chip" beside "name".
    named = [
        one for one in named if one.how == "name" or FIELDS[one.field].type == "number" or one.field not in own_names
    ]
    found = Columns((*mapped, *named), importer)
    if "name" not in found:
        headings = ", ".join(columns[:12])
        raise InputError(
            f"{where}: no column is called 'name' (found: {headings})",
            "call the item's column 'name', or say which it is with --map \"Their heading=name\"",
        )
    return found


def _unnumbered(column: str, columns: Sequence[str]) -> str:
    """The heading before it was made unique: ``name (2)`` beside ``name``."""
    match = re.fullmatch(r"(.+) \(\d+\)", column, re.DOTALL)
    return match[1] if match and match[1] in columns else column


def make_unique(headings: Sequence[str | None]) -> list[str]:
    """Headings that are all there and all different: ``column 3`` for a blank one, ``TDP (2)`` for the second."""
    names = [" ".join((heading or "").split()) or f"column {at}" for at, heading in enumerate(headings, start=1)]
    taken = set(names)
    seen: Counter[str] = Counter()
    unique = []
    for name in names:
        seen[name] += 1
        candidate = name
        while seen[name] > 1 and candidate in taken:
            candidate = f"{name} ({seen[name]})"
            seen[name] += candidate in taken
        taken.add(candidate)
        unique.append(candidate)
    return unique


def suggest(columns: Sequence[str], found: Mapping[str, str]) -> dict[str, str]:
    """For columns that were not recognised, the field that looks most alike. Printed, never applied."""
    free = {_key(field.name): field.name for field in SHEET_FIELDS if field.name not in found}
    free |= {alias: field for alias, field in _table()[0].items() if field not in found}
    taken = set(found.values())
    if isinstance(found, Columns):
        taken |= {one.column for many in found.bindings.values() for one in many}
    return {
        column: free[close[0]]
        for column in columns
        if column not in taken and (close := get_close_matches(_key(column), free, n=1, cutoff=0.8))
    }
