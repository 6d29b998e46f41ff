"""Headroom: what it says is applied to the sheet and scored; one last digit less changes nothing."""

import json
import random
from fractions import Fraction

import pandas as pd
import pytest
from click.testing import CliRunner
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from test_headroom_regimes import chip

import perfcalc
from perfcalc.answers.exact import cell, decimal, solve
from perfcalc.answers.headroom import COLUMNS
from perfcalc.cli import main
from perfcalc.fields import FIELDS

DAY = "2026-11-23"
#: A seed does not shrink.
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)
#: Of the data centre, and so large that its density is no matter.
PLAIN = {"kind": "ic", "die_area_mm2": 9000, "datacenter": "yes", "transistor_architecture": "non_planar"}


@settings(max_examples=4, deadline=None, phases=PHASES)
@given(st.integers(0, 10**6))
def test_nothing_nearer_flips(seed):
    """Random values between the item and the nearest line of a field leave the verdict as it is."""
    chance = random.Random(seed)
    sheet = pd.DataFrame([{"name": f"chip {k}", "kind": "ic", **chip(chance)} for k in range(12)], dtype=object)
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


def test_every_paragraph_on_the_way_is_named():
    """Step by step over the sheet's own numbers: the principal paragraphs met on the way up, and where each begins."""
    chips = [
        {"name": "d", **PLAIN, "die_area_mm2": area, "fp16_tflops": 20, "int8_tops": 31}
        for area in ("613.7", "917.3", "1207")
    ]
    answer = perfcalc.headroom(pd.DataFrame(chips), as_of=DAY, jurisdictions=("us", "eu"))
    steps = [round(20 + k * 0.37, 2) for k in range(1, 1100)]
    for chip_, row in zip(chips, (1, 2, 3), strict=True):
        scored = perfcalc.score(
            pd.DataFrame([{**chip_, "fp16_tflops": rate} for rate in steps]), as_of=DAY, jurisdictions=("us", "eu")
        )
        for item in (each for each in answer.items if each.row == row):
            found = {line.entries[0]: float(line.value) for line in item.lines if line.field == "fp16_tflops"}
            first = {}
            columns = (scored[f"{item.jurisdiction}_{name}"] for name in ("verdict", "entries"))
            for rate, verdict, entries in zip(steps, *columns, strict=True):
                if verdict == "controlled":
                    first.setdefault(entries.split(";")[0], rate)
            assert found.keys() == first.keys()
            assert all(first[name] - 0.37 < value <= first[name] for name, value in found.items())


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
    assert item.nearness == abs(item.lines[0].relative)
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


def test_all_rates_together_by_hand():
    """TPP 8 × 150 = 1200 against 4800: four times as fast in every format. Of two formats the higher TPP counts."""
    sheet = pd.DataFrame({"name": ["a"], "int8_tops": [150], "fp16_tflops": ["50-60"], **PLAIN})
    answer = perfcalc.headroom(sheet, as_of=DAY)
    line = next(line for line in answer.items[0].lines if line.field == "all_rates")
    assert (line.now, line.value, line.change, line.unit, line.relative) == ("1", "4", "3", "×", 3.0)
    assert line.entries[0] == "3A090.a.1"
    assert line.figures["tpp"] == ["1,200", "4,800"]
    assert line.words == (
        "4 times as fast in every format (tpp 1,200 → 4,800, performance_density 0.13333 → 0.53333), and it is 3A090.a.1"
    )
    # The nearest first: three times more of all is nearer than the same of the slower format alone.
    assert [each.field for each in answer.items[0].lines[:2]] == ["int8_tops", "all_rates"]


def test_one_rate_alone_has_no_factor():
    sheet = pd.DataFrame({"name": ["a"], "int8_tops": [150], **PLAIN})
    (item,) = perfcalc.headroom(sheet, as_of=DAY).items
    assert [line.field for line in item.lines] == ["int8_tops"]


def test_what_no_formula_solves_is_found_by_halving():
    """The error 1 - LF^(1/10) is no straight line; for 60 qubits the line is an error of 0.0001.

    A layer's error is a process error, of which four fifths count: 0.000125.
    """
    sheet = pd.DataFrame(
        {
            "name": ["a"],
            "kind": ["quantum"],
            "modality": ["gate"],
            "physical_qubits": [60],
            "layer_fidelity": ["0.95"],
            "layer_gates": [10],
        }
    )
    (item,) = perfcalc.headroom(sheet, as_of=DAY).items
    line = next(line for line in item.lines if line.field == "layer_fidelity")
    value, digit = Fraction(line.value), Fraction(1, 10**7)
    assert line.verdict == "controlled"
    assert value - digit < Fraction("0.999875") ** 10 <= value


def test_members_of_a_union_share_their_lines():
    sheet = pd.DataFrame({"name": ["a"], "int8_tops": [150], "fp16_tflops": [50], **PLAIN})
    of = {item.jurisdiction: item.lines for item in perfcalc.headroom(sheet, as_of=DAY, jurisdictions=("all",)).items}
    assert of["eu"]
    assert of["eu"] == of["at"] == of["se"] != of["us"]


