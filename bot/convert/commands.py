"""Words behind commands, in every language (`bot/languages/*/commands.py`).

90d, 3 months, год, all time     a chart's range
курс, for, жана                  around currencies, with no part in what is asked
off, выкл, өчүр                  none: no quiet hours, no daily digest, no board
on, вкл, күйгүз                  there is to be one: a board
курс, покажи новости, жөндөөлөр  a command without its slash
новости Оша, футболду жашыр      and with what it is given, on either side of its name
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from operator import attrgetter

from bot.convert.plain import plain_text
from bot.languages import any_of, languages, phrases_of, values_of, words_of
from bot.languages.letters import fold_typed
from bot.languages.parts import CommandWords

ALL = "all"  # a chart's range: every day there is
#: The units of a range in its short form, in days; readers of every language may type them.
UNITS = {"d": 1, "w": 7, "m": 30, "y": 365}
_SHORT = {days: unit for unit, days in UNITS.items()}
#: The ranges that a language has one word for, by their days: "week", "полгода".
SPANS = {1: "1d", 7: "1w", 14: "2w", 30: "1m", 90: "3m", 180: "6m", 365: "1y"}
_WORD = re.compile(r"\w+")
#: What no words beside its name may ask for that could mean more: "не пиши никому".
UNMISTAKABLE = frozenset({"delete", "stop"})
MOST_WORDS = 10  # of a text that asks for a command: a longer one speaks of something else


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
    if found["one"]:
        return RangeFound(span=SPANS[_alone()[found["one"].lower()]], end=found.end())
    unit = _SHORT[_units()[found["unit"].lower()]]
    return RangeFound(span=f"{found['count']}{unit}", end=found.end())


def behind_filler(text: str, at: int) -> int | None:
    """The place behind a word with no part in a command that begins at `at`; None when none does.

    To be asked behind what may begin like it: "курс" is such a word, "last Friday" is a day.
    """
    found = _filler().match(text, at)
    if found is None or found.end() == at:  # an empty alternative, by a "|" too many
        return None
    return found.end()


def speaks_of_range(text: str) -> bool:
    """Whether a text has a chart's range, other than all the days there are: "за неделю"."""
    plain = plain_text(text)
    for word in _WORD.finditer(plain):
        found = range_at(plain, word.start())
        if found is not None and found.span != ALL:
            return True
    return False


def speaks_of_chart(text: str) -> bool:
    """Whether a text has a word for a chart."""
    return _chart().search(text) is not None


