"""specs/quantum.csv: real machines, the answer for each of the much discussed ones, and the reading that changes it."""

from collections import Counter
from pathlib import Path

import pandas as pd
import pytest

import perfcalc
from perfcalc.fields import FIELDS
from tests import oracle_quantum as oracle

SPECS = Path(__file__).parents[1] / "specs"
TODAY = "2026-11-23"


@pytest.fixture(scope="module")
def machines():
    return pd.read_csv(SPECS / "quantum.csv", dtype=str, keep_default_na=False)


@pytest.fixture(scope="module")
def sources():
    return pd.read_csv(SPECS / "quantum.sources.csv", dtype=str, keep_default_na=False)


def test_breadth(machines):
    assert len(machines) >= 75
    assert machines["id"].is_unique
    assert machines["name"].is_unique
    assert set(machines["kind"]) == {"quantum"}
    assert {"US", "CN", "JP", "KR", "FI", "GB", "CA", "FR", "AU", "NL"} <= set(machines["designer_country"])
    assert {"gate", "measurement", "annealer", "analog", "boson_sampler"} <= set(machines["modality"])


def test_every_number_has_exactly_one_source_and_a_grade(machines, sources):
    fields = [name for name, field in FIELDS.items() if field.type == "number" and name in machines.columns]
    cited = Counter()
    for row in sources.itertuples():
        assert row.source.startswith("http"), row
        assert row.label in ("reported", "calculated", "estimated"), row
        assert row.note.startswith("grade "), row
        cited.update((row.id, field) for field in row.fields.split())
    stated = {(row["id"], name) for row in machines.to_dict("records") for name in fields if row[name]}
    assert {key: cited[key] for key in stated if cited[key] != 1} == {}
    assert {(key, name) for key, name in cited if name in fields} <= stated


def test_every_cell_is_read_and_agrees_with_the_oracle(machines):
    scored = perfcalc.score(machines, as_of=TODAY, jurisdictions=["us", "eu"])
    assert scored["problems"].isna().all(), scored.loc[scored["problems"].notna(), ["name", "problems"]]
    assert scored["us_verdict"].equals(scored["eu_verdict"])
    for (_, row), item in zip(scored.iterrows(), machines.to_dict("records"), strict=True):
        if not item["layer_fidelity"]:
            known = oracle.qubits(item), oracle.error(item), oracle.annealing(item)
            assert row["us_verdict"] == oracle.judge(*known)[0], item["name"]


# id, verdict, entry or what is needed, readings that change the verdict one by one
KNOWN = [
    ("quantinuum-helios", "not_controlled", None, {}),
    ("ibm-heron-r3-boston", "not_controlled", None, {"unstated_convention=process": "controlled"}),
    ("ibm-heron-r3-boston-mean", "not_controlled", None, {}),
    ("google-willow-qec", "not_controlled", None, {"operation=isolated": "cannot_tell"}),
    ("ustc-zuchongzhi-3.0", "not_controlled", None, {"operation=isolated": "cannot_tell"}),
    ("ibm-condor", "cannot_tell", "two_qubit_error", {}),
    ("ct-tianyan-504", "cannot_tell", "two_qubit_error", {}),
    ("atom-ac1000", "cannot_tell", "two_qubit_error", {}),
    ("atom-ac1000-lab-figure", "controlled", "4A906.a.7", {"uncertainty=interval": "cannot_tell"}),
    ("dwave-advantage2", "not_controlled", None, {}),
    ("quera-aquila", "cannot_tell", "modality;two_qubit_error", {"analog=not_covered": "not_controlled"}),
    ("caltech-6100", "not_controlled", None, {}),
]


@pytest.mark.parametrize(("key", "verdict", "detail", "turning"), KNOWN)
def test_much_discussed_machines(machines, key, verdict, detail, turning):
    machine = machines[machines["id"] == key]
    row = perfcalc.score(machine, as_of=TODAY).iloc[0]
    assert row["us_verdict"] == verdict
    told = row["us_needs"] if verdict == "cannot_tell" else row["us_entries"]
    assert (None if pd.isna(told) else told) == detail
    turned = perfcalc.explain(machine, item=key, as_of=TODAY).jurisdictions[0].turned_by
    for change, other in turning.items():
        assert turned[change] == other
        assert perfcalc.score(machine, as_of=TODAY, readings=change)["us_verdict"].iloc[0] == other
    if not turning and verdict != "controlled":
        assert turned == {}
    if turning:
        named = perfcalc.score(machine, as_of=TODAY, readings="all").iloc[0]
        assert named["us_verdict"] == "cannot_tell"
        assert {f"reading:{change}" for change in turning} <= set(named["us_needs"].split(";"))


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("quantinuum-helios", "counted_qubits 98 against >= 100 of 4A906.a.2 (-2.0 %)"),
        ("ibm-heron-r3-boston", "cnot_error 0.001188 against <= 0.001 of 4A906.a.2 (-18.8 %)"),
        ("ibm-condor", "controlled under 4A906.a.7 if cnot_error <= 0.006"),
        ("ct-tianyan-504", "controlled under 4A906.a.5 if cnot_error <= 0.004"),
        ("dwave-advantage2", "Note 1 (adiabatic or annealing machines)"),
        ("quera-aquila", "simulators and boson samplers are neither"),
    ],
)
def test_explanations_say_what_decides(machines, key, words):
    text = str(perfcalc.explain(machines, item=key, as_of=TODAY))
    assert words in " ".join(text.split())


def test_two_more_qubits_would_put_helios_in(machines):
    machine = machines[machines["id"] == "quantinuum-helios"].assign(physical_qubits="100")
    assert perfcalc.score(machine, as_of=TODAY)["us_entries"].tolist() == ["4A906.a.2"]
