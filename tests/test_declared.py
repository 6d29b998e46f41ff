"""A declared ECCN against the computed entries: agreement, contradiction, and what cannot be told."""

import json
from functools import cache
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

import perfcalc
from perfcalc.cli import main
from perfcalc.verdicts.declared import CHECKS, parse

DAY = "2026-11-23"
SPECS = Path(__file__).parents[1] / "specs"
H100 = {"name": "x", "int8_tops": "1979", "die_area_mm2": "814", "datacenter": "yes"}
SLOW = {"name": "x", "int8_tops": "1", "die_area_mm2": "814", "datacenter": "yes"}
H20 = {**SLOW, "int8_tops": "296", "interconnect_gb_s": "900"}  # meets 3A991.p alone
OPEN = {"name": "x", "int8_tops": "300", "datacenter": "yes"}  # 3A090.a.2 or .b, by its area
SURE = {"name": "x", "int8_tops": "600", "kind": "?"}
HBM = {"name": "x", "kind": "memory", "memory_bandwidth_gb_s": "819", "memory_area_mm2": "110"}
TOOL = {"name": "x", "wavelength_nm": "193", "mrf_nm": "44", "overlay_nm": "2.4"}  # meets 3B993.f.1
QUANTUM = {"name": "x", "physical_qubits": "100", "two_qubit_error": "0.001"}


def check(item, declared, day=DAY, **options):
    row = perfcalc.score(pd.DataFrame([{**item, "declared_eccn": declared}]), as_of=day, **options).iloc[0]
    return row["declared_eccn_check"]


@pytest.mark.parametrize(
    ("item", "declared", "expected"),
    [
        # The same entry, or the entry above it.
        (H100, "3A090.a.1", "agrees"),
        (H100, "3A090.a", "agrees"),
        (H100, "3A090", "agrees"),
        (H100, "ECCN: 3a090 A", "agrees"),
        (HBM, "3A090.c", "agrees"),
        (QUANTUM, "4A906", "agrees"),
        (H20, "3A991", "agrees"),
        (H20, "3A991.p.2", "agrees"),
        # Another paragraph, or another level.
        (H100, "3A090.b.1", "disagrees"),
        (H100, "3A991", "disagrees"),
        (H100, "3A991.p.1", "disagrees"),
        (H100, "4A994", "disagrees"),
        (H100, "5A992.c", "disagrees"),
        (H100, "EAR99", "disagrees"),
        (H20, "EAR 99", "disagrees"),
        (H20, "3A090.b", "disagrees"),
        (SLOW, "3A090.a.1", "disagrees"),
        (SLOW, "3A090", "disagrees"),
        # Mirrors of 3A090 in other entries.
        (H100, "5A992.z", "agrees"),
        (H100, "5A992.z.1", "agrees"),
        (H100, "5A992.z.2", "disagrees"),
        (H100, "3A001.z.1.a", "agrees"),
        (H100, "3A001.z(a)", "agrees"),
        (H100, "3A001.z.a", "agrees"),
        (H100, "3A001.z.1.b", "disagrees"),
        (H100, "5A002.a", "disagrees"),  # 5A002.z
        (H100, "5A992", "cannot_tell"),  # .c or .z?
        (SLOW, "5A992.z", "disagrees"),
        # What is around the item.
        (H100, "4A090.a", "cannot_tell"),
        (H100, "4A090.b", "disagrees"),
        (SLOW, "4A090.a", "disagrees"),
        # Several entries: the weightier ones count.
        (H100, "3A090.a / 5A992.c", "agrees"),
        (H100, "5A992.c; 3A090.a", "agrees"),
        (SLOW, "3A090.a / 5A992.c", "disagrees"),
        (H100, "3A090.a.1, 3A090.b.1", "disagrees"),
        (H20, "EAR99 or 3A991", "agrees"),
        # An entry of which only one paragraph is modelled.
        (TOOL, "3B993.f.1", "agrees"),
        (TOOL, "3B993", "agrees"),
        (TOOL, "3B001", "cannot_tell"),
        (TOOL, "3B001.f.1.a", "disagrees"),
        (TOOL, "3B991", "disagrees"),
        # Deeper than the book goes.
        (H100, "3A090.a.1.x", "cannot_tell"),
        (SLOW, "3A090.a.1.x", "disagrees"),
        # Not modelled, or a residue.
        (H100, "7A003", "cannot_tell"),
        (H100, "3A501.a.16", "cannot_tell"),
        (SLOW, "5A992.c", "cannot_tell"),
        (SLOW, "3A001.b.2", "cannot_tell"),
        (SLOW, "3A991", "cannot_tell"),
        (SLOW, "EAR99", "cannot_tell"),
        (H20, "3A991.a", "cannot_tell"),
        # Open.
        (OPEN, "3A090", "cannot_tell"),
        (OPEN, "3A090.a", "cannot_tell"),
        (OPEN, "3A090.a.1", "disagrees"),
        (OPEN, "3A991", "cannot_tell"),
        (SURE, "3A090.a", "cannot_tell"),
        # No entry.
        (H100, "", "not_declared"),
        (H100, "n/a", "not_declared"),
        (H100, "-", "not_declared"),
        (H100, "?", "cannot_tell"),
        (H100, "NLR", "cannot_tell"),
    ],
)
def test_one_declaration(item, declared, expected):
    assert check(item, declared) == expected
    said = perfcalc.explain(pd.DataFrame([{**item, "declared_eccn": declared}]), item="x", as_of=DAY)
    assert said.declared_eccn["check"] == expected
    assert bool(said.declared_eccn["because"]) == (expected != "not_declared")


