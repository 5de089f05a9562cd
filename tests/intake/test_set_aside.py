"""Updates that nobody can store or read: set aside with their number, counted, told; the others go
on.
"""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import select
from structlog.testing import capture_logs

from bot import metrics
from bot.alerts.notices import Notice
from bot.app import run
from bot.config import load_settings
from bot.emulator import TEST_TOKEN, Emulator
from bot.errors import UnreadableError
from bot.ingest.notices import tell_hourly
from bot.intake import polling
from bot.intake.inbox import UNREADABLE, Inbox
from bot.intake.polling import poll
from bot.intake.received import parse
from bot.intake.webhook import HEADER, LARGEST_REQUEST, Hook, webhook_app
from bot.running import Running
from bot.sources.catalog import parse_catalog
from bot.telegram import retry
from bot.telegram.api import Api
from bot.telegram.session import open_session
from storage.db import Db, Store
from storage.schema import alert
from storage.schema import inbox as table
from tests.factories import carried
from tests.handlers.conftest import CATALOG, READER

#: What it promises is no matter of SQL: on PostgreSQL it is tried in the long run.
pytestmark = pytest.mark.cases

OPERATOR = 1009
SECRET = "s" * 32
GOOD = {HEADER: SECRET, "Content-Type": "application/json"}


def nested(levels: int) -> Any:
    """An object in an object, so many times."""
    inner: Any = 1
    for _ in range(levels):
        inner = {"x": inner}
    return inner


def message(**content: Any) -> dict[str, Any]:
    """A message of the reader's, with anything in it."""
    chat = {"id": READER, "type": "private", "first_name": "Aigul"}
    person = {"id": READER, "is_bot": False, "first_name": "Aigul", "language_code": "en"}
    return {
        "message": {
            "message_id": 900_000,
            "date": 1,
            "chat": chat,
            "from": person,
            "text": "hi",
            **content,
        }
    }


def press(**content: Any) -> dict[str, Any]:
    """A press by the reader, with anything in it."""
    query = {"id": "77", "from": message()["message"]["from"], "chat_instance": "1", "data": "done"}
    return {"callback_query": {**query, **content}}


#: What `orjson` or a database cannot keep.
UNSTORABLE: dict[str, dict[str, Any]] = {
    "nested 260 levels": message(deep=nested(260)),
    "nested 900 levels": message(deep=nested(900)),
    "half a surrogate pair": message(text="hi \ud83d there"),
    "ten megabytes": message(text="x" * 10 * 1024 * 1024),
}
#: What can be kept and is no update of the Bot API.
UNREADABLE_KINDS: dict[str, dict[str, Any]] = {
    "a date beyond the calendar": message(date=2**60),
    "a date before the calendar": message(date=-(2**60)),
    "a date in letters": message(date="yesterday"),
    "a chat's number beyond 64 bits": message(chat={"id": 2**64, "type": "private"}),
    "a chat's number in letters": message(chat={"id": "me", "type": "private"}),
    "a chat that is a list": message(chat=[1]),
    "a person's number that is true": message(
        **{"from": {"id": True, "is_bot": False, "first_name": "A"}}
    ),
    "a language that is a number": message(
        **{"from": {"id": READER, "first_name": "A", "language_code": 7}}
    ),
    "a text that is a number": message(text=7),
    "a NUL in a text": message(text="/alert USD\x00 1%"),
    "a NUL in a title": message(chat={"id": -7, "type": "group", "title": "a\x00b"}),
    "an entity of negative length": message(
        entities=[{"type": "bot_command", "offset": 0, "length": -5}]
    ),
    "an entity that is true": message(entities=[True]),
    "a topic in letters": message(message_thread_id="general", is_topic_message=True),
    "a place that is nowhere": message(text=None, location={"latitude": "north", "longitude": 1}),
    "a message that is a word": {"message": "hello"},
    "a message that is a list": {"message": [1, 2]},
    "a press that is a number": {"callback_query": 7},
    "a press with data that is a list": press(data=["done"]),
    "a press with a NUL": press(data="cur:\x00USD"),
    "an inline query that is a number": {
        "inline_query": {"id": 1, "from": {"id": READER}, "query": 5}
    },
    "a membership without members": {
        "my_chat_member": {"chat": {"id": -5, "type": "group"}, "from": {"id": 1}}
    },
}
ALL = {**UNSTORABLE, **UNREADABLE_KINDS}


