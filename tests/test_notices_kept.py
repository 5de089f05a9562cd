"""How often operators hear of one trouble: once a day, once an hour, or after five polls that
brought only a part.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

import storage.marks
from bot.alerts.notices import Notice, tell
from bot.alerts.notices import alert as notice
from bot.ingest.notices import PARTLY, TOLD_AFTER, note_partly, tell_hourly
from bot.model.alerts import Alert, Audience, Lane, Severity
from bot.reasons import reasons_from_json, said
from storage.db import Store
from storage.schema import alert
from tests.factories import NOW

ADMINS = (5, 7)
HOUR, MOMENT = timedelta(hours=1), timedelta(microseconds=1)


async def told(store: Store) -> list[tuple[int, str, dict[str, str]]]:
    """Whom, what, with which values; in the order of writing."""
    async with store.reading() as db:
        rows = (
            await db.execute(
                select(alert.c.audience_chat, alert.c.payload, alert.c.reasons).order_by(alert.c.id)
            )
        ).all()
    found = []
    for row in rows:
        values = dict(row.payload["values"])
        if reasons := reasons_from_json(row.reasons):
            values["why"] = "; ".join(map(str, reasons))
        found.append((row.audience_chat, row.payload["msgid"], values))
    return found


def test_a_notice_is_for_one_operator_notable_and_worth_two_days() -> None:
    """Its values are in one order, whichever they were given in."""
    made = notice(5, "notice.source", {"why": "HTTP 503", "source": "nbkr"}, now=NOW)
    assert made == Alert(
        dedup_key=made.dedup_key,
        payload=Notice(msgid="notice.source", values=(("source", "nbkr"), ("why", "HTTP 503"))),
        severity=Severity.NOTABLE,
        lane=Lane.ALERT,
        audience=Audience(chat=5),
        created_at=NOW,
        expires_at=NOW + timedelta(days=2),
    )


def test_one_trouble_of_one_day_has_one_key() -> None:
    """Another operator, trouble, value or day has another; the order of the values does not matter,
    nor the hour.
    """
    one = notice(5, "notice.source", {"source": "nbkr", "why": "HTTP 503"}, now=NOW)
    assert (
        notice(5, "notice.source", {"why": "HTTP 503", "source": "nbkr"}, now=NOW + HOUR).dedup_key
        == one.dedup_key
    )
    others = [
        notice(7, "notice.source", {"source": "nbkr", "why": "HTTP 503"}, now=NOW),
        notice(5, "notice.partly", {"source": "nbkr", "why": "HTTP 503"}, now=NOW),
        notice(5, "notice.source", {"source": "nbkr", "why": "HTTP 502"}, now=NOW),
        notice(
            5, "notice.source", {"source": "nbkr", "why": "HTTP 503"}, now=NOW + timedelta(days=1)
        ),
    ]
    assert len({one.dedup_key, *(other.dedup_key for other in others)}) == 5
    assert one.dedup_key.startswith("notice:5:notice.source:")
    assert one.dedup_key.endswith(f":{NOW:%Y-%m-%d}")


async def test_each_operator_is_told_once_a_day(store: Store) -> None:
    """The same words again change nothing; other words are other news."""
    async with store.writing() as db:
        await tell(db, ADMINS, "notice.source", {"source": "nbkr", "why": "HTTP 503"}, now=NOW)
        await tell(
            db, ADMINS, "notice.source", {"source": "nbkr", "why": "HTTP 503"}, now=NOW + HOUR
        )
    why = {"source": "nbkr", "why": "HTTP 503"}
    assert await told(store) == [(5, "notice.source", why), (7, "notice.source", why)]
    async with store.writing() as db:
        await tell(db, ADMINS, "notice.source", why, now=NOW + timedelta(days=1))
    assert len(await told(store)) == 4


async def test_what_is_told_hourly_is_told_once_an_hour_whatever_it_says(store: Store) -> None:
    """Sixty minutes to the microsecond; another trouble has an hour of its own."""
    moments = [
        (NOW, True),
        (NOW, False),
        (NOW + HOUR - MOMENT, False),
        (NOW + HOUR, True),
        (NOW + HOUR + MOMENT, False),
    ]
    async with store.writing() as db:
        for count, (now, said) in enumerate(moments):
            assert (
                await tell_hourly(db, ADMINS, "notice.unreadable", {"count": str(count)}, now=now)
                is said
            )
        assert await tell_hourly(db, ADMINS, "notice.backup", {"why": "x"}, now=NOW + HOUR)
    assert await told(store) == [
        *((admin, "notice.unreadable", {"count": "0"}) for admin in ADMINS),
        *((admin, "notice.unreadable", {"count": "3"}) for admin in ADMINS),
        *((admin, "notice.backup", {"why": "x"}) for admin in ADMINS),
    ]


async def test_T1_a_clock_set_back_does_not_silence_what_is_told_hourly(store: Store) -> None:
    """What was told in a future that is no more does not count."""
    async with store.writing() as db:
        assert await tell_hourly(
            db, ADMINS, "notice.unreadable", {"count": "1"}, now=NOW + timedelta(days=300)
        )
        assert await tell_hourly(db, ADMINS, "notice.unreadable", {"count": "2"}, now=NOW)
        assert not await tell_hourly(
            db, ADMINS, "notice.unreadable", {"count": "3"}, now=NOW + MOMENT
        )


async def test_a_source_that_brings_a_part_is_told_of_at_the_fifth_poll_in_a_row_and_once(
    store: Store,
) -> None:
    """Somebody else's words are two hundred characters at most; a whole poll in between begins the
    count anew.
    """
    assert TOLD_AFTER == 5
    long = said("x" * 300)
    async with store.writing() as db:
        for _ in range(4):
            await note_partly(db, ADMINS, "nbkr", long, now=NOW)
        assert await storage.marks.get(db, f"{PARTLY}nbkr") == "4"
        await note_partly(db, ADMINS, "nbkr", None, now=NOW)
        assert await storage.marks.get(db, f"{PARTLY}nbkr") is None
        for _ in range(4):
            await note_partly(db, ADMINS, "nbkr", long, now=NOW)
        await note_partly(db, ADMINS, "cbr", long, now=NOW)  # each source has its own count
    assert await told(store) == []
    async with store.writing() as db:
        for day in range(3):
            await note_partly(db, ADMINS, "nbkr", long, now=NOW + timedelta(days=day))
    assert await told(store) == [
        (admin, "notice.partly", {"source": "nbkr", "why": "x" * 200}) for admin in ADMINS
    ]


async def test_a_whole_poll_of_a_source_that_was_never_partial_leaves_no_mark(store: Store) -> None:
    async with store.writing() as db:
        await note_partly(db, ADMINS, "nbkr", None, now=NOW)
        assert await storage.marks.get(db, f"{PARTLY}nbkr") is None
    assert await told(store) == []


@pytest.mark.parametrize("admins", [(), (5,)])
async def test_without_operators_nobody_is_told(store: Store, admins: tuple[int, ...]) -> None:
    """And nothing fails."""
    async with store.writing() as db:
        await tell(db, admins, "notice.source", {"source": "nbkr"}, now=NOW)
    assert [chat for chat, _, _ in await told(store)] == list(admins)
