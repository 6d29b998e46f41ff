"""CSV results: what a spreadsheet would run, and the same text however it is put together."""

import csv
import io
import re

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perfcalc.files import as_csv, escape_formulas, write

CELLS = st.none() | st.text("=+-@\t\r0.5eE'a ", max_size=4) | st.sampled_from(["=1+1", "-5", "--", "+1e5", "-a", "é=1"])


def harmless(cell):
    """The rule in words: a formula begins with one of six characters; a number, or a row of dashes, is none."""
    if not cell or cell[0] not in "=+-@\t\r":
        return cell
    if re.fullmatch(r"[+-]?[0-9.]+([eE][+-]?[0-9]+)?|-+", cell):
        return cell
    return f"'{cell}"


@settings(deadline=None)
@given(st.lists(CELLS, max_size=8), st.integers(0, 3), st.sampled_from([pa.string(), pa.large_string()]))
def test_only_formulas_get_an_apostrophe(cells, skipped, kind):
    column = pa.array(cells, kind)
    for one in (column, column.slice(skipped), column.dictionary_encode(), column.slice(skipped).dictionary_encode()):
        (safe,) = escape_formulas(pa.RecordBatch.from_arrays([one], names=["x"])).columns
        assert safe.to_pylist() == [harmless(cell) for cell in one.to_pylist()]


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("rows", [1, 7, 5_000])
def test_the_same_text_however_it_is_cut(tmp_path, rows, threads):
    """A batch without any number in a column must not be told from one with some."""
    cells = [
        {"name": f"a{n}", "x": None if n < 6_000 else n / 3, "said": "yes" if n % 3 else None} for n in range(9_000)
    ]
    table = pa.Table.from_pylist(cells)
    out = tmp_path / "out.csv"
    write(iter(table.to_batches(rows)), out, out, threads=threads)
    assert out.read_bytes() == b"".join(
        bytes(as_csv(part, heading=not at)) for at, part in enumerate(table.combine_chunks().to_batches())
    )
    read = list(csv.DictReader(io.StringIO(out.read_text("utf-8"))))
    assert [(row["name"], row["x"] and float(row["x"]), row["said"]) for row in read] == [
        (row["name"], row["x"] or "", row["said"] or "") for row in cells
    ]
