"""Stories that wait for a second source, where `SECURITY_POLICY=two_sources`: seen in /admin, and
told at once where an operator says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

import storage.alerts
import storage.entries
import storage.stories
from bot.alerts import kind_of, reads
from bot.alerts.stories import alert, keys
from bot.detect.corrections import is_taken_back
from bot.detect.endings import ending
from bot.errors import UserError
from bot.model.alerts import Severity
from bot.model.decisions import Question, Words
from bot.model.news import Story
from bot.readers.looked import places_near
from bot.render.news import headline
from bot.sources.specs import NewsSpec
from bot.sources.standing import led
from handlers.context import Context
from handlers.desk import keep, tell_others
from handlers.services import Services
from storage.db import Db

WAITS_FOR = timedelta(hours=12)  # what is older is no news, whoever else reports it
LOOKED_AT = 60  # stories about security, at once
LOOKED_THROUGH = 1_200  # of them: where thousands of sources write, these are half a day's
MOST = 60  # that wait: more nobody reads


async def waiting(db: Db, services: Services) -> list[Story]:
    """The stories that one publisher alone reports, and that nobody was told; the latest first."""
    if services.settings.security_policy != "two_sources":
        return []
    since = services.clock() - WAITS_FOR
    found: list[Story] = []
    for offset in range(0, LOOKED_THROUGH, LOOKED_AT):
        some = await storage.stories.latest(
            db, topics=["security"], since=since, offset=offset, limit=LOOKED_AT
        )
        found += await _untold(db, some, services.catalog.news)
        if len(some) < LOOKED_AT or len(found) >= MOST:
            break
    return found[:MOST]


async def _untold(db: Db, stories: Sequence[Story], feeds: Mapping[str, NewsSpec]) -> list[Story]:
    """Those of stories that one publisher alone reports, and that nobody was told."""
    alone: list[Story] = []
    for one in stories:
        calm = one.severity is Severity.INFO
        mine = led(one, feeds)
        settled = ending(one) is not None or is_taken_back(mine)
        if not calm and len(mine.houses) == 1 and not settled:
            alone.append(mine)
    every = [key for one in alone for key in keys(one.pk)]
    told = {
        kind_of(one).story(one) for one in await storage.alerts.by_keys(db, every) if reads(one)
    }
    return [one for one in alone if one.pk not in told]


async def send(context: Context, number: int) -> None:
    """Tell a story that waits; UserError where it does not, or not any more."""
    services, now = context.services, context.services.clock()
    async with services.store.writing() as db:
        story = {one.pk: one for one in await waiting(db, services)}.get(number)
        if story is None:
            raise UserError("error.stale")
        near = places_near(story, services.catalog.news, services.catalog.places)
        told = alert(story, approval=False, now=now, near=near)
        pk = await storage.alerts.enqueue(db, told)
        if pk is None:
            raise UserError("error.stale")
        await keep(db, Question.SECURITY, Words.of(story.lead.entry), now=now)
        await tell_others(context, db, pk, "notice.approved", headline(story), now=now)
    services.wake()
