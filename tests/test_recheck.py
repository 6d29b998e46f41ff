"""Which floats are trusted beside a limit: those that are doubled or halved decimals, and no others."""

import csv
from datetime import date
from fractions import Fraction

import numpy as np
import pandas as pd
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

import perfcalc
from perfcalc.facts import UNROUNDED
from perfcalc.line import make_plan, measure_batch
from perfcalc.metrics.readings import DEFAULT
from perfcalc.recheck import like_rows
from perfcalc.rulebook.book import load
from perfcalc.sheets.nodes import TABLE
from perfcalc.verdicts.positions import lines_of
from perfcalc.verdicts.tables import compile_book

DAY = date(2026, 11, 23)
BOOKS = [compile_book(place, DAY, load().on(place, DAY)) for place in load().jurisdictions]
LINES = {line.metric: line for line in lines_of(BOOKS).lines}
#: Fields whose weight in the TPP is a power of two; TF32, of 19 bits, is not among them.
DOUBLED = {"fp64_tflops": 64, "fp32_tflops": 32, "fp16_tflops": 16, "int8_tops": 8, "int4_tops": 4}


def facts_of(exact=False, **cells):
    batch = pa.RecordBatch.from_pydict({"name": ["x"] * len(next(iter(cells.values()))), **cells})
    return measure_batch(batch, make_plan(batch.schema.names, "sheet", DAY), (DEFAULT,), exact).facts


@st.composite
def beside_a_limit(draw):
    """A rate of at most 15 digits whose TPP lies on a limit or as near to it as so many digits allow."""
    field, limit = draw(st.sampled_from(sorted(DOUBLED))), draw(st.sampled_from(list(LINES["tpp"].exact)))
    rate = limit / DOUBLED[field]
    digits = 15 - len(str(int(rate)))
    return field, str(round(rate + Fraction(draw(st.integers(-3, 3)), 10**digits), digits)), limit, digits


@settings(deadline=None)
@given(beside_a_limit())
def test_a_certain_float_is_on_the_right_side(case):
    field, _, limit, digits = case
    cell = f"{float(Fraction(case[1])):.{digits}f}"
    facts, exact = facts_of(**{field: [cell]}), facts_of(exact=True, **{field: [cell]})
    if "tpp" in facts.certain:
        found, truth = facts.low["tpp"][0], exact.low["tpp"][0]
        assert (found < limit, found == limit) == (truth < limit, truth == limit)
    assert ("tpp" in facts.certain) == (len(cell) <= 15)


def test_what_was_rounded_is_not_certain():
    assert {"tpp", "processing_tops"} <= facts_of(fp16_tflops=["300"], int8_tops=["600.5"]).certain
    for doubtful in (
        {"tf32_tflops": ["300"]},  # 19 bits
        {"fp16_tflops": ["300.00000000000001"]},  # more digits than a float tells apart
        {"fp16_tflops": ["300", "~300"]},
        {"FP16 (PFLOPS)": ["0.3"]},
    ):
        assert "tpp" not in facts_of(**doubtful).certain, doubtful
    assert "performance_density" not in facts_of(fp16_tflops=["300"], die_area_mm2=["100"]).certain


def test_what_is_widened_without_rounding_stays_certain():
    """A suspicious 32-bit rate is taken for anything down to zero: its float is still that of its cell."""
    assert {"fp32_tflops", "tpp"} <= facts_of(fp32_tflops=["5000.1", "20"]).certain
    assert "die_area_mm2" not in facts_of(fp16_tflops=["300"], die_area_mm2=["0.3"]).certain


def test_every_limit_can_be_compared_with_a_certain_number():
    assert LINES["tpp"].short
    assert LINES["processing_tops"].short
    assert all(Fraction(float(factor)) == factor for factor in UNROUNDED)


def test_sizes_of_nodes_are_certain():
    """They come from a table of short decimals: a chip of just the marketed size of a limit needs no second look."""
    found = facts_of(process_node=["16 nm", "N5"], foundry=["TSMC", "TSMC"], fp16_tflops=["300", "300"])
    assert found.low["marketed_nm"].tolist() == [16, 5]
    assert "marketed_nm" in found.certain
    with TABLE.open(encoding="utf-8", newline="") as file:
        sizes = {Fraction(row["marketed_nm"]) for row in csv.DictReader(file) if row["marketed_nm"]}
    assert all(Fraction(f"{float(size):.15g}") == size for size in sizes)
    beside = lines_of([book.beside for book in BOOKS if book.beside])
    assert all(line.short for line in beside.lines if line.metric == "marketed_nm")
    assert "marketed_nm" in {line.metric for line in beside.lines}


def test_rows_are_alike_by_what_their_cells_say():
    """Whatever the type of a column: words of a dictionary, numbers, lists, nothing."""
    kinds = pa.array(["yes", None, "no", "yes", "yes"]).dictionary_encode()
    columns = [kinds, pa.array([1.5, 1.5, 1.5, 1.5, 2.0]), pa.array([[1], [1], [1], [1], [1]]), pa.nulls(5)]
    firsts, of_row = like_rows(columns, np.arange(5))
    assert firsts[of_row].tolist() == [0, 1, 2, 0, 4]


def test_a_category_on_the_line():
    """TF32 keeps the TPP doubtful, so both rows on the limit are looked at again."""
    rates = {"name": list("abc"), "tf32_tflops": ["10"] * 3, "fp16_tflops": ["300", "300", "299.9"]}
    frame = pd.DataFrame(rates | {"datacenter": pd.Categorical(["yes", None, "no"])})
    scored = perfcalc.score(frame, as_of=DAY)
    assert scored.us_verdict.tolist()[0] == "controlled"
    assert scored.us_verdict.tolist()[2] != "controlled"
