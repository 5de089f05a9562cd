"""/here: which kinds of post come to the forum topic it is written in."""

from __future__ import annotations

from telegram import Update

import storage.chats
from bot.errors import UserError
from bot.model.chats import Chat, Post
from bot.render import here as render
from bot.render.answers import say
from bot.render.settings import BACK
from bot.render.text import Message
from handlers.context import Context
from handlers.numbers import number_of

LARGEST_MESSAGE_ID = 2**31 - 1  # the highest number that a message can have


async def here(_update: Update, context: Context) -> None:
    """/here in a topic: a switch for each kind of post; in General they come back there."""
    if context.thread is None and not is_forum(context):
        raise UserError("error.no_topics")
    chat = await _fresh(context)
    await context.reply(render.here(chat.threads, context.language, thread=context.thread))


async def pressed(context: Context, number: str, what: str) -> None:
    """Buttons `here:7:rates` and `here:7:all`: that comes to topic 7 from now on; what did comes to
    General again.
    """
    thread = _thread(number)
    posts = _posts(what)
    chat = await _fresh(context)
    is_here = all(chat.threads.get(post) == thread for post in posts)
    chat = await _lead(context, posts, None if is_here else thread)
    await context.edit(render.here(chat.threads, context.language, thread=thread))
    await context.answer(say("settings.saved", context.language).text)


async def undone(context: Context, what: str) -> None:
    """Buttons `unhere:rates` of the settings: that kind comes to General again."""
    chat = await _lead(context, _posts(what), None)
    await context.edit(render.topics(chat.id, chat.threads, context.language, back=BACK))
    await context.answer(say("settings.saved", context.language).text)


async def topics(context: Context) -> Message:
    """The topics that kinds of post go to."""
    chat = await _fresh(context)
    return render.topics(chat.id, chat.threads, context.language, back=BACK)


def is_forum(context: Context) -> bool:
    """Whether the group has topics, as Telegram says with each update."""
    origin = context.incoming.effective_chat
    return origin is not None and bool(origin.is_forum)


async def _fresh(context: Context) -> Chat:
    """The chat as it is stored: the sender may have found a topic closed meanwhile."""
    async with context.services.store.reading() as db:
        return await storage.chats.get(db, context.chat.id) or context.chat


async def _lead(context: Context, posts: list[Post], thread: int | None) -> Chat:
    async with context.services.store.writing() as db:
        changed = await storage.chats.lead(db, context.chat.id, posts, thread)
    if changed is None:  # it was erased this moment
        raise UserError("error.stale")
    context.services.chats[context.chat.id] = context.chat = changed
    return changed


def _thread(number: str) -> int | None:
    return number_of(number, most=LARGEST_MESSAGE_ID) or None


def _posts(what: str) -> list[Post]:
    if what == render.ALL:
        return list(Post)
    if what not in set(Post):
        raise UserError("error.stale")
    return [Post(what)]
