"""Is this chip, computer or quantum machine export-controlled: by which rule, where, on which day, by how much?

>>> import perfcalc
>>> sheet = perfcalc.read("specs/chips.csv")
>>> scored = perfcalc.score(sheet, as_of="2026-11-23")
>>> print(perfcalc.explain(sheet, item="NVIDIA H20", as_of="2024-06-01"))  # doctest: +SKIP
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from perfcalc.api import (
        changes,
        chart,
        check,
        coverage,
        design_chart,
        evidence,
        explain,
        headroom,
        headroom_design,
        origin,
        read,
        replay,
        score,
        template,
    )
    from perfcalc.errors import InputError

__version__ = "0.1.0"
__all__ = [
    "InputError",
    "changes",
    "chart",
    "check",
    "coverage",
    "design_chart",
    "evidence",
    "explain",
    "headroom",
    "headroom_design",
    "origin",
    "read",
    "replay",
    "score",
    "template",
]


def __getattr__(name: str) -> Any:
    # Arrow and pandas are imported when they are first needed, so that `perfcalc --help` answers at once.
    if name == "InputError":
        from perfcalc.errors import InputError

        return InputError
    if name in __all__:
        from perfcalc import api

        return getattr(api, name)
    raise AttributeError(f"module 'perfcalc' has no attribute {name!r}")
