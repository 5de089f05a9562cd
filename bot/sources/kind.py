"""The parts of a kind of source: its section, and what `jarchy inspect` shows of its documents."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.fitting import makes
from bot.model.news import Entry
from bot.sources.sections import SourceSection

LEFT_OUT: Any = None  # a part of a kind that has to be there
VERB = re.compile(r"[a-z][a-z0-9-]*")  # what can be typed behind `jarchy inspect`
#: What one line of `jarchy inspect` says: names with values that JSON has, none of them a list.
Line = Mapping[str, str | float | None]
#: Reads a document and the address it came from.
Shown = Callable[[bytes, str | None], Iterable[Line]]
#: The same where only the source's section says how; the spec is one that the section makes.
ShownOf = Callable[[Any, bytes, str | None], Iterable[Line]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of source, as `bot/sources/kinds/` has it.

    `verb` is its word behind `jarchy inspect`, `help` what that says of itself: it shows what
    `shown` reads, or of a source that is named by its key, what `shown_of` does. A kind that
    `gives_way` is stored as `kind.KEY` where another source has the key already: storage and
    commands name a source by its key alone. What is left out is told by the kind's name
    (`kinds.problems`).
    """

    section: type[SourceSection] = LEFT_OUT
    verb: str = LEFT_OUT
    help: str = LEFT_OUT
    shown: Shown | None = None
    shown_of: ShownOf | None = None
    gives_way: bool = True

    def lacking(self) -> Iterator[str]:
        """The parts that are not there, each with what it is."""
        section: object = self.section
        if not isinstance(section, type) or not issubclass(section, SourceSection):
            yield "section, a SourceSection"
        for name, what in (("verb", "its word of `inspect`"), ("help", "what that says")):
            if not isinstance(getattr(self, name), str):
                yield f"{name}, {what}"
            elif name == "verb" and not VERB.fullmatch(self.verb):
                yield f"verb, {what}: one of small letters"
        if self.shown is not None and not makes(self.shown, 2):
            yield "shown, which makes lines of (bytes, address), without awaiting"
        if self.shown_of is not None and not makes(self.shown_of, 3):
            yield "shown_of, which makes lines of (spec, bytes, address), without awaiting"


def shown_entry(entry: Entry, language: str | None = None) -> Line:
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
