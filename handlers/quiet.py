"""/quiet: the hours in which a chat is told nothing that can wait; and how loud the rest is."""

from __future__ import annotations

from telegram import Update

from bot.convert.quiet import EXAMPLE, parse_quiet
from bot.errors import UserError
from bot.model.chats import USUAL, Post, Sound, write_sounds
from bot.model.quiet import QuietHours
from bot.render import quiet as render
from bot.render.answers import say
from bot.render.settings import BACK
from bot.render.text import Message
from handlers.context import Context

OFF, PASS, WAIT = "off", "pass", "wait"


async def quiet(_update: Update, context: Context) -> None:
    """/quiet 23:00-07:00 · /quiet off; alone it shows the hours, and offers some."""
    if context.words:
        await _set(context, parse_quiet(" ".join(context.words)))
    await context.reply(menu(context))


async def pressed(context: Context, what: str) -> None:
    """Buttons `quiet:2300-0700` and `quiet:off`; `quiet:pass` and `quiet:wait` are for what is
    urgent.
    """
    if what in {PASS, WAIT}:
        await context.change_chat(quiet_urgent=what == PASS)
    elif what == OFF or what in map(render.packed, render.OFFERED):
        await _set(context, parse_quiet(what))
    else:
        raise UserError("error.stale")
    await context.edit(menu(context, back=BACK if context.has_button(BACK) else ""))
    await context.answer(say("settings.saved", context.language).text)


async def _set(context: Context, hours: QuietHours | None) -> None:
    """Keep a chat's quiet hours; what was held by others may be told now."""
    await context.change_chat(quiet=None if hours is None else str(hours))
    context.services.wake()


def menu(context: Context, *, back: str = "") -> Message:
    """The chat's quiet hours, and taps for others."""
    chat = context.chat
    return render.menu(
        chat.quiet,
        context.language,
        urgent=chat.quiet_urgent,
        zone=chat.time_zone,
        example=EXAMPLE,
        back=back,
    )


async def sounded(context: Context, post: str, sound: str) -> None:
    """Buttons `sound:rates:silent`: how loud a kind of post is from now on."""
    if post not in set(Post) or sound not in set(Sound):
        raise UserError("error.stale")
    sounds = {**context.chat.sounds, Post(post): Sound(sound)}
    chosen = {one: how for one, how in sounds.items() if USUAL[one] is not how}
    await context.change_chat(sounds=write_sounds(chosen))
    await context.edit(render.sounds(context.chat.sounds, context.language, back=BACK))
    await context.answer(say("settings.saved", context.language).text)