def test_the_day_decides():
    assert check(H100, "3A090.a", "2022-10-21") == "cannot_tell", "its interconnect is not known"
    assert check({**H100, "interconnect_gb_s": "900"}, "3A090.a", "2022-10-21") == "agrees"
    assert check({**H100, "interconnect_gb_s": "900"}, "3A090.a.1", "2022-10-21") == "cannot_tell", "not there yet"
    assert check(H100, "3A090.a", "2020-01-01") == "cannot_tell"


def test_a_controlled_item_of_an_uncertain_paragraph():
    """Whatever its area, it is in 3A090: the entry is sure, the paragraph is not."""
    item = {"name": "x", "int8_tops": "300", "die_area_mm2": "100-600", "datacenter": "yes"}
    row = perfcalc.score(pd.DataFrame([item]), as_of=DAY).iloc[0]
    assert (row["us_verdict"], row["us_entries"]) == ("controlled", "3A090")
    assert check(item, "3A090") == "agrees"
    assert check(item, "3A090.a.2") == "cannot_tell"
    assert check(item, "3A991") == "disagrees"
    assert check(item, "EAR99") == "disagrees"


def test_a_computer_by_what_it_contains():
    rows = [
        {"id": "a", "name": "box", "kind": "computer", "declared_eccn": "4A090.a"},
        {"name": "gpu", "kind": "ic", "int8_tops": "1979", "part_of": "a", "declared_eccn": ""},
        {"id": "b", "name": "wrong", "kind": "computer", "declared_eccn": "4A994"},
        {"name": "gpu", "kind": "ic", "int8_tops": "1979", "part_of": "b", "declared_eccn": "3A090.a"},
        {"id": "c", "name": "mirror", "kind": "computer", "declared_eccn": "5A992.z.1"},
        {"name": "gpu", "kind": "ic", "int8_tops": "1979", "part_of": "c"},
    ]
    found = perfcalc.score(pd.DataFrame(rows), as_of=DAY)["declared_eccn_check"].tolist()
    assert found == ["agrees", "not_declared", "disagrees", "agrees", "agrees", "not_declared"]


@pytest.mark.parametrize(("sheet", "least"), [("chips.csv", 50), ("quantum.csv", 1)])
def test_what_is_computed_agrees_with_itself(sheet, least):
    """Of every shipped item: its own entries agree, and so does each entry above them; less than that never does."""
    frame = perfcalc.read(SPECS / sheet)
    scored = perfcalc.score(frame, as_of=DAY)
    principal = scored["us_entries"].fillna("").str.split(";").str[0]
    controlled = scored["us_verdict"] == "controlled"
    assert controlled.sum() >= least
    declared = principal
    while True:
        checks = perfcalc.score(frame.assign(ECCN=declared), as_of=DAY)["declared_eccn_check"]
        assert set(checks[principal != ""]) == {"agrees"}
        assert set(checks[principal == ""]) <= {"not_declared"}
        shorter = declared.str.replace(r"\.[^.]+$", "", regex=True)
        if (shorter == declared).all():
            break
        declared = shorter
    for residue in ("EAR99", "3A991", "5A992.c"):
        checks = perfcalc.score(frame.assign(ECCN=residue), as_of=DAY)["declared_eccn_check"]
        assert set(checks[controlled]) == {"disagrees"}
        assert "disagrees" not in set(checks[(scored["us_verdict"] != "controlled") & (principal == "")])


