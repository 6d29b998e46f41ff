"""The promise sheet: every promise is there, names tests that exist, and those that no other test keeps are kept here."""

import ast
import json
import re
from collections import Counter
from datetime import date, timedelta
from functools import cache
from pathlib import Path

import pytest
from click.testing import CliRunner

import perfcalc
from perfcalc.cli import main
from perfcalc.line import make_plan, score_sheet
from perfcalc.rulebook.book import load
from perfcalc.sheets.read import open_sheet

ROOT = Path(__file__).parents[1]
SHEET = (ROOT / "docs" / "promises.md").read_text("utf-8")
CHIPS = ROOT / "specs" / "chips.csv"
EIGHT = ROOT / "docs" / "examples" / "eight_chips.csv"

PROMISES = [
    "Never clears on missing data",
    "Exact at the line",
    "Every limit is cited, dated and verified-on",
    "Unknown dates refuse",
    "Rows in = rows out + rejects",
    "Same input and pack, same bytes on any machine, thread count and chunk size",
    "Every verdict is replayable from its evidence pack",
    "No network, no telemetry, nothing leaves the machine",
    "No pickle, no eval",
    "Rule text and engine versions are separable: packs update without code",
    "The output schema is frozen per major version",
    "A stale pack warns",
    "Hypothetical results are marked",
    "Model output is a probability with abstention and never changes a rule verdict",
    "The coverage page states what is not modelled, and a test holds the project to it",
]
LINE = re.compile(
    r"^(?P<number>\d+)\. \*\*(?P<title>.+?)\.\*\* (?P<state>Kept|Kept in part|Not kept)\.\s+(?P<rest>.*?)(?=^\d+\. |^#|\Z)",
    re.MULTILINE | re.DOTALL,
)
FOUND = {int(line["number"]): line for line in LINE.finditer(SHEET)}
TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


@cache
def names_in(path):
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


def test_every_promise_is_on_the_sheet():
    assert [FOUND[number]["title"] for number in sorted(FOUND)] == PROMISES
    states = Counter(line["state"] for line in FOUND.values())
    assert f"{states['Kept']} are kept, {states['Kept in part']} in part, {states['Not kept']} not" in SHEET


@pytest.mark.parametrize("number", range(1, len(PROMISES) + 1))
def test_what_keeps_a_promise_exists(number):
    line = FOUND[number]
    named = TEST.findall(line["rest"])
    assert "::" not in TEST.sub("", line["rest"]), "a test named in another form is not looked for"
    for path, name in named:
        assert name in names_in(path), f"{path} has no {name}"
    if line["state"] == "Not kept":
        assert len(line["rest"].split()) > 8, "and why?"
    else:
        assert named, "by which test?"
    if line["state"] == "Kept in part":
        assert "Not " in line["rest"], "and what is missing?"


def score_in_parts(out, threads, rows):
    """The shipped sheet scored in batches of some rows, into a file."""
    sheet = open_sheet(CHIPS)
    whole = list(sheet.batches())
    parts = [batch.slice(at, rows) for batch in whole for at in range(0, batch.num_rows, rows)]
    assert len(parts) == -(-252 // rows)
    sheet.batches = lambda: iter(parts)
    score_sheet(sheet, make_plan(sheet.schema.names, "sheet", date(2026, 11, 23), ["us", "eu"]), out, threads)
    return out


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_the_same_bytes_with_any_threads_and_batches(tmp_path, ending):
    ways = [(1, 10_000), (2, 37), (4, 100)]
    written = {score_in_parts(tmp_path / f"{rows}.{ending}", threads, rows).read_bytes() for threads, rows in ways}
    assert len(written) == 1


def test_a_day_after_the_book_was_last_checked_is_said():
    checked = max(rule.verified for rule in load().rules)

    def said(day):
        printed = CliRunner().invoke(main, ["score", str(EIGHT), "--as-of", day.isoformat()]).stdout
        written = CliRunner().invoke(main, ["score", str(EIGHT), "--as-of", day.isoformat(), "--json"]).stdout
        answer = json.loads(written)
        assert answer["rulebook_checked"] == checked.isoformat()
        warned = f"last checked on {checked}" in " ".join(printed.split())
        assert answer["later_than_checked"] is warned
        return warned

    assert not said(checked)
    assert said(checked + timedelta(days=1))


def test_published_result_columns_stay():
    """What users script against. A column may be added; none of these may go, move or change its name."""
    metrics = [
        "tpp",
        "applicable_die_area_mm2",
        "performance_density",
        "processing_performance_2022",
        "processing_tops",
        "aggregated_transistors_bn",
        "memory_and_interconnect_gb_s",
        "memory_bandwidth_density",
        "app_wt",
        "counted_qubits",
        "cnot_error",
    ]
    published = [f"{metric}{end}" for metric in metrics for end in ("", "_low", "_high")]
    published += [
        f"us_{part}" for part in ["verdict", "entries", "needs", "margin", "flags", "licence", "exceptions", "review"]
    ]
    published += [f"eu_{part}" for part in ["verdict", "entries", "needs", "margin", "flags"]]
    published += ["problems"]
    published += [
        f"origin{end}" for end in ("", "_probability", "_low", "_high", "_basis", "_leaning", "_because", "_needs")
    ]
    published += ["hypothetical"]
    sheet = perfcalc.read(EIGHT)
    scored = perfcalc.score(
        sheet,
        as_of="2026-11-23",
        jurisdictions=("us", "eu"),
        destination="CN",
        rules="safe-chips",
        origin=True,
    )
    names = list(scored.columns)
    assert names[: len(sheet.columns)] == list(sheet.columns)
    assert [name for name in names if name in published] == published
    assert set(scored["us_verdict"]) <= {"controlled", "not_controlled", "cannot_tell", "not_modelled"}
