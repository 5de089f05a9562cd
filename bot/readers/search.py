"""The archive by its words, page by page."""

from __future__ import annotations

from collections.abc import Sequence

import storage.search
import storage.stories
from bot.detect.search import asked, searched
from bot.model.filters import StoredFilter
from bot.model.news import FoundPage, Story
from bot.readers.news import LOOKED_AT_ONCE, STORIES_A_PAGE, as_told, sifted
from bot.sources.specs import Catalog
from storage.db import Db


async def found_page(
    db: Db,
    catalog: Catalog,
    words: str,
    *,
    language: str,
    number: int = 0,
    filters: Sequence[StoredFilter] = (),
) -> FoundPage:
    """A page of the stories with all these words: newest first, those in `language` before others,
    and without those that the filters keep back. Its words are those that were looked for.

    SearchTooLongError where there is too much to look through.
    """
    hits = await storage.search.find(db, asked(words))
    # a sort keeps the order of equals, which is by time
    hits.sort(key=lambda hit: hit.language != language)
    # before the pages are cut: what is shown to nobody leaves no gap in one
    pks = await storage.stories.shown_among(db, list(dict.fromkeys(hit.story for hit in hits)))
    start = number * STORIES_A_PAGE
    left_out = 0
    if filters:

        async def load(offset: int) -> list[Story]:
            return await storage.stories.several(db, pks[offset : offset + LOOKED_AT_ONCE])

        stories, left_out = await sifted(load, filters, start, catalog)
    else:
        stories = await storage.stories.several(db, pks[start : start + STORIES_A_PAGE + 1])
    return FoundPage(
        stories=tuple(as_told(story, catalog.news) for story in stories[:STORIES_A_PAGE]),
        words=searched(words),
        number=number,
        more=len(stories) > STORIES_A_PAGE,
        feed_names=catalog.feed_names,
        left_out=left_out,
    )
