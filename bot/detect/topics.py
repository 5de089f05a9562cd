"""Topics of a text: economy, politics, society.

Several, or none: a word must say it clearly.

A small lexicon a language, written by hand (`bot/languages/*/topics.tsv`: topic, weight, pattern),
read by `bot.detect.lexicon`: a word, a stem with `*`, or a phrase. Security has a
detector of its own; a topic here only chooses what /news and a digest show, it wakes nobody, so
that a story in two of them does no harm.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Protocol

from bot.detect.clues import clued
from bot.detect.language import known_language
from bot.detect.lexicon import Lexicon, Zone, build_lexicon, read_pattern, shares, zones
from bot.detect.security import detect_in
from bot.languages import language as speech
from bot.model.news import Entry, Verdict
from bot.model.text import comparable

Meant = tuple[str, str, str | None, Sequence[str], bytes]
"""Title, text, language, the topics fixed for its feed, and the vector."""

JUDGED_AT_ONCE = 100  # entries of a document that are judged where it was read, at most
CLEARLY = 1.0  # one plain word of the headline, or two of the first paragraph


def topics_of(title: str, text: str, language: str | None = None) -> tuple[str, ...]:
    """The topics a text is clearly about, clearest first; `language` as in `security.detect`."""
    title, text = comparable(title), comparable(text)
    language = known_language(language, f"{title}\n{text}")
    return _topics_in(zones(title, text), language)


def _topics_in(where: tuple[Zone, ...], language: str) -> tuple[str, ...]:
    sizes: dict[str, float] = {}
    for pattern, share in shares(_lexicon(language), where).items():
        sizes[pattern.kind] = sizes.get(pattern.kind, 0.0) + pattern.weight * share
    clear = []
    for topic, size in sorted(sizes.items(), key=lambda item: -item[1]):
        if size >= CLEARLY:
            clear.append(topic)
    return tuple(clear)


def judged(
    title: str,
    text: str,
    language: str | None = None,
    *,
    fixed: Sequence[str] = (),
    vector: bytes | None = None,
) -> Verdict:
    """The whole verdict on an entry, as it is stored, and as `jarchy detect security` prints it.

    Its topics are those that are `fixed` for its feed, security where it is about that, and what
    its words say. `vector` as in `security.detect`.
    """
    title, text = comparable(title), comparable(text)
    language = known_language(language, f"{title}\n{text}")
    where = zones(title, text)  # both detectors look there
    found = detect_in(where, title, text, language, vector=vector)
    # a dict keeps their order, the surest first, and each once
    topics = dict.fromkeys([*fixed, *found.topics, *_topics_in(where, language)])
    return replace(found, topics=tuple(topics))


def judged_all(texts: Sequence[tuple[str, str, str | None]], fixed: Sequence[str]) -> list[Verdict]:
    """The verdicts on texts (title, text, language) of one feed, with the texts' clues.

    It stands here because a worker process that reads it loads the detectors and nothing else: with
    the flow it would be 50 MB and a second more.
    """
    verdicts: list[Verdict] = []
    for title, text, language in texts:
        found = judged(title, text, language, fixed=fixed)
        verdicts.append(clued(found, title, text, language))
    return verdicts


class Document(Protocol):
    """A document's list of entries; whether items of it were `skipped`, because they were known."""

    @property
    def entries(self) -> Sequence[Entry]:
        """Its entries but for the known ones."""

    @property
    def skipped(self) -> bool:
        """Whether known items were left out."""


def judged_in(
    document: Document, said: str | None, fixed: Sequence[str], *, first: bool, since: datetime
) -> list[Verdict]:
    """The verdicts on a document's entries, right where it was read; `said` is the feed's language.

    None where most of them are old: it was read whole and is not the `first` of its feed. Nor of
    more than a few: they would take the time that reading has. What was published before `since`
    has no clues: no report is compared with it any more.
    """
    if len(document.entries) > JUDGED_AT_ONCE or not (first or document.skipped):
        return []
    verdicts: list[Verdict] = []
    for one in document.entries:
        text, language = one.summary or one.content, one.language or said
        found = judged(one.title, text, language, fixed=fixed)
        if one.published_at is None or one.published_at >= since:
            found = clued(found, one.title, text, language)
        verdicts.append(found)
    return verdicts


def judged_by_meaning(texts: Sequence[Meant]) -> list[Verdict]:
    """The verdicts on texts of several feeds with their vectors; in a worker process, as above."""
    verdicts: list[Verdict] = []
    for title, text, language, fixed, vector in texts:
        verdicts.append(judged(title, text, language, fixed=fixed, vector=vector))
    return verdicts


@cache
def _lexicon(code: str) -> Lexicon:
    rows = speech(code).rows("topics")
    patterns = [read_pattern(words, topic, float(weight)) for topic, weight, words in rows]
    return build_lexicon(patterns, 0.0)
