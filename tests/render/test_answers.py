"""An answer is short and in the reader's language; an error says what works instead."""

from __future__ import annotations

from datetime import date, time, timedelta
from decimal import Decimal

import pytest

from bot.errors import UserError
from bot.render import answers
from bot.render.text import bold
from tests.render.world import TODAY, marked


@pytest.mark.parametrize(
    ("error", "language", "shown"),
    [
        (
            UserError("error.arguments", example="/rates USD EUR"),
            "en",
            "I did not understand that. Try /rates USD EUR",
        ),
        (
            UserError("error.currency", code="XQX", known=("USD", "EUR")),
            "ru",
            "Не знаю валюту «XQX». Есть: USD, EUR. Например: /rates USD",
        ),
        (
            UserError("error.no_rates_on", day=date(2010, 1, 3), nearest=date(2021, 10, 20)),
            "ky",
            "2010‑жылдын 3‑январы үчүн курс жок. Эң жакын күн: 20‑октябрь.",
        ),
        (
            UserError("error.date_future", day=date(2022, 3, 3)),
            "ru",
            (
                "3\u00a0марта 2022\u00a0года ещё впереди: курс на этот день пока неизвестен. "
                "Последний: /rates"
            ),
        ),
        (
            UserError("error.throttled", wait=timedelta(seconds=5)),
            "ru",
            "Слишком быстро. Подождите: 5\u00a0секунд.",
        ),
        (
            UserError("error.too_many", limit=20),
            "en",
            "20 alerts are the most. Delete one first: /alerts",
        ),
        (
            UserError("error.time", text="25:99", example="/digest 09:00"),
            "ky",
            "«25:99» деген убакытты окуй албадым. Мындай жазып көрүңүз: /digest 09:00",
        ),
    ],
)
def test_an_error_says_what_is_wrong_and_what_works(
    error: UserError, language: str, shown: str
) -> None:
    assert answers.explain(error, language, today=TODAY).text == shown


def test_without_todays_date_an_error_writes_the_year() -> None:
    shown = answers.explain(UserError("error.date_future", day=date(2030, 1, 1)), "en").text
    assert shown.startswith("1\u00a0Jan 2030 is still ahead")


def test_an_example_can_be_tapped_to_copy() -> None:
    shown = answers.explain(UserError("error.arguments", example="/rates USD"), "en")
    assert marked(shown, "code") == ["/rates USD"]


def test_an_error_nobody_wrote_words_for_never_shows_its_id() -> None:
    shown = answers.explain(UserError("error.of_tomorrow", x=1), "en").text
    assert shown == "Something went wrong on my side. Please try again in a minute."


def test_a_value_the_words_have_no_place_for_does_not_silence_an_error() -> None:
    assert (
        answers.explain(UserError("error.stale", alert=7), "en").text
        == "This button is out of date. Please ask again."
    )


def test_values_become_words_by_their_type() -> None:
    assert (
        answers.say("settings.digest", "ru", times=time(9, 5)).text == "Сводка: каждый день в 09:05"
    )
    assert (
        answers.say("mute.done", "en", what=bold("RUB")).text
        == "Muted: RUB. To hear it again: /subscribe"
    )
    assert answers.say("mute.done", "ru", what=Decimal("1.5")).text.startswith("Отключено: 1,5.")
    assert answers.say("mute.done", "en", what=None).text.startswith("Muted: None")
