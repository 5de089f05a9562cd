"""A chat's stored data are its own: given on request, erased on request, everywhere."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

import storage.alerts
import storage.chats
import storage.fan_out
import storage.filters
import storage.own_feeds
import storage.places
import storage.privacy
import storage.setups
from bot.alerts.notices import alert as notice
from bot.alerts.rules import RuleFired
from bot.convert.rules import parse_rule
from bot.emulator.faults import Fault
from bot.i18n import t
from bot.model.alerts import Alert, Audience, Lane, Severity
from bot.model.chats import ChatKind
from bot.model.filters import Filter, Sense, Trait
from bot.model.own_feeds import OwnFeed
from bot.model.rates import Move
from storage.db import Store, db_now
from storage.inbox import Received, add
from storage.schema import alert, board, broadcast, delivery, kept_back, metadata, rule
from storage.schema import chat as chat_table
from tests.factories import NOW, a_notice, chat, rate
from tests.handlers.conftest import GROUP, READER, STRANGER, World, no_time

LONELY = 987654321012


async def everything(store: Store) -> str:
    """Every row of every table, as text."""
    async with store.reading() as db:
        return " ".join(
            [repr((await db.execute(table.select())).all()) for table in metadata.sorted_tables]
        )


async def fill(store: Store, number: int) -> None:
    """A chat with rows in every table that can know it."""
    async with store.writing() as db:
        for one in (number, 1):
            await storage.chats.add(db, chat(one, kind=ChatKind.PRIVATE), now=NOW)
            await storage.chats.subscribe(db, one, ["pair:USD/KGS"], now=NOW)
        series = {"source": "nbkr", "base": "USD", "quote": "KGS", "kind": "official"}
        values = {
            **series,
            "chat_id": number,
            "rule": {},
            "state": {},
            "standing": "on",
            "created_at": NOW,
        }
        await db.execute(rule.insert().values(**values))
        words = {"step": "text", "audience": "topic:security", "text": "Hello", "marks": []}
        await db.execute(broadcast.insert().values(**words, chat_id=number, until_at=NOW))
        word = Filter(sense=Sense.NEVER, trait=Trait.WORD, what="flood", said="flood")
        await storage.filters.add(db, number, [word])
        await db.execute(kept_back.insert().values(alert_id=1, chat_id=number, filter_id=1))
        await storage.places.toggle(db, number, "osh")
        await storage.setups.take(db, number, number)
        await db.execute(board.insert().values(chat_id=number))
        own = OwnFeed(key="1", url="https://example.org/rss.xml", name="Own")
        await storage.own_feeds.add(db, own, now=NOW)
        await storage.chats.subscribe(db, number, ["feed:1"], now=NOW)
        own = parse_rule("USD 1%", home="KGS")
        fired = RuleFired(number=1, rule=own, move=Move(old=rate(), new=rate()))
        for audience in (Audience(chat=number), Audience(subscription="pair:USD/KGS")):
            alert = Alert(
                dedup_key=f"rule:{audience}",
                payload=fired,
                severity=Severity.NOTABLE,
                lane=Lane.ALERT,
                audience=audience,
                created_at=NOW,
                expires_at=NOW + timedelta(hours=1),
            )
            await storage.alerts.enqueue(db, alert)
        await storage.alerts.enqueue(
            db, notice(1, a_notice("notice.gone", {"chat": str(number), "why": "blocked"}), now=NOW)
        )
        while await storage.fan_out.fan_out(db) is not None:
            pass
        body = json.dumps({"message": {"chat": {"id": number}, "text": "my secret"}})
        item = Received(update_id=7, chat=number, kind="message", body=body)
        assert await db_now(db)
        await add(db, [item], holder="h", lease=timedelta(seconds=60))


async def test_S21_the_file_has_every_table_with_its_rows_by_name(store: Store) -> None:
    """Readable, in the order of the tables; what JSON has not is text."""
    await fill(store, LONELY)
    async with store.reading() as db:
        given = (await storage.privacy.export(db, LONELY)).to_json()
    assert given.startswith(b'{\n  "chat": [\n    {\n      "id": ')
    tables = json.loads(given)
    named = [str(table.name) for table, _ in storage.privacy.BY_CHAT]
    assert list(tables) == [*dict.fromkeys(named), "own_feed", "alert"]
    (chat_row,) = tables["chat"]
    assert list(chat_row) == list(chat_table.c.keys())
    assert chat_row["created_at"].startswith("20")
    assert tables["own_feed"] == [
        {"key": "1", "url": "https://example.org/rss.xml", "channel": None, "name": "Own"}
    ]
    other = storage.privacy.ChatData(tables={"rule": [{"amount": Decimal("1.50")}]})
    assert json.loads(other.to_json()) == {"rule": [{"amount": "1.50"}]}


async def test_S21_after_erasing_no_table_knows_the_chat(store: Store) -> None:
    """Nor what it wrote; others keep what is theirs."""
    await fill(store, LONELY)
    async with store.writing() as db:
        before = (await storage.privacy.export(db, LONELY)).tables
        assert {name for name, rows in before.items() if rows} == set(before)
        assert await storage.privacy.erase(db, LONELY) > 5
    left = await everything(store)
    assert str(LONELY) not in left
    assert "my secret" not in left
    async with store.reading() as db:
        assert await storage.chats.subscriptions(db, 1) == ("pair:USD/KGS",)
        assert len((await storage.privacy.export(db, 1)).tables["delivery"]) == 1


async def test_S21_the_numbers_of_what_was_erased_are_not_given_again(store: Store) -> None:
    """A process may have one in hand, or remember what it said under it."""
    await fill(store, LONELY)
    async with store.writing() as db:
        alerts = max((await db.execute(select(alert.c.id))).scalars())
        deliveries = max((await db.execute(select(delivery.c.id))).scalars())
        await storage.privacy.erase(db, LONELY)
        new = await storage.alerts.enqueue(db, notice(1, a_notice("notice.deaf"), now=NOW))
        assert new == alerts + 1
        assert await storage.fan_out.fan_out(db) == 1
        mine = select(delivery.c.id).where(delivery.c.alert_id == new)
        assert (await db.execute(mine)).scalar_one() > deliveries


async def test_S21_nobody_is_sent_the_words_of_a_chat_that_was_erased(scene: World) -> None:
    """The alert that comes next is another one, though that chat's was the newest."""
    for one in (READER, STRANGER):
        await scene.ask("/help", chat=one)
    async with scene.bot.store.writing() as db:
        await storage.chats.change(db, STRANGER, language="en")
    await tell(scene, READER, "their secret")
    question = await scene.ask("/delete", fits="cannot be undone")
    await scene.press(READER, question["message_id"], "delete:yes")
    told = await tell(scene, STRANGER, "another thing")
    assert "their secret" not in told["text"]


