"""The fractions of the exact re-check: those of the standard library, compiled."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # quicktions ships no types, and is a copy of this.
    from fractions import Fraction
else:
    from quicktions import Fraction

__all__ = ["Fraction"]