ITEMS = [H100, SLOW, H20, OPEN, HBM]
CELLS = ["3A090.a.1", "3A090", "3A991.p", "EAR99", "5A992.c", "4A090.a", "4A906", "7A003", "", "?", "3A090.a; EAR99"]


@cache
def alone(number, cell):
    return check(ITEMS[number], cell)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.sampled_from(CELLS)), min_size=1))
def test_many_rows_are_checked_as_one_by_one_and_nothing_else_changes(rows):
    frame = pd.DataFrame([{**ITEMS[number], "declared_eccn": cell} for number, cell in rows])
    scored = perfcalc.score(frame, as_of=DAY)
    assert scored["declared_eccn_check"].isin(CHECKS).all()
    assert list(scored.columns)[-2:] == ["problems", "declared_eccn_check"]
    assert scored["declared_eccn_check"].tolist() == [alone(*row) for row in rows]
    plain = perfcalc.score(frame.drop(columns="declared_eccn"), as_of=DAY)
    pd.testing.assert_series_equal(scored["us_verdict"], plain["us_verdict"])
    pd.testing.assert_series_equal(scored["us_margin"], plain["us_margin"])


def test_the_column_is_there_only_where_something_is_declared_and_the_us_is_asked():
    frame = pd.DataFrame([H100])
    assert "declared_eccn_check" not in perfcalc.score(frame, as_of=DAY)
    assert "declared_eccn_check" not in perfcalc.score(frame.assign(ECCN="x"), as_of=DAY, jurisdictions=("eu",))
    assert "declared_eccn_check" in perfcalc.score(frame.assign(ECCN="x"), as_of=DAY, jurisdictions=("eu", "us"))
    assert perfcalc.score(frame.iloc[:0].assign(ECCN=[]), as_of=DAY)["declared_eccn_check"].tolist() == []


def test_readings_that_turn_a_verdict_turn_the_check():
    item = {"name": "x", "fp16_tflops": "280", "fp32_tflops": "40", "die_area_mm2": "2000", "datacenter": "yes"}
    assert check(item, "3A090.a.1") == "disagrees"
    assert check(item, "3A090.a.1", readings="vector=added") == "agrees"
    assert check(item, "3A090.a.1", readings="all") == "cannot_tell"


@pytest.mark.parametrize(
    "heading",
    ["ECCN", "eccn code", "Export Classification", "Export classification (ECCN)", "US ECCN", "Declared ECCN",
     "Export Control Classification Number", "수출통제분류번호", "出口管制分类编码", "輸出規制品目分類番号"],
)  # fmt: skip
def test_headings(heading):
    row = perfcalc.score(pd.DataFrame([{**H100, heading: "3A090.a"}]), as_of=DAY).iloc[0]
    assert row["declared_eccn_check"] == "agrees"


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("3A090.a.1", [("3A090", "a", "1")]),
        ("3a090a1", [("3A090", "a", "1")]),
        ("3A090 .A.1*", [("3A090", "a", "1")]),
        ("3A001.z(a)", [("3A001", "z", "*", "a")]),
        ("3A001.z.2.a", [("3A001", "z", "2", "a")]),
        ("5A992 (mass market)", [("5A992",)]),
        ("5A992 and 4A994.l", [("5A992",), ("4A994", "l")]),
        ("EAR99", [("EAR99",)]),
        ("ear-99, 3A090.b", [("EAR99",), ("3A090", "b")]),
        ("13A090", []),
        ("8542.31", []),
    ],
)
def test_cells(cell, expected):
    assert parse(cell) == expected


def test_the_summary_and_the_explanation_say_it(tmp_path):
    sheet = tmp_path / "sheet.csv"
    rows = [{**item, "name": name, "ECCN": cell} for name, item, cell in [("a", H100, "3A991"), ("b", H100, "3A090.a")]]
    pd.DataFrame(rows).to_csv(sheet, index=False)
    run = lambda *arguments: CliRunner().invoke(main, [str(each) for each in arguments]).output  # noqa: E731 - short
    assert "declared ECCN against the computed entries: 1 agrees, 1 disagrees" in run("score", sheet, "--as-of", DAY)
    said = json.loads(run("score", sheet, "--as-of", DAY, "--json"))
    assert said["declared_eccn"] == {"disagrees": 1, "agrees": 1}
    text = run("explain", sheet, "--item", "a", "--as-of", DAY)
    assert (
        "Declared ECCN: 3A991\n  disagrees: declared 3A991, which is for anti-terrorism alone, meets 3A090.a.1" in text
    )
