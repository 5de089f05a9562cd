"""/alert and /alerts: a chat's own rules, tried on stored history before they are saved.

A proposed rule waits in the store; its buttons carry only a number, believed when it is this very chat's.
"""

from __future__ import annotations

from datetime import timedelta

from telegram import Update

import storage.outbox
import storage.rules
from bot import views
from bot.errors import UserError
from bot.i18n import clock
from bot.model.alerts import RuleFired
from bot.render import help as words
from bot.render import rules as render
from bot.render.text import Message
from handlers.context import Context
from storage.rules import StoredRule

LIMIT = 20
EXAMPLE = "/alert RUB < 1"
SNOOZE = timedelta(hours=8)


async def alert(_update: Update, context: Context) -> None:
    """/alert RUB < 1: what the rule would have said in the past year, with Save and Cancel."""
    await context.must_be_admin()
    if not context.words:
        raise UserError("error.arguments", example=EXAMPLE)
    services, chat = context.services, context.chat
    now = services.clock()
    async with services.store.writing() as db:
        _room(await storage.rules.count(db, chat.id))
        found = await views.propose_rule(db, services.catalog, " ".join(context.words), home=chat.home, now=now)
        number = await storage.rules.propose(
            db, chat.id, found.series, rule_json=found.rule, state=found.state, now=now
        )
    await context.reply(
        render.preview(
            found.words,
            found.fired,
            context.language,
            save=f"rule:save:{number}",
            cancel=f"rule:cancel:{number}",
            today=found.today,
        )
    )


async def alerts(_update: Update, context: Context) -> None:
    """/alerts: the chat's rules, each with pause and delete."""
    await context.reply(await _list(context))


async def pressed(context: Context, what: str, rule: str) -> None:
    """Buttons `rule:save:7`, `cancel`, `pause`, `resume`, `delete`."""
    await context.must_be_admin()
    number = _number(rule)
    if what in {"save", "cancel"}:
        await (_save if what == "save" else _cancel)(context, number)
    elif what in {"pause", "resume", "delete"}:
        await _change(context, what, number)
    else:
        raise UserError("error.stale")


async def _save(context: Context, number: int) -> None:
    services, chat = context.services, context.chat
    now = services.clock()
    async with services.store.writing() as db:
        stored = await storage.rules.get(db, chat.id, number, pending=True)
        if stored is None:
            raise UserError("error.stale")
        _room(await storage.rules.count(db, chat.id))
        said = views.rule_words(stored)
        again = await views.propose_rule(db, services.catalog, said, home=chat.home, now=now)
        await storage.rules.remember(db, number, again.state)  # it begins now, not when it was proposed
        await storage.rules.save(db, number)
    await context.edit(words.say("rule.saved", context.language, rule=said))
    await context.answer()


async def _cancel(context: Context, number: int) -> None:
    async with context.services.store.writing() as db:
        if await storage.rules.get(db, context.chat.id, number, pending=True) is None:
            raise UserError("error.stale")
        await storage.rules.remove(db, number)
    await context.edit(words.say("cancel.done", context.language))
    await context.answer()


async def _change(context: Context, what: str, number: int) -> None:
    async with context.services.store.writing() as db:
        stored = await storage.rules.get(db, context.chat.id, number)
        if stored is None:
            raise UserError("error.stale")
        if what == "delete":
            await storage.rules.remove(db, number)
        else:
            await storage.rules.pause(db, number, paused=what == "pause")
    done = {"pause": "rule.paused", "resume": "rule.resumed", "delete": "rule.deleted"}[what]
    await context.edit(await _list(context))
    await context.answer(words.say(done, context.language, rule=views.rule_words(stored)).text)


async def is_own(context: Context, alert: str) -> bool:
    """Whether an alert was a chat's own rule speaking."""
    async with context.services.store.reading() as db:
        stored = await storage.outbox.get_alert(db, _number(alert))
    return stored is not None and isinstance(stored.payload, RuleFired)


async def silence(context: Context, what: str, alert: str) -> None:
    """Buttons `mute` and `snooze` under what a rule said: the rule is paused, or rests for some hours."""
    await context.must_be_admin()
    services, now = context.services, context.services.clock()
    async with services.store.writing() as db:
        told = await storage.outbox.get_alert(db, _number(alert))
        if told is None or not isinstance(told.payload, RuleFired):
            raise UserError("error.stale")
        rule = await storage.rules.get(db, context.chat.id, told.payload.rule)
        if rule is None:
            raise UserError("error.stale")
        if what == "mute":
            await storage.rules.pause(db, rule.id, paused=True)
        else:
            await storage.rules.snooze(db, rule.id, until=now + SNOOZE)
    await context.answer(_silenced(context, what, rule).text, alert=what == "mute")


def _silenced(context: Context, what: str, rule: StoredRule) -> Message:
    if what == "mute":
        return words.say("rule.paused", context.language, rule=views.rule_words(rule))
    until = clock(context.services.clock() + SNOOZE, context.chat.time_zone)
    return words.say("snooze.done", context.language, time=until)


async def _list(context: Context) -> Message:
    async with context.services.store.reading() as db:
        stored = await storage.rules.of_chat(db, context.chat.id)
    rows = [render.RuleLine(number=one.id, words=views.rule_words(one), paused=one.paused) for one in stored]
    return render.rules(rows, context.language)


def _room(saved: int) -> None:
    if saved >= LIMIT:
        raise UserError("error.too_many", limit=LIMIT)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or len(text) > 18:
        raise UserError("error.stale")
    return int(text)
