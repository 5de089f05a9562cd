"""Approve and Reject: the operator's word on a rate nobody could confirm, and on a waiting story.

Only an operator in their own private chat gets here (`handlers.BUTTONS`). A story is decided once:
the other operators are told by whom, and a later press hears what was decided.
"""

from __future__ import annotations

from datetime import datetime

import storage.alerts
import storage.held_rates
import storage.sources
from bot.alerts import Desk, kind_of, notices
from bot.errors import UserError
from bot.model.alerts import Alert, Approval
from bot.render.answers import say
from handlers.context import Context
from handlers.numbers import number_of


async def pressed(context: Context, what: str, number: str) -> None:
    """Buttons `held:approve:7` and `held:reject:7`; the poll that this asks for stores the rate."""
    held, approve = _decision(what, number)
    services = context.services
    async with services.store.writing() as db:
        rate = await storage.held_rates.decide(db, held, approve=approve)
        if rate is not None and approve:
            await storage.sources.ask(db, [rate.source], now=services.clock())
    if rate is None:
        raise UserError("error.stale")
    await context.answer()
    key = "held.rejected"
    if approve:
        key = "held.approved"
    said = f"{rate.pair} {rate.value:f}"
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
    if title is None:
        if stands is None:
            raise UserError("error.stale")
        if stands is Approval.WAITING:  # it waits, and could not be decided: for too long
            stands = Approval.EXPIRED
        raise UserError(f"error.story_{stands}")
    # /news shows it from now on, and what waited for the word goes out
    services.forget_cards()
    services.wake()
    await context.answer()
    key = "story.rejected"
    if approve:
        key = "story.approved"
    await context.edit(say(key, context.language, title=title))


def _told_to_others(
    context: Context, waiting: int, what: str, title: str, *, now: datetime
) -> list[Alert]:
    """One silent word to every other operator: who decided, and what."""
    user = context.incoming.effective_user
    values = {"title": title, "who": "–"}
    if user is not None:
        values["who"] = user.full_name
    msgid = "notice.refused"
    if what == "approve":
        msgid = "notice.approved"
    others = sorted(context.services.admins - {context.chat.id})
    return [notices.decided(operator, waiting, msgid, values, now=now) for operator in others]


def _decision(what: str, number: str) -> tuple[int, bool]:
    """What is decided, and whether it is approved; UserError where a button's data says neither."""
    if what not in {"approve", "reject"}:
        raise UserError("error.stale")
    return number_of(number), what == "approve"
