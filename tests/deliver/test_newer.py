"""An alert in a form that this version of the program does not read, as after going back to it: it
is held with the reason, and nothing of it is lost or told wrongly.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import select, update

import storage.claims
import storage.deliveries
import storage.fan_out
import storage.switch
from bot.alerts.notices import Notice
from bot.deliver.unread import UnreadAlerts
from bot.model.alerts import Audience, Lane, State
from bot.model.chats import ChatKind
from bot.ops.whole import _alerts
from bot.reasons import Reason, read
from bot.telegram.outcomes import TOO_MANY
from storage.db import Store, db_now
from storage.deliveries import Mark
from storage.due import UNREAD
from storage.schema import alert, delivery
from tests.deliver.test_worker import ONE, TWO, bench
from tests.factories import NOW, carried
from tests.storage.test_deliveries import an_alert, claim, fan_all, forget_chat_pace, readers, sent
from tests.storage.test_joined import decided
from tests.storage.test_quiet import HOUR
from tests.storage.test_withheld import broken, report
from tests.world import Sending, World

__all__ = ["bench"]

#: What stands in place of an alert's stored form, and why it is not read.
FORMS: dict[str, tuple[dict[str, Any], str]] = {
    "a newer version": (
        {"payload": {"v": 3, "lines": []}},
        "a stored notice of version 3, and 2 is the newest known",
    ),
    "no version": (
        {"payload": {"msgid": "notice.well", "values": []}},
        "a stored notice that does not say its version",
    ),
    "a kind of a newer program": ({"kind": "bulletin"}, "a stored alert of kind bulletin"),
}


async def become(world: World, number: int, values: Mapping[str, Any]) -> dict[str, Any]:
    """Let an alert be stored so; how it was."""
    async with world.store.writing() as db:
        row = (await db.execute(select(alert).where(alert.c.id == number))).one()
        await db.execute(update(alert).where(alert.c.id == number).values(**values))
    return {"kind": row.kind, "payload": row.payload}


@pytest.mark.parametrize("given_out", [True, False])
@pytest.mark.parametrize("form", FORMS)
async def test_what_cannot_be_read_waits_with_the_reason_and_is_sent_by_who_can(
    bench: World, form: str, given_out: bool
) -> None:
    """Others are sent meanwhile, and the operators hear of it once, for all its chats."""
    for reader in (ONE, TWO):
        await bench.reader(reader)
    await bench.alert()
    if given_out:  # by the program that could read it, before it was replaced
        async with bench.store.writing() as db:
            await storage.fan_out.fan_out(db)
    stored, why = FORMS[form]
    was = await become(bench, 1, stored)
    async with Sending(bench):
        await bench.alert()
        await bench.arrived(ONE)
        await bench.arrived(TWO)
    for reader in (ONE, TWO):
        held = [("pending", UNREAD.words)] if given_out else []
        assert await bench.rows(reader) == [*held, ("sent", None)]
        assert bench.accepted(reader) == 1
    assert bench.told == [("notice.newer", {"alert": "1", "why": why})]
    await become(bench, 1, was)  # what the program of that version makes of it
    async with bench.store.writing() as db:  # half a minute later
        await db.execute(update(delivery).values(not_before=await db_now(db)))
    bench.restart()
    async with Sending(bench):
        await bench.arrived(ONE, 2)
        await bench.arrived(TWO, 2)
    await bench.done()
    assert await bench.rows(ONE) == [("sent", None)] * 2


async def test_among_others_it_is_left_out(bench: World) -> None:
    """The operator's page shows the rest."""
    await bench.reader(ONE, kind=ChatKind.PRIVATE)
    for _ in range(2):
        await bench.alert()
    async with bench.store.writing() as db:
        await storage.fan_out.fan_out(db)
        await db.execute(update(alert).values(personal=False))
    await become(bench, 1, {"payload": {"v": 9}})
    async with bench.store.reading() as db:
        assert [one.alert.id for one in await _alerts(db)] == [2]


