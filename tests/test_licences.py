"""The licence table: by destination, headquarters, day and layer of law."""

import json
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import perfcalc
from perfcalc.errors import InputError
from perfcalc.rulebook.book import LAYERS, load
from perfcalc.rulebook.licences import ANY, Change, licences_on, read_groups, read_licences
from perfcalc.verdicts.licences import area_state

DATA = Path(__file__).parent / "data"
GROUPS = json.loads((DATA / "us_country_groups.json").read_text("utf-8"))
TODAY = "2026-11-23"
DAY = timedelta(days=1)

# By hand from the names in 15 CFR 740 Supp. 1 to ISO 3166.
CODES = {
    "Afghanistan": "AF", "Albania": "AL", "Argentina": "AR", "Armenia": "AM", "Australia": "AU", "Austria": "AT",
    "Azerbaijan": "AZ", "Bahrain": "BH", "Belarus": "BY", "Belgium": "BE", "Bulgaria": "BG", "Burma": "MM",
    "Cambodia": "KH", "Canada": "CA", "Central African Republic": "CF", "China (PRC)": "CN", "Croatia": "HR",
    "Congo (Democratic Republic of)": "CD", "Cuba": "CU", "Cyprus": "CY", "Czech Republic": "CZ", "Denmark": "DK",
    "Egypt": "EG", "Eritrea": "ER", "Estonia": "EE", "Finland": "FI", "France": "FR", "Georgia": "GE",
    "Germany": "DE", "Greece": "GR", "Haiti": "HT", "Hungary": "HU", "Iceland": "IS", "India": "IN", "Iran": "IR",
    "Iraq": "IQ", "Ireland": "IE", "Israel": "IL", "Italy": "IT", "Japan": "JP", "Jordan": "JO", "Kazakhstan": "KZ",
    "Korea, North": "KP", "Korea, South": "KR", "Kuwait": "KW", "Kyrgyzstan": "KG", "Laos": "LA", "Latvia": "LV",
    "Lebanon": "LB", "Libya": "LY", "Lithuania": "LT", "Luxembourg": "LU", "Macau": "MO", "Malta": "MT",
    "Mexico": "MX", "Moldova": "MD", "Mongolia": "MN", "Netherlands": "NL", "New Zealand": "NZ", "Nicaragua": "NI",
    "Norway": "NO", "Oman": "OM", "Pakistan": "PK", "Poland": "PL", "Portugal": "PT", "Qatar": "QA", "Romania": "RO",
    "Russia": "RU", "Saudi Arabia": "SA", "Singapore": "SG", "Slovakia": "SK", "Slovenia": "SI", "Somalia": "SO",
    "South Africa": "ZA", "South Sudan, Republic of": "SS", "Spain": "ES", "Sudan": "SD", "Sweden": "SE",
    "Switzerland": "CH", "Syria": "SY", "Taiwan": "TW", "Tajikistan": "TJ", "Turkmenistan": "TM", "Türkiye": "TR",
    "United Arab Emirates": "AE", "United Kingdom": "GB", "Uzbekistan": "UZ", "Venezuela": "VE", "Vietnam": "VN",
    "Yemen": "YE", "Zimbabwe": "ZW",
}  # fmt: skip

H100 = {"int8_tops": "1979", "datacenter": "yes", "die_area_mm2": "814", "memory_bandwidth_gb_s": "3350"}
B200 = {"int8_tops": "4500", "datacenter": "yes", "die_area_mm2": "1628", "memory_bandwidth_gb_s": "8000"}
L40 = {"int8_tops": "362", "datacenter": "yes", "die_area_mm2": "608.5", "memory_bandwidth_gb_s": "864"}
GAMING = {"int8_tops": "660.6", "datacenter": "no", "die_area_mm2": "608.5", "memory_bandwidth_gb_s": "1008"}
FREE = {"int8_tops": "100", "datacenter": "no", "die_area_mm2": "600", "memory_bandwidth_gb_s": "500", "interconnect_gb_s": "64"}  # fmt: skip
HBM = {"kind": "memory", "memory_bandwidth_gb_s": "819", "memory_area_mm2": "121"}
HBM_LOW = {"kind": "memory", "memory_bandwidth_gb_s": "300", "memory_area_mm2": "100"}


