"""Cells read in bulk are what they are one by one, exactly."""

import re
from random import Random

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from perfcalc.fields import FIELDS
from perfcalc.sheets.bulk import read_in_bulk
from perfcalc.sheets.cells import SAMPLE, _unit_of, read_cell, read_column, read_exactly
from perfcalc.sheets.quantities import PLAIN, Style
from perfcalc.sheets.units import parse_unit

UNITS = [
    "",
    " TFLOPS",
    "TFLOPS",
    " GFLOPS",
    " mm²",
    "mm2",
    " cm2",
    "GB/s",
    " Gb/s",
    " TB/s",
    "gb/s",
    " billion",
    "B",
    " kg",
    " mm",
    " W",
]
NUMERALS = st.one_of(
    st.integers(0, 10**12).map(str),
    st.integers(0, 10**9).map(lambda number: f"{number:,}"),
    st.decimals(0, 10**6, places=3).map(str),
    st.decimals(0, 10**6, places=2).map(lambda number: f"{number:,}"),
    st.sampled_from(["0", "0.0", "00", "1,00", "1.", ".5", "1e3", "100.0", "3000", "1234,567", "1,979,5", "0,123.40"]),
)
CELLS = st.builds(
    lambda about, first, join, second, unit: about + first + (join + second if join else "") + unit,
    st.sampled_from(["", "", "~", "≈ ", "~ "]),
    NUMERALS,
    st.sampled_from(["", "", "", "-", " – ", "±", " ± ", "/", " "]),
    NUMERALS,
    st.sampled_from(UNITS),
)


def spread(problems):
    return sorted((row, text) for rows, text in problems for row in rows.tolist())


@settings(max_examples=40, deadline=None)
@given(
    st.lists(CELLS, min_size=1, max_size=40),
    st.sampled_from(["fp16_tflops", "die_area_mm2", "transistors_bn", "memory_bandwidth_gb_s", "two_qubit_error"]),
    st.sampled_from([PLAIN, Style(unit=parse_unit("GFLOPS")), Style(unit=parse_unit("mm"))]),
)
def test_bulk_is_one_by_one(cells, field, style):
    wanted = FIELDS[field]
    column = pa.array(cells)
    if style.unit is not None and style.unit.symbol != {"fp16_tflops": "GFLOPS", "die_area_mm2": "mm"}.get(field):
        style = PLAIN
    read = read_column(column, wanted, style)
    exact = read_exactly(column, wanted, style)
    low, high = exact.low, exact.high
    # The same float, not one beside it: what a cell says must not depend on how many others are read with it.
    odd = [not re.fullmatch(r"(\d+\.?\d*|\.\d+)(e\d+)?", cell) for cell in cells]
    rtol = 0 if style is PLAIN else 1e-15
    np.testing.assert_allclose(read.low[odd].astype(float), low[odd].astype(float), rtol=0)
    np.testing.assert_allclose(read.high[odd].astype(float), high[odd].astype(float), rtol=0)
    np.testing.assert_allclose(read.low.astype(float), low.astype(float), rtol=rtol)
    np.testing.assert_allclose(read.high.astype(float), high.astype(float), rtol=rtol)
    assert read.given.tolist() == exact.given.tolist()
    assert spread(read.problems) == spread(exact.problems)
    assert read.given.tolist() == [read_cell(cell, wanted, style).given for cell in column.to_pylist()]


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.one_of(CELLS, st.sampled_from(["", "?", "n/a", "nonsense", "-1", None])), min_size=1, max_size=20),
    st.integers(0, 2**32),
    st.sampled_from(["fp16_tflops", "die_area_mm2", "transistors_bn"]),
)
@example(["nonsense", "-1", "~300 TFLOPS", "x y", "", None, "5"], 1, "fp16_tflops")
def test_what_repeats_is_read_as_if_it_did_not(cells, seed, field):
    """A long column of few words is read word by word: each row is what it is in a column without repetition."""
    column = [*cells, *Random(seed).choices(cells, k=2 * SAMPLE)]
    alone, read = (read_column(pa.array(each, pa.string()), FIELDS[field]) for each in (cells, column))
    place = [cells.index(cell) for cell in column]
    assert read.low.tolist() == alone.low[place].tolist()
    assert read.high.tolist() == alone.high[place].tolist()
    assert read.given.tolist() == alone.given[place].tolist()
    told = [read_cell(cell or "", FIELDS[field]).problem for cell in column]
    assert spread(read.problems) == [(row, problem) for row, problem in enumerate(told) if problem]


@pytest.mark.parametrize(
    "text", ["1979,500 TFLOPS", "1,979,5", "100-1200,000", "5²", "5 2", "~5-6", "1 979", "5 - 6 -"]
)
def test_bulk_leaves_these(text):
    """Thousands grouped in another way and the like are for a closer look."""
    field = FIELDS["fp16_tflops"]
    into = (np.zeros(1), np.zeros(1), np.zeros(1, dtype=bool))
    assert read_in_bulk(pa.array([text]), np.array([0]), field, _unit_of(field), into).tolist() == [0]
    assert not into[2].any()


@pytest.mark.parametrize(
    "text", ["1,979.5 TFLOPS", "~800 TFLOPS", "100-120", "100 ± 5", "100 – 120 TFLOPS", "≈ 1,000TFLOPS"]
)
def test_bulk_reads_these(text):
    """They take the fast way: a problem would show that `read_cell` had them."""
    field = FIELDS["fp16_tflops"]
    into = (np.zeros(1), np.zeros(1), np.zeros(1, dtype=bool))
    assert read_in_bulk(pa.array([text]), np.array([0]), field, _unit_of(field), into).size == 0
    exact = read_cell(text, field)
    assert (into[0][0], into[1][0], into[2][0]) == (float(exact.low), float(exact.high), True)
