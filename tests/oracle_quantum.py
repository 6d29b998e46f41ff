"""A slow, exact second opinion on quantum machines, written from the law alone.

Nothing here comes from the package under test. Sources: 15 CFR part 774, Supplement No. 1, 4A906 as of 2026-07-23, and
Regulation (EU) 2021/821, Annex I, 4A506 as consolidated on 2025-11-15. The text itself is parsed for the ladder in
`ladder_of`. Numbers are `fractions.Fraction`; an interval is judged by trying every point that could matter.
"""

import csv
import re
from collections.abc import Iterable, Mapping
from fractions import Fraction
from itertools import combinations, pairwise, product
from pathlib import Path
from typing import NamedTuple

Item = Mapping[str, str | None]
Interval = tuple[Fraction, Fraction]

#: Larger than any machine, and than any error: stands for "no bound".
MANY = Fraction(10**9)
ONE, ZERO = Fraction(1), Fraction(0)


class Rung(NamedTuple):
    paragraph: str
    first: int
    below: int | None
    error: Fraction | None


LADDER = (
    Rung("a.1", 34, 100, Fraction(1, 10_000)),
    Rung("a.2", 100, 200, Fraction(1, 1000)),
    Rung("a.3", 200, 350, Fraction(2, 1000)),
    Rung("a.4", 350, 500, Fraction(3, 1000)),
    Rung("a.5", 500, 700, Fraction(4, 1000)),
    Rung("a.6", 700, 1100, Fraction(5, 1000)),
    Rung("a.7", 1100, 2000, Fraction(6, 1000)),
    Rung("a.8", 2000, None, None),
)


def ladder_of(paragraphs: Iterable[str]) -> tuple[Rung, ...]:
    """Read the ladder out of the words of the law, one paragraph a rung."""
    rungs = []
    for text in paragraphs:
        code = re.search(r"a\.\d", text)
        bounds = re.search(r"supporting ([\d,]+) or more(?:, but fewer than ([\d,]+),)?", text)
        error = re.search(r"equal to (?:(\d) × )?10 ?[\u2212-]?(\d)", text.replace("10 \u2212", "10-"))
        if not bounds or not code:
            continue
        first, below = (int(word.replace(",", "")) if word else None for word in bounds.groups())
        limit = None
        if error:
            limit = Fraction(int(error[1] or 1), 10 ** int(error[2]))
        rungs.append(Rung(code[0], first, below, limit))
    return tuple(rungs)


def rung_of(qubits: Fraction, error: Fraction) -> str | None:
    """The paragraph that a fully known machine meets."""
    for rung in LADDER:
        if qubits >= rung.first and (rung.below is None or qubits < rung.below):
            return rung.paragraph if rung.error is None or error <= rung.error else None
    return None


def _points(low: Fraction, high: Fraction, marks: Iterable[Fraction]) -> list[Fraction]:
    marks = sorted(mark for mark in marks if low <= mark <= high)
    ends = sorted({low, high, *marks})
    return ends + [(one + two) / 2 for one, two in pairwise(ends)]


def judge(qubits: Interval, error: Interval, annealing: tuple[bool, ...] = (False,)) -> tuple[str, set[str | None]]:
    """Try every point of the intervals that could matter; the verdict, and what the points meet."""
    met: set[str | None] = set()
    for number in _points(*qubits, [Fraction(rung.first) for rung in LADDER]):
        for value in _points(*error, [rung.error for rung in LADDER if rung.error is not None]):
            met |= {None if anneals else rung_of(number, value) for anneals in annealing}
    if None not in met:
        return "controlled", met
    return ("not_controlled" if met == {None} else "cannot_tell"), met


def _cell(item: Item, name: str) -> str:
    return (item.get(name) or "").strip()


def _number(item: Item, name: str) -> Fraction | None:
    text = _cell(item, name)
    return None if text in ("", "?") else Fraction(text)


def annealing(item: Item, unstated_modality: str = "gate") -> tuple[bool, ...]:
    """Note 1: whether the machine is an annealing one."""
    modality = _cell(item, "modality")
    if modality == "?" or (not modality and unstated_modality == "unknown"):
        return (False, True)
    return (modality == "annealer",)


