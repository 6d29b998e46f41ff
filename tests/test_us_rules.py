"""The US book against the text of the law: numbers parsed out of it, amendments in order, every day of change."""

import json
import re
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path

import pandas as pd
import pytest
import yaml

import perfcalc
from perfcalc.rulebook.book import FOLDER, LAYERS, load
from perfcalc.rulebook.lint import lint
from perfcalc.verdicts.tables import compile_book

DATA = Path(__file__).parent / "data"
TEXT = json.loads((DATA / "us_ccl.json").read_text("utf-8"))
READ = date.fromisoformat(TEXT["ecfr_issue_date"])
ENTRIES = {entry["eccn"]: entry for entry in TEXT["entries"]}
DAY = timedelta(days=1)

NUMBER = r"(\d[\d,]*(?:\.\d+)?)"
# The longer wordings first: each match is cut out of the text.
WORDINGS = [
    (rf"{NUMBER} or more and less than {NUMBER}", (">=", "<")),
    (rf"greater than {NUMBER} nm and less than or equal to {NUMBER}", (">", "<=")),
    (rf"less than or equal to {NUMBER}", ("<=",)),
    (rf"equal to or greater than {NUMBER}", (">=",)),
    (rf"equal to or longer than {NUMBER}", (">=",)),
    (rf"shorter than {NUMBER}", ("<",)),
    (rf"(?:greater than|exceeding) {NUMBER}", (">",)),
    (rf"{NUMBER}(?: [\w/]+)? or more", (">=",)),
    (rf"{NUMBER}(?: [\w/]+)? or less", ("<=",)),
]
#: For paragraphs that speak of two quantities: what each is called.
QUANTITIES = {"tpp": "'total processing performance'", "performance_density": "'performance density'"}


def paragraph_text(eccn, code):
    """The text of a paragraph; this copy keeps some paragraphs as plain text that begins with their code.

    Notes count their own a, b, c; they stand before the paragraph of that letter.
    """
    found = []
    for item in ENTRIES[eccn]["items"]:
        if item["paragraph"] == code and item["kind"] == "item":
            found.append(item["text"])
        elif item["text"].startswith(f"{code} "):
            found.append(item["text"].removeprefix(f"{code} "))
    return found[-1]


def limits_in(text):
    found = set()
    for wording, operators in WORDINGS:
        for match in re.finditer(wording, text):
            found |= {(op, Fraction(n.replace(",", ""))) for op, n in zip(operators, match.groups(), strict=True)}
        text = re.sub(wording, "", text)
    return found


def by_quantity(text):
    """The limits on each quantity: what stands between its name and the next name."""
    starts = sorted((text.index(name), metric) for metric, name in QUANTITIES.items() if name in text)
    ends = [*(start for start, _ in starts[1:]), len(text)]
    return {metric: limits_in(text[start:end]) for (start, metric), end in zip(starts, ends, strict=True)}


def in_force(paragraph, day, law="codified"):
    found = [rule for rule in load().on("us", day, law) if rule.paragraph == paragraph]
    assert len(found) == 1, (paragraph, day)
    return found[0]


def limits_of(rule):
    return {
        metric: {(each.operator, each.limit) for box in rule.boxes for each in box if each.metric == metric}
        for metric in {each.metric for box in rule.boxes for each in box}
    }


@pytest.mark.parametrize("code", ["a.1", "a.2", "b.1", "b.2"])
def test_numbers_of_3a090_are_those_of_the_text(code):
    assert limits_of(in_force(f"3A090.{code}", READ)) == by_quantity(paragraph_text("3A090", code))


