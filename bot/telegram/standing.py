"""The bot's standing in a chat, asked of Telegram.

A refusal may be a mistake, and a chat is not given up for one.
"""

from __future__ import annotations

from typing import Any

from bot import clock
from bot.telegram.api import BotApi
from bot.telegram.outcomes import NO_RIGHT, Gone, Outcome
from bot.telegram.results import chat_of, member_of
from bot.telegram.retry import ONCE, Pause, RetryPolicy, taken

REFUSED_PAUSE = 1.0  # seconds until a question that was refused is asked once more


async def standing(
    api: BotApi,
    chat_id: int,
    bot_id: int | None,
    *,
    policy: RetryPolicy = ONCE,
    pause: Pause = clock.pause,
) -> Outcome:
    """Telegram's answer on whether the bot may write to a chat: Gone where it cannot, and why.

    Sent where nothing speaks against it; any other outcome is that of a question left open. A
    person is asked by a "typing…", which a chat shows for a moment and a blocked bot may not send;
    a group or a channel by the bot's own membership.
    """

    async def ask(method: str, **parameters: Any) -> Outcome:  # noqa: ANN401 - any JSON value
        outcome = await taken(api, method, policy=policy, pause=pause, **parameters)
        # The question may be refused by the same mistake. A person's refusal is not asked about
        # again: of those there are many in a broadcast, and each would hold a sender.
        if isinstance(outcome, Gone) and chat_id < 0:
            await pause(REFUSED_PAUSE)
            outcome = await taken(api, method, policy=policy, pause=pause, **parameters)
        return outcome

    if chat_id > 0 or bot_id is None:
        return await ask("sendChatAction", chat_id=chat_id, action="typing")
    outcome = await ask("getChatMember", chat_id=chat_id, user_id=bot_id)
    found = member_of(outcome)
    if found is None:
        return outcome
    if found.status != "member":
        return found.lacks or outcome
    # An ordinary member may write where the group lets all its members write.
    outcome = await ask("getChat", chat_id=chat_id)
    card = chat_of(outcome)
    if card is not None and not card.members_may_send:
        return NO_RIGHT
    return outcome