async def test_very_many_that_cannot_be_read_keep_nobody_waiting(
    bench: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There are more than leave in their pause, so that the first are due again before the last."""
    monkeypatch.setattr("bot.deliver.worker.NEWER_PAUSE", 0.5)
    bench._rate = 10.0
    bench.restart()
    for number in range(3000, 3040):
        await bench.reader(number)
    await bench.alert()
    async with bench.store.writing() as db:
        await storage.fan_out.fan_out(db)
    await become(bench, 1, {"payload": {"v": 9}})
    await bench.reader(ONE)
    await bench.alert()
    async with Sending(bench):
        await bench.arrived(ONE)
    assert bench.accepted(ONE) == 1
    # half a second's slots are claimed ahead, before it is known that there is nothing to send
    assert len([row for row in await _held(bench) if row == UNREAD.words]) <= 10


async def test_what_cannot_be_read_is_forgotten_when_its_time_is_over(store: Store) -> None:
    """Else every fan-out and claim would name it; it is told of once, and given to nobody."""
    told: list[str] = []

    async def on_trouble(word: Notice, /, *why: Reason) -> None:
        told.append(f"{carried(word)['alert']} {why[0]}")

    unread = UnreadAlerts(on_trouble)
    async with store.writing() as db:
        over = await broken(db, await report(db, "one"), "over")
        live = await broken(db, await report(db, "two"), "live")
        unread.alerts |= {over: UNREAD, live: UNREAD, 99: UNREAD}
        await unread.tell()
        await db.execute(update(alert).where(alert.c.id == over).values(expires_at=NOW))
        await unread.forget(db)
        assert set(unread.alerts) == {live}
        assert await storage.fan_out.fan_out(db) is not None
        assert await storage.fan_out.fan_out(db) is None  # the other is not open any more
    await unread.tell()
    assert len(told) == 3
    assert unread._told == {live}


@pytest.mark.parametrize("stopped", [False, True])
async def test_what_this_program_cannot_read_is_not_claimed_and_nothing_waits_for_it(
    store: Store, stopped: bool
) -> None:
    """By its number, also while an operator stopped all else; the others keep their order, that of
    lanes first. Nor does it outrank anything.
    """
    async with store.writing() as db:
        await readers(db, 1, 2)
        first, second, third = await decided(db, *(an_alert(name) for name in "abc"))
        await fan_all(db)
        if stopped:
            await storage.switch.turn_off(db, "t")
        assert (await claim(db, left_out=[first, second, third])).deliveries == ()
        for pk in (second, third):
            got = await claim(db, left_out=[first])
            assert [(one.chat, one.alert) for one in got.deliveries] == [(1, pk), (2, pk)]
            await sent(db, got)
        alone = an_alert("e", audience=Audience(chat=1))
        sooner = an_alert("f", lane=Lane.URGENT, audience=Audience(chat=2))
        _, pk = await decided(db, alone, sooner)
        await fan_all(db)
        await forget_chat_pace(db)
        assert [one.alert for one in (await claim(db, limit=1)).deliveries] == [pk]
        (urgent,) = await decided(db, an_alert("d", lane=Lane.URGENT))
        await fan_all(db)
        assert await storage.claims.outranked(db, got.deliveries, Lane.ALERT) == {1, 2}
        assert await storage.claims.outranked(db, got.deliveries, Lane.ALERT, [urgent]) == set()


async def test_of_what_waits_for_another_try_only_what_is_unread_holds_up_nobody(
    store: Store,
) -> None:
    """Known by the reason that another process left with it."""
    async with store.writing() as db:
        await readers(db, 1, 2)
        _, second = await decided(db, an_alert("a"), an_alert("b"))
        await fan_all(db)
        whys = {1: UNREAD, 2: TOO_MANY}
        marks = [
            Mark(one.id, one.fence, State.PENDING, error=whys[one.chat], retry_in=HOUR)
            for one in (await claim(db)).deliveries
        ]
        await storage.deliveries.finish(db, marks)
        await forget_chat_pace(db)
        got = (await claim(db)).deliveries
        assert [(one.chat, one.alert) for one in got] == [(1, second)]


async def _held(bench: World) -> list[str | None]:
    """The reasons for which the deliveries of the first alert wait."""
    async with bench.store.reading() as db:
        rows = await db.execute(select(delivery.c.error).where(delivery.c.alert_id == 1))
    return [None if error is None else read(error).words for error in rows.scalars()]
