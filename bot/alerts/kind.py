"""The parts of a kind of alert: payload, words, why, what it is about, how it reaches a chat."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, cast

from bot.errors import ConfigError, NewerError
from bot.fitting import fits, takes
from bot.found import misspelt
from bot.model.alerts import Audience, Payload, Terms
from bot.model.calls import Call
from bot.model.chats import Post, Style
from bot.model.filters import StoredFilter
from bot.model.news import Story
from bot.model.rates import Move, Rate
from bot.model.subjects import Subject, parse_subject
from bot.reasons import reason
from bot.render.text import Button, Message, Rich
from bot.sources.specs import Catalog
from storage.alerts import StoredAlert
from storage.db import Db


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """The reader that an alert is worded for; only kinds with `own` words look at `chat`.

    `filters` are those of a chat that reads another headline beside it than everybody does.
    """

    chat: int
    language: str
    style: Style
    home: str
    time_zone: str
    channel: bool = False
    filters: Sequence[StoredFilter] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Kit:
    """The means by which an alert is put into words: the store, the catalog, and the bot's name.

    `kinds` are for what tells alerts of other kinds.
    """

    db: Db
    catalog: Catalog
    kinds: Mapping[str, Kind]
    bot: str = ""  # until Telegram has told it

    def source_names(self, source: str) -> dict[str, str]:
        """A rate source's names by language; none once it left the catalog."""
        spec = self.catalog.rates.get(source)
        if spec is None:
            return {}
        return dict(spec.names)


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """An alert's share in a message that tells several: a rate that moved, a line, or both."""

    move: Move | None = None
    line: Rich | None = None
    urgent: bool = False


class Kind(ABC):
    """One kind of alert: all that there is to say of it, in one file of `bot.alerts`.

    It must bring its payload, its words and the ids of their texts. The rest is as most kinds have
    it: words that are the same for all, a message of its own, no buttons.
    """

    payload: ClassVar[type[Payload]]
    """The content of its alerts, with their name and stored form."""

    texts: ClassVar[tuple[str, ...]]
    """The ids of all texts that its words and its why are made of, none where it has none."""

    own: ClassVar[bool] = False
    """Whether its words are each chat's own, not the same for all of one language, style, zone and
    home.
    """

    @abstractmethod
    async def words(self, kit: Kit, told: StoredAlert, reader: Reader) -> Message | None:
        """The message, with its buttons; None when there is nothing to say any more."""

    async def switched(self, kit: Kit, told: StoredAlert, reader: Reader) -> Mapping[str, Button]:  # noqa: ARG002 - none
        """The buttons that this chat has switched under the message that it edits, by the data of
        those in whose place they stand.
        """
        return {}

    async def why(self, kit: Kit, told: StoredAlert, reader: Reader) -> Message | None:  # noqa: ARG002 - has none
        """The reasons that it was told for; None where there is no such button under it."""
        return None

    async def brief(self, kit: Kit, told: StoredAlert, reader: Reader) -> Brief | None:  # noqa: ARG002 - has none
        """Its share in a message with others after it waited; None when it is over by then."""
        return None

    async def published_at(self, kit: Kit, told: StoredAlert) -> datetime | None:  # noqa: ARG002 - by itself
        """The time at which what it tells was published; None where that is the decision's."""
        return None

    def subject(self, told: StoredAlert, audience: Audience) -> Subject | None:  # noqa: ARG002 - has none
        """The subject that its buttons mute and snooze; None where it has none."""
        return None

    def rate(self, told: StoredAlert) -> Rate | None:  # noqa: ARG002 - has none
        """The figure it told, which is corrected when its source revises it: found by
        `payload.about`.
        """
        return None

    def story(self, told: StoredAlert) -> int | None:  # noqa: ARG002 - tells none
        """The story it tells, of which chats' filters are asked; None of what is no story."""
        return None

    def news(self, told: StoredAlert) -> Story | None:  # noqa: ARG002 - has none
        """News that stand in no story and that filters are asked of; None for most kinds."""
        return None

    async def beside(self, kit: Kit, told: StoredAlert, reader: Reader) -> Story | None:  # noqa: ARG002 - tells none
        """The story whose headline stands beside what it tells, where filters let it."""
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

    def answers(self, told: StoredAlert) -> int | None:  # noqa: ARG002 - answers none
        """The number of the update that it answers; None of what nobody asked for."""
        return None

    def ready(self, told: StoredAlert, *, plain: bool) -> Call | None:  # noqa: ARG002 - needs words
        """The call of a kind that needs no words; `plain` after it was refused once."""
        return None