def ask(item, destination, day=TODAY, hq=None, law="enforced", parts=()):
    rows = [
        {"name": "item", **item},
        *({"name": f"part {n}", "part_of": "item", **part} for n, part in enumerate(parts)),
    ]
    frame = pd.DataFrame(rows).astype("string")
    row = perfcalc.score(frame, as_of=day, destination=destination, end_user_hq=hq, law=law).iloc[0]
    return row["us_licence"], "" if pd.isna(row["us_exceptions"]) else row["us_exceptions"], row["us_review"]


@pytest.mark.parametrize("group", sorted(GROUPS["groups"]))
def test_groups_are_those_of_the_text(group):
    groups = read_groups("us")
    read = date.fromisoformat(GROUPS["ecfrIssueDate"])
    assert groups.as_of == read
    expected = {CODES[name] for name in GROUPS["groups"][group]}
    assert {code for code in groups.countries if groups.contains(group, code, read)} == expected


def test_country_codes():
    groups = read_groups("us")
    assert len(groups.countries) == 250
    assert groups.code("hk") == "CN"
    assert groups.code("mo") == "MO"
    assert not groups.contains("D:5", "MO", date(2026, 7, 23))
    for wrong in ("ZZ", "China", "UK"):
        with pytest.raises(InputError, match="country code"):
            ask(FREE, wrong)
    with pytest.raises(InputError, match="destination"):
        ask(FREE, None, hq="CN")


@pytest.mark.parametrize(
    ("country", "group", "day", "before", "after"),
    [
        ("AE", "A:5", date(2026, 7, 10), False, True),
        ("AE", "D:4", date(2026, 7, 10), True, False),
        ("CY", "D:5", date(2024, 5, 30), True, False),
        ("NI", "D:5", date(2024, 3, 15), False, True),
        ("NI", "D:1", date(2024, 3, 15), False, True),
        ("KH", "D:5", date(2026, 2, 3), True, False),
    ],
)
def test_moves_between_groups(country, group, day, before, after):
    groups = read_groups("us")
    assert groups.contains(group, country, day - DAY) is before
    assert groups.contains(group, country, day) is after
    assert groups.contains(group, "DE", day) is (group == "A:5")


def test_a_change_known_by_its_month_is_open_in_that_month():
    change = Change("XA", (), ("D:5",), date(2026, 2, 1), date(2026, 3, 1), "", "low")
    groups = replace(read_groups("us"), changes=(change,))
    assert groups.contains("D:5", "XA", date(2026, 1, 31)) is True
    assert groups.contains("D:5", "XA", date(2026, 2, 1)) is None
    assert groups.contains("D:5", "XA", date(2026, 2, 28)) is None
    assert groups.contains("D:5", "XA", date(2026, 3, 1)) is False
    area = next(entry.destinations for entry in read_licences("us")[0] if entry.applies_to == ("3A090.c",))
    assert area_state(area, "XA", groups, date(2026, 2, 10)) == 1


