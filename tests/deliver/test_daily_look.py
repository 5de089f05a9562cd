"""The daily look at what was given up, while Telegram refuses its questions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from functools import partial

import pytest

import storage.chats
import storage.notes
from bot import presence
from bot.emulator import TEST_TOKEN, Emulator, Fault
from bot.model.chats import ChatKind
from bot.telegram.api import Api
from bot.telegram.outcomes import KICKED
from bot.telegram.session import open_session
from storage.db import Store
from tests.deliver.test_worker import ONE, Bench
from tests.factories import NOW

GROUPS = tuple(range(-1002000000020, -1002000000010))
HOUR = timedelta(hours=1)
QUESTIONS = ("getChat", "getChatMember")


class Look:
    """Looks at ten groups that were given up and may be written to again; pauses cost no time."""

    def __init__(self, bench: Bench) -> None:
        self.bench, self.emulator = bench, bench.emulator
        self.now, self.pauses = NOW, list[float]()
        self.killed_after: int | None = None

    async def pause(self, seconds: float) -> None:
        """Note a pause; after so many of them the process is killed."""
        self.pauses.append(seconds)
        if len(self.pauses) == self.killed_after:
            raise asyncio.CancelledError

    async def turn(self, after: timedelta = timedelta()) -> int:
        """A turn of the job; how many questions it asked."""
        self.now += after
        asked = self.emulator.calls.total
        api, bot_id = self.bench._api, int(self.bench.worker.token_name)
        await presence.look_again(self.bench.store, api, bot_id, lambda: self.now, self.pause)
        return len([c for c in self.emulator.calls.since(asked) if c.method == "getChat"])

    async def back(self) -> int:
        """The number of groups that are written to again."""
        return sum([await self.bench.active(number) for number in GROUPS])


@pytest.fixture
async def look(store: Store) -> AsyncIterator[Look]:
    """On each database."""
    async with Emulator(open_chats=True) as emulator, open_session() as session:
        api = Api(session, url=emulator.api_url, token=TEST_TOKEN)
        bench = Bench(store, emulator, api, 500.0, token_name=TEST_TOKEN.partition(":")[0])
        emulator.add_private(emulator.add_user(ONE, "Aigul", "en"))
        for number in GROUPS:
            # an administrator is asked about twice, a member a third time
            emulator.add_group(number, "Talk", members=[], owner=ONE)
            emulator.set_bot_status(number, "administrator", by=ONE)
            await bench.reader(number, ChatKind.GROUP)
            async with store.writing() as db:
                await storage.chats.close(db, number, why=KICKED.why)
        yield Look(bench)


@pytest.mark.parametrize("method", QUESTIONS)
@pytest.mark.parametrize(
    ("fault", "wait"),
    [(Fault.reset, 1.0), (Fault.server_error, 1.0), (partial(Fault.flood, 9), 9.0)],
    ids=["reset", "502", "429"],
)
@pytest.mark.cases
async def test_G16_a_question_of_the_daily_look_that_fails_once_is_asked_again(
    look: Look, method: str, fault: Callable[..., Fault], wait: float
) -> None:
    """At once, or to the second when Telegram says when."""
    look.emulator.faults.add(fault(method=method, times=1))
    await look.turn()
    assert await look.back() == len(GROUPS)
    assert look.pauses[0] == wait
    assert await look.turn(HOUR) == 0


@pytest.mark.parametrize("method", QUESTIONS)
@pytest.mark.cases
async def test_G16_what_a_look_leaves_open_is_asked_at_the_next_turn(
    look: Look, method: str
) -> None:
    """One chat that Telegram says nothing about, and only that."""
    dumb = look.emulator.faults.add(Fault.server_error(method=method, chat_id=GROUPS[3]))
    await look.turn()
    assert await look.back() == len(GROUPS) - 1
    assert await look.turn(HOUR / 2) == 0
    assert await look.turn(HOUR / 2) >= 1
    look.emulator.faults.remove(dumb)
    assert await look.turn(HOUR) == 1
    assert await look.back() == len(GROUPS)
    assert await look.turn(HOUR) == 0


@pytest.mark.cases
async def test_T8_a_clock_set_back_puts_off_no_look(look: Look) -> None:
    """Neither by the look that ended nor by one that a killed process began."""
    await look.turn()
    async with look.bench.store.writing() as db:
        await storage.chats.close(db, GROUPS[0], why=KICKED.why)
    look.now -= timedelta(days=2)
    assert await look.turn() == 1
    assert await look.turn(HOUR) == 0
    async with look.bench.store.writing() as db:
        await storage.chats.close(db, GROUPS[0], why=KICKED.why)
        await storage.notes.put(db, storage.notes.LOOK_BEGUN, (look.now + 5 * HOUR).isoformat())
    assert await look.turn(timedelta(days=1)) == 1


@pytest.mark.parametrize(
    ("fault", "most"),
    [(Fault.server_error, 3 * 4), (partial(Fault.flood, 3600), 1)],
    ids=["away", "told to wait"],
)
@pytest.mark.cases
async def test_G16_a_look_ends_when_telegram_is_away_and_nothing_counts_as_looked_at(
    look: Look, fault: Callable[[], Fault], most: int
) -> None:
    """Not a question for each chat; an hour later all are asked about."""
    look.emulator.faults.add(fault())
    assert 1 <= await look.turn() <= most
    look.emulator.faults.clear()
    assert await look.turn(HOUR) == len(GROUPS)
    assert await look.back() == len(GROUPS)


async def test_G16_P1_a_look_that_was_cut_off_is_begun_again(look: Look) -> None:
    """The mark says what was answered, not what was begun."""
    look.killed_after = 3
    with pytest.raises(asyncio.CancelledError):
        await look.turn()
    look.killed_after = None
    assert await look.turn(HOUR) == len(GROUPS) - 3
    assert await look.back() == len(GROUPS)


async def test_G16_two_replicas_do_not_look_at_the_same_time(look: Look) -> None:
    """The second one leaves it to the first."""
    look.killed_after = 3
    with pytest.raises(asyncio.CancelledError):
        await look.turn()
    look.killed_after = None
    assert await look.turn(timedelta(minutes=20)) == 0
