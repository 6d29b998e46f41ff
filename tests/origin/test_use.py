"""The ways in: Python, the command line, `score --origin` and `explain`."""

import json

import pandas as pd
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

import perfcalc
from perfcalc.cli import main
from perfcalc.origin.train import CASES

COLUMNS = [
    "origin", "origin_probability", "origin_low", "origin_high", "origin_basis", "origin_leaning", "origin_because",
    "origin_needs",
]  # fmt: skip


def run(*args, code=0):
    result = CliRunner().invoke(main, [str(arg) for arg in args])
    assert result.exit_code == code, result.output
    return result.output


def test_a_frame_keeps_its_rows_and_columns_and_gains_the_answer():
    frame = pd.read_csv(CASES, dtype=str).sample(frac=1, random_state=1)
    scored = perfcalc.origin(frame)
    assert list(scored.columns) == [*frame.columns, *COLUMNS]
    pd.testing.assert_frame_equal(scored[frame.columns], frame)
    assert set(scored.origin) <= {
        "stockpiled",
        "domestic",
        "diverted",
        "lawful_foreign",
        "cannot_tell",
        "not_applicable",
    }
    known = scored.dropna(subset="origin_probability")
    assert ((known.origin_low <= known.origin_probability) & (known.origin_probability <= known.origin_high)).all()
    assert scored[scored.origin == "cannot_tell"].origin_needs.notna().all()


def test_the_batch_an_item_is_in_does_not_matter():
    frame = pd.read_csv(CASES, dtype=str)
    whole = perfcalc.origin(frame)
    for row in (15, 24, 84):
        one = perfcalc.origin(frame.iloc[[row]])
        pd.testing.assert_frame_equal(one[COLUMNS].astype(object), whole.iloc[[row]][COLUMNS].astype(object))


def test_an_empty_frame_and_one_without_names():
    assert list(perfcalc.origin(pd.DataFrame({"name": pd.Series([], dtype=str)})).columns) == ["name", *COLUMNS]
    with pytest.raises(perfcalc.InputError, match="name"):
        perfcalc.origin(pd.DataFrame({"designer": ["x"]}))


def test_the_original_headings_of_the_cases_are_understood():
    frame = pd.read_csv(CASES, dtype=str)
    headings = {
        "name": "chip",
        "process_node": "node_claimed",
        "product_maker": "product_vendor",
        "product_class": "product_category",
    }
    pd.testing.assert_frame_equal(
        perfcalc.origin(frame)[COLUMNS], perfcalc.origin(frame.rename(columns=headings))[COLUMNS]
    )


def test_a_sheet_into_files(tmp_path):
    run("origin", CASES, "-o", tmp_path / "out.csv")
    run("origin", CASES, "-o", tmp_path / "out.parquet")
    assert (
        list(pd.read_csv(tmp_path / "out.csv").origin) == pq.read_table(tmp_path / "out.parquet")["origin"].to_pylist()
    )
    assert "neither CSV nor Parquet" in run("origin", CASES, "-o", tmp_path / "out.txt", code=2)


def test_a_table_and_json():
    assert "stockpiled" in run("origin", CASES)
    answer = json.loads(run("origin", CASES, "--json"))
    assert answer["rows"] == len(answer["items"]) == sum(answer["origins"].values())


def test_one_item_with_its_time_line():
    text = run("origin", CASES, "--item", "Kirin 9006C")
    assert "STOCKPILED" in text
    assert "claims 5 nm, where domestic foundries had 14 nm" in text
    line = next(line for line in text.splitlines() if "Kirin 9006C, 2023-12" in line)
    assert line.index("|") < line.index("*")
    assert json.loads(run("origin", CASES, "--item", "Kirin 9006C", "--json"))["origin"] == "stockpiled"
    assert "no item" in run("origin", CASES, "--item", "Kirin 1", code=2)


def test_the_card_and_retraining(tmp_path):
    assert "Must not be used for" in run("origin", "card")
    assert "byte for byte" in run("origin", "train", "-o", tmp_path / "model.json")
    assert "stockpiled or made at home" in run("origin", "--help").casefold()


def test_score_adds_the_columns_and_changes_no_verdict(tmp_path):
    run("score", CASES, "-o", tmp_path / "plain.csv", "--as-of", "2026-11-23")
    run("score", CASES, "--origin", "-o", tmp_path / "with.csv", "--as-of", "2026-11-23")
    plain, scored = (pd.read_csv(tmp_path / name) for name in ("plain.csv", "with.csv"))
    assert [name for name in scored.columns if name not in plain.columns] == COLUMNS
    pd.testing.assert_frame_equal(scored[plain.columns], plain)


def test_explain_says_where_it_was_made():
    text = run("explain", CASES, "--item", "Kirin 9006C", "--as-of", "2026-11-23")
    assert "Where it was likely made (never part of a verdict)" in text
    assert "STOCKPILED" in text
    answer = json.loads(run("explain", CASES, "--item", "Kirin 9000S variant", "--as-of", "2026-11-23", "--json"))
    assert answer["origin"]["origin"] == "domestic"
