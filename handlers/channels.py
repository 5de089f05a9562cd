"""/channel: a channel is added by a key that asks for it, and set up in private by who added it.

What a key brought and what a button names is asked of Telegram before anything is done: whether
this person may post in that channel, and whether the bot may. A set-up stands in one message;
buttons under an earlier one are out of date.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from telegram import Update

import storage.boards
import storage.chats
import storage.privacy
import storage.setups
import storage.withheld
from bot.alerts.asked import unmet
from bot.errors import UserError
from bot.languages import LANGUAGES
from bot.model.channels import Setup
from bot.model.chats import USUAL, Chat, Editorial, Post, Sound, Style, write_sounds
from bot.model.subjects import DigestSubject, digests_of
from bot.render import channels as render
from bot.render.answers import say
from bot.render.settings import ZONES, sample
from bot.render.text import Message
from bot.render.wire import to_api
from bot.telegram.outcomes import Sent
from handlers import boards, digest, editorial, membership, subscriptions
from handlers.answers import Answer
from handlers.context import Context
from handlers.numbers import number_of
from handlers.posting import ask_telegram, verified

#: The end of the button that leads back from tables, which stands below their sample.
NO_TABLES = ("tables", "off")


async def channel(_update: Update, context: Context) -> None:
    """/channel: a key that asks for a channel, and the channels one has set up."""
    await ask(context)


async def ask(context: Context) -> None:
    """Show the key, and below it the channels that are set up already."""
    await context.reply(render.ask(context.language), below=render.key(context.language))
    if shown := await _list(context):
        await context.reply(shown)


async def shared(update: Update, context: Context) -> None:
    """A channel was chosen: it is verified with Telegram, and its set-up shown."""
    origin = update.effective_message
    asked = None if origin is None else origin.chat_shared
    if asked is None or asked.request_id != render.REQUEST:
        raise UserError("error.stale")
    chat = await verified(context, asked.chat_id, asked.title or "")
    services, now = context.services, context.services.clock()
    async with services.store.writing() as db:
        await storage.chats.add(db, chat, now=now)
        await storage.chats.change(db, chat.id, title=chat.title)
        await storage.chats.activate(db, chat.id)
        await membership.begin(db, chat.id, chat.home, now=now)
        setup = await storage.setups.take(db, chat.id, context.chat.id)
        await editorial.ask(db, setup)
    services.chats.pop(chat.id, None)
    body = to_api(await _shown(context, setup))
    sent = await context.send(
        Answer(method="sendMessage", parameters={"chat_id": context.chat.id, **body})
    )
    if isinstance(sent, Sent) and sent.message_id:
        async with services.store.writing() as db:
            await storage.setups.stands_in(db, setup.id, sent.message_id)


async def pressed(context: Context, number: str, what: str) -> None:
    """Buttons `chan:7:open`, `chan:7:topics` and the like: a page of the set-up."""
    setup = await _mine(context, number, what)
    if what == "preview":
        await _preview(context, setup)
        return
    if what not in PAGES:
        raise UserError("error.stale")
    shown = await PAGES[what](context, setup)
    if what == "open":
        await _stand_here(context, setup)
    await context.edit(shown)
    await context.answer()


async def changed(context: Context, number: str, what: str, value: str) -> None:
    """Buttons `chan:7:lang:ru`, `chan:7:top:economy` and the like: a tap changes the channel."""
    setup = await _mine(context, number, what, value)
    if (what, value) == ("remove", "yes"):
        await _leave(context, setup)
        return
    if what not in CHANGES:
        raise UserError("error.stale")
    change, page = CHANGES[what]
    await change(context, await _channel(context, setup), value)
    context.services.chats.pop(setup.chat, None)
    shown = await page(context, setup)
    if (what, value) == NO_TABLES:
        await _stand_here(context, setup)
    await context.edit(shown)
    await context.answer(say("settings.saved", context.language).text)
    if (what, value) == ("tables", "on"):
        # here, to who chose it: in the channel it would be a post
        tried = sample(context.language, f"chan:{number}:tables:off")
        await context.reply(tried, tables=True)


async def _list(context: Context) -> Message | None:
    """The channels that this person set up."""
    found: list[tuple[int, str]] = []
    async with context.services.store.reading() as db:
        for setup in await storage.setups.of_owner(db, context.chat.id):
            chat = await storage.chats.get(db, setup.chat)
            if chat is not None:
                found.append((setup.id, chat.title or str(chat.id)))
    return render.mine(found, context.language) if found else None


# --- who may --------------------------------------------------------------------------------------


async def named(context: Context, number: str, what: str, value: str = "") -> Chat:
    """The channel of this person's set-up that a button names; UserError for any other."""
    return await _channel(context, await _mine(context, number, what, value))


