"""/digest: today's digest now, or its daily hours."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, time
from zoneinfo import ZoneInfo

from telegram import Update

import storage.chats
import storage.filters
from bot.convert import says_off
from bot.convert.quiet import read_hours
from bot.errors import UserError
from bot.i18n import name_of, t
from bot.model.chats import Chat
from bot.model.subjects import (
    MOST_DIGESTS,
    DigestSubject,
    WeekSubject,
    bases_of,
    digests_of,
    topics_of,
    weeks_of,
)
from bot.readers.digest import day_digest
from bot.render import digest as render
from bot.render import subscriptions as menus
from bot.render.answers import say
from bot.render.settings import BACK
from bot.render.text import Button, Message
from handlers.context import Context
from handlers.services import Services
from storage.db import Db

EXAMPLE = "/digest 08:30 20:00"
WHEN = "digest:when"  # what the button below a digest sends
OFF = "off"
USUAL_HOUR = time(9)  # of the summary of a week, where no digest comes


async def digest(_update: Update, context: Context) -> None:
    """/digest · /digest 8:30 20:00 · /digest off."""
    said = " ".join(context.words).strip().lower()
    if said:
        await context.reply(await _kept(context, times_or_off(said)))
        return
    shown = await of_today(context.services, context.chat)
    when = Button(t("button.digest_hours", context.language), WHEN)
    await context.reply(replace(shown, buttons=((when,),)))


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
            codes=bases_of(keys, chat.home, order=chat.currencies),
            order=chat.currencies,
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
        zone=chat.time_zone,
    )


async def pressed(context: Context, hour: str) -> None:
    """Button `hour:0800` or `hour:off`: the daily hour that /start offers."""
    times = [] if hour == OFF else [_pressed_time(hour)]
    kept = await _kept(context, times)
    await context.edit(menus.onward(kept, context.language))
    await context.answer()


async def opened(context: Context, _when: str) -> None:
    """Button `digest:when`: the hours, below the digest that was read."""
    await context.answer()
    await context.reply(await hours(context))


async def toggled(context: Context, hour: str) -> None:
    """Button `at:0800`: a digest at that hour, or no more; `at:off`: at none."""
    at = None if hour == OFF else _pressed_time(hour)
    old = await _times(context)
    times: set[time] = set()
    if at is not None:
        times = old ^ {at}
    await _keep(context, times)
    await context.edit(await hours(context, back=BACK if context.has_button(BACK) else ""))
    await context.answer(say("settings.saved", context.language).text)


async def hours(context: Context, *, back: str = "") -> Message:
    """The chat's hours of digests, and taps for others."""
    async with context.services.store.reading() as db:
        keys = await storage.chats.subscriptions(db, context.chat.id)
    times, week = {one.at for one in digests_of(keys)}, week_of(keys)
    return menus.hours(times, context.language, example=EXAMPLE, week=week, back=back)


async def week_pressed(context: Context, how: str) -> None:
    """Buttons `week:on` and `week:off`: the summary of the week, below the hours of digests."""
    await switch_week(context, context.chat, how)
    await context.edit(await hours(context, back=BACK if context.has_button(BACK) else ""))
    await context.answer(say("settings.saved", context.language).text)


async def switch_week(context: Context, chat: Chat, how: str) -> None:
    """A chat's summary of the week, on or off; UserError for neither."""
    if how not in {"on", OFF}:
        raise UserError("error.stale")
    services = context.services
    async with services.store.writing() as db:
        keys = await storage.chats.subscriptions(db, chat.id)
        mine = weeks_of(keys)
        if how == OFF:
            await storage.chats.unsubscribe(db, chat.id, map(str, mine))
        elif not mine:
            week = WeekSubject(_week_hour(keys), chat.time_zone)
            await storage.chats.subscribe(db, chat.id, [str(week)], now=services.clock())


def week_of(keys: Sequence[str]) -> time | None:
    """At which hour of Monday the summary of the week comes; None where none does."""
    return min((one.at for one in weeks_of(keys)), default=None)


