"""A rule that is proposed: tried on stored history, shown, changed by taps, and saved.

It waits in the store; the preview's buttons carry only its number, believed when it is this very
chat's.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from functools import partial
from zoneinfo import ZoneInfo

import storage.alerts
import storage.rates
import storage.rules
from bot.convert.rule_links import to_link
from bot.convert.rules import read_rule
from bot.detect.offers import stepped
from bot.detect.proposals import Proposal
from bot.detect.quoted import must_know
from bot.errors import UserError
from bot.model.rules import Rule, TypedRule
from bot.readers.rules import try_rule
from bot.render import charts
from bot.render import rules as render
from bot.render.answers import say
from bot.render.text import Message
from handlers import pictures
from handlers.context import Context
from storage.db import Db
from storage.rules import StoredRule

RULES_A_CHAT = 20  # each is tried at every rate of its series, and read by one person
CHART_POINTS = 5  # points a chart needs to show anything


async def read(context: Context, said: str) -> TypedRule:
    """A rule as somebody typed it; UserError for what is none."""
    home = context.chat.home
    async with context.services.store.reading() as db:
        stored = await storage.rates.known_series(db)
    return read_rule(
        said,
        home=home,
        today=context.services.clock().astimezone(ZoneInfo(context.chat.time_zone)).date(),
        must_know=partial(must_know, stored=stored, home=home),
    )


async def propose(
    context: Context, rule: Rule, *, replaces: int | None = None, bare: bool = False
) -> tuple[int, Proposal]:
    """Keep a rule as proposed, tried on its history; its number, and how it would have spoken."""
    services, chat = context.services, context.chat
    now = services.clock()
    async with services.store.writing() as db:
        if replaces is None:  # one that takes another's place needs none
            await _room(db, chat.id)
        found = await try_rule(db, services.catalog, rule, now=now, bare=bare)
        number = await storage.rules.propose(
            db, chat.id, found.series, found.rule, now=now, replaces=replaces
        )
    return number, found


async def show(
    context: Context, number: int, found: Proposal, *, edit: bool = False, bare: bool = False
) -> None:
    """The proposal as it would have spoken: count and days, and a chart with them.

    There is no chart where there is no history to draw. Of a `bare` number it is said whether it
    was taken for a level or a move, and how to write the other.
    """
    caption = _preview(number, found, context.language, bare=bare)
    if len(found.history) < CHART_POINTS:
        await context.show(caption, edit=edit)
        return
    rule, language, history = found.rule, context.language, found.history
    # how long the rule lives is no part of the picture, which is then the same for all its lives
    title = render.words(replace(rule, once=False, until=None), language)
    picture = charts.chart(
        history,
        language,
        alerts=found.fired,
        source_names=dict(context.services.catalog.rates[found.series.source].names),
        today=found.today,
        rule=(title, rule.level),
    )
    key = (
        "rule",
        to_link(rule),
        language,
        history[-1].effective_on,
        history[-1].per_unit,
        len(history),
    )
    await pictures.show(context, key, picture, caption, edit=edit)


def _preview(number: int, found: Proposal, language: str, *, bare: bool) -> Message:
    """The words of a proposal, with buttons that carry its number."""
    since = None
    if found.history:
        since = found.history[0].effective_on
    buttons = render.PreviewButtons(
        save=f"rule:save:{number}",
        cancel=f"rule:cancel:{number}",
        once=f"rule:once:{number}",
        less=_step(number, found.rule, "less"),
        more=_step(number, found.rule, "more"),
    )
    return render.preview(
        found.rule,
        found.fired,
        language,
        since=since,
        today=found.today,
        latest=found.latest,
        bare=bare,
        buttons=buttons,
    )


def _step(number: int, rule: Rule, what: str) -> tuple[str, Decimal] | None:
    """The button that makes a rule's number a step less or more; None at the end of the steps."""
    changed = stepped(rule, up=what == "more")
    if changed is None:
        return None
    return f"rule:{what}:{number}", changed.amount


async def adjust(context: Context, what: str, number: int) -> None:
    """Buttons `less`, `more` and `once` of a proposal: the changed rule, tried anew."""
    services = context.services
    async with services.store.writing() as db:
        rule = (await _proposed(db, context.chat.id, number)).rule
        if what == "once":
            changed: Rule | None = replace(rule, once=not rule.once)
        else:
            changed = stepped(rule, up=what == "more")
        if changed is None:
            raise UserError("error.stale")
        found = await try_rule(db, services.catalog, changed, now=services.clock())
        await storage.rules.change(db, number, found.rule)
    await context.answer()
    await show(context, number, found, edit=True)


async def save(context: Context, number: int) -> None:
    """Button `save`: the rule speaks from now on."""
    services, chat = context.services, context.chat
    async with services.store.writing() as db:
        stored = await _proposed(db, chat.id, number)
        if stored.replaces is None:
            await _room(db, chat.id)
        elif await storage.rules.get(db, chat.id, stored.replaces) is None:
            raise UserError("error.stale")
        # it begins now, not when it was proposed
        found = await try_rule(db, services.catalog, stored.rule, now=services.clock())
        await storage.rules.save(db, stored, found.state)
    await context.answer()
    # after /stop it is kept, and says nothing before /start
    await context.edit(render.saved(found.rule, found.latest, context.language, awake=chat.active))


async def cancel(context: Context, number: int) -> None:
    """Button `cancel`: the proposal is forgotten."""
    async with context.services.store.writing() as db:
        await storage.rules.remove(db, (await _proposed(db, context.chat.id, number)).id)
    await context.answer()
    await context.edit(say("cancel.done", context.language))


async def _proposed(db: Db, chat: int, number: int) -> StoredRule:
    found = await storage.rules.get(db, chat, number, pending=True)
    if found is None:
        raise UserError("error.stale")
    return found


async def _room(db: Db, chat: int) -> None:
    """UserError when the chat has as many rules as it may have."""
    if await storage.rules.count(db, chat) >= RULES_A_CHAT:
        raise UserError("error.too_many", limit=RULES_A_CHAT)
