"""/chart RUB 90d, and the buttons under a move and under a chart: a picture.

It is drawn once for each last rate.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence

from telegram import Update

import storage.alerts
import storage.rules
from bot.alerts.moves import RateMoved
from bot.convert import behind_filler, currency_at, plain_text, range_at
from bot.convert.commands import ALL, UNITS
from bot.errors import UserError
from bot.model.rates import Pair
from bot.model.subjects import usual_in
from bot.readers.rates import chart_history, local_day
from bot.render import charts as render
from handlers import pictures
from handlers.cards import Caption
from handlers.context import Context

EXAMPLE = "/chart RUB 90d"
USUAL = "90d"
DARK = "dark"
_SHORT_SPAN = re.compile(r"(\d{1,4})([dwmy])", re.ASCII)
_BETWEEN = re.compile(r"[ ,;:/&+=>\n.?!()«»\"“”-]+")
# told as a currency without rates, not as a mistyped word
_UNKNOWN_CODE = re.compile(r"[A-Za-z]{3}(?!\w)")
LONGEST_REQUEST = 200  # letters that are read
LONGEST_WORD = 40  # letters that are repeated to whoever wrote it
LONGEST_DAYS = 36_600  # a century: no bank publishes from before


async def chart(_update: Update, context: Context) -> None:
    """/chart RUB 90d: the pair against the chat's currency; alone, its first one's last 90 days."""
    chat = context.chat
    pair, span = parse_chart(context.words, home=chat.home, order=chat.currencies)
    await _show(context, pair, span)


async def pressed(context: Context, pair: str, span: str, *theme: str) -> None:
    """Button `chart:RUB/KGS:90d` or `…:dark`: under a chart it changes that, else it sends one."""
    try:
        wanted = Pair.parse(pair)
        days_of(span)
    except (ValueError, UserError):
        raise UserError("error.stale") from None
    if theme not in ((), (DARK,)):
        raise UserError("error.stale")
    await _show(context, wanted, span, dark=bool(theme), edit=context.on_picture)


def parse_chart(words: list[str], *, home: str, order: Sequence[str] = ()) -> tuple[Pair, str]:
    """A pair and a range such as 90d, 3m, 1y, all; UserError says what would work.

    One currency is against `home`, none is the first of the chat's `order`; of two the first is the
    base, unless it is `home` ("сом к рублю" is RUB/KGS).
    """
    text = plain_text(" ".join(words))[:LONGEST_REQUEST]
    codes: list[str] = []
    span: str | None = None
    at = 0
    while at < len(text):
        if gap := _BETWEEN.match(text, at):
            at = gap.end()
        elif span is None and (found := range_at(text, at)):
            span, at = found.span, found.end
        elif currency := currency_at(text, at):
            for known in currency.codes:
                if known not in codes:
                    codes.append(known)
            at = currency.end
        elif filler := behind_filler(text, at):
            at = filler
        elif code := _UNKNOWN_CODE.match(text, at):
            codes.append(code.group().upper())
            at = code.end()
        else:
            raise UserError(
                "error.chart.word", word=text[at:].split()[0][:LONGEST_WORD], example=EXAMPLE
            )
    return _pair(codes, home, order), _offered(span or USUAL)


def _offered(span: str) -> str:
    """The range as its button calls it, where one has as many days: a month is 30 days."""
    for one in render.RANGES:
        if days_of(one) == days_of(span):
            return one
    return span


def _pair(codes: list[str], home: str, order: Sequence[str]) -> Pair:
    """The pair that these codes mean; UserError for a currency against itself, or three."""
    match codes:
        case []:  # the dollar, or the next where the dollar is at home
            return Pair(usual_in(order, home)[0], home)
        case [code] if code == home:
            raise UserError("error.chart.same", code=code, example=EXAMPLE)
        case [code]:
            return Pair(code, home)
        case [base, quote] if base == home:
            return Pair(quote, base)
        case [base, quote]:
            return Pair(base, quote)
    raise _unclear()


def days_of(span: str) -> int:
    """The days of a range in its short form: "3m"; UserError for what is none."""
    if span == ALL:
        return LONGEST_DAYS
    match = _SHORT_SPAN.fullmatch(span)
    if match is None or match[1] == "0":
        raise _unclear()
    return min(LONGEST_DAYS, int(match[1]) * UNITS[match[2]])


def _unclear() -> UserError:
    return UserError("error.arguments", example=EXAMPLE)


async def _show(
    context: Context, pair: Pair, span: str, *, dark: bool = False, edit: bool = False
) -> None:
    """Show a chart; until new rates are stored the last caption holds without a query.

    Then a picture is drawn only if its own last rate is new.
    """
    services, language, now = context.services, context.language, context.services.clock()
    short = Caption(pair, span, language, dark=dark, today=now.date())
    caption = services.cards.get(short)
    if caption is not None:
        await context.answer()
        if await pictures.known(context, short, caption, edit=edit):
            return
    async with services.store.reading() as db:
        history = await chart_history(
            db, services.catalog, pair, home=context.chat.home, days=days_of(span), now=now
        )
        last = history[-1]
        told = await storage.alerts.days_told(
            db, RateMoved.KIND, last.series, since=history[0].effective_on
        )
    await context.answer()
    await _give_way()
    names = dict(services.catalog.rates[last.source].names)
    today = local_day(services.catalog, last.source, now)
    caption = render.caption(
        history, language, source_names=names, today=today, chosen=span, dark=dark
    )
    services.cards.keep(short, caption)
    await _give_way()
    picture = render.chart(
        history, language, alerts=told, source_names=names, today=today, dark=dark
    )
    # all that can be seen on the picture
    key = (
        last.series,
        span,
        language,
        dark,
        last.effective_on,
        last.per_unit,
        history[0].effective_on,
        len(told),
    )
    pictures.name(context, short, key)
    await pictures.show(context, key, picture, caption, edit=edit)


async def _give_way() -> None:
    """Let others have their turn: each look at ten years of days takes milliseconds."""
    await asyncio.sleep(0)
