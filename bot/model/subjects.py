"""Subjects: what can be followed, muted and explained, each a value with one written form.

    pair:USD/KGS   topic:security   digest:09:00@Asia/Bishkek   rule:7

`str` writes it, `parse_subject` reads it back; nobody else takes it apart. The store keeps the
written form as the key of a subscription and of an alert's audience.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import time

from bot.model.rates import Pair


@dataclass(frozen=True, slots=True)
class PairSubject:
    """The big moves of a pair."""

    pair: Pair

    def __str__(self) -> str:
        """As it is stored."""
        return f"pair:{self.pair}"


@dataclass(frozen=True, slots=True)
class TopicSubject:
    """The stories of a topic."""

    topic: str

    def __str__(self) -> str:
        """As it is stored."""
        return f"topic:{self.topic}"


@dataclass(frozen=True, slots=True)
class DigestSubject:
    """The digest at a time of day in a time zone, named as the zone database has it."""

    at: time
    zone: str

    def __str__(self) -> str:
        """As it is stored."""
        return f"digest:{self.at:%H:%M}@{self.zone}"


@dataclass(frozen=True, slots=True)
class RuleSubject:
    """A chat's own rule, by its number in the store."""

    rule: int

    def __str__(self) -> str:
        """As it is stored."""
        return f"rule:{self.rule}"


Subject = PairSubject | TopicSubject | DigestSubject | RuleSubject


def parse_subject(text: str) -> Subject:
    """The subject of a written form; ValueError for what is none."""
    kind, _, rest = text.partition(":")
    if kind == "pair":
        return PairSubject(Pair.parse(rest))
    if kind == "topic" and rest:
        return TopicSubject(rest)
    if kind == "digest":
        at, _, zone = rest.partition("@")
        return DigestSubject(time.fromisoformat(at), zone)
    if kind == "rule":
        return RuleSubject(int(rest))
    raise ValueError(f"no subject: {text}")


def pairs_of(keys: Iterable[str]) -> list[Pair]:
    """The pairs among the written subjects that a chat follows, in their order."""
    found = []
    for subject in _readable(keys):
        if isinstance(subject, PairSubject):
            found.append(subject.pair)
    return found


def topics_of(keys: Iterable[str]) -> list[str]:
    """The topics among them, in their order."""
    found = []
    for subject in _readable(keys):
        if isinstance(subject, TopicSubject):
            found.append(subject.topic)
    return found


def digests_of(keys: Iterable[str]) -> list[DigestSubject]:
    """The digests among them, in their order."""
    found = []
    for subject in _readable(keys):
        if isinstance(subject, DigestSubject):
            found.append(subject)
    return found


def _readable(keys: Iterable[str]) -> Iterator[Subject]:
    """The subjects of those keys that this program can read."""
    for key in keys:
        # what a newer program wrote must not hide all else that a chat follows
        with suppress(ValueError):
            yield parse_subject(key)
