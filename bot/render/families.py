"""Texts whose ids are put together when they are said: a beginning, and a name of a list that the
program has (`hazard.flood`).

One more kind of hazard or of post is one more text, and nobody would look before it is to be said.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping

from bot.i18n import known
from bot.languages import FALLBACK, language
from bot.model.alerts import Approval, Severity
from bot.model.chats import Editorial, Post, Sound, Style, Wakes
from bot.model.filters import Sense
from bot.model.hazards import HazardKind
from bot.model.news import Mending
from bot.model.rates import RateKind
from bot.model.rules import RuleStanding
from bot.model.subjects import READERS_TOPICS
from bot.render.charts import RANGES
from bot.render.filters import SPANS
from bot.render.hazards import WINDS

#: Families of which each has exactly the texts of its list, by how their ids begin.
CLOSED: Mapping[str, Iterable[str]] = {
    "chart.range.": RANGES,
    "filters.for.": map(str, SPANS),
    "kind.": RateKind,
    "policy.": Editorial,
    "channel.policy_by_": set(Editorial) - {Editorial.PUBLISH},  # nobody asks less
    "post.": Post,
    "rule.standing.": RuleStanding,
    "severity.": Severity,
    "style.": Style,
    "wakes.": Wakes,
    "wind.": WINDS,
}
#: Families that have further texts beside those of their list.
OPEN: Mapping[str, Iterable[str]] = {
    "error.story_": set(Approval) - {Approval.WAITING},
    "filters.": Sense,
    "hazard.": HazardKind,
    "news.": Mending,
    "sound.": Sound,
    "topic.": READERS_TOPICS,
}
#: What each of both is made of, by how its ids begin.
FAMILIES: Mapping[str, frozenset[str]] = {
    begun: frozenset(map(str, names)) for begun, names in {**CLOSED, **OPEN}.items()
}
ID = re.compile(r'^msgid "([^"]+)"$', re.MULTILINE)


def problems() -> list[str]:
    """The texts that English lacks of a family, or that no list asks for, a sentence each."""
    return [*_lacking(), *_unasked(ID.findall(language(FALLBACK).texts.read_text("utf-8")))]


def _lacking() -> Iterable[str]:
    for begun, names in FAMILIES.items():
        for name in sorted(names):
            if not known(begun + name):
                yield f"the texts of {FALLBACK} lack {begun}{name}, made of a list of the program"


def _unasked(said: Collection[str]) -> Iterable[str]:
    for begun in CLOSED:
        for one in said:
            name = one.removeprefix(begun)
            if name != one and "." not in name and name not in FAMILIES[begun]:
                yield f"the texts of {FALLBACK} say {one}, which no list of the program asks for"
