"""An update as its handler sees it, and how it answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from telegram import Update
from telegram.ext import Application, CallbackContext, ExtBot

import storage.chats
from bot.model.chats import Chat
from bot.render.text import Button, Message, Rows
from bot.render.wire import BelowField, Keyboard, send_method, to_api, words
from bot.telegram.outcomes import Outcome, Rejected, Sent
from handlers.answers import EPHEMERAL, Answer
from handlers.edited import MESSAGES, in_place, ours_of
from handlers.given import Given, Ours
from handlers.outgoing import Outgoing
from handlers.services import Services
from handlers.sign import Sign


def topic_of(update: Update) -> int | None:
    """The forum topic that an update is from."""
    origin = update.effective_message
    # A reply in a group without topics has a thread too, and cannot be written to by it.
    if origin is None or not origin.is_topic_message:
        return None
    return origin.message_thread_id


class Context(CallbackContext[ExtBot[None], dict[Any, Any], dict[Any, Any], dict[Any, Any]]):
    """python-telegram-bot's context with our chat and services; `incoming` is what is handled.

    `given` is what a message is answered with, remembered once that is done; `earlier` is what
    stands there in answer to its words before an edit, or from a try that failed. Of a chat that
    was `erased` nothing is kept any more, not even an answer that cannot leave now. A press has one
    answer: `pressed_answered` once it left, `answering` while one without words is on its way.
    """

    services: Services
    chat: Chat
    incoming: Update
    sign: Sign
    given: Given | None = None
    earlier: Sequence[Ours] = ()
    erased: bool = False
    pressed_answered: bool = False
    answering: asyncio.Task[None] | None = None

    @property
    def language(self) -> str:
        """The language the chat has now."""
        return self.chat.language

    @property
    def words(self) -> list[str]:
        """The words after the command."""
        return list(self.args or [])

    @property
    def written(self) -> str:
        """The text of what is handled, "" of what has none.

        Without the slash of a command that there is not: "/usd", "/курс".
        """
        origin = self.incoming.effective_message
        return "" if origin is None else (origin.text or "").removeprefix("/")

    @property
    def thread(self) -> int | None:
        """The forum topic that is written in."""
        return topic_of(self.incoming)

    @property
    def edited(self) -> bool:
        """Whether what is handled was written before, and now says something else."""
        return self.incoming.edited_message is not None

    @property
    def said_at(self) -> datetime | None:
        """The time of its writing, by Telegram's clock; None of an update that has none."""
        origin = self.incoming.message or self.incoming.edited_message
        if origin is None:
            return None
        return origin.edit_date or origin.date

    @property
    def on_picture(self) -> bool:
        """Whether the message pressed is a picture; it never changes back into words alone."""
        origin = self.incoming.effective_message
        return origin is not None and bool(origin.photo)

    def has_button(self, data: str) -> bool:
        """Whether the message pressed has a button with such data."""
        origin = self.incoming.effective_message
        if origin is None or origin.reply_markup is None:
            return False
        rows = origin.reply_markup.inline_keyboard
        return any(one.callback_data == data for row in rows for one in row)

    async def send(self, answer: Answer) -> Outcome:
        """Send an answer to what is handled, whatever it takes; returns the last outcome.

        A message takes the place of one that answered the same question before its edit.
        """
        way = Outgoing(
            *(self.services, self.chat.id, self.language, self.thread),
            leaving=self.sign.end,
            moving=self._follow,
        )
        if self.erased:
            answer = replace(answer, postponable=False)
        if answer.method not in MESSAGES:
            return await way.send(answer)
        replaced, changed = None, None
        if self.earlier:
            replaced = self.earlier[0]
            changed = in_place(answer, replaced)
        outcome = await way.send(changed or answer)
        if changed is not None and isinstance(outcome, Rejected):  # it is gone, or too old
            outcome = await way.send(answer)
        ours = ours_of(answer, outcome, replaced)
        if ours is not None and self.given is not None:
            self.given.messages.append(ours)
        if replaced is not None and changed is None:
            await self._remove(replaced)
        # not before: what fails until here is tried again, and finds it in its place
        self.earlier = self.earlier[1:]
        return outcome

    async def _follow(self, new: int) -> None:
        """The chat has another number from now on, also for what is still to be done with it. What
        was written under the old one is never edited.
        """
        async with self.services.store.reading() as db:
            moved = await storage.chats.get(db, new)
        if moved is not None:
            self.services.chats[new] = self.chat = moved
            self.given, self.earlier = None, ()

    def asked(self) -> None:
        """A message is handled: what it is answered with is remembered, for an edit of it."""
        origin = self.incoming.message or self.incoming.edited_message
        if origin is not None and origin.message_id:  # an ephemeral one has no number, and no edits
            self.given = Given()
            self.earlier = self.services.questions.answers(self.chat.id, origin.message_id)

    async def answered(self) -> None:
        """The message is handled: what is left of the answers to its earlier words goes."""
        while self.earlier:
            await self._remove(self.earlier[0])
            self.earlier = self.earlier[1:]
        origin = self.incoming.message or self.incoming.edited_message
        if self.given is not None and origin is not None:
            self.given.words = hash(origin.text or "")
            self.services.questions.note(self.chat.id, origin.message_id, self.given)

    def failed(self) -> None:
        """The message may be handled again: all that stands below it now is in answer to it."""
        origin = self.incoming.message or self.incoming.edited_message
        if self.given is not None and origin is not None:
            so_far = Given(messages=[*self.given.messages, *self.earlier])
            self.services.questions.note(self.chat.id, origin.message_id, so_far)

    def forget(self) -> None:
        """Forget the answers to this message: an edit of it changes none of them any more."""
        origin = self.incoming.effective_message
        self.given = None
        if origin is not None:
            self.services.questions.forget(self.chat.id, origin.message_id)

    async def _remove(self, ours: Ours) -> None:
        body = {"chat_id": self.chat.id, "message_id": ours.id}
        await self.send(Answer(method="deleteMessage", parameters=body, postponable=False))

    async def file(self, file_id: str, *, most: int) -> Outcome:
        """Get a file that was sent to us: Sent with its bytes, Rejected where there is none of
        `most` bytes at most.
        """
        way = Outgoing(self.services, self.chat.id, self.language, self.thread)
        return await way.file(file_id, most=most)

    async def _send(self, method: str, **parameters: Any) -> Outcome:  # noqa: ANN401 - any JSON value
        return await self.send(Answer(method=method, parameters=parameters))

    async def reply(
        self,
        message: Message,
        *,
        to_it: bool = False,
        below: BelowField | None = None,
        tables: bool | None = None,
    ) -> None:
        """Answer in the same chat and topic; `to_it` makes it a reply to what was written.

        What is shown `below` the field takes the place of the message's own buttons. It comes with
        `tables` or without, where that is not as the chat wants it.
        """
        wanted = self.chat.tables if tables is None else tables
        body, origin = to_api(message, tables=wanted), self.incoming.effective_message
        markup: Keyboard | BelowField | None = body.pop("reply_markup", None)
        if below is not None:
            markup = below
        if to_it and origin is not None:
            body["reply_parameters"] = {
                "message_id": origin.message_id,
                "allow_sending_without_reply": True,  # it may be deleted by now
            }
        where = {"chat_id": self.chat.id, "message_thread_id": self.thread}
        parameters = {**where, **body, "reply_markup": markup, **self._alone()}
        await self.send(_answer(send_method(body), message, parameters))

    def _alone(self) -> dict[str, Any]:
        """The parameters of an ephemeral answer: to a command that only its author sees.

        Empty otherwise. To nothing else: whoever's client has no ephemeral messages would be told
        nothing.
        """
        user, message = self.incoming.effective_user, self.incoming.message
        if user is None or message is None:
            return {}
        asked = message.api_kwargs.get("ephemeral_message_id")
        if asked is None:
            return {}
        return {
            EPHEMERAL: {"receiver_user_id": user.id},
            "reply_parameters": {"ephemeral_message_id": asked},
        }

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
        where = {"chat_id": self.chat.id, "message_id": origin.message_id}
        if self.on_picture:
            caption = {**where, **to_api(message, caption=True)}
            await self._change(Answer(method="editMessageCaption", parameters=caption))
        else:
            parameters = {**where, **to_api(message, tables=self.chat.tables)}
            await self._change(_answer("editMessageText", message, parameters))

    async def _change_buttons(self, message: int, markup: Mapping[str, Any]) -> None:
        body = {"chat_id": self.chat.id, "message_id": message, "reply_markup": markup}
        await self._change(Answer(method="editMessageReplyMarkup", parameters=body))

    async def _change(self, answer: Answer) -> None:
        """Change a message; a press is answered before a change that has to wait for its turn."""
        change = self.send(answer)
        if self.pressed_answered or self.incoming.callback_query is None:
            await change
            return
        waiting = asyncio.get_running_loop().call_later(self.services.signs.after, self._answer_now)
        try:
            await change
        finally:
            waiting.cancel()
            if self.answering is not None:  # what is on its way arrives
                await self.answering

    def _answer_now(self) -> None:
        self.answering = asyncio.create_task(self.answer())

    async def switch(self, button: Button, *data: str) -> None:
        """Put a button in the place of the one with such data, under the message pressed."""
        origin = self.incoming.effective_message
        if origin is None or origin.reply_markup is None:
            return
        rows = origin.reply_markup.to_dict()["inline_keyboard"]
        switched = False
        for row in rows:
            for index, one in enumerate(row):
                if one.get("callback_data") in data:
                    row[index] = {"text": button.text, "callback_data": button.data}
                    switched = True
        if switched:  # Telegram refuses an edit that changes nothing
            markup = {"inline_keyboard": rows}
            await self._change_buttons(origin.message_id, markup)

    async def put(self, buttons: Rows) -> None:
        """Put other buttons under the message pressed; its words stay."""
        origin = self.incoming.effective_message
        if origin is None:
            return
        markup = to_api(Message(text="", buttons=buttons))["reply_markup"]
        await self._change_buttons(origin.message_id, markup)

    async def take_buttons(self, data: str) -> None:
        """Take away all buttons of the message pressed, where the pressed one is really there."""
        origin = self.incoming.effective_message
        if origin is not None and self.has_button(data):
            empty: Keyboard = {"inline_keyboard": []}
            await self._change_buttons(origin.message_id, empty)

    async def answer(self, text: str = "", *, alert: bool = False) -> None:
        """Answer a button press; without words it just stops spinning.

        A press has one answer: what is said of it later comes as a message. Where we answered first
        because its change had to wait, the change is seen, and a word of thanks is left out.
        """
        query = self.incoming.callback_query
        if query is None:
            return
        if self.pressed_answered:
            if text and (alert or self.answering is None):
                await self.reply(Message(text=text))
            return
        self.pressed_answered = True
        outcome = await self._send(
            "answerCallbackQuery",
            callback_query_id=query.id,
            text=text[:200] or None,  # the Bot API takes no more
            show_alert=alert or None,
        )
        # Telegram takes no answer to what was pressed some while ago: the words come as a message.
        # So do those that nobody knows to have arrived.
        if text and not isinstance(outcome, Sent):
            await self.reply(Message(text=text))

    async def change_chat(self, **values: object) -> None:
        """Change a setting of this chat."""
        async with self.services.store.writing() as db:
            await storage.chats.change(db, self.chat.id, **values)
            changed = await storage.chats.get(db, self.chat.id)
        if changed is not None:
            self.services.chats[self.chat.id] = self.chat = changed


def _answer(method: str, message: Message, parameters: Mapping[str, Any]) -> Answer:
    """The answer that carries a message, with its words at hand where it goes as a table."""
    said = words(message) if "rich_message" in parameters else None
    return Answer(method=method, parameters=parameters, words=said)


Handler = Callable[[Update, Context], Coroutine[Any, Any, None]]
App = Application[ExtBot[None], Context, dict[Any, Any], dict[Any, Any], dict[Any, Any], None]
