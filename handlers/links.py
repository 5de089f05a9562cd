"""Links into the bot, `t.me/bot?start=PAYLOAD`: a rule, a story or a currency.

The payloads are `rule_…`, `s_7` and `USD`. Anybody can write such a link and lure somebody to it,
so it only ever opens something to look at; what is shown asks before anything is saved or followed.
"""

from __future__ import annotations

import re

from telegram import Update

from bot.errors import UserError
from bot.model.rates import CODE
from bot.render.news import STORY_LINK
from handlers import news, rates, rules
from handlers.context import Context

# what the Bot API lets a payload be
_PAYLOAD = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_STORY = re.compile(rf"{STORY_LINK}[1-9][0-9]{{0,17}}", re.ASCII)


async def follow(update: Update, context: Context, payload: str) -> None:
    """Open what a link leads to; UserError when it leads nowhere."""
    if not _PAYLOAD.fullmatch(payload):
        raise UserError("error.link")
    if payload.startswith(rules.RULE_LINK):
        await rules.opened(context, payload)
    elif _STORY.fullmatch(payload):
        await news.opened(context, int(payload.removeprefix(STORY_LINK)))
    elif CODE.fullmatch(payload):
        context.args = [payload]  # as if it had been typed behind /rates
        await rates.rates(update, context)
    else:
        raise UserError("error.link")
