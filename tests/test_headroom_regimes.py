"""What headroom says is applied to the sheet and scored, item by item, in every regime that has lines on the day.

The value given turns the verdict; one last digit less does not. Continuous integration takes few items of each kind;
the whole thousand of each is ``PERFCALC_HEADROOM_ITEMS=1000 pytest tests/test_headroom_regimes.py``.
"""

import os
import random
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pandas as pd
import pytest

import perfcalc
from perfcalc.answers.exact import decimal, decimals
from perfcalc.answers.variants import ALL_RATES, FACTOR_STEP
from perfcalc.fields import FIELDS, RATES
from perfcalc.rulebook.book import load

DAY = "2026-11-23"
ITEMS = int(os.environ.get("PERFCALC_HEADROOM_ITEMS", "30"))
FLIPPED = {"controlled": "not_controlled", "not_controlled": "controlled"}


def regimes():
    """One jurisdiction for each set of rules that is law on the day."""
    first = {}
    for place in load().jurisdictions:
        rules = load().on(place, date.fromisoformat(DAY))
        if rules:
            first.setdefault(rules, place)
    return tuple(first.values())


REGIMES = regimes()


#: An IC that meets no line.
PART = {"fp16_tflops": "20", "die_area_mm2": "500", "datacenter": "no", "transistor_architecture": "planar"}


def near(chance, *limits):
    """A number on a line, within a few digits of it, or somewhere around it."""
    limit = Decimal(str(chance.choice(limits)))
    how = chance.random()
    if how < 0.2:
        return str(limit)
    if how < 0.4:
        return str(limit * (1 + Decimal(chance.choice([-2, -1, 1, 2])) / 100))
    return str(
        round(limit * Decimal(chance.uniform(0.2, 4)), max(0, -limit.as_tuple().exponent) + chance.choice([0, 1, 2]))
    )


def rates(chance):
    top = chance.choice([50, 150, 300, 700, 1500, 5000])
    found = {"fp16_tflops": round(chance.uniform(1, top), chance.choice([0, 1, 3]))}
    if chance.random() < 0.7:
        found["fp32_tflops"] = round(chance.uniform(1, 80), 2)
    if chance.random() < 0.5:
        found["fp8_tflops"] = found["int8_tops"] = chance.choice([found["fp16_tflops"] * 2, chance.randint(1, top)])
    return {name: str(rate) for name, rate in found.items()}


def chip(chance):
    area = chance.choice([chance.randint(40, 900), f"{chance.randint(100, 400)}-{chance.randint(401, 800)}", None])
    return {
        **rates(chance),
        "die_area_mm2": area and str(area),
        "transistor_architecture": chance.choice(["non_planar", "non_planar", "planar", None]),
        "datacenter": chance.choice(["yes", "no", None]),
        "memory_bandwidth_gb_s": chance.choice([None, str(chance.randint(100, 5000))]),
        "interconnect_gb_s": chance.choice([None, str(chance.randint(50, 1500))]),
        "declared_eccn": chance.choice([None, None, "5A992.c", "3A001.a.7", "5A002"]),
    }


def other_circuit(chance):
    """Converters, field programmable logic and cryogenic circuits: what the EU and the US test beside performance."""
    kind = chance.choice(["converter", "logic", "cryogenic"])
    if kind == "converter":
        return {"adc_bits": near(chance, 8, 10, 12, 14, 16), "adc_sample_rate_msps": near(chance, 65, 250, 400, 1300)}
    if kind == "logic":
        return {
            "fpld_single_ended_io": near(chance, 700),
            "fpld_transceiver_gbit_s": chance.choice([None, near(chance, 500)]),
        }
    said = chance.choice(["yes", "no", None])
    return {"design_temperature_k": near(chance, "4.5"), "specified_by_3a001_a2": said}


def any_circuit(chance):
    return chip(chance) if chance.random() < 0.7 else {**PART, **other_circuit(chance)}


def machine(chance):
    error = Decimal(str(round(10 ** chance.uniform(-5, -1.3), chance.choice([4, 5, 6]))))
    by_fidelity = chance.random() < 0.4
    return {
        "modality": chance.choice(["gate", "gate", "gate", "annealer", "analog"]),
        "physical_qubits": str(chance.choice([chance.randint(5, 3000), chance.choice([34, 100, 199, 200, 2000])])),
        "two_qubit_error": None if by_fidelity else str(error),
        "two_qubit_fidelity": str(1 - error) if by_fidelity else None,
        "error_convention": chance.choice([None, "average", "process"]),
        "native_gate": "cx",
    }


