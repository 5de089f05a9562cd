"""/admin: one message edited in place; sources paused and polled, and the switch of all alerts."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

import storage.alerts
import storage.chats
import storage.entries
import storage.held_rates
import storage.sources
import storage.stories
from bot.alerts import stories
from bot.alerts.notices import alert as notice
from bot.i18n import t
from bot.model.alerts import Alert, Severity
from bot.model.news import Verdict
from bot.recurring import due
from bot.sources.catalog import parse_catalog
from handlers import second
from storage.entries import NewEntry
from storage.schema import pace, source
from tests.factories import a_notice, a_reason, chat, entry, rate
from tests.handlers.conftest import NOW, READER, RUSSIAN, STRANGER, World
from tests.publishers import ATTACK, QUIET, Publishers

pytestmark = pytest.mark.jobs

LANGUAGES = {"en": READER, "ru": RUSSIAN, "ky": STRANGER}
STALE = {t("error.stale", language) for language in LANGUAGES}


@pytest.fixture
async def desk(world: World) -> World:
    """The English reader is the operator, and follows security like the Russian one."""
    async with world.store.writing() as db:
        for language, number in LANGUAGES.items():
            await storage.chats.add(db, chat(number, language=language), now=NOW)
        for number in (READER, RUSSIAN):
            await storage.chats.subscribe(db, number, ["topic:security"], now=NOW)
    world.bot.services.admins = frozenset({READER})
    return world


def buttons(message: dict[str, Any]) -> dict[str, str]:
    """A message's buttons: data by words."""
    rows = message.get("reply_markup", {}).get("inline_keyboard", [])
    return {one["text"]: one.get("callback_data", "") for row in rows for one in row}


async def becomes(
    desk: World, number: int, *words: str, who: int = READER, without: str = "\0"
) -> dict[str, Any]:
    """The operator's message once it says all this, in its text or on its buttons."""

    def fits(one: dict[str, Any]) -> bool:
        said = one["text"] + " ".join(buttons(one))
        right = all(word in said for word in words) and without not in said
        return one["message_id"] == number and right

    return await desk.emulator.wait_message(who, fits, timeout=30)


async def story(desk: World, *, approval: bool = False, title: str = "A fire in a market") -> Alert:
    """A story that breaks."""
    loud = Verdict(security=True, score=1, severity=Severity.NOTABLE, topics=("security",))
    async with desk.store.writing() as db:
        pk = await storage.stories.add_story(db, at=NOW, verdict=loud)
        item = entry(id=title, title=title, summary="", language="en")
        new = NewEntry(feed="f", item=item, at=NOW, link_key=None, title_key=title, verdict=loud)
        await storage.entries.add_entry(db, new, story_pk=pk, now=NOW)
        told = await storage.stories.get(db, pk)
        assert told is not None
        made = stories.alert(told, approval=approval, now=NOW)
        await storage.alerts.enqueue(db, made)
    desk.bot.worker.wake()
    return made


@pytest.mark.parametrize(("language", "number"), LANGUAGES.items())
async def test_the_desk_is_one_message_in_the_operators_language(
    desk: World, language: str, number: int
) -> None:
    """All its pages are edits of it."""
    desk.bot.services.admins = frozenset({number})
    await story(desk, approval=True)
    async with desk.store.writing() as db:
        reasons = (a_reason("far_day", "2021-10-25"),)
        await storage.held_rates.hold(db, rate(value="847"), reasons=reasons, now=NOW)
    shown = await desk.ask("/admin", chat=number)
    place = shown["message_id"]
    assert t("admin.title", language) in shown["text"]
    assert set(buttons(shown).values()) == {
        "admin:sources:0",
        "admin:errors",
        "admin:held",
        "admin:stories",
        "admin:desk",
        "admin:off",
    }
    for data, words in (
        ("admin:sources:0", t("button.admin_sources", language)),
        ("admin:errors", t("button.admin_errors", language)),
        ("admin:held", "847"),
        ("admin:stories", "A fire in a market"),
        ("admin:off", t("button.sure_stop", language)),
        ("admin:desk", t("admin.title", language)),
    ):
        assert await desk.press(number, place, data) not in STALE, data
        await becomes(desk, place, words, who=number)
    assert desk.emulator.messages(number)[-1]["message_id"] == place


