"""The bot that a database belongs to, giving it to another, and all chats as a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select, text, update

import storage.belonging
import storage.chats
import storage.filters
import storage.notes
import storage.places
import storage.retention
import storage.setups
import storage.subscribers
import storage.switch
from bot.errors import BotError, ConfigError
from bot.model.alerts import State
from bot.model.chats import ChatKind
from bot.model.own_feeds import OwnFeed
from bot.model.quiet import QuietHours
from bot.telegram.outcomes import BLOCKED
from storage.belonging import UNMET, claim, give, owner, unmet
from storage.db import Db, Store
from storage.migrate import must_be_current
from storage.opening import open_store
from storage.schema import (
    alert,
    board,
    broadcast,
    chat,
    delivery,
    inbox,
    kept_back,
    metadata,
    own_feed,
    pace,
    setup,
    subscription,
)
from tests.factories import NOW
from tests.factories import chat as one_chat
from tests.storage.test_moving import fill_every_table
from tests.test_cli import jarchy
from tests.world import migrated_copy

OLD, NEW = "111111111", "222222222"
READER, SILENT, GONE, GROUP, CHANNEL = 11, 12, 13, -100500, -100600


async def people(db: Db) -> None:
    """A reader, one who stopped, one who blocked, a group, a channel with a board and its owner."""
    for number in (READER, SILENT, GONE):
        await storage.chats.add(
            db, one_chat(number, quiet=QuietHours.parse("23:00-07:00")), now=NOW
        )
        await storage.chats.subscribe(db, number, ["topic:security", "feed:abc"], now=NOW)
    await storage.chats.add(db, one_chat(GROUP, kind=ChatKind.GROUP, title="Ош"), now=NOW)
    await storage.chats.add(db, one_chat(CHANNEL, kind=ChatKind.CHANNEL), now=NOW)
    await storage.chats.stop(db, SILENT)
    await storage.chats.close(db, GONE, why=BLOCKED.why)
    feed = OwnFeed(key="abc", url="https://example.org/rss", name="Example")
    await storage.own_feeds.add(db, feed, now=NOW)
    await storage.places.toggle(db, READER, "osh")
    await storage.setups.take(db, CHANNEL, READER)
    await db.execute(update(setup).values(message_id=5))
    await storage.boards.begin(db, CHANNEL)
    await db.execute(update(board).values(message_id=7, version=3, shown="x", edited_by=1))


async def row_of(db: Db, number: int) -> dict[str, object]:
    """The stored row of a chat."""
    return dict((await db.execute(select(chat).where(chat.c.id == number))).one()._mapping)


async def test_a_database_is_the_bots_that_began_on_it(store: Store) -> None:
    """Noted at the first start; one that ran before that is known by its paces."""
    async with store.writing() as db:
        assert await owner(db) is None
        await claim(db, OLD)
        await claim(db, OLD)
        assert await owner(db) == OLD
        with pytest.raises(ConfigError, match=f"{NEW}.*{OLD}.*adopt"):
            await claim(db, NEW)
        await storage.notes.drop(db, storage.belonging.BOT_MARK)
        await db.execute(insert(pace).values(name=OLD, tat=NOW))
        with pytest.raises(ConfigError, match="adopt"):
            await claim(db, NEW)
        await claim(db, OLD)


async def test_what_another_bot_gets_says_nothing_of_the_old_ones_messages(store: Store) -> None:
    """Chats are to be met, what waited has ended, no number of a message or an update is left; the
    switch of all alerts stays as it was.
    """
    async with store.writing() as db:
        await db.execute(metadata.tables["mark"].delete())
        await fill_every_table(db)
        if not store.alone:  # numbers that were written do not count as given there
            await db.execute(text("SELECT setval(pg_get_serial_sequence('setup', 'id'), 10)"))
        await people(db)
        await storage.notes.put(db, storage.notes.LOOK_ENDED, NOW.isoformat())
        states = [State.PENDING, State.LEASED, State.HELD, State.SENT]
        for number, state in enumerate(states, 50):
            values = {
                "id": number,
                "alert_id": number,
                "chat_id": READER,
                "lane": 1,
                "message_id": 9,
            }
            times = {"not_before": NOW, "expires_at": NOW, "lease_until": NOW}
            await db.execute(insert(delivery).values(**values, **times, state=state.value))
        await db.execute(update(alert).where(alert.c.id == 1).values(fanned_at=None))
        await db.execute(update(inbox).where(inbox.c.update_id == 1).values(finished_at=None))
        await db.execute(pace.delete())
        await db.execute(insert(pace).values(name=OLD, tat=NOW, stopped_at=NOW))
        await claim(db, OLD)
        given = await give(db, NEW)
        assert (given.was, given.unsent, given.unanswered) == (OLD, 3, 1)
        with pytest.raises(ConfigError, match="already"):
            await give(db, NEW)
        for table in (inbox, broadcast, kept_back):
            assert (await db.execute(select(func.count()).select_from(table))).scalar() == 0
        for column in (delivery.c.message_id, setup.c.message_id, board.c.message_id):
            assert set((await db.execute(select(column))).scalars()) == {None}
        found = (await db.execute(select(delivery.c.state).where(delivery.c.id >= 50))).scalars()
        assert sorted(found) == ["dead", "dead", "dead", "sent"]
        assert (
            await db.execute(
                select(board.c.version, board.c.edited_by).where(board.c.chat_id == CHANNEL)
            )
        ).one() == (3, None)
        still = select(func.count()).where(alert.c.fanned_at.is_(None))
        assert (await db.execute(still)).scalar() == 0
        assert (await row_of(db, SILENT))["inactive_why"] == storage.chats.STOPPED
        for number in (READER, GONE, GROUP, CHANNEL):
            row = await row_of(db, number)
            assert (row["active"], row["inactive_why"]) == (False, UNMET)
        assert {READER, GONE, GROUP, CHANNEL} <= {one.id for one in await unmet(db)}
        assert set(await storage.chats.closed_by_telegram(db)) >= {GROUP, CHANNEL}
        assert await storage.switch.off_since(db, NEW) == NOW
        assert await storage.notes.get(db, storage.notes.LOOK_ENDED) is None
        assert await owner(db) == NEW
        await storage.chats.activate(db, READER)
        assert READER not in {one.id for one in await unmet(db)}


async def test_a_file_of_subscribers_takes_them_to_another_database(
    store: Store, tmp_path: Path
) -> None:
    """Under another bot they are to be met; under the same they go on. Who stopped stays so."""
    file = tmp_path / "subscribers.jsonl"
    async with store.writing() as db:
        await people(db)
        await claim(db, OLD)
        assert await storage.subscribers.export(db, file) == 5
    assert oct(file.stat().st_mode & 0o777) == "0o600"
    for bot in (NEW, OLD):
        other = await open_store(migrated_copy(tmp_path / f"{bot}.db"))
        async with other.writing() as db:
            await storage.chats.add(db, one_chat(GROUP, title="here already"), now=NOW)
            brought = await storage.subscribers.bring(db, file, bot)
            assert (brought.bot, brought.chats, brought.skipped) == (OLD, 4, 1)
            assert (await row_of(db, GROUP))["title"] == "here already"
            one = await row_of(db, READER)
            assert one["quiet"] == "23:00-07:00"
            assert one["quiet_ends_at"] is not None
            assert one["active"] is (bot == OLD)
            assert one["inactive_why"] == (None if bot == OLD else UNMET)
            assert (await row_of(db, SILENT))["inactive_why"] == storage.chats.STOPPED
            assert await storage.chats.subscriptions(db, READER) == ("feed:abc", "topic:security")
            since = select(subscription.c.since_at).where(subscription.c.chat_id == READER)
            assert set((await db.execute(since)).scalars()) == {NOW}
            assert await storage.places.of_chat(db, READER) == ["osh"]
            assert (await db.execute(select(own_feed.c.url))).scalar() == "https://example.org/rss"
            assert (await db.execute(select(setup.c.owner_id, setup.c.message_id))).one() == (
                READER,
                None,
            )
            assert (await db.execute(select(board.c.version, board.c.message_id))).one() == (
                3,
                None,
            )
            again = await storage.subscribers.bring(db, file, bot)
            assert (again.chats, again.skipped) == (0, 5)
        await other.close()


@pytest.mark.parametrize("kind", ["absent", "text", "cut in a line", "cut after a line", "newer"])
async def test_a_torn_or_foreign_file_brings_nobody(tmp_path: Path, kind: str) -> None:
    """One line says what is wrong with it."""
    store = await open_store(migrated_copy(tmp_path / "jarchy.db"))
    file = tmp_path / "file"
    async with store.writing() as db:
        await people(db)
        await storage.subscribers.export(db, file)
    content = file.read_bytes()
    lines = content.splitlines(keepends=True)
    if kind == "absent":
        file.unlink()
    elif kind == "text":
        file.write_text("not one\n" * 9)
    elif kind == "cut in a line":
        file.write_bytes(content[:-20])
    elif kind == "cut after a line":
        file.write_bytes(b"".join(lines[:-2]))
    else:
        head = {**json.loads(lines[0]), "schema": "9999"}
        file.write_bytes(json.dumps(head).encode() + b"\n" + b"".join(lines[1:]))
    async with store.writing() as db:
        with pytest.raises(BotError) as refused:
            await storage.subscribers.bring(db, file, NEW)
    assert len(str(refused.value).splitlines()) == 1
    await store.close()


def _line(**changes: object) -> dict[str, object]:
    """A line of a chat, as an export of the first version wrote it."""
    written = {
        "id": READER,
        "kind": "private",
        "language": "ky",
        "time_zone": "Asia/Bishkek",
        "home": "KGS",
        "style": "full",
        "active": True,
        "created_at": "2021-10-20T10:00:00+00:00",
    }
    return {"chat": {**written, **changes}}


LINES: dict[str, tuple[object, str]] = {
    "a number": (5, "should be an object"),
    "a list": ([1], "should be an object"),
    "nothing": ({}, "chat should be an object"),
    "no number": ({"chat": {"kind": "private"}}, "chat.id is missing"),
    "no kind": ({"chat": {"id": READER}}, "chat.kind is missing"),
    "null": (_line(home=None), "chat.home should be text"),
    "unknown column": (_line(nope=1), "chat has no 'nope'"),
    "words for a number": (_line(id="5"), "chat.id should be a whole number"),
    "too large": (_line(id=2**63), "chat.id should be a whole number"),
    "number for words": (_line(language=5), "chat.language should be text"),
    "number for a yes": (_line(active=1), "chat.active should be true or false"),
    "no time": (_line(created_at="today"), "chat.created_at should be a time with its zone"),
    "no zone": (_line(created_at="2021-10-20"), "chat.created_at should be a time with its zone"),
    "unheard of": (_line(kind="crowd"), "'crowd' is not a valid ChatKind"),
    "no hours": (_line(quiet="at night"), "no quiet hours: 'at night'"),
    "no place": (_line(quiet="23:00-07:00", time_zone="Mars/Base"), "Mars/Base"),
    "part unknown": ({**_line(), "rulez": []}, "nothing is called 'rulez'"),
    "part no list": ({**_line(), "rules": {}}, "rules should be a list"),
    "part of numbers": ({**_line(), "places": [1]}, "chat_place should be an object"),
    "part twice": ({**_line(), "places": [{"place": "osh"}] * 2}, "chat_place"),
    "feed": ({"own_feed": {"key": "abc", "url": 5}}, "own_feed.url should be text"),
}


async def test_a_line_that_no_export_wrote_is_named_and_nobody_is_brought(
    store: Store, tmp_path: Path
) -> None:
    """Whatever is wrong with it: with its number and what it should be, not as an error of ours or
    of the database's.
    """
    head = {"form": "jarchy subscribers", "version": 1, "schema": "0042", "bot": OLD}
    good, file = _line(id=GONE), tmp_path / "file"

    async def bring(*lines: object) -> int:
        chats = sum(isinstance(line, dict) and "chat" in line for line in lines)
        file.write_text("\n".join(json.dumps(line) for line in (*lines, {"end": chats})))
        async with store.writing() as db:
            return (await storage.subscribers.bring(db, file, OLD)).chats

    for name, (line, words) in LINES.items():
        with pytest.raises(BotError) as refused:
            await bring(head, good, line)
        assert str(refused.value).startswith(f"{file}, line 3: "), name
        assert words in str(refused.value), name
    with pytest.raises(BotError, match="line 1: schema should be text"):
        await bring({**head, "schema": 42})
    for other in (5, [1]):
        with pytest.raises(BotError, match="is no file of"):
            await bring(other)
    assert await bring(head, good, _line()) == 2


async def test_the_verbs_say_who_must_be_met(tmp_path: Path) -> None:
    """A trial changes nothing; then each chat is a line, and they are counted."""
    store = await open_store(migrated_copy(tmp_path / "jarchy.db"))
    async with store.writing() as db:
        await people(db)
        await claim(db, OLD)
    await must_be_current(store)
    await store.close()
    token = f"{NEW}:AAHcanarycanarycanarycanarycanary1"
    for words in (["adopt", "--dry-run"], ["adopt"], ["unmet"]):
        done = jarchy(tmp_path, "subscribers", *words, BOT_TOKEN=token)
        assert done.returncode == 0, done.stderr
        told = [json.loads(line) for line in done.stdout.splitlines()]
        assert {one["chat"] for one in told} == {READER, GONE, GROUP, CHANNEL}
        assert b"to be met anew: 1 channel, 1 group, 2 private" in done.stderr
        assert {one["next"] for one in told if one["chat"] > 0} == {"press Start at this bot"}
    assert jarchy(tmp_path, "subscribers", "adopt", BOT_TOKEN=token).returncode == 78
    done = jarchy(tmp_path, "subscribers", "export", "all.jsonl", BOT_TOKEN=token)
    assert json.loads(done.stdout) == {"exported": "all.jsonl", "chats": 5}
    other = {"BOT_TOKEN": token, "DATABASE_URL": f"sqlite:///{tmp_path / 'new.db'}"}
    for words in (["--dry-run"], []):
        done = jarchy(tmp_path, "subscribers", "import", "all.jsonl", *words, **other)
        assert done.returncode == 0, done.stderr
        assert b"5 chats taken in, 0 were here already" in done.stderr
        assert (tmp_path / "new.db").exists() is not bool(words)
