"""Durations, times, zones and addresses as an operator writes them, in settings and catalog alike.

Each `parse_*` reads one form; its ValueError says what would be right, to be put after "should be".
The types below carry these readers into pydantic models: the reader is all there is to a value,
pydantic adds nothing of its own.

A message never repeats an address or a whole value: a password may be in it.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import time, timedelta
from itertools import product
from typing import Annotated, TypeVar
from urllib.parse import SplitResult, urlsplit
from zoneinfo import ZoneInfo, available_timezones

from pydantic import PlainValidator

from bot import currencies
from bot.found import nearest
from bot.languages import LANGUAGES
from bot.model.quiet import QuietHours
from bot.proxy_address import HTTP, PROXY_FORM, SOCKS, uttered

T = TypeVar("T")

#: Keys of the tz database that are no place: another one on the next machine, or none at all.
NO_PLACES = frozenset({"localtime", "Factory", "posixrules"})
OTHER_SHELVES = ("posix/", "right/")  # Debian's further copies of it, which others lack
#: How loopback is said where one listens; no host is it too.
LOOPBACK = {"": ("127.0.0.1",), "localhost": ("127.0.0.1", "::1")}
EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 - of IPv4 and of IPv6; only compared with
LONGEST_DURATION = timedelta(days=366)  # a leap year: nothing here waits longer
LARGEST_PORT = 65535  # a port has 16 bits
SHORTEST_DURATION = timedelta(milliseconds=1)
LONGEST_ADDRESS = 2048  # letters; servers refuse longer ones
LARGEST_USER_ID = 2**52  # the Bot API's own bound
#: Accounts that many people share: anonymous administrators, channel posts, Telegram itself.
SHARED_ACCOUNTS = frozenset({1087968824, 136817688, 777000})
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_NUMBER = r"([0-9]{1,9}(?:\.[0-9]{1,6})?)"
_DURATION = re.compile(
    rf"(?:{_NUMBER}d)?(?:{_NUMBER}h)?(?:{_NUMBER}m)?(?:{_NUMBER}s)?(?:{_NUMBER}ms)?"
)
_UNIT_SECONDS = (86400.0, 3600.0, 60.0, 1.0, 0.001)  # of the groups above, in their order
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
# without @, before which a name and a password would stand; brackets hold all of a host, or a colon
# was forgotten behind them
_NETLOC = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::[0-9]*)?")
_LABEL = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
_USER_ID = re.compile(r"-?[0-9]{1,30}")
_LISTEN = re.compile(r"(?P<host>[^:\[\]]*|\[[0-9A-Fa-f:.]+\]):(?P<port>[0-9]{1,5})")


def parse_text(value: object, right: str) -> str:
    """A text with something in it, stripped of the spaces around; else ValueError(right)."""
    # a NUL ends a text for everything written in C, and PostgreSQL stores none
    if not isinstance(value, str) or not value.strip() or "\0" in value:
        raise ValueError(right)
    return value.strip()


def in_unicode(value: object) -> object:
    """A value as it is; ValueError for a text whose bytes were not UTF-8.

    Python keeps such bytes as halves of pairs, which no database, socket or log can take.
    """
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            raise ValueError("text in UTF-8") from None
    return value


def parse_duration(value: object) -> timedelta:
    """`30s`, `5m`, `1.5h`, `1h30m`, `200ms`: largest unit first, a millisecond to 366 days."""
    right = 'a duration such as "30s", "5m" or "1h30m"'
    if isinstance(value, timedelta):
        return value
    found = _DURATION.fullmatch(parse_text(value, right))
    if found is None:
        raise ValueError(right)
    seconds = 0.0
    for number, unit in zip(found.groups(), _UNIT_SECONDS, strict=True):
        seconds += float(number or 0) * unit
    if not SHORTEST_DURATION.total_seconds() <= seconds <= LONGEST_DURATION.total_seconds():
        raise ValueError(f"{right}, from 1ms to {LONGEST_DURATION.days}d")
    return timedelta(seconds=seconds)


def parse_clock(value: object) -> time:
    """A time of the day such as `09:00`."""
    if not isinstance(value, str) or not (found := _CLOCK.fullmatch(value)):
        raise ValueError('a time such as "09:00"')
    return time(int(found[1]), int(found[2]))


def parse_window(value: object) -> tuple[time, time]:
    """Hours of one day such as `14:00-19:00`."""
    right = 'local hours such as "14:00-19:00", the earlier first'
    start, _, end = parse_text(value, right).partition("-")
    try:
        window = parse_clock(start.strip()), parse_clock(end.strip())
    except ValueError:
        raise ValueError(right) from None
    if window[0] >= window[1]:
        raise ValueError(right)
    return window


def parse_quiet_hours(value: object) -> QuietHours | None:
    """Quiet hours such as `23:00-07:00`, over midnight or not; `off` is none."""
    right = '"off", or hours such as "23:00-07:00", 20 at most'
    text = parse_text(value, right)
    if text.lower() == "off":
        return None
    try:
        return QuietHours.parse(text)
    except ValueError:
        raise ValueError(right) from None


def parse_weekdays(value: object) -> frozenset[int]:
    """Days of the week such as `mon-fri` or `tue,sat`; Monday is 0."""
    right = 'days such as "mon-fri" or "tue,sat"'
    found: set[int] = set()
    for part in parse_text(value, right).lower().split(","):
        first, dash, last = map(str.strip, part.partition("-"))
        if not dash:  # a day alone
            last = first
        for day in (first, last):
            if day not in WEEKDAYS:
                raise ValueError(right + nearest(day, WEEKDAYS))
        start = WEEKDAYS.index(first)
        length = (WEEKDAYS.index(last) - start) % 7  # sat-mon goes over the week's end
        for step in range(length + 1):
            found.add((start + step) % 7)
    return frozenset(found)


def parse_zone(value: object) -> str:
    """The name of a time zone that this machine knows."""
    right = 'a time zone such as "Asia/Bishkek"'
    name = parse_text(value, right)
    if name in NO_PLACES or name.startswith(OTHER_SHELVES):
        raise ValueError(right)
    try:
        ZoneInfo(name)
    # a path that leaves the zones, a folder of zones, a name that is no zone
    except (ValueError, OSError, KeyError):
        raise ValueError(right + nearest(name, available_timezones())) from None
    return name


def parse_proxy(value: object) -> str:
    """A proxy's address, its user and password percent-encoded; told wrong, it is not repeated: it
    may hold a password.
    """
    text = parse_text(value, PROXY_FORM)
    scheme, _, rest = text.partition("://")
    user, at, place = rest.rpartition("@")
    place = _in_ascii(f"{scheme}://{place}", PROXY_FORM).partition("://")[2].rstrip("/")
    parts = _split(f"{scheme}://{user}{at}{place}", PROXY_FORM)
    # urlsplit drops tabs and line ends without a word
    whole = len(text) <= LONGEST_ADDRESS and not re.search(r"[\s\x00-\x1f\x7f]", text)
    alone = _NETLOC.fullmatch(place) and parts.netloc == f"{user}{at}{place}"
    if parts.scheme not in HTTP | SOCKS or not whole or not alone:
        raise ValueError(PROXY_FORM)
    return uttered(parts.geturl())


def parse_currency(value: object) -> str:
    """The code of a currency that somebody has, or had, in any case."""
    code = parse_text(value, 'a currency code such as "KGS"').upper()
    if not re.fullmatch(r"[A-Z]{3}", code):
        raise ValueError('a currency code such as "KGS"')
    if wrong := no_currency(code):
        raise ValueError(f'a currency code of ISO 4217 such as "KGS"{wrong}')
    return code


def no_currency(code: str) -> str:
    """The fault of a code that no source can have a rate of ("; XQZ is none"), or ""."""
    if currencies.exists(code):
        return ""
    # of three letters most codes have two in common: meant is one of that country, or these turned
    alike: list[str] = []
    for one in currencies.in_use():
        if one.startswith(code[:2]) or sorted(one) == sorted(code):
            alike.append(one)
    return f"; {code} is none{nearest(code, alike)}"


def parse_language(value: object) -> str:
    """The code of a language the bot speaks."""
    return one_of(LANGUAGES)(value)


def parse_address(value: object) -> str:
    """An http or https address without a password in it; a host of other letters in its ASCII."""
    right = "an http or https address without a password in it"
    text = _in_ascii(parse_text(value, right), right)
    parts = _split(text, right)
    whole = len(text) <= LONGEST_ADDRESS and not re.search(r"[\s\x00-\x1f\x7f]", text)
    if parts.scheme not in {"http", "https"} or not whole or not _NETLOC.fullmatch(parts.netloc):
        raise ValueError(right)
    return text


def _in_ascii(text: str, right: str) -> str:
    """The address with its scheme and host as name servers and libraries know them: `сайт.рф` is
    `xn--80aswg.xn--p1ai`.
    """
    scheme, slashes, rest = text.partition("://")
    scheme = scheme.lower()
    host = re.match(r"[^/?#:@]*", rest)
    if not slashes or host is None or host[0].isascii():
        return f"{scheme}{slashes}{rest}"
    try:
        return f"{scheme}://{host[0].encode('idna').decode('ascii')}{rest[host.end() :]}"
    except UnicodeError:
        raise ValueError(right) from None


def _split(text: str, right: str) -> SplitResult:
    """The parts of an address; ValueError(right) when it has no host or no possible port."""
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port  # both raise on nonsense
    except ValueError:
        raise ValueError(right) from None
    written = _as_written(host or "")
    if not written or port == 0 or not _is_host(written):
        raise ValueError(right)
    return parts


def _as_written(host: str) -> str:
    """A host as it stands in an address: IPv6 in brackets, a name without the dot that ends it."""
    if ":" in host:
        return f"[{host}]"
    if re.fullmatch(r"[0-9.]+", host):
        return host
    return host.removesuffix(".")


def parse_listen(value: object) -> str:
    """`host:port` to listen on, where port 0 picks one and no host is loopback, or `off`."""
    right = "host:port with a port up to 65535, such as 127.0.0.1:8080, or off"
    text = parse_text(value, right)
    found = _LISTEN.fullmatch(text)
    if text == "off":
        return text
    if found is None or int(found["port"]) > LARGEST_PORT or not _is_host(found["host"]):
        raise ValueError(right)
    return text


def clash(one: str, other: str) -> bool:
    """Whether no two servers can listen at these addresses: one port, however its host is said."""
    if "off" in {one, other}:
        return False
    host, _, port = one.rpartition(":")
    others_host, _, others_port = other.rpartition(":")
    if int(port) != int(others_port) or int(port) == 0:  # which picks a free one for each
        return False
    for mine, theirs in product(_at(host), _at(others_host)):
        everywhere = EVERYWHERE[":" in mine]
        if (":" in mine) == (":" in theirs) and (mine == theirs or everywhere in {mine, theirs}):
            return True
    return False


def _at(host: str) -> tuple[str, ...]:
    """The addresses that a host to listen at stands for; a name that is not ours is one of IPv4."""
    plain = host.strip("[]").lower()
    with suppress(ValueError):  # a name; an address is said in several ways, with zeros and without
        return (str(ipaddress.ip_address(plain)),)
    return LOOPBACK.get(plain, (plain,))


def _is_host(host: str) -> bool:
    """Whether a machine may be called so: an address, a name, or nothing at all."""
    # digits and dots can only be meant as an address: 300.1.1.1 is nobody's name
    if host.startswith("[") or re.fullmatch(r"[0-9.]+", host):
        try:
            ipaddress.ip_address(host.strip("[]"))
        except ValueError:
            return False
        return True
    if not host:
        return True
    # the limits of DNS: 253 letters, in labels of 63
    return len(host) <= 253 and all(map(_LABEL.fullmatch, host.split(".")))


def one_of(words: Iterable[str]) -> Callable[[object], str]:
    """A reader of one of these words."""
    known = tuple(words)
    right = f"one of {', '.join(known)}"

    def read(value: object) -> str:
        text = parse_text(value, right)
        if text not in known:
            raise ValueError(right + nearest(text, known))
        return text

    return read


def whole(low: int, high: int) -> Callable[[object], int]:
    """A reader of a whole number between two bounds, both included."""

    def read(value: object) -> int:
        # True is a number to Python, and none to an operator
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise ValueError(f"a whole number from {low} to {high}")
        return value

    return read


def list_of(read: Callable[[object], T], right: str) -> Callable[[object], tuple[T, ...]]:
    """A reader of a list whose items are texts for `read`, each once.

    It raises ValueError(right); what `read` says of an item is added where it is a hint ("; did you
    mean …?").
    """

    def read_all(value: object) -> tuple[T, ...]:
        # compared as texts: an item may be of a kind that no set takes, and is refused below
        if not isinstance(value, list) or len(set(map(str, value))) != len(value):
            raise ValueError(right)
        found: list[T] = []
        for item in value:
            text = parse_text(item, right)
            try:
                found.append(read(text))
            except ValueError as error:
                if str(error).startswith("; "):
                    raise ValueError(f"{right}{error}") from None
                raise ValueError(right) from None
        return tuple(found)

    return read_all


def parse_flag(value: object) -> bool:
    """A yes or no as settings have it: true, false, yes, no, on, off, 1 or 0."""
    if isinstance(value, bool):
        return value
    text = str(value).strip().lower()
    if text in {"true", "yes", "on", "1"}:
        return True
    if text in {"false", "no", "off", "0"}:
        return False
    raise ValueError("true or false")


def parse_user_ids(value: object) -> tuple[int, ...]:
    """Telegram users' numbers, separated by commas, each once; shared accounts are refused."""
    right = "numeric user ids, separated by commas"
    if isinstance(value, str):
        numbers: list[int] = []
        for part in map(str.strip, value.replace(";", ",").split(",")):
            if not part:  # a comma too many harms nobody
                continue
            if not _USER_ID.fullmatch(part):
                raise ValueError(right)
            numbers.append(int(part))
        value = numbers
    if not isinstance(value, (tuple, list)) or not all(isinstance(number, int) for number in value):
        raise ValueError(right)
    if shared := SHARED_ACCOUNTS.intersection(value):
        raise ValueError(f"{right}; {min(shared)} is not one person's account")
    if not all(0 < number <= LARGEST_USER_ID for number in value):
        raise ValueError(
            f"{right}; they are positive (a group cannot be an administrator) and below 2^52"
        )
    return tuple(dict.fromkeys(value))


Duration = Annotated[timedelta, PlainValidator(parse_duration)]
Window = Annotated[tuple[time, time], PlainValidator(parse_window)]
Quiet = Annotated[QuietHours | None, PlainValidator(parse_quiet_hours)]
Weekdays = Annotated[frozenset[int], PlainValidator(parse_weekdays)]
Zone = Annotated[str, PlainValidator(parse_zone)]
Currency = Annotated[str, PlainValidator(parse_currency)]
Language = Annotated[str, PlainValidator(parse_language)]
Address = Annotated[str, PlainValidator(parse_address)]
Listen = Annotated[str, PlainValidator(parse_listen)]
SettingFlag = Annotated[bool, PlainValidator(parse_flag)]
UserIds = Annotated[tuple[int, ...], PlainValidator(parse_user_ids)]
