"""Stories, page by page."""

from __future__ import annotations

from datetime import datetime

import storage.news
from bot.model.news import NewsPage
from bot.sources.specs import Catalog
from bot.sources.standing import led
from storage.db import Db

#: What readers can follow and page through; channels may list more (`bot.sources.values.TOPICS`).
READERS_TOPICS = ("security", "economy", "politics", "society")
STORIES_A_PAGE = 5  # a headline and who reports it: a phone's height


async def news_page(
    db: Db, catalog: Catalog, *, topic: str | None, number: int, now: datetime
) -> NewsPage:
    """A page of the latest stories, newest first."""
    stories = await storage.news.latest(
        db, topic=topic, before=now, offset=number * STORIES_A_PAGE, limit=STORIES_A_PAGE + 1
    )
    return NewsPage(
        stories=tuple(led(story, catalog.news) for story in stories[:STORIES_A_PAGE]),
        topic=topic,
        number=number,
        more=len(stories) > STORIES_A_PAGE,
        feed_names=catalog.feed_names,
    )
