"""Alert → the request that carries it, made once per (alert, language, style), not once per chat."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, NamedTuple

import orjson

import storage.alerts
import storage.chats
import storage.deliveries
import storage.news
from bot.i18n import name_of
from bot.model.alerts import Answered, DigestDue, RateCorrected, RateMoved, RuleFired, Severity, StoryBroke, StoryGrew
from bot.model.chats import ChatKind, Style
from bot.readers.digest import day_digest
from bot.readers.rates import CURRENCIES
from bot.readers.rules import fired_words
from bot.render import alerts, digest
from bot.render.text import Message, to_api
from bot.sources.catalog import Catalog
from bot.sources.standing import led
from storage.alerts import StoredAlert
from storage.db import Db, Store
from storage.deliveries import Claimed

KEPT = 512
EDIT = "editMessageText"

Request = tuple[str, bytes]


class _Edit(NamedTuple):
    """What the messages that carried alert `told` become; each chat's has a number of its own."""

    told: int
    body: bytes


Made = Request | _Edit | StoredAlert | None


class Composer:
    """Makes messages of alerts and remembers the last few hundred; `bot_name` is empty until Telegram has told it."""

    def __init__(self, store: Store, catalog: Catalog, bot_name: Callable[[], str] = str) -> None:
        self._store = store
        self._bot_name = bot_name
        self._catalog = catalog
        self._made: OrderedDict[tuple[object, ...], asyncio.Future[Made]] = OrderedDict()

    async def compose(self, item: Claimed) -> Request | None:
        """The method and the JSON body without its `chat_id`; None when there is nothing to say any more."""
        channel = item.kind is ChatKind.CHANNEL
        # what a story says may have grown by a newer alert: a chat not told of that one gets the newest words
        key = (item.alert, item.newest, item.language, item.style, channel, item.plain, item.thread)
        made = self._made.get(key)
        if made is None or (made.done() and (made.cancelled() or made.exception() is not None)):
            made = asyncio.ensure_future(self._make(item, channel=channel))
            self._made[key] = made  # those that want the same meanwhile wait for it
            while len(self._made) > KEPT:
                self._made.popitem(last=False)
        found = made.result() if made.done() else await asyncio.shield(made)
        if isinstance(found, _Edit):
            return await self._edit(found, item)
        if not isinstance(found, StoredAlert):
            return found
        async with self._store.reading() as db:
            message = await self._message(db, found, item, channel=channel)
            answered = None
            if isinstance(found.payload, RateCorrected):
                answered = await storage.deliveries.message_of(db, found.payload.told, item.chat)
        return _request(message, found, item, answered)

    async def _edit(self, made: _Edit, item: Claimed) -> Request | None:
        async with self._store.reading() as db:
            number = await storage.deliveries.message_of(db, made.told, item.chat)
        return (EDIT, b'{"message_id":%d,' % number + made.body[1:]) if number else None

    async def _make(self, item: Claimed, *, channel: bool) -> Made:
        """A request for all chats alike, or the alert when what it says is each chat's own."""
        async with self._store.reading() as db:
            stored = await storage.alerts.get(db, item.alert)
            # a digest is each chat's own, and so is the message a correction answers
            if stored is None or isinstance(stored.payload, DigestDue | RateCorrected):
                return stored
            if isinstance(stored.payload, Answered):
                return _answer(stored.payload, item)
            message = await self._message(db, stored, item, channel=channel)
            if isinstance(stored.payload, StoryGrew):
                return _Edit(stored.payload.told, orjson.dumps(_body(message, item))) if message else None
            return _request(message, stored, item)

    async def _message(self, db: Db, stored: StoredAlert, item: Claimed, *, channel: bool) -> Message | None:
        payload = stored.payload
        if isinstance(payload, RateMoved):
            spec = self._catalog.rates.get(payload.new.source)
            return alerts.move(
                payload,
                alert=stored.id,
                language=item.language,
                source_names=dict(spec.names) if spec else {},
                channel=channel,
                rule=fired_words(payload, item.language) if isinstance(payload, RuleFired) else None,
            )
        if isinstance(payload, RateCorrected):
            bank = self._catalog.rates.get(payload.new.source)
            names = dict(bank.names) if bank else {}
            return alerts.correction(payload.old, payload.new, item.language, source_names=names)
        if isinstance(payload, StoryGrew):
            told = await storage.alerts.get(db, payload.told)
            return await self._message(db, told, item, channel=channel) if told else None
        if isinstance(payload, StoryBroke):
            return await self._story(db, payload.story, stored, item, channel=channel)
        if isinstance(payload, DigestDue):
            return await self._digest(db, payload, item)
        banks = {key: self._catalog.names(key, item.language) for key in self._catalog.rates}
        # an answer has its words already
        return None if isinstance(payload, Answered) else alerts.notice(payload, item.language, banks=banks)

    async def _story(self, db: Db, pk: int, stored: StoredAlert, item: Claimed, *, channel: bool) -> Message | None:
        story = await storage.news.get(db, pk)
        if story is None:
            return None
        return alerts.story(
            led(story, self._catalog.news),
            alert=stored.id,
            style=Style(item.style),
            language=item.language,
            feed_names=self._catalog.feed_names,
            severity=stored.severity,
            channel=channel,
            bot=self._bot_name(),
        )

    async def _digest(self, db: Db, payload: DigestDue, item: Claimed) -> Message:
        keys = await storage.chats.subscriptions(db, item.chat)
        pairs = [key.removeprefix("pair:").partition("/") for key in keys if key.startswith("pair:")]
        found = await day_digest(
            db,
            self._catalog,
            day=payload.day,
            home=item.home,
            zone=item.time_zone,
            language=item.language,
            codes=[code for code in CURRENCIES if (code, "/", item.home) in pairs],
            topics=[key.removeprefix("topic:") for key in keys if key.startswith("topic:")],
        )
        names = dict(self._catalog.rates[found.source].names) if found.source else {}
        return digest.digest(
            found.rates,
            found.story,
            Style(item.style),
            item.language,
            found.day,
            late=payload.late,
            source_name=name_of(names, item.language),
            feed_names=self._catalog.feed_names,
        )


def _request(
    message: Message | None, stored: StoredAlert, item: Claimed, answered: int | None = None
) -> Request | None:
    if message is None:
        return None
    body = _body(message, item)
    if stored.severity is Severity.INFO:
        body["disable_notification"] = True
    if answered is not None:
        body["reply_parameters"] = {"message_id": answered, "allow_sending_without_reply": True}
    if item.thread is not None:
        body["message_thread_id"] = item.thread
    return "sendMessage", orjson.dumps(body)


def _answer(payload: Answered, item: Claimed) -> Request:
    """As it was meant; after a refusal only its words, as a message of their own."""
    if not item.plain:
        return payload.method, orjson.dumps(payload.body)
    text = payload.body.get("text", payload.body.get("caption", ""))
    return "sendMessage", orjson.dumps({"text": text, "link_preview_options": {"is_disabled": True}})


def _body(message: Message, item: Claimed) -> dict[str, Any]:
    if item.plain:  # Telegram refused it as it was: words are what matters
        return {"text": message.text, "link_preview_options": {"is_disabled": True}}
    return to_api(message)