def qubits(item: Item, analog: str = "review", qubit_count: str = "published") -> Interval:
    """Technical notes 1 to 5: how many qubits count, for all that the sheet says."""
    number = _number(item, "physical_qubits")
    low, high = (ZERO, MANY) if number is None else (number, number)
    counts = _cell(item, "qubit_count")
    if counts in ("trapped", "with_couplers", "modes"):
        low = ZERO
    if counts in ("logical", "algorithmic", "modes"):
        high = MANY
    if counts in ("", "?", "physical") and qubit_count == "at_most":
        low = ZERO
    if _cell(item, "native_gate") == "not_shown":
        low, high = min(low, ONE), min(high, ONE)
    if _cell(item, "modality") in ("analog", "boson_sampler"):
        low = low if analog == "covered" else ZERO
        high = ZERO if analog == "not_covered" else high
    return low, high


#: How often a C-NOT uses the native gate, and one-qubit gates around it: least and most.
USES = {
    **dict.fromkeys(("cnot", "cx"), (1, 1, 0, 0)),
    **dict.fromkeys(("cz", "ecr", "zz", "rzz"), (1, 1, 2, 2)),
    **dict.fromkeys(("ms", "xx"), (1, 1, 4, 4)),
    **dict.fromkeys(("iswap", "sqrt_iswap", "fsim"), (2, 2, 4, 4)),
}


def error(
    item: Item,
    unstated_convention: str = "average",
    statistic: str = "published",
    native_gate: str = "bare",
    operation: str = "published",
    post_selection: str = "published",
    uncertainty: str = "figure",
) -> Interval:
    """Technical note 6: the average C-NOT error, for all that the sheet says."""
    figures = []
    if (stated := _number(item, "two_qubit_error")) is not None:
        figures.append(stated)
    if (fidelity := _number(item, "two_qubit_fidelity")) is not None:
        figures.append(1 - fidelity)
    if not figures or _cell(item, "two_qubit_error") == "?":
        return ZERO, MANY
    low, high = min(figures), max(figures)
    layered = _cell(item, "error_statistic") == "eplg"
    if uncertainty == "interval" and (spread := _number(item, "two_qubit_uncertainty")) is not None:
        low, high = max(low - spread, ZERO), min(high + spread, ONE)
    convention = _cell(item, "error_convention").replace("?", "")
    if convention == "process" or (not convention and (layered or unstated_convention == "process")):
        low, high = low * Fraction(4, 5), high * Fraction(4, 5)
    said = _cell(item, "error_statistic")
    if statistic == "mean_bounds" and said != "mean":
        low = {"best": low, "eplg": ZERO}.get(said, low / 2)
        high = ONE
    simultaneous = layered or _cell(item, "gate_operation") == "simultaneous"
    if operation == "isolated" and simultaneous:
        low = ZERO
    if operation == "simultaneous" and not simultaneous:
        high = ONE
    if post_selection == "none" and _cell(item, "post_selected") != "no":
        high = ONE
    if native_gate == "cnot" and not layered:
        uses_low, uses_high, gates_low, gates_high = USES.get(_cell(item, "native_gate"), (1, 2, 0, 4))
        single = _number(item, "one_qubit_error")
        single_low, single_high = (ZERO, ONE) if single is None else (single, single)
        # r_C-NOT = 4/5 (uses × 5/4 r_2q + gates × 3/2 r_1q)
        low = min(Fraction(4, 5) * (uses_low * Fraction(5, 4) * low + gates_low * Fraction(3, 2) * single_low), ONE)
        high = min(
            Fraction(4, 5) * (uses_high * Fraction(5, 4) * high + gates_high * Fraction(3, 2) * single_high), ONE
        )
    return low, high


OF_QUBITS = {"analog": ("review", "covered", "not_covered"), "qubit_count": ("published", "at_most")}
OF_ERROR = {
    "unstated_convention": ("average", "process"),
    "statistic": ("published", "mean_bounds"),
    "native_gate": ("bare", "cnot"),
    "operation": ("published", "isolated", "simultaneous"),
    "post_selection": ("published", "none"),
    "uncertainty": ("figure", "interval"),
}