@pytest.mark.parametrize(
    ("item", "destination", "day", "hq", "expected"),
    [
        # October 2022: China, then Macau by name.
        ({**H100, "interconnect_gb_s": "900"}, "CN", "2022-10-21", None, ("required", "", "cannot_tell")),
        ({**H100, "interconnect_gb_s": "900"}, "CN", "2022-10-21", "CN", ("required", "", "presumption_of_denial")),
        ({**H100, "interconnect_gb_s": "900"}, "HK", "2022-10-21", "US", ("required", "", "case_by_case")),
        ({**H100, "interconnect_gb_s": "900"}, "MO", "2023-01-16", "MO", ("not_required", "", "not_applicable")),
        ({**H100, "interconnect_gb_s": "900"}, "MO", "2023-01-17", "MO", ("required", "", "presumption_of_denial")),
        ({**H100, "interconnect_gb_s": "900"}, "VN", "2023-11-16", "VN", ("not_required", "", "not_applicable")),
        # November 2023: D:1, D:4, D:5 without A:5 and A:6; headquarters anywhere.
        (H100, "VN", "2023-11-17", "VN", ("required", "", "presumption_of_approval")),
        (H100, "VN", "2023-11-17", "CN", ("required", "", "presumption_of_denial")),
        (H100, "IL", "2023-11-17", "IL", ("not_required", "", "not_applicable")),
        (H100, "CY", "2023-11-17", "CY", ("required", "", "presumption_of_denial")),  # D:5 and A:6: by headquarters
        (H100, "CY", "2024-05-30", "CY", ("not_required", "", "not_applicable")),
        (H100, "DE", "2023-11-17", "DE", ("not_required", "", "not_applicable")),
        (H100, "DE", "2023-11-17", "CN", ("required", "", "case_by_case")),
        (H100, "DE", "2023-11-17", "MO", ("required", "", "case_by_case")),
        (H100, "CN", "2023-11-17", "CN", ("required", "", "presumption_of_denial")),
        (H100, "MO", "2023-11-17", "MO", ("required", "", "presumption_of_denial")),
        # NAC alone, then NAC and ACA.
        (L40, "VN", "2024-04-03", "VN", ("required", "NAC", "presumption_of_approval")),
        (L40, "VN", "2024-04-04", "VN", ("required", "ACA", "case_by_case")),
        (L40, "CN", "2024-04-03", "CN", ("required", "NAC", "presumption_of_denial")),
        (L40, "CN", "2024-04-04", "CN", ("required", "NAC", "case_by_case")),
        (GAMING, "CN", "2023-11-17", "CN", ("required", "NAC", "presumption_of_denial")),
        (GAMING, "CN", "2024-04-04", "CN", ("required", "NAC", "case_by_case")),
        (GAMING, "VN", "2024-04-04", "VN", ("required", "ACA", "case_by_case")),
        (GAMING, "DE", "2024-04-04", "CN", ("required", "NAC", "case_by_case")),
        (GAMING, "VN", "2024-04-04", None, ("required", "NAC?;ACA?", "case_by_case")),
        # January 2026: China and Macau case by case below two numbers.
        (H100, "CN", "2026-01-14", "CN", ("required", "", "presumption_of_denial")),
        (H100, "CN", "2026-01-15", "CN", ("required", "", "case_by_case")),
        (H100, "MO", "2026-01-15", "MO", ("required", "", "case_by_case")),
        (H100, "RU", "2026-01-15", "RU", ("required", "", "presumption_of_denial")),
        (B200, "CN", "2026-01-15", "CN", ("required", "", "presumption_of_denial")),
        ({**H100, "int8_tops": "2624.9", "memory_bandwidth_gb_s": "6499"}, "CN", TODAY, None, ("required", "", "case_by_case")),
        ({**H100, "int8_tops": "2625"}, "CN", TODAY, None, ("required", "", "presumption_of_denial")),
        ({**H100, "memory_bandwidth_gb_s": "6500"}, "CN", TODAY, None, ("required", "", "presumption_of_denial")),
        ({**H100, "memory_bandwidth_gb_s": "?"}, "CN", TODAY, None, ("required", "", "cannot_tell")),
        # The United Arab Emirates move to A:5 and are named.
        (H100, "AE", "2026-07-09", "AE", ("required", "", "presumption_of_approval")),
        (H100, "AE", "2026-07-10", "AE", ("required", "", "presumption_of_approval")),
        (L40, "AE", "2026-07-09", "AE", ("required", "ACA", "case_by_case")),
        (L40, "AE", "2026-07-10", "AE", ("required", "ACA", "case_by_case")),
        # High bandwidth memory.
        (HBM, "CN", "2024-12-01", "CN", ("not_modelled", "", "not_modelled")),
        (HBM, "CN", "2024-12-02", "CN", ("required", "", "presumption_of_denial")),
        (HBM, "CN", "2024-12-02", "US", ("required", "", "presumption_of_approval")),
        (HBM_LOW, "CN", TODAY, "CN", ("required", "HBM", "presumption_of_denial")),
        ({**HBM_LOW, "memory_bandwidth_gb_s": "330"}, "CN", TODAY, "CN", ("required", "", "presumption_of_denial")),
        ({**HBM_LOW, "memory_bandwidth_gb_s": "329.9"}, "CN", TODAY, "CN", ("required", "HBM", "presumption_of_denial")),
        (HBM, "VN", TODAY, "VN", ("not_required", "", "not_applicable")),
        (HBM, "VN", TODAY, "MO", ("required", "", "presumption_of_denial")),
        # What the sheet or the book leaves open.
        (H100, "DE", TODAY, None, ("cannot_tell", "", "cannot_tell")),
        (FREE, "CN", TODAY, None, ("not_required", "", "not_applicable")),
        (FREE, "IR", TODAY, None, ("not_modelled", "", "not_applicable")),
        (FREE, "RU", TODAY, None, ("not_modelled", "", "not_applicable")),
        ({**FREE, "memory_bandwidth_gb_s": "4000"}, "CN", TODAY, None, ("cannot_tell", "", "not_applicable")),
        ({**FREE, "memory_bandwidth_gb_s": "4000"}, "JP", TODAY, "JP", ("not_required", "", "not_applicable")),
        ({**FREE, "end_user": "Huawei"}, "DE", TODAY, "DE", ("cannot_tell", "", "not_applicable")),
        ({"int8_tops": "?"}, "CN", TODAY, "CN", ("cannot_tell", "NAC?", "cannot_tell")),
        ({"int8_tops": "?"}, "DE", TODAY, "DE", ("not_required", "", "not_applicable")),
        ({**L40, "datacenter": ""}, "CN", TODAY, "CN", ("cannot_tell", "NAC?", "cannot_tell")),
        ({**GAMING, "datacenter": ""}, "CN", TODAY, "CN", ("required", "NAC?", "case_by_case")),
        ({"kind": "quantum", "physical_qubits": "5"}, "DE", "2020-01-01", "DE", ("not_modelled", "", "not_modelled")),
        ({"wavelength_nm": "13.5"}, "CN", TODAY, "CN", ("required", "", "not_modelled")),
        ({"wavelength_nm": "13.5"}, "DE", TODAY, "DE", ("not_required", "", "not_applicable")),
        ({"wavelength_nm": "193", "mrf_nm": "38", "overlay_nm": "2"}, "CN", TODAY, "CN", ("not_modelled", "", "not_modelled")),
        ({**H100, "declared_eccn": "5A002"}, "DE", TODAY, "DE", ("not_modelled", "", "not_modelled")),
        ({**H100, "declared_eccn": "5A992.c"}, "DE", TODAY, "DE", ("not_required", "", "not_applicable")),
        (H100, "US", TODAY, None, ("not_required", "", "not_applicable")),
    ],
)  # fmt: skip
def test_table(item, destination, day, hq, expected):
    assert ask(item, destination, day, hq) == expected


