"""What a person may choose, as the server takes it: the options of ``perfcalc score``, by the same names."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any, Literal

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

from perfcalc import __version__
from perfcalc.errors import InputError
from perfcalc.line import parse_day
from perfcalc.rulebook.book import load
from perfcalc.rulebook.overlay import shipped

Day = Annotated[str, Field(pattern=r"^(\d{4}-\d{2}-\d{2})?$", description="YYYY-MM-DD; today by default")]
Places = Annotated[str, Field(max_length=400, description="one or more, joined by commas, or 'all'")]
Country = Annotated[str, Field(pattern=r"^([A-Za-z]{2})?$", description="two-letter country code")]
Law = Annotated[Literal["enforced", "codified"], Field(description="law as enforced, or as codified")]
Choices = Annotated[str, Field(max_length=400, description="'all', or choices such as tf32_bits=32,units=max")]
Laid = Annotated[str, Field(max_length=400, description="overlays that ship with perfcalc, joined by commas")]


class Options(BaseModel):
    """Which law is asked, and how. Empty text means: as ``perfcalc score`` does by default."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    as_of: Day = ""
    jurisdiction: Places = "us"
    destination: Country = ""
    end_user_hq: Country = ""
    law: Law = "enforced"
    readings: Choices = ""
    rules: Laid = ""
    origin: bool = False

    def settled(self) -> Options:
        """The same with the day named and every list in one spelling, so that equal questions are equal.

        Raises
        ------
        InputError
            The day is none, or an overlay does not ship with perfcalc: a path on the server is never an overlay.
        """
        overlays = names_of(self.rules)
        if strange := [name for name in overlays if name not in shipped()]:
            raise InputError(f"no overlay {strange[0]!r} ships with perfcalc", f"choose from {', '.join(shipped())}")
        return self.model_copy(
            update={
                "as_of": parse_day(self.as_of or None).isoformat(),
                "jurisdiction": ",".join(names_of(self.jurisdiction.casefold())) or "us",
                "destination": self.destination.upper(),
                "end_user_hq": self.end_user_hq.upper(),
                "rules": ",".join(overlays),
            }
        )


def names_of(text: str) -> list[str]:
    """``us, eu`` as names, each once."""
    return list(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))


def options_of(
    as_of: Annotated[Day, Query()] = "",
    jurisdiction: Annotated[Places, Query()] = "us",
    destination: Annotated[Country, Query()] = "",
    end_user_hq: Annotated[Country, Query()] = "",
    law: Annotated[Law, Query()] = "enforced",
    readings: Annotated[Choices, Query()] = "",
    rules: Annotated[Laid, Query()] = "",
    origin: Annotated[bool, Query()] = False,
) -> Options:
    """The options in an address."""
    return Options(
        as_of=as_of,
        jurisdiction=jurisdiction,
        destination=destination,
        end_user_hq=end_user_hq,
        law=law,
        readings=readings,
        rules=rules,
        origin=origin,
    ).settled()


def run_id(kind: str, asked: dict[str, Any]) -> str:
    """One name for one question to one state of the rule book: what was answered once is not computed again."""
    text = json.dumps([__version__, load().digest, kind, asked], sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:24]
