"""The content of a channel's board: rates, how far banks differ, the last stories."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta

import storage.filters
import storage.stories
from bot.detect.spreads import spreads
from bot.errors import UserError
from bot.model.channels import BoardView
from bot.model.news import Story
from bot.model.subjects import DIGEST_CURRENCIES, in_order, usual_in
from bot.readers.news import LOOKED_AT_ONCE, as_told, sifted
from bot.readers.rates import current_rates, rate_card
from bot.sources.specs import Catalog
from storage.db import Db

MOST_STORIES = 3
STORIES_LAST = timedelta(days=2)  # older ones on a board are no news


async def board_view(
    db: Db,
    catalog: Catalog,
    *,
    home: str,
    codes: Sequence[str],
    topics: Sequence[str],
    now: datetime,
    chat: int | None = None,
    order: Sequence[str] = (),
) -> BoardView:
    """The board of a `chat` that follows these currencies, in its `order`, and topics, without the
    stories that it withholds or that its filters keep back.
    """
    chosen = [code for code in codes or in_order(DIGEST_CURRENCIES, order) if code != home]
    card = None
    with suppress(UserError):  # there are none yet, or not of each that it follows
        card = await rate_card(db, catalog, home=home, now=now, codes=chosen)
    if card is None:
        with suppress(UserError):
            card = await rate_card(db, catalog, home=home, now=now, usual=usual_in(order, home))
    rates = await current_rates(db, catalog, now=now)
    stories, left_out = await _stories(db, catalog, topics, now, chat)
    return BoardView(
        card=card,
        spreads=spreads(rates, home=home, codes=chosen, today=now.date()),
        stories=stories,
        left_out=left_out,
    )


async def _stories(
    db: Db, catalog: Catalog, topics: Sequence[str], now: datetime, chat: int | None
) -> tuple[tuple[Story, ...], int]:
    """The last stories of these topics that nobody has yet to approve, and how many newer ones the
    chat's filters keep back.
    """
    if not topics:
        return (), 0

    async def load(offset: int, limit: int = LOOKED_AT_ONCE) -> list[Story]:
        return await storage.stories.latest(
            db,
            topics=topics,
            since=now - STORIES_LAST,
            before=now,
            offset=offset,
            limit=limit,
            unasked=False,
            reader=chat,
            kin=catalog.kin,
        )

    filters = [] if chat is None else await storage.filters.of_chat(db, chat)
    left_out = 0
    if filters:
        latest, left_out = await sifted(load, filters, 0, catalog, size=MOST_STORIES)
    else:
        latest = await load(0, MOST_STORIES)
    return tuple(as_told(story, catalog.news) for story in latest[:MOST_STORIES]), left_out
