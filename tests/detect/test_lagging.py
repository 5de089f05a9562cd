"""A currency that is set seldom rests while its bank publishes, and is late when the bank is."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from bot.detect.freshness import freshness
from bot.model.rates import Freshness
from tests.factories import seen_rate

THURSDAY, FRIDAY = date(2026, 11, 19), date(2026, 11, 20)
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("published_for", "stands"),
    [(None, Freshness.LATE), (THURSDAY, Freshness.LATE), (FRIDAY, Freshness.RESTING)],
    ids=["nothing known", "the bank is late too", "the bank published"],
)
def test_a_seldom_rate_rests_while_its_bank_publishes(
    published_for: date | None, stands: Freshness
) -> None:
    rate = seen_rate(on=str(THURSDAY), seen_at=datetime(2026, 11, 19, 8, tzinfo=UTC))
    judged = freshness(
        rate, window=FRIDAY, zone=ZoneInfo("UTC"), now=NOW, published_for=published_for
    )
    assert judged is stands
