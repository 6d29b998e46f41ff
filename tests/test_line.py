"""The line: the same bytes whatever the threads, batches and engines; files whole or not at all."""

import errno
import hashlib
import json
import threading
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

import perfcalc
from perfcalc import api, files, folders, line
from perfcalc.cli import main
from perfcalc.errors import InputError
from perfcalc.fields import METRICS
from perfcalc.metrics.readings import DEFAULT
from perfcalc.sheets import read as reading
from perfcalc.sheets import texts
from perfcalc.sheets.read import open_sheet
from perfcalc.stream import in_order
from perfcalc.verdicts.positions import lines_of

SPECS = Path(__file__).parents[1] / "specs"
DAY = date(2026, 11, 23)


@pytest.fixture(scope="module")
def every_kind():
    """Chips, quantum machines, memory, computers, odd cells and items exactly on a line, in no order."""
    rows = [
        {"name": "on 4800", "fp16_tflops": "300", "die_area_mm2": "800", "datacenter": "yes"},
        {"name": "on 5.92", "fp16_tflops": "291.227", "die_area_mm2": "787.1", "datacenter": "yes"},
        {"name": "about", "fp16_tflops": "~300", "die_area_mm2": "810.8-820", "datacenter": "?"},
        {"name": "unit", "fp16_tflops": "299,999 GFLOPS", "die_area_mm2": "8.1081 cm2", "datacenter": "no"},
        {"name": "typo", "fp16_tflops": "fast", "die_area_mm2": "", "interconnect_gb_s": "600"},
        {"name": "box", "kind": "computer", "fp64_tflops": "100"},
        {"name": "stack", "kind": "memory", "memory_bandwidth_gb_s": "400", "memory_area_mm2": "121"},
        {"name": "=1+1", "kind": "toaster", "fp16_tflops": "1"},
    ]
    sheets = [perfcalc.read(SPECS / name) for name in ("chips.csv", "quantum.csv")]
    whole = pd.concat([*sheets, pd.DataFrame(rows)]).drop(columns=["unit", "part_of"], errors="ignore").fillna("")
    order = np.random.default_rng(6).permutation(len(whole))
    return whole.iloc[[*order[:180], *range(len(whole) - len(rows), len(whole)), *order[:40]]].astype(str)


def score(sheet, out, threads=1, batch_rows=None, monkeypatch=None, engine=None, readings=""):
    opened = open_sheet(sheet)
    plan = api.plan_for(opened.schema.names, "sheet", DAY, ("us", "eu"), readings)
    if batch_rows is not None:
        whole = pa.Table.from_batches(opened.batches())
        monkeypatch.setattr(reading.Sheet, "batches", lambda _self: iter(whole.to_batches(batch_rows)))
    line.score_sheet(opened, plan, out, threads, engine=engine)
    if batch_rows is not None:
        monkeypatch.undo()
    return hashlib.sha256(out.read_bytes()).hexdigest()


