"""Cards made of rates are kept until other rates are stored, by whichever replica."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import storage.rates
import storage.sources
from bot.model.rates import Pair
from bot.recurring import keep_fresh
from bot.render.text import Message
from handlers.cards import CARDS_KEPT, Caption, Card, Cards
from storage.sources import Good
from tests.factories import rate
from tests.handlers.conftest import NOW, World

HOUR = timedelta(hours=1)
ASKED = Card("KGS", ("USD",), None, "en", NOW)
OF_CHART = Caption(Pair("USD", "KGS"), "90d", "en", dark=False, today=date(2021, 10, 20))


async def read_elsewhere(world: World, source: str, *, at: datetime) -> None:
    """Another replica reads a source; this one looks."""
    async with world.store.writing() as db:
        await storage.sources.record_success(db, [Good(key=source, next_due_at=at + HOUR)], now=at)
    await keep_fresh(world.bot)


async def test_a_card_is_made_anew_when_another_replica_has_read_a_bank(scene: World) -> None:
    """Not when it has read a feed, as it does all the time."""
    await keep_fresh(scene.bot)
    before = (await scene.ask("/rates USD"))["text"]
    async with scene.store.writing() as db:
        tomorrow = rate("USD/KGS", "85.5", "2021-10-21")
        await storage.rates.add_history(db, [tomorrow], seen_at=NOW)
    await read_elsewhere(scene, "a feed", at=NOW)
    assert (await scene.ask("/rates USD"))["text"] == before
    await read_elsewhere(scene, "nbkr", at=NOW + timedelta(seconds=1))
    assert "85.5" in (await scene.ask("/rates USD"))["text"]


def test_a_card_and_a_caption_of_other_circumstances_are_others() -> None:
    """Each by what it depends on; all are forgotten together."""
    cards = Cards()
    cards.keep(ASKED, Message("card"))
    cards.keep(OF_CHART, Message("caption"))
    assert cards.get(ASKED) == Message("card")
    assert cards.get(OF_CHART) == Message("caption")
    assert cards.get(OF_CHART._replace(dark=True)) is None
    assert cards.get(ASKED._replace(minute=datetime(2021, 10, 20, 4, 1, tzinfo=UTC))) is None
    cards.forget()
    assert cards.get(ASKED) is cards.get(OF_CHART) is None


def test_whatever_is_asked_only_so_many_are_kept() -> None:
    """The newest is."""
    cards = Cards()
    for number in range(3 * CARDS_KEPT):
        asked = ASKED._replace(minute=NOW + timedelta(minutes=number))
        cards.keep(asked, Message(str(number)))
        assert cards.get(asked) == Message(str(number))
        assert len(cards) <= CARDS_KEPT
