"""/chart RUB 90d, and the buttons under a move and under a chart: a picture, drawn once for each last rate."""

from __future__ import annotations

import re

from telegram import Update

import storage.rules
from bot import views
from bot.convert import parse_question
from bot.errors import UserError
from bot.model.rates import CODE, Pair
from bot.render import charts as render
from bot.render.text import Message
from handlers import pictures
from handlers.context import Context

EXAMPLE = "/chart RUB 90d"
USUAL = "90d"
DARK = "dark"
KEPT_CARDS = 200
_RANGE = re.compile(r"(\d{1,4})([dwmyднмг])|(all|все|всё|баары)", re.IGNORECASE)
_DAYS = {"d": 1, "д": 1, "w": 7, "н": 7, "m": 30, "м": 30, "y": 365, "г": 365}
LONGEST = 36_600


async def chart(_update: Update, context: Context) -> None:
    """/chart RUB 90d: the pair against the chat's currency; without words the dollar's last 90 days."""
    pair, span = parse_chart(context.words, home=context.chat.home)
    await _show(context, pair, span)


async def pressed(context: Context, pair: str, span: str, *theme: str) -> None:
    """Button `chart:RUB/KGS:90d` or `chart:RUB/KGS:90d:dark`: under a chart it changes that, elsewhere it sends one."""
    try:
        wanted = Pair.parse(pair)
        days_of(span)
    except (ValueError, UserError):
        raise UserError("error.stale") from None
    if theme not in ((), (DARK,)):
        raise UserError("error.stale")
    await _show(context, wanted, span, dark=bool(theme), edit=context.on_picture)


def parse_chart(words: list[str], *, home: str) -> tuple[Pair, str]:
    """A currency (code, pair or word) and a range such as 90d, 3m, 1y, all; UserError says what would work."""
    pair, span = None, None
    for word in words[:4]:
        if _RANGE.fullmatch(word) and span is None:
            span = word.lower()
        elif pair is None:
            pair = _pair(word, home)
        elif pair.quote == home and CODE.fullmatch(word.upper()) and word.upper() != pair.base:
            pair = Pair(pair.base, word.upper())
        else:
            raise UserError("error.arguments", example=EXAMPLE)
    days_of(span or USUAL)
    return pair or Pair(next(code for code in views.CURRENCIES if code != home), home), span or USUAL


def _pair(word: str, home: str) -> Pair:
    if "/" in word:
        base, _, quote = word.upper().partition("/")
        if CODE.fullmatch(base) and CODE.fullmatch(quote) and base != quote:
            return Pair(base, quote)
        raise UserError("error.arguments", example=EXAMPLE)
    code = word.upper()
    if not CODE.fullmatch(code):
        try:
            code = parse_question(word, home=home).source
        except UserError:
            raise UserError("error.arguments", example=EXAMPLE) from None
    if code == home:
        raise UserError("error.rule.same_currency", code=code)
    return Pair(code, home)


def days_of(span: str) -> int:
    """How many days a range is."""
    match = _RANGE.fullmatch(span)
    if match is None or match[1] == "0":
        raise UserError("error.arguments", example=EXAMPLE)
    return LONGEST if match[3] else min(LONGEST, int(match[1]) * _DAYS[match[2].lower()])


async def _show(context: Context, pair: Pair, span: str, *, dark: bool = False, edit: bool = False) -> None:
    """Until new rates are stored the last caption holds; then a picture is drawn only if its own last rate is new."""
    services, language, now = context.services, context.language, context.services.clock()
    short = ("chart", pair, span, language, dark, now.date())
    caption = services.cards.get(short)
    if caption is not None:
        await context.answer()
        if await pictures.known(context, short, caption, edit=edit):
            return
    async with services.store.reading() as db:
        history = await views.chart_history(
            db, services.catalog, pair, home=context.chat.home, days=days_of(span), now=now
        )
        last = history[-1]
        told = await storage.rules.moves_told(db, last.series, since=history[0].effective_on)
    await context.answer()
    names = dict(services.catalog.rates[last.source].names)
    today = views.local_day(services.catalog, last.source, now)
    caption = render.caption(history, language, source_names=names, today=today, chosen=span, dark=dark)
    _keep(context, short, caption)
    picture = render.chart(history, language, alerts=told, source_names=names, today=today, dark=dark)
    key = (last.series, span, language, dark, last.effective_on, last.per_unit, history[0].effective_on, len(told))
    pictures.name(context, short, key)
    await pictures.show(context, key, picture, caption, edit=edit)


def _keep(context: Context, short: tuple[object, ...], caption: Message) -> None:
    if len(context.services.cards) >= KEPT_CARDS:
        context.services.cards.clear()
    context.services.cards[short] = caption
