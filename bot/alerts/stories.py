"""A story that broke, told to those who follow security."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Self

import storage.places
import storage.stories
from bot.alerts.kind import Brief, Kind, Kit, Reader, followed
from bot.detect.corrections import is_taken_back, mending
from bot.detect.endings import ending
from bot.i18n import name_of, t
from bot.model.alerts import About, Alert, Audience, Lane, Payload, Severity, Terms
from bot.model.chats import Post, Style
from bot.model.hazards import Hazard
from bot.model.news import Mending, StoredEntry, Story
from bot.model.subjects import SECURITY, Subject
from bot.readers.news import as_worded
from bot.reasons import Reason
from bot.render import hazards, outcomes
from bot.render.alerts import MUTED_TEXTS, snooze_button, topic_button, why_button
from bot.render.buttons import rows_of
from bot.render.news import (
    URGENT_MARK,
    Names,
    body,
    headline,
    open_button,
    pictured,
    reporters,
    share_story,
    title,
    told,
    topic_name,
)
from bot.render.phrases import counted, phrase, when
from bot.render.reasons import said
from bot.render.text import Button, Message, Rich, Rows, bold, join, lines, link, message, one_line
from bot.sources.hazards import measured
from bot.sources.standing import led
from storage.alerts import StoredAlert

LASTS = timedelta(hours=6)
REPORTS_NAMED = 10  # reports that a *Why?* lists


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryBroke(Payload):
    """A new story worth telling; the words are read from the archive when it is sent."""

    KIND = "story"
    VERSION = 2  # 1 answered nothing
    POST = Post.STORIES
    TERMS = Terms(graded=True)

    story: int
    topics: tuple[str, ...]
    #: The alert that told the story before it got worse; this one replies to its message.
    answers: int | None = None

    @property
    def about(self) -> About:
        """The story: whether it was withheld is asked of its alerts."""
        return About(story=self.story)

    def to_json(self) -> dict[str, Any]:
        """Version 2 of the stored form."""
        topics = list(self.topics)
        return {"v": self.VERSION, "story": self.story, "topics": topics, "answers": self.answers}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read any version we ever wrote."""
        answers = data.get("answers")  # version 1 answered nothing
        return cls(story=data["story"], topics=tuple(data["topics"]), answers=answers)


class Stories(Kind):
    """A story that broke."""

    payload = StoryBroke
    texts = (
        *MUTED_TEXTS,
        *hazards.TEXTS,
        "news.sources",
        *outcomes.TEXTS,
        "news.read_on",
        "button.open",
        "button.less",
        "button.unsubscribe",
        "button.subscribe",
        "why.story",
        "why.topics",
        "why.all",
        "why.near",
        "wakes.all",
        "why.tune",
    )

    async def words(self, kit: Kit, told: StoredAlert, reader: Reader) -> Message | None:
        """The headline, as much text as the style tells, and who reports it."""
        broke = StoryBroke.read(told.payload)
        found = await storage.stories.get(kit.db, broke.story)
        if found is None:
            return None
        mine = led(found, kit.catalog.news)
        return story(
            mine,
            alert=told.id,
            style=reader.style,
            language=reader.language,
            feed_names=kit.catalog.feed_names,
            severity=told.severity,
            channel=reader.channel,
            bot=kit.bot,
            measured=measured(found, kit.catalog.news),
            worse=broke.answers is not None,
            over=ending(found),
            mended=mending(mine),
            zone=reader.time_zone,
        )

    async def published_at(self, kit: Kit, told: StoredAlert) -> datetime | None:
        """The publication of the last report before it: the one by which it broke, or got worse, or
        by which it came through filters.
        """
        found = await storage.stories.get(kit.db, StoryBroke.read(told.payload).story)
        if found is None:
            return None
        published: list[datetime] = []
        since = told.grew_at or told.created_at
        for report in found.entries:
            at = report.entry.published_at
            if at is not None and not report.entry.day_only and at <= since:
                published.append(at)
        return max(published, default=None)

    async def why(self, kit: Kit, told: StoredAlert, reader: Reader) -> Message | None:
        """Its severity, its topics, the reasons, who reported it and when."""
        broke = StoryBroke.read(told.payload)
        found = await storage.stories.get(kit.db, broke.story)
        near = await _near(kit, told, reader)
        if found is None:
            # the story is gone; why it was told stands with its alert
            return why_story(told.severity, told.reasons, reader.language, near=near)
        # the reasons name stems: what this reader sees of them stands in what they were told
        entry = led(found, kit.catalog.news).told_in(reader.language).lead.entry
        return why_story(
            told.severity,
            told.reasons,
            reader.language,
            topics=found.topics,
            sources=len(found.feeds),
            texts=[f"{entry.title}\n{entry.summary or entry.content}"],
            near=near,
            reports=reports(found, reader.language, kit.catalog.feed_names, reader.time_zone),
        )

    async def brief(self, kit: Kit, told: StoredAlert, reader: Reader) -> Brief | None:
        """Its headline, and who reports it; nothing of what is over or taken back."""
        broke = StoryBroke.read(told.payload)
        found = await storage.stories.get(kit.db, broke.story)
        if found is None or ending(found) is not None:
            return None
        mine = led(found, kit.catalog.news)
        if is_taken_back(mine):
            return None
        worse, mended = broke.answers is not None, mending(mine)
        mine = as_worded(mine, reader.language, worse=worse, mended=mended)
        head = link(title(mine, reader.language), mine.lead.entry.link)
        if urgent := told.severity is Severity.URGENT:
            head = f"{URGENT_MARK} " + head
        by = reporters(mine, kit.catalog.feed_names, reader.language)
        return Brief(line=join(" · ", [head, by]), urgent=urgent)

    def subject(self, told: StoredAlert, audience: Audience) -> Subject | None:  # noqa: ARG002 - the audience says it
        """The topic, as its readers follow it."""
        return followed(audience)

    def story(self, told: StoredAlert) -> int | None:
        """The number of the story that broke."""
        return StoryBroke.read(told.payload).story

    def replies_to(self, told: StoredAlert) -> int | None:
        """The alert that told the story, where this one says that it got worse."""
        return StoryBroke.read(told.payload).answers


