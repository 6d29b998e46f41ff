"""Where items stand between the lines: the limits of all books on a metric cut it into pieces.

Two items of one kind that are asked the same and lie in the same pieces get the same answer from every book, however
far apart they are. So a batch of a million items has a few hundred positions, and only those meet the law.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from perfcalc.facts import Facts, Flags, Indices, Numbers
from perfcalc.fields import KINDS, METRICS
from perfcalc.kernel import alike, kernel, run
from perfcalc.verdicts.tables import Book, is_rounded, tested_fields

#: Rows of a block: what the inner loops touch stays in the first-level cache.
BLOCK = 512

#: A float this close to a limit, relative to it, is decided again in exact arithmetic. A metric takes fewer than a
#: hundred roundings of 2**-53 each.
NEAR = 100 * 2.0**-53

#: Bits of a word that positions are packed into; the sign is left alone.
WORD: Final = 63

#: A metric with one limit takes as many for each of its bounds.
LEAST_BITS: Final = 3

#: Words that the numbering of a batch has room for at first: its table stays in the first-level cache.
FEW: Final = 1 << 11

#: Words that a numbering has room for at first which is kept: most sorts of batches have few, and there may be many sorts.
FEWEST: Final = 1 << 4

#: Words are folded to so many bits, and multiplied with 2**32 over the golden ratio.
LOW_BITS: Final = (1 << 31) - 1
SPREAD: Final = 2_654_435_769

Codes = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Line:
    """The limits of one metric over all books, in ascending order.

    Attributes
    ----------
    below, above
        The band around each limit within which a float is not trusted to lie on either side.
    exact
        The limits as fractions.
    rounded
        Whether rounding may have moved the metric; if not, a float on a limit is on it.
    short
        Every limit, however often `Facts.certain` has doubled or halved what is compared with it, is a decimal of at
        most 15 digits.
    asked
        For each kind, the sets of fields with which some rule that tests the metric is asked; none where it always is.
    """

    metric: str
    below: Numbers
    above: Numbers
    exact: Numbers
    rounded: bool
    short: bool
    asked: tuple[tuple[int, frozenset[str] | None], ...]

    @property
    def bits(self) -> int:
        """Room for one bound's rank: two a limit (an even number of them), and not-a-number beyond them."""
        limits = len(self.exact)
        return (2 * (limits + limits % 2) + 2).bit_length()

    def is_doubtful(self, facts: Facts) -> bool:
        """Whether a float near a limit may be on the wrong side of it."""
        trusted = facts.exact or facts.settled or (self.short and self.metric in facts.certain)
        return self.rounded and not trusted

    @cached_property
    def _bands(self) -> dict[str, tuple[Numbers, Numbers]]:
        floats = self.exact.astype(np.float64)
        bands = {"doubtful": (self.below, self.above), "certain": (floats, floats), "exact": (self.exact, self.exact)}
        # Nothing is above a limit that is not a number.
        odd = [np.nan] * (len(self.exact) % 2)
        return {name: (np.append(below, odd), np.append(above, odd)) for name, (below, above) in bands.items()}

    def band(self, facts: Facts) -> tuple[Numbers, Numbers]:
        """Both ends of what is taken for each limit; for an even number of limits, the last may be not a number."""
        return self._bands["doubtful" if self.is_doubtful(facts) else "exact" if facts.exact else "certain"]

    def rank(self, value: float) -> int:
        """Where a number that no rounding moved lies among the limits, as `add_ranks` counts."""
        return sum((value >= limit) + (value > limit) for limit in self.exact)


@dataclass(frozen=True)
class Lines:
    """All limits of a set of books, and all sets of fields with which some rule is asked."""

    lines: tuple[Line, ...]
    questions: tuple[frozenset[str], ...]


def lines_of(books: Iterable[Book]) -> Lines:
    """Gather the limits of books, metric by metric."""
    limits: dict[str, set[Fraction]] = {}
    asked: dict[str, dict[tuple[int, frozenset[str] | None], None]] = {}
    questions: dict[frozenset[str], None] = {}
    for book in books:
        for r, rule in enumerate(book.rules):
            question = None if rule.core else tested_fields(rule)
            if question is not None:
                questions[question] = None
            for condition in rule.conditions():
                limits.setdefault(condition.metric, set()).add(condition.limit)
                asked.setdefault(condition.metric, {})[int(book.program.kinds[r]), question] = None
    lines = []
    for metric, values in limits.items():
        exact: Numbers = np.empty(len(values), dtype=object)
        exact[:] = sorted(values)
        rounded = is_rounded(metric)
        # Below a limit of one the distance is absolute: an error found as 1 - fidelity carries the rounding of a
        # number near one, however small the error and its limit are.
        reach = [NEAR * max(float(limit), 1) if rounded else 0.0 for limit in exact]
        floats = exact.astype(np.float64)
        short = all(_is_short(limit * Fraction(2) ** times) for limit in exact for times in range(-12, 13))
        lines.append(Line(metric, floats - reach, floats + reach, exact, rounded, short, tuple(asked[metric])))
    return Lines(tuple(lines), tuple(questions))


