"""A group becomes a supergroup: whatever the order of the news, nothing of it is lost."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

import storage.alerts
import storage.boards
import storage.chats
import storage.fan_out
import storage.privacy
import storage.rules
import storage.supergroups
from bot.alerts.notices import Notice
from bot.alerts.notices import alert as notice
from bot.model.alerts import Alert, Audience, Lane, Severity
from bot.model.chats import ChatKind, Style
from bot.telegram.outcomes import KICKED, NO_RIGHT
from storage.db import Store
from storage.schema import alert, chat, delivery, rule, subscription
from tests.factories import NOW, a_notice
from tests.factories import chat as a_chat
from tests.handlers.test_privacy import fill
from tests.storage.test_rules import proposed, saved

OLD, NEW, READER = -4100, -1004000004100, 1001
KEY = "topic:security"
SHUFFLES = 5  # of the news, in each case
KEPT = {
    "kind": ChatKind.GROUP,
    "language": "ky",
    "time_zone": "Europe/Moscow",
    "style": Style.HEADLINE,
}


async def _enqueue(store: Store, key: str) -> None:
    async with store.writing() as db:
        await storage.alerts.enqueue(
            db,
            Alert(
                dedup_key=key,
                payload=Notice(msgid="notice.gone"),
                severity=Severity.NOTABLE,
                lane=Lane.ALERT,
                audience=Audience(subscription=KEY),
                created_at=NOW,
                expires_at=NOW + timedelta(days=1),
            ),
        )
        while await storage.fan_out.fan_out(db) is not None:
            pass


async def _met(store: Store, number: int) -> None:
    """A chat from which something came, as if for the first time."""
    async with store.writing() as db:
        await storage.chats.add(
            db, a_chat(number, kind=ChatKind.GROUP), now=NOW + timedelta(hours=1)
        )


async def _moved(store: Store) -> None:
    async with store.writing() as db:
        await storage.supergroups.migrate(db, OLD, NEW)


async def _joined(store: Store) -> None:
    """Told that the bot is in the new group."""
    await _met(store, NEW)
    async with store.writing() as db:
        await storage.chats.revive(db, NEW)


async def _left(store: Store) -> None:
    """Told that the bot is in the old group no more."""
    async with store.writing() as db:
        await storage.chats.close(db, OLD, why=KICKED.why)


async def _refused(store: Store) -> None:
    """A message to the old group met a refusal."""
    async with store.writing() as db:
        await storage.chats.close(db, OLD, why=NO_RIGHT.why)


async def _back(store: Store) -> None:
    """Told that the old group may be written to."""
    async with store.writing() as db:
        await storage.chats.revive(db, OLD)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("stopped", [False, True])
@pytest.mark.cases(keep=2)
async def test_G19_settings_subscriptions_and_a_stop_outlast_the_move_in_any_order(
    store: Store, *, stopped: bool, seed: int
) -> None:
    """Both service messages, a refused send, the bot's joining and leaving, and chats met in
    between, shuffled.
    """
    dice = random.Random(seed)
    for number in range(SHUFFLES):
        async with store.writing() as db:
            for table in (delivery, alert, subscription, rule, chat):
                await db.execute(table.delete())
            await storage.chats.add(db, a_chat(OLD, **KEPT), now=NOW)
            number_of_rule = await proposed(db, OLD)
            await saved(db, number_of_rule, OLD)
            await storage.chats.subscribe(
                db, OLD, [KEY, "pair:USD/KGS"], now=NOW - timedelta(hours=1)
            )
        await _enqueue(store, f"a{number}")
        if stopped:
            async with store.writing() as db:
                await storage.chats.stop(db, OLD)
        steps: list[Any] = [
            _moved,
            _moved,
            _moved,
            _joined,
            _left,
            lambda s: _met(s, OLD),
            lambda s: _met(s, NEW),
        ]
        if stopped:
            steps += [_refused, _back]
        dice.shuffle(steps)
        for step in steps:
            await step(store)
        await _moved(store)
        async with store.reading() as db:
            row = (await db.execute(select(chat))).one()
            kept = (row.id, row.language, row.time_zone, row.style, row.active)
            assert kept == (NEW, "ky", "Europe/Moscow", "headline", not stopped), steps
            assert await storage.chats.subscriptions(db, NEW) == ("pair:USD/KGS", KEY)
            assert [one.id for one in await storage.rules.of_chat(db, NEW)] == [number_of_rule], (
                steps
            )
            rows = (await db.execute(select(delivery.c.chat_id, delivery.c.state))).all()
            assert [tuple(one) for one in rows] == [(NEW, "dead" if stopped else "pending")], steps


#: All that the members of a group choose, each otherwise than a group that was just met has it.
CHOSEN = {
    "kind": "group",
    "title": "Market",
    "language": "ky",
    "time_zone": "Europe/Moscow",
    "home": "USD",
    "style": "headline",
    "wakes": "urgent",
    "quiet": "23:00-07:00",
    "quiet_urgent": False,
    "sounds": "feeds=off",
    "threads": "digests=9",
    "currencies": "RUB USD",
    "tables": True,
    "policy": "approve",
    "anonymous": True,
}
#: What a group's row says of the group itself, and of how it is written to now.
OF_ITS_OWN = {
    *("id", "active", "stopped", "word_at", "inactive_why", "inactive_at", "created_at", "tat"),
    *("quiet_begins_at", "quiet_ends_at"),
}
ORDERS = {
    "moved": (_moved,),
    "moved, met": (_moved, lambda store: _met(store, NEW)),
    "met, moved": (lambda store: _met(store, NEW), _moved),
    "moved, old one met, moved": (_moved, lambda store: _met(store, OLD), _moved),
}


@pytest.mark.parametrize("steps", ORDERS.values(), ids=ORDERS)
async def test_G19_all_that_a_group_chose_moves_with_it(
    store: Store, steps: tuple[Any, ...]
) -> None:
    """Each column of its row that is not the group's own, and how long a subject is snoozed."""
    assert CHOSEN.keys() | OF_ITS_OWN == set(chat.c.keys())
    key, until = f"{KEY}:snoozed", NOW + timedelta(days=9)
    async with store.writing() as db:
        row = {"id": OLD, "active": True, "created_at": NOW, **CHOSEN}
        await db.execute(chat.insert().values(**row))
        await storage.chats.subscribe(db, OLD, [KEY, key], now=NOW)
        snoozed = update(subscription).where(subscription.c.key == key)
        await db.execute(snoozed.values(snoozed_until=until))
    for step in steps:
        await step(store)
    async with store.reading() as db:
        (found,) = (await db.execute(select(chat))).mappings()
        assert found["id"] == NEW
        assert {name: found[name] for name in CHOSEN} == CHOSEN
        rows = await db.execute(select(subscription.c.key, subscription.c.snoozed_until))
        assert {row.key: row.snoozed_until for row in rows} == {KEY: None, key: until}


