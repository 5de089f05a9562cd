"""Long polling against an emulated Telegram: who may poll, and what happens when somebody else
does.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.emulator import TEST_TOKEN, Emulator, Fault
from bot.emulator.faults import Kind
from bot.intake.inbox import Inbox
from bot.intake.polling import LONG_POLL, poll
from bot.intake.role import Role
from bot.reasons import Reason
from bot.telegram import retry
from bot.telegram.api import Api
from bot.telegram.session import open_session
from storage.db import Store

#: What it promises is no matter of SQL: on PostgreSQL it is tried in the long run.
pytestmark = pytest.mark.cases

READER = 1001


@asynccontextmanager
async def telegram() -> AsyncIterator[tuple[Emulator, Api]]:
    """One reader's Telegram, and the way to it."""
    async with Emulator() as emulator, open_session() as session:
        emulator.add_private(emulator.add_user(READER, "Aigul", "en"))
        yield emulator, Api(session, url=emulator.api_url, token=TEST_TOKEN)


class Handler:
    """Notes the words it was given."""

    def __init__(self) -> None:
        self.words: list[str] = []
        self.news = asyncio.Event()

    async def __call__(self, raw: dict[str, Any]) -> None:
        """One effect."""
        self.words.append(raw["message"]["text"])
        self.news.set()

    async def heard(self, count: int) -> None:
        """Wait for so many."""
        async with asyncio.timeout(20):
            while len(self.words) < count:
                self.news.clear()
                await self.news.wait()


async def ended(*tasks: asyncio.Task[None]) -> None:
    """Cancel them and wait."""
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


async def test_G3_a_stranger_with_our_token_is_waited_out(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Told 409, we wait and ask again: no end, no storm, and nothing that was asked is lost or
    answered twice.
    """
    monkeypatch.setattr(retry, "LISTENING", replace(retry.LISTENING, base=0.2))
    async with telegram() as (emulator, api):
        handler = Handler()
        inbox = Inbox(store, handler, holder="a", alone=True)
        polls = asyncio.create_task(poll(api, inbox))
        await emulator.calls.wait(lambda call: call.method == "deleteWebhook")
        await emulator.send_text(READER, "one")
        await handler.heard(1)
        for _ in range(3):  # both end each other's question, as Telegram has it
            await emulator.updates.polled()
            rival = asyncio.create_task(api.call("getUpdates", timeout=1, offset=-1))
            ours = emulator.calls.total
            await emulator.calls.wait(
                lambda call: call.method == "getUpdates" and call.code == 409, after=ours
            )
            await rival
        assert not polls.done()
        await emulator.send_text(READER, "two")
        await handler.heard(2)
        conflicts = [call for call in emulator.calls.of("getUpdates") if call.code == 409]
        assert len(conflicts) <= 6
        await ended(polls)
        await inbox.close()
    assert handler.words == ["one", "two"]


async def test_G15_a_rival_at_the_end_of_an_outage_is_one_as_at_any_other_time(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How long Telegram was away says nothing of how long somebody else will ask: what was asked
    meanwhile is heard as soon as after a 409 alone.
    """
    monkeypatch.setattr(retry, "LISTENING", replace(retry.LISTENING, base=0.01, cap=0.01))
    monkeypatch.setattr(retry, "RIVAL", replace(retry.RIVAL, base=0.01, cap=math.inf))
    async with telegram() as (emulator, api):
        handler = Handler()
        inbox = Inbox(store, handler, holder="a", alone=True)
        emulator.faults.add(Fault.server_error(502, method="getUpdates", times=20))
        conflict = "Conflict: terminated by other getUpdates request"
        emulator.faults.add(
            Fault(Kind.ERROR, method="getUpdates", code=409, description=conflict, times=1)
        )
        polls = asyncio.create_task(poll(api, inbox))
        await emulator.send_text(READER, "one")
        await handler.heard(1)
        await ended(polls)
        await inbox.close()


async def test_G3_who_goes_on_asking_is_left_ever_more_room(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Up to half a minute, where Telegram itself is asked again every few seconds: two programs
    that may not stop would else end each other's questions for ever.
    """
    assert retry.RIVAL.cap > retry.LISTENING.cap
    faster = 100  # both waits, so that the test need not wait them out
    for name in ("RIVAL", "LISTENING"):
        policy: retry.RetryPolicy = getattr(retry, name)
        swift = replace(policy, base=policy.base / faster, cap=policy.cap / faster)
        monkeypatch.setattr(retry, name, swift)
    async with telegram() as (emulator, api):
        words = "Conflict: terminated by other getUpdates request"
        conflict = Fault(Kind.ERROR, code=409, description=words, method="getUpdates", times=7)
        emulator.faults.add(conflict)
        inbox = Inbox(store, Handler(), holder="a", alone=True)
        with capture_logs() as logs:
            polls = asyncio.create_task(poll(api, inbox))
            await emulator.updates.polled()
        await ended(polls)
        await inbox.close()
    waits = [line["again_in"] * faster for line in logs if line["event"] == "no updates"]
    assert waits == pytest.approx([1, 2, 4, 8, 16, 30, 30])


async def test_G3_of_two_pollers_one_has_the_lease_and_the_other_waits(store: Store) -> None:
    """Telegram never says 409; when the first gives the role back, the second hears what is asked
    then.
    """
    async with telegram() as (emulator, api):
        handlers = Handler(), Handler()
        inboxes = [
            Inbox(store, handler, holder=name) for name, handler in zip("ab", handlers, strict=True)
        ]

        def work(inbox: Inbox) -> Callable[[], Awaitable[None]]:
            return lambda: poll(api, inbox)

        roles = [Role(store, "updates", name) for name in "ab"]
        marking = [asyncio.create_task(inbox.run()) for inbox in inboxes]
        tasks = []
        for number, (role, inbox) in enumerate(zip(roles, inboxes, strict=True)):
            tasks.append(asyncio.create_task(role.during(work(inbox))))  # type: ignore[arg-type]  # a coroutine is awaited
            if number == 0:
                await emulator.calls.wait(lambda call: call.method == "deleteWebhook")
        await emulator.send_text(READER, "one")
        await handlers[0].heard(1)
        await ended(tasks[0])
        await emulator.send_text(READER, "two")
        await handlers[1].heard(1)
        assert not [call for call in emulator.calls.of("getUpdates") if call.code == 409]
        await ended(tasks[1], *marking)
        for inbox in inboxes:
            await inbox.close()
    assert (handlers[0].words, handlers[1].words) == (["one"], ["two"])


async def test_G15_after_a_refusal_it_is_known_at_once_that_updates_come_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where none wait: the next question is to be answered at once, and not in as long as
    Telegram may hold one.
    """
    monkeypatch.setattr(retry, "LISTENING", replace(retry.LISTENING, base=0.01, cap=0.01))
    told: list[bool] = []
    well = asyncio.Event()

    def tell(why: Reason | None) -> None:
        told.append(why is None)
        if told[-2:] == [False, True] and len(told) > 3:
            well.set()

    async with telegram() as (emulator, api):
        inbox = Inbox(store, Handler(), holder="a", alone=True)
        polls = asyncio.create_task(poll(api, inbox, tell))
        await emulator.updates.polled()
        emulator.faults.add(Fault.server_error(502, method="getUpdates", times=1))
        await emulator.send_text(READER, "one")  # ends the question that is held
        async with asyncio.timeout(LONG_POLL / 2):
            await well.wait()
        await ended(polls)
        await inbox.close()
