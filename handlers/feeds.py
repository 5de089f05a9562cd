"""/feed and /feeds: feeds and public channels that a chat adds itself, also by OPML files."""

from __future__ import annotations

import time

from cachetools import LRUCache
from telegram import Update

import storage.chats
import storage.own_feeds
from bot.errors import SourceError, UserError
from bot.model.own_feeds import OwnFeed
from bot.model.subjects import FeedSubject
from bot.render import feeds as render
from bot.render.answers import say
from bot.render.text import Message
from bot.sources.opml import MOST_BYTES, write_opml
from bot.sources.own import OwnAddress, read_address
from bot.telegram.outcomes import Rejected, Sent
from bot.telegram.results import content_of
from handlers.answers import Answer, File
from handlers.context import Context
from handlers.services import Services
from storage.db import Db
from storage.own_feeds import ENDLESS_PAUSE

ADDS_AN_HOUR = 5  # of a chat, failed ones counted: what answers where is nobody's to find out
LISTS_AN_HOUR = 2  # of as many feeds as a chat may have: each is an address that is asked
HOUR = 3600.0
EXAMPLE = "/feed add https://example.org/rss.xml"
ADD = "add"


async def feed(_update: Update, context: Context) -> None:
    """/feed add URL: a feed or a public channel of this chat's own; alone it lists them."""
    words = context.words
    if words and words[0].lower() == ADD:
        words = words[1:]
    if not words:
        await context.reply(await shown(context))
        return
    if len(words) > 1:
        raise UserError("error.feed", example=EXAMPLE)
    await _add(context, words[0])


async def feeds(_update: Update, context: Context) -> None:
    """/feeds: the feeds that this chat added."""
    await context.reply(await shown(context))


async def pressed(context: Context, verb: str, key: str) -> None:
    """Buttons `feed:pause:KEY`, `feed:resume:KEY` and `feed:remove:KEY`."""
    chat, subject = context.chat.id, str(FeedSubject(key))
    async with context.services.store.writing() as db:
        mine = await storage.own_feeds.of_chat(db, chat, now=context.services.clock())
        if key not in {one.feed.key for one in mine}:
            raise UserError("error.stale")
        if verb == "remove":
            await storage.chats.unsubscribe(db, chat, [subject])
        elif verb in {"pause", "resume"}:
            span = ENDLESS_PAUSE if verb == "pause" else None
            await storage.chats.snooze(db, chat, subject, span=span)
        else:
            raise UserError("error.stale")
    await context.edit(await shown(context))
    await context.answer(say("settings.saved", context.language).text)


async def shown(context: Context) -> Message:
    """The chat's own feeds, with buttons."""
    services = context.services
    async with services.store.reading() as db:
        mine = await storage.own_feeds.of_chat(db, context.chat.id, now=services.clock())
    most = services.settings.user_feeds
    return render.listed(mine, context.language, most=most, example=EXAMPLE)


async def _add(context: Context, said: str) -> None:
    """Try an address and follow it. One error for all that is wrong with it."""
    services = context.services
    must_have_room(services, context.chat.id)
    async with services.store.reading() as db:
        await _must_be_few(db, context)
    try:
        address = read_address(said)
        async with services.aside():  # a slow host's requests come one after the other
            tried = await services.own_feeds.tried(address)
    except SourceError:
        raise UserError("error.feed", example=EXAMPLE) from None
    if tried is None:
        services.feed_tries.get(context.chat.id, [0.0]).pop()  # nothing was asked
        raise UserError("error.feed_busy")
    brought, answer = tried
    new = own_feed(address, brought.name)
    async with services.store.writing() as db:
        await follow(db, context, [(new, new.name)])
        # who asks for one that is paused here wants to hear of it again
        await storage.chats.snooze(db, context.chat.id, str(FeedSubject(new.key)), span=None)
        stored = await storage.own_feeds.get(db, new.key)
    if stored is not None and stored.last_ok_at is None:
        # what it lists now is known from now on, and told to nobody
        await services.own_feeds.keep(stored, brought, answer, None)
    name = new.name if stored is None else stored.name
    added = "feeds.added" if context.chat.active else "feeds.added_asleep"
    await context.reply(say(added, context.language, name=name))


