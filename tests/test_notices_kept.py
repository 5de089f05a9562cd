"""The pace at which operators hear of one trouble: once a day, once an hour, or after five polls
that brought only a part.
"""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import func, select, update

import storage.chats
import storage.notes
import storage.setups
from bot.alerts.notices import Notice, latest, lost, tell
from bot.alerts.notices import alert as notice
from bot.ingest.notices import PARTLY, TOLD_AFTER, note_partly, tell_hourly
from bot.model.alerts import Alert, Audience, Lane, Severity
from bot.model.chats import ChatKind
from bot.reasons import Figure, Printed, SourceKey, reasons_from_json, said
from bot.telegram.outcomes import KICKED, NO_RIGHT
from storage.db import Store
from storage.schema import alert
from tests.factories import NOW, a_notice, a_reason, carried, chat

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
        said = Notice.from_json(row.payload)
        values = carried(said, reasons_from_json(row.reasons))
        found.append((row.audience_chat, said.msgid, values))
    return found


def of(source: str, why: str = "HTTP 503", msgid: str = "notice.source") -> Notice:
    """A word on the trouble of a source."""
    return Notice.of(msgid, {"source": SourceKey(source)}, why=why)


def test_a_notice_is_for_one_operator_notable_and_worth_two_days() -> None:
    made = notice(5, of("nbkr"), now=NOW)
    assert made == Alert(
        dedup_key=made.dedup_key,
        payload=of("nbkr"),
        severity=Severity.NOTABLE,
        lane=Lane.ALERT,
        audience=Audience(chat=5),
        created_at=NOW,
        expires_at=NOW + timedelta(days=2),
    )


def test_one_trouble_of_one_day_has_one_key() -> None:
    """Another operator, trouble, value or day has another; the hour does not matter."""
    one = notice(5, of("nbkr"), now=NOW)
    assert notice(5, of("nbkr"), now=NOW + HOUR).dedup_key == one.dedup_key
    others = [
        notice(7, of("nbkr"), now=NOW),
        notice(5, of("nbkr", msgid="notice.partly"), now=NOW),
        notice(5, of("nbkr", "HTTP 502"), now=NOW),
        notice(5, of("cbr"), now=NOW),
        notice(5, of("nbkr"), now=NOW, reasons=(said("x"),)),
        notice(5, of("nbkr"), now=NOW + timedelta(days=1)),
    ]
    assert len({one.dedup_key, *(other.dedup_key for other in others)}) == 7
    assert one.dedup_key.startswith("notice:5:notice.source:")
    assert one.dedup_key.endswith(f":{NOW:%Y-%m-%d}")


async def test_each_operator_is_told_once_a_day(store: Store) -> None:
    """The same words again change nothing; other words are other news. It says whether anybody is
    told now.
    """
    async with store.writing() as db:
        assert await tell(db, ADMINS[1:], of("nbkr"), now=NOW)
        assert await tell(db, ADMINS, of("nbkr"), now=NOW)
        assert not await tell(db, ADMINS, of("nbkr"), now=NOW + HOUR)
    why = {"source": "nbkr", "why": "HTTP 503"}
    assert await told(store) == [(7, "notice.source", why), (5, "notice.source", why)]
    async with store.writing() as db:
        assert await tell(db, ADMINS, of("nbkr"), now=NOW + timedelta(days=1))
        well = Notice.of("notice.well", {"source": SourceKey("nbkr")})
        assert await tell(db, ADMINS[1:], well, now=NOW)
        assert await tell(db, ADMINS, well, now=NOW)
        assert not await tell(db, ADMINS, well, now=NOW)
    assert len(await told(store)) == 6


def unread(count: int) -> Notice:
    """A word on so many updates."""
    return Notice.of("notice.unreadable", count=count)


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
        for count, (now, heard) in enumerate(moments):
            assert await tell_hourly(db, ADMINS, unread(count), now=now) is heard
        assert await tell_hourly(db, ADMINS, Notice.of("notice.backup", why="x"), now=NOW + HOUR)
    assert await told(store) == [
        *((admin, "notice.unreadable", {"count": "0"}) for admin in ADMINS),
        *((admin, "notice.unreadable", {"count": "3"}) for admin in ADMINS),
        *((admin, "notice.backup", {"why": "x"}) for admin in ADMINS),
    ]


async def test_T1_a_clock_set_back_does_not_silence_what_is_told_hourly(store: Store) -> None:
    """A notice of a future that is no more does not count."""
    async with store.writing() as db:
        assert await tell_hourly(db, ADMINS, unread(1), now=NOW + timedelta(days=300))
        assert await tell_hourly(db, ADMINS, unread(2), now=NOW)
        assert not await tell_hourly(db, ADMINS, unread(3), now=NOW + MOMENT)


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
        assert await storage.notes.get(db, f"{PARTLY}nbkr") == "4"
        await note_partly(db, ADMINS, "nbkr", None, now=NOW)
        assert await storage.notes.get(db, f"{PARTLY}nbkr") is None
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
        assert await storage.notes.get(db, f"{PARTLY}nbkr") is None
    assert await told(store) == []