async def test_G19_what_is_followed_anew_in_the_new_group_is_heard_of_as_before(
    store: Store,
) -> None:
    """Though it was snoozed in the old one; also what was decided before, and waits for a word."""
    async with store.writing() as db:
        await storage.chats.add(db, a_chat(OLD, **KEPT), now=NOW)
        await storage.chats.subscribe(db, OLD, [KEY], now=NOW - timedelta(hours=1))
        assert await storage.chats.snooze(db, OLD, KEY, span=timedelta(days=1))
    await _met(store, NEW)
    async with store.writing() as db:
        await storage.chats.subscribe(db, NEW, [KEY], now=NOW + timedelta(hours=1))
    await _moved(store)
    await _enqueue(store, "decided meanwhile")
    async with store.reading() as db:
        rows = await db.execute(select(delivery.c.chat_id, delivery.c.state))
        assert [tuple(row) for row in rows] == [(NEW, "pending")]


async def test_G19_who_said_stop_in_the_new_group_before_the_move_was_told_is_left_alone(
    store: Store,
) -> None:
    """The old group's settings win, and what waited for it is not sent either."""
    async with store.writing() as db:
        await storage.chats.add(db, a_chat(OLD, **KEPT), now=NOW)
        await storage.chats.subscribe(db, OLD, [KEY], now=NOW - timedelta(hours=1))
    await _enqueue(store, "waits")
    await _met(store, NEW)
    async with store.writing() as db:
        await storage.chats.stop(db, NEW)
    await _moved(store)
    async with store.reading() as db:
        kept = (await db.execute(select(chat.c.language, chat.c.active, chat.c.stopped))).one()
        assert tuple(kept) == ("ky", False, True)
        rows = await db.execute(select(delivery.c.chat_id, delivery.c.state))
        assert [tuple(row) for row in rows] == [(NEW, "dead")]


#: What was said of silence, in order: in which of the two, and whether it was /stop.
WORDS = {
    "stop, moved, start": [(OLD, True), (NEW, False)],
    "stop, start, moved, stop": [(OLD, True), (OLD, False), (NEW, True)],
    "stop, moved, start, stop": [(OLD, True), (NEW, False), (NEW, True)],
    "stop, start, moved": [(OLD, True), (OLD, False)],
    "start, stop, moved": [(OLD, False), (OLD, True)],
    "moved, stop, start": [(NEW, True), (NEW, False)],
}


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("upgraded", [False, True], ids=["", "the first before the column"])
@pytest.mark.parametrize("words", WORDS.values(), ids=WORDS)
@pytest.mark.cases(keep=3)
async def test_G19_the_last_word_of_the_people_holds_in_any_order_of_the_news(
    store: Store, words: list[tuple[int, bool]], *, upgraded: bool, seed: int
) -> None:
    """The words of one chat are handled in their order; the other chat's, both service messages and
    a refusal come in between as they like.
    """
    dice = random.Random(seed)
    for _ in range(SHUFFLES):
        async with store.writing() as db:
            for table in (delivery, alert, subscription, rule, chat):
                await db.execute(table.delete())
            await storage.chats.add(db, a_chat(OLD, **KEPT), now=NOW)
            await storage.chats.subscribe(db, OLD, [KEY], now=NOW)
        old = [(at, stopped) for at, (number, stopped) in enumerate(words) if number == OLD]
        new = [(at, stopped) for at, (number, stopped) in enumerate(words) if number == NEW]
        steps = [OLD] * len(old) + [NEW] * len(new) + [0] * 3
        dice.shuffle(steps)
        for step in steps:
            if not step:
                await _moved(store)
                continue
            at, stopped = (old if step == OLD else new).pop(0)
            said_at = None if upgraded and at == 0 and step == OLD else NOW + timedelta(minutes=at)
            await _met(store, step)
            async with store.writing() as db:
                if stopped:
                    await storage.chats.stop(db, step, said_at=said_at)
                else:
                    await storage.chats.activate(db, step, said_at=said_at)
        await _moved(store)
        async with store.reading() as db:
            row = (await db.execute(select(chat))).one()
            silent = words[-1][1]
            assert (row.id, row.stopped, row.active) == (NEW, silent, not silent), steps
            assert row.language == "ky"
            assert await storage.chats.subscriptions(db, NEW) == (KEY,)


