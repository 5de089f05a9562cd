"""Times as feeds and pages write them, moved to UTC.

Zone names such as MSK are not in feedparser's table, nor are Russian months. `05-11-26` and
`05/11/2026` say a day in one order of several: the document's other dates, and what day it is now,
tell which (`Habit`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, timezone, tzinfo
from enum import Enum
from functools import cache, lru_cache, partial
from itertools import chain, islice
from typing import Self

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


class Order(Enum):
    """The order in which a publisher writes the figures of a day: those parts of it."""

    DAY = ("day", "month", "year")
    MONTH = ("month", "day", "year")
    YEAR = ("year", "month", "day")


#: The orders that a day in figures may have, by what stands between them and the digits of the
#: last one; the likeliest first, where nothing else tells. Nobody writes the month before a dot.
_ORDERS: Mapping[tuple[str, int], Sequence[Order]] = {
    (".", 4): (Order.DAY,),
    ("-", 4): (Order.DAY, Order.MONTH),
    ("/", 4): (Order.MONTH, Order.DAY),
    (".", 2): (Order.DAY, Order.YEAR),
    ("-", 2): (Order.DAY, Order.YEAR, Order.MONTH),
    ("/", 2): (Order.MONTH, Order.DAY, Order.YEAR),
}
_FIGURES = (
    r"(?P<one>\d{1,2})(?P<between>[-./])\s?(?P<two>\d{1,2})"
    r"(?P=between)\s?(?P<three>\d{4}|\d\d)(?!\d)"
)
_IN_FIGURES = re.compile(rf"(?<!\d){_FIGURES}")
DATES_COMPARED = 200  # of a document: enough to tell how its publisher writes
# a publisher's clock, or its day, may be ahead of ours; what is later is hardly meant
AHEAD = timedelta(days=1)
FUTURE_FACTOR = 10  # how much farther away a day to come is than one that was


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
        # 20.10.2021 15:12, 20-10-21T15:12, 10/20/2021 3:12:00 PM
        rf"{_WEEKDAY}{_FIGURES}(?:\s*(?:{year})(?!\w)\.?)?{clock}",
        # 15:12 20.10.2021
        rf"{_CLOCK},?\s*{_FIGURES}\s*(?P<zone>.*)",
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


def parse_date(text: str, *, zone: tzinfo = UTC, order: Order | None = None) -> datetime | None:
    """A moment in UTC from any form feeds use; one that names no zone is meant in `zone`.

    None for what cannot be read or believed (before 1990). Dates in the future are left as they
    are. A day in figures is meant in that `order`, where it can be.
    """
    return _read(text, zone, order)[0]


def parse_published(
    text: str, zone: tzinfo, *, unsaid: tzinfo = UTC, order: Order | None = None
) -> datetime | None:
    """The moment, as `parse_date` reads it, of something published: a day without a time is the
    last moment of that day in the publisher's `zone`, as `Entry.day_only` knows it.

    Midnight sharp is how many sites write such a day. A time without a zone is one of `unsaid`.
    """
    moment, fields = _read(text, unsaid, order)
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
def _read(
    text: str, zone: tzinfo, order: Order | None
) -> tuple[datetime | None, Mapping[str, str | None]]:
    """The moment a text names, and the parts it was named by."""
    text = " ".join(text[:100].split())
    if re.fullmatch(r"\d{10}|\d{13}", text):
        return believable(lambda: datetime.fromtimestamp(int(text[:10]), UTC)), {}
    for form in chain(_USUAL, _unusual()):
        match = form.fullmatch(text)
        if match is None:
            continue
        for fields in _days(match.groupdict(), order):
            found = believable(partial(_assemble, fields, zone))
            if found is not None:
                return found, fields
    return None, {}


def _days(
    fields: Mapping[str, str | None], order: Order | None
) -> Iterator[Mapping[str, str | None]]:
    """The parts that a form found, a day in figures in each order that it may have; the one that
    is wanted first.
    """
    if "one" not in fields:
        yield fields
        return
    figures = (fields["one"], fields["two"], fields["three"])
    possible = _ORDERS[fields["between"] or "", len(fields["three"] or "")]
    for each in sorted(possible, key=lambda one: one is not order):
        yield {**fields, **dict(zip(each.value, figures, strict=True))}


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Habit:
    """How a publisher writes when an entry is of: a day without a time is one in its `zone`, its
    figures stand in that `order`. None: that is not known.
    """

    zone: tzinfo | None = None
    order: Order | None = None

    @classmethod
    def of(cls, written: Iterable[str], zone: tzinfo | None, now: datetime | None) -> Self:
        """The habit by the dates of one document, as they are `written`."""
        return cls(zone=zone, order=order_of(written, now))

    def dated(self, text: str) -> datetime | None:
        """An entry's time; a day without a time is known as one in the publisher's zone."""
        if self.zone is None:
            return parse_date(text, order=self.order)
        return parse_published(text, self.zone, order=self.order)


def order_of(written: Iterable[str], now: datetime | None) -> Order | None:
    """The order of a document's days in figures; None where it has none.

    The one in which most of them can be read, and of those the one in which they are nearest to
    `now`: what is published is of these days, and in a wrong order all over the years.
    """
    in_figures = (text for text in written if _IN_FIGURES.search(text[:100]))
    texts = list(islice(in_figures, DATES_COMPARED))
    if not texts:
        return None
    return min(Order, key=lambda order: _strangeness(texts, order, now))


def _strangeness(
    texts: Sequence[str], order: Order, now: datetime | None
) -> tuple[int, timedelta, int]:
    """The sort key of an order: how many dates have none such, and how far the others are from
    now; then how unlikely it is by itself.
    """
    unread, away, unlikely = 0, timedelta(0), 0
    for text in texts:
        moment, fields = _read(text, UTC, order)
        figures = [fields.get(name) for name in ("one", "two", "three")]
        if moment is None or [fields.get(part) for part in order.value] != figures:
            unread += 1
            continue
        possible = _ORDERS[fields["between"] or "", len(fields["three"] or "")]
        # the same day in both orders of 5.5.2026, though one of them is not written so
        unlikely += possible.index(order) if order in possible else len(possible)
        if now is not None:
            away += _away(moment, now)
    return unread, away, unlikely


def _away(moment: datetime, now: datetime) -> timedelta:
    away: timedelta = abs(now - moment)
    return away * FUTURE_FACTOR if moment - now > AHEAD else away