@pytest.mark.parametrize(
    ("eccn", "codes", "paragraph"),
    [
        ("3A090", ["c"], "3A090.c"),
        ("3A991", ["p.1"], "3A991.p.1"),
        ("3A991", ["p.2"], "3A991.p.2"),
        ("4A003", ["b"], "4A003.b"),
        ("4A994", ["b"], "4A994.b"),
        ("3B001", ["f.1.a"], "3B001.f.1.a"),
        ("3B001", ["f.1.b", "f.1.b.1", "f.1.b.2"], "3B001.f.1.b"),
        ("3B993", ["f.1.b", "f.1.b.1", "f.1.b.2"], "3B993.f.1"),
    ],
)
def test_other_numbers_are_those_of_the_text(eccn, codes, paragraph):
    expected = set().union(*(limits_in(paragraph_text(eccn, code)) for code in codes))
    assert expected
    assert set().union(*limits_of(in_force(paragraph, READ)).values()) == expected


def test_weights():
    power = re.search(r"10 (\d\d) or more", ENTRIES["4E091"]["heading"])[1]
    numbers = limits_of(in_force("4E091", READ))
    assert numbers["training_operations"] == {(">=", Fraction(10) ** int(power))}


def test_the_note_of_the_foundry_presumption():
    (text,) = [
        item["text"]
        for item in ENTRIES["3A090"]["items"]
        if item["text"].startswith("If the integrated circuit die is")
    ]
    assert re.findall(r"(\d+) billion transistors", text) == ["30", "35", "40"]
    assert "completed in 2027" in text
    assert "in 2029 or thereafter" in text
    assert "2028" not in text

    def below(day):
        rule = in_force("3A090.a Note 1", day)
        return {
            (each.limit, len(box) > 1)
            for exclusion in rule.exclusions
            for box in exclusion.boxes
            for each in box
            if each.metric == "aggregated_transistors_bn"
        }

    assert below(date(2026, 6, 1)) == below(date(2028, 6, 1)) == {(30, False)}
    assert below(date(2027, 6, 1)) == {(30, False), (35, True)}
    assert below(date(2029, 6, 1)) == {(30, False), (40, True)}


def test_contained_circuits():
    for level in "ab":
        assert f"limits in 3A090.{level}" in paragraph_text("4A090", level)
        codes = {f"3A090.{level}.1", f"3A090.{level}.2"}
        assert set(in_force(f"4A090.{level}", READ).contains) == codes
    assert "3A991.p" in paragraph_text("4A994", "l")


@pytest.mark.parametrize("eccn", sorted(ENTRIES))
def test_reasons_for_control(eccn):
    rules = [rule for rule in load().on("us", READ, "codified") if rule.entry == eccn and rule.role == "control"]
    assert rules
    for rule in rules:
        assert list(rule.reasons) == ENTRIES[eccn]["reasonForControl"].split(", ")


# The rule of October 2022, and what each act put in place of what, written down from the acts.
BASE = {
    "3A090.a": {"interconnect_gb_s": {(">=", 600)}, "processing_performance_2022": {(">=", 4800)}},
    "4A090.a": ("3A090.a",),
    "3A991.p.1": {"processing_tops": {(">=", 8)}},
    "3A991.p.2": {"interconnect_gb_s": {(">=", 150)}},
    "4A994.l": ("3A991.p.1", "3A991.p.2"),
    "4A994.b": {"app_wt": {(">=", Fraction("0.0128"))}},
    "4A003.b": {"app_wt": {(">", 70)}},
}
AMENDMENTS = [
    (
        "2023-11-17",
        ["3A090.a", "4A090.a"],
        {
            "3A090.a.1": {"tpp": {(">=", 4800)}},
            "3A090.a.2": {"tpp": {(">=", 1600)}, "performance_density": {(">=", Fraction("5.92"))}},
            "3A090.b.1": {
                "tpp": {(">=", 2400), ("<", 4800)},
                "performance_density": {(">=", Fraction("1.6")), ("<", Fraction("5.92"))},
            },
            "3A090.b.2": {
                "tpp": {(">=", 1600)},
                "performance_density": {(">=", Fraction("3.2")), ("<", Fraction("5.92"))},
            },
            "4A090.a": ("3A090.a.1", "3A090.a.2"),
            "3B001.f.1.a": {},
            "3B001.f.1.b": {
                "wavelength_nm": {(">=", 193)},
                "mrf_nm": {("<=", 45)},
                "overlay_nm": {("<=", Fraction("2.4"))},
            },
        },
    ),
    ("2024-04-04", [], {"4A090.b": ("3A090.b.1", "3A090.b.2")}),
    (
        "2024-12-02",
        ["3B001.f.1.a", "3B001.f.1.b"],
        {
            "3A090.c": {"memory_bandwidth_density": {(">", 2)}},
            "3B001.f.1.a": {"wavelength_nm": {("<", 193)}},
            "3B001.f.1.b": {
                "wavelength_nm": {(">=", 193)},
                "mrf_nm": {("<=", 45)},
                "overlay_nm": {("<=", Fraction("1.5"))},
            },
            "3B993.f.1": {
                "wavelength_nm": {(">=", 193)},
                "mrf_nm": {("<=", 45)},
                "overlay_nm": {(">", Fraction("1.5")), ("<=", Fraction("2.4"))},
            },
        },
    ),
]
OWN = {"3A090", "4A090", "3A991", "4A994", "4A003", "3B001", "3B993"}