def _is_short(limit: Fraction) -> bool:
    return Fraction(f"{float(limit):.15g}") == limit


@dataclass
class Positions:
    """Where the items of a batch stand.

    Attributes
    ----------
    codes
        For each item, the number of its position in this batch.
    first
        For each position, the first item in it.
    batch, words
        What is the same for the whole batch, and for each position the words that tell it from the others of the batch;
        together they tell it from all others of any batch.
    near
        Positions of floats within rounding of a limit: they are not to be trusted.
    """

    codes: Codes
    first: Indices
    batch: tuple[Any, ...]
    words: list[Indices]
    near: Flags


@kernel
def add_ranks(
    columns: Sequence[Numbers], below: Numbers, above: Numbers, first: Indices, units: Indices, word: Indices
) -> None:
    """Pack the rank of each value of some columns among the limits of its column into a word, each counted in a unit of its own.

    A limit below the value counts twice, one that the value lies on once; not-a-number comes after them all. Column c
    has the limits from ``first[c]`` up to ``first[c + 1]``, an even number. There may be more columns than units.
    """
    for start in range(0, word.shape[0], BLOCK):
        of_word = word[start : start + BLOCK]
        for i in range(of_word.shape[0]):
            of_word[i] = 0
        for c in range(units.shape[0]):
            values, unit = columns[c][start : start + BLOCK], units[c]
            beyond = (2 * (first[c + 1] - first[c]) + 2) * unit
            # Two limits at a time: the passes over a block cost more than the comparisons do.
            for limit in range(first[c], first[c + 1], 2):
                low, high, next_low, next_high = below[limit], above[limit], below[limit + 1], above[limit + 1]
                for i in range(of_word.shape[0]):
                    value = values[i]
                    rank = (unit if value >= low else 0) + (unit if value > high else 0)
                    rank += (unit if value >= next_low else 0) + (unit if value > next_high else 0)
                    of_word[i] += rank + (beyond if value != value else 0)  # noqa: PLR0124 - not a number
                beyond = 0


@kernel
def add_bits(values: Indices, shift: int, word: Indices) -> None:
    """Pack small integers into a word."""
    for i in range(word.shape[0]):
        word[i] |= values[i] << shift


@kernel
def number(word: Indices, count: int, slots: Indices, numbers: Codes, codes: Codes, first: Indices) -> int:
    """Number words in order of appearance, those in the table as before; how many there are then, or -1 if too many.

    The table's `slots`, a power of two, hold words; empty ones are -1, and no word is. Beside them stand their
    `numbers`, for no more words than `first` has room: the place where a new word appears first.
    """
    mask = slots.shape[0] - 1
    # By itself, this loop is vectorised. Multiplying spreads words that differ in a few bits; nothing overflows.
    for i in range(word.shape[0]):
        key = (word[i] ^ word[i] >> 31) & LOW_BITS
        codes[i] = (key * SPREAD >> 24) & mask
    for i in range(word.shape[0]):
        key, slot = word[i], codes[i]
        while slots[slot] != key:
            if slots[slot] < 0:
                if count == first.shape[0]:
                    return -1
                slots[slot] = key
                numbers[slot] = count
                first[count] = i
                count += 1
            else:
                slot = slot + 1 & mask
        codes[i] = numbers[slot]
    return count


class Numbering:
    """Numbers words in order of appearance, and remembers them: an open hash table that grows."""

    def __init__(self, room: int = FEW) -> None:
        self.count = 0
        self._room(room)

    def _room(self, words: int) -> None:
        self.slots = np.full(4 * words, -1, np.int64)
        self.numbers = np.zeros(4 * words, np.int32)
        self.first = np.empty(words, np.int64)

    def number(self, word: Indices) -> Codes:
        """For each word its number; of each new one, `first` is its place."""
        codes = np.empty(word.size, np.int32)
        while True:
            count = run(number, False, word, self.count, self.slots, self.numbers, codes, self.first)
            if count >= 0:
                self.count = count
                return codes
            taken = np.flatnonzero(self.slots >= 0)
            known = self.slots[taken[np.argsort(self.numbers[taken])]][: self.count]
            self._room(8 * self.first.size)
            run(number, False, known, 0, self.slots, self.numbers, np.empty(known.size, np.int32), self.first)