def as_asked(story: Story, told: StoredAlert) -> Story:
    """A story with the reports of whose words its alert asks an operator: where it got worse those
    are the gravest, by which it is told.
    """
    if told.payload.kind != StoryBroke.KIND:  # it asks about a report's new words
        return story
    return story if StoryBroke.read(told.payload).answers is None else story.worst


async def _near(kit: Kit, told: StoredAlert, reader: Reader) -> list[str]:
    """The names of the chat's places that a story is near to."""
    if not told.near:
        return []
    found: list[str] = []
    for key in await storage.places.of_chat(kit.db, reader.chat):
        place = kit.catalog.places.get(key)
        if key in told.near and place is not None:
            found.append(name_of(place.names, reader.language))
    return found


# --- key and life ---------------------------------------------------------------------------------


def keys(story: int, *, below: Severity | None = None) -> tuple[str, ...]:
    """The keys of a story's alerts, one for each severity; or those for less grave ones alone."""
    each = tuple(_key(story, severity) for severity in Severity)
    return each if below is None else each[: below.rank]


def _key(story: int, severity: Severity) -> str:
    """A key for each severity: a story that becomes graver sounds once more, as no edit does."""
    if severity is Severity.NOTABLE:
        return f"story:{story}"
    return f"story:{story}:{severity.value}"


#: A calm story waits behind all others.
LANES = {
    Severity.INFO: Lane.ROUTINE,
    Severity.NOTABLE: Lane.ALERT,
    Severity.URGENT: Lane.URGENT,
}


def alert(
    story: Story,
    *,
    approval: bool,
    now: datetime,
    answers: int | None = None,
    near: frozenset[str] = frozenset(),
) -> Alert:
    """The alert of a story, as loud as its loudest report; with `approval` an operator is asked.

    A calm one goes without sound to those who want all. `answers` is the alert that told the story
    when it was less grave: who got that one gets a reply to it, everybody else a message.
    """
    return Alert(
        dedup_key=_key(story.pk, story.severity),
        payload=StoryBroke(story=story.pk, topics=story.topics, answers=answers),
        severity=story.severity,
        lane=LANES[story.severity],
        audience=Audience(subscription=str(SECURITY), near=near),
        created_at=now,
        expires_at=now + LASTS,
        reasons=story.reasons,
        # of all its keys: what became graver takes the place of what still waits
        supersede_key=f"story:{story.pk}",
        approval=approval,
    )


# --- words ----------------------------------------------------------------------------------------


