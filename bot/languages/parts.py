"""The parts of a language: what its folder brings, each a value.

An empty part is a stub: allowed, and says nothing.
Words are in lower case. A `Pattern` is a piece of a regular expression, its alternatives apart by
"|"; other lists are words apart by spaces, or phrases apart by commas where the name says so.
What a field holds is looked at before anything runs (`bot.languages.fields`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any

from bot.languages.fields import a_zone, all_or_none, bring, compiled, one_of
from bot.model.hazards import HazardKind
from bot.model.rates import RateKind

LEFT_OUT: Any = None  # a part that has to be there, and is told by its name
Pattern = Annotated[str, compiled]
Months = Annotated[tuple[Pattern, ...], all_or_none(12)]
Zone = Annotated[str, a_zone]


class Script(StrEnum):
    """The letters a language is written in, of those scripts that part words by spaces."""

    LATIN = "latin"
    CYRILLIC = "cyrillic"
    ARABIC = "arabic"
    ARMENIAN = "armenian"
    GEORGIAN = "georgian"
    GREEK = "greek"
    HEBREW = "hebrew"
    DEVANAGARI = "devanagari"


#: The small letters of each script, as they stand between [ and ]: by Unicode's blocks, with the
#: marks that belong to a word.
LETTERS: Mapping[Script, str] = {
    Script.LATIN: "a-z",
    Script.CYRILLIC: "\u0400-\u04ff",
    Script.ARABIC: "\u0620-\u065f\u066e-\u06d3\u0750-\u077f\u200c",
    Script.ARMENIAN: "\u0531-\u0588",
    Script.GEORGIAN: "\u10a0-\u10ff\u1c90-\u1cbf",
    Script.GREEK: "\u0370-\u03ff\u1f00-\u1fff",
    Script.HEBREW: "\u0591-\u05f4",
    Script.DEVANAGARI: "\u0900-\u0963\u200c\u200d",
}


class Form(StrEnum):
    """The endings of a currency's name, by its part in a question."""

    PLAIN = ""
    SUBJECT = "subject"  # Russian nominative that cannot be counted: "доллар"
    INSIDE = "inside"  # Russian prepositional plural: "в долларах" asks for dollars
    INTO = "into"  # Kyrgyz dative: "долларга"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The marks by which a text in the language is told from one in another of the same script.

    The first language of a script is taken unless another is likelier; `odds.tsv` beside this
    (letter triple, log odds against that first language) is a language's own and may be absent.
    """

    script: Script = LEFT_OUT
    letters: str = ""  # letters that the first language of the script does not have
    words: str = ""  # frequent short words that no other language of the script has
    optional: Mapping[str, str] = field(default_factory=dict)  # letter to what may stand for it
    typed: Mapping[str, str] = field(default_factory=dict)  # letter to what foreign keyboards type
    # letter to Latin ones, as names are spelt abroad; the first language of Cyrillic letters has
    # `sounds` instead
    latin: Mapping[str, str] = field(default_factory=dict)
    # letter to its sound in the key of a name, where "J" is zh or j, "S" is sh and "C" is ch
    sounds: Mapping[str, str] = field(default_factory=dict)
    common: str = ""  # its commonest small letters: what has few was read by the wrong encoding
    letterless: bool = False  # whether a text without any letter is taken for this language


@dataclass(frozen=True, slots=True, kw_only=True)
class Days:
    """The ways in which days are written: patterns, of every case."""

    months: Months = ()
    # days from today, such as -1: "yesterday"
    named: Mapping[int, Pattern] = field(default_factory=dict)
    weekdays: Annotated[tuple[Pattern, ...], all_or_none(7)] = ()  # Monday first
    last: Pattern = ""  # "last" of "last Friday"
    day: Pattern = ""  # "days" of "3 days ago"
    week: Pattern = ""
    month: Pattern = ""
    years: Pattern = ""
    one: Pattern = ""  # "a" of "a week ago"
    ago: Pattern = ""
    ordinal: Pattern = ""  # "th" of "20th"
    before_month: str = ""  # words between a day and its month: "of"
    year: Pattern = ""  # a word behind a date with its year
    year_before: Pattern = ""  # a word between a year and the day behind it
    # as feeds write them: by what any form of the month's name begins with, or several
    month_starts: Annotated[tuple[str, ...], all_or_none(12)] = ()
    at: str = ""  # words before a time of day: "at"


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """Numbers in words: what a reader types, and what a newsroom counts people with.

    A word typed on a foreign keyboard (`Reading.typed`) is understood without standing here.
    """

    words: Mapping[int, str] = field(default_factory=dict)  # 0 to 999 to every form of its word
    people: Mapping[int, str] = field(default_factory=dict)  # number to words that count people
    crowds: Mapping[int, str] = field(default_factory=dict)  # "dozens": number to words for no less
    also_else: str = ""  # number words that in news more often mean something else
    ten_joins: bool = False  # ten and one are eleven: "он бир"
    # words that multiply what stands before them
    scales: Mapping[int, str] = field(default_factory=dict)
    # letters that do, right behind a number
    short_scales: Mapping[int, str] = field(default_factory=dict)
    # one word for half of a scale: "полмиллиона"
    half_of: Mapping[int, str] = field(default_factory=dict)
    hundred: str = ""  # multiplies what stands before it
    a_hundred: str = ""  # counts by itself
    one_and_half: str = ""
    half: str = ""
    plus: str = ""  # "and" of "two hundred and five"
    plus_before: Mapping[str, str] = field(default_factory=dict)  # likewise, only before this word


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """A word for a currency in all its forms; no `code` where it needs a country ("crown").

    `stands_for` is one spelling for all forms, the same in two languages that write one word.
    """

    code: str
    stands_for: str
    forms: tuple[tuple[str, Form], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """Names of currencies, beside those of CLDR, which knows full names and no cases."""

    heads: Annotated[Callable[[], Iterable[Head]], bring(Head)] = tuple
    short_forms: Mapping[str, str] = field(default_factory=dict)  # word to code
    initials: Mapping[str, str] = field(default_factory=dict)  # one letter behind an amount to code
    sure_initials: str = ""  # those of them that mean nothing else there
    # short word to the codes of which it is one's, when that stands beside it: "100 кр SEK"
    abbreviations: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)  # code to full names apart by commas
    common: str = ""  # names and codes that are words of other meanings too
    adjective_end: Pattern = ""  # what is cut from the words of a full name
    case_ending: Pattern = ""  # what hangs on a sign or a code; a group `into` is the dative


@dataclass(frozen=True, slots=True, kw_only=True)
class Questions:
    """Words with a part in a question about money, by the part's letter (bot/convert/items.py)."""

    words: Mapping[str, str] = field(default_factory=dict)  # letter to phrases apart by commas
    articles: str = ""
    greetings: str = ""  # phrases apart by commas
    courtesies: str = ""  # likewise, of thanks and consent: "thank you", "ok"
    cancel: str = ""  # likewise, that take back what was begun
    greeted: str = ""  # words beside a greeting that ask for nothing: "there" of "hello there"
    # words, all phrases apart by commas, between the amounts of a list: "and"
    between_amounts: str = ""
    between_targets: str = ""  # before one more wanted currency: "and", "in"
    before_day: str = ""  # "on" of "100 usd on August 1"
    behind_day: str = ""
    # of the words with the part Q, those that before one nominative ask what one of it is
    of_one: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleWords:
    """Words of a chat's own rules, phrases apart by commas."""

    # to phrases
    kinds: Mapping[Annotated[str, one_of(RateKind)], str] = field(default_factory=dict)
    below: str = ""
    above: str = ""
    once: str = ""
    until: str = ""
    link: str = ""  # between two currencies
    filler: str = ""
    rises: str = ""  # of a move that goes up alone: "rises by 2 %"
    falls: str = ""
    # each in one of the lists above too
    to: str = ""  # before the level that a move goes to: "falls to 80"
    by: str = ""  # before the size of a move: "falls by 2"
    when: str = ""  # speak of a moment to come: "when the dollar is 90", where a number is a level
    tell: str = ""  # ask to be told, and so for a rule: "warn me when"
    days: Mapping[int, str] = field(default_factory=dict)  # days to the words of a span
    #: Likewise of one without a number, phrases apart by commas: "2 % in a day".
    one_span: Mapping[int, str] = field(default_factory=dict)
    percent: Pattern = ""
    number_ending: Pattern = ""  # a case that hangs on a number


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterWords:
    """Words for how long a filter of the news holds: "for 7 days"."""

    spans: Mapping[int, str] = field(default_factory=dict)  # days to the words of a span
    hours: str = ""  # those of a span of hours
    lead: str = ""  # words before it: "for"
    beside: str = ""  # words between: "the next" of "for the next two weeks"
    one: str = ""  # "a" of "for a week"
    #: Words that are a day of the week only beside "until", by that day; Monday is 0.
    until_weekdays: Mapping[int, str] = field(default_factory=dict)
    both: str = ""  # words between two things of a list: "and"
    #: What stories are about, as a dictionary has it, apart by commas; offered under a story whose
    #: headline has it in any form.
    nouns: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietWords:
    """Words around two hours of the day: "from 11 pm to 7 am"."""

    beside: str = ""  # words that may stand there: "from"
    endings: str = ""  # of cases that hang on an hour
    spans: str = ""  # those of both that make two hours a span: "from", "between"
    morning: str = ""  # parts of the day in which twelve hours are counted
    evening: str = ""
    night: str = ""  # from the evening until before the morning
    part_leads: bool = False  # whether a part of the day stands before its hour


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandWords:
    """Words behind /rates, /chart, /digest, /quiet and /board."""

    chart: Pattern = ""  # words for a chart
    around: Pattern = ""  # what stands around currencies and means nothing: "rate", "for"
    ranges: Mapping[int, str] = field(default_factory=dict)  # 1, 7, 30, 365 days: of "90 days"
    #: Likewise without a number, phrases apart by commas, also of 14, 90 and 180 days: "quarter".
    one_range: Mapping[int, str] = field(default_factory=dict)
    whole: str = ""  # phrases, apart by commas, of all the days there are: "all time"
    off: str = ""  # words for none: no quiet hours, no daily digest, no board
    on: str = ""  # words for switching something on: a board
    #: Commands to phrases, apart by commas, by which they are asked for without a slash.
    called: Mapping[str, str] = field(default_factory=dict)
    #: Likewise, but never alone: what the command is given stands behind them, "mute football".
    given: Mapping[str, str] = field(default_factory=dict)
    #: Likewise, where it stands before them: "футболду жашыр".
    given_last: Mapping[str, str] = field(default_factory=dict)
    beside: str = ""  # words around those that mean nothing: "show", "please", "my"
    #: Words that mean something, and nothing that a command could be given: "nobody", "bad".
    idle: str = ""
    about: str = ""  # words between those and what they are about: "on", "тууралуу"


