"""The values of a catalog: a reader returns its value or raises ValueError("what is right").

Forms that the settings know too (durations, zones, addresses) are in `bot/grammar.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, time
from typing import Annotated

from pydantic import BaseModel, PlainValidator

from bot.found import nearest
from bot.grammar import (
    list_of,
    no_currency,
    one_of,
    parse_address,
    parse_clock,
    parse_proxy,
    parse_text,
    whole,
)
from bot.languages import LANGUAGES
from bot.model.chats import Style
from bot.model.rates import Pair, RateKind
from bot.sources.banks import SOURCES
from bot.sources.base import PLACEHOLDER

_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_SAID = re.compile(r"[\x20-\x7e]{1,4000}")  # what every server reads alike
#: Headers that make the request what it is; another value would break it or its limits.
_OUR_HEADERS = frozenset({
    "accept-encoding", "connection", "content-length", "expect", "host", "if-match",
    "if-modified-since", "if-none-match", "if-range", "if-unmodified-since", "keep-alive",
    "proxy-authorization", "range", "te", "trailer", "transfer-encoding", "upgrade",
})  # fmt: skip
_PUBLIC_NAME = re.compile(r"(?:https?://t\.me/(?:s/)?|@)?([A-Za-z][A-Za-z0-9_]{3,31})/?")
# line ends, controls, turned letters
_LAYS_OUT = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
_TOPIC = re.compile(r"[a-z][a-z-]{1,31}")

#: The topics that have a name in every language.
TOPICS = ("security", "economy", "politics", "society", "world", "culture", "sport")

LONGEST_NAME = 100  # letters; it stands in each message that names its source

Holiday = date | tuple[int, int]


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("true or false")  # noqa: TRY004 - pydantic translates a ValueError, and all of these are one
    return value


def parse_table(value: object) -> object:
    if not isinstance(value, (dict, BaseModel)):
        raise ValueError('a table such as { every = "30m" }')  # noqa: TRY004 - likewise
    return value


def _names(value: object) -> dict[str, str]:
    right = f'a table of names by language ({", ".join(LANGUAGES)}), such as {{ en = "Name" }}'
    if not isinstance(value, dict) or not value or not set(value) <= set(LANGUAGES):
        raise ValueError(right)
    names: dict[str, str] = {}
    for language, name in value.items():
        names[language] = parse_text(name, right)
        if len(name) > LONGEST_NAME or _LAYS_OUT.search(name):
            raise ValueError(f"{right}, in one line of at most {LONGEST_NAME} letters")
    return names


def _addresses(value: object) -> tuple[str, ...]:
    found = list_of(str, "a list of http or https addresses, each once")(value)
    if not found:
        raise ValueError("a list of http or https addresses, each once")
    for address in found:
        if set("{}") & set(PLACEHOLDER.sub("", address)):
            raise ValueError("addresses whose only braces are days such as {today:%d.%m.%Y}")
        # a digit in the place of the days, which themselves may not stand in an address
        parse_address(PLACEHOLDER.sub("0", address))
    return found


def _headers(value: object) -> dict[str, str]:
    """Headers for a source's host, by their names as `Accept-Language`."""
    right = 'a table of headers such as { "Accept-Language" = "ru" }'
    if not isinstance(value, dict):
        raise ValueError(right)  # noqa: TRY004 - likewise
    headers: dict[str, str] = {}
    for name, said in value.items():
        if not isinstance(said, str) or not _HEADER.fullmatch(name) or not _SAID.fullmatch(said):
            raise ValueError(right)
        if name.lower() == "user-agent":
            raise ValueError("a table without User-Agent, which is the key user_agent")
        if name.lower() in _OUR_HEADERS:
            raise ValueError(f"a table without {name}, which the program says itself")
        headers[name.title()] = said
    return headers


def _user_agent(value: object) -> str:
    if not isinstance(value, str) or not _SAID.fullmatch(value):
        raise ValueError("how we call ourselves to this host, a line of Latin letters")
    return value


