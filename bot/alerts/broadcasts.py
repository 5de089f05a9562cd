"""A message that an operator writes to all chats, or to the readers of a topic; silently."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self

from bot.alerts.kind import Desk, Kind, Reader
from bot.model.alerts import BROADCAST, Alert, Audience, Lane, Payload, Severity
from bot.render.text import Entity, Message, safe_url, units
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

    KIND = BROADCAST

    text: str
    entities: tuple[Entity, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Version 1 of the stored form."""
        return {"v": 1, "text": self.text, "entities": marks_of(self.entities)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read any version we ever wrote."""
        text = str(data["text"])
        return cls(text=text, entities=entities_of(text, data["entities"]))

    @property
    def message(self) -> Message:
        """What readers see; its preview is this very message."""
        return Message(self.text, self.entities, silent=True)


class Broadcasts(Kind):
    """An operator's message: it says of itself what it is, and has no buttons."""

    payload = Broadcast
    texts = ()

    async def words(self, desk: Desk, told: StoredAlert, reader: Reader) -> Message | None:  # noqa: ARG002 - all is in it
        """As it was written, in no other language."""
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


def entities_of(text: str, marks: Iterable[Mapping[str, Any]]) -> tuple[Entity, ...]:
    """Of entities as the Bot API has them those that are kept, and lie within the text."""
    size = units(text)
    kept: list[Entity] = []
    for one in marks:
        url = safe_url(one.get("url"))
        found = Entity(
            type=str(one["type"]),
            offset=int(one["offset"]),
            length=int(one["length"]),
            url=url,
            language=one.get("language"),
        )
        is_whole = found.offset >= 0 < found.length and found.end <= size
        opens = found.type != "text_link" or url is not None
        if found.type in KEPT_MARKS and is_whole and opens:
            kept.append(found)
    return tuple(kept[:MOST_MARKS])


def marks_of(entities: Sequence[Entity]) -> list[dict[str, Any]]:
    """Entities as the Bot API has them, to be stored."""
    marks: list[dict[str, Any]] = []
    for one in entities:
        mark: dict[str, Any] = {"type": one.type, "offset": one.offset, "length": one.length}
        if one.url is not None:
            mark["url"] = one.url
        if one.language is not None:
            mark["language"] = one.language
        marks.append(mark)
    return marks
