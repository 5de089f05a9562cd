"""The content of a channel's board: rates, how far banks differ, the last stories."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta

import storage.stories
from bot.detect.spreads import spreads
from bot.errors import UserError
from bot.model.channels import BoardView
from bot.model.news import Story
from bot.model.subjects import DIGEST_CURRENCIES, in_order, usual_in
from bot.readers.rates import current_rates, rate_card
from bot.sources.specs import Catalog
from bot.sources.standing import led
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
    stories that it withholds.
    """
    chosen = [code for code in codes or in_order(DIGEST_CURRENCIES, order) if code != home]
    card = None
    with suppress(UserError):  # there are none yet, or not of each that it follows
        card = await rate_card(db, catalog, home=home, now=now, codes=chosen)
    if card is None:
        with suppress(UserError):
            card = await rate_card(db, catalog, home=home, now=now, usual=usual_in(order, home))
    rates = await current_rates(db, catalog, now=now)
    return BoardView(
        card=card,
        spreads=spreads(rates, home=home, codes=chosen, today=now.date()),
        stories=await _stories(db, catalog, topics, now, chat),
    )


async def _stories(
    db: Db, catalog: Catalog, topics: Sequence[str], now: datetime, chat: int | None
) -> tuple[Story, ...]:
    """The last stories of these topics that nobody has yet to approve."""
    if not topics:
        return ()
    latest = await storage.stories.latest(
        db,
        topics=topics,
        since=now - STORIES_LAST,
        before=now,
        limit=MOST_STORIES,
        unasked=False,
        reader=chat,
        kin=catalog.kin,
    )
    return tuple(led(story, catalog.news) for story in latest)
