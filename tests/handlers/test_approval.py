"""Stories that wait for the operator's word: asked, sent once, or never heard of."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from sqlalchemy import update

import storage.alerts
import storage.chats
import storage.decisions
import storage.deliveries
import storage.entries
import storage.fan_out
import storage.filters
import storage.lapsed
import storage.stories
from bot.alerts import stories
from bot.emulator import TEST_TOKEN, Emulator
from bot.i18n import t
from bot.ingest.telling import FRESH_FOR, MOST_EDITS
from bot.model.alerts import Severity, State
from bot.model.decisions import Decision, Question
from bot.model.filters import Filter, Sense, Trait
from bot.model.news import Verdict
from bot.recurring import index
from bot.sources.catalog import parse_catalog
from handlers.services import Services
from storage.db import db_now
from storage.entries import NewEntry
from storage.schema import alert, delivery
from storage.schema import entry as entry_table
from tests.factories import entry
from tests.handlers.conftest import NOW, READER, RUSSIAN, STRANGER, World
from tests.handlers.scene import introduce
from tests.publishers import ATTACK, QUIET, Publishers
from tests.world import SECURITY, running

GRAVER = "Gunmen attacked a military post; 120 people were killed. Thousands are being evacuated."
AGAIN = ("other-id", ATTACK[1], "The same event, told by another agency.")
MORE = ("more", f"{ATTACK[1]}, guards say", "The event once more, told by the same agency.")
NEXT = ("next", "Gunmen shoot a policeman dead in Batken", "He was shot at a road block.")


@pytest.fixture
async def desk(world: World) -> AsyncIterator[World]:
    """Two agencies, an operator who is asked, a subscriber who reads Kyrgyz; the attack just became
    known.
    """
    await world.ask("/help")
    menu = await world.ask("/subscribe", chat=STRANGER)
    await world.press(STRANGER, menu["message_id"], "top:security")
    world.bot.services.admins = frozenset({READER})
    world.ingest = replace(world.bot.ingest, admins=(READER,), security_policy="approve")
    async with Publishers() as agencies:
        feed = '[feeds.{0}]\nname = {{ en = "Agency" }}\nurl = "{1}/{0}.xml"\nlanguage = "en"\n'
        world.publishers = agencies
        world.catalog = parse_catalog(
            "".join(feed.format(key, agencies.url) for key in ("one", "two"))
        )
        for key in ("one", "two"):
            await world.report(key, QUIET)
        await world.report("one", ATTACK, QUIET)
        yield world


async def question(desk: World) -> tuple[int, str, str]:
    """The operator's card, and the data of its two buttons."""
    shown = await desk.emulator.wait_message(READER, lambda m: "reply_markup" in m, timeout=20)
    assert ATTACK[1] in shown["text"]
    yes, no = (button["callback_data"] for button in shown["reply_markup"]["inline_keyboard"][0])
    return shown["message_id"], yes, no


async def told(desk: World) -> int:
    """The number of deliveries of the story that the subscriber has or will have."""
    async with desk.store.writing() as db:
        while await storage.fan_out.fan_out(db) is not None:
            pass
    return sum(row.chat_id == STRANGER for row in await desk.deliveries("story"))


async def states(desk: World) -> list[str | None]:
    """The approval of each story's alert."""
    return [row.approval for row in await desk.alerts("story")]


async def news(desk: World) -> dict[str, Any]:
    """The answer that a reader gets to /news."""
    return await desk.ask("/news", chat=STRANGER)


async def test_an_approved_story_is_sent_once_and_nobody_hears_of_it_before(desk: World) -> None:
    """Another report of it asks nothing more, its own agency's neither; a second press changes
    nothing.
    """
    card, yes, no = await question(desk)
    await desk.report("two", AGAIN, QUIET)
    await desk.report("one", MORE, ATTACK, QUIET)
    assert {row.approval for row in await desk.alerts("edit")} == {None}
    assert await told(desk) == 0
    assert await desk.press(READER, card, yes) is None
    await desk.emulator.wait_message(
        STRANGER, lambda m: "border post" in m.get("text", ""), timeout=20
    )
    assert await desk.press(READER, card, no)
    assert await states(desk) == ["approved"]
    assert await told(desk) == 1
    got = [m for m in desk.emulator.messages(STRANGER) if "border post" in m.get("text", "")]
    assert len(got) == 1
    asked = [m for m in desk.emulator.messages(READER) if "border post" in m.get("text", "")]
    assert len(asked) == 1


