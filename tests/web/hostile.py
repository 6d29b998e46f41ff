"""Files that nobody should send, made here so that a clone holds none of them; and what an answer to them must be."""

import gzip
import io
import struct
import zipfile
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.parquet as pq
from xlsxwriter import Workbook

SHEET = b"name,fp16_tflops,die_area_mm2\nFirst,300,800\nSecond,?,700\n"
ROWS = "name,fp16_tflops\nA,300\nB,400\n"
BILLION_LAUGHS = '<?xml version="1.0"?><!DOCTYPE sst [<!ENTITY a0 "lol">{}]>'.format(
    "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 11))
)
OUTSIDE = '<?xml version="1.0"?><!DOCTYPE sst [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
#: The words of a workbook, the item's name last.
STRINGS = (
    '<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" count="3" uniqueCount="3">'
    "<si><t>name</t></si><si><t>fp16_tflops</t></si><si><t>{}</t></si></sst>"
)


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


def lying_zip(data, part, size):
    """An archive whose directory says that one part unfolds to so many bytes."""
    found, at = bytearray(data), 0
    while (at := found.find(b"PK\x01\x02", at)) >= 0:
        if found[at + 46 :].startswith(part.encode()):
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
    """A workbook that compresses well."""
    table = "".join(
        f'<row r="{n + 1}"><c r="A{n + 1}" t="inlineStr"><is><t>{" " * 2000}x</t></is></c></row>' for n in range(rows)
    )
    xml = f'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{table}</sheetData></worksheet>'
    return changed(book(), "xl/worksheets/sheet1.xml", xml)


#: What no answer says: where the server's files are, and how it is made.
INSIDE = (
    "Traceback",
    'File "',
    "site-packages",
    "/home/",
    "/tmp/",
    "/usr/",
    "/root",
    ".py",
    "sqlite",
    "pyarrow",
    "pydantic",
)


def assert_clean(answer, status):
    """A message for a person, with a remedy; nothing of the server's inside."""
    assert answer.status_code == status, answer.text[:500]
    if answer.headers["content-type"] == "application/json":
        said = answer.json()
        assert set(said) == {"error", "remedy"}
        assert said["error"]
        assert said["remedy"]
    assert len(answer.text) < 20_000
    asked = unquote(str(answer.request.url))  # a page links to itself
    assert not [word for word in INSIDE if word in answer.text and word not in asked]
    assert answer.headers["x-content-type-options"] == "nosniff"