def story(
    story: Story,
    *,
    alert: int,
    style: Style,
    language: str,
    feed_names: Names,
    severity: Severity | None = None,
    channel: bool = False,
    bot: str = "",
    measured: tuple[StoredEntry, Hazard] | None = None,
    worse: bool = False,
    over: StoredEntry | None = None,
    mended: tuple[StoredEntry, Mending] | None = None,
    zone: str | None = None,
) -> Message:
    """A story that broke: headline, as much text as the style tells, who reports it.

    One that got `worse` is led by its gravest report: the first words were told before. The report
    by which it is `over` stands above it, and leads only where there is no other; so does the one
    that it was `mended` by, which leads unless others still report what it takes back.

    Urgent ones are marked. Shown again with more entries, it is the edit of the same message. With
    a `bot`'s name it can be shared. What was `measured` is told in values, agencies' words below.
    """
    story = as_worded(story, language, worse=worse, mended=mended, over=over)
    title, text = bold(link(headline(story), story.lead.entry.link)), body(story, style)
    if measured is not None:
        where = hazards.where(measured[1], measured[0].at, language, zone)
        title, text = _measured(story, measured, where, style, language)
    # the alert's own severity: a story that grew since was told as what it was then
    gone = mended is not None and mended[1] is Mending.TAKEN_BACK
    if (severity or story.severity) is Severity.URGENT and not gone:
        title = f"{URGENT_MARK} " + title
    if over is not None:
        title = lines(outcomes.over(over, language), title)
    if mended is not None:
        title = lines(outcomes.mended(*mended, story, feed_names, language), title)
    by = reporters(story, feed_names, language, beside=measured is not None)
    shown = told(title, text, by, story, language)
    onto_map = [] if measured is None else hazards.map_button(measured[1], language)
    buttons = _buttons(story, alert, language, onto_map, channel=channel, bot=bot)
    return Message(shown.text, shown.entities, buttons, shown=pictured(story, style))


def _measured(
    story: Story, measured: tuple[StoredEntry, Hazard], text: Rich, style: Style, language: str
) -> tuple[Rich, Rich]:
    """Title and text of a hazard: what and where it was, then what the first agency writes."""
    name = measured[0].headline or hazards.name(measured[1], language)  # an operator's words first
    title = bold(link(name, measured[0].entry.link))
    if words := [one for one in story.entries if Hazard.read(one.entry.content) is None]:
        said = replace(story, entries=tuple(words))
        text = join("\n\n", [text, link(headline(said), said.lead.entry.link), body(said, style)])
    return title, text


def _buttons(
    story: Story, alert: int, language: str, onto_map: Sequence[Button], *, channel: bool, bot: str
) -> Rows:
    opened = open_button(story, language)
    # a channel's readers have no settings here: nothing there may change any
    if channel:
        return tuple(tuple(row) for row in (onto_map, opened) if row)
    first = [*opened, why_button(alert, language), snooze_button(alert, language)]
    width = 3
    if bot:
        first.append(share_story(story.pk, bot, language))
        width = 2  # four in even rows
    if (len(first) + len(onto_map)) % 2 == 0:  # or else the map has a row of its own
        first, onto_map = [*onto_map, *first], ()
    last = [
        Button(t("button.less", language), f"less:{alert}"),
        topic_button(alert, language),
    ]
    rows = [*rows_of(onto_map, 1), *rows_of(first, width), *rows_of(last, 2)]
    return tuple(map(tuple, rows))


def why_story(
    severity: Severity,
    reasons: Sequence[Reason],
    language: str,
    *,
    topics: Sequence[str] = (),
    sources: int = 1,
    texts: Sequence[str] = (),
    reports: Sequence[Rich] = (),
    near: Sequence[str] = (),
) -> Message:
    """The reasons of a story: how severe it was judged, its topics, why, and who reports it.

    The detector names stems; what a reader sees of them are the words that stand in the story's own
    `texts`. `near` are the names of the chat's places that it is near to.
    """
    judged = bold(t(f"severity.{severity.value}", language))
    shown = [phrase("why.story", language, severity=judged)]
    if topics:
        named = ", ".join(topic_name(topic, language) for topic in topics)
        shown.append(phrase("why.topics", language, topics=named))
    if near:
        shown.append("• " + phrase("why.near", language, places=", ".join(near)))
    elif severity is Severity.INFO:
        shown.append(phrase("why.all", language, wakes=t("wakes.all", language)))
    for reason in said(reasons, language, texts):
        shown.append("• " + reason)
    if sources > 1:
        shown.append("• " + counted("news.sources", sources, language))
    return message(lines(*shown, *reports, t("why.tune", language)))


def reports(story: Story, language: str, feed_names: Names, zone: str) -> list[Rich]:
    """The reporters of a story, first to last, and when each did; a line for each source."""
    said: list[Rich] = []
    seen: set[str] = set()
    for item in sorted(story.entries, key=lambda one: one.at):
        if item.feed in seen or len(said) == REPORTS_NAMED:
            continue
        seen.add(item.feed)
        name = name_of(dict(feed_names.get(item.feed, {})), language) or item.feed
        at = when(item.at, language, zone)
        said.append(join(" ", ["–", link(one_line(name), item.entry.link), "·", at]))
    return said
