"""Quiet hours as people write them.

    23:00-07:00, 23-7, 2300-0700     two hours of the day
    from 11 pm to 7 am               with words around them, in every language
    off                              none

The words are those of `bot/languages/*/quiet.py`, those for none of `commands.py` beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import time
from functools import cache

from bot.convert.commands import says_off
from bot.errors import UserError
from bot.languages import languages, words_of
from bot.languages.letters import fold_typed
from bot.model.quiet import LONGEST_QUIET, QuietHours
from bot.model.subjects import MOST_DIGESTS

EXAMPLE = "/quiet 23:00-07:00"
LONGEST_TEXT = 60  # characters; a span has fewer
LONGEST_HOUR = 11  # characters of one, with the longest word before the next: "08:30 жана "
#: A list of hours has fewer, with a word between each; one too many is still read, to be told so.
LONGEST_LIST = (MOST_DIGESTS + 1) * LONGEST_HOUR
NIGHT_FALLS = 9  # "9 at night" is in the evening, and "3 at night" before the morning
_DASHES = str.maketrans(dict.fromkeys("–—−‑‒~", "-"))
_HOUR = r"(?P<hour>\d{1,2})(?:[:.](?P<minute>\d{2}))?(?!\d)|(?P<both>\d{4})"
_TOKEN = re.compile(rf"(?:{_HOUR})(?:-?(?P<ending>[^\W\d_]+))?|(?P<word>[^\W\d_']+)|(?P<mark>\S)")
_CLOCK = re.compile(r"\d:\d\d")
_MARKS = frozenset("-,")


def parse_quiet(text: str) -> QuietHours | None:
    """The hours that somebody names, None for none; UserError says what cannot be read."""
    # one letter more than the limit, by which a longer text is known
    said = fold_typed(text[: LONGEST_TEXT + 1]).translate(_DASHES).strip(" .!")
    if says_off(said):
        return None
    hours = _hours(said) if len(said) <= LONGEST_TEXT else []
    if len(hours) != 2:
        raise UserError("error.quiet.span", text=text[:40], example=EXAMPLE)
    try:
        return QuietHours(*hours)
    except ValueError:
        longest = LONGEST_QUIET.seconds // 3600
        raise UserError("error.quiet.day", longest=longest, example=EXAMPLE) from None


def read_hours(text: str) -> list[time]:
    """The hours of the day that somebody lists, in their order and each once: "8:30 and 8 pm".

    None where anything else stands there, a span of hours too: "from 9 to 18" is no two hours.
    """
    said = fold_typed(text[: LONGEST_LIST + 1]).translate(_DASHES).strip(" .!")
    if len(said) > LONGEST_LIST or "-" in said or says_span(said):
        return []
    return sorted(set(_hours(said)))


def says_clock(text: str) -> bool:
    """Whether a text has an hour that is no amount: "8:30", "8 pm"; "20" and "12.50" may be."""
    said = fold_typed(text[:LONGEST_LIST])
    words = (one["ending"] or one["word"] for one in _TOKEN.finditer(said))
    return _CLOCK.search(said) is not None or any(word in _parts() for word in words)


def says_span(text: str) -> bool:
    """Whether a word says that hours are the ends of a span: "from 11 to 7"."""
    said = fold_typed(text[: LONGEST_LIST + 1])
    words = (one["ending"] or one["word"] for one in _TOKEN.finditer(said))
    return any(word in _words("spans") for word in words)


def _hours(said: str) -> list[time]:
    """The hours of the day that are named; none where anything else is."""
    found: list[time] = []
    part = ""  # of the day, named before its hour
    for one in _TOKEN.finditer(said):
        word = one["ending"] or one["word"] or ""
        if one["hour"] or one["both"]:
            hour = _hour(one)
            if hour is None:
                return []
            if word and word not in _words("endings"):
                part = part or _parts().get(word, "")
                if not part and word not in _words("beside"):
                    return []
            found.append(_in(part, hour))
            part = ""
        elif one["mark"]:
            if one["mark"] not in _MARKS:
                return []
        elif word in _parts():
            # "11 pm", but "кечки 11": before its hour in some languages
            if word in _words("leading"):
                part = _parts()[word]
            elif found:
                found[-1] = _in(_parts()[word], found[-1])
        elif word not in _words("beside"):
            return []
    return found


def _hour(one: re.Match[str]) -> time | None:
    both = one["both"]
    hour, minute = (both[:2], both[2:]) if both else (one["hour"], one["minute"] or "0")
    if int(hour) == 24 and int(minute) == 0:  # the end of a day, as timetables write it
        return time(0)
    if int(hour) > 23 or int(minute) > 59:
        return None
    return time(int(hour), int(minute))


def _in(part: str, at: time) -> time:
    """An hour of twelve in its part of the day; one of twenty-four as it is."""
    after_noon = part == "evening" or (part == "night" and NIGHT_FALLS <= at.hour < 12)
    if after_noon and at.hour < 12:
        return at.replace(hour=at.hour + 12)
    # "12 at night" begins the day
    if part in {"morning", "night"} and at.hour == 12:
        return at.replace(hour=0)
    return at


@cache
def _parts() -> Mapping[str, str]:
    """The words for parts of the day, and which part each is."""
    return {word: part for part in ("morning", "evening", "night") for word in _words(part)}


@cache
def _words(name: str) -> frozenset[str]:
    """The words that every language lists under that name; `leading` are the parts of those that
    say them before the hour.
    """
    return frozenset(fold_typed(" ".join(_listed(name))).split())


def _listed(name: str) -> Iterator[str]:
    if name != "leading":
        yield from words_of(lambda spoken: getattr(spoken.quiet, name))
        return
    for spoken in languages():
        if spoken.quiet.part_leads:
            yield f"{spoken.quiet.morning} {spoken.quiet.evening} {spoken.quiet.night}"
