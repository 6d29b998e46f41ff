"""Mapping files: which heading of somebody's sheet is which field. The importers are such files and nothing more."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from perfcalc.errors import InputError
from perfcalc.fields import FIELDS, SHEET_FIELDS
from perfcalc.sheets.headers import Binding, read_heading
from perfcalc.sheets.quantities import Style
from perfcalc.sheets.units import parse_unit

FOLDER: Final = Path(__file__).parent / "mappings"
KEYS: Final = frozenset(("field", "fields", "unit", "at_least", "sparse", "values", "spread", "vector"))
Source = dict[str, Any]


@cache
def importers() -> dict[str, Source]:
    """The mapping files that ship, by name."""
    return {path.stem: _load(path) for path in sorted(FOLDER.glob("*.yaml"))}


def _load(path: Path) -> Source:
    try:
        raw = yaml.load(path.read_text("utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - the safe loader, in C
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InputError(f"{path}: {error}", "see the mapping files in perfcalc/sheets/mappings") from error
    if not isinstance(raw, dict) or not isinstance(raw.get("columns"), dict):
        raise InputError(f"{path}: has no 'columns'", "write one line a column: 'Their heading: field'")
    return raw


def find_importer(columns: Sequence[str]) -> tuple[str, Source]:
    """The importer whose headings a sheet has, and its name; nothing when none fits."""
    present = set(columns)
    for name, source in importers().items():
        wanted = source.get("recognise")
        if wanted and present.issuperset(wanted):
            return name, source
    return "", {}


def load_mapping(file: str | Path | None = None, pairs: Sequence[str] = ()) -> Source:
    """A mapping from a file (or the name of an importer) and from ``Their heading=field`` pairs; pairs win.

    A pair may name the unit: ``Perf=fp16_tflops (GFLOPS)``; without a field, ``Perf=``, the column is left alone.

    Raises
    ------
    InputError
        The file, a field or a unit cannot be used.
    """
    columns: Source = {}
    if file is not None:
        known = importers().get(str(file))
        columns.update((known or _load(Path(file)))["columns"])
    for pair in pairs:
        heading, mark, said = pair.rpartition("=")
        if not mark or not heading.strip():
            raise InputError(f"--map {pair!r} names no heading", 'write --map "Their heading=field"')
        match = re.fullmatch(r"(\w*)\s*(?:\((.+)\))?", said.strip())
        if match is None:
            raise InputError(f"--map {pair!r} names no field", 'write --map "Their heading=field (unit)"')
        field, unit = match.groups()
        columns[heading.strip()] = None if not field else {"field": field, **({"unit": unit} if unit else {})}
    return {"columns": columns} if columns else {}


def bindings_from(source: Mapping[str, Any], columns: Sequence[str], where: str, strict: bool = False) -> list[Binding]:
    """The bindings of a mapping for the columns that a sheet has.

    Raises
    ------
    InputError
        It names a field or unit that does not exist, or (`strict`) a column that the sheet does not have.
    """
    found: list[Binding] = []
    folded = {" ".join(column.split()).casefold(): column for column in columns}
    for heading, said in source["columns"].items():
        column = heading if heading in columns else folded.get(" ".join(str(heading).split()).casefold())
        if column is None:
            if strict and said is not None and len(source["columns"]) <= len(columns):
                shown = ", ".join(columns[:12])
                raise InputError(
                    f"{where}: the mapping names {heading!r}, and no column is called so", f"found: {shown}"
                )
            continue
        found += _bindings(column, said, heading)
    return found


def _bindings(column: str, said: Any, heading: str) -> list[Binding]:
    if said is None:
        return []
    options = {"field": said} if isinstance(said, str) else said
    if not isinstance(options, dict) or not set(options) <= KEYS:
        raise InputError(f"the mapping of {heading!r} is {said!r}", f"use {', '.join(sorted(KEYS))}")
    fields = options.get("fields") or [options.get("field")]
    known = {field.name for field in SHEET_FIELDS}
    for field in fields:
        if field not in known:
            raise InputError(
                f"the mapping of {heading!r} names {field!r}, which is no field", "see `perfcalc template`"
            )
    written = options.get("unit")
    unit = parse_unit(written) if written else read_heading(column).style.unit
    if written and unit is None:
        raise InputError(f"the mapping of {heading!r} names the unit {written!r}", "use one such as TFLOPS, GB/s, mm2")
    labels = set(read_heading(column).style.labels)
    if options.get("sparse"):
        labels = {"sparse"}
    if options.get("vector"):
        labels.add("vector")
    if fields[1:] and {"transistors_bn", "die_area_mm2"} == set(fields):
        labels.add("transistors_die")
    style = Style(unit, labels=frozenset(labels), at_least=bool(options.get("at_least")))
    if unit is not None and FIELDS[fields[0]].type == "text" and unit.dimension != "length":
        style = Style()
    spread = options.get("spread")
    return [
        Binding(
            field,
            column,
            style,
            "mapping",
            tuple((str(key).casefold(), str(value)) for key, value in (options.get("values") or {}).items()),
            (Fraction(str(spread[0])), Fraction(str(spread[1]))) if spread else None,
        )
        for field in fields
    ]


def mapping_text(bindings: Mapping[str, list[Binding]]) -> str:
    """What was understood of a sheet, as a mapping file to edit and keep."""
    columns: Source = {}
    for many in bindings.values():
        for one in many:
            entry = columns.setdefault(one.column, {"fields": []})
            entry["fields"].append(one.field)
            if one.style.unit is not None and one.style.unit.symbol:
                entry["unit"] = one.style.unit.symbol
            for key, wanted in (("sparse", "sparse" in one.style.labels), ("at_least", one.style.at_least)):
                if wanted:
                    entry[key] = True
            if one.values:
                entry["values"] = dict(one.values)
            if one.spread:
                entry["spread"] = [str(part) for part in one.spread]
    return yaml.safe_dump({"columns": columns}, allow_unicode=True, sort_keys=False, width=120)
