"""Rich messages: blocks and tables, sent, changed into words and back, and refused."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest

from bot.emulator import Emulator, Limits
from bot.emulator.rich import words_in
from tests.emulator.conftest import AIGUL, CHANNEL, Client
from tests.emulator.test_sending import buttons


def cell(text: object, align: str = "right", **more: Any) -> dict[str, Any]:
    return {"text": text, "align": align, "valign": "middle", **more}


def table(*rows: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    return {"type": "table", "cells": list(rows), **more}


TABLE = table([cell("", is_header=True), cell("today", is_header=True)], [cell("USD"), cell("84")])
HEADING = {
    "type": "paragraph",
    "text": [
        {"type": "url", "url": "https://nbkr.kg/", "text": {"type": "bold", "text": "Bank"}},
        " · som, ",
        {"type": "date_time", "unix_time": 1634700000, "date_time_format": "", "text": "10:00"},
    ],
}


def message(*blocks: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"blocks": list(blocks), **more}


async def test_a_rich_message_comes_back_as_its_blocks(client: Client, emulator: Emulator) -> None:
    """It is a message like any other, but for the text that it has not."""
    sent = await client.ok(
        "sendRichMessage",
        chat_id=CHANNEL,
        rich_message=message(HEADING, TABLE),
        reply_markup=buttons("chart"),
        disable_notification=True,
    )
    assert sent["rich_message"] == {"blocks": [HEADING, TABLE]}
    assert "text" not in sent
    assert sent["reply_markup"] == buttons("chart")
    assert emulator.messages(CHANNEL) == [sent]
    assert words_in(sent) == "Bank · som, 10:00\n today\nUSD 84"


async def test_a_text_is_edited_into_a_rich_message_and_back(client: Client) -> None:
    """Fields of the other kind go; the same again is refused as any edit that changes nothing."""
    sent = await client.ok("sendMessage", chat_id=AIGUL, text="/rates", link_preview_options={})
    target = {"chat_id": AIGUL, "message_id": sent["message_id"]}
    rich = await client.ok("editMessageText", **target, rich_message=message(TABLE))
    assert rich["rich_message"] == {"blocks": [TABLE]}
    assert not {"text", "entities", "link_preview_options"} & rich.keys()
    same = await client.refused("editMessageText", **target, rich_message=message(TABLE))
    assert "message is not modified" in same[1]
    both = await client.refused(
        "editMessageText", **target, rich_message=message(HEADING), text="x"
    )
    assert "together" in both[1]
    assert "no caption" in (await client.refused("editMessageCaption", **target, caption="x"))[1]
    words = await client.ok("editMessageText", **target, text="words")
    assert words["text"] == "words"
    assert "rich_message" not in words


DEEP: Any = "x"
for _ in range(17):
    DEEP = {"type": "bold", "text": DEEP}

WRONG: dict[str, Any] = {
    "nothing": None,
    "no source": {},
    "two sources": {"blocks": [TABLE], "html": "<p>x</p>"},
    "html, which is not modelled": {"html": "<p>x</p>"},
    "no words": message(),
    "words of spaces": message({"type": "paragraph", "text": " "}),
    "an unknown field": message(TABLE, text="x"),
    "a flag that is none": message(TABLE, is_rtl="yes"),
    "a block without a type": message({"text": "x"}),
    "a block of no known type": message({"type": "chart", "text": "x"}),
    "a block's unknown field": message({"type": "paragraph", "text": "x", "size": 1}),
    "a paragraph without text": message({"type": "paragraph"}),
    "a heading without a size": message({"type": "heading", "text": "x"}),
    "a heading of size 7": message({"type": "heading", "text": "x", "size": 7}),
    "cells in no rows": message({"type": "table", "cells": [cell("x")]}),
    "no cells": message({"type": "paragraph", "text": "x"}, table([])),
    "a cell that is a word": message(table(["x"])),  # type: ignore[list-item]
    "a cell without an alignment": message(table([{"text": "x", "valign": "top"}])),
    "a cell without an upright one": message(table([{"text": "x", "align": "left"}])),
    "a cell aligned as none is": message(table([cell("x", "justify")])),
    "a cell that spans nothing": message(table([cell("x", colspan=0)])),
    "a header that is a word": message(table([cell("x", is_header="yes")])),
    "a flag of a table that is none": message(table([cell("x")], is_striped=1)),
    "a text that is a number": message(table([cell(84)])),
    "a text of no known type": message(table([cell({"type": "plain", "text": "x"})])),
    "a link without an address": message(table([cell({"type": "url", "text": "x"})])),
    "a moment without a form": message(
        table([cell({"type": "date_time", "unix_time": 1, "text": "x"})])
    ),
    "21 columns": message(table([cell("x")] * 21)),
    "500 rows": message(table(*[[cell("x")]] * 500)),
    "32,769 letters": message({"type": "paragraph", "text": "x" * 32_769}),
    "17 levels": message({"type": "paragraph", "text": DEEP}),
}


@pytest.mark.parametrize("wrong", WRONG)
async def test_what_breaks_the_spec_or_its_limits_is_refused(
    client: Client, emulator: Emulator, wrong: str
) -> None:
    """Before anybody sees it, sent or put in the place of another."""
    given = {"chat_id": AIGUL, "rich_message": WRONG[wrong]}
    code, why = await client.refused("sendRichMessage", **given)
    assert (code, why[:12]) == (400, "Bad Request:"), why
    assert emulator.messages(AIGUL) == []
    sent = await client.ok("sendMessage", chat_id=AIGUL, text="words")
    code, _ = await client.refused("editMessageText", message_id=sent["message_id"], **given)
    assert code == 400
    assert emulator.messages(AIGUL) == [sent]


async def test_what_is_just_within_the_limits_is_taken(client: Client) -> None:
    """Twenty columns, 499 rows beside their table, and 32,768 letters."""
    for fits in (
        message(table([cell("x")] * 19 + [cell("y", colspan=1)])),
        message(table(*[[cell("x")]] * 499)),
        message({"type": "paragraph", "text": "x" * 32_768}),
    ):
        await client.ok("sendRichMessage", chat_id=AIGUL, rich_message=fits)


async def test_it_counts_as_a_message() -> None:
    """For a chat's limit, and among what was sent: late where it says so."""
    limits = Limits(per_chat=1, clock=lambda: 100.0)
    async with Emulator(readings=tuple, is_late=lambda text: "late" in text, limits=limits) as town:
        town.add_private(town.add_user(AIGUL, "Aigul"))
        async with aiohttp.ClientSession() as session:
            client = Client(town, session)
            late = {"chat_id": AIGUL, "rich_message": message({"type": "footer", "text": "late"})}
            await client.ok("sendRichMessage", **late)
            assert (await client.refused("sendRichMessage", **late))[0] == 429
        assert town.tally is not None
        assert (town.tally.sent, town.tally.late, town.tally.open) == (1, 1, 1)