GENERATORS = {
    "ic": any_circuit,
    "memory": lambda chance: {
        "memory_bandwidth_gb_s": near(chance, 100, 300, 800),
        "memory_area_mm2": near(chance, 50, 110, "121.5"),
    },
    "computer": lambda chance: {
        "fp64_tflops": near(chance, 10, 80, 200, "8.889"),
        "fp32_tflops": chance.choice([None, near(chance, 100)]),
        "vector_processor": chance.choice(["yes", "no", None]),
        "aggregate_lut_inputs": chance.choice([None, near(chance, 1_800_000)]),
        "declared_eccn": chance.choice([None, "4A003.b"]),
    },
    "quantum": machine,
    "qubit_device": lambda chance: {"for_controlled_quantum_computer": chance.choice(["yes", "no", None])},
    "quantum_control": lambda chance: {"for_controlled_quantum_computer": chance.choice(["yes", "no", None])},
    "parametric_amplifier": lambda chance: {
        "design_temperature_k": near(chance, 1),
        "frequency_low_ghz": near(chance, 1, 15),
        "frequency_high_ghz": near(chance, 2, 16),
        "noise_figure_db": near(chance, "0.015"),
    },
    "cooling_system": lambda chance: {
        "cooler_type": chance.choice(["two_stage_pulse_tube", "other", "other"]),
        "cooling_power_uw": near(chance, 600),
        "cooling_duration_h": near(chance, 48, 100),
        "base_temperature_k": near(chance, 4),
        "cooling_power_w": near(chance, "1.5"),
    },
    "wafer_prober": lambda chance: {
        "test_temperature_k": near(chance, "4.5"),
        "wafer_diameter_mm": near(chance, 100, 150),
    },
    "material": lambda chance: {
        "material_form": chance.choice(["epitaxial", "fluoride_hydride_chloride", "element_or_oxide"]),
        "material_element": chance.choice(["silicon", "silicon_germanium", "germanium"]),
        "si_other_isotopes_percent": near(chance, "0.08"),
        "ge_other_isotopes_percent": near(chance, "0.08"),
    },
    "tool": lambda chance: {
        "wavelength_nm": near(chance, 193),
        "mrf_nm": near(chance, 45),
        "overlay_nm": near(chance, "1.5", "2.4"),
    },
}


def sheet_of(kind, size):
    chance = random.Random(kind)
    rows = []
    for k in range(size):
        rows.append({"id": f"{kind} {k}", "name": f"{kind} {k}", "kind": kind, **GENERATORS[kind](chance)})
        if kind == "computer":
            # Without listed parts it might contain anything.
            rows.append({"id": f"ic {k}", "name": f"ic {k}", "kind": "ic", **PART, "part_of": f"{kind} {k}"})
    return pd.DataFrame(rows, dtype=object)


def units_of(size):
    """ICs of two processing units, each a row: their TPPs add up, and a faster part is faster in both."""
    chance = random.Random("units")
    rows = []
    for k in range(size):
        common = {"id": f"ic {k}", "name": f"ic {k}", "kind": "ic", **chip(chance), "declared_eccn": None}
        rows += [{**common, **rates(chance), "unit": unit} for unit in ("npu", "gpu")]
    return pd.DataFrame(rows, dtype=object)


def scaled(cell, factor):
    return "-".join(decimal(Fraction(part) * factor) for part in cell.split("-"))


class Applied:
    """Changed copies of a sheet's items, scored together by perfcalc's front door."""

    def __init__(self, sheet, places):
        self.sheet, self.places = sheet, places
        self.rows, self.at = [], {}
        whole = sheet["part_of"].fillna(sheet["id"]) if "part_of" in sheet else sheet["id"]
        groups = sheet.groupby(whole, sort=False).indices
        self.group = [groups[key] for key in whole]
        self.columns = list(sheet.columns)

    def change(self, row, field, value):
        key = row, field, value
        if key in self.at:
            return key
        own = self.sheet["id"][row - 1]
        for other in self.group[row - 1]:
            cells = dict(zip(self.columns, self.sheet.iloc[other], strict=True))
            if field == ALL_RATES and cells["id"] == own:
                claimed = [rate.name for rate in RATES if isinstance(cells.get(rate.name), str)]
                cells |= {name: scaled(cells[name], Fraction(value)) for name in claimed}
            if other == row - 1:
                self.at[key] = len(self.rows)
                cells |= {} if field == ALL_RATES else {field: value}
            # Names of its own, so that no two copies belong together.
            for name in ("id", "name", "part_of"):
                if isinstance(cells.get(name), str):
                    cells[name] += "/" + "/".join(map(str, key))
            self.rows.append(cells)
        return key

    def score(self):
        scored = perfcalc.score(pd.DataFrame(self.rows, dtype=object), as_of=DAY, jurisdictions=self.places)
        self.scored = {
            place: list(zip(scored[f"{place}_verdict"], scored[f"{place}_entries"], strict=True))
            for place in self.places
        }

    def verdict(self, key, place):
        verdict, entries = self.scored[place][self.at[key]]
        return verdict, entries.split(";") if isinstance(entries, str) else [""]


