"""Other lists than the American: against the text of the law, on every day of change, and what the allies left free."""

import json
import re
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path

import pandas as pd
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import perfcalc
from perfcalc.fields import KINDS
from perfcalc.line import make_plan
from perfcalc.rulebook.book import FOLDER, load, read_folder
from perfcalc.rulebook.lint import lint
from perfcalc.verdicts.tables import compile_book

DATA = Path(__file__).parent / "data"
BOOK = load()
EU_TEXT = {each["entry"]: each["text"] for each in json.loads((DATA / "eu_annex1.json").read_text("utf-8"))["entries"]}

# The 27 member states, as the Treaties list them.
MEMBERS = [
    *("at", "be", "bg", "hr", "cy", "cz", "dk", "ee", "fi", "fr", "de", "gr", "hu", "ie"),
    *("it", "lv", "lt", "lu", "mt", "nl", "pl", "pt", "ro", "sk", "si", "es", "se"),
]
FIRST_RULE = date(2022, 10, 21)
EU_RULE = date(2025, 11, 15)
# Lists of which a report says that nothing in them was by processing performance in December 2023.
ALLIES = ["eu", "de", "nl", "fr", "es", "it", "dk", "gb", "kr", "jp", "ca", "my", "tw", "sg"]


def score(rows, day, jurisdictions, **options):
    frame = pd.DataFrame(rows).astype("string")
    return perfcalc.score(frame, as_of=day, jurisdictions=jurisdictions, **options)


def limits(jurisdiction, paragraph, day):
    [rule] = [rule for rule in BOOK.on(jurisdiction, day) if rule.paragraph == paragraph]
    return [{(each.metric, each.operator, each.limit) for each in box} for box in rule.boxes]


def text(line):
    entry = line.split(".")[0]
    found = [each for each in EU_TEXT[entry].splitlines() if each.startswith(f"{line} ")]
    assert found, line
    return found[0].removeprefix(line)


def numbers(words):
    return [Fraction(each.replace(",", ".").replace(" ", "")) for each in re.findall(r"\d+(?:,\d+)?", words)]


# The text of the law.


def test_total_processing_performance_is_the_figure_of_the_text():
    [limit] = re.findall(r"'TPP'\) of (\d+) or more", text("3A501.a.16"))
    assert limits("eu", "3A501.a.16", EU_RULE) == [{("tpp", ">=", Fraction(limit))}]


def test_the_texts_own_second_example_does_not_reach_its_threshold():
    notes = text("3A501.a.16 Technical Notes:")
    [(tops, first, flops, second)] = re.findall(
        r"with (\d+) tera integer operations .*? at (\d+) bits or (\d+) tera FLOPS .*? at (\d+) bits", notes
    )
    assert int(tops) * int(first) == 6000
    assert int(flops) * int(second) == 4800
    items = [{"name": "first", "int8_tops": tops}, {"name": "second", "fp16_tflops": flops}]
    assert list(score(items, EU_RULE, ["eu"])["eu_verdict"]) == ["controlled", "not_controlled"]


def test_computers_contain_what_the_text_names():
    [named] = re.findall(r"specified by (3A501\.a\.16)", text("4A507"))
    [rule] = [rule for rule in BOOK.on("eu", EU_RULE) if rule.paragraph == "4A507"]
    assert rule.contains == (named,)


def test_boards_by_look_up_tables():
    [limit] = re.findall(r"greater than or equal to (\d+)", text("3A502.i"))
    assert limits("eu", "3A502.i", EU_RULE) == [{("aggregate_lut_inputs", ">=", Fraction(limit))}]
    [example] = re.findall(r"would have .*? of (\d+) × (\d+) × (\d+) = (\d+)", text("3A502.i Technical Notes:"))
    boards, tables, inputs, total = map(int, example)
    assert boards * tables * inputs == total == int(limit)


def test_adjusted_peak_performance():
    [limit] = re.findall(r"exceeding (\d+) Weighted TeraFLOPS", text("4A003.b"))
    assert limits("eu", "4A003.b", EU_RULE) == [{("app_wt", ">", Fraction(limit))}]


def test_cryogenic_cmos():
    [limit] = re.findall(r"equal to or less \(better\) than (\d+,\d+) K", text("3A501.a.15"))
    assert limits("eu", "3A501.a.15", EU_RULE) == [{("design_temperature_k", "<=", numbers(limit)[0])}]


def test_field_programmable_logic():
    [inputs] = re.findall(r"greater than (\d+)", text("3A001.a.7.a"))
    [rate] = re.findall(r"of (\d+) Gb/s or greater", text("3A001.a.7.b"))
    assert limits("eu", "3A001.a.7", EU_RULE) == [
        {("fpld_single_ended_io", ">", Fraction(inputs))},
        {("fpld_transceiver_gbit_s", ">=", Fraction(rate))},
    ]


