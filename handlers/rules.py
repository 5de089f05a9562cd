"""/alert and /alerts: a chat's own rules, tried on stored history before they are saved.

    /alert RUB < 1                               → preview → Save
    /alert → currency → condition                → preview → Save: three taps
    /alerts → rule → Change                      → preview → Save: takes the place of the old one
    t.me/bot?start=rule_RUB_KGS_official_lt_1    → preview → Save: somebody's link

A proposed rule waits in the store; the preview's buttons carry only its number, believed when it is
this very chat's. The buttons and links that come before carry a whole rule, read as carefully as
typed words: nobody gains by forging what anybody may write.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import partial
from zoneinfo import ZoneInfo

from telegram import Update

import storage.alerts
import storage.rates
import storage.rules
from bot.convert.rule_links import from_link, to_link
from bot.convert.rules import read_rule
from bot.detect.offers import stepped
from bot.detect.rules import standing
from bot.errors import UserError
from bot.model.rates import CODE, Pair
from bot.model.rules import Rule, RuleStanding, TypedRule
from bot.readers.following import followed
from bot.readers.rates import local_day, must_know
from bot.readers.rules import (
    Proposal,
    offer_rules,
    rule_currencies,
    try_rule,
)
from bot.render import charts
from bot.render import rules as render
from bot.render.answers import say
from bot.render.text import Message
from handlers import pictures
from handlers.context import Context
from handlers.numbers import number_of
from storage.db import Db
from storage.rules import StoredRule

RULES_A_CHAT = 20  # each is tried at every rate of its series, and read by one person
CURRENCIES_OFFERED = 24  # six rows of four: more do not fit a phone
RULE_LINK = "rule_"
CHART_POINTS = 5  # points a chart needs to show anything


async def alert(_update: Update, context: Context) -> None:
    """/alert RUB < 1: what the rule would have said in the past year; alone, three taps."""
    if not context.words:
        await context.reply(await _currencies(context))
        return
    typed = await _read(context, " ".join(context.words))
    await _show(context, *await _propose(context, typed.rule, bare=typed.bare), bare=typed.bare)


async def proposed(context: Context, said: str) -> bool:
    """A rule written without the command, "RUB < 1": its preview; False where it is none."""
    try:
        typed = await _read(context, said)
    except UserError:
        return False
    await _show(context, *await _propose(context, typed.rule))
    return True


async def _read(context: Context, said: str) -> TypedRule:
    home = context.chat.home
    async with context.services.store.reading() as db:
        stored = await storage.rates.known_series(db)
    return read_rule(
        said,
        home=home,
        today=context.services.clock().astimezone(ZoneInfo(context.chat.time_zone)).date(),
        must_know=partial(must_know, stored=stored, home=home),
    )


async def alerts(_update: Update, context: Context) -> None:
    """/alerts: the chat's rules, each with all that can be done to it."""
    await context.reply(await _list(context))


async def opened(context: Context, payload: str) -> None:
    """Somebody's link to a rule: its preview here; nothing is saved, nor said whose it was."""
    try:
        rule = from_link(payload.removeprefix(RULE_LINK))
    except UserError:
        raise UserError("error.link") from None
    await _show(context, *await _propose(context, rule))


# --- three taps -----------------------------------------------------------------------------------


async def chosen(context: Context, what: str) -> None:
    """Buttons `new:-` (which currency?), `new:USD` (which condition?), `new:RULE` (the preview)."""
    if what == "-":
        await context.answer()
        await _turn(context, await _currencies(context))
    elif CODE.fullmatch(what):
        shown = await _conditions(context, what)
        await context.answer()
        await _turn(context, shown)
    else:
        number, found = await _propose(context, from_link(what))
        await context.answer()
        await _show(context, number, found, edit=True)


async def _turn(context: Context, shown: Message) -> None:
    """The next page in the same place, or below a picture: that cannot turn back into words."""
    await context.show(shown, edit=not context.on_picture)


async def _currencies(context: Context) -> Message:
    async with context.services.store.reading() as db:
        codes = await rule_currencies(db, home=context.chat.home)
    if not codes:
        raise UserError("error.no_rates")
    offers = [(code, f"new:{code}") for code in codes[:CURRENCIES_OFFERED]]
    return render.currencies(offers, context.language)


async def _conditions(context: Context, code: str) -> Message:
    services, home = context.services, context.chat.home
    if code == home:
        raise UserError("error.stale")
    async with services.store.reading() as db:
        found = await offer_rules(db, services.catalog, Pair(code, home), now=services.clock())
    rows: list[list[tuple[Rule, str]]] = []
    for row in found.rules:
        rows.append([(rule, f"new:{to_link(rule)}") for rule in row])
    return render.conditions(
        found.latest,
        rows,
        context.language,
        source_names=dict(services.catalog.rates[found.latest.source].names),
        today=found.today,
        back="new:-",
    )


# --- the preview ----------------------------------------------------------------------------------


