"""The texts of the page, one YAML file a language."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

FOLDER: Final = Path(__file__).parent
ENGLISH: Final = "en"


@cache
def languages() -> dict[str, dict[str, str]]:
    """Every language: its code and its texts, English first."""
    codes = sorted((path.stem for path in FOLDER.glob("*.yaml")), key=lambda code: (code != ENGLISH, code))
    return {code: yaml.safe_load((FOLDER / f"{code}.yaml").read_text("utf-8")) for code in codes}


class Texts:
    """The texts of one language; what it lacks is in English."""

    def __init__(self, code: str) -> None:
        self.code = code if code in languages() else ENGLISH
        self._own: Mapping[str, str] = languages()[self.code]

    def __call__(self, key: str, /, **values: Any) -> str:
        """One text with its values filled in."""
        text = self._own.get(key) or languages()[ENGLISH][key]
        return text.format(**values) if values else text

    def verdict(self, word: str) -> str:
        """A verdict in words."""
        return self(f"verdict.{word}")


def choose(asked: str, kept: str, accepted: str) -> str:
    """The language of a request: what the address says, else what was chosen before, else what the browser accepts."""
    for code in (asked, kept):
        if code in languages():
            return code
    for part in accepted.split(",")[:20]:
        code = part.split(";")[0].strip().casefold().split("-")[0]
        if code in languages():
            return code
    return ENGLISH
