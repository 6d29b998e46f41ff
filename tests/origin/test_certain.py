"""Answers by rule: edges of dates, and the cases that the rules are for."""

import pytest

from perfcalc.origin.assess import assess
from perfcalc.origin.certain import certain_rules

HUAWEI = {"designer": "HiSilicon (Huawei)", "designer_country": "CN", "component_class": "mobile_soc"}
HYNIX = {"designer": "SK hynix", "designer_country": "KR", "product_maker": "Huawei", "product_class": "smartphone"}


def ask(**cells):
    return assess([{"name": "x", **cells}])[2][0]


@pytest.mark.parametrize(
    ("launch", "origin"),
    [("2020-09-14", "lawful_foreign"), ("2020-09-15", "stockpiled"), ("2020-09", "cannot_tell"), ("", "cannot_tell")],
)
def test_the_day_before_and_the_day_of_the_cut_off(launch, origin):
    cells = {"process_node": "5nm", "product_launch": launch, "chip_announced": "2020-09-01", "product_class": "tablet"}
    assert ask(**HUAWEI, **cells).origin == origin


@pytest.mark.parametrize(
    ("first_shipped", "origin"),
    [("2021-07", "diverted"), ("2020-12-20", "diverted"), ("2020-12-10", "cannot_tell"), ("2019-06", "cannot_tell")],
)
def test_a_part_that_first_shipped_after_the_cut_off_cannot_be_stock(first_shipped, origin):
    """SK hynix 1a LPDDR5 in the Mate 70 Pro; a quarter is left for parts that were shipped and then announced."""
    answer = ask(**HYNIX, product_launch="2024-11-26", chip_announced=first_shipped)
    assert (answer.origin, answer.basis) == (origin, "rule")


def test_the_same_part_sold_before_the_cut_off_is_lawful():
    assert ask(**HYNIX, product_launch="2020-09-01", chip_announced="2019-06").origin == "lawful_foreign"


@pytest.mark.parametrize(
    ("launch", "origin"), [("2024-05-06", "lawful_foreign"), ("2024-06-15", "stockpiled"), ("2025-06", "cannot_tell")]
)
def test_a_foreign_part_within_a_quarter_was_in_the_pipeline(launch, origin):
    cells = {"designer": "Intel", "designer_country": "US", "product_maker": "Huawei", "product_launch": launch}
    assert ask(**cells).origin == origin


KIRIN_710A = {
    "name": "Kirin 710A", "process_node": "14nm", "cpu_ip": "Cortex-A73/A53", "peak_clock_ghz": "2.0",
    "chip_announced": "2020-04",
}  # fmt: skip


@pytest.mark.parametrize("launch", ["2020-04", "2023-03-23"])
def test_kirin_710a_is_domestic_before_and_after_the_cut_off(launch):
    answer = assess([{**HUAWEI, **KIRIN_710A, "product_launch": launch}])[2][0]
    assert (answer.origin, answer.basis) == ("domestic", "rule")
    assert "Kirin 710 again" in answer.because


@pytest.mark.parametrize(
    "change", [{"peak_clock_ghz": "2.2"}, {"process_node": "12nm"}, {"cpu_ip": "Cortex-A76"}, {"peak_clock_ghz": ""}]
)
def test_what_is_not_slower_larger_and_the_same_has_not_moved_home(change):
    assert assess([{**HUAWEI, **KIRIN_710A, "product_launch": "2020-04", **change}])[2][0].origin != "domestic"


@pytest.mark.parametrize(
    ("node", "origin"), [("3nm", "lawful_foreign"), ("7nm", "not_applicable"), ("", "not_applicable")]
)
def test_a_designer_that_was_not_cut_off(node, origin):
    cells = {
        "designer": "Xiaomi",
        "designer_country": "CN",
        "component_class": "mobile_soc",
        "product_launch": "2025-05-22",
    }
    assert ask(**cells, process_node=node).origin == origin


def test_a_maker_with_fabs_at_home():
    assert ask(designer="YMTC", designer_country="CN", product_launch="2024").origin == "domestic"


@pytest.mark.parametrize(
    ("pitch", "height", "seen", "origin"),
    [
        ("63", "250", "2023-08", "domestic"),
        ("51", "210", "2020-10", "stockpiled"),
        ("57", "240", "2023-01", "cannot_tell"),
    ],
)
def test_two_measurements_fix_the_fab(pitch, height, seen, origin):
    """The third is foreign for certain; whether it is stock or diverted needs the age of its technology."""
    cells = {"gate_pitch_nm": pitch, "cell_height_nm": height, "chip_announced": seen, "product_launch": "2023-12"}
    answer = ask(**HUAWEI, **cells)
    assert answer.origin == origin
    new = ask(**HUAWEI, **cells, cpu_ip="Cortex-A510")
    assert new.origin == ("domestic" if origin == "domestic" else "diverted")


def test_other_kinds_have_no_origin_question():
    assert ask(kind="quantum", **HUAWEI, product_launch="2024").origin == "not_applicable"


def test_every_rule_can_be_the_one_that_answers(cases):
    """No rule is shadowed by the ones before it: each is reached by a real case, or by a test above."""
    from perfcalc.origin.model import answer

    reached = {certain_rules()[number].name for number in answer(cases.signals).rule if number >= 0}
    by_test = {
        "no_cut_off",
        "geometry_fixes_home",
        "geometry_fixes_abroad_new",
        "geometry_fixes_abroad_before",
        "geometry_fixes_abroad_old",
        "never_cut_off_domestic_process",
    }
    assert {rule.name for rule in certain_rules()} - by_test <= reached
    before = {"gate_pitch_nm": "57", "cell_height_nm": "240", "product_launch": "2019-12"}
    assert ask(**HUAWEI, **before).origin == "lawful_foreign"
    assert (
        ask(designer="Innosilicon", designer_country="CN", process_node="N+1", product_launch="2020-10").origin
        == "domestic"
    )
