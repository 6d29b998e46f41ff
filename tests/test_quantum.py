"""Quantum machines against the law's ladder: corners, readings, real machines, and the oracle."""

import json
from datetime import date
from fractions import Fraction
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import perfcalc
from perfcalc.metrics.quantum import error_per_layered_gate
from perfcalc.metrics.readings import QUESTIONS
from tests import oracle_quantum as oracle

#: Without shrinking: every step would score a sheet again, for minutes.
QUICK = {"deadline": None, "phases": (Phase.explicit, Phase.reuse, Phase.generate)}

DATA = Path(__file__).parent / "data"
TODAY = "2026-11-23"
ENTRY = {"us": "4A906", "eu": "4A506"}


def score(rows, jurisdiction="us", readings="", as_of=TODAY):
    frame = pd.DataFrame([{"name": f"machine {n}", "kind": "quantum", **row} for n, row in enumerate(rows)])
    return perfcalc.score(frame.astype("string"), as_of=as_of, jurisdictions=[jurisdiction], readings=readings)


def test_the_ladder_is_that_of_the_statutes():
    us = json.loads((DATA / "us_ccl_quantum.json").read_text("utf-8"))["entries"]
    paragraphs = next(entry for entry in us if entry["eccn"] == "4A906")["items"]
    from_us = oracle.ladder_of(f"{each['paragraph']} {each['text']}" for each in paragraphs)
    eu = json.loads((DATA / "eu_annex1_quantum.json").read_text("utf-8"))["entries"]
    from_eu = oracle.ladder_of(next(entry for entry in eu if entry["entry"] == "4A506")["text"].split("\n"))
    assert from_us == from_eu == oracle.LADDER


def corners():
    """n - 1 and n at either end of every rung; the error at its limit, one last digit below and one above."""
    for rung in oracle.LADDER:
        for qubits in (rung.first - 1, rung.first, *((rung.below - 1, rung.below) if rung.below else ())):
            if rung.error is None:
                yield str(qubits), "0.999999", "0.000001"
                continue
            for step in (Fraction(-1, 10**7), Fraction(0), Fraction(1, 10**7)):
                error = f"{float(rung.error + step):.7f}"
                yield str(qubits), error, _complement(error)


def _complement(decimal):
    """1 - x in decimals."""
    digits = len(decimal.partition(".")[2])
    return f"0.{10**digits - int(decimal.partition('.')[2]):0{digits}d}"


@pytest.mark.parametrize(
    ("jurisdiction", "others"), [("us", 0), ("eu", 0), ("us", 25_000)], ids=["us", "eu", "us-compiled"]
)
@pytest.mark.parametrize("form", ["two_qubit_error", "two_qubit_fidelity"])
def test_every_corner(jurisdiction, form, others):
    rows = [
        {"modality": "gate", "physical_qubits": qubits, form: error if form == "two_qubit_error" else fidelity}
        for qubits, error, fidelity in corners()
    ]
    scored = score([{"physical_qubits": "5", form: "0.5"}] * others + rows, jurisdiction).iloc[others:]
    assert len(rows) == 7 * 4 * 3 + 2
    for row, (verdict, entries) in zip(
        rows, zip(scored[f"{jurisdiction}_verdict"], scored[f"{jurisdiction}_entries"], strict=True), strict=True
    ):
        expected = oracle.rung_of(Fraction(row["physical_qubits"]), oracle.error(row)[0])
        assert verdict == ("controlled" if expected else "not_controlled"), row
        assert (None if pd.isna(entries) else entries) == (expected and f"{ENTRY[jurisdiction]}.{expected}"), row


@pytest.mark.parametrize(("fidelity", "error"), [("0.994", "0.006"), ("0.999", "0.001"), ("0.9999", "0.0001")])
def test_a_fidelity_is_complemented_in_decimals(fidelity, error):
    """1 - 0.9999 is 0.00009999999999998899 in binary64, and 1 - 0.994 is more than 0.006."""
    assert Fraction(1 - float(fidelity)) != Fraction(error)
    limit = next(rung for rung in oracle.LADDER if rung.error == Fraction(error))
    above = fidelity + "0" * 14
    rows = [
        {"physical_qubits": str(limit.first), "two_qubit_fidelity": text}
        for text in (fidelity, _complement(error + "0" * 13 + "1"), _complement(error + "0" * 13).rstrip("0"), above)
    ]
    assert list(score(rows)["us_verdict"]) == ["controlled", "not_controlled", "controlled", "controlled"]


