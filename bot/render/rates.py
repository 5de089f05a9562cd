"""The rate card, past days, and the answer to a conversion.

Columns align only in a monospaced block, and Telegram lets nothing else into
one; so the codes are not bold there: on a phone, straight columns help the eye
more. The block stays within 34 columns, what a small phone shows unbroken.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from bot.i18n import (
    clock,
    currency_name,
    day,
    decimal_mark,
    name_of,
    number,
    rounded,
    t,
    weekday_of,
)
from bot.model.rates import CardRow, Freshness, Move, Rate, RateCard, RateKind, SeenRate
from bot.render.numbers import as_printed, change, money
from bot.render.phrases import phrase
from bot.render.text import Message, Rich, bold, join, lines, link, message, pre

_WEEK = timedelta(days=7)


def card(card: RateCard, language: str, *, today: date | None = None) -> Message:
    """A source's rates: title, aligned rows, how fresh they are.

    `today` is the reader's day in the source's zone: a card of another day carries its date in the
    title.
    """
    past = today is not None and card.on != today
    return message(
        lines(
            _title(card, language, past=past, today=today),
            pre(_table(card, language, past=past)),
            _published(card, language, today),
            _freshness(card, language, today),
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


def _table(card: RateCard, language: str, *, past: bool) -> str:
    """Header and rows; a second column of values only when something is announced."""
    ahead = any(row.tomorrow for row in card.rows)
    first = day(card.on, language) if past else t("rates.today", language)
    cells = [["", first, _next_title(card, language, past=past)] if ahead else ["", first]]
    for row in card.rows:
        values = [_value(row.today, language)] + ([_value(row.tomorrow, language)] if ahead else [])
        cells.append([row.pair.base, *values])
    columns = [list(column) for column in zip(*cells, strict=True)]
    aligned = [columns[0], *(_at_the_mark(column, language) for column in columns[1:])]
    widths = [max(map(len, column)) for column in aligned]
    moves = ["", *(_change(row, language) for row in card.rows)]
    return "\n".join(
        _row(line, widths, move)
        for line, move in zip(zip(*aligned, strict=True), moves, strict=True)
    )


def _at_the_mark(column: Sequence[str], language: str) -> list[str]:
    """The column with its decimal marks one below the other, whatever digits each source prints."""
    mark = decimal_mark(language)
    tails = [
        len(cell) - (cell + mark).index(mark) if cell[:1].isdigit() else None for cell in column[1:]
    ]
    longest = max((tail for tail in tails if tail is not None), default=0)
    padded = (
        cell if tail is None else cell + " " * (longest - tail)
        for cell, tail in zip(column[1:], tails, strict=True)
    )
    return [column[0], *padded]


def _row(line: Sequence[str], widths: Sequence[int], move: str) -> str:
    code, *values = line
    columns = [code.ljust(widths[0])] + [
        v.rjust(w) for v, w in zip(values, widths[1:], strict=True)
    ]
    return f"{'  '.join(columns)} {move}".rstrip()


def _value(rate: SeenRate | None, language: str) -> str:
    return as_printed(rate.per_unit, language) if rate else t("rates.none", language)


def _change(row: CardRow, language: str) -> str:
    return change(row.move.percent, language) if row.move else ""


def _next_title(card: RateCard, language: str, *, past: bool) -> str:
    """Its date, where "tomorrow" would not be true: before a weekend, or on a past day's card."""
    following = card.on + timedelta(days=1)
    if past or card.next_on not in {None, following}:
        return day(card.next_on or following, language)
    return t("rates.tomorrow", language)


def _published(card: RateCard, language: str, today: date | None) -> Rich:
    """When it came and from when it counts; the number's own day is never left out."""
    counts = card.next_on or card.holds_from or card.on
    effective = phrase("rates.effective", language, day=day(counts, language, today=today))
    if card.seen_at is None:
        return effective
    local = card.seen_at.astimezone(ZoneInfo(card.zone))
    when = f"{day(local.date(), language, today=today)} {clock(local)}"
    return join(" · ", [phrase("rates.published", language, time=when), effective])


def _freshness(card: RateCard, language: str, today: date | None) -> Rich | None:
    match card.freshness:
        case Freshness.LATE if card.expected_by is not None:
            return phrase("rates.late", language, time=clock(card.expected_by))
        case Freshness.LATE:
            return phrase("rates.late_unknown", language)
        case Freshness.RESTING if card.holds_from is not None:
            return _resting(card.holds_from, card.on, language, today)
        case _:
            return None


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
    """Whose rate still holds: a weekday's when that can only be the last one, else a date's."""
    shown = day(since, language, today=today)
    if on - since < _WEEK:
        return phrase("rates.resting", language, weekday=weekday_of(since, language), day=shown)
    return phrase("rates.resting_long", language, day=shown)


def conversion(
    amount: Decimal,
    base: str,
    result: Decimal,
    quote: str,
    language: str,
    *,
    path: Sequence[Rate],
    source_names: dict[str, str],
    today: date | None = None,
) -> Message:
    """An amount in another money, by which rates and of which day.

    `path` are the rates used, at least one; two of them make a cross rate, which is said to be
    ours.
    """
    equation = f"{money(amount, language)} {base} = {money(result, language)} {quote}"
    return message(lines(bold(equation), *_basis(path, source_names, language, today)))


def _basis(
    path: Sequence[Rate], names: dict[str, str], language: str, today: date | None
) -> list[Rich]:
    used = [
        f"1 {rate.pair.base} = {as_printed(rate.per_unit, language)} {rate.pair.quote}"
        for rate in path
    ]
    kind = path[0].kind if len(path) == 1 else RateKind.CROSS
    oldest = min(rate.effective_on for rate in path)
    said = [
        name_of(names, language) or path[0].source,
        kind_name(kind, language),
        day(oldest, language, today=today),
    ]
    return [Rich(", ".join(used)), join(" · ", said)]


def amounts(
    amounts: Sequence[Decimal],
    latest: Rate,
    week_ago: Rate | None,
    language: str,
    *,
    source_names: dict[str, str],
    today: date,
) -> Message:
    """Round amounts in another money, aligned, each with how much more or less that is than a week
    ago.
    """
    digits = 0 if amounts[0] * latest.per_unit >= 100 else 2
    week = t("amounts.week", language)
    rows = [[latest.pair.base, latest.pair.quote, *([week] if week_ago is not None else [])]]
    for amount in amounts:
        row = [number(amount, language), number(amount * latest.per_unit, language, digits)]
        if week_ago is not None:
            more = rounded(amount * (latest.per_unit - week_ago.per_unit), digits)
            row.append(("+" if more > 0 else "") + number(more, language, digits))
        rows.append(row)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    table = "\n".join(
        "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    )
    moved = (
        join(" ", [week, change(Move(old=week_ago, new=latest).percent, language).strip()])
        if week_ago is not None
        else None
    )
    return message(
        lines(
            bold(f"{latest.pair.base} → {latest.pair.quote}"),
            pre(table),
            moved,
            *_basis([latest], source_names, language, today),
        )
    )
