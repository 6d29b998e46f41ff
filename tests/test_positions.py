"""Positions between the lines: an item judged by its position is what it is judged by itself, whatever came before."""

from datetime import date
from fractions import Fraction

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import perfcalc
from perfcalc import kernel
from perfcalc.fields import KINDS, SHEET_FIELDS
from perfcalc.line import make_plan, measure_batch
from perfcalc.metrics.readings import DEFAULT
from perfcalc.verdicts import judge as judging
from perfcalc.verdicts.positions import BLOCK, FEW, Numbering, Numberings, add_bits, add_ranks, lines_of, positions
from perfcalc.verdicts.tables import COMPUTER

DAYS = (date(2022, 12, 1), date(2023, 12, 12), date(2026, 11, 23))
NUMBERS = [
    "",
    "",
    "?",
    "0",
    "1",
    "30",
    "100",
    "149.99",
    "150",
    "299.9",
    "300",
    "400",
    "640",
    "4800",
    "100-400",
    "> 200",
]
COLUMNS = {
    "kind": ["", "ic", "ic", "memory", "computer", "quantum"],
    "fp16_tflops": NUMBERS,
    "int8_tops": NUMBERS,
    "fp64_tflops": NUMBERS,
    "die_area_mm2": ["", "?", "100", "800", "811", "400-900"],
    "transistor_architecture": ["", "", "planar", "non_planar", "?"],
    "datacenter": ["", "yes", "no"],
    "memory_bandwidth_gb_s": NUMBERS,
    "memory_area_mm2": ["", "100", "110"],
    "interconnect_gb_s": NUMBERS,
    "physical_qubits": ["", "33", "34", "127", "433", "1121", "2000"],
    "two_qubit_error": ["", "1e-4", "0.001", "0.0075", "0.03"],
}
ROWS = st.fixed_dictionaries({name: st.sampled_from(cells) for name, cells in COLUMNS.items()})


def measured(rows, where="all"):
    """Facts of some rows as fractions, which no rounding sends to the exact re-check; and the books of the days."""
    frame = pd.DataFrame(rows).assign(name="item").astype("string")
    batch = pa.RecordBatch.from_pandas(frame)
    plans = [make_plan(batch.schema.names, "sheet", day, (where,)) for day in DAYS]
    items = measure_batch(batch, plans[0], (DEFAULT,), exact=True)
    return items, [book for plan in plans for book in plan.books]


@settings(max_examples=15, deadline=None)
@given(st.lists(ROWS, min_size=1, max_size=12))
def test_a_position_says_what_the_item_says(rows):
    items, books = measured(rows)
    found = judging.judge_all(books, items.facts, items.kinds, None)
    for book, judgement in zip(books, found, strict=True):
        for one, said in ((book, judgement), (book.beside, judgement.beside)):
            if one is not None:
                alone = judging._decide_all(one, items.facts, items.kinds, plainly=True)
                assert said.verdict.tolist() == alone.verdict.tolist()
                assert said.met.tolist() == alone.met.tolist()
                assert said.open.tolist() == alone.open.tolist()
                assert said.needs.tolist() == alone.needs.tolist()


def slow_margin(book, facts, kind, judgement, row):
    """The distance to the nearest deciding line, straight from the paragraphs."""
    verdict, asked = judgement.verdict[row], judgement.answers.asked[judgement.codes[row]]

    def distance(condition, hopeful):
        low, high = (bound[row] for bound in facts.interval(condition.metric))
        if low != low:
            return -np.inf
        if condition.operator == "=":
            met, possible = low == high == condition.limit, low <= condition.limit <= high
            return np.inf if met or (hopeful and possible) else -np.inf
        upward = condition.operator in {">", ">="}
        nearest = high if hopeful == upward else low
        return (nearest - condition.limit if upward else condition.limit - nearest) / (condition.limit or 1)

    def best_box(boxes, hopeful):
        lines = ([distance(each, hopeful) for each in box if each.hands_over_to is None] for box in boxes)
        return max((min(each, default=np.inf) for each in lines), default=-np.inf)

    best = -np.inf
    for r, rule in enumerate(book.rules):
        is_asked = kind >= 0 and KINDS[kind] in rule.kinds and asked >> r & 1
        if is_asked and book.counting >> r & 1 and not (rule.unread or rule.contains or rule.meets):
            excluded = [box for exclusion in rule.exclusions for box in exclusion.boxes]
            inside = best_box(rule.boxes, verdict == 0)
            best = max(best, min(inside, -best_box(excluded, verdict != 0)))
    return float(best) if verdict in {0, 2} and -np.inf < best < np.inf else np.nan