async def tell(scene: World, number: int, why: str) -> dict[str, Any]:
    """Tell a chat something; the message that comes."""
    before = len(scene.emulator.messages(number))
    async with scene.bot.store.writing() as db:
        gone = a_notice("notice.gone", {"chat": "7", "why": why})
        await storage.alerts.enqueue(db, notice(number, gone, now=scene.now))
    scene.bot.worker.wake()
    await scene.done()
    (told,) = scene.emulator.messages(number)[before:]
    return told


async def test_S21_mydata_gives_a_chat_its_own_rows_and_delete_erases_them_after_asking(
    scene: World,
) -> None:
    """As a file; then a button, and a goodbye in place."""
    await scene.ask("/alert USD < 80", fits="USD/KGS < 80")
    asked = await scene.emulator.send_text(READER, "/mydata")
    sent = await scene.emulator.wait_message(READER, lambda m: "document" in m, after=asked)
    assert sent["document"]["file_name"] == "jarchy.json"
    question = await scene.ask("/delete", fits="cannot be undone")
    await scene.emulator.press(READER, question["message_id"], "delete:no")
    async with scene.bot.store.reading() as db:
        assert await storage.chats.get(db, READER) is not None
    question = await scene.ask("/delete", fits="cannot be undone")
    await scene.emulator.press(READER, question["message_id"], "delete:yes")
    assert any("erased" in m.get("text", "") for m in scene.emulator.messages(READER))
    await scene.bot.inbox._write()
    async with scene.bot.store.reading() as db:
        assert not any((await storage.privacy.export(db, READER)).tables.values())


async def test_S21_an_erased_chat_hears_of_it_at_once_or_never(scene: World) -> None:
    """Telegram takes no message for it now: the press is answered, and no answer is kept for it."""
    shown = await scene.ask("/delete")
    scene.emulator.faults.add(Fault.flood(60, method="editMessageText", chat_id=READER))
    # the edit is tried before the press is answered
    answer = await scene.emulator.press(READER, shown["message_id"], "delete:yes", timeout=60)
    assert answer["text"] == t("delete.done", "en")
    async with scene.store.reading() as db:
        assert await storage.chats.get(db, READER) is None
        alerts = (await db.execute(alert.select().where(alert.c.audience_chat == READER))).all()
    assert alerts == []


