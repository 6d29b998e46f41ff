"""Rows that belong together: processing units of one IC, and the parts of a board or computer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from perfcalc.facts import Facts, Links, Numbers
from perfcalc.kernel import kernel, run

Texts = Sequence[str | None]


def link(ids: Texts, names: Texts, units: Texts, wholes: Texts) -> Links | None:
    """Find the rows that belong together.

    Parameters
    ----------
    ids, names, units, wholes
        The cells of `id`, `name`, `unit` and `part_of`. Rows with the same id (the name, where the id is blank) and
        any unit are one IC. A `part_of` cell points to a row by its id or name.

    Returns
    -------
    Links or None
        None when every row is an item of its own.
    """
    if not any(units) and not any(wholes):
        return None
    size = len(names)
    by_key: dict[str, int] = {}
    for row in range(size - 1, -1, -1):
        by_key |= {key: row for key in (names[row], ids[row]) if key}
    ic = np.arange(size, dtype=np.int64)
    first: dict[str, int] = {}
    for row, unit in enumerate(units):
        key = ids[row] or names[row]
        if unit and key:
            ic[row] = first.setdefault(key, row)
    board = np.full(size, -1, dtype=np.int64)
    for row, whole in enumerate(wholes):
        if whole:
            board[row] = by_key.get(whole, -1)
    numbers, ic = np.unique(ic, return_inverse=True)
    return Links(ic=ic.astype(np.int64), ics=len(numbers), board=board)


@kernel
def total_by_ic(values: Numbers, ic: Numbers, totals: Numbers) -> None:
    """Add the values of the rows of each IC."""
    for i in range(values.shape[0]):
        totals[ic[i]] += values[i]


@kernel
def largest_by_ic(values: Numbers, ic: Numbers, largest: Numbers) -> None:
    """Keep the largest value of the rows of each IC (values are never negative)."""
    for i in range(values.shape[0]):
        largest[ic[i]] = max(largest[ic[i]], values[i])


def join_units(
    facts: Facts, how: str, low: Numbers, high: Numbers, names: Sequence[str], bits: Sequence[int]
) -> tuple[Numbers, Numbers]:
    """Join the processing units of each IC, every row of which then carries the whole IC's value.

    `how` is the reading `units`: the sum of each unit's best, the best sum at one bit length, or the largest unit.
    """
    links = facts.links
    if links is None or links.ics == facts.size:
        return low, high

    def gather(values: Numbers, largest: bool = False) -> Numbers:
        joined = facts.full(0)[: links.ics].copy()
        run(largest_by_ic if largest else total_by_ic, facts.exact, values, links.ic, joined)
        return joined

    if how == "same_format":
        bounds = []
        for side, fallback in ((facts.low, low), (facts.high, high)):
            best = facts.full(0)[: links.ics].copy()
            for name, weight in zip(names, bits, strict=True):
                total = gather(side[name] * weight)
                best = np.where(np.asarray(total > best, dtype=bool), total, best)
            # A unit that claims no rate at all is unknown, at whatever bit length.
            best[links.ic[np.asarray(fallback == np.inf, dtype=bool)]] = np.inf
            bounds.append(best)
    else:
        bounds = [gather(low, how == "max"), gather(high, how == "max")]
    return bounds[0][links.ic], bounds[1][links.ic]


def join_boards(facts: Facts, how: str, low: Numbers, high: Numbers) -> tuple[Numbers, Numbers]:
    """Under the reading ``board=whole``, give every IC of a board the total over the board's ICs."""
    links = facts.links
    if how == "each_ic" or links is None or not (links.board >= 0).any():
        return low, high
    quantity = facts.interval("quantity")
    bounds = []
    for values, counts in ((low, quantity[0]), (high, quantity[1])):
        totals: dict[int, float] = {}
        counted: set[int] = set()
        rows = np.flatnonzero(links.board >= 0)
        for row in rows:
            board, ic = int(links.board[row]), int(links.ic[row])
            if ic not in counted:
                counted.add(ic)
                totals[board] = totals.get(board, 0) + values[row] * counts[row]
        joined = values.copy()
        for row in rows:
            joined[row] = totals[int(links.board[row])]
        bounds.append(joined)
    return bounds[0], bounds[1]
