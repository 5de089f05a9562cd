"""When a digest is due: once a calendar day at its local time, whatever zones and clocks do."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

import storage.chats
import storage.fan_out
from bot.alerts.digests import DigestDue
from bot.digests import DIGEST_LASTS, due_digest, enqueue_digests
from bot.i18n import day as day_text
from bot.model.alerts import Alert
from bot.model.subjects import digests_of
from storage.db import Store
from storage.schema import alert, delivery
from tests.factories import chat

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
KEY = "digest:09:00@Asia/Bishkek"
NINE = datetime(2021, 10, 20, 3, 0, tzinfo=UTC)  # 09:00 in Bishkek


def due(key: str, *, now: datetime) -> Alert | None:
    """The digest of a subscription key."""
    (subject,) = digests_of([key])
    return due_digest(subject, now=now)


def told(key: str, begin: datetime, *, hours: int = 30) -> list[tuple[datetime, date]]:
    """Each digest's first moment and calendar day, looking every minute."""
    first: dict[date, datetime] = {}
    for minute in range(hours * 60):
        now = begin + timedelta(minutes=minute)
        found = due(key, now=now)
        if found is not None:
            assert isinstance(found.payload, DigestDue)
            first.setdefault(found.payload.day, now)
    return [(at, day) for day, at in first.items()]


@pytest.mark.cases(keep=6)
@pytest.mark.parametrize(
    ("zone", "at", "day", "local"),
    [
        ("Europe/Berlin", "02:30", "2021-03-28", "03:00"),  # gap 02:00–03:00
        ("Europe/Berlin", "02:00", "2021-03-28", "03:00"),
        ("Europe/Berlin", "03:00", "2021-03-28", "03:00"),
        ("Europe/Berlin", "02:30", "2021-10-31", "02:30"),  # overlap
        ("America/New_York", "02:30", "2021-03-14", "03:00"),
        ("America/New_York", "01:30", "2021-11-07", "01:30"),  # overlap
        ("Asia/Tehran", "00:30", "2021-03-22", "01:00"),  # the gap begins at midnight
        ("Asia/Tehran", "02:30", "2021-03-22", "02:30"),
        ("Asia/Tehran", "23:30", "2021-09-21", "23:30"),  # the overlap ends the day
        ("Australia/Lord_Howe", "02:15", "2021-10-03", "02:30"),  # half an hour only
        ("Australia/Lord_Howe", "01:45", "2021-04-04", "01:45"),
        ("Asia/Bishkek", "02:30", "2021-03-28", "02:30"),  # no such thing there
    ],
)
def test_T2_a_digest_in_a_gap_goes_right_after_it_and_in_an_overlap_once(
    zone: str, at: str, day: str, local: str
) -> None:
    """In local time of the zone; every other day at its very time."""
    place, wanted = ZoneInfo(zone), date.fromisoformat(day)
    begin = datetime.combine(wanted - DAY, datetime.min.time(), place).astimezone(UTC)
    sent = {
        on: moment.astimezone(place).strftime("%H:%M")
        for moment, on in told(f"digest:{at}@{zone}", begin, hours=72)
    }
    assert sent[wanted] == local
    assert sent[wanted - DAY] == at


def test_T2_the_first_of_an_overlaps_two_hours_counts() -> None:
    """02:30 in Berlin on 31 October 2021 is 00:30 UTC, and 01:30 UTC an hour later: the same digest
    by then.
    """
    key, first = "digest:02:30@Europe/Berlin", datetime(2021, 10, 31, 0, 30, tzinfo=UTC)
    early, again = due(key, now=first), due(key, now=first + HOUR)
    assert early is not None
    assert again is not None
    assert early.dedup_key == again.dedup_key
    assert due(key, now=first - timedelta(seconds=1)) is None


@pytest.mark.parametrize(
    ("now", "day"),
    [
        (datetime(2021, 12, 31, 17, 30, tzinfo=UTC), date(2021, 12, 31)),  # 23:30 in Bishkek
        (
            datetime(2021, 12, 31, 18, 30, tzinfo=UTC),
            date(2021, 12, 31),
        ),  # after midnight, caught up
        (datetime(2022, 1, 1, 17, 30, tzinfo=UTC), date(2022, 1, 1)),
        (datetime(2024, 2, 29, 17, 30, tzinfo=UTC), date(2024, 2, 29)),
        (datetime(2024, 2, 29, 19, 0, tzinfo=UTC), date(2024, 2, 29)),
        (datetime(2024, 3, 1, 17, 30, tzinfo=UTC), date(2024, 3, 1)),
        (
            datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC),
            None,
        ),  # the second before a leap second: nothing is due
    ],
)
def test_T6_dates_are_right_at_the_end_of_a_year_and_on_29_february(
    now: datetime, day: date | None
) -> None:
    """The digest of 23:30 belongs to the day it was planned on."""
    found = due("digest:23:30@Asia/Bishkek", now=now)
    assert (found.payload.day if found and isinstance(found.payload, DigestDue) else None) == day


