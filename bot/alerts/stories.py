"""A story that broke, told to those who follow security: keys, life, words and why."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import ClassVar

import storage.news
from bot.alerts.kind import Desk, Reader, Told, followed
from bot.model.alerts import Alert, Audience, Lane, Severity, StoryBroke
from bot.model.news import Story
from bot.model.subjects import Subject, TopicSubject
from bot.render import alerts as render
from bot.render.text import Message
from bot.sources.standing import led
from storage.alerts import StoredAlert

LASTS = timedelta(hours=6)


class Stories(Told):
    """A story that broke; its words are read from the archive when it is sent."""

    payload: ClassVar[type[StoryBroke]] = StoryBroke

    async def words(self, desk: Desk, told: StoredAlert, reader: Reader) -> Message | None:
        """The headline, as much text as the style tells, and who reports it."""
        broke: StoryBroke = told.payload
        story = await storage.news.get(desk.db, broke.story)
        if story is None:
            return None
        return render.story(
            led(story, desk.catalog.news),
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
        broke: StoryBroke = told.payload
        story = await storage.news.get(desk.db, broke.story)
        if story is None:
            return render.why_story(told.severity, told.reasons, reader.language)
        entries = [one.entry for one in story.entries]
        return render.why_story(
            told.severity,
            told.reasons,
            reader.language,
            topics=story.topics,
            sources=len(story.feeds),
            texts=[f"{entry.title}\n{entry.summary or entry.content}" for entry in entries],
        )

    def subject(self, told: StoredAlert, audience: Audience) -> Subject | None:  # noqa: ARG002 - the audience says it
        """The topic, as its readers follow it."""
        return followed(audience)


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
