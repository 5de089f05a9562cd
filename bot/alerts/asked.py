"""A story that a channel withholds until its owner's word, shown to them as it would be posted."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

import storage.alerts
import storage.chats
import storage.setups
import storage.stories
import storage.withheld
from bot.alerts.kind import Kind, Kit, Reader, kind_among
from bot.alerts.stories import StoryBroke
from bot.detect.corrections import mending
from bot.errors import NewerError
from bot.model.alerts import About, Alert, Audience, Lane, Payload, Severity, State, Terms
from bot.model.chats import Chat, ChatKind, Editorial
from bot.readers.news import as_worded, still_confirmed
from bot.render import channels as render
from bot.render.news import headline
from bot.render.text import Message
from bot.sources.specs import NewsSpec
from bot.sources.standing import led
from storage.alerts import StoredAlert
from storage.db import Db
from storage.withheld import Withheld


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryAsked(Payload):
    """The question about the `delivery` of a `channel` that is withheld: may it be posted?"""

    KIND = "asked"
    TERMS = Terms(personal=True)

    delivery: int
    channel: int

    @property
    def about(self) -> About:
        """The channel: the question is forgotten with it."""
        return About(chat=self.channel)

    def to_json(self) -> dict[str, Any]:
        """Version 1 of the stored form."""
        return {"v": self.VERSION, "delivery": self.delivery, "channel": self.channel}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read any version we ever wrote."""
        return cls(delivery=data["delivery"], channel=data["channel"])


class StoryQuestions(Kind):
    """A question to a channel's owner."""

    payload = StoryAsked
    own = True  # whoever runs the channel by then is not told
    texts = (
        "asked.title",
        "button.reject",
        "button.send",
    )

    async def words(self, kit: Kit, told: StoredAlert, reader: Reader) -> Message | None:
        """The story as it would be posted now, and two buttons; None where nothing waits any more,
        or another one runs the channel by now.
        """
        kept = await storage.withheld.get(kit.db, StoryAsked.read(told.payload).delivery)
        if kept is None or await storage.setups.owner_of(kit.db, kept.chat) != reader.chat:
            return None
        found = await proof(kit, kept)
        return None if found is None else found.card(reader.language)


# --- key and life ---------------------------------------------------------------------------------


def key(delivery: int, owner: int) -> str:
    """The key of the question about a delivery: its owner is asked once."""
    return f"asked:{delivery}:{owner}"


def alert(kept: Withheld, owner: int, *, now: datetime) -> Alert:
    """The question about what is withheld, worth sending for as long as that."""
    return Alert(
        dedup_key=key(kept.id, owner),
        payload=StoryAsked(delivery=kept.id, channel=kept.chat),
        severity=Severity.NOTABLE,
        lane=Lane.ALERT,
        audience=Audience(chat=owner),
        created_at=now,
        expires_at=kept.expires_at,
    )


# --- what is asked about --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """The post that a channel withholds, as it would look; `words_hash` is of what it says."""

    delivery: int
    channel: Chat
    post: Message
    title: str
    words_hash: str

    def card(self, language: str) -> Message:
        """The question, in the language of whoever is asked."""
        return render.question(
            self.delivery, self.words_hash, self.channel.title, self.post, language
        )


async def proof(kit: Kit, kept: Withheld) -> Proof | None:
    """The post that a channel withholds; None where it waits for no word, or not any more."""
    told = await storage.alerts.get(kit.db, kept.alert)
    channel = await storage.chats.get(kit.db, kept.chat)
    waits = kept.state is State.WITHHELD and kept.demand is Editorial.APPROVE
    if told is None or channel is None or not waits:
        return None
    reader = Reader(
        chat=channel.id,
        language=channel.language,
        style=channel.style,
        home=channel.home,
        time_zone=channel.time_zone,
        channel=channel.kind is ChatKind.CHANNEL,
    )
    broke = StoryBroke.read(told.payload)
    post = await kind_among(kit.kinds, told).words(kit, told, reader)
    found = await storage.stories.get(kit.db, broke.story)
    if post is None or found is None:
        return None
    mine = led(found, kit.catalog.news)
    worse, mended = broke.answers is not None, mending(mine)
    mine = as_worded(mine, channel.language, worse=worse, mended=mended)
    title, said = headline(mine), mine.lead.entry.beginning
    if mended is not None:  # a line says so, whoever leads it
        said = f"{said}\n{mended[0].pk} {mended[1]}"
    return Proof(
        delivery=kept.id,
        channel=channel,
        post=post,
        title=title,
        words_hash=_hash_of(f"{title}\n{said}"),
    )


def _hash_of(words: str) -> str:
    """The hash of the words that a question shows: one more agency that reports it changes none."""
    return hashlib.sha256(words.encode()).hexdigest()[:8]


async def unmet(db: Db, told: StoredAlert, feeds: Mapping[str, NewsSpec]) -> frozenset[Editorial]:
    """The policies by which a story may not be posted yet: a word is needed always, a second
    publisher where there is none. `feeds` says who publishes which.
    """
    all_of_them = frozenset({Editorial.APPROVE, Editorial.TWO_SOURCES})
    try:
        broke = StoryBroke.read(told.payload)
    except NewerError:  # it waits for a program that reads it
        return all_of_them
    story = await storage.stories.get(db, broke.story)
    if story is None or still_confirmed(story, feeds):
        return all_of_them - {Editorial.TWO_SOURCES}
    return all_of_them
