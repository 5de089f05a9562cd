"""/start, /subscribe, /unsubscribe, /stop and the buttons that choose currencies and topics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from telegram import Update

import storage.alerts
import storage.chats
from bot.errors import UserError
from bot.model.chats import OPERATORS_LINK, Chat, ChatKind
from bot.model.rates import Pair, Rate
from bot.model.subjects import (
    READERS_TOPICS,
    PairSubject,
    TopicSubject,
    bases_of,
    digests_of,
    pairs_of,
    topics_of,
)
from bot.readers.following import currencies_offered, topics_offered
from bot.readers.rates import rate_card
from bot.render import subscriptions as render
from bot.render import welcome
from bot.render.answers import say
from bot.render.news import topic_name
from bot.render.settings import BACK
from bot.render.text import Message
from bot.sources.specs import Catalog
from handlers import links, rules
from handlers.access import Who, may
from handlers.context import Context
from storage.db import Db

GREETED_WITH = 3  # currencies: one line of a phone


async def start(update: Update, context: Context) -> None:
    """/start: greets, and offers what one may follow; wakes a chat that was silent.

    With a payload it opens that only.
    """
    if (payload := _payload(context)) is not None:
        await links.follow(update, context, payload)
        return
    services = context.services
    # Asked anew: the sender may have found the chat gone since we loaded it.
    async with services.store.reading() as db:
        stored = await storage.chats.get(db, context.chat.id)
    if (stored is not None and not stored.active) or await _is_first_word(context):
        async with services.store.writing() as db:
            await storage.chats.activate(db, context.chat.id, said_at=context.said_at)
        # loaded anew: whether it is written to has changed
        services.chats.pop(context.chat.id, None)
    await context.reply(await greeting(context))


def _payload(context: Context) -> str | None:
    """The word of a link that opens something; None of a plain /start, as which counts the one
    that whoever set the bot up said to `jarchy init`.
    """
    if not context.words or context.words[0].startswith(OPERATORS_LINK):
        return None
    return context.words[0]


async def _is_first_word(context: Context) -> bool:
    """Whether an administrator says for the first time that a group wants messages, as it gets
    already: it may be the new number of one that said /stop, and nobody told us yet.
    """
    if context.chat.kind is not ChatKind.GROUP:
        return False
    async with context.services.store.reading() as db:
        if await storage.chats.has_word(db, context.chat.id):
            return False
    return await may(Who.ADMINISTRATOR, context)


async def waking_or_looking(context: Context) -> Who:
    """The people who may use /start in these words.

    To wake a group, and to make a rule of a link, takes an administrator.
    """
    if (payload := _payload(context)) is not None:
        changes = payload.startswith(rules.RULE_LINK)
    else:
        async with context.services.store.reading() as db:
            stored = await storage.chats.get(db, context.chat.id)
        changes = stored is not None and not stored.active
    if changes:
        return Who.ADMINISTRATOR
    return Who.ANYBODY


async def subscribe(_update: Update, context: Context) -> None:
    """/subscribe and /unsubscribe: the same switches."""
    await context.reply(await menu(context))


async def stop(_update: Update, context: Context) -> None:
    """/stop: no more messages by themselves; the settings stay."""
    async with context.services.store.writing() as db:
        await storage.chats.stop(db, context.chat.id, said_at=context.said_at)
    # what is remembered of the chat still says that it is written to
    context.services.chats.pop(context.chat.id, None)
    await context.reply(say("stop.done", context.language))


async def toggle(context: Context, kind: str, what: str) -> None:
    """Buttons `cur:USD` and `top:security`: on becomes off and off on; the menu shows it."""
    services, chat = context.services, context.chat
    async with services.store.writing() as db:
        key = str(await subject(db, chat, kind, what))
        await switch(db, chat.id, key, now=services.clock())
    if under_greeting(context):
        await context.edit(await greeting(context))
    else:
        await context.edit(await menu(context, back=BACK if context.has_button(BACK) else ""))
    await context.answer()


async def switch(db: Db, chat_id: int, key: str, *, now: datetime) -> None:
    """Drop a subscription that the chat has, or add one that it has not."""
    if key in await storage.chats.subscriptions(db, chat_id):
        await storage.chats.unsubscribe(db, chat_id, [key])
    else:
        await storage.chats.subscribe(db, chat_id, [key], now=now)


async def subject(db: Db, chat: Chat, kind: str, what: str) -> PairSubject | TopicSubject:
    """The subject of a switch; UserError for a currency or topic that is not offered there."""
    if kind == "cur" and what in await _currencies(db, chat):
        return PairSubject(Pair(what, chat.home))
    if kind == "top" and what in READERS_TOPICS:
        return TopicSubject(what)
    raise UserError("error.stale")


async def _currencies(db: Db, chat: Chat) -> tuple[str, ...]:
    """The currencies that a chat can follow, or does."""
    keys = await storage.chats.subscriptions(db, chat.id)
    on = [pair.base for pair in pairs_of(keys) if pair.quote == chat.home]
    order = await storage.chats.currency_order(db, chat.id)
    return await currencies_offered(db, chat.home, chosen=on, order=order)


async def currencies_of(context: Context, chat: Chat) -> list[str]:
    """The currencies that a chat follows, in its order."""
    async with context.services.store.reading() as db:
        keys = await storage.chats.subscriptions(db, chat.id)
        order = await storage.chats.currency_order(db, chat.id)
    return bases_of(keys, chat.home, order=order)


async def put_first(context: Context, chat: Chat, code: str) -> list[str]:
    """A currency is the first of those that the chat follows; UserError where it is none of them.
    Returns their order.
    """
    services = context.services
    async with services.store.writing() as db:
        changed = await storage.chats.put_first(db, chat.id, code, chat.home)
    if changed is None:
        raise UserError("error.stale")
    services.chats.pop(chat.id, None)
    return await currencies_of(context, chat)


async def order(context: Context) -> Message:
    """The page of the settings with the order of currencies."""
    codes = await currencies_of(context, context.chat)
    return render.currency_order(codes, context.language, back="set:topics")


async def ordered(context: Context, code: str) -> None:
    """Button `first:RUB`: that currency stands first from now on."""
    codes = await put_first(context, context.chat, code)
    await context.edit(render.currency_order(codes, context.language, back="set:topics"))
    await context.answer(say("settings.saved", context.language).text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Offers:
    """A chat's switches: the currencies and topics that it can follow, and the data of what it
    does.
    """

    currencies: tuple[str, ...]
    topics: tuple[str, ...]
    chosen: tuple[str, ...]


async def offers(db: Db, chat: Chat, catalog: Catalog) -> Offers:
    """The switches of a chat: of what a source brings, and of what it follows already."""
    keys = await storage.chats.subscriptions(db, chat.id)
    on = [pair.base for pair in pairs_of(keys) if pair.quote == chat.home]
    return Offers(
        currencies=await _currencies(db, chat),
        topics=topics_offered(catalog, chosen=topics_of(keys)),
        chosen=(*(f"cur:{code}" for code in on), *(f"top:{topic}" for topic in topics_of(keys))),
    )


async def done(context: Context) -> None:
    """Button `done`: says what the chat follows now."""
    async with context.services.store.reading() as db:
        keys = await storage.chats.subscriptions(db, context.chat.id)
        order = await storage.chats.currency_order(db, context.chat.id)
    currencies, topics = _in_order(keys, context.chat.home, order)
    digest = bool(digests_of(keys))
    awake = context.chat.active
    await context.edit(
        render.subscribed(context.language, currencies, topics, digest=digest, awake=awake)
    )
    await context.answer()


def names(keys: Sequence[str], home: str, language: str, *, order: Sequence[str] = ()) -> list[str]:
    """The subjects that a chat follows by their readers' names, in the order of the switches."""
    currencies, topics = _in_order(keys, home, order)
    return [*currencies, *(topic_name(one, language).lower() for one in topics)]


