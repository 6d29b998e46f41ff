"""The engine itself: compiled and plain runs agree, plans pickle, batches and threads do not matter."""

import pickle
from datetime import date
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import perfcalc
from perfcalc import kernel, line, metrics
from perfcalc.facts import Facts
from perfcalc.fields import RATES
from perfcalc.metrics.chips import highest_of_eight
from perfcalc.metrics.ratios import divide
from perfcalc.metrics.readings import DEFAULT
from perfcalc.rulebook.book import load, read_folder
from perfcalc.rulebook.lint import lint

CHIPS = Path(__file__).parents[1] / "specs" / "chips.csv"


@pytest.fixture(scope="module")
def chips():
    return perfcalc.read(CHIPS)


def test_compiled_equals_plain(chips, monkeypatch):
    days = ["2023-01-01", "2026-11-23"]
    monkeypatch.setattr(kernel, "ROWS_BEFORE_COMPILING", 10**12)
    plain = [perfcalc.score(chips, as_of=day, readings=readings) for day in days for readings in ("", "all")]
    monkeypatch.setattr(kernel, "ROWS_BEFORE_COMPILING", 0)
    compiled = [perfcalc.score(chips, as_of=day, readings=readings) for day in days for readings in ("", "all")]
    for one, other in zip(plain, compiled, strict=True):
        pd.testing.assert_frame_equal(one, other, check_exact=True)


@pytest.mark.parametrize("threads", [1, 2, 4])
@pytest.mark.parametrize("rows", [1, 7, 100, 1000])
def test_threads_and_batches_do_not_matter(chips, threads, rows):
    table = pa.Table.from_pandas(chips)
    plan = line.make_plan(table.schema.names, "sheet", date(2026, 11, 23))
    whole = line.score_batch(table.combine_chunks().to_batches()[0], plan)
    parts = pa.Table.from_batches(line.run(table.to_batches(rows), pickle.loads(pickle.dumps(plan)), threads))
    assert parts.combine_chunks().to_batches()[0].equals(whole)


def test_rows_that_refer_to_one_another_may_lie_far_apart():
    rows = [{"name": "box", "kind": "computer"}]
    rows += [{"name": f"ic {n}", "fp16_tflops": 1} for n in range(500)]
    rows += [{"name": "gpu", "fp16_tflops": 400, "part_of": "box"}]
    table = pa.Table.from_pandas(pd.DataFrame(rows).astype("string"))
    plan = line.make_plan(table.schema.names, "sheet", date(2026, 11, 23))
    scored = pa.Table.from_batches(line.run(table.to_batches(50), plan)).to_pylist()
    assert scored[0]["us_entries"] == "4A090.a"


def test_any_arrow_frame_is_welcome(chips):
    polars = pytest.importorskip("polars")
    scored = perfcalc.score(polars.from_pandas(chips), as_of="2026-11-23")
    assert isinstance(scored, pa.Table)
    assert scored["us_verdict"].to_pylist() == perfcalc.score(chips, as_of="2026-11-23")["us_verdict"].tolist()


def test_pandas_keeps_its_index_and_types():
    frame = pd.DataFrame({"name": ["a", "b"], "fp16_tflops": [300.0, None], "datacenter": [True, False]}, index=[7, 3])
    scored = perfcalc.score(frame, as_of="2026-11-23")
    assert scored.index.tolist() == [7, 3]
    pd.testing.assert_frame_equal(scored[frame.columns], frame)
    mixed = pd.DataFrame({"name": ["a", "b"], "fp16_tflops": [300, "?"]})
    assert perfcalc.score(mixed, as_of="2026-11-23")["us_verdict"].tolist() == ["controlled", "cannot_tell"]


def test_single_precision_columns_mean_their_shortest_decimals():
    """5.92 × 500 ÷ 16 = 185 exactly; 0.1 in single precision is meant as 0.1."""
    frame = pd.DataFrame(
        {"name": ["a"], "fp16_tflops": np.float32([291.2]), "die_area_mm2": np.float32([787.1]), "datacenter": "yes"}
    )
    frame["fp16_tflops"] = np.float32(5.92 * 787.1 / 16 * 1)
    exact = pd.DataFrame({"name": ["a"], "fp16_tflops": ["291.227"], "die_area_mm2": ["787.1"], "datacenter": "yes"})
    assert perfcalc.score(exact, as_of="2026-11-23")["us_entries"].item() == "3A090.a.2"
    assert perfcalc.score(frame, as_of="2026-11-23")["tpp"].item() == pytest.approx(4659.632, rel=1e-9)


