"""Who moves: eight chips whose path through the rules of 2022 and 2023 can be worked out by hand.

TPP is the highest rate times its bits; PD is TPP ÷ die area; I/O is the aggregate rate over all links.

==========  =======  ======  ====  ===========  ======================  ======================
chip        TPP      PD      I/O   data centre  2022-10-21              2023-11-17
==========  =======  ======  ====  ===========  ======================  ======================
A100        4,992     6.04   600   yes          3A090.a (600, 4,800)    a.1 (4,800), a.2 (5.92)
A800        4,992     6.04   400   yes          free by I/O             a.1, a.2
H100       15,832    19.45   900   yes          3A090.a                 a.1, a.2
H800       15,832    19.45   400   yes          free by I/O             a.1, a.2
H20         2,368     2.91   900   yes          free by TPP             free (2,400; 3.2)
L40S        5,864     9.64    64   yes          free by I/O             a.1, a.2
RTX 4090    5,284.8   8.69    64   no           free by I/O             a.1, a.2
RTX 4090 D  4,707.2   7.74    64   no           free by I/O             free by Note 2
==========  =======  ======  ====  ===========  ======================  ======================
"""

import csv
import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import perfcalc

SHEET = Path(__file__).parent / "data" / "moving_chips.csv"
IN_2022 = {"NVIDIA A100 SXM 80GB", "NVIDIA H100 SXM"}
IN_2023 = {"NVIDIA A800", "NVIDIA H800", "NVIDIA L40S", "NVIDIA GeForce RTX 4090"}
NEVER = {"NVIDIA H20", "NVIDIA GeForce RTX 4090 D"}


@pytest.fixture(scope="module")
def steps():
    answer = perfcalc.changes(perfcalc.read(SHEET), from_="2022-10-20", to="2026-11-23", step=True)
    return {step.to_day: step for step in answer.steps}


def moved(step, jurisdiction="us"):
    return {move.item: move for move in step.moves if move.jurisdiction == jurisdiction}


def core(side):
    return [entry for entry in side.entries if entry.startswith("3A090")]


def test_every_day_of_change_is_a_step(steps):
    assert {"2022-10-21", "2023-11-17", "2024-04-04", "2024-12-02", "2026-01-15", "2026-11-23"} <= set(steps)


def test_october_2022(steps):
    moves = moved(steps["2022-10-21"])
    assert {item for item, move in moves.items() if move.after.verdict == "controlled"} == IN_2022
    assert all(moves[item].after.verdict == "not_controlled" for item in IN_2023 | NEVER)
    a100 = moves["NVIDIA A100 SXM 80GB"]
    assert core(a100.after) == ["3A090.a"]
    assert a100.paragraphs[0].change == "starts"
    assert a100.paragraphs[0].citation == "87 FR 62186"
    assert a100.paragraphs[0].source_after["published"] == ["2022-10-13"]


def test_november_2023(steps):
    moves = moved(steps["2023-11-17"])
    assert {item for item, move in moves.items() if move.turns} == IN_2023
    assert NEVER.isdisjoint(item for item, move in moves.items() if core(move.before) != core(move.after))
    for item in IN_2023:
        assert moves[item].before.verdict == "not_controlled"
        assert moves[item].after.verdict == "controlled"
    for item in IN_2022 | IN_2023:
        assert core(moves[item].after) == ["3A090.a.1", "3A090.a.2"]
    # The A100 stays controlled but under other paragraphs.
    assert core(moves["NVIDIA A100 SXM 80GB"].before) == ["3A090.a"]
    assert not moves["NVIDIA A100 SXM 80GB"].turns