async def test_S22_a_groups_data_goes_to_its_administrator_in_private(world: World) -> None:
    """The file is never in the group, where only a word says where it went; a private chat's stays
    as it was.
    """
    await world.ask("/rates USD", chat=GROUP)
    asked = await world.emulator.send_text(GROUP, "/mydata", user_id=READER)
    said = await world.emulator.wait_message(
        GROUP, lambda m: m["from"]["is_bot"], after=asked, timeout=40
    )
    assert said["text"] == t("mydata.sent", (await language_of(world, GROUP)))
    (file,) = [m for m in world.emulator.messages(READER) if "document" in m]
    assert "Market" in file["caption"]
    assert not [m for m in world.emulator.messages(GROUP) if "document" in m]


@pytest.mark.parametrize("closed", ["never started", "blocked"])
async def test_S22_who_has_no_private_chat_hears_in_the_group_how_to_open_one(
    world: World, closed: str
) -> None:
    """And gets the file after that."""
    if closed == "blocked":
        await world.ask("/help")
        world.emulator.block(READER)
    else:
        world.emulator.add_private(READER, started=False)
    asked = await world.emulator.send_text(GROUP, "/mydata", user_id=READER)
    said = await world.emulator.wait_message(
        GROUP, lambda m: m["from"]["is_bot"], after=asked, timeout=40
    )
    language = await language_of(world, GROUP)
    assert said["text"] == t("error.mydata_private", language).format(bot="@jarchy_bot")
    assert not [m for m in world.emulator.messages(GROUP) if "document" in m]
    await world.ask("/start")
    asked = await world.emulator.send_text(GROUP, "/mydata", user_id=READER)
    await world.emulator.wait_message(READER, lambda m: "document" in m, timeout=40)
    assert not [m for m in world.emulator.messages(GROUP) if "document" in m]


async def test_S22_an_anonymous_administrator_is_asked_to_write_by_name(scene: World) -> None:
    """Nobody knows whose private chat that would be."""
    shown = await scene.ask("/settings", chat=GROUP)
    await scene.emulator.press(GROUP, shown["message_id"], "anon:on", user_id=READER)
    asked = await scene.emulator.send_text(GROUP, "/mydata", user_id=READER, anonymous=True)
    said = await scene.emulator.wait_message(
        GROUP, lambda m: m["from"]["id"] == scene.emulator.bot.id, after=asked, timeout=40
    )
    assert said["text"] == t("error.mydata_anonymous", await language_of(scene, GROUP))
    assert not [
        m
        for m in scene.emulator.messages(GROUP) + scene.emulator.messages(READER)
        if "document" in m
    ]


async def test_S22_a_failed_upload_is_said_and_the_file_is_nowhere(scene: World) -> None:
    """Telegram is busy: in general words, in the group."""
    scene.bot.services.rest = no_time
    scene.emulator.faults.add(Fault(kind="error", method="sendDocument", code=502))
    asked = await scene.emulator.send_text(GROUP, "/mydata", user_id=READER)
    said = await scene.emulator.wait_message(
        GROUP, lambda m: m["from"]["is_bot"], after=asked, timeout=40
    )
    assert said["text"] == t("error.unexpected", await language_of(scene, GROUP))


async def language_of(world: World, number: int) -> str:
    """A chat's language."""
    async with world.bot.store.reading() as db:
        known = await storage.chats.get(db, number)
    assert known is not None
    return known.language


@pytest.mark.parametrize("command", ["/mydata", "/delete"])
async def test_S10_in_a_group_only_its_administrators_get_or_erase_its_data(
    scene: World, command: str
) -> None:
    """Nor by a button's data, which anybody can send."""
    refused = t("error.admins_only", "ky")
    asked = await scene.emulator.send_text(GROUP, command, user_id=STRANGER)
    said = await scene.emulator.wait_message(
        GROUP, lambda m: refused in m.get("text", ""), after=asked
    )
    answer = await scene.emulator.press(GROUP, said["message_id"], "delete:yes", user_id=STRANGER)
    assert refused in answer["text"]
    async with scene.bot.store.reading() as db:
        assert await storage.chats.get(db, GROUP) is not None
