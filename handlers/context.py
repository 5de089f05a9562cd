"""An update as its handler sees it, and the one way an answer leaves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from datetime import timedelta
from typing import Any

import structlog
from telegram import Update
from telegram.ext import Application, CallbackContext, ExtBot

import storage.alerts
import storage.chats
from bot.alerts.answers import alert as late_answer
from bot.errors import UserError
from bot.model.chats import Chat
from bot.render.answers import explain
from bot.render.text import Button, Message, to_api
from bot.telegram.outcomes import (
    Ambiguous,
    Gone,
    Migrated,
    Outcome,
    Rejected,
    Retry,
    Sent,
    answers,
    why,
)
from bot.telegram.retry import ANSWER
from handlers.services import Services

log = structlog.get_logger(__name__)

# seconds that Telegram may ask for and a handler waits; longer ones are kept by the outbox
SHORT_WAIT = 10.0
LATE = timedelta(hours=12)  # so long an answer is worth giving late
FIXES = 6  # refusals of one answer that are mended, each in another way
#: What is of no use later: it only ends a spinning button, or its time is over.
MOMENTARY = frozenset(
    {"answerCallbackQuery", "answerInlineQuery", "sendChatAction", "editMessageReplyMarkup"}
)
EDITS = frozenset({"editMessageText", "editMessageCaption"})
#: What words can do without, when Telegram refuses the whole.
ORNAMENTS = (
    "entities",
    "caption_entities",
    "reply_markup",
    "reply_parameters",
    "link_preview_options",
)
TEXT, CAPTION = 4096, 1024  # UTF-16 units at most


class Context(CallbackContext[ExtBot[None], dict[Any, Any], dict[Any, Any], dict[Any, Any]]):
    """python-telegram-bot's context with our chat and services; `incoming` is what is handled."""

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
        # A reply in a group without topics has a thread too, and cannot be written to by it.
        if origin is None or not origin.is_topic_message:
            return None
        return origin.message_thread_id

    @property
    def on_picture(self) -> bool:
        """Whether the message pressed is a picture; it never changes back into words alone."""
        origin = self.incoming.effective_message
        return origin is not None and bool(origin.photo)

    async def _send(self, method: str, **parameters: Any) -> Outcome:  # noqa: ANN401 - any JSON value
        """Send what somebody waits for, whatever it takes; returns the last outcome.

        Again when Telegram is busy, once more when nobody knows whether it arrived, mended when it
        is refused as it is. What cannot leave within seconds goes through the outbox, which keeps
        to what Telegram asks for.
        """
        failures, doubts, fixes = 0, 0, 0
        if (quiet := self.services.quiet_for(self.chat.id)) and method not in MOMENTARY:
            if quiet > SHORT_WAIT:
                await self._send_late(method, parameters, flood=True)
                return Retry("too many requests", after=quiet, flood=True)
            await asyncio.sleep(quiet)
        while True:
            await self._turn(method, parameters)
            outcome = await self.services.api.call(method, **parameters)
            if isinstance(outcome, Sent):
                return outcome
            if isinstance(outcome, Ambiguous):
                if doubts >= ANSWER.doubts:
                    # While Telegram answers otherwise, the message has most likely arrived.
                    if not answers(await self.services.api.call("getMe")):
                        await self._send_late(method, parameters)
                    return outcome
                doubts += 1
                await asyncio.sleep(ANSWER.base)
            elif isinstance(outcome, Retry):
                if outcome.flood and outcome.after and method not in MOMENTARY:
                    await self._keep_quiet(outcome.after)
                if ANSWER.spent(failures) or (outcome.after or 0.0) > SHORT_WAIT:
                    await self._send_late(method, parameters, flood=outcome.flood)
                    return outcome
                await asyncio.sleep(ANSWER.pause(failures, outcome))
                failures += 1
            else:
                mended = await self._mended(method, parameters, outcome, fixes)
                if mended is None:
                    log.warning("answer refused", method=method, why=why(outcome))
                    return outcome
                method, parameters = mended
                fixes += 1

    async def _turn(self, method: str, parameters: Mapping[str, Any]) -> None:
        """Wait until a message may leave; a button's answer is none and does not wait."""
        chat = parameters.get("chat_id")
        if chat is not None and method != "sendChatAction":
            await self.services.turn(chat)

    async def _mended(
        self, method: str, parameters: dict[str, Any], outcome: Outcome, fixes: int
    ) -> tuple[str, dict[str, Any]] | None:
        """The same in a way that may do after a refusal; None where no other way is worth it."""
        if method in MOMENTARY or fixes >= FIXES:
            return None
        if isinstance(outcome, Migrated):
            return method, parameters | {"chat_id": await self._moved(outcome.chat)}
        if isinstance(outcome, Gone) and not fixes:
            await asyncio.sleep(ANSWER.base)  # once by mistake, perhaps
            return method, parameters
        if isinstance(outcome, Rejected) and not outcome.token:
            return self._reworded(method, parameters, outcome)
        return None

    async def _moved(self, new: int) -> int:
        async with self.services.store.writing() as db:
            await storage.chats.migrate(db, self.chat.id, new)
        for chat_id in (self.chat.id, new):
            self.services.chats.pop(chat_id, None)
        return new

    def _reworded(
        self, method: str, parameters: dict[str, Any], outcome: Rejected
    ) -> tuple[str, dict[str, Any]] | None:
        """Another place, or other words, for what is refused as it is."""
        if outcome.thread and parameters.get("message_thread_id") is not None:
            return method, parameters | {"message_thread_id": None}
        if method in EDITS and outcome.unneeded:
            return self._as_new(method, parameters)
        return self._plainer(method, parameters, too_long="too long" in outcome.why)

    def _plainer(
        self, method: str, parameters: dict[str, Any], *, too_long: bool
    ) -> tuple[str, dict[str, Any]] | None:
        """The same words with less around them, then as a message, then that there is no answer."""
        field, units = "text", TEXT
        if method == "editMessageCaption":
            field, units = "caption", CAPTION
        most = units // 2  # letters; each may be two units
        if too_long and len(parameters.get(field, "")) > most:
            cut = parameters[field][: most - 1].rstrip() + "…"
            return method, _without(parameters, *ORNAMENTS) | {field: cut}
        if any(name in parameters for name in ORNAMENTS):
            return method, _without(parameters, *ORNAMENTS)
        if method in EDITS:
            return self._as_new(method, parameters)
        apology = explain(UserError("error.unexpected"), self.language).text
        if method == "sendMessage" and parameters.get("text") != apology:
            return method, {"chat_id": parameters["chat_id"], "text": apology}
        return None

    def _as_new(self, method: str, parameters: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """What was to change a message, as a message of its own."""
        body = _without(parameters, "message_id", "show_caption_above_media")
        if method == "editMessageCaption":
            for name, new_name in (("caption", "text"), ("caption_entities", "entities")):
                if name in body:
                    body[new_name] = body.pop(name)
        return "sendMessage", body | {"message_thread_id": self.thread}

    async def _keep_quiet(self, seconds: float) -> None:
        """Telegram wants nothing in this chat for so long: neither answers nor alerts."""
        self.services.be_quiet(self.chat.id, seconds)
        async with self.services.store.writing() as db:
            await storage.chats.pause(db, self.chat.id, timedelta(seconds=seconds))

    async def leave(self, message: Message, outcome: Outcome) -> bool:
        """Answer later, by words alone, when Telegram wants silence for long; whether it does."""
        if not isinstance(outcome, Retry) or not outcome.flood:
            return False
        wanted = outcome.after or 0.0
        if wanted <= SHORT_WAIT:
            return False
        await self._keep_quiet(wanted)
        parameters = {"chat_id": self.chat.id, "message_thread_id": self.thread, **to_api(message)}
        await self._send_late("sendMessage", parameters, flood=True)
        return True

    async def _send_late(
        self, method: str, parameters: dict[str, Any], *, flood: bool = False
    ) -> None:
        """Leave an answer to the outbox, which sends it when Telegram takes it.

        That holds after a restart too. After a `flood` a chat gets one, to what it asked last.
        """
        if method in MOMENTARY:
            return
        if method in EDITS:  # by then the message may be far up
            method, parameters = self._as_new(method, parameters)
        services, now = self.services, self.services.clock()
        # The chat is the delivery's own affair: by then its group may have another number.
        body = _without(parameters, "chat_id")
        for name, value in list(body.items()):
            if value is None:
                del body[name]
        late = late_answer(
            self.chat.id, parameters["chat_id"], method, body, flood=flood, now=now, lasts=LATE
        )
        async with services.store.writing() as db:
            await storage.alerts.enqueue(db, late)
        log.info("an answer waits", method=method, flood=flood)
        services.wake()

    async def reply(
        self, message: Message, *, to_it: bool = False, keyboard: Mapping[str, object] | None = None
    ) -> None:
        """Answer in the same chat and topic; `to_it` makes it a reply to what was written.

        `keyboard` is a reply keyboard to show, or the word to take one away, as the Bot API has
        them.
        """
        body, origin = to_api(message), self.incoming.effective_message
        if keyboard is not None:
            body["reply_markup"] = keyboard
        if to_it and origin is not None:
            body["reply_parameters"] = {
                "message_id": origin.message_id,
                "allow_sending_without_reply": True,  # it may be deleted by now
            }
        await self._send("sendMessage", chat_id=self.chat.id, message_thread_id=self.thread, **body)

    async def show(self, message: Message, *, edit: bool) -> None:
        """Change the message pressed, or answer below it."""
        if edit:
            await self.edit(message)
        else:
            await self.reply(message)

    async def edit(self, message: Message) -> None:
        """Change the message whose button was pressed; under a picture its caption changes."""
        origin = self.incoming.effective_message
        if origin is None:  # too old for Telegram to show it to us
            await self.reply(message)
            return
        method = "editMessageCaption" if self.on_picture else "editMessageText"
        body = to_api(message, caption=self.on_picture)
        await self._send(method, chat_id=self.chat.id, message_id=origin.message_id, **body)

    async def switch(self, button: Button, *data: str) -> None:
        """Put a button in the place of the one with such data, under the message pressed."""
        origin = self.incoming.effective_message
        if origin is None or origin.reply_markup is None:
            return
        rows = origin.reply_markup.to_dict()["inline_keyboard"]
        switched = False
        for row in rows:
            for place, one in enumerate(row):
                if one.get("callback_data") in data:
                    row[place] = {"text": button.text, "callback_data": button.data}
                    switched = True
        if switched:  # Telegram refuses an edit that changes nothing
            markup = {"inline_keyboard": rows}
            where = {"chat_id": self.chat.id, "message_id": origin.message_id}
            await self._send("editMessageReplyMarkup", **where, reply_markup=markup)

    async def answer(self, text: str = "", *, alert: bool = False) -> None:
        """Answer a button press; without words it just stops spinning."""
        query = self.incoming.callback_query
        if query is None:
            return
        outcome = await self._send(
            "answerCallbackQuery",
            callback_query_id=query.id,
            text=text[:200] or None,  # the Bot API takes no more
            show_alert=alert or None,
        )
        # Telegram takes no answer to what was pressed some while ago: the words come as a message.
        if text and not isinstance(outcome, Sent | Ambiguous):
            await self.reply(Message(text=text))

    async def change_chat(self, **values: object) -> None:
        """Change a setting of this chat."""
        async with self.services.store.writing() as db:
            await storage.chats.change(db, self.chat.id, **values)
            changed = await storage.chats.get(db, self.chat.id)
        if changed is not None:
            self.services.chats[self.chat.id] = self.chat = changed


def _without(parameters: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """A request's parameters without some; the request itself stays as it was."""
    return {name: value for name, value in parameters.items() if name not in names}


Handler = Callable[[Update, Context], Coroutine[Any, Any, None]]
App = Application[ExtBot[None], Context, dict[Any, Any], dict[Any, Any], dict[Any, Any], None]
