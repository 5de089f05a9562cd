"""Subjects: what can be followed, muted and explained, each a value with one written form.

    pair:USD/KGS   topic:security   digest:09:00@Asia/Bishkek   week:09:00@Asia/Bishkek
    rule:7   feed:4f3a…

`str` writes it, `parse_subject` reads it back; nobody else takes it apart. The store keeps the
written form as the key of a subscription and of an alert's audience. One kind more is one class
of this file.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import time
from typing import ClassVar, Self, TypeVar

from bot.errors import ConfigError
from bot.model.rates import Pair

#: The currencies that are usual, in the order of cards and switches.
CURRENCIES = ("USD", "EUR", "RUB", "KZT", "CNY")
#: Those that a digest, a board and a channel have where nobody chose any.
DIGEST_CURRENCIES = ("USD", "EUR", "RUB")
#: What readers can follow and page through; channels may list more (`bot.sources.values.TOPICS`).
READERS_TOPICS = ("security", "economy", "politics", "society")
MOST_DIGESTS = 12  # of a chat, each day: one every two hours


class Subject(ABC):
    """A thing that can be followed; two of one written form are the same."""

    __slots__ = ()

    KIND: ClassVar[str]
    """The beginning of the written form; it has no colon in it."""

    @property
    @abstractmethod
    def which(self) -> str:
        """The one of its kind, as it is written behind the colon."""

    @classmethod
    @abstractmethod
    def read(cls, which: str) -> Self:
        """The one that is written so; ValueError for what is none."""

    @classmethod
    def begins(cls) -> str:
        """The written form before `which`: for a store that puts the rest behind it itself."""
        return f"{cls.KIND}:"

    def __str__(self) -> str:
        """The stored form."""
        return self.begins() + self.which


@dataclass(frozen=True, slots=True)
class PairSubject(Subject):
    """The big moves of a pair."""

    KIND: ClassVar[str] = "pair"

    pair: Pair

    @property
    def which(self) -> str:
        """The pair's two codes."""
        return str(self.pair)

    @classmethod
    def read(cls, which: str) -> Self:
        """A pair as it is written everywhere."""
        return cls(Pair.parse(which))


@dataclass(frozen=True, slots=True)
class TopicSubject(Subject):
    """The stories of a topic."""

    KIND: ClassVar[str] = "topic"

    topic: str

    @property
    def which(self) -> str:
        """The topic's word."""
        return self.topic

    @classmethod
    def read(cls, which: str) -> Self:
        """Any word: what a newer program knows as a topic may be stored here."""
        if not which:
            raise ValueError("a topic has a name")
        return cls(which)


#: The topic whose stories are told by themselves.
SECURITY = TopicSubject("security")


@dataclass(frozen=True, slots=True)
class _AtTime:
    """The part of what comes at a time of day in a time zone, named as the zone database has it."""

    at: time
    zone: str

    @property
    def which(self) -> str:
        """The time and the zone: "20:30@Asia/Bishkek"."""
        return f"{self.at:%H:%M}@{self.zone}"

    @classmethod
    def read(cls, which: str) -> Self:
        """A time of day, and behind the @ the zone."""
        at, _, zone = which.partition("@")
        return cls(time.fromisoformat(at), zone)


@dataclass(frozen=True, slots=True)
class DigestSubject(_AtTime, Subject):
    """The digest of each day."""

    KIND: ClassVar[str] = "digest"


@dataclass(frozen=True, slots=True)
class WeekSubject(_AtTime, Subject):
    """The summary of a week, on Mondays."""

    KIND: ClassVar[str] = "week"


@dataclass(frozen=True, slots=True)
class RuleSubject(Subject):
    """A chat's own rule, by its number in the store."""

    KIND: ClassVar[str] = "rule"

    rule: int

    @property
    def which(self) -> str:
        """The rule's number."""
        return str(self.rule)

    @classmethod
    def read(cls, which: str) -> Self:
        """The rule of a number; ValueError for what is none."""
        return cls(int(which))


@dataclass(frozen=True, slots=True)
class FeedSubject(Subject):
    """A feed or channel that readers added themselves, by its key."""

    KIND: ClassVar[str] = "feed"

    feed: str

    @property
    def which(self) -> str:
        """The feed's key."""
        return self.feed

    @classmethod
    def read(cls, which: str) -> Self:
        """The feed of a key; ValueError for an empty one."""
        if not which:
            raise ValueError("a feed has a key")
        return cls(which)


def table(*kinds: type[Subject]) -> Mapping[str, type[Subject]]:
    """The kinds of subject by their name; ConfigError names the part that one of them lacks."""
    found: dict[str, type[Subject]] = {}
    for kind in kinds:
        missing = sorted(kind.__abstractmethods__)
        if not hasattr(kind, "KIND"):
            missing.append("KIND")
        if missing:
            raise ConfigError(f"the subject {kind.__name__} lacks {', '.join(missing)}")
        if kind.KIND in found:
            raise ConfigError(f"two kinds of subject are called {kind.KIND}")
        found[kind.KIND] = kind
    return found


def _of_this_file() -> list[type[Subject]]:
    """The kinds of subject that are defined here, so that none is left out of the table."""
    found: list[type[Subject]] = []
    for one in globals().values():
        if isinstance(one, type) and issubclass(one, Subject) and one is not Subject:
            found.append(one)
    return found


#: All that can be followed.
SUBJECTS = table(*_of_this_file())


def parse_subject(text: str) -> Subject:
    """The subject of a written form; ValueError for what is none."""
    name, _, which = text.partition(":")
    kind = SUBJECTS.get(name)
    if kind is None:
        raise ValueError(f"no subject: {text}")
    return kind.read(which)


def pairs_of(keys: Iterable[str]) -> list[Pair]:
    """The pairs among the written subjects that a chat follows, in their order."""
    return [subject.pair for subject in _of(PairSubject, keys)]


def bases_of(keys: Iterable[str], home: str, *, order: Iterable[str] = ()) -> list[str]:
    """The currencies among them that a chat follows in its own one, in its `order`. A chat may have
    followed more in another.
    """
    return in_order({pair.base for pair in pairs_of(keys) if pair.quote == home}, order)


def in_order(codes: Iterable[str], order: Iterable[str]) -> list[str]:
    """Currencies as a chat has them: those of its `order` first, then the usual ones, the others
    after them.
    """
    left = set(codes)
    first = [code for code in dict.fromkeys((*order, *CURRENCIES)) if code in left]
    return first + sorted(left.difference(first))


def usual_in(order: Iterable[str], home: str) -> tuple[str, ...]:
    """The usual currencies of a chat that asks for none: those of its `order`, then the others."""
    return tuple(code for code in dict.fromkeys((*order, *CURRENCIES)) if code != home)


def topics_of(keys: Iterable[str]) -> list[str]:
    """The topics among them, in their order."""
    return [subject.topic for subject in _of(TopicSubject, keys)]


def digests_of(keys: Iterable[str]) -> list[DigestSubject]:
    """The digests among them, in their order."""
    return _of(DigestSubject, keys)


def weeks_of(keys: Iterable[str]) -> list[WeekSubject]:
    """The summaries of weeks among them, in their order."""
    return _of(WeekSubject, keys)


S = TypeVar("S", bound=Subject)


def _of(kind: type[S], keys: Iterable[str]) -> list[S]:
    """The subjects of one kind among those keys that this program can read."""
    found: list[S] = []
    for key in keys:
        # what a newer program wrote must not hide all else that a chat follows
        with suppress(ValueError):
            subject = parse_subject(key)
            if isinstance(subject, kind):
                found.append(subject)
    return found
