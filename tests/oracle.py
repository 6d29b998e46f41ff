"""A slow, exact second opinion on the United States rules, written from the law alone.

Nothing here comes from the package under test. The sources are 15 CFR part 774, Supplement No. 1
(entries 3A090, 4A090, 3A991.p, 4A994.l, 4A003.b) as of 2026-07-23; older versions, start days and
742.6(b)(10) follow excerpts. Validity is half-open: a rule holds from its day until its successor's.

The method is *completion*. What a sheet leaves open is filled in every way that could matter, each
filled-in item is judged by ordinary two-valued law, and the answers are compared: a paragraph is surely
met if every completion meets it, possible if only some do. The points that could matter are the ends of
each interval, every limit inside it and one point of each gap between; no limit lies in a gap, so the
point just below a limit, the point just above it and the gap's midpoint are all judged alike.

An engine that joins single conditions by three-valued logic sees less than this: the union of paragraphs
("a.2 or b.1, whichever it is"), and density = TPP / area with the same TPP in all three places. Once the
union is taken care of, such an engine may say `cannot_tell` where completion says more only when the TPP
itself is wide.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from itertools import pairwise, product
from typing import NamedTuple, TypeAlias

Item: TypeAlias = Mapping[str, str | None]
Interval: TypeAlias = tuple[Fraction, Fraction | float]
Codes: TypeAlias = frozenset[str]

INFINITY = float("inf")
NOTHING: Interval = (Fraction(0), Fraction(0))
UNKNOWN: Interval = (Fraction(0), INFINITY)

_FLOPS = {"fp64": 64, "fp32": 32, "tf32": 19, "bf16": 16, "fp16": 16, "fp8": 8, "fp6": 6, "fp4": 4}
_OPS = {"int32": 32, "int16": 16, "int8": 8, "int4": 4, "int2": 2, "int1": 1}
BITS = {f"{name}_tflops": bits for name, bits in _FLOPS.items()} | {f"{name}_tops": bits for name, bits in _OPS.items()}

APP_70 = date(2021, 3, 29)  # 86 FR 16482: 4A003.b at 70 WT
FIRST_RULE = date(2022, 10, 21)  # 87 FR 62186: 3A090, 4A090, 3A991.p, 4A994.l
DENSITY_RULE = date(2023, 11, 17)  # 88 FR 73458: TPP and performance density
CORRECTION = date(2024, 4, 4)  # 89 FR 23876: 4A090.b no longer reserved
HBM_RULE = date(2024, 12, 2)  # 89 FR 96790: 3A090.c
REVIEW_RULE = date(2026, 1, 15)  # 91 FR 1684: case-by-case review for China and Macau

DENSITY_LIMITS = (Fraction("1.6"), Fraction("3.2"), Fraction("5.92"))
TPP_LIMITS = (1600, 2400, 4800, 21000)
IO_LIMITS = (150, 600)
AT_ONLY = ("3A991", "4A994")  # reason for control: anti-terrorism alone

_NUMBER = r"(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?"
_RANGE = re.compile(rf"({_NUMBER})(?:\s*(?:\.\.|-)\s*({_NUMBER}))?")


def _blank(text: str | None) -> bool:
    return text is None or not text.strip()


def interval(text: str | None, *, blank: Interval) -> Interval:
    """Read a cell exactly: "312", "600-650" or "600..650", "?" (anything from zero up), or `blank`."""
    if text is None or not text.strip():
        return blank
    if text.strip() == "?":
        return UNKNOWN
    match = _RANGE.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"not a number: {text!r}")
    low = Fraction(match[1])
    high = Fraction(match[2] or match[1])
    if low > high:
        raise ValueError(f"a range runs upwards: {text!r}")
    return low, high


def _fact(item: Item, field: str) -> Interval:
    return interval(item.get(field), blank=UNKNOWN)


def _yes_no(item: Item, field: str) -> tuple[bool, ...]:
    text = (item.get(field) or "?").strip().lower() or "?"
    return {"yes": (True,), "no": (False,), "?": (False, True)}[text]


def _planar(item: Item) -> bool:
    return (item.get("transistor_architecture") or "").strip().lower() == "planar"


def _scale(span: Interval, factor: int | Fraction) -> Interval:
    """Multiply by a positive factor."""
    return span[0] * factor, span[1] * factor


def _highest(spans: Sequence[Interval]) -> Interval:
    """Take the highest of the claimed values; with no claim at all it is unknown."""
    if not spans:
        return UNKNOWN
    return max(low for low, _ in spans), max(high for _, high in spans)


def _total(spans: Iterable[Interval]) -> Interval:
    low, high = NOTHING
    for span in spans:
        low, high = low + span[0], high + span[1]
    return low, high


def _ratio(top: Interval, bottom: Interval) -> Interval | None:
    """Divide; where the bottom can only be zero the ratio does not exist."""
    if bottom[1] == 0:
        return None
    low = top[0] / bottom[1] if isinstance(bottom[1], Fraction) else Fraction(0)
    if top[1] == 0:
        return NOTHING
    return low, (INFINITY if bottom[0] == 0 else top[1] / bottom[0])


def _claims(item: Item, tf32_bits: int) -> dict[str, Interval]:
    """Weigh every claimed rate by its bit length, in the contract's order."""
    bits = {**BITS, "tf32_tflops": tf32_bits}
    return {
        field: _scale(interval(item.get(field), blank=NOTHING), bits[field])
        for field in BITS
        if not _blank(item.get(field))
    }


