"""Rubbish after a command: a short answer in the chat's language that says what would work."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import delete

from bot.i18n import t
from handlers import COMMANDS
from handlers.services import Services
from storage.schema import rate
from storage.schema import series as series_table
from tests.handlers.conftest import READER, RUSSIAN, STRANGER, World, at_once

READERS = {"en": READER, "ru": RUSSIAN, "ky": STRANGER}
RUBBISH = (
    "bla",
    "XYZ 90d",
    "XYZ < 1",
    "USD XYZ",
    "100 XYZ",
    "100 usd XYZ",
    "$%^&*",
    "-1",
    "😀",
    "9" * 40,
    "я" * 300,
)
#: Commands that take a currency, and what makes a question of one nobody knows.
WITH_A_CURRENCY = (
    "/rates XYZ", "/rates USD XYZ", "/convert 100 XYZ", "/convert XYZ", "/convert 100 usd XYZ",
    "/chart bla", "/chart XYZ 90d", "/chart USD/XYZ", "/rates blabla", "/alert bla",
    "/alert XYZ < 1", "/alert USD XYZ", "/alert USD/XYZ < 1", "/convert JPY", "/convert 100 JPY",
    "/start XYZ",
)  # fmt: skip


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch, world: World) -> None:
    """Nobody is told to slow down: this reader asks a lot."""
    monkeypatch.setattr(Services, "allow", lambda *_: True)
    monkeypatch.setattr(world.bot.services, "turn", at_once)  # nor does an answer wait its turn


@pytest.mark.parametrize("language", READERS)
@pytest.mark.usefixtures("unhurried")
async def test_an_unknown_currency_is_named_and_so_are_the_known_ones(
    world: World, language: str
) -> None:
    """By every command that takes one, in the same words."""
    for question in WITH_A_CURRENCY:
        named = re.search(r"XYZ|JPY|blabla|bla", question)
        assert named is not None
        code = named[0].upper() if len(named[0]) == 3 else named[0]
        words = t("error.currency", language).format(code=code, known="EUR, RUB, USD")
        assert (await world.ask(question, chat=READERS[language]))["text"] == words, question


@pytest.mark.timeout(480)  # a walk over every command
@pytest.mark.parametrize("language", READERS)
@pytest.mark.usefixtures("unhurried")
@pytest.mark.cases(keep=1)
async def test_every_command_answers_rubbish_in_the_readers_language(
    world: World, language: str
) -> None:
    """Never with silence, never with "something went wrong", and briefly; what is long is not said
    back whole.
    """
    wrong = t("error.unexpected", language)
    english = re.compile(r"\b(I|the|not|Try)\b")
    for name in COMMANDS:
        for rubbish in RUBBISH:
            answer = await world.ask(f"/{name} {rubbish}", chat=READERS[language])
            said = answer.get("text", answer.get("caption", ""))
            assert said, (name, rubbish)
            assert said != wrong, (name, rubbish)
            assert "яяяяяяяяяяяяяяяяяяяяяяяяяяяяяяяяяяяяяяяяя" not in said, name
            assert language == "en" or not english.search(said), said
        await world.ask("/start", chat=READERS[language])  # /stop is among them


@pytest.mark.parametrize("language", READERS)
@pytest.mark.usefixtures("unhurried")
async def test_a_day_ahead_is_answered_with_where_the_latest_is(
    world: World, language: str
) -> None:
    said = (await world.ask("/rates USD 2099-01-01", chat=READERS[language]))["text"]
    assert "2099" in said
    assert said.endswith("/rates")


@pytest.mark.parametrize("language", READERS)
@pytest.mark.usefixtures("unhurried")
async def test_an_empty_store_says_that_the_first_rates_are_on_their_way(
    world: World, language: str
) -> None:
    """Whatever is asked of it, also a currency it could not know yet; news and digest say that
    there is nothing.
    """
    async with world.bot.store.writing() as db:
        await db.execute(delete(rate))
        await db.execute(delete(series_table))
    world.bot.services.forget_cards()
    chat, words = READERS[language], t("error.no_rates", language)
    for question in (
        "/rates", "/rates XYZ", "/convert 100 usd", "/convert USD", "/convert XYZ", "/chart",
        "/chart XYZ", "/alert", "/alert USD 1%", "/alert bla", "100 usd",
    ):  # fmt: skip
        assert (await world.ask(question, chat=chat))["text"] == words, question
    for question in ("/news", "/news economy", "/security", "/digest", "/alerts", "/status"):
        said = (await world.ask(question, chat=chat))["text"]
        assert said
        assert said != t("error.unexpected", language), question
