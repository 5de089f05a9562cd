"""/start, /subscribe, /unsubscribe, /stop and the buttons that choose currencies and topics."""

from __future__ import annotations

from datetime import timedelta

from telegram import Update

import storage.alerts
import storage.chats
import storage.news
from bot.errors import UserError
from bot.i18n import clock
from bot.model.alerts import Approval, RateMoved, StoryBroke
from bot.readers.news import TOPICS
from bot.readers.rates import CURRENCIES
from bot.render import alerts
from bot.render import help as words
from bot.render.news import topic_name
from bot.render.text import Message
from handlers import links, rules
from handlers.access import Who
from handlers.context import Context
from handlers.numbers import number_of

SNOOZE = timedelta(hours=8)


def offered(home: str) -> tuple[str, ...]:
    """The currencies to switch on and off: the chat's own never moves against itself."""
    return tuple(code for code in CURRENCIES if code != home)


async def start(update: Update, context: Context) -> None:
    """/start: greets, and offers what one may follow; wakes a chat that was silent. With a payload, opens that only."""
    if context.words:
        await links.follow(update, context, context.words[0])
        return
    services = context.services
    async with services.store.reading() as db:  # the sender may have found it gone since we loaded it
        stored = await storage.chats.get(db, context.chat.id)
    if stored is not None and not stored.active:
        async with services.store.writing() as db:
            await storage.chats.activate(db, context.chat.id)
        services.chats.pop(context.chat.id, None)
    await context.reply(await greeting(context))


async def waking_or_looking(context: Context) -> Who:
    """Who may use /start in these words: to wake a group, and to make a rule of a link, takes an administrator."""
    if context.words:
        return Who.ADMINISTRATOR if context.words[0].startswith(rules.LINK) else Who.ANYBODY
    async with context.services.store.reading() as db:
        stored = await storage.chats.get(db, context.chat.id)
    return Who.ADMINISTRATOR if stored is not None and not stored.active else Who.ANYBODY


async def subscribe(_update: Update, context: Context) -> None:
    """/subscribe and /unsubscribe: the same switches."""
    await context.reply(await menu(context))


async def stop(_update: Update, context: Context) -> None:
    """/stop: no more messages by themselves; the settings stay."""
    async with context.services.store.writing() as db:
        await storage.chats.close(db, context.chat.id, why=storage.chats.STOPPED)
    context.services.chats.pop(context.chat.id, None)
    await context.reply(words.say("stop.done", context.language))


async def toggle(context: Context, kind: str, what: str) -> None:
    """Buttons `cur:USD` and `top:security`: on becomes off and off on; the menu shows it."""
    if what not in (offered(context.chat.home) if kind == "cur" else TOPICS):
        raise UserError("error.stale")
    key = f"pair:{what}/{context.chat.home}" if kind == "cur" else f"topic:{what}"
    services, chat = context.services, context.chat
    async with services.store.writing() as db:
        if key in await storage.chats.subscriptions(db, chat.id):
            await storage.chats.unsubscribe(db, chat.id, [key])
        else:
            await storage.chats.subscribe(db, chat.id, [key], now=services.clock())
    await context.edit(await (greeting if under_greeting(context) else menu)(context))
    await context.answer()


async def done(context: Context) -> None:
    """Button `done`: says what the chat follows now."""
    chosen = await _chosen(context)
    currencies = [one for one in offered(context.chat.home) if f"cur:{one}" in chosen]
    topics = [one for one in TOPICS if f"top:{one}" in chosen]
    await context.edit(words.subscribed(context.language, currencies, topics))
    await context.answer()


async def why(context: Context, alert: str) -> None:
    """Button `why:<alert>`: how this alert came about."""
    async with context.services.store.reading() as db:
        stored = await storage.alerts.get(db, number_of(alert))
        audience = await storage.alerts.audience(db, number_of(alert))
        approval = await storage.alerts.approval(db, number_of(alert))
    if stored is None or audience is None or audience.chat not in {None, context.chat.id}:
        raise UserError("error.stale")  # another chat's
    if approval not in {None, Approval.APPROVED} or not isinstance(stored.payload, RateMoved | StoryBroke):
        raise UserError("error.stale")  # nobody was told of it, or there is no such button under it
    if isinstance(stored.payload, RateMoved):
        message = alerts.why_move(stored.payload, context.language)
    else:
        async with context.services.store.reading() as db:
            story = await storage.news.get(db, stored.payload.story)
        message = alerts.why_story(
            stored.severity,
            stored.reasons,
            context.language,
            topics=story.topics if story is not None else (),
            sources=len(story.feeds) if story is not None else 1,
            texts=[f"{one.entry.title}\n{one.entry.summary or one.entry.content}" for one in story.entries]
            if story
            else (),
        )
    await context.answer()
    await context.reply(message, to_it=True)