def tpp(item: Item, *, tf32_bits: int = 19) -> Interval:
    """'Total processing performance': the highest of rate x bit length (3A090 Technical Notes 1 to 3)."""
    return _highest(list(_claims(item, tf32_bits).values()))


def tpp_of_units(items: Sequence[Item], *, tf32_bits: int = 19) -> Interval:
    """TPP = TPP1 + ... + TPPn over the processing units of one IC (3A090 Technical Note 1.d)."""
    return _total(tpp(item, tf32_bits=tf32_bits) for item in items)


def tpp_format(item: Item, *, tf32_bits: int = 19) -> str | None:
    """Name the field that surely gives the TPP, the first of equals; None where none surely does."""
    claims = _claims(item, tf32_bits)
    for field, (low, _) in claims.items():
        if all(low >= high for other, (_, high) in claims.items() if other != field):
            return field
    return None


def applicable_area(item: Item) -> Interval:
    """'Applicable die area': logic dies on a non-planar process (3A090 Technical Note 4).

    An architecture of "?" counts as not stated; a non-planar area of "?" is given but unknown.
    """
    if not _blank(item.get("nonplanar_die_area_mm2")):
        return _fact(item, "nonplanar_die_area_mm2")
    return NOTHING if _planar(item) else _fact(item, "die_area_mm2")


def performance_density(item: Item, *, tf32_bits: int = 19) -> Interval | None:
    """TPP divided by 'applicable die area'; None where the area is zero (3A090 Technical Note 4)."""
    return _ratio(tpp(item, tf32_bits=tf32_bits), applicable_area(item))


def processing_performance_2022(item: Item, *, tf32_bits: int = 19) -> Interval:
    """Bit length per operation x TOPS, the highest claimed (3A090.a.1 and a.2 of 87 FR 62186)."""
    return tpp(item, tf32_bits=tf32_bits)


def memory_bandwidth_density(item: Item) -> Interval | None:
    """GB/s per mm2 of the package or stack (Technical Note to 3A090.c)."""
    return _ratio(_fact(item, "memory_bandwidth_gb_s"), _fact(item, "memory_area_mm2"))


def processing_tops(item: Item) -> Interval:
    """TOPS = 2 x MacTOPS, not weighted by bit length (3A991.p Technical Note 3)."""
    return _highest([interval(item[field], blank=NOTHING) for field in _claims(item, 19)])


def app_wt(item: Item) -> Interval:
    """Weigh the 64-bit rate by 0.9 (vector) or 0.3 (other): 'Adjusted Peak Performance' (4A003.b, APP note)."""
    rate = interval(item.get("fp64_tflops"), blank=NOTHING)
    weights = [Fraction(9 if vector else 3, 10) for vector in _yes_no(item, "vector_processor")]
    return _scale(rate, min(weights))[0], _scale(rate, max(weights))[1]


def computer_app_wt(computer: Item, parts: Sequence[Item]) -> Interval | None:
    """APP of a computer: its own rate, else the sum over the processors in it; None where nobody states a rate."""
    if not _blank(computer.get("fp64_tflops")) and interval(computer["fp64_tflops"], blank=NOTHING)[1] != 0:
        return app_wt(computer)
    if all(_blank(part.get("fp64_tflops")) for part in parts):
        return None if _blank(computer.get("fp64_tflops")) else NOTHING
    terms = []
    for part in parts:
        vector = part.get("vector_processor") or computer.get("vector_processor")
        count = int(part.get("quantity") or 1)
        terms.append(_scale(app_wt({**part, "vector_processor": vector}), count))
    return _total(terms)


