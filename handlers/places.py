"""Places near to the chat: chosen by taps in the settings, or offered after a location."""

from __future__ import annotations

import storage.places
from bot.detect.nearness import nearest
from bot.errors import UserError
from bot.model.chats import ChatKind
from bot.render import places as render
from bot.render.answers import say
from bot.render.text import Message
from handlers.context import Context

MOST_PLACES = 10  # of one chat
OFFERED_WITHIN = 60.0  # kilometres from a location that was sent


async def opened(context: Context, page: str) -> None:
    """Button `places:osh`: what lies in a place; `places:top`: all that lie in no other."""
    await context.edit(await menu(context, page))
    await context.answer()


async def pressed(context: Context, key: str, page: str) -> None:
    """Button `place:osh:top`: a place is chosen or given up, and the page is shown again."""
    places = context.services.catalog.places
    async with context.services.store.writing() as db:
        # one that has left the catalog may still be given up
        if key not in places and key not in await storage.places.of_chat(db, context.chat.id):
            raise UserError("error.stale")
        await storage.places.toggle(db, context.chat.id, key)
        if await storage.places.count(db, context.chat.id) > MOST_PLACES:
            raise UserError("error.place_many", most=MOST_PLACES)
    await context.edit(await menu(context, page))
    await context.answer(say("settings.saved", context.language).text)


async def menu(context: Context, page: str = render.TOP) -> Message:
    """A page of the places; UserError where the catalog has no such page any more."""
    places = context.services.catalog.places
    if page != render.TOP and page not in places:
        raise UserError("error.stale")
    async with context.services.store.reading() as db:
        chosen = await storage.places.of_chat(db, context.chat.id)
    private = context.chat.kind is ChatKind.PRIVATE
    return render.menu(places, chosen, context.language, page=page, located=private)


async def offer(context: Context, latitude: float, longitude: float) -> None:
    """Offer the place of the catalog that is nearest to a location, unless it is far from all."""
    places = context.services.catalog.places.values()
    if not any(one.latitude is not None for one in places):
        return
    place, away = nearest(latitude, longitude, places)
    if away > OFFERED_WITHIN:
        return
    async with context.services.store.reading() as db:
        chosen = await storage.places.of_chat(db, context.chat.id)
    await context.reply(render.offered(place, chosen, context.language))
