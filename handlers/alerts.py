"""The buttons under an alert: why it was told; its subject muted, or silent for some hours.

What they act on is the alert's subject, whatever its kind: what a chat follows, or a rule of its
own.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import singledispatch
from typing import Protocol

import storage.alerts
import storage.chats
import storage.deliveries
import storage.joined
import storage.own_feeds
import storage.rules
from bot.alerts import KINDS, Kit, Reader, kind_of
from bot.errors import UserError
from bot.i18n import clock
from bot.model.alerts import Approval
from bot.model.own_feeds import OwnFeed
from bot.model.subjects import (
    DigestSubject,
    FeedSubject,
    PairSubject,
    RuleSubject,
    Subject,
    TopicSubject,
    WeekSubject,
)
from bot.render import alerts as render
from bot.render.answers import say
from bot.render.news import topic_name
from bot.render.rules import condition
from bot.render.rules import words as rule_words
from bot.render.text import Button
from bot.sources.own import OwnAddress
from handlers import feeds, rules
from handlers.context import Context
from handlers.numbers import number_of
from storage.alerts import StoredAlert
from storage.db import Db
from storage.rules import StoredRule

SNOOZE = timedelta(hours=8)  # a night, or a day at work


class Followed(Protocol):
    """A subject as this chat follows it: what the buttons under its alerts can do to it."""

    @property
    def name(self) -> str:
        """The subject in a sentence."""

    def button(self, alert: int, language: str, *, muted: bool) -> Button:
        """The button that mutes it; once it is `muted`, the one that takes that back."""

    async def rests_until(self, db: Db) -> datetime | None:
        """The end of its silence; None where it is not silent."""

    def muted(self, language: str) -> str:
        """The words that say that it is muted."""

    async def mute(self, db: Db) -> None:
        """Let it be silent until it is wanted again."""

    async def unmute(self, db: Db, context: Context) -> None:
        """Follow it again, from now on."""

    async def snooze(self, db: Db, *, until: datetime | None) -> bool:
        """Let it be silent until a time, with None no longer; False when nobody follows it."""


@dataclass(frozen=True, slots=True)
class Subscribed:
    """A subject that a chat subscribes to, as the buttons under an alert act on it."""

    chat: int
    key: str
    name: str
    called: str  # on a button: as short as it can be said
    now: datetime

    async def rests_until(self, db: Db) -> datetime | None:
        """The subscription's rest, by the database's clock."""
        state = await storage.chats.following(db, self.chat, self.key)
        return None if state is None else state.snoozed_until

    def button(self, alert: int, language: str, *, muted: bool) -> Button:
        """Its name behind what the button does."""
        return render.mute_button(alert, self.called, language, muted=muted)

    def muted(self, language: str) -> str:
        """The answer that it is not followed any more, and how to follow it again."""
        return say("mute.done", language, what=self.name).text

    async def mute(self, db: Db) -> None:
        """End the subscription."""
        await storage.chats.unsubscribe(db, self.chat, [self.key])

    async def unmute(self, db: Db, context: Context) -> None:  # noqa: ARG002 - needs the store alone
        """Subscribe again."""
        await storage.chats.subscribe(db, self.chat, [self.key], now=self.now)

    async def snooze(self, db: Db, *, until: datetime | None) -> bool:
        """The subscription rests, by the database's clock."""
        span = None
        if until is not None:
            span = until - self.now
        return await storage.chats.snooze(db, self.chat, self.key, span=span)


@dataclass(frozen=True, slots=True)
class OwnFeedHere(Subscribed):
    """A feed that a chat added itself."""

    feed: OwnFeed

    async def unmute(self, db: Db, context: Context) -> None:
        """Add it again: it counts for the quota, and what it brought meanwhile is no news."""
        plain = OwnAddress(url=self.feed.url, channel=self.feed.channel).name
        await feeds.follow(db, context, [(self.feed, plain)])

    async def snooze(self, db: Db, *, until: datetime | None) -> bool:
        """The subscription rests; UserError where it is paused, which lasts longer than a rest."""
        rests = await self.rests_until(db)
        if until is not None and rests is not None and rests > until:
            raise UserError("error.stale")
        # by its name: a class with slots is made twice, and `super` knows the first
        return await Subscribed.snooze(self, db, until=until)


class Topic(Subscribed):
    """A topic that a chat subscribes to."""

    def button(self, alert: int, language: str, *, muted: bool) -> Button:
        """The button that ends the subscription; "switch off: security" would say another thing."""
        return render.topic_button(alert, language, left=muted)


