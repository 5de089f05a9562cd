"""What every handler has at hand, and the one way an answer leaves."""

from __future__ import annotations

import asyncio
import math
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from telegram import Chat as TelegramChat
from telegram import Update
from telegram.ext import Application, CallbackContext, ExtBot

import storage.chats
from bot.errors import UserError
from bot.model.chats import Chat, ChatKind, Style, client_language
from bot.model.outcomes import Ambiguous, Outcome, Retry, Sent
from bot.render.text import Button, Message, to_api
from bot.sources.catalog import Catalog
from storage.db import Store

KNOWN_CHATS = 10_000
BURST = 8  # commands a chat may send at once, then one in two seconds
EVERY = 2.0
IN_GROUP = 2  # times as long in a group, where Telegram takes fewer answers
CALM = BURST // 2  # commands a chat may send at once again, or fewer wait: then it is told again when it hurries
TAP = EVERY / 2  # a button: a menu is gone through in taps
REPLY_WAITS = (1.0, 2.0, 4.0, 8.0, 15.0)  # seconds between tries of a reply
LONGEST_WAIT = 30.0


class Sender(Protocol):
    """The Bot API: a method and its parameters."""

    async def call(self, method: str, **parameters: Any) -> Outcome:  # noqa: ANN401 - any JSON value
        """Send and classify."""


async def at_once(_chat: int) -> None:
    """The turn of a message where nothing limits it."""


def no_others(_chat: int) -> int:
    """What waits of a chat where updates come one by one."""
    return 0


@dataclass(slots=True)
class Services:
    """What the program lends to its handlers.

    `turn` is awaited before each message to a chat, so that answers keep to Telegram's limits; `wake` is called when
    there is something to send.
    """

    store: Store
    api: Sender
    catalog: Catalog
    clock: Callable[[], datetime]
    turn: Callable[[int], Awaitable[None]]
    wake: Callable[[], None]
    home: str
    time_zone: str
    default_language: str
    admins: frozenset[int]
    chats: OrderedDict[int, Chat] = field(default_factory=OrderedDict)
    cards: dict[tuple[object, ...], Message] = field(default_factory=dict)
    buckets: OrderedDict[int, tuple[float, bool]] = field(default_factory=OrderedDict)
    waiting: Callable[[int], int] = no_others  # how many questions of a chat wait here, the one being answered included
    broken: dict[int, Exception] = field(default_factory=dict)  # what a handler raised, by the update's number

    def forget_cards(self) -> None:
        """New rates were stored: cards are made anew."""
        self.cards.clear()

    def allow(self, chat_id: int, cost: float = EVERY) -> bool:
        """Whether a chat may ask now; when not, UserError once, then False until it calms down.

        It may not when it asks too often, or when too many of its questions wait here already.
        """
        now = time.monotonic()
        slower = IN_GROUP if chat_id < 0 else 1
        tat, warned = self.buckets.get(chat_id, (now, False))
        tat, waiting = max(tat, now), self.waiting(chat_id)
        early = max(tat - now - (BURST - 1) * EVERY * slower, (waiting - BURST) * EVERY)
        if early > 0:
            self.buckets[chat_id] = (tat, True)
            if warned:
                return False
            raise UserError("error.throttled", wait=timedelta(seconds=math.ceil(early)))
        calm = tat - now <= (BURST - CALM) * EVERY * slower and waiting <= CALM
        self.buckets[chat_id] = (tat + cost * slower, warned and not calm)
        self.buckets.move_to_end(chat_id)
        while len(self.buckets) > KNOWN_CHATS:
            self.buckets.popitem(last=False)
        return True