def test_converters():
    expected = []
    for position in range(1, 6):
        words = text(f"3A001.a.5.a.{position}")
        [bits] = re.findall(r"resolution of (\d+) bit or more", words)
        box = {("adc_bits", ">=", Fraction(bits))}
        box |= {("adc_bits", "<", Fraction(below)) for below in re.findall(r"less than (\d+) bit", words)}
        [(rate, prefix)] = re.findall(r"greater than (\d+(?:,\d+)?) (G|M)", words)
        expected.append(box | {("adc_sample_rate_msps", ">", numbers(rate)[0] * {"G": 1000, "M": 1}[prefix])})
    assert limits("eu", "3A001.a.5.a", EU_RULE) == expected


def test_lithography():
    [wavelength] = re.findall(r"equal to or longer than (\d+) nm", text("3B501.f.1.b.1"))
    [feature] = re.findall(r"of (\d+) nm or less", text("3B501.f.1.b.2"))
    [overlay] = re.findall(r"less than or equal to (\d+,\d+) nm", text("3B501.f.1.b.3"))
    assert limits("eu", "3B501.f.1.b", EU_RULE) == [
        {
            ("wavelength_nm", ">=", Fraction(wavelength)),
            ("mrf_nm", "<=", Fraction(feature)),
            ("overlay_nm", "<=", numbers(overlay)[0]),
        }
    ]


# What the allies left free.

US_LISTED = [
    {"name": "A100", "fp16_tflops": "312", "int8_tops": "624", "die_area_mm2": "826", "datacenter": "yes"},
    {"name": "L40S", "fp8_tflops": "733", "fp32_tflops": "91.6", "die_area_mm2": "608.5", "datacenter": "yes"},
    {"name": "H100", "fp8_tflops": "1979", "fp16_tflops": "989.5", "die_area_mm2": "814", "datacenter": "yes"},
    {"name": "server", "kind": "computer"},
    {"name": "H100 in it", "part_of": "server", "fp8_tflops": "1979"},
]


def test_in_december_2023_whatever_the_us_list_was_free_in_every_ally():
    scored = score(US_LISTED, date(2023, 12, 12), ["us", *ALLIES])
    assert set(scored["us_verdict"]) == {"controlled"}
    for ally in ALLIES:
        assert set(scored[f"{ally}_verdict"]) == {"not_controlled"}, ally
        assert scored[f"{ally}_margin"].isna().all(), "there is no line to be near to"


def test_every_golden_chip_was_free_in_every_ally_in_december_2023():
    golden = pd.read_csv(DATA / "golden_chips.csv", dtype="string")
    scored = perfcalc.score(golden, as_of="2023-12-12", jurisdictions=["us", *ALLIES])
    assert (scored["us_verdict"] == "controlled").sum() > 15
    for ally in ALLIES:
        assert set(scored[f"{ally}_verdict"]) == {"not_controlled"}, ally


def test_today_the_european_line_is_higher():
    scored = score(US_LISTED, date(2026, 11, 23), ["us", "eu", "de", "kr", "jp"]).set_index("name")
    assert list(scored["us_verdict"]) == ["controlled"] * 5
    for place in ("eu", "de"):
        assert list(scored[f"{place}_verdict"]) == ["not_controlled", "not_controlled", *["controlled"] * 3]
        assert list(scored[f"{place}_entries"].fillna("")) == ["", "", "3A501.a.16", "4A507", "3A501.a.16"]
    assert scored.loc["A100", "eu_margin"] == pytest.approx(4992 / 6000 - 1)
    assert scored.loc["L40S", "eu_margin"] == pytest.approx(-136 / 6000)
    for place, chip in (("kr", "Annex2.AI-semiconductor"), ("jp", "7(1).advanced-IC")):
        assert set(scored.loc[["A100", "L40S", "H100"], f"{place}_verdict"]) == {"cannot_tell"}
        assert set(scored.loc[["A100", "L40S", "H100"], f"{place}_needs"]) == {f"law:{chip}"}


def test_adding_the_vector_units_lists_the_l40s_in_europe():
    added = score(US_LISTED[:2], date(2026, 11, 23), ["eu"], readings="vector=added").set_index("name")
    assert added.loc["L40S", "tpp"] == 733 * 8 + 91.6 * 32
    assert list(added["eu_verdict"]) == ["not_controlled", "controlled"]
    every = score(US_LISTED[:2], date(2026, 11, 23), ["eu"], readings="all").set_index("name")
    assert every.loc["L40S", "eu_verdict"] == "cannot_tell"
    assert "reading:vector=added" in every.loc["L40S", "eu_needs"].split(";")