def is_told_together(payload: type[Payload]) -> bool:
    """Whether what waited for the end of quiet hours is told with others; a digest is itself."""
    return payload.POST not in {None, Post.DIGESTS}


def lacking(kind: type[Kind]) -> list[str]:
    """The parts that a kind of alert lacks, or that do not fit; of its payload too.

    Each by its name, and with what it should be where that is not its absence alone.
    """
    missing = sorted(kind.__abstractmethods__)
    missing += _unfit(kind, Kind, "")
    missing += [f"a use for {one}" for one in misspelt(kind, Kind)]
    texts: object = getattr(kind, "texts", None)
    if not isinstance(texts, tuple) or not all(isinstance(one, str) for one in texts):
        missing.append("texts, ids of texts in round brackets")
    # the table makes one of each, which all alerts of the kind share
    if not takes(kind, 0):
        missing.append("a way to be made of nothing")
    payload: object = getattr(kind, "payload", None)
    if not isinstance(payload, type) or not issubclass(payload, Payload):
        return [*missing, "payload, a Payload"]
    of_payload = list(_lacking_of(payload))
    missing += of_payload
    # one without would be lost in the night
    if not of_payload and kind.brief is Kind.brief and is_told_together(payload):
        missing.append("brief")
    return missing


def _lacking_of(payload: type[Payload]) -> Iterator[str]:
    """The parts that a payload lacks; they may be anything where nobody checked them."""
    name: object = getattr(payload, "KIND", None)
    if not isinstance(name, str) or not name:
        yield "payload.KIND, the name under which it is stored"
    for part in sorted(payload.__abstractmethods__):
        yield f"payload.{part}"
    yield from _unfit(payload, Payload, "payload.")
    for one in misspelt(payload, Payload):
        yield f"a use for payload.{one}"
    post, terms = cast("tuple[object, ...]", (payload.POST, payload.TERMS))
    version: object = payload.VERSION
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        yield "payload.VERSION, a whole number from 1"
    if not isinstance(post, Post | None):
        yield "payload.POST, a Post or None"
    if not isinstance(terms, Terms):
        yield "payload.TERMS, a Terms"


def _unfit(made: type[object], model: type[object], before: str) -> Iterator[str]:
    """The methods of a class that cannot be called, or waited for, as those it stands for."""
    for name in vars(model):
        ours = getattr(model, name)
        if name.startswith("_") or name in getattr(made, "__abstractmethods__", ()):
            continue
        own = getattr(made, name, None)
        if isinstance(ours, property) and callable(own):
            yield f"{before}{name}, a property"
        elif inspect.isroutine(ours) and not fits(own, ours):
            taken = [one for one in inspect.signature(ours).parameters if one != "self"]
            how = "a coroutine function" if inspect.iscoroutinefunction(ours) else "a function"
            yield f"{before}{name}, {how} that takes ({', '.join(taken)})"


def table(*kinds: type[Kind]) -> Mapping[str, Kind]:
    """The kinds by the name that is stored; ConfigError names each part that one of them lacks."""
    found: dict[str, Kind] = {}
    problems: list[str] = []
    for kind in kinds:
        label = label_of(kind.__module__)
        missing = lacking(kind)
        problems += [f"{label}: {kind.__name__} lacks {part}" for part in missing]
        if missing:
            continue
        name = kind.payload.KIND
        if name in found:
            other = type(found[name]).__name__
            problems.append(f"{label}: the payload of {other} is stored as {name} already")
        else:
            found[name] = kind()
    if problems:
        raise ConfigError(problems)
    return found


def kind_among(kinds: Mapping[str, Kind], told: StoredAlert) -> Kind:
    """The kind of a stored alert; NewerError where this program does not read its stored form."""
    form = told.payload
    kind = kinds.get(form.kind)
    if kind is None:
        raise NewerError(reason("alert.no_kind", "a stored alert of kind {kind}", kind=form.kind))
    # a newer version of the kind, which this program would read wrongly
    kind.payload.must_read(form)
    return kind


def label_of(module: str) -> str:
    """The beginning of a sentence about a kind of alert: its name, and its file."""
    return f"kind of alert {module.rpartition('.')[2]}: {module.replace('.', '/')}.py"


def followed(audience: Audience) -> Subject | None:
    """The subject that an alert's subscribers follow."""
    if audience.subscription is None:
        return None
    return parse_subject(audience.subscription)
