"""A story that broke, told to those who follow security."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self

import storage.news
from bot.alerts.kind import Desk, Kind, Reader, followed
from bot.i18n import t, tn
from bot.model.alerts import Alert, Audience, Lane, Payload, Severity
from bot.model.chats import Style
from bot.model.news import Story
from bot.model.reasons import Reason
from bot.model.subjects import Subject, TopicSubject
from bot.render.alerts import mute_button, snooze_button, why_button
from bot.render.buttons import rows_of
from bot.render.news import (
    URGENT_MARK,
    Names,
    body,
    headline,
    open_button,
    reporters,
    share_story,
    told,
    topic_name,
)
from bot.render.reasons import said
from bot.render.text import Message, Rows, bold, fill, lines, link, message
from bot.sources.standing import led
from storage.alerts import StoredAlert

LASTS = timedelta(hours=6)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryBroke(Payload):
    """A new story worth telling; the words are read from the archive when it is sent."""

    KIND = "story"

    story: int
    topics: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Version 1 of the stored form."""
        return {"v": 1, "story": self.story, "topics": list(self.topics)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read any version we ever wrote."""
        return cls(story=data["story"], topics=tuple(data["topics"]))


class Stories(Kind):
    """A story that broke."""

    payload = StoryBroke

    async def words(self, desk: Desk, told: StoredAlert, reader: Reader) -> Message | None:
        """The headline, as much text as the style tells, and who reports it."""
        broke = StoryBroke.read(told.payload)
        found = await storage.news.get(desk.db, broke.story)
        if found is None:
            return None
        return story(
            led(found, desk.catalog.news),
            alert=told.id,
            style=reader.style,
            language=reader.language,
            feed_names=desk.catalog.feed_names,
            severity=told.severity,
            channel=reader.channel,
            bot=desk.bot,
        )

    async def why(self, desk: Desk, told: StoredAlert, reader: Reader) -> Message | None:
        """How severe it was judged, its topics, the reasons, how many report it."""
        broke = StoryBroke.read(told.payload)
        found = await storage.news.get(desk.db, broke.story)
        if found is None:
            return why_story(told.severity, told.reasons, reader.language)
        entries = [one.entry for one in found.entries]
        return why_story(
            told.severity,
            told.reasons,
            reader.language,
            topics=found.topics,
            sources=len(found.feeds),
            texts=[f"{entry.title}\n{entry.summary or entry.content}" for entry in entries],
        )

    def subject(self, told: StoredAlert, audience: Audience) -> Subject | None:  # noqa: ARG002 - the audience says it
        """The topic, as its readers follow it."""
        return followed(audience)

    async def title(self, desk: Desk, told: StoredAlert) -> str | None:
        """Its headline."""
        broke = StoryBroke.read(told.payload)
        found = await storage.news.get(desk.db, broke.story)
        return None if found is None else headline(led(found, desk.catalog.news))


# --- key and life ---------------------------------------------------------------------------------


def keys(story: int) -> tuple[str, str]:
    """The keys of a story's alerts: as it broke, and as it became urgent."""
    return f"story:{story}", f"story:{story}:urgent"


def alert(story: Story, *, approval: bool, now: datetime) -> Alert:
    """The alert of a story, as loud as the loudest report of it; with `approval` an operator is
    asked first.
    """
    urgent = story.severity is Severity.URGENT
    return Alert(
        dedup_key=keys(story.pk)[urgent],
        payload=StoryBroke(story=story.pk, topics=story.topics),
        severity=story.severity,
        lane=Lane.URGENT if urgent else Lane.ALERT,
        audience=Audience(subscription=str(TopicSubject("security"))),
        created_at=now,
        expires_at=now + LASTS,
        reasons=story.reasons,
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
) -> Message:
    """A story that broke: headline, as much text as the style tells, who reports it; urgent ones
    are marked.

    Shown again with more entries, it is the edit of the same message. With the name of the `bot` it
    can be shared.
    """
    story = story.told_in(language)
    urgent = (severity or story.severity) is Severity.URGENT
    mark = f"{URGENT_MARK} " if urgent else ""
    title = mark + bold(link(headline(story), story.lead.entry.link))
    shown = told(title, body(story, style), reporters(story, feed_names, language), story, language)
    buttons = _buttons(story, alert, language, channel=channel, bot=bot)
    return Message(shown.text, shown.entities, buttons)


def _buttons(story: Story, alert: int, language: str, *, channel: bool, bot: str) -> Rows:
    opened = open_button(story, language)
    if channel:
        return (tuple(opened),) if opened else ()
    topic = next(iter(story.topics), "")
    what = topic_name(topic, language).lower() if topic else t("news.title", language).lower()
    first = [*opened, why_button(alert, language), snooze_button(alert, language)]
    if bot:
        first.append(share_story(story.pk, bot, language))
    return (*map(tuple, rows_of(first, 2 if bot else 3)), (mute_button(alert, what, language),))


def why_story(
    severity: Severity,
    reasons: Sequence[Reason],
    language: str,
    *,
    topics: Sequence[str] = (),
    sources: int = 1,
    texts: Sequence[str] = (),
) -> Message:
    """Why a story was told: how severe it was judged, its topics, the reasons, how many report it.

    The detector names stems; what a reader sees of them are the words that stand in the story's own
    `texts`.
    """
    named = ", ".join(topic_name(topic, language) for topic in topics)
    judged = bold(t(f"severity.{severity.value}", language))
    return message(
        lines(
            fill(t("why.story", language), severity=judged),
            fill(t("why.topics", language), topics=named) if named else None,
            *("• " + reason for reason in said(reasons, language, texts)),
            "• " + fill(tn("news.sources", sources, language), n=sources) if sources > 1 else None,
            t("why.tune", language),
        )
    )
