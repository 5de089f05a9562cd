"""/search in a chat: asked, paged in place, and nothing but words."""

from __future__ import annotations

from datetime import timedelta

import storage.stories
from bot import archive
from bot.model.alerts import Severity
from bot.model.news import Verdict
from storage.entries import NewEntry
from tests.factories import entry
from tests.handlers.conftest import NOW, READER, World

QUIET = Verdict(security=False, score=0, severity=Severity.INFO)


async def stored(world: World, *titles: str) -> None:
    """Stories under these headlines, each a minute newer than the one before, in the index."""
    new = []
    for number, title in enumerate(titles):
        at = NOW - timedelta(hours=1) + timedelta(minutes=number)
        item = entry(id=title, title=title, summary="", published_at=at, language="en")
        new.append(
            NewEntry(feed="f", item=item, at=at, link_key=None, title_key=title, verdict=QUIET)
        )
    async with world.bot.store.writing() as db:
        await storage.stories.add_alone(db, new, now=NOW)
    await archive.index(world.bot.store)


async def test_what_is_found_is_turned_page_by_page_in_place(scene: World) -> None:
    """The words stand in the message; a page knows no others."""
    await stored(scene, *(f"Border report {number}" for number in range(12)), "Flour is cheaper")
    first = await scene.ask("/search Border REPORTS", fits="Border report 11")
    assert first["text"].startswith("🔎 Border REPORTS\n")
    assert "Border report 7" in first["text"]
    assert "Border report 6" not in first["text"]
    assert "Flour" not in first["text"]
    await scene.press(READER, first["message_id"], "find:1")
    await scene.tells(READER, "Border report 6")
    await scene.press(READER, first["message_id"], "find:2")
    last = await scene.tells(READER, "Border report 0")
    assert last["message_id"] == first["message_id"]
    buttons = [
        one["callback_data"] for row in last["reply_markup"]["inline_keyboard"] for one in row
    ]
    assert buttons == ["find:1"]


async def test_a_search_for_nothing_and_one_that_finds_nothing_say_so(scene: World) -> None:
    """With an example that works; whatever stands for words, nothing is stored or thrown."""
    await stored(scene, "Border report")
    for nothing in ("/search", "/search ???", "/search \u200b", "/search _"):
        assert "/search border" in (await scene.ask(nothing))["text"], nothing
    assert "Border report" in (await scene.ask("/search border", fits="Border report"))["text"]
    for words in ("flour", "border OR flour", '"', "x" * 3000):
        answer = (await scene.ask(f"/search {words}"))["text"]
        assert "Nothing found" in answer or "/search border" in answer, words


async def test_the_words_of_a_page_are_those_that_were_looked_for(scene: World) -> None:
    """The first eight, whole: a headline that is pasted is found, however long it is."""
    headline = "Border guards said that traffic through Dostuk-Avto was restored on the Kyrgyz and"
    headline += " Uzbek part of the state border after three days"
    await stored(scene, headline)
    found = await scene.ask(f"/search {headline} ??? {'x' * 50}", fits="three days")
    head, _, rest = found["text"].partition("\n")
    assert head == "🔎 Border guards said that traffic through Dostuk-Avto"
    assert headline in rest
    twice = await scene.ask("/search border Border ??? reports, a/b/c/d/e/f/g")
    assert twice["text"].startswith("🔎 border reports, a b c d e f\n")


async def test_a_button_of_another_message_is_stale(scene: World) -> None:
    """Its words are not those of a page of ours."""
    await stored(scene, "Border report")
    menu = await scene.ask("/start")
    assert await scene.press(READER, menu["message_id"], "find:0")
    found = await scene.ask("/search border", fits="Border report")
    for data in ("find:x", "find:-1", "find:99999", "find:"):
        assert await scene.press(READER, found["message_id"], data), data
