"""Computers before processing performance was the measure: adjusted peak performance, Mtops, data rates."""

from datetime import date
from fractions import Fraction

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import perfcalc


def score(rows, day, jurisdictions, **options):
    frame = pd.DataFrame(rows).astype("string")
    return perfcalc.score(frame, as_of=day, jurisdictions=jurisdictions, **options)


# Adjusted peak performance over the processors of a computer.


def app_of(parts, computer=None, **options):
    rows = [{"name": "box", "kind": "computer"} | (computer or {})]
    rows += [{"name": f"part {n}", "part_of": "box"} | part for n, part in enumerate(parts)]
    return score(rows, date(2026, 11, 23), ["eu"], **options).iloc[0]


def test_app_adds_the_processors():
    eight = app_of([{"fp64_tflops": "67", "quantity": "8"}], {"vector_processor": "no"})
    assert eight["app_wt"] == pytest.approx(8 * 67 * 0.3)  # 160.8 WT
    assert eight["eu_entries"] == "4A003.b"
    mixed = app_of([{"fp64_tflops": "100", "vector_processor": "yes"}, {"fp64_tflops": "10", "vector_processor": "no"}])
    assert mixed["app_wt"] == pytest.approx(93)


def test_app_of_a_part_that_does_not_say_is_an_interval():
    box = app_of([{"fp64_tflops": "50", "quantity": "2"}])
    assert (box["app_wt_low"], box["app_wt_high"]) == (pytest.approx(30), pytest.approx(90))
    assert box["eu_verdict"] == "cannot_tell"
    assert box["eu_needs"] == "vector_processor"
    unknown = app_of([{"fp64_tflops": "?", "int8_tops": "1", "vector_processor": "no"}])
    assert unknown["eu_verdict"] == "cannot_tell"
    assert unknown["eu_needs"] == "part_of;fp64_tflops"


def test_what_the_computer_states_itself_stands():
    box = app_of([{"fp64_tflops": "90", "quantity": "9"}], {"fp64_tflops": "10", "vector_processor": "yes"})
    assert box["app_wt"] == pytest.approx(9)
    assert box["eu_verdict"] == "not_controlled"


def test_parts_without_a_rate_leave_app_unasked():
    assert app_of([{"int8_tops": "1"}])["eu_verdict"] == "not_controlled"
    assert app_of([{"int8_tops": "1"}])["app_wt"] == 0


def test_app_is_the_same_under_every_reading():
    parts, computer = [{"fp64_tflops": "67", "quantity": "8"}], {"vector_processor": "no"}
    assert app_of(parts, computer, readings="all")["app_wt"] == app_of(parts, computer)["app_wt"]


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.tuples(st.decimals("0.001", 200, places=3), st.integers(1, 9), st.sampled_from(["yes", "no"])),
        min_size=1,
        max_size=5,
    ),
    st.data(),
)
def test_app_is_decided_exactly(parts, data):
    # Choose the last rate so that the exact sum is at, just above or just below 0.75 WT (the agreed limit of 2006).
    target = Fraction(3, 4) + data.draw(st.sampled_from([Fraction(0), Fraction(1, 10**9), -Fraction(1, 10**9)]))
    scale = Fraction(1, 10**4)
    exact = sum(Fraction(str(rate)) * scale * n * Fraction(9 if v == "yes" else 3, 10) for rate, n, v in parts)
    rest = (target - exact) / Fraction(3, 10)
    rows = [{"name": "box", "kind": "computer"}]
    rows += [
        {"name": f"p{i}", "part_of": "box", "fp64_tflops": f"{rate}e-4", "quantity": str(n), "vector_processor": v}
        for i, (rate, n, v) in enumerate(parts)
    ]
    # A decimal that rounds the rest down, and the exact total that it makes.
    digits = int(rest * 10**15)
    rows.append({"name": "last", "part_of": "box", "fp64_tflops": f"{digits}e-15", "vector_processor": "no"})
    total = exact + Fraction(digits, 10**15) * Fraction(3, 10)
    verdict = score(rows, date(2007, 1, 1), ["wa"]).loc[0, "wa_verdict"]
    assert verdict == ("controlled" if total > Fraction(3, 4) else "not_controlled")


# The long view.


def test_was_this_computer_controlled_in_1995():
    rows = [
        {"name": "workstation", "kind": "computer", "ctp_mtops": "150"},
        {"name": "server", "kind": "computer", "ctp_mtops": "1000"},
        {"name": "supercomputer", "kind": "computer", "ctp_mtops": "1500"},
        {"name": "unknown", "kind": "computer", "ctp_mtops": ""},
    ]
    scored = score(rows, date(1995, 6, 1), ["us", "cocom", "wa", "eu"])
    assert list(scored["us_verdict"]) == ["not_controlled", "controlled", "controlled", "cannot_tell"]
    assert scored.loc[2, "us_entries"] == "4A03A;4A03A.supercomputer"
    assert scored.loc[3, "us_needs"] == "ctp_mtops"
    for silent in ("cocom", "wa", "eu"):
        assert set(scored[f"{silent}_verdict"]) == {"not_modelled"}
    answer = perfcalc.explain(pd.DataFrame(rows[:1]), item="workstation", as_of="1995-06-01", jurisdictions=["cocom"])
    assert "ended on 31 March 1994" in answer.jurisdictions[0].reason


def test_the_definition_of_a_supercomputer_moved_in_february_1994():
    rows = [{"name": "machine", "kind": "computer", "ctp_mtops": "200"}]
    before, after = (score(rows, day, ["us"]).iloc[0] for day in (date(1994, 2, 23), date(1994, 2, 24)))
    assert (before["us_verdict"], after["us_verdict"]) == ("controlled", "not_controlled")
    assert after["us_margin"] == pytest.approx(200 / 260 - 1)
