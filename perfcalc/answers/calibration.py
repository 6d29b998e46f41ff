"""Per-coupler calibration tables become a spec sheet of quantum machines, one row a machine."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

from perfcalc.errors import InputError
from perfcalc.facts import Flags, Indices, Numbers
from perfcalc.fields import FIELDS
from perfcalc.files import whole_files, write
from perfcalc.metrics.couplers import Couplers, Statistics, best_connected_part, statistics
from perfcalc.sheets.cells import read_column, texts
from perfcalc.sheets.read import open_sheet

COLUMNS: Final = ("backend", "q0", "q1", "gate_error")

#: An error of 1 is how a calibration says that a gate does not work.
DEAD: Final = 1.0

#: The defensible readings of a table, as (name, statistic, dead couplers counted). The first is what a row carries.
READINGS: Final = (
    ("mean", "mean", False),
    ("median", "median", False),
    ("mean_with_dead", "mean", True),
    ("median_with_dead", "median", True),
)

#: Of several two-qubit gates on one machine, the one listed first in the vocabulary stands for it: `cx` before `cz`
#: before `ecr`; `rzz` is a family of weaker gates.
GATES: Final = FIELDS["native_gate"].choices


def calibrate(path: str | Path, each_reading: bool = False, part: int | None = None) -> pa.Table:
    """Turn a per-coupler table into a spec sheet that `perfcalc score` takes.

    Parameters
    ----------
    path
        CSV or Parquet with the columns ``backend, q0, q1, gate_error`` and, if there are several two-qubit gates,
        ``gate``. Both directions of a coupler may be listed; it has the mean error of those that work. An error of 1
        marks a dead gate.
    each_reading
        One row a machine and reading (`READINGS`) instead of one row a machine.
    part
        Add the mean error of a connected part of so many qubits, found by greedy growth from every coupler: an upper
        bound of the lowest such mean, with no claim that it is the lowest.

    Returns
    -------
    pyarrow.Table
        `physical_qubits` are those of the largest connected component, `two_qubit_error` is the mean over its
        couplers, and the remaining columns say what the other readings give. `unread_couplers` counts couplers whose
        error could not be read: they are left out.

    Raises
    ------
    InputError
        A column is missing, or a qubit number cannot be read.
    """
    if part is not None and part < 2:
        raise InputError(f"a connected part of {part} qubits has no coupler", "ask for 2 or more")
    sheet = open_sheet(path)
    table = pa.Table.from_batches(sheet.batches(), sheet.schema)
    missing = [name for name in COLUMNS if name not in table.schema.names]
    if missing:
        raise InputError(f"{path}: no column {', '.join(missing)}", f"a calibration table has {', '.join(COLUMNS)}")
    names = [name or "" for name in texts(_column(table, "backend"))]
    gates = [""] * table.num_rows
    if "gate" in table.schema.names:
        gates = [(gate or "").casefold() for gate in texts(_column(table, "gate"))]
    ends = np.column_stack([_qubits(table, name, path) for name in ("q0", "q1")])
    read = read_column(_column(table, "gate_error"), FIELDS["two_qubit_error"])
    known = np.asarray(read.low == read.high, dtype=bool)
    machines = list(dict.fromkeys(names))
    chosen = _chosen_gates(machines, names, gates)
    used = np.array([gate == chosen[name] for name, gate in zip(names, gates, strict=True)], dtype=bool)
    number = {name: position for position, name in enumerate(machines)}
    machine = np.array([number[name] for name in names], dtype=np.int64)
    unread = np.bincount(machine[used & ~known], minlength=len(machines))
    kept = used & known
    couplers = gather(len(machines), machine[kept], ends[kept], read.low[kept])
    counted = {dead: statistics(couplers, dead) for dead in (False, True)}
    columns = {"couplers": counted[True].couplers, "unread_couplers": unread, "best_coupler_error": counted[False].best}
    columns["dead_couplers"] = np.add.reduceat(np.append(couplers.dead.astype(np.int64), 0), couplers.first[:-1])
    columns["dead_couplers"][couplers.first[:-1] == couplers.first[1:]] = 0
    if part is not None:
        columns[f"part_of_{part}_mean_error"] = best_connected_part(couplers, part)
    if each_reading:
        rows = (
            (f"{name} ({reading})", name, b, [(reading, statistic, dead)])
            for b, name in enumerate(machines)
            for reading, statistic, dead in READINGS
        )
    else:
        rows = ((name, name, b, list(READINGS)) for b, name in enumerate(machines))
    return pa.Table.from_pylist(
        [_row(title, chosen[name], b, readings, counted, columns) for title, name, b, readings in rows]
    )


def write_sheet(table: pa.Table, out: Path) -> None:
    """Write a spec sheet as CSV or Parquet; the file appears whole or not at all."""
    with whole_files(out) as (draft,):
        write(iter(table.to_batches()), draft, out)


def as_csv(table: pa.Table) -> str:
    """A spec sheet as CSV text."""
    sink = pa.BufferOutputStream()
    pa_csv.write_csv(table, sink, pa_csv.WriteOptions(quoting_style="needed"))
    return str(sink.getvalue().to_pybytes().decode())


def _row(
    title: str,
    gate: str,
    b: int,
    readings: Sequence[tuple[str, str, bool]],
    counted: dict[bool, Statistics],
    columns: dict[str, Any],
) -> dict[str, Any]:
    (_, statistic, dead), *others = readings
    row: dict[str, Any] = {
        "name": title,
        "kind": "quantum",
        "modality": "gate",
        "physical_qubits": int(counted[dead].qubits[b]),
        "qubit_count": "working",
        "two_qubit_error": _number(getattr(counted[dead], statistic)[b]),
        "error_statistic": statistic,
        "native_gate": gate if gate in GATES else None,
    }
    for other, statistic, dead in others:
        row[f"{other}_qubits"] = int(counted[dead].qubits[b])
        row[f"{other}_error"] = _number(getattr(counted[dead], statistic)[b])
    return row | {name: _number(values[b]) for name, values in columns.items()}


def _number(value: Any) -> int | float | None:
    if isinstance(value, np.integer):
        return int(value)
    return None if np.isnan(value) else float(value)


def _column(table: pa.Table, name: str) -> pa.Array:
    return table.column(name).combine_chunks()


def _qubits(table: pa.Table, name: str, path: str | Path) -> Indices:
    column = read_column(_column(table, name), FIELDS["physical_qubits"])
    wrong = np.flatnonzero(~np.asarray((column.low == column.high) & (column.low % 1 == 0), dtype=bool))
    if wrong.size:
        cell = table.column(name)[int(wrong[0])].as_py()
        raise InputError(f"{path}: row {wrong[0] + 1}: {name} is {cell!r}", "write the number of a qubit")
    return column.low.astype(np.int64)


def _chosen_gates(machines: Sequence[str], names: Sequence[str], gates: Sequence[str]) -> dict[str, str]:
    offered: dict[str, set[str]] = {name: set() for name in machines}
    for name, gate in zip(names, gates, strict=True):
        offered[name].add(gate)
    return {
        name: min(found, key=lambda gate: (GATES.index(gate) if gate in GATES else len(GATES), gate))
        for name, found in offered.items()
    }


def gather(machines: int, machine: Indices, ends: Indices, error: Numbers) -> Couplers:
    """Join the directions of each coupler, number the qubits through, and sort by machine and error.

    A coupler is dead if its gate works in no direction; else it has the mean error of the directions that work.
    """
    pairs = np.column_stack([machine, ends.min(axis=1), ends.max(axis=1)]) if machine.size else np.empty((0, 3), int)
    distinct, which = np.unique(pairs, axis=0, return_inverse=True)
    works = np.asarray(error < DEAD, dtype=bool)
    total = np.zeros(len(distinct), dtype=error.dtype)
    count = np.zeros(len(distinct), dtype=np.int64)
    which = which.reshape(-1)
    np.add.at(total, which[works], error[works])
    np.add.at(count, which[works], 1)
    dead: Flags = count == 0
    joined = np.where(dead, total + 1, total / np.maximum(count, 1))
    order = np.array(sorted(range(len(distinct)), key=lambda row: (distinct[row, 0], joined[row])), dtype=np.int64)
    distinct, joined, dead = distinct[order], joined[order], dead[order]
    owners = np.repeat(distinct[:, 0], 2)
    qubits, node = np.unique(np.column_stack([owners, distinct[:, 1:].reshape(-1)]), axis=0, return_inverse=True)
    bounds = np.arange(machines + 1)
    return Couplers(
        np.searchsorted(distinct[:, 0], bounds),
        np.searchsorted(qubits[:, 0], bounds),
        node.reshape(-1, 2).astype(np.int64),
        joined,
        dead,
    )
