"""The parts that every reader of a rate publisher needs: exact decimals, days, and one sheet of
rows.

Documents themselves, XML and JSON, are read by `bot/sources/documents.py`.

* A publisher module turns bytes into a `Sheet`; `RateSource.parse` turns the sheet into rates of a
  catalog key. No network, no clock, no database.
* A broken document (HTML, cut off, another shape, no usable row) is refused whole with
  `ParseError`. One bad value in a good document costs that row only and is named in
  `Parsed.problems`; a currency that is absent is no error.
* Numbers are kept as printed. A binary float has never seen them: 0.1859 per tenge is off in the
  17th digit as a float, and alerts compare for equality.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, cast

from bot.errors import ParseError
from bot.fitting import makes
from bot.model.rates import CODE, Pair, Rate, RateKind
from bot.reasons import Reason, reason

# Group separators seen at banks: space, no-break, thin and narrow no-break space, apostrophe.
_PLAIN = re.compile(r"[0-9]{1,15}(?:[.,][0-9]{1,15})?")
_SPACED = re.compile(r"[0-9]{1,3}(?:[ \u00a0\u2009\u202f'][0-9]{3})+(?:[.,][0-9]{1,15})?")
_COMMA_GROUPS = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+\.[0-9]{1,15}")
_POINT_GROUPS = re.compile(r"[0-9]{1,3}(?:\.[0-9]{3})+,[0-9]{1,15}")
_NOT_DIGITS = re.compile(r"[^0-9]")

_DMY = re.compile(r"([0-9]{1,2})\.([0-9]{1,2})\.([0-9]{4})")
_ISO = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?:T[0-9:.]{5,15}(?:Z|[+-][0-9]{2}:?[0-9]{2})?)?"
)
_YEARS = range(1990, 2101)  # no bank here has electronic rates outside

LEFT_OUT: Any = None  # a part of a publisher that has to be there
PLACEHOLDER = re.compile(r"\{(today|tomorrow):([^{}]+)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A question to a publisher, and how it is asked; a body makes it a POST."""

    url: str
    body: bytes | None = None
    # keys and passwords may be in them: no log shall print a request whole
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    proxy: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """The rates of one document, and the reason for each row that could not be believed."""

    rates: tuple[Rate, ...]
    problems: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """One line as printed: `value` quote units for `units` base units."""

    value: Decimal
    units: int


class Sheet:
    """The rows of one document, as they are read; bad rows become problems."""

    def __init__(self) -> None:
        self.rows: dict[tuple[Pair, date], Row] = {}
        self.problems: list[Reason] = []
        self._disputed: set[tuple[Pair, date]] = set()

    def add(
        self, base: object, quote: object, on: object, value: object, units: object = 1
    ) -> None:
        """Take one row as found; `on` is a day or its text, numbers are text or `Decimal`."""
        try:
            pair = _pair(base, quote)
            row = Row(positive(value), whole(units))
            day = on if isinstance(on, date) else day_of(on)
        except ParseError as error:
            pair_named = f"{_label(base)}/{_label(quote)}"
            self.problems.append(reason("row", "{pair}: {why}", pair=pair_named, why=error.reason))
            return
        self._put((pair, day), row)

    def _put(self, key: tuple[Pair, date], row: Row) -> None:
        """Two different values for one day contradict each other: neither is believed."""
        if key in self._disputed:
            return
        known = self.rows.get(key)
        if known is not None and known != row:
            del self.rows[key]
            self._disputed.add(key)
            words = "{pair}: two different values for {day}"
            self.problems.append(reason("row.two_values", words, pair=key[0], day=key[1]))
            return
        self.rows[key] = row


def _label(code: object) -> str:
    """A currency code as it is; anything else in quotation marks, harmless enough for a message."""
    if isinstance(code, str) and CODE.fullmatch(code):
        return code
    return f"“{shown(code)}”"


def _pair(base: object, quote: object) -> Pair:
    for code in (base, quote):
        if not isinstance(code, str) or not CODE.fullmatch(code):
            raise ParseError(
                reason("row.no_currency", "“{code}” is not a currency code", code=shown(code))
            )
    if base == quote:
        raise ParseError(reason("row.same_currency", "a currency against itself"))
    return Pair(cast("str", base), cast("str", quote))


