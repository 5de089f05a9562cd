"""Words that are not understood are named, with what would do, in each language."""

from __future__ import annotations

import pytest

from bot.i18n import zone_place
from tests.handlers.conftest import READER, RUSSIAN, STRANGER
from tests.world import World

READERS = [READER, RUSSIAN, STRANGER]
LANGUAGE_OF = dict(zip(READERS, ("en", "ru", "ky"), strict=True))


@pytest.mark.parametrize("reader", READERS, ids=["en", "ru", "ky"])
async def test_a_chart_of_an_unknown_word_names_the_word(scene: World, reader: int) -> None:
    said = (await scene.ask("/chart доллор 90d", chat=reader))["text"]
    assert "“доллор”" in said or "«доллор»" in said
    assert "/chart RUB 90d" in said


async def test_a_chart_against_itself_answers_with_a_chart(scene: World) -> None:
    said = (await scene.ask("/chart сом", chat=READER))["text"]
    assert "/chart RUB 90d" in said
    assert "/alert" not in said


@pytest.mark.parametrize(
    ("reader", "country"), [(READER, "the USA"), (RUSSIAN, "Россия"), (STRANGER, "Орусия")]
)
async def test_a_country_with_several_zones_is_offered_them(
    scene: World, reader: int, country: str
) -> None:
    """And a tap sets one."""
    asked = await scene.ask(f"/settings {country}", chat=reader)
    data = [
        button["callback_data"]
        for row in asked["reply_markup"]["inline_keyboard"]
        for button in row
    ]
    assert all(one.startswith("zone:") for one in data)
    assert len(data) >= 6
    await scene.press(reader, asked["message_id"], data[1])
    shown = await scene.ask("/settings", chat=reader)
    assert zone_place(data[1].removeprefix("zone:"), LANGUAGE_OF[reader]) in shown["text"]
