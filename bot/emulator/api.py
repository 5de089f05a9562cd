"""The methods of the Bot API, by name.

Each method reads its parameters, checks them in the order the server does, changes the world and
returns what goes under `result`. Shapes and limits: Bot API 10.3.
"""

from __future__ import annotations

import asyncio
import itertools
import re
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from bot.emulator import text as texts
from bot.emulator.commands import Profile, checked_commands, scope_key
from bot.emulator.errors import ApiError, Json, bad_request
from bot.emulator.files import Files
from bot.emulator.markup import checked_markup
from bot.emulator.params import Params
from bot.emulator.updates import Updates, Webhook
from bot.emulator.world import (
    PRESENT,
    Chat,
    Member,
    User,
    World,
    administrators,
    member_json,
    permissions_json,
)

_ACTIONS = frozenset(
    (
        "typing",
        "upload_photo",
        "record_video",
        "upload_video",
        "record_voice",
        "upload_voice",
        "upload_document",
        "choose_sticker",
        "find_location",
        "record_video_note",
        "upload_video_note",
    )
)
_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")
_NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same "
    "as a current content and reply markup of the message"
)
_TOO_OLD = "query is too old and response timeout expired or query ID is invalid"
_INLINE_RESULTS = 50

Result = Json | list[Json] | bool | int
Method = Callable[[Params], Result | Awaitable[Result]]


