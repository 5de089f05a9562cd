"""The fate of a bot's messages, as a demonstration counts it: sent, twice, late, lost."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import suppress

import aiohttp
import pytest

from bot.demo.words import late
from bot.emulator import Emulator, Fault
from bot.emulator.tally import Before
from bot.i18n import t
from bot.languages import LANGUAGES
from tests.emulator.conftest import AIGUL, BORIS


@pytest.mark.parametrize("code", LANGUAGES)
async def test_a_message_that_says_it_is_late_is_counted_so(code: str) -> None:
    """As a digest does that was caught up: at its first try, in every language."""
    said_late = late()
    words = t("digest.late", code).format(day="15 August")
    async with Emulator(
        readings=tuple, is_late=lambda text: said_late.search(text) is not None
    ) as town:
        town.add_private(town.add_user(AIGUL, "Aigul"))
        for text in ("USD 88.27", f"USD 88.27\n\n{words}"):
            await call(town, text)
        assert town.tally is not None
        assert (town.tally.sent, town.tally.late) == (2, 1)
        town.begin_anew()
        town.world.chat(AIGUL).started = True
        await call(town, words)
        assert (town.tally.sent, town.tally.late) == (1, 1)


@pytest.fixture
async def town() -> AsyncIterator[Emulator]:
    """A Telegram that counts, with one person."""
    async with Emulator(readings=tuple) as telegram:
        telegram.add_private(telegram.add_user(AIGUL, "Aigul"))
        yield telegram


def counted(town: Emulator) -> tuple[int, int, int]:
    """The messages that arrived, their copies, and those that were tried in vain."""
    assert town.tally is not None
    return town.tally.sent, town.tally.twice, town.tally.open


async def test_what_a_killed_bot_had_no_time_to_note_is_a_copy() -> None:
    """Once, however long it stood still before; what was noted and comes again is somebody's second
    question.
    """
    stood: list[float] = []
    async with Emulator(readings=tuple, noted=lambda at: min([at, *stood])) as town:
        town.add_private(town.add_user(AIGUL, "Aigul"))
        await call(town, "Help")
        town.killed(time.monotonic() + 2)
        await call(town, "Help")
        assert counted(town) == (2, 0, 0)
        stood.append(time.monotonic())
        town.killed(time.monotonic() + 60)
        for _ in range(2):
            await call(town, "Help")
        assert counted(town) == (3, 1, 0)


async def test_the_same_question_asked_again_once_nothing_waits_is_no_copy(town: Emulator) -> None:
    """A bot that was killed had noted its answer after all. One that comes while it is asked what
    waits there is not known to it.
    """
    assert town.tally is not None
    for waiting, copies in ((None, 1), (2, 2), (0, 2)):
        await call(town, "USD 88.27")
        town.killed(time.monotonic())
        town.tally.found(town.tally.before, waiting=waiting)
        await call(town, "USD 88.27")
        assert counted(town)[1] == copies
    before = town.tally.before
    await call(town, "EUR 98.86")
    town.killed(time.monotonic())
    town.tally.found(before, waiting=0)
    await call(town, "EUR 98.86")
    assert counted(town)[1] == 3


async def test_what_the_bot_let_go_is_awaited_no_longer(town: Emulator) -> None:
    """As many of a chat's as it says, the eldest first; what then comes at its first try is not
    late, and one that the bot forgot is lost.
    """
    town.add_private(town.add_user(BORIS, "Boris"))
    town.faults.add(Fault.flood(1, times=4))
    for text, chat in (("one", AIGUL), ("two", AIGUL), ("one", BORIS), ("two", BORIS)):
        await call(town, text, chat, well=False)
    assert town.tally is not None
    for counts, waits in (({AIGUL: 1}, 3), ({AIGUL: 1}, 3), ({AIGUL: 5}, 2), ({BORIS: 1}, 1)):
        town.tally.let_go(counts)
        assert counted(town) == (0, 0, waits)
    await call(town, "three")
    assert (counted(town), town.tally.late) == ((1, 0, 1), 0)
    await call(town, "two", BORIS)
    assert (counted(town), town.tally.late) == ((2, 0, 0), 1)


async def test_a_message_whose_answer_was_lost_is_there_whatever_its_copy_meets(
    town: Emulator,
) -> None:
    """It is not lost when the second try is refused, nor late when the third arrives."""
    town.faults.add(Fault.lost_reply(times=1))
    town.faults.add(Fault.server_error(502, times=1))
    for copies in (0, 0, 1):
        await call(town, "USD 88.27", well=False)
        assert counted(town) == (1, copies, 0)
    assert town.tally is not None
    assert town.tally.late == 0


async def test_a_message_that_says_more_at_each_try_is_one(town: Emulator) -> None:
    """As a story does while agencies report; beside it waits another of the same chat. Two that
    begin with no words, as pictures do, are two.
    """
    town.faults.add(Fault.flood(1, times=3))
    for sources, waits in ((1, 1), (2, 1)):
        await call(town, f"Dam bursts\n\n{sources} sources", well=False)
        assert counted(town) == (0, 0, waits)
    await call(town, "USD 88.27", well=False)
    assert town.tally is not None
    for text, waits in (("Dam bursts\n\n3 sources", 1), ("USD 88.27", 0)):
        await call(town, text)
        assert (town.tally.open, town.tally.late) == (waits, 2 - waits)
    town.faults.add(Fault.flood(1, times=2))
    for picture, waits in (("\n1", 1), ("\n2", 2)):
        await call(town, picture, well=False)
        assert town.tally.open == waits


async def test_nothing_is_lost_to_who_blocks_the_bot(town: Emulator) -> None:
    """What else was tried for them is over as well; of others it is still awaited."""
    town.add_private(town.add_user(BORIS, "Boris"))
    town.faults.add(Fault.flood(1, times=3))
    for text, chat in (("one", AIGUL), ("two", AIGUL), ("three", BORIS)):
        await call(town, text, chat, well=False)
    assert counted(town) == (0, 0, 3)
    town.world.chat(AIGUL).blocked = True
    await call(town, "one", well=False)
    assert counted(town) == (0, 0, 1)
    assert town.tally is not None
    # what came to be open while the bot was asked it may not have counted
    for open_before, waiting, lost in ((1, 1, 0), (1, None, 0), (0, 0, 0), (3, 0, 1), (1, 2, 0)):
        town.tally.found(Before(open_before, frozenset()), waiting=waiting)
        assert town.tally.json()["lost"] == lost


async def test_what_is_refused_for_good_is_not_awaited(town: Emulator) -> None:
    """No further try would change the answer; one that asks to wait is none of these."""
    town.faults.add(Fault.server_error(502, times=1))
    town.faults.add(Fault.flood(1, times=1))
    town.faults.add(Fault.bad_request("message is too long", times=1))
    for waits in (1, 1, 0):
        await call(town, "USD 88.27", well=False)
        assert counted(town) == (0, 0, waits)


async def call(town: Emulator, text: str, chat: int = AIGUL, *, well: bool = True) -> None:
    """The bot says something to a person; `well` is whether it is answered so."""
    async with aiohttp.ClientSession(raise_for_status=well) as session:
        url = f"{town.api_url}/bot{town.token}/sendMessage"
        with suppress(() if well else aiohttp.ClientError):
            await session.post(url, json={"chat_id": chat, "text": text})
