"""The serving of an update: its chat is loaded, its pace kept, a reader's mistake told in words.

Who may do what it asks for is asked by its route (`handlers.access`), once this has let it in.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine, Mapping
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from telegram import Update

from bot import metrics
from bot.at_hand import at_hand
from bot.errors import ConfigError, NewerError, UserError
from bot.i18n import currency_name
from bot.model.rates import CODE
from bot.render.answers import explain
from bot.render.wire import to_api
from bot.telegram.outcomes import Sent
from handlers.access import Route, Who, is_anothers
from handlers.answers import Answer
from handlers.context import Context, Handler, topic_of
from handlers.outgoing import Outgoing
from handlers.services import SECONDS_A_COMMAND, SECONDS_A_TAP, Services, load_chat
from handlers.sign import Sign

log = structlog.get_logger(__name__)

LONGEST_QUERY_ID = 32  # digits; the numbers of today, of 64 bits, have twenty
QUERY_ID = re.compile(rf"[0-9]{{1,{LONGEST_QUERY_ID}}}")
#: What handles an update without a chat: there is none, or the one it had is not there any more.
Chatless = Callable[[Services, Update], Coroutine[Any, Any, None]]


def served(handler: Handler, services: Services, name: str, *, counted: bool = True) -> Handler:
    """Load the chat, keep to its pace, answer mistakes of the user in words; `name` is what the log
    calls it.
    """

    async def serve(update: Update, context: Context) -> None:
        one = at_hand()
        one.asked = name
        origin = update.effective_chat
        if origin is None:
            await _nowhere(services, update)
            return
        user = update.effective_user
        context.services, context.incoming = services, update
        if update.callback_query is not None and is_anothers(update):
            await _stop_spinning(services, update)
            return
        if _says_the_same(services, update):
            return
        # Its pace comes before the chat is loaded: a flood shall not cost a query each.
        hurry: UserError | None = None
        if counted:
            cost = SECONDS_A_COMMAND
            if update.callback_query is not None:
                cost = SECONDS_A_TAP
            try:
                allowed = services.allow(origin.id, cost)
            except UserError as error:
                allowed, hurry = True, error  # told once, in the chat's language
            if not allowed:
                await _stop_spinning(services, update)
                return
        spoken = None
        if user is not None:
            spoken = user.language_code
        context.sign = _sign(context, begun=counted and _waits(update))
        try:
            context.chat = await load_chat(services, origin, spoken)
            await _handle(handler, update, context, hurry)
        finally:
            context.sign.end()
        # not in `finally`: what failed was no reply
        metrics.REPLY.observe(one.took)

    return serve


async def _handle(
    handler: Handler, update: Update, context: Context, hurry: UserError | None
) -> None:
    """Answer what was asked; a `hurry` is told in its place.

    An edit counts as answered once it is: while the database is away the update comes again.
    """
    context.asked()
    try:
        try:
            if hurry is not None:
                raise hurry
            await handler(update, context)
        except UserError as error:
            await _explain(context, error)
        except NewerError as newer:  # an alert of a replica whose version is another
            log.warning("an alert cannot be read by this version", why=str(newer))
            await _explain(context, UserError("error.unexpected"))
        context.sign.end()
        await context.answered()
    except BaseException:
        context.failed()
        raise


def _says_the_same(services: Services, update: Update) -> bool:
    """Whether an edit changed nothing that was answered."""
    edited = update.edited_message
    if edited is None:
        return False
    return services.questions.is_unchanged(edited.chat.id, edited.message_id, edited.text or "")


def _sign(context: Context, *, begun: bool) -> Sign:
    """The sign of one question, on its way if somebody waits."""
    origin = context.incoming.effective_chat
    sign = Sign(context.services, origin.id if origin else 0, context.thread)
    if begun:
        sign.begin()
    return sign


def _waits(update: Update) -> bool:
    """Whether somebody waits for an answer: in a group people speak to each other too.

    A channel has no place for the sign.
    """
    origin, message = update.effective_chat, update.effective_message
    if origin is None or origin.type == "channel":
        return False
    if origin.type == "private" or update.callback_query is not None:
        return True
    return message is not None and (message.text or "").startswith("/")


async def _nowhere(services: Services, update: Update) -> None:
    """A button under no message of a chat's is out of date: our inline results have none."""
    query = update.callback_query
    if query is None:
        return
    try:
        if not services.allow(query.from_user.id, SECONDS_A_TAP):
            await _stop_spinning(services, update)
            return
        stale = UserError("error.stale")
    except UserError as error:
        stale = error
    language = services.language_for(query.from_user.id, query.from_user.language_code)
    said = explain(stale, language).text
    # the Bot API takes 200 characters there
    words = {"callback_query_id": query.id, "text": said[:200], "show_alert": True}
    answer = Answer(method="answerCallbackQuery", parameters=words)
    await Outgoing(services, query.from_user.id, language).send(answer)


