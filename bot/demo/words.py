"""What the demonstration says, in every language: `demo.po` in the languages' folders."""

from __future__ import annotations

from collections.abc import Mapping

from bot.emulator import Tongue
from bot.i18n import demo_texts, t
from bot.languages import FALLBACK, LANGUAGES

Words = Mapping[str, str]
OURS = "demo."  # begins the keys of the demonstration itself; the others are the chat page's words


def words(key: str) -> Words:
    """The words of a key by language, English where one has none; KeyError without English ones."""
    english = demo_texts(FALLBACK)[key]
    return {code: demo_texts(code).get(key, english) for code in LANGUAGES}


def tongues() -> dict[str, Tongue]:
    """The languages that people of the chat page may choose, with the page's own words in them."""
    found: dict[str, Tongue] = {}
    for code in LANGUAGES:
        said: dict[str, str] = {}
        for key, text in demo_texts(code).items():
            if not key.startswith(OURS):
                said[key] = text
        found[code] = Tongue(name=t("language.name", code), words=said)
    return found
