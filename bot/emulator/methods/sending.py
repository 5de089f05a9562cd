"""Messages the bot sends."""

from __future__ import annotations

from bot.emulator import text as texts
from bot.emulator.errors import Json, bad_request
from bot.emulator.markup import checked_markup
from bot.emulator.methods.shared import Method, Shared
from bot.emulator.params import Params
from bot.emulator.world import Chat

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
        message = self.author(chat) | self._context(chat, params)
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
                # one level: the answered message does not show what it answered itself
                shown = dict(answered)
                shown.pop("reply_to_message", None)
                context["reply_to_message"] = shown
            elif not reply.get("allow_sending_without_reply"):
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
