"""From columns to answers: what the API, the command line and the assembly line call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from math import isfinite
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from perfcalc.fields import ORIGIN_FIELDS
from perfcalc.origin.model import Answers, Model, answer, shipped
from perfcalc.origin.signals import INDEX, Signals, of_rows, read_day
from perfcalc.origin.words import RESULTS, OriginAnswer, describe, timeline

TYPES = {
    "origin_probability": pa.float64(),
    "origin_low": pa.float64(),
    "origin_high": pa.float64(),
}


def facts_of(batch: pa.RecordBatch, columns: Mapping[str, str]) -> list[dict[str, str]]:
    """The cells that the origin model reads, as text."""
    cells: dict[str, list[Any]] = {}
    for name, column in columns.items():
        if name not in ORIGIN_FIELDS:
            continue
        values = batch.column(column)
        if isinstance(values, pa.DictionaryArray):
            values = values.dictionary_decode()
        cells[name] = pc.fill_null(pc.cast(values, pa.string()), "").to_pylist()
    return [dict(zip(cells, row, strict=True)) for row in zip(*cells.values(), strict=True)]


def assess(
    rows: Sequence[Mapping[str, str]], model: Model | None = None
) -> tuple[Signals, Answers, list[OriginAnswer]]:
    """Signals, answers and their words for many items."""
    model = model or shipped()
    signals = of_rows(rows)
    answers = answer(signals, model)
    # Items that read the same are described once: a catalogue repeats itself.
    told: dict[tuple[Any, ...], OriginAnswer] = {}
    described = []
    for row in range(len(rows)):
        key = (signals.low[row].tobytes(), signals.high[row].tobytes(), tuple(signals.notes[row].items()))
        if key not in told:
            told[key] = describe(signals, answers, row, model)
        described.append(told[key])
    return signals, answers, described


def origin_columns(batch: pa.RecordBatch, columns: Mapping[str, str]) -> dict[str, pa.Array]:
    """The result columns of a batch."""
    described = assess(facts_of(batch, columns))[2] if batch.num_rows else []
    rows = [asdict(each) for each in described]
    return {
        name: pa.array([row[name.removeprefix("origin_")] for row in rows], TYPES.get(name, pa.string()))
        for name in RESULTS
    }


def picture(facts: Mapping[str, str], signals: Signals, row: int) -> str:
    """The time line of one item."""
    text = facts.get("product_launch") or facts.get("release_date") or ""
    launch, after = read_day(text)[1], float(signals.high[row, INDEX["launch"]])
    cut_off = launch - after if launch is not None and isfinite(after) else None
    return timeline(facts.get("designer", ""), facts.get("name", ""), text, cut_off, launch or 0.0)
