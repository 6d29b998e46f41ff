"""Judgements become result columns."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from functools import lru_cache, partial
from typing import Final

import numpy as np
import pyarrow as pa

from perfcalc.facts import Facts, Flags, Indices, Numbers
from perfcalc.fields import FIELDS, KINDS, METRICS, RATES, Metric, needed_fields
from perfcalc.nulls import spelled, with_nulls
from perfcalc.verdicts.decide import NEEDS_LAW, NEEDS_PARTS, NOT_MODELLED, OPEN, VERDICTS, Answers
from perfcalc.verdicts.judge import Judgement
from perfcalc.verdicts.positions import Codes
from perfcalc.verdicts.tables import Book, kind_mask

SEPARATOR = ";"
CONTROLLED: Final = VERDICTS.index("controlled")
#: Answers whose words are kept; a few hundred are met in practice.
KEPT_WORDS: Final = 1 << 14


#: The columns of one jurisdiction, after its prefix, and those that only what stands beside its book can fill.
LICENCE_COLUMNS: Final = frozenset({"licence", "exceptions", "review"})
BESIDE_COLUMNS: Final = frozenset({"flags"}) | LICENCE_COLUMNS
BOOK_COLUMNS: Final = frozenset({"verdict", "entries", "needs", "margin"}) | BESIDE_COLUMNS


class _Everything:
    """Contains every name."""

    def __contains__(self, _name: object) -> bool:
        return True


EVERYTHING: Final = _Everything()


def metric_columns(facts: Facts, kinds: Indices, wanted: Container[str] = EVERYTHING) -> dict[str, pa.Array]:
    """``<metric>`` where it is a point, ``<metric>_low`` and ``<metric>_high`` where it is an interval."""
    columns: dict[str, pa.Array] = {}
    nothing = pa.nulls(facts.size, pa.float64())
    one_kind = kinds[:1] if kinds.size and (kinds == kinds[0]).all() else kinds
    for metric in METRICS.values():
        names = [metric.name, f"{metric.name}_low", f"{metric.name}_high"]
        of_kind = np.broadcast_to(_of_kind(metric, one_kind), facts.size)
        asked = of_kind.any() and any(name in wanted for name in names)
        points, lows, highs = _ends(facts, metric.name, of_kind, nothing) if asked else (nothing,) * 3
        columns[metric.name] = points
        if metric.name == "tpp":
            columns["tpp_format"] = _formats(facts, of_kind)
        columns |= {names[1]: lows, names[2]: highs}
    return {name: column for name, column in columns.items() if name in wanted}


def _ends(facts: Facts, name: str, of_kind: Flags, nothing: pa.Array) -> tuple[pa.Array, pa.Array, pa.Array]:
    """A metric where it is a point, and both ends where it is not."""
    low, high = (np.asarray(bound, dtype=np.float64) for bound in facts.interval(name))
    if low is high:
        point, wide = of_kind & (low == low), None  # noqa: PLR0124 - not NaN
    else:
        point, wide = of_kind & (low == high), of_kind & (low < high)
    points = with_nulls(low, point)
    if wide is None or not wide.any():
        return points, nothing, nothing
    return points, with_nulls(low, wide), with_nulls(high, wide)


def _of_kind(metric: Metric, kinds: Indices) -> Flags:
    allowed = np.zeros(len(KINDS) + 1, dtype=bool)  # the last is for kinds that are not known, -1
    allowed[[KINDS.index(kind) for kind in metric.kinds]] = True
    return allowed[kinds]


def _formats(facts: Facts, of_kind: Flags) -> pa.Array:
    codes = facts.labels.get("tpp_format", np.full(facts.size, -1, dtype=np.int8))
    return spelled(np.where(of_kind, codes, -1).astype(np.int32), [rate.name for rate in RATES])


def _said(words: Sequence[str | None], codes: Indices | Codes) -> pa.Array:
    """The words of each row, as a dictionary: equal words once, rows without words null."""
    place = {word: at for at, word in enumerate(dict.fromkeys(word for word in words if word))}
    lookup = np.array([place[word] if word else -1 for word in words], dtype=np.int32)
    return spelled(np.take(lookup, codes) if len(words) else np.full(codes.size, -1, np.int32), list(place))


def _unsaid(rows: int) -> pa.Array:
    return _said([None], np.zeros(rows, dtype=np.int64))


def verdict_columns(
    book: Book,
    judgement: Judgement,
    facts: Facts,
    kinds: Indices,
    turning: Mapping[str, Flags],
    destination: str | None,
    wanted: Container[str] = EVERYTHING,
) -> dict[str, pa.Array]:
    """The columns of one jurisdiction: verdict, entries, needs, margin and, with a destination, the review line.

    Parameters
    ----------
    turning
        For each changed reading (``name=option``) the items whose verdict it would change.
    wanted
        Those of them to make, without the prefix.
    """
    prefix, beside = book.jurisdiction, judgement.beside
    answers, codes = judgement.answers, judgement.codes
    columns: dict[str, Callable[[], pa.Array]] = {
        "verdict": lambda: _said([VERDICTS[word] for word in answers.verdict], codes),
        "entries": lambda: _said(_each(answers, partial(_entries, book)), codes),
        "needs": lambda: _needs(book, judgement, facts, kinds, turning),
        "margin": lambda: _margins(judgement.margin),
        "flags": lambda: (
            _said(_each(beside.answers, partial(_flags, book.beside)), beside.codes)
            if book.beside and beside
            else _unsaid(kinds.size)
        ),
    }
    made = {f"{prefix}_{name}": make() for name, make in columns.items() if name in wanted}
    if destination is not None and any(name in wanted for name in LICENCE_COLUMNS):
        made[f"{prefix}_review"] = _review(book.beside, judgement, beside, kinds, destination)
    return made


def _each(answers: Answers, say: Callable[[int, int, int], str | None]) -> list[str | None]:
    """What is said of verdict, met and open paragraphs, for each position."""
    return list(map(say, answers.verdict.tolist(), answers.met.tolist(), answers.open.tolist()))


def _margins(margin: Numbers | None) -> pa.Array:
    numbers = np.asarray(margin, dtype=np.float64)
    return with_nulls(numbers, ~np.isnan(numbers))


@lru_cache(maxsize=KEPT_WORDS)
def _entries(book: Book, verdict: int, met: int, still_open: int) -> str | None:
    uncertain = verdict == CONTROLLED and not met & book.counting
    return SEPARATOR.join(entries_of(book, met, still_open, controlled=uncertain)) or None


def entries_of(book: Book, met: int, still_open: int, controlled: bool) -> list[str]:
    """The entries that an item meets, the principal one first.

    When every way to complete the facts leads into one paragraph or another of an entry, but not always the same,
    the entry is named without its paragraph.
    """
    listed = [rule.paragraph for r, rule in enumerate(book.rules) if met >> r & 1 and rule.role == "control"]
    if controlled and not met & book.counting:
        open_rules = [rule.entry for r, rule in enumerate(book.rules) if still_open & book.counting & 1 << r]
        listed = [*dict.fromkeys(open_rules), *listed]
    return listed


def distinct_rows(*masks: Indices) -> tuple[list[tuple[int, ...]], Indices]:
    """The distinct combinations of some masks, and which of them each row has. Hashed, not sorted: there are few."""
    combined = np.zeros(masks[0].size, dtype=np.int64)
    for mask in masks:
        encoded = pa.array(np.asarray(mask, dtype=np.int64)).dictionary_encode()
        codes = encoded.indices.to_numpy().astype(np.int64)
        combined = pa.array(combined * len(encoded.dictionary) + codes).dictionary_encode().indices.to_numpy()
        combined = combined.astype(np.int64)
    first = np.zeros(int(combined.max(initial=-1)) + 1, dtype=np.int64)
    first[combined[::-1]] = np.arange(combined.size)[::-1]
    return [tuple(int(mask[row]) for mask in masks) for row in first], combined


def flags_of(book: Book, met: int, still_open: int) -> list[str]:
    """The paragraphs of other roles that an item meets; those that it may meet carry a question mark."""
    return [
        rule.paragraph if met >> r & 1 else f"{rule.paragraph}?"
        for r, rule in enumerate(book.rules)
        if rule.is_flag and (met | still_open) >> r & 1
    ]


@lru_cache(maxsize=KEPT_WORDS)
def _flags(book: Book, _verdict: int, met: int, still_open: int) -> str | None:
    return SEPARATOR.join(flags_of(book, met, still_open)) or None


def _needs(book: Book, judgement: Judgement, facts: Facts, kinds: Indices, turning: Mapping[str, Flags]) -> pa.Array:
    rows = np.flatnonzero(judgement.verdict == OPEN)
    if not rows.size:
        return _unsaid(facts.size)
    # A paragraph whose numbers were not read: no field settles it, only the law's text.
    unread = {r: f"law:{rule.paragraph}" for r, rule in enumerate(book.rules) if rule.unread}
    names = [*FIELDS, *unread.values(), *(f"reading:{change}" for change in turning)]
    masks: dict[str, Flags] = {}
    needs, still_open = judgement.needs[rows], judgement.open[rows]

    def add(name: str, asked: Flags) -> None:
        masks[name] = masks[name] | asked if name in masks else asked

    for m, metric in enumerate(book.metrics):
        asked = (needs >> m & 1).astype(bool)
        if asked.any():
            for field in needed_fields(metric):
                add(field, asked & facts.is_unsettled(field)[rows])
    add("part_of", (needs >> NEEDS_PARTS & 1).astype(bool))
    for r, name in unread.items():
        if book.counting >> r & 1:
            add(name, (needs >> NEEDS_LAW & still_open >> r & 1).astype(bool))
    add("kind", kinds[rows] < 0)
    for change, turned in turning.items():
        add(f"reading:{change}", turned[rows])
    used = [name for name in names if name in masks and masks[name].any()]
    packed = np.zeros(rows.size, dtype=np.int64)
    for bit, name in enumerate(used):
        packed |= masks[name].astype(np.int64) << bit
    found, at = np.unique(packed, return_inverse=True)
    words = [
        SEPARATOR.join(name for bit, name in enumerate(used) if mask >> bit & 1) or None for mask in found.tolist()
    ]
    codes = np.full(facts.size, len(words), dtype=np.int64)
    codes[rows] = at
    return _said([*words, None], codes)


def _review(
    book: Book | None, judgement: Judgement, beside: Judgement | None, kinds: Indices, destination: str
) -> pa.Array:
    """How a licence application for this destination is judged, by the numbers alone."""
    words = np.full(kinds.size, "not_modelled", dtype=object)
    for r, rule in enumerate(() if book is None else book.rules):
        if beside is not None and rule.review is not None and destination in rule.destinations:
            covered = (kind_mask(rule) >> np.maximum(kinds, 0) & 1).astype(bool) & (kinds >= 0)
            met, still_open = beside.met >> r & 1 == 1, beside.open >> r & 1 == 1
            words[covered] = rule.review[1]
            words[covered & met] = rule.review[0]
            words[covered & still_open] = "cannot_tell"
            words[covered & (judgement.verdict == OPEN)] = "cannot_tell"
            words[covered & (judgement.verdict == 0)] = "not_applicable"
    words[judgement.verdict == NOT_MODELLED] = "not_modelled"
    return pa.array(words, pa.string())


def result_names(jurisdictions: Sequence[str], destination: str | None) -> list[str]:
    """Every result column, in order."""
    names: list[str] = []
    for metric in METRICS:
        names += [metric, *(["tpp_format"] if metric == "tpp" else []), f"{metric}_low", f"{metric}_high"]
    for prefix in jurisdictions:
        names += [f"{prefix}_verdict", f"{prefix}_entries", f"{prefix}_needs", f"{prefix}_margin", f"{prefix}_flags"]
        names += [f"{prefix}_licence", f"{prefix}_exceptions", f"{prefix}_review"] if destination is not None else []
    return [*names, "problems"]
