"""The rate card, past days, and the answer to a conversion.

Columns align only in a monospaced block, and Telegram lets nothing else into
one; so the codes are not bold there: on a phone, straight columns help the eye
more. The block stays within 34 columns, what a small phone shows unbroken.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from types import MappingProxyType

from bot.i18n import (
    clock,
    currency_name,
    day,
    day_at,
    decimal_mark,
    name_of,
    number,
    rounded,
    t,
    weekday_of,
)
from bot.model.rates import CardRow, Freshness, Move, Pair, Rate, RateCard, RateKind, SeenRate
from bot.render.layout import block
from bot.render.numbers import as_printed, change, money
from bot.render.phrases import phrase, when
from bot.render.tables import Align, Column, Table
from bot.render.text import Message, Rich, bold, join, lines, link, message

_WEEK = timedelta(days=7)
LATE_MARK = "⏳ "


def card(card: RateCard, language: str, *, today: date | None = None) -> Message:
    """A source's rates: title, aligned rows, how fresh they are.

    `today` is the reader's day in the source's zone: a card of another day carries its date in the
    title, and nothing else that would say it again.
    """
    # without a `today` nothing says that the day is another one
    past = today is not None and card.on != today
    return message(
        lines(
            _title(card, language, past=past, today=today),
            block(_table(card, language, past=past)),
            *_state(card, language, today, past=past),
            *_disputes(card, language),
        )
    )


def _title(card: RateCard, language: str, *, past: bool, today: date | None) -> Rich:
    parts: list[Rich | str] = [
        link(bold(name_of(card.source_names, language) or card.source), card.page),
        currency_name(card.quote, language),
        kind_name(card.kind, language),
    ]
    if past:
        parts.append(bold(day(card.on, language, today=today)))
    return join(" · ", parts)


def kind_name(kind: RateKind, language: str) -> str:
    """ "official rate", and where the number is our own arithmetic, that too."""
    return t(f"kind.{kind.value}", language)


def _table(card: RateCard, language: str, *, past: bool) -> Table:
    """A second column of values only when something is announced."""
    announced = any(row.tomorrow for row in card.rows)
    today = t("rates.rate" if past else "rates.today", language)
    columns = [Column(align=Align.LEFT), Column(title=today, align=Align.MARK)]
    if announced:
        columns.append(Column(title=_next_title(card, language, past=past), align=Align.MARK))
    columns.append(Column(align=Align.LAST, before=" "))
    rows: list[tuple[str, ...]] = []
    for row in card.rows:
        values = [_value(row.today, language)]
        if announced:
            values.append(_value(row.tomorrow, language))
        rows.append((row.pair.base, *values, _change(row, language)))
    return Table(columns=tuple(columns), rows=tuple(rows), mark=decimal_mark(language))


def _value(rate: SeenRate | None, language: str) -> str:
    if rate is None:
        return t("rates.none", language)
    return as_printed(rate.per_unit, language)


def _change(row: CardRow, language: str) -> str:
    if row.move is None:
        return ""
    return change(row.move.percent, language)


def _next_title(card: RateCard, language: str, *, past: bool) -> str:
    """Its date, where "tomorrow" would not be true: before a weekend, or on a past day's card."""
    following = card.on + timedelta(days=1)
    if past or card.next_on not in {None, following}:
        return day(card.next_on or following, language)
    return t("rates.tomorrow", language)


def _state(card: RateCard, language: str, today: date | None, *, past: bool) -> list[Rich]:
    """Notes on the numbers: that they are late, for which day they are, since when.

    That today's are late goes first, it is the news of the card; of a rate that rests one line says
    all.
    """
    if card.freshness is Freshness.RESTING and card.holds_from is not None:
        return [_resting(card.holds_from, card.on, language, today)]
    if past:
        if card.holds_from is None or card.holds_from == card.on:
            return []
        return [_effective(card.holds_from, language, today)]
    said = []
    if card.freshness is Freshness.LATE:
        said.append(_late(card, language))
    published = None
    if card.seen_at is not None:
        # that is seldom a day ago: "today" is the card's own day
        at = when(card.seen_at, language, card.zone)
        published = phrase("rates.published", language, time=at)
    # banks publish in the afternoon what counts from the next day: readers mix the two up
    counts = card.next_on or card.holds_from or card.on
    said.append(join(" · ", [_effective(counts, language, today), published]))
    return said


def _effective(on: date, language: str, today: date | None) -> Rich:
    """From when the number counts; its own day is never left out."""
    return phrase("rates.effective", language, day=day_at(on, language, today=today))


def _late(card: RateCard, language: str) -> Rich:
    if card.expected_by is None:
        return LATE_MARK + phrase("rates.late_unknown", language)
    return LATE_MARK + phrase("rates.late", language, time=clock(card.expected_by))