def public_name(value: object) -> str:
    """The name of a public channel without @, also from its address."""
    right = 'the public name of a channel such as "example_channel"'
    found = _PUBLIC_NAME.fullmatch(parse_text(value, right))
    if found is None:
        raise ValueError(right)
    return found[1]


def _degrees(most: int) -> Callable[[object], float]:
    """A reader of a latitude or longitude, at most that many degrees from nought."""

    def read(value: object) -> float:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not -most <= float(str(value)) <= most:
            raise ValueError(f"degrees from -{most} to {most}, such as 42.87")
        return float(str(value))

    return read


def _place(value: object) -> str:
    return parse_text(value, "the key of another place")


def _publisher(value: object) -> str:
    return parse_text(value, "a name that all feeds of one publisher have")


def _topic(value: object) -> str:
    """A topic: one of ours, or a catalog's own word that is not one of ours mistyped."""
    if not isinstance(value, str) or not _TOPIC.fullmatch(value):
        raise ValueError("")
    if value not in TOPICS and (hint := nearest(value, TOPICS)):
        raise ValueError(hint)
    return value


def _pair(value: object) -> Pair:
    pair = Pair.parse(str(value))
    if pair.base == pair.quote:
        raise ValueError(f"; {pair} never moves")
    if wrong := no_currency(pair.base) or no_currency(pair.quote):
        raise ValueError(wrong)
    return pair


def _digest_times(value: object) -> tuple[time, ...]:
    return tuple(sorted(list_of(parse_clock, 'a list of times such as ["09:00", "18:00"]')(value)))


def _selector(value: object) -> str:
    # only a catalog with pages needs lxml outside the worker process
    from bot.sources.selectors import RIGHT, xpath_of

    selector = parse_text(value, RIGHT)
    xpath_of(selector)
    return selector


def _holidays(value: object) -> frozenset[Holiday]:
    right = 'a list of days such as ["03-21", "2026-05-27"]'
    if not isinstance(value, list):
        raise ValueError(right)  # noqa: TRY004 - likewise
    return frozenset(_holiday(item, right) for item in value)


def _holiday(value: object, right: str) -> Holiday:
    if isinstance(value, date) and not isinstance(value, datetime):  # TOML has dates of its own
        return value
    text = parse_text(value, right)
    try:
        if len(text) == 10:
            return date.fromisoformat(text)
        day = date.fromisoformat(f"2024-{text}")  # a leap year, so that 29 February is a day
    except ValueError:
        raise ValueError(right) from None
    return day.month, day.day


PublicName = Annotated[str, PlainValidator(public_name)]
Headers = Annotated[dict[str, str], PlainValidator(_headers)]
UserAgent = Annotated[str, PlainValidator(_user_agent)]
Proxy = Annotated[str, PlainValidator(parse_proxy)]
Latitude = Annotated[float, PlainValidator(_degrees(90))]
Longitude = Annotated[float, PlainValidator(_degrees(180))]
PlaceKey = Annotated[str, PlainValidator(_place)]
PublisherName = Annotated[str, PlainValidator(_publisher)]
Flag = Annotated[bool, PlainValidator(_flag)]
Names = Annotated[dict[str, str], PlainValidator(_names)]
Selector = Annotated[str, PlainValidator(_selector)]
Topics = Annotated[
    tuple[str, ...], PlainValidator(list_of(_topic, 'a list of topics such as ["security"]'))
]
Pairs = Annotated[
    tuple[Pair, ...], PlainValidator(list_of(_pair, 'a list of pairs such as ["USD/KGS"]'))
]
StyleName = Annotated[str, PlainValidator(one_of(Style))]
Addresses = Annotated[tuple[str, ...], PlainValidator(_addresses)]
Holidays = Annotated[frozenset[Holiday], PlainValidator(_holidays)]
DigestTimes = Annotated[tuple[time, ...], PlainValidator(_digest_times)]
Parser = Annotated[str, PlainValidator(one_of(SOURCES))]
Kind = Annotated[str, PlainValidator(one_of(RateKind))]
Rank = Annotated[int, PlainValidator(whole(1, 1000))]
Trust = Annotated[int, PlainValidator(whole(1, 3))]