def state_of_the_book(day):
    return {
        rule.paragraph: rule.contains or limits_of(rule)
        for rule in load().on("us", day)
        if rule.entry in OWN and rule.role == "control" and not rule.meets
    }


def test_base_and_amendments_give_the_text_of_today():
    state = dict(BASE)
    assert state_of_the_book(date(2022, 10, 21)) == state
    for text, repealed, enacted in AMENDMENTS:
        day = date.fromisoformat(text)
        assert state_of_the_book(day - DAY) == state
        state = {code: test for code, test in state.items() if code not in repealed} | enacted
        assert state_of_the_book(day) == state
    assert state_of_the_book(READ) == state == state_of_the_book(date(2026, 11, 23))
    # Today's state is the consolidated text: the parsed numbers again, this time against the amended base.
    for code in ("a.1", "a.2", "b.1", "b.2"):
        assert state[f"3A090.{code}"] == by_quantity(paragraph_text("3A090", code))


EVERY_KIND = pd.DataFrame(
    [
        {"name": "ic", "int8_tops": "600", "datacenter": "yes", "die_area_mm2": "500", "interconnect_gb_s": "700"},
        {"name": "unknown ic", "int8_tops": "?"},
        {"name": "memory", "kind": "memory", "memory_bandwidth_gb_s": "800", "memory_area_mm2": "110"},
        {"name": "computer", "kind": "computer", "fp64_tflops": "10", "vector_processor": "yes"},
        {"name": "tool", "wavelength_nm": "193", "mrf_nm": "38", "overlay_nm": "1.2"},
        {"name": "model", "training_operations": "1e26", "weights_published": "no"},
    ]
).astype("string")


@pytest.mark.parametrize("day", [str(day) for change in load().dates("us") for day in (change - DAY, change)])
def test_every_day_of_change_resolves(day):
    for law in LAYERS:
        rules = load().on("us", date.fromisoformat(day), law)
        codes = [rule.paragraph for rule in rules]
        assert len(codes) == len(set(codes))
        compile_book("us", date.fromisoformat(day), rules)
        scored = perfcalc.score(EVERY_KIND, as_of=day, law=law)
        words = {"controlled", "not_controlled", "cannot_tell", "not_modelled"}
        assert set(scored["us_verdict"]) <= words


def test_the_book_has_no_errors_and_no_holes():
    findings = [each for each in lint(load(), date(2026, 11, 23)) if each.where.startswith("us ")]
    # The history of Mtops has a hole that the sources leave, and says so. Until 4A090 a computer is asked 4A003.b by its
    # fields alone: were it core, a sheet without a 64-bit rate, which counts as no 64-bit arithmetic, would be cleared.
    assert {each.where: each.what for each in findings} == {
        "us 4A003.CTP.tiers from 2002-02-01": "no version from 2001-01-19 until then",
        "us computer from 2021-03-29": (
            "no core paragraph for this kind until 2022-10-21; asked only of a sheet with their fields: 4A003.b"
        ),
    }
    assert not any(each.level == "error" for each in findings)


