"""The vocabulary as a page, generated from `perfcalc.fields`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from perfcalc.fields import METRICS, SHEET_FIELDS, Field


def fields_list() -> dict[str, Any]:
    """Fields and metrics for ``--json``."""
    return {
        "fields": [
            {
                "field": field.name,
                "type": field.type,
                "unit": field.unit,
                "kinds": list(field.kinds),
                "choices": list(field.choices),
                "low": field.low if field.type == "number" else None,
                "high": field.high if field.type == "number" else None,
                "help": field.help,
            }
            for field in SHEET_FIELDS
        ],
        "metrics": [
            {"metric": m.name, "unit": m.unit, "kinds": list(m.kinds), "formula": m.formula, "law": m.law}
            for m in METRICS.values()
        ],
    }


def fields_markdown() -> str:
    """The page ``docs/fields.md``."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield "# Fields and metrics"
    yield ""
    yield "Generated from `perfcalc/fields/` by `perfcalc fields --markdown`; do not edit."
    yield ""
    yield "## What a sheet may carry"
    yield ""
    yield (
        "A sheet needs `name` and whatever it knows. A blank cell means *not known*, except for a dense rate, where it "
        "means *not claimed*; `?` means that there is a value and it is not known."
    )
    yield ""
    yield "| field | kinds | what it takes | limits |"
    yield "|---|---|---|---|"
    for field in SHEET_FIELDS:
        yield f"| `{field.name}` | {', '.join(field.kinds)} | {field.help} | {_limits(field)} |"
    yield ""
    yield "## What is computed"
    yield ""
    yield (
        "A metric that is not known to a point is left blank and stands as an interval in `<metric>_low` and "
        "`<metric>_high`. `tpp_format` names the rate that gave the TPP."
    )
    yield ""
    yield "| metric | unit | kinds | formula | law |"
    yield "|---|---|---|---|---|"
    for metric in METRICS.values():
        yield f"| `{metric.name}` | {metric.unit} | {', '.join(metric.kinds)} | {metric.formula} | {metric.law} |"


def _limits(field: Field) -> str:
    if field.type == "choice":
        return " \\| ".join(field.choices)
    if field.type == "number":
        return f"{field.low:g} to {field.high:g}{' ' + field.unit if field.unit else ''}"
    return "text"
