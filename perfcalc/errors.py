"""What perfcalc says when it cannot go on."""

from __future__ import annotations


class InputError(Exception):
    """A file, rule or option that cannot be used as it is: says what, where and what to do about it."""

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(f"{what}\n  remedy: {remedy}")
        self.what = what
        self.remedy = remedy
