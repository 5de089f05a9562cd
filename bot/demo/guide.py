"""The first minute: three steps shown in a person's own chat, and what comes next there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from bot.demo.travel import Travel
from bot.demo.words import words
from bot.emulator import Chat

# What keys send: others, as those of settings, have ticks too, and cards as many keys as an alert.
FOLLOWS = ("cur:", "top:")
WHY = "why:"

CHOOSE = "demo.choose"
TURN = "demo.turn"
ALERT = "demo.alert"


@dataclass(slots=True)
class Guide:
    """How far people have come; a step that was taken stays so."""

    travel: Travel
    #: Whether a message, by its chat and number, came without a sound, as only routine does.
    silent: Callable[[int, int], bool] = lambda _chat, _message: False
    _chosen: set[int] = field(default_factory=set)
    _told: set[int] = field(default_factory=set)

    def __call__(self, chat: Chat) -> dict[str, object]:
        """A chat's steps, and the button that its next one needs."""
        turned = self.travel.turned_at
        for date, keys in _keyboards(chat):
            if any(text.startswith("✓") and sent.startswith(FOLLOWS) for text, sent in keys):
                self._chosen.add(chat.id)
            alert = any(sent.startswith(WHY) for _, sent in keys)
            if alert and turned and date >= turned.timestamp():
                self._told.add(chat.id)
        if turned and self._had_digest(chat, turned.timestamp()):
            self._told.add(chat.id)
        chosen, told = chat.id in self._chosen, chat.id in self._told
        offer = None
        if told:
            offer = "next"
        elif chosen:
            offer = "next-day"
        taken = ((CHOOSE, chosen), (TURN, chosen and turned is not None), (ALERT, told))
        steps = [{"label": words(label), "done": done} for label, done in taken]
        return {"steps": steps, "offer": offer}

    def _had_digest(self, chat: Chat, since: float) -> bool:
        """Whether something came by itself that has no button: a digest."""
        return any(
            message["date"] >= since and self.silent(chat.id, number)
            for number, message in chat.messages.items()
        )


def _keyboards(chat: Chat) -> Iterator[tuple[int, list[tuple[str, str]]]]:
    """The buttons below each of the bot's messages, what they say and send, with its time."""
    for message in chat.messages.values():
        rows: list[list[dict[str, Any]]] = message.get("reply_markup", {}).get(
            "inline_keyboard", []
        )
        keys = [(str(key["text"]), str(key.get("callback_data"))) for row in rows for key in row]
        if keys:
            yield message["date"], keys
