"""Alert → the request that carries it, made once per (alert, language, style, zone), not per
chat.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

import orjson
from cachetools import FIFOCache

import storage.alerts
import storage.deliveries
import storage.filters
import storage.joined
import storage.quiet
import storage.told
from bot.alerts import KINDS, Kit, Reader, kind_of
from bot.clock import utc_now
from bot.deliver.pictures import Pictures, Run, Upload
from bot.detect.filters import Looked, keeps_back
from bot.model.alerts import Severity
from bot.model.chats import ChatKind, Sound, Style, read_sounds
from bot.render.buttons import put_in
from bot.render.text import Message
from bot.render.wire import Body, Reply, send_method, to_api
from bot.sources.specs import Catalog
from storage.alerts import StoredAlert
from storage.claims import Claimed
from storage.db import Db, Store

MESSAGES_KEPT = 512
EDIT = "editMessageText"
PHOTO = "sendPhoto"
#: What may be done twice, and is the same.
HARMLESS = frozenset({EDIT, "pinChatMessage"})

_LOUDEST = (Sound.SOUND, Sound.SILENT, Sound.OFF)

Request = tuple[str, bytes]


class _Edit(NamedTuple):
    """The new text of the messages of alert `told`; each chat's has a number of its own."""

    stored: StoredAlert
    told: int
    message: Message
    body: bytes


class _Reply(NamedTuple):
    """A message of its own that replies to what carried alert `told` to a chat, where one did."""

    told: int
    request: Request


class _Beside(NamedTuple):
    """A message for all alike, but for chats whose filters keep back the headline beside it."""

    stored: StoredAlert
    looked: Looked
    request: Request


class News(NamedTuple):
    """An alert's kind, and when what it tells was published."""

    kind: str
    published_at: datetime
    grew_at: datetime | None


Made = Request | _Edit | _Reply | _Beside | StoredAlert | None


