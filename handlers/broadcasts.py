"""/broadcast: an operator's message to all chats, or to the readers of a topic.

The text comes as a message of its own or after the command, is shown as its readers will see it,
with how many chats it reaches, and is sent after two taps. All of it is bound to the operator's own
chat, and a broadcast that is not sent ends by itself. Only an operator in their own private chat
gets here.
"""

from __future__ import annotations

import re

from telegram import Message as Written
from telegram import Update

import storage.alerts
import storage.broadcasts
from bot.alerts import notices
from bot.alerts.broadcasts import Broadcast, alert, kept_of
from bot.alerts.notices import Notice
from bot.errors import UserError
from bot.model.alerts import EVERYBODY
from bot.model.broadcasts import Reach, Step, StoredBroadcast
from bot.model.entities import Entity
from bot.model.subjects import READERS_TOPICS, TopicSubject
from bot.render import broadcasts as render
from bot.render.answers import say
from bot.render.text import LIMIT, units
from handlers.access import is_second_hand, other_operators
from handlers.context import Context
from handlers.numbers import number_of
from storage.db import Db

_COMMAND = re.compile(r"/\S+\s+")


async def broadcast(update: Update, context: Context) -> None:
    """/broadcast: asks for the words; takes those that stand behind it."""
    message, said = update.effective_message, None
    if message is not None and context.words:
        said = _words(message, behind=_COMMAND)
    async with context.services.store.writing() as db:
        number = await storage.broadcasts.begin(db, context.chat.id)
    if said is None:
        await context.reply(render.ask_words(number, context.language))
    else:
        await _write(context, number, said)


async def written(update: Update, context: Context) -> bool:
    """Whether what an operator wrote was the words of a broadcast; then they are shown."""
    message = update.effective_message
    # a command is none of its words: /cancel is to be heard
    if message is None or (message.text or "").startswith("/"):
        return False
    async with context.services.store.reading() as db:
        found = await storage.broadcasts.awaited(db, context.chat.id)
    if found is None:
        return False
    await _write(context, found.id, _words(message))
    return True


async def _write(context: Context, number: int, words: Broadcast) -> None:
    """Show the words as their readers will see them, and whom they reach."""
    async with context.services.store.writing() as db:
        await storage.broadcasts.write_words(db, number, words.text, words.entities)
        shown = await _mine(context, db, number, Step.SHOWN)
        reach = await storage.broadcasts.reach(db, shown.audience)
    await context.reply(words.message)
    await context.reply(render.preview(shown, reach, READERS_TOPICS, context.language))


def _words(message: Written, *, behind: re.Pattern[str] | None = None) -> Broadcast:
    """The text to be sent, `behind` what begins it or all of it, with its entities; UserError for
    one that cannot be sent so.
    """
    if is_second_hand(message):
        raise UserError("error.broadcast.forwarded")
    text = message.text or ""
    begins = behind.match(text) if behind is not None else None
    lead = "" if begins is None else begins[0]
    text = text.removeprefix(lead)
    if not text.strip():
        raise UserError("error.broadcast.no_text")
    if units(text) > LIMIT:
        raise UserError("error.broadcast.long", longest=LIMIT)
    written: list[Entity] = []
    for one in message.entities:
        written.append(
            Entity(
                type=one.type,
                offset=one.offset - units(lead),
                length=one.length,
                url=one.url,
                language=one.language,
            )
        )
    return Broadcast(text=text, entities=kept_of(text, written))


async def pressed(context: Context, what: str, number: str) -> None:
    """Buttons `cast:send:7`, `sure`, `back`, `cancel` and `stop`."""
    steps = {"send": _send, "sure": _sure, "back": _back, "cancel": _cancel, "stop": _stop}
    if what not in steps:
        raise UserError("error.stale")
    await steps[what](context, number_of(number))


async def chosen(context: Context, what: str, number: str, whom: str) -> None:
    """Button `cast:to:7:security`: to that topic's readers, or to `all`."""
    if what != "to" or whom not in {"all", *READERS_TOPICS}:
        raise UserError("error.stale")
    audience = EVERYBODY if whom == "all" else str(TopicSubject(whom))
    async with context.services.store.writing() as db:
        shown = await _mine(context, db, number_of(number), Step.SHOWN)
        await storage.broadcasts.change(db, shown.id, Step.SHOWN, audience=audience)
    await _show(context, shown.id)


