"""The verdict of chats' filters on an alert, asked in the fan-out's own transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from itertools import groupby
from types import MappingProxyType

import storage.alerts
import storage.stories
from bot.alerts import kind_of
from bot.detect.corrections import is_taken_back
from bot.detect.endings import ending
from bot.detect.filters import Looked, keeps_back
from bot.model.filters import StoredFilter, Trait
from bot.model.hazards import Hazard
from bot.model.news import Story
from bot.sources.specs import NewsSpec
from bot.sources.standing import led
from storage.alerts import StoredAlert
from storage.db import Db
from storage.kept_back import Sift

IN_A_TURN = 200  # filters that are asked before others have the loop
# of one story for all chunks of its fan-out: it is looked at again when it has grown
_looked = lru_cache(maxsize=2)(Looked)


async def sieve(
    db: Db, told: StoredAlert, feeds: Mapping[str, NewsSpec] = MappingProxyType({})
) -> Sift | None:
    """The question to filters about an alert; None for one that tells no story. The `feeds` say who
    publishes it.

    Who has a story's message gets its edits, whatever filters say: only a filter of that very story
    ends them. Asked again since it grew, they let nothing through that is over.
    """
    again = told.grew_at is not None
    traits = frozenset(Trait)
    first = kind_of(told).revises(told)
    if first is not None:
        revised = await storage.alerts.get(db, first)
        if revised is None:
            return None
        told, traits = revised, frozenset({Trait.STORY})
    number = kind_of(told).story(told)
    story = kind_of(told).news(told)
    if number is not None:
        story = await storage.stories.get(db, number)
    if story is None or (again and _is_over(led(story, feeds))):
        return None
    looked = _looked(story, told.near)

    async def sift(filters: Sequence[StoredFilter]) -> Collection[int]:
        asked = [one for one in filters if one.trait in traits]
        kept: list[int] = []
        here = 0
        for _, of_chat in groupby(asked, key=lambda one: one.chat):
            mine = list(of_chat)
            here += len(mine)
            if here >= IN_A_TURN:
                here = 0
                await asyncio.sleep(0)
            held = keeps_back(mine, looked)
            if held is not None:
                kept.append(held.id)
        return kept

    return sift


def _is_over(story: Story) -> bool:
    """Whether a report says so, or those who told it have taken it back."""
    hazards = [Hazard.read(one.entry.content) for one in story.entries]
    measured = [one.withdrawn for one in hazards if one is not None]
    if ending(story) is not None or is_taken_back(story):
        return True
    return bool(measured) and all(measured)
