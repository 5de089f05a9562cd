"""/convert, and amounts written as plain words.

In a group only a command or a mention is for us.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial
from zoneinfo import ZoneInfo

from telegram import Update

import storage.rates
from bot.convert import (
    Question,
    day_at,
    is_courtesy,
    is_greeting,
    looks_like_question,
    parse_inquiry,
    parse_question,
    plain_text,
)
from bot.convert.answers import Conversion, conversions
from bot.convert.commands import speaks_of_chart, speaks_of_range, speaks_of_rates
from bot.convert.mentions import currencies_in
from bot.convert.rule_tokens import (
    asks_to_be_told,
    speaks_of_a_moment,
    speaks_of_a_move,
    speaks_of_rule,
)
from bot.detect.quoted import must_know
from bot.errors import UserError
from bot.model.chats import Chat, ChatKind
from bot.model.rates import CODE
from bot.model.subjects import usual_in
from bot.readers.amounts import round_amounts
from bot.readers.rates import current_rates, local_day, rates_on
from bot.render import rates as render
from bot.render.answers import say
from bot.render.buttons import copy_button
from bot.render.help import greeted
from bot.render.numbers import money
from bot.render.phrases import phrase
from bot.render.text import Button, Message
from handlers import charts, rates, rules, unknown
from handlers.access import mention
from handlers.context import Context
from handlers.services import Services

#: What is written of a rule and of no amount of money: "RUB < 1", "USD ±0.5", "EUR 3% 7d".
RULE_SIGNS = re.compile(r"[<>≤≥±%]")
MOST_WORDS_OF_A_DAY = 6
#: Mistakes in what is surely a question about money; any other text is "not understood".
MEANT = frozenset({"amount", "digits", "large", "percent", "same", "zero"})


async def convert(_update: Update, context: Context) -> None:
    """/convert 100 usd kgs: the amount in the other money, or in ours and back.

    /convert RUB shows round amounts.
    """
    said = " ".join(context.words)
    code = _lone_currency(said, home=context.chat.home)
    try:
        if code is None:
            shown = await _answer(context, said)
        else:
            shown = await _amounts(context, code)
    except UserError as error:
        # A code that no bank here has is better told so than "not understood".
        word = str(error.values.get("word", "")).upper()
        if error.msgid == "error.convert.word" and CODE.fullmatch(word):
            async with context.services.store.reading() as db:
                must_know([word], await storage.rates.known_series(db), home=context.chat.home)
        raise
    await context.reply(shown)


async def amounts(context: Context, code: str) -> None:
    """Button `amounts:RUB`: round amounts of it at home."""
    if not CODE.fullmatch(code):
        raise UserError("error.stale")
    shown = await _amounts(context, code)
    await context.answer()
    await context.reply(shown)


def _lone_currency(said: str, *, home: str) -> str | None:
    """The currency of a question that says nothing else, and is not the chat's own."""
    if len(said.split()) != 1 or any(char.isdigit() for char in said):
        return None
    try:
        asked = parse_question(said, home=home)
    except UserError:
        return None
    if asked.target is not None or asked.amount != 1 or asked.source == home:
        return None
    return asked.source


async def _amounts(context: Context, code: str) -> Message:
    services, chat = context.services, context.chat
    now = services.clock()
    async with services.store.reading() as db:
        found = await round_amounts(db, services.catalog, code, home=chat.home, now=now)
    return render.amounts(
        found.amounts,
        found.latest,
        found.week_ago,
        chat.language,
        source_names=dict(services.catalog.rates[found.latest.source].names),
        today=found.today,
    )


async def text(update: Update, context: Context) -> None:
    """Free text: a conversion if it is one, a greeting, else help; in a group where it names us."""
    origin = update.effective_message
    if origin is None:
        return
    private = context.chat.kind is ChatKind.PRIVATE
    said = context.written
    if not private:
        begin, end = mention(origin, context.bot.username) or (0, 0)
        said = f"{said[:begin]} {said[end:]}"
    if is_greeting(said):
        await context.reply(greeted(context.language))
    elif is_courtesy(said):
        await context.reply(say("courtesy.back", context.language))
    elif not private:
        await context.reply(await _answer(context, said))
    # before it is read as a question: a chart, an alert or a day's card may name an amount too
    elif (
        await _charted(update, context, said)
        or await _ruled(context, said)
        or await _dated(update, context, said)
    ):
        return
    elif not (
        (looks_like_question(said) and await _tried(context, said))
        or await _moved(update, context, said)
    ):
        await unknown.unknown(update, context)


async def _charted(update: Update, context: Context, said: str) -> bool:
    """A chart that is asked for in words, "график доллара за месяц"; False where it is none."""
    return speaks_of_chart(said) and await _drawn(update, context, said.split())


async def _dated(update: Update, context: Context, said: str) -> bool:
    """The card of a day that is asked for in words, "какой курс на завтра", "вчера"; False where
    it is none.

    A sentence of more words speaks of something else too.
    """
    words = said.split()
    if len(words) > MOST_WORDS_OF_A_DAY:
        return False
    today = context.services.clock().astimezone(ZoneInfo(context.chat.time_zone)).date()
    if day := _lone_day(said, today):
        context.args = [day.isoformat()]
        await rates.rates(update, context)
        return True
    if not speaks_of_rates(said):
        return False
    try:
        codes, on = rates.parse_rates_request(words, today=today, home=context.chat.home)
    except UserError:
        return False
    if on is None:
        return False
    context.args = [*filter(CODE.fullmatch, codes), on.isoformat()]
    await rates.rates(update, context)
    return True


