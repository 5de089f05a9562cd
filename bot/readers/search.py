"""The archive by its words, page by page."""

from __future__ import annotations

import storage.news
import storage.search
from bot.detect.search import asked
from bot.model.news import FoundPage
from bot.readers.news import STORIES_A_PAGE
from bot.sources.specs import Catalog
from bot.sources.standing import led
from storage.db import Db


async def found_page(
    db: Db, catalog: Catalog, words: str, *, language: str, number: int = 0
) -> FoundPage:
    """A page of the stories with all these words: newest first, those in `language` before others.

    SearchTooLongError where there is too much to look through.
    """
    hits = await storage.search.find(db, asked(words))
    # a sort keeps the order of equals, which is by time
    hits.sort(key=lambda hit: hit.language != language)
    # before the pages are cut: what is shown to nobody leaves no gap in one
    pks = await storage.news.shown_among(db, list(dict.fromkeys(hit.story for hit in hits)))
    start = number * STORIES_A_PAGE
    stories = await storage.news.several(db, pks[start : start + STORIES_A_PAGE])
    return FoundPage(
        stories=tuple(led(story, catalog.news) for story in stories),
        words=words,
        number=number,
        more=len(pks) > start + STORIES_A_PAGE,
        feed_names=catalog.feed_names,
    )