#: Entries whose paragraphs a sheet's user meets; the tests of exceptions and review lines are in test_licences.py.
WITH_CASES = sorted(
    path.stem
    for path in (FOLDER / "us").glob("*.yaml")
    if path.stem[:1] in "2347" and path.stem not in ("740.8", "742.6") and not path.name.endswith(".cases.yaml")
)


@pytest.mark.parametrize("name", WITH_CASES)
def test_cases_hold_every_day_of_change(name):
    text = yaml.safe_load((FOLDER / "us" / f"{name}.yaml").read_text("utf-8"))
    cases = yaml.safe_load((FOLDER / "us" / f"{name}.cases.yaml").read_text("utf-8"))
    days = {case["day"] for case in cases}
    for code, paragraph in text["paragraphs"].items():
        for version in paragraph["versions"]:
            missing = {version["from"], version["from"] - DAY} - days
            assert not missing, (code, missing)


def test_layers_of_law():
    enforced, codified = (set(load().on("us", date(2026, 11, 23), law)) for law in ("enforced", "codified"))
    assert enforced < codified
    assert {rule.status for rule in codified - enforced} == {"not_enforced"}
    with pytest.raises(perfcalc.errors.InputError, match="layer"):
        perfcalc.score(EVERY_KIND, law="proposed")


def test_flags_never_decide():
    item = {
        "name": "x",
        "int8_tops": "0.001",
        "process_node": "TSMC N5",
        "transistors_bn": "90",
        "memory_type": "HBM3",
        "memory_bandwidth_gb_s": "4000",
        "designer": "Huawei",
        "end_user": "SMIC",
    }
    row = perfcalc.score(pd.DataFrame([item]), as_of="2026-11-23").iloc[0]
    assert row["us_verdict"] == "not_controlled"
    assert pd.isna(row["us_entries"])
    assert row["us_flags"].split(";") == [
        "3A090.a Note 1",
        "Red Flag 19",
        "Entity List fn. 1 (Huawei)",
        "Entity List (SMIC)",
        "Is-informed letter of April 2025",
        "772.1 advanced-node IC (logic)",
    ]


def test_explain_keeps_flags_apart():
    item = {"name": "x", "int8_tops": "1979", "datacenter": "yes", "memory_bandwidth_gb_s": "4800"}
    explanation = perfcalc.explain(pd.DataFrame([item]), item="x", as_of="2026-11-23")
    text = str(explanation)
    asked, apart = text.split("What does not decide the verdict, US")
    assert "Section 232 band 1: MET" in apart
    assert "Section 232" not in asked
    assert "Proclamation 11002" in apart
    roles = {each.paragraph: each.role for each in explanation.jurisdictions[0].paragraphs}
    assert roles["Section 232 band 1"] == "tariff"
    assert roles["3A090.a.1"] == "control"
    assert "742.6" not in text


def test_explain_says_what_is_codified_only():
    item = {"name": "m", "training_operations": "1e26", "weights_published": "no"}
    frame = pd.DataFrame([item])
    assert "codified, but not enforced" in str(perfcalc.explain(frame, item="m", as_of="2026-11-23"))
    codified = str(perfcalc.explain(frame, item="m", as_of="2026-11-23", law="codified"))
    assert "law as codified" in codified
    assert "Meets 4E091" in codified


def test_mirrors_do_not_change_the_margin():
    chip = {"name": "x", "int8_tops": "700", "datacenter": "yes", "die_area_mm2": "4000"}
    plain = perfcalc.score(pd.DataFrame([chip]), as_of="2026-11-23").iloc[0]
    declared = perfcalc.score(pd.DataFrame([chip | {"declared_eccn": "5A992.c"}]), as_of="2026-11-23").iloc[0]
    assert declared["us_entries"] == "3A090.a.1;5A992.z.1"
    assert declared["us_margin"] == plain["us_margin"]
