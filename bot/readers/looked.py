"""Stories as a chat's filters look at them, with the places where what was measured is felt."""

from __future__ import annotations

from collections.abc import Mapping

import storage.places
import storage.stories
from bot.detect.filters import Looked
from bot.detect.nearness import near
from bot.model.news import Story
from bot.model.places import Place
from bot.sources.hazards import measured
from bot.sources.specs import Catalog, NewsSpec
from storage.db import Db


def looked_at(story: Story, catalog: Catalog) -> Looked:
    """A stored story for filters. Only of what was measured is it asked where it is felt: all
    others are near to what their reports name.
    """
    if measured(story, catalog.news) is None:
        return Looked(story)
    return Looked(story, places_near(story, catalog.news, catalog.places))


def places_near(
    story: Story, feeds: Mapping[str, NewsSpec], places: Mapping[str, Place]
) -> frozenset[str]:
    """The places that a story is near to, where the catalog offers any."""
    if not places:
        return frozenset()
    found = measured(story, feeds)
    return near(story, found and found[1], places.values())


async def near_by_now(
    db: Db, pk: int, feeds: Mapping[str, NewsSpec], places: Mapping[str, Place]
) -> frozenset[str]:
    """The places that a stored story is near to; none where no chat chose any."""
    if not places or not await storage.places.anybody(db):
        return frozenset()
    story = await storage.stories.get(db, pk)
    return frozenset() if story is None else places_near(story, feeds, places)
