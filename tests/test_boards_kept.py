"""Each step of keeping a board, by what became of the one before: on either database."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

import storage.boards
import storage.chats
import storage.claims
import storage.deliveries
import storage.fan_out
import storage.rates
import storage.setups
from bot.alerts import boards as board_alerts
from bot.boards import keep_boards
from bot.deliver.marks import MAY_HAVE_ARRIVED, NOTHING_TO_SAY
from bot.model.alerts import State
from bot.model.channels import Board, Trouble
from bot.model.chats import ChatKind
from bot.reasons import Reason, reason
from bot.render.text import Rich
from bot.sources.catalog import parse_catalog
from bot.telegram.outcomes import NO_MESSAGE
from storage.db import Store
from storage.deliveries import Mark
from storage.schema import alert as alert_table
from storage.schema import chat as chat_table
from storage.schema import delivery as delivery_table
from storage.schema import rate as rate_table
from storage.schema import setup as setup_table
from tests.factories import NOW, chat, rate
from tests.handlers.conftest import CATALOG

CHANNEL, OWNER, OPERATOR = -1001, 1001, 1002
NAMED = [["chat", {"chat": str(CHANNEL)}]]  # whose board it is, where others hear of it
SECOND = timedelta(seconds=1)
GONE = reason(NO_MESSAGE, "message to pin not found")
REFUSED = reason("telegram.refused", "not enough rights")
DOUBTED = reason(MAY_HAVE_ARRIVED, "may have arrived")
#: Ends without a message that arrived, or may have.
UNSENT = [State.EXPIRED, State.SUPERSEDED, State.CANCELLED]


@dataclass
class Kept:
    """A channel with a board that somebody asked for, and who sends what keeps it.

    A step is true where there is something to send now: whoever sends is woken for it alone.
    """

    store: Store

    async def step(self) -> bool:
        """A turn of the job."""
        catalog = parse_catalog(CATALOG)
        return await keep_boards(self.store, catalog, lambda: NOW, admins=[OPERATOR])

    async def board(self) -> Board:
        """The board as it is stored."""
        async with self.store.reading() as db:
            found = await storage.boards.get(db, CHANNEL)
        assert found is not None
        return found

    async def shows(self, value: str | None) -> None:
        """Set what there is to show from now on: a rate, or nothing."""
        async with self.store.writing() as db:
            await db.execute(rate_table.delete())
            if value is not None:
                await storage.rates.add_history(db, [rate(value=value)], seen_at=NOW)

    async def ends(
        self, state: State, *, message: int | None = None, why: Reason | None = None
    ) -> None:
        """The one alert for the channel that is under way ends so."""
        async with self.store.writing() as db:
            while await storage.fan_out.fan_out(db) is not None:
                pass
            # words on a trouble arrive, and every chat has room
            notices = select(alert_table.c.id).where(alert_table.c.kind == "notice")
            theirs = update(delivery_table).where(delivery_table.c.alert_id.in_(notices))
            await db.execute(theirs.values(state=State.SENT.value))
            await db.execute(update(chat_table).values(tat=None))
            claim = await storage.claims.claim(
                db, token="t", rate=1e6, horizon=SECOND, lease=30 * SECOND
            )
            (item,) = (one for one in claim.deliveries if one.chat == CHANNEL)
            mark = Mark(item.id, item.fence, state, message_id=message, error=why)
            await storage.deliveries.finish(db, [mark])

    async def alerts(self) -> list[tuple[str, int | None]]:
        """The alerts decided for the channel, in order, each with the message that it is about."""
        query = select(alert_table).where(alert_table.c.kind != "notice")
        async with self.store.reading() as db:
            rows = (await db.execute(query.order_by(alert_table.c.id))).all()
        return [(row.kind, row.payload["message"]) for row in rows]

    async def told(self) -> list[tuple[int, str, list[Any]]]:
        """The notices of trouble: to whom, of what, with which values."""
        query = select(alert_table).where(alert_table.c.kind == "notice")
        async with self.store.reading() as db:
            rows = (await db.execute(query.order_by(alert_table.c.id))).all()
        return [(row.audience_chat, row.payload["msgid"], row.payload["names"]) for row in rows]


@pytest.fixture
async def kept(store: Store) -> Kept:
    """One that was not made yet, with something to show."""
    async with store.writing() as db:
        await storage.chats.add(db, chat(OWNER), now=NOW)
        await storage.chats.add(db, chat(CHANNEL, kind=ChatKind.CHANNEL), now=NOW)
        await storage.setups.adopt(db, CHANNEL, OWNER)
        await storage.boards.begin(db, CHANNEL)
    found = Kept(store)
    await found.shows("84.1")
    return found


@pytest.fixture
async def made(kept: Kept) -> Kept:
    """One whose message stands, and is being pinned."""
    assert await kept.step()
    await kept.ends(State.SENT, message=7)
    assert await kept.step()
    return kept


@pytest.fixture
async def stands(made: Kept) -> Kept:
    """One that is made and pinned, and rests."""
    await made.ends(State.SENT)
    assert not await made.step()
    return made


@pytest.mark.cases
async def test_nothing_is_decided_while_there_is_nothing_to_show(kept: Kept) -> None:
    await kept.shows(None)
    assert not await kept.step()
    assert await kept.alerts() == []


@pytest.mark.cases
async def test_what_one_board_has_to_send_is_sent_though_the_next_has_nothing(kept: Kept) -> None:
    """The other one's alert is under way."""
    other = chat(CHANNEL + 1, kind=ChatKind.CHANNEL)
    async with kept.store.writing() as db:
        await storage.chats.add(db, other, now=NOW)
        await storage.boards.begin(db, other.id)
    assert await kept.step()
    await kept.ends(State.EXPIRED)
    assert not await kept.step()
    assert await kept.step()
    assert await kept.alerts() == [("board", None)] * 3