@dataclass(frozen=True, slots=True, kw_only=True)
class Zones:
    """Cities, countries and offsets, as the time zone they keep."""

    cities: Mapping[Zone, str] = field(default_factory=dict)  # zone to names apart by commas
    # code of a country with several zones to further names
    countries: Mapping[str, str] = field(default_factory=dict)
    utc: str = ""
    moscow: str = ""  # "msk" of "msk+4"
    beside: str = ""  # words that may stand beside a name: "time", "in"
    hours: Pattern = ""
    city_endings: tuple[Pattern, ...] = ()  # endings that a city's name is tried without
    declined: Pattern = ""  # a name whose last vowels a case may change
    vowels: str = ""  # those


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """The habits of a language's newsrooms, beside the tables of words in its folder."""

    denials: str = ""  # stems that deny
    negations: str = ""  # words that turn a sentence to its contrary
    follow_ups: str = ""  # stems that make a headline an answer to another one
    # phrases, apart by commas, of a headline that says an event has ended; in these and those that
    # follow "*" behind a word stands for its endings
    over: str = ""
    again: str = ""  # likewise, that something works as before; of fighting it says the contrary
    #: What closes or threatens to what says that it does no more, phrases apart by commas: a road
    #: that was opened is open again, a school was built.
    ended: Mapping[str, str] = field(default_factory=dict)
    # beginnings of phrases in `ended` that are said of what was built, too; and phrases, apart by
    # commas, beside which they are: "bridge opened in a ceremony"
    opening: str = ""
    inaugural: str = ""
    anew: str = ""  # phrases, apart by commas, that what had ended has begun again
    shut: str = ""  # beginnings of words that say behind an end that there is none: "then closed"
    before_it: str = ""  # words behind an end that tell of the time before: "after"
    # beginnings of words of what may go on, and ends by no such phrase: "shelling resumes"
    fighting: str = ""
    not_before: str = ""  # words before such a phrase by which nothing has ended: "not", "will"
    else_before: str = ""  # likewise, by which it says something else: "stays open"
    infinitive: str = ""  # words right before one that is to come: "to open"
    not_behind: str = ""  # and phrases, apart by commas, right behind it
    not_of: str = ""  # words near before a thing in `ended` by which it is another one: "new"
    not_at: str = ""  # and right before it, or between: "a café opened on the road"
    # a word right behind it that makes another of it, its letters folded: "a road café"
    makes_another: Pattern = ""
    to_come: str = ""  # words by which the end is to come: "tomorrow"
    asking: str = ""  # words that a question begins with
    # labels, apart by commas, of what a newsroom puts right or takes back: they begin a headline
    # before a colon or a dash apart from both, or stand in brackets
    corrected: str = ""
    taken_back: str = ""
    updated: str = ""  # likewise, of what was only added to: no label, but it may stand beside one
    # phrases that say the latter where a sentence begins; their subject is the newsroom or its
    # story, as others take back reports too
    takes_back: str = ""
    # Snowball's name of it, for search; words of a language without are found by their beginnings
    stemmer: str = ""
    # without one: endings that a word of a question is looked for without, by the letters behind
    # which each may stand; and pairs of a stem's last letters that an ending softens, "кг"
    suffixes: Mapping[str, str] = field(default_factory=dict)
    softened: str = ""
    endings: bool = False  # words change at their ends, so that stems are cut shorter
    capital_headlines: bool = False  # some headlines capitalise every word
    clause: str = ""  # words that part a sentence's clauses
    common_names: str = ""  # words and first names that every newsroom capitalises
    not_people: str = ""  # beginnings of words after a number that counts no people
    shortened: str = ""  # words that a full stop ends and no sentence: "Dr." before a name
    # phrases, apart by commas, that call for attention before a headline, and are none: "Breaking"
    calls: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HazardWords:
    """Words for dangers in the warnings of weather and rescue services, and in reports: `figures`
    beside them say that something else floods, `centre` begins where an earthquake was.
    """

    events: Mapping[Annotated[str, one_of(HazardKind)], Pattern] = field(default_factory=dict)
    figures: Pattern = ""
    centre: Pattern = ""
