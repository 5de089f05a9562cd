"""Days in figures, whose order nobody says: the other dates and the present day tell it."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from bot.sources.catalog import parse_catalog
from bot.sources.dates import order_of, parse_date
from bot.sources.own import read_own

NOW = datetime(2026, 11, 5, 19, tzinfo=UTC)
FIFTH = date(2026, 11, 5)


@pytest.mark.parametrize(
    ("written", "day"),
    [
        # one alone: the reading that is near
        (["05-11-26 18:00"], FIFTH),
        (["05-11-26T18:00+06:00"], FIFTH),
        (["5-11-26"], FIFTH),
        (["26-11-05 18:00"], FIFTH),
        (["11-05-26 18:00"], FIFTH),
        (["05.11.26 18:00"], FIFTH),
        (["26.11.05 18:00"], FIFTH),
        (["05/11/26 18:00"], FIFTH),
        (["26/11/05 18:00"], FIFTH),
        (["11/05/26 6:00 PM"], FIFTH),
        (["05.11.2026 18:00"], FIFTH),
        (["5. 11. 2026 18:00"], FIFTH),
        (["Чт, 05.11.2026 18:00"], FIFTH),
        (["05.11.2026 г., 18:00"], FIFTH),
        (["05-11-2026 18:00"], FIFTH),
        (["11-05-2026 18:00"], FIFTH),
        (["05/11/2026 18:00"], FIFTH),
        (["11/05/2026 18:00"], FIFTH),
        (["18:00 05.11.2026"], FIFTH),
        (["18:00, 05/11/2026"], FIFTH),
        (["18:00 05-11-26"], FIFTH),
        # nobody writes the month before a dot; the fourth of May comes in no other order
        (["05.12.2026 18:00"], date(2026, 12, 5)),
        (["05-13-2026 18:00"], date(2026, 5, 13)),
        (["05/05/2026 18:00"], date(2026, 5, 5)),
        # a little ahead is nearer than half a year ago
        (["08/11/2026", "07/11/2026"], date(2026, 11, 8)),
        # what the others say counts, however near a reading would be
        (["11/05/2026", "10/25/2026", "10/24/2026"], FIFTH),
        (["05/11/2025", "25/10/2025", "24/10/2025"], date(2025, 11, 5)),
        (["11/05/2025", "10/25/2025", "10/24/2025"], date(2025, 11, 5)),
        (["10-11-05", "09-12-31"], date(2010, 11, 5)),
        (["05-11-10", "31-12-09"], date(2010, 11, 5)),
        # each in both orders, and in the wrong one all over the year
        (["05/11/2026", "04/11/2026", "03/11/2026", "02/11/2026"], FIFTH),
        (["11/05/2026", "11/04/2026", "11/03/2026", "11/02/2026"], FIFTH),
        (["05/11/2026", "2026-11-04", "soon", "", "99/99/2026"], FIFTH),
        # no figures, no order
        (["Thu, 05 Nov 2026 18:00:00 GMT", "2026-11-05", "2026/11/05 10:00"], FIFTH),
    ],
)
def test_F11_a_day_in_figures_is_meant_as_its_publisher_writes(
    written: list[str], day: date
) -> None:
    read = parse_date(written[0], order=order_of(written, NOW))
    assert read is not None
    assert read.date() == day


def test_F11_without_a_clock_a_day_in_figures_is_read_as_most_write_it() -> None:
    """By what stands between the figures; and as the others say."""
    for written, day in (
        (["05-11-26"], FIFTH),
        (["05.11.26"], FIFTH),
        (["11/05/2026"], FIFTH),
        (["05/11/2026", "31/10/2026"], FIFTH),
    ):
        read = parse_date(written[0], order=order_of(written, None))
        assert read is not None
        assert read.date() == day


RSS = (
    "<rss version='2.0'><channel><item><guid>1</guid><title>t</title>"
    "<pubDate>05-11-26 18:00</pubDate></item></channel></rss>"
)
ATOM = RSS.replace("pubDate>", "dc:date>").replace(
    "<rss", "<rss xmlns:dc='http://purl.org/dc/elements/1.1/'"
)
JSON = (
    '{"version": "https://jsonfeed.org/version/1.1", "items": '
    '[{"id": "1", "title": "t", "date_published": "05/11/2026 18:00"}]}'
)
PAGE = "<ul><li><a href='/1'>t</a> <i>05/11/2026 18:00</i></li></ul>"


def test_F11_feeds_pages_and_own_feeds_know_what_day_it_is() -> None:
    """Feeds in part, too."""
    news = parse_catalog("""
[feeds.f]
name = { en = "F" }
url = "https://f.example/rss"
[pages.p]
name = { en = "P" }
url = "https://p.example/"
item = "li"
link = "a"
time = "i"
""").news
    found = []
    for key, body in (("f", RSS), ("f", ATOM), ("f", JSON), ("p", PAGE)):
        spec = news[key]
        for reader in (spec.entries(NOW), spec.listed(NOW, b"")):
            read = reader(body.encode(), url=None, content_type=None)
            found += list(getattr(read, "entries", read))
    found += read_own(JSON.encode(), url=None, content_type=None, channel=None, now=NOW).entries
    assert [one.published_at and one.published_at.date() for one in found] == [FIFTH] * 9
