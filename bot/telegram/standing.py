"""The bot's standing in a chat, asked of Telegram: a refusal may be a mistake, and a chat is not
given up for one.
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
        return outcome if isinstance(outcome, Gone) else None
    outcome = await api.call("getChatMember", chat_id=chat_id, user_id=bot_id)
    if isinstance(outcome, Gone):
        return outcome
    member = outcome.result if isinstance(outcome, Sent) else None
    if not isinstance(member, dict):
        return None
    if (why := lacking(member)) is not None or member.get("status") != "member":
        return why
    outcome = await api.call("getChat", chat_id=chat_id)
    if isinstance(outcome, Gone):
        return outcome
    about = outcome.result if isinstance(outcome, Sent) else None
    permissions = about.get("permissions") if isinstance(about, dict) else None
    return (
        NO_RIGHT
        if isinstance(permissions, dict) and permissions.get("can_send_messages") is False
        else None
    )
