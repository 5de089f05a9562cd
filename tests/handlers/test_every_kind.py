"""Every kind of alert is sent, explained, muted and revised: through the store, the worker and an
emulated Telegram.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import update

import storage.alerts
import storage.chats
import storage.entries
import storage.own_feeds
import storage.rules
import storage.stories
from bot.alerts import KINDS, corrections, edits
from bot.alerts.answers import Answered
from bot.alerts.broadcasts import Broadcast
from bot.alerts.corrections import RateCorrected
from bot.alerts.digests import DigestDue
from bot.alerts.edits import StoryGrew
from bot.alerts.feeds import FeedBrought
from bot.alerts.greetings import GroupGreeted
from bot.alerts.moves import RateMoved
from bot.alerts.notices import Notice
from bot.alerts.rules import RuleFired
from bot.alerts.stories import StoryBroke
from bot.alerts.waited import WhatWaited
from bot.alerts.weeks import WeekDue
from bot.detect.moves import Moved
from bot.i18n import t
from bot.model.alerts import (
    EVERYBODY,
    About,
    Alert,
    Audience,
    Lane,
    Severity,
)
from bot.model.calls import Call
from bot.model.news import Verdict
from bot.model.own_feeds import OwnFeed
from bot.model.rules import Condition, Direction, Rule, RuleState
from bot.model.subjects import parse_subject
from bot.reasons import ChatNumber
from storage.entries import NewEntry
from storage.schema import delivery, subscription
from storage.schema import rule as rule_table
from tests.factories import entry, rate, seen_rate
from tests.handlers.conftest import NOW, RUSSIAN, World

#: The digest's hour is not now: the program would send it where a test lasts for seconds.
FOLLOWED = ["pair:USD/KGS", "topic:security", "digest:21:00@Asia/Bishkek", "feed:1"]
WEEKLY = "week:21:00@Asia/Bishkek"
MSGID = re.compile(r"\b[a-z]+\.[a-z_]+\b")
STALE = t("error.stale", "ru")
SECURITY = Verdict(
    security=True, score=1.0, severity=Severity.NOTABLE, topics=("security",), language="ru"
)
LEVEL = Rule(
    pair=rate().pair, condition=Condition.LEVEL, amount=Decimal(80), direction=Direction.UP
)
MOVED = Moved(
    baseline=rate(on="2021-10-19"),
    previous=rate(on="2021-10-19"),
    new=rate(),
    rules=("fixing",),
    usual=Decimal("0.1"),
)


@dataclass(frozen=True, slots=True)
class Sample:
    """An alert of one kind for the Russian reader: the alert that revises it once it was told,
    where one can; whether it has the button *Why?*, and with it *Mute* and *Snooze*; the kind of an
    alert that was told before, and whether it edits that one's message, or gathers it with others.
    """

    payload: Callable[[int], Any]
    audience: Audience
    revised: Callable[[int], Alert] | None = None
    explained: bool = False
    silenced: bool = True
    after: str | None = None
    edits: bool = False
    gathers: bool = False


def _correction(told: int) -> Alert:
    return corrections.alert(told, rate(), seen_rate(value="85.5", revision=1), now=NOW)


def _edit(told: int) -> Alert:
    return edits.alert(told, "a better headline", now=NOW, expires_at=NOW + timedelta(hours=1))


#: `first` is an alert that was told before: a story's for an edit, a move's for a correction.
SAMPLES = {
    "move": Sample(
        lambda _: RateMoved(MOVED),
        Audience(subscription=FOLLOWED[0]),
        _correction,
        explained=True,
    ),
    "rule": Sample(
        lambda _: RuleFired(number=1, rule=LEVEL, move=MOVED.headline),
        Audience(chat=RUSSIAN),
        _correction,
        explained=True,
    ),
    "correction": Sample(
        lambda first: RateCorrected(told=first, old=rate(), new=rate(value="85.5")),
        Audience(chat=RUSSIAN),
        after="move",
    ),
    "story": Sample(
        lambda _: StoryBroke(story=1, topics=("security",)),
        Audience(subscription=FOLLOWED[1]),
        _edit,
        explained=True,
    ),
    "edit": Sample(
        lambda first: StoryGrew(told=first), Audience(chat=RUSSIAN), after="story", edits=True
    ),
    "feed": Sample(
        lambda _: FeedBrought(feed="1", name="Лента", title="Мост закрыт", text="На неделю."),
        Audience(subscription=FOLLOWED[3]),
        explained=True,
    ),
    "waited": Sample(
        lambda _: WhatWaited(hours="23:00-07:00"),
        Audience(chat=RUSSIAN),
        explained=True,
        silenced=False,
        after="move",
        gathers=True,
    ),
    "digest": Sample(
        lambda _: DigestDue(day=date(2021, 10, 20)), Audience(subscription=FOLLOWED[2])
    ),
    "greeting": Sample(lambda _: GroupGreeted(), Audience(chat=RUSSIAN)),
    "week": Sample(lambda _: WeekDue(first=date(2021, 10, 18)), Audience(subscription=WEEKLY)),
    "notice": Sample(
        lambda _: Notice.of("notice.gone", {"chat": ChatNumber(1)}),
        Audience(chat=RUSSIAN),
    ),
    "broadcast": Sample(lambda _: Broadcast(text="Завтра тихо"), Audience(subscription=EVERYBODY)),
    "answer": Sample(
        lambda _: Answered(call=Call(method="sendMessage", parameters={"text": "Ответ"})),
        Audience(chat=RUSSIAN),
    ),
}


def test_every_kind_has_a_sample_here() -> None:
    """A new kind is sent, explained, muted and revised below, or this says that it is not: a board
    and its pin, which no reader is told, are tried where boards are, and the question to a
    channel's owner where policies are; the edit of a digest where edits are.
    """
    assert SAMPLES.keys() | {"asked", "board", "digest_edit", "pin"} == KINDS.keys()


async def settled(world: World) -> None:
    """A Russian reader who follows all there is, with a rule and a story."""
    await world.ask("/start", chat=RUSSIAN)
    async with world.bot.store.writing() as db:
        await storage.chats.change(db, RUSSIAN, language="ru")
        await storage.chats.subscribe(db, RUSSIAN, [*FOLLOWED, WEEKLY], now=NOW - timedelta(days=1))
        number = await storage.rules.propose(db, RUSSIAN, rate().series, LEVEL, now=NOW)
        proposed = await storage.rules.get(db, RUSSIAN, number, pending=True)
        assert proposed is not None
        await storage.rules.save(db, proposed, RuleState())
        await storage.stories.add_story(db, at=NOW, verdict=SECURITY)
        own = OwnFeed(key="1", url="https://example.org/rss.xml", name="Лента")
        await storage.own_feeds.add(db, own, now=NOW)
    world.bot.services.chats.pop(RUSSIAN, None)
    await reported(world, "one")


async def reported(world: World, feed: str) -> None:
    """One more agency reports the story."""
    item = entry(title="Взрыв у границы", summary="Погранслужба проверяет.", language="ru")
    new = NewEntry(feed=feed, item=item, at=NOW, link_key=None, title_key="blast", verdict=SECURITY)
    async with world.bot.store.writing() as db:
        await storage.entries.add_entry(db, new, story_pk=1, now=NOW)


async def told(world: World, new: Alert, *, gathers: int | None = None) -> int:
    """Enqueue and send one, which tells what it gathers together with others; its number."""
    async with world.bot.store.writing() as db:
        pk = await storage.alerts.enqueue(db, new)
        within = update(delivery).where(delivery.c.alert_id == gathers).values(within=pk)
        await db.execute(within)
    assert pk is not None
    world.bot.worker.wake()
    await world.done()
    return pk


def last(world: World) -> dict[str, Any]:
    """The newest message of the reader's chat."""
    return dict(world.emulator.messages(RUSSIAN)[-1])


