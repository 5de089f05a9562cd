"""Under a move stands the headline of the day that says most about it."""

from __future__ import annotations

from datetime import timedelta

import pytest

import storage.stories
from bot.alerts import KINDS
from bot.alerts.kind import Desk, Reader
from bot.alerts.moves import Moves, RateMoved
from bot.convert.mentions import currencies_in
from bot.model.alerts import Severity, StoredForm
from bot.model.chats import Style
from bot.model.news import Verdict
from bot.sources.specs import Catalog
from storage.alerts import StoredAlert
from storage.db import Db, Store
from storage.entries import NewEntry
from tests.factories import NOW, entry
from tests.render.world import jumped, marked

HOUR = timedelta(hours=1)


async def stored(db: Db, title: str, *, hours: int, language: str, topic: str = "economy") -> None:
    """A story some hours before the move."""
    verdict = Verdict(security=False, score=0, severity=Severity.INFO, topics=(topic,))
    at = NOW - hours * HOUR
    item = entry(id=title, title=title, language=language, published_at=at)
    new = NewEntry(feed="f", item=item, at=at, link_key=None, title_key=title, verdict=verdict)
    await storage.stories.add_alone(db, [new], now=at)


async def last_line(db: Db, language: str) -> tuple[str, list[str]]:
    """What stands below the rouble's fall in a language, and the links in it."""
    form = StoredForm("move", RateMoved(jumped()).to_json())
    told = StoredAlert(id=7, payload=form, severity=Severity.NOTABLE, reasons=(), created_at=NOW)
    reader = Reader(
        chat=1, language=language, style=Style.BRIEF, home="KGS", time_zone="Asia/Bishkek"
    )
    shown = await Moves().words(Desk(db=db, catalog=Catalog(), kinds=KINDS), told, reader)
    assert shown is not None
    return shown.text.split("\n")[-1], marked(shown, "text_link")


async def test_the_headline_that_names_the_currency_stands_under_its_move(store: Store) -> None:
    """In the reader's language, of the day before, about the economy; others say nothing."""
    async with store.writing() as db:
        assert "•" not in (await last_line(db, "ru"))[0]
        await stored(db, "Рубль упал после решения банка", hours=3, language="ru")
        await stored(db, "Цены на муку выросли", hours=1, language="ru")
        await stored(db, "Rouble falls", hours=1, language="en", topic="politics")
        await stored(db, "Flour is dearer", hours=30, language="en")
        title = "Рубль упал после решения банка"
        assert await last_line(db, "ru") == (f"• {title}", [title])
        assert "•" not in (await last_line(db, "en"))[0]
        await stored(db, "Fuel is dearer", hours=2, language="en")
        assert await last_line(db, "en") == ("• Fuel is dearer", ["Fuel is dearer"])


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("Рубль упал, доллар вырос", {"RUB", "USD"}),
        ("«Рубль» и юань", {"RUB", "CNY"}),
        ("Flour is dearer", set()),
        ("", set()),
    ],
)
def test_the_currencies_of_a_text(text: str, codes: set[str]) -> None:
    assert currencies_in(text) == codes
