"""/digest: today's digest now, or its daily time."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, time
from zoneinfo import ZoneInfo

from telegram import Update

import storage.chats
import storage.filters
from bot.convert import says_off
from bot.errors import UserError
from bot.i18n import name_of
from bot.model.chats import Chat
from bot.model.subjects import DigestSubject, bases_of, digests_of, topics_of
from bot.readers.digest import day_digest
from bot.render import digest as render
from bot.render.answers import say
from bot.render.text import Message
from handlers.context import Context
from handlers.services import Services
from storage.db import Db

EXAMPLE = "/digest 09:00"
# 9:00, 09.00; a digest has no seconds
_TIME = re.compile(r"([01]?\d|2[0-3])[:.]([0-5]\d)")


async def digest(_update: Update, context: Context) -> None:
    """/digest · /digest 09:00 · /digest off."""
    said = " ".join(context.words).strip().lower()
    if said:
        await context.reply(await _keep(context, time_or_off(said)))
        return
    await context.reply(await of_today(context.services, context.chat))


async def of_today(services: Services, chat: Chat) -> Message:
    """The digest of a chat as it stands now."""
    day = services.clock().astimezone(ZoneInfo(chat.time_zone)).date()
    async with services.store.reading() as db:
        keys = await storage.chats.subscriptions(db, chat.id)
        filters = await storage.filters.of_chat(db, chat.id)
        found = await day_digest(
            db,
            services.catalog,
            day=day,
            home=chat.home,
            zone=chat.time_zone,
            language=chat.language,
            codes=bases_of(keys, chat.home),
            topics=topics_of(keys),
            filters=filters,
            chat=chat.id,
        )
    names: dict[str, str] = {}
    if found.source:  # none on a day without rates
        names = dict(services.catalog.rates[found.source].names)
    return render.digest(
        found.rates,
        found.story,
        chat.style,
        chat.language,
        day,
        source_name=name_of(names, chat.language),
        feed_names=services.catalog.feed_names,
        following=found.following,
        left_out=found.left_out,
    )


async def pressed(context: Context, hour: str) -> None:
    """Button `hour:0800` or `hour:off`: the daily time that /start offers."""
    at = None
    if hour != "off":
        at = time_of(f"{hour[:2]}:{hour[2:]}")
    if at is None and hour != "off":
        raise UserError("error.stale")
    said = await _keep(context, at)
    await context.edit(said)
    await context.answer()


def time_of(said: str) -> time | None:
    """The time of day that is written so; None for anything else."""
    match = _TIME.fullmatch(said)
    if match is None:
        return None
    return time(int(match[1]), int(match[2]))


def time_or_off(said: str) -> time | None:
    """The time of day that somebody names, None for none; UserError when it is neither."""
    at = time_of(said)
    if at is None and not says_off(said):
        raise UserError("error.time", text=said[:20], example=EXAMPLE)
    return at


async def _keep(context: Context, at: time | None) -> Message:
    """The chat's daily time from now on, or none, and the word that it is so."""
    services, chat = context.services, context.chat
    async with services.store.writing() as db:
        # one daily time a chat; several are for the catalog's channels
        old = digests_of(await storage.chats.subscriptions(db, chat.id))
        await storage.chats.unsubscribe(db, chat.id, map(str, old))
        if at is not None:
            await storage.chats.subscribe(
                db, chat.id, [str(DigestSubject(at, chat.time_zone))], now=services.clock()
            )
    if at is None:
        return say("digest.off", context.language)
    return say("digest.time_set", context.language, time=at)


async def move(db: Db, chat_id: int, zone: str, *, now: datetime) -> None:
    """Let a chat's digests keep their hour of the day in another time zone."""
    # a digest's zone is a part of its key: with another zone it is another subscription
    old = digests_of(await storage.chats.subscriptions(db, chat_id))
    await storage.chats.unsubscribe(db, chat_id, map(str, old))
    moved = [str(replace(one, zone=zone)) for one in old]
    await storage.chats.subscribe(db, chat_id, moved, now=now)