async def test_a_board_is_made_pinned_and_rests(kept: Kept) -> None:
    """Each step waits for the one before."""
    assert await kept.step()
    assert not await kept.step()
    assert await kept.alerts() == [("board", None)]
    await kept.ends(State.SENT, message=7)
    assert await kept.step()
    assert not await kept.step()
    assert await kept.alerts() == [("board", None), ("pin", 7)]
    await kept.ends(State.SENT)
    assert not await kept.step()
    board = await kept.board()
    assert (board.message, board.pinned_by, board.edited_by) == (7, None, None)
    assert not await kept.step()
    assert await kept.board() == board
    assert len(await kept.alerts()) == 2


@pytest.mark.cases
@pytest.mark.parametrize("state", UNSENT)
async def test_a_board_that_was_not_sent_is_made_by_another_alert(kept: Kept, state: State) -> None:
    """As often as it takes: it waited too long."""
    for _ in range(3):
        assert await kept.step()
        await kept.ends(state)
        assert not await kept.step()
    assert await kept.alerts() == [("board", None)] * 3
    assert await kept.told() == []


@pytest.mark.cases
async def test_a_board_that_was_refused_is_tried_once_more_and_given_up(kept: Kept) -> None:
    for told in (False, True):
        assert await kept.step()
        await kept.ends(State.DEAD, why=REFUSED)
        assert await kept.step() == told
    assert (await kept.board()).trouble is Trouble.LOST
    assert not await kept.step()
    assert await kept.alerts() == [("board", None)] * 2
    assert await kept.told() == [(OWNER, "notice.board_lost", NAMED)]


@pytest.mark.cases
async def test_a_board_that_may_have_arrived_is_not_made_twice(kept: Kept) -> None:
    assert await kept.step()
    await kept.ends(State.DEAD, why=DOUBTED)
    assert await kept.step()
    assert (await kept.board()).trouble is Trouble.LOST
    assert await kept.told() == [(OWNER, "notice.board_lost", NAMED)]


@pytest.mark.cases
async def test_a_board_that_is_deleted_as_soon_as_it_is_sent_is_made_once_more(kept: Kept) -> None:
    """Telegram has no number for it; nothing is asked of one that is none."""
    for told in (False, True):
        assert await kept.step()
        await kept.ends(State.SENT, message=0)
        assert await kept.step() == told
    assert (await kept.board()).trouble is Trouble.DELETED
    assert await kept.alerts() == [("board", None)] * 2
    assert await kept.told() == [(OWNER, "notice.board_deleted", NAMED)]


@pytest.mark.cases
async def test_a_pin_that_waited_too_long_is_asked_for_again(made: Kept) -> None:
    """Nobody refused it; an operator's stop may last for days."""
    for _ in range(2):
        before = (await made.board()).pinned_by
        await made.ends(State.EXPIRED)
        assert await made.step()
        board = await made.board()
        assert board.pinned_by not in {None, before}
        assert board.message == 7
    assert await made.alerts() == [("board", None), *[("pin", 7)] * 3]
    assert await made.told() == []


