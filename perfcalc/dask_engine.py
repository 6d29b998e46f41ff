"""The line over many machines: Dask workers score row groups of Parquet files, the caller puts them in order.

Workers open the files themselves, so each must see them under the same path. A worker that dies loses nothing: its
pieces are scored again by another.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from perfcalc.errors import InputError
from perfcalc.line import LINKS, Plan, score_batch
from perfcalc.sheets.read import BATCH_ROWS, ParquetTable, Sheet
from perfcalc.summary import Summary

T = TypeVar("T")

#: Pieces in work for each thread of the cluster: the next ones wait where they will be scored.
AHEAD: Final = 2


@dataclass(frozen=True)
class Piece:
    """One row group of one file of a sheet; it pickles."""

    sheet: Sheet
    path: str
    group: int


def pieces_of(sheet: Sheet) -> Iterator[Piece]:
    """The row groups of a sheet, in order.

    Raises
    ------
    InputError
        A file is not a Parquet file that workers can open.
    """
    for part, names in sheet.parts:
        if not (isinstance(part, ParquetTable) and part.own_path):
            raise InputError(f"{sheet.path}: a cluster reads Parquet files only", "write it as Parquet first")
        path = str(part.path.resolve())
        alone = Sheet(sheet.path, sheet.schema, None, parts=[(None, names)], left_out=sheet.left_out)  # type: ignore[list-item] # workers open the file
        for group in range(pq.ParquetFile(path).num_row_groups):
            yield Piece(alone, path, group)


def score_piece(piece: Piece, plan: Plan) -> list[pa.RecordBatch]:
    """Score one row group; this runs on the workers."""
    names = piece.sheet.parts[0][1]
    file = pq.ParquetFile(piece.path)
    wanted = [name for name in file.schema_arrow.names if names.get(name, name) in piece.sheet.schema.names]
    batches = file.iter_batches(BATCH_ROWS, [piece.group], columns=wanted if piece.sheet.left_out else None)
    return [score_batch(piece.sheet.fitted(batch, names), plan) for batch in batches]


def run_on_dask(sheet: Sheet, plan: Plan, scheduler: str) -> Iterator[pa.RecordBatch]:
    """Score a sheet on a cluster, in order: the same batches that `perfcalc.line.run` gives, cut otherwise.

    Parameters
    ----------
    scheduler
        Address of the Dask scheduler, such as ``tcp://10.0.0.1:8786``.

    Raises
    ------
    InputError
        Dask is not installed, nobody answers, or the sheet is not made of Parquet files.
    """
    _check_alone(sheet, plan)
    pieces = list(pieces_of(sheet))
    with _client(scheduler) as client:
        # Sent once: a worker then judges all of its pieces by the same books, and remembers what they said.
        sent = client.scatter(plan, broadcast=True, hash=False)
        for scored in _in_order(client, score_piece, ((piece, sent) for piece in pieces)):
            yield from scored


def spread_on_dask(
    work: Callable[[tuple[str, Sheet]], Summary], parts: Iterable[tuple[str, Sheet]], scheduler: str
) -> Iterator[Summary]:
    """Score whole files on a cluster, see `perfcalc.folders.score_folder`: workers write the results themselves."""
    named = list(parts)
    for _, part in named:
        for _ in pieces_of(part):
            break
    with _client(scheduler) as client:
        yield from _in_order(client, work, ((one,) for one in named))


def _check_alone(sheet: Sheet, plan: Plan) -> None:
    if LINKS & set(plan.columns):
        raise InputError(
            f"{sheet.path}: rows that belong together (unit, part_of) may lie in different row groups",
            "leave these columns out, or score it on one machine",
        )


def _client(scheduler: str) -> Any:
    try:
        from distributed import Client  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise InputError("the engine dask needs the package distributed", "pip install 'perfcalc[dask]'") from error
    connect: Any = Client
    try:
        return connect(scheduler, timeout=10, set_as_default=False)
    except (OSError, ValueError) as error:
        raise InputError(f"no Dask scheduler answers at {scheduler}", "check the address") from error


def _in_order(client: Any, work: Callable[..., T], calls: Iterable[tuple[Any, ...]]) -> Iterator[T]:
    threads = sum(client.nthreads().values()) or 1
    waiting: deque[Any] = deque()
    try:
        for call in calls:
            waiting.append(client.submit(work, *call, pure=False))
            if len(waiting) > AHEAD * threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for job in waiting:
            job.cancel()
