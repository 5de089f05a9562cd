"""Approve and Reject: the operator's word on a rate nobody else could confirm, and on a story that
waits for it.

Only an operator in their own private chat gets here (`handlers.BUTTONS`). A story is decided once:
the other operators are told by whom, and a later press hears what was decided.
"""

from __future__ import annotations

from datetime import datetime

import storage.alerts
import storage.rates
import storage.sources
from bot.alerts import Desk, kind_of, notices
from bot.errors import UserError
from bot.model.alerts import Alert, Approval
from bot.render.answers import say
from handlers.context import Context

_LARGEST = 2**63


async def pressed(context: Context, what: str, number: str) -> None:
    """Buttons `held:approve:7` and `held:reject:7`; an approved rate is stored by the poll this
    asks for.
    """
    held, approve = _decision(what, number)
    services = context.services
    async with services.store.writing() as db:
        rate = await storage.rates.decide(db, held, approve=approve)
        if rate is not None and approve:
            await storage.sources.ask(db, [rate.source], now=services.clock())
    if rate is None:
        raise UserError("error.stale")
    await context.answer()
    said = f"{rate.pair} {rate.value:f}"
    key = "held.approved" if approve else "held.rejected"
    await context.edit(say(key, context.language, source=rate.source, rate=said))


async def story_pressed(context: Context, what: str, number: str) -> None:
    """Buttons `story:approve:7` and `story:reject:7`: the alert goes out, or nobody hears of it."""
    waiting, approve = _decision(what, number)
    services = context.services
    title = None
    async with services.store.writing() as db:
        decided = await storage.alerts.decide(db, waiting, approve=approve)
        if decided is not None:
            desk = Desk(db=db, catalog=services.catalog)
            title = await kind_of(decided).title(desk, decided)
        if title is not None:
            for notice in _told_to_others(context, waiting, what, title, now=services.clock()):
                await storage.alerts.enqueue(db, notice)
        stands = await storage.alerts.approval(db, waiting)
    if (
        title is None and stands is not None
    ):  # what still waits, but is not to be decided, waited too long
        raise UserError(f"error.story_{Approval.EXPIRED if stands is Approval.WAITING else stands}")
    if title is None:
        raise UserError("error.stale")
    services.forget_cards()
    services.wake()
    await context.answer()
    key = "story.approved" if approve else "story.rejected"
    await context.edit(say(key, context.language, title=title))


def _told_to_others(
    context: Context, waiting: int, what: str, title: str, *, now: datetime
) -> list[Alert]:
    """One silent word to every other operator: who decided, and what."""
    user = context.incoming.effective_user
    values = {"title": title, "who": user.full_name if user is not None else "–"}
    msgid = "notice.approved" if what == "approve" else "notice.refused"
    others = sorted(context.services.admins - {context.chat.id})
    return [notices.decided(operator, waiting, msgid, values, now=now) for operator in others]


def _decision(what: str, number: str) -> tuple[int, bool]:
    """What is decided, and whether it is approved; UserError when a button's data says no such
    thing.
    """
    known = number.isascii() and number.isdigit() and int(number[:20]) < _LARGEST
    if not known or what not in {"approve", "reject"}:
        raise UserError("error.stale")
    return int(number[:20]), what == "approve"
