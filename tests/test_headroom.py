"""Headroom: what it says is applied to the sheet and scored; one last digit less changes nothing."""

import json
import random
from decimal import Decimal
from fractions import Fraction

import pandas as pd
import pytest
from click.testing import CliRunner
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import perfcalc
from perfcalc.answers.exact import cell, decimal, decimals, solve
from perfcalc.cli import main
from perfcalc.fields import FIELDS

DAY = "2026-11-23"
#: A seed does not shrink.
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)
PLACES = ("us", "eu", "gb", "kr")


def chips(seed, size):
    """Random chips, many of them near a line; numbers with up to three decimals."""
    chance = random.Random(seed)
    rows = []
    for k in range(size):
        top = chance.choice([50, 150, 300, 700, 1500, 5000])
        rates = {"fp16_tflops": round(chance.uniform(1, top), chance.choice([0, 1, 3]))}
        if chance.random() < 0.7:
            rates["fp32_tflops"] = round(chance.uniform(1, 80), 2)
        if chance.random() < 0.5:
            rates["fp8_tflops"] = rates["int8_tops"] = chance.choice([rates["fp16_tflops"] * 2, chance.randint(1, top)])
        area = chance.choice([chance.randint(40, 900), f"{chance.randint(100, 400)}-{chance.randint(401, 800)}", None])
        rows.append(
            {
                "name": f"chip {k}",
                "kind": "ic",
                **rates,
                "die_area_mm2": area,
                "transistor_architecture": chance.choice(["non_planar", "non_planar", "planar", None]),
                "datacenter": chance.choice(["yes", "no", None]),
                "memory_bandwidth_gb_s": chance.choice([None, chance.randint(100, 5000)]),
                "interconnect_gb_s": chance.choice([None, chance.randint(50, 1500)]),
            }
        )
    return pd.DataFrame(rows, dtype=object)


def quantum(seed, size):
    chance = random.Random(seed)
    rows = []
    for k in range(size):
        error = round(10 ** chance.uniform(-5, -1.3), chance.choice([4, 5, 6]))
        by_fidelity = chance.random() < 0.4
        rows.append(
            {
                "name": f"machine {k}",
                "kind": "quantum",
                "modality": chance.choice(["gate", "gate", "gate", "annealer", "analog"]),
                "physical_qubits": chance.randint(5, 3000),
                "two_qubit_error": None if by_fidelity else str(Decimal(str(error))),
                "two_qubit_fidelity": str(1 - Decimal(str(error))) if by_fidelity else None,
                "error_convention": chance.choice([None, "average", "process"]),
                "native_gate": "cx",
            }
        )
    return pd.DataFrame(rows, dtype=object)


def apply_all(sheet, answer, value_of):
    """One row for each line of the answer, with one cell changed; scored by perfcalc's front door."""
    rows, lines = [], []
    for item in answer.items:
        for line in item.lines:
            value = value_of(line, item)
            if value is not None:
                rows.append({**sheet.iloc[item.row - 1].to_dict(), line.field: value})
                lines.append((item, line))
    frame = pd.DataFrame(rows, dtype=object)
    return lines, perfcalc.score(frame, as_of=answer.as_of, jurisdictions=answer.jurisdictions)


def last_digit(line):
    """One last digit: the finest that the answer uses for the field."""
    if FIELDS[line.field].unit == "qubits":
        return Fraction(1)
    digits = 7 if FIELDS[line.field].high <= 1 else 2
    ends = [Fraction(part) for part in line.now.split("-")]
    return Fraction(1, 10 ** max([digits, *(decimals(end) for end in ends)]))


def one_less(line):
    if not line.change:
        return None
    step = last_digit(line) * (-1 if line.change.startswith("-") else 1)
    value = Fraction(line.value) - step
    low, *high = (Fraction(part) for part in line.now.split("-"))
    inside = low <= value <= (high[0] if high else low)
    return line.now if inside else decimal(value)


def verify(sheet, **options):
    answer = perfcalc.headroom(sheet, as_of=DAY, **options)
    lines, scored = apply_all(sheet, answer, lambda line, item: line.value)
    assert lines
    for (item, line), (_, row) in zip(lines, scored.iterrows(), strict=True):
        place = item.jurisdiction
        assert row[f"{place}_verdict"] == line.verdict != item.verdict, (item, line)
        assert line.verdict in ("controlled", "not_controlled")
        if line.entries:
            assert row[f"{place}_entries"].split(";")[0] == line.entries[0]
    nearest = {}
    lines, scored = apply_all(sheet, answer, lambda line, item: one_less(line))
    for (item, line), (_, row) in zip(lines, scored.iterrows(), strict=True):
        place = item.jurisdiction
        way = item.row, place, line.field, line.change[0] == "-"
        change = abs(Fraction(line.change))
        first = nearest.setdefault(way, change) == min(change, nearest[way])
        nearest[way] = min(change, nearest[way])
        verdict, entries = row[f"{place}_verdict"], str(row[f"{place}_entries"]).split(";")
        if verdict == line.verdict:
            # Only a farther paragraph's line may lie inside what is controlled already.
            assert not first or change > nearest[way], (item, line)
            assert entries[0] != line.entries[0], (item, line)
    return answer