class Composer:
    """Makes messages of alerts and remembers the last few hundred.

    `bot_name` is empty until Telegram has told it; `clock` is that of who decides alerts; `run`
    paints the picture that a message has in a worker process.
    """

    def __init__(
        self,
        store: Store,
        catalog: Catalog,
        bot_name: Callable[[], str] = str,
        clock: Callable[[], datetime] = utc_now,
        run: Run | None = None,
    ) -> None:
        self._store = store
        self._bot_name = bot_name
        self._catalog = catalog
        self._clock = clock
        self.pictures = Pictures(run)
        self._made: FIFOCache[tuple[object, ...], asyncio.Future[Made]] = FIFOCache(MESSAGES_KEPT)
        self._news: FIFOCache[int, News] = FIFOCache(MESSAGES_KEPT)
        self._answers: FIFOCache[int, int] = FIFOCache(MESSAGES_KEPT)

    async def compose(self, item: Claimed) -> Request | Upload | None:
        """The method and the JSON body without its `chat_id`, or what is uploaded; None when there
        is nothing to say. NotDrawnError while its picture is drawn.
        """
        channel = item.kind is ChatKind.CHANNEL
        # what a story says may have grown by a newer alert: a chat not told of that one gets the
        # newest words
        alike = (item.language, item.style, item.sounds, channel, item.plain, item.thread)
        where = (item.home, item.time_zone)  # by whose clock a time is told
        key = (item.alert, item.newest, *alike, *where, item.tables)
        try:  # it is there, as nearly always: `get` would look twice
            made: asyncio.Future[Made] | None = self._made[key]
        except KeyError:
            made = None
        # a failure is kept for nobody: the next chat tries anew
        if made is None or (made.done() and (made.cancelled() or made.exception() is not None)):
            made = asyncio.ensure_future(self._make(item))
            self._made[key] = made  # those that want the same meanwhile wait for it
        if not made.done():
            # shielded: who is cancelled while waiting does not take the words from the others
            await asyncio.shield(made)
        found = made.result()
        if isinstance(found, _Edit | _Reply | _Beside):
            return await self._of_chat(found, item)
        if not isinstance(found, StoredAlert):
            return found
        async with self._store.reading() as db:
            loudest = await _as_loud(db, found, item)
            message = await self._message(db, found, item, loudest)
            revised = kind_of(found).revises(found)
            if revised is not None:
                return await self._revised(db, revised, message, item)
            edited = kind_of(found).edits(found)
            if edited is not None and message is not None:
                return EDIT, orjson.dumps({"message_id": edited, **_body(message, item)})
            answered = None
            first = kind_of(found).replies_to(found)
            if first is not None:
                answered = await storage.told.message_telling(db, first, item.chat)
        return self._pictured(message, loudest, item) or _request(message, loudest, item, answered)

    def _pictured(
        self, message: Message | None, stored: StoredAlert, item: Claimed
    ) -> Request | Upload | None:
        """A message as the caption of its picture, which Telegram has by its file id or is given;
        None of one that has none, or whose words go alone.
        """
        if message is None or message.picture is None or item.plain:
            return None
        drawn = self.pictures.of(message.picture)
        if drawn is None:
            return None
        body = _arriving(to_api(message, caption=True), stored, item)
        if isinstance(drawn, str):
            return PHOTO, orjson.dumps({"photo": drawn, **body})
        return Upload(PHOTO, {**body}, drawn, message.picture)

    async def _revised(
        self, db: Db, told: int, message: Message | None, item: Claimed
    ) -> Request | None:
        """The edit of the message by which a chat got an alert, in words of its own."""
        number = await storage.deliveries.message_of(db, told, item.chat)
        if message is None or not number:
            return None
        return EDIT, orjson.dumps({"message_id": number, **_body(message, item)})

    def age(self, alert: int) -> tuple[str, float] | None:
        """The kind of an alert that was composed lately, and how many seconds ago it was
        published.
        """
        try:
            news = self._news[alert]
        except KeyError:
            return None
        return news.kind, max((self._clock() - news.published_at).total_seconds(), 0.0)

    def update_of(self, alert: int) -> int | None:
        """The number of the update that an alert composed lately answers; None of most."""
        if alert not in self._answers:
            return None
        return self._answers[alert]

    async def _note(self, db: Db, stored: StoredAlert) -> None:
        """Remember when what an alert tells was published, or which update it answers: of what is
        awaited its time says nothing.
        """
        kind = kind_of(stored)
        if (answered := kind.answers(stored)) is not None:
            self._answers[stored.id] = answered
        known = self._news.get(stored.id)
        noted = known is not None and known.grew_at == stored.grew_at
        if noted or kind.payload.TERMS.awaited:
            return
        at = await kind.published_at(Kit(db=db, catalog=self._catalog, kinds=KINDS), stored)
        at = at or stored.grew_at or stored.created_at
        self._news[stored.id] = News(stored.payload.kind, at, stored.grew_at)

    async def _of_chat(self, made: _Edit | _Reply | _Beside, item: Claimed) -> Request | None:
        """A chat's own request, of what was made for all."""
        if isinstance(made, _Edit):
            return await self._edit(made, item)
        if isinstance(made, _Reply):
            return await self._reply(made, item)
        return await self._beside(made, item)

    async def _edit(self, made: _Edit, item: Claimed) -> Request | None:
        async with self._store.reading() as db:
            number = await storage.deliveries.message_of(db, made.told, item.chat)
            if not number:  # this chat never got what would be edited, or it was one of several
                return await self._edit_together(db, made.told, item)
            body = await self._under_its_buttons(db, made, item)
        # put into the bytes that are made for all, instead of writing the same again for each chat
        return EDIT, b'{"message_id":%d,' % number + body[1:]

    async def _under_its_buttons(self, db: Db, made: _Edit, item: Claimed) -> bytes:
        """The body for all, where this chat has pressed no button that it would put back."""
        if item.kind is ChatKind.CHANNEL:
            return made.body
        kind = kind_of(made.stored)
        switched = await kind.switched(self._kit(db), made.stored, _reader(item))
        if not switched:
            return made.body
        buttons = put_in(made.message.buttons, switched)
        return orjson.dumps(_body(replace(made.message, buttons=buttons), item))

    async def _edit_together(self, db: Db, told: int, item: Claimed) -> Request | None:
        """The edit of the message that told an alert with others: all of it, as it is now."""
        within = await storage.quiet.told_within(db, told, item.chat)
        if within is None:
            return None
        number = await storage.deliveries.message_of(db, within, item.chat)
        stored = await storage.alerts.get(db, within)
        if not number or stored is None:
            return None
        message = await self._message(db, stored, item)
        if message is None:  # nothing of it is left, and nobody is told less
            return None
        return EDIT, orjson.dumps({"message_id": number, **_body(message, item)})

    async def _reply(self, made: _Reply, item: Claimed) -> Request:
        async with self._store.reading() as db:
            number = await storage.told.message_telling(db, made.told, item.chat)
        method, body = made.request
        if not number:  # this chat hears of it for the first time
            return method, body
        answered = orjson.dumps({"reply_parameters": _answering(number)})
        return method, answered[:-1] + b"," + body[1:]

    async def _beside(self, made: _Beside, item: Claimed) -> Request | None:
        async with self._store.reading() as db:
            filters = await storage.filters.of_chat(db, item.chat)
            if keeps_back(filters, made.looked) is None:
                return made.request
            reader = replace(_reader(item), filters=filters)
            message = await kind_of(made.stored).words(self._kit(db), made.stored, reader)
        return _request(message, made.stored, item)

    async def _make(self, item: Claimed) -> Made:
        """A request for all chats alike, or the alert when what it says is each chat's own."""
        async with self._store.reading() as db:
            stored = await storage.alerts.get(db, item.alert)
            if stored is not None:
                await self._note(db, stored)
            if stored is None or kind_of(stored).own:
                return stored
            kind = kind_of(stored)
            ready = kind.ready(stored, plain=item.plain)
            if ready is not None:
                return ready.method, orjson.dumps(ready.parameters)
            message = await self._message(db, stored, item)
            return await self._for_all(db, stored, message, item)

    async def _for_all(
        self, db: Db, stored: StoredAlert, message: Message | None, item: Claimed
    ) -> Made:
        """What is sent to all alike, or what each chat's request is made of."""
        kind, request = kind_of(stored), _request(message, stored, item)
        if message is None or request is None:
            return None
        first = kind.revises(stored)
        if first is not None:
            return _Edit(stored, first, message, orjson.dumps(_body(message, item)))
        first = kind.replies_to(stored)
        if first is not None:
            return _Reply(first, request)
        if item.kind is ChatKind.CHANNEL:  # it has no filters
            return request
        beside = await kind.beside(self._kit(db), stored, _reader(item))
        return request if beside is None else _Beside(stored, Looked(beside), request)

    def _kit(self, db: Db) -> Kit:
        return Kit(db=db, catalog=self._catalog, kinds=KINDS, bot=self._bot_name())

    async def _message(
        self, db: Db, stored: StoredAlert, item: Claimed, loudest: StoredAlert | None = None
    ) -> Message | None:
        # what the chat turned off since it was put into the outbox, or since it was held
        if _chosen(loudest or stored, item) is Sound.OFF:
            return None
        return await kind_of(stored).words(self._kit(db), stored, _reader(item))


