"""What a channel's board shows: rates, how far banks differ, the last stories."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta

import storage.stories
from bot.errors import UserError
from bot.model.channels import BoardView, Spread
from bot.model.news import Story
from bot.model.rates import RateKind, SeenRate
from bot.readers.digest import DIGEST_CURRENCIES
from bot.readers.rates import current_rates, rate_card
from bot.sources.specs import Catalog
from bot.sources.standing import led
from storage.db import Db

MOST_STORIES = 3
LOOKED_THROUGH = 60  # stories, for the last ones of the topics that a channel follows
STORIES_LAST = timedelta(days=2)
RATES_LAST = timedelta(days=4)  # a long weekend: older ones are no rate to compare
BANKS = 2  # that make a spread


async def board_view(
    db: Db,
    catalog: Catalog,
    *,
    home: str,
    codes: Sequence[str],
    topics: Sequence[str],
    now: datetime,
) -> BoardView:
    """The board of a channel that follows these currencies and topics."""
    chosen = [code for code in codes or DIGEST_CURRENCIES if code != home]
    card = None
    with suppress(UserError):  # there are none yet, or not of each that it follows
        card = await rate_card(db, catalog, home=home, now=now, codes=chosen)
    if card is None:
        with suppress(UserError):
            card = await rate_card(db, catalog, home=home, now=now)
    return BoardView(
        card=card,
        spreads=await _spreads(db, catalog, home, chosen, now),
        stories=await _stories(db, catalog, topics, now),
    )


async def _spreads(
    db: Db, catalog: Catalog, home: str, codes: Sequence[str], now: datetime
) -> tuple[Spread, ...]:
    """Of each currency that several banks quote against `home`, the two that differ most."""
    by_code: dict[str, list[SeenRate]] = defaultdict(list)
    oldest = (now - RATES_LAST).date()
    for rate in await current_rates(db, catalog, now=now):
        # our own arithmetic is nobody's rate
        ours = rate.pair.quote != home or rate.kind is RateKind.CROSS
        if not ours and rate.effective_on >= oldest:
            by_code[rate.pair.base].append(rate)
    found: list[Spread] = []
    for code in codes:
        rates = sorted(by_code[code], key=lambda rate: (rate.per_unit, rate.source))
        several = len({rate.source for rate in rates}) >= BANKS
        if several and rates[0].per_unit != rates[-1].per_unit:
            found.append(Spread(lowest=rates[0], highest=rates[-1]))
    return tuple(found)


async def _stories(
    db: Db, catalog: Catalog, topics: Sequence[str], now: datetime
) -> tuple[Story, ...]:
    """The last stories of these topics that nobody has yet to approve."""
    latest = await storage.stories.latest(
        db, since=now - STORIES_LAST, before=now, limit=LOOKED_THROUGH, unasked=False
    )
    wanted = set(topics)
    mine = [story for story in latest if wanted & set(story.topics)]
    return tuple(led(story, catalog.news) for story in mine[:MOST_STORIES])
