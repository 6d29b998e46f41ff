"""What may be read, what must not be, and how dates and nodes become intervals."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import perfcalc
from perfcalc.origin.columns import ALIASES, recognise_origin
from perfcalc.origin.signals import INDEX, claimed_nm, core_names, of_item, read_day
from perfcalc.origin.tables import frontier, years
from perfcalc.origin.train import CASES, cases_from

#: The label, the evidence, and whatever is the label in disguise.
FORBIDDEN = [
    "fab_actual",
    "fab_country",
    "node_actual",
    "part_number",
    "marking_string",
    "marking_country",
    "package_date_code",
    "assembly_country",
    "memory_vendor",
    "die_family",
    "label",
    "label_object",
    "label_evidence_kind",
    "evidence_tier",
    "confidence",
    "alt_label",
    "eval_use",
    "notes",
    "source_urls",
    "die_mm2",
    "transistors_bn",
    "density_mtr_mm2",
    "entity_list_date",
    "vendor_group",
    "product_observed",
]

HUAWEI = {"designer": "HiSilicon (Huawei)", "designer_country": "CN"}


def signal(name, **cells):
    low, high, _ = of_item({"name": "x", **HUAWEI, **cells})
    return low[INDEX[name]], high[INDEX[name]]


def test_no_column_of_the_cases_that_gives_the_label_away_is_read():
    table = pd.read_csv(CASES, dtype=str, keep_default_na=False)
    assert set(FORBIDDEN) <= set(table.columns)
    assert not set(recognise_origin(FORBIDDEN).values())
    assert not set(ALIASES) & set(FORBIDDEN)


@pytest.mark.parametrize("junk", ["TSMC", "2035", "Hi36A0 GFCV101 2035-CN", "105"])
def test_answers_do_not_move_with_label_evidence_or_marks(junk):
    table = pd.read_csv(CASES, dtype=str, keep_default_na=False)
    changed = table.assign(**dict.fromkeys(FORBIDDEN, junk))
    columns = [name for name in perfcalc.origin(table).columns if name.startswith("origin")]
    pd.testing.assert_frame_equal(perfcalc.origin(table)[columns], perfcalc.origin(changed)[columns])


def test_the_designer_is_no_signal():
    """Another name with the same cut-off gives the same answer, where no earlier part of the designer bears on it."""
    case = {
        "name": "new", "product_launch": "2023-08-29", "chip_announced": "2023-08-29", "cpu_ip": "Cortex-A510",
        "product_class": "smartphone", "control_date": "2020-09-15", "designer_country": "CN",
    }  # fmt: skip
    frame = pd.DataFrame([{**case, "designer": name} for name in ("HiSilicon (Huawei)", "Somebody Else")])
    answers = perfcalc.origin(frame).drop(columns="designer")
    assert answers.iloc[0].equals(answers.iloc[1])
    assert answers.origin[0] == "domestic"


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2020-09-15", date(2020, 9, 15), date(2020, 9, 15)),
        ("2024-02", date(2024, 2, 1), date(2024, 2, 29)),
        ("2021", date(2021, 1, 1), date(2021, 12, 31)),
    ],
)
def test_a_coarse_date_is_an_interval(text, first, last):
    assert read_day(text) == (years(first), years(last))


@pytest.mark.parametrize("text", ["", "soon", "2021-13", "2021-02-30", "20"])
def test_what_is_no_date_is_unknown(text):
    assert read_day(text) == (None, None)


@given(st.text(max_size=20))
@settings(max_examples=200)
def test_no_cell_breaks_the_reader(text):
    low, high, _ = of_item(
        dict.fromkeys(
            ("name", "designer", "process_node", "cpu_ip", "peak_clock_ghz", "product_launch", "control_date"), text
        )
    )
    assert not np.isnan([*low, *high]).any()
    assert all(a <= b for a, b in zip(low, high, strict=True))


@pytest.mark.parametrize(
    ("text", "nm"),
    [
        ("5nm", 5),
        ("7nm+ EUV", 7),
        ("12 nm class", 12),
        ("14", 14),
        ("5nm (rumour)", None),
        ("N+2", None),
        ("4N", None),
        ("0nm", None),
    ],
)
def test_a_rumour_is_not_a_claim(text, nm):
    assert claimed_nm(text) == nm


def test_the_domestic_frontier_moves_on_the_day():
    day = years(date(2021, 7, 1))
    assert frontier(day - 1 / 365.25) == 14
    assert frontier(day) == 7
    assert frontier(years(date(2025, 11, 1))) == 5
    assert frontier(years(date(2010, 1, 1))) == 40


def test_cores_are_told_apart_by_name_and_by_part_number():
    assert core_names("Cortex-A77/A55") == {"Arm Cortex-A77", "Arm Cortex-A55"}
    assert "Arm Cortex-A510" in core_names("TaiShan (MIDR 0xD23,0xD46,0xD05)")
    assert core_names("TaiShan + Cortex-A510") != core_names("TaiShan (MIDR 0xD23,0xD46,0xD05)")


def test_an_old_die_under_a_new_name_is_found_by_cores_and_clock():
    cells = {"process_node": "5nm", "product_launch": "2023-12", "cpu_ip": "Cortex-A77/A55"}
    low, high, notes = of_item({"name": "Kirin 9006C", **HUAWEI, **cells, "peak_clock_ghz": "3.13"})
    assert high[INDEX["seen"]] == pytest.approx(37 / 365.25)
    assert "Kirin 9000" in notes["seen"]
    # One per cent is the same clock, two are not; another designer has no such part.
    assert signal("seen", **cells, peak_clock_ghz="3.15")[1] == pytest.approx(37 / 365.25)
    assert signal("seen", **cells, peak_clock_ghz="3.19")[0] == -np.inf
    low, _, _ = of_item({"name": "x", "designer": "Biren", **cells, "peak_clock_ghz": "3.13"})
    assert low[INDEX["seen"]] == -np.inf


def test_a_release_date_alone_is_no_first_sight_unless_cores_and_clock_are_known():
    assert signal("seen", release_date="2023-12")[0] == -np.inf
    assert signal("seen", release_date="2023-12", cpu_ip="TaiShan", peak_clock_ghz="2.2")[0] > 3


def test_a_design_is_not_newer_than_its_product():
    assert signal("seen", product_launch="2020-04", chip_announced="2020-05-11") == signal(
        "launch", product_launch="2020-04"
    )


def test_the_sheets_cut_off_goes_before_the_table():
    assert signal("launch", product_launch="2021-01-01", control_date="2021-01-01") == (0, 0)
    assert signal("launch", product_launch="2020-09-15") == (0, 0)


def test_a_licensed_part_has_its_own_cut_off():
    cells = {"name": "Snapdragon", "designer": "Qualcomm", "product_maker": "Huawei", "product_launch": "2024-05-07"}
    low, _, notes = of_item(cells)
    assert low[INDEX["launch"]] == 0
    assert "2024-05-07" in notes["cut_off"]


def test_geometry_tells_the_near_twins_of_seven_nanometres_apart():
    home = signal("geometry", gate_pitch_nm="63", cell_height_nm="250", product_launch="2023-08")
    abroad = signal("geometry", gate_pitch_nm="57", cell_height_nm="240", product_launch="2023-08")
    assert home[0] > 2
    assert abroad[0] < -2
    # Density alone cannot: 93.6 against 91.2.
    assert abs(signal("geometry", measured_density_mtr_mm2="92.5", product_launch="2023-08")[0]) < 2
    assert signal("geometry") == (-np.inf, np.inf)


def test_a_blank_family_is_a_family_of_its_own():
    table = pd.read_csv(CASES, dtype=str, keep_default_na=False)
    table["die_family"] = ""
    assert len(set(cases_from(table).family)) == len(table)
