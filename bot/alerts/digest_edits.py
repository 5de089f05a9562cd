"""A digest told its story in a language that its reader may not know, and a report in theirs has
come: the digest is edited where it stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

import storage.alerts
from bot.alerts.digests import LASTS, Digests, words_again
from bot.alerts.kind import Kind, Kit, Reader
from bot.model.alerts import Alert, Audience, Lane, Payload, Severity
from bot.render.text import Message
from storage.alerts import StoredAlert


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestRead(Payload):
    """The story that digest `told` may have told is reported in a `language` that it was not."""

    KIND = "digest_edit"

    told: int
    story: int
    language: str

    def to_json(self) -> dict[str, Any]:
        """Version 1 of the stored form."""
        whole = {"told": self.told, "story": self.story, "language": self.language}
        return {"v": self.VERSION, **whole}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read any version we ever wrote."""
        return cls(told=data["told"], story=data["story"], language=data["language"])


class DigestEdits(Kind):
    """A digest whose story can be read by now."""

    payload = DigestRead
    texts = Digests.texts
    own = True  # of what each chat follows

    async def words(self, kit: Kit, told: StoredAlert, reader: Reader) -> Message | None:
        """The digest as it would be told now; None to who reads another language, or whose digest
        told another story.
        """
        read = DigestRead.read(told.payload)
        if reader.language != read.language:
            return None
        first = await storage.alerts.get(kit.db, read.told)
        if first is None:  # forgotten
            return None
        return await words_again(kit, first, reader, read.story)

    def revises(self, told: StoredAlert) -> int | None:
        """The digest's alert, whose messages are edited."""
        return DigestRead.read(told.payload).told


def alert(digest: StoredAlert, story: int, language: str, *, now: datetime) -> Alert:
    """An edit of a digest's messages, once for a story and a language."""
    key = f"digest_edit:{digest.id}:{story}:{language}"
    return Alert(
        dedup_key=key,
        payload=DigestRead(told=digest.id, story=story, language=language),
        severity=Severity.INFO,
        lane=Lane.ROUTINE,  # it takes slots that news could have
        audience=Audience(told=digest.id),
        created_at=now,
        expires_at=now + LASTS,
        supersede_key=key,
    )
