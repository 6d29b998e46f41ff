"""Nodes, makers, dates and kinds of several items in one sheet: what is said of one is not said of another."""

import pandas as pd
import pytest

import perfcalc

ROWS = [
    # name, foundry, node, architecture, released: what the row must be told.
    ("usual", "TSMC", "N7", "", "2020-05", ""),
    ("odd", "TSMC", "N77", "", "2020-05", "'N77' is not in the table of nodes"),
    ("other maker", "Intel", "TSMC N7", "", "2020-05", "foundry_node"),
    ("too early", "TSMC", "N7", "", "2009-05", "node_date"),
    ("planar by its own word", "TSMC", "N7", "planar", "2020-05", ""),
    ("planar", "TSMC", "28nm", "", "2020-05", ""),
    ("unknown", "TSMC", "?", "", "2009-05", ""),
]


@pytest.fixture(scope="module")
def scored():
    columns = ["name", "foundry", "process_node", "transistor_architecture", "release_date", "told"]
    frame = pd.DataFrame(ROWS, columns=columns).assign(fp16_tflops="400", die_area_mm2="800").astype("string")
    return perfcalc.score(frame, as_of="2026-11-23").set_index("name")


def test_each_row_is_told_its_own(scored):
    for row in scored.itertuples():
        if row.told:
            assert row.told in row.problems, row.Index
        else:
            assert pd.isna(row.problems), row.Index


def test_the_sheet_knows_better_than_the_node(scored):
    """A planar chip has no applicable area; a stated architecture is not taken from the node."""
    area = scored.applicable_die_area_mm2
    assert area["usual"] == area["too early"] == 800
    assert area["planar by its own word"] == area["planar"] == 0


def test_a_kind_that_cannot_be_read_is_open():
    """A cell that names no kind is not passed over: the item may be anything. One that says nothing is."""
    kinds = ["widget", "?", "", "n/a", "ic"]
    frame = pd.DataFrame({"name": list("abcde"), "kind": kinds, "fp16_tflops": "400", "die_area_mm2": "800"})
    scored = perfcalc.score(frame.astype("string"), as_of="2026-11-23")
    assert scored.us_verdict.tolist() == ["cannot_tell", "cannot_tell", "controlled", "controlled", "controlled"]
    assert scored.us_needs.tolist()[:2] == ["kind", "kind"]
