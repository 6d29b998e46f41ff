"""Charts, drawn by Altair and an offline renderer (extra ``charts``): which there are, and which suits a sheet."""

from __future__ import annotations

from typing import Final

from perfcalc.answers.charts.render import Chart

__all__ = ["KINDS", "Chart"]

#: Kind of chart -> what it shows.
KINDS: Final = {
    "density": "integrated circuits: TPP against performance density, among the paragraphs of the day",
    "timeline": "through time: which items each rule caught",
    "quantum": "quantum computers: qubits against C-NOT error, with the ladder",
    "coverage": "items against jurisdictions",
    "origin": "where chips were likely made, against their designer's cut-off",
}
