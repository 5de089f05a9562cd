"""Approve and Reject: the operator's word on a rate nobody could confirm.

Only an operator in their own private chat gets here (`handlers.BUTTONS`).
"""

from __future__ import annotations

import storage.alerts
import storage.held_rates
import storage.sources
from bot.alerts import notices
from bot.errors import UserError
from bot.render.answers import say
from handlers.context import Context
from handlers.numbers import number_of
from storage.db import Db


async def pressed(context: Context, what: str, number: str) -> None:
    """Buttons `held:approve:7` and `held:reject:7`; the poll that this asks for stores the rate.

    One question stood for all that a bank's documents contradict each other in: the next is asked.
    """
    held, approve = _decision(what, number)
    services = context.services
    async with services.store.writing() as db:
        rate = await storage.held_rates.decide(db, held, approve=approve)
        if rate is None:
            raise UserError("error.stale")
        if approve:
            await storage.sources.ask(db, [rate.source], now=services.clock())
        await _ask_next(context, db, held)
    services.wake()
    await context.answer()
    key = "held.rejected"
    if approve:
        key = "held.approved"
    said = f"{rate.pair} {rate.value:f}"
    bank = services.catalog.names(rate.source, context.language)
    await context.edit(say(key, context.language, source=bank, rate=said))


async def _ask_next(context: Context, db: Db, held: int) -> None:
    waiting = await storage.held_rates.asked_with(db, held)
    if not waiting:
        return
    following, now = waiting[0], context.services.clock()
    question = notices.held_rate(following.rate, following.id, more=len(waiting) - 1)
    await notices.tell(db, [context.chat.id], question, now=now, reasons=following.reasons)


def _decision(what: str, number: str) -> tuple[int, bool]:
    """The held rate's number, and whether it is approved; UserError for another button."""
    if what not in {"approve", "reject"}:
        raise UserError("error.stale")
    return number_of(number), what == "approve"