@settings(max_examples=15, deadline=None)
@given(st.lists(ROWS, min_size=1, max_size=8))
def test_the_margin_is_what_the_paragraphs_say(rows):
    items, books = measured(rows)
    for book, judgement in zip(books, judging.judge_all(books, items.facts, items.kinds, None), strict=True):
        if items.facts.links is None and not (items.kinds == COMPUTER).any():
            slow = [slow_margin(book, items.facts, kind, judgement, row) for row, kind in enumerate(items.kinds)]
            assert np.array_equal(judgement.margin, slow, equal_nan=True)


def test_margins_of_many_blocks_compiled_and_not(monkeypatch):
    """Floats, over several blocks with a rest, on both sides of the lines."""
    cells = ["99.7", "299.7", "300.3", "400", "?", ""]
    rows = [{"fp16_tflops": rate, "die_area_mm2": area} for rate in cells for area in ("100", "800", "?", "400-900")]
    frame = pd.DataFrame([rows[at % len(rows)] | {"name": "x"} for at in range(2 * BLOCK + 77)])
    batch = pa.RecordBatch.from_pandas(frame.astype("string"), preserve_index=False)
    plan = make_plan(batch.schema.names, "sheet", DAYS[-1], ("us",))
    items = measure_batch(batch, plan, (DEFAULT,))
    found = []
    for enough in (0, 10**12):
        monkeypatch.setattr(kernel, "ROWS_BEFORE_COMPILING", enough)
        judged = judging.judge_all(plan.books, items.facts, items.kinds, None)[0]
        found.append(judged.margin)
    assert np.array_equal(*found, equal_nan=True)
    slow = [slow_margin(plan.books[0], items.facts, 0, judged, row) for row in range(len(rows))]
    assert np.allclose(found[0], np.resize(slow, len(frame)), rtol=1e-12, equal_nan=True)
    assert {-1, 0, 1} <= {int(np.sign(each)) if each == each else 0 for each in slow}


@settings(max_examples=10, deadline=None)
@given(st.lists(ROWS, min_size=2, max_size=8), st.randoms(use_true_random=False))
def test_what_came_before_does_not_matter(rows, random):
    items, books = measured(rows, "us")
    together = [each.verdict.tolist() for each in judging.judge_all(books, items.facts, items.kinds, None)]
    judging._shelf.cache_clear()
    apart = [[None] * len(rows) for _ in books]
    for row in random.sample(range(len(rows)), len(rows)):
        alone, _ = measured([rows[row]], "us")
        for verdicts, each in zip(apart, judging.judge_all(books, alone.facts, alone.kinds, None), strict=True):
            verdicts[row] = each.verdict.tolist()[0]
    assert together == apart


def test_a_float_within_rounding_of_a_limit_is_not_trusted():
    items, books = measured([{"name": "x", "fp16_tflops": "1"}], "us")
    facts = items.facts
    facts.exact = False
    for name, low in list(facts.low.items()):
        facts.set(name, low.astype(np.float64), facts.high[name].astype(np.float64))
    lines = lines_of(books)
    is_asked = judging.asking(facts, items.kinds)
    for tpp, near in ((4800.0, True), (np.nextafter(4800, 0), True), (4800 * (1 + 2e-14), False), (4799.9, False)):
        facts.set("tpp", np.array([tpp]), np.array([tpp]))
        assert positions(lines, facts, items.kinds, is_asked).near.tolist() == [near], tpp


def test_a_metric_that_was_not_computed_is_an_error():
    items, books = measured([{"name": "x", "fp16_tflops": "1"}], "us")
    del items.facts.low["tpp"]
    with pytest.raises(AssertionError, match="tpp"):
        judging.judge_all(books, items.facts, items.kinds, None)


VALUES = st.one_of(st.floats(allow_infinity=True), st.sampled_from([1.6, 4800.0]))
LIMITS = st.sets(st.sampled_from([0.0, 1.6, 3.2, 5.92, 2400.0, 4800.0]), min_size=1).map(sorted)


@given(st.lists(st.tuples(VALUES, VALUES, VALUES), min_size=1, max_size=40), st.tuples(LIMITS, LIMITS, LIMITS))
def test_ranks_order_values_among_limits(rows, limits):
    """Each column among its own limits, the first at two places of the word, with a column to spare."""
    columns = [np.array(column) for column in zip(*rows, strict=True)]
    even = [[*each, *[np.nan] * (len(each) % 2)] for each in limits]
    first = np.cumsum([0, *map(len, even)])
    units = np.array([1 << 3 | 1 << 20, 1 << 30, 1 << 40])
    flat = np.concatenate(even)
    word = np.full(len(rows), -7)
    add_ranks([*columns, columns[0]], flat, flat, first, units, word)

    def rank(value, among):
        return len(among) + 1 if value != value else sum((limit < value) + 0.5 * (limit == value) for limit in among)

    for row, packed in zip(rows, word.tolist(), strict=True):
        beyond = [len(each) + len(each) % 2 + 1 for each in limits]
        ranks = [
            2 * (most if value != value else rank(value, among))
            for value, among, most in zip(row, limits, beyond, strict=True)
        ]
        assert packed == sum(int(each) * int(unit) for each, unit in zip(ranks, units, strict=True))