def get(url: str, today: date) -> Request:
    """A plain GET; `{today:%d.%m.%Y}` and `{tomorrow:…}` in a URL are days in the source's zone."""
    days = {"today": today, "tomorrow": today + timedelta(days=1)}
    return Request(url=PLACEHOLDER.sub(lambda found: days[found[1]].strftime(found[2]), url))


@dataclass(frozen=True, slots=True, kw_only=True)
class RateSource:
    """One publisher: how it is asked and read.

    `home` is the currency its rates are against; `request` makes today's request of a
    catalog URL; `history` lists the requests for a range of days, for some currencies or (None) for
    all it has, most wanted first; without it the publisher has no history we can read. What else is
    left out is told by the bank's name (`banks.problems`).
    """

    home: str = LEFT_OUT
    kind: RateKind = LEFT_OUT
    read: Callable[[bytes, str | None], Sheet] = LEFT_OUT
    request: Callable[[str, date], Request] = get
    history: Callable[[date, date, Collection[str] | None], Sequence[Request]] | None = None

    def lacking(self) -> Iterator[str]:
        """The parts that are not there, each with what it is."""
        home, kind, history = cast("tuple[object, ...]", (self.home, self.kind, self.history))
        if not isinstance(home, str) or not CODE.fullmatch(home):
            yield "home, the currency its rates are against"
        if not isinstance(kind, RateKind):
            yield "kind, a RateKind"
        if not makes(self.read, 2):
            yield "read, which makes a Sheet of (bytes, address), without awaiting"
        if not makes(self.request, 2):
            yield "request, which makes today's Request of (address, today), without awaiting"
        if history is not None and not makes(history, 3):
            yield "history, which makes the Requests of (since, until, currencies)"

    def parse(
        self, body: bytes, *, source: str, url: str | None = None, kind: RateKind | None = None
    ) -> Parsed:
        """Read one answer of the publisher as rates of the catalog key `source`.

        `url` is where it came from (some documents do not name their currency), `kind`
        what the catalog calls the numbers, when it differs. Raises `ParseError` when
        the document is not in a shape we know or has no rate at all.
        """
        if not body.strip():
            raise ParseError(reason("document.empty", "an empty answer"))
        sheet = self.read(body, url)
        if not sheet.rows:
            # a row's own fault says more than that there is no rate
            reasons = [*sheet.problems, reason("document.no_rates", "no rates in the document")]
            raise ParseError(reasons[0])
        rates: list[Rate] = []
        for (pair, on), row in sheet.rows.items():
            rate = Rate(
                source=source,
                pair=pair,
                kind=kind or self.kind,
                effective_on=on,
                value=row.value,
                units=row.units,
            )
            rates.append(rate)
        return Parsed(rates=tuple(rates), problems=tuple(sheet.problems))

    def history_requests(
        self, since: date, until: date, currencies: Collection[str] | None = None
    ) -> Sequence[Request]:
        """Requests covering `since` to `until`, both included; none when there is no history."""
        if self.history is None or since > until:
            return ()
        return self.history(since, until, currencies)


def spans(since: date, until: date, days: int) -> Iterator[tuple[date, date]]:
    """Cut a range of days, both ends included, into pieces of at most `days`, newest first."""
    end = until
    while end >= since:
        start = max(since, end - timedelta(days=days - 1))
        yield start, end
        end = start - timedelta(days=1)


def each_day(since: date, until: date, *, weekdays: Collection[int] = range(7)) -> Iterator[date]:
    """The days from `until` back to `since` that are `weekdays` (Monday 0): recent ones first."""
    for back in range((until - since).days + 1):
        day = until - timedelta(days=back)
        if day.weekday() in weekdays:
            yield day


def by_day(
    address: str, since: date, until: date, *, weekdays: Collection[int] = range(5)
) -> list[Request]:
    """A request for each of the days on which a bank sets rates, recent ones first.

    `address` has a place for the `{day}`.
    """
    days = each_day(since, until, weekdays=weekdays)
    return [Request(url=address.format(day=day)) for day in days]


