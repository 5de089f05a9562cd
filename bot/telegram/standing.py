"""The bot's standing in a chat, asked of Telegram.

A refusal may be a mistake, and a chat is not given up for one.
"""

from __future__ import annotations

from bot.telegram.api import BotApi
from bot.telegram.outcomes import NO_RIGHT, Gone, Sent, lacking


async def standing(api: BotApi, chat_id: int, bot_id: int | None) -> Gone | None:
    """Why the bot cannot write to a chat; None when it can, or when Telegram does not say.

    A person is asked by a "typing…", which a chat shows for a moment and a blocked bot may not
    send; a group or a channel by the bot's own membership.
    """
    if chat_id > 0 or bot_id is None:
        outcome = await api.call("sendChatAction", chat_id=chat_id, action="typing")
        if isinstance(outcome, Gone):
            return outcome
        return None
    outcome = await api.call("getChatMember", chat_id=chat_id, user_id=bot_id)
    match outcome:
        case Gone():
            return outcome
        case Sent(result={"status": "member"}):
            # An ordinary member may write where the group lets all its members write.
            return await _closed_to_members(api, chat_id)
        case Sent(result=dict(member)):
            return lacking(member)
        case _:
            return None


async def _closed_to_members(api: BotApi, chat_id: int) -> Gone | None:
    """Why no member of a group can write; None when they can, or when Telegram does not say."""
    outcome = await api.call("getChat", chat_id=chat_id)
    match outcome:
        case Gone():
            return outcome
        case Sent(result={"permissions": {"can_send_messages": False}}):
            return NO_RIGHT
        case _:
            return None
