"""Judgements become result columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pyarrow as pa

from perfcalc.facts import Facts, Flags, Indices
from perfcalc.fields import FIELDS, KINDS, METRICS, RATES, Metric, needed_fields
from perfcalc.verdicts.decide import NEEDS_LAW, NEEDS_PARTS, NOT_MODELLED, OPEN, VERDICTS
from perfcalc.verdicts.judge import Judgement
from perfcalc.verdicts.tables import Book, kind_mask

SEPARATOR = ";"


def metric_columns(facts: Facts, kinds: Indices) -> dict[str, pa.Array]:
    """``<metric>`` where it is a point, ``<metric>_low`` and ``<metric>_high`` where it is an interval."""
    columns: dict[str, pa.Array] = {}
    for metric in METRICS.values():
        if not _of_kind(metric, kinds).any():
            columns[metric.name] = pa.nulls(facts.size, pa.float64())
            if metric.name == "tpp":
                columns["tpp_format"] = pa.nulls(facts.size, pa.string())
            columns |= {f"{metric.name}_{side}": pa.nulls(facts.size, pa.float64()) for side in ("low", "high")}
            continue
        low, high = (np.asarray(bound, dtype=np.float64) for bound in facts.interval(metric.name))
        of_kind = _of_kind(metric, kinds)
        point, wide = of_kind & (low == high), of_kind & (low < high)
        columns[metric.name] = pa.array(low, mask=~point)
        if metric.name == "tpp":
            columns["tpp_format"] = _formats(facts, of_kind)
        columns[f"{metric.name}_low"] = pa.array(low, mask=~wide)
        columns[f"{metric.name}_high"] = pa.array(high, mask=~wide)
    return columns


def _of_kind(metric: Metric, kinds: Indices) -> Flags:
    allowed = [KINDS.index(kind) for kind in metric.kinds]
    return np.isin(kinds, allowed)


def _formats(facts: Facts, of_kind: Flags) -> pa.Array:
    codes = facts.labels.get("tpp_format", np.full(facts.size, -1, dtype=np.int8))
    names = pa.array([rate.name for rate in RATES])
    return pa.DictionaryArray.from_arrays(pa.array(codes, mask=(codes < 0) | ~of_kind), names).cast(pa.string())


def verdict_columns(
    book: Book,
    judgement: Judgement,
    facts: Facts,
    kinds: Indices,
    turning: Mapping[str, Flags],
    destination: str | None,
) -> dict[str, pa.Array]:
    """The columns of one jurisdiction: verdict, entries, needs, margin and, with a destination, the review line.

    Parameters
    ----------
    turning
        For each changed reading (``name=option``) the items whose verdict it would change.
    """
    prefix, beside = book.jurisdiction, judgement.beside
    margin = np.asarray(judgement.margin, dtype=np.float64)
    columns = {
        f"{prefix}_verdict": pa.DictionaryArray.from_arrays(
            pa.array(judgement.verdict.astype(np.int8)), pa.array(VERDICTS)
        ).cast(pa.string()),
        f"{prefix}_entries": _entries(book, judgement),
        f"{prefix}_needs": _needs(book, judgement, facts, kinds, turning),
        f"{prefix}_margin": pa.array(margin, mask=np.isnan(margin)),
        f"{prefix}_flags": pa.nulls(kinds.size, pa.string()),
    }
    if book.beside is not None and beside is not None:
        columns[f"{prefix}_flags"] = _flags(book.beside, beside)
    if destination is not None:
        columns[f"{prefix}_review"] = _review(book.beside, judgement, beside, kinds, destination)
    return columns


def _decode(masks: Indices, text_of: Callable[[int], str]) -> pa.Array:
    """One text for each distinct mask; null where it is empty."""
    encoded = pa.array(masks).dictionary_encode()
    words = [text_of(mask) or None for mask in encoded.dictionary.to_pylist()]
    return pa.array(words, pa.string()).take(encoded.indices)


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


def _flags(book: Book, judgement: Judgement) -> pa.Array:
    wanted = sum(1 << r for r, rule in enumerate(book.rules) if rule.is_flag)
    pairs, codes = distinct_rows(judgement.met & wanted, judgement.open & wanted)
    words = [SEPARATOR.join(flags_of(book, *pair)) or None for pair in pairs]
    return pa.array(words, pa.string()).take(pa.array(codes))


def _entries(book: Book, judgement: Judgement) -> pa.Array:
    controlled = judgement.verdict == 2
    uncertain = controlled & (judgement.met & book.counting == 0)
    plain = _decode(judgement.met, lambda met: SEPARATOR.join(entries_of(book, met, 0, controlled=False)))
    if not uncertain.any():
        return plain
    words = plain.to_pylist()
    for row in np.flatnonzero(uncertain):
        words[row] = SEPARATOR.join(
            entries_of(book, int(judgement.met[row]), int(judgement.open[row]), controlled=True)
        )
    return pa.array(words, pa.string())


def _needs(book: Book, judgement: Judgement, facts: Facts, kinds: Indices, turning: Mapping[str, Flags]) -> pa.Array:
    undecided = judgement.verdict == OPEN
    if not undecided.any():
        return pa.nulls(facts.size, pa.string())
    # A paragraph whose numbers were not read: no field settles it, only the law's text.
    unread = {r: f"law:{rule.paragraph}" for r, rule in enumerate(book.rules) if rule.unread}
    names = [*FIELDS, *unread.values(), *(f"reading:{change}" for change in turning)]
    masks: dict[str, Flags] = {}

    def add(name: str, rows: Flags) -> None:
        masks[name] = masks[name] | rows if name in masks else rows

    for m, metric in enumerate(book.metrics):
        asked = (judgement.needs >> m & 1).astype(bool)
        if asked.any():
            for field in needed_fields(metric):
                add(field, asked & facts.is_unsettled(field))
    add("part_of", (judgement.needs >> NEEDS_PARTS & 1).astype(bool))
    for r, name in unread.items():
        if book.counting >> r & 1:
            add(name, (judgement.needs >> NEEDS_LAW & judgement.open >> r & 1).astype(bool))
    add("kind", undecided & (kinds < 0))
    for change, turned in turning.items():
        add(f"reading:{change}", turned & undecided)
    used = [name for name in names if name in masks and masks[name].any()]
    if not used:
        return pa.nulls(facts.size, pa.string())
    packed = np.zeros(facts.size, dtype=np.int64)
    for bit, name in enumerate(used):
        packed |= masks[name].astype(np.int64) << bit
    return _decode(packed, lambda mask: SEPARATOR.join(name for bit, name in enumerate(used) if mask >> bit & 1))


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
