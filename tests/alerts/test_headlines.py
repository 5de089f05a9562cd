"""Under a move stands the headline of the day that says most about it."""

from __future__ import annotations

from datetime import timedelta

import pytest

import storage.alerts
import storage.chats
import storage.entries
import storage.stories
from bot.alerts import KINDS
from bot.alerts.kind import Kit, Reader
from bot.alerts.moves import LOOKED_AT_ONCE, Moves, RateMoved
from bot.alerts.stories import StoryBroke
from bot.convert.mentions import currencies_in
from bot.model.alerts import Severity, StoredForm
from bot.model.chats import ChatKind, Editorial, Style
from bot.model.news import Verdict
from bot.sources.catalog import parse_catalog
from bot.sources.specs import Catalog
from storage.alerts import StoredAlert
from storage.db import Db, Store
from storage.entries import NewEntry
from storage.schema import delivery, story_topic
from tests.factories import NOW, entry
from tests.factories import chat as a_chat
from tests.render.world import jumped, marked
from tests.storage.test_deliveries import an_alert

HOUR = timedelta(hours=1)


async def stored(db: Db, title: str, *, hours: int, language: str, topic: str = "economy") -> None:
    """A story some hours before the move."""
    verdict = Verdict(security=False, score=0, severity=Severity.INFO, topics=(topic,))
    at = NOW - hours * HOUR
    item = entry(id=title, title=title, language=language, published_at=at)
    new = NewEntry(feed="f", item=item, at=at, link_key=None, title_key=title, verdict=verdict)
    await storage.stories.add_alone(db, [new], now=at)


async def last_line(
    db: Db, language: str, *, channel: bool = False, catalog: Catalog | None = None
) -> tuple[str, list[str]]:
    """The line below the rouble's fall in a language, and the links in it."""
    form = StoredForm("move", RateMoved(jumped()).to_json())
    told = StoredAlert(id=7, payload=form, severity=Severity.NOTABLE, reasons=(), created_at=NOW)
    reader = Reader(
        chat=1,
        language=language,
        style=Style.BRIEF,
        home="KGS",
        time_zone="Asia/Bishkek",
        channel=channel,
    )
    kit = Kit(db=db, catalog=catalog or Catalog(), kinds=KINDS)
    shown = await Moves().words(kit, told, reader)
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
        assert "•" not in (await last_line(db, "en"))[0]  # it would read as the cause
        await stored(db, "The rouble is cheaper", hours=2, language="en")
        title = "The rouble is cheaper"
        assert await last_line(db, "en") == (f"• {title}", [title])


async def test_a_headline_is_found_behind_others_as_its_publisher_put_it_right(
    store: Store,
) -> None:
    """Many stories about something else stand before it; those taken back say nothing."""
    async with store.writing() as db:
        await stored(db, "The rouble falls by a tenth", hours=3, language="en")
        (one,) = await storage.stories.latest(db)
        for number in range(LOOKED_AT_ONCE):
            await stored(db, f"Flour is dearer in town {number}", hours=2, language="ru")
        assert (await last_line(db, "en"))[0] == "• The rouble falls by a tenth"
        for title in ("Correction: Rouble falls by a half", "Retracted: The rouble falls"):
            item = entry(id=title, title=title, language="en", published_at=NOW - HOUR)
            verdict = Verdict(security=False, score=0, severity=Severity.INFO)
            new = NewEntry(
                feed="f", item=item, at=NOW, link_key=None, title_key=title, verdict=verdict
            )
            await storage.entries.add_entry(db, new, story_pk=one.pk, now=NOW)
            line = (await last_line(db, "en"))[0]
            assert (title in line) is title.startswith("Correction")
        assert "•" not in (await last_line(db, "en"))[0]


async def test_no_channel_gets_a_headline_that_a_channel_withholds(store: Store) -> None:
    """They are told in one wording; people and groups get it."""
    async with store.writing() as db:
        await stored(db, "The rouble is cheaper", hours=2, language="en")
        (one,) = await storage.stories.latest(db)
        await storage.chats.add(db, a_chat(-1001, kind=ChatKind.CHANNEL), now=NOW)
        told = an_alert(payload=StoryBroke(story=one.pk, topics=("economy",)))
        pk = await storage.alerts.enqueue(db, told)
        row = {"alert_id": pk, "chat_id": -1001, "lane": 1, "state": "withheld"}
        at = {"not_before": NOW, "expires_at": NOW + HOUR, "demand": "approve"}
        await db.execute(delivery.insert().values(**row, **at))
        assert "•" not in (await last_line(db, "en", channel=True))[0]
        assert "•" in (await last_line(db, "en"))[0]
        await db.execute(delivery.update().values(state="sent"))
        assert "•" in (await last_line(db, "en", channel=True))[0]


async def test_two_feeds_of_one_publisher_are_no_two_sources_under_a_move(store: Store) -> None:
    """A channel that wants two has been asked about none of them."""
    feed = '[feeds.{0}]\nname = {{ en = "{0}" }}\nurl = "https://a.example/{0}"\n'
    catalog = parse_catalog(feed.format("f") + feed.format("other"))
    async with store.writing() as db:
        await stored(db, "The rouble is cheaper", hours=2, language="en")
        (one,) = await storage.stories.latest(db)
        await db.execute(story_topic.insert().values(story_id=one.pk, topic="security"))
        verdict = Verdict(security=True, score=1, severity=Severity.INFO, topics=("security",))
        again = NewEntry(
            feed="other",
            item=one.lead.entry,
            at=NOW - HOUR,
            link_key=None,
            title_key="",
            verdict=verdict,
        )
        await storage.entries.add_entry(db, again, story_pk=one.pk, now=NOW)
        new = a_chat(-1001, kind=ChatKind.CHANNEL, policy=Editorial.TWO_SOURCES)
        await storage.chats.add(db, new, now=NOW)
        assert "•" not in (await last_line(db, "en", channel=True, catalog=catalog))[0]
        assert "•" in (await last_line(db, "en", channel=True))[0]


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