class Life:
    """A running bot with an operator, beside its own Telegram; it may be started again on the same
    database.
    """

    def __init__(self, telegram: Emulator, url: str) -> None:
        self.telegram, self.url = telegram, url
        self.now = datetime(2026, 11, 28, 6, 0, tzinfo=UTC)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Running]:
        """From ready to its end."""
        settings = load_settings(
            bot_token=TEST_TOKEN,
            bot_api_url=self.telegram.api_url,
            database_url=self.url,
            ops_listen="off",
            admin_ids=str(OPERATOR),
        )
        ready: asyncio.Future[Running] = asyncio.get_running_loop().create_future()
        stop = asyncio.Event()
        catalog = parse_catalog(CATALOG)
        running = asyncio.create_task(
            run(settings, catalog, clock=lambda: self.now, stop=stop, on_ready=ready.set_result)
        )
        await asyncio.wait([running, ready], return_when=asyncio.FIRST_COMPLETED)
        yield ready.result()
        stop.set()
        await running

    async def ask(self, text: str, *, chat: int = READER) -> dict[str, Any]:
        """Write to the bot; its answer."""
        asked = await self.telegram.send_text(chat, text)
        return await self.telegram.wait_message(
            chat, lambda m: m["from"]["is_bot"], after=asked, timeout=60
        )

    def push(self, update: dict[str, Any]) -> int:
        """Send an update as it is; its number."""
        number = self.telegram.updates.next_id
        self.telegram.push_update(update)
        return number


@pytest.fixture
async def life(
    tmp_path: Path, migrated_url: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Life]:
    """On each database."""
    monkeypatch.chdir(tmp_path)
    async with Emulator(TEST_TOKEN, "jarchy_bot") as telegram:
        for number, name in ((READER, "Aigul"), (OPERATOR, "Operator")):
            telegram.add_private(telegram.add_user(number, name, "en"))
        yield Life(telegram, migrated_url)


async def outcomes(store: Store) -> dict[int, str | None]:
    """The outcome of each update in the store."""
    async with store.reading() as db:
        rows = await db.execute(select(table.c.update_id, table.c.outcome))
        return {row.update_id: row.outcome for row in rows}


def counted() -> float:
    """The number of updates that this process set aside."""
    found = [
        one.value
        for family in metrics.REGISTRY.collect()
        for one in family.samples
        if one.name == "jarchy_updates_total" and one.labels["outcome"] == UNREADABLE
    ]
    return sum(found)


async def test_G25_whatever_cannot_be_read_is_set_aside_and_the_others_go_on(life: Life) -> None:
    """Each with its number, one log line and no traceback; the operator hears of them once; nothing
    comes again.
    """
    before = counted()
    async with life.running() as bot:
        met = await life.ask("/help", chat=OPERATOR)
        with capture_logs() as lines:
            numbers = {life.push(update): name for name, update in ALL.items()}
            assert "/rates" in (await life.ask("/help"))["text"]
        said = [line for line in lines if line["event"] == "update set aside"]
        assert sorted(line["update_id"] for line in said) == sorted(numbers)
        assert not [line for line in lines if line.get("exc_info")]
        told = await life.telegram.wait_message(
            OPERATOR, lambda m: "cannot read" in m.get("text", ""), timeout=60
        )
        await bot.inbox._write()
        became = await outcomes(bot.store)
    assert {name: became.get(number) for number, name in numbers.items()} == dict.fromkeys(
        ALL, UNREADABLE
    )
    assert counted() - before == len(ALL)
    async with life.running() as bot:
        with capture_logs() as lines:
            assert await life.ask("/help")
        assert not [line for line in lines if line["event"] == "update set aside"]
    assert not {one["update_id"] for one in life.telegram.updates.pending} & numbers.keys()
    assert [m for m in life.telegram.messages(OPERATOR) if m["from"]["is_bot"]] == [met, told]