WORDS = st.integers(0, 2**63 - 1) | st.integers(0, 5) | st.integers(0, 5).map(lambda n: n << 45)


@given(st.lists(st.lists(WORDS, max_size=60), min_size=1, max_size=4))
def test_numbering_is_by_first_appearance(batches):
    numbering, distinct = Numbering(), {}
    for words in batches:
        before = len(distinct)
        for word in words:
            distinct.setdefault(word, len(distinct))
        codes = numbering.number(np.array(words, np.int64))
        assert codes.tolist() == [distinct[word] for word in words]
        assert numbering.count == len(distinct)
        new = list(distinct)[before:]
        assert numbering.first[before : len(distinct)].tolist() == [words.index(word) for word in new]


def test_numbering_grows_and_still_knows():
    numbering = Numbering()
    words = np.arange(FEW + 50) * 3
    first = numbering.number(words[:FEW])
    assert first.tolist() == list(range(FEW))
    again = numbering.number(words[::-1].copy())
    assert again[50:].tolist() == first.tolist()[::-1]
    assert again[:50].tolist() == list(range(FEW, FEW + 50))
    assert numbering.first[FEW : FEW + 50].tolist() == list(range(50))


@given(st.lists(st.lists(st.tuples(*[st.integers(0, 2)] * 3), max_size=30), min_size=1, max_size=3), st.integers(0, 3))
def test_numbers_of_several_words(batches, width):
    """Every tuple has a number of its own, the same in every batch."""
    numbers, known = Numberings(1 << 1), {}
    for rows in batches:
        words = [np.array([row[place] for row in rows], np.int64) for place in range(width)]
        codes = numbers.number(words, len(rows))
        for row, code in zip(rows, codes.tolist(), strict=True):
            assert known.setdefault(row[:width], code) == code
    assert len(set(known.values())) == len(known)
    assert sorted(known.values()) == list(range(len(known)))


def test_all_limits_of_all_books_are_lines():
    _, books = measured([{"name": "x"}])
    lines = {line.metric: set(line.exact) for line in lines_of(books).lines}
    for book in books:
        for rule in book.rules:
            for condition in rule.conditions():
                assert Fraction(condition.limit) in lines[condition.metric]
    assert lines["tpp"] >= {1600, 2400, 4800}


@pytest.mark.parametrize("kind", ["ic", "memory", "computer", "quantum", ""])
def test_unknown_and_blank_are_two_positions(kind):
    """A field that is unknown asks what a blank one does not, in a short sheet of all kinds with every field too."""
    every = {field.name: "" for field in SHEET_FIELDS if field.type != "text" and field.name not in {"kind", "part_of"}}
    rows = [every | {"kind": "ic"}, every | {"kind": "memory"}, every | {"kind": kind}]
    rows += [every | {"kind": kind, name: "?"} for name in every]
    items, books = measured(rows)
    for book, judgement in zip(books, judging.judge_all(books, items.facts, items.kinds, None), strict=True):
        alone = judging._decide_all(book, items.facts, items.kinds, plainly=True)
        assert judgement.verdict.tolist() == alone.verdict.tolist()
        assert judgement.open.tolist() == alone.open.tolist()
        assert judgement.needs.tolist() == alone.needs.tolist()


@pytest.mark.parametrize("shift", [0, 7, 8, 31, 32, 62])
def test_bits_go_where_they_belong(shift):
    word = np.ones(2, np.int64) if shift else np.zeros(2, np.int64)
    before = word.copy()
    add_bits(np.array([1, 0]), shift, word)
    assert (word - before).tolist() == [1 << shift, 0]


@pytest.mark.parametrize(("pins", "transceiver", "margin"), [(1400, 550, 1.0), (770, 1000, 1.0)])
def test_of_a_paragraph_its_best_box_counts(pins, transceiver, margin):
    """3A001.a.7 of the EU: more than 700 inputs and outputs, or 500 Gbit/s and more; whichever is written first."""
    frame = pd.DataFrame([{"name": "fpga", "fpld_single_ended_io": pins, "fpld_transceiver_gbit_s": transceiver}])
    scored = perfcalc.score(frame, as_of=DAYS[-1], jurisdictions=["eu"])
    assert scored.eu_margin.tolist() == [pytest.approx(margin)]