async def given(_update: Update, context: Context) -> None:
    """An OPML file: its feeds are this chat's from now on, all of them or none."""
    services, message = context.services, context.incoming.effective_message
    document = None if message is None else message.document
    if document is None:
        raise UserError("error.opml")
    must_have_room(services, context.chat.id)
    # what Telegram says of the size is a hint: the download has the same limit
    if (document.file_size or 0) > MOST_BYTES:
        raise UserError("error.opml")
    found = await context.file(document.file_id, most=MOST_BYTES)
    if isinstance(found, Rejected):
        raise UserError("error.opml")
    body = content_of(found)
    if body is None:  # nothing was learnt of the file
        raise UserError("error.unexpected")
    try:
        listed = await services.own_feeds.listed(body)
    except SourceError:
        raise UserError("error.opml") from None
    most = services.settings.user_feeds
    if len(listed.feeds) > most:
        raise UserError("error.opml_many", n=len(listed.feeds), most=most)
    if not listed.feeds:
        raise UserError("error.opml")
    now, added = time.monotonic(), len(listed.feeds)
    before = _in_this_hour(services.feeds_listed, context.chat.id, now)
    if len(before) + added > LISTS_AN_HOUR * most:
        raise UserError("error.opml_often", most=LISTS_AN_HOUR * most)
    async with services.store.writing() as db:
        await follow(db, context, [(own_feed(*one), one[0].name) for one in listed.feeds])
    services.feeds_listed[context.chat.id] = [*before, *[now] * added]
    said = say("feeds.imported", context.language, n=len(listed.feeds), odd=listed.odd)
    await context.reply(said)


async def export(context: Context, kind: str) -> None:
    """Button `feeds:opml`: the chat's feeds as a file for feed readers, and for this bot."""
    if kind != "opml":
        raise UserError("error.stale")
    services = context.services
    async with services.store.reading() as db:
        mine = await storage.own_feeds.of_chat(db, context.chat.id, now=services.clock())
    if not mine:
        raise UserError("error.stale")
    content = write_opml((one.feed for one in mine), title=context.bot.username)
    file = File(
        field="document", content=content, filename="feeds.opml", content_type="text/x-opml"
    )
    parameters = {"chat_id": context.chat.id, "message_thread_id": context.thread}
    answer = Answer(method="sendDocument", parameters=parameters, file=file)
    if not isinstance(await context.send(answer), Sent):
        raise UserError("error.unexpected")
    await context.answer()


def own_feed(address: OwnAddress, name: str) -> OwnFeed:
    """A feed as it is stored first; without a name of its own it is called by its address."""
    return OwnFeed(
        key=address.key, url=address.url, channel=address.channel, name=name or address.name
    )


async def follow(db: Db, context: Context, new: list[tuple[OwnFeed, str]]) -> None:
    """Let a chat follow feeds; UserError beyond its quota, and then none of them.

    Beside each stands what it may be called where others follow it too.
    """
    now, chat = context.services.clock(), context.chat.id
    # in one order: two chats that bring one list would wait for each other
    for one, plain in sorted(new, key=lambda item: item[0].key):
        await storage.own_feeds.add(db, one, now=now)
        await storage.own_feeds.call(db, one, chat, plain=plain)
        await storage.chats.subscribe(db, chat, [str(FeedSubject(one.key))], now=now)
    most = context.services.settings.user_feeds
    if await storage.own_feeds.count(db, chat) > most:
        raise UserError("error.feed_many", most=most)


async def _must_be_few(db: Db, context: Context) -> None:
    most = context.services.settings.user_feeds
    if await storage.own_feeds.count(db, context.chat.id) >= most:
        raise UserError("error.feed_many", most=most)


def must_have_room(services: Services, chat: int) -> None:
    """UserError where the operator allows none, or the chat tried too many in this hour."""
    if services.settings.user_feeds == 0:
        raise UserError("error.feed_off")
    now = time.monotonic()
    tries = _in_this_hour(services.feed_tries, chat, now)
    if len(tries) >= ADDS_AN_HOUR:
        raise UserError("error.feed_often", most=ADDS_AN_HOUR)
    services.feed_tries[chat] = [*tries, now]


def _in_this_hour(times: LRUCache[int, list[float]], chat: int, now: float) -> list[float]:
    return [one for one in times.get(chat, ()) if one > now - HOUR]