@settings(max_examples=10, deadline=None, phases=PHASES)
@given(st.integers(0, 10**6))
def test_chips_flip_at_the_line_and_one_digit_less_does_not(seed):
    verify(chips(seed, 50), jurisdictions=PLACES)


@settings(max_examples=10, deadline=None, phases=PHASES)
@given(st.integers(0, 10**6))
def test_quantum_machines_flip_at_the_line_and_one_digit_less_does_not(seed):
    verify(quantum(seed, 50), jurisdictions=("us", "eu", "gb", "jp"))


@settings(max_examples=4, deadline=None, phases=PHASES)
@given(st.integers(0, 10**6))
def test_nothing_nearer_flips(seed):
    """Random values between the item and the nearest line of a field leave the verdict as it is."""
    chance = random.Random(seed)
    sheet = chips(seed, 12)
    answer = perfcalc.headroom(sheet, as_of=DAY, jurisdictions=("us", "eu"))
    fields = ("fp16_tflops", "fp32_tflops", "die_area_mm2")
    rows, expected = [], []
    for item in answer.items:
        for field in fields:
            now = sheet.iloc[item.row - 1].get(field)
            if item.verdict not in ("controlled", "not_controlled") or now is None or pd.isna(now):
                continue
            ends = [float(part) for part in str(now).split("-")]
            for way, start in ((1, ends[-1]), (-1, ends[0])):
                reached = [float(line.value) for line in item.lines if line.field == field]
                beyond = [value for value in reached if (value - start) * way > 0]
                limit = (
                    min(beyond, key=lambda value: abs(value - start)) if beyond else (start * 50 if way > 0 else 0.01)
                )
                for _ in range(3):
                    value = round(start + (limit - start) * chance.random() ** 2, 2)
                    if abs(value - start) < abs(limit - start) and value > 0:
                        rows.append({**sheet.iloc[item.row - 1].to_dict(), field: value})
                        expected.append((item, field, value))
    scored = perfcalc.score(pd.DataFrame(rows, dtype=object), as_of=DAY, jurisdictions=("us", "eu"))
    flipped = {"controlled": "not_controlled", "not_controlled": "controlled"}
    for (item, field, value), (_, row) in zip(expected, scored.iterrows(), strict=True):
        assert row[f"{item.jurisdiction}_verdict"] != flipped[item.verdict], (item, field, value)


def test_worked_by_hand():
    """3A090.a.1 is TPP 4800: 600 TOPS at 8 bits. At 800 mm² the density limits of .a.2 and .b lie higher."""
    sheet = pd.DataFrame(
        {
            "name": ["a"],
            "kind": ["ic"],
            "int8_tops": [188],
            "die_area_mm2": [9000],
            "datacenter": ["yes"],
            "transistor_architecture": ["non_planar"],
        }
    )
    (item,) = perfcalc.headroom(sheet, as_of=DAY).items
    more = next(line for line in item.lines if line.field == "int8_tops")
    assert (more.now, more.value, more.change, more.entries[0]) == ("188", "600", "412", "3A090.a.1")
    assert more.words == "412 TOPS more int8_tops (188 → 600), and it is 3A090.a.1"
    assert [line.field for line in item.lines if line.change.startswith("-")] == []


def test_area_frees_and_controls():
    """TPP 3200: controlled by density from 5.92, or 3.2 as .b.1 (2400 and 1.6) says: beyond 3200 ÷ 1.6 = 2000 mm²."""
    sheet = pd.DataFrame(
        {
            "name": ["a"],
            "kind": ["ic"],
            "fp8_tflops": [400],
            "die_area_mm2": [700],
            "datacenter": ["yes"],
            "transistor_architecture": ["non_planar"],
        }
    )
    (item,) = perfcalc.headroom(sheet, as_of=DAY).items
    area = next(line for line in item.lines if line.field == "die_area_mm2")
    assert item.verdict == "controlled"
    assert (area.value, area.verdict) == ("2000.01", "not_controlled")