def _in_order(keys: Sequence[str], home: str, order: Sequence[str]) -> tuple[list[str], list[str]]:
    """The currencies and the topics among a chat's subscriptions, in the order of the switches."""
    return bases_of(keys, home, order=order), [
        one for one in READERS_TOPICS if one in topics_of(keys)
    ]


async def _offers(context: Context) -> Offers:
    async with context.services.store.reading() as db:
        return await offers(db, context.chat, context.services.catalog)


async def greeting(context: Context) -> Message:
    """The greeting of whoever wrote or pressed, with the switches as they stand."""
    user = context.incoming.effective_user
    name = ""
    if user is not None:
        name = user.first_name
    offered = await _offers(context)
    return welcome.start(
        context.language,
        currencies=offered.currencies,
        topics=offered.topics,
        chosen=offered.chosen,
        name=name,
        rates=await _today(context, offered.currencies[:GREETED_WITH]),
    )


async def _today(context: Context, currencies: Sequence[str]) -> list[Rate]:
    """Today's rates of these currencies, as far as there are any."""
    services, chat = context.services, context.chat
    async with services.store.reading() as db:
        try:
            card = await rate_card(
                db,
                services.catalog,
                home=chat.home,
                now=services.clock(),
                codes=currencies,
            )
        except UserError:
            return []  # without rates a greeting is as welcome
    return [row.today for row in card.rows if row.today is not None]


def under_greeting(context: Context) -> bool:
    """Whether the button pressed is the greeting's.

    Only there languages and switches stand together; nothing else marks it, and data that marked it
    could be made up like any other.
    """
    origin = context.incoming.effective_message
    if origin is None or origin.reply_markup is None:
        return False
    verbs: set[str] = set()
    for row in origin.reply_markup.inline_keyboard:
        for one in row:
            verbs.add(str(one.callback_data).partition(":")[0])
    return {"done", "lang"} <= verbs


async def menu(context: Context, *, back: str = "") -> Message:
    """The switches as they stand."""
    offered = await _offers(context)
    return render.subscribe(
        context.language,
        currencies=offered.currencies,
        topics=offered.topics,
        chosen=offered.chosen,
        back=back,
    )
