"""The words that cells use, in several languages, from ``words.yaml``."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Final

import yaml

TABLE: Final = Path(__file__).parent / "words.yaml"


@cache
def _table() -> dict[str, list[str]]:
    raw = yaml.load(TABLE.read_text("utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - the safe loader, in C
    choices = raw.pop("choices")
    return {**raw, **{f"choice:{name}": spellings for name, spellings in choices.items()}}


@cache
def words(kind: str) -> frozenset[str]:
    """The folded spellings of one kind of word: ``missing``, ``unknown``, ``yes``, ``sparse`` and so on."""
    return frozenset(word.casefold() for word in _table()[kind])


@cache
def choice_spellings() -> dict[str, str]:
    """Other spellings of the options of choice fields."""
    return {
        re.sub(r"[\s-]+", "_", word.casefold()): name.removeprefix("choice:")
        for name, spellings in _table().items()
        if name.startswith("choice:")
        for word in spellings
    }


@cache
def pattern(kind: str) -> re.Pattern[str]:
    """Finds the words of one kind inside a text; a word of Latin letters only where it stands alone."""
    parts = sorted(words(kind), key=len, reverse=True)
    alternatives = (
        rf"(?<![a-z]){re.escape(word)}(?![a-z])" if word.isascii() else re.escape(word) for word in parts if word
    )
    return re.compile("|".join(alternatives), re.IGNORECASE)