def _hull(intervals: Iterable[Interval]) -> Interval:
    lows, highs = zip(*intervals, strict=True)
    return min(lows), max(highs)


def _every(options: Mapping[str, tuple[str, ...]]) -> Iterable[dict[str, str]]:
    return (dict(zip(options, chosen, strict=True)) for chosen in product(*options.values()))


def under_every_reading(item: Item) -> tuple[Interval, Interval, tuple[bool, ...]]:
    """The intervals that cover every combination of readings."""
    return (
        _hull(qubits(item, **chosen) for chosen in _every(OF_QUBITS)),
        _hull(error(item, **chosen) for chosen in _every(OF_ERROR)),
        tuple({*annealing(item), *annealing(item, "unknown")}),
    )


# ---------------------------------------------------------------- calibration tables


class Machine(NamedTuple):
    """What one way of counting says: qubits, mean and median error of their couplers (None without any)."""

    qubits: int
    mean: Fraction | None
    median: Fraction | None


def read_table(path) -> dict[str, dict[frozenset[int], list[Fraction]]]:
    """The errors of each coupler of each machine, of the gate that is nearest to a C-NOT."""
    gates: dict[str, dict[str, dict[frozenset[int], list[Fraction]]]] = {}
    with Path(path).open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            couplers = gates.setdefault(row["backend"], {}).setdefault(row["gate"], {})
            couplers.setdefault(frozenset((int(row["q0"]), int(row["q1"]))), []).append(Fraction(row["gate_error"]))
    nearest = ("cx", "cz", "ecr", "rzz")
    return {name: by_gate[min(by_gate, key=nearest.index)] for name, by_gate in gates.items()}


def _components(pairs: Iterable[frozenset[int]]) -> list[set[int]]:
    parent: dict[int, int] = {}

    def root(node: int) -> int:
        parent.setdefault(node, node)
        while parent[node] != node:
            node = parent[node]
        return node

    for pair in pairs:
        one, other = pair
        parent[root(one)] = root(other)
    sets: dict[int, set[int]] = {}
    for node in parent:
        sets.setdefault(root(node), set()).add(node)
    return list(sets.values())


def machine(couplers: Mapping[frozenset[int], list[Fraction]], with_dead: bool) -> Machine:
    """Qubits of the largest component of couplers that count, and the average of their errors.

    A coupler has the mean error of the directions that work, or 1 where none does. Of components of one size the one
    with the lowest error counts.
    """
    errors = {}
    for pair, directions in couplers.items():
        works = [value for value in directions if value < 1]
        if works or with_dead:
            errors[pair] = sum(works, ZERO) / len(works) if works else ONE
    if not errors:
        return Machine(0, None, None)

    def inside(component: set[int]) -> list[Fraction]:
        return sorted(value for pair, value in errors.items() if pair <= component)

    component = max(_components(errors), key=lambda nodes: (len(nodes), -inside(nodes)[0]))
    values = inside(component)
    middle = len(values) // 2
    median = values[middle] if len(values) % 2 else (values[middle - 1] + values[middle]) / 2
    return Machine(len(component), sum(values, ZERO) / len(values), median)


def best_part(couplers: Mapping[frozenset[int], list[Fraction]], wanted: int) -> Fraction | None:
    """The lowest mean error of a connected part of `wanted` qubits, by trying every part (small machines only)."""
    errors = {}
    for pair, directions in couplers.items():
        if works := [value for value in directions if value < 1]:
            errors[pair] = sum(works, ZERO) / len(works)
    nodes = sorted(set().union(*errors)) if errors else []
    best = None
    for part in map(set, combinations(nodes, wanted)):
        inner = {pair: value for pair, value in errors.items() if pair <= part}
        if any(len(component) == wanted for component in _components(inner)):
            mean = sum(inner.values(), ZERO) / len(inner)
            best = mean if best is None else min(best, mean)
    return best
