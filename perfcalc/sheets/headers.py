"""Column headings become fields."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches

from perfcalc.errors import InputError
from perfcalc.fields import SHEET_FIELDS


def recognise(columns: Sequence[str], where: str) -> dict[str, str]:
    """Which column carries which field: ``{field: column}``. Case, blanks and hyphens do not matter.

    Raises
    ------
    InputError
        A heading occurs twice, two columns carry the same field, or none is the name.
    """
    known = {field.name for field in SHEET_FIELDS}
    found: dict[str, str] = {}
    for column in columns:
        if columns.count(column) > 1:
            raise InputError(f"{where}: the heading {column!r} occurs twice", "rename or remove one of the columns")
        field = _folded(column)
        if field in known:
            if field in found:
                raise InputError(
                    f"{where}: the columns {found[field]!r} and {column!r} are both {field}",
                    "rename or remove one of them",
                )
            found[field] = column
    if "name" not in found:
        headings = ", ".join(columns[:12])
        raise InputError(f"{where}: no column is called 'name' (found: {headings})", "call the item's column 'name'")
    return found


def suggest(columns: Sequence[str], found: Mapping[str, str]) -> dict[str, str]:
    """For columns that were not recognised, the free field that looks most alike. Printed, never applied."""
    free = [field.name for field in SHEET_FIELDS if field.name not in found]
    taken = set(found.values())
    return {
        column: close[0]
        for column in columns
        if column not in taken and (close := get_close_matches(_folded(column), free, n=1, cutoff=0.8))
    }


def _folded(column: str) -> str:
    return re.sub(r"[\s-]+", "_", column.strip().casefold())