def one_less(line):
    """The value a last digit nearer to the item; what the sheet says, where that is the next."""
    if FIELDS.get(line.field) is not None and FIELDS[line.field].unit == "qubits":
        step = Fraction(1)
    elif line.field == ALL_RATES:
        step = FACTOR_STEP
    else:
        digits = 7 if FIELDS[line.field].high <= 1 else 2
        step = Fraction(1, 10 ** max([digits, *(decimals(Fraction(part)) for part in line.now.split("-"))]))
    value = Fraction(line.value) - (-step if line.change.startswith("-") else step)
    low, *high = (Fraction(part) for part in line.now.split("-"))
    return line.now if low <= value <= (high[0] if high else low) else decimal(value)


def verify(sheet, places):
    """Returns the lines by place, and the verdicts that the items have there."""
    answer = perfcalc.headroom(sheet, as_of=DAY, jurisdictions=places)
    applied = Applied(sheet, places)
    lines = [(item, line) for item in answer.items for line in item.lines]
    reached = [applied.change(item.row, line.field, line.value) for item, line in lines]
    short = [line.change and applied.change(item.row, line.field, one_less(line)) for item, line in lines]
    if lines:
        applied.score()
    nearest = {}
    for (item, line), beyond, before in zip(lines, reached, short, strict=True):
        verdict, entries = applied.verdict(beyond, item.jurisdiction)
        assert verdict == line.verdict == FLIPPED[item.verdict], (item, line)
        assert not line.entries or entries[0] == line.entries[0], (item, line)
        if not line.change:
            continue
        way = item.row, item.jurisdiction, line.field, line.change.startswith("-")
        change = abs(Fraction(line.change))
        is_nearest = change <= nearest.setdefault(way, change)
        verdict, entries = applied.verdict(before, item.jurisdiction)
        if verdict == line.verdict:
            # Only a farther paragraph's line may lie inside what is controlled already.
            assert not is_nearest, (item, line)
            assert entries[0] != line.entries[0], (item, line)
    by_place = {place: [line for item, line in lines if item.jurisdiction == place] for place in places}
    verdicts = {place: {item.verdict for item in answer.items if item.jurisdiction == place} for place in places}
    return by_place, verdicts


@pytest.mark.parametrize("kind", GENERATORS)
def test_every_line_turns_the_verdict_and_one_digit_less_does_not(kind):
    lines, verdicts = verify(sheet_of(kind, ITEMS), REGIMES)
    # Where some items are controlled and others are free there is a line between them; where nothing is decided, none.
    decided = {place: verdicts[place] & set(FLIPPED) for place in REGIMES}
    assert all(lines[place] for place in REGIMES if len(decided[place]) == 2)
    assert not any(lines[place] for place in REGIMES if not decided[place])
    assert lines["us"]
    if ITEMS >= 1000:
        found = {place: len(each) for place, each in lines.items() if each}
        print(f"{kind}: {ITEMS} items, {sum(found.values())} lines: {found}")  # noqa: T201 - the full run's numbers


def test_every_rate_of_every_unit_by_one_factor():
    lines, _ = verify(units_of(ITEMS), ("us", "eu"))
    assert ALL_RATES in {line.field for line in lines["us"]}


@pytest.mark.parametrize("name", ["chips", "quantum"])
def test_the_sheets_that_ship(name):
    """Real chips and machines: some of them, or with a thousand items all."""
    sheet = perfcalc.read(Path(perfcalc.__file__).parents[1] / "specs" / f"{name}.csv").astype(object)
    sheet = sheet.where(sheet.notna() & (sheet != ""), None)
    some = sheet if ITEMS >= 1000 else sheet.iloc[::8].reset_index(drop=True)
    lines, _ = verify(some, ("us", "eu"))
    assert lines["us"]
    assert lines["eu"]
