"""Three languages say the same: every text in each, with the same values in it, and none that nobody reads."""

import re
from pathlib import Path

import pytest

import perfcalc.web
from perfcalc.fields import KINDS
from perfcalc.verdicts.decide import VERDICTS
from perfcalc.web.jobs import DOWNLOADS
from perfcalc.web.texts import languages

WEB = Path(perfcalc.web.__file__).parent
SCRIPTS = {"ko": r"[\uac00-\ud7a3]", "ja": r"[\u3040-\u30ff\u4e00-\u9fff]"}
#: The same in every language: names, formats, signs.
SAME = {"title", "column.row", "column.tpp", "short.tpp", "download.csv", "download.parquet", "download.xlsx"}
SAME |= {"results.heading", "number.between"}


def values(text):
    return sorted(re.findall(r"\{\w+\}", text))


def test_english_korean_and_japanese_are_there():
    assert list(languages()) == ["en", "ja", "ko"]


@pytest.mark.parametrize("code", ["ko", "ja"])
def test_a_language_is_complete(code):
    english, other = languages()["en"], languages()[code]
    assert set(other) == set(english)
    assert list(other) == list(english), "in the same order, so that the files can be read side by side"
    for key, text in english.items():
        assert values(other[key]) == values(text), key
        if key not in SAME:
            assert re.search(SCRIPTS[code], other[key]), f"{key} is not translated: {other[key]}"
            assert other[key] != text


def test_verdicts_kinds_and_downloads_have_their_words():
    for texts in languages().values():
        for word in VERDICTS:
            assert texts[f"verdict.{word}"]
            assert texts[f"meaning.{word}"]
        assert len({texts[f"verdict.{word}"] for word in VERDICTS}) == len(VERDICTS)
        assert {key.removeprefix("kind.") for key in texts if key.startswith("kind.")} == set(KINDS)
        assert {key.removeprefix("download.") for key in texts if key.startswith("download.")} == set(DOWNLOADS)


def test_no_text_is_unused():
    written = "\n".join(path.read_text("utf-8") for path in [*(WEB / "templates").glob("*.html"), WEB / "show.py"])
    whole = set(re.findall(r'"([a-z_]+(?:\.[\w.]+)?)"', written))
    begun = (*re.findall(r'"([a-z]+\.)" ~', written), "verdict.")
    assert not {key for key in languages()["en"] if key not in whole and not key.startswith(begun)}
