"""Each of our kinds by the terms on which it goes out: whom it reaches, who hears of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

import storage.alerts
import storage.chats
import storage.claims
import storage.db
import storage.fan_out
import storage.switch
import storage.told
from bot.alerts import answers, broadcasts, notices, stories
from bot.alerts.broadcasts import Broadcast
from bot.model.alerts import Alert, Audience, Severity
from bot.model.calls import Call
from bot.model.chats import Wakes
from storage.db import Store
from storage.schema import delivery
from tests.factories import NOW, a_notice, chat
from tests.render.world import story

SECURITY = "topic:security"
HOUR = timedelta(hours=1)
LOUD = stories.alert(story(severity=Severity.NOTABLE), approval=False, now=NOW)
CALM = stories.alert(story(severity=Severity.INFO), approval=False, now=NOW)
BROADCAST = broadcasts.alert("1", Broadcast(text="To all"), SECURITY, now=NOW)
NOTICE = notices.alert(1, a_notice("notice.silent", {"bank": "nbkr"}), now=NOW)
CALL = Call(method="sendMessage", parameters={})
ANSWER = answers.alert(1, 1, CALL, flood=False, now=NOW, lasts=HOUR)


async def sent(store: Store, *alerts: Alert) -> dict[str, set[int]]:
    """The chats that each alert is sent to, by its kind."""
    async with store.writing() as db:
        kinds = {await storage.alerts.enqueue(db, one): one.payload.KIND for one in alerts}
        while await storage.fan_out.fan_out(db) is not None:
            pass
        mine = delivery.select().where(delivery.c.alert_id.in_(kinds))
        rows = (await db.execute(mine)).all()
    found: dict[str, set[int]] = {kind: set() for kind in kinds.values()}
    for row in rows:
        found[kinds[row.alert_id]].add(row.chat_id)
    return found


async def people(store: Store) -> None:
    """Four follow security: 2 wants all of it, 3 what is urgent, and 4 began to follow later."""
    async with store.writing() as db:
        for number, wakes in enumerate(
            (Wakes.IMPORTANT, Wakes.ALL, Wakes.URGENT, Wakes.IMPORTANT), 1
        ):
            await storage.chats.add(db, chat(number, wakes=wakes), now=NOW)
            since = NOW + HOUR if number == 4 else NOW
            await storage.chats.subscribe(db, number, [SECURITY], now=since)


@pytest.mark.parametrize("personal", [NOTICE, ANSWER], ids=["notice", "answer"])
async def test_a_word_to_one_person_stands_on_no_page_and_is_never_unheard(
    store: Store, personal: Alert
) -> None:
    """Beside a story, which does and is."""
    await people(store)
    found = await sent(store, personal, LOUD)
    assert found == {personal.payload.KIND: {1}, "story": {1, 2}}
    async with store.reading() as db:
        listed = await storage.told.newest(db, most=9)
        unheard = await storage.told.unheard(db, now=NOW + HOUR, after=HOUR)
    assert [one.payload.kind for one in listed] == ["story"]
    assert [one.alert for one in unheard] == [listed[0].id]


async def test_a_broadcast_reaches_all_readers_of_a_subject_and_is_no_word_of_it(
    store: Store,
) -> None:
    """Whenever they came, and however grave they want its news."""
    await people(store)
    assert await sent(store, BROADCAST) == {"broadcast": {1, 2, 3, 4}}
    async with store.writing() as db:
        await db.execute(delivery.update().values(state="sent"))
        assert await storage.alerts.last_told(db, 1, [SECURITY]) == {}


async def test_a_calm_story_is_for_who_wants_all_and_a_graver_one_is_told(store: Store) -> None:
    """And counts as a word of its topic."""
    await people(store)
    assert await sent(store, CALM) == {"story": {2}}
    assert await sent(store, LOUD) == {"story": {1, 2}}
    async with store.writing() as db:
        await db.execute(delivery.update().values(state="sent"))
        assert await storage.alerts.last_told(db, 1, [SECURITY]) == {SECURITY: NOW}


async def test_a_notice_and_an_answer_leave_while_no_alert_may(store: Store) -> None:
    """All else waits for the end of the stop."""
    await people(store)
    async with store.writing() as db:
        await storage.switch.turn_off(db, "t")
        now = await storage.db.db_now(db)
    every = (NOTICE, replace(ANSWER, audience=Audience(chat=2)), LOUD, BROADCAST)
    kinds = await sent(store, *(replace(one, expires_at=now + HOUR) for one in every))
    assert set(kinds) == {"notice", "answer", "story", "broadcast"}
    span = timedelta(seconds=1)
    async with store.writing() as db:
        found = await storage.claims.claim(db, token="t", rate=1000, horizon=span, lease=HOUR)
        leaving = [await storage.alerts.get(db, one.alert) for one in found.deliveries]
    assert {one.payload.kind for one in leaving if one is not None} == {"notice", "answer"}


async def test_an_answer_goes_also_to_who_wants_no_alerts(store: Store) -> None:
    """They asked; a notice is no answer."""
    await people(store)
    async with store.writing() as db:
        await storage.chats.stop(db, 1)
    assert await sent(store, NOTICE, ANSWER) == {"notice": set(), "answer": {1}}
