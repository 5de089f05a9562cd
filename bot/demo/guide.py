"""The first minute: three steps shown in a person's own chat, and what comes next there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from bot.demo.travel import Travel
from bot.demo.words import words
from bot.emulator import Chat

# What keys send: others, as those of settings, have ticks too, and cards as many keys as an alert.
FOLLOWS = ("cur:", "top:")
WHY = "why:"

#: What a group's people may write, and what that is good for.
IN_GENERAL = {"/subscribe": "demo.say_subscribe", "/board on": "demo.say_board"}
IN_A_TOPIC = {"/here": "demo.say_here"}

CHOOSE = "demo.choose"
TURN = "demo.turn"
ALERT = "demo.alert"


@dataclass(slots=True)
class Guide:
    """The steps that people have taken; one that was taken stays so."""

    travel: Travel
    _chosen: set[int] = field(default_factory=set)
    _told: set[int] = field(default_factory=set)

    def see(self, event: dict[str, Any]) -> None:
        """Note the step that an event of the emulator's world is.

        Each message is looked at as it comes or changes: a tick is gone with its keyboard, which
        may be before a page is drawn again.
        """
        if event["kind"] not in {"message", "edit"}:
            return
        chat_id, keys = int(event["chat_id"]), _keys(event["message"])
        if any(text.startswith("✓") and sent.startswith(FOLLOWS) for text, sent in keys):
            self._chosen.add(chat_id)
        turned = self.travel.turned_at
        if turned is None or event["message"]["date"] < turned.timestamp():
            return
        # what came by itself and has no button is a digest, without a sound as only routine is
        if any(sent.startswith(WHY) for _, sent in keys) or event.get("silent"):
            self._told.add(chat_id)

    def begin_anew(self) -> None:
        """Nobody has taken a step."""
        self._chosen.clear()
        self._told.clear()

    def __call__(self, chat: Chat) -> dict[str, object]:
        """A chat's steps, and the button that its next one needs; of a group, what to ask it in
        each topic.
        """
        if chat.user is None:
            return {"steps": [], "offer": None, "say": dict(_questions(chat))}
        chosen, told = chat.id in self._chosen, chat.id in self._told
        turned = self.travel.turned_at is not None
        offer = None
        if told:
            offer = "next"
        elif chosen:
            offer = "next-day"
        taken = ((CHOOSE, chosen), (TURN, chosen and turned), (ALERT, told))
        steps = [{"label": words(label), "done": done} for label, done in taken]
        return {"steps": steps, "offer": offer}


def _questions(chat: Chat) -> Iterator[tuple[str, list[dict[str, object]]]]:
    """The questions that a group may ask the bot, by topic, and has not asked there yet."""
    if chat.is_channel or chat.bot.status not in {"member", "administrator"}:
        return
    asked: set[tuple[int | None, str]] = set()
    for message in chat.messages.values():
        asked.add((message.get("message_thread_id"), str(message.get("text"))))
    for topic in (None, *chat.topics):
        possible = IN_GENERAL if topic is None else IN_A_TOPIC
        says: list[dict[str, object]] = []
        for text, hint in possible.items():
            if (topic, text) not in asked:
                says.append({"text": text, "hint": words(hint)})
        yield str(topic or "general"), says


def _keys(message: dict[str, Any]) -> list[tuple[str, str]]:
    """The buttons below a message of the bot, what they say and send."""
    rows: list[list[dict[str, Any]]] = message.get("reply_markup", {}).get("inline_keyboard", [])
    return [(str(key["text"]), str(key.get("callback_data"))) for row in rows for key in row]
