"""Many machines from per-coupler calibration data: connected qubits, mean and median error, a good part.

A machine is a graph: its qubits are the nodes and its couplers the edges. Couplers come sorted by machine and, within
a machine, by error, the smallest first.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from perfcalc.facts import Flags, Indices, Numbers
from perfcalc.kernel import kernel, run


@dataclass
class Couplers:
    """The couplers of many machines.

    Attributes
    ----------
    first
        Couplers of machine b are those from ``first[b]`` up to ``first[b + 1]``.
    first_qubit
        Qubits of machine b are those from ``first_qubit[b]`` up to ``first_qubit[b + 1]``.
    ends
        The two qubits of each coupler, shape (couplers, 2), numbered through all machines.
    error
        Error of the gate on each coupler.
    dead
        Couplers whose gate does not work at all.
    """

    first: Indices
    first_qubit: Indices
    ends: Indices
    error: Numbers
    dead: Flags

    @property
    def machines(self) -> int:
        """How many machines there are."""
        return self.first.size - 1


@dataclass
class Statistics:
    """What one way of counting says of each machine; NaN where it has no coupler that counts."""

    qubits: Indices
    couplers: Indices
    best: Numbers
    mean: Numbers
    median: Numbers


@kernel
def root(parent: Indices, node: int) -> int:
    """The representative of a node's component, with the path halved on the way."""
    while parent[node] != node:
        parent[node] = parent[parent[node]]
        node = parent[node]
    return node


@kernel
def largest_components(
    first: Indices,
    first_qubit: Indices,
    ends: Indices,
    error: Numbers,
    dead: Flags,
    with_dead: bool,
    parent: Indices,
    size: Indices,
    qubits: Indices,
    couplers: Indices,
    best: Numbers,
    mean: Numbers,
    median: Numbers,
) -> None:
    """Of each machine the largest connected component of couplers that count, and the statistics of its errors.

    Of two components of one size the one with the smallest error counts.
    """
    for b in range(first.shape[0] - 1):
        for q in range(first_qubit[b], first_qubit[b + 1]):
            parent[q] = q
            size[q] = 1
        for e in range(first[b], first[b + 1]):
            if with_dead or not dead[e]:
                one = root(parent, ends[e, 0])
                other = root(parent, ends[e, 1])
                if one != other:
                    parent[one] = other
                    size[other] += size[one]
        chosen = -1
        for e in range(first[b], first[b + 1]):
            if with_dead or not dead[e]:
                here = root(parent, ends[e, 0])
                if chosen < 0 or size[here] > size[chosen]:
                    chosen = here
        if chosen < 0:
            qubits[b] = 0
            couplers[b] = 0
            continue
        count = 0
        total = 0
        for e in range(first[b], first[b + 1]):
            if (with_dead or not dead[e]) and root(parent, ends[e, 0]) == chosen:
                if count == 0:
                    best[b] = error[e]
                total += error[e]
                count += 1
        qubits[b] = size[chosen]
        couplers[b] = count
        mean[b] = total / count
        place = 0
        middle = 0
        for e in range(first[b], first[b + 1]):
            if (with_dead or not dead[e]) and root(parent, ends[e, 0]) == chosen:
                if place == (count - 1) // 2:
                    middle += error[e]
                if place == count // 2:
                    middle += error[e]
                place += 1
        median[b] = middle / 2


@kernel
def grow_parts(
    first: Indices,
    first_qubit: Indices,
    ends: Indices,
    error: Numbers,
    dead: Flags,
    wanted: int,
    inside: Flags,
    added: Numbers,
    links: Indices,
    mean: Numbers,
) -> None:
    """The lowest mean error of a connected part of `wanted` qubits that greedy growth finds.

    From each working coupler in turn, add the neighbouring qubit whose couplers into the part have the lowest mean
    error, until the part has `wanted` qubits; all working couplers inside it count.
    """
    for b in range(first.shape[0] - 1):
        found = False
        for seed in range(first[b], first[b + 1]):
            if dead[seed]:
                continue
            for q in range(first_qubit[b], first_qubit[b + 1]):
                inside[q] = False
                links[q] = 0
                added[q] = 0
            inside[ends[seed, 0]] = True
            inside[ends[seed, 1]] = True
            total = error[seed]
            count = 1
            for e in range(first[b], first[b + 1]):
                if not dead[e] and inside[ends[e, 0]] != inside[ends[e, 1]]:
                    outer = ends[e, 1] if inside[ends[e, 0]] else ends[e, 0]
                    added[outer] += error[e]
                    links[outer] += 1
            members = 2
            while members < wanted:
                pick = -1
                for q in range(first_qubit[b], first_qubit[b + 1]):
                    better = pick < 0 or added[q] * links[pick] < added[pick] * links[q]
                    if not inside[q] and links[q] > 0 and better:
                        pick = q
                if pick < 0:
                    break
                inside[pick] = True
                total += added[pick]
                count += links[pick]
                members += 1
                for e in range(first[b], first[b + 1]):
                    if not dead[e] and (ends[e, 0] == pick or ends[e, 1] == pick):
                        outer = ends[e, 1] if ends[e, 0] == pick else ends[e, 0]
                        if not inside[outer]:
                            added[outer] += error[e]
                            links[outer] += 1
            if members == wanted and (not found or total / count < mean[b]):
                found = True
                mean[b] = total / count


def statistics(couplers: Couplers, with_dead: bool) -> Statistics:
    """Connected qubits and the statistics of their couplers, with dead couplers counted as they stand or left out.

    'Connected' asks that two-qubit gates reach any pair, directly or through others, so the qubits that count are those
    of the largest component (15 CFR 774 Supp. 1, 4A906, technical note 3). Whether a coupler that does not work at all
    counts into the average, as an error of 1, the law does not say.
    """
    machines, nodes = couplers.machines, int(couplers.first_qubit[-1])
    exact = couplers.error.dtype == object
    answer = Statistics(
        np.zeros(machines, np.int64),
        np.zeros(machines, np.int64),
        *(np.full(machines, np.nan, dtype=couplers.error.dtype) for _ in range(3)),
    )
    run(
        largest_components,
        exact,
        couplers.first,
        couplers.first_qubit,
        couplers.ends,
        couplers.error,
        couplers.dead,
        with_dead,
        np.empty(nodes, np.int64),
        np.empty(nodes, np.int64),
        answer.qubits,
        answer.couplers,
        answer.best,
        answer.mean,
        answer.median,
    )
    return answer


def best_connected_part(couplers: Couplers, qubits: int) -> Numbers:
    """A mean error that some connected part of so many qubits reaches; NaN where greedy growth finds no such part.

    An upper bound of the lowest such mean, found by greedy growth from every working coupler. Nothing is claimed about
    how near it is to the lowest.
    """
    nodes = int(couplers.first_qubit[-1])
    exact = couplers.error.dtype == object
    mean = np.full(couplers.machines, np.nan, dtype=couplers.error.dtype)
    added = np.zeros(nodes, dtype=couplers.error.dtype)
    run(
        grow_parts,
        exact,
        couplers.first,
        couplers.first_qubit,
        couplers.ends,
        couplers.error,
        couplers.dead,
        qubits,
        np.zeros(nodes, dtype=bool),
        added,
        np.zeros(nodes, np.int64),
        mean,
    )
    return mean
