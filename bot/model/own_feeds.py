"""Feeds and channels that readers added themselves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnFeed:
    """One address that readers follow; `channel` is a Telegram channel's name."""

    key: str
    url: str
    name: str
    channel: str | None = None
    last_ok_at: datetime | None = None
    failures: int = 0
    etag: str | None = None
    last_modified: str | None = None
    digest: str | None = None

    @property
    def host(self) -> str:
        """The host that is asked for it."""
        return urlsplit(self.url).hostname or ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowedFeed:
    """A feed as one chat follows it."""

    feed: OwnFeed
    paused: bool