@pytest.mark.parametrize(
    ("item", "destination", "day", "hq", "expected"),
    [
        (H100, "DE", "2025-01-12", "DE", ("not_required", "", "not_applicable")),
        (H100, "DE", "2025-01-13", "DE", ("required", "AIA;ACM?;LPP", "presumption_of_approval")),
        (H100, "CH", "2025-01-13", "CH", ("required", "ACM?;LPP", "presumption_of_approval_within_allocation")),
        (H100, "DE", TODAY, "CH", ("required", "ACM?;LPP", "presumption_of_approval")),
        (H100, "CN", TODAY, "CN", ("required", "", "case_by_case")),
        (L40, "DE", TODAY, "DE", ("not_required", "", "not_applicable")),
        (GAMING, "DE", TODAY, "DE", ("required", "ACA;AIA;ACM?;LPP", "case_by_case")),
        ({"kind": "model", "training_operations": "1e26", "weights_published": "no"}, "DE", TODAY, "DE",
         ("required", "AIA", "not_modelled")),
    ],
)  # fmt: skip
def test_codified(item, destination, day, hq, expected):
    assert ask(item, destination, day, hq, "codified") == expected


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (H100, ("required", "NAC?", "case_by_case")),
        (L40, ("required", "NAC", "case_by_case")),
        (B200, ("required", "NAC?", "presumption_of_denial")),
        ({**B200, "memory_bandwidth_gb_s": "?"}, ("required", "NAC?", "presumption_of_denial")),
        ({**H100, "memory_bandwidth_gb_s": "?"}, ("required", "NAC?", "cannot_tell")),
        (FREE, ("not_required", "", "not_applicable")),
    ],
)
def test_computers(part, expected):
    assert ask({"kind": "computer"}, "CN", TODAY, "CN", parts=[part]) == expected
    if part is H100:
        assert ask({"kind": "computer", "datacenter": "yes"}, "CN", TODAY, "CN", parts=[part])[1] == ""