async def snooze(context: Context, alert: str) -> None:
    """Button `snooze:<alert>`: silence about its subject for some hours; the button then says until when."""
    services = context.services
    key = await _subject(context, alert)
    at = clock(services.clock() + SNOOZE, context.chat.time_zone)
    async with services.store.writing() as db:
        followed = await storage.chats.snooze(db, context.chat.id, key, span=SNOOZE)
    if not followed:
        await _say_muted(context, key)
        return
    await context.answer(words.say("snooze.done", context.language, time=at).text)
    await context.switch(alerts.snooze_button(int(alert), context.language, until=at), f"snooze:{alert}")


async def unsnooze(context: Context, alert: str) -> None:
    """Button `unsnooze:<alert>`: silent no longer."""
    key = await _subject(context, alert)
    async with context.services.store.writing() as db:
        await storage.chats.snooze(db, context.chat.id, key, span=None)
    await context.answer(words.say("snooze.undone", context.language).text)
    await context.switch(alerts.snooze_button(int(alert), context.language), f"unsnooze:{alert}")


async def mute(context: Context, alert: str) -> None:
    """Button `mute:<alert>`: its subject is no longer followed; the button then takes that back."""
    key = await _subject(context, alert)
    async with context.services.store.writing() as db:
        await storage.chats.unsubscribe(db, context.chat.id, [key])
    await _say_muted(context, key)
    what = alerts.subject(key, context.language)
    await context.switch(alerts.mute_button(int(alert), what, context.language, muted=True), f"mute:{alert}")


async def unmute(context: Context, alert: str) -> None:
    """Button `unmute:<alert>`: its subject is followed again, from now on."""
    services = context.services
    key = await _subject(context, alert)
    async with services.store.writing() as db:
        await storage.chats.subscribe(db, context.chat.id, [key], now=services.clock())
    await context.answer(words.say("rule.resumed", context.language, rule=_named(key, context.language)).text)
    what = alerts.subject(key, context.language)
    await context.switch(alerts.mute_button(int(alert), what, context.language), f"unmute:{alert}")
    await context.switch(alerts.snooze_button(int(alert), context.language), f"unsnooze:{alert}")


async def _say_muted(context: Context, key: str) -> None:
    said = words.say("mute.done", context.language, what=_named(key, context.language))
    await context.answer(said.text, alert=True)


def _named(key: str, language: str) -> str:
    kind, _, what = key.partition(":")
    return topic_name(what, language) if kind == "topic" else what


async def _subject(context: Context, alert: str) -> str:
    async with context.services.store.reading() as db:
        audience = await storage.alerts.audience(db, number_of(alert))
    key = audience.subscription if audience is not None else None
    if key is None or key.partition(":")[0] not in {"pair", "topic"}:
        raise UserError("error.stale")
    return key


async def _chosen(context: Context) -> list[str]:
    async with context.services.store.reading() as db:
        keys = await storage.chats.subscriptions(db, context.chat.id)
    tail = f"/{context.chat.home}"
    currencies = [f"cur:{key[5:-4]}" for key in keys if key.startswith("pair:") and key.endswith(tail)]
    return currencies + [f"top:{key.removeprefix('topic:')}" for key in keys if key.startswith("topic:")]


async def greeting(context: Context) -> Message:
    """The greeting of whoever wrote or pressed, with the switches as they stand."""
    user = context.incoming.effective_user
    return words.start(
        context.language,
        currencies=offered(context.chat.home),
        topics=TOPICS,
        chosen=await _chosen(context),
        name=user.first_name if user is not None else "",
    )


def under_greeting(context: Context) -> bool:
    """Whether the button pressed is the greeting's: only there languages and switches stand together."""
    origin = context.incoming.effective_message
    markup = origin.reply_markup if origin is not None else None
    data = {str(one.callback_data) for row in markup.inline_keyboard for one in row} if markup is not None else set()
    return "done" in data and any(one.startswith("lang:") for one in data)


async def menu(context: Context) -> Message:
    """The switches as they stand."""
    return words.subscribe(
        context.language, currencies=offered(context.chat.home), topics=TOPICS, chosen=await _chosen(context)
    )
