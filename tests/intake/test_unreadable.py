"""Answers with updates that no parser reads: what is asked for next, and what is confirmed."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from bot.errors import StorageError
from bot.intake.inbox import UNREADABLE, Inbox
from bot.intake.polling import poll
from bot.reasons import said
from bot.telegram import retry
from bot.telegram.outcomes import Ambiguous, Sent
from storage.db import Store
from tests.intake.test_set_aside import message, outcomes


async def test_G25_what_cannot_be_set_aside_while_the_database_is_away_is_not_confirmed(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is asked for again until its number is stored; then all that waits comes at once."""
    monkeypatch.setattr(retry, "LISTENING", replace(retry.LISTENING, base=0.01))
    asked: list[tuple[Any, Any]] = []
    done = asyncio.Event()

    class Server:
        """One whose update 5 no parser reads."""

        async def call(self, method: str, **parameters: Any) -> Any:
            """The updates that wait from the offset on; for ever nothing at the end."""
            if method == "getUpdates":
                asked.append((parameters["offset"], parameters["limit"]))
                if (parameters["offset"] or 0) <= 5:
                    return Ambiguous(said("unreadable"), b'{"result": [{"update_id": 5, {]}')
                done.set()
                await asyncio.Event().wait()
            return Sent(0, True)

    inbox = Inbox(store, _nothing, holder="a", alone=True)
    tries = 0
    real = inbox.set_aside

    async def away_first(update_id: int) -> None:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise StorageError(said("database is locked"))
        await real(update_id)

    monkeypatch.setattr(Inbox, "set_aside", lambda _self, number: away_first(number))
    polls = asyncio.create_task(poll(Server(), inbox))  # type: ignore[arg-type]  # all that it calls
    async with asyncio.timeout(20):
        await done.wait()
    assert asked == [(None, None), (None, 1), (None, 1), (None, 1), (6, None)]
    polls.cancel()
    await asyncio.wait([polls])
    await inbox.close()
    assert await outcomes(store) == {5: UNREADABLE}


async def test_G25_after_an_answer_that_was_unreadable_once_all_are_asked_for_at_once(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One by one only until it is known which of them it was, or that it was none."""
    monkeypatch.setattr(retry, "LISTENING", replace(retry.LISTENING, base=0.01))
    asked: list[tuple[Any, Any]] = []
    done = asyncio.Event()

    class Server:
        """One whose first answer alone is broken."""

        async def call(self, method: str, **parameters: Any) -> Any:
            """Broken, then an update, then nothing more."""
            if method != "getUpdates":
                return Sent(0, True)
            asked.append((parameters["offset"], parameters["limit"]))
            if len(asked) == 1:
                return Ambiguous(said("unreadable"), b'{"result": [{"update_id": 5, {]}')
            if len(asked) == 2:
                return Sent(0, [{"update_id": 5, **message(text="one")}])
            done.set()
            await asyncio.Event().wait()
            return None

    inbox = Inbox(store, _nothing, holder="a", alone=True)
    polls = asyncio.create_task(poll(Server(), inbox))  # type: ignore[arg-type]  # all that it calls
    async with asyncio.timeout(20):
        await done.wait()
    assert asked == [(None, None), (None, 1), (6, None)]
    polls.cancel()
    await asyncio.wait([polls])
    await inbox.close()


async def _nothing(_raw: dict[str, Any]) -> None:
    """Handles nothing."""
