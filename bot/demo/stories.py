"""The programme of the demonstration's news: a week of invented stories, which begins again."""

from __future__ import annotations

import tomllib
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from importlib.resources import files
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Asia/Bishkek")
WEEK = 7  # the stories' programme, after which it begins again
FEED_LENGTH = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """A story of the programme; `day` is its day in that week, `at` the time in Bishkek."""

    id: str
    language: str
    day: int
    at: time
    headline: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A story as it came out on one day of the calendar; its id is unique for good."""

    id: str
    story: Story
    at: datetime


def read_stories() -> tuple[Story, ...]:
    """The whole programme, in the file's order."""
    document = tomllib.loads(files(__package__).joinpath("stories.toml").read_text("utf-8"))
    found = []
    for story in document["story"]:
        story["text"] = story["text"].strip()  # the file's blocks end with a newline
        found.append(Story(**story))
    return tuple(found)


def published(
    stories: tuple[Story, ...], language: str, first_day: date, now: datetime
) -> list[Published]:
    """The reports of a language's agency up to `now`, newest first, as many as a feed shows."""
    own: dict[int, list[Story]] = defaultdict(list)
    for story in sorted(stories, key=lambda one: one.at, reverse=True):
        if story.language == language:
            own[story.day].append(story)
    found: list[Published] = []
    today = now.astimezone(ZONE).date()
    while today >= first_day and len(found) < FEED_LENGTH:
        for story in own[(today - first_day).days % WEEK]:
            at = datetime.combine(today, story.at, ZONE)
            if at <= now:
                # with its day: the programme comes again, and a known id would be no news
                found.append(Published(id=f"{story.id}-{today}", story=story, at=at))
        today -= timedelta(days=1)
    return found[:FEED_LENGTH]
