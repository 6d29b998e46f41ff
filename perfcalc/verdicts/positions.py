"""Where items stand between the lines: the limits of all books on a metric cut it into pieces.

Two items of one kind that are asked the same and lie in the same pieces get the same answer from every book, however
far apart they are. So a batch of a million items has a few hundred positions, and only those meet the law.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from perfcalc.facts import Facts, Flags, Indices, Numbers
from perfcalc.fields import KINDS, METRICS
from perfcalc.kernel import kernel, run
from perfcalc.verdicts.tables import Book, is_rounded, tested_fields

#: Rows of a block: what the inner loops touch stays in the first-level cache.
BLOCK = 512

#: A float this close to a limit, relative to it, is decided again in exact arithmetic. A metric takes fewer than a
#: hundred roundings of 2**-53 each.
NEAR = 100 * 2.0**-53

#: Bits of a word that positions are packed into; the sign is left alone.
WORD: Final = 63

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
        """Room for one bound's rank: two a limit, and not-a-number beyond them."""
        return (2 * len(self.exact) + 2).bit_length()

    def is_doubtful(self, facts: Facts) -> bool:
        """Whether a float near a limit may be on the wrong side of it."""
        trusted = facts.exact or facts.settled or (self.short and self.metric in facts.certain)
        return self.rounded and not trusted

    def band(self, facts: Facts) -> tuple[Numbers, Numbers]:
        """Both ends of what is taken for each limit."""
        if self.is_doubtful(facts):
            return self.below, self.above
        limits = self.exact if facts.exact else self.exact.astype(np.float64)
        return limits, limits


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
    batch, keys
        What is the same for the whole batch, and for each position what tells it from the others of the batch;
        together they tell it from all others of any batch.
    near
        Positions of floats within rounding of a limit: they are not to be trusted.
    """

    codes: Codes
    first: Indices
    batch: tuple[Any, ...]
    keys: list[Any]
    near: Flags


@kernel
def add_ranks(
    values: Numbers, below: Numbers, above: Numbers, shift: int, other: int, scratch: Indices, word: Indices
) -> None:
    """Pack the rank of each value among the limits into a word, at `shift` and at `other`.

    A limit below the value counts twice, one that the value lies on once; not-a-number comes after them all.
    """
    beyond = 2 * below.shape[0] + 2
    for start in range(0, values.shape[0], BLOCK):
        stop = min(values.shape[0], start + BLOCK)
        of_block, of_word, rank = values[start:stop], word[start:stop], scratch[: stop - start]
        for i in range(rank.shape[0]):
            rank[i] = beyond if of_block[i] != of_block[i] else 0
        for limit in range(below.shape[0]):
            low, high = below[limit], above[limit]
            for i in range(rank.shape[0]):
                rank[i] += (1 if of_block[i] >= low else 0) + (1 if of_block[i] > high else 0)
        for i in range(rank.shape[0]):
            of_word[i] |= rank[i] << shift | rank[i] << other


@kernel
def add_bits(values: Indices, shift: int, word: Indices) -> None:
    """Pack small integers into a word."""
    for i in range(word.shape[0]):
        word[i] |= values[i] << shift


@kernel
def number(word: Indices, slots: Codes, codes: Codes, first: Indices, known: Indices) -> int:
    """Number the distinct words in order of appearance; `slots` are empty (-1), twice as many as rows, a power of two."""
    count = 0
    mask = slots.shape[0] - 1
    for i in range(word.shape[0]):
        key = word[i]
        slot = (key ^ key >> 13 ^ key >> 29 ^ key >> 45) & mask
        code = slots[slot]
        while code >= 0 and known[code] != key:
            slot = slot + 1 & mask
            code = slots[slot]
        if code < 0:
            code = count
            slots[slot] = count
            first[count] = i
            known[count] = key
            count += 1
        codes[i] = code
    return count


def _number(word: Indices, exact: bool) -> tuple[Codes, Indices]:
    slots = np.full(1 << max(2 * word.size - 1, 1).bit_length(), -1, np.int32)
    codes = np.empty(word.size, np.int32)
    first, known = np.empty(word.size, np.int64), np.empty(word.size, np.int64)
    count = run(number, exact, word, slots, codes, first, known)
    return codes, first[:count]


class _Words:
    """Packs what differs between the items of a batch into as few words as it fits."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.words: list[Indices] = []
        self.near: list[int] = []
        self.used = WORD

    def room(self, bits: int) -> int:
        """Where the next bits go in the last word."""
        if self.used + bits > WORD:
            self.words.append(np.zeros(self.size, np.int64))
            self.near.append(0)
            self.used = 0
        self.used += bits
        return self.used - bits


