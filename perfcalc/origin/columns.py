"""Column headings become the fields that the origin model reads."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from perfcalc.fields import ORIGIN_FIELDS

#: Other headings of the same things. Nothing here may name a foundry, a mark, a measured node or a label.
ALIASES: Final = {
    "chip": "name",
    "node_claimed": "process_node",
    "product_vendor": "product_maker",
    "product_category": "product_class",
    "peak_clock": "peak_clock_ghz",
    "announced": "chip_announced",
    "launch_date": "product_launch",
}


def recognise_origin(columns: Sequence[str]) -> dict[str, str]:
    """Which column carries which field: ``{field: column}``; a field's own name goes before another heading of it."""
    folded = {re.sub(r"[\s-]+", "_", column.strip().casefold()): column for column in columns}
    found = {name: folded[name] for name in ORIGIN_FIELDS if name in folded}
    for heading, name in ALIASES.items():
        if name not in found and heading in folded:
            found[name] = folded[heading]
    return found
