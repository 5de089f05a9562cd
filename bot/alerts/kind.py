"""What a kind of alert brings: payload, words, why, what it is about, how it reaches a chat."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from bot.errors import ConfigError
from bot.model.alerts import Audience, Payload
from bot.model.calls import Call
from bot.model.chats import Post, Style
from bot.model.news import Story
from bot.model.rates import Move, Rate
from bot.model.subjects import Subject, parse_subject
from bot.render.text import Button, Message, Rich
from bot.sources.specs import Catalog
from storage.alerts import StoredAlert
from storage.db import Db


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Whom an alert is put into words for; `chat` matters only to kinds whose words are `own`."""

    chat: int
    language: str
    style: Style
    home: str
    time_zone: str
    channel: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """From what an alert is put into words: the store, the catalog, and the bot's name.

    `kinds` are for what tells alerts of other kinds.
    """

    db: Db
    catalog: Catalog
    kinds: Mapping[str, Kind]
    bot: str = ""  # until Telegram has told it

    def source_names(self, source: str) -> dict[str, str]:
        """What a source of rates is called, by language; nothing once it left the catalog."""
        spec = self.catalog.rates.get(source)
        if spec is None:
            return {}
        return dict(spec.names)


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """What an alert is among others that are told together: a rate that moved, a line, or both."""

    move: Move | None = None
    line: Rich | None = None
    urgent: bool = False


class Kind(ABC):
    """One kind of alert: all that there is to say of it, in one file of `bot.alerts`.

    It must bring its payload, its words and the ids of their texts. The rest is as most kinds have
    it: words that are the same for all, a message of its own, no buttons.
    """

    payload: ClassVar[type[Payload]]
    """What it carries, with its name and its stored form."""

    texts: ClassVar[tuple[str, ...]]
    """The ids of all texts that its words and its why are made of, none where it has none."""

    own: ClassVar[bool] = False
    """Whether its words are each chat's own, not the same for all of one language and style."""

    @abstractmethod
    async def words(self, desk: Desk, told: StoredAlert, reader: Reader) -> Message | None:
        """The message, with its buttons; None when there is nothing to say any more."""

    async def switched(self, desk: Desk, told: StoredAlert, reader: Reader) -> Mapping[str, Button]:  # noqa: ARG002 - none
        """The buttons that this chat has switched under the message that it edits, by the data of
        those in whose place they stand.
        """
        return {}

    async def why(self, desk: Desk, told: StoredAlert, reader: Reader) -> Message | None:  # noqa: ARG002 - has none
        """Why it was told; None where there is no such button under it."""
        return None

    async def brief(self, desk: Desk, told: StoredAlert, reader: Reader) -> Brief | None:  # noqa: ARG002 - has none
        """What it says where it waited and is told with others; None when it is over by then."""
        return None

    async def published_at(self, desk: Desk, told: StoredAlert) -> datetime | None:  # noqa: ARG002 - by itself
        """When what it tells was published; None where that is when it was decided."""
        return None

    def subject(self, told: StoredAlert, audience: Audience) -> Subject | None:  # noqa: ARG002 - has none
        """What its buttons mute and snooze; None where it has none."""
        return None

    def rate(self, told: StoredAlert) -> Rate | None:  # noqa: ARG002 - has none
        """The figure it told, which is corrected when its source revises it."""
        return None

    def story(self, told: StoredAlert) -> int | None:  # noqa: ARG002 - tells none
        """The story it tells, of which chats' filters are asked; None of what is no story."""
        return None

    def news(self, told: StoredAlert) -> Story | None:  # noqa: ARG002 - has none
        """What it tells that stands in no story, and that filters are asked of all the same."""
        return None

    def revises(self, told: StoredAlert) -> int | None:  # noqa: ARG002 - revises none
        """The alert whose messages it edits where they stand; None of a message of its own."""
        return None

    def edits(self, told: StoredAlert) -> int | None:  # noqa: ARG002 - edits none
        """The message of its chat that it edits, where it knows its number."""
        return None

    def replies_to(self, told: StoredAlert) -> int | None:  # noqa: ARG002 - replies to none
        """The alert whose message it replies to."""
        return None

    def ready(self, told: StoredAlert, *, plain: bool) -> Call | None:  # noqa: ARG002 - needs words
        """The call of a kind that needs no words; `plain` after it was refused once."""
        return None


def is_told_together(payload: type[Payload]) -> bool:
    """Whether what waited for the end of quiet hours is told with others; a digest is itself."""
    return payload.POST not in {None, Post.DIGESTS}


def lacking(kind: type[Kind]) -> list[str]:
    """The parts that a kind of alert lacks, by name; of its payload too."""
    missing = sorted(kind.__abstractmethods__)
    if not hasattr(kind, "texts"):
        missing.append("texts")
    payload = getattr(kind, "payload", None)
    if payload is None:
        return [*missing, "payload"]
    if not hasattr(payload, "KIND"):
        missing.append("payload.KIND")
    for part in sorted(getattr(payload, "__abstractmethods__", ("to_json", "from_json"))):
        missing.append(f"payload.{part}")
    if kind.brief is Kind.brief and is_told_together(payload):  # it would be lost in the night
        missing.append("brief")
    return missing


def table(*kinds: type[Kind]) -> Mapping[str, Kind]:
    """The kinds by the name that is stored; ConfigError names the part that one of them lacks."""
    found: dict[str, Kind] = {}
    for kind in kinds:
        missing = lacking(kind)
        if missing:
            raise ConfigError(f"the kind of alert {kind.__name__} lacks {', '.join(missing)}")
        name = kind.payload.KIND
        if name in found:
            raise ConfigError(f"two kinds of alert are called {name}")
        found[name] = kind()
    return found


def followed(audience: Audience) -> Subject | None:
    """The subject that an alert's subscribers follow."""
    if audience.subscription is None:
        return None
    return parse_subject(audience.subscription)