rates = st.integers(1, 90_000).map(lambda n: n / 10)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(rates, rates, st.sampled_from([100.0, 270.0, 500.0, 814.0, 1500.0])), min_size=1, max_size=30)
)
def test_more_performance_never_frees_an_item(rows):
    order = {"not_controlled": 0, "cannot_tell": 1, "controlled": 2}
    frame = pd.DataFrame(rows, columns=["fp16_tflops", "more", "die_area_mm2"]).assign(name="x", datacenter="yes")
    before = perfcalc.score(frame.drop(columns="more"), as_of="2026-11-23")["us_verdict"].map(order)
    frame["fp16_tflops"] += frame.pop("more")
    assert (perfcalc.score(frame, as_of="2026-11-23")["us_verdict"].map(order) >= before).all()


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(rates, st.sampled_from(["100", "270", "500", "814", "1500"]), st.sampled_from(["yes", "no"])),
        min_size=1,
        max_size=20,
    )
)
def test_an_unknown_never_clears_what_some_value_would_catch(rows):
    frame = pd.DataFrame(rows, columns=["fp16_tflops", "die_area_mm2", "datacenter"]).assign(name="x")
    known = perfcalc.score(frame, as_of="2026-11-23")["us_verdict"]
    for field in ("die_area_mm2", "datacenter", "fp16_tflops"):
        hidden = perfcalc.score(frame.assign(**{field: "?"}), as_of="2026-11-23")["us_verdict"]
        assert (hidden[known == "controlled"] != "not_controlled").all(), field


def test_the_rule_book_is_clean():
    assert [finding for finding in lint(load(), date(2026, 11, 23)) if finding.level == "error"] == []


def test_every_change_date_changes_something_and_no_other_day_does():
    frame = perfcalc.read(CHIPS)
    memory = pd.DataFrame([{"name": "hbm", "kind": "memory", "memory_bandwidth_gb_s": "819", "memory_area_mm2": "121"}])
    box = pd.DataFrame(
        [
            {"name": "box", "kind": "computer"},
            {"name": "l4", "part_of": "box", "int8_tops": "242", "die_area_mm2": "500", "datacenter": "yes"},
        ]
    )
    frame = pd.concat([frame, memory, box], ignore_index=True).fillna("")

    def law(day):
        scored = perfcalc.score(frame, as_of=day, destination="CN")
        return scored[["us_verdict", "us_entries", "us_review"]].fillna("")

    for day in ("2022-10-21", "2023-11-17", "2024-04-04", "2024-12-02", "2026-01-15"):
        before = (date.fromisoformat(day) - pd.Timedelta(days=1)).isoformat()
        assert not law(before).equals(law(day)), day
    for first, last in (("2022-10-21", "2023-11-16"), ("2024-12-02", "2026-01-14"), ("2026-01-15", "2026-11-23")):
        pd.testing.assert_frame_equal(law(first), law(last))


MINIMAL = """
entry: 1X001
title: Test
text: https://example.org
reasons: [NS]
paragraphs:
  1X001.a:
    kinds: [ic]
    core: true
    versions:
      - {from: 2020-01-01, until: null, status: in_force, test: [{tpp: {">=": 100}}], citation: [Act], verified: 2026-01-01, confidence: high}
"""


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (("until: null", "until: 2019-01-01"), "before it begins"),
        (("status: in_force", "status: alive"), "status"),
        (("tpp: {", "tppp: {"), "does not know"),
        (("confidence: high", "confidence: sure"), "confidence"),
        (("verified: 2026-01-01", "verified: 2019-01-01"), "before it was published"),
        (("verified: 2026-01-01", "verified: 2024-01-01"), "last checked"),
        (("kinds: [ic]", "kinds: [toaster]"), "kinds"),
        (('test: [{tpp: {">=": 100}}], ', ""), "neither a test"),
        (("status: in_force", "status: superseded"), "no last day"),
        (("citation: [Act]", "unless: [1X002], citation: [Act]"), "1X002"),
    ],
)
def test_lint_finds(tmp_path, change, word):
    folder = tmp_path / "xx"
    folder.mkdir()
    (folder / "instruments.yaml").write_text("Act: {title: An act, published: 2019-12-01, url: https://example.org}\n")
    (folder / "1X001.yaml").write_text(MINIMAL)
    assert lint(read_folder(tmp_path), date(2026, 6, 1)) == []
    assert change[0] in MINIMAL
    (folder / "1X001.yaml").write_text(MINIMAL.replace(*change))
    assert any(word in finding.what for finding in lint(read_folder(tmp_path), date(2026, 6, 1)))


