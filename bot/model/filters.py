"""Filters: what a chat will not hear of in the news, or all that it will.

A subject is followed or not; a filter is asked of each story that comes of what is followed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

# so near to midnight an end is that of its day, which was counted by another clock
MIDNIGHT_SLACK = timedelta(minutes=1)
LONGEST_ITEM = 60  # characters of what a filter names: beyond, it is no word that a headline has


class Sense(StrEnum):
    """A filter's demand on a story."""

    NEVER = "never"  # it must not have the trait
    ONLY = "only"  # it must have the trait of one such filter of the chat
    MUST = "must"  # it must have this very trait, whatever else it has


class Trait(StrEnum):
    """The trait by which a filter knows a story."""

    WORD = "word"  # a word in any form, or several side by side
    SOURCE = "source"  # a source's key in the catalog
    STORY = "story"  # a story's number
    PLACE = "place"  # a place's name in `bot/detect/data/places.tsv`, or what lies in it
    TOPIC = "topic"  # a topic's name


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedItem:
    """One thing that somebody names; in quotation marks it is only words.

    `end_at` is the place of its first word that an end may have, `until_at` that of its first
    "until", where no end was read.
    """

    sense: Sense
    text: str
    quoted: bool = False
    span: timedelta | None = None
    end_at: int | None = None
    until_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Nameable:
    """A thing with a name of its own, and the readers' name for it."""

    what: str
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """One thing to hear of or not; `said` is what readers call it."""

    sense: Sense
    trait: Trait
    what: str
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFilter(Filter):
    """A chat's filter, with its end if it has one, and how many messages it kept back."""

    id: int
    chat: int
    until: datetime | None = None
    kept: int = 0

    def last_day(self, zone: str) -> date | None:
        """The day that it lasts to the end of where clocks go by a zone, as readers are told; None
        for one that ends at an hour, or never.
        """
        if self.until is None:
            return None
        local = self.until.astimezone(ZoneInfo(zone))
        day = (local - MIDNIGHT_SLACK).date()
        return day if (local + MIDNIGHT_SLACK).date() != day else None