async def test_a_source_that_is_whole_again_is_told_of_where_its_trouble_was(store: Store) -> None:
    """Once; of a trouble that was over before anybody heard of it, nobody hears."""
    async with store.writing() as db:
        for key, polls in (("cbr", 4), ("nbkr", 5), ("ecb", 6)):
            for _ in range(polls):
                await note_partly(db, (5,), key, said("x"), now=NOW)
            for _ in range(2):
                await note_partly(db, (5,), key, None, now=NOW + HOUR)
    assert await told(store) == [
        (5, "notice.partly", {"source": "nbkr", "why": "x"}),
        (5, "notice.well", {"source": "nbkr"}),
        (5, "notice.partly", {"source": "ecb", "why": "x"}),
        (5, "notice.well", {"source": "ecb"}),
    ]


async def test_one_trouble_is_told_once_an_hour_whatever_figures_it_has(store: Store) -> None:
    """Until it is said to be over; each operator, trouble and source has an hour of its own."""
    trouble = "notice.source"
    async with store.writing() as db:
        for now, source, why in (
            (NOW, "nbkr", "HTTP 503"),
            (NOW + HOUR - MOMENT, "nbkr", "HTTP 502"),
            (NOW + HOUR - MOMENT, "cbr", "HTTP 502"),
            (NOW + HOUR + MOMENT, "nbkr", "HTTP 501"),
        ):
            await tell(db, (5,), of(source, why), now=now)
        later = NOW + HOUR + 2 * MOMENT
        await tell(db, (7,), of("nbkr", "HTTP 500"), now=later)
        await tell(db, (5,), of("nbkr", "HTTP 500", "notice.partly"), now=later)
        await tell(db, (5,), Notice.of("notice.well", {"source": SourceKey("nbkr")}), now=later)
        await tell(db, (5,), of("cbr", "HTTP 500"), now=later)
        await tell(db, (5,), of("nbkr", "HTTP 499"), now=later)
    assert [(who, msgid, *values.values()) for who, msgid, values in await told(store)] == [
        (5, trouble, "nbkr", "HTTP 503"),
        (5, trouble, "cbr", "HTTP 502"),
        (5, trouble, "nbkr", "HTTP 501"),
        (7, trouble, "nbkr", "HTTP 500"),
        (5, "notice.partly", "nbkr", "HTTP 500"),
        (5, "notice.well", "nbkr"),
        (5, trouble, "nbkr", "HTTP 499"),
    ]


async def test_other_figures_are_the_same_trouble(store: Store) -> None:
    """Another name is another trouble, whatever its type."""
    bank: dict[str, Figure] = {"bank": SourceKey("nbkr"), "pair": "USD/KGS"}
    async with store.writing() as db:
        for rate, day in (("89.9", 18), ("89.8", 18), ("89.8", 19)):
            word = Notice.of("notice.dispute", bank, rate=Printed(rate), day=date(2021, 10, day))
            await tell(db, (5,), word, now=NOW)
    assert len(await told(store)) == 1
    async with store.writing() as db:
        for names in (bank | {"bank": SourceKey("cbr")}, bank | {"pair": "EUR/KGS"}, {}):
            await tell(db, (5,), Notice.of("notice.dispute", names), now=NOW)
    assert len(await told(store)) == 4


async def test_a_trouble_that_an_earlier_version_told_of_is_not_told_again(store: Store) -> None:
    """Of the hour before the update, for what reason or figures it was."""
    values = {"bank": "nbkr", "other": "cbr", "pair": "USD/KGS", "rate": "1.5", "theirs": "2"}
    names = {"bank": SourceKey("nbkr"), "other": SourceKey("cbr"), "pair": "USD/KGS"}
    async with store.writing() as db:
        await tell(db, (5,), a_notice("notice.dispute", values), now=NOW)
        await db.execute(
            update(alert).values(
                payload={"v": 1, "msgid": "notice.dispute", "values": [*values.items()]}
            )
        )
        word = Notice.of("notice.dispute", names, rate=Printed("1.6"), theirs=Printed("2"))
        await tell(db, (5,), word, now=NOW + MOMENT)
    assert len(await told(store)) == 1


async def test_a_word_of_a_newer_version_hides_none_before_it(store: Store) -> None:
    """What this one cannot read is about nothing that it knows."""
    async with store.writing() as db:
        await tell(db, (5,), of("nbkr"), now=NOW)
        await tell(db, (5,), of("cbr"), now=NOW + MOMENT)
        newer = alert.c.id == select(func.max(alert.c.id)).scalar_subquery()
        await db.execute(update(alert).where(newer).values(payload={"v": Notice.VERSION + 1}))
        assert not await tell(db, (5,), of("nbkr", "HTTP 502"), now=NOW + 2 * MOMENT)


