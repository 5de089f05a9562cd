"""`@bot …` typed in any chat."""

from __future__ import annotations

from typing import Any

import pytest

from bot.i18n import t
from tests.handlers.conftest import READER, STRANGER, World
from tests.handlers.test_search import stored


def ids(answer: dict[str, Any]) -> list[str]:
    """The kinds of the results, in their order."""
    return [result["id"].rstrip("0123456789") for result in answer["results"]]


def said(result: dict[str, Any]) -> str:
    """The text that a result would send."""
    return str(result["input_message_content"]["message_text"])


async def test_a_question_gives_the_conversion_and_the_card_in_the_readers_language(
    scene: World,
) -> None:
    """A stranger's client is Kyrgyz; nothing about him is stored."""
    answer = await scene.emulator.inline_query(STRANGER, "100 usd")
    conversion, card = answer["results"]
    assert conversion["title"].replace("\u00a0", " ") == "100 USD = 8 479,35 KGS"
    assert "Улуттук банк" in said(conversion)
    (copied,) = conversion["reply_markup"]["inline_keyboard"][0]
    assert copied["copy_text"] == {"text": "8479,35"}
    assert "84,7935" in said(card)
    assert STRANGER not in scene.bot.services.chats


@pytest.mark.parametrize("question", ["", "apples", "100 usd jpy", "?"])
async def test_without_news_the_card_alone_is_left(scene: World, question: str) -> None:
    assert ids(await scene.emulator.inline_query(READER, question)) == ["card"]


async def test_nothing_typed_gives_the_card_and_the_latest_stories(scene: World) -> None:
    """As messages that stand by themselves: no button of theirs would lead back to us."""
    await stored(scene, *(f"Border report {number}" for number in range(6)))
    answer = await scene.emulator.inline_query(READER, "")
    assert ids(answer) == ["card", *["story"] * 5]
    _, newest, *_ = answer["results"]
    assert newest["title"] == "Border report 5"
    assert said(newest).startswith("Border report 5\n")
    assert newest["description"]
    assert said(newest).replace("·\u00a0", "· ").endswith(newest["description"])
    assert "callback_data" not in str(answer["results"])


async def test_words_find_stories_which_go_on_as_one_scrolls(scene: World) -> None:
    await stored(scene, *(f"Border report {number}" for number in range(7)), "Flour is cheaper")
    first = await scene.emulator.inline_query(READER, "border REPORTS")
    assert [one["title"] for one in first["results"]] == [
        f"Border report {n}" for n in (6, 5, 4, 3, 2)
    ]
    rest = await scene.emulator.inline_query(READER, "border REPORTS", offset=first["next_offset"])
    assert [one["title"] for one in rest["results"]] == ["Border report 1", "Border report 0"]
    assert rest["next_offset"] == ""


async def test_what_a_reader_mutes_is_not_offered_to_them(scene: World) -> None:
    """The first result says how much that is, to them alone."""
    await stored(scene, "Border report", "Flour is cheaper")
    await scene.ask("/mute flour")
    for words in ("", "flour"):
        answer = await scene.emulator.inline_query(READER, words)
        assert "Flour" not in str(answer["results"]), words
        above = answer["results"][0]
        assert above["description"].startswith("Left out by your filters: 1"), words
        assert "Left out" not in said(above), words
        stranger = await scene.emulator.inline_query(STRANGER, words)
        assert "Flour" in str(stranger["results"]), words
        assert t("filters.left_out", "ky").split(":")[0] not in str(stranger["results"]), words


@pytest.mark.parametrize("offset", ["x", "-1", "99999999999999999999", "٣", "1" * 64])
async def test_an_offset_that_we_never_gave_is_answered(scene: World, offset: str) -> None:
    await stored(scene, "Border report")
    answer = await scene.emulator.inline_query(READER, "border", offset=offset)
    assert answer["next_offset"] == ""


@pytest.mark.parametrize("words", ["\u200b", "a" * 256, '"', "OR AND NOT *", "🔎 ﷽ \u202e"])
async def test_rubbish_is_answered_without_an_error(scene: World, words: str) -> None:
    await stored(scene, "Border report")
    assert ids(await scene.emulator.inline_query(READER, words)) == ["card"]
