"""perfcalc against the independent oracle, which fills in every unknown instead of using intervals."""

from datetime import date

import oracle
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import perfcalc

DAYS = [
    "2022-10-20",
    "2022-10-21",
    "2023-11-16",
    "2023-11-17",
    "2024-04-03",
    "2024-04-04",
    "2024-12-01",
    "2024-12-02",
    "2026-11-23",
]
RATES = list(oracle.BITS)

# Rates and areas whose products and quotients fall on, just below and just above the limits.
numbers = st.one_of(
    st.sampled_from(
        ["0", "8", "7.9", "50", "75", "99.99", "100", "100.01", "150", "149.9", "200", "300", "299.99", "600", "1312.5"]
    ),
    st.integers(1, 40_000).map(lambda n: f"{n / 10:.1f}"),
)
areas = st.one_of(
    st.sampled_from(["270", "270.27", "500", "500.01", "499.99", "814", "810.81", "1500", "1500.1", "3000"]),
    st.integers(100, 300_000).map(lambda n: f"{n / 100:.2f}"),
)
blank = st.just("")
unknown = st.just("?")


@st.composite
def ics(draw):
    item = {"name": "ic", "kind": "ic"}
    for rate in draw(st.lists(st.sampled_from(RATES), max_size=3, unique=True)):
        item[rate] = draw(st.one_of(numbers, numbers, numbers, unknown))
    item["die_area_mm2"] = draw(st.one_of(areas, areas, blank, unknown))
    item["nonplanar_die_area_mm2"] = draw(st.one_of(blank, blank, blank, areas, st.just("0")))
    item["transistor_architecture"] = draw(st.sampled_from(["", "non_planar", "non_planar", "planar"]))
    item["datacenter"] = draw(st.sampled_from(["yes", "yes", "no", "", "?"]))
    item["interconnect_gb_s"] = draw(
        st.one_of(st.sampled_from(["150", "149.9", "599.9", "600", "900", "64"]), blank, unknown)
    )
    item["memory_bandwidth_gb_s"] = draw(st.one_of(st.sampled_from(["6499.9", "6500", "3350", "8000"]), blank))
    return item


memories = st.builds(
    lambda rate, area: {"name": "stack", "kind": "memory", "memory_bandwidth_gb_s": rate, "memory_area_mm2": area},
    st.one_of(st.sampled_from(["242", "241.9", "242.1", "819.2"]), blank, unknown),
    st.one_of(st.sampled_from(["121", "120.9", "110"]), blank, unknown),
)


@pytest.fixture(autouse=True)
def figures_as_they_stand(monkeypatch):
    """The oracle judges every figure as it stands, however implausible."""
    monkeypatch.setattr("perfcalc.sheets.columns.check", lambda *_: None)


def agree(row, answer, item):
    listed = set() if pd.isna(row["us_entries"]) else set(row["us_entries"].split(";"))
    wide = pd.isna(row["tpp"]) and item["kind"] == "ic"
    if row["us_verdict"] != answer.verdict:
        # With the TPP itself unknown, density and TPP move together; intervals do not see that and stay open.
        assert wide, (item, row["us_verdict"], answer)
        assert row["us_verdict"] == "cannot_tell", (item, answer)
    listed.discard("3A090")  # named without its paragraph where every completion meets one or another
    assert listed <= answer.entries, (item, listed, answer)
    assert wide or answer.entries <= listed, (item, listed, answer)


@settings(max_examples=60, deadline=None)
@given(items=st.lists(st.one_of(ics(), memories), min_size=20, max_size=40), day=st.sampled_from(DAYS))
def test_verdicts(items, day):
    frame = pd.DataFrame(items).reindex(columns=["name", "kind", *RATES, *ALL_OTHERS]).astype("string")
    scored = perfcalc.score(frame, as_of=day)
    for item, (_, row) in zip(items, scored.iterrows(), strict=True):
        agree(row, oracle.us(item, date.fromisoformat(day)), item)


ALL_OTHERS = [
    "die_area_mm2",
    "nonplanar_die_area_mm2",
    "transistor_architecture",
    "datacenter",
    "interconnect_gb_s",
    "memory_bandwidth_gb_s",
    "memory_area_mm2",
]