async def test_the_latest_notices_of_an_operator_come_newest_first_and_no_more_than_asked_for(
    store: Store,
) -> None:
    async with store.writing() as db:
        for times, source in enumerate(("nbkr", "cbr", "ecb")):
            await tell(db, ADMINS, of(source), now=NOW + times * MOMENT)
    async with store.reading() as db:
        found = await latest(db, 5, most=2)
    assert [Notice.read(one.payload) for one in found] == [of("ecb"), of("cbr")]


@pytest.mark.parametrize(
    ("trouble", "over", "name"),
    [
        ("notice.source", "notice.well", "source"),
        ("notice.stale", "notice.fresh", "bank"),
        ("notice.silent", "notice.speaks", "source"),
    ],
)
async def test_a_trouble_that_was_over_is_told_when_it_begins_again(
    store: Store, trouble: str, over: str, name: str
) -> None:
    """Within the hour too, and that it is over as often as it is."""
    words = [trouble, over, trouble, over]
    async with store.writing() as db:
        for times, msgid in enumerate(words):
            word = Notice.of(msgid, {name: SourceKey("nbkr")}, n=times)
            await tell(db, (5,), word, now=NOW + times * MOMENT)
    assert [msgid for _, msgid, _ in await told(store)] == words


async def test_a_question_is_never_kept_back_nor_another_fault_of_ours(store: Store) -> None:
    """Each that is held waits for its own word, and each reason for a refusal is a new mistake."""
    questions = ("notice.held", "notice.story", "notice.correction")
    async with store.writing() as db:
        for msgid in questions:
            for rate in ("1", "2"):  # that no name tells apart
                word = Notice.of(msgid, {"source": SourceKey("nbkr")}, rate=rate)
                await tell(db, (5,), word, now=NOW)
        for number, why in ((7, "long"), (8, "long"), (9, "empty"), (10, "long")):
            word = Notice.of("notice.rejected", {"why": said(why)}, alert=number)
            await tell(db, (5,), word, now=NOW + MOMENT)
    heard = [(msgid, one.get("rate", one.get("why"))) for _, msgid, one in await told(store)]
    assert heard == [
        *((msgid, rate) for msgid in questions for rate in ("1", "2")),
        ("notice.rejected", "long"),
        ("notice.rejected", "empty"),
    ]


async def test_of_one_trouble_each_reason_is_told_and_kept(store: Store) -> None:
    """A question's reasons are words in the language of whoever reads it, and not of its making."""
    held = Notice.of("notice.held", {"source": SourceKey("nbkr")}, rate="USD/KGS 1")
    why = a_reason("swapped", "EUR/KGS")
    async with store.writing() as db:
        for reasons in ((), (why,), (why,), (a_reason("swapped", "RUB/KGS"),)):
            await tell(db, (5,), held, now=NOW, reasons=reasons)
    async with store.reading() as db:
        kept = (await db.execute(select(alert.c.reasons).order_by(alert.c.id))).scalars()
        assert [reasons_from_json(one) for one in kept] == [
            (),
            (why,),
            (a_reason("swapped", "RUB/KGS"),),
        ]


async def test_who_set_a_channel_up_hears_once_that_it_is_lost(store: Store) -> None:
    """Of each loss; of a channel that nobody set up, nobody."""
    values = [{"chat": "-1003", "why": why} for why in ("kicked", "no right to write")]
    async with store.writing() as db:
        await storage.chats.add(db, chat(-1003, kind=ChatKind.CHANNEL), now=NOW)
        await storage.setups.take(db, -1003, 5)
        for _ in range(2):
            await lost(db, -1003, KICKED.why, now=NOW)
        await lost(db, -1004, KICKED.why, now=NOW)
        await storage.setups.found_again(db, -1003)
        await lost(db, -1003, NO_RIGHT.why, now=NOW)
    assert await told(store) == [(5, "notice.channel_lost", one) for one in values]


async def test_T8_a_trouble_told_in_a_future_that_is_no_more_is_told_again(store: Store) -> None:
    """A clock that was set back keeps nobody in the dark."""
    async with store.writing() as db:
        for now in (NOW + timedelta(days=300), NOW, NOW + MOMENT):
            await tell(db, (5,), of("nbkr", f"HTTP 503 at {now}"), now=now)
    assert len(await told(store)) == 2


@pytest.mark.parametrize("admins", [(), (5,)])
async def test_without_operators_nobody_is_told(store: Store, admins: tuple[int, ...]) -> None:
    """And nothing fails."""
    async with store.writing() as db:
        await tell(db, admins, of("nbkr"), now=NOW)
    assert [who for who, _, _ in await told(store)] == list(admins)