class Numberings:
    """Numbers tuples of words, of which each row has one."""

    def __init__(self, room: int = FEW) -> None:
        self.room = room
        self.tables: list[Numbering] = []

    @property
    def count(self) -> int:
        """How many different tuples there were."""
        return self.tables[-1].count if self.tables else 1

    def number(self, words: Sequence[Indices], rows: int) -> Codes:
        """For each row the number of its words, in order of appearance."""
        if not words:
            return np.zeros(rows, np.int32)
        self.tables = self.tables or [Numbering(self.room) for _ in range(2 * len(words) - 1)]
        codes = self.tables[0].number(words[0])
        for at, word in enumerate(words[1:]):
            others = self.tables[2 * at + 1].number(word)
            codes = self.tables[2 * at + 2].number(codes.astype(np.int64) << 32 | others)
        return codes


class _Words:
    """Packs what differs between the items of a batch into as few words as it fits."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.bits: list[list[tuple[Indices | Flags, int]]] = []
        self.ranks: list[list[tuple[Numbers, int, Line]]] = []
        self.near: list[int] = []
        self.used = WORD

    def _place(self, bits: int) -> int:
        """Where the next bits go in the last word."""
        if self.used + bits > WORD:
            self.bits.append([])
            self.ranks.append([])
            self.near.append(0)
            self.used = 0
        self.used += bits
        return self.used - bits

    def add_bits(self, values: Indices | Flags, bits: int) -> None:
        """Pack small integers."""
        shift = self._place(bits)
        self.bits[-1].append((values, shift))

    def add_ranks(self, line: Line) -> None:
        """Pack the ranks of both bounds of a metric."""
        low, high = self.facts.interval(line.metric)
        one = 1 << self._place(2 * line.bits)
        other = one << line.bits
        if line.is_doubtful(self.facts):
            # An odd rank is on a limit.
            self.near[-1] |= one | other
        self.ranks[-1] += [(low, one | other, line)] if low is high else [(low, one, line), (high, other, line)]

    def words(self) -> list[Indices]:
        """The words, filled."""
        return [self._filled(*each) for each in zip(self.bits, self.ranks, strict=True)]

    def _filled(self, bits: list[tuple[Indices | Flags, int]], ranks: list[tuple[Numbers, int, Line]]) -> Indices:
        exact, size = self.facts.exact, self.facts.size
        if not ranks:
            word = np.zeros(size, np.int64)
        else:
            word = np.empty(size, np.int64)
            columns = [column for column, _, _ in ranks]
            bands = [line.band(self.facts) for _, _, line in ranks]
            below, above = (np.concatenate(each) for each in zip(*bands, strict=True))
            first = np.cumsum([0, *(each.size for each, _ in bands)])
            units = np.array([unit for _, unit, _ in ranks], np.int64)
            # As many as there may be in a word, so that the kernel is compiled once.
            columns += columns[-1:] * (WORD // LEAST_BITS - len(columns))
            run(add_ranks, exact, alike(columns), below, above, first, units, word)
        for values, shift in bits:
            run(add_bits, False, values.astype(np.int64), shift, word)
        return word


def positions(
    lines: Lines, facts: Facts, kinds: Indices, is_asked: Callable[[frozenset[str]], bool | Flags]
) -> Positions:
    """Find where the items of a batch stand.

    Parameters
    ----------
    is_asked
        For a set of fields, the items that carry any of them; or whether all items do, or none.
    """
    packed = _Words(facts)
    same: list[Any] = []
    present = kinds_in(kinds)
    if len(present) > 1:
        packed.add_bits(kinds + 1, len(KINDS).bit_length())
        same.append(None)
    else:
        same.append(present[0] if present else None)
    kind_bits = sum(1 << kind for kind in present if kind >= 0)
    anywhere: dict[frozenset[str] | None, bool] = {None: True}
    for question in lines.questions:
        flags = is_asked(question)
        anywhere[question] = flags is not False
        if isinstance(flags, bool):
            same.append(flags)
        else:
            packed.add_bits(flags, 1)
            same.append(None)
    for line in lines.lines:
        if not any(kind_bits & kind and anywhere[question] for kind, question in line.asked):
            same.append(None)
        elif line.metric not in facts.low:
            assert line.metric not in METRICS, line.metric
            same.append(tuple(line.rank(bound) for bound in facts.unstated(line.metric)))
        else:
            packed.add_ranks(line)
            same.append(-1)
    words = packed.words()
    here = Numberings()
    codes = here.number(words, facts.size)
    first = here.tables[-1].first[: here.count].copy() if words else np.zeros(min(facts.size, 1), np.int64)
    of_positions = [word[first] for word in words]
    near = np.zeros(first.size, dtype=np.bool_)
    for word, odd in zip(of_positions, packed.near, strict=True):
        near |= word & odd != 0
    return Positions(codes, first, tuple(same), of_positions, near)


def kinds_in(kinds: Indices) -> list[int]:
    """The kinds in a batch; most batches hold one."""
    if not kinds.size or (kinds == kinds[0]).all():
        return [int(kinds[0])] if kinds.size else []
    return [int(kind) for kind in np.unique(kinds)]