@pytest.mark.cases
async def test_a_board_that_is_gone_when_it_is_pinned_is_made_anew(made: Kept) -> None:
    """Once; the second time it is given up."""
    await made.ends(State.CANCELLED, why=GONE)
    assert not await made.step()
    assert await made.step()
    assert await made.alerts() == [("board", None), ("pin", 7), ("board", None)]
    assert await made.told() == []
    await made.ends(State.SENT, message=8)
    assert await made.step()
    await made.ends(State.CANCELLED, why=GONE)
    assert await made.step()
    assert (await made.board()).trouble is Trouble.DELETED
    assert await made.told() == [(OWNER, "notice.board_deleted", NAMED)]


@pytest.mark.cases
async def test_a_board_that_may_not_be_pinned_is_edited_all_the_same(made: Kept) -> None:
    await made.ends(State.DEAD, why=REFUSED)
    assert await made.step()
    assert (await made.board()).trouble is Trouble.UNPINNED
    assert await made.told() == [(OWNER, "notice.board_unpinned", NAMED)]
    assert not await made.step()
    await made.shows("84.2")
    assert await made.step()
    assert await made.alerts() == [("board", None), ("pin", 7), ("board", 7)]
    assert len(await made.told()) == 1


async def test_one_edit_is_under_way_at_a_time(stands: Kept) -> None:
    """A change meanwhile is the next edit; a change to nothing leaves the board as it is."""
    await stands.shows("84.2")
    assert await stands.step()
    await stands.shows("84.3")
    assert not await stands.step()
    await stands.ends(State.SENT)
    assert await stands.step()
    await stands.ends(State.SENT)
    assert not await stands.step()
    board = await stands.board()
    assert board.edited_by is None
    await stands.shows(None)
    assert not await stands.step()
    await stands.shows("84.3")
    assert not await stands.step()
    assert await stands.board() == board
    assert (await stands.alerts())[2:] == [("board", 7)] * 2


@pytest.mark.cases
@pytest.mark.parametrize("state", [State.EXPIRED, State.SUPERSEDED])
async def test_an_edit_that_never_arrived_is_made_by_another_alert(
    stands: Kept, state: State
) -> None:
    """Though the board would say what was noted of it; also after it would have said nothing."""
    await stands.shows("84.2")
    assert await stands.step()
    await stands.ends(state)
    assert await stands.step()
    await stands.ends(state)
    await stands.shows(None)
    assert not await stands.step()
    await stands.shows("84.2")
    assert await stands.step()
    assert (await stands.alerts())[2:] == [("board", 7)] * 3


@pytest.mark.cases
async def test_an_edit_without_words_is_no_sign_of_a_message_that_is_gone(stands: Kept) -> None:
    await stands.shows("84.2")
    assert await stands.step()
    await stands.ends(State.CANCELLED, why=NOTHING_TO_SAY)
    assert await stands.step()
    assert (await stands.alerts())[2:] == [("board", 7)] * 2
    assert not (await stands.board()).remade


@pytest.mark.cases
async def test_a_board_that_is_gone_when_it_is_edited_is_made_anew(stands: Kept) -> None:
    await stands.shows("84.2")
    assert await stands.step()
    await stands.ends(State.CANCELLED, why=GONE)
    assert not await stands.step()
    board = await stands.board()
    assert (board.message, board.edited_by, board.shown, board.remade) == (None, None, None, True)
    assert await stands.step()
    assert (await stands.alerts())[2:] == [("board", 7), ("board", None)]


async def lost(kept: Kept) -> bool:
    """Nobody knows whether it arrived; whether there is something to send then."""
    assert await kept.step()
    await kept.ends(State.DEAD, why=DOUBTED)
    return await kept.step()


async def unpinned(kept: Kept) -> bool:
    """It may not be pinned."""
    assert await kept.step()
    await kept.ends(State.SENT, message=7)
    assert await kept.step()
    await kept.ends(State.DEAD, why=REFUSED)
    return await kept.step()