@dataclass(frozen=True, slots=True)
class OwnRule:
    """A rule of the chat's own."""

    stored: StoredRule
    name: str
    now: datetime
    called: str = ""  # on a button, where it is told with others

    async def rests_until(self, db: Db) -> datetime | None:
        """The rule's rest: one that was put to sleep sleeps on, paused or not."""
        return await storage.rules.rests_until(db, self.stored.id, now=self.now)

    def button(self, alert: int, language: str, *, muted: bool) -> Button:
        """The button that pauses the rule: the currency goes on being told of."""
        return render.pause_button(alert, language, paused=muted, what=self.called)

    def muted(self, language: str) -> str:
        """The answer that the rule is paused."""
        return say("rule.paused", language, rule=self.name).text

    async def mute(self, db: Db) -> None:
        """Pause the rule."""
        await storage.rules.pause(db, self.stored.id, paused=True)

    async def unmute(self, db: Db, context: Context) -> None:
        """Let the rule begin anew: what happened while it rested is no news."""
        await rules.resume(context, db, self.stored)

    async def snooze(self, db: Db, *, until: datetime | None) -> bool:
        """Let the rule rest; True, since it is there."""
        await storage.rules.snooze(db, self.stored.id, until=until)
        return True


@singledispatch
async def followed(_subject: object, _db: Db, _context: Context) -> Followed:
    """The subscription or rule that an alert's buttons act on, in words of the chat's language.

    UserError where there is none. The functions for further kinds of subjects are registered below.
    """
    raise UserError("error.stale")


@followed.register(PairSubject)
async def _pair(subject: PairSubject, _db: Db, context: Context) -> Followed:
    """A pair is called by its currency, as the switch is that follows it."""
    return _subscribed(subject, context, name=subject.pair.base, button=subject.pair.base)


@followed.register(TopicSubject)
async def _topic(subject: TopicSubject, _db: Db, context: Context) -> Followed:
    name = topic_name(subject.topic, context.language)
    now = context.services.clock()
    return Topic(context.chat.id, str(subject), name=name, called=name, now=now)


@followed.register(FeedSubject)
async def _feed(subject: FeedSubject, db: Db, context: Context) -> Followed:
    """A feed that readers added, by the name that it gives itself."""
    stored = await storage.own_feeds.get(db, subject.feed)
    if stored is None:  # nobody follows it any more
        raise UserError("error.stale")
    return OwnFeedHere(
        *(context.chat.id, str(subject)),
        name=stored.name,
        called=stored.name[:24],
        now=context.services.clock(),
        feed=stored,
    )


@followed.register(RuleSubject)
async def _rule(subject: RuleSubject, db: Db, context: Context) -> Followed:
    """A rule in words; never another chat's."""
    stored = await storage.rules.get(db, context.chat.id, subject.rule)
    if stored is None:
        raise UserError("error.stale")
    name = rule_words(stored.rule, context.language)
    return OwnRule(stored, name=name, now=context.services.clock())


@followed.register(DigestSubject)
@followed.register(WeekSubject)
async def _digest(_subject: DigestSubject | WeekSubject, _db: Db, _context: Context) -> Followed:
    """A digest comes when it was asked for: /digest changes that, no button does."""
    raise UserError("error.stale")


def _subscribed(subject: Subject, context: Context, *, name: str, button: str) -> Subscribed:
    now = context.services.clock()
    return Subscribed(context.chat.id, str(subject), name=name, called=button, now=now)


def lacking_subjects(kinds: Iterable[type[Subject]]) -> list[str]:
    """The kinds of subject of which nobody says what the buttons do, a sentence each."""
    found: list[str] = []
    for kind in kinds:
        if followed.dispatch(kind) is followed.dispatch(object):
            found.append(f"subject {kind.KIND}: handlers/alerts.py lacks what its buttons act on")
    return found


async def why(context: Context, alert: str) -> None:
    """Button `why:<alert>`: how this alert came about."""
    chat = context.chat
    async with context.services.store.reading() as db:
        told = await _told(db, context, alert)
        audience = await storage.alerts.audience(db, told.id)
        approval = await storage.alerts.approval(db, told.id)
        if approval not in {None, Approval.APPROVED}:
            raise UserError("error.stale")  # nobody was told of it
        if audience is None or audience.chat not in {None, chat.id}:
            # a group's that became a supergroup since, or another chat's
            await _followed(db, context, told)
        reader = Reader(
            chat=chat.id,
            language=context.language,
            style=chat.style,
            home=chat.home,
            time_zone=chat.time_zone,
        )
        message = await kind_of(told).why(
            Kit(db=db, catalog=context.services.catalog, kinds=KINDS), told, reader
        )
    if message is None:
        raise UserError("error.stale")  # there is no such button under it
    await context.answer()
    await context.reply(message, to_it=True)