VECTORS = [
    ("33", "0", None, "not_controlled"),
    ("34", "1e-4", None, "4A906.a.1"),
    ("98", "7.9e-4", None, "not_controlled"),
    ("100", "7.9e-4", None, "4A906.a.2"),
    ("156", "1.188e-3", None, "not_controlled"),
    ("156", "4.197e-3", None, "not_controlled"),
    ("200", "2e-3", None, "4A906.a.3"),
    ("349", "3e-3", None, "not_controlled"),
    ("504", None, None, "cannot_tell"),
    ("700", "5e-3", None, "4A906.a.6"),
    ("2000", None, None, "4A906.a.8"),
    (None, "1e-5", None, "cannot_tell"),
    ("4400", None, "annealer", "not_controlled"),
]


@pytest.mark.parametrize(("qubits", "error", "modality", "expected"), VECTORS)
def test_reference_vectors(qubits, error, modality, expected):
    """Each with the modality stated and, where it is gate, with the cell left blank."""
    for said in [modality] if modality else ["gate", None]:
        row = score([{"physical_qubits": qubits, "two_qubit_error": error, "modality": said}]).iloc[0]
        answer = row["us_entries"] if row["us_verdict"] == "controlled" else row["us_verdict"]
        assert answer == expected


MAYBE = [None, "?"]
ITEMS = st.fixed_dictionaries(
    {
        "modality": st.sampled_from(["gate", "gate", "measurement", "annealer", "analog", "boson_sampler", *MAYBE]),
        "physical_qubits": st.sampled_from(
            ["0", "1", "33", "34", "99", "100", "156", "349", "350", "1100", "1999", "2000", "6100", *MAYBE]
        ),
        "qubit_count": st.sampled_from(
            ["working", "physical", "trapped", "with_couplers", "logical", "algorithmic", "modes", *MAYBE]
        ),
        "two_qubit_error": st.sampled_from(
            ["0", "1e-4", "0.000125", "1.25e-3", "0.00100", "1.001e-3", "2e-3", "4e-3", "0.006", "0.0075", "1", *MAYBE]
        ),
        "two_qubit_fidelity": st.sampled_from([None, None, "0.999", "0.994", "0.9999", "1"]),
        "two_qubit_uncertainty": st.sampled_from(["0.0003", "1e-5", None]),
        "native_gate": st.sampled_from(["cz", "cx", "ecr", "ms", "zz", "iswap", "fsim", "not_shown", "other", *MAYBE]),
        "one_qubit_error": st.sampled_from(["1.637e-4", "0", *MAYBE]),
        "error_statistic": st.sampled_from(["mean", "median", "best", "eplg", *MAYBE]),
        "error_convention": st.sampled_from(["average", "process", *MAYBE]),
        "gate_operation": st.sampled_from(["isolated", "simultaneous", *MAYBE]),
        "post_selected": st.sampled_from(["no", "yes", *MAYBE]),
    }
)


EPLG_AS_FIDELITY = {"physical_qubits": "349", "two_qubit_fidelity": "0.9999", "error_statistic": "eplg"}


def test_a_layered_fidelity_is_a_figure_like_any_other():
    """Found against the oracle: the fidelity was lost when the statistic was eplg."""
    assert score([EPLG_AS_FIDELITY])["us_entries"][0] == "4A906.a.3"


AT_THE_LINE = {"physical_qubits": "34", "two_qubit_error": "0", "two_qubit_fidelity": "0.9999", "native_gate": "cx"}


@pytest.mark.parametrize("single", ["?", None, "0", "1"])
def test_what_a_gate_does_not_need_takes_nothing_from_exactness(single):
    """Found against the oracle: a C-NOT needs no one-qubit gates, but an unknown one made the fractions floats."""
    item = {**AT_THE_LINE, "modality": "gate", "error_convention": "average", "one_qubit_error": single}
    assert score([item], readings="native_gate=cnot")["us_verdict"][0] == "controlled"


def _agree(row, item, judged):
    verdict, met = judged
    assert row["us_verdict"] == verdict, item
    paragraphs = {paragraph for paragraph in met if paragraph}
    if verdict == "controlled" and len(paragraphs) == 1:
        assert row["us_entries"] == f"4A906.{paragraphs.pop()}", item


@settings(**QUICK, max_examples=60)
@given(items=st.lists(ITEMS, min_size=20, max_size=40))
def test_default_readings_against_the_oracle(items):
    for (_, row), item in zip(score(items).iterrows(), items, strict=True):
        _agree(row, item, oracle.judge(oracle.qubits(item), oracle.error(item), oracle.annealing(item)))


