"""People's doings: write, press, ask. The bot's own standing changes in `happenings`.

A press and an inline query return what the bot answered; the rest returns at once, and what the bot
makes of it can be waited for with `wait_message` or `calls.wait`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from bot.emulator import text as texts
from bot.emulator.errors import Json, ScenarioError
from bot.emulator.faults import Fault
from bot.emulator.happenings import Happenings
from bot.emulator.markup import rights_in
from bot.emulator.people import PRESENT, Member, User
from bot.emulator.world import ANONYMOUS_ADMIN, Chat, as_told

_PROMOTES = "can_promote_members"
EDITABLE_SECONDS = 48 * 3600  # for so long clients let people edit what they wrote

__all__ = ["Chat", "Fault", "Scenario", "Tongue", "User"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dates:
    """The dates of a language: names of months and of weekdays from Monday on, and patterns of them
    in CLDR's letters (EEEE, MMMM, MMM, d, y, and quotation marks).

    `full` has the weekday, `long` the year, `day` the month, `short` an abbreviated one.
    """

    months: Sequence[str]
    short_months: Sequence[str]
    weekdays: Sequence[str]
    full: str
    long: str
    day: str
    short: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tongue:
    """A language that people of the page may choose: what it calls itself, and what the page says
    in it, by the page's own English; what is not there is said in English.

    Without `dates` they are written by the browser, and few browsers know all languages.
    """

    name: str
    words: Mapping[str, str] = field(default_factory=dict)
    dates: Dates | None = None


class Scenario(Happenings):
    """The hands that move the world: what people and chats do, and what there is to see."""

    # what people write

    async def send_text(
        self,
        chat_id: int,
        text: str,
        *,
        user_id: int | None = None,
        reply_to: int | None = None,
        thread_id: int | None = None,
        anonymous: bool = False,
        extra: Json | None = None,
    ) -> int:
        """Write to a chat as a person (default: its own, or its first member); the message's id.

        In a channel it is a post. With `anonymous` an administrator writes as the group. `extra`
        fields go into the message as they are. A group's command that the menu calls ephemeral is
        seen by the bot and its author alone.
        """
        kept, entities = texts.clean(text, None)
        content: Json = {"text": kept}
        if entities:
            content["entities"] = entities
        content |= extra or {}
        if not anonymous:
            content |= self._ephemeral(chat_id, kept, user_id)
        return self._say(
            chat_id, content, user_id, reply_to=reply_to, thread_id=thread_id, anonymous=anonymous
        )

    def _ephemeral(self, chat_id: int, text: str, user_id: int | None) -> Json:
        """The fields that make a command ephemeral, where it is one that is sent so; else none."""
        chat = self.world.chat(chat_id)
        if chat.type not in {"group", "supergroup"} or not text.startswith("/"):
            return {}
        name = text.split(maxsplit=1)[0][1:].partition("@")[0]
        for line in self.profile.menu(chat, self._person(chat, user_id)):
            if line["command"] == name and line.get("is_ephemeral"):
                number = next(chat.ephemerals)
                return {"ephemeral_message_id": number, "receiver_user": self.bot.json()}
        return {}

    async def share_location(
        self, chat_id: int, latitude: float, longitude: float, *, user_id: int | None = None
    ) -> int:
        """Share a place; returns the message id."""
        return self._say(
            chat_id, {"location": {"latitude": latitude, "longitude": longitude}}, user_id
        )

    async def share_chat(self, user_id: int, chat_id: int) -> int:
        """Tap the key that asks for a chat, and choose one; the number of the service message.

        As clients do: only chats that fit are offered, and the bot gets the rights it asked for
        where the person may give them. ScenarioError for a chat that is not in the list.
        """
        private, chat = self.world.chat(user_id), self.world.chat(chat_id)
        asked = self._chat_request(private)
        member = chat.members.get(user_id, Member(status="left"))
        if chat.is_channel is not bool(asked.get("chat_is_channel")):
            raise ScenarioError(f"chat {chat_id} is of another kind than asked for")
        if not self._has(member, rights_in(asked, "user")):
            raise ScenarioError(f"{user_id} lacks rights in chat {chat_id}: it is not offered")
        wanted = rights_in(asked, "bot")
        if wanted and not self._has(chat.bot, wanted) and self._has(member, {_PROMOTES}):
            rights = chat.bot.rights if chat.bot.status == "administrator" else {}
            self.set_bot_status(
                chat_id, "administrator", by=user_id, rights=rights | dict.fromkeys(wanted, True)
            )
        shared: Json = {"request_id": asked["request_id"], "chat_id": chat_id}
        if asked.get("request_title") and chat.title:
            shared["title"] = chat.title
        if private.keyboard is not None and private.keyboard.get("one_time_keyboard"):
            private.keyboard = private.keyboard | {"used": True}  # it folds, on every page
        return self._say(user_id, {"chat_shared": shared}, user_id)

    def _chat_request(self, private: Chat) -> Json:
        """The request of the first key that asks for a chat."""
        for row in (private.keyboard or {}).get("keyboard", ()):
            for key in row:
                if key.get("request_chat"):
                    return dict(key["request_chat"])
        raise ScenarioError(f"no key of chat {private.id} asks for a chat")

    @staticmethod
    def _has(member: Member, rights: Collection[str]) -> bool:
        """Whether an administrator has all these rights."""
        runs = member.status in {"creator", "administrator"}
        return runs and all(member.can(right) for right in rights)

    async def send_document(
        self,
        chat_id: int,
        name: str,
        content: bytes,
        *,
        content_type: str = "application/octet-stream",
        user_id: int | None = None,
    ) -> int:
        """Send a file; returns the message id."""
        document = self.files.sent(name, content, content_type)
        return self._say(chat_id, {"document": document}, user_id)

    async def edit_text(self, chat_id: int, message_id: int, text: str) -> None:
        """Change the words of an earlier message of a person, or a channel post.

        As clients do: nobody edits the bot's words, what says something else than text, or what is
        older than two days; an edit that changes nothing is told to nobody.
        """
        chat = self.world.chat(chat_id)
        written = self._message(chat, message_id)
        if "text" not in written or written.get("from", {}).get("id") == self.bot.id:
            raise ScenarioError(f"nobody can edit the words of message {message_id}")
        if self.world.now() - written["date"] > EDITABLE_SECONDS:
            raise ScenarioError(f"message {message_id} is too old to be edited")
        kept, entities = texts.clean(text, None)
        changes: Json = {"text": kept, "entities": entities or None}
        if all(written.get(name) == value for name, value in changes.items()):
            return
        message = self.world.change_message(chat, written, changes)
        # a bot hears of it only when it asked for edits; ours asks, and has to let them pass
        kind = "edited_message"
        if chat.is_channel:
            kind = "edited_channel_post"
        if self._hears(chat, message):
            self.updates.push(kind, message)

    def _say(
        self,
        chat_id: int,
        content: Json,
        user_id: int | None,
        *,
        reply_to: int | None = None,
        thread_id: int | None = None,
        anonymous: bool = False,
    ) -> int:
        chat = self.world.chat(chat_id)
        if chat.type == "private":
            self._reopen(chat)
        message = self._author(chat, user_id, anonymous=anonymous)
        if thread_id is not None:
            message |= {"message_thread_id": thread_id, "is_topic_message": True}
        if reply_to is not None:
            message["reply_to_message"] = self._message(chat, reply_to)
        message = self.world.add_message(chat, message | content)
        message_id = int(message["message_id"])
        kind = "message"
        if chat.is_channel:
            kind = "channel_post"
            # all posts are from the channel: whose they are cannot be seen on the message
            self.world.foreign_posts.add((chat.id, message_id))
        if self._hears(chat, message):
            self.updates.push(kind, as_told(message))
        return message_id

    def _author(self, chat: Chat, user_id: int | None, *, anonymous: bool) -> Json:
        if chat.is_channel:
            return {"sender_chat": chat.brief}
        if anonymous:
            group = User(
                id=ANONYMOUS_ADMIN, first_name="Group", username="GroupAnonymousBot", is_bot=True
            )
            return {"from": group.json(), "sender_chat": chat.brief}
        return {"from": self._person(chat, user_id).json()}

    def _hears(self, chat: Chat, message: Json) -> bool:
        """Whether the bot gets this message as an update."""
        # administrators hear everything, whatever their privacy mode
        if chat.type == "private" or chat.bot.status == "administrator":
            return True
        if chat.is_channel or chat.bot.status not in PRESENT:
            return False
        answered = message.get("reply_to_message", {}).get("from", {})
        if not self.privacy or answered.get("id") == self.bot.id:
            return True
        # https://core.telegram.org/bots/features#privacy-mode
        text, own = str(message.get("text", "")), f"@{self.bot.username}".lower()
        commands = texts.commands_in(text, message.get("entities", ()))
        return own in text.lower() or any("@" not in command for command in commands)

    def _reopen(self, chat: Chat) -> None:
        """Start and unblock the bot, as whoever writes to it does: clients insist on that."""
        chat.started = True
        if chat.blocked:
            self._set_blocked(chat, blocked=False)

    def _message(self, chat: Chat, message_id: int) -> Json:
        try:
            return chat.messages[message_id]
        except KeyError:
            raise ScenarioError(f"there is no message {message_id} in chat {chat.id}") from None

    # what people press and ask

    async def press(
        self,
        chat_id: int,
        message_id: int,
        data: str,
        *,
        user_id: int | None = None,
        timeout: float = 10.0,  # noqa: ASYNC109 - whoever waits says how long
    ) -> Json:
        """Press an inline button; returns the bot's answer: text, show_alert, url.

        Any data goes, as from a changed client; under a message that is gone the bot sees an
        inaccessible one. Raises TimeoutError.
        """
        chat = self.world.chat(chat_id)
        gone: Json = {"chat": chat.brief, "message_id": message_id, "date": 0}
        query: Json = {
            "from": self._person(chat, user_id).json(),
            "message": as_told(chat.messages.get(message_id, gone)),
            "chat_instance": str(chat.id * 7919),  # some number that is the same for the chat
            "data": data,
        }
        return await self._ask("callback_query", query, seconds=timeout)

    async def inline_query(
        self,
        user_id: int,
        query: str,
        *,
        offset: str = "",
        chat_type: str = "sender",
        timeout: float = 10.0,  # noqa: ASYNC109 - whoever waits says how long
    ) -> Json:
        """Type "@bot query"; the bot's answer: results, next_offset, button, or TimeoutError."""
        question: Json = {
            "from": self.world.user(user_id).json(),
            "query": query,
            "offset": offset,
            "chat_type": chat_type,
        }
        return await self._ask("inline_query", question, seconds=timeout)

    async def choose_result(self, chat_id: int, user_id: int, query: str, result: Json) -> int:
        """Post an inline result to a chat, via the bot; returns the message id."""
        chat, user = self.world.chat(chat_id), self.world.user(user_id).json()
        content = result.get("input_message_content", {})
        kept, entities = texts.clean(
            str(content.get("message_text", result.get("title", ""))), content.get("entities")
        )
        message: Json = {"from": user, "via_bot": self.world.bot_json, "text": kept}
        if entities:
            message["entities"] = entities
        if result.get("reply_markup"):
            message["reply_markup"] = result["reply_markup"]
        posted = self.world.add_message(chat, message)
        # Telegram tells it where @BotFather was asked for feedback; here it always does
        chosen = {"result_id": str(result.get("id", "")), "from": user, "query": query}
        self.updates.push("chosen_inline_result", chosen)
        return int(posted["message_id"])

    async def _ask(self, kind: str, question: Json, *, seconds: float) -> Json:
        # The question first: the answer to an unknown one is refused as too old.
        query_id, answer = self.api.answers.ask()
        self.updates.push(kind, {"id": query_id, **question})
        try:
            async with asyncio.timeout(seconds):
                return await answer
        finally:
            self.api.answers.questions.pop(query_id, None)

    # what there is to see

    def messages(self, chat_id: int) -> list[Json]:
        """The messages of a chat as the API shows them, newest last."""
        return list(self.world.chat(chat_id).messages.values())

    def silent(self, chat_id: int, message_id: int) -> bool:
        """Whether a message came without a sound."""
        return (chat_id, message_id) in self.world.silent

    async def wait_message(
        self,
        chat_id: int,
        predicate: Callable[[Json], bool] = bool,
        *,
        timeout: float = 10.0,  # noqa: ASYNC109 - whoever waits says how long
        after: int = 0,
    ) -> Json:
        """The first message of a chat, with an id above `after`, that fits, perhaps after an edit.

        It is waited for; raises TimeoutError.
        """
        async with asyncio.timeout(timeout):
            while True:
                messages: Iterable[Json] = ()
                chat = self.world.chats.get(chat_id)
                if chat is not None:  # the bot may open it by writing first
                    messages = chat.messages.values()
                for message in messages:
                    if message["message_id"] > after and predicate(message):
                        return message
                await self.world.changed(chat_id)
