"""Alerts that reach nobody are news to the operators; that all is well, to a dead man's switch."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

import storage.alerts
import storage.chats
import storage.fan_out
import storage.missed
import storage.sources
import storage.switch
import storage.told
from bot import canary
from bot.alerts.broadcasts import Broadcast
from bot.alerts.notices import Notice
from bot.config import load_settings
from bot.deliver.sieve import sieve
from bot.emulator import TEST_TOKEN, Emulator, Fault
from bot.fetch import Fetcher
from bot.model.alerts import Alert, Approval, Audience, Lane, Severity, State
from bot.ops.readiness import NEVER_READ_FAILURES, SENDS
from bot.ops.unheard import SEEN_FOR, UNHEARD_AFTER, UnheardLooks
from bot.ops.whole import read_whole
from bot.reasons import said, written
from bot.recurring import JOBS, beat, look_for_unheard
from bot.telegram.outcomes import BLOCKED
from storage.db import Db, Store
from storage.schema import alert, delivery
from tests.factories import NOW
from tests.publishers import Publishers
from tests.test_fetch import Names
from tests.world import READER, SECURITY, World, running

OPERATOR, OTHER = 1002, 1003
KEY = "/ping/0f8fad5b-d9cb-469f-a165-70867728950e"
SWITCH = "healthchecks.internal"  # a name of the operator's own network
CATALOG = ""


@pytest.fixture
async def publishers() -> AsyncIterator[Publishers]:
    """A service that waits for signs of life."""
    async with Publishers() as server:
        server.put(KEY, b"OK", kind="text/plain")
        yield server


@pytest.fixture
async def world(
    tmp_path: Path, migrated_url: str, publishers: Publishers, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[World]:
    """The program with an operator, and a reader whom Telegram refuses for ten minutes."""
    monkeypatch.chdir(tmp_path)
    # asked by the tests alone: a look of its own would be the first, or the second
    ours = [job for job in JOBS if job.name not in {"canary", "heartbeat"}]
    monkeypatch.setattr("bot.background.JOBS", ours)
    at_home = partial(Fetcher, resolver=Names({SWITCH: ["127.0.0.1"]}))
    monkeypatch.setattr("bot.assembly.Fetcher", at_home)
    async with Emulator(TEST_TOKEN, "jarchy_bot") as telegram:
        for number, name in ((READER, "Aigul"), (OPERATOR, "Bakyt")):
            telegram.add_private(telegram.add_user(number, name, "en"))
        settings = {
            "admin_ids": [OPERATOR],
            "database_url": migrated_url,
            "heartbeat_url": publishers.url.replace("127.0.0.1", SWITCH) + KEY,
        }
        async with running(tmp_path, telegram, CATALOG, now=NOW, **settings) as made:
            for number in (READER, OPERATOR):
                await made.ask("/start", chat=number)
            async with made.store.writing() as db:
                await storage.chats.subscribe(db, READER, [SECURITY], now=NOW)
            made.emulator.faults.add(Fault.flood(600, chat_id=READER, method="sendMessage"))
            yield made


async def decide(world: World, lane: Lane = Lane.URGENT, key: str = "one") -> int:
    """An alert for those who follow security; its number."""
    new = Alert(
        dedup_key=key,
        payload=Broadcast(text="The pass is closed", entities=()),
        severity=Severity.URGENT,
        lane=lane,
        audience=Audience(subscription=SECURITY),
        created_at=NOW,
        expires_at=NOW + timedelta(days=1),
    )
    async with world.store.writing() as db:
        number = await storage.alerts.enqueue(db, new)
        await storage.fan_out.fan_out(db, sieve=sieve)
    assert number is not None
    return number


async def refused(world: World, lane: Lane = Lane.URGENT) -> None:
    """An alert for the reader, refused, and noted as such."""
    await decide(world, lane)
    world.bot.worker.wake()
    async with asyncio.timeout(60):
        while not [row for row in await world.stored(delivery) if row.error]:  # noqa: ASYNC110 - a commit of the worker's makes no event here
            await asyncio.sleep(0.02)


async def looks(world: World) -> list[int]:
    """What two looks of the canary find, the second one later by as much as it takes."""
    first = await canary.look_for_unheard(world.bot)
    world.now += SEEN_FOR
    return [first, await canary.look_for_unheard(world.bot)]


async def test_an_alert_that_nobody_has_after_two_minutes_is_told_once(world: World) -> None:
    """With how many wait and why; not before, not at the first look, and not again. The status page
    goes by the same looks.
    """
    await refused(world)
    world.now = NOW + timedelta(minutes=1, seconds=59)
    for _ in range(2):
        assert await canary.look_for_unheard(world.bot) == 0
    world.now = NOW + timedelta(minutes=2)
    assert await canary.look_for_unheard(world.bot) == 0
    world.now += SEEN_FOR
    assert len((await read_whole(world.bot.operated)).unheard) == 1
    assert await canary.look_for_unheard(world.bot) == 1
    said = await world.tells(OPERATOR, "reached nobody")
    assert "wait for it: 1" in said["text"]
    for _ in range(2):
        await look_for_unheard(world.bot)
    rows = await world.stored(alert)
    assert len([row for row in rows if row.kind == Notice.KIND]) == 1


async def test_what_can_wait_or_is_meant_to_is_no_trouble(world: World) -> None:
    """A routine post, and all of them while an operator lets none leave."""
    await refused(world, Lane.ROUTINE)
    world.now = NOW + timedelta(hours=1)
    assert await looks(world) == [0, 0]
    async with world.store.writing() as db:
        await db.execute(update(delivery).values(lane=int(Lane.ALERT)))
        await storage.switch.turn_off(db, world.bot.settings.token_name)
    assert await looks(world) == [0, 0]


async def test_an_alert_that_was_given_to_no_chat_is_told(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the fan-out stands still, nobody waits for it as far as anybody can count; not of what
    waits for an operator's word.
    """
    fan_out, stopped = storage.fan_out.fan_out, True

    async def stuck(db: Db, **options: Any) -> int | None:
        return None if stopped else await fan_out(db, **options)

    monkeypatch.setattr(storage.fan_out, "fan_out", stuck)
    await decide(world)
    world.now = NOW + timedelta(minutes=2)
    async with world.store.writing() as db:
        await db.execute(update(alert).values(approval=Approval.WAITING.value))
    assert await looks(world) == [0, 0]
    async with world.store.writing() as db:
        await db.execute(update(alert).values(approval=Approval.APPROVED.value))
    assert await looks(world) == [0, 1]
    stopped = False  # as it must go on for the notice itself
    world.bot.worker.wake()
    await world.tells(OPERATOR, "has not been given to any chat")


