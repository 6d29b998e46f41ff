"""One trace an item, as JSON lines: what `explain` says of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from perfcalc.answers.explain import explain_row, with_its_parts
from perfcalc.line import Plan, _together, measure_batch
from perfcalc.sheets.read import BATCH_ROWS, Sheet, is_parquet

#: A trace takes about 20 kB and 20 ms for one jurisdiction, so a large sheet has them of some items only.
TRACED_ITEMS: Final = 1_000

HOW: Final = "every item, up to the limit; of more items the first of every distinct outcome, then the first rows"

#: A row of a result file must fit into one block of the reader.
_BLOCK: Final = 1 << 26


def result_batches(result: Path, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
    """A result file again, cells of a CSV file as text."""
    if is_parquet(result):
        yield from pq.ParquetFile(result).iter_batches(BATCH_ROWS, columns=columns)
        return
    with result.open("rb") as file:
        names = pa_csv.open_csv(file, pa_csv.ReadOptions(block_size=_BLOCK), _parsing()).schema.names
    with pa_csv.open_csv(
        result,
        pa_csv.ReadOptions(block_size=_BLOCK),
        _parsing(),
        pa_csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), include_columns=columns),
    ) as reader:
        yield from reader


def _parsing() -> pa_csv.ParseOptions:
    return pa_csv.ParseOptions(newlines_in_values=True)


def chosen_rows(result: Path, items: int, jurisdictions: Sequence[str], limit: int) -> list[int]:
    """Which rows of a result are traced; see `HOW`."""
    if items <= limit:
        return list(range(items))
    wanted = [f"{name}_{part}" for name in jurisdictions for part in ("verdict", "entries", "needs", "flags")]
    seen: set[tuple[Any, ...]] = set()
    firsts: list[int] = []
    row = 0
    for batch in result_batches(result, wanted):
        for outcome in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            if outcome not in seen and len(firsts) < limit:
                seen.add(outcome)
                firsts.append(row)
            row += 1
    known = set(firsts)
    others = (row for row in range(items) if row not in known)
    return sorted([*firsts, *(row for row, _ in zip(others, range(limit - len(firsts)), strict=False))])


def write_traces(sheet: Sheet, plan: Plan, rows: Sequence[int], path: Path) -> None:
    """Write the traces of some rows of a sheet, with the number of the row, from 1."""
    linked = bool({"unit", "part_of"} & set(plan.columns))
    waiting = iter([*rows, -1])
    at, start = next(waiting), 0
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for batch in _together(sheet.batches()) if linked else sheet.batches():
            links = measure_batch(batch, plan, (plan.readings,)).facts.links if linked else None
            while start <= at < start + batch.num_rows:
                part, place = with_its_parts(batch, links, at - start)
                line = {"row": at + 1, **explain_row(part, plan, place).to_dict()}
                file.write(f"{json.dumps(line, ensure_ascii=False)}\n")
                at = next(waiting)
            start += batch.num_rows
