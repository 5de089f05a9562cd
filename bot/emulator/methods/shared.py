"""The shared parts of all methods: the world, and how a call names a chat or a text."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from bot.emulator import text as texts
from bot.emulator.commands import Profile
from bot.emulator.errors import ApiError, Json, bad_request
from bot.emulator.files import Files
from bot.emulator.params import Params
from bot.emulator.people import Member
from bot.emulator.rich import checked_rich
from bot.emulator.updates import Updates
from bot.emulator.world import Chat, World

Result = Json | list[Json] | bool | int
Method = Callable[[Params], Result | Awaitable[Result]]


class Shared:
    """The world that the methods read and change."""

    def __init__(self, world: World, updates: Updates, files: Files, profile: Profile) -> None:
        self.world = world
        self.updates = updates
        self.files = files
        self.profile = profile

    def chat_id(self, params: Params) -> int:
        """The chat a call names by number or by @name."""
        value = params.values.get("chat_id")
        # a bool is an int to Python, and no chat to the server
        if type(value) is int:
            return value
        if value is None or value == "":
            raise bad_request("chat_id is empty")
        # forms know text only: a number may come as one
        name = str(value)
        if name.startswith("@"):
            if name[1:].lower() not in self.world.names:
                raise bad_request("chat not found")
            return self.world.names[name[1:].lower()]
        try:
            return int(name)
        except ValueError:
            raise bad_request("chat not found") from None

    def target(self, params: Params, *, media: str | None = None) -> Chat:
        """The chat a call writes to; refused where the bot may not send that."""
        thread_id = params.integer("message_thread_id")
        return self.world.writable_chat(self.chat_id(params), media=media, thread_id=thread_id)

    def text_of(self, params: Params, name: str, entities: str, *, limit: int) -> Json:
        """The text a call brings, with its entities; empty where it brings none."""
        if params.text("parse_mode"):
            raise bad_request(
                "can't parse entities: the emulator takes entities only, not parse_mode"
            )
        text, found = texts.clean(params.text(name), params.items(entities))
        if texts.utf16_length(text) > limit:
            if name == "text":
                raise bad_request("message is too long")
            raise bad_request("message caption is too long")
        if not text:
            return {}
        content: Json = {name: text}
        if found:  # the field is left out where there are none, as the server does
            content[entities] = found
        return content

    def rich_of(self, params: Params) -> Json:
        """The rich message a call brings."""
        given = params.structure("rich_message")
        if given is None:
            raise bad_request("rich message must be non-empty")
        return checked_rich(given)

    def caption_of(self, params: Params) -> Json:
        """The caption a call brings; empty where it brings none."""
        content = self.text_of(params, "caption", "caption_entities", limit=texts.CAPTION_LIMIT)
        if content and params.flag("show_caption_above_media"):
            content["show_caption_above_media"] = True
        return content

    def page_of(self, params: Params) -> Json:
        """A call's options for the page below its text; empty where it says nothing of it."""
        options = params.mapping("link_preview_options")
        if not options:
            return {}
        if not isinstance(options.get("url", ""), str):
            raise bad_request('can\'t parse LinkPreviewOptions: Field "url" must be of type String')
        return {"link_preview_options": options}

    def author(self, chat: Chat) -> Json:
        """The author of a message of the bot's: in a channel the channel itself."""
        if chat.is_channel:
            return {"sender_chat": chat.brief}
        return {"from": self.world.bot_json}

    def is_own(self, chat: Chat, message: Json) -> bool:
        """Whether the bot itself wrote a message."""
        if chat.is_channel:
            return (chat.id, message["message_id"]) not in self.world.foreign_posts
        return bool(message.get("from", {}).get("id") == self.world.bot.id)


def is_admin(member: Member, right: str) -> bool:
    """Whether an administrator has that right."""
    return member.status == "administrator" and member.can(right)


def check_visible(chat: Chat) -> None:
    """A bot sees nothing of a chat it is not in."""
    if chat.bot.status == "kicked":
        raise ApiError(403, f"Forbidden: bot was kicked from the {chat.word} chat")
    if chat.bot.status == "left":
        raise ApiError(403, f"Forbidden: bot is not a member of the {chat.word} chat")
