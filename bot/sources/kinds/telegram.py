"""Public Telegram channels, by the preview at t.me/s/NAME: no account and no bot in the channel."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from pydantic import model_validator

from bot.grammar import Address
from bot.sources.kind import Kind, Line, shown_entry
from bot.sources.posts import TelegramSpec, parse_posts
from bot.sources.sections import NewsSection
from bot.sources.values import PublicName, public_name


class TelegramSection(NewsSection):
    """`[telegram.KEY]`: a public channel by its name; `url` is for a mirror of the preview."""

    DEFAULT_EVERY = timedelta(minutes=5)

    channel: PublicName
    url: Address = ""

    @model_validator(mode="before")
    @classmethod
    def _at_its_preview(cls, told: dict[str, Any]) -> dict[str, Any]:
        """The address follows from the name, unless there is one."""
        try:
            # in small letters: a channel is the same in any, and is asked once
            preview = f"https://t.me/s/{public_name(told.get('channel')).lower()}"
        except ValueError:  # told as a mistake of `channel`
            return told
        return {"url": preview, **told}

    @property
    def house(self) -> str:
        """The channel: all of them are at one host, and each is somebody else's."""
        return f"@{self.channel.lower()}"

    def spec(self, key: str) -> TelegramSpec:
        """The source that this section describes."""
        return TelegramSpec(channel=self.channel, **self.described(key))


def shown(body: bytes, url: str | None) -> Iterator[Line]:
    """The posts of a preview, as the reader sees them."""
    channel = (url or "").partition("?")[0].rstrip("/").rpartition("/")[2] or "the channel"
    for entry in parse_posts(body, channel=channel, url=url):
        yield shown_entry(entry)


KIND = Kind(
    section=TelegramSection,
    verb="telegram",
    help="What the reader of channels sees, a JSON line a post. "
    "Example: jarchy inspect telegram https://t.me/s/durov",
    shown=shown,
)
