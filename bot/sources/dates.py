"""Times as feeds and pages write them, moved to UTC.

Zone names such as MSK are not in feedparser's table, nor are Russian months.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, time, timedelta, timezone, tzinfo
from functools import cache, lru_cache, partial
from itertools import chain

from bot.languages import any_of, languages, values_of, words_of
from bot.model.news import LAST_MOMENT

# older dates (epoch 0, year 1) are somebody's missing value
EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)

# Minutes east of UTC. Names that mean two places (IST, CST, BST in Dhaka) are read as the mail
# standards do.
_ZONES = {
    "msk": 180, "msd": 240, "kgt": 360, "kgst": 360, "almt": 360, "qyzt": 300,
    "uzt": 300, "tjt": 300, "tmt": 300, "yekt": 300, "omst": 360, "novt": 420, "krat": 420,
    "samt": 240, "gst": 240, "azt": 240, "amt": 240, "wet": 0, "west": 60, "bst": 60, "cet": 60,
    "cest": 120, "met": 60, "mest": 120, "eet": 120, "eest": 180, "trt": 180, "jst": 540,
    "kst": 540, "hkt": 480, "sgt": 480, "ist": 330, "pkt": 300, "aest": 600, "aedt": 660,
    "adt": -180, "ast": -240, "edt": -240, "est": -300, "cdt": -300, "cst": -360, "mdt": -360,
    "mst": -420, "pdt": -420, "pst": -480, "akst": -540, "akdt": -480, "hst": -600,
}  # fmt: skip
_MOSCOW = 180  # minutes: "мск"
_YEAR = r"(?P<year>\d{4})"
_NAME = r"(?P<name>[^\W\d]+)\.?"
_WEEKDAY = r"(?:[^\W\d]+\.?,?\s*)?"
_SECOND = r"(?::(?P<second>\d{2})(?:[.,]\d+)?)?"
_HALF = r"(?:\s*(?P<half>[ap])\.?m\b\.?)?"
_CLOCK = rf"(?P<hour>\d{{1,2}}):(?P<minute>\d{{2}}){_SECOND}{_HALF}"


# as mail and Atom have them, which is how nearly all feeds do: a tenth of what the others cost
_USUAL = (
    re.compile(
        r"[A-Z][a-z]{2}, (?P<day>\d{1,2}) (?P<name>[A-Z][a-z]{2}) (?P<year>\d{4}) "
        r"(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d) (?P<zone>[+-]\d{4}|GMT)",
        re.ASCII,
    ),
    re.compile(
        r"(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)T"
        r"(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)(?P<zone>Z|[+-]\d\d:\d\d)",
        re.ASCII,
    ),
)


@cache
def _forms() -> tuple[re.Pattern[str], ...]:
    """The ways to write a moment, with the words of every language in them."""
    ordinal = "|".join(values_of(lambda spoken: spoken.days.ordinal))
    year = "|".join(values_of(lambda spoken: spoken.days.year))
    day = rf"(?P<day>\d{{1,2}})(?:{ordinal})?"
    at = any_of(words_of(lambda spoken: spoken.days.at))
    # a letter T before a time is no name of a zone
    clock = rf"(?:\s*T\s*(?=\d))?(?:,?\s*(?:(?:{at})\s+)?{_CLOCK})?\s*(?P<zone>.*)"
    forms = (
        # 2021-10-20T15:12:00+06:00, 2021-10-20, 2021/10/20 15:12
        rf"{_YEAR}[-/.](?P<month>\d{{1,2}})(?:[-/.](?P<day>\d{{1,2}}))?{clock}",
        # 20211020T151200Z, 20211020
        (
            rf"{_YEAR}(?P<month>\d\d)(?P<day>\d\d)"
            r"(?:T?(?P<hour>\d\d)(?P<minute>\d\d)(?P<second>\d\d)?)?(?!\d)(?P<zone>.*)"
        ),
        # Wed, 20 Oct 2021 15:12:00 +0600; среда, 20 октября 2021 г., 15:12
        (
            rf"{_WEEKDAY}{day}[\s.-]+{_NAME},?[\s-]+(?P<year>\d{{4}}|\d\d)\b\s*"
            rf"(?:(?:{year})(?!\w)\.?)?{clock}"
        ),
        # October 20, 2021 3:12 pm
        rf"(?:[^\W\d]+\.?,?\s+)?{_NAME}\s+{day},?\s+{_YEAR}\b{clock}",
        # Wed Oct 20 15:12:00 2021
        rf"[^\W\d]+\s+{_NAME}\s+{day}\s+{_CLOCK}\s*(?P<zone>[^\W\d]*)\s+{_YEAR}",
        # 20.10.2021 15:12, 20-10-2021T15:12
        rf"(?P<day>\d{{1,2}})[.-](?P<month>\d{{1,2}})[.-]{_YEAR}{clock}",
        # 15:12 20.10.2021
        rf"{_CLOCK},?\s*(?P<day>\d{{1,2}})[.-](?P<month>\d{{1,2}})[.-]{_YEAR}(?P<zone>.*)",
        # 20.10.21 15:12, 20.10.21T15:12
        rf"(?P<day>\d{{1,2}})\.(?P<month>\d{{1,2}})\.(?P<year>\d\d)(?!\d){clock}",
        # 10/20/2021 3:12:00 PM, and 20/10/2021 where there is no such month
        rf"(?P<month>\d{{1,2}})/(?P<day>\d{{1,2}})/{_YEAR}{clock}",
        rf"(?P<day>\d{{1,2}})/(?P<month>\d{{1,2}})/{_YEAR}{clock}",
    )
    return tuple(re.compile(form, re.IGNORECASE) for form in forms)


@cache
def _month_starts() -> tuple[tuple[str, int], ...]:
    """The beginnings of months' names in any language, the longest first, with the month."""
    found: dict[str, int] = {}
    for spoken in reversed(languages()):
        for month, starts in enumerate(spoken.days.month_starts, 1):  # a stub has none
            found |= dict.fromkeys(starts.split(), month)
    return tuple(sorted(found.items(), key=lambda one: len(one[0]), reverse=True))