# --- steps ----------------------------------------------------------------------------------------


async def _send(context: Context, number: int) -> None:
    """The first of the two steps: asks once more, with how many chats it is."""
    async with context.services.store.writing() as db:
        shown = await _mine(context, db, number, Step.SHOWN)
        reach = await _reach(db, shown)
        await storage.broadcasts.change(db, number, Step.SURE)
    await context.answer()
    await context.edit(render.confirm(shown, reach, context.language))


async def _back(context: Context, number: int) -> None:
    async with context.services.store.writing() as db:
        shown = await _mine(context, db, number, Step.SURE)
        await storage.broadcasts.change(db, shown.id, Step.SHOWN)
    await _show(context, number)


async def _show(context: Context, number: int) -> None:
    """Show the readers that it reaches, in the message pressed."""
    async with context.services.store.reading() as db:
        shown = await _mine(context, db, number, Step.SHOWN)
        reach = await storage.broadcasts.reach(db, shown.audience)
    await context.answer()
    await context.edit(render.preview(shown, reach, READERS_TOPICS, context.language))


async def _sure(context: Context, number: int) -> None:
    """The second step: it goes out, and from now on this message says how far it has come.

    One job writes that (`bot/broadcasts.py`): two writers would overtake each other.
    """
    services = context.services
    async with services.store.writing() as db:
        sure = await _mine(context, db, number, Step.SURE)
        reach = await _reach(db, sure)
        words = Broadcast(text=sure.text, entities=kept_of(sure.text, sure.entities))
        made = alert(str(number), words, sure.audience, now=services.clock())
        sent = await storage.alerts.enqueue(db, made)
        if sent is None:  # a number is given once: it was sent before its row was put back
            raise UserError("error.stale")
        origin = context.incoming.effective_message
        progress = None if origin is None else origin.message_id
        await storage.broadcasts.change(
            db, number, Step.SENDING, alert_id=sent, message_id=progress, reach=reach.total
        )
        await _tell_others(context, db, sent, reach.total)
    # after the transaction: a sender that wakes in it finds nothing yet
    services.wake()
    await context.answer(say("broadcast.under_way", context.language).text)


async def _cancel(context: Context, number: int) -> None:
    async with context.services.store.writing() as db:
        await _mine(context, db, number, Step.ASKED, Step.SHOWN, Step.SURE)
        await storage.broadcasts.drop(db, number)
    await context.answer()
    await context.edit(say("broadcast.cancelled", context.language))


async def _stop(context: Context, number: int) -> None:
    """Take back the deliveries that have not left; the progress says so at its next look."""
    async with context.services.store.writing() as db:
        sent = await _mine(context, db, number, Step.SENDING)
        if sent.alert is not None:
            await storage.broadcasts.stop(db, sent.alert)
    await context.answer(say("broadcast.stopping", context.language).text)


# --- the store ------------------------------------------------------------------------------------


async def _mine(context: Context, db: Db, number: int, *steps: Step) -> StoredBroadcast:
    """This operator's broadcast, at one of these steps; UserError for any other."""
    found = await storage.broadcasts.of_chat(db, number, context.chat.id)
    if found is None or found.step not in steps:
        raise UserError("error.stale")
    return found


async def _reach(db: Db, shown: StoredBroadcast) -> Reach:
    """The readers that it reaches now; UserError where that is nobody."""
    reach = await storage.broadcasts.reach(db, shown.audience)
    if not reach.total:
        raise UserError("error.broadcast.nobody")
    return reach


async def _tell_others(context: Context, db: Db, sent: int, total: int) -> None:
    """One silent word to every other operator: who sends something, and to how many."""
    user = context.incoming.effective_user
    who = "–" if user is None else user.full_name
    told = Notice.of("notice.broadcast", who=who, count=total)
    now = context.services.clock()
    for operator in other_operators(context):
        await storage.alerts.enqueue(db, notices.decided(operator, sent, told, now=now))