def _reader(item: Claimed) -> Reader:
    return Reader(
        chat=item.chat,
        language=item.language,
        style=Style(item.style),
        home=item.home,
        time_zone=item.time_zone,
        channel=item.kind is ChatKind.CHANNEL,
    )


def _request(
    message: Message | None, stored: StoredAlert, item: Claimed, answered: int | None = None
) -> Request | None:
    if message is None:
        return None
    body = _arriving(_body(message, item), stored, item)
    if answered:
        body["reply_parameters"] = _answering(answered)
    return send_method(body), orjson.dumps(body)


def _arriving(body: Body, stored: StoredAlert, item: Claimed) -> Body:
    """The body with the sound that the chat wants, and in its topic."""
    if _is_silent(stored, item):
        body["disable_notification"] = True
    else:
        body.pop("disable_notification", None)
    if item.thread is not None:
        body["message_thread_id"] = item.thread
    return body


def _is_silent(stored: StoredAlert, item: Claimed) -> bool:
    """Whether it comes without sound: as the chat chose for that kind of post, else as usual."""
    chosen = _chosen(stored, item)
    if chosen is not None:
        return chosen is Sound.SILENT
    return stored.severity is Severity.INFO


def _chosen(stored: StoredAlert, item: Claimed) -> Sound | None:
    """The loudness that the chat chose for this kind of post; None where it chose nothing."""
    if stored.post is None or not item.sounds:
        return None
    return read_sounds(item.sounds).get(stored.post)


async def _as_loud(db: Db, stored: StoredAlert, item: Claimed) -> StoredAlert:
    """An alert as the kind of post that the chat wants loudest, of those that it tells."""
    if stored.post is None or not item.sounds:
        return stored
    others = await storage.joined.posts(db, stored.id, item.chat)
    loudest = min(
        (stored.post, *others),
        key=lambda post: _LOUDEST.index(_chosen(replace(stored, post=post), item) or Sound.SOUND),
    )
    return replace(stored, post=loudest)


def _answering(message: int) -> Reply:
    """A reply to a message of a chat; one that was deleted is no reason to say nothing."""
    return {"message_id": message, "allow_sending_without_reply": True}


def _body(message: Message, item: Claimed) -> Body:
    if item.plain:  # Telegram refused it as it was: words are what matters
        return {"text": message.text, "link_preview_options": {"is_disabled": True}}
    return to_api(message, tables=item.tables)