def test_units_of_one_ic():
    """Two units of TPP 1600 and 2000: of the 4800 that the IC may have, each leaves the rest to the other."""
    sheet = pd.DataFrame(
        {
            "id": ["x", "x", "y"],
            "name": ["x", "x", "y"],
            "kind": ["ic"] * 3,
            "unit": ["npu", "gpu", None],
            "fp16_tflops": [100, 125, 10],
            "die_area_mm2": [9000] * 3,
            "datacenter": ["yes"] * 3,
            "transistor_architecture": ["non_planar"] * 3,
        }
    )
    lines = {
        item.row: {line.field: line.value for line in item.lines if line.field == "fp16_tflops"}
        for item in perfcalc.headroom(sheet, as_of=DAY).items
    }
    assert lines[1] == {"fp16_tflops": "175"}
    assert lines[2] == {"fp16_tflops": "200"}
    assert lines[3] == {"fp16_tflops": "300"}


def test_open_items_have_no_lines_but_needs():
    sheet = pd.DataFrame({"name": ["a"], "kind": ["ic"], "fp16_tflops": [150], "datacenter": ["yes"]})
    (item,) = perfcalc.headroom(sheet, as_of=DAY).items
    assert item.verdict == "cannot_tell"
    assert item.lines == []
    assert "die_area_mm2" in item.silence


@pytest.mark.parametrize("place", ["us", "eu"])
@pytest.mark.parametrize("datacenter", ["yes", "no"])
def test_a_design_stays_outside_up_to_its_ceiling(place, datacenter):
    answer = perfcalc.headroom_design(area=600, node="N5", datacenter=datacenter, as_of=DAY, jurisdictions=(place,))
    rows = []
    for ceiling in answer.ceilings:
        assert ceiling.largest
        beyond = decimal(Fraction(ceiling.largest) + Fraction(1, 100))
        chip = {"name": "d", "kind": "ic", "die_area_mm2": "600", "process_node": "N5", "datacenter": datacenter}
        rows += [{**chip, ceiling.field: value} for value in (ceiling.largest, beyond)]
    verdicts = list(perfcalc.score(pd.DataFrame(rows), as_of=DAY, jurisdictions=(place,))[f"{place}_verdict"])
    assert verdicts[::2] == ["not_controlled"] * len(answer.ceilings)
    assert "not_controlled" not in verdicts[1::2]
    if (place, datacenter) == ("us", "yes"):
        # 3A090.b.2: TPP ÷ 600 mm² from 3.2, which is 1920; by the law's own numbers, not by the program's.
        assert next(each for each in answer.ceilings if each.field == "fp16_tflops").largest == "119.99"


def test_a_design_now_and_under_an_overlay():
    answer = perfcalc.headroom_design(
        area=3500,
        node="N5",
        datacenter="yes",
        memory_bandwidth=1000,
        interconnect=300,
        as_of=DAY,
        rules=("safe-chips",),
    )
    largest = {each.law: each.largest for each in answer.ceilings if each.field == "fp8_tflops"}
    # TPP 4800 in both; but never the density of 1.6 at 3,500 mm² (TPP 5600).
    assert largest == {"now": "599.99", "overlay": "599.99"}
    bandwidth = perfcalc.headroom_design(
        area=3500,
        node="N5",
        datacenter="yes",
        memory_bandwidth=4100,
        interconnect=300,
        as_of=DAY,
        rules=("safe-chips",),
    )
    assert {each.law: each.largest for each in bandwidth.ceilings if each.field == "fp8_tflops"} == {
        "now": "599.99",
        "overlay": "",
    }


def test_solving_is_exact():
    probes = (Fraction(1), Fraction(2), Fraction(4))
    assert list(solve(probes, [3 * x + 1 for x in probes], {Fraction(10)})) == [3]
    assert list(solve(probes, [7 / x for x in probes], {Fraction(3)})) == [Fraction(7, 3)]
    assert list(solve(probes, [x**3 for x in probes], {Fraction(3)})) == []
    assert list(solve(probes, [Fraction(5)] * 3, {Fraction(3)})) == []


@given(st.fractions(min_value=0, max_value=10**6, max_denominator=10**6))
def test_cells_read_back(number):
    text = cell(FIELDS["fp16_tflops"], number, number, given=True)
    assert abs(Fraction(text) - number) <= Fraction(1, 10**30)


def test_command_line():
    run = CliRunner().invoke
    shown = run(
        main, ["headroom", "specs/chips.csv", "--item", "NVIDIA H20", "--as-of", DAY, "--jurisdiction", "us,eu"]
    )
    assert shown.exit_code == 0
    assert "and it is" in shown.output
    said = json.loads(
        run(main, ["headroom", "specs/chips.csv", "--item", "NVIDIA H20", "--as-of", DAY, "--json"]).output
    )
    assert said["items"][0]["lines"][0]["words"]
    design = run(main, ["headroom", "--design", "--area", "600", "--node", "N5", "--datacenter", "yes", "--as-of", DAY])
    assert "119.99" in design.output
    assert run(main, ["headroom"]).exit_code == 2
    assert run(main, ["headroom", "--design"]).exit_code == 2