def _week_hour(keys: Sequence[str]) -> time:
    """The first hour of a chat's digests, or where it has none a usual one."""
    return min((one.at for one in digests_of(keys)), default=USUAL_HOUR)


async def settle_week(db: Db, chat_id: int, zone: str) -> None:
    """Let a chat's summary of the week come at the hour, and in the zone, that its digests have."""
    keys = await storage.chats.subscriptions(db, chat_id)
    wanted = WeekSubject(_week_hour(keys), zone)
    mine = weeks_of(keys)
    if not mine:
        return
    kept = wanted if wanted in mine else mine[0]
    await storage.chats.unsubscribe(db, chat_id, [str(one) for one in mine if one != kept])
    if kept != wanted:
        await storage.chats.follow_instead(db, chat_id, str(kept), str(wanted))


def _pressed_time(hour: str) -> time:
    """The time in a button's data, "0830"; UserError for anything else."""
    at = time_of(hour)
    if at is None:
        raise UserError("error.stale")
    return at


def time_of(packed: str) -> time | None:
    """The time of day that a button carries so: "0830"; None for anything else."""
    if len(packed) != len("0830") or not (packed.isascii() and packed.isdecimal()):
        return None
    hour, minute = int(packed[:2]), int(packed[2:])
    if hour > 23 or minute > 59:
        return None
    return time(hour, minute)


def times_or_off(said: str) -> list[time]:
    """The times of day that somebody names, none for a word for none; UserError for neither."""
    if says_off(said):
        return []
    times = read_hours(said)
    if not times:
        raise UserError("error.time", text=said[:20], example=EXAMPLE)
    return times


async def with_more(context: Context, said: str) -> str:
    """The chat's digest hours and those that are named: nobody who only looked loses any."""
    times = times_or_off(said)
    if not times:
        return OFF
    return " ".join(f"{at:%H:%M}" for at in sorted(await _times(context) | set(times)))


async def _times(context: Context) -> set[time]:
    async with context.services.store.reading() as db:
        keys = await storage.chats.subscriptions(db, context.chat.id)
    return {one.at for one in digests_of(keys)}


async def _kept(context: Context, times: Collection[time]) -> Message:
    """Keep the chat's hours, and say which they are and which are no more."""
    gone = await _times(context) - set(times)
    await _keep(context, times)
    return menus.hours_kept(times, gone, context.language, awake=context.chat.active)


async def _keep(context: Context, times: Collection[time]) -> None:
    """Set the chat's daily hours; those that stay keep their age."""
    services, chat = context.services, context.chat
    async with services.store.writing() as db:
        old = digests_of(await storage.chats.subscriptions(db, chat.id))
        given_up = [str(one) for one in old if one.at not in times]
        await storage.chats.unsubscribe(db, chat.id, given_up)
        # what is followed already stays as old as it is: the day's digest may be on its way
        new = set(times) - {one.at for one in old}
        must_fit(times, new)
        wanted = [str(DigestSubject(at, chat.time_zone)) for at in sorted(new)]
        await storage.chats.subscribe(db, chat.id, wanted, now=services.clock())
        await settle_week(db, chat.id, chat.time_zone)


def must_fit(times: Collection[time], new: Collection[time]) -> None:
    """UserError where `new` hours would make more digests a day than a chat may have."""
    if new and len(times) > MOST_DIGESTS:
        raise UserError("error.digests", most=MOST_DIGESTS)


async def move(db: Db, chat_id: int, zone: str, *, now: datetime) -> None:
    """Let a chat's digests keep their hour of the day in another time zone."""
    # a digest's zone is a part of its key: with another zone it is another subscription
    old = digests_of(await storage.chats.subscriptions(db, chat_id))
    await storage.chats.unsubscribe(db, chat_id, map(str, old))
    moved = [str(replace(one, zone=zone)) for one in old]
    await storage.chats.subscribe(db, chat_id, moved, now=now)
    await settle_week(db, chat_id, zone)