@settings(**QUICK, max_examples=3)
@given(items=st.lists(ITEMS, min_size=20, max_size=40))
def test_each_reading_against_the_oracle(items):
    options = {**oracle.OF_QUBITS, **oracle.OF_ERROR, "unstated_modality": ("gate", "unknown")}
    for name, option in ((name, option) for name, several in options.items() for option in several[1:]):
        of_qubits = {name: option} if name in oracle.OF_QUBITS else {}
        of_error = {name: option} if name in oracle.OF_ERROR else {}
        of_modality = {name: option} if name == "unstated_modality" else {}
        for (_, row), item in zip(score(items, readings=f"{name}={option}").iterrows(), items, strict=True):
            known = (
                oracle.qubits(item, **of_qubits),
                oracle.error(item, **of_error),
                oracle.annealing(item, **of_modality),
            )
            _agree(row, (name, option, item), oracle.judge(*known))


@settings(**QUICK, max_examples=3)
@given(items=st.lists(ITEMS, min_size=40, max_size=60))
def test_all_readings_together_against_the_oracle(items):
    for (_, row), item in zip(score(items, readings="all").iterrows(), items, strict=True):
        _agree(row, item, oracle.judge(*oracle.under_every_reading(item)))


def test_the_oracle_knows_every_quantum_reading():
    ours = {question.name: question.options for question in QUESTIONS if question.metric}
    assert ours == {**oracle.OF_QUBITS, **oracle.OF_ERROR, "unstated_modality": ("gate", "unknown")}


@settings(**QUICK, max_examples=2)
@given(items=st.lists(ITEMS, min_size=30, max_size=30), seed=st.integers(0, 2**32 - 1))
def test_compiled_and_plain_agree(items, seed):
    """The same items, few and 25,000 of them, in another order."""
    order = np.random.default_rng(seed).integers(0, len(items), 25_000)
    few, many = score(items), score([items[n] for n in order])
    for column in (
        "us_verdict",
        "us_entries",
        "us_needs",
        "us_margin",
        "counted_qubits",
        "cnot_error",
        "cnot_error_high",
    ):
        one, other = few[column].iloc[order].reset_index(drop=True), many[column].reset_index(drop=True)
        pd.testing.assert_series_equal(one, other, check_names=False, rtol=1e-12)


@pytest.mark.parametrize("needed", ["physical_qubits", "two_qubit_error", "modality"])
def test_needs_names_what_is_missing(needed):
    known = {"physical_qubits": "504", "two_qubit_error": "1e-3", "modality": "gate"}
    row = score([{**known, needed: "?"}]).iloc[0]
    assert (row["us_verdict"], row["us_needs"]) == ("cannot_tell", needed)


def test_a_contradiction_is_an_interval():
    both = {"physical_qubits": "150", "two_qubit_error": "0.0005", "two_qubit_fidelity": "0.998"}
    row = score([both]).iloc[0]
    assert (row["us_verdict"], row["us_needs"]) == ("cannot_tell", "two_qubit_error")
    assert (row["cnot_error_low"], row["cnot_error_high"]) == (0.0005, pytest.approx(0.002))


def test_conversions_of_published_figures():
    """Heron r3: CZ 1.188e-3 with one-qubit 1.637e-4 is about 1.58e-3 as a C-NOT; Willow's iSWAP-like about 4.5e-3."""
    rows = [
        {"two_qubit_error": "1.188e-3", "native_gate": "cz", "one_qubit_error": "1.637e-4"},
        {"two_qubit_error": "1.4e-3", "native_gate": "iswap", "one_qubit_error": "3.5e-4"},
    ]
    made = score(rows, readings="native_gate=cnot")["cnot_error"]
    assert list(made) == pytest.approx([0.00158088, 0.00448])
    rates = score([{"two_qubit_error": "1.188e-3", "error_convention": "process"}])["cnot_error"]
    assert rates[0] == pytest.approx(9.504e-4)


