"""Expected texts: one file a language, `expected/<code>.toml`; a language that has one is whole.

A folder in `bot/languages` is enough to try a language, stubs and all. What is promised of a whole
language is promised of those that stand here.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from bot.languages import LANGUAGES

FOLDER = Path(__file__).parent / "expected"
EXPECTED = {
    path.stem: tomllib.loads(path.read_text(encoding="utf-8")) for path in FOLDER.glob("*.toml")
}
WHOLE = tuple(code for code in LANGUAGES if code in EXPECTED)


def expected(name: str, language: str) -> Any:
    """The text that a reader of the language gets, by its name: "status.whole"."""
    section, key = name.split(".")
    return EXPECTED[language][section][key]
