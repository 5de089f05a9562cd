"""What a kind of alert brings: its payload, its words, its why, what it is about, and how it
reaches a chat.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, runtime_checkable

from bot.errors import ConfigError
from bot.model.alerts import Audience
from bot.model.chats import Style
from bot.model.subjects import Subject, parse_subject
from bot.render.text import Message
from bot.sources.specs import Catalog
from storage.alerts import StoredAlert
from storage.db import Db


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Whom an alert is put into words for; `chat` matters only to kinds whose words are each chat's
    own.
    """

    chat: int
    language: str
    style: Style
    home: str
    time_zone: str
    channel: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """From what an alert is put into words: the store, the catalog, and the bot's name where
    Telegram has told it.
    """

    db: Db
    catalog: Catalog
    bot: str = ""


@runtime_checkable
class Kind(Protocol):
    """One kind of alert: all that there is to say of it, in one file of `bot.alerts`."""

    payload: ClassVar[type[Any]]
    """Its payload, with the version of its stored form."""

    own: ClassVar[bool]
    """Whether its words are each chat's own, instead of the same for all of one language and
    style.
    """

    async def words(self, desk: Desk, told: StoredAlert, reader: Reader) -> Message | None:
        """The message, with its buttons; None when there is nothing to say any more."""

    async def why(self, desk: Desk, told: StoredAlert, reader: Reader) -> Message | None:
        """Why it was told; None where there is no such button under it."""

    def subject(self, told: StoredAlert, audience: Audience) -> Subject | None:
        """What its buttons mute and snooze; None where it has none."""

    def revises(self, payload: Any) -> int | None:  # noqa: ANN401 - of its own kind
        """The alert whose messages it edits where they stand, instead of being a message of its
        own.
        """

    def replies_to(self, payload: Any) -> int | None:  # noqa: ANN401 - of its own kind
        """The alert whose message it replies to."""

    def ready(self, payload: Any, *, plain: bool) -> tuple[str, dict[str, Any]] | None:  # noqa: ANN401 - of its own kind
        """The method and body of a kind that needs no words; `plain` after Telegram refused it as
        it was.
        """


PARTS = ("payload", "own", "words", "why", "subject", "revises", "replies_to", "ready")


def lacking(kind: object) -> list[str]:
    """The parts that a kind of alert lacks, by name; of its payload, the parts of the stored
    form.
    """
    missing = [part for part in PARTS if not hasattr(kind, part)]
    payload = getattr(kind, "payload", None)
    if payload is not None:
        stored_form = ("KIND", "to_json", "from_json")
        missing += [f"payload.{part}" for part in stored_form if not hasattr(payload, part)]
    return missing


def table(*kinds: Kind) -> Mapping[str, Kind]:
    """The kinds by the name that is stored; ConfigError names the part that one of them lacks."""
    found: dict[str, Kind] = {}
    for kind in kinds:
        missing = lacking(kind)
        if missing:
            raise ConfigError(f"the kind of alert {type(kind).__name__} lacks {', '.join(missing)}")
        name = kind.payload.KIND
        if name in found:
            raise ConfigError(f"two kinds of alert are called {name}")
        found[name] = kind
    return found


class Told:
    """What most kinds have in common: words that are the same for all, a message of its own, no
    buttons.
    """

    own: ClassVar[bool] = False

    async def why(self, desk: Desk, told: StoredAlert, reader: Reader) -> Message | None:  # noqa: ARG002 - has none
        """There is no such button under it."""
        return None

    def subject(self, told: StoredAlert, audience: Audience) -> Subject | None:  # noqa: ARG002 - has none
        """There is nothing to mute."""
        return None

    def revises(self, payload: Any) -> int | None:  # noqa: ANN401, ARG002 - of its own kind
        """It is a message of its own."""
        return None

    def replies_to(self, payload: Any) -> int | None:  # noqa: ANN401, ARG002 - of its own kind
        """It replies to none."""
        return None

    def ready(self, payload: Any, *, plain: bool) -> tuple[str, dict[str, Any]] | None:  # noqa: ANN401, ARG002 - of its own kind
        """It needs words."""
        return None


def followed(audience: Audience) -> Subject | None:
    """The subject that an alert's subscribers follow."""
    return None if audience.subscription is None else parse_subject(audience.subscription)
