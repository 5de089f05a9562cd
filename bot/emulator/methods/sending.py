"""Messages the bot sends."""

from __future__ import annotations

from bot.emulator import text as texts
from bot.emulator.errors import Json, bad_request
from bot.emulator.markup import checked_markup
from bot.emulator.methods.shared import Method, Shared
from bot.emulator.params import Params
from bot.emulator.people import PRESENT
from bot.emulator.world import Chat, as_told

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


_REPLY_SECONDS = 15  # so long an ephemeral message may be replied to


class Sending(Shared):
    """Messages the bot sends."""

    def methods(self) -> tuple[Method, ...]:
        """The methods of this subject."""
        return (
            self.send_message,
            self.send_rich_message,
            self.send_photo,
            self.send_document,
            self.send_chat_action,
        )

    def send_message(self, params: Params) -> Json:
        """A text with entities."""
        chat = self.target(params)
        content = self.text_of(params, "text", "entities", limit=texts.TEXT_LIMIT)
        # `clean` trims as the server does, so that a text of spaces is empty too
        if not content:
            raise bad_request("message text is empty")
        return self._send(chat, params, content | self.page_of(params))

    def send_rich_message(self, params: Params) -> Json:
        """Blocks of text and tables."""
        chat = self.target(params)
        return self._send(chat, params, {"rich_message": self.rich_of(params)})

    def send_photo(self, params: Params) -> Json:
        """An uploaded picture, or one sent before."""
        # the last word of the right that is asked for: can_send_photos
        chat = self.target(params, media="photos")
        content = self.caption_of(params)
        return self._send(
            chat, params, {"photo": self.files.photo(params.file("photo")), **content}
        )

    def send_document(self, params: Params) -> Json:
        """An uploaded file, or one sent before."""
        chat = self.target(params, media="documents")
        content = self.caption_of(params)
        return self._send(
            chat, params, {"document": self.files.document(params.file("document")), **content}
        )

    def _send(self, chat: Chat, params: Params, content: Json) -> Json:
        alone = self._receiver(chat, params)
        message = self.author(chat) | alone | self._context(chat, params, is_ephemeral=bool(alone))
        message |= content
        if params.flag("protect_content"):
            message["has_protected_content"] = True
        # nobody types into a channel: a reply keyboard would have no input field to replace
        keyboard = checked_markup(
            params.structure("reply_markup"),
            inline_only=chat.is_channel,
            private=chat.type == "private",
        )
        if keyboard is not None and "inline_keyboard" in keyboard:
            message["reply_markup"] = keyboard
        # a reply keyboard is the chat's, and no message shows it afterwards
        if keyboard is not None and "inline_keyboard" not in keyboard:
            chat.keyboard = keyboard
            self.world.tell({"kind": "keyboard", "chat_id": str(chat.id), "keyboard": keyboard})
        silent = params.flag("disable_notification")
        return as_told(self.world.add_message(chat, message, silent=silent))

    def _receiver(self, chat: Chat, params: Params) -> Json:
        """The one person who sees an ephemeral message; empty of one that everybody sees.

        The server's words for these refusals are unknown.
        """
        asked = params.mapping("ephemeral_message_parameters")
        if not asked:
            return {}
        if chat.type not in {"group", "supergroup"}:
            raise bad_request("ephemeral messages can be sent to groups and supergroups only")
        receiver = self.world.users.get(asked.get("receiver_user_id", 0))
        if receiver is None:
            raise bad_request("user not found")
        member = chat.members.get(receiver.id)
        if receiver.is_bot or (member is not None and member.status not in PRESENT):
            raise bad_request("user is not a member of the chat")
        if not isinstance(asked.get("callback_query_id", ""), str):
            raise bad_request("query ID is invalid")
        return {"receiver_user": receiver.json(), "ephemeral_message_id": next(chat.ephemerals)}

    def _answered(self, chat: Chat, reply: Json, *, is_ephemeral: bool) -> Json | None:
        """The message that is replied to; None where it is gone, or may not be replied to so."""
        number = reply.get("ephemeral_message_id")
        if number is None:
            return chat.message(int(reply.get("message_id", 0)))
        for message in chat.messages.values():
            if message.get("ephemeral_message_id") == number:
                fresh = self.world.now() - message["date"] <= _REPLY_SECONDS
                return message if is_ephemeral and fresh else None
        return None

    def _context(self, chat: Chat, params: Params, *, is_ephemeral: bool) -> Json:
        """The message that a new one answers, and the topic it stands in."""
        context: Json = {}
        thread_id = params.integer("message_thread_id")
        if thread_id is not None:
            context |= {"message_thread_id": thread_id, "is_topic_message": True}
        reply = params.mapping("reply_parameters")
        if reply:
            answered = self._answered(chat, reply, is_ephemeral=is_ephemeral)
            if answered is not None:
                # one level: the answered message does not show what it answered itself
                shown = dict(answered)
                shown.pop("reply_to_message", None)
                if "ephemeral_message_id" not in shown:  # the API may leave that out
                    context["reply_to_message"] = shown
            elif is_ephemeral or not reply.get("allow_sending_without_reply"):
                raise bad_request("message to be replied not found")
        return context

    def send_chat_action(self, params: Params) -> bool:
        """ "typing..." for five seconds."""
        chat = self.target(params)
        action = params.text("action")
        if action not in _ACTIONS:
            raise bad_request("wrong parameter action in request")
        self.world.tell({"kind": "action", "chat_id": str(chat.id), "action": action})
        return True