def test_an_explanation_names_the_reason_of_an_unread_entry():
    for place, words in (("kr", "36th notice"), ("jp", "counterpart of ECCN 3A090")):
        answer = perfcalc.explain(pd.DataFrame(US_LISTED[:1]), item="A100", as_of="2026-11-23", jurisdictions=[place])
        [trace] = answer.jurisdictions
        assert trace.verdict == "cannot_tell"
        assert words in trace.reason
        assert words in " ".join(str(answer).split())


def test_an_explanation_says_who_read_that_there_is_no_such_control():
    answer = perfcalc.explain(pd.DataFrame(US_LISTED[:1]), item="A100", as_of="2023-12-12", jurisdictions=["kr"])
    assert "no such control: Until 2024-08-21 Korean law" in " ".join(str(answer).split())
    nowhere = perfcalc.explain(pd.DataFrame(US_LISTED[:1]), item="A100", as_of="2026-11-23", jurisdictions=["ch"])
    assert nowhere.jurisdictions[0].verdict == "not_modelled"
    assert "Not researched" in nowhere.jurisdictions[0].reason


def test_a_proposal_is_not_law():
    [proposal] = [rule for rule in BOOK.rules if rule.jurisdiction == "ca" and rule.status == "proposed"]
    assert {("tpp", ">=", Fraction(6000))} in [{(c.metric, c.operator, c.limit) for c in box} for box in proposal.boxes]
    assert not any(proposal in BOOK.on("ca", day) for day in BOOK.dates("ca"))


# One list inside another.


def test_the_european_list_binds_in_every_member_state_and_nowhere_else():
    including = {code for code, place in BOOK.places.items() if "eu" in place.includes}
    assert including == set(MEMBERS)
    assert len(MEMBERS) == 27
    for member in MEMBERS:
        law = {(rule.jurisdiction, rule.paragraph) for rule in BOOK.on(member, EU_RULE)}
        assert {("eu", rule.paragraph) for rule in BOOK.on("eu", EU_RULE)} <= law


def test_that_the_european_list_held_nothing_says_nothing_of_a_national_one():
    chip = [{"name": "chip", "int8_tops": "9999"}]
    scored = score(chip, date(2023, 12, 12), ["eu", "de", "pl"])
    assert list(scored.loc[0, ["eu_verdict", "de_verdict", "pl_verdict"]]) == [
        "not_controlled",
        "not_controlled",
        "not_modelled",
    ]


@settings(max_examples=60, deadline=None)
@given(
    tops=st.one_of(st.integers(1, 2000), st.sampled_from([749, 750, 751])),
    member=st.sampled_from(MEMBERS),
    day=st.dates(EU_RULE, date(2027, 1, 1)),
)
def test_a_member_state_never_lists_less_than_the_union(tops, member, day):
    scored = score([{"name": "chip", "int8_tops": str(tops)}], day, ["eu", member])
    assert scored.loc[0, "eu_verdict"] == ("controlled" if tops * 8 >= 6000 else "not_controlled")
    assert scored.loc[0, f"{member}_verdict"] == scored.loc[0, "eu_verdict"]


# The whole book.


@pytest.mark.parametrize("jurisdiction", BOOK.jurisdictions)
def test_every_entry_resolves_on_every_day_of_change(jurisdiction):
    rows = [
        {"name": "chip", "kind": "ic", "int8_tops": "600"},
        {"name": "stack", "kind": "memory", "memory_bandwidth_gb_s": "819", "memory_area_mm2": "110"},
        {"name": "machine", "kind": "computer", "fp64_tflops": "100", "ctp_mtops": "2000", "pdr_mbit_s": "50"},
        {"name": "quantum", "kind": "quantum", "physical_qubits": "50"},
    ]
    days = {day + timedelta(days=step) for day in BOOK.dates(jurisdiction) for step in (-1, 0, 1)} | {FIRST_RULE}
    for day in sorted(days):
        law = BOOK.on(jurisdiction, day)
        paragraphs = [rule.paragraph for rule in law]
        assert len(paragraphs) == len(set(paragraphs)), (day, paragraphs)
        verdicts = list(score(rows, day, [jurisdiction])[f"{jurisdiction}_verdict"])
        modelled = compile_book(jurisdiction, day, law).modelled
        core = {kind for position, kind in enumerate(KINDS) if modelled >> position & 1}
        for row, verdict in zip(rows, verdicts, strict=True):
            assert row["kind"] in core or verdict in ("not_modelled", "controlled"), (day, row, verdict)
            assert row["kind"] not in core or verdict != "not_modelled", (day, row, verdict)