def _lone_day(said: str, today: date) -> date | None:
    """The day that a text in words names and nothing else, "вчера", "1 августа"; None of any other.

    In figures alone it may be an amount: "10.11".
    """
    text = plain_text(said).strip(" .,!?")
    if not any(map(str.isalpha, text)):
        return None
    try:
        found = day_at(text, 0, today=today)
    except UserError as error:
        if error.values["text"] == text:  # "31 февраля" is meant as a day, and is none
            raise
        return None
    if found is None or found.end < len(text):
        return None
    return found.on


async def _ruled(context: Context, said: str) -> bool:
    """An own alert in words or signs, "сообщи, когда доллар выше 90"; False where it is none."""
    if RULE_SIGNS.search(said) or speaks_of_rule(said):
        return await rules.proposed(context, said)
    return speaks_of_a_moment(said) and await rules.proposed(context, said, amounts=True)


async def _tried(context: Context, said: str) -> bool:
    """The answer to a question about money; False where it is none."""
    try:
        await context.reply(await _answer(context, said))
    except UserError as error:
        family, _, what = error.msgid.rpartition(".")
        if family == "error.convert" and what not in MEANT:
            return False
        raise
    return True


async def _moved(update: Update, context: Context, said: str) -> bool:
    """The chart of a currency of which somebody asks how it moved, "доллар за неделю", "is the euro
    rising?"; False where it is no such question.
    """
    codes = currencies_in(said)
    if asks_to_be_told(said) or not codes:
        return False
    if speaks_of_range(said):
        return await _drawn(update, context, said.split())
    if len(codes) > 1 or not speaks_of_a_move(said) or any(map(str.isdigit, said)):
        return False
    return await _drawn(update, context, list(codes))


async def _drawn(update: Update, context: Context, words: list[str]) -> bool:
    """A chart of what words say, as if they stood behind /chart; False where they say more."""
    try:
        charts.parse_chart(words, home=context.chat.home)
    except UserError:
        return False
    context.args = words
    await charts.chart(update, context)
    return True


async def _answer(context: Context, question: str) -> Message:
    services, chat = context.services, context.chat
    answer = await converted(services, question, chat)
    asked, rows = answer.question, []
    if answer.figure is not None and chat.kind is ChatKind.PRIVATE:  # in a group nobody's alone
        rows.append((copy_button(answer.figure, chat.language),))
    if asked is not None and asked.source != chat.home and asked.target in {None, chat.home}:
        more = phrase("button.amounts", chat.language, code=asked.source).text
        rows.append((Button(more, f"amounts:{asked.source}"),))
    return replace(answer.said, buttons=tuple(rows))


@dataclass(frozen=True, slots=True)
class Converted:
    """An answer in words; the question, where it is one and of today; what it comes to, where that
    is one figure or one that was asked for before its way back.
    """

    said: Message
    question: Question | None
    figure: str | None


async def converted(services: Services, question: str, chat: Chat) -> Converted:
    """Every reading of the amount, in both directions when one currency is said and nothing else.

    Of a list one line each. UserError when it is no question about money.
    """
    language, home, now = chat.language, chat.home, services.clock()
    here = now.astimezone(ZoneInfo(chat.time_zone)).date()
    asked = parse_inquiry(question, language=language, home=home, today=here)
    async with services.store.reading() as db:
        if asked.on is None:
            rates = await current_rates(db, services.catalog, now=now)
        else:
            rates = await rates_on(db, services.catalog, asked.on, now=now)
    found: list[Conversion] = []
    usual = usual_in(chat.currencies, home)
    known = partial(must_know, stored=[rate.series for rate in rates], home=home)
    for one in asked.questions:
        ways = conversions(one, rates, home=home, must_know=known, usual=usual)
        if len(asked.questions) > 1:  # a list has enough lines without the way back
            ways = [way for way in ways if way.base == one.source]
        found += ways
    only = asked.questions[0] if len(asked.questions) == 1 else None
    return Converted(
        said=_said(services, found, language, now),
        question=only if asked.on is None else None,
        figure=None if only is None else _figure(only, found, language),
    )


def _figure(asked: Question, found: Sequence[Conversion], language: str) -> str | None:
    """The one figure that was asked for; None where an amount has several readings."""
    told = {money(way.answer.result, language) for way in found if way.base == asked.source}
    return told.pop() if len(told) == 1 else None


def _said(
    services: Services, conversions: Sequence[Conversion], language: str, now: datetime
) -> Message:
    """The equations, by each source in its own day."""
    sources = {found.answer.path[0].source for found in conversions}
    return render.conversion(
        [
            render.Equation(
                amount=found.amount,
                base=found.base,
                result=found.answer.result,
                quote=found.quote,
                path=found.answer.path,
            )
            for found in conversions
        ],
        language,
        names={source: services.catalog.rates[source].names for source in sources},
        today={source: local_day(services.catalog, source, now) for source in sources},
    )
