"""Approve and Reject under a held rate: the operator's word on a value nobody else could confirm.

Only an operator in their own private chat is heard; a press by anybody else, or a second one, is stale.
"""

from __future__ import annotations

import storage.rates
import storage.sources
from bot.errors import UserError
from bot.model.chats import ChatKind
from bot.render import help as words
from handlers.context import Context

_LARGEST = 2**63


async def pressed(context: Context, what: str, number: str) -> None:
    """Buttons `held:approve:7` and `held:reject:7`; an approved rate is stored by the poll this asks for."""
    services, user = context.services, context.incoming.effective_user
    own = context.chat.kind is ChatKind.PRIVATE and user is not None and user.id == context.chat.id
    known = number.isascii() and number.isdigit() and int(number[:20]) < _LARGEST
    if not own or context.chat.id not in services.admins or not known or what not in {"approve", "reject"}:
        raise UserError("error.stale")
    async with services.store.writing() as db:
        rate = await storage.rates.decide(db, int(number[:20]), approve=what == "approve")
        if rate is not None and what == "approve":
            await storage.sources.ask(db, [rate.source], now=services.clock())
    if rate is None:
        raise UserError("error.stale")
    await context.answer()
    said = f"{rate.pair} {rate.value:f}"
    key = "held.approved" if what == "approve" else "held.rejected"
    await context.edit(words.say(key, context.language, source=rate.source, rate=said))