def command_called(text: str) -> str | None:
    """The command that a text asks for without a slash, in any language, and by nothing else but
    words that mean nothing there: "покажи, пожалуйста, новости".
    """
    words = _split(text)
    if len(words) > MOST_WORDS:
        return None
    for kept in (words, _bared(words, _beside())):
        if command := _called().get(_name(kept)):
            return command
    command = _called().get(_name(_bared(words, _beside() | _idle())))
    return None if command in UNMISTAKABLE else command


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A command that a text asks for by that name, and the words that it is to be given."""

    command: str
    name: str
    behind: str

    @property
    def is_verb(self) -> bool:
        """Whether its name wants something behind it: "hide", other than "filters"."""
        return self.name in _given("given") or self.name in _given("given_last")

    @property
    def denies(self) -> bool:
        """Whether its name denies: "do not disturb never" may mean either."""
        return not set(words_of(lambda spoken: spoken.news.not_before)).isdisjoint(
            self.name.split()
        )


def command_begun(text: str) -> Begun | None:
    """The command that a text asks for by its longest name, with words behind it, or before it
    where a language has it so; None without either.
    """
    words = _split(text)
    if len(words) > MOST_WORDS:
        return None
    words = _without_first(words, _beside())
    for count in range(len(words) - 1, 0, -1):
        begins, ends = (words[:count], words[count:]), (words[-count:], words[:-count])
        for names, (name, rest) in (
            # a verb wins: "жаңылык жибербе" asks for no news
            (_given("given"), begins),
            (_given("given_last"), ends),
            (_called(), begins),
            (_called(), ends),
        ):
            command, behind = names.get(_name(name)), " ".join(_subject(rest))
            if command is not None and behind:
                return Begun(command=command, name=_name(name), behind=behind)
    return None


def _split(text: str) -> list[str]:
    return [word for one in plain_text(text).split() if (word := one.strip(",:;!?.–—-"))]


def _name(words: Sequence[str]) -> str:
    return fold_typed(" ".join(words))


def _bared(words: Sequence[str], idle: frozenset[str]) -> list[str]:
    """What is left of words without those around them that mean nothing; one of them at least."""
    kept = _without_first(words, idle)
    while len(kept) > 1 and fold_typed(kept[-1]) in idle:
        kept.pop()
    return kept


def _without_first(words: Sequence[str], idle: frozenset[str]) -> list[str]:
    """The words from the first on that means something, or from a name that begins before it."""
    kept = list(words)
    while len(kept) > 1 and fold_typed(kept[0]) in idle:
        if any(_name(kept[:count]) in _called() for count in range(2, len(kept) + 1)):
            break  # "my alerts" is a name
        kept.pop(0)
    return kept


def _subject(words: Sequence[str]) -> list[str]:
    """What words are about, without those that say so: "о границе", "чек ара тууралуу"; nothing
    where they mean nothing.
    """
    kept, idle = list(words), _beside() | _idle()
    about = idle | _about()
    while len(kept) > 1 and fold_typed(kept[0]) in about:
        kept.pop(0)
    while len(kept) > 1 and fold_typed(kept[-1]) in about:
        kept.pop()
    return [word for word in kept if len(kept) > 1 or fold_typed(word) not in idle]


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
def _called() -> dict[str, str]:
    return _commands(lambda words: words.called)


@cache
def _given(where: str) -> dict[str, str]:
    """The names that stand before what a command is given, `given`, or behind it, `given_last`."""
    return _commands(attrgetter(where))


def _commands(listed: Callable[[CommandWords], Mapping[str, str]]) -> dict[str, str]:
    """The commands by the phrases that every language lists for them."""
    found: dict[str, str] = {}
    for spoken in languages():
        for command, phrases in listed(spoken.commands).items():
            for phrase in filter(None, phrases.split(",")):
                found.setdefault(fold_typed(phrase), command)
    return found


@cache
def _beside() -> frozenset[str]:
    return frozenset(map(fold_typed, words_of(lambda spoken: spoken.commands.beside)))


@cache
def _idle() -> frozenset[str]:
    return frozenset(map(fold_typed, words_of(lambda spoken: spoken.commands.idle)))


@cache
def _about() -> frozenset[str]:
    return frozenset(map(fold_typed, words_of(lambda spoken: spoken.commands.about)))


@cache
def _rate_words() -> tuple[str, ...]:
    """The words that alone ask for the rates."""
    return tuple(
        phrase for phrase, command in _called().items() if command == "rates" and " " not in phrase
    )


@cache
def _range() -> re.Pattern[str]:
    return re.compile(
        rf"(?:(?P<all>{any_of(phrases_of(lambda spoken: spoken.commands.whole))})"
        rf"|(?P<count>\d{{1,4}}) ?-?(?P<unit>{any_of(_units())})"
        rf"|(?P<one>{any_of(_alone())}))\.?(?!\w)",
        re.IGNORECASE,
    )


@cache
def _alone() -> Mapping[str, int]:
    """The words and phrases for one range, and how many days it has."""
    found: dict[str, int] = {}
    for spoken in reversed(languages()):
        for days, phrases in spoken.commands.one_range.items():
            found |= dict.fromkeys(filter(None, phrases.split(",")), days)
    return found


@cache
def _units() -> Mapping[str, int]:
    """The words for a day, a week, a month, a year, and how many days each is."""
    found = {word: days for word, days in _alone().items() if days in _SHORT}
    for spoken in reversed(languages()):
        for days, words in spoken.commands.ranges.items():
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