async def test_G25_the_operator_is_told_once_an_hour_of_all_since(store: Store) -> None:
    """Also by a process that began within the hour; what nobody was told of yet is in the next
    word.
    """
    now = datetime(2026, 11, 28, 6, 59, tzinfo=UTC)

    async def tell(db: Db, count: int, last: int) -> bool:
        told = Notice.of("notice.unreadable", count=count, last=last)
        return await tell_hourly(db, [OPERATOR], told, now=now)

    async def never(_raw: dict[str, Any]) -> None:
        raise UnreadableError("never")

    async def said() -> list[dict[str, str]]:
        async with store.reading() as db:
            rows = await db.execute(select(alert.c.payload).order_by(alert.c.id))
            return [carried(Notice.from_json(row.payload)) for row in rows]

    first = Inbox(store, never, holder="a", alone=True, tell=tell)
    await first.receive([{"update_id": 1, **message()}])
    await first.close()
    now += timedelta(minutes=2)
    second = Inbox(store, never, holder="b", alone=True, tell=tell)
    await second.receive([{"update_id": 2, **message()}])
    await second.set_aside(3)
    await second.close()
    assert await said() == [{"count": "1", "last": "1"}]
    now += timedelta(minutes=58)
    await second.receive([{"update_id": 4, **message()}])
    await second.close()
    assert await said() == [{"count": "1", "last": "1"}, {"count": "3", "last": "4"}]


async def test_G25_a_row_that_an_earlier_version_stored_badly_stops_no_chat(store: Store) -> None:
    """It is set aside at the start, and what came after it is handled."""
    handled: list[int] = []

    async def handle(raw: dict[str, Any]) -> None:
        handled.append(raw["update_id"])

    when = datetime(2026, 11, 28, tzinfo=UTC)
    async with store.writing() as db:
        for number, body in ((1, "{"), (2, None), (3, json.dumps({"update_id": 3, **message()}))):
            values = {
                "update_id": number,
                "chat_id": READER,
                "kind": "message",
                "body": body,
                "received_at": when,
            }
            await db.execute(table.insert().values(**values))
    inbox = Inbox(store, handle, holder="a", alone=True)
    await inbox.resume()
    await inbox.close()
    assert handled == [3]
    assert await outcomes(store) == {1: UNREADABLE, 2: UNREADABLE, 3: "done"}


