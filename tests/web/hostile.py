"""Files that nobody should send: made here, byte by byte, so that a clone holds none of them."""

import gzip
import io
import struct
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq
from xlsxwriter import Workbook

ROWS = "name,fp16_tflops\nA,300\nB,400\n"
BILLION_LAUGHS = '<?xml version="1.0"?><!DOCTYPE sst [<!ENTITY a0 "lol">{}]>'.format(
    "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 11))
)
OUTSIDE = '<?xml version="1.0"?><!DOCTYPE sst [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
STRINGS = '<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" count="1" uniqueCount="1"><si><t>{}</t></si></sst>'


def book(rows=(("name", "fp16_tflops"), ("A", 300))):
    """A sound workbook."""
    kept = io.BytesIO()
    with Workbook(kept, {"in_memory": True}) as made:
        sheet = made.add_worksheet()
        for at, row in enumerate(rows):
            sheet.write_row(at, 0, row)
    return kept.getvalue()


def changed(data, part, text):
    """The same archive with other bytes in one of its parts."""
    kept = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as old,
        zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as new,
    ):
        for name in dict.fromkeys([*old.namelist(), part]):
            new.writestr(name, text if name == part else old.read(name))
    return kept.getvalue()


def archive(**parts):
    """A zip that is no workbook."""
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in parts.items():
            made.writestr(name, data)
    return kept.getvalue()


def lying_zip(data, size):
    """An archive whose directory says that each part unfolds to so many bytes."""
    found, at = bytearray(data), 0
    while (at := found.find(b"PK\x01\x02", at)) >= 0:
        found[at + 24 : at + 28] = struct.pack("<I", size)
        at += 4
    return bytes(found)


def far_cell():
    """A workbook whose one other cell stands in the last row and column that a sheet has."""
    kept = io.BytesIO()
    with Workbook(kept, {"in_memory": True}) as made:
        sheet = made.add_worksheet()
        sheet.write_row(0, 0, ("name", "fp16_tflops"))
        sheet.write(1_048_575, 16_383, "far")
    return kept.getvalue()


def parquet(**columns):
    """A sound Parquet file."""
    kept = io.BytesIO()
    pq.write_table(pa.table(columns or {"name": ["A", "B"], "fp16_tflops": [300.0, 400.0]}), kept)
    return kept.getvalue()


def lying_parquet():
    """A footer that says one column has a billion values more than the file holds."""
    data = parquet(name=["A"] * 50, fp16_tflops=[1.0] * 50)
    size = struct.unpack("<I", data[-8:-4])[0]
    footer = data[-8 - size : -8].replace(b"\x64", b"\xfe\xff\xff\xff\x0f")  # 50, as a zigzag varint
    return data[: -8 - size] + footer + struct.pack("<I", len(footer)) + b"PAR1"


def zstd_bomb(size):
    """Zeros, compressed."""
    return pa.compress(b"\0" * size, codec="zstd", asbytes=True)


def nested(depth):
    """JSON, so many lists deep."""
    return b'{"name": ' + b"[" * depth + b"]" * depth + b"}\n"


def gzip_bomb(size):
    """Spaces, compressed a thousandfold."""
    return gzip.compress(b" " * size, 9)


def full_book(rows):
    """A workbook whose directory says that its table is small, and whose table is not."""
    table = "".join(
        f'<row r="{n}"><c r="A{n}" t="inlineStr"><is><t>{" " * 2000}x</t></is></c></row>' for n in range(rows)
    )
    xml = f'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{table}</sheetData></worksheet>'
    return changed(book(), "xl/worksheets/sheet1.xml", xml)