class BotApi:
    """All methods over one world; `questions` are callback and inline queries not answered yet."""

    def __init__(self, world: World, updates: Updates, files: Files, profile: Profile) -> None:
        self.world = world
        self.updates = updates
        self.files = files
        self.profile = profile
        self.questions: dict[str, asyncio.Future[Json]] = {}
        # fields of getMe that an older or a newer server does not send
        self.unsaid: frozenset[str] = frozenset()
        self._ids = itertools.count(4_000_000_000_000_001)
        self._methods: dict[str, Method] = {
            method.__name__.replace("_", ""): method
            for method in (
                self.get_me,
                self.log_out,
                self.close,
                self.get_updates,
                self.set_webhook,
                self.delete_webhook,
                self.get_webhook_info,
                self.send_message,
                self.send_photo,
                self.send_document,
                self.edit_message_text,
                self.edit_message_caption,
                self.edit_message_media,
                self.edit_message_reply_markup,
                self.delete_message,
                self.delete_messages,
                self.pin_chat_message,
                self.unpin_chat_message,
                self.unpin_all_chat_messages,
                self.send_chat_action,
                self.answer_callback_query,
                self.answer_inline_query,
                self.set_my_commands,
                self.get_my_commands,
                self.delete_my_commands,
                self.set_my_name,
                self.get_my_name,
                self.set_my_description,
                self.get_my_description,
                self.set_my_short_description,
                self.get_my_short_description,
                self.set_chat_menu_button,
                self.get_chat_menu_button,
                self.get_chat,
                self.get_chat_member,
                self.get_chat_member_count,
                self.get_chat_administrators,
                self.leave_chat,
                self.get_file,
            )
        }

    def method(self, name: str) -> Method:
        """The method of this name in any case; 404 for what is not there."""
        try:
            return self._methods[name.lower()]
        except KeyError:
            raise ApiError(404, "Not Found: method not found") from None

    def ask(self) -> tuple[str, asyncio.Future[Json]]:
        """A new query id and the future its answer will be in."""
        query_id = str(next(self._ids))
        answer: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
        self.questions[query_id] = answer
        return query_id, answer

    def chat_id(self, params: Params) -> int:
        """The chat a call names by number or by @name."""
        value = params.values.get("chat_id")
        if type(value) is int:
            return value
        if value is None or value == "":
            raise bad_request("chat_id is empty")
        name = str(value)
        if name.startswith("@"):
            if name[1:].lower() not in self.world.names:
                raise bad_request("chat not found")
            return self.world.names[name[1:].lower()]
        try:
            return int(name)
        except ValueError:
            raise bad_request("chat not found") from None

    # the bot and its updates

    def get_me(self, _: Params) -> Json:
        """The bot itself."""
        abilities = {
            "can_join_groups": True,
            "can_read_all_group_messages": False,
            "supports_guest_queries": False,
            "supports_inline_queries": True,
            "can_connect_to_business": False,
            "has_main_web_app": False,
            "has_topics_enabled": False,
            "allows_users_to_create_topics": False,
            "can_manage_bots": False,
            "supports_join_request_queries": False,
        }
        return {
            name: value
            for name, value in (self.world.bot_json | abilities).items()
            if name not in self.unsaid
        }

    def log_out(self, _: Params) -> bool:
        """There is no other server to move to."""
        return True

    def close(self, _: Params) -> bool:
        """Likewise."""
        return True

    async def get_updates(self, params: Params) -> list[Json]:
        """Long polling."""
        allowed = params.structure("allowed_updates")
        return await self.updates.get(
            offset=params.count("offset", 0),
            limit=min(max(params.count("limit", 100), 1), 100),
            wait=min(max(params.count("timeout", 0), 0), 50),
            allowed=[str(kind) for kind in allowed] if isinstance(allowed, list) else None,
        )

    async def set_webhook(self, params: Params) -> bool:
        """Push updates to an address; unlike the real server, plain http is taken, for loopback."""
        url, secret = params.text("url"), params.text("secret_token")
        if secret and not _SECRET.fullmatch(secret):
            raise bad_request("secret token contains unallowed characters")
        if url and (urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).hostname):
            raise bad_request("bad webhook: invalid URL specified")
        hook = Webhook(
            url=url, secret=secret or None, max_connections=params.count("max_connections", 40)
        )
        allowed = params.structure("allowed_updates")
        await self.updates.set_webhook(
            hook if url else None,
            allowed=[str(kind) for kind in allowed] if isinstance(allowed, list) else None,
            drop_pending=params.flag("drop_pending_updates"),
        )
        return True

    async def delete_webhook(self, params: Params) -> bool:
        """Back to polling."""
        await self.updates.set_webhook(
            None, allowed=None, drop_pending=params.flag("drop_pending_updates")
        )
        return True

    def get_webhook_info(self, _: Params) -> Json:
        """Where updates go, and the last thing that went wrong there."""
        return self.updates.info()

    # sending

    def send_message(self, params: Params) -> Json:
        """A text with entities."""
        chat = self._target(params)
        content = self._text(params, "text", "entities", limit=texts.TEXT_LIMIT)
        if not content:
            raise bad_request("message text is empty")
        if "link_preview_options" in params.values:
            content["link_preview_options"] = params.mapping("link_preview_options")
        return self._send(chat, params, content)

    def send_photo(self, params: Params) -> Json:
        """An uploaded picture, or one sent before."""
        chat = self._target(params, media="photos")
        content = self._caption(params)
        return self._send(
            chat, params, {"photo": self.files.photo(params.file("photo")), **content}
        )

    def send_document(self, params: Params) -> Json:
        """An uploaded file, or one sent before."""
        chat = self._target(params, media="documents")
        content = self._caption(params)
        return self._send(
            chat, params, {"document": self.files.document(params.file("document")), **content}
        )

    def _target(self, params: Params, *, media: str | None = None) -> Chat:
        thread_id = params.integer("message_thread_id")
        return self.world.writable_chat(self.chat_id(params), media=media, thread_id=thread_id)

    def _text(self, params: Params, name: str, entities: str, *, limit: int) -> Json:
        if params.text("parse_mode"):
            raise bad_request(
                "can't parse entities: the emulator takes entities only, not parse_mode"
            )
        text, found = texts.clean(params.text(name), params.items(entities))
        if texts.utf16_length(text) > limit:
            raise bad_request(
                "message is too long" if name == "text" else "message caption is too long"
            )
        if not text:
            return {}
        return {name: text, entities: found} if found else {name: text}

    def _caption(self, params: Params) -> Json:
        content = self._text(params, "caption", "caption_entities", limit=texts.CAPTION_LIMIT)
        if content and params.flag("show_caption_above_media"):
            content["show_caption_above_media"] = True
        return content

    def _send(self, chat: Chat, params: Params, content: Json) -> Json:
        message: Json = (
            {"from": self.world.bot_json} if not chat.is_channel else {"sender_chat": chat.brief}
        )
        message |= self._context(chat, params)
        message |= content
        if params.flag("protect_content"):
            message["has_protected_content"] = True
        keyboard = checked_markup(params.structure("reply_markup"), inline_only=chat.is_channel)
        if keyboard is not None and "inline_keyboard" in keyboard:
            message["reply_markup"] = keyboard
        if keyboard is not None and "inline_keyboard" not in keyboard:
            chat.keyboard = keyboard
            self.world.tell({"kind": "keyboard", "chat_id": str(chat.id), "keyboard": keyboard})
        return self.world.add_message(chat, message, silent=params.flag("disable_notification"))

    def _context(self, chat: Chat, params: Params) -> Json:
        """What a message answers, and in which topic."""
        context: Json = {}
        thread_id = params.integer("message_thread_id")
        if thread_id is not None:
            context |= {"message_thread_id": thread_id, "is_topic_message": True}
        reply = params.mapping("reply_parameters")
        if reply:
            answered = chat.messages.get(int(reply.get("message_id", 0)))
            if answered is not None:
                context["reply_to_message"] = {
                    k: v for k, v in answered.items() if k != "reply_to_message"
                }
            elif not reply.get("allow_sending_without_reply"):
                raise bad_request("message to be replied not found")
        return context

    # changing

    def edit_message_text(self, params: Params) -> Json:
        """New text for a text message; without reply_markup its buttons go."""
        chat, message = self._own(params)
        content = self._text(params, "text", "entities", limit=texts.TEXT_LIMIT)
        if not content:
            raise bad_request("message text is empty")
        if "text" not in message:
            raise bad_request("there is no text in the message to edit")
        return self._edit(chat, message, params, {"text": None, "entities": None, **content})

    def edit_message_caption(self, params: Params) -> Json:
        """New caption for a photo or a document."""
        chat, message = self._own(params)
        if "text" in message:
            raise bad_request("there is no caption in the message to edit")
        return self._edit(
            chat,
            message,
            params,
            {"caption": None, "caption_entities": None, **self._caption(params)},
        )

    def edit_message_media(self, params: Params) -> Json:
        """Another photo or document in place of the old one, with its own caption."""
        chat, message = self._own(params)
        media = params.mapping("media")
        source = params.files.get("media") or params.attached(str(media.get("media", "")))
        inner = self._caption(Params(media))
        content: Json = dict.fromkeys(
            ("text", "entities", "photo", "document", "caption", "caption_entities")
        )
        if media.get("type") == "photo":
            content["photo"] = self.files.photo(source)
        elif media.get("type") == "document":
            content["document"] = self.files.document(source)
        else:
            raise bad_request("can't parse InputMedia: media type is not supported")
        return self._edit(chat, message, params, content | inner)

    def edit_message_reply_markup(self, params: Params) -> Json:
        """New buttons, or none."""
        chat, message = self._own(params)
        return self._edit(chat, message, params, {}, mark=False)

    def _own(self, params: Params) -> tuple[Chat, Json]:
        """The bot's own message a call wants to change."""
        if params.text("inline_message_id"):
            raise bad_request("MESSAGE_ID_INVALID")
        chat = self.world.writable_chat(self.chat_id(params))
        message = chat.messages.get(params.count("message_id", 0))
        if message is None:
            raise bad_request("message to edit not found")
        if not self._is_own(chat, message):
            raise bad_request("message can't be edited")
        return chat, message

    def _is_own(self, chat: Chat, message: Json) -> bool:
        if chat.is_channel:
            return (chat.id, message["message_id"]) not in self.world.foreign_posts
        return bool(message.get("from", {}).get("id") == self.world.bot.id)

    def _edit(
        self, chat: Chat, message: Json, params: Params, content: Json, *, mark: bool = True
    ) -> Json:
        markup = checked_markup(params.structure("reply_markup"), inline_only=True)
        changes = {**content, "reply_markup": markup}
        if all(message.get(name) == value for name, value in changes.items()):
            raise bad_request(_NOT_MODIFIED)
        return self.world.change_message(chat, message, changes, mark=mark)

    def delete_message(self, params: Params) -> bool:
        """Own messages anywhere, anybody's in private or with the right to."""
        chat = self.world.known_chat(self.chat_id(params))
        message = chat.messages.get(params.count("message_id", 0))
        if message is None:
            raise bad_request("message to delete not found")
        allowed = (
            chat.type == "private"
            or self._is_own(chat, message)
            or _is_admin(chat.bot, "can_delete_messages")
        )
        if not allowed:
            raise bad_request("message can't be deleted")
        self.world.delete_message(chat, message["message_id"])
        return True

    def delete_messages(self, params: Params) -> bool:
        """Several at once; those that cannot be found are skipped."""
        chat = self.world.known_chat(self.chat_id(params))
        wanted = params.structure("message_ids")
        for message_id in wanted if isinstance(wanted, list) else []:
            if message_id in chat.messages:
                self.world.delete_message(chat, int(message_id))
        return True

    def pin_chat_message(self, params: Params) -> bool:
        """Pin on top of the others; the chat gets a service message about it."""
        chat = self._pinnable(params)
        message = chat.messages.get(params.count("message_id", 0))
        if message is None:
            raise bad_request("message to pin not found")
        if message["message_id"] in chat.pinned:
            chat.pinned.remove(message["message_id"])
        chat.pinned.append(message["message_id"])
        author: Json = (
            {"sender_chat": chat.brief} if chat.is_channel else {"from": self.world.bot_json}
        )
        service = self.world.add_message(chat, author | {"pinned_message": message})
        self._tell_pinned(chat)
        if chat.type != "private":
            self.updates.push("channel_post" if chat.is_channel else "message", service)
        return True

    def unpin_chat_message(self, params: Params) -> bool:
        """Unpin one, or the latest."""
        chat = self._pinnable(params)
        message_id = params.integer("message_id", chat.pinned[-1] if chat.pinned else None)
        if message_id not in chat.pinned:
            raise bad_request("message to unpin not found")
        chat.pinned.remove(message_id)
        self._tell_pinned(chat)
        return True

    def unpin_all_chat_messages(self, params: Params) -> bool:
        """Unpin all."""
        chat = self._pinnable(params)
        chat.pinned.clear()
        self._tell_pinned(chat)
        return True

    def _pinnable(self, params: Params) -> Chat:
        chat = self.world.writable_chat(self.chat_id(params))
        if chat.is_channel and not _is_admin(chat.bot, "can_edit_messages"):
            raise bad_request("need administrator rights in the channel chat")
        if chat.type in {"group", "supergroup"} and not _is_admin(chat.bot, "can_pin_messages"):
            raise bad_request("not enough rights to manage pinned messages in the chat")
        return chat

    def _tell_pinned(self, chat: Chat) -> None:
        pinned = chat.messages.get(chat.pinned[-1]) if chat.pinned else None
        self.world.tell({"kind": "pinned", "chat_id": str(chat.id), "message": pinned})

    # answering

    def send_chat_action(self, params: Params) -> bool:
        """ "typing..." for five seconds."""
        chat = self._target(params)
        action = params.text("action")
        if action not in _ACTIONS:
            raise bad_request("wrong parameter action in request")
        self.world.tell({"kind": "action", "chat_id": str(chat.id), "action": action})
        return True

    def answer_callback_query(self, params: Params) -> bool:
        """End the progress bar on a pressed button, perhaps with a word."""
        text = params.text("text")
        if len(text) > 200:
            raise bad_request("MESSAGE_TOO_LONG")
        answer = {"text": text, "show_alert": params.flag("show_alert"), "url": params.text("url")}
        return self._answer(params.text("callback_query_id"), answer)

    def answer_inline_query(self, params: Params) -> bool:
        """Up to 50 results, each with its own id."""
        results = params.items("results")
        ids = [str(result.get("id", "")) for result in results]
        if len(results) > _INLINE_RESULTS:
            raise bad_request("RESULTS_TOO_MUCH")
        if len(set(ids)) != len(ids):
            raise bad_request("RESULT_ID_DUPLICATE")
        if not all(1 <= len(result_id.encode()) <= 64 for result_id in ids):
            raise bad_request("RESULT_ID_INVALID")
        answer: Json = {"results": results, "next_offset": params.text("next_offset")}
        if params.mapping("button"):
            answer["button"] = params.mapping("button")
        return self._answer(params.text("inline_query_id"), answer)

    def _answer(self, query_id: str, answer: Json) -> bool:
        question = self.questions.pop(query_id, None)
        if question is None or question.done():
            raise bad_request(_TOO_OLD)
        question.set_result(answer)
        return True

    # menus and texts about the bot

    def set_my_commands(self, params: Params) -> bool:
        """The command menu of a scope and a language."""
        key = self._menu(params)
        self.profile.menus[key] = checked_commands(params.items("commands"))
        self.world.tell({"kind": "commands"})
        return True

    def get_my_commands(self, params: Params) -> list[Json]:
        """Exactly what was set for this scope and language."""
        return self.profile.menus.get(self._menu(params), [])

    def delete_my_commands(self, params: Params) -> bool:
        """Fall back to a wider scope."""
        self.profile.menus.pop(self._menu(params), None)
        self.world.tell({"kind": "commands"})
        return True

    def _menu(self, params: Params) -> tuple[tuple[str, int, int], str]:
        scope = params.mapping("scope")
        if "chat_id" in scope:
            scope = scope | {"chat_id": self.world.known_chat(self.chat_id(Params(scope))).id}
        return scope_key(scope), params.text("language_code")

    def set_my_name(self, params: Params) -> bool:
        """The bot's name in a language."""
        return self._set_text(params, "name")

    def get_my_name(self, params: Params) -> Json:
        """The name, which nobody may be without."""
        return {
            "name": self.profile.text("name", params.text("language_code"))
            or self.world.bot.first_name
        }

    def set_my_description(self, params: Params) -> bool:
        """What an empty chat shows."""
        return self._set_text(params, "description")

    def get_my_description(self, params: Params) -> Json:
        """What an empty chat shows."""
        return {"description": self.profile.text("description", params.text("language_code"))}

    def set_my_short_description(self, params: Params) -> bool:
        """What the bot's profile shows."""
        return self._set_text(params, "short_description")

    def get_my_short_description(self, params: Params) -> Json:
        """What the bot's profile shows."""
        return {
            "short_description": self.profile.text(
                "short_description", params.text("language_code")
            )
        }

    def _set_text(self, params: Params, name: str) -> bool:
        self.profile.set_text(name, params.text("language_code"), params.text(name))
        self.world.tell({"kind": "profile"})
        return True

    def set_chat_menu_button(self, params: Params) -> bool:
        """What the button beside the input does."""
        button = params.mapping("menu_button") or {"type": "default"}
        if button.get("type") not in {"commands", "web_app", "default"}:
            raise bad_request("unsupported type specified")
        self.profile.buttons[params.count("chat_id", 0)] = button
        return True

    def get_chat_menu_button(self, params: Params) -> Json:
        """What the button beside the input does."""
        common = self.profile.buttons.get(0, {"type": "commands"})
        return self.profile.buttons.get(params.count("chat_id", 0), common)

    # chats

    def get_chat(self, params: Params) -> Json:
        """ChatFullInfo."""
        chat = self.world.known_chat(self.chat_id(params))
        _check_visible(chat)
        gifts = (
            "unlimited_gifts",
            "limited_gifts",
            "unique_gifts",
            "premium_subscription",
            "gifts_from_channels",
        )
        info = chat.brief | {
            "accent_color_id": chat.id % 7,
            "max_reaction_count": 11,
            "accepted_gift_types": dict.fromkeys(gifts, False),
        }
        if chat.username:
            info["active_usernames"] = [chat.username]
        if chat.type in {"group", "supergroup"}:
            info["permissions"] = permissions_json()
        if chat.pinned and chat.pinned[-1] in chat.messages:
            info["pinned_message"] = chat.messages[chat.pinned[-1]]
        return info

    def get_chat_member(self, params: Params) -> Json:
        """Somebody's place in a chat; a stranger has left."""
        chat = self.world.known_chat(self.chat_id(params))
        _check_visible(chat)
        user_id = params.count("user_id", 0)
        user = self.world.users.get(user_id)
        if user is None:
            raise bad_request("invalid user_id specified")
        if user_id == self.world.bot.id:
            return member_json(user, chat.bot, chat.type)
        known = Member(status="member") if chat.id == user_id else Member(status="left")
        return member_json(user, chat.members.get(user_id, known), chat.type)

    def get_chat_member_count(self, params: Params) -> int:
        """How many are in the chat, the bot included."""
        chat = self.world.known_chat(self.chat_id(params))
        _check_visible(chat)
        return 1 + (
            1 if chat.user else sum(member.status in PRESENT for member in chat.members.values())
        )

    def get_chat_administrators(self, params: Params) -> list[Json]:
        """Who runs the chat; other bots would be left out."""
        chat = self.world.known_chat(self.chat_id(params))
        _check_visible(chat)
        if chat.type == "private":
            raise bad_request("there are no administrators in the private chat")
        return [
            member_json(user, member, chat.type)
            for user, member in administrators(self.world, chat)
        ]

    def leave_chat(self, params: Params) -> bool:
        """Go away; the bot is told so itself."""
        chat = self.world.known_chat(self.chat_id(params))
        _check_visible(chat)
        if chat.type == "private":
            raise bad_request("chat not found")
        self.change_bot_status(chat, Member(status="left"), by=self.world.bot_json)
        return True

    def change_bot_status(self, chat: Chat, new: Member, *, by: Json) -> None:
        """Give the bot another place in a chat; it gets a my_chat_member update."""
        old, chat.bot = chat.bot, new
        self.push_my_chat_member(chat, old, new, by=by)
        self.world.tell({"kind": "chat", "chat_id": str(chat.id)})

    def push_my_chat_member(self, chat: Chat, old: Member, new: Member, *, by: Json) -> None:
        """Tell the bot that its place in a chat has changed."""
        self.updates.push(
            "my_chat_member", self.membership_change(chat, self.world.bot, old, new, by=by)
        )

    def membership_change(
        self, chat: Chat, user: User, old: Member, new: Member, *, by: Json
    ) -> Json:
        """ChatMemberUpdated."""
        return {
            "chat": chat.brief,
            "from": by,
            "date": self.world.now(),
            "old_chat_member": member_json(user, old, chat.type),
            "new_chat_member": member_json(user, new, chat.type),
        }

    def get_file(self, params: Params) -> Json:
        """Where to download a file from."""
        file = self.files.get(params.text("file_id"))
        names = ("file_id", "file_unique_id", "file_size")
        return {name: file.card[name] for name in names} | {"file_path": file.path}


def _is_admin(member: Member, right: str) -> bool:
    return member.status == "administrator" and member.can(right)


def _check_visible(chat: Chat) -> None:
    """A bot sees nothing of a chat it is not in."""
    if chat.bot.status == "kicked":
        raise ApiError(403, f"Forbidden: bot was kicked from the {chat.word} chat")
    if chat.bot.status == "left":
        raise ApiError(403, f"Forbidden: bot is not a member of the {chat.word} chat")