def test_a_computer_is_as_far_as_its_worst_circuit():
    assert ask({"kind": "computer"}, "CN", TODAY, "CN", parts=[H100, B200])[2] == "presumption_of_denial"


chips = st.fixed_dictionaries(
    {
        "int8_tops": st.sampled_from(["?", "199", "250", "362", "599.9", "600", "2624", "4500"]),
        "datacenter": st.sampled_from(["yes", "no", ""]),
        "die_area_mm2": st.sampled_from(["", "100", "300", "814", "1200"]),
        "memory_bandwidth_gb_s": st.sampled_from(["", "800", "4000", "8000"]),
    }
)
places = st.sampled_from(["CN", "MO", "VN", "AE", "SA", "DE", "IL", "CY", "IR", "RU", "JP", "SG", "KH", "NI", "BR"])
days = st.sampled_from(
    ["2023-11-16", "2023-11-17", "2024-04-03", "2024-04-04", "2025-01-13", "2026-01-14", "2026-01-15", "2026-07-10"]
)


@settings(max_examples=25, deadline=None)
@given(items=st.lists(chips, min_size=5, max_size=10), destination=places, hq=places, day=days)
def test_what_is_unknown_never_clears(items, destination, hq, day):
    frame = pd.DataFrame(items).assign(name="x").astype("string")
    known = perfcalc.score(frame, as_of=day, destination=destination, end_user_hq=hq)
    unknown = perfcalc.score(frame, as_of=day, destination=destination)
    codified = perfcalc.score(frame, as_of=day, destination=destination, end_user_hq=hq, law="codified")
    for item, this, other, wider in zip(
        items, known["us_licence"], unknown["us_licence"], codified["us_licence"], strict=True
    ):
        if other == "not_required":
            assert this == "not_required", item
        if this == "required":
            assert other in ("required", "cannot_tell"), item
            assert wider == "required", item  # codified law asks for at least as much
    for word, review in zip(known["us_licence"], known["us_review"], strict=True):
        assert (word == "not_required") <= (review == "not_applicable")
    # Completing what is open in a sheet never turns "not required" into "required".
    settled = frame.replace({"datacenter": {"": "yes"}, "die_area_mm2": {"": "814"}, "int8_tops": {"?": "4500"}})
    after = perfcalc.score(settled, as_of=day, destination=destination, end_user_hq=hq)["us_licence"]
    for before, then in zip(known["us_licence"], after, strict=True):
        assert not (before == "not_required" and then == "required")


def test_the_table_refers_to_what_the_book_has():
    groups = read_groups("us")
    rules = [rule for rule in load().rules if rule.jurisdiction == "us"]
    controls = {rule.paragraph for rule in rules}
    tests = {rule.paragraph for rule in rules if rule.role == "review"}
    for entries in read_licences("us"):
        for entry in entries:
            listed = {*entry.applies_to, *entry.without, *(code for line in entry.lines for code in line.paragraphs)}
            assert listed - {ANY} <= controls, entry.paragraph
            assert {*entry.when, *entry.when_not, *(code for line in entry.lines for code in line.when)} <= tests
            assert entry.applies_to or entry.lines
            assert entry.end is None or entry.start < entry.end
            assert (entry.status == "superseded") <= (entry.end is not None)
            assert entry.verified >= min(act.published for act in entry.instruments)
            for area in (entry.destinations, entry.headquarters, entry.and_headquarters, entry.not_headquarters):
                for name in (*area.any, *area.without, *area.also) if area else ():
                    assert name == "world" or name in groups.members or name in groups.countries, name


def test_every_day_of_change_has_a_requirement_for_the_core():
    starts = {entry.start for entries in read_licences("us") for entry in entries}
    for day in sorted(starts | {start - DAY for start in starts}):
        for law in LAYERS:
            table = licences_on("us", day, law)
            covered = {code for entry in table.requirements for code in entry.applies_to if not entry.unread}
            for rule in load().on("us", day, law):
                if rule.core and rule.role == "control" and rule.entry in ("3A090", "4A090"):
                    assert rule.paragraph in covered, (day, law, rule.paragraph)


def test_a_jurisdiction_without_a_table():
    assert licences_on("xx", date(2026, 11, 23)) is None
