"""News: what was published (entry), and what it was about (story)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from bot.model.alerts import Severity
from bot.model.chats import Style
from bot.reasons import Reason

#: How long before its end a day is that stands for "some time on that day".
LAST_MOMENT = timedelta(microseconds=1)
ASKED_TEXT = 500  # characters of a text in the question to an operator


def ends_a_day(moment: datetime | None) -> bool:
    """Whether a moment stands for "some time on that day", in its publisher's zone."""
    return moment is not None and moment.microsecond == 1_000_000 - LAST_MOMENT.microseconds


# without slots: what crosses to the worker process and back by the thousand is pickled by C alone
@dataclass(frozen=True, kw_only=True)
class Entry:
    """One item as published: plain text, without markup or control characters.

    `id` is the publisher's own (guid), else the link, else a hash of the title;
    times are aware UTC or None when the publisher gave none that can be believed.
    `summary` is the short text, `content` the full one when the feed carries it.
    """

    id: str
    title: str
    link: str | None = None
    published_at: datetime | None = None
    updated_at: datetime | None = None
    summary: str = ""
    content: str = ""
    language: str | None = None

    @property
    def day_only(self) -> bool:
        """Whether the publisher named a day without a time: it stands as that day's end."""
        return ends_a_day(self.published_at)

    @property
    def beginning(self) -> str:
        """The beginning of the text, as long as an operator is asked about."""
        return (self.summary or self.content)[:ASKED_TEXT]


class Mending(StrEnum):
    """What an entry does to what its publisher told before."""

    CORRECTED = "corrected"
    TAKEN_BACK = "taken_back"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEntry:
    """An entry in the archive, with the feed it came from and what was decided about it.

    `trust` (1 official, 2 agency, 3 aggregator), `style`, as much of the text as may be shown,
    `pictures`, whether its page's may be, and `publisher`, of which it may be one of several, are
    the feed's; they stand in the catalog and are not stored.
    """

    pk: int
    feed: str
    entry: Entry
    seen_at: datetime
    story: int
    topics: tuple[str, ...] = ()
    severity: Severity = Severity.INFO
    # these stay as they are here where the feed has left the catalog
    trust: int = 2
    style: Style = Style.BRIEF
    pictures: bool = False
    publisher: str | None = None  # None: of its own
    headline: str | None = None  # as an operator worded it
    meaning: bytes | None = None  # its vector, where somebody asked for one

    @property
    def house(self) -> str:
        """Whose word it is: one that tells a story in two feeds is one."""
        return self.publisher or self.feed

    @property
    def at(self) -> datetime:
        """Its publication, at the latest when we saw it: future dates are not believed."""
        return min(self.entry.published_at or self.seen_at, self.seen_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """A cluster of entries about one event; the first of them is the lead, and gives the headline.

    From the store they come oldest first; `bot.sources.standing.led` puts the most trusted first.
    `severity` is the highest any of them was judged, `reasons` are that judgement's.
    """

    pk: int
    entries: tuple[StoredEntry, ...]
    topics: tuple[str, ...] = ()
    severity: Severity = Severity.INFO
    reasons: tuple[Reason, ...] = ()

    @property
    def own(self) -> bool:
        """Whether it is an entry of a feed that readers added, which is no stored story."""
        return self.pk == 0

    @property
    def lead(self) -> StoredEntry:
        """The entry whose headline stands for the story."""
        # there is always one: a story begins with the entry that made it
        return self.entries[0]

    def told_in(self, language: str) -> Story:
        """The same story led by the first who told it in this language, where somebody did."""
        # the sort is stable: otherwise they stay in the order of trust
        entries = sorted(self.entries, key=lambda item: item.entry.language != language)
        return replace(self, entries=tuple(entries))

    @property
    def gravest(self) -> Story:
        """The same story led by the first of its gravest reports."""
        entries = sorted(self.entries, key=lambda item: -item.severity.rank)
        return replace(self, entries=tuple(entries))

    @property
    def worst(self) -> Story:
        """The same story by its gravest reports alone."""
        most = max(item.severity.rank for item in self.entries)
        entries = tuple(item for item in self.entries if item.severity.rank == most)
        return replace(self, entries=entries)

    @property
    def feeds(self) -> tuple[str, ...]:
        """The feeds that report it, in order of first report, each once."""
        return tuple(dict.fromkeys(entry.feed for entry in self.entries))

    @property
    def houses(self) -> frozenset[str]:
        """The publishers that report it, once it is `led`; before, its feeds."""
        return frozenset(item.house for item in self.entries)

    @property
    def languages(self) -> frozenset[str | None]:
        """The languages it is told in."""
        return frozenset(item.entry.language for item in self.entries)


@dataclass(frozen=True, kw_only=True)  # without slots, as an entry
class Verdict:
    """A detector's verdict on one text: its topics, how severe it is, and the reasons."""

    security: bool
    score: float
    severity: Severity
    topics: tuple[str, ...] = ()
    reasons: tuple[Reason, ...] = ()
    language: str | None = None
    #: By what other reports of the event find it: `bot.detect.clues`.
    clues: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundPage:
    """One page of the stories that have all `words`, those in the reader's language first.

    `number` counts from 0, `more` says whether another page exists; `feed_names` maps feed key →
    language → name; `left_out` counts the stories of its stretch that the chat's filters kept back.
    """

    stories: tuple[Story, ...]
    words: str
    number: int
    more: bool
    feed_names: dict[str, dict[str, str]]
    left_out: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class NewsPage:
    """One page of the latest stories, newest first.

    `number` counts from 0, `more` says whether an older page exists; `feed_names` maps feed key →
    language → name; `left_out` counts the stories of its stretch that the chat's filters kept back.
    """

    stories: tuple[Story, ...]
    topic: str | None
    number: int
    more: bool
    feed_names: dict[str, dict[str, str]]
    left_out: int = 0