async def _stop_spinning(services: Services, update: Update) -> None:
    """A press is let go without words, in a flood or by a stranger.

    Neither is the store asked nor a chat named.
    """
    query = update.callback_query
    if query is not None:
        await _let_go(services, query.from_user.id, query.id)


async def _let_go(services: Services, presser: int, number: str) -> None:
    answer = Answer(method="answerCallbackQuery", parameters={"callback_query_id": number})
    await Outgoing(services, presser, services.settings.default_language).send(answer)


async def _explain(context: Context, error: UserError) -> None:
    today = context.services.clock().astimezone(ZoneInfo(context.chat.time_zone)).date()
    message = explain(_as_typed(error, context), context.language, today=today)
    if context.incoming.callback_query is not None:
        await context.answer(message.text, alert=True)
    else:
        await context.reply(message)


def _as_typed(error: UserError, context: Context) -> UserError:
    """The error with an unknown currency's word as it was written, not in capitals; one that was
    named in words is called by its name.
    """
    origin = context.incoming.effective_message
    code = error.values.get("code")
    if error.msgid != "error.currency" or not isinstance(code, str) or origin is None:
        return error
    written = re.search(rf"(?<!\w){re.escape(code)}(?!\w)", origin.text or "", re.IGNORECASE)
    if written is None:
        if not CODE.fullmatch(code):  # a long word, cut
            return error
        name = currency_name(code, context.language)
        named = {**error.values, "name": name[:1].upper() + name[1:]}
        return UserError("error.currency_named", **named)
    return UserError(error.msgid, **{**error.values, "code": written.group()})


async def let_go(services: Services, raw: Mapping[str, Any]) -> None:
    """A button's press that nobody can read is at least let go."""
    query = raw.get("callback_query")
    if not isinstance(query, Mapping):
        return
    # The update was unreadable, so its number may be anything too: only digits go back.
    match query.get("id"):
        case str(number) if QUERY_ID.fullmatch(number):
            await _let_go(services, 0, number)  # whose it is cannot be read either


async def sorry(services: Services, update: Update) -> None:
    """Tell whoever waits for an answer that there will be none, in general words.

    Who speaks to somebody else waits for none.
    """
    query, origin, user = update.callback_query, update.effective_chat, update.effective_user
    if origin is None or (update.message is None and query is None):
        return
    spoken = None
    if user is not None:
        spoken = user.language_code
    # not from the store, which may be what failed
    language = services.language_for(origin.id, spoken)
    message = explain(UserError("error.unexpected"), language)
    way = Outgoing(services, origin.id, language)
    if query is not None:
        words = {"callback_query_id": query.id, "text": message.text, "show_alert": True}
        outcome = await way.send(Answer(method="answerCallbackQuery", parameters=words))
        # Telegram takes no answer to what was pressed some while ago: then it comes as a message,
        # but into nobody's private chat for a press that is not theirs.
        if isinstance(outcome, Sent) or is_anothers(update):
            return
    where = {"chat_id": origin.id, "message_thread_id": topic_of(update)}
    told = {**where, **to_api(message)}
    await way.send(Answer(method="sendMessage", parameters=told))


def chatless(to: Route[Chatless], services: Services, name: str) -> Handler:
    """A handler for what has no chat to load: no pace is kept, and nobody's rights can be asked.

    ConfigError for a route that is not for anybody.
    """
    if to.who is not Who.ANYBODY:
        raise ConfigError(f"{to.handler.__name__}: without a chat only anybody can be let in")

    async def serve(update: Update, _context: Context) -> None:
        at_hand().asked = name
        await to.handler(services, update)

    return serve
