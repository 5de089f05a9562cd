"""A message that an operator writes to all chats, or to the readers of a topic; silently."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Self

from bot.alerts.kind import Kind, Kit, Reader
from bot.model.alerts import Alert, Audience, Lane, Payload, Severity, Terms
from bot.model.entities import Entity, read_entities, written_entity
from bot.render.text import Message, safe_url, units
from storage.alerts import StoredAlert

LASTS = timedelta(days=1)  # a day at 24 messages a second are two million chats
MOST_MARKS = 100  # entities of a message that Telegram reads
#: Entities that a bot may send as they were written; the rest Telegram finds by itself in the text,
#: or does not let a bot send (custom emoji), or names a person (text_mention).
KEPT_MARKS = frozenset(
    {
        "bold",
        "italic",
        "underline",
        "strikethrough",
        "spoiler",
        "blockquote",
        "expandable_blockquote",
        "code",
        "pre",
        "text_link",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Broadcast(Payload):
    """An operator's words, with their entities."""

    KIND = "broadcast"
    TERMS = Terms(announces=True)

    text: str
    entities: tuple[Entity, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Version 1 of the stored form."""
        return {
            "v": self.VERSION,
            "text": self.text,
            "entities": [written_entity(one) for one in self.entities],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read any version we ever wrote."""
        text = str(data["text"])
        return cls(text=text, entities=kept_of(text, read_entities(data["entities"])))

    @property
    def message(self) -> Message:
        """The message that readers get; the preview is this very one."""
        return Message(self.text, self.entities, silent=True)


class Broadcasts(Kind):
    """An operator's message: it says of itself what it is, and has no buttons."""

    payload = Broadcast
    texts = ()

    async def words(self, kit: Kit, told: StoredAlert, reader: Reader) -> Message | None:  # noqa: ARG002 - all is in it
        """The broadcast as it was written, in no other language."""
        return Broadcast.read(told.payload).message


def alert(key: str, words: Broadcast, audience: str, *, now: datetime) -> Alert:
    """The alert of a broadcast: routine, so that alerts and replies go before it."""
    return Alert(
        dedup_key=f"broadcast:{key}",
        payload=words,
        severity=Severity.INFO,
        lane=Lane.ROUTINE,
        audience=Audience(subscription=audience),
        created_at=now,
        expires_at=now + LASTS,
    )


def kept_of(text: str, entities: Iterable[Entity]) -> tuple[Entity, ...]:
    """The entities of a text that a bot may send, and that lie within it."""
    size = units(text)
    kept: list[Entity] = []
    for one in entities:
        url = safe_url(one.url)
        is_whole = one.offset >= 0 < one.length and one.end <= size
        opens = one.type != "text_link" or url is not None
        if one.type in KEPT_MARKS and is_whole and opens:
            kept.append(replace(one, url=url))
    return tuple(kept[:MOST_MARKS])
