"""What one field of a sheet is, and the short ways to write one down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

Kind = Literal[
    "ic",
    "memory",
    "computer",
    "quantum",
    # What surrounds a quantum computer (4A906.b and .c, 3A901, 3A904, 3B904, 3C907 to 3C909 and their like).
    "qubit_device",
    "quantum_control",
    "parametric_amplifier",
    "cooling_system",
    "wafer_prober",
    "material",
    "tool",
    "model",
]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)


@dataclass(frozen=True)
class Field:
    """One column that a spec sheet may carry.

    Attributes
    ----------
    name
        The column name, which users script against.
    help
        What to put into a cell.
    type
        ``text``; ``number`` (a decimal, read as an interval); or ``choice``, whose options are coded 0, 1, 2, ...
        in the order of `choices`, so that an unknown choice is the interval over all codes.
    unit
        The unit of a number.
    kinds
        The kinds of item whose template carries the field.
    low, high
        Limits of a credible number. A cell outside them is reported and counts as unknown.
    blank_is_zero
        A blank cell means "not claimed" (dense rates), not "unknown".
    bits
        For a dense rate: the bit length of the inputs to the multiply (3A090, technical note 1.c).
    derived
        Found by perfcalc from other cells; not a column of a sheet.
    sources
        For a derived field, the columns that it is found from.
    """

    name: str
    help: str
    type: Literal["text", "number", "choice"] = "text"
    unit: str = ""
    kinds: tuple[Kind, ...] = KINDS
    choices: tuple[str, ...] = ()
    low: float = 0.0
    high: float = 1e15
    blank_is_zero: bool = False
    bits: int = 0
    derived: bool = False
    sources: tuple[str, ...] = ()


def rate(name: str, bits: int, what: str) -> Field:
    """A dense peak rate: blank means not claimed."""
    unit = "TFLOPS" if name.endswith("_tflops") else "TOPS"
    return Field(
        name,
        f"Highest dense {what} rate claimed by the maker; one multiply-accumulate counts as two operations.",
        type="number",
        unit=unit,
        kinds=("ic", "computer"),
        high=1e9,
        blank_is_zero=True,
        bits=bits,
    )


def number(name: str, text: str, unit: str, kinds: tuple[Kind, ...], high: float = 1e15) -> Field:
    """A field that takes a decimal."""
    return Field(name, text, type="number", unit=unit, kinds=kinds, high=high)


def choice(name: str, text: str, choices: tuple[str, ...], kinds: tuple[Kind, ...]) -> Field:
    """A field that takes one of several words."""
    return Field(name, text, type="choice", choices=choices, kinds=kinds)


def told(name: str, text: str, choices: tuple[str, ...], source: str, kinds: tuple[Kind, ...]) -> Field:
    """A choice that perfcalc tells from a text column."""
    return Field(name, text, type="choice", choices=choices, kinds=kinds, derived=True, sources=(source,))
