"""The inbox of a program that is alone: handling does not wait for the store, telling Telegram
does.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select
from structlog.testing import capture_logs

from bot.at_hand import at_hand
from bot.errors import StorageError
from bot.intake.inbox import AT_ONCE, Inbox
from bot.log import name_ids
from bot.reasons import said
from storage.db import Store
from storage.opening import open_store
from storage.schema import inbox as table

MANY = AT_ONCE + 3


def update(number: int, text: str = "/rates") -> dict[str, Any]:
    """A message as Telegram sends it."""
    chat = {"id": 1001, "type": "private", "first_name": "A"}
    return {
        "update_id": number,
        "message": {"message_id": number, "date": 1, "chat": chat, "from": chat, "text": text},
    }


class Handler:
    """Notes what it was given."""

    def __init__(self) -> None:
        self.seen: list[int] = []

    async def __call__(self, raw: dict[str, Any]) -> None:
        """One effect."""
        self.seen.append(raw["update_id"])


async def outcomes(store: Store) -> dict[int, str | None]:
    """The outcome of each update in the inbox."""
    async with store.reading() as db:
        rows = await db.execute(select(table.c.update_id, table.c.outcome))
        return {row.update_id: row.outcome for row in rows}


async def test_G1_the_same_update_twice_has_one_effect(store: Store) -> None:
    """Within a process, and after a restart that finds it finished."""
    handler = Handler()
    first = Inbox(store, handler, holder="a", alone=True)
    for _ in range(2):
        await first.receive([update(7)])
    await first.close()
    second = Inbox(store, handler, holder="b", alone=True)
    await second.resume()
    await second.receive([update(7)])
    await second.close()
    assert handler.seen == [7]
    assert await outcomes(store) == {7: "done"}


async def test_G2_what_was_stored_and_not_finished_is_handled_after_a_restart(store: Store) -> None:
    """The first process vanishes while it handles."""
    begun, never = asyncio.Event(), asyncio.Event()

    async def stuck(_raw: dict[str, Any]) -> None:
        begun.set()
        await never.wait()

    gone = Inbox(store, stuck, holder="a", alone=True)
    await gone.receive([update(8)])
    await begun.wait()
    handler = Handler()
    after = Inbox(store, handler, holder="b", alone=True)
    await after.resume()
    await after.close()
    assert handler.seen == [8]
    never.set()
    await gone.close()


async def test_an_answer_is_as_old_as_its_question(store: Store) -> None:
    """What came while another was handled has waited for that one, and for the database, too."""
    begun, end, done = asyncio.Event(), asyncio.Event(), asyncio.Event()
    arrived: list[float] = []
    away = [StorageError(said("away"))]

    async def slow(raw: dict[str, Any]) -> None:
        arrived.append(at_hand().arrived)
        begun.set()
        await end.wait()
        if away:
            raise away.pop()
        if raw["update_id"] == 8:
            done.set()

    inbox = Inbox(store, slow, holder="a", alone=True, retries=[0.01])
    async with asyncio.timeout(20):
        await inbox.receive([update(7)])
        await begun.wait()
        await inbox.receive([update(8)])
        ended = time.perf_counter()
        end.set()
        await done.wait()
    await inbox.close()
    first, again, second = arrived
    assert first == again < second < ended


async def test_S21_what_an_update_writes_comes_after_the_update_itself(tmp_path: Path) -> None:
    """Though it is handled first: else an erasure would leave the press behind that asked for
    it. (On a server nothing is handled before it is stored.)
    """
    store = await open_store(f"sqlite:///{tmp_path / 'jarchy.db'}")
    written: list[dict[int, str | None]] = []

    async def erasing(raw: dict[str, Any]) -> None:
        async with store.writing() as db:
            rows = await db.execute(select(table.c.update_id, table.c.outcome))
            written.append({row.update_id: row.outcome for row in rows})
            await db.execute(delete(table).where(table.c.update_id == raw["update_id"]))

    inbox = Inbox(store, erasing, holder="a", alone=True)
    for number in (7, 8):
        await inbox.receive([update(number)])
        await inbox.close()
    assert written == [{7: None}, {8: None}]
    assert await outcomes(store) == {}
    await store.close()


async def test_an_update_that_could_not_be_stored_is_not_confirmed_and_not_handled_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Telegram repeats it; the effect was had, so it is only written down."""
    handler = Handler()
    inbox = Inbox(store, handler, holder="a", alone=True)

    async def full(*_args: object, **_kwargs: object) -> None:
        raise StorageError(said("database or disk is full"))

    with monkeypatch.context() as patched:
        patched.setattr("storage.inbox.add", full)
        with pytest.raises(StorageError):
            await inbox.receive([update(9)])
        await inbox.close()
    await inbox.receive([update(9)])
    await inbox.close()
    assert handler.seen == [9]
    assert await outcomes(store) == {9: "done"}


async def test_G21_updates_that_wait_for_their_own_chats_hold_up_no_other(store: Store) -> None:
    """More of them than are handled at a time; each is handled to its end all the same."""
    ended: list[int] = []

    async def handle(raw: dict[str, Any]) -> None:
        if raw["update_id"] <= MANY:
            await inbox.rest(1.0)
        ended.append(raw["update_id"])

    inbox = Inbox(store, handle, holder="a", alone=True)
    many = [update(number) for number in range(1, MANY + 2)]
    for number, one in enumerate(many):
        one["message"]["chat"] = {**one["message"]["chat"], "id": number}
    await inbox.receive(many)
    async with asyncio.timeout(10):
        while len(ended) <= MANY:  # noqa: ASYNC110 - its end makes no event
            await asyncio.sleep(0.01)
    await inbox.close()
    assert ended[0] == MANY + 1
    assert inbox._slots._value == AT_ONCE


async def test_an_update_that_failed_is_a_line_with_its_number(store: Store) -> None:
    """Its trouble is one before, with the same number; what no route took is no line."""

    async def fail(raw: dict[str, Any]) -> None:
        if raw["update_id"] == 7:
            raise RuntimeError

    inbox = Inbox(store, fail, holder="a", alone=True)
    with capture_logs(processors=[name_ids]) as logged:
        await inbox.receive([update(7), update(8)])
        await inbox.close()
    told = [(one["event"], one["update_id"], one.get("ended")) for one in logged]
    assert told == [("update failed", 7, None), ("handled", 7, "failed")]
