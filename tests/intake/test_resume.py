"""The inbox's promises at a start and without its database: nothing lost, nothing overtaken."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import Any

from sqlalchemy import func, insert, select, text
from structlog.testing import capture_logs

from bot.errors import StorageError
from bot.intake import inbox as intake
from bot.intake.inbox import Inbox
from bot.intake.received import parse
from bot.log import name_ids
from bot.reasons import said
from storage.db import Store, db_now
from storage.schema import inbox as table
from tests.intake.test_alone import Handler, outcomes

LEFT = 1_234


def update(number: int, chat: int) -> dict[str, Any]:
    """A message of one chat."""
    origin = {"id": chat, "type": "private", "first_name": "A"}
    return {
        "update_id": number,
        "message": {"message_id": number, "date": 1, "chat": origin, "text": "/rates"},
    }


async def left_behind(store: Store, updates: list[dict[str, Any]]) -> None:
    """Stored by a process that is gone."""
    async with store.writing() as db:
        now = await db_now(db)
        rows = [parse(item) for item in updates]
        values = [
            {
                "update_id": row.update_id,
                "chat_id": row.chat,
                "kind": row.kind,
                "body": row.body,
                "received_at": now,
            }
            for row in rows
        ]
        await db.execute(insert(table), values)


async def test_however_many_updates_were_left_all_are_handled_in_order(store: Store) -> None:
    """More than two portions, 7 chats, some that need nothing; what arrives afterwards comes after
    them.
    """
    odd = [{"update_id": number, "poll_answer": {"x": 1}} for number in range(LEFT, LEFT + 20)]
    await left_behind(store, [*(update(number, number % 7) for number in range(LEFT)), *odd])
    handled: dict[int, list[int]] = defaultdict(list)
    most = 0

    async def handle(raw: dict[str, Any]) -> None:
        nonlocal most
        most = max(most, sum(len(queue) for queue in inbox._waiting.values()))
        await asyncio.sleep(0)
        handled[raw["message"]["chat"]["id"]].append(raw["update_id"])

    inbox = Inbox(store, handle, holder="b", alone=True)
    await inbox.resume()
    await inbox.receive([update(LEFT + 20, 1)])
    await inbox.close()
    assert most <= intake.UNFINISHED_AT_ONCE
    assert sum(len(numbers) for numbers in handled.values()) == LEFT + 1
    assert all(numbers == sorted(numbers) for numbers in handled.values())
    async with store.reading() as db:
        undone = select(func.count()).select_from(table).where(table.c.finished_at.is_(None))
        assert (await db.execute(undone)).scalar_one() == 0


async def test_a_passing_storage_error_delays_an_update_and_those_behind_it(store: Store) -> None:
    """Twice away, then there: each has its effect once, in order; another chat does not wait."""
    tries: list[int] = []
    other, end = asyncio.Event(), asyncio.Event()

    async def handle(raw: dict[str, Any]) -> None:
        tries.append(raw["update_id"])
        if raw["update_id"] == 3:
            other.set()
        if raw["update_id"] == 1 and (tries.count(1) < 3 or not other.is_set()):
            raise StorageError(said("database is locked"))
        if raw["update_id"] == 2:
            end.set()

    inbox = Inbox(store, handle, holder="a", alone=True, retries=(0.01,) * 500)
    await inbox.receive([update(1, 1), update(2, 1), update(3, 2)])
    await end.wait()
    await inbox.close()
    assert tries[-2:] == [1, 2]
    assert set(tries[:-2]) == {1, 3}
    assert await outcomes(store) == {1: "done", 2: "done", 3: "done"}


async def test_an_update_that_never_succeeds_fails_loudly_after_a_bounded_number_of_tries(
    store: Store,
) -> None:
    """Written down as failed, told to whoever waits, logged; the next of its chat goes on."""
    tries: list[int] = []
    sorry: list[int] = []
    end = asyncio.Event()

    async def handle(raw: dict[str, Any]) -> None:
        tries.append(raw["update_id"])
        if raw["update_id"] == 1:
            raise StorageError(said("disk full"))
        end.set()

    async def apologise(raw: dict[str, Any]) -> None:
        sorry.append(raw["update_id"])
        raise RuntimeError("nor can anybody be told")

    inbox = Inbox(
        store, handle, holder="a", alone=True, apologise=apologise, retries=(0.001, 0.001)
    )
    with capture_logs(processors=[name_ids]) as logs:
        await inbox.receive([update(1, 1), update(2, 1)])
        await end.wait()
    await inbox.close()
    assert tries == [1, 1, 1, 2]
    assert sorry == [1]
    assert await outcomes(store) == {1: "failed", 2: "done"}
    assert [line["update_id"] for line in logs if line["event"] == "update failed"] == [1]


async def test_a_stop_while_the_database_is_away_leaves_the_update_for_the_next_start(
    store: Store,
) -> None:
    """Neither done nor failed; the next process handles it and what was behind it."""
    away = asyncio.Event()

    async def fail(_raw: dict[str, Any]) -> None:
        away.set()
        raise StorageError(said("connection refused"))

    first = Inbox(store, fail, holder="a", alone=True, retries=(60.0,))
    await first.receive([update(1, 1), update(2, 1)])
    await away.wait()
    await first.close()
    assert await outcomes(store) == {1: None, 2: None}
    handled: list[int] = []

    async def handle(raw: dict[str, Any]) -> None:
        handled.append(raw["update_id"])

    second = Inbox(store, handle, holder="b", alone=True)
    await second.resume()
    await second.close()
    assert handled == [1, 2]


async def test_what_a_stop_cannot_write_is_no_error_of_its_own(store: Store) -> None:
    """Whatever ends the program is what is said of it, with its exit code."""
    inbox = Inbox(store, Handler(), holder="a", alone=True)
    await inbox.receive([update(7, 7)])
    await _called(store, "inbox", "elsewhere")
    with capture_logs() as logs:
        await inbox.close()
    assert [line["event"] for line in logs] == ["inbox notes are lost"]
    await _called(store, "elsewhere", "inbox")


async def _called(store: Store, table: str, name: str) -> None:
    async with store.writing() as db:
        await db.execute(text(f"ALTER TABLE {table} RENAME TO {name}"))


async def test_G1_reordered_and_repeated_updates_have_one_effect_each(store: Store) -> None:
    """In the order in which they came, whatever their numbers, in both ways of receiving."""
    for alone, base in ((True, 0), (False, 100)):
        handled: list[int] = []

        async def handle(raw: dict[str, Any], into: list[int] = handled) -> None:
            into.append(raw["update_id"])

        inbox = Inbox(store, handle, holder=f"h{base}", alone=alone)
        for batch in ([5, 3], [3, 4, 5], [1, 4], [5, 1, 2]):
            await inbox.receive([update(base + number, 1) for number in batch])
        await inbox.close()
        assert handled == [base + number for number in (5, 3, 4, 1, 2)]
