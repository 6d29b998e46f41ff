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
    metric
        The only metric that it bears on; empty where it bears on several. Readings of different metrics need not be
        combined with one another.
    """

    name: str
    options: tuple[str, ...]
    text: str
    why: str
    metric: str = ""


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
    Question(
        "unstated_modality",
        ("gate", "unknown"),
        "A sheet that does not say how a quantum machine computes: gate by gate, or perhaps by annealing?",
        "Nearly every machine with a two-qubit error is gate-based; annealers are sold as annealers.",
        "annealing",
    ),
    Question(
        "analog",
        ("review", "covered", "not_covered"),
        "Analog simulators and boson samplers: note 1 to 4A906 and 4A506 neither names nor excludes them.",
        "The text does not settle it, so somebody must look: such a machine is not cleared and not caught.",
        "counted_qubits",
    ),
    Question(
        "qubit_count",
        ("published", "at_most"),
        "Whether a published number of physical qubits is the number that are fully controlled, connected and working, "
        "or only an upper bound of it.",
        "Makers state what the system offers; 'working' is judged by their own specification.",
        "counted_qubits",
    ),
    Question(
        "unstated_convention",
        ("average", "process"),
        "A sheet that does not say whether its two-qubit error is an average gate infidelity or a process (Pauli) "
        "infidelity, which is 5/4 of it.",
        "Randomised benchmarking tables give average gate infidelity unless they say otherwise.",
        "cnot_error",
    ),
    Question(
        "statistic",
        ("published", "mean_bounds"),
        "The law says average. A median or best figure, or one without a statistic, only bounds the mean.",
        "Medians are what makers publish and what enforcement can look up.",
        "cnot_error",
    ),
    Question(
        "native_gate",
        ("bare", "cnot"),
        "Whether the C-NOT error is that of the native two-qubit gate or of the C-NOT made from it with one-qubit "
        "gates (and two uses of an iSWAP).",
        "The law does not say whether the one-qubit gates count; the native gate is what is measured.",
        "cnot_error",
    ),
    Question(
        "operation",
        ("published", "isolated", "simultaneous"),
        "Whether gates are judged one at a time or while others run.",
        "The law says neither, so the published figure stands.",
        "cnot_error",
    ),
    Question(
        "post_selection",
        ("published", "none"),
        "Whether runs may be thrown away (lost atoms, leakage) before the error is taken.",
        "A sheet that does not mention post-selection has most often not used it.",
        "cnot_error",
    ),
    Question(
        "uncertainty",
        ("figure", "interval"),
        "Whether the published figure decides or its published uncertainty counts too: 99.40(3) % lies on either side "
        "of 0.6 %.",
        "The law sets a limit on the figure and names no confidence level.",
        "cnot_error",
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
    unstated_modality: str = "gate"
    analog: str = "review"
    qubit_count: str = "published"
    unstated_convention: str = "average"
    statistic: str = "published"
    native_gate: str = "bare"
    operation: str = "published"
    post_selection: str = "published"
    uncertainty: str = "figure"

    def __post_init__(self) -> None:
        for question in QUESTIONS:
            if (chosen := getattr(self, question.name)) not in question.options:
                options = ", ".join(question.options)
                raise ValueError(f"reading {question.name!r} cannot be {chosen!r}; it is one of {options}")


DEFAULT: Final = Readings()


def every_combination(default: Readings, names: Iterable[str]) -> tuple[Readings, ...]:
    """`default` first, then every other combination of the readings called `names` that bear on the same metric."""
    asked = [question for question in QUESTIONS if question.name in set(names)]
    groups = [[question for question in asked if question.metric == metric] for metric in _metrics(asked)]
    combinations = (
        replace(default, **dict(zip((question.name for question in group), chosen, strict=True)))
        for group in groups
        for chosen in product(*(question.options for question in group))
    )
    return (default, *(readings for readings in combinations if readings != default))


def _metrics(questions: Iterable[Question]) -> dict[str, None]:
    return dict.fromkeys(question.metric for question in questions)


def bears_on(default: Readings, other: Readings, metric: str) -> bool:
    """Whether the readings in which `other` differs from `default` can change a metric."""
    changed = _metrics(question for question in QUESTIONS if _differs(default, other, question.name))
    return metric in changed if metric in _metrics(QUESTIONS) else "" in changed


def _differs(one: Readings, other: Readings, name: str) -> bool:
    return bool(getattr(one, name) != getattr(other, name))


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
