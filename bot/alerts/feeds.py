"""New entries of a feed that readers added themselves, told to those who follow it; silently."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self

from bot.alerts.kind import Brief, Kind, Kit, Reader, followed
from bot.model.alerts import Alert, Audience, Lane, Payload, Severity
from bot.model.chats import Post, Style
from bot.model.news import Entry, StoredEntry, Story
from bot.model.subjects import FeedSubject, Subject
from bot.render.alerts import MUTED_TEXTS, mute_button, snooze_button, why_button
from bot.render.buttons import rows_of
from bot.render.news import body, headline, open_button, told
from bot.render.phrases import phrase
from bot.render.text import Message, bold, join, link, message, one_line
from storage.alerts import StoredAlert

LASTS = timedelta(hours=12)
LONGEST_TEXT = 1000  # characters: a brief has less


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedBrought(Payload):
    """A new entry of a feed; `more` came with it and is not told one by one."""

    KIND = "feed"
    POST = Post.FEEDS

    feed: str
    name: str
    title: str
    text: str
    link: str | None = None
    language: str | None = None
    more: int = 0

    def to_json(self) -> dict[str, Any]:
        """Version 1 of the stored form."""
        return {
            "v": self.VERSION,
            "feed": self.feed,
            "name": self.name,
            "title": self.title,
            "text": self.text,
            "link": self.link,
            "language": self.language,
            "more": self.more,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read any version we ever wrote."""
        names = ("feed", "name", "title", "text", "link", "language", "more")
        return cls(**{name: data[name] for name in names})

    def as_story(self, at: datetime) -> Story:
        """The entry as a story of its own, which is how stories are looked at and shown."""
        entry = Entry(
            id=self.link or self.title,
            title=self.title,
            link=self.link,
            summary=self.text,
            language=self.language,
        )
        stored = StoredEntry(pk=0, feed=self.feed, entry=entry, seen_at=at, story=0)
        return Story(pk=0, entries=(stored,))


class Feeds(Kind):
    """A new entry of a feed that readers added."""

    payload = FeedBrought
    texts = (
        *MUTED_TEXTS,
        "button.open",
        "why.feed",
        "feeds.more",
        "news.read_on",
    )

    async def words(self, kit: Kit, told: StoredAlert, reader: Reader) -> Message | None:  # noqa: ARG002 - all is in it
        """Its headline, its beginning, whose it is, how many came with it."""
        brought = FeedBrought.read(told.payload)
        return shown(brought, told, reader)

    async def why(self, kit: Kit, told: StoredAlert, reader: Reader) -> Message | None:  # noqa: ARG002 - all is in it
        """Because somebody added the feed here."""
        name = bold(one_line(FeedBrought.read(told.payload).name))
        return message(phrase("why.feed", reader.language, name=name))

    async def brief(self, kit: Kit, told: StoredAlert, reader: Reader) -> Brief | None:  # noqa: ARG002 - all is in it
        """Its headline, and whose it is."""
        brought = FeedBrought.read(told.payload)
        title = link(headline(brought.as_story(told.created_at)), brought.link)
        return Brief(line=join(" · ", [title, one_line(brought.name)]))

    def subject(self, told: StoredAlert, audience: Audience) -> Subject | None:  # noqa: ARG002 - the audience says it
        """The feed, as its readers follow it."""
        return followed(audience)

    def news(self, told: StoredAlert) -> Story | None:
        """The entry: filters are asked of what a chat added itself too."""
        return FeedBrought.read(told.payload).as_story(told.created_at)


def alerts(
    feed: str, name: str, new: Sequence[Entry], most: int, *, now: datetime
) -> Iterator[Alert]:
    """The alerts of a feed's new entries, the oldest first; `new` has the newest first."""
    latest = list(new[:most])
    for index, item in enumerate(reversed(latest)):
        last = index == len(latest) - 1
        brought = FeedBrought(
            feed=feed,
            name=name,
            title=item.title,
            text=(item.summary or item.content)[:LONGEST_TEXT],
            link=item.link,
            language=item.language,
            # said once, in the message that comes last
            more=len(new) - len(latest) if last else 0,
        )
        # its id may be that of others, too
        said = (item.id, item.link, item.title, brought.text, str(item.published_at))
        digest = hashlib.sha256(repr(said).encode()).hexdigest()[:32]
        yield Alert(
            dedup_key=f"feed:{feed}:{digest}",
            payload=brought,
            severity=Severity.INFO,
            lane=Lane.ROUTINE,
            audience=Audience(subscription=str(FeedSubject(feed))),
            created_at=now,
            expires_at=now + LASTS,
        )


def shown(brought: FeedBrought, stored: StoredAlert, reader: Reader) -> Message:
    """A feed's entry as a message, in the style of the chat's news."""
    language = reader.language
    story = brought.as_story(stored.created_at)
    name = one_line(brought.name)
    foot = join(
        " · ",
        [name, phrase("feeds.more", language, n=brought.more) if brought.more else None],
    )
    title = bold(link(headline(story), brought.link))
    # whoever added it reads its words as far as a feed of the catalog may be shown at most
    text = body(story, Style(reader.style) if reader.style is Style.HEADLINE else Style.BRIEF)
    whole = told(title, text, foot, story, language)
    buttons = [*open_button(story, language)]
    if not reader.channel:
        buttons += [why_button(stored.id, language), snooze_button(stored.id, language)]
    rows = [*map(tuple, rows_of(buttons, 3))]
    if not reader.channel:
        rows.append((mute_button(stored.id, name[:24], language),))
    return Message(whole.text, whole.entities, tuple(rows))