async def _mine(context: Context, number: str, what: str, value: str = "") -> Setup:
    """This person's set-up, by a button of its own message; UserError for any other. A list opens
    it in whatever message it stands, and the sample of a table leads back to words.
    """
    async with context.services.store.reading() as db:
        setup = await storage.setups.mine(db, number_of(number), context.chat.id)
    if setup is None:
        raise UserError("error.stale")
    here = _pressed_message(context)
    from_elsewhere = what == "open" or (what, value) == NO_TABLES
    if not from_elsewhere and setup.message not in {None, here}:
        raise UserError("error.stale")
    return setup


def _pressed_message(context: Context) -> int | None:
    origin = context.incoming.effective_message
    return None if origin is None else origin.message_id


async def _stand_here(context: Context, setup: Setup) -> None:
    """From now on the set-up stands in the message pressed."""
    async with context.services.store.writing() as db:
        await storage.setups.stands_in(db, setup.id, _pressed_message(context))


async def _channel(context: Context, setup: Setup) -> Chat:
    async with context.services.store.reading() as db:
        found = await storage.chats.get(db, setup.chat)
    if found is None:
        raise UserError("error.stale")
    return found


# --- pages ----------------------------------------------------------------------------------------


async def _shown(context: Context, setup: Setup) -> Message:
    chat = await _channel(context, setup)
    keys = await _keys(context, setup)
    async with context.services.store.reading() as db:
        board = await storage.boards.get(db, setup.chat)
    return render.setup(
        setup.id,
        chat,
        context.language,
        now=context.services.clock(),
        digests={one.at for one in digests_of(keys)},
        week=digest.week_of(keys),
        following=subscriptions.names(keys, chat.home, context.language, order=chat.currencies),
        board=board,
    )


async def _languages(context: Context, setup: Setup) -> Message:
    return render.languages(setup.id, await _channel(context, setup), context.language)


async def _zones(context: Context, setup: Setup) -> Message:
    chat = await _channel(context, setup)
    return render.zones(setup.id, chat, ZONES, context.language)


async def _styles(context: Context, setup: Setup) -> Message:
    return render.styles(setup.id, await _channel(context, setup), context.language)


async def _topics(context: Context, setup: Setup) -> Message:
    chat = await _channel(context, setup)
    async with context.services.store.reading() as db:
        offered = await subscriptions.offers(db, chat, context.services.catalog)
    return render.topics(
        setup.id,
        chat,
        context.language,
        currencies=offered.currencies,
        offered=offered.topics,
        chosen=offered.chosen,
    )


async def _order(context: Context, setup: Setup) -> Message:
    chat = await _channel(context, setup)
    codes = await subscriptions.currencies_of(context, chat)
    return render.order(setup.id, codes, context.language)


async def _hours(context: Context, setup: Setup) -> Message:
    keys = await _keys(context, setup)
    times = {one.at for one in digests_of(keys)}
    return render.hours(setup.id, times, context.language, week=digest.week_of(keys))


async def _sounds(context: Context, setup: Setup) -> Message:
    return render.sounds(setup.id, await _channel(context, setup), context.language)


async def _policies(context: Context, setup: Setup) -> Message:
    operators = Editorial(context.services.settings.security_policy)
    return render.policies(setup.id, await _channel(context, setup), operators, context.language)


async def _tables(context: Context, setup: Setup) -> Message:
    return render.tables(setup.id, await _channel(context, setup), context.language)


async def _removal(context: Context, setup: Setup) -> Message:
    chat = await _channel(context, setup)
    return render.removal(setup.id, chat.title, context.language)


async def _keys(context: Context, setup: Setup) -> tuple[str, ...]:
    async with context.services.store.reading() as db:
        return await storage.chats.subscriptions(db, setup.chat)


Page = Callable[[Context, Setup], Awaitable[Message]]
#: A button's last word → the page that it opens.
PAGES: dict[str, Page] = {
    "open": _shown,
    "language": _languages,
    "zone": _zones,
    "style": _styles,
    "topics": _topics,
    "order": _order,
    "digest": _hours,
    "sounds": _sounds,
    "policy": _policies,
    "tables": _tables,
    "remove": _removal,
}


async def _preview(context: Context, setup: Setup) -> None:
    """The channel's digest as it would be posted now, here alone."""
    chat = await _channel(context, setup)
    await context.answer()
    await context.reply(say("channel.preview_of", context.language, title=chat.title))
    await context.reply(await digest.of_today(context.services, chat), tables=chat.tables)


# --- changes --------------------------------------------------------------------------------------