class Context(CallbackContext[ExtBot[None], dict[Any, Any], dict[Any, Any], dict[Any, Any]]):
    """python-telegram-bot's context with our chat and services; `incoming` is the update being handled."""

    services: Services
    chat: Chat
    incoming: Update

    @property
    def language(self) -> str:
        """The language the chat has now."""
        return self.chat.language

    @property
    def words(self) -> list[str]:
        """The words after the command."""
        return list(self.args or [])

    @property
    def thread(self) -> int | None:
        """The forum topic that is written in."""
        origin = self.incoming.effective_message
        return origin.message_thread_id if origin is not None and origin.is_topic_message else None

    @property
    def on_picture(self) -> bool:
        """Whether the message pressed is a picture, which changes in place and never back into words alone."""
        origin = self.incoming.effective_message
        return origin is not None and bool(origin.photo)

    async def _send(self, method: str, **parameters: Any) -> None:  # noqa: ANN401 - any JSON value
        """Send what somebody waits for: again when Telegram is busy, once more when nobody knows whether it arrived."""
        doubts = 0
        for wait in REPLY_WAITS:
            if (chat := parameters.get("chat_id")) is not None:  # a button's answer is no message
                await self.services.turn(chat)
            outcome = await self.services.api.call(method, **parameters)
            if isinstance(outcome, Ambiguous) and doubts == 0:
                doubts += 1
            elif not isinstance(outcome, Retry):
                return
            after = outcome.after if isinstance(outcome, Retry) else None
            await asyncio.sleep(min(after or wait, LONGEST_WAIT))

    async def reply(
        self, message: Message, *, to_it: bool = False, keyboard: Mapping[str, object] | None = None
    ) -> None:
        """Answer in the same chat and topic; `to_it` makes it a reply to the message written or pressed.

        `keyboard` is a reply keyboard to show, or the word to take one away, as the Bot API has them.
        """
        body, origin = to_api(message), self.incoming.effective_message
        if keyboard is not None:
            body["reply_markup"] = keyboard
        if to_it and origin is not None:
            body["reply_parameters"] = {"message_id": origin.message_id, "allow_sending_without_reply": True}
        await self._send("sendMessage", chat_id=self.chat.id, message_thread_id=self.thread, **body)

    async def edit(self, message: Message) -> None:
        """Change the message whose button was pressed; a picture keeps its place and gets other words."""
        origin = self.incoming.effective_message
        if origin is not None:
            method = "editMessageCaption" if self.on_picture else "editMessageText"
            body = to_api(message, caption=self.on_picture)
            await self._send(method, chat_id=self.chat.id, message_id=origin.message_id, **body)

    async def switch(self, button: Button, *data: str) -> None:
        """Put a button in the place of the one that carries such data, under the message pressed; others stay."""
        origin = self.incoming.effective_message
        if origin is None or origin.reply_markup is None:
            return
        rows = origin.reply_markup.to_dict()["inline_keyboard"]
        new = {"text": button.text, "callback_data": button.data}
        changed = [[new if one.get("callback_data") in data else one for one in row] for row in rows]
        if changed != rows:
            markup = {"inline_keyboard": changed}
            where = {"chat_id": self.chat.id, "message_id": origin.message_id}
            await self._send("editMessageReplyMarkup", **where, reply_markup=markup)

    async def answer(self, text: str = "", *, alert: bool = False) -> None:
        """Answer a button press; without words it just stops spinning."""
        query = self.incoming.callback_query
        if query is not None:
            await self._send(
                "answerCallbackQuery", callback_query_id=query.id, text=text[:200] or None, show_alert=alert or None
            )

    async def change_chat(self, **values: object) -> None:
        """Change a setting of this chat."""
        async with self.services.store.writing() as db:
            await storage.chats.change(db, self.chat.id, **values)
            changed = await storage.chats.get(db, self.chat.id)
        if changed is not None:
            self.services.chats[self.chat.id] = self.chat = changed

    async def must_be_admin(self) -> None:
        """In a group only its administrators change settings; asked at Telegram each time, the menu is no proof."""
        if self.chat.kind is ChatKind.PRIVATE:
            return
        message, user = self.incoming.effective_message, self.incoming.effective_user
        if self.incoming.callback_query is None and message is not None and message.sender_chat is not None:
            if message.sender_chat.id == self.chat.id:
                return  # an anonymous administrator of this very group
            raise UserError("error.admins_only")
        if user is None:
            raise UserError("error.admins_only")
        outcome = await self.services.api.call("getChatMember", chat_id=self.chat.id, user_id=user.id)
        member = outcome.result if isinstance(outcome, Sent) else None
        if not isinstance(member, dict) or member.get("status") not in {"creator", "administrator"}:
            raise UserError("error.admins_only")


Handler = Callable[[Update, Context], Coroutine[Any, Any, None]]
App = Application[ExtBot[None], Context, dict[Any, Any], dict[Any, Any], dict[Any, Any], None]


async def load_chat(services: Services, origin: TelegramChat, language_code: str | None) -> Chat:
    """The chat as stored; a new one starts in the client's language."""
    known = services.chats.get(origin.id)
    if known is not None:
        services.chats.move_to_end(origin.id)
        return known
    new = new_chat(services, origin, language_code)
    async with services.store.reading() as db:
        stored = await storage.chats.get(db, origin.id)
    if stored is None:
        async with services.store.writing() as db:
            stored = await storage.chats.add(db, new, now=services.clock())
    services.chats[origin.id] = stored
    while len(services.chats) > KNOWN_CHATS:
        services.chats.popitem(last=False)
    return stored


def new_chat(services: Services, origin: TelegramChat, language_code: str | None) -> Chat:
    """What we assume of a chat we meet for the first time."""
    kind = {"private": ChatKind.PRIVATE, "channel": ChatKind.CHANNEL}.get(origin.type, ChatKind.GROUP)
    return Chat(
        id=origin.id,
        kind=kind,
        title=origin.title or "",
        language=client_language(language_code, services.default_language),
        time_zone=services.time_zone,
        home=services.home,
        style=Style.BRIEF,
    )