@pytest.mark.parametrize(
    ("item", "tpp", "io"),
    [("NVIDIA A800", 4992, 400), ("NVIDIA H800", 15832, 400), ("NVIDIA L40S", 5864, 64)],
)
def test_by_which_clause_and_why(steps, item, tpp, io):
    move = moved(steps["2023-11-17"])[item]
    starts = next(each for each in move.paragraphs if each.paragraph == "3A090.a.1")
    assert (starts.change, starts.before, starts.after) == ("starts", None, "met")
    (clause,) = starts.clauses_after
    assert (clause.metric, clause.operator, clause.limit, clause.low, clause.high) == ("tpp", ">=", "4,800", tpp, tpp)
    assert clause.margin == pytest.approx(tpp / 4800 - 1)
    assert starts.citation == "88 FR 73458"
    assert starts.source_after["published"] == ["2023-10-25"]
    ends = next(each for each in move.paragraphs if each.paragraph == "3A090.a")
    assert (ends.change, ends.before, ends.after) == ("ends", "failed", None)
    (missed,) = ends.clauses_before
    assert (missed.metric, missed.state, missed.low) == ("interconnect_gb_s", "failed", io)
    assert ends.ended_by == ["88 FR 73458"]
    assert ends.words == f"ends: 3A090.a: interconnect_gb_s {io} GB/s not >= 600"


def test_never_controlled(steps):
    for day, step in steps.items():
        for item in NEVER & set(moved(step)):
            assert moved(step)[item].after.verdict == "not_controlled", (day, item)


def test_nothing_turns_after_2023(steps):
    for day, step in steps.items():
        if day > "2023-11-17":
            assert not [move.item for move in step.moves if move.turns], day


def test_the_day_before_and_the_day_of():
    sheet = perfcalc.read(SHEET)
    before = perfcalc.changes(sheet, from_="2022-10-21", to="2023-11-16")
    assert not before.steps[0].moves
    day_of = perfcalc.changes(sheet, from_="2023-11-16", to="2023-11-17")
    assert {move.item for move in day_of.steps[0].moves if move.turns} == IN_2023
    assert day_of.steps[0].counts["us"]["not_controlled -> controlled"] == 4


@pytest.mark.parametrize(("fp16", "verdict"), [(300, "controlled"), (299, "not_controlled")])
def test_what_frees_an_item_is_named(fp16, verdict):
    """Outside data centres, low density: 300 x 16 is 4,800 and stays; 299 x 16 is 4,784, caught only by 2022's outputs."""
    frame = pd.DataFrame(
        [{"name": "x", "fp16_tflops": fp16, "interconnect_gb_s": 600, "die_area_mm2": 4000, "datacenter": "no"}]
    )
    outputs = "bit_length_2022=outputs"
    (move,) = perfcalc.changes(frame, from_="2023-11-16", to="2023-11-17", readings=outputs).steps[0].moves
    assert (move.before.verdict, move.after.verdict) == ("controlled", verdict)
    line = next(each for each in move.paragraphs if each.paragraph == "3A090.a.1")
    assert line.after == ("met" if verdict == "controlled" else "failed")
    assert line.clauses_after[0].metric == "tpp"


def test_an_open_item_says_what_it_needs():
    frame = pd.DataFrame([{"name": "x", "int8_tops": "250", "datacenter": "yes", "interconnect_gb_s": "64"}])
    (move,) = perfcalc.changes(frame, from_="2023-11-16", to="2023-11-17").steps[0].moves
    assert (move.before.verdict, move.after.verdict) == ("not_controlled", "cannot_tell")
    assert "die_area_mm2" in move.after.needs
    opened = {each.paragraph: each for each in move.paragraphs if each.after == "open"}
    assert {"3A090.a.2", "3A090.b.2"} <= set(opened)
    assert {clause.metric for clause in opened["3A090.a.2"].clauses_after} == {"performance_density"}


def test_an_item_that_turns_on_a_reading_needs_it():
    """TF32 at 19 and at 32 bits: 200 x 19 is 3,800 and 200 x 32 is 6,400."""
    frame = pd.DataFrame([{"name": "x", "tf32_tflops": "200", "datacenter": "yes", "interconnect_gb_s": "64"}])
    frame = frame.assign(die_area_mm2="9999", transistor_architecture="non_planar")
    (move,) = perfcalc.changes(frame, from_="2023-11-16", to="2023-11-17", readings="all").steps[0].moves
    assert move.after.verdict == "cannot_tell"
    assert move.after.needs == ["reading:tf32_bits=32"]