def an_alert(payload: Any, audience: Audience, key: str = "key") -> Alert:
    return Alert(
        dedup_key=key,
        payload=payload,
        severity=Severity.NOTABLE,
        lane=Lane.ALERT,
        audience=audience,
        created_at=NOW,
        expires_at=NOW + timedelta(hours=1),
    )


async def following(world: World) -> list[Any]:
    """The rows that mute and snooze may change."""
    return [await world.stored(table) for table in (subscription, rule_table)]


@pytest.mark.parametrize("name", sorted(SAMPLES))
async def test_a_kind_is_sent_explained_muted_and_revised(world: World, name: str) -> None:
    """In the reader's language, by the buttons its message has; what it has no button for is
    answered as such.
    """
    await settled(world)
    sample, kind = SAMPLES[name], KINDS[name]
    first = 0
    if sample.after is not None:
        of = SAMPLES[sample.after]
        first = await told(world, an_alert(of.payload(0), of.audience, "first"))
        await reported(world, "two")
    new = an_alert(sample.payload(first), sample.audience)
    pk = await told(world, new, gathers=first if sample.gathers else None)
    message = last(world)
    number, text, buttons = (
        message["message_id"],
        message["text"],
        str(message.get("reply_markup", "")),
    )
    assert text
    assert not MSGID.search(text), text
    assert ("edit_date" in message) == sample.edits
    replies = sample.after is not None and not sample.edits and not sample.gathers
    assert ("reply_to_message" in message) == replies
    asked = first if sample.edits else pk  # an edited message keeps its buttons

    async with world.bot.store.reading() as db:
        stored = await storage.alerts.get(db, pk)
    assert stored is not None
    figure = kind.rate(stored)
    assert (figure is not None) == (sample.revised is _correction)
    if figure is not None:  # by that the poll finds it, when the figure is revised
        assert new.payload.about == About.rate(figure)
    subject = kind.subject(stored, new.audience)
    explained = sample.explained
    assert (f"why:{asked}" in buttons) == (explained or sample.edits)
    said = await world.press(RUSSIAN, number, f"why:{pk}")
    assert (said == STALE) == (not explained), said
    if explained:
        why = await world.emulator.wait_message(
            RUSSIAN, lambda one: one["message_id"] > number, timeout=20
        )
        assert why["reply_to_message"]["message_id"] == number
        assert not re.search(
            r"(?<![/\w])[A-Za-z]{2,}", why["text"].replace("USD/KGS", "").replace("– one", "")
        ), why["text"]

    silenced = explained and sample.silenced
    before = await following(world)
    for verb, back in (("mute", "unmute"), ("snooze", "unsnooze")):
        assert (f"{verb}:{asked}" in buttons) == (silenced or sample.edits)
        said = await world.press(RUSSIAN, number, f"{verb}:{pk}")
        assert (said == STALE) == (not silenced), (verb, said)
        assert (await following(world) != before) == silenced
        undo = f"{back}:{pk}"
        if silenced:  # the button changes a moment after its press was answered
            await world.emulator.wait_message(
                RUSSIAN,
                lambda one, undo=undo: (
                    one["message_id"] == number and undo in str(one.get("reply_markup", ""))
                ),
                timeout=20,
            )
        else:
            assert undo not in str(world.emulator.messages(RUSSIAN))
        await world.press(RUSSIAN, number, f"{back}:{pk}")
    if silenced:
        assert parse_subject(str(subject)) == subject

    if sample.revised is not None:
        await reported(world, "three")
        revision = sample.revised(pk)
        await told(world, revision)
        if SAMPLES[revision.payload.KIND].edits:
            (revised,) = [
                one for one in world.emulator.messages(RUSSIAN) if one["message_id"] == number
            ]
            assert "edit_date" in revised
        else:
            assert last(world)["reply_to_message"]["message_id"] == number