@pytest.mark.parametrize("state", [State.SENT, State.HELD, State.COLLECTED])
async def test_an_alert_that_one_chat_has_is_not_unheard(store: Store, state: State) -> None:
    """Or that waits for the end of quiet hours; of others who wait nothing is said."""
    made = World(store)
    for number in (READER, OTHER):
        await made.reader(number)
    await decide(made)
    async with store.writing() as db:
        assert len(await storage.told.unheard(db, now=NOW, after=timedelta(0))) == 1
        # a request that nobody answers is no message
        await db.execute(update(delivery).values(state=State.LEASED.value))
        assert len(await storage.told.unheard(db, now=NOW, after=timedelta(0))) == 1
        reached = update(delivery).where(delivery.c.chat_id == OTHER)
        await db.execute(reached.values(state=state.value))
        assert await storage.told.unheard(db, now=NOW, after=timedelta(0)) == []


#: What became of the deliveries of an alert to two chats, and how each chat stands → how many of
#: them count as having missed it, and as away; None where somebody has it or may get it.
ENDS: list[tuple[dict[int, State], set[int], tuple[int, int] | None]] = [
    ({READER: State.DEAD, OTHER: State.DEAD}, set(), (2, 0)),
    ({READER: State.EXPIRED, OTHER: State.DEAD}, set(), (2, 0)),
    ({READER: State.EXPIRED, OTHER: State.DEAD}, {READER}, (1, 1)),
    ({READER: State.DEAD, OTHER: State.DEAD}, {READER, OTHER}, (0, 2)),
    ({READER: State.DEAD, OTHER: State.CANCELLED}, set(), (1, 0)),
    ({READER: State.CANCELLED, OTHER: State.CANCELLED}, set(), None),
    *(
        ({READER: State.DEAD, OTHER: one}, set[int](), None)
        for one in State
        if one not in {State.DEAD, State.EXPIRED, State.CANCELLED}
    ),
]


