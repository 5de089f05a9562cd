"""/alert and /alerts: a chat's own rules, tried on stored history before they are saved.

    /alert RUB < 1                               → preview → Save
    /alert → currency → condition                → preview → Save: three taps
    /alerts → rule → Change                      → preview → Save: takes the place of the old one
    t.me/bot?start=rule_RUB_KGS_official_lt_1    → preview → Save: somebody's link

The preview and what its buttons do is `handlers/proposals.py`. The buttons and links that come
before carry a whole rule, read as carefully as typed words: nobody gains by forging what anybody
may write.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

from telegram import Update

import storage.alerts
import storage.rates
import storage.rules
from bot.alerts.rules import RuleFired, line_of
from bot.convert.rule_links import from_link, to_link
from bot.detect.rules import standing
from bot.errors import UserError
from bot.model.rates import CODE, Pair
from bot.model.rules import Rule, RuleStanding
from bot.readers.following import followed
from bot.readers.rates import local_day
from bot.readers.rules import (
    offer_rules,
    rule_currencies,
    try_rule,
)
from bot.render import rules as render
from bot.render.answers import say
from bot.render.text import Message
from handlers import proposals
from handlers.context import Context
from handlers.numbers import number_of
from storage.db import Db
from storage.rules import StoredRule

CURRENCIES_OFFERED = 24  # six rows of four: more do not fit a phone
RULE_LINK = "rule_"


async def alert(_update: Update, context: Context) -> None:
    """/alert RUB < 1: what the rule would have said in the past year; alone, three taps."""
    if not context.words:
        await context.reply(await _currencies(context))
        return
    typed = await proposals.read(context, " ".join(context.words))
    await proposals.show(
        context, *await proposals.propose(context, typed.rule, bare=typed.bare), bare=typed.bare
    )


async def proposed(context: Context, said: str, *, amounts: bool = False) -> bool:
    """A rule written without the command, "RUB < 1": its preview; False where it is none. What may
    speak of `amounts` of money is a rule where the figure stands behind its currency.
    """
    try:
        typed = await proposals.read(context, said)
    except UserError:
        return False
    if amounts and not typed.named_first:
        return False
    number, found = await proposals.propose(context, typed.rule, bare=typed.bare)
    await proposals.show(context, number, found, bare=typed.bare)
    return True


async def alerts(_update: Update, context: Context) -> None:
    """/alerts: the chat's rules, each with all that can be done to it."""
    await context.reply(await _list(context))


async def opened(context: Context, payload: str) -> None:
    """Somebody's link to a rule: its preview here; nothing is saved, nor said whose it was."""
    try:
        rule = from_link(payload.removeprefix(RULE_LINK))
    except UserError:
        raise UserError("error.link") from None
    await proposals.show(context, *await proposals.propose(context, rule))


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
        number, found = await proposals.propose(context, from_link(what))
        await context.answer()
        await proposals.show(context, number, found, edit=True)


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


async def pressed(context: Context, what: str, rule: str) -> None:
    """Buttons `rule:save:7`, `cancel`, `less`, … of a proposal; `open`, `edit`, … of a rule."""
    number = number_of(rule)
    match what:
        case "save" | "cancel" | "less" | "more" | "once":
            await _on_proposal(context, what, number)
        case "pause" | "resume":
            await _change(context, what, number)
        case "delete":
            await _delete(context, number)
        case "edit":
            await _edit(context, number)
        case "open":
            await _open(context, number)
        case "list":
            await _open(context, None)
        case _:
            raise UserError("error.stale")


async def _on_proposal(context: Context, what: str, number: int) -> None:
    """The buttons of a proposal; one that is over keeps none that look alive."""
    try:
        if what == "save":
            await proposals.save(context, number)
        elif what == "cancel":
            await proposals.cancel(context, number)
        else:
            await proposals.adjust(context, what, number)
    except UserError as error:
        if error.msgid == "error.stale":
            await context.take_buttons(f"rule:{what}:{number}")
        raise


# --- the list -------------------------------------------------------------------------------------


async def _edit(context: Context, number: int) -> None:
    async with context.services.store.reading() as db:
        stored = await _saved(db, context.chat.id, number)
    rule = stored.rule
    # A day that has passed would make the changed rule expire at once.
    if _line(context, stored).standing is RuleStanding.EXPIRED:
        rule = replace(rule, until=None)
    shown = await proposals.propose(context, rule, replaces=number)
    await context.answer()
    await proposals.show(context, *shown)


async def _delete(context: Context, number: int) -> None:
    """The one thing that can be done to a rule of a newer version of the program, too."""
    async with context.services.store.writing() as db:
        unread = await _unread(db, context.chat.id, number)
        if unread is not None:
            name = str(unread.pair)
        else:
            stored = await _saved(db, context.chat.id, number)
            name = render.words(stored.rule, context.language)
        await storage.rules.remove(db, number)
    await context.answer(say("rule.deleted", context.language, rule=name).text)
    await context.edit(await _list(context))


async def _change(context: Context, what: str, number: int) -> None:
    async with context.services.store.writing() as db:
        stored = await _saved(db, context.chat.id, number)
        if what == "pause":
            await storage.rules.pause(db, number, paused=True)
        else:
            await resume(context, db, stored)
            await storage.rules.snooze(db, stored.id, until=None)  # no button here would end that
    done = {"pause": "rule.paused", "resume": "rule.resumed"}[what]
    said = say(done, context.language, rule=render.words(stored.rule, context.language))
    await context.answer(said.text)
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
        unread = await _unread(db, context.chat.id, number)
        if unread is not None:
            return render.unread_rule(unread, context.language)
        stored = await _saved(db, context.chat.id, number)
    return render.rule(
        _line(context, stored),
        context.language,
        address=f"https://t.me/{context.bot.username}?start={RULE_LINK}{to_link(stored.rule)}",
        today=local_day(context.services.catalog, stored.series.source, context.services.clock()),
    )


async def _list(context: Context) -> Message:
    services = context.services
    shown: list[render.RuleLine | render.UnreadLine] = []
    zone = ZoneInfo(context.chat.time_zone)
    today = services.clock().astimezone(zone).date()
    async with services.store.reading() as db:
        heard = await storage.alerts.last_of_kind(db, context.chat.id, RuleFired.KIND)
        for one in await storage.rules.of_chat(db, context.chat.id):
            tomorrow = today + timedelta(days=1)  # known today, and asked next
            latest = await storage.rates.holding(db, one.series, tomorrow)
            line = _line(context, one)
            # when its reader heard of it, as below: it remembers the day that the rate is for
            if line.spoke_on is not None and (at := heard.get(line_of(one.id))) is not None:
                line = replace(line, spoke_on=at.astimezone(zone).date())
            shown.append(replace(line, latest=latest))
        shown += await _all_unread(db, context.chat.id)
        follows = await followed(db, context.chat.id)
    shown.sort(key=lambda line: line.number)
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


async def _saved(db: Db, chat: int, number: int) -> StoredRule:
    found = await storage.rules.get(db, chat, number)
    if found is None:
        raise UserError("error.stale")
    return found


async def _unread(db: Db, chat: int, number: int) -> render.UnreadLine | None:
    """A chat's rule of a newer version of the program; None of any other."""
    return {one.number: one for one in await _all_unread(db, chat)}.get(number)


async def _all_unread(db: Db, chat: int) -> list[render.UnreadLine]:
    kept = await storage.rules.unread_of_chat(db, chat)
    return [render.UnreadLine(number=one.id, pair=one.pair) for one in kept]