def test_T6_29_february_is_written_in_every_language() -> None:
    """As each of them writes a date."""
    leap = date(2024, 2, 29)
    assert [day_text(leap, language) for language in ("en", "ru", "ky")] == [
        "29\u00a0Feb",
        "29\u00a0февраля",
        "29‑февраль",
    ]


def test_a_digest_missed_before_midnight_is_caught_up_late_while_it_is_worth_reading() -> None:
    """23:00 was missed; at 01:00 it comes, marked; at 05:00 it would be stale."""
    key, slot = "digest:23:00@Asia/Bishkek", datetime(2021, 10, 20, 17, 0, tzinfo=UTC)
    found = due(key, now=slot + 2 * HOUR)
    assert found is not None
    assert found.payload == DigestDue(day=date(2021, 10, 20), late=True)
    assert found.expires_at - found.created_at == DIGEST_LASTS - 2 * HOUR
    assert due(key, now=slot + DIGEST_LASTS) is None
    assert due(key, now=slot - HOUR) is None


async def days_told(store: Store) -> list[tuple[str, bool]]:
    """The digests that were decided: their day, and whether they are marked late."""
    async with store.reading() as db:
        rows = await db.execute(
            select(alert.c.payload).where(alert.c.kind == "digest").order_by(alert.c.id)
        )
        return [(row.payload["day"], row.payload["late"]) for row in rows]


async def a_reader(store: Store) -> None:
    """Wants it at nine, since yesterday."""
    async with store.writing() as db:
        await storage.chats.add(db, chat(), now=NINE - DAY)
        await storage.chats.subscribe(db, 1001, [KEY], now=NINE - DAY)


@pytest.mark.parametrize(
    ("clock", "expected"),
    [
        # forward over its time, then back before it, then through it again
        ([-30, 30, -20, 0, 5], [("2021-10-20", True)]),
        # an hour back just after it went
        ([-5, 0, 1, -59, -30, 0, 1], [("2021-10-20", False)]),
        # a day forward just before, then back: today's is not skipped, tomorrow's not doubled
        (
            [-5, 24 * 60 - 5, -4, 0, 1, 24 * 60, 24 * 60 + 1],
            [("2021-10-20", False), ("2021-10-21", False)],
        ),
        # a day forward just after, over tomorrow's, then back
        (
            [0, 24 * 60 + 1, 2, 23 * 60, 24 * 60, 24 * 60 + 60],
            [("2021-10-20", False), ("2021-10-21", False)],
        ),
    ],
    ids=["+1 h and back", "an hour back", "+1 day before", "+1 day after"],
)
async def test_T1_no_jump_of_the_clock_doubles_or_skips_a_digest(
    store: Store, clock: list[int], expected: list[tuple[str, bool]]
) -> None:
    """The clock in minutes from nine; each digest is decided once, and the reader gets one delivery
    of each.
    """
    await a_reader(store)
    for minutes in clock:
        await enqueue_digests(store, now=NINE + timedelta(minutes=minutes))
        async with store.writing() as db:
            while await storage.fan_out.fan_out(db) is not None:
                pass
    assert await days_told(store) == expected
    async with store.reading() as db:
        rows = await db.execute(select(delivery.c.alert_id).where(delivery.c.chat_id == 1001))
        assert len(rows.all()) == len(expected)


async def test_T4_a_night_asleep_brings_one_digest_not_every_missed_one(store: Store) -> None:
    """Eight hours from before midnight: of two planned times only what is still worth reading
    comes, once, late.
    """
    await a_reader(store)
    async with store.writing() as db:
        await storage.chats.subscribe(db, 1001, ["digest:23:00@Asia/Bishkek"], now=NINE - DAY)
    asleep = datetime(2021, 10, 19, 16, 0, tzinfo=UTC)  # 22:00
    await enqueue_digests(store, now=asleep)
    for minute in range(3):
        await enqueue_digests(store, now=asleep + timedelta(hours=6, minutes=minute))
    assert await days_told(store) == [("2021-10-19", True)]
