"""A feed once it is read, whatever its format: its entries, each once and with an id."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from bot.model.news import Entry
from bot.model.text import LONG_TEXT, alike
from bot.sources.listed import HubOffer
from bot.sources.text import one_line

VERSIONS = 20  # entries of one id that another one of it is compared with
_LANGUAGE = re.compile(r"([A-Za-z]{2,3})(?:[-_].*)?")
# ISO 639-2 and, often met in Kyrgyzstan, the country's code in place of the language's.
_LANGUAGE_ALIASES = {
    "eng": "en",
    "rus": "ru",
    "kir": "ky",
    "kaz": "kk",
    "uzb": "uz",
    "tgk": "tg",
    "kg": "ky",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """A feed as published; entries in its own order, each once."""

    title: str
    language: str | None
    entries: tuple[Entry, ...]
    hub: HubOffer | None = None


def entry_of(
    *,
    own_id: str,
    title: str,
    link: str | None,
    published_at: datetime | None,
    updated_at: datetime | None,
    summary: str,
    content: str,
    language: str | None,
) -> Entry:
    """One entry; without an id and a link it is known by what it says, and when."""
    title, own_id = one_line(title), one_line(own_id)
    said = title or summary or content or str(published_at)
    if content == summary:  # many feeds send one text in both fields
        content = ""
    return Entry(
        id=own_id or link or hashlib.sha256(said.encode()).hexdigest(),
        title=title,
        link=link,
        published_at=published_at,
        updated_at=updated_at,
        summary=summary,
        content=content,
        language=language,
    )


def each_once(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """The first of each entry: feeds put the newest version first.

    Some give one id to all they have: entries that differ in more than one way, or bare headlines
    of other words, are different ones.
    """
    first: dict[str, list[Entry]] = {}
    every: list[Entry] = []
    for entry in entries:
        before = first.setdefault(entry.id, [])
        if not any(_versions(entry, one) for one in before[:VERSIONS]):
            before.append(entry)
            every.append(entry)
    return tuple(every)


def _versions(a: Entry, b: Entry) -> bool:
    """Whether two entries of one id may be versions of one article."""
    texts = (a.summary or a.content, b.summary or b.content)
    said = ((a.title, b.title), texts, (a.link, b.link), (a.published_at, b.published_at))
    differ = [one != other for one, other in said if one and other]
    if sum(differ) <= 1:
        # beside a formula, or no text, headlines are all that tells events apart
        said_alike = texts[0] == texts[1] and len(texts[0]) >= LONG_TEXT
        return said_alike or not _others(a.title, b.title)
    # rewritten, at the same place and time
    return a.link == b.link and a.published_at == b.published_at and alike(*texts)


def _others(one: str, other: str) -> bool:
    """Whether both are headlines with words to compare, and those are not alike."""
    return alike(one, one) and alike(other, other) and not alike(one, other)


def two_letter(language: object) -> str | None:
    """ "ru-RU" → "ru"; None for what is no language tag."""
    match = _LANGUAGE.fullmatch(str(language or "").strip())
    if match is None:
        return None
    code = match[1].lower()
    code = _LANGUAGE_ALIASES.get(code, code)
    if len(code) != 2:  # a language of three letters that none of our readers has
        return None
    return code
