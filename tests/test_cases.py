"""Every ``*.cases.yaml`` beside the rules: items, days and the paragraphs that they meet."""

from pathlib import Path

import pandas as pd
import pytest
import yaml

import perfcalc

FOLDER = Path(perfcalc.__file__).parent / "rulebook"
CASES = [
    pytest.param(path.parent.name, case, id=f"{path.parent.name}-{path.stem.removesuffix('.cases')}-{number}")
    for path in sorted(FOLDER.glob("*/*.cases.yaml"))
    for number, case in enumerate(yaml.safe_load(path.read_text("utf-8")))
]


@pytest.mark.parametrize(("jurisdiction", "case"), CASES)
def test_case(jurisdiction, case):
    rows = [{"name": "item"} | case["item"], *({"part_of": "item"} | part for part in case.get("parts", []))]
    for number, row in enumerate(rows):
        row.setdefault("name", f"part {number}")
    scored = perfcalc.score(
        pd.DataFrame(rows).astype("string"),
        as_of=case["day"],
        jurisdictions=[jurisdiction],
        law=case.get("law", "enforced"),
    )
    item = scored.iloc[0]
    listed = [] if pd.isna(item[f"{jurisdiction}_entries"]) else item[f"{jurisdiction}_entries"].split(";")
    asked = case.get("of")
    met = [entry for entry in listed if asked is None or entry.startswith(asked)]
    assert met == case["met"], case
    if "flags" in case:
        flags = [] if pd.isna(item[f"{jurisdiction}_flags"]) else item[f"{jurisdiction}_flags"].split(";")
        assert [flag for flag in flags if asked is None or flag.startswith(asked)] == case["flags"], case
    if "verdict" in case:
        assert item[f"{jurisdiction}_verdict"] == case["verdict"], case
    for field in case.get("needs", []):
        assert field in item[f"{jurisdiction}_needs"].split(";"), case