def by_span(
    address: str, since: date, until: date, *, days: int, **filled: object
) -> list[Request]:
    """A request for each span of at most `days`, the newest first.

    `address` has places for `{since}` and `{until}`, and for what else is `filled` in.
    """
    requests: list[Request] = []
    for start, end in spans(since, until, days):
        requests.append(Request(url=address.format(since=start, until=end, **filled)))
    return requests


# ── values ──────────────────────────────────────────────────────────────────


def shown(value: object) -> str:
    """A foreign value, short and harmless enough for a message; a dash where there is none."""
    if value is None:
        return "–"
    text = ""
    for char in str(value)[:24]:
        if char.isprintable():
            text += char
        else:  # a control character would speak to the terminal of who reads the log
            text += "?"
    return text


def positive(value: object) -> Decimal:
    """The exact positive number a bank printed ("1 234,5600" keeps its zeros), or ParseError."""
    number = _number(value)
    if number is None or not number.is_finite():
        raise ParseError(
            reason("row.no_number", "value “{value}” is not a number", value=shown(value))
        )
    if number <= 0:
        raise ParseError(
            reason("row.not_positive", "value “{value}” is not positive", value=shown(value))
        )
    # A Decimal of "1E+999999" would fill memory and columns as soon as somebody writes it out.
    if not -12 <= number.adjusted() <= 12 or len(number.as_tuple().digits) > 30:
        raise ParseError(reason("row.absurd", "value “{value}” is absurd", value=shown(value)))
    return number


def whole(value: object) -> int:
    """A nominal: a whole number from 1 to a billion; ParseError for anything else."""
    number = _number(value)
    if isinstance(value, int) and not isinstance(value, bool):
        number = Decimal(value)
    # In this order: NaN compares with nothing, and int() of an enormous one would never end.
    if (
        number is None
        or not number.is_finite()
        or not 1 <= number <= 10**9
        or number != int(number)
    ):
        raise ParseError(
            reason(
                "row.nominal",
                "nominal “{value}” is not a whole number of units",
                value=shown(value),
            )
        )
    return int(number)


def _number(value: object) -> Decimal | None:
    match value:
        case Decimal():
            return value
        case str():
            return _printed(value.strip())
        case _:  # a float too: it has lost the digits that were printed
            return None


def _printed(text: str) -> Decimal | None:
    """The number a bank printed: with comma or point, in groups of three or none."""
    if _PLAIN.fullmatch(text):
        return Decimal(text.replace(",", "."))
    if _COMMA_GROUPS.fullmatch(text) or _POINT_GROUPS.fullmatch(text) or _SPACED.fullmatch(text):
        point = max(text.rfind("."), text.rfind(","))
        if point < 0:
            return Decimal(_NOT_DIGITS.sub("", text))
        return Decimal(f"{_NOT_DIGITS.sub('', text[:point])}.{text[point + 1 :]}")
    if text.startswith("-") and _PLAIN.fullmatch(text[1:]):
        return Decimal(text.replace(",", "."))  # refused later, for the right reason
    return None


def day_of(text: object) -> date:
    """The calendar day in "20.10.2021" or "2021-10-20[T…]"; what stands behind it is dropped.

    Banks write their own calendar day and pad it with a midnight in whatever zone the
    web framework had; converting it would move the rate to the day before.
    """
    if isinstance(text, str):
        found = text.strip()
        if match := _DMY.fullmatch(found):
            return _day(int(match[3]), int(match[2]), int(match[1]), found)
        if match := _ISO.fullmatch(found):
            return _day(int(match[1]), int(match[2]), int(match[3]), found)
    if text is None:
        raise ParseError(reason("row.no_date", "no date"))
    raise _no_day(text)


def _day(year: int, month: int, day: int, text: str) -> date:
    if year not in _YEARS:
        words = "date “{date}” is absurd"
        raise ParseError(reason("row.absurd_day", words, date=shown(text)))
    try:
        return date(year, month, day)
    except ValueError:
        raise _no_day(text) from None


def _no_day(text: object) -> ParseError:
    return ParseError(reason("row.no_day", "date “{date}” is not a day", date=shown(text)))
