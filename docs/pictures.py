"""The charts that README and the pages show.

Their bytes depend on the version of the renderer, so the tests compare what they show: the digest in each file.
"""

from __future__ import annotations

from pathlib import Path

import perfcalc
from perfcalc.answers.charts import Chart

ROOT = Path(__file__).parents[1]


def charts() -> dict[Path, Chart]:
    """Every picture, drawn from the sheets that ship."""
    chips = perfcalc.read(ROOT / "specs" / "chips.csv")
    folder = ROOT / "docs" / "pictures"
    return {
        folder / "density.svg": perfcalc.chart(chips, as_of="2026-11-23"),
        folder / "timeline.svg": perfcalc.chart(chips, kind="timeline", as_of="2026-11-23"),
    }
