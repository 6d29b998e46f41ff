"""What may be thrown at the sheet reader, and what must hold whatever is thrown: shared by atheris and the tests."""

import csv
import io
import tempfile
from fractions import Fraction
from numbers import Rational
from pathlib import Path

from perfcalc.errors import InputError
from perfcalc.fields import FIELDS, SHEET_FIELDS
from perfcalc.sheets.cells import read_cell, read_messy
from perfcalc.sheets.columns import read_facts
from perfcalc.sheets.headers import make_unique, read_heading, recognise
from perfcalc.sheets.quantities import Style
from perfcalc.sheets.read import open_sheet

NUMBERS = [field for field in SHEET_FIELDS if field.type != "text"]
ENDINGS = [".csv", ".tsv", ".jsonl", ".xlsx", ".parquet", ".csv.gz", ".ods", ".csv.zst", ".json"]


def cell(text):
    """A cell is an interval inside the field's limits, or says what is wrong with it."""
    for field in NUMBERS[:: max(1, len(NUMBERS) // 6)]:
        for decimal in ".,?":
            read = read_cell(text, field, Style(decimal=decimal))
            assert read.low <= read.high
            assert read.low >= 0
            assert isinstance(read.low, Rational | float)
            assert read.high == float("inf") or read.high <= max(Fraction(str(field.high)), len(field.choices))
    for header in ("FP16 (TFLOPS)", "Transistors & die size", "Launch date", "Fab", text):
        read = read_messy(header, text)
        assert read.status in ("value", "missing", "ambiguous")
        if read.low is not None and read.high is not None:
            assert read.low <= read.high


def heading(text):
    """A heading names known fields or none; headings become unique and stay as many."""
    assert all(name in FIELDS for name in read_heading(text).fields)
    names = make_unique([text, text, None, f"{text} (2)"])
    assert len(set(names)) == len(names) == 4


def sheet(data, ending):
    """Bytes become rows and rejects, or a clean error; twice the same."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"sheet{ending}"
        path.write_bytes(data)
        try:
            opened = open_sheet(path)
            first = list(opened.batches())
            rows, rejects = sum(batch.num_rows for batch in first), len(opened.rejects)
            again = sum(batch.num_rows for batch in opened.batches())
            assert (again, len(opened.rejects)) == (rows, rejects)
            columns = recognise(opened.schema.names, "sheet")
            for batch in first[:2]:
                facts, _ = read_facts(batch, columns)
                for name, low in facts.low.items():
                    assert not (low > facts.high[name]).any() or name == "performance_density"
        except InputError as error:
            assert str(error)  # noqa: PT017 - what and remedy
            return None
        return rows, rejects


def delimited(data, delimiter=","):
    """Every row of delimited text is a row or a reject: counted with the csv module."""
    result = sheet(data, ".csv")
    if result is None:
        return
    rows, rejects = result
    text = data.decode("utf-8", "strict")
    lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    lines = [row for row in lines if row and not (len(row) == 1 and not row[0].strip())]
    assert rows + rejects <= len(lines)
