"""The word of whoever set a channel up, on a story that its policy withholds until then.

A question's buttons carry the number of what is withheld, and a hash of the words that it showed:
what reads otherwise by now is shown again, and not posted unseen.
"""

from __future__ import annotations

import storage.alerts
import storage.chats
import storage.deliveries
import storage.setups
import storage.withheld
from bot.alerts import KINDS, Kit
from bot.alerts.asked import Proof, alert, key, proof
from bot.errors import UserError
from bot.model.alerts import State
from bot.model.channels import Setup
from bot.model.chats import Chat, Editorial
from bot.render.answers import say
from bot.render.text import one_line
from handlers.context import Context
from handlers.numbers import number_of
from storage.db import Db, db_now
from storage.withheld import Withheld

#: Where a post stands that waits no more → what is said of it; it was let through in any other.
ENDED = {
    State.CANCELLED: "error.asked_dropped",
    State.EXPIRED: "error.story_expired",
    State.SUPERSEDED: "error.stale",  # the story got worse, and is asked about anew
}


async def pressed(context: Context, what: str, number: str, words_hash: str) -> None:
    """Buttons `post:send:7:1a2b3c4d` and `post:reject:7:1a2b3c4d`."""
    if what not in DECISIONS:
        raise UserError("error.stale")
    async with context.services.store.reading() as db:
        kept = await _asked_here(context, db, number_of(number))
        channel = await _channel(db, kept)
    decide, said = DECISIONS[what]
    async with context.services.store.writing() as db:
        shown = await _waiting(context, db, kept.id)
        changed = what == "send" and shown.words_hash != words_hash
        decided = not changed and await decide(db, kept.id)
        now = await storage.withheld.get(db, kept.id)
    if not changed and not decided:
        if now is not None and now.state is State.CANCELLED:
            raise UserError("error.asked_unfollowed", channel=one_line(channel.title))
        raise UserError("error.story_expired")
    if changed:
        await context.edit(shown.card(context.language))
        await context.answer(say("asked.changed", context.language).text)
        return
    context.services.wake()
    await context.answer()
    name = one_line(channel.title)
    await context.edit(say(said, context.language, channel=name, title=shown.title))


async def named(context: Context, _what: str, number: str, _words_hash: str) -> Chat:
    """The channel that a button's question is about; UserError where it is not this person's."""
    async with context.services.store.reading() as db:
        return await _channel(db, await _asked_here(context, db, number_of(number)))


async def _channel(db: Db, kept: Withheld) -> Chat:
    channel = await storage.chats.get(db, kept.chat)
    if channel is None:
        raise UserError("error.stale")
    return channel


#: A button's word → what becomes of the post, and what is said of it.
DECISIONS = {
    "send": (storage.withheld.send, "asked.sent"),
    "reject": (storage.withheld.reject, "asked.rejected"),
}


async def ask(db: Db, setup: Setup) -> None:
    """Ask a channel's new owner about what waits for a word there."""
    now = await db_now(db)
    for one in await storage.withheld.waiting(db, setup.chat):
        await storage.alerts.enqueue(db, alert(one, setup.owner, now=now))


async def _asked_here(context: Context, db: Db, number: int) -> Withheld:
    """The delivery that the pressed message asks about; UserError for any other."""
    me = context.chat.id
    kept = await storage.withheld.get(db, number)
    if kept is None or kept.demand is not Editorial.APPROVE:
        raise UserError("error.stale")
    if await storage.setups.owner_of(db, kept.chat) != me:
        raise UserError("error.stale")
    asked = await storage.alerts.by_keys(db, [key(kept.id, me)])
    if not asked:
        raise UserError("error.stale")
    message = await storage.deliveries.message_of(db, asked[0].id, me)
    origin = context.incoming.effective_message
    # None: it is not written down yet which message that is
    if origin is None or message not in {None, origin.message_id}:
        raise UserError("error.stale")
    return kept


async def _waiting(context: Context, db: Db, number: int) -> Proof:
    """The post that waits; UserError says what was decided, or that it is too late."""
    kit = Kit(db=db, catalog=context.services.catalog, kinds=KINDS)
    kept = await storage.withheld.get(db, number)
    shown = None if kept is None else await proof(kit, kept)
    if kept is not None and shown is None:
        raise UserError(ENDED.get(kept.state, "error.story_approved"))
    if shown is None:
        raise UserError("error.stale")
    return shown
