"""What a kind of publisher of stories brings: its section, and what `jarchy inspect` shows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.model.news import Entry
from bot.sources.sections import NewsSection

#: Reads a document and the address it came from; a dictionary is a JSON line.
Shown = Callable[[bytes, str | None], Iterable[dict[str, Any]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of publisher of stories, as `bot/sources/kinds/` has it.

    `verb` is its word behind `jarchy inspect`, `help` what that says of itself. A kind that
    `gives_way` is stored as `kind.KEY` where another source has the key already: storage and
    commands name a source by its key alone.
    """

    section: type[NewsSection]
    verb: str
    help: str
    shown: Shown
    gives_way: bool = True


def shown_entry(entry: Entry, language: str | None = None) -> dict[str, Any]:
    """An entry as `jarchy inspect` shows it; `language` is that of the whole document."""
    return {
        "id": entry.id,
        "title": entry.title,
        "link": entry.link,
        "published_at": written(entry.published_at),
        "updated_at": written(entry.updated_at),
        "summary": entry.summary,
        "content": entry.content,
        "language": entry.language or language,
    }


def written(moment: datetime | None) -> str | None:
    """A moment as JSON has it."""
    if moment is None:
        return None
    return moment.isoformat()
