"""Messages changed, deleted and pinned."""

from __future__ import annotations

from bot.emulator import text as texts
from bot.emulator.errors import Json, bad_request
from bot.emulator.markup import checked_markup
from bot.emulator.methods.shared import Method, Shared, is_admin
from bot.emulator.params import Params
from bot.emulator.world import Chat

_NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same "
    "as a current content and reply markup of the message"
)
#: What a message has whose words are not under a picture or a file.
_WORDS = frozenset({"text", "rich_message"})


class Changing(Shared):
    """Messages changed, deleted and pinned."""

    def methods(self) -> tuple[Method, ...]:
        """The methods of this subject."""
        return (
            self.edit_message_text,
            self.edit_message_caption,
            self.edit_message_media,
            self.edit_message_reply_markup,
            self.delete_message,
            self.delete_messages,
            self.pin_chat_message,
            self.unpin_chat_message,
            self.unpin_all_chat_messages,
        )

    def edit_message_text(self, params: Params) -> Json:
        """New text or rich content for a message that has either; without reply_markup its buttons
        go.
        """
        chat, message = self._own(params)
        content = self._new_words(params)
        # what stands under a picture is a caption, and another method's
        if not _WORDS & message.keys():
            raise bad_request("there is no text in the message to edit")
        # what the message had of these goes: text becomes rich by an edit, and text again
        old: Json = dict.fromkeys(("text", "entities", "link_preview_options", "rich_message"))
        return self._edit(chat, message, params, old | content)

    def _new_words(self, params: Params) -> Json:
        """The text or the rich content that an edit brings: one of them."""
        if params.structure("rich_message") is not None:
            if params.text("text"):
                raise bad_request("text and rich_message can't be specified together")
            return {"rich_message": self.rich_of(params)}
        content = self.text_of(params, "text", "entities", limit=texts.TEXT_LIMIT)
        if not content:
            raise bad_request("message text is empty")
        return content | self.page_of(params)

    def edit_message_caption(self, params: Params) -> Json:
        """New caption for a photo or a document."""
        chat, message = self._own(params)
        if _WORDS & message.keys():
            raise bad_request("there is no caption in the message to edit")
        return self._edit(
            chat,
            message,
            params,
            {"caption": None, "caption_entities": None, **self.caption_of(params)},
        )

    def edit_message_media(self, params: Params) -> Json:
        """Another photo or document in place of the old one, with its own caption."""
        chat, message = self._own(params)
        media = params.mapping("media")
        source = params.files.get("media") or params.attached(str(media.get("media", "")))
        inner = self.caption_of(Params(media))
        # what the message had of these goes, also the old caption
        content: Json = dict.fromkeys(
            (
                "text",
                "entities",
                "rich_message",
                "photo",
                "document",
                "caption",
                "caption_entities",
            )
        )
        if media.get("type") == "photo":
            content["photo"] = self.files.photo(source)
        elif media.get("type") == "document":
            content["document"] = self.files.document(source)
        else:
            raise bad_request("can't parse InputMedia: media type is not supported")
        return self._edit(chat, message, params, content | inner)

    def edit_message_reply_markup(self, params: Params) -> Json:
        """Give a message other buttons, or none."""
        chat, message = self._own(params)
        # clients show no "edited" for new buttons alone
        return self._edit(chat, message, params, {}, mark=False)

    def _own(self, params: Params) -> tuple[Chat, Json]:
        """The bot's own message a call wants to change."""
        if params.text("inline_message_id"):  # no inline result of ours has buttons to edit by
            raise bad_request("MESSAGE_ID_INVALID")
        chat = self.world.writable_chat(self.chat_id(params))
        message = chat.message(params.count("message_id", 0))
        if message is None:
            raise bad_request("message to edit not found")
        if not self.is_own(chat, message):
            raise bad_request("message can't be edited")
        return chat, message

    def _edit(
        self, chat: Chat, message: Json, params: Params, content: Json, *, mark: bool = True
    ) -> Json:
        markup = checked_markup(params.structure("reply_markup"), inline_only=True)
        changes = {**content, "reply_markup": markup}
        # Telegram refuses an edit that would change nothing, and bots live with that.
        if all(message.get(name) == value for name, value in changes.items()):
            raise bad_request(_NOT_MODIFIED)
        return self.world.change_message(chat, message, changes, mark=mark)

    def delete_message(self, params: Params) -> bool:
        """Own messages anywhere, anybody's in private or with the right to."""
        chat = self.world.known_chat(self.chat_id(params))
        message = chat.message(params.count("message_id", 0))
        if message is None:
            raise bad_request("message to delete not found")
        # the real server also refuses what is older than 48 hours; no world here is
        mine = chat.type == "private" or self.is_own(chat, message)
        if not mine and not is_admin(chat.bot, "can_delete_messages"):
            raise bad_request("message can't be deleted")
        self.world.delete_message(chat, message["message_id"])
        return True

    def delete_messages(self, params: Params) -> bool:
        """Several at once; those that cannot be found are skipped."""
        chat = self.world.known_chat(self.chat_id(params))
        wanted = params.structure("message_ids")
        if not isinstance(wanted, list):
            return True
        for message_id in wanted:
            if chat.message(message_id) is not None:
                self.world.delete_message(chat, int(message_id))
        return True

    def pin_chat_message(self, params: Params) -> bool:
        """Pin on top of the others; the chat gets a service message about it."""
        chat = self._pinnable(params)
        message = chat.message(params.count("message_id", 0))
        if message is None:
            raise bad_request("message to pin not found")
        # pinned a second time it comes on top of the others
        if message["message_id"] in chat.pinned:
            chat.pinned.remove(message["message_id"])
        chat.pinned.append(message["message_id"])
        service = self.world.add_message(chat, self.author(chat) | {"pinned_message": message})
        self._tell_pinned(chat)
        if chat.is_channel:
            self.updates.push("channel_post", service)
        elif chat.type != "private":
            self.updates.push("message", service)
        return True

    def unpin_chat_message(self, params: Params) -> bool:
        """Unpin one message, or the latest."""
        chat = self._pinnable(params)
        message_id = params.integer("message_id")
        if message_id is None and chat.pinned:
            message_id = chat.pinned[-1]
        if message_id not in chat.pinned:
            raise bad_request("message to unpin not found")
        chat.pinned.remove(message_id)
        self._tell_pinned(chat)
        return True

    def unpin_all_chat_messages(self, params: Params) -> bool:
        """Unpin all messages of a chat."""
        chat = self._pinnable(params)
        chat.pinned.clear()
        self._tell_pinned(chat)
        return True

    def _pinnable(self, params: Params) -> Chat:
        chat = self.world.writable_chat(self.chat_id(params))
        right = "can_edit_messages" if chat.is_channel else "can_pin_messages"
        if chat.type != "private" and not is_admin(chat.bot, right):
            raise bad_request("not enough rights to manage pinned messages in the chat")
        return chat

    def _tell_pinned(self, chat: Chat) -> None:
        pinned = None
        if chat.pinned:
            pinned = chat.messages.get(chat.pinned[-1])
        self.world.tell({"kind": "pinned", "chat_id": str(chat.id), "message": pinned})