@pytest.mark.parametrize("readings", ["", "all"])
@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_bytes_are_the_same_for_any_threads_and_batches(every_kind, tmp_path, monkeypatch, ending, readings):
    sheet = tmp_path / "sheet.csv"
    # Reading all ways of the law is slow and needs fewer rows.
    every_kind.head(len(every_kind) if not readings else 40).to_csv(sheet, index=False)
    # Small row groups, so that batches end within them.
    monkeypatch.setattr(files, "ROW_GROUP", 50)
    group = files.ROW_GROUP
    out = tmp_path / f"out.{ending}"
    expected = score(sheet, out, readings=readings)
    if ending == "parquet":
        written = pq.ParquetFile(out).metadata
        assert written.num_row_groups == -(-written.num_rows // group)
    for threads, rows in ((2, 97), (4, 10**6), (1, 13)) if not readings else ((2, 23),):
        monkeypatch.setattr(files, "ROW_GROUP", group)
        assert score(sheet, out, threads, rows, monkeypatch, readings=readings) == expected, (threads, rows)


def test_a_parquet_file_reads_as_text_and_numbers(tmp_path):
    """Dictionaries are how the text is written, not what a reader finds."""
    out = tmp_path / "out.parquet"
    score(SPECS / "chips.csv", out)
    schema = pq.read_schema(out)
    assert {str(kind) for kind in schema.types} == {"string", "double"}
    frame = perfcalc.score(perfcalc.read(SPECS / "chips.csv"), as_of=DAY, jurisdictions=("us", "eu"))
    pd.testing.assert_frame_equal(pd.read_parquet(out), frame, check_dtype=False)


def test_columns_keep_what_is_asked(tmp_path):
    whole, some = tmp_path / "whole.parquet", tmp_path / "some.parquet"
    run = CliRunner().invoke
    sheet = str(SPECS / "chips.csv")
    assert run(main, ["score", sheet, "-o", str(whole), "--as-of", str(DAY)]).exit_code == 0
    for ending, columns in (
        ("parquet", ["us_verdict", "name", "tpp_low", "us_flags"]),
        ("parquet", ["name", "us_needs", "problems", "us_margin", "tpp", "tpp_format"]),
    ):
        out = some.with_suffix(f".{ending}")
        done = run(main, ["score", sheet, "-o", str(out), "--as-of", str(DAY), "--columns", ",".join(columns)])
        assert done.exit_code == 0, done.output
        assert pq.read_table(out).equals(pq.read_table(whole).select(columns))
    wrong = run(main, ["score", sheet, "-o", str(some), "--columns", "us_verdikt"])
    assert wrong.exit_code == 2
    assert "us_verdict" in wrong.stderr


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_work_that_no_column_needs_is_not_done(tmp_path, monkeypatch, ending):
    path = tmp_path / f"sheet.{ending}"
    frame = perfcalc.read(SPECS / "chips.csv").assign(note="long")
    frame.to_csv(path, index=False) if ending == "csv" else frame.to_parquet(path)
    sheet = open_sheet(path)
    plan = line.make_plan(sheet.schema.names, "sheet", DAY)
    plan, fewer = line.keep_columns(plan, sheet, ["name", "us_verdict"])
    assert all("note" not in batch.schema.names for batch in fewer.batches())
    monkeypatch.setattr("perfcalc.verdicts.judge.margins_of", None)  # calling it would fail
    monkeypatch.setattr("perfcalc.verdicts.columns._ends", None)
    assert sum(batch.num_rows for batch in line.run(fewer.batches(), plan, 1)) == 252


def _plan_of(batch):
    return line.make_plan(batch.schema.names, "sheet", DAY, ("us", "eu"))


def test_a_metric_needs_only_what_it_says_that_it_needs(every_kind):
    """The exact re-check computes a metric from its declared inputs alone."""
    batch = pa.RecordBatch.from_pandas(every_kind.head(120), preserve_index=False)
    plan = _plan_of(batch)
    whole = line.measure_batch(batch, plan, (DEFAULT,), exact=True).facts
    for name in METRICS:
        alone = line.measure_batch(batch, plan, (DEFAULT,), True, [name]).facts
        for one, other in zip(alone.interval(name), whole.interval(name), strict=True):
            same = [a == b or (a != a and b != b) for a, b in zip(one, other, strict=True)]
            assert all(same), name


def test_settled_floats_lie_where_the_exact_numbers_lie(every_kind):
    """Judging what was found exactly in floats is judging it in fractions."""
    batch = pa.RecordBatch.from_pandas(every_kind, preserve_index=False)
    plan = _plan_of(batch)
    every = [each for book in plan.books for each in (book, book.beside) if each is not None]
    lines = [one for one in lines_of(every).lines if one.rounded]
    exactly = line._exactly(batch, plan, (DEFAULT,), line.measure_batch(batch, plan, (DEFAULT,)))
    rows = np.arange(batch.num_rows)
    settled, _, _ = exactly(rows, lines)
    exact = line.measure_batch(batch, plan, (DEFAULT,), exact=True).facts
    near = 0
    for name, values in ((one.metric, one.exact) for one in lines):
        for floats, fractions in zip(settled.interval(name), exact.interval(name), strict=True):
            for limit in values:
                line_ = float(limit)
                assert [x >= line_ for x in floats] == [x >= limit for x in fractions], (name, limit)
                assert [x > line_ for x in floats] == [x > limit for x in fractions], (name, limit)
                near += sum(x == line_ for x in floats)
    assert near > 5


def test_a_digit_too_many_for_floats_is_still_on_its_side():
    """Sixteen digits and more: the float is the limit, the number is not."""
    for rate, verdict in (("300.00000000000000001", True), ("300", True), ("299.99999999999999999", False)):
        frame = pd.DataFrame({"name": ["a"], "datacenter": "yes", "fp16_tflops": rate, "die_area_mm2": "10000"})
        entries = perfcalc.score(frame, as_of=DAY)["us_entries"][0]
        assert (entries == "3A090.a.1") == verdict, rate
    for links, caught in (("600", True), ("599.99999999999999999", False)):
        frame = pd.DataFrame({"name": ["a"], "fp16_tflops": ["600"], "interconnect_gb_s": links})
        found = perfcalc.score(frame, as_of="2022-11-01")["us_entries"][0]
        assert (found is not None and "3A090" in str(found)) == caught, links


@pytest.mark.parametrize("ending", ["csv", "parquet"])
@pytest.mark.parametrize(
    ("raised", "seen"), [(OSError(errno.ENOSPC, "No space left on device"), InputError), (KeyboardInterrupt(), None)]
)
def test_a_full_disk_and_ctrl_c_leave_no_half_file(every_kind, tmp_path, monkeypatch, ending, raised, seen):
    sheet, out = tmp_path / "sheet.csv", tmp_path / "out" / f"out.{ending}"
    out.parent.mkdir()
    out.write_text("old")
    every_kind.to_csv(sheet, index=False)
    monkeypatch.setattr(files, "ROW_GROUP", 50)
    monkeypatch.setattr(texts, "LEAST_BYTES", 20_000)
    monkeypatch.setattr(texts, "MOST_BYTES", 20_000)
    writer, method = (
        (pq.ParquetWriter, "write_table") if ending == "parquet" else (files.pa_csv.CSVWriter, "write_batch")
    )
    if ending == "parquet":
        real, calls = getattr(writer, method), []

        def failing(*arguments, **named):
            calls.append(1)
            if len(calls) > 3:
                raise raised
            return real(*arguments, **named)

        monkeypatch.setattr(writer, method, failing)
    else:
        calls = []

        def escape(batch):
            calls.append(1)
            if len(calls) > 3:
                raise raised
            return batch

        monkeypatch.setattr(files, "escape_formulas", escape)
    before = threading.active_count()
    with pytest.raises(seen or type(raised)):
        score(sheet, out, threads=2)
    assert len(calls) > 3
    assert out.read_text() == "old"
    assert [path.name for path in out.parent.iterdir()] == [out.name]
    assert threading.active_count() <= before


def test_the_stream_keeps_order_and_passes_on_what_is_raised():
    assert list(in_order(iter(range(100)), lambda n: n * n, 3)) == [n * n for n in range(100)]
    with pytest.raises(ZeroDivisionError):
        list(in_order(range(5, -5, -1), lambda n: 1 / n, 2))

    def broken():
        yield 1
        raise InputError("no", "none")

    with pytest.raises(InputError):
        list(in_order(broken(), lambda n: n, 2))


def test_the_stream_reads_only_a_little_ahead():
    """Memory does not grow with rows: the reader waits for the writer."""
    read = []

    def source():
        for n in range(1000):
            read.append(n)
            yield n

    found = in_order(source(), lambda n: n, 2)
    for n in range(10):
        assert next(found) == n
    assert len(read) < 30
    found.close()
    assert len(read) < 30


def test_quotes_without_commas_are_not_looked_into(tmp_path, monkeypatch):
    """Counting commas tells that no cell holds one; a cell that does is still found."""
    rows = [f'"part {n}",{n}.5,"yes"' for n in range(1, texts.COUNTED_LINES + 5)]
    head = '"name","fp16_tflops","datacenter"'
    path = tmp_path / "sheet.csv"
    path.write_text("\n".join([head, *rows]) + "\n")
    with monkeypatch.context() as patch:
        patch.setattr(reading, "any_comma", None)  # calling it would fail
        assert sum(batch.num_rows for batch in open_sheet(path).batches()) == len(rows)
    path.write_text("\n".join([head, *rows, '"x","1,5","yes"']))
    assert reading.decimal_marks(open_sheet(path).schema)
    # One cell too few hides the comma of another row from the count, not from the reader.
    path.write_text("\n".join([head, *rows, '"x","1,5","yes"', '"short",1']))
    with pytest.raises(InputError, match="irregular"):
        list(open_sheet(path).batches())


def test_a_folder_of_sheets_becomes_a_folder_of_results(tmp_path):
    """Each file by the columns of all of them, and together the rows of the whole."""
    frame = perfcalc.read(SPECS / "chips.csv").drop(columns=["unit", "part_of"], errors="ignore")
    sheets = tmp_path / "sheets"
    sheets.mkdir()
    frame.head(100).drop(columns="foundry").to_csv(sheets / "a.csv", index=False)
    frame.tail(152).to_parquet(sheets / "a.parquet", index=False)
    out, whole = tmp_path / "out", tmp_path / "whole.parquet"
    run = CliRunner().invoke
    folder = run(main, ["score", str(sheets), "-o", str(out), "--as-of", str(DAY), "--json"])
    file = run(main, ["score", str(sheets), "-o", str(whole), "--as-of", str(DAY), "--json"])
    assert json.loads(folder.stdout) == json.loads(file.stdout)
    parts = [out / "a.parquet", out / "a-2.parquet"]
    assert sorted(out.iterdir()) == sorted(parts)
    assert pa.concat_tables(map(pq.read_table, parts)).equals(pq.read_table(whole))
    again = run(main, ["score", str(sheets), "-o", str(out)])
    assert again.exit_code == 2
    assert "not empty" in again.stderr


def test_a_folder_appears_whole_or_not_at_all(tmp_path, monkeypatch):
    frame = perfcalc.read(SPECS / "chips.csv")
    for name in ("a", "b"):
        frame.to_csv(tmp_path / f"{name}.csv", index=False)
    calls = []

    def failing(*arguments, **named):
        calls.append(1)
        if len(calls) > 1:
            raise KeyboardInterrupt
        return line.score_sheet(*arguments, **named)

    monkeypatch.setattr("perfcalc.folders.score_sheet", failing)
    opened = open_sheet([tmp_path / "a.csv", tmp_path / "b.csv"])
    plan = line.make_plan(opened.schema.names, "sheet", DAY)
    with pytest.raises(KeyboardInterrupt):
        folders.score_folder(opened, plan, tmp_path / "out", 1)
    assert {path.name for path in tmp_path.iterdir()} == {"a.csv", "b.csv"}
