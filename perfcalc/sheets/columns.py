"""Columns become facts: the numbers, choices and process nodes of a batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import numpy as np
import pyarrow as pa

from perfcalc.facts import Facts, Flags, Indices, Numbers
from perfcalc.fields import FIELDS, KINDS, Field, Kind
from perfcalc.sheets.cells import read_column, read_exactly, texts
from perfcalc.sheets.decimals import decimal_marks
from perfcalc.sheets.headers import Binding, bindings_of
from perfcalc.sheets.messy import with_decimal
from perfcalc.sheets.names import read_names
from perfcalc.sheets.nodes import Node, find, foundry_in, name_in, node_text
from perfcalc.sheets.numerals import POINT
from perfcalc.sheets.plausibility import check
from perfcalc.sheets.problems import Problems
from perfcalc.sheets.said import distinct, text_column
from perfcalc.sheets.words import words

__all__ = ["Problems", "read_facts", "read_kinds", "text_column"]

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
        The problems are the cells that could not be read, or that contradict others.
    """
    facts = Facts(batch.num_rows, exact)
    problems = Problems()
    decimals = decimal_marks(batch.schema)
    for name in columns:
        field = FIELDS[name]
        if field.type != "text":
            reads = [_read(batch.column(one.column), field, one, decimals, exact) for one in bindings_of(columns, name)]
            _join(facts, problems, field, reads)
    _blank_quantity_is_one(facts)
    if "process_node" in columns:
        _read_nodes(facts, problems, batch, columns)
    read_names(facts, batch, columns)
    check(facts, problems, batch, columns)
    return facts, problems


@dataclass
class _Read:
    """One column as one field."""

    low: Numbers
    high: Numbers
    given: Flags
    problems: list[tuple[Indices, str]]
    binding: Binding
    certain: bool = False


def _read(column: pa.Array, field: Field, binding: Binding, decimals: Mapping[str, str], exact: bool) -> _Read:
    style = with_decimal(binding.style, decimals.get(binding.column, POINT))
    if binding.values:
        said = dict(binding.values)
        column = pa.array([said.get((cell or "").casefold(), cell) for cell in texts(column)], pa.string())
    read = (read_exactly if exact else read_column)(column, field, style)
    low, high = read.low, read.high
    if binding.spread is not None:
        down, up = binding.spread if exact else (float(part) for part in binding.spread)
        low, high = low * down, high * up
    return _Read(low, high, read.given, read.problems, binding, read.certain and binding.spread is None)


def _join(facts: Facts, problems: Problems, field: Field, reads: list[_Read]) -> None:
    """Several columns of one field: of rates the highest claimed counts, of anything else the hull of what is said."""
    first, *others = reads
    low, high, given = first.low, first.high, first.given
    sparse = "sparse" in first.binding.style.labels
    dropped: dict[int, Flags] = {}
    for other in others:
        other_sparse = "sparse" in other.binding.style.labels
        if field.bits and sparse != other_sparse:
            # What is claimed with sparsity says something only where no dense rate is given.
            mine = _Read(low, high, given, [], first.binding)
            dense, thin = (other, mine) if sparse else (mine, other)
            low, high = np.where(dense.given, dense.low, thin.low), np.where(dense.given, dense.high, thin.high)
            dropped[id(first if sparse else other)] = dense.given
            sparse = False
        elif field.bits:
            low, high = np.maximum(low, other.low), np.maximum(high, other.high)
        else:
            both = given & other.given
            low = np.where(both, np.minimum(low, other.low), np.where(given, low, other.low))
            high = np.where(both, np.maximum(high, other.high), np.where(given, high, other.high))
            apart = both & np.asarray((first.low > other.high) | (other.low > first.high), dtype=bool)
            columns = f"{first.binding.column!r} and {other.binding.column!r}"
            problems.add(np.flatnonzero(apart), f"{field.name}: {columns} disagree, kept as an interval")
        given = given | other.given
    facts.given[field.name] = given
    facts.set(field.name, low, high)
    if first.certain and not others:
        facts.certain.add(field.name)
    for read in reads:
        for rows, problem in read.problems:
            problems.add(rows[~dropped[id(read)][rows]] if id(read) in dropped else rows, problem)


def _blank_quantity_is_one(facts: Facts) -> None:
    low, high = (bound.copy() for bound in facts.interval("quantity"))
    blank = ~facts.is_given("quantity")
    one = Fraction(1) if facts.exact else 1.0
    low[blank], high[blank] = one, one
    facts.set("quantity", low, high)


def _read_nodes(facts: Facts, problems: Problems, batch: pa.RecordBatch, columns: Mapping[str, str]) -> None:
    """Fill in the transistor architecture where the sheet does not state it, and the node's logic density."""
    nodes, node_codes = distinct(batch, columns, "process_node")
    makers, maker_codes = distinct(batch, columns, "foundry")
    pairs, of_row = np.unique(node_codes * len(makers) + maker_codes, return_inverse=True)
    number: Callable[[str], float | Fraction] = Fraction if facts.exact else float
    known = np.zeros(pairs.size, dtype=bool)
    # Of each pair: from and to planar (0) or non-planar (1), from and to which logic density.
    told: Numbers = np.empty((4, pairs.size), dtype=object if facts.exact else np.float64)
    for place, pair in enumerate(pairs):
        node, maker = nodes[pair // len(makers)], makers[pair % len(makers)]
        if node is None or node.casefold() in words("unknown"):
            continue
        found = _find(node, maker or "")
        if not found:
            problems.add(np.flatnonzero(of_row == place), f"process_node: {node!r} is not in the table of nodes")
            continue
        known[place] = True
        codes = {("planar", "non_planar").index(each.architecture) if each.architecture else None for each in found}
        density = found[0].logic_density_mtr_mm2 if len(found) == 1 else ""
        ends = number(density or "0"), number(density) if density else np.inf
        told[:, place] = number("1" if codes == {1} else "0"), number("0" if codes == {0} else "1"), *ends
    named, stated = known[of_row], facts.is_given("transistor_architecture")
    unstated = named & ~stated
    low, high = (bound.copy() for bound in _architecture(facts))
    low[unstated], high[unstated] = told[:2, of_row[unstated]]
    density_low, density_high = facts.full(0), facts.full(np.inf)
    density_low[named], density_high[named] = told[2:, of_row[named]]
    stated = stated | named
    facts.given["transistor_architecture"] = stated
    facts.set("transistor_architecture", low, high)
    facts.set("logic_density_mtr_mm2", density_low, density_high)


def _find(node: str, maker: str) -> tuple[Node, ...]:
    text = node_text(node)
    return find(text, maker) or find(name_in(text), maker or foundry_in(text))


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
        _, said = distinct(batch, columns, "kind")
        kinds[~stated & (said > 0)] = -1
    return kinds.astype(np.int64)


def _any_given(facts: Facts, names: tuple[str, ...]) -> np.ndarray:
    given = np.zeros(facts.size, dtype=bool)
    for name in names:
        given |= facts.is_given(name)
    return given
