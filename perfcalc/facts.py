"""Facts: what is known of a batch of items, every number an interval."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from perfcalc.fields import FIELDS

#: float64, or `object` holding `fractions.Fraction` (and ``float("inf")``) in the exact re-check.
Numbers: TypeAlias = npt.NDArray[Any]
Flags: TypeAlias = npt.NDArray[np.bool_]
Indices: TypeAlias = npt.NDArray[np.int64]
Labels: TypeAlias = npt.NDArray[np.int8]


@dataclass
class Links:
    """Which rows belong together.

    Attributes
    ----------
    ic
        For each row, the number of the IC that it describes: rows that share an id and carry a unit are one IC.
    ics
        How many ICs there are.
    board
        For each row, the row of the computer or board that contains it, else -1.
    """

    ic: Indices
    ics: int
    board: Indices


#: Factors that floats are multiplied with without rounding: doubling and halving.
UNROUNDED: Final = frozenset({Fraction(0), *(Fraction(2) ** times for times in range(-3, 7))})


@dataclass
class Facts:
    """Fields and metrics of a batch of items.

    Attributes
    ----------
    size
        Number of rows.
    exact
        The arrays hold fractions: this is the exact re-check.
    low, high
        For each field or metric the ends of its interval. A point has the same end twice (most often the same
        array). Nothing known is the widest interval. Not a number at both ends stands for a quantity that the item does
        not have, such as the density of a planar chip: no condition on it can be met.
    given
        For each field of the sheet, the rows that carry a value (an "unknown" one too).
    unsettled
        For a field, the rows where knowing it better could move a metric. Default: where its interval is wide.
    labels
        Side results that are names, coded as small integers (which format gave the TPP).
    links
        How rows belong together; none when every row is an item of its own.
    certain
        Fields whose every number is the float nearest to a decimal of at most 15 digits. No two such decimals have the
        same float, so comparing one with a limit of as few digits is exact. And metrics that are the highest of such
        numbers × some of `UNROUNDED`.
    settled
        Whatever lay near a limit was found exactly: floats are on the side of it on which the exact numbers are.
    shared
        What several metrics need, while they are computed.
    """

    size: int
    exact: bool = False
    low: dict[str, Numbers] = field(default_factory=dict)
    high: dict[str, Numbers] = field(default_factory=dict)
    given: dict[str, Flags] = field(default_factory=dict)
    unsettled: dict[str, Flags] = field(default_factory=dict)
    labels: dict[str, Labels] = field(default_factory=dict)
    links: Links | None = None
    certain: set[str] = field(default_factory=set)
    settled: bool = False
    shared: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False)

    def set(self, name: str, low: Numbers, high: Numbers) -> None:
        """Store the interval of one field or metric."""
        self.low[name] = low
        self.high[name] = high
        self.certain.discard(name)

    def interval(self, name: str) -> tuple[Numbers, Numbers]:
        """Both ends of a field or metric; one that the sheet does not have is unknown, or, a rate, not claimed."""
        if name in self.low:
            return self.low[name], self.high[name]
        low, high = self.unstated(name)
        zero = self.full(low)
        return zero, zero if high == low else self.full(high)

    @staticmethod
    def unstated(name: str) -> tuple[float, float]:
        """Both ends of a field or metric that the sheet does not have, the same in every row."""
        field = FIELDS.get(name)
        if field is not None and field.blank_is_zero:
            return 0, 0
        # A choice that the sheet has no column for may be any of its options.
        choice = field is not None and field.type == "choice"
        return 0, len(FIELDS[name].choices) - 1 if choice else np.inf

    def take(self, rows: Indices) -> Facts:
        """The facts of some rows, for items that stand alone."""
        taken = Facts(rows.size, self.exact)
        for name, low in self.low.items():
            high = self.high[name]
            of_rows = low[rows]
            taken.set(name, of_rows, of_rows if high is low else high[rows])
        taken.given = {name: flags[rows] for name, flags in self.given.items()}
        taken.certain, taken.settled = set(self.certain), self.settled
        return taken

    def is_given(self, name: str) -> Flags:
        """Rows that carry a value of `name`."""
        return self.given.get(name, np.zeros(self.size, dtype=bool))

    def is_unsettled(self, name: str) -> Flags:
        """Rows where knowing `name` better could move a metric."""
        if name in self.unsettled:
            return self.unsettled[name]
        low, high = self.interval(name)
        return np.asarray(low != high, dtype=bool)

    @property
    def zero(self) -> float | Fraction:
        """Nothing, as a number of these facts."""
        return Fraction(0) if self.exact else 0.0

    def empty(self) -> Numbers:
        """An array for a number in every row, all of which are still to be set."""
        return np.empty(self.size, dtype=object if self.exact else np.float64)

    def full(self, value: float) -> Numbers:
        """An array with the same number in every row."""
        if self.exact:
            number = Fraction(value) if np.isfinite(value) else value
            filled = np.empty(self.size, dtype=object)
            filled[:] = number
            return filled
        return np.full(self.size, value, dtype=np.float64)
