"""/convert, amounts written as plain words, and `@bot 100 usd` in any chat.

In a group only a command or a mention is for us. Inline queries come letter by letter from chats we
are not in: they are answered from the store, kept by Telegram for a short time, and never with an
error.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from telegram import Update

import storage.chats
import storage.rates
from bot.convert import Question, is_greeting, looks_like_question, parse_asked, parse_question
from bot.errors import UserError
from bot.i18n import currency_name, t
from bot.languages import client_language
from bot.model.chats import Chat, ChatKind
from bot.model.rates import CODE
from bot.readers.convert import Conversion, conversions, round_amounts
from bot.readers.rates import current_rates, local_day, must_know, rate_card, rates_on
from bot.render import rates as render
from bot.render.help import greeted
from bot.render.phrases import phrase
from bot.render.text import Button, Message, Rich, bold, lines, message, to_api
from handlers import rules, unknown
from handlers.access import mention
from handlers.context import Context
from handlers.outgoing import Answer, Outgoing
from handlers.services import Services

#: What is written of a rule and of no amount of money: "RUB < 1", "USD ±0.5", "EUR 3% 7d".
RULE_SIGNS = re.compile(r"[<>≤≥±%]")
INLINE_KEPT = 30  # seconds Telegram may repeat an inline answer
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
    said = origin.text or ""
    private = context.chat.kind is ChatKind.PRIVATE
    if not private:
        begin, end = mention(origin, context.bot.username) or (0, 0)
        said = f"{said[:begin]} {said[end:]}"
    if is_greeting(said):
        await context.reply(greeted(context.language))
    elif not private:
        await context.reply(await _answer(context, said))
    elif RULE_SIGNS.search(said) and await rules.proposed(context, said):
        return
    elif looks_like_question(said):
        await _try(update, context, said)
    else:
        await unknown.unknown(update, context)


async def _try(update: Update, context: Context, said: str) -> None:
    try:
        await context.reply(await _answer(context, said))
    except UserError as error:
        family, _, what = error.msgid.rpartition(".")
        if family == "error.convert" and what not in MEANT:
            await unknown.unknown(update, context)
        else:
            raise


async def _answer(context: Context, question: str) -> Message:
    services, chat = context.services, context.chat
    asked, said = await conversion(services, question, chat)
    if asked is None or asked.source == chat.home or asked.target not in {None, chat.home}:
        return said
    more = phrase("button.amounts", chat.language, code=asked.source).text
    return replace(said, buttons=((Button(more, f"amounts:{asked.source}"),),))


async def conversion(
    services: Services, question: str, chat: Chat
) -> tuple[Question | None, Message]:
    """Every reading of the amount, in both directions when one currency is said and nothing else.

    Of a list one line each. The question itself too, where it is one and of today. Raises
    UserError when it is none.
    """
    language, home, now = chat.language, chat.home, services.clock()
    here = now.astimezone(ZoneInfo(chat.time_zone)).date()
    asked = parse_asked(question, language=language, home=home, today=here)
    async with services.store.reading() as db:
        if asked.on is None:
            rates = await current_rates(db, services.catalog, now=now)
        else:
            rates = await rates_on(db, services.catalog, asked.on, now=now)
    found: list[Conversion] = []
    for one in asked.questions:
        ways = conversions(one, rates, home=home)
        if len(asked.questions) > 1:  # a list has enough lines without the way back
            ways = [way for way in ways if way.base == one.source]
        found += ways
    only = asked.questions[0] if len(asked.questions) == 1 and asked.on is None else None
    return only, _said(services, found, language, now)


def _said(
    services: Services, conversions: Sequence[Conversion], language: str, now: datetime
) -> Message:
    """The equations, then by which rates, each once."""
    equations: list[Rich] = []
    basis: list[str] = []
    for found in conversions:
        source = found.answer.path[0].source
        shown = render.conversion(
            found.amount,
            found.base,
            found.answer.result,
            found.quote,
            language,
            path=found.answer.path,
            source_names=dict(services.catalog.rates[source].names),
            today=local_day(services.catalog, source, now),
        )
        equation, *rest = shown.text.split("\n")
        equations.append(bold(equation))
        basis += rest
    # several readings by one bank have one basis, said once; of one unit the answer is the basis
    answers = {one.text for one in equations}
    below = [line for line in dict.fromkeys(basis) if line not in answers]
    return message(lines(*equations, *below))


# --- inline ---------------------------------------------------------------------------------------


async def inline(services: Services, update: Update) -> None:
    """`@bot 100 usd`: the conversion, when it is one, and the rate card, as results to send."""
    query = update.inline_query
    if query is None:
        return
    reader = await _reader(services, query.from_user.id, query.from_user.language_code)
    results = [
        *await _inline_conversion(services, query.query, reader),
        *await _inline_card(services, reader),
    ]
    answer = Answer(
        method="answerInlineQuery",
        parameters={
            "inline_query_id": query.id,
            "results": results,
            "cache_time": INLINE_KEPT,
            "is_personal": True,  # in the reader's own language and currency
        },
    )
    await Outgoing(services, reader.id, reader.language).send(answer)


async def _reader(services: Services, user: int, language_code: str | None) -> Chat:
    """The reader's own settings; somebody we never met is not stored for looking."""
    # a person's number is that of their private chat with us
    async with services.store.reading() as db:
        known = services.chats.get(user) or await storage.chats.get(db, user)
    return known or Chat(
        id=user,
        kind=ChatKind.PRIVATE,
        language=client_language(language_code, services.settings.default_language),
        time_zone=services.settings.time_zone,
        home=services.settings.home_currency,
    )


async def _inline_conversion(
    services: Services, question: str, reader: Chat
) -> list[dict[str, Any]]:
    if not looks_like_question(question):
        return []
    try:
        _, shown = await conversion(services, question, reader)
    except UserError:
        return []
    first, second, *_ = [*shown.text.split("\n"), ""]  # an equation alone has nothing below it
    return [_article("convert", first, second, shown)]


async def _inline_card(services: Services, reader: Chat) -> list[dict[str, Any]]:
    now = services.clock()
    try:
        async with services.store.reading() as db:
            card = await rate_card(db, services.catalog, home=reader.home, now=now)
    except UserError:
        return []
    today = local_day(services.catalog, card.source, now)
    title = f"{t('inline.card', reader.language)} · {currency_name(card.quote, reader.language)}"
    values = ", ".join(row.pair.base for row in card.rows)
    return [_article("card", title, values, render.card(card, reader.language, today=today))]


def _article(key: str, title: str, description: str, shown: Message) -> dict[str, Any]:
    # Without buttons: a press under a message sent to others would reach us from nowhere.
    body = to_api(replace(shown, buttons=()))
    content = {
        "message_text": body["text"],
        "link_preview_options": body["link_preview_options"],
    }
    if "entities" in body:
        content["entities"] = body["entities"]
    return {
        "type": "article",
        "id": key,
        "title": title,
        "description": description,
        "input_message_content": content,
    }
