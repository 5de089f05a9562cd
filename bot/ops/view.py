"""One looker's view of the operator's page, and its words."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from bot.i18n import t
from bot.languages import LANGUAGES

MOST_ASKED = 40  # characters of what is looked for: each address on the page has it
LONGEST_TROUBLE = 160  # characters of what ails a part or a source
LONGEST_NAME = 60  # characters of a source's, a bank's, a machine's: a catalog may have sentences
CUT_OFF = "…"


@dataclass(frozen=True, slots=True)
class View:
    """One viewer's choice: the language, which page of the sources, and those that it asks for."""

    language: str
    page: int = 1
    find: str = ""

    @classmethod
    def asked(cls, query: Mapping[str, str], accepted: str, usual: str) -> View:
        """The view that an address asks for, in the browser's language where it names none."""
        language = query.get("lang", "")
        if language not in LANGUAGES:
            language = accepted_language(accepted, usual)
        page = query.get("page", "")
        number = 1
        if page.isascii() and page.isdecimal() and len(page) < len("10000"):
            number = max(int(page), 1)
        return cls(language, number, query.get("find", "")[:MOST_ASKED].strip())

    def address(self, path: str, **changed: object) -> str:
        """The address of a view like this one."""
        asked = {"lang": self.language, "page": self.page, "find": self.find, **changed}
        return f"{path}?{urlencode({key: value for key, value in asked.items() if value})}"


def accepted_language(header: str, usual: str) -> str:
    """The language of ours that an Accept-Language header likes best; the `usual` one if none."""
    liked: list[tuple[float, str]] = []
    for part in header.split(","):
        tag, _, weight = part.partition(";")
        code = tag.strip().lower().partition("-")[0]
        try:
            quality = float(weight.strip().removeprefix("q=") or 1)
        except ValueError:
            quality = 0.0
        if code in LANGUAGES and quality > 0:
            liked.append((-quality, code))
    # the sort is stable: of two liked alike the one named first
    liked.sort(key=_quality)
    if liked:
        return liked[0][1]
    return usual


def _quality(liked: tuple[float, str]) -> float:
    return liked[0]


def bounded(words: str, letters: int, most: int | None = None) -> str:
    """Words for HTML, of so many letters, and as written of so many bytes, at most: twice as many
    as letters, if nothing else is said, which Cyrillic ones take. What is cut off is told.
    """
    most = most or 2 * letters
    whole = html.escape(words)
    if len(words) <= letters and len(whole.encode()) <= most:
        return whole
    room, kept = most - len(CUT_OFF.encode()), 0
    for letter in words[: letters - 1]:
        room -= len(html.escape(letter).encode())
        if room < 0:
            break
        kept += 1
    return html.escape(words[:kept].rstrip()) + CUT_OFF


def text(msgid: str, view: View, **values: object) -> str:
    """A text of the page, its values put in, for HTML."""
    return html.escape(t(msgid, view.language).format(**values))