def test_layer_fidelity():
    """LF 0.26 over 79 gates is 1.69e-2 per gate (McKay et al. say 1.7e-2), a process error."""
    error, _ = error_per_layered_gate(0.26, 79.0)
    assert error == pytest.approx(1.69e-2, abs=5e-5)
    low, high = error_per_layered_gate(Fraction("0.26"), Fraction(79))
    assert low < high < low + Fraction(1, 10**50)
    assert (1 - high) ** 79 < Fraction("0.26") < (1 - low) ** 79
    row = score([{"physical_qubits": "127", "layer_fidelity": "0.26", "layer_gates": "79"}]).iloc[0]
    assert row["cnot_error"] == pytest.approx(0.8 * 1.69e-2, rel=2e-3)
    assert row["us_verdict"] == "not_controlled"
    # The limit of a.2 as a layer fidelity: (1 - 1.25e-3)^10, irrational side by side.
    limit = (1 - Fraction("0.00125")) ** 10
    rows = [
        {"physical_qubits": "100", "layer_gates": "10", "layer_fidelity": f"{float(limit) + step:.12f}"}
        for step in (-1e-9, 1e-9)
    ]
    assert list(score(rows)["us_verdict"]) == ["not_controlled", "controlled"]


@pytest.mark.parametrize("jurisdiction", ["gb", "fr", "es", "it", "de", "nl", "dk", "ch", "ca", "au", "jp", "kr"])
def test_a_ladder_that_was_not_read_decides_nothing(jurisdiction):
    rows = [{"physical_qubits": "5000", "two_qubit_error": "1e-6"}, {"physical_qubits": "2", "two_qubit_error": "0.5"}]
    scored = score(rows, jurisdiction, as_of="2025-06-01")  # before Annex I has 4A506
    assert set(scored[f"{jurisdiction}_verdict"]) == {"cannot_tell"}
    assert scored[f"{jurisdiction}_needs"].str.contains("law").all()


STARTS = {
    "us": "2024-09-06",
    "eu": "2025-11-15",
    "gb": "2024-04-01",
    "fr": "2024-03-01",
    "de": "2024-07-23",
    "nl": "2024-12-01",
    "dk": "2024-07-01",
    "ca": "2024-07-20",
    "au": "2024-09-01",
    "kr": "2025-02-28",
    "ch": "2025-05-01",
}


@pytest.mark.parametrize(("jurisdiction", "start"), STARTS.items())
def test_the_day_before_and_the_day_of(jurisdiction, start):
    rows = [{"physical_qubits": "2000"}]
    before = date.fromordinal(date.fromisoformat(start).toordinal() - 1)
    verdict = f"{jurisdiction}_verdict"
    assert score(rows, jurisdiction, as_of=before)[verdict][0] == "not_modelled"
    assert score(rows, jurisdiction, as_of=start)[verdict][0] in ("controlled", "cannot_tell")


def test_a_draft_is_not_law():
    assert score([{"physical_qubits": "2000"}], "tw")["tw_verdict"][0] == "not_modelled"


def test_explain_says_what_two_more_qubits_would_do():
    frame = pd.DataFrame([{"name": "Helios", "physical_qubits": "98", "two_qubit_error": "7.9e-4"}])
    text = str(perfcalc.explain(frame, item="Helios", as_of=TODAY))
    assert "counted_qubits 98 against >= 100" in text
    assert "4A906.a.2 (-2.0 %)" in text


def test_explain_says_which_error_would_be_controlled():
    frame = pd.DataFrame([{"name": "Tianyan", "modality": "gate", "physical_qubits": "504"}])
    text = " ".join(str(perfcalc.explain(frame, item="Tianyan", as_of=TODAY)).split())
    assert "controlled under 4A906.a.5 if cnot_error <= 0.004" in text


def test_quantum_items_leave_chips_alone():
    frame = pd.DataFrame([{"name": "chip", "int8_tops": "600"}, {"name": "machine", "physical_qubits": "2000"}])
    alone = perfcalc.score(frame.iloc[:1], as_of=TODAY).iloc[0]
    together = perfcalc.score(frame, as_of=TODAY).iloc[0]
    assert together[alone.index].drop("name").equals(alone.drop("name"))


@pytest.mark.parametrize("readings", ["all"])
def test_a_mixed_sheet_combines_readings_metric_by_metric(readings):
    """Every combination of fifteen questions would be 110,000; readings of different metrics need not be combined."""
    from perfcalc.metrics.readings import DEFAULT, every_combination

    names = [question.name for question in QUESTIONS]
    by_metric = {}
    for question in QUESTIONS:
        by_metric.setdefault(question.metric, []).append(len(question.options))
    expected = 1 + sum(int(np.prod(options)) - 1 for options in by_metric.values())
    combinations = every_combination(DEFAULT, names)
    assert len(combinations) == len(set(combinations)) == expected
    assert all(len(list(product(*[range(n) for n in options]))) < 200 for options in by_metric.values())