@settings(max_examples=40, deadline=None)
@given(items=st.lists(ics(), min_size=20, max_size=40))
def test_metrics(items):
    frame = pd.DataFrame(items).reindex(columns=["name", *RATES, *ALL_OTHERS]).astype("string")
    scored = perfcalc.score(frame, as_of="2026-11-23")
    exact = {
        "tpp": oracle.tpp,
        "performance_density": oracle.performance_density,
        "processing_performance_2022": oracle.processing_performance_2022,
        "processing_tops": oracle.processing_tops,
        "applicable_die_area_mm2": oracle.applicable_area,
    }
    for item, (_, row) in zip(items, scored.iterrows(), strict=True):
        for name, function in exact.items():
            interval = function(item)
            if interval is None:
                assert row[[name, f"{name}_low", f"{name}_high"]].isna().all(), (item, name)
            elif interval[0] == interval[1]:
                assert row[name] == pytest.approx(float(interval[0]), rel=1e-12), (item, name)
            else:
                assert pd.isna(row[name])
                assert row[f"{name}_low"] == pytest.approx(float(interval[0]), rel=1e-12), (item, name)
                assert row[f"{name}_high"] == pytest.approx(float(interval[1]), rel=1e-12), (item, name)
        if oracle.tpp(item)[0] == oracle.tpp(item)[1] > 0:
            assert row["tpp_format"] == oracle.tpp_format(item), item


@settings(max_examples=30, deadline=None)
@given(items=st.lists(ics(), min_size=20, max_size=40))
def test_china_review(items):
    frame = pd.DataFrame(items).reindex(columns=["name", *RATES, *ALL_OTHERS]).astype("string")
    scored = perfcalc.score(frame, as_of="2026-11-23", destination="CN")
    for item, (_, row) in zip(items, scored.iterrows(), strict=True):
        expected = oracle.china_review_2026(item, date(2026, 11, 23))
        assert row["us_review"] in (expected, "cannot_tell"), item
        if not pd.isna(row["tpp"]) and not pd.isna(row["performance_density"]) and row["us_verdict"] != "cannot_tell":
            assert row["us_review"] == expected, item


@settings(max_examples=40, deadline=None)
@given(
    parts=st.lists(ics(), max_size=3),
    fp64=st.sampled_from(["", "70", "77.77", "77.78", "100", "233.4", "?"]),
    vector=st.sampled_from(["yes", "no", ""]),
    day=st.sampled_from(DAYS),
)
def test_computers(parts, fp64, vector, day):
    computer = {"name": "box", "kind": "computer", "fp64_tflops": fp64, "vector_processor": vector}
    rows = [computer, *({**part, "name": f"ic {number}", "part_of": "box"} for number, part in enumerate(parts))]
    columns = ["name", "kind", "part_of", "vector_processor", *RATES, *ALL_OTHERS]
    scored = perfcalc.score(pd.DataFrame(rows).reindex(columns=columns).astype("string"), as_of=day)
    answer = oracle.us(computer, date.fromisoformat(day), parts)
    row = scored.iloc[0]
    listed = set() if pd.isna(row["us_entries"]) else set(row["us_entries"].split(";"))
    listed -= {"4A090", "4A994.b"}  # the oracle does not judge 4A994.b
    assert listed <= answer.entries, (computer, parts)
    assert row["us_verdict"] in (answer.verdict, "cannot_tell"), (computer, parts, answer)
    if not scored["us_verdict"].iloc[1:].eq("cannot_tell").any() and parts and "cannot_tell" not in answer.verdict:
        assert row["us_verdict"] == answer.verdict, (computer, parts, answer)


@pytest.mark.parametrize("units", [["100", "50"], ["100", "100", "3.3"], ["7", "?"]])
def test_processing_units_add_up(units):
    items = [
        {"id": "x", "name": "soc", "unit": f"u{number}", "fp16_tflops": rate, "die_area_mm2": "400"}
        for number, rate in enumerate(units)
    ]
    scored = perfcalc.score(pd.DataFrame(items), as_of="2026-11-23")
    low, high = oracle.tpp_of_units(items)
    assert len(set(scored["us_verdict"])) == 1
    if low == high:
        assert scored["tpp"].tolist() == [float(low)] * len(units)
    else:
        assert scored["tpp_low"].tolist() == [float(low)] * len(units)
        assert scored["tpp_high"].tolist() == [float(high)] * len(units)
