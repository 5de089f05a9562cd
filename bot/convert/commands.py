"""Words behind commands, in every language (`bot/languages/*/commands.py`).

90d, 3 months, год, all time     a chart's range
курс, for, жана                  around currencies, with no part in what is asked
off, выкл, өчүр                  none: no quiet hours, no daily digest, no board
on, вкл, күйгүз                  there is to be one: a board
курс, новости, жөндөөлөр         a command without its slash, alone or before what it is given
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from bot.languages import any_of, languages, phrases_of, values_of, words_of
from bot.languages.letters import fold_typed

ALL = "all"  # a chart's range: every day there is
#: The units of a range in its short form, in days; readers of every language may type them.
UNITS = {"d": 1, "w": 7, "m": 30, "y": 365}
_SHORT = {days: unit for unit, days in UNITS.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class RangeFound:
    """A chart's range in its short form ("90d", "all") and the place in the text behind it."""

    span: str
    end: int


def range_at(text: str, at: int) -> RangeFound | None:
    """The range that begins at `at` of a plain text; None when none does."""
    found = _range().match(text, at)
    if found is None:
        return None
    if found["all"]:
        return RangeFound(span=ALL, end=found.end())
    days = _units()[(found["unit"] or found["one"]).lower()]
    return RangeFound(span=f"{found['count'] or 1}{_SHORT[days]}", end=found.end())


def behind_filler(text: str, at: int) -> int | None:
    """The place behind a word with no part in a command that begins at `at`; None when none does.

    To be asked behind what may begin like it: "курс" is such a word, "last Friday" is a day.
    """
    found = _filler().match(text, at)
    if found is None or found.end() == at:  # an empty alternative, by a "|" too many
        return None
    return found.end()


def speaks_of_chart(text: str) -> bool:
    """Whether a text has a word for a chart."""
    return _chart().search(text) is not None


def command_called(text: str) -> str | None:
    """The command that a text asks for without a slash, in any language, and by nothing else."""
    return _called().get(" ".join(fold_typed(text).strip(" .!?").split()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A command that a text asks for at its beginning, by that name, and the words behind it."""

    command: str
    name: str
    behind: str

    @property
    def denies(self) -> bool:
        """Whether its name denies: "do not disturb never" may mean either."""
        return not set(words_of(lambda spoken: spoken.news.not_before)).isdisjoint(
            self.name.split()
        )


def command_begun(text: str) -> Begun | None:
    """The command that a text asks for at its beginning, by its longest name, with words behind it;
    None without either.
    """
    words = text.split()
    for count in range(len(words) - 1, 0, -1):
        name = " ".join(words[:count]).rstrip(":,–—-")
        command = command_called(name)
        if command is not None:
            behind = " ".join(words[count:])
            return Begun(command=command, name=fold_typed(name), behind=behind)
    return None


def speaks_of_rates(text: str) -> bool:
    """Whether a text has a word for rates, in any form: "эртеңки курс", "курсы на завтра"."""
    words = fold_typed(text).split()
    return any(word.startswith(_rate_words()) for word in words)


def says_off(text: str) -> bool:
    """Whether a text is a word for none, in any language."""
    return fold_typed(text).strip(" .!") in _off()


def says_on(text: str) -> bool:
    """Whether a text is a word for switching something on, in any language."""
    return fold_typed(text).strip(" .!") in _on()


@cache
def _called() -> Mapping[str, str]:
    found: dict[str, str] = {}
    for spoken in languages():
        for command, phrases in spoken.commands.called.items():
            for phrase in filter(None, phrases.split(",")):
                found.setdefault(fold_typed(phrase), command)
    return found


@cache
def _rate_words() -> tuple[str, ...]:
    """The words that alone ask for the rates."""
    return tuple(
        phrase for phrase, command in _called().items() if command == "rates" and " " not in phrase
    )


@cache
def _range() -> re.Pattern[str]:
    alone: set[str] = set()
    for spoken in languages():
        for words in spoken.commands.one_range.values():
            alone.update(words.split())
    return re.compile(
        rf"(?:(?P<all>{any_of(phrases_of(lambda spoken: spoken.commands.whole))})"
        rf"|(?P<count>\d{{1,4}}) ?-?(?P<unit>{any_of(_units())})"
        rf"|(?P<one>{any_of(alone)}))\.?(?!\w)",
        re.IGNORECASE,
    )


@cache
def _units() -> Mapping[str, int]:
    """The words for a day, a week, a month, a year, and how many days each is."""
    found: dict[str, int] = {}
    for spoken in reversed(languages()):
        for listed in (spoken.commands.one_range, spoken.commands.ranges):
            for days, words in listed.items():
                found |= dict.fromkeys(words.split(), days)
    return found | UNITS


@cache
def _filler() -> re.Pattern[str]:
    words = "|".join(values_of(lambda spoken: spoken.commands.around))
    return re.compile(rf"(?:{words})(?!\w)", re.IGNORECASE)


@cache
def _chart() -> re.Pattern[str]:
    words = "|".join(filter(None, values_of(lambda spoken: spoken.commands.chart))) or "(?!)"
    return re.compile(rf"(?<!\w)(?:{words})(?!\w)", re.IGNORECASE)


@cache
def _off() -> frozenset[str]:
    return frozenset(map(fold_typed, words_of(lambda spoken: spoken.commands.off)))


@cache
def _on() -> frozenset[str]:
    return frozenset(map(fold_typed, words_of(lambda spoken: spoken.commands.on)))
