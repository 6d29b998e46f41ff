"""Answers as JSON files, which know no infinity."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from perfcalc.files import whole_files


def finite(value: Any) -> Any:
    """The same for JSON, which knows no infinity: the open end of an interval becomes null."""
    if isinstance(value, dict):
        return {str(key): finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [finite(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def save(path: Path, answer: Any) -> None:
    """Write an answer, whole or not at all."""
    with whole_files(path) as (draft,):
        draft.write_text(json.dumps(finite(answer), default=str), "utf-8")
