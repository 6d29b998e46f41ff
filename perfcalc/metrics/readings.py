"""Open readings: places where the law can be read in more than one way, as named options.

`Readings()` is what perfcalc does by default. ``--readings all`` computes a metric under every combination and keeps
the interval that covers them, so that a verdict which turns on a reading becomes `cannot_tell` and says so.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from itertools import product
from typing import Final


@dataclass(frozen=True)
class Question:
    """One open reading.

    Attributes
    ----------
    name
        The option's name.
    options
        What it may be set to; the first is the default.
    text
        What the law leaves open.
    why
        Why the default is the default.
    """

    name: str
    options: tuple[str, ...]
    text: str
    why: str


QUESTIONS: Final[tuple[Question, ...]] = (
    Question(
        "units",
        ("sum", "same_format", "max"),
        "Several processing units on one IC: each at its own best bit length and then added, all at the same bit "
        "length and then added, or only the largest.",
        "Technical note 1.d adds TPP1 + ... + TPPn and note 2 takes the highest TPP; neither asks for one bit length.",
    ),
    Question(
        "tf32_bits",
        ("19", "32"),
        "TF32 numbers are stored in 32 bits, but 19 bits of each enter the multiply.",
        "Technical note 1.c counts the inputs to the multiply. Epoch AI's published TPP values agree with 19 bits for "
        "154 of 161 accelerators and with 32 bits for 149.",
    ),
    Question(
        "vector",
        ("apart", "added"),
        "Whether the rate of the vector units (`fp32_tflops`) is added to that of the matrix units on the same IC.",
        "Published values never add them. Technical note 1.d can be read to ask for it.",
    ),
    Question(
        "board",
        ("each_ic", "whole"),
        "Whether ICs on one board are judged one by one or as one total.",
        "4A090 asks whether *any* contained IC meets 3A090; the board-level reading was reported from a briefing.",
    ),
    Question(
        "unstated_architecture",
        ("non_planar", "unknown"),
        "A sheet that names neither node nor transistor architecture: is the logic area applicable die area?",
        "Chips near the thresholds have been non-planar since about 2015, and sheets that give a die area mean it.",
    ),
    Question(
        "bit_length_2022",
        ("inputs", "outputs"),
        "Whether the rule of October 2022 counts the bit length of outputs too (32-bit accumulators).",
        "The industry counted inputs (A100: 4,992); the note said to count outputs was not found in a text we read.",
    ),
)


@dataclass(frozen=True)
class Readings:
    """One choice for every open reading; each attribute is the name of a `Question`."""

    units: str = "sum"
    tf32_bits: str = "19"
    vector: str = "apart"
    board: str = "each_ic"
    unstated_architecture: str = "non_planar"
    bit_length_2022: str = "inputs"

    def __post_init__(self) -> None:
        for question in QUESTIONS:
            if (chosen := getattr(self, question.name)) not in question.options:
                options = ", ".join(question.options)
                raise ValueError(f"reading {question.name!r} cannot be {chosen!r}; it is one of {options}")


DEFAULT: Final = Readings()


def every_combination(default: Readings, names: Iterable[str]) -> tuple[Readings, ...]:
    """`default` first, then every other combination of the readings called `names`."""
    asked = [question for question in QUESTIONS if question.name in set(names)]
    combinations = (
        replace(default, **dict(zip((question.name for question in asked), chosen, strict=True)))
        for chosen in product(*(question.options for question in asked))
    )
    return (default, *(readings for readings in combinations if readings != default))


def one_changed(default: Readings, names: Iterable[str]) -> tuple[tuple[str, Readings], ...]:
    """Every way to change a single reading, as (``name=option``, readings)."""
    return tuple(
        (f"{question.name}={option}", replace(default, **{question.name: option}))
        for question in QUESTIONS
        if question.name in set(names)
        for option in question.options
        if option != getattr(default, question.name)
    )


def parse(text: str) -> Readings:
    """Readings from ``name=option,name=option``.

    Raises
    ------
    ValueError
        A name or option does not exist; the message lists the ones that do.
    """
    chosen: dict[str, str] = {}
    known = [field.name for field in fields(Readings)]
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        name, _, option = part.partition("=")
        if name not in known:
            raise ValueError(f"no reading is called {name!r}; there are {', '.join(known)}, or say 'all'")
        chosen[name] = option
    return Readings(**chosen)
