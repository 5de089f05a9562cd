"""Pictures of stories: shown by Telegram where the publisher's terms allow it, and nowhere else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

import storage.chats
from bot.emulator import TEST_TOKEN, Emulator, Fault
from bot.model.chats import Style
from bot.sources.catalog import parse_catalog
from bot.telegram.api import Api
from bot.telegram.session import open_session
from storage.db import Store
from tests.factories import chat as a_chat
from tests.publishers import QUIET
from tests.test_edits import BLAST
from tests.test_ingest import NOW
from tests.world import Sending, World, polling

BRIEF, HEADLINES = 1001, 1002
NONE = {"is_disabled": True}  # no page is shown


def catalog(url: str) -> Any:
    """One agency whose pictures may be shown, and an official source that says nothing of its."""
    return parse_catalog(
        f"""
[feeds.agency]
name = {{ en = "Agency" }}
url = "{url}/agency.xml"
language = "en"
pictures = true

[feeds.office]
name = {{ en = "Office" }}
url = "{url}/office.xml"
language = "en"
trust = 1
"""
    )


@pytest.fixture
async def world(store: Store) -> AsyncIterator[World]:
    """Two readers, one of headlines alone."""
    async with (
        polling(store, catalog, now=NOW, admins=()) as made,
        Emulator(TEST_TOKEN) as emulator,
        open_session() as session,
    ):
        async with store.writing() as db:
            for reader, style in ((BRIEF, Style.BRIEF), (HEADLINES, Style.HEADLINE)):
                emulator.add_private(emulator.add_user(reader, f"Reader {reader}", "en"))
                await storage.chats.add(db, a_chat(reader, style=style), now=NOW)
                await storage.chats.subscribe(db, reader, ["topic:security"], now=NOW)
        made.send_through(
            emulator, Api(session, url=emulator.api_url, token=TEST_TOKEN), rate=100.0
        )
        async with Sending(made):
            yield made
        assert made.told == []


async def test_a_story_shows_the_picture_of_a_page_that_allows_it(world: World) -> None:
    """To who reads more than headlines; none any more when a report leads whose publisher says
    nothing of pictures.
    """
    for key in ("agency", "office"):
        await world.report(key, QUIET)
    assert await world.report("agency", ("a", *BLAST), QUIET) == 1
    told = await world.tells(BRIEF, BLAST[0])
    (page,) = {one["url"] for one in told["entities"] if "url" in one}
    assert told["link_preview_options"] == {"url": page, "prefer_large_media": True}
    assert (await world.tells(HEADLINES, BLAST[0]))["link_preview_options"] == NONE
    await world.done()
    assert await world.report("office", ("b", *BLAST), QUIET) == 0
    edited = await world.tells(BRIEF, "2\u00a0sources")
    assert edited["message_id"] == told["message_id"]
    assert edited["link_preview_options"] == NONE


async def test_what_telegram_refused_is_sent_again_as_words_alone(world: World) -> None:
    await world.report("agency", QUIET)
    refusal = "can't parse entities"
    world.emulator.faults.add(
        Fault.bad_request(refusal, method="sendMessage", chat_id=BRIEF, times=1)
    )
    assert await world.report("agency", ("a", *BLAST), QUIET) == 1
    assert (await world.tells(BRIEF, BLAST[0]))["link_preview_options"] == NONE
    codes = [call.code for call in world.emulator.calls.of("sendMessage", BRIEF)]
    assert codes == [400, 200]
