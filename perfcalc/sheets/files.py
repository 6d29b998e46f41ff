"""Files as bytes: compressed or not, from a path or standard input, with caps on what they may unfold to."""

from __future__ import annotations

import codecs
import csv
import io
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Final, cast

import pyarrow as pa

from perfcalc.errors import InputError
from perfcalc.sheets.encodings import BLOCK, Scan

#: A compressed file may not unfold to more bytes than this, nor to more than so many times its own size.
LARGEST_BYTES: Final = 16 << 30
LARGEST_RATIO: Final = 200
#: Below this the ratio does not matter.
HARMLESS_BYTES: Final = 64 << 20
#: One cell of a text file.
LARGEST_CELL: Final = 1 << 24
COMPRESSIONS: Final = ((b"\x1f\x8b", "gzip"), (b"\x28\xb5\x2f\xfd", "zstd"), (b"BZh", "bz2"))
DELIMITERS: Final = (",", ";", "\t", "|", ":", "^")


def open_bytes(path: Path) -> BinaryIO:
    """A file as seekable, uncompressed bytes.

    Raises
    ------
    InputError
        It is absent, or unfolds beyond the caps.
    """
    if str(path) == "-":
        return _copied(sys.stdin.buffer, "standard input")
    try:
        file = path.open("rb")
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}", "check the path") from error
    head = file.read(4)
    file.seek(0)
    for magic, name in COMPRESSIONS:
        if head.startswith(magic):
            with file:
                return _unfolded(file, name, path)
    return file


def _copied(stream: BinaryIO, where: str) -> BinaryIO:
    copy = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
    size = 0
    while block := stream.read(BLOCK):
        size += len(block)
        if size > LARGEST_BYTES:
            raise InputError(f"{where}: more than {LARGEST_BYTES >> 30} GiB", "give it in parts")
        copy.write(block)
    copy.seek(0)
    head = copy.read(4)
    copy.seek(0)
    for magic, name in COMPRESSIONS:
        if head.startswith(magic):
            with copy:
                return _unfolded(cast("BinaryIO", copy), name, Path(where))
    return cast("BinaryIO", copy)


def _unfolded(file: BinaryIO, compression: str, path: Path) -> BinaryIO:
    file.seek(0, io.SEEK_END)
    size = file.tell()
    file.seek(0)
    copy = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
    done = 0
    try:
        stream = pa.CompressedInputStream(pa.PythonFile(file, mode="r"), compression)
        while block := stream.read(BLOCK):
            done += len(block)
            if done > LARGEST_BYTES or (done > HARMLESS_BYTES and done > LARGEST_RATIO * size):
                copy.close()
                raise InputError(
                    f"{path}: unfolds to more than {LARGEST_RATIO} times its size or {LARGEST_BYTES >> 30} GiB",
                    "unpack it yourself if you trust it",
                )
            copy.write(block)
    except (OSError, pa.ArrowInvalid) as error:
        copy.close()
        raise InputError(f"{path}: not a whole {compression} file: {error}", "compress it anew") from error
    copy.seek(0)
    return cast("BinaryIO", copy)


def as_utf8(file: BinaryIO, scanned: Scan) -> BinaryIO:
    """The same text as UTF-8 bytes; the file itself where it is that already."""
    if scanned.plain:
        return file
    copy = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
    decoder = codecs.getincrementaldecoder(scanned.encoding)(
        "replace" if scanned.encoding.startswith("utf") else "strict"
    )
    file.seek(0)
    while block := file.read(BLOCK):
        copy.write(decoder.decode(block).encode("utf-8", "replace"))
    copy.write(decoder.decode(b"", final=True).encode("utf-8", "replace"))
    copy.seek(0)
    return cast("BinaryIO", copy)


def read_rows(file: BinaryIO, delimiter: str, where: str) -> Iterator[tuple[int, list[str]]]:
    """The rows of a UTF-8 text, each with the physical line on which it starts. Empty lines are no rows."""
    csv.field_size_limit(LARGEST_CELL)
    file.seek(0)
    text = io.TextIOWrapper(
        io.BufferedReader(cast("io.RawIOBase", Unclosed(file))), encoding="utf-8-sig", errors="replace", newline=""
    )
    reader = csv.reader(text, delimiter=delimiter)
    while True:
        line = reader.line_num + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise InputError(
                f"{where}, line {line}: {error}", "look for a double quote that is never closed"
            ) from error
        if row and not (len(row) == 1 and not row[0].strip()):
            yield line, row


class Unclosed(io.RawIOBase):
    """Reads another file without closing it in the end."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def readable(self) -> bool:
        """It is read and nothing else."""
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override] # any writable buffer will do
        """Read some bytes."""
        data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def find_delimiter(sample: str, name: str) -> str:
    """The delimiter under which the first rows are most alike, and most headings are known."""
    from perfcalc.sheets.headers import read_heading  # noqa: PLC0415 - imported with the tables of aliases

    if name.casefold().endswith((".tsv", ".tab")) and "\t" in sample:
        return "\t"
    best, highest = ",", (-1.0, -1.0, -1.0)
    for delimiter in DELIMITERS:
        if delimiter not in sample:
            continue
        rows = _sample_rows(sample, delimiter)
        widths = [len(row) for row in rows]
        if not widths or max(widths) < 2:
            continue
        usual = max(set(widths), key=widths.count)
        known = max(sum(bool(read_heading(cell).fields) for cell in row) for row in rows[:10])
        score = (float(known), widths.count(usual) / len(widths) * (usual > 1), float(usual))
        if score > highest:
            best, highest = delimiter, score
    return best


def _sample_rows(sample: str, delimiter: str) -> Sequence[list[str]]:
    rows = []
    try:
        for row in csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter):
            if row:
                rows.append(row)
            if len(rows) > 60:
                break
    except csv.Error:
        pass
    return rows[:-1] if len(rows) > 2 else rows
