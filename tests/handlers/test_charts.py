"""/chart: a picture, once drawn, sent again by its file id."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from tests.handlers.conftest import NOW, READER, World, days

WAVE = [f"1.{190 + number % 30}0" for number in range(100)]


async def test_a_chart_is_a_photo_with_a_caption_and_is_drawn_once(scene: World) -> None:
    """The second time Telegram is given the file's id; a new rate is a new picture."""
    await scene.keep(days("RUB/KGS", WAVE[:-1]))
    photos = []
    for _ in range(2):
        answer = await scene.ask("/chart RUB 90d", fits="RUB/KGS")
        assert answer["photo"]
        assert "National Bank" in answer["caption"]
        photos.append(answer["photo"][-1]["file_id"])
    assert len(scene.bot.services.drawn.file_ids) == 1
    assert photos[0] == photos[1]


async def test_the_button_under_a_move_shows_its_chart(scene: World) -> None:
    await scene.keep(days("RUB/KGS", WAVE))
    menu = await scene.ask("/start")
    await scene.emulator.press(READER, menu["message_id"], "chart:RUB/KGS:1y")
    shown = await scene.emulator.wait_message(
        READER, lambda m: "photo" in m, after=menu["message_id"], timeout=20
    )
    assert "RUB/KGS" in shown["caption"]


async def test_the_whole_history_is_drawn_however_long(scene: World) -> None:
    """From the very first day, a year's holes included, to what is announced for tomorrow."""
    first, tomorrow = date(1999, 5, 10), NOW.date() + timedelta(days=1)
    await scene.keep(
        [*days("RUB/KGS", WAVE, last=first), *days("RUB/KGS", ["1.0", *WAVE, "2.0"], last=tomorrow)]
    )
    shown = await scene.ask("/chart RUB all", fits="RUB/KGS 2.0")
    assert "+68.07\u00a0%" in shown["caption"], "from 1.19 to 2"
    assert "low 1.0" in shown["caption"]


async def test_what_cannot_be_drawn_is_explained(scene: World) -> None:
    for question, answer in (
        ("/chart JPY", "I don't know “JPY”. I have: EUR, RUB, USD. For example: /rates USD"),
        ("/chart RUB", "Not enough history"),
        ("/chart RUB 0d", "/chart RUB 90d"),
        ("/chart what is this", "/chart RUB 90d"),
        ("/chart KGS", "KGS"),
    ):
        assert answer in (await scene.ask(question))["text"], question


async def test_a_forged_button_is_stale(scene: World) -> None:
    menu = await scene.ask("/start")
    for data in (
        "chart:RUB:90d",
        "chart:RUB/KGS:",
        "chart:RUB/KGS:99999d9",
        "chart:🙂/KGS:1y",
        "chart:RUB/KGS:1y:red",
    ):
        answer = await scene.emulator.press(READER, menu["message_id"], data)
        assert "out of date" in answer["text"], data


async def test_a_chart_turns_dark_and_back_in_place(scene: World) -> None:
    """And comes back without being drawn again."""
    await scene.keep(days("RUB/KGS", WAVE))
    shown = await scene.ask("/chart RUB 90d", fits="RUB/KGS")
    seen = [shown["photo"][-1]["file_id"]]
    for press in ("chart:RUB/KGS:90d:dark", "chart:RUB/KGS:90d"):
        await scene.emulator.press(READER, shown["message_id"], press)
        now = await scene.emulator.wait_message(
            READER,
            lambda m: (
                m["message_id"] == shown["message_id"] and m["photo"][-1]["file_id"] != seen[-1]
            ),
            timeout=20,
        )
        seen.append(now["photo"][-1]["file_id"])
    assert seen[0] == seen[2] != seen[1]
    assert len(scene.bot.services.drawn.file_ids) == 2


@pytest.mark.parametrize("words", ["доллар месяц", "usd 1m", "USD 30d"])
async def test_a_chart_offers_every_range_but_its_own_however_that_was_said(
    scene: World, words: str
) -> None:
    await scene.keep(days("USD/KGS", [f"84.{number:02}" for number in range(99)]))
    shown = str((await scene.ask(f"/chart {words}", fits="USD/KGS"))["reply_markup"])
    assert "chart:USD/KGS:30d'" not in shown
    assert "chart:USD/KGS:90d'" in shown