@lru_cache(maxsize=256)
def _month(name: str) -> int:
    """The month of a name; ValueError where it is none."""
    for start, month in _month_starts():
        if name.lower().startswith(start):
            return month
    raise ValueError(name)


@cache
def _zones() -> Mapping[str, int]:
    """Names of zones, in Latin and in the languages' own letters, to minutes east of UTC."""
    moscow = words_of(lambda spoken: spoken.zones.moscow)
    return dict.fromkeys(moscow, _MOSCOW) | _ZONES


def parse_date(text: str, *, zone: tzinfo = UTC) -> datetime | None:
    """A moment in UTC from any form feeds use; one that names no zone is meant in `zone`.

    None for what cannot be read or believed (before 1990). Dates in the future are left as they
    are.
    """
    return _read(text, zone)[0]


def parse_published(text: str, zone: tzinfo, *, unsaid: tzinfo = UTC) -> datetime | None:
    """The moment, as `parse_date` reads it, of something published: a day without a time is the
    last moment of that day in the publisher's `zone`, as `Entry.day_only` knows it.

    Midnight sharp is how many sites write such a day. A time without a zone is one of `unsaid`.
    """
    moment, fields = _read(text, unsaid)
    clock = [int(fields.get(name) or 0) for name in ("hour", "minute", "second")]
    if moment is None or not fields.get("day") or any(clock):
        return moment
    # of the day as written, whatever zone its midnight is in
    day = moment.astimezone(_zone(fields.get("zone") or "") or unsaid).date()

    def ends() -> datetime:
        tomorrow = datetime.combine(day + timedelta(days=1), time(0), zone)
        return tomorrow.astimezone(UTC) - LAST_MOMENT

    return believable(ends)


@lru_cache(maxsize=256)  # each date of a feed is read twice, once to see that it is one
def _read(text: str, zone: tzinfo) -> tuple[datetime | None, Mapping[str, str | None]]:
    """The moment a text names, and the parts it was named by."""
    text = " ".join(text[:100].split())
    if re.fullmatch(r"\d{10}|\d{13}", text):
        return believable(lambda: datetime.fromtimestamp(int(text[:10]), UTC)), {}
    for form in chain(_USUAL, _unusual()):
        match = form.fullmatch(text)
        if match is None:
            continue
        found = believable(partial(_assemble, match.groupdict(), zone))
        if found is not None:
            return found, match.groupdict()
    return None, {}


def _unusual() -> Iterator[re.Pattern[str]]:
    """The other forms, put together when a date needs them."""
    yield from _forms()


def _assemble(fields: Mapping[str, str | None], zone: tzinfo) -> datetime:
    """A moment from the named parts of a form; ValueError when they make none."""
    month = int(fields.get("month") or 0)
    if name := fields.get("name"):
        month = _month(name)
    written = fields["year"] or ""
    year = int(written)
    if len(written) <= 2:  # as mail reads two digits
        century = 2000 if year < 70 else 1900
        year += century
    hour = int(fields.get("hour") or 0)
    minute = int(fields.get("minute") or 0)
    second = int(fields.get("second") or 0)
    if half := fields.get("half"):
        hour %= 12  # 12 am is midnight
        if half.lower() == "p":
            hour += 12
    if hour > 24 or minute > 59:
        raise ValueError("no time of day")
    stated = _zone(fields.get("zone") or "") or zone
    midnight = datetime(year, month, int(fields.get("day") or 1), tzinfo=stated)
    # Added rather than put in: 24:00 is the next midnight, second 60 a leap second.
    moment = midnight + timedelta(hours=hour, minutes=minute, seconds=second)
    return moment.astimezone(UTC)


def _zone(text: str) -> timezone | None:
    """The zone a text names; UTC for a name we do not know, None where there is none."""
    match = re.match(r"(?:GMT|UTC|Z|UT)?\s*([+-])(\d{1,2}):?(\d{2})?(?!\d)", text, re.IGNORECASE)
    if match is not None:
        minutes = int(match[2]) * 60 + int(match[3] or 0)
        if match[1] == "-":
            minutes = -minutes
        return timezone(timedelta(minutes=minutes))
    word = re.match(r"[^\W\d]+", text)
    if word is None:
        return None
    return timezone(timedelta(minutes=_zones().get(word[0].lower(), 0)))


def believable(make: Callable[[], datetime]) -> datetime | None:
    """The moment that `make` builds; None where there is no such moment, or it is too old."""
    try:
        moment = make()
    except (ValueError, OverflowError, OSError):  # OSError: the C library's limits
        return None
    if moment < EARLIEST:
        return None
    return moment


def dated(text: str, zone: tzinfo | None) -> datetime | None:
    """An entry's time; a day without a time is known as one in the publisher's `zone`."""
    if zone is None:
        return parse_date(text)
    return parse_published(text, zone)