def aggregated_transistors_bn(item: Item) -> Interval:
    """Read the 'aggregated approximated transistor count'; planar dies do not count (Note 1 to 3A090.a)."""
    return NOTHING if _planar(item) else _fact(item, "transistors_bn")


def points(span: Interval, limits: Iterable[int | Fraction]) -> list[Fraction]:
    """Choose one point for every way in which a value of the interval can lie to the limits."""
    low, high = span
    marks = sorted({low, *(Fraction(limit) for limit in limits if low < limit < high)})
    top = high if isinstance(high, Fraction) else 2 * marks[-1] + 1
    if top > marks[-1]:
        marks.append(top)
    return sorted({*marks, *((one + two) / 2 for one, two in pairwise(marks))})


class Chip(NamedTuple):
    """One completion of an IC: every number exact, `density` or an unasked `tops` or `links` None."""

    tpp: Fraction
    density: Fraction | None
    datacenter: bool
    io: Fraction
    tops: Fraction | None
    links: Fraction | None


def _completions(units: Sequence[Item], tf32_bits: int) -> Iterator[Chip]:
    """Fill in an IC, given as its processing units, in every way that matters.

    What holds of the whole IC is read from the first unit that states it. TPP and TOPS may be filled in
    independently of each other: 8 TOPS are at most 512 TPP, below every limit of 3A090.
    """
    whole = {f: text for unit in reversed(units) for f, text in unit.items() if not _blank(text)}
    area_span = applicable_area(whole)
    ends = [end for end in area_span if isinstance(end, Fraction)]
    crossings = [limit * end for limit in DENSITY_LIMITS for end in ends]
    ios = points(_fact(whole, "interconnect_gb_s"), IO_LIMITS)
    tops: list[Fraction | None] = [None]
    if any(_claims(unit, tf32_bits) for unit in units):
        tops = [*points(_total(map(processing_tops, units)), [8])]
    for total in points(tpp_of_units(units, tf32_bits=tf32_bits), [*TPP_LIMITS, *crossings]):
        for area in points(area_span, [total / limit for limit in DENSITY_LIMITS]):
            density = total / area if area else None
            for datacenter, io, rate in product(_yes_no(whole, "datacenter"), ios, tops):
                yield Chip(total, density, datacenter, io, rate, io if "interconnect_gb_s" in whole else None)


def _limits_met(chip: Chip, day: date) -> Codes:
    """Which limits of 3A090.a, 3A090.b and 3A991.p one exact IC meets on a day, n.e.s. aside."""
    met = set()
    if FIRST_RULE <= day < DENSITY_RULE and chip.io >= 600 and chip.tpp >= 4800:
        met.add("3A090.a")
    if day >= DENSITY_RULE and (chip.datacenter or chip.tpp >= 4800):  # Note 2 to 3A090.a and 3A090.b
        if chip.tpp >= 4800:
            met.add("3A090.a.1")
        if chip.density is not None:
            if chip.tpp >= 1600 and chip.density >= Fraction("5.92"):
                met.add("3A090.a.2")
            if 2400 <= chip.tpp < 4800 and Fraction("1.6") <= chip.density < Fraction("5.92"):
                met.add("3A090.b.1")
            if chip.tpp >= 1600 and Fraction("3.2") <= chip.density < Fraction("5.92"):
                met.add("3A090.b.2")
    if day >= FIRST_RULE and chip.tops is not None and chip.tops >= 8:
        met.add("3A991.p.1")
    if day >= FIRST_RULE and chip.links is not None and chip.links >= 150:
        met.add("3A991.p.2")
    return frozenset(met)


def _within(codes: Codes, entry: str) -> Codes:
    return frozenset(code for code in codes if code.startswith(entry))


def _ic_entries(chip: Chip, day: date) -> Codes:
    """3A991.p takes only integrated circuits not elsewhere specified ("n.e.s.")."""
    met = _limits_met(chip, day)
    return _within(met, "3A090") or met


def _memory_outcomes(item: Item, day: date) -> set[Codes]:
    """3A090.c: 'memory bandwidth density' greater than 2 GB/s per mm2."""
    density = memory_bandwidth_density(item)
    if day < HBM_RULE or density is None:
        return {frozenset()}
    return {frozenset({"3A090.c"} if value > 2 else ()) for value in points(density, [2])}


