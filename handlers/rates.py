"""/rates: the card, today and tomorrow, or any past day in the store."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

from telegram import Update

from bot import views
from bot.errors import UserError
from bot.i18n import t
from bot.model.rates import CODE
from bot.render import rates as render
from bot.render.news import rows_of
from bot.render.text import Button, Rows, fill
from handlers.context import Context

KEPT_CARDS = 200
_DAY_FIRST = re.compile(r"(\d{1,2})[./](\d{1,2})(?:[./](\d{2}|\d{4}))?")
EXAMPLE = "/rates USD EUR"
LONGEST_WORD = 20  # of what is no code, and will be named as unknown
DATE_EXAMPLE = "/rates 2021-10-20"


async def rates(_update: Update, context: Context) -> None:
    """/rates usd eur 20.10.2021: the latest rates, or those of a day."""
    services, chat = context.services, context.chat
    now = services.clock()
    today = views.local_day(services.catalog, views.leading_source(services.catalog, chat.home), now)
    codes, on = parse_rates_request(context.words, today=today)
    key = (chat.home, codes, on, context.language, now.replace(second=0, microsecond=0))
    message = services.cards.get(key)
    if message is None:
        async with services.store.reading() as db:
            card = await views.rate_card(db, services.catalog, home=chat.home, now=now, codes=codes, on=on)
        message = render.card(card, context.language, today=today)
        if len(codes) == 1 and on is None:
            message = replace(message, buttons=_buttons(codes[0], card.quote, context.language))
        if len(services.cards) >= KEPT_CARDS:
            services.cards.clear()
        services.cards[key] = message
    await context.reply(message)


def _buttons(code: str, home: str, language: str) -> Rows:
    """Under the card of one currency: its chart, and what round amounts of it are worth."""
    more = fill(t("button.amounts", language), code=code).text
    both = [Button(t("button.chart", language), f"chart:{code}/{home}:90d"), Button(more, f"amounts:{code}")]
    return tuple(map(tuple, rows_of(both, 2)))


def parse_rates_request(words: list[str], *, today: date) -> tuple[tuple[str, ...], date | None]:
    """Currency codes and at most one day out of a command's words; UserError says what would work."""
    codes: list[str] = []
    on: date | None = None
    for word in " ".join(words).replace(",", " ").split()[:20]:
        if any(char.isdigit() for char in word):
            on = parse_day(word, today=today)
        elif CODE.fullmatch(word.upper()) or word.isalpha():
            codes.append(word.upper()[:LONGEST_WORD])
        else:
            raise UserError("error.arguments", example=EXAMPLE)
    return tuple(dict.fromkeys(codes)), on


def parse_day(text: str, *, today: date) -> date:
    """`2021-10-20`, `20.10.2021`, `20.10` (of this year, or the last when that is still ahead)."""
    try:
        if match := _DAY_FIRST.fullmatch(text):
            day, month, year = int(match[1]), int(match[2]), match[3]
            if year:
                return date(int(year) + (2000 if len(year) == 2 else 0), month, day)
            this_year = date(today.year, month, day)
            return this_year if (this_year - today).days <= 1 else date(today.year - 1, month, day)
        return date.fromisoformat(text)
    except ValueError:
        raise UserError("error.date", text=text[:20], example=DATE_EXAMPLE) from None
