"""Overlays: what they add, replace and end, on which days; that every answer says so; and that the book is untouched."""

import json
import subprocess
import sys
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

import perfcalc
from perfcalc.rulebook import book as books
from perfcalc.rulebook.overlay import apply, find, lint_overlay, overlaid, read, shipped

SHEET = Path(__file__).parent / "data" / "moving_chips.csv"
DAY = "2026-11-23"

HEAD = """
title: An example
jurisdiction: us
text: https://example.org/bill
instruments:
  "Bill 1": {title: A bill, published: 2026-01-01, url: "https://example.org/bill"}
"""
ENDS = "ends:\n  - {paragraph: 3A090.a.1, day: 2026-06-01}\n"
REPLACES = """
entries:
  - entry: 3A090
    title: Advanced computing integrated circuits
    reasons: [RS]
    paragraphs:
      3A090.a.1:
        kinds: [ic]
        core: true
        versions:
          - from: 2026-06-01
            until: 2026-09-01
            status: proposed
            test: [{tpp: {">=": 2000}}]
            citation: ["Bill 1"]
            verified: 2026-11-01
            confidence: low
"""


def write(folder, text, name="bill.yaml"):
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def verdict(item, rules=(), day=DAY, jurisdiction="us", **options):
    frame = pd.DataFrame([{"name": "x", "kind": "ic", **item}])
    scored = perfcalc.score(frame, as_of=day, rules=rules, jurisdictions=[jurisdiction], **options)
    return scored.iloc[0]


FREE = {"fp16_tflops": "99.9", "die_area_mm2": "9999", "datacenter": "yes", "memory_bandwidth_gb_s": "10"}
FREE |= {"interconnect_gb_s": "10"}


# Every limb of the bill: below, at. 300 x 16 = 4,800; 150 x 16 = 2,400; 100 x 16 = 1,600. 2,400 / 1.6 = 1,500 mm2.
@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({}, "not_controlled"),
        ({"fp16_tflops": "299.99"}, "not_controlled"),
        ({"fp16_tflops": "300"}, "controlled"),
        ({"fp16_tflops": "150", "die_area_mm2": "1500.1"}, "not_controlled"),
        ({"fp16_tflops": "150", "die_area_mm2": "1500"}, "controlled"),
        ({"fp16_tflops": "149.99", "die_area_mm2": "1499"}, "not_controlled"),
        ({"fp16_tflops": "100", "die_area_mm2": "500.1"}, "not_controlled"),
        ({"fp16_tflops": "100", "die_area_mm2": "500"}, "controlled"),
        ({"fp16_tflops": "99.99", "die_area_mm2": "1"}, "not_controlled"),
        ({"memory_bandwidth_gb_s": "4099.9"}, "not_controlled"),
        ({"memory_bandwidth_gb_s": "4100"}, "controlled"),
        ({"interconnect_gb_s": "1099.9"}, "not_controlled"),
        ({"interconnect_gb_s": "1100"}, "controlled"),
        ({"memory_bandwidth_gb_s": "4000", "interconnect_gb_s": "999.9"}, "not_controlled"),
        ({"memory_bandwidth_gb_s": "4000", "interconnect_gb_s": "1000"}, "controlled"),
        ({"memory_bandwidth_gb_s": "4000.1", "interconnect_gb_s": "999.9"}, "controlled"),
        ({"memory_bandwidth_gb_s": ""}, "cannot_tell"),
        ({"interconnect_gb_s": ""}, "cannot_tell"),
    ],
)
def test_safe_chips_limb_by_limb(change, word):
    scored = verdict(FREE | change, ["safe-chips"])
    assert scored.us_verdict == word
    assert ("S.3374" in (scored.us_entries if pd.notna(scored.us_entries) else "").split(";")) == (word == "controlled")


def test_safe_chips_begins_on_the_day_of_its_introduction():
    memory = FREE | {"memory_bandwidth_gb_s": "4100"}
    assert verdict(memory, ["safe-chips"], "2025-12-03").us_verdict == "not_controlled"
    assert verdict(memory, ["safe-chips"], "2025-12-04").us_verdict == "controlled"


