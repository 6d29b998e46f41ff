"""The map: eight chips under a small book of five jurisdictions whose answers can be worked out by hand."""

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import perfcalc
from perfcalc.rulebook.book import read_folder

SHEET = Path(__file__).parent / "data" / "moving_chips.csv"

ENTRY = """
entry: "{entry}"
title: Chips
text: https://example.org/{entry}
reasons: [RS]
paragraphs:
  "{entry}":
    kinds: [{kind}]
    core: true
    versions:
      - from: 2020-01-01
        until: null
        status: in_force
        {test}
        citation: [Act]
        verified: 2026-01-01
        confidence: high
"""
ACT = "Act:\n  title: An act\n  published: 2019-12-01\n  url: https://example.org/act\n"
PLACES = {
    "aa": ("A1", "ic", "test: [{tpp: {'>=': 4800}}]"),
    "bb": ("B1", "ic", "test: [{tpp: {'>=': 6000}}]"),
    "cc": ("C1", "ic", "unread: the number was not read"),
    "dd": ("D1", "memory", "test: [{memory_bandwidth_density: {'>': 2}}]"),
    "ee": ("E1", "ic", "test: [{performance_density: {'>=': 9}}]"),
}


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    folder = tmp_path_factory.mktemp("book")
    for name, (entry, kind, test) in PLACES.items():
        (folder / name).mkdir()
        (folder / name / "instruments.yaml").write_text(ACT, "utf-8")
        (folder / name / f"{entry}.yaml").write_text(ENTRY.format(entry=entry, kind=kind, test=test), "utf-8")
    return read_folder(folder)


@pytest.fixture(scope="module")
def answer(book):
    return perfcalc.coverage(perfcalc.read(SHEET), as_of="2026-11-23", rules=book)


def test_matrix(answer):
    frame = answer.to_pandas().set_index("item")
    assert list(frame.columns) == ["aa", "bb", "cc", "dd", "ee", "gap", "hypothetical"]
    yes, no = "controlled", "not_controlled"
    assert frame["aa"].to_list() == [yes, yes, yes, yes, no, yes, yes, no]
    assert frame["bb"].to_list() == [no, no, yes, yes, no, no, no, no]
    assert set(frame["cc"]) == {"cannot_tell"}
    assert set(frame["dd"]) == {"not_modelled"}
    # Densities: 6.04, 6.04, 19.45, 19.45, 2.91, 9.64, 8.69, 7.74.
    assert frame["ee"].to_list() == [no, no, yes, yes, no, yes, no, no]
    assert frame["gap"].to_list() == [True, True, False, False, False, True, True, False]
    assert not frame["hypothetical"].any()
    assert answer.counts["aa"] == {yes: 6, no: 2}


def test_gap_with_its_margin(answer):
    gaps = {gap.item: gap for gap in answer.gaps}
    assert set(gaps) == {"NVIDIA A100 SXM 80GB", "NVIDIA A800", "NVIDIA L40S", "NVIDIA GeForce RTX 4090"}
    l40s = gaps["NVIDIA L40S"]
    assert {cell.jurisdiction: cell.entries for cell in l40s.controlled} == {"aa": ["A1"], "ee": ["E1"]}
    (free,) = l40s.free
    # 733 x 8 = 5,864, which is 2.27 % short of 6,000; with 91.6 x 32 of the shader cores it is 8,795.2.
    assert free.jurisdiction == "bb"
    assert free.margin == pytest.approx((5864 - 6000) / 6000)
    assert free.why == "tpp 5,864 against >= 6,000 of B1 (-2.3 %)"
    assert free.turned_by == {"vector=added": "controlled"}
    a100 = gaps["NVIDIA A100 SXM 80GB"]
    # 312 x 16 + 19.5 x 32 = 5,616 is still free.
    assert {cell.jurisdiction: cell.turned_by for cell in a100.free} == {"bb": {}, "ee": {}}


def test_open_and_not_modelled_are_never_free(answer, book):
    for gap in answer.gaps:
        assert {cell.jurisdiction for cell in gap.undecided} == {"cc", "dd"}
        assert {cell.verdict for cell in gap.free} == {"not_controlled"}
        why = {cell.jurisdiction: cell.why for cell in gap.undecided}
        assert why["cc"] == "C1: the number was not read"
        assert "modelled" in why["dd"]
    frame = perfcalc.read(SHEET)
    for pair in (("aa", "cc"), ("aa", "dd"), ("cc", "dd")):
        assert not perfcalc.coverage(frame, as_of="2026-11-23", rules=book, jurisdictions=pair).gaps


def test_before_the_first_rule_nobody_is_free(book):
    early = perfcalc.coverage(perfcalc.read(SHEET), as_of="2019-12-31", rules=book)
    assert not early.gaps
    assert all(set(counts) == {"not_modelled"} for counts in early.counts.values())
    assert perfcalc.coverage(perfcalc.read(SHEET), as_of="2020-01-01", rules=book).gaps


def test_missing_figures_make_no_gap(book):
    frame = pd.DataFrame([{"name": "x", "kind": "ic", "fp16_tflops": "?", "fp8_tflops": "700"}])
    found = perfcalc.coverage(frame, as_of="2026-11-23", rules=book, jurisdictions=("aa", "bb"))
    # 700 x 8 = 5,600 is over 4,800 whatever the other rate is, and that rate may be over 6,000.
    assert found.matrix == [{"row": 1, "item": "x", "aa": "controlled", "bb": "cannot_tell"}]
    assert not found.gaps


TPPS = {"": None, "?": None, "299.9": 4798.4, "300": 4800, "374.9": 5998.4, "375": 6000, "500": 8000}


@settings(deadline=None, max_examples=25)
@given(rates=st.lists(st.sampled_from(list(TPPS)), min_size=1, max_size=5))
def test_gaps_are_what_lies_between_the_lines(book, rates):
    frame = pd.DataFrame({"name": [f"x{n}" for n in range(len(rates))], "kind": "ic", "fp16_tflops": rates})
    found = perfcalc.coverage(frame, as_of="2026-11-23", rules=book)
    for row, text in enumerate(rates):
        for name, limit in (("aa", 4800), ("bb", 6000)):
            tpp = TPPS[text]
            word = "cannot_tell" if tpp is None else "controlled" if tpp >= limit else "not_controlled"
            assert found.matrix[row][name] == word, text
    assert [gap.row for gap in found.gaps] == [row + 1 for row, text in enumerate(rates) if text in ("300", "374.9")]


def test_command_line():
    command = [
        sys.executable,
        "-m",
        "perfcalc.cli",
        "coverage",
        SHEET,
        "--rules",
        "canada-2026",
        "--jurisdiction",
        "us,ca",
    ]
    command += ["--as-of", "2026-11-23"]
    done = subprocess.run([*command, "--json"], capture_output=True, text=True, check=True, encoding="utf-8")
    answer = json.loads(done.stdout)
    assert {gap["item"] for gap in answer["gaps"]} == {
        "NVIDIA A100 SXM 80GB",
        "NVIDIA A800",
        "NVIDIA L40S",
        "NVIDIA GeForce RTX 4090",
    }
    assert all(row["hypothetical"] for row in (*answer["matrix"], *answer["gaps"]))
    text = subprocess.run(command, capture_output=True, text=True, check=True, encoding="utf-8").stdout
    assert text.startswith("HYPOTHETICAL")
    assert "4 items that some control and others leave free" in text
