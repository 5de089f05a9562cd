"""Quiet hours in the store: what is due within them is held, and told once after them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select, update
from structlog.testing import capture_logs

import storage.alerts
import storage.chats
import storage.fan_out
import storage.lapsed
import storage.quiet
import storage.supergroups
from bot.alerts import corrections, waited
from bot.alerts.digests import DigestDue
from bot.alerts.feeds import FeedBrought
from bot.alerts.moves import RateMoved
from bot.alerts.waited import WhatWaited
from bot.detect.moves import Moved
from bot.model.alerts import Audience, Lane, Payload, State
from bot.model.chats import ChatKind, Post, Sound
from bot.model.quiet import QuietHours
from storage.db import Db, Store, db_now
from storage.schema import alert, chat, delivery
from tests.factories import NOW, rate, seen_rate
from tests.factories import chat as a_chat
from tests.storage.test_deliveries import (
    an_alert,
    claim,
    fan_all,
    forget_chat_pace,
    readers,
    sent,
    told,
)

HOUR = timedelta(hours=1)
NIGHT = QuietHours(time(23), time(7))
MOVED = RateMoved(
    Moved(
        baseline=rate(on="2021-10-19"),
        previous=rate(on="2021-10-19"),
        new=rate(value="86.4"),
        rules=("fixing",),
        usual=Decimal("0.1"),
    )
)
BROUGHT = FeedBrought(feed="1", name="Mine", title="Headline", text="Text.")


async def quiet(db: Db, number: int, *, ends_in: timedelta = HOUR, **changes: Any) -> None:
    """A chat that is in its quiet hours by the database's clock, until then."""
    now = await db_now(db)
    hours = {"quiet_begins_at": now - 2 * HOUR, "quiet_ends_at": now + ends_in}
    values = {"quiet": str(around(now)), **hours, **changes}
    await db.execute(update(chat).where(chat.c.id == number).values(**values))


def around(now: datetime) -> QuietHours:
    """Quiet hours of a chat in UTC from two hours ago for an hour, so that they are not now."""
    begins = (now - 3 * HOUR).time().replace(second=0, microsecond=0)
    return QuietHours(begins, (now - 2 * HOUR).time().replace(second=0, microsecond=0))


async def people(db: Db, *ids: int) -> None:
    """Readers whose clocks show UTC."""
    await readers(db, *ids)
    await db.execute(update(chat).values(time_zone="UTC"))


async def brought(db: Db, name: str, payload: Payload = BROUGHT, **changes: Any) -> int:
    """An alert that waits for quiet hours, fanned out."""
    pk = await storage.alerts.enqueue(db, an_alert(name, payload=payload, **changes))
    await fan_all(db)
    assert pk is not None
    return pk


async def over(db: Db, number: int) -> int:
    """The quiet hours of a chat are over; how many chats' were ended."""
    now = await db_now(db)
    await db.execute(update(chat).where(chat.c.id == number).values(quiet_ends_at=now))
    await db.execute(
        update(delivery)
        .where(delivery.c.chat_id == number, delivery.c.state == "held")
        .values(not_before=now)
    )
    return await storage.quiet.end(db, waited.alert)


async def summaries(db: Db) -> list[Any]:
    """The alerts about what waited."""
    return list(await db.execute(select(alert).where(alert.c.kind == WhatWaited.KIND)))


async def test_what_waits_comes_as_one_alert_once(store: Store) -> None:
    """Neither claimed nor expired meanwhile; another chat has it at once. The log says which alert
    tells it.
    """
    async with store.writing() as db:
        await people(db, 1, 2)
        await quiet(db, 1)
        first = await brought(db, "a", lives=timedelta(seconds=1))
        second = await brought(db, "b")
        assert [one.chat for one in (await claim(db)).deliveries] == [2]
        await db.execute(update(delivery).values(expires_at=NOW - HOUR))
        await storage.lapsed.expire(db)
        assert await told(db, chat_id=1) == [(1, "held"), (1, "held")]
        assert await storage.quiet.end(db, waited.alert) == 0  # they are not over
    with capture_logs() as logged:
        async with store.writing() as db:
            assert await over(db, 1) == 1
    async with store.writing() as db:
        await fan_all(db)
        (summary,) = await summaries(db)
        (line,) = [one for one in logged if one["event"] == "collected"]
        assert (line["alert"], line["alerts"]) == (summary.id, [first, second])
        assert await storage.quiet.collected(db, summary.id, 1) == [first, second]
        got = await claim(db)
        assert [(one.chat, one.alert) for one in got.deliveries] == [(1, summary.id)]
        await sent(db, got)
        assert await over(db, 1) == 1  # the next night, in which nothing happened
        assert len(await summaries(db)) == 1
        assert await told(db, chat_id=1) == [(1, "collected"), (1, "collected"), (1, "sent")]


