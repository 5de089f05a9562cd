"""Whether a 401 is believed: Telegram is asked again, once for all who were refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bot.emulator import TEST_TOKEN, Emulator, Fault
from bot.telegram import api as client
from bot.telegram.api import MISTAKEN, TOKEN_PAUSE, TOKEN_REFUSALS, Api
from bot.telegram.outcomes import UNKNOWN_TOKEN, Rejected, Retry, Sent
from bot.telegram.session import open_session

#: Telegram knows the token, and refused it by mistake.
AGAIN = Retry(MISTAKEN, after=TOKEN_PAUSE)


@asynccontextmanager
async def telegram() -> AsyncIterator[tuple[Emulator, Api]]:
    """An emulated one, and the way to it."""
    async with Emulator(open_chats=True) as emulator, open_session() as session:
        yield emulator, Api(session, url=emulator.api_url, token=TEST_TOKEN)


async def test_G16_who_gives_up_while_the_token_is_asked_about_gives_up_alone() -> None:
    """Others that were refused wait for the same answer, and get it."""
    async with telegram() as (emulator, api):
        emulator.faults.add(Fault.unauthorized(method="sendMessage", times=2))
        emulator.faults.add(Fault.slow(0.5, method="getMe", times=1))
        first, second = (
            asyncio.create_task(api.call("sendMessage", chat_id=7, text=text)) for text in "ab"
        )
        # counted in the step in which each begins to wait for the answer about the token
        while getattr(api._refusals.get("sendMessage"), "count", 0) < 2:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0)
        first.cancel()
        assert await second == AGAIN
        assert first.cancelled()
        assert len(emulator.calls.of("getMe")) == 1


async def test_G16_mistakes_with_successes_between_them_never_add_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """However many there are in however long a time; without successes they do."""
    monkeypatch.setattr(client, "TOKEN_PATIENCE", 0.0)
    async with telegram() as (emulator, api):
        for _ in range(2 * TOKEN_REFUSALS):
            emulator.faults.add(Fault.unauthorized(method="sendMessage", times=1))
            assert await api.call("sendMessage", chat_id=7, text="a") == AGAIN
            assert isinstance(await api.call("sendMessage", chat_id=7, text="a"), Sent)
        emulator.faults.add(Fault.unauthorized(method="sendMessage"))
        found = [await api.call("sendMessage", chat_id=7, text="a") for _ in range(TOKEN_REFUSALS)]
        assert found[:-1] == [AGAIN] * (TOKEN_REFUSALS - 1)
        assert isinstance(found[-1], Rejected)
        assert found[-1].token


async def test_G16_a_token_that_was_good_is_not_given_up_over_seconds_of_nothing_but_401(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As a server says while it starts again; one that never was good is believed at once."""
    monkeypatch.setattr(client, "TOKEN_PAUSE", 0.0)
    again = Retry(MISTAKEN, after=0.0)
    async with telegram() as (emulator, api):
        emulator.faults.add(Fault.unauthorized())
        assert (await api.call("getUpdates")) == Rejected(UNKNOWN_TOKEN, token=True)
        emulator.faults.clear()
        assert isinstance(await api.call("sendMessage", chat_id=7, text="a"), Sent)
        emulator.faults.add(Fault.unauthorized())
        asked = await asyncio.gather(*(api.call("sendMessage", chat_id=7, text="b") for _ in "12"))
        assert [*asked, await api.call("getUpdates")] == [again] * 3
        emulator.faults.clear()
        assert isinstance(await api.call("sendMessage", chat_id=7, text="b"), Sent)
        hour_later = client.boottime() + 3600
        monkeypatch.setattr(client, "boottime", lambda: hour_later)
        emulator.faults.add(Fault.unauthorized())
        assert await api.call("getChat") == again
        monkeypatch.setattr(client, "boottime", lambda: hour_later + client.TOKEN_PATIENCE)
        assert isinstance(await api.call("getChat"), Rejected)