def _circuits(parts: Sequence[Item]) -> list[list[Item]]:
    """Sort the IC parts of a computer into circuits: rows that share an id and carry a unit are one."""
    circuits: dict[str | int, list[Item]] = {}
    for place, part in enumerate(parts):
        if (part.get("kind") or "ic") == "ic":
            shared = None if _blank(part.get("unit")) else part.get("id")
            circuits.setdefault(shared or place, []).append(part)
    return list(circuits.values())


def _computer_entries(inside: Codes, app: Fraction | None, day: date) -> Codes:
    """4A003.b, 4A090.a, 4A090.b, and 4A994.l for what none of them takes.

    4A994.l asks for "the limit of" 3A991.p, so the IC itself may be specified elsewhere. Its "n.e.s." and
    the heading of 4A994 ("not controlled by 4A001 or 4A003") leave out what 4A003.b or 4A090 controls.
    """
    met = set()
    if day >= APP_70 and app is not None and app > 70:
        met.add("4A003.b")
    if day >= FIRST_RULE and _within(inside, "3A090.a"):
        met.add("4A090.a")
    if day >= CORRECTION and _within(inside, "3A090.b"):
        met.add("4A090.b")
    if day >= FIRST_RULE and not met and _within(inside, "3A991.p"):
        met.add("4A994.l")
    return frozenset(met)


def _computer_outcomes(item: Item, day: date, parts: Sequence[Item], tf32_bits: int) -> set[Codes]:
    """Judge a computer by every mixture of what its circuits may meet; without parts by every mixture."""
    inside: set[Codes] = {frozenset()}
    for units in _circuits(parts):
        found = {_limits_met(chip, day) for chip in _completions(units, tf32_bits)}
        inside = {one | two for one in inside for two in found}
    if not _circuits(parts):
        inside = {frozenset(mix) for mix in ((), ("3A090.a",), ("3A090.b",), ("3A090.a", "3A090.b"))}
    app = computer_app_wt(item, parts)
    apps: list[Fraction | None] = [None] if app is None else [*points(app, [70])]
    return {_computer_entries(codes, app, day) for codes in inside for app in apps}


@dataclass(frozen=True)
class Answer:
    """The verdict, the paragraphs surely met, and those neither met nor failed."""

    verdict: str
    entries: Codes
    possible: Codes


def _kind(item: Item) -> str:
    kind = (item.get("kind") or "").strip() or "ic"
    if kind not in {"ic", "memory", "computer"}:
        raise ValueError(f"the oracle does not judge this kind: {kind!r}")
    return kind


def us(item: Item, day: date, parts: Sequence[Item] = (), *, tf32_bits: int = 19) -> Answer:
    """Judge an item under the Commerce Control List of a day (15 CFR part 774, Supplement No. 1).

    Parameters
    ----------
    item, day
        Field name to cell (a blank kind is an IC), and the day of the law.
    parts
        The ICs of a computer; of an IC, its further processing units.
    tf32_bits
        The bit length of TF32, which the law does not settle.
    """
    kind = _kind(item)
    core = HBM_RULE if kind == "memory" else FIRST_RULE
    if kind == "ic":
        outcomes = {_ic_entries(chip, day) for chip in _completions([item, *parts], tf32_bits)}
    elif kind == "memory":
        outcomes = _memory_outcomes(item, day)
    else:
        outcomes = _computer_outcomes(item, day, parts, tf32_bits)
    entries = frozenset.intersection(*outcomes)
    possible = frozenset.union(*outcomes) - entries
    caught = [any(not code.startswith(AT_ONLY) for code in codes) for codes in outcomes]
    if all(caught):
        verdict = "controlled"
    elif day < core:
        verdict = "not_modelled"
    else:
        verdict = "cannot_tell" if any(caught) else "not_controlled"
    return Answer(verdict, entries, possible)


def china_review_2026(item: Item, day: date, *, tf32_bits: int = 19) -> str:
    """Tell how a licence for China is reviewed, by its numbers (742.6(b)(10)(iii)(A)(1), 91 FR 1684)."""
    if day < REVIEW_RULE or _kind(item) != "ic":
        return "not_applicable"
    reviews = set()
    bandwidths = points(_fact(item, "memory_bandwidth_gb_s"), [6500])
    for chip in _completions([item], tf32_bits):
        if not _within(_limits_met(chip, day), "3A090"):
            reviews.add("not_applicable")
            continue
        for bandwidth in bandwidths:
            low = chip.tpp < 21000 and bandwidth < 6500
            reviews.add("case_by_case" if low else "presumption_of_denial")
    return reviews.pop() if len(reviews) == 1 else "cannot_tell"
