"""Forum topics: what the bot may do with those of a supergroup."""

from __future__ import annotations

from bot.emulator.errors import Json, bad_request
from bot.emulator.methods.shared import Method, Shared, check_visible, is_admin
from bot.emulator.params import Params
from bot.emulator.world import Chat, Topic

LONGEST_NAME = 128  # characters, as the Bot API says
# the six that the Bot API lets a bot choose from; the first stands where none is chosen
ICON_COLORS = (7322096, 16766590, 13338331, 9367192, 16749490, 16478047)


class Topics(Shared):
    """Forum topics."""

    def methods(self) -> tuple[Method, ...]:
        """The methods of this subject."""
        return (
            self.create_forum_topic,
            self.edit_forum_topic,
            self.close_forum_topic,
            self.reopen_forum_topic,
            self.delete_forum_topic,
        )

    def create_forum_topic(self, params: Params) -> Json:
        """ForumTopic; its number is that of the message that tells of it."""
        chat = self._forum(params)
        self._check_manages(chat, "not enough rights to create a topic")
        color = params.count("icon_color", ICON_COLORS[0])
        if color not in ICON_COLORS:
            raise bad_request("invalid forum topic icon color specified")
        name = _name(params)
        card: Json = {"name": name, "icon_color": color}
        told = self.world.add_message(
            chat, {**self.author(chat), "is_topic_message": True, "forum_topic_created": card}
        )
        number = told["message_thread_id"] = told["message_id"]
        chat.topics[number] = Topic(name=name)
        return {"message_thread_id": number, **card}

    def edit_forum_topic(self, params: Params) -> bool:
        """Give a topic another name."""
        _, topic = self._topic(params)
        if "name" in params.values:
            topic.name = _name(params)
        return True

    def close_forum_topic(self, params: Params) -> bool:
        """Nobody but who manages topics writes there from now on."""
        return self._turn(params, closed=True)

    def reopen_forum_topic(self, params: Params) -> bool:
        """Let all members write in a topic again."""
        return self._turn(params, closed=False)

    def delete_forum_topic(self, params: Params) -> bool:
        """Delete a topic with all its messages."""
        chat = self._forum(params)
        if not is_admin(chat.bot, "can_delete_messages"):
            raise bad_request("not enough rights to delete the topic")
        number = params.count("message_thread_id", 0)
        if chat.topics.pop(number, None) is None:
            raise bad_request("TOPIC_ID_INVALID")
        within = [one for one, m in chat.messages.items() if m.get("message_thread_id") == number]
        for message in within:
            self.world.delete_message(chat, message)
        return True

    def _turn(self, params: Params, *, closed: bool) -> bool:
        _, topic = self._topic(params)
        if topic.closed is closed:
            raise bad_request("TOPIC_NOT_MODIFIED")
        topic.closed = closed
        return True

    def _forum(self, params: Params) -> Chat:
        chat = self.world.known_chat(self.chat_id(params))
        check_visible(chat)
        if not chat.is_forum:
            raise bad_request("the chat is not a forum")
        return chat

    def _topic(self, params: Params) -> tuple[Chat, Topic]:
        chat = self._forum(params)
        self._check_manages(chat, "not enough rights to edit the topic")
        topic = chat.topics.get(params.count("message_thread_id", 0))
        if topic is None:
            raise bad_request("TOPIC_ID_INVALID")
        return chat, topic

    def _check_manages(self, chat: Chat, refusal: str) -> None:
        if not is_admin(chat.bot, "can_manage_topics"):
            raise bad_request(refusal)


def _name(params: Params) -> str:
    """A topic's name as the server takes it: cut, and never empty."""
    name = params.text("name").strip()[:LONGEST_NAME]
    if not name:
        raise bad_request("title must be non-empty")
    return name