async def _propose(
    context: Context, rule: Rule, *, replaces: int | None = None, bare: bool = False
) -> tuple[int, Proposal]:
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


async def _show(
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


async def pressed(context: Context, what: str, rule: str) -> None:
    """Buttons `rule:save:7`, `cancel`, `less`, … of a proposal; `open`, `edit`, … of a rule."""
    number = number_of(rule)
    match what:
        case "save":
            await _save(context, number)
        case "cancel":
            await _cancel(context, number)
        case "less" | "more" | "once":
            await _adjust(context, what, number)
        case "pause" | "resume" | "delete":
            await _change(context, what, number)
        case "edit":
            await _edit(context, number)
        case "open":
            await _open(context, number)
        case "list":
            await _open(context, None)
        case _:
            raise UserError("error.stale")


async def _adjust(context: Context, what: str, number: int) -> None:
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
    await _show(context, number, found, edit=True)


async def _save(context: Context, number: int) -> None:
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


async def _cancel(context: Context, number: int) -> None:
    async with context.services.store.writing() as db:
        await storage.rules.remove(db, (await _proposed(db, context.chat.id, number)).id)
    await context.answer()
    await context.edit(say("cancel.done", context.language))


# --- the list -------------------------------------------------------------------------------------


async def _edit(context: Context, number: int) -> None:
    async with context.services.store.reading() as db:
        stored = await _saved(db, context.chat.id, number)
    rule = stored.rule
    # A day that has passed would make the changed rule expire at once.
    if _line(context, stored).standing is RuleStanding.EXPIRED:
        rule = replace(rule, until=None)
    shown = await _propose(context, rule, replaces=number)
    await context.answer()
    await _show(context, *shown)


async def _change(context: Context, what: str, number: int) -> None:
    services = context.services
    async with services.store.writing() as db:
        stored = await _saved(db, context.chat.id, number)
        if what == "delete":
            await storage.rules.remove(db, number)
        elif what == "pause":
            await storage.rules.pause(db, number, paused=True)
        else:
            await resume(context, db, stored)
    done = {"pause": "rule.paused", "resume": "rule.resumed", "delete": "rule.deleted"}[what]
    said = say(done, context.language, rule=render.words(stored.rule, context.language))
    await context.answer(said.text)
    if what == "delete":
        await context.edit(await _list(context))
    else:
        await context.edit(await _card(context, number))


async def resume(context: Context, db: Db, rule: StoredRule) -> None:
    """A rule begins anew: what happened while it rested is not news."""
    services = context.services
    found = await try_rule(db, services.catalog, rule.rule, now=services.clock())
    await storage.rules.remember(db, rule.id, found.state)
    await storage.rules.pause(db, rule.id, paused=False)


async def _open(context: Context, number: int | None) -> None:
    if number is None:
        shown = await _list(context)
    else:
        shown = await _card(context, number)
    await context.answer()
    await context.edit(shown)


async def _card(context: Context, number: int) -> Message:
    async with context.services.store.reading() as db:
        stored = await _saved(db, context.chat.id, number)
    return render.rule(
        _line(context, stored),
        context.language,
        address=f"https://t.me/{context.bot.username}?start={RULE_LINK}{to_link(stored.rule)}",
        today=local_day(context.services.catalog, stored.series.source, context.services.clock()),
    )


async def _list(context: Context) -> Message:
    services, shown = context.services, []
    today = services.clock().astimezone(ZoneInfo(context.chat.time_zone)).date()
    async with services.store.reading() as db:
        for one in await storage.rules.of_chat(db, context.chat.id):
            tomorrow = today + timedelta(days=1)  # known today, and asked next
            latest = await storage.rates.holding(db, one.series, tomorrow)
            shown.append(replace(_line(context, one), latest=latest))
        follows = await followed(db, context.chat.id)
    zone = ZoneInfo(context.chat.time_zone)
    told = [(one.subject, one.told_at and one.told_at.astimezone(zone).date()) for one in follows]
    return render.rules(shown, context.language, make="new:-", today=today, follows=told)


def _line(context: Context, stored: StoredRule) -> render.RuleLine:
    today = local_day(context.services.catalog, stored.series.source, context.services.clock())
    return render.RuleLine(
        number=stored.id,
        rule=stored.rule,
        standing=standing(stored.rule, stored.state, paused=stored.paused, today=today),
        spoke_on=stored.state.fired_on,
    )


async def _proposed(db: Db, chat: int, number: int) -> StoredRule:
    found = await storage.rules.get(db, chat, number, pending=True)
    if found is None:
        raise UserError("error.stale")
    return found


async def _saved(db: Db, chat: int, number: int) -> StoredRule:
    found = await storage.rules.get(db, chat, number)
    if found is None:
        raise UserError("error.stale")
    return found


async def _room(db: Db, chat: int) -> None:
    """UserError when the chat has as many rules as it may have."""
    if await storage.rules.count(db, chat) >= RULES_A_CHAT:
        raise UserError("error.too_many", limit=RULES_A_CHAT)