async def test_a_transaction_that_fails_between_collecting_and_telling_is_done_again(
    store: Store,
) -> None:
    """All of it or nothing: neither lost nor told twice."""
    async with store.writing() as db:
        await people(db, 1)
        await quiet(db, 1)
        await brought(db, "a")
    with pytest.raises(ZeroDivisionError):
        async with store.writing() as db:
            assert await over(db, 1) == 1
            raise ZeroDivisionError
    async with store.writing() as db:
        assert await told(db) == [(1, "held")]
        assert await over(db, 1) == 1
        assert await storage.quiet.end(db, waited.alert) == 0
        assert len(await summaries(db)) == 1


@pytest.mark.parametrize("passing", [True, False])
async def test_what_is_urgent_passes_where_the_chat_lets_it(store: Store, passing: bool) -> None:
    async with store.writing() as db:
        await people(db, 1)
        await quiet(db, 1, quiet_urgent=passing)
        await brought(db, "urgent", lane=Lane.URGENT)
        await brought(db, "other")
        assert len((await claim(db)).deliveries) == passing


async def test_what_no_setting_asks_about_passes(store: Store) -> None:
    """A notice, an answer; not what was due before the hours began and waited for its turn."""
    async with store.writing() as db:
        await people(db, 1)
        await brought(db, "due before")
        await quiet(db, 1)
        assert (await claim(db)).deliveries == ()
        pk = await storage.alerts.enqueue(db, an_alert("a notice", lane=Lane.URGENT))
        await fan_all(db)
        got = await claim(db)
        assert [one.alert for one in got.deliveries] == [pk]
        await sent(db, got)
        assert await storage.quiet.hold(db) == 1
        assert await told(db) == [(1, "held"), (1, "sent")]


async def test_what_was_taken_back_is_not_told(store: Store) -> None:
    """Superseded, withdrawn, or its chat said /stop: held or waiting is one."""
    async with store.writing() as db:
        await people(db, 1)
        await quiet(db, 1)
        await brought(db, "old", supersede_key="usd")
        new = await brought(db, "new", supersede_key="usd")
        gone = await brought(db, "gone")
        left = await storage.alerts.withdraw(db, gone)
        assert (left.reached, left.waiting) == (False, True)
        await over(db, 1)
        (summary,) = await summaries(db)
        assert await storage.quiet.collected(db, summary.id, 1) == [new]
        # told with others is told: a correction goes to whom it reached
        assert (await storage.alerts.withdraw(db, new)).reached
        await quiet(db, 1)
        await brought(db, "next night")
        await storage.chats.stop(db, 1)
        await over(db, 1)
        assert len(await summaries(db)) == 1


async def test_a_digest_comes_after_them_as_what_it_is(store: Store) -> None:
    """With six hours to live from then on."""
    async with store.writing() as db:
        await people(db, 1)
        await quiet(db, 1)
        pk = await brought(db, "digest", DigestDue(day=NOW.date()), lane=Lane.ROUTINE)
        await db.execute(update(delivery).values(expires_at=NOW - HOUR))
        await over(db, 1)
        assert [one.alert for one in (await claim(db)).deliveries] == [pk]
        assert await summaries(db) == []


async def test_hours_that_are_chosen_anew_hold_on_or_let_go(store: Store) -> None:
    """Longer ones hold on to what is held, none let it go at once, as one message."""
    async with store.writing() as db:
        await people(db, 1)
        now = await db_now(db)
        hours = QuietHours((now - HOUR).time(), (now + 3 * HOUR).time().replace(second=0))
        await quiet(db, 1)
        await brought(db, "a")
        await storage.chats.change(db, 1, quiet=str(hours))
        assert await storage.quiet.end(db, waited.alert) == 0
        row = (await db.execute(select(chat))).one()
        held = (await db.execute(select(delivery))).one()
        assert held.not_before == row.quiet_ends_at > now + 2 * HOUR
        await storage.chats.change(db, 1, quiet=None)
        assert await storage.quiet.end(db, waited.alert) == 1
        (summary,) = await summaries(db)
        assert summary.payload["hours"] == ""


async def test_what_is_held_beside_the_end_of_the_hours_is_looked_for(store: Store) -> None:
    """A fan-out of another replica that saw the chat before its hours were over."""
    async with store.writing() as db:
        await people(db, 1)
        await quiet(db, 1)
        await brought(db, "a")
        row = {"quiet_begins_at": await db_now(db) + HOUR}
        row["quiet_ends_at"] = row["quiet_begins_at"] + HOUR
        await db.execute(update(chat).values(**row))
        await db.execute(update(delivery).values(not_before=NOW))
        assert await storage.quiet.end(db, waited.alert) == 1
        assert len(await summaries(db)) == 1