async def missed(store: Store) -> list[tuple[int, int]]:
    """How many chats missed each alert that is over, and how many of its chats are away."""
    now = NOW + UNHEARD_AFTER
    async with store.reading() as db:
        found = await storage.missed.missed(db, [Broadcast.KIND], now=now, after=UNHEARD_AFTER)
        early = now - timedelta(seconds=1)
        assert not await storage.missed.missed(db, [Broadcast.KIND], now=early, after=UNHEARD_AFTER)
    return [(one.chats, one.away) for one in found]


async def test_what_is_said_of_a_missed_alert_is_its_last_trouble(store: Store) -> None:
    """Of those whom it should have reached: not that of who blocked us, nor the end of its time."""
    made, now = World(store), datetime.now(UTC)
    for number in (READER, OTHER, OPERATOR):
        await made.reader(number)
    await decide(made)
    async with store.writing() as db:
        for number, why, ago in (
            (READER, "a reset", 1),
            (OTHER, "the worst", 2),
            (OPERATOR, "zzz", 0),
        ):
            ended = {"state": State.DEAD.value, "finished_at": now - timedelta(seconds=ago)}
            mine = update(delivery).where(delivery.c.chat_id == number)
            await db.execute(mine.values(**ended, error=written(said(why))))
        await storage.chats.change(db, OPERATOR, active=False)
        kinds, later = [Broadcast.KIND], NOW + UNHEARD_AFTER
        (found,) = await storage.missed.missed(db, kinds, now=later, after=UNHEARD_AFTER)
    assert str(found.why) == "a reset"


async def test_an_alert_is_missed_when_every_delivery_ended_and_none_by_a_message(
    store: Store,
) -> None:
    """Whatever they ended by; who cannot be written to is told apart. Not a post that can wait, nor
    what a channel's policy kept back until it was too late.
    """
    made = World(store)
    for number in (READER, OTHER):
        await made.reader(number)
    await decide(made)
    for states, away, expected in ENDS:
        async with store.writing() as db:
            for number, state in states.items():
                ended = update(delivery).where(delivery.c.chat_id == number)
                await db.execute(ended.values(state=state.value, finished_at=datetime.now(UTC)))
                await storage.chats.change(db, number, active=number not in away)
        assert await missed(store) == ([] if expected is None else [expected]), states
    ended = {"state": State.DEAD.value, "lane": int(Lane.ALERT)}
    for values, count in (({}, 1), ({"demand": "approve"}, 0), ({"demand": None}, 1)):
        async with store.writing() as db:
            await db.execute(update(delivery).values(**ended, **values))
        assert len(await missed(store)) == count, values
    async with store.writing() as db:
        await db.execute(update(alert).values(lane=int(Lane.ROUTINE)))
    assert await missed(store) == []


async def over(world: World, key: str, *, told: int, away: bool = False) -> int:
    """An alert that Telegram takes for nobody, and how many there are at a look two minutes later,
    which the page goes by too; its number.
    """
    number = await decide(world, key=key)
    world.bot.worker.wake()
    async with asyncio.timeout(60):
        while not await has_ended(world, number):  # noqa: ASYNC110 - a commit of the worker's makes no event here
            await asyncio.sleep(0.02)
    if away:
        async with world.store.writing() as db:
            await storage.chats.close(db, READER, why=BLOCKED.why)
    world.now += timedelta(minutes=2)
    assert len((await read_whole(world.bot.operated)).unheard) == told
    assert await canary.look_for_unheard(world.bot) == told
    return number


