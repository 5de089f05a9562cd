"""/chart RUB 90d, and the button under a move: a picture, drawn by a worker, then known to Telegram by its file id."""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict
from typing import Any, Protocol, runtime_checkable

import structlog
from telegram import Update

import storage.rules
from bot import views
from bot.convert import parse_question
from bot.errors import UserError
from bot.model.outcomes import Outcome, Retry, Sent
from bot.model.rates import CODE, Pair
from bot.render import charts as render
from bot.render.text import Message, to_api
from bot.workers import WorkerError, Workers
from handlers.context import Context, Services

log = structlog.get_logger(__name__)

EXAMPLE = "/chart RUB 90d"
USUAL = "90d"
DRAW_SECONDS = 30.0
TRIES = 3
KEPT = 500
_RANGE = re.compile(r"(\d{1,4})([dwmyднмг])|(all|все|всё|баары)", re.IGNORECASE)
_DAYS = {"d": 1, "д": 1, "w": 7, "н": 7, "m": 30, "м": 30, "y": 365, "г": 365}
LONGEST = 36_600


@runtime_checkable
class Uploader(Protocol):
    """The Bot API for a method with a file."""

    async def upload(self, method: str, parameters: dict[str, Any], *, field: str, content: bytes) -> Outcome:
        """Send and classify."""


class Drawn:
    """The worker that draws and the file ids of what was sent; one for the program."""

    def __init__(self) -> None:
        self.workers = Workers(size=1)
        self.file_ids: OrderedDict[tuple[object, ...], str] = OrderedDict()

    def keep(self, key: tuple[object, ...], outcome: Outcome) -> None:
        """Remember the largest size's file id of a photo that was sent."""
        sizes = outcome.result.get("photo") if isinstance(outcome, Sent) and isinstance(outcome.result, dict) else None
        if sizes:
            self.file_ids[key] = str(sizes[-1]["file_id"])
            while len(self.file_ids) > KEPT:
                self.file_ids.popitem(last=False)


async def chart(_update: Update, context: Context) -> None:
    """/chart RUB 90d: the pair against the chat's currency; without words the dollar's last 90 days."""
    pair, span = parse_chart(context.words, home=context.chat.home)
    await _show(context, pair, span)


async def pressed(context: Context, pair: str, span: str) -> None:
    """Button `chart:RUB/KGS:90d`."""
    try:
        wanted = Pair.parse(pair)
        days_of(span)
    except (ValueError, UserError):
        raise UserError("error.stale") from None
    await _show(context, wanted, span)
    await context.answer()


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


async def _show(context: Context, pair: Pair, span: str) -> None:
    services, language = context.services, context.language
    now = services.clock()
    async with services.store.reading() as db:
        history = await views.chart_history(db, services.catalog, pair, days=days_of(span), now=now)
        last = history[-1]
        told = await storage.rules.moves_told(db, last.series, since=history[0].effective_on)
    names = dict(services.catalog.rates[last.source].names)
    today = views.local_day(services.catalog, last.source, now)
    caption = render.caption(history, language, source_names=names, today=today, chosen=span)
    drawn: Drawn = context.bot_data["drawn"]
    key = (last.series, span, language, last.effective_on, last.per_unit, history[0].effective_on, len(told))
    if key in drawn.file_ids and isinstance(await _send(context, caption, drawn.file_ids[key]), Sent):
        return
    picture = render.chart(history, language, alerts=told, source_names=names, today=today)
    try:
        png = await drawn.workers.run(render.draw, picture, timeout=DRAW_SECONDS)
    except WorkerError as error:
        log.warning("no chart", pair=str(pair), error=str(error))
        await context.reply(caption)  # the figures without the picture
        return
    outcome = await _send(context, caption, png)
    drawn.keep(key, outcome)
    if not isinstance(outcome, Sent):
        await context.reply(caption)


async def _send(context: Context, caption: Message, photo: str | bytes) -> Outcome:
    """sendPhoto, by file id or with the picture itself; again when Telegram is busy."""
    services = context.services
    body = to_api(Message(caption.text, caption.entities, caption.buttons, photo=b"-"))
    origin = context.incoming.effective_message
    thread = origin.message_thread_id if origin is not None and origin.is_topic_message else None
    body |= {"chat_id": context.chat.id} | ({"message_thread_id": thread} if thread else {})
    outcome: Outcome = await _once(services, body, photo)
    for _ in range(TRIES - 1):
        if not isinstance(outcome, Retry):
            break
        await asyncio.sleep(min(outcome.after or 1.0, 30.0))
        outcome = await _once(services, body, photo)
    return outcome


async def _once(services: Services, body: dict[str, Any], photo: str | bytes) -> Outcome:
    services.replied()
    if isinstance(photo, str):
        return await services.api.call("sendPhoto", photo=photo, **body)
    if not isinstance(services.api, Uploader):
        return Retry("no way to upload")
    return await services.api.upload("sendPhoto", body, field="photo", content=photo)