async def snooze(context: Context, alert: str) -> None:
    """Button `snooze:<alert>`: silence about its subject, and about what was told with it; the
    button then says until when.
    """
    until = context.services.clock() + SNOOZE
    async with context.services.store.writing() as db:
        subjects = await _all_followed(db, context, await _told(db, context, alert))
        followed = [await one.snooze(db, until=until) for one in subjects]
    if not any(followed):
        await _say_muted(context, subjects[0])
        return
    at = clock(until, context.chat.time_zone)
    await context.answer(say("snooze.done", context.language, time=at).text)
    await context.switch(
        render.snooze_button(int(alert), context.language, until=at), f"snooze:{alert}"
    )


async def unsnooze(context: Context, alert: str) -> None:
    """Button `unsnooze:<alert>`: silent no longer."""
    async with context.services.store.writing() as db:
        for subject in await _all_followed(db, context, await _told(db, context, alert)):
            await subject.snooze(db, until=None)
    await context.answer(say("snooze.undone", context.language).text)
    await context.switch(render.snooze_button(int(alert), context.language), f"unsnooze:{alert}")


async def mute(context: Context, alert: str) -> None:
    """Button `mute:<alert>`: its subject is silent; the button then takes that back."""
    async with context.services.store.writing() as db:
        subject = await _followed(db, context, await _told(db, context, alert))
        await subject.mute(db)
    await _say_muted(context, subject)
    await context.switch(subject.button(int(alert), context.language, muted=True), f"mute:{alert}")


async def unmute(context: Context, alert: str) -> None:
    """Button `unmute:<alert>`: its subject is followed again from now on.

    What was told with it may still be silent: then it is, too, as the button of that says.
    """
    async with context.services.store.writing() as db:
        told = await _told(db, context, alert)
        subject = await _followed(db, context, told)
        await subject.unmute(db, context)
        first = await storage.joined.carrier(db, told.id, context.chat.id)
        until = await _quiet_until(db, context, first)
        if until is not None:
            await subject.snooze(db, until=until)
    language = context.language
    said = say("rule.resumed", language, rule=subject.name).text
    if until is not None:
        at = clock(until, context.chat.time_zone)
        said = say("rule.resumed_quiet", language, rule=subject.name, time=at).text
    await context.answer(said)
    await context.switch(subject.button(int(alert), language, muted=False), f"unmute:{alert}")
    if until is None:
        await context.switch(render.snooze_button(first, language), f"unsnooze:{first}")


async def _quiet_until(db: Db, context: Context, alert: int) -> datetime | None:
    """The last end of silence among the subjects that an alert told; None where none is silent."""
    until: datetime | None = None
    for subject in await _all_followed(db, context, await _told(db, context, str(alert))):
        rests = await subject.rests_until(db)
        if rests is not None and (until is None or rests > until):
            until = rests
    return until


async def _say_muted(context: Context, subject: Followed) -> None:
    await context.answer(subject.muted(context.language), alert=True)


async def _told(db: Db, context: Context, alert: str) -> StoredAlert:
    """An alert that a button names. UserError for none, and for one about a feed that only other
    chats added: anybody can make up a number, and an address may be a secret.
    """
    told = await storage.alerts.get(db, number_of(alert))
    if told is None:
        raise UserError("error.stale")
    audience, chat = await storage.alerts.audience(db, told.id), context.chat.id
    subject = None if audience is None else kind_of(told).subject(told, audience)
    # who muted it follows it no more, and was told
    if (
        isinstance(subject, FeedSubject)
        and await storage.chats.following(db, chat, str(subject)) is None
        and not await storage.deliveries.was_made(db, told.id, chat)
    ):
        raise UserError("error.stale")
    return told


async def _followed(db: Db, context: Context, told: StoredAlert) -> Followed:
    """The subscription or rule under an alert; UserError where there is none, or another chat's."""
    audience = await storage.alerts.audience(db, told.id)
    if audience is None:
        raise UserError("error.stale")
    found = await followed(kind_of(told).subject(told, audience), db, context)
    if isinstance(found, OwnRule) and await storage.joined.rules_beside(
        db, told.id, context.chat.id
    ):
        return replace(found, called=condition(found.stored.rule, context.language))
    return found


async def _all_followed(db: Db, context: Context, told: StoredAlert) -> list[Followed]:
    """The same of all alerts told in one message; one that is gone is left out beside others."""
    found: list[Followed] = []
    for number in (told.id, *await storage.joined.parts(db, told.id, context.chat.id)):
        with suppress(UserError):
            found.append(await _followed(db, context, await _told(db, context, str(number))))
    if not found:
        raise UserError("error.stale")
    return found
