"""Columns become facts: the numbers, choices and process nodes of a batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Final

import numpy as np
import pyarrow as pa

from perfcalc.facts import Facts, Indices
from perfcalc.fields import FIELDS, KINDS, Field, Kind
from perfcalc.sheets.cells import read_column, read_exactly, texts
from perfcalc.sheets.names import read_names
from perfcalc.sheets.nodes import Node, find

Problems = dict[int, list[str]]

MEMORY_CELLS = ("nand_layers", "dram_half_pitch_nm", "dram_cell_area_um2", "dram_density_gb_mm2", "tsv_per_die")

#: Fields that only one kind of item has, so that a row which carries one is of that kind.
TELLING: Final[Mapping[Kind, tuple[str, ...]]] = {
    kind: tuple(name for name, field in FIELDS.items() if field.kinds == (kind,) and not field.derived)
    for kind in KINDS
    if kind in ("parametric_amplifier", "cooling_system", "wafer_prober", "material")
}


def read_facts(batch: pa.RecordBatch, columns: Mapping[str, str], exact: bool = False) -> tuple[Facts, Problems]:
    """Read the number and choice fields of a batch, and what its process nodes tell.

    Parameters
    ----------
    columns
        Which column carries which field.
    exact
        Keep every number as the exact fraction of its decimal text.

    Returns
    -------
    Facts and problems
        The problems are the cells that could not be read, by row.
    """
    facts = Facts(batch.num_rows, exact)
    problems: Problems = {}
    for name, heading in columns.items():
        field = FIELDS[name]
        if field.type == "text":
            continue
        column = batch.column(heading)
        read = read_column(column, field)
        facts.given[name] = read.given
        facts.set(name, *(read_exactly(column, field) if exact else (read.low, read.high)))
        for row, problem in read.problems:
            problems.setdefault(row, []).append(problem)
    _blank_quantity_is_one(facts)
    if "process_node" in columns:
        _read_nodes(facts, problems, batch, columns)
    read_names(facts, batch, columns)
    return facts, problems


def _blank_quantity_is_one(facts: Facts) -> None:
    low, high = (bound.copy() for bound in facts.interval("quantity"))
    blank = ~facts.is_given("quantity")
    one = Fraction(1) if facts.exact else 1.0
    low[blank], high[blank] = one, one
    facts.set("quantity", low, high)


def _read_nodes(facts: Facts, problems: Problems, batch: pa.RecordBatch, columns: Mapping[str, str]) -> None:
    """Fill in the transistor architecture where the sheet does not state it, and the node's logic density."""
    nodes = list(texts(batch.column(columns["process_node"])))
    makers = list(texts(batch.column(columns["foundry"]))) if "foundry" in columns else [None] * len(nodes)
    known: dict[tuple[str, str], tuple[Node, ...]] = {}
    stated = facts.is_given("transistor_architecture").copy()
    low, high = (bound.copy() for bound in _architecture(facts))
    density_low, density_high = facts.full(0), facts.full(np.inf)
    number: Callable[[str], float | Fraction] = Fraction if facts.exact else float
    for row, (node, maker) in enumerate(zip(nodes, makers, strict=True)):
        if node is None or node in ("?", "unknown"):
            continue
        key = (node, maker or "")
        if key not in known:
            known[key] = find(*key)
        found = known[key]
        if not found:
            problems.setdefault(row, []).append(f"process_node: {node!r} is not in the table of nodes")
            continue
        if not stated[row]:
            codes = {("planar", "non_planar").index(each.architecture) if each.architecture else None for each in found}
            stated[row] = True
            low[row] = number("1" if codes == {1} else "0")
            high[row] = number("0" if codes == {0} else "1")
        if len(found) == 1 and found[0].logic_density_mtr_mm2:
            density_low[row] = density_high[row] = number(found[0].logic_density_mtr_mm2)
    facts.given["transistor_architecture"] = stated
    facts.set("transistor_architecture", low, high)
    facts.set("logic_density_mtr_mm2", density_low, density_high)


def _architecture(facts: Facts) -> tuple[np.ndarray, np.ndarray]:
    if "transistor_architecture" not in facts.low:
        return facts.full(0), facts.full(1)
    return facts.interval("transistor_architecture")


def read_kinds(batch: pa.RecordBatch, columns: Mapping[str, str], facts: Facts) -> Indices:
    """The code of each item's kind: as stated, else told from what the row carries; -1 where it cannot be read."""
    quantum = _any_given(facts, ("modality", "physical_qubits", "two_qubit_error", "two_qubit_fidelity"))
    others = tuple((kind, _any_given(facts, names)) for kind, names in TELLING.items())
    rates = _any_given(facts, tuple(name for name, field in FIELDS.items() if field.bits))
    memory = _any_given(facts, ("memory_area_mm2", *MEMORY_CELLS)) & ~rates
    computer = _any_given(facts, ("aggregate_lut_inputs", "ctp_mtops", "pdr_mbit_s"))
    kinds = np.where(quantum, KINDS.index("quantum"), np.where(memory, KINDS.index("memory"), KINDS.index("ic")))
    kinds[computer & ~quantum] = KINDS.index("computer")
    kinds = np.where(_any_given(facts, ("wavelength_nm", "mrf_nm", "overlay_nm")), KINDS.index("tool"), kinds)
    kinds = np.where(facts.is_given("training_operations"), KINDS.index("model"), kinds)
    for other, told in others:
        kinds[told & ~quantum & ~rates & ~memory] = KINDS.index(other)
    if "kind" in columns:
        low, high = (np.asarray(bound, dtype=np.float64) for bound in facts.interval("kind"))
        stated = facts.is_given("kind")
        kinds[stated] = np.where(low == high, low, -1)[stated]
        unreadable = ~stated & np.array([cell is not None for cell in texts(batch.column(columns["kind"]))], dtype=bool)
        kinds[unreadable] = -1
    return kinds.astype(np.int64)


def _any_given(facts: Facts, names: tuple[str, ...]) -> np.ndarray:
    given = np.zeros(facts.size, dtype=bool)
    for name in names:
        given |= facts.is_given(name)
    return given


def text_column(batch: pa.RecordBatch, columns: Mapping[str, str], field: Field) -> list[str | None]:
    """A text field of a batch; all None where the sheet does not have it."""
    if field.name not in columns:
        return [None] * batch.num_rows
    return list(texts(batch.column(columns[field.name])))