async def test_G25_an_answer_that_no_parser_reads_does_not_make_us_deaf(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nested by the thousand between two good ones: both are handled, the bad one is passed and
    never comes again.
    """
    monkeypatch.setattr(retry, "LISTENING", replace(retry.LISTENING, base=0.05))
    heard: list[str] = []
    news = asyncio.Event()

    async def handle(raw: dict[str, Any]) -> None:
        heard.append(raw["message"]["text"])
        news.set()

    async with Emulator() as telegram, open_session() as session:
        telegram.add_private(telegram.add_user(READER, "Aigul", "en"))
        await telegram.send_text(READER, "before")
        bad = telegram.updates.next_id
        telegram.push_update(
            message(deep=orjson.Fragment(b'{"x":' * 30_000 + b"1" + b"}" * 30_000))
        )
        await telegram.send_text(READER, "after")
        inbox = Inbox(store, handle, holder="a", alone=True)
        polls = asyncio.create_task(
            poll(Api(session, url=telegram.api_url, token=TEST_TOKEN), inbox)
        )
        async with asyncio.timeout(60):
            while heard != ["before", "after"]:
                await news.wait()
                news.clear()
            await telegram.updates.polled()
        polls.cancel()
        await asyncio.wait([polls])
        assert not telegram.updates.pending
        await inbox.close()
    assert (await outcomes(store))[bad] == UNREADABLE


async def test_G25_updates_without_a_number_are_not_asked_for_in_a_storm(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They cannot be confirmed; each next question waits longer, and it is said why."""
    monkeypatch.setattr(retry, "LISTENING", replace(retry.LISTENING, base=0.2))

    async def handle(_raw: dict[str, Any]) -> None:
        """Nothing comes."""

    class Odd:
        """A server whose updates have no numbers."""

        asked = 0

        async def call(self, method: str, **_parameters: Any) -> Any:
            """The same answer for ever."""
            self.asked += method == "getUpdates"
            return polling.Sent(0, [{"update_id": 2**70, **message()}, "?", None])

    api = Odd()
    told: list[Any] = []
    polls = asyncio.create_task(
        poll(api, Inbox(store, handle, holder="a", alone=True), told.append)
    )
    await asyncio.wait([polls], timeout=2)
    assert not polls.done()
    assert api.asked <= 6
    assert "number" in str(told[-1])
    polls.cancel()
    await asyncio.wait([polls])


@pytest.fixture
async def hook(store: Store) -> AsyncIterator[tuple[TestClient[Any, Any], Inbox, list[int]]]:
    """The webhook on loopback, and the numbers of what was handled."""
    handled: list[int] = []

    async def handle(raw: dict[str, Any]) -> None:
        handled.append(raw["update_id"])

    inbox = Inbox(store, handle, holder="me")
    async with TestClient(
        TestServer(webhook_app(inbox, Hook(url="https://x.example/hook", secret=SECRET)))
    ) as client:
        yield client, inbox, handled


def deep(levels: int) -> bytes:
    """An update as bytes, nested so many times."""
    return b'{"update_id":7,"message":' + b'{"x":' * levels + b"1" + b"}" * levels + b"}"


@pytest.mark.parametrize(
    "body",
    [
        deep(260),
        deep(5000),
        b'{"update_id": 7,"message":{"text":"\\ud83d"}}',
        b'{"update_id":7,"message":{"x":NaN,"t":"\xff"}}',
    ],
    ids=["nested 260 levels", "nested 5,000 levels", "half a surrogate pair", "no UTF-8"],
)  # fmt: skip
async def test_G25_telegram_is_told_that_it_arrived_and_does_not_insist(
    hook: tuple[TestClient[Any, Any], Inbox, list[int]], store: Store, body: bytes
) -> None:
    """By the webhook: 200, its number kept, and the next one handled."""
    client, inbox, handled = hook
    assert (await client.post("/hook", data=body, headers=GOOD)).status == 200
    assert (
        await client.post("/hook", json={"update_id": 8, **message()}, headers=GOOD)
    ).status == 200
    await inbox.close()
    became = await outcomes(store)
    assert became[8] == "done"
    assert became[7] == UNREADABLE or (b"NaN" in body and became[7] == "done")
    assert handled[-1] == 8


async def test_G25_what_is_too_large_is_refused_once_and_then_set_aside(
    hook: tuple[TestClient[Any, Any], Inbox, list[int]], store: Store
) -> None:
    """Another's number is refused for itself; without the secret nothing is ever kept."""
    client, inbox, handled = hook

    async def post(number: int, secret: str = SECRET) -> int:
        body = b'{"update_id":%d,"x":"' % number + b"x" * 10 * LARGEST_REQUEST + b'"}'
        response = await client.post(
            "/hook", data=io.BytesIO(body), headers={**GOOD, HEADER: secret}
        )
        return response.status

    assert [await post(7), await post(8), await post(7), await post(7)] == [413, 413, 200, 200]
    assert [await post(9, "wrong"), await post(9, "wrong")] == [403, 403]
    assert (
        await client.post("/hook", json={"update_id": 10, **message()}, headers=GOOD)
    ).status == 200
    await inbox.close()
    assert await outcomes(store) == {7: UNREADABLE, 10: "done"}
    assert handled == [10]


def test_G25_a_number_beyond_64_bits_is_kept_as_nobodys_chat() -> None:
    """Such an update is stored, and found unreadable by whoever reads it."""
    assert parse({"update_id": 1, **message(chat={"id": 2**64, "type": "private"})}).body is None
