"""The webhook, through a real server: what is taken, and everything that is not."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import select

from bot import metrics
from bot.errors import StorageError
from bot.intake.inbox import Inbox
from bot.intake.webhook import HEADER, LARGEST_REQUEST, Hook, webhook_app
from bot.reasons import said
from storage.db import Store
from storage.schema import inbox as table

SECRET = "s" * 32
GOOD = {HEADER: SECRET}


def update(number: int, chat: int = 1, **content: Any) -> dict[str, Any]:
    """A message as Telegram posts it."""
    message = {
        "message_id": number,
        "date": 0,
        "chat": {"id": chat, "type": "private"},
        "text": "hi",
    }
    return {"update_id": number, **(content or {"message": message})}


class Desk:
    """An inbox that remembers what it handled."""

    def __init__(self, store: Store) -> None:
        self.handled: list[int] = []
        self.store = store
        self.any = asyncio.Event()
        self.gates: dict[int, asyncio.Event] = {}
        self.inbox = self.open()

    def open(self, *, alone: bool = False) -> Inbox:
        """A process's inbox."""
        return Inbox(self.store, self.handle, holder="me", alone=alone)

    async def handle(self, item: dict[str, Any]) -> None:
        """Note it, after its gate opened."""
        if gate := self.gates.get(item["update_id"]):
            await gate.wait()
        self.any.set()
        self.handled.append(item["update_id"])

    async def outcomes(self) -> dict[int, str | None]:
        """The outcome of each update in the store."""
        async with self.store.reading() as db:
            rows = await db.execute(select(table.c.update_id, table.c.outcome))
            return {row.update_id: row.outcome for row in rows}


@pytest.fixture
def desk(store: Store) -> Desk:
    """On each database."""
    return Desk(store)


@pytest.fixture
async def client(desk: Desk) -> AsyncIterator[TestClient[Any, Any]]:
    """The webhook on loopback."""
    async with TestClient(
        TestServer(webhook_app(desk.inbox, Hook(url="https://x.example/hook", secret=SECRET)))
    ) as opened:
        yield opened


async def test_G1_the_same_update_twice_has_one_effect(
    desk: Desk, client: TestClient[Any, Any]
) -> None:
    """Both are answered with 200: Telegram must not send it a third time."""
    for _ in range(2):
        assert (await client.post("/hook", json=update(1), headers=GOOD)).status == 200
    await desk.inbox.close()
    assert desk.handled == [1]
    assert await desk.outcomes() == {1: "done"}


async def test_G1_a_chats_updates_keep_their_order_and_chats_do_not_wait_for_each_other(
    desk: Desk,
) -> None:
    """Chat 1's first update is slow: its second waits, chat 2's does not."""
    desk.gates[1] = asyncio.Event()
    desk.gates[3] = asyncio.Event()
    desk.gates[3].set()
    await desk.inbox.receive([update(1, 1), update(2, 1), update(3, 2)])
    async with asyncio.timeout(5):
        await desk.any.wait()
    assert desk.handled == [3]
    desk.gates[1].set()
    await desk.inbox.close()
    assert desk.handled == [3, 1, 2]


async def test_G2_what_was_stored_and_not_handled_is_handled_after_a_restart(desk: Desk) -> None:
    """In order; what was done is not done again."""
    await desk.inbox.receive([update(1)])
    await desk.inbox.close()
    dead = Inbox(desk.store, desk.handle, holder="dead")
    desk.gates[2] = asyncio.Event()
    await dead.receive([update(2), update(3)])
    for task in dead._tasks:
        task.cancel()
    fresh = desk.open(alone=True)
    desk.gates.clear()
    await fresh.resume()
    await fresh.close()
    assert desk.handled == [1, 2, 3]


async def test_G13_an_unknown_kind_is_stored_counted_and_ignored(
    desk: Desk, client: TestClient[Any, Any]
) -> None:
    """Nothing is handled, nothing fails; of what it says no word is kept."""
    counter = {"kind": "unknown", "outcome": "ignored"}
    before = metrics.REGISTRY.get_sample_value("jarchy_updates_total", counter) or 0
    somebody = {"chat": {"id": 5, "type": "group"}, "from": {"id": 6, "first_name": "Joiner"}}
    odd = update(2**40, chat_member=somebody)
    assert (await client.post("/hook", json=odd, headers=GOOD)).status == 200
    await desk.inbox.close()
    async with desk.store.reading() as db:
        (row,) = (await db.execute(select(table))).all()
    assert (row.chat_id, row.body) == (None, "")
    assert desk.handled == []
    assert await desk.outcomes() == {2**40: "ignored"}
    assert metrics.REGISTRY.get_sample_value("jarchy_updates_total", counter) == before + 1


@pytest.mark.parametrize(
    ("status", "method", "headers", "body"),
    [
        (403, "POST", {}, b'{"update_id":1}'),
        (403, "POST", {HEADER: "wrong"}, b'{"update_id":1}'),
        (403, "POST", {HEADER: "\udcff"}, b'{"update_id":1}'),
        (405, "GET", GOOD, None),
        (415, "POST", {**GOOD, "Content-Type": "text/plain"}, b'{"update_id":1}'),
        (400, "POST", GOOD, b"not json"),
        (400, "POST", GOOD, b"{}"),
        (400, "POST", GOOD, b"[]"),
        (413, "POST", GOOD, b'{"update_id":1,"x":"' + b"x" * LARGEST_REQUEST + b'"}'),
    ],
    ids=[
        "no secret",
        "wrong secret",
        "odd secret",
        "GET",
        "no JSON type",
        "no JSON",
        "no id",
        "a list",
        "too large",
    ],
)
async def test_S7_a_forged_request_stores_nothing(
    desk: Desk,
    client: TestClient[Any, Any],
    status: int,
    method: str,
    headers: dict[str, str],
    body: bytes | None,
) -> None:
    """Each has its refusal."""
    full = {"Content-Type": "application/json", **headers}
    if "\udcff" in full.get(HEADER, ""):  # aiohttp's client cannot send it
        reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
        assert body is not None
        head = (
            f"POST /hook HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: "
            f"{len(body)}\r\n"
        )
        writer.write(head.encode() + HEADER.encode() + b": \xff\r\n\r\n" + body)
        assert f" {status} ".encode() in await reader.readline()
        writer.close()
    else:
        async with aiohttp.ClientSession() as session:
            url = client.make_url("/hook")
            assert (
                await session.request(method, url, headers=full, data=body and io.BytesIO(body))
            ).status == status
    assert await desk.outcomes() == {}


async def test_S7_a_body_that_is_not_packed_as_it_says_is_refused(
    desk: Desk, client: TestClient[Any, Any]
) -> None:
    """In one word, not with a traceback."""
    packed = {**GOOD, "Content-Type": "application/json", "Content-Encoding": "gzip"}
    answer = await client.post("/hook", data=b'{"update_id": 9}', headers=packed)
    assert answer.status == 400
    assert await desk.outcomes() == {}


async def test_when_the_store_fails_telegram_is_asked_to_send_it_again(
    desk: Desk, client: TestClient[Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """503, and the second attempt has its effect."""

    async def fail(*_: object) -> None:
        raise StorageError(said("away"))

    with monkeypatch.context() as patch:
        patch.setattr(desk.inbox, "receive", fail)
        assert (await client.post("/hook", json=update(1), headers=GOOD)).status == 503
    assert (await client.post("/hook", json=update(1), headers=GOOD)).status == 200
    await desk.inbox.close()
    assert desk.handled == [1]
