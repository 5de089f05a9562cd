"""The bot's standing in a chat, by what Telegram answers about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from bot.reasons import said
from bot.telegram.api import BotApi
from bot.telegram.outcomes import BLOCKED, KICKED, NO_RIGHT, Outcome, Retry, Sent
from bot.telegram.standing import REFUSED_PAUSE, standing

GROUP, PERSON, BOT = -1001, 1001, 7
MEMBER = Sent(0, {"status": "member", "user": {"id": BOT}})
BOSS = Sent(0, {"status": "administrator", "user": {"id": BOT}})
MUTE = Sent(0, {"status": "restricted", "user": {"id": BOT}, "can_send_messages": False})
OPEN = Sent(0, {"id": GROUP, "type": "supergroup", "permissions": {"can_send_messages": True}})
SHUT = Sent(0, {"id": GROUP, "type": "supergroup", "permissions": {"can_send_messages": False}})
BUSY = Retry(said("busy"))


class Telegram(BotApi):
    """Answers each method with what was laid out for it, the last of it again and again."""

    def __init__(self, answers: Mapping[str, list[Outcome]]) -> None:
        self._answers = {method: list(given) for method, given in answers.items()}
        self.asked: list[str] = []
        self.pauses: list[float] = []

    async def call(self, method: str, **parameters: Any) -> Outcome:  # noqa: ARG002 - as its parent
        """The next answer."""
        self.asked.append(method)
        given = self._answers[method]
        return given.pop(0) if len(given) > 1 else given[0]

    async def pause(self, seconds: float) -> None:
        """Note it."""
        self.pauses.append(seconds)


CASES: dict[str, tuple[int, dict[str, list[Outcome]], Outcome, list[str]]] = {
    "administrator": (GROUP, {"getChatMember": [BOSS]}, BOSS, ["getChatMember"]),
    "member of an open group": (
        GROUP,
        {"getChatMember": [MEMBER], "getChat": [OPEN]},
        OPEN,
        ["getChatMember", "getChat"],
    ),
    "member of a group that is shut": (
        GROUP,
        {"getChatMember": [MEMBER], "getChat": [SHUT]},
        NO_RIGHT,
        ["getChatMember", "getChat"],
    ),
    "restricted": (GROUP, {"getChatMember": [MUTE]}, NO_RIGHT, ["getChatMember"]),
    "no answer": (GROUP, {"getChatMember": [BUSY]}, BUSY, ["getChatMember"]),
    "refused by mistake": (GROUP, {"getChatMember": [KICKED, BOSS]}, BOSS, ["getChatMember"] * 2),
    "refused twice": (GROUP, {"getChatMember": [KICKED]}, KICKED, ["getChatMember"] * 2),
    "a person": (PERSON, {"sendChatAction": [Sent(0, True)]}, Sent(0, True), ["sendChatAction"]),
    "a person who blocked": (PERSON, {"sendChatAction": [BLOCKED]}, BLOCKED, ["sendChatAction"]),
}


@pytest.mark.parametrize("case", CASES)
async def test_G16_what_telegram_says_of_the_bots_place(case: str) -> None:
    """Asked of as little as need be; a group's refusal once more, a second later."""
    chat, answers, wanted, asked = CASES[case]
    telegram = Telegram(answers)
    assert await standing(telegram, chat, BOT, pause=telegram.pause) == wanted
    assert telegram.asked == asked
    assert telegram.pauses == [REFUSED_PAUSE] * (len(asked) - len(set(asked)))