def test_safe_chips_on_real_chips():
    """The H20 stays a hair short of every limb (4,000 of 4,100; 900 of 1,100; 4,900 of 5,000); the 4090 D does not."""
    answer = perfcalc.changes(perfcalc.read(SHEET), to=DAY, rules=["safe-chips"])
    (step,) = answer.steps
    assert {move.item for move in step.moves if move.turns} == {"NVIDIA GeForce RTX 4090 D"}
    (move,) = (move for move in step.moves if move.turns)
    (by,) = (each for each in move.paragraphs if each.change == "starts")
    assert by.paragraph == "S.3374"
    # 588.4 x 8 = 4,707.2 is over 2,400, and 7.74 per mm2 over 1.6.
    assert [(clause.metric, clause.limit) for clause in by.clauses_after] == [
        ("tpp", "2,400"),
        ("performance_density", "1.6"),
    ]
    assert by.source_after["citation"] == "S.3374 (119th Congress)"
    assert by.source_after["overlay"] == "safe-chips"
    assert answer.hypothetical == step.hypothetical == ["SAFE Chips Act (S.3374, 119th Congress), as introduced"]
    assert all(each["hypothetical"] for each in answer.to_dict()["steps"][0]["moves"])
    assert answer.to_pandas().hypothetical.all()


def test_canada_at_its_limit():
    base = {"datacenter": "yes"}
    assert verdict(base | {"fp16_tflops": "374.9"}, ["canada-2026"], jurisdiction="ca").ca_verdict == "not_controlled"
    scored = verdict(base | {"fp16_tflops": "375"}, ["canada-2026"], jurisdiction="ca")
    assert (scored.ca_verdict, scored.hypothetical) == ("controlled", True)
    before = verdict(base | {"fp16_tflops": "375"}, ["canada-2026"], "2026-04-24", "ca")
    assert before.ca_verdict != "controlled"


def test_the_column_is_there_only_with_an_overlay():
    frame = perfcalc.read(SHEET)
    assert "hypothetical" not in perfcalc.score(frame, as_of=DAY).columns
    scored = perfcalc.score(frame, as_of=DAY, rules="safe-chips")
    assert scored.hypothetical.dtype == bool
    assert scored.hypothetical.all()


def test_replacing_a_paragraph_for_some_days(tmp_path):
    path = write(tmp_path, HEAD + REPLACES)
    # 125 x 16 = 2,000, at a density of 0.2: free under the book, caught by the bill for three months.
    item = {"fp16_tflops": "125", "die_area_mm2": "9999", "datacenter": "yes"}
    for day, word in {
        "2026-05-31": "not_controlled",
        "2026-06-01": "controlled",
        "2026-08-31": "controlled",
        "2026-09-01": "not_controlled",
    }.items():
        assert verdict(item, [path], day).us_verdict == word, day
    # The book's own line is back afterwards.
    assert verdict(item | {"fp16_tflops": "300"}, [path], "2026-09-01").us_entries.startswith("3A090.a.1")
    versions = [rule for rule in overlaid([path]).rules if rule.paragraph == "3A090.a.1"]
    days = sorted((rule.start, rule.end) for rule in versions)
    assert [end for _, end in days[:-1]] == [start for start, _ in days[1:]]
    assert days[-1] == (date(2026, 9, 1), None)


def test_replacing_a_version_whole_leaves_nothing_of_it(tmp_path):
    path = write(tmp_path, HEAD + REPLACES.replace("2026-06-01", "2023-11-17").replace("2026-09-01", "null"))
    (version,) = (rule for rule in overlaid([path]).rules if rule.paragraph == "3A090.a.1")
    assert (version.start, version.end, version.overlay) == (date(2023, 11, 17), None, "bill")


def test_ending_a_paragraph(tmp_path):
    path = write(tmp_path, HEAD + ENDS)
    item = {"fp16_tflops": "300", "die_area_mm2": "9999", "datacenter": "yes"}
    assert verdict(item, [path], "2026-05-31").us_verdict == "controlled"
    assert verdict(item, [path], "2026-06-01").us_verdict == "not_controlled"
    frame = pd.DataFrame([{"name": "x", **item}])
    (move,) = perfcalc.changes(frame, from_="2026-05-31", to="2026-06-01", rules=[path]).steps[0].moves
    ends = next(each for each in move.paragraphs if each.paragraph == "3A090.a.1")
    assert (ends.change, ends.ended_by) == ("ends", ["An example"])


def test_steps_under_an_overlay_begin_with_the_overlay_itself(tmp_path):
    path = write(tmp_path, HEAD + REPLACES)
    frame = pd.DataFrame([{"name": "x", "fp16_tflops": "125", "die_area_mm2": "9999", "datacenter": "yes"}])
    answer = perfcalc.changes(frame, from_="2026-07-01", to="2026-10-01", rules=[path], step=True)
    turning = [(step.from_day, step.to_day) for step in answer.steps if any(move.turns for move in step.moves)]
    assert [to_day for _, to_day in turning] == ["2026-07-01", "2026-09-01"]
    assert turning[0] == ("2026-07-01", "2026-07-01")