async def has_ended(world: World, number: int) -> bool:
    """Whether an alert's delivery has; those of others, its operator's notices, come and go."""
    (mine,) = [row for row in await world.stored(delivery) if row.alert_id == number]
    return mine.finished_at is not None


async def test_an_alert_that_is_over_and_reached_nobody_is_told_once(world: World) -> None:
    """Also over a restart, and in an hour of which another one's word was the first; where all its
    chats are away, in words that say so, and no sign of life is kept back for it.
    """
    world.emulator.faults.clear()
    refused = Fault.bad_request("text must be non-empty", chat_id=READER)
    world.emulator.faults.add(refused)
    await over(world, "refused", told=1)
    said = await world.tells(OPERATOR, "no chat is waiting for it any more")
    assert "should have got it: 1" in said["text"]
    assert "text must be non-empty" in said["text"]
    assert await canary.look_for_unheard(world.bot) == 0
    world.bot.unheard = UnheardLooks()
    assert await canary.look_for_unheard(world.bot) == 0
    again = await over(world, "again", told=1)  # the hour is the first one's
    world.now += timedelta(hours=1)
    await canary.look_for_unheard(world.bot)
    await world.tells(OPERATOR, f"Alert {again} reached nobody")
    world.now += timedelta(hours=1)
    assert await looks(world) == [0, 0]
    await over(world, "blocked", told=0, away=True)
    await world.tells(OPERATOR, "all the chats it was for (1) have blocked me")
    said_so = [name for name, _ in await world.notices() if name.startswith("notice.missed")]
    assert said_so == ["notice.missed", "notice.missed", "notice.missed_away"]


async def test_a_dead_mans_switch_is_told_while_all_is_well(
    world: World, publishers: Publishers
) -> None:
    """Though its name leads to a machine of the operator's own. Not while Telegram is away, or an
    alert reached nobody, and still had not some seconds later; its own trouble ends nothing.
    """
    publishers.asked.clear()
    await beat(world.bot)
    assert publishers.asked == [KEY]
    world.bot.readiness.tell(SENDS, said("telegram: away"))
    await beat(world.bot)
    world.bot.readiness.tell(SENDS, None)
    await refused(world)
    world.now = NOW + timedelta(minutes=3)
    # of replicas another one may have looked for what nobody has
    await beat(world.bot)
    assert publishers.asked == [KEY, KEY]
    world.now += SEEN_FOR
    await beat(world.bot)
    assert publishers.asked == [KEY, KEY]
    async with world.store.writing() as db:  # it is meant then
        await storage.switch.turn_off(db, world.bot.settings.token_name)
    publishers.put(KEY, b"", status=503)
    await beat(world.bot)
    assert publishers.asked == [KEY, KEY, KEY]


async def test_a_dead_mans_switch_is_not_told_where_no_source_could_be_read(
    world: World, publishers: Publishers
) -> None:
    """The program that never had anything to say is not well; one good poll, and it is."""
    publishers.asked.clear()
    async with world.store.writing() as db:
        for _ in range(NEVER_READ_FAILURES):
            await storage.sources.record_failure(
                db, "nbkr", now=NOW, next_due_at=NOW, error=said("cannot connect")
            )
    await beat(world.bot)
    assert publishers.asked == []
    async with world.store.writing() as db:
        good = storage.sources.Good(key="kabar", next_due_at=NOW)
        await storage.sources.record_success(db, [good], now=NOW)
    await beat(world.bot)
    assert publishers.asked == [KEY]


def test_the_address_of_the_switch_is_a_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No log shows it, whole or by its path; nor do the settings as they print themselves."""
    monkeypatch.chdir(tmp_path)
    url = f"https://ping.example{KEY}"
    settings = load_settings(bot_token=TEST_TOKEN, heartbeat_url=url)
    assert {url, KEY} <= set(settings.secrets)
    assert KEY not in repr(settings)