def test_headings_and_types_of_its_own_give_the_same_lines():
    """Where a value cannot stand in the sheet's own column, it is read from a column beside it."""
    plain = pd.DataFrame({"name": ["a", "b"], "fp16_tflops": [150.5, 620], "fp8_tflops": [301, 900], **PLAIN})
    own = plain.rename(columns={"fp16_tflops": "FP16 (PFLOPS)", "die_area_mm2": "die area (cm2)", "name": "Chip"})
    own["FP16 (PFLOPS)"] /= 1000
    own["die area (cm2)"] = ["90,0", "90,0"]
    asked = {"as_of": DAY, "jurisdictions": ("us", "eu")}
    assert perfcalc.headroom(own, **asked) == perfcalc.headroom(plain, **asked)
    assert perfcalc.headroom(plain.astype(str), **asked) == perfcalc.headroom(plain, **asked)


def test_files_and_frames(tmp_path):
    sheet = pd.DataFrame({"name": ["=a", "b"], "int8_tops": [150, None], "fp16_tflops": [50, None], **PLAIN})
    answer = perfcalc.headroom(sheet, as_of=DAY, rules=("safe-chips",))
    answer.write(tmp_path / "lines.csv")
    answer.write(tmp_path / "lines.parquet")
    frame = answer.to_pandas()
    read = pd.read_csv(tmp_path / "lines.csv", dtype={"value": str, "now": str, "change": str}, keep_default_na=False)
    assert list(read.item) == ["'=a"] * len(read)
    assert list(read.value) == list(frame.value) == [line.value for line in answer.items[0].lines]
    assert pd.read_parquet(tmp_path / "lines.parquet").equals(frame)
    assert frame.hypothetical.all()
    # An item whose rates are not known has needs and no lines; a file without lines still has its headings.
    perfcalc.headroom(sheet.iloc[1:], as_of=DAY).write(tmp_path / "none.csv")
    assert (tmp_path / "none.csv").read_text("utf-8").replace('"', "").splitlines() == [",".join(COLUMNS)]


def test_a_computer_that_may_contain_anything_is_freed_by_nothing():
    """4A090 asks for the ICs in it; without them, less performance only leads to `cannot_tell`."""
    sheet = pd.DataFrame({"name": ["a"], "kind": ["computer"], "fp64_tflops": [100], "vector_processor": ["yes"]})
    (item,) = perfcalc.headroom(sheet, as_of=DAY).items
    assert (item.verdict, item.lines) == ("controlled", [])
    (item,) = perfcalc.headroom(sheet, as_of=DAY, jurisdictions=("cn",)).items
    # China's list has no such question: 8 WT, of which a vector processor counts nine tenths.
    assert [(line.field, line.value) for line in item.lines] == [("fp64_tflops", "8.88")]


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


def test_command_line(tmp_path):
    run = CliRunner().invoke
    shown = run(
        main, ["headroom", "specs/chips.csv", "--item", "NVIDIA H20", "--as-of", DAY, "--jurisdiction", "us,eu"]
    )
    assert shown.exit_code == 0
    assert "3A090.b.1 with\n      2 TFLOPS more bf16_tflops (148 → 150)\n" in shown.output
    assert "1.014 times as fast in every format (tpp 2,368 → 2,401.152" in shown.output
    said = json.loads(
        run(main, ["headroom", "specs/chips.csv", "--item", "NVIDIA H20", "--as-of", DAY, "--json"]).output
    )
    assert said["items"][0]["lines"][0]["words"]
    some, out = tmp_path / "some.csv", tmp_path / "lines.csv"
    names = "NVIDIA H20|NVIDIA A10$|NVIDIA L4$|Intel Gaudi|MI300X|NVIDIA A2$"
    chips = perfcalc.read("specs/chips.csv")
    chips[chips["name"].str.contains(names)].to_csv(some, index=False)
    whole = run(main, ["headroom", str(some), "--as-of", DAY], env={"COLUMNS": "160"})
    lines = whole.output.splitlines()
    assert lines[2].split() == [
        "NVIDIA",
        "A10",
        "US",
        "not_controlled",
        "-0.48%",
        "3",
        "mm²",
        "less",
        "die_area_mm2",
        "3A090.b.2",
    ]
    assert lines[3].startswith("NVIDIA H20 ")
    assert run(main, ["headroom", str(some), "--as-of", DAY, "-o", str(out)]).exit_code == 0
    assert out.read_text("utf-8").count('"NVIDIA H20",') == len(said["items"][0]["lines"])
    design = run(main, ["headroom", "--design", "--area", "600", "--node", "N5", "--datacenter", "yes", "--as-of", DAY])
    assert "119.99" in design.output
    assert run(main, ["headroom"]).exit_code == 2
    assert run(main, ["headroom", "--design"]).exit_code == 2
    assert run(main, ["headroom", "specs/chips.csv", "-o", "lines.txt"]).exit_code == 2