async def deleted(kept: Kept) -> bool:
    """Twice before it was pinned."""
    for number in (7, 8):
        assert await kept.step()
        await kept.ends(State.SENT, message=number)
        assert await kept.step()
        await kept.ends(State.CANCELLED, why=GONE)
        if number == 7:
            assert not await kept.step()
    return await kept.step()


TROUBLES = {"lost": lost, "unpinned": unpinned, "deleted": deleted}


@pytest.mark.parametrize("trouble", TROUBLES)
@pytest.mark.parametrize(
    ("kind", "of_catalog", "hears", "words", "values"),
    [
        (ChatKind.CHANNEL, False, OWNER, "", NAMED),
        (ChatKind.CHANNEL, True, OPERATOR, "_catalog", NAMED),
        (ChatKind.GROUP, False, CHANNEL, "_here", []),
    ],
    ids=["who set it up", "operators", "a group"],
)
@pytest.mark.cases(keep=3)
async def test_of_a_trouble_hears_whoever_asked_for_the_board(
    kept: Kept,
    trouble: str,
    kind: ChatKind,
    of_catalog: bool,
    hears: int,
    words: str,
    values: list[Any],
) -> None:
    """Once, however often it is looked at; again when it was switched on again the same day, but
    for operators, who hear of one trouble once an hour.
    """
    told = [(hears, f"notice.board_{trouble}{words}", values)]
    for times in (1, 2):
        async with kept.store.writing() as db:
            await storage.boards.end(db, CHANNEL)
            await storage.boards.begin(db, CHANNEL, of_catalog=of_catalog)
            await storage.chats.change(db, CHANNEL, kind=kind.value)
        assert await TROUBLES[trouble](kept)
        assert not await kept.step()
        assert await kept.told() == told * (times if hears != OPERATOR else 1)


@pytest.mark.cases
async def test_of_a_board_that_nobody_set_up_nobody_hears(kept: Kept) -> None:
    """Who made the bot the channel's administrator is forgotten."""
    async with kept.store.writing() as db:
        await db.execute(setup_table.delete())
    assert not await lost(kept)
    assert await kept.told() == []


async def forgotten(kept: Kept, pk: int | None) -> None:
    """An alert is forgotten after its time, as those of a replica that was away for long."""
    async with kept.store.writing() as db:
        await db.execute(alert_table.delete().where(alert_table.c.id == pk))


async def test_what_became_of_an_alert_may_be_forgotten(kept: Kept) -> None:
    """A board is made anew, a pin taken as done, an edit made again."""
    assert await kept.step()
    await forgotten(kept, (await kept.board()).made_by)
    assert not await kept.step()
    assert await kept.step()
    await kept.ends(State.SENT, message=7)
    assert await kept.step()
    await forgotten(kept, (await kept.board()).pinned_by)
    assert not await kept.step()
    assert (await kept.board()).pinned_by is None
    await kept.shows("84.2")
    assert await kept.step()
    first = await kept.board()
    await forgotten(kept, first.edited_by)
    assert await kept.step()
    again = await kept.board()
    assert again == replace(first, version=first.version + 1, edited_by=again.edited_by)
    assert (await kept.alerts())[-1] == ("board", 7)


async def test_a_board_that_is_switched_off_while_it_is_looked_at_stays_off(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever switches it off writes at the moment at which the job has read it."""
    read = asyncio.Event()
    hash_of = board_alerts.hash_of

    def noted(shown: Rich, *, tables: bool) -> str:
        read.set()
        return hash_of(shown, tables=tables)

    monkeypatch.setattr(board_alerts, "hash_of", noted)
    async with kept.store.writing() as db:
        await storage.boards.end(db, CHANNEL)
        turn = asyncio.create_task(kept.step())
        reading = asyncio.create_task(read.wait())
        await asyncio.wait({turn, reading}, return_when=asyncio.FIRST_COMPLETED)
        reading.cancel()
        assert read.is_set()
    assert not await turn
    assert await kept.alerts() == []
    assert await kept.board() == Board(chat=CHANNEL, trouble=Trouble.OFF)


async def test_of_replicas_that_look_at_once_one_decides(kept: Kept) -> None:
    """The others, which find it decided, neither decide again nor forget it."""
    assert sorted(await asyncio.gather(*(kept.step() for _ in range(4)))) == [*[False] * 3, True]
    assert await kept.alerts() == [("board", None)]
    board = await kept.board()
    assert board.made_by is not None
    assert not await kept.step()
    assert await kept.board() == board