async def test_what_waits_for_a_word_leads_to_it(desk: World) -> None:
    """A held rate to its two buttons, a story to its card."""
    await story(desk, approval=True)
    async with desk.store.writing() as db:
        reasons = (a_reason("far_day", "2021-10-25"),)
        await storage.held_rates.hold(db, rate(value="847"), reasons=reasons, now=NOW)
    place = (await desk.ask("/admin"))["message_id"]
    await desk.press(READER, place, "admin:held")
    held = await becomes(desk, place, "National Bank: USD/KGS 847")
    assert {"held:approve:1", "held:reject:1"} <= set(buttons(held).values())
    await desk.press(READER, place, "admin:stories")
    listed = await becomes(desk, place, "A fire in a market")
    data = buttons(listed)["A fire in a market"]
    assert await desk.press(READER, place, data) is None
    card = await desk.tells(READER, "A fire in a market")
    card = await desk.emulator.wait_message(
        READER, lambda m: "story:approve" in str(m.get("reply_markup")), timeout=20
    )
    await desk.press(READER, card["message_id"], buttons(card)[t("button.reject", "en")])
    assert await desk.press(READER, place, data) in STALE


async def state(desk: World) -> Any:
    """The stored state of the one source."""
    async with desk.store.reading() as db:
        return (await storage.sources.states(db))["nbkr"]


