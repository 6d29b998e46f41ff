"""Figures that cannot be right, or that contradict one another. Knows physics and products, and no law.

Every finding is a warning with a code. Where it undermines a number, the number becomes an interval.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from fractions import Fraction
from typing import Any, Final

import numpy as np
import pyarrow as pa

from perfcalc.facts import UNROUNDED, Facts, Flags, Indices, Numbers
from perfcalc.fields import KINDS, RATES
from perfcalc.sheets.cells import texts
from perfcalc.sheets.dates import read_date
from perfcalc.sheets.headers import bindings_of
from perfcalc.sheets.nodes import find, foundry_in, node_text
from perfcalc.sheets.problems import Problems
from perfcalc.sheets.said import distinct

#: The formats that only a matrix unit (or the absence of one) explains; a sheet that has one knows its matrix rates.
MATRIX: Final = ("tf32_tflops", "fp8_tflops", "fp6_tflops", "fp4_tflops", "int8_tops", "int4_tops")
#: Matrix units came into products in May 2017.
MATRIX_SINCE: Final = date(2017, 5, 1)
#: The matrix rate of a chip over its vector rate at 16 bits: four at most where both are published (A100, RTX 4090),
#: and as much again for formats of fewer bits.
MATRIX_OVER_VECTOR: Final = 8
#: TPP on a mm²: B200 has 22, announced parts about 120.
DENSEST_TPP: Final = 400
#: TFLOPS at 32 bits of the largest vector units: 163 (MI300X), 128 at 64 bits.
LARGEST_SINGLE: Final = 400
#: Wafers aside, mm² of logic in one package; the wafer-scale engine has 46,225.
LARGEST_PACKAGE: Final = 6000
WAFER: Final = 40_000
#: The highest DRAM bandwidth of any product by the end of a year, GB/s.
BANDWIDTH_BY_YEAR: Final = (
    (2015, 700),
    (2018, 1300),
    (2020, 2100),
    (2022, 3700),
    (2024, 8200),
    (2025, 16_500),
    (9999, 30_000),
)
#: The first year in which a marketed node shipped, by its nanometres.
NODE_SINCE: Final = (
    (2, 2024),
    (3, 2022),
    (4, 2021),
    (5, 2020),
    (7, 2018),
    (10, 2016),
    (16, 2013),
    (20, 2012),
    (28, 2010),
)


def check(facts: Facts, problems: Problems, batch: pa.RecordBatch, columns: Mapping[str, str]) -> None:
    """Look at the facts of a batch; add warnings to `problems` and widen what they undermine."""
    _Check(facts, problems, batch, columns).run()


class _Check:
    def __init__(self, facts: Facts, problems: Problems, batch: pa.RecordBatch, columns: Mapping[str, str]) -> None:
        self.facts, self.problems, self.batch, self.columns = facts, problems, batch, columns
        self._released: tuple[list[date | None], Indices] | None = None
        self._points: dict[str, tuple[Numbers, Flags] | None] = {}

    def run(self) -> None:
        self.vector_rates_only()
        self.ratios()
        self.area()
        self.bandwidth()
        if "process_node" in self.columns:
            self.nodes()

    def floats(self, name: str) -> tuple[Numbers, Numbers] | None:
        if name not in self.facts.low:
            return None
        low, high = self.facts.low[name], self.facts.high[name]
        if not self.facts.exact:
            return low, high
        return low.astype(np.float64), high.astype(np.float64)

    def point(self, name: str) -> tuple[Numbers, Flags] | None:
        """A field as numbers, and the rows where it is one positive number."""
        if name not in self._points:
            ends, given = self.floats(name), self.facts.is_given(name)
            self._points[name] = None
            if ends is not None and given.any():
                known = given & (ends[0] > 0)
                self._points[name] = ends[0], known if ends[0] is ends[1] else known & (ends[0] == ends[1])
        return self._points[name]

    def warn(self, rows: Flags, code: str, text: str) -> None:
        self.problems.add(np.flatnonzero(rows), f"{code}: {text}")

    def scale(self, name: str, rows: Flags, down: Fraction, up: Fraction) -> None:
        """Widen a field on some rows by two factors."""
        if not rows.any():
            return
        facts = self.facts
        low, high = facts.low[name].copy(), facts.high[name].copy()
        by = (down, up) if facts.exact else (float(down), float(up))
        low[rows], high[rows] = low[rows] * by[0], high[rows] * by[1]
        certain = name in facts.certain and UNROUNDED.issuperset((down, up))
        facts.set(name, low, high)
        facts.certain |= {name} if certain else set()
        self._points.pop(name, None)

    def by_release(self, tell: Callable[[date | None], Any]) -> Any:
        """For each item what is told by the last day on which it may have been released; None if that is unknown."""
        if self._released is None:
            cells, codes = distinct(self.batch, self.columns, "release_date")
            read = [read_date(cell) if cell else None for cell in cells]
            self._released = [when.last if when is not None else None for when in read], codes
        days, codes = self._released
        return np.array([tell(day) for day in days])[codes]

    def vector_rates_only(self) -> None:
        """The known trap: a table of vector rates, read as if they were all that the chip can do."""
        half = self.point("fp16_tflops")
        if half is None:
            return
        matrix = np.zeros(self.facts.size, dtype=bool)
        for name in MATRIX:
            matrix |= self.facts.is_given(name)
        suspect = half[1] & ~matrix
        if not suspect.any():
            return
        vector = any("vector" in one.style.labels for one in bindings_of(self.columns, "fp16_tflops"))
        # In our own vocabulary the one 16-bit column is the highest dense rate claimed, so beside matrix columns the
        # figure stands, with a word. A table with several 16-bit columns (Epoch AI) left the matrix one blank here.
        single_column = len(bindings_of(self.columns, "fp16_tflops")) <= 1
        has_place = not vector and single_column and any(bindings_of(self.columns, name) for name in MATRIX)
        if not vector:
            single = self.point("fp32_tflops")
            if single is None:
                return
            brain = self.point("bf16_tflops")
            with np.errstate(divide="ignore", invalid="ignore"):
                ratio = half[0] / single[0]
            # Matrix units are 8 times or more as fast as the vector units: twice or four times is no matrix rate.
            suspect &= single[1] & (
                (np.abs(ratio - 1) < 0.005) | (np.abs(ratio - 2) < 0.01) | (np.abs(ratio - 4) < 0.02)
            )
            if brain is not None:
                suspect &= ~(brain[1] & (brain[0] > half[0]))
        elif len(bindings_of(self.columns, "fp16_tflops")) > 1:
            suspect &= ~self._stated_beside()
        suspect &= self.by_release(lambda day: day is None or day >= MATRIX_SINCE)
        if has_place:
            self.warn(suspect, "half_rate", "16-bit rate like that of vector units; is a matrix rate missing?")
            return
        self.warn(suspect, "half_rate", "16-bit rate of the vector units only; the TPP is a lower bound")
        self.scale("fp16_tflops", suspect, Fraction(1), Fraction(MATRIX_OVER_VECTOR))

    def _stated_beside(self) -> Flags:
        """Rows where another column of the field, of the matrix units, says something."""
        stated = np.zeros(self.facts.size, dtype=bool)
        for one in bindings_of(self.columns, "fp16_tflops"):
            if "vector" not in one.style.labels:
                stated |= np.array([cell is not None for cell in texts(self.batch.column(one.column))], dtype=bool)
        return stated

    def ratios(self) -> None:
        """Dense rates double from TF32 to FP16; four times means that one of them is sparse, once that the other is."""
        single = self.point("fp32_tflops")
        if single is not None:
            kind = self.floats("kind")
            whole = np.zeros(self.facts.size, dtype=bool) if kind is None else kind[0] == KINDS.index("computer")
            high = single[1] & (single[0] > LARGEST_SINGLE) & ~whole
            self.warn(high, "single_rate", "a 32-bit rate beyond any vector unit (TF32, or with sparsity?)")
            self.scale("fp32_tflops", high, Fraction(0), Fraction(1))
        short, half = self.point("tf32_tflops"), self.point("fp16_tflops")
        if short is None or half is None:
            return
        both = short[1] & half[1]
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = half[0] / short[0]
        # GeForce cards do run FP16 at four times TF32; their INT8 or FP8 rate is then twice the FP16 rate.
        sparse_half = both & (ratio > 3.9) & (ratio < 4.1) & ~self._doubled(half[0])
        sparse_short = both & (ratio > 0.97) & (ratio < 1.03)
        self.warn(sparse_half, "rate_ratio", "FP16 is four times TF32, not twice: FP16 may be with sparsity")
        self.scale("fp16_tflops", sparse_half, Fraction(1, 2), Fraction(1))
        # Some matrix units do run both at one rate (Trainium), so this widens nothing.
        self.warn(sparse_short, "rate_ratio", "FP16 equals TF32, where most chips double it: look again at both")

    def _doubled(self, half: Numbers) -> Flags:
        """Rows with an 8-bit rate that is twice the 16-bit one, as dense rates are."""
        doubled = np.zeros(self.facts.size, dtype=bool)
        for name in ("fp8_tflops", "int8_tops"):
            short = self.point(name)
            if short is not None:
                doubled |= short[1] & (short[0] > 1.9 * half)
        return doubled

    def area(self) -> None:
        area = self.point("die_area_mm2")
        if area is None:
            return
        size, known = area
        odd = known & (size < 1)
        self.warn(odd, "die_area", "an area below any die (unit?)")
        self.scale("die_area_mm2", odd, Fraction(1), Fraction(100))
        # Between the largest package and a wafer nothing is known, but nothing forbids it: a word, and no more.
        large = known & (size > LARGEST_PACKAGE) & (size < WAFER)
        self.warn(large, "die_area", "an area beyond any package of dies (unit?)")
        best = np.zeros(self.facts.size)
        for rate in RATES:
            claimed = self.point(rate.name)
            if claimed is not None:
                best = np.maximum(best, np.where(claimed[1], claimed[0] * rate.bits, 0))
        dense = known & ~odd & (best > DENSEST_TPP * size)
        self.warn(dense, "rate_density", "more operations on a mm² than any chip has (unit of a rate or of the area?)")
        self.scale("die_area_mm2", dense, Fraction(1), Fraction(100))
        count = self.point("transistors_bn")
        if count is not None:
            with np.errstate(divide="ignore", invalid="ignore"):
                density = count[0] * 1000 / size
            odd = known & count[1] & ((density > 500) | (density < 0.02))
            self.warn(odd, "transistor_density", "transistors per mm² that no process reaches")
            self.scale("transistors_bn", odd, Fraction(1, 1000), Fraction(1000))

    def bandwidth(self) -> None:
        found = self.point("memory_bandwidth_gb_s")
        if found is None:
            return
        rate, known = found
        high = known & (rate > BANDWIDTH_BY_YEAR[0][1])
        if high.any():
            high &= rate > self.by_release(_highest_bandwidth)
        self.warn(high, "bandwidth", "beyond any memory of its year (ten times too high, or bits for bytes?)")
        self.scale("memory_bandwidth_gb_s", high, Fraction(1, 10), Fraction(1))

    def nodes(self) -> None:
        """Foundry against node, and date against node: nothing computed depends on them, so they only warn."""
        nodes, node_codes = distinct(self.batch, self.columns, "process_node")
        makers, maker_codes = distinct(self.batch, self.columns, "foundry")
        pairs, of_row = np.unique(node_codes * len(makers) + maker_codes, return_inverse=True)
        since = np.zeros(pairs.size, np.int64)
        for place, pair in enumerate(pairs):
            node, maker = nodes[pair // len(makers)], makers[pair % len(makers)] or ""
            if node is None:
                continue
            other = _other_foundry(node, maker)
            if other:
                self.warn(of_row == place, "foundry_node", other)
            if "release_date" in self.columns:
                since[place] = _since(node, maker)
        early = self.by_release(_year) < since[of_row] if since.any() else np.zeros(of_row.size, dtype=bool)
        for place in np.unique(of_row[early]):
            node = nodes[pairs[place] // len(makers)]
            self.warn(early & (of_row == place), "node_date", f"{node!r} is not known before {since[place]}")


def _year(day: date | None) -> int:
    # A release that is not known may be the latest.
    return BANDWIDTH_BY_YEAR[-1][0] if day is None else day.year


def _highest_bandwidth(day: date | None) -> float:
    return next(limit for until, limit in BANDWIDTH_BY_YEAR if _year(day) <= until)


def _other_foundry(node: str, maker: str) -> str:
    said = foundry_in(node)
    if not maker or len(maker) > 40:
        return ""
    stated = foundry_in(maker)
    if said and stated and said != stated:
        return f"the node {node!r} is not of the foundry {maker!r}"
    found = find(node_text(node), maker)
    others = {one.foundry for one in found if one.foundry}
    if stated and others and not any(stated == foundry_in(other) for other in others):
        return f"the node {node!r} is of {' and '.join(sorted(others))}, not of {maker!r}"
    return ""


def _since(node: str, maker: str) -> int:
    found = find(node_text(node), maker)
    sizes = [float(one.marketed_nm) for one in found if one.marketed_nm]
    if not sizes:
        return 0
    return max((year for nm, year in NODE_SINCE if min(sizes) <= nm and min(sizes) > nm * 0.7), default=0)