def _disputes(card: RateCard, language: str) -> list[Rich]:
    """Both words on a pair that another source disputes, each with its name."""
    ours = name_of(card.source_names, language) or card.source
    said = []
    for one in card.disputes:
        theirs = name_of(one.names, language) or one.theirs.source
        values = [
            f"{ours} {as_printed(one.ours.per_unit, language)}",
            f"{theirs} {as_printed(one.theirs.per_unit, language)}",
        ]
        said.append(
            phrase("rates.dispute", language, pair=str(one.ours.pair), values=" · ".join(values))
        )
    return said


def _resting(since: date, on: date, language: str, today: date | None) -> Rich:
    """The day whose rate still holds: a weekday when that can only be the last one, else a date."""
    # "Saturday's rate" is clear for a week; then there was another Saturday
    if on - since < _WEEK:
        shown = day(since, language, today=today)
        return phrase("rates.resting", language, weekday=weekday_of(since, language), day=shown)
    return phrase("rates.resting_long", language, day=day_at(since, language, today=today))


@dataclass(frozen=True, slots=True, kw_only=True)
class Equation:
    """An amount of `base` in another money, by the rates of `path`: two of them make a cross rate,
    which is ours.
    """

    amount: Decimal
    base: str
    result: Decimal
    quote: str
    path: Sequence[Rate]

    @property
    def is_the_rate(self) -> bool:
        """Whether it says what its one rate says: of one unit, that way round."""
        pair = Pair(self.base, self.quote)
        return self.amount == 1 and len(self.path) == 1 and pair == self.path[0].pair


def conversion(
    equations: Sequence[Equation],
    language: str,
    *,
    names: Mapping[str, Mapping[str, str]],
    today: Mapping[str, date] = MappingProxyType({}),
) -> Message:
    """The equations, then by which rates and of which day, each said once.

    `names` are those of the sources, and `today` the reader's day in their zones.
    """
    below: dict[Rich, dict[str, None]] = {}
    for one in equations:
        source = one.path[0].source
        whose = _whose(one.path, names.get(source, {}), language, today.get(source))
        used = [] if one.is_the_rate else [_printed(rate, language) for rate in one.path]
        below.setdefault(whose, {}).update(dict.fromkeys(used))
    answered = {_printed(one.path[0], language) for one in equations if one.is_the_rate}
    said: list[Rich | str] = [bold(_equation(one, language)) for one in equations]
    for whose, rates in below.items():
        used = [rate for rate in rates if rate not in answered]
        said += [", ".join(used), whose] if used else [whose]
    return message(lines(*said))


def _equation(one: Equation, language: str) -> str:
    if one.is_the_rate:  # it answers with all that its source printed: once is enough
        return _printed(one.path[0], language)
    return f"{money(one.amount, language)} {one.base} = {money(one.result, language)} {one.quote}"


def _printed(rate: Rate, language: str) -> str:
    """A rate as its source printed it."""
    return f"1 {rate.pair.base} = {as_printed(rate.per_unit, language)} {rate.pair.quote}"


def _whose(
    path: Sequence[Rate], names: Mapping[str, str], language: str, today: date | None
) -> Rich:
    """The source of the rates and their day; of two, the older one's, and ours."""
    kind = path[0].kind
    if len(path) > 1:
        kind = RateKind.CROSS
    # a cross rate is as old as the older of its two
    oldest = min(path, key=lambda rate: rate.effective_on)
    said = [
        name_of(names, language) or path[0].source,
        kind_name(kind, language),
        day(oldest.effective_on, language, today=today),
    ]
    return join(" · ", said)


def amounts(
    amounts: Sequence[Decimal],
    latest: Rate,
    week_ago: Rate | None,
    language: str,
    *,
    source_names: dict[str, str],
    today: date,
) -> Message:
    """Round amounts in another money, aligned, each with its change within a week."""
    digits = 2
    if amounts[0] * latest.per_unit >= 100:
        digits = 0  # nobody who sends money counts tyiyn then
    columns = [Column(title=latest.pair.base), Column(title=latest.pair.quote)]
    rows: list[list[str]] = []
    for amount in amounts:
        theirs = number(amount * latest.per_unit, language, digits)
        rows.append([number(amount, language), theirs])
    moved = None
    if week_ago is not None:
        week = t("amounts.week", language)
        by = latest.per_unit - week_ago.per_unit
        columns.append(Column(title=week))
        for row, amount in zip(rows, amounts, strict=True):
            row.append(_more(amount * by, digits, language))
        percent = change(Move(old=week_ago, new=latest).percent, language).strip()
        moved = join(" ", [week, percent])
    table = Table(columns=tuple(columns), rows=tuple(map(tuple, rows)))
    return message(
        lines(
            bold(f"{latest.pair.base} → {latest.pair.quote}"),
            block(table),
            moved,
            _printed(latest, language),
            _whose([latest], source_names, language, today),
        )
    )


def _more(value: Decimal, digits: int, language: str) -> str:
    """A difference, with its sign also when it is more."""
    value = rounded(value, digits)
    written = number(value, language, digits)
    if value > 0:  # asked of the rounded value: "+0" would say that there is more
        return f"+{written}"
    return written