async def test_G19_an_alert_that_both_had_is_delivered_once(store: Store) -> None:
    """An alert that the old group has is not sent to the new one again."""
    async with store.writing() as db:
        await storage.chats.add(db, a_chat(OLD, **KEPT), now=NOW)
        await storage.chats.add(db, a_chat(NEW, **KEPT), now=NOW + timedelta(hours=1))
        for number in (OLD, NEW):
            await storage.chats.subscribe(db, number, [KEY], now=NOW - timedelta(hours=1))
    await _enqueue(store, "both")
    await _enqueue(store, "waits")
    async with store.writing() as db:
        first = (
            (await db.execute(select(delivery.c.id).where(delivery.c.chat_id == OLD)))
            .scalars()
            .first()
        )
        await db.execute(
            delivery.update().where(delivery.c.id == first).values(state="sent", message_id=5)
        )
    await _moved(store)
    async with store.reading() as db:
        rows = await db.execute(
            select(delivery.c.chat_id, delivery.c.state).order_by(delivery.c.alert_id)
        )
        assert [tuple(row) for row in rows] == [(NEW, "sent"), (NEW, "pending")]


async def test_S21_what_operators_were_told_of_the_old_group_is_forgotten_with_the_new_one(
    store: Store,
) -> None:
    """A notice names a group by its number; nobody can erase the old one any more."""
    await _met(store, OLD)
    async with store.writing() as db:
        told = {"chat": str(OLD), "why": "blocked"}
        await storage.alerts.enqueue(db, notice(READER, a_notice("notice.gone", told), now=NOW))
        await storage.supergroups.migrate(db, OLD, NEW)
        await storage.supergroups.migrate(db, OLD, NEW)
        assert (await db.execute(select(alert.c.about_chat))).scalars().all() == [NEW]
        await storage.privacy.erase(db, NEW)
        assert (await db.execute(select(alert))).all() == []


#: What only a person or a channel has.
NO_GROUPS = {"broadcast", "setup"}


async def test_S21_all_that_is_stored_of_the_old_group_is_given_away_and_erased_with_the_new_one(
    store: Store,
) -> None:
    """Table by table, what was written there among it; nothing stays under the old number."""
    await fill(store, OLD)
    async with store.writing() as db:
        before = (await storage.privacy.export(db, OLD)).tables
        await storage.supergroups.migrate(db, OLD, NEW)
        moved = (await storage.privacy.export(db, NEW)).tables
        for name, rows in before.items():
            assert len(moved[name]) == (0 if name in NO_GROUPS else len(rows)), name
        assert not any((await storage.privacy.export(db, OLD)).tables.values())
        await storage.privacy.erase(db, NEW)
        assert not any((await storage.privacy.export(db, NEW)).tables.values())


@pytest.mark.parametrize("there", [None, "on", "off"])
@pytest.mark.parametrize("here", ["on", "off"])
async def test_a_groups_board_is_begun_anew_in_the_supergroup(
    store: Store, here: str, there: str | None
) -> None:
    """Its message stays in the old group; where both have had one, the new group's word holds."""
    async with store.writing() as db:
        for number, how in ((OLD, here), (NEW, there)):
            if how is None:
                continue
            await storage.chats.add(db, a_chat(number, kind=ChatKind.GROUP), now=NOW)
            await storage.boards.begin(db, number)
            await storage.boards.change(db, number, message_id=-number % 1000)
            if how == "off":
                await storage.boards.end(db, number)
        for _ in range(2):  # Telegram tells of it twice
            await storage.supergroups.migrate(db, OLD, NEW)
    async with store.reading() as db:
        assert await storage.boards.get(db, OLD) is None
        found = await storage.boards.get(db, NEW)
    if there is None:
        assert (found is not None) == (here == "on")
        assert found is None or (found.kept, found.message) == (True, None)
        return
    assert found is not None
    assert found.kept == (there == "on")
    assert found.message == (-NEW % 1000 if there == "on" else None)