async def test_a_story_approved_in_its_last_minutes_is_sent(desk: World) -> None:
    """It is worth sending for an hour from then."""
    card, yes, _ = await question(desk)
    async with desk.store.writing() as db:
        until = await db_now(db) + timedelta(minutes=5)
        await db.execute(update(alert).where(alert.c.kind == "story").values(expires_at=until))
    assert await desk.press(READER, card, yes) is None
    await desk.tells(STRANGER, "border post")
    (row,) = await desk.alerts("story")
    assert row.expires_at >= until + timedelta(minutes=50)


async def test_a_rejected_story_is_nobodys(desk: World) -> None:
    """Neither sent, nor in the news, nor in the digest; other stories stay."""
    card, yes, no = await question(desk)
    assert await desk.press(READER, card, no) is None
    assert await desk.press(READER, card, yes)
    await desk.report("two", AGAIN, QUIET)
    assert await states(desk) == ["rejected"]
    assert await told(desk) == 0
    shown = (await news(desk))["text"]
    assert QUIET[1] in shown
    assert "border post" not in shown


async def test_S11_a_rejected_story_is_named_to_nobody_by_a_number_that_was_made_up(
    desk: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither while it waits nor afterwards: *Less of this* is a button under what was told."""
    card, _, no = await question(desk)
    theirs = await desk.ask("/help", chat=STRANGER)
    monkeypatch.setattr(Services, "allow", lambda *_args, **_options: True)
    waiting = [row.id for row in [*await desk.alerts("story"), *await desk.alerts("notice")]]
    for _ in range(2):
        for number in waiting:
            for data in (f"less:{number}", f"less:{number}:story", f"why:{number}"):
                said = await desk.press(STRANGER, theirs["message_id"], data)
                assert said == t("error.stale", "ky"), data
        await desk.press(READER, card, no)
    async with desk.store.reading() as db:
        assert await storage.filters.of_chat(db, STRANGER) == []


async def test_S12_a_story_passed_on_opens_in_another_chat_in_its_language(desk: World) -> None:
    """By the link of the alert's Share: headline, who reports it, its page; no more once it is
    rejected.
    """
    card, yes, _ = await question(desk)
    await desk.press(READER, card, yes)
    told = await desk.emulator.wait_message(
        STRANGER, lambda m: "border post" in m.get("text", ""), timeout=20
    )
    buttons = [one for row in told["reply_markup"]["inline_keyboard"] for one in row]
    (share,) = [one["url"] for one in buttons if "share/url" in one.get("url", "")]
    link = unquote(share.partition("?url=")[2])
    assert link.startswith("https://t.me/jarchy_bot?start=s_")
    payload = link.partition("?start=")[2]
    shown = await desk.ask(f"/start {payload}", chat=RUSSIAN)
    assert ATTACK[1] in shown["text"]
    assert [one["text"] for one in shown["reply_markup"]["inline_keyboard"][0]] == [
        "Открыть",
        "Поделиться",
    ]
    assert any(entity["type"] == "text_link" for entity in shown["entities"])
    async with desk.store.writing() as db:
        assert await storage.chats.subscriptions(db, RUSSIAN) == ()
        await db.execute(update(alert).where(alert.c.kind == "story").values(approval="rejected"))
    assert "/news" in (await desk.ask(f"/start {payload}", chat=RUSSIAN))["text"]


@pytest.mark.parametrize(("chat", "language"), [(READER, "en"), (RUSSIAN, "ru"), (STRANGER, "ky")])
async def test_S12_a_link_to_no_story_says_so(
    world: World, monkeypatch: pytest.MonkeyPatch, chat: int, language: str
) -> None:
    """Numbers that no story has, and whatever else one may write."""
    monkeypatch.setattr(Services, "allow", lambda *_: True)
    for payload in ("s_999999", "s_999999999999999999"):
        assert (await world.ask(f"/start {payload}", chat=chat))["text"] == t(
            "error.story_gone", language
        )
    for odd in (
        "s_",
        "s_0",
        "s_-1",
        "s_1x",
        "s_1_1",
        "S_1",
        "s_9999999999999999999",
        "s_٣",
        "s_" + "1" * 70,
    ):
        assert (await world.ask(f"/start {odd}", chat=chat))["text"] == t("error.link", language), (
            odd
        )


async def test_what_waits_is_read_on_request_and_never_pushed(desk: World) -> None:
    """/news shows what agencies published; the digest, which goes out by itself, leaves it out."""
    await question(desk)
    assert "border post" in (await news(desk))["text"]
    assert "border post" not in (await desk.ask("/digest", chat=STRANGER))["text"]


async def test_a_story_nobody_decided_in_time_is_not_sent(desk: World) -> None:
    """Its buttons say so then, before and after the tidying; and where it is asked about anew,
    because it got graver, that they are out of date.
    """
    card, yes, _ = await question(desk)
    async with desk.store.writing() as db:
        await db.execute(update(alert).values(expires_at=NOW))
    assert await desk.press(READER, card, yes) == t("error.story_expired", "en")
    async with desk.store.writing() as db:
        await storage.lapsed.tidy(db, lease=timedelta(seconds=30))
    assert await desk.press(READER, card, yes) == t("error.story_expired", "en")
    assert await states(desk) == ["expired"]
    assert await told(desk) == 0
    await desk.report("two", ("graver", ATTACK[1], GRAVER), QUIET)
    assert await desk.press(READER, card, yes) == t("error.story_overtaken", "en")
    assert await states(desk) == ["expired", "waiting"]


async def test_the_other_operators_hear_who_decided_and_a_later_press_what(desk: World) -> None:
    """In each one's own language, once; a word on what nobody decided in time comes too late."""
    card, yes, no = await question(desk)
    desk.bot.services.admins = frozenset({READER, STRANGER})
    assert await desk.press(READER, card, yes) is None
    await desk.emulator.wait_message(
        STRANGER, lambda m: m.get("text") == f"Aigul жактырды: {ATTACK[1]}"
    )
    menu = await desk.ask("/help", chat=STRANGER)
    assert await desk.press(STRANGER, menu["message_id"], no) == t("error.story_approved", "ky")
    assert await desk.press(READER, card, yes) == t("error.story_approved", "en")
    told = [m for m in desk.emulator.messages(STRANGER) if "жактырды" in m.get("text", "")]
    assert len(told) == 1
    assert not [m for m in desk.emulator.messages(READER) if "approved" in m.get("text", "")]


@pytest.mark.postgres
async def test_of_two_operators_at_once_the_later_hears_what_was_decided(
    listening: None, tmp_path: Path, migrated_postgres_url: str
) -> None:
    """On a server both may ask whether it waits before either has decided."""
    two = [READER, STRANGER]
    async with Publishers() as agencies, Emulator(TEST_TOKEN, "jarchy_bot") as telegram:
        introduce(telegram)
        catalog = f'[feeds.one]\nname = {{ en = "One" }}\nurl = "{agencies.url}/one.xml"\n'
        settings = {"admin_ids": two, "security_policy": "approve"}
        async with running(
            *(tmp_path, telegram, catalog),
            now=NOW,
            introduces=False,
            database_url=migrated_postgres_url,
            **settings,
        ) as desk:
            for one in two:
                await desk.ask("/help", chat=one)
            desk.publishers = agencies
            for entries in ((QUIET,), (ATTACK, QUIET)):
                await desk.report("one", *entries)
            card, yes, no = await question(desk)
            menu = await desk.ask("/help", chat=STRANGER)
            said = await asyncio.gather(
                desk.press(READER, card, yes), desk.press(STRANGER, menu["message_id"], no)
            )
            later = {"approved": t("error.story_approved", "ky")}
            later["rejected"] = t("error.story_rejected", "en")
            (decided,) = await states(desk)
            assert decided is not None
            assert {one for one in said if one} == {later[decided]}


async def buttons(desk: World, card: int, label: str = "Send") -> dict[str, str]:
    """The labels under a message and their data, once one of them is there."""

    def shown(message: dict[str, Any]) -> bool:
        return message["message_id"] == card and label in labels(message)

    return labels(await desk.emulator.wait_message(READER, shown, timeout=20))


def labels(message: dict[str, Any]) -> dict[str, str]:
    """The labels under a message and their data."""
    rows = message.get("reply_markup", {}).get("inline_keyboard", [])
    return {one["text"]: one.get("callback_data", "") for row in rows for one in row}


async def decisions(desk: World) -> list[Decision]:
    """The operator's words that were kept."""
    async with desk.store.reading() as db:
        return [made for _, made in await storage.decisions.every(db)]


async def test_a_story_told_before_takes_what_waits_and_nobody_is_told_twice(desk: World) -> None:
    """The most alike first; the message that told it names one agency more. Filters that kept the
    first one back are asked again.
    """
    await desk.ask("/help", chat=RUSSIAN)
    muted = Filter(sense=Sense.NEVER, trait=Trait.SOURCE, what="one", said="one")
    async with desk.store.writing() as db:
        await storage.chats.subscribe(db, RUSSIAN, [SECURITY], now=NOW - timedelta(days=1))
        await storage.filters.add(db, RUSSIAN, [muted])
    card, yes, _ = await question(desk)
    await desk.press(READER, card, yes)
    first = await desk.emulator.wait_message(
        STRANGER, lambda m: "border post" in m.get("text", ""), timeout=20
    )
    late = ("late", "Bomb explodes at checkpoint, two guards dead", "It went off at night.")
    await desk.report("two", late, QUIET)
    asked = await desk.emulator.wait_message(
        READER, lambda m: late[1] in m.get("text", "") and "reply_markup" in m, timeout=20
    )
    again = asked["message_id"]
    worded = ("late", late[1].replace("two", "three"), late[2])
    await desk.report("two", worded, QUIET)
    correction = await desk.tells(READER, worded[1])
    assert await desk.press(READER, again, (await buttons(desk, again))["Same story as …"]) is None
    offered = await buttons(desk, again, "← Back")
    same = next(data for label, data in offered.items() if label.startswith(ATTACK[1][:30]))
    # into one that nobody heard of it would be lost
    assert not any(label.startswith(QUIET[1][:20]) for label in offered)
    async with desk.store.reading() as db:
        every = await storage.stories.latest(db)
    (untold,) = [one.pk for one in every if one.lead.entry.title == QUIET[1]]
    lost = f"{same.rpartition(':')[0]}:{untold}"
    assert await desk.press(READER, again, lost) == t("error.stale", "en")
    await desk.press(READER, again, offered["← Back"])
    assert "Reject" in await buttons(desk, again, "Send")
    assert await desk.press(READER, again, same) is None
    grown = await desk.emulator.wait_message(
        STRANGER,
        lambda m: m["message_id"] == first["message_id"] and "2\u00a0булак" in m.get("text", ""),
        timeout=20,
    )
    assert ATTACK[1] in grown["text"]
    await desk.tells(RUSSIAN, ATTACK[1])
    assert await states(desk) == ["approved", "joined"]
    assert await desk.press(READER, again, same) == t("error.story_joined", "en")
    assert sum("checkpoint" in m.get("text", "") for m in desk.emulator.messages(STRANGER)) == 0
    _, joined = await decisions(desk)
    assert (joined.question, joined.answer) == (Question.SAME_STORY, True)
    assert (joined.first.title, joined.second and joined.second.title) == (late[1], ATTACK[1])
    # what was asked about its report is of the story that this belongs to by now
    assert await desk.press(READER, correction["message_id"], labels(correction)["Send"]) is None
    async with desk.store.reading() as db:
        both = await storage.stories.get(db, int(same.rpartition(":")[2]))
    assert both is not None
    assert [one.entry.title for one in both.entries] == [ATTACK[1], worded[1]]
    # the story that was joined is gone; the next one is no other's, and as worth a question
    await desk.report("two", NEXT, worded, QUIET)
    assert await states(desk) == ["approved", "joined", "waiting"]


async def test_what_got_worse_of_a_story_that_was_told_is_joined_with_no_other(desk: World) -> None:
    """Its messages would be nobody's: never edited again, and without a why. Who rejects that it
    is told again makes no example of a false alert of it.
    """
    card, yes, _ = await question(desk)
    await desk.press(READER, card, yes)
    async with desk.store.writing() as db:
        quiet, attack = sorted(
            await storage.stories.latest(db), key=lambda one: ATTACK[1] in str(one)
        )
        worse = stories.alert(attack, approval=True, now=NOW)
        (told,) = await storage.alerts.by_keys(db, [worse.dedup_key])
        other = next(one for one in stories.keys(attack.pk) if one != worse.dedup_key)
        worse = replace(worse, dedup_key=other, expires_at=told.created_at + timedelta(days=9))
        number = await storage.alerts.enqueue(db, worse)
    said = await desk.press(READER, card, f"story:same:{number}:{quiet.pk}")
    assert said == t("error.story_told", "en")
    assert await states(desk) == ["approved", "waiting"]
    await desk.press(READER, card, f"story:reject:{number}")
    assert await states(desk) == ["approved", "rejected"]
    assert [made.answer for made in await decisions(desk)] == [True]


async def test_a_headline_is_sent_as_the_operator_words_it(desk: World) -> None:
    """By a reply to the question; the news show it so as well."""
    card, _, _ = await question(desk)
    await desk.press(READER, card, (await buttons(desk, card))["Edit headline"])
    asked = await desk.emulator.wait_message(
        READER, lambda m: "new headline" in m.get("text", ""), timeout=20
    )
    field = desk.emulator.world.chat(READER).keyboard or {}
    assert field["force_reply"] is True
    assert 0 < len(field["input_field_placeholder"]) <= 64
    number = asked["message_id"]
    long = await desk.ask("x" * 201, chat=READER, reply_to=number)
    assert "1\u00a0to 200" in long["text"]
    changed = await desk.ask("Shooting at the <border>", chat=READER, reply_to=number)
    assert "Shooting at the <border>" in changed["text"]
    send = await buttons(desk, changed["message_id"])
    await desk.press(READER, changed["message_id"], send["Send"])
    told = await desk.emulator.wait_message(
        STRANGER, lambda m: "Shooting at the <border>" in m.get("text", ""), timeout=20
    )
    assert ATTACK[1] not in told["text"]
    assert "Shooting at the <border>" in (await news(desk))["text"]
    late = await desk.ask("Too late", chat=READER, reply_to=number)
    assert late["text"] == t("error.story_approved", "en")
    worded, sent = await decisions(desk)
    assert (worded.question, worded.second and worded.second.title) == (
        Question.HEADLINE,
        "Shooting at the <border>",
    )
    assert (sent.question, sent.answer, sent.first.title) == (Question.SECURITY, True, ATTACK[1])


async def test_what_got_worse_is_asked_about_and_worded_by_what_is_new_of_it(desk: World) -> None:
    """The first words were told before: they are neither shown to the operator nor given their
    headline.
    """
    card, yes, _ = await question(desk)
    await desk.press(READER, card, yes)
    await desk.tells(STRANGER, "border post")
    await desk.report("two", ("graver", f"{ATTACK[1]}: 120 killed", GRAVER), QUIET)
    asked = await desk.tells(READER, "120 people were killed")
    assert f"{ATTACK[1]}: 120 killed" in asked["text"]
    await desk.press(READER, asked["message_id"], labels(asked)["Edit headline"])
    wanted = await desk.tells(READER, "new headline")
    changed = await desk.ask("A massacre", chat=READER, reply_to=wanted["message_id"])
    await desk.press(READER, changed["message_id"], labels(changed)["Send"])
    told = await desk.tells(STRANGER, "A massacre")
    assert "120 people were killed" in told["text"]
    assert (await decisions(desk))[1].first.title == f"{ATTACK[1]}: 120 killed"


async def test_a_rejected_story_is_kept_as_an_example_of_what_is_no_alert(desk: World) -> None:
    """With the words it was judged by, and nobody's name."""
    card, _, no = await question(desk)
    await desk.press(READER, card, no)
    (made,) = await decisions(desk)
    assert (made.question, made.answer, made.first.form) == (
        Question.SECURITY,
        False,
        {"title": ATTACK[1], "text": ATTACK[2], "lang": "en"},
    )


CORRECTED = "Armed men attack border post, nobody is hurt"
FIXED = (ATTACK[0], CORRECTED, f"{ATTACK[2]} Three soldiers are well.")


async def corrected(desk: World, fixed: tuple[str, str, str] = FIXED) -> dict[str, Any]:
    """The feed has put other words in the place of the attack's; what the operator is asked."""
    await desk.report("one", fixed, QUIET)
    return await desk.emulator.wait_message(
        READER, lambda m: fixed[1] in m.get("text", "") and "Reject" in labels(m), timeout=20
    )


async def approved(desk: World) -> dict[str, Any]:
    """The attack is let through; the subscriber's message."""
    card, yes, _ = await question(desk)
    await desk.press(READER, card, yes)
    return await desk.emulator.wait_message(
        STRANGER, lambda m: ATTACK[1] in m.get("text", ""), timeout=20
    )


async def test_a_feeds_correction_of_what_an_operator_let_through_asks_again(desk: World) -> None:
    """With the old and the new words; nothing that is sent meanwhile says the new ones."""
    first = await approved(desk)
    asked = await corrected(desk)
    assert ATTACK[1] in asked["text"]
    assert "Three soldiers are well." in asked["text"]
    assert list(labels(asked)) == ["Send", "Reject"]
    await desk.report("two", AGAIN, QUIET)
    grown = await desk.emulator.wait_message(
        STRANGER, lambda m: "2\u00a0булак" in m.get("text", ""), timeout=20
    )
    assert ATTACK[1] in grown["text"]
    for what in ("word", "same"):  # it has no headline of its own, and is no story
        data = labels(asked)["Send"].replace("approve", what)
        assert await desk.press(READER, asked["message_id"], data) == t("error.stale", "en")
    listed = await desk.ask("/admin", chat=READER)
    await desk.press(READER, listed["message_id"], "admin:stories")
    (waits,) = [
        d
        for d in (await buttons(desk, listed["message_id"], "← Back")).values()
        if d.startswith("admin:story:")
    ]
    await desk.press(READER, listed["message_id"], waits)
    again = await desk.emulator.wait_message(
        READER,
        lambda m: CORRECTED in m.get("text", "") and m["message_id"] > listed["message_id"],
        timeout=20,
    )
    assert again["text"] == asked["text"]
    assert await desk.press(READER, again["message_id"], labels(again)["Send"]) is None
    told = await desk.emulator.wait_message(
        STRANGER, lambda m: CORRECTED in m.get("text", ""), timeout=20
    )
    assert told["message_id"] == first["message_id"]
    assert "border post" in (await news(desk))["text"]
    late = await desk.press(READER, asked["message_id"], labels(asked)["Reject"])
    assert late == t("error.story_approved", "en")


@pytest.mark.parametrize(
    ("label", "mark", "word"),
    [
        ("Correction", "✎", "Send"),
        ("Correction", "✎", "Reject"),
        ("Retraction", "✖", "Reject"),
        ("Retraction", "✖", "Send"),
    ],
)
async def test_a_report_that_mends_what_an_operator_let_through_asks_again(
    desk: World, label: str, mark: str, word: str
) -> None:
    """Nobody reads its words before, nor at all if they are not let through: in no message, though
    it grows, in no list, by no search.
    """
    await approved(desk)
    says = f"{label}: {ATTACK[1]}"
    mends = ("mends", says, "We were wrong about the post.")
    await desk.report("one", mends, ATTACK, QUIET)
    asked = await desk.tells(READER, says)
    assert [row.approval for row in await desk.alerts("edit")] == ["waiting"]
    await desk.report("two", AGAIN, QUIET)
    grown = await desk.tells(STRANGER, "2\u00a0булак")
    assert says not in grown["text"]
    assert says not in (await news(desk))["text"]
    assert await desk.press(READER, asked["message_id"], labels(asked)[word]) is None
    if word == "Send":
        told = await desk.tells(STRANGER, says)
        assert told["text"].startswith(mark)
        # by which digests and boards count who still reports it
        taken_back = [row.title for row in await desk.stored(entry_table) if row.retracts]
        assert taken_back == [says] * (label == "Retraction")
    await index(desk.bot)
    # what one of two alone takes back is listed in the words of the other
    listed = word == "Send" and label == "Correction"
    assert (says in (await news(desk))["text"]) is listed
    found = await desk.ask("/search wrong", chat=STRANGER)
    assert (ATTACK[1] in found["text"]) is (word == "Send")
    if word == "Reject":  # other words are asked about; the same once, whoever says them
        await desk.report("one", (mends[0], f"{says} again", mends[2]), ATTACK, QUIET)
        again = await desk.tells(READER, f"{says} again")
        number = labels(again)["Send"].rpartition(":")[2]
        await desk.press(READER, again["message_id"], f"admin:story:{number}")
        await desk.emulator.wait_message(
            READER,
            lambda m: m["message_id"] > again["message_id"] and m["text"] == again["text"],
            timeout=20,
        )
        assert says not in (await news(desk))["text"]
        once = len(await desk.alerts("edit"))
        await desk.report("one", ("twin", says, "The agency regrets it."), ATTACK, QUIET)
        assert len(await desk.alerts("edit")) == once
        desk.now += 2 * FRESH_FOR  # what is only worded anew is asked about no more
        await desk.report("one", (mends[0], says, f"{mends[2]} More follows."), ATTACK, QUIET)
        assert len(await desk.alerts("edit")) == once
        await index(desk.bot)
        found = await desk.ask("/search wrong", chat=STRANGER)
        assert ATTACK[1] not in found["text"]


@pytest.mark.cases(keep=2)
@pytest.mark.parametrize(("first", "second"), [("b", "b"), ("a", "b"), ("b", "a"), ("a", "a")])
async def test_what_all_say_to_be_taken_back_reaches_nobody_else_before_a_word(
    desk: World, first: str, second: str
) -> None:
    """By reports of their own (b) or in the place of what they told (a); each is asked about."""
    await approved(desk)
    await desk.report("two", AGAIN, QUIET)
    mine = delivery.c.chat_id == STRANGER
    async with desk.store.writing() as db:
        tomorrow = await db_now(db) + timedelta(days=1)  # the end of quiet hours, else it is told
        held = update(delivery).where(mine).values(state=State.HELD, not_before=tomorrow)
        await db.execute(held)
    states: list[str] = []
    says = f"Retraction: {ATTACK[1]}"
    for key, told, how in (("one", ATTACK, first), ("two", AGAIN, second)):
        gone = (told[0] if how == "a" else f"{key}-gone", says, f"We of {key} regret it.")
        await desk.report(key, gone, *([told] if how == "b" else []), QUIET)
        await desk.tells(READER, f"We of {key} regret it.")
        states += [row.state for row in await desk.deliveries("story") if row.chat_id == STRANGER]
    assert states == [State.HELD, State.SUPERSEDED]


async def test_a_text_that_says_otherwise_is_asked_about_however_late(desk: World) -> None:
    """Of one that is only worded anew nobody hears by then."""
    await approved(desk)
    desk.now += 2 * FRESH_FOR
    anew = ATTACK[2].replace("returned fire after", "shot back when")
    await desk.report("one", (ATTACK[0], ATTACK[1], anew), QUIET)
    fewer = anew.replace("three soldiers", "two soldiers")
    await desk.report("one", (ATTACK[0], ATTACK[1], fewer), QUIET)
    asked = await desk.tells(READER, "two soldiers")
    assert list(labels(asked)) == ["Send", "Reject"]
    assert anew in asked["text"]
    asked_of = [m for m in desk.emulator.messages(READER) if "Before:" in m.get("text", "")]
    assert len(asked_of) == 1


async def test_a_text_that_says_otherwise_at_each_look_is_asked_about_a_few_times(
    desk: World,
) -> None:
    """Another headline of the same report is asked about all the same."""
    await approved(desk)
    for dead in range(10, 12 + MOST_EDITS):
        text = ATTACK[2].replace("three soldiers", f"{dead} soldiers")
        await desk.report("one", (ATTACK[0], ATTACK[1], text), QUIET)
    assert len(await desk.alerts("edit")) == MOST_EDITS
    await desk.report("one", FIXED, QUIET)
    assert len(await desk.alerts("edit")) == MOST_EDITS + 1


async def test_a_correction_that_is_rejected_is_read_by_nobody(desk: World) -> None:
    """Nor is it asked about again; other words are."""
    first = await approved(desk)
    asked = await corrected(desk)
    assert await desk.press(READER, asked["message_id"], labels(asked)["Reject"]) is None
    await desk.emulator.wait_message(
        READER, lambda m: "The old words stay: " + ATTACK[1] in m.get("text", ""), timeout=20
    )
    await desk.report("one", FIXED, QUIET, ("more", "A bridge is open", "Since noon."))
    other = (ATTACK[0], "Armed men attack border post, two soldiers hurt", ATTACK[2])
    await corrected(desk, other)
    asked_of = [m for m in desk.emulator.messages(READER) if "Before:" in m.get("text", "")]
    assert len(asked_of) == 1
    assert ATTACK[1] in (await news(desk))["text"]
    (mine,) = [
        m for m in desk.emulator.messages(STRANGER) if m["message_id"] == first["message_id"]
    ]
    assert ATTACK[1] in mine["text"]


async def test_a_correction_of_what_still_waits_waits_beside_it(desk: World) -> None:
    """A card is sent as it was shown; the correction follows when it is let through too."""
    card, yes, _ = await question(desk)
    asked = await corrected(desk)
    await desk.press(READER, card, yes)
    await desk.emulator.wait_message(STRANGER, lambda m: ATTACK[1] in m.get("text", ""), timeout=20)
    await desk.press(READER, asked["message_id"], labels(asked)["Send"])
    await desk.emulator.wait_message(STRANGER, lambda m: CORRECTED in m.get("text", ""), timeout=20)
    assert await told(desk) == 1


async def test_S9_S11_only_the_operator_decides(desk: World) -> None:
    """A stranger's press and forged numbers are stale; the story still waits."""
    card, yes, _ = await question(desk)
    theirs = await desk.ask("/help", chat=STRANGER)
    assert await desk.press(STRANGER, theirs["message_id"], yes)
    for forged in (
        "story:approve:999",
        "story:approve:-1",
        "story:send:1",
        f"story:approve:{'9' * 30}",
        "story:same:999:1",
        "story:same:1:999",
        "story:join:1:1",
    ):
        assert await desk.press(READER, card, forged), forged
    assert await states(desk) == ["waiting"]


async def test_a_headline_is_given_for_the_language_that_it_is_in(desk: World) -> None:
    """The operator hears where another one stands yet, and words that by a second reply."""
    card, _, _ = await question(desk)
    theirs = entry(id="kyr", title="Куралчандар чек арага кол салды", language="ky")
    verdict = Verdict(security=True, score=1, severity=Severity.URGENT, topics=("security",))
    async with desk.store.writing() as db:
        (pk,) = [one.pk for one in await storage.stories.latest(db) if ATTACK[1] in str(one)]
        report = NewEntry(
            feed="two", item=theirs, at=NOW, link_key=None, title_key="", verdict=verdict
        )
        await storage.entries.add_entry(db, report, story_pk=pk, now=NOW)
    await desk.press(READER, card, (await buttons(desk, card))["Edit headline"])
    asked = await desk.tells(READER, "new headline")
    number = asked["message_id"]
    other = await desk.ask("Стрельба на границе", chat=READER, reply_to=number)
    assert "(Russian), so these readers get this headline, too: English" in other["text"]
    first = await desk.ask("Shots at the border", chat=READER, reply_to=number)
    assert "Russian" not in first["text"]
    assert "Still with a headline of its own: Kyrgyz" in first["text"]
    second = await desk.ask("Чек арада ок атылды", chat=READER, reply_to=number)
    assert "Still with" not in second["text"]
    send = await buttons(desk, second["message_id"])
    await desk.press(READER, second["message_id"], send["Send"])
    await desk.tells(STRANGER, "Чек арада ок атылды")
    assert "Shots at the border" in (await desk.ask("/news", chat=READER))["text"]
