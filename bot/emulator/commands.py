"""A bot's words about itself: command menus, its name and its descriptions, the menu button.

Menus are set per scope and language; a client shows the first that exists, the narrowest scope
first, within a scope the user's language before none.
https://core.telegram.org/bots/api#determining-list-of-commands
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from bot.emulator.errors import Json, bad_request
from bot.emulator.people import User
from bot.emulator.world import Chat

_NAME = re.compile(r"[a-z0-9_]{1,32}")
_COMMANDS = 100  # in one menu; this and the lengths below are the Bot API's
_CHAT_SCOPES = frozenset({"chat", "chat_administrators", "chat_member"})
_SCOPES = _CHAT_SCOPES | {
    "default",
    "all_private_chats",
    "all_group_chats",
    "all_chat_administrators",
}
_TEXT_LIMITS = {"name": 64, "description": 512, "short_description": 120}

ScopeKey = tuple[str, int, int]


def scope_key(scope: Json) -> ScopeKey:
    """A scope as a key: type, chat, member; refuses scopes the server does not know."""
    kind = scope.get("type", "default")
    if kind not in _SCOPES:
        raise bad_request("unsupported type specified")
    chat_id = user_id = 0  # where a scope is of neither, what was said of them is not read
    if kind in _CHAT_SCOPES:
        chat_id = int(scope.get("chat_id", 0))
        if not chat_id:
            raise bad_request("chat_id is empty")
    if kind == "chat_member":
        user_id = int(scope.get("user_id", 0))
    return kind, chat_id, user_id


def checked_commands(commands: list[Json]) -> list[Json]:
    """The commands of a menu; refuses what the server refuses."""
    if len(commands) > _COMMANDS:
        raise bad_request("BOT_COMMANDS_TOO_MUCH")
    checked: list[Json] = []
    for command in commands:
        name = str(command.get("command", "")).removeprefix("/")
        description = str(command.get("description", ""))
        if not _NAME.fullmatch(name):
            raise bad_request("BOT_COMMAND_INVALID")
        if not 1 <= len(description) <= 256:
            raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
        line: Json = {"command": name, "description": description}
        if command.get("is_ephemeral"):
            line["is_ephemeral"] = True
        checked.append(line)
    return checked


@dataclass(slots=True)
class Profile:
    """Menus by (scope, language), texts by (field, language), menu buttons by chat (0: all)."""

    menus: dict[tuple[ScopeKey, str], list[Json]] = field(default_factory=dict)
    texts: dict[tuple[str, str], str] = field(default_factory=dict)
    buttons: dict[int, Json] = field(default_factory=dict)

    def set_text(self, name: str, language: str, text: str) -> None:
        """Set or, with an empty text, remove a name or description."""
        if len(text) > _TEXT_LIMITS[name]:
            raise bad_request(f"bot {name.replace('_', ' ')} is too long")
        if text:
            self.texts[name, language] = text
        else:
            self.texts.pop((name, language), None)

    def text(self, name: str, language: str) -> str:
        """The text in this language, else the one for all languages."""
        return self.texts.get((name, language)) or self.texts.get((name, ""), "")

    def menu(self, chat: Chat, user: User) -> list[Json]:
        """The commands a client shows this person in this chat."""
        # the order of the Bot API's documentation, see above
        scopes: list[ScopeKey] = [("chat", chat.id, 0)]
        language, member = user.language_code or "", chat.members.get(user.id)
        if chat.type == "private":
            scopes.append(("all_private_chats", 0, 0))
        else:
            scopes.insert(0, ("chat_member", chat.id, user.id))
            if member is not None and member.status in {"creator", "administrator"}:
                scopes.insert(1, ("chat_administrators", chat.id, 0))
                scopes.append(("all_chat_administrators", 0, 0))
            scopes.append(("all_group_chats", 0, 0))
        for scope in (*scopes, ("default", 0, 0)):
            for tongue in (language, ""):
                commands = self.menus.get((scope, tongue))
                if commands:
                    return commands
        return []