def test_a_computer_moves_with_its_chip():
    frame = pd.DataFrame(
        [
            {"name": "board", "kind": "computer", "part_of": None, "fp8_tflops": None},
            {"name": "chip", "kind": "ic", "part_of": "board", "fp8_tflops": "733"},
        ]
    ).assign(datacenter="yes", interconnect_gb_s="64", die_area_mm2="608.5")
    moves = {move.item: move for move in perfcalc.changes(frame, from_="2023-11-16", to="2023-11-17").steps[0].moves}
    assert moves["board"].after.entries[0] == "4A090.a"
    starts = next(each for each in moves["board"].paragraphs if each.paragraph == "4A090.a")
    assert starts.change == "amended"
    assert starts.now == "4A090.a: contains 3A090.a.1 or 3A090.a.2"


def test_wrong_days_and_nothing_to_compare():
    sheet = perfcalc.read(SHEET)
    with pytest.raises(perfcalc.InputError, match="is after"):
        perfcalc.changes(sheet, from_="2024-01-01", to="2023-01-01")
    with pytest.raises(perfcalc.InputError, match="nothing to compare"):
        perfcalc.changes(sheet, to="2023-01-01")


rates = st.sampled_from(["", "?", "99", "150", "200", "299.9", "300", "400"])
items = st.lists(
    st.fixed_dictionaries(
        {
            "fp16_tflops": rates,
            "interconnect_gb_s": st.sampled_from(["", "599.9", "600", "64"]),
            "die_area_mm2": st.sampled_from(["", "100", "800", "1500", "600-900"]),
            "datacenter": st.sampled_from(["", "yes", "no"]),
        }
    ),
    min_size=1,
    max_size=6,
)


@settings(deadline=None, max_examples=25)
@given(items=items)
def test_steps_add_up_to_the_scores_of_both_ends(items):
    """Whoever the steps move is what scoring each day by itself says, and nobody else moves."""
    frame = pd.DataFrame(items).astype("string")
    frame.insert(0, "name", [f"item {row}" for row in range(len(frame))])
    answer = perfcalc.changes(frame, from_="2022-10-20", to="2026-11-23", step=True)
    verdicts = perfcalc.score(frame, as_of="2022-10-20").us_verdict.to_list()
    for step in answer.steps:
        for move in step.moves:
            assert verdicts[move.row - 1] == move.before.verdict
            verdicts[move.row - 1] = move.after.verdict
        scored = perfcalc.score(frame, as_of=step.to_day)
        assert verdicts == scored.us_verdict.to_list(), step.to_day
        for move in step.moves:
            entries = scored.us_entries[move.row - 1]
            assert move.after.entries == ([] if pd.isna(entries) else entries.split(";"))


def run(*arguments):
    command = [sys.executable, "-m", "perfcalc.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, encoding="utf-8")


def test_command_line():
    done = run("changes", SHEET, "--from", "2023-11-16", "--to", "2023-11-17", "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert {move["item"] for move in answer["steps"][0]["moves"] if move["after"]["verdict"] == "controlled"} >= IN_2023
    assert answer["hypothetical"] == []
    text = run("changes", SHEET, "--from", "2023-11-16", "--to", "2023-11-17").stdout
    assert "88 FR 73458" in text
    assert "HYPOTHETICAL" not in text
    assert run("changes", SHEET, "--from", "2024-01-01", "--to", "2023-01-01").returncode == 2


def test_frame_of_moves(steps):
    frame = perfcalc.changes(perfcalc.read(SHEET), from_="2023-11-16", to="2023-11-17").to_pandas()
    row = frame.set_index("item").loc["NVIDIA H800"]
    assert (row.from_verdict, row.to_verdict) == ("not_controlled", "controlled")
    assert "88 FR 73458" in row.citation
    assert not frame.hypothetical.any()
    with SHEET.open(encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) == 8
