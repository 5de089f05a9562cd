"""/rates: the card, today and tomorrow, or any past day in the store."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from zoneinfo import ZoneInfo

from telegram import Update

from bot.convert import behind_filler, currency_at, day_at, plain_text
from bot.errors import UserError
from bot.i18n import t
from bot.model.rates import CODE
from bot.model.subjects import usual_in
from bot.readers.rates import leading_source, local_day, rate_card
from bot.render import rates as render
from bot.render.buttons import rows_of
from bot.render.phrases import phrase
from bot.render.text import Button, Rows
from handlers.cards import Card
from handlers.context import Context

MOST_CHARTS = 8  # buttons under a card: two rows
_BETWEEN = re.compile(r"[ ,;:/&+=>\n.?!()«»\"“”-]+")
LONGEST_REQUEST = 200  # letters that are read
EXAMPLE = "/rates USD EUR"
LONGEST_WORD = 20  # of what is no code, and will be named as unknown
DATE_EXAMPLE = "/rates 2021-10-20"


async def rates(_update: Update, context: Context) -> None:
    """/rates usd eur 20.10.2021: the latest rates, or those of a day."""
    services, chat = context.services, context.chat
    now = services.clock()
    today = local_day(services.catalog, leading_source(services.catalog, chat.home), now)
    codes, on = parse_rates_request(
        context.words, today=now.astimezone(ZoneInfo(chat.time_zone)).date(), home=chat.home
    )
    if on == today:
        on = None  # today's card tells of tomorrow too
    usual = () if codes else usual_in(chat.currencies, chat.home)
    minute = now.replace(second=0, microsecond=0)
    asked = Card(chat.home, codes, on, context.language, minute, usual)
    message = services.cards.get(asked)
    if message is None:
        async with services.store.reading() as db:
            card = await rate_card(
                db, services.catalog, home=chat.home, now=now, codes=codes, on=on, usual=usual
            )
        message = render.card(card, context.language, today=today)
        if on is None:
            shown = [row.pair.base for row in card.rows if row.today or row.tomorrow]
            message = replace(message, buttons=_buttons(shown, card.quote, context.language))
        services.cards.keep(asked, message)
    await context.reply(message)


def _buttons(codes: Sequence[str], home: str, language: str) -> Rows:
    """Under the card of one currency: its chart, and what round amounts of it are worth; of several
    a chart of each.
    """
    if len(codes) != 1:
        charts = [Button(code, f"chart:{code}/{home}:90d") for code in codes[:MOST_CHARTS]]
        return tuple(map(tuple, rows_of(charts, 4)))
    (code,) = codes
    more = phrase("button.amounts", language, code=code).text
    both = [
        Button(t("button.chart", language), f"chart:{code}/{home}:90d"),
        Button(more, f"amounts:{code}"),
    ]
    return tuple(map(tuple, rows_of(both, 2)))


def parse_rates_request(
    words: list[str], *, today: date, home: str
) -> tuple[tuple[str, ...], date | None]:
    """Currency codes and at most one day out of a command's words; UserError says what would work.

    Currencies come by any name, days as `bot.convert.dates` reads them; `home` beside others is
    what they are priced in ("usd/kgs") and is left out. A word that is neither stays as it is, to
    be named as unknown.
    """
    text = plain_text(" ".join(words))[:LONGEST_REQUEST]
    codes: list[str] = []
    on: date | None = None
    at = 0
    while at < len(text):
        if gap := _BETWEEN.match(text, at):
            at = gap.end()
        elif day := day_at(text, at, today=today):
            on, at = day.on, day.end
        elif filler := behind_filler(text, at):
            at = filler
        elif currency := currency_at(text, at):
            codes += currency.codes
            at = currency.end
        else:
            word = _next_word(text, at)
            at += len(word)
            if CODE.fullmatch(word.upper()):
                word = word.upper()
            codes.append(word[:LONGEST_WORD])
    kept = [code for code in dict.fromkeys(codes) if code != home]
    if on == today:
        on = None  # today's card tells of tomorrow too
    return tuple(kept), on


def _next_word(text: str, at: int) -> str:
    """The word at `at` that names no currency and no day; UserError when it is not even a word."""
    word = re.split(r"[ ,;/]", text[at:], maxsplit=1)[0]
    if any(letter.isdigit() for letter in word):
        raise UserError("error.date", text=word[:LONGEST_WORD], example=DATE_EXAMPLE)
    if not word.isalpha():
        raise UserError("error.arguments", example=EXAMPLE)
    return word