def positions(lines: Lines, facts: Facts, kinds: Indices, is_asked: Callable[[frozenset[str]], Flags]) -> Positions:
    """Find where the items of a batch stand.

    Parameters
    ----------
    is_asked
        For a set of fields, the items that carry any of them.
    """
    exact, size = facts.exact, facts.size
    packed = _Words(size)
    same: list[Any] = []
    present = _present(kinds)
    if len(present) > 1:
        shift = packed.room(len(KINDS).bit_length())
        run(add_bits, exact, kinds + 1, shift, packed.words[-1])
        same.append(None)
    else:
        same.append(present[0] if present else None)
    kind_bits = sum(1 << kind for kind in present if kind >= 0)
    anywhere: dict[frozenset[str] | None, bool] = {None: True}
    for question in lines.questions:
        flags = is_asked(question)
        anywhere[question] = bool(flags.any())
        if not anywhere[question] or flags.all():
            same.append(anywhere[question])
            continue
        shift = packed.room(1)
        run(add_bits, exact, flags.astype(np.int64), shift, packed.words[-1])
        same.append(None)
    scratch = np.empty(BLOCK, np.int64)
    for line in lines.lines:
        if not any(kind_bits & kind and anywhere[question] for kind, question in line.asked):
            same.append(None)
            continue
        below, above = line.band(facts)
        if line.metric not in facts.low:
            assert line.metric not in METRICS, line.metric
            same.append(tuple(_rank(bound, below, above) for bound in facts.unstated(line.metric)))
            continue
        same.append(-1)
        low, high = facts.interval(line.metric)
        shift = packed.room(2 * line.bits)
        other = shift + line.bits
        word = packed.words[-1]
        if line.is_doubtful(facts):
            packed.near[-1] |= 1 << shift | 1 << other
        if low is high:
            run(add_ranks, exact, low, below, above, shift, other, scratch, word)
        else:
            run(add_ranks, exact, low, below, above, shift, shift, scratch, word)
            run(add_ranks, exact, high, below, above, other, other, scratch, word)
    return _numbered(packed, exact, tuple(same))


def _present(kinds: Indices) -> list[int]:
    """The kinds in a batch; most batches hold one."""
    if not kinds.size or (kinds == kinds[0]).all():
        return [int(kinds[0])] if kinds.size else []
    return [int(kind) for kind in np.unique(kinds)]


def _rank(value: float, below: Numbers, above: Numbers) -> int:
    return int(np.count_nonzero(value >= below) + np.count_nonzero(value > above))


def _numbered(packed: _Words, exact: bool, batch: tuple[Any, ...]) -> Positions:
    if not packed.words:
        first = np.zeros(min(packed.size, 1), np.int64)
        return Positions(
            np.zeros(packed.size, np.int32), first, batch, [0] * first.size, np.zeros(first.size, np.bool_)
        )
    codes, first = _number(packed.words[0], exact)
    for word in packed.words[1:]:
        others, _ = _number(word, exact)
        codes, first = _number(codes.astype(np.int64) << 32 | others, exact)
    columns = [word[first] for word in packed.words]
    near = np.zeros(first.size, dtype=np.bool_)
    for column, odd in zip(columns, packed.near, strict=True):
        near |= column & odd != 0
    lists = [column.tolist() for column in columns]
    keys: list[Any] = lists[0] if len(lists) == 1 else list(zip(*lists, strict=True))
    return Positions(codes, first, batch, keys, near)