@pytest.mark.parametrize("known", [False, True])
async def test_G19_what_is_held_moves_with_its_group(store: Store, known: bool) -> None:
    """Whether or not the new one was met first, with hours of its own or without."""
    old, new = -4100, -1004000004100
    async with store.writing() as db:
        if known:
            await storage.chats.add(db, a_chat(new, kind=ChatKind.GROUP), now=NOW - HOUR)
            await storage.chats.subscribe(db, new, ["topic:economy"], now=NOW)
        await readers(db, old, kind=ChatKind.GROUP)
        await quiet(db, old)
        pk = await brought(db, "a")
        await storage.supergroups.migrate(db, old, new)
        await storage.quiet.end(db, waited.alert)
        if not known:  # its hours went along; they are other ones than those it was put into
            await over(db, new)
        (summary,) = await summaries(db)
        assert await storage.quiet.collected(db, summary.id, new) == [pk]
        assert summary.audience_chat == new
        await fan_all(db)
        got = await claim(db)
        assert [(one.chat, one.alert) for one in got.deliveries] == [(new, summary.id)]


async def test_a_kind_that_is_off_is_not_told_and_others_are(store: Store) -> None:
    """For one chat alone, for its own rules too."""
    async with store.writing() as db:
        await people(db, 1, 2)
        await storage.chats.change(db, 1, sounds=f"{Post.FEEDS}={Sound.OFF}")
        await brought(db, "a")
        assert await told(db) == [(2, "pending")]
        await brought(db, "alone", audience=Audience(chat=1))
        await brought(db, "digest", DigestDue(day=NOW.date()))
        assert await told(db) == [(1, "pending"), (2, "pending"), (2, "pending")]
        found = await storage.chats.get(db, 1)
        assert found is not None
        assert found.sounds == {Post.FEEDS: Sound.OFF}


async def test_what_a_chat_turned_off_in_the_night_is_not_told_after_it(store: Store) -> None:
    """Neither within the message of the morning nor by itself, nor corrected later."""
    async with store.writing() as db:
        await people(db, 1)
        await quiet(db, 1)
        first = await brought(db, "a")
        await brought(db, "digest", DigestDue(day=NOW.date()))
        moved = await brought(db, "move", MOVED)
        await storage.chats.change(db, 1, sounds="digests=off feeds=off")
        await over(db, 1)
        (summary,) = await summaries(db)
        assert await storage.quiet.collected(db, summary.id, 1) == [moved]
        assert await told(db) == [(1, "cancelled"), (1, "cancelled"), (1, "collected")]
        assert not (await storage.alerts.withdraw(db, first)).reached


@pytest.mark.parametrize(
    ("off", "corrects", "comes"),
    [
        (Post.RATES, Post.RATES, False),
        (Post.RATES, Post.RULES, True),
        (Post.FEEDS, Post.RATES, True),
    ],
)
async def test_a_correction_is_told_to_who_wants_what_it_corrects(
    store: Store, off: Post, corrects: Post, comes: bool
) -> None:
    """Of those whom the wrong figure reached."""
    async with store.writing() as db:
        await people(db, 1)
        first = await brought(db, "a move", MOVED)
        await sent(db, await claim(db))
        await storage.chats.change(db, 1, sounds=f"{off}={Sound.OFF}")
        new = seen_rate(value="85.5", revision=1)
        fixed = corrections.alert(first, rate(), new, now=NOW, corrects=corrects)
        await storage.alerts.enqueue(db, fixed)
        await fan_all(db)
        assert len(await told(db)) == 1 + comes


async def test_new_chats_have_their_quiet_hours_reckoned(store: Store) -> None:
    async with store.writing() as db:
        await storage.chats.add(db, a_chat(1, quiet=NIGHT), now=NOW)
        row = (await db.execute(select(chat))).one()
        assert (row.quiet_ends_at - row.quiet_begins_at) == 8 * HOUR
        assert row.quiet_ends_at > await db_now(db)


async def test_the_hours_of_many_are_ended_in_pieces(store: Store) -> None:
    """However many there are, each once; none is left."""
    async with store.writing() as db:
        await people(db, *range(1, 8))
        for number in range(1, 8):
            await quiet(db, number)
        await brought(db, "a")
        await db.execute(update(chat).values(quiet_ends_at=await db_now(db)))
        ended: Sequence[int] = [
            await storage.quiet.end(db, waited.alert, chunk=3) for _ in range(4)
        ]
        assert ended == [3, 3, 1, 0]
        assert len(await summaries(db)) == 7
        await fan_all(db)
        await forget_chat_pace(db)
        assert len((await claim(db)).deliveries) == 7
        assert {state for _, state in await told(db)} == {
            State.COLLECTED.value,
            State.LEASED.value,
        }
