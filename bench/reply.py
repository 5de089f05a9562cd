"""The time that `/rates` takes, from the update as received to the body handed to the transport.

The baseline is a bare python-telegram-bot application that answers a constant: no store, no rates,
no languages. Ours stores the update at the same time; only telling Telegram that it arrived waits
for the store.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from statistics import median
from typing import Any, cast

import aiohttp
import orjson
from telegram import Update
from telegram.ext import Application, CommandHandler, ContextTypes, ExtBot
from telegram.request import BaseRequest, RequestData

from bench import world
from bench.figure import Figure, Goal
from bot.config import Settings
from bot.fetch import Fetcher
from bot.intake.inbox import Inbox
from bot.own_feeds import OwnFeeds
from bot.telegram import outcomes
from bot.telegram.api import Api
from bot.telegram.outcomes import Outcome
from bot.workers import Workers
from handlers import Context, Services, route
from storage.db import Store

TOKEN = "123456789:" + "A" * 35  # opens nothing
CHATS = 100
_SENT = (
    b'{"ok":true,"result":{"message_id":1,"date":1,"chat":{"id":1,"type":"private"},"text":"x"}}'
)
_ME = (
    b'{"ok":true,"result":{"id":123456789,"is_bot":true,"first_name":"J","username":"jarchy_bot"}}'
)


class Request(BaseRequest):
    """A transport that notes when it was handed a body."""

    def __init__(self) -> None:
        self.at = 0.0

    @property
    def read_timeout(self) -> float | None:
        """None is waited for."""
        return None

    async def initialize(self) -> None:
        """Nothing to open."""

    async def shutdown(self) -> None:
        """Nothing to close."""

    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        *_timeouts: object,
        **_more: object,
    ) -> tuple[int, bytes]:
        """Encode the body, note the time, answer."""
        if url.endswith("/getMe"):
            return 200, _ME
        assert request_data is not None
        assert method == "POST"
        orjson.dumps(request_data.parameters)
        self.at = time.perf_counter()
        return 200, _SENT


class Handing(Api):
    """Our transport up to where it hands a body to aiohttp: notes when."""

    at = 0.0
    body = b""
    answer = _SENT

    def __init__(self) -> None:
        super().__init__(cast("aiohttp.ClientSession", None), url="http://127.0.0.1", token=TOKEN)

    async def post(self, method: str, body: bytes) -> Outcome:  # noqa: ARG002 - every method alike
        """The moment we measure, and Telegram's answer."""
        self.at = time.perf_counter()
        self.body = body
        return outcomes.read(200, self.answer, "sendMessage")

    async def upload(self, method: str, parameters: Mapping[str, Any], **file: Any) -> Outcome:  # noqa: ANN401, ARG002
        """Likewise for a picture."""
        return await self.post(method, orjson.dumps(parameters))


def incoming(number: int, text: str = "/rates") -> dict[str, Any]:
    """A command from one of a hundred readers, as Telegram sends it."""
    reader = {"id": 1000 + number % CHATS, "first_name": "Reader", "language_code": "en"}
    return {
        "update_id": number,
        "message": {
            "message_id": number,
            "date": int(time.time()),
            "chat": {"id": reader["id"], "type": "private", "first_name": "Reader"},
            "from": {**reader, "is_bot": False},
            "text": text,
            "entities": [
                {"type": "bot_command", "offset": 0, "length": len(text.partition(" ")[0])}
            ],
        },
    }


@asynccontextmanager
async def bare(
    request: Request,
) -> AsyncIterator[Callable[[dict[str, Any]], Coroutine[Any, Any, None]]]:
    """python-telegram-bot, as its first example has it."""

    async def answer(update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
        assert update.message is not None
        await update.message.reply_text("USD 84.7935\nEUR 98.8523\nRUB 1.1948")

    application = (
        Application.builder().token(TOKEN).request(request).updater(None).job_queue(None).build()
    )
    application.add_handler(CommandHandler("rates", answer))
    async with application:

        async def handle(raw: dict[str, Any]) -> None:
            await application.process_update(Update.de_json(raw, application.bot))

        yield handle


async def at_once(_chat: int) -> float:
    """No turn to wait for."""
    return 0.0


@asynccontextmanager
async def ours(
    store: Store, api: Handing
) -> AsyncIterator[tuple[Services, Callable[[dict[str, Any]], Coroutine[Any, Any, None]]]]:
    """Our handlers behind the same library, answering through `api`."""
    clock = partial(datetime.now, UTC)
    workers = Workers(size=1)  # nothing is drawn here, so no process starts
    services = Services(
        store=store,
        api=api,
        workers=workers,
        catalog=world.catalog(),
        clock=clock,
        own_feeds=OwnFeeds(store=store, fetcher=Fetcher(), workers=workers, clock=clock),
        turn=at_once,
        wake=lambda: None,
        settings=Settings(),
    )
    bot: ExtBot[None] = ExtBot(TOKEN, request=Request(), get_updates_request=Request())
    application = (
        Application.builder()
        .bot(bot)
        .updater(None)
        .job_queue(None)
        .context_types(ContextTypes(context=Context))
        .build()
    )
    route(application, services)
    async with application:

        async def handle(raw: dict[str, Any]) -> None:
            await application.process_update(Update.de_json(raw, application.bot))

        yield services, handle


async def measure(quick: bool) -> list[Figure]:  # noqa: FBT001 - the measurements' common shape
    """Ours and the bare one in turn, after a warm-up; medians."""
    times = 100 if quick else 300
    request, api, begun = Request(), Handing(), 0.0
    whole: list[float] = []
    stored: list[float] = []
    handled: list[float] = []
    uncached: list[float] = []
    baseline: list[float] = []
    async with (
        world.sqlite_store() as store,
        bare(request) as plain,
        ours(store, api) as (services, handle),
    ):
        await world.add_rates(store, 20_000, until=datetime.now(UTC).date())

        async def noting(raw: dict[str, Any]) -> None:
            nonlocal begun
            begun = time.perf_counter()
            await handle(raw)

        inbox = Inbox(store, noting, holder="bench", alone=True)
        for number in range(1, CHATS + times + 1):
            without = number % 4 == 0  # one in four finds no finished card
            if without:
                services.cards.forget()
            start = time.perf_counter()
            await inbox.receive([incoming(number)])
            await inbox.close()  # the mark is written after the reply, as it is in the program
            assert b"USD" in api.body
            took = api.at - start
            plain_start = time.perf_counter()
            await plain(incoming(number))
            if number <= CHATS:
                continue  # each chat's first question makes its row: the warm-up
            baseline.append(request.at - plain_start)
            if without:
                uncached.append(took)
            else:
                whole.append(took)
                stored.append(begun - start)
                handled.append(api.at - begun)
    least = median(baseline) * 1000
    against = "bare python-telegram-bot answering a constant"
    return [
        Figure(
            name="reply",
            value=median(whole) * 1000,
            unit="ms",
            baseline=least,
            goal=Goal(of="ratio", most=2),
            note=against,
        ),
        Figure(
            name="  until the handler begins",
            value=median(stored) * 1000,
            unit="ms",
            baseline=least,
        ),
        Figure(
            name="  handler, render, body", value=median(handled) * 1000, unit="ms", baseline=least
        ),
        Figure(
            name="  whole, card made anew", value=median(uncached) * 1000, unit="ms", baseline=least
        ),
    ]