@pytest.mark.parametrize(
    "line_to_drop", ["verified: 2026-01-01, ", "status: in_force, ", "citation: [Act], ", "confidence: high"]
)
def test_a_rule_without_its_papers_does_not_load(tmp_path, line_to_drop):
    folder = tmp_path / "xx"
    folder.mkdir()
    (folder / "instruments.yaml").write_text("Act: {title: An act, published: 2019-12-01, url: https://example.org}\n")
    (folder / "1X001.yaml").write_text(MINIMAL.replace(line_to_drop, ""))
    with pytest.raises(perfcalc.InputError, match="missing"):
        read_folder(tmp_path)


@given(st.lists(st.tuples(*[st.integers(0, 3)] * 8), min_size=1, max_size=20), st.sampled_from([0.0, Fraction(0)]))
def test_of_equal_formats_the_first_gives_the_tpp(rows, zero):
    rates = [
        np.array(column, object if isinstance(zero, Fraction) else np.float64) for column in zip(*rows, strict=True)
    ]
    weights = (6, 6, 3, 2, 2, 1, 1, 1)
    best, plain, winner = np.empty_like(rates[0]), np.empty_like(rates[0]), np.empty(len(rows), np.int8)
    highest_of_eight(rates, weights, tuple(range(8)), zero, best, winner, plain)
    for row, value, place, rate in zip(rows, best, winner, plain, strict=True):
        weighted = [rate * weight for rate, weight in zip(row, weights, strict=True)]
        assert value == max(weighted)
        assert rate == max(row)
        assert place == (weighted.index(max(weighted)) if max(weighted) else -1)


@given(
    st.lists(st.sampled_from([rate.name for rate in RATES]), min_size=1, unique=True),
    st.lists(st.lists(st.integers(0, 40), min_size=len(RATES), max_size=len(RATES)), min_size=1, max_size=6),
    st.booleans(),
)
def test_tpp_tops_and_format_over_any_number_of_rates(names, rows, exact):
    names = [rate.name for rate in RATES if rate.name in names]
    facts = Facts(len(rows), exact)
    for place, name in enumerate(names):
        column = facts.empty()
        column[:] = [Fraction(row[place]) for row in rows] if exact else [row[place] for row in rows]
        facts.set(name, column, column + place % 2)
        facts.given[name] = np.ones(len(rows), bool)
    metrics.compute(facts, (DEFAULT,), ("tpp", "processing_tops", "processing_performance_2022"))
    bits = {rate.name: 19 if rate.name == "tf32_tflops" else rate.bits for rate in RATES}
    for at, row in enumerate(rows):
        for side, add in ((facts.low, 0), (facts.high, 1)):
            rates = {name: row[place] + add * (place % 2) for place, name in enumerate(names)}
            weighted = {name: rate * bits[name] for name, rate in rates.items()}
            assert side["tpp"][at] == side["processing_performance_2022"][at] == max(weighted.values())
            assert side["processing_tops"][at] == max(rates.values())
            if not add:
                order = [rate.name for rate in RATES]
                first = next((name for name in names if weighted[name] == max(weighted.values()) > 0), None)
                assert facts.labels["tpp_format"][at] == (order.index(first) if first else -1)
    assert not facts.shared


@pytest.mark.parametrize("exact", [True, False])
def test_every_format_can_give_the_tpp_and_of_all_the_first_does(exact):
    """Also beyond the first eight rates, and where one of the second eight equals one of the first."""
    bits = [19 if rate.name == "tf32_tflops" else rate.bits for rate in RATES]
    facts = Facts(len(RATES) + 2, exact)
    for place, rate in enumerate(RATES):
        rows = [Fraction(int(row == place)) for row in range(len(RATES))]
        rows += [Fraction(64 * 19, bits[place]), Fraction(int(place in {7, 8}), bits[place])]
        column = facts.empty()
        column[:] = rows if exact else [float(each) for each in rows]
        facts.set(rate.name, column, column)
        facts.given[rate.name] = np.ones(facts.size, bool)
    metrics.compute(facts, (DEFAULT,), ("tpp",))
    assert facts.labels["tpp_format"].tolist() == [*range(len(RATES)), 0, 7]
    assert facts.low["tpp"].tolist() == [*bits, 64 * 19, 1]


def test_quotients_of_intervals():
    over, nan = (np.array([1.0, 1, 0, 1, 1, 1]), np.array([2.0, 2, 0, 2, 2, 2])), np.nan
    under = np.array([0.5, 0, 0, 0, 4, 0.25]), np.array([1.0, 8, 8, 0, np.inf, 0.25])
    low, high = divide(Facts(6), over, under)
    assert np.array_equal(low, [1, 0.125, 0, nan, 0, 4], equal_nan=True)
    assert np.array_equal(high, [4, np.inf, 0, nan, 0.5, 8], equal_nan=True)
    points = np.array([0.5, 0.0])
    same = divide(Facts(2), (points, points), (points, points))
    assert same[0] is same[1]
    assert np.array_equal(same[0], [1, nan], equal_nan=True)
