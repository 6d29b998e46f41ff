"""Numbers and intervals as people write them."""

from __future__ import annotations

import numpy as np


def interval_text(low: float, high: float, unit: str = "") -> str:
    """An interval as people write it."""
    tail = f" {unit}" if unit else ""
    if low == high:
        return f"{number_text(low)}{tail}"
    if low <= 0 and high == np.inf:
        return "unknown"
    if high == np.inf:
        return f"{number_text(low)}{tail} or more"
    return f"{number_text(low)} to {number_text(high)}{tail}"


def number_text(value: float) -> str:
    """A number with thousands separators and no more digits than it needs."""
    if value == np.inf:
        return "∞"
    return f"{value:,.10g}" if abs(value) >= 1000 or value == int(value) else f"{value:.5g}"
