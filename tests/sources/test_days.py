"""A day without a time is that whole day, where its publisher lives."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

import pytest

from bot.sources.catalog import parse_catalog
from bot.sources.dates import parse_date, parse_published
from tests.factories import entry

BISHKEK, NEW_YORK = ZoneInfo("Asia/Bishkek"), ZoneInfo("America/New_York")


@pytest.mark.cases
@pytest.mark.parametrize(
    ("written", "zone", "ends"),
    [
        ("28.11.2026", BISHKEK, "2026-11-28T18:00+00:00"),
        ("2026-11-28", BISHKEK, "2026-11-28T18:00+00:00"),
        ("Sat, 28 Nov 2026", BISHKEK, "2026-11-28T18:00+00:00"),
        ("Sat, 28 Nov 2026 00:00:00 +0600", BISHKEK, "2026-11-28T18:00+00:00"),
        ("2026-11-28T00:00:00Z", BISHKEK, "2026-11-28T18:00+00:00"),
        ("28 ноября 2026 г.", BISHKEK, "2026-11-28T18:00+00:00"),
        ("2026-11-28", NEW_YORK, "2026-11-29T05:00+00:00"),
        ("2026-11-01", NEW_YORK, "2026-11-02T05:00+00:00"),  # a day of 25 hours
        ("2026-11-28", UTC, "2026-11-29T00:00+00:00"),
    ],
)
def test_F20_a_day_without_a_time_ends_with_its_publishers_day(
    written: str, zone: tzinfo, ends: str
) -> None:
    found = parse_published(written, zone)
    read = entry(published_at=found)
    assert read.day_only
    assert found is not None
    assert (datetime.fromisoformat(ends) - found).total_seconds() == pytest.approx(0.000001)


@pytest.mark.cases
@pytest.mark.parametrize(
    "written",
    ["28.11.2026 15:12", "2026-11-28T00:00:01Z", "2026-11", "1795867200", "soon", "", "31.13.2026"],
)
def test_F20_a_time_stays_what_it_was(written: str) -> None:
    found = parse_published(written, BISHKEK)
    assert found == parse_date(written)
    assert not entry(published_at=found).day_only


def test_F20_the_last_day_there_is_has_no_end() -> None:
    assert parse_published("9999-12-31", NEW_YORK) is None


def test_F20_a_feeds_and_a_pages_days_are_those_of_the_catalogs_zone() -> None:
    news = parse_catalog("""
[feeds.f]
name = { en = "F" }
url = "https://f.example/rss"
poll = { zone = "America/New_York" }
[pages.p]
name = { en = "P" }
url = "https://p.example/"
item = "li"
link = "a"
time = "i"
poll = { zone = "America/New_York" }
""").news
    now = datetime(2026, 11, 28, 12, tzinfo=UTC)
    item = "<guid>1</guid><title>t</title><pubDate>Sat, 28 Nov 2026</pubDate>"
    feed = f"<rss version='2.0'><channel><item>{item}</item></channel></rss>"
    page = "<ul><li><a href='/1'>t</a> <i>28.11.2026</i></li></ul>"
    json_feed = (
        '{"version": "https://jsonfeed.org/version/1.1", "items": '
        '[{"id": "1", "title": "t", "date_published": "2026-11-28"}]}'
    )
    for key, body in (("f", feed), ("f", json_feed), ("p", page)):
        (read,) = news[key].entries(now)(body.encode(), url=None, content_type=None)
        assert read.day_only
        assert read.published_at == parse_published("2026-11-28", NEW_YORK)
