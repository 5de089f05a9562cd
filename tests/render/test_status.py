"""The status is honest about each source and the queue, and fits a message."""

from __future__ import annotations

import pytest

from bot.languages import LANGUAGES
from bot.render import status
from bot.render.text import LIMIT, units
from tests.render.world import bot_status

STATUS = {
    "en": (
        "Sources\n"
        "🟢 National Bank – 5 minutes ago\n"
        "⚪ ECB – no answer yet\n"
        "🟠 24.kg – 3 hours ago · 3 failed attempts\n"
        "\n"
        "5 messages waiting, the oldest for 2 minutes\n"
        "Last sent just now"
    ),
    "ru": (
        "Источники\n"
        "🟢 Национальный банк – 5 минут назад\n"
        "⚪ ECB – ответа ещё не было\n"
        "🟠 24.kg – 3 часа назад · 3 неудачные попытки\n"
        "\n"
        "В очереди 5 сообщений, самое давнее ждёт 2 минуты\n"
        "Последнее отправлено только что"
    ),
    "ky": (
        "Булактар\n"
        "🟢 Улуттук банк – 5 мүнөт мурун\n"
        "⚪ ECB – азырынча жооп жок\n"
        "🟠 24.kg – 3 саат мурун · 3 ийгиликсиз аракет\n"
        "\n"
        "Кезекте 5 билдирүү, эң эскиси 2 мүнөт күтүүдө\n"
        "Акыркысы азыр эле жөнөтүлдү"
    ),
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_status_says_how_fresh_each_source_is_and_how_the_queue_stands(language: str) -> None:
    assert status.status(bot_status(), language).text == STATUS[language]


def test_a_status_of_a_hundred_sources_still_fits() -> None:
    shown = status.status(bot_status(sources=bot_status().sources * 40), "ru").text
    assert units(shown) < LIMIT
    assert "и ещё 80" in shown


def test_a_new_bots_status_is_honest() -> None:
    shown = status.status(
        bot_status(sources=(), waiting=0, oldest=None, last_sent_at=None), "en"
    ).text
    assert shown == "Sources\nNo sources are set up.\n\n0 messages waiting\nNothing sent yet"
