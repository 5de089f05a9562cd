"""Stories, page by page."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import storage.stories
from bot.detect.corrections import as_mended, mending, without_taken_back
from bot.detect.endings import before_its_end
from bot.detect.filters import keeps_back
from bot.model.filters import StoredFilter
from bot.model.news import Mending, NewsPage, StoredEntry, Story
from bot.readers.looked import looked_at
from bot.sources.specs import Catalog, NewsSpec
from bot.sources.standing import is_confirmed, led
from storage.db import Db

LOOKED_THROUGH = 400  # stories, for a chat whose filters keep back what is new
LOOKED_AT_ONCE = 25  # of them, until a page is full
STORIES_A_PAGE = 5  # a headline and who reports it: a phone's height


def as_told(story: Story, feeds: Mapping[str, NewsSpec]) -> Story:
    """The story led by its most trusted report, or by what its publisher put right or took back."""
    return as_mended(led(story, feeds), mending(story))


def as_worded(
    story: Story,
    language: str,
    *,
    worse: bool,
    mended: tuple[StoredEntry, Mending] | None,
    over: StoredEntry | None = None,
) -> Story:
    """A story, as it is `led`, with the report first whose words an alert tells: by which it was
    `mended`; of one that got `worse` the gravest, since the others' were told before; not that by
    which it is `over`, where there is another.
    """
    story = before_its_end(as_mended(story, mended), over).told_in(language)
    return story.gravest if worse and mended is None else story


def still_confirmed(story: Story, feeds: Mapping[str, NewsSpec]) -> bool:
    """Whether a story is confirmed by those alone who have not taken it back."""
    return is_confirmed(without_taken_back(led(story, feeds)), feeds)


async def news_page(
    db: Db,
    catalog: Catalog,
    *,
    topic: str | None,
    number: int,
    now: datetime,
    filters: Sequence[StoredFilter] = (),
) -> NewsPage:
    """A page of the latest stories, newest first, without those that the filters keep back."""
    start = number * STORIES_A_PAGE
    asked: dict[str, Any] = {"topics": [topic] if topic else [], "before": now}
    left_out = 0
    if filters:

        async def load(offset: int) -> list[Story]:
            return await storage.stories.latest(db, **asked, offset=offset, limit=LOOKED_AT_ONCE)

        stories, left_out = await sifted(load, filters, start, catalog)
    else:
        stories = await storage.stories.latest(db, **asked, offset=start, limit=STORIES_A_PAGE + 1)
    return NewsPage(
        stories=tuple(as_told(story, catalog.news) for story in stories[:STORIES_A_PAGE]),
        topic=topic,
        number=number,
        more=len(stories) > STORIES_A_PAGE,
        feed_names=catalog.feed_names,
        left_out=left_out,
    )


async def sifted(
    load: Callable[[int], Awaitable[list[Story]]],
    filters: Sequence[StoredFilter],
    start: int,
    catalog: Catalog,
    size: int = STORIES_A_PAGE,
) -> tuple[list[Story], int]:
    """The stories from the `start`-th let through on, one more than the page's `size`, and how many
    were kept back between them. `load` brings `LOOKED_AT_ONCE` of them from a place on.
    """
    end = start + size
    let_through: list[Story] = []
    left_out = 0
    for offset in range(0, LOOKED_THROUGH, LOOKED_AT_ONCE):
        stories = await load(offset)
        for story in stories:
            await asyncio.sleep(0)  # the words of a long text take a millisecond
            if keeps_back(filters, looked_at(story, catalog)) is None:
                let_through.append(story)
            elif start <= len(let_through) < end:
                left_out += 1
            if len(let_through) > end:
                return let_through[start:], left_out
        if len(stories) < LOOKED_AT_ONCE:
            break
    return let_through[start:], left_out