def test_the_book_is_not_touched():
    book = books.load()
    laid = apply(book, read(find("safe-chips")))
    assert "S.3374" not in {rule.paragraph for rule in book.rules}
    assert not any(rule.overlay for rule in book.rules)
    assert [rule for rule in laid.rules if not rule.overlay] == list(book.rules)
    assert laid.digest != book.digest
    assert overlaid(()) is book


def test_order_of_overlays(tmp_path):
    lower = write(tmp_path, HEAD + REPLACES, "lower.yaml")
    none = write(tmp_path, HEAD + ENDS, "none.yaml")
    item = {"fp16_tflops": "125", "die_area_mm2": "9999", "datacenter": "yes"}
    assert verdict(item, [none, lower], "2026-07-01").us_verdict == "controlled"
    assert verdict(item, [lower, none], "2026-07-01").us_verdict == "not_controlled"


@pytest.mark.parametrize("name", shipped())
def test_what_ships_is_clean(name):
    laid = read(find(name))
    assert lint_overlay(laid, books.load(), date(2026, 11, 23)) == []
    assert laid.note
    assert all(rule.overlay == name for rule in laid.rules)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("title: An example\n", "", "not an overlay"),
        ("jurisdiction: us", "jurisdiction: us\nstrange: 1", "'strange'"),
        ('["Bill 1"]', '["Bill 2"]', "Bill 2"),
        ("from: 2026-06-01", "from: soon", "soon"),
        ('{">=": 2000}', '{">=": many}', "many"),
        ("            until: 2026-09-01\n", "", "until"),
        ("published: 2026-01-01", "published: 2026", "2026"),
    ],
)
def test_what_is_no_overlay(tmp_path, old, new, message):
    text = HEAD + REPLACES
    assert old in text
    with pytest.raises(perfcalc.InputError, match=message):
        read(write(tmp_path, text.replace(old, new, 1)))


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("tpp:", "tops:", "tops"),
        ("confidence: low", "confidence: sure", "sure"),
        ("verified: 2026-11-01", "verified: 2025-11-01", "before it was published"),
        ("until: 2026-09-01", "until: 2026-05-01", "before it begins"),
        ("paragraph: 3A090.a.1", "paragraph: 3A090.q", "not in the book"),
        ('https://example.org/bill"', 'example"', "without a link"),
    ],
)
def test_the_linter_finds(tmp_path, old, new, what):
    text = HEAD + ENDS + REPLACES
    assert old in text
    findings = lint_overlay(read(write(tmp_path, text.replace(old, new, 1))), books.load(), date(2026, 11, 23))
    assert any(finding.level == "error" and what in finding.what for finding in findings), findings


def run(*arguments):
    command = [sys.executable, "-m", "perfcalc.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, encoding="utf-8")


def test_command_line(tmp_path):
    out = tmp_path / "out.csv"
    done = run("score", SHEET, "--rules", "safe-chips", "--as-of", DAY, "-o", out)
    assert done.returncode == 0, done.stderr
    assert "HYPOTHETICAL" in done.stdout
    assert all(pd.read_csv(out).hypothetical)
    done = run("score", SHEET, "--rules", "safe-chips", "--as-of", DAY, "--json")
    answer = json.loads(done.stdout)
    assert answer["hypothetical"]
    assert all(item["hypothetical"] for item in answer["items"])
    explained = run("explain", SHEET, "--item", "NVIDIA GeForce RTX 4090 D", "--rules", "safe-chips", "--as-of", DAY)
    assert "HYPOTHETICAL" in explained.stdout
    assert "S.3374" in explained.stdout
    listed = json.loads(run("rules", "list", "--rules", "safe-chips", "--json").stdout)
    assert [rule["paragraph"] for rule in listed if rule.get("hypothetical")] == ["S.3374"]
    assert run("rules", "lint", "safe-chips").returncode == 0
    assert run("rules", "lint", write(tmp_path, HEAD + ENDS.replace("a.1", "q"))).returncode == 1
    missing = run("score", SHEET, "--rules", "no-such-bill")
    assert missing.returncode == 2
    assert "safe-chips" in missing.stderr