async def _set_language(context: Context, chat: Chat, value: str) -> None:
    if value not in LANGUAGES:
        raise UserError("error.stale")
    await _change(context, chat, language=value)


async def _set_zone(context: Context, chat: Chat, value: str) -> None:
    if value not in ZONES:
        raise UserError("error.stale")
    await _change(context, chat, time_zone=value)
    async with context.services.store.writing() as db:
        await digest.move(db, chat.id, value, now=context.services.clock())


async def _set_style(context: Context, chat: Chat, value: str) -> None:
    if value not in set(Style):
        raise UserError("error.stale")
    await _change(context, chat, style=value)


async def _set_sound(context: Context, chat: Chat, value: str) -> None:
    if value not in set(render.POSTS):
        raise UserError("error.stale")
    post = Post(value)
    sounds: dict[Post, Sound] = dict(chat.sounds)
    sounds[post] = render.louder(sounds.get(post, USUAL[post]))
    chosen = {one: how for one, how in sounds.items() if USUAL[one] is not how}
    await _change(context, chat, sounds=write_sounds(chosen))


async def _set_policy(context: Context, chat: Chat, value: str) -> None:
    if value not in set(Editorial):
        raise UserError("error.stale")
    asks = partial(unmet, feeds=context.services.catalog.news)
    async with context.services.store.writing() as db:
        await storage.withheld.choose(db, chat.id, Editorial(value), asks)
    context.services.wake()  # what was withheld may leave


async def _set_tables(context: Context, chat: Chat, value: str) -> None:
    if value not in {"on", "off"}:
        raise UserError("error.stale")
    await _change(context, chat, tables=value == "on")


async def _switch_board(context: Context, chat: Chat, value: str) -> None:
    if value not in {"on", "off"}:
        raise UserError("error.stale")
    await boards.switch(context, chat.id, on=value == "on")


async def _toggle_currency(context: Context, chat: Chat, value: str) -> None:
    await _toggle_offered(context, chat, "cur", value)


async def _put_first(context: Context, chat: Chat, value: str) -> None:
    await subscriptions.put_first(context, chat, value)


async def _toggle_topic(context: Context, chat: Chat, value: str) -> None:
    await _toggle_offered(context, chat, "top", value)


async def _toggle_offered(context: Context, chat: Chat, kind: str, value: str) -> None:
    async with context.services.store.reading() as db:
        found = await subscriptions.subject(db, chat, kind, value)
    await _toggle(context, chat, str(found))


async def _toggle_hour(context: Context, chat: Chat, value: str) -> None:
    at = digest.time_of(value)
    if at is None:
        raise UserError("error.stale")
    key = DigestSubject(at, chat.time_zone)
    async with context.services.store.writing() as db:
        old = digests_of(await storage.chats.subscriptions(db, chat.id))
        if key not in old:
            digest.must_fit([*(one.at for one in old), at], [at])
        await subscriptions.switch(db, chat.id, str(key), now=context.services.clock())
        await digest.settle_week(db, chat.id, chat.time_zone)


async def _toggle(context: Context, chat: Chat, key: str) -> None:
    async with context.services.store.writing() as db:
        await subscriptions.switch(db, chat.id, key, now=context.services.clock())


async def _change(context: Context, chat: Chat, **values: object) -> None:
    async with context.services.store.writing() as db:
        await storage.chats.change(db, chat.id, **values)


Change = Callable[[Context, Chat, str], Awaitable[None]]
#: A button's word before its value → what it changes, and the page that is shown then.
CHANGES: dict[str, tuple[Change, Page]] = {
    "lang": (_set_language, _shown),
    "zone": (_set_zone, _shown),
    "style": (_set_style, _shown),
    "cur": (_toggle_currency, _topics),
    "top": (_toggle_topic, _topics),
    "first": (_put_first, _order),
    "hour": (_toggle_hour, _hours),
    "week": (digest.switch_week, _hours),
    "sound": (_set_sound, _sounds),
    "policy": (_set_policy, _shown),
    "tables": (_set_tables, _shown),
    "board": (_switch_board, _shown),
}


async def _leave(context: Context, setup: Setup) -> None:
    """The bot leaves the channel and forgets it; its posts stay there."""
    title = (await _channel(context, setup)).title
    async with context.services.store.writing() as db:
        board = await storage.boards.end(db, setup.chat)
    await boards.unpin(context, board)
    await ask_telegram(context, "leaveChat", chat_id=setup.chat)
    async with context.services.store.writing() as db:
        await storage.privacy.erase(db, setup.chat)
    context.services.chats.pop(setup.chat, None)
    await context.edit(say("channel.removed", context.language, title=title))
    await context.answer()