def test_the_lint_finds_no_error():
    assert [found for found in lint(BOOK, date(2026, 11, 23)) if found.level == "error"] == []


def test_every_paragraph_has_a_case_beside_it():
    for path in sorted(FOLDER.glob("*/*.yaml")):
        if path.name.endswith(".cases.yaml") or path.name in ("instruments.yaml", "jurisdiction.yaml"):
            continue
        if path.parent.name == "overlays":
            continue  # what-if law, tested limb by limb in test_overlay.py
        if path.parent.name == "us" and path.stem not in ("4A03A", "CTP"):
            continue  # the older American files have their tests in test_golden.py and test_at_the_line.py
        beside = path.with_name(f"{path.stem}.cases.yaml")
        assert beside.exists(), path
        cases = yaml.safe_load(beside.read_text("utf-8"))
        for code, paragraph in yaml.safe_load(path.read_text("utf-8"))["paragraphs"].items():
            kinds = set(paragraph["kinds"])
            for version in paragraph["versions"]:
                if version["status"] == "proposed":
                    continue
                days = {case["day"] for case in cases}
                within = [day for day in days if version["from"] <= day < (version["until"] or date.max)]
                assert within, f"{path.name} {code}: no case on a day of the version from {version['from']}"
                if "test" in version or "contains" in version:
                    assert any(code in case["met"] for case in cases), f"{code} is never met"
                if "unread" in version:
                    assert any(f"law:{code}" in case.get("needs", ()) for case in cases), f"{code} is never asked"
            assert kinds


def test_large_batches_are_judged_alike():
    # Above a few thousand rows the kernels run compiled; a jurisdiction without a rule has no arrays to compile.
    frame = pd.DataFrame({"name": [f"chip {i}" for i in range(2500)], "int8_tops": [i / 2 for i in range(2500)]})
    places = ["eu", "kr", "sg", "ch", "pl"]
    large = perfcalc.score(frame, as_of="2026-11-23", jurisdictions=places)
    small = perfcalc.score(frame.iloc[1490:1510], as_of="2026-11-23", jurisdictions=places)
    for place in places:
        assert list(large[f"{place}_verdict"].iloc[1490:1510]) == list(small[f"{place}_verdict"])
    assert list(large["eu_verdict"]) == ["controlled" if i / 2 * 8 >= 6000 else "not_controlled" for i in range(2500)]


# The mechanism.

ENTRY = """
entry: X1
title: Chips
text: https://example.org
reasons: [dual-use]
paragraphs:
  X1.a:
    kinds: [ic]
    core: {core}
    versions:
      - from: 2020-01-01
        until: null
        status: in_force
        {body}
        citation: [Act]
        verified: 2026-01-01
        confidence: high
"""


def errors_of(tmp_path, body, core="true", place="name: Atlantis"):
    folder = tmp_path / "xx"
    folder.mkdir(parents=True)
    (folder / "instruments.yaml").write_text("Act: {title: An act, published: 2019-01-01, url: 'https://example.org'}")
    (folder / "jurisdiction.yaml").write_text(place)
    (folder / "X1.yaml").write_text(ENTRY.format(core=core, body=body))
    return [found.what for found in lint(read_folder(tmp_path), date(2026, 11, 23)) if found.level == "error"]


@pytest.mark.parametrize(
    ("body", "core", "expected"),
    [
        ("none: nobody lists it", "true", None),
        ("none: nobody lists it", "false", "no such control"),
        ("none: nobody lists it\n        test: [{tpp: {'>=': 1}}]", "true", "no such control"),
        ("unread: not found", "true", None),
        ("unread: not found", "false", "never be asked"),
        ("unread: not found\n        measures: [tpp]", "false", None),
        ("unread: not found\n        measures: [tpq]", "false", "does not know"),
        ("unread: not found\n        test: [{tpp: {'>=': 1}}]", "true", "has numbers"),
        ("destinations: [CN]", "true", "neither a test"),
    ],
)
def test_lint_of_what_is_not_known(tmp_path, body, core, expected):
    found = errors_of(tmp_path, body, core)
    assert found == [] if expected is None else any(expected in each for each in found), found


def test_lint_of_a_list_that_does_not_exist(tmp_path):
    assert any("no folder" in each for each in errors_of(tmp_path, "none: x", place="{name: A, includes: [zz]}"))


def test_a_plan_for_a_member_state_pickles():
    import pickle

    plan = make_plan(["name", "int8_tops"], "a sheet", EU_RULE, ["de"])
    assert pickle.loads(pickle.dumps(plan)).books[0].rules == plan.books[0].rules