async def test_what_waits_for_a_second_source_is_seen_and_sent_at_once(
    desk: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only with that policy, while one agency reports it; and once. However much came since."""
    monkeypatch.setattr(second, "LOOKED_AT", 1)
    earlier = ("earlier", "Explosion at a power plant in Osh injures five", "It burnt at night.")
    services = desk.bot.services
    desk.ingest = replace(desk.bot.ingest, security_policy="two_sources")
    async with Publishers() as agencies:
        feed = '[feeds.{0}]\nurl = "{1}/{0}.xml"\nlanguage = "en"\n'
        desk.publishers = agencies
        desk.catalog = parse_catalog(
            "".join(feed.format(key, agencies.url) for key in ("one", "two"))
        )
        for key in ("one", "two"):
            await desk.report(key, QUIET)
        assert await desk.report("one", earlier, QUIET) == 0
        assert await desk.report("one", ATTACK, earlier, QUIET) == 0
        shown = await desk.ask("/admin", fits="Sources")
        assert "second source" not in shown["text"]
        settings = services.settings.model_copy(update={"security_policy": "two_sources"})
        services.settings = settings
        shown = await desk.ask("/admin", fits="second source: 2")
        number = shown["message_id"]
        await desk.press(READER, number, buttons(shown)["Waiting for a second source"])
        page = await becomes(desk, number, ATTACK[1], "1. Send now")
        await desk.press(READER, number, buttons(page)["1. Send now"])
        await desk.tells(RUSSIAN, ATTACK[1])
        await becomes(desk, number, earlier[1])
        assert await desk.press(READER, number, buttons(page)["1. Send now"]) in STALE
        await desk.report("two", ("other", ATTACK[1], "Told by another agency."), QUIET)
        assert len(await desk.alerts("story")) == 1


async def test_a_source_is_polled_now_paused_and_resumed(desk: World) -> None:
    """A paused one is due for nobody, also where it is wished for, and /status says so."""
    place = (await desk.ask("/admin"))["message_id"]
    await desk.press(READER, place, "admin:sources:0")
    listed = await becomes(desk, place, "National Bank")
    one = buttons(listed)["National Bank"].removeprefix("admin:source:")
    await desk.press(READER, place, f"admin:source:{one}")
    await becomes(desk, place, t("button.poll_now", "en"), "cannot connect to 127.0.0.1")
    before = (await state(desk)).failures
    assert await desk.press(READER, place, f"admin:poll:{one}") == t("admin.asked", "en")
    async with asyncio.timeout(60):
        while (await state(desk)).failures == before:  # noqa: ASYNC110 - a commit makes no event
            await asyncio.sleep(0.05)
    await desk.press(READER, place, f"admin:pause:{one}")
    paused = await becomes(desk, place, t("status.paused", "en"), t("button.resume", "en"))
    assert t("button.poll_now", "en") not in buttons(paused)
    assert await desk.press(READER, place, f"admin:poll:{one}") in STALE
    async with desk.store.writing() as db:
        await storage.sources.ask(db, ["nbkr"], now=NOW)
    assert await due(desk.bot) == []
    assert "⏸" in (await desk.ask("/status"))["text"]
    at_a_glance = (await desk.ask("/admin"))["text"]
    assert t("admin.sources", "en").format(all=1, bad=0, paused=1) in at_a_glance
    before = (await state(desk)).failures
    await desk.press(READER, place, f"admin:resume:{one}")
    await becomes(desk, place, t("button.poll_now", "en"))
    async with asyncio.timeout(60):
        while (await state(desk)).failures == before:  # noqa: ASYNC110 - a commit makes no event
            await asyncio.sleep(0.05)


async def test_S25_the_switch_takes_two_taps_and_lets_only_words_to_operators_out(
    desk: World,
) -> None:
    """An alert and a broadcast wait until it is lifted; answers and notices do not."""
    desk.bot.services.admins = frozenset({READER, STRANGER})
    place = (await desk.ask("/admin"))["message_id"]
    await desk.press(READER, place, "admin:off")
    sure = await becomes(desk, place, t("button.sure_stop", "en"))
    assert await desk.stored(pace) == [] or (await desk.stored(pace))[0].stopped_at is None
    await desk.press(READER, place, buttons(sure)[t("button.sure_stop", "en")])
    await becomes(desk, place, "⛔", t("button.start_all", "en"))
    await desk.tells(STRANGER, t("notice.alerts_off", "ky").format(who="Aigul"))
    await story(desk)
    async with desk.store.writing() as db:
        told = notice(READER, a_notice("notice.source", {"source": "nbkr", "why": "gone"}), now=NOW)
        await storage.alerts.enqueue(db, told)
    desk.bot.worker.wake()
    await desk.tells(READER, "gone")  # behind the story, which waits
    assert "⛔" in (await desk.ask("/status", chat=RUSSIAN))["text"]
    titles = [m for m in desk.emulator.messages(RUSSIAN) if "market" in m.get("text", "")]
    assert titles == []
    assert (await desk.rows(RUSSIAN)) == [("pending", None)]
    await desk.press(READER, place, "admin:on")
    await becomes(desk, place, t("button.sure_start", "en"))
    await desk.press(READER, place, "admin:on:sure")
    await becomes(desk, place, t("button.stop_all", "en"), without="⛔")
    await desk.tells(RUSSIAN, "A fire in a market")
    await desk.tells(READER, "A fire in a market")
    await desk.tells(STRANGER, t("notice.alerts_on", "ky").format(who="Aigul"))
    assert "⛔" not in (await desk.ask("/status", chat=RUSSIAN))["text"]


async def test_recent_errors_are_told_in_words_without_secrets(desk: World) -> None:
    """Ten: of sources in trouble now, then the newest first, as the operator heard them."""
    async with desk.store.writing() as db:
        for number in range(12):
            why = f"trouble {number} bot123456:{'A' * 35}"
            values = {"source": "nbkr", "why": why}
            await storage.alerts.enqueue(
                db, notice(READER, a_notice("notice.source", values), now=NOW)
            )
    place = (await desk.ask("/admin"))["message_id"]
    await desk.press(READER, place, "admin:errors")
    shown = await becomes(desk, place, "trouble 11")
    assert "National Bank: cannot connect to 127.0.0.1" in shown["text"]
    assert "trouble 3 " in shown["text"]
    assert "trouble 2 " not in shown["text"]
    assert "A" * 35 not in shown["text"]


@pytest.mark.parametrize(
    "data",
    [
        "admin:nothing",
        "admin:sources:x",
        "admin:source:nbkr",
        "admin:poll:0",
        "admin:story:999",
        "admin:off:maybe",
        "admin:on:",
    ],
)
async def test_S11_a_forged_button_of_the_desk_is_stale(desk: World, data: str) -> None:
    """And changes nothing."""
    place = (await desk.ask("/admin"))["message_id"]
    assert await desk.press(READER, place, data) in STALE
    rows = await desk.stored(source)
    assert [row.paused_at for row in rows] == [None]


async def test_a_source_is_due_by_time_alone_and_at_once_when_it_is_asked_for(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody looks through the sources before the first of them is due, unless somebody writes."""
    async with world.store.writing() as db:
        for key in world.bot.catalog.by_key:
            good = storage.sources.Good(key=key, next_due_at=NOW + timedelta(hours=1))
            await storage.sources.record_success(db, [good], now=NOW)
    await world.store.try_to_write()
    for _ in range(3):
        assert await due(world.bot) == []
    monkeypatch.setattr(storage.sources, "due", None)  # not asked
    assert await due(world.bot) == []
    monkeypatch.undo()
    monkeypatch.setattr(world.bot, "clock", lambda: NOW + timedelta(hours=1))
    assert set(await due(world.bot)) == world.bot.catalog.by_key.keys()
    monkeypatch.undo()
    async with world.store.writing() as db:
        await storage.sources.ask(db, ["nbkr"], now=NOW)
    assert await due(world.bot) == ["nbkr"]


async def test_a_source_that_an_earlier_catalog_put_off_is_asked_as_this_one_says(
    world: World,
) -> None:
    """What was a day's pause is half an hour now: it is due by then, and not at once."""
    async with world.store.writing() as db:
        good = storage.sources.Good(key="nbkr", next_due_at=NOW + timedelta(days=1))
        await storage.sources.record_success(db, [good], now=NOW)
    world.bot.met.clear()  # as a process that starts
    assert await due(world.bot) == []
    assert (await state(world)).next_due_at == NOW + timedelta(minutes=33)
