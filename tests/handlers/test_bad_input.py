"""Rubbish after a command: a short answer in the chat's language that says what would work."""

from __future__ import annotations

import re
from typing import Any

import polib
import pytest
from sqlalchemy import delete

from bot.errors import UserError
from bot.i18n import t
from bot.render.answers import explain
from bot.render.help import unknown as not_understood
from bot.render.text import Message
from handlers import COMMANDS, serving
from handlers.services import Services
from storage.schema import rate
from storage.schema import series as series_table
from tests.conftest import ROOT
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
async def test_an_unknown_currency_is_named_and_so_are_the_known_ones(
    scene: World, language: str
) -> None:
    """By every command that takes one, in the same words."""
    for question in WITH_A_CURRENCY:
        named = re.search(r"XYZ|JPY|blabla|bla", question)
        assert named is not None
        words = t("error.currency", language).format(code=named[0], known="EUR, RUB, USD")
        words = words.replace("`", "")  # which mark what a tap copies
        assert (await scene.ask(question, chat=READERS[language]))["text"] == words, question
    # a long word is cut, and is no currency's name
    long = (await scene.ask(f"/rates {'я' * 60}", chat=READERS[language]))["text"]
    assert long == t("error.currency", language).replace("`", "").format(
        code="я" * 20, known="EUR, RUB, USD"
    )


@pytest.mark.timeout(480)  # a walk over every command
@pytest.mark.parametrize("language", READERS)
@pytest.mark.cases(keep=1)
async def test_every_command_answers_rubbish_in_the_readers_language(
    scene: World, language: str
) -> None:
    """Never with silence, never with "something went wrong", and briefly; what is long is not said
    back whole.
    """
    wrong = t("error.unexpected", language)
    english = re.compile(r"\b(I|the|not|Try)\b")
    for name in COMMANDS:
        for rubbish in RUBBISH:
            answer = await scene.ask(f"/{name} {rubbish}", chat=READERS[language])
            said = answer.get("text", answer.get("caption", ""))
            assert said, (name, rubbish)
            assert said != wrong, (name, rubbish)
            assert "яяяяяяяяяяяяяяяяяяяяяяяяяяяяяяяяяяяяяяяяя" not in said, name
            assert language == "en" or not english.search(said), said
        await scene.ask("/start", chat=READERS[language])  # /stop is among them


#: What a hint is answered with here that says nothing against it: the store of this test is small,
#: and the feed of the example is nobody's.
UNDERSTOOD = {"error.no_chart", "error.no_rates_on", "error.feed"}
#: Questions that bring the hints which no rubbish of above brings.
ODD = (
    *("0 usd", "100 usd usd", "50% usd", "usd", "1/0 usd", "<", "12..5 usd"),
    *("/alert USD", "/alert < 1", "/alert USD 1 2", "/alert USD < 1 > 2", "/alert USD < 1 7d"),
    *(
        "/alert USD 0",
        "/alert USD < 1%",
        "/alert USD 1% 900d",
        "/alert KGS < 1",
        "/alert USD EUR 1",
    ),
    *("/alert USD 1 until x", "/alert USD 1 until 2020-01-01", "/alert USD 0.01%"),
    *("/convert", "/convert 0 usd", "/convert 5% usd", "/convert 1 usd usd", "/convert 1..2 usd"),
    *("/chart KGS", "/chart USD 0d", "/rates 2021-13-45", "/digest 25:00", "/settings Nowhere"),
    *("/search", "/mute", "/only", "/mute football 0d", "/mute " + "word " * 60, "/feed", "/feeds"),
)


@pytest.mark.timeout(480)  # a walk over every command
@pytest.mark.parametrize("language", READERS)
@pytest.mark.cases(keep=1)
async def test_every_hint_in_an_answer_is_understood_when_it_is_sent_back(
    scene: World, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    """As it stands, by a tap that copies it: found in the answers of all commands to nothing and to
    rubbish, and of words that are no command.
    """
    chat, wrong = READERS[language], list[str]()

    def explained(error: UserError, *given: Any, **named: Any) -> Message:
        wrong.append(error.msgid)
        return explain(error, *given, **named)

    monkeypatch.setattr(serving, "explain", explained)
    hints: dict[str, str] = {}
    asked = [f"/{name} {odd}".strip() for name in COMMANDS for odd in ("", "bla", "-1")]
    for question in (*asked, *RUBBISH, *ODD):
        answer = await scene.ask(question, chat=chat)
        if question.startswith("/stop"):
            await scene.ask("/start", chat=chat)
        text = answer.get("text", answer.get("caption", "")).encode("utf-16-le")
        for one in answer.get("entities", answer.get("caption_entities", [])):
            if one["type"] == "code":
                begin = 2 * one["offset"]
                hint = text[begin : begin + 2 * one["length"]].decode("utf-16-le")
                hints.setdefault(hint, question)
    assert len(hints) > 15
    unknown = not_understood(language).text
    for hint, question in hints.items():
        wrong.clear()
        answer = await scene.ask(hint, chat=chat)
        assert set(wrong) <= UNDERSTOOD, (question, hint, wrong)
        assert answer.get("text") != unknown, (question, hint)


@pytest.mark.parametrize("language", READERS)
def test_every_command_with_words_behind_it_is_marked_as_what_a_tap_copies(language: str) -> None:
    """A bare command is a link in every client; one with words behind it is sent without them."""
    catalog = polib.pofile(str(ROOT / "bot" / "languages" / language / "jarchy.po"))
    for entry in catalog:
        for said in (entry.msgstr, *entry.msgstr_plural.values()):
            assert said.count("`") % 2 == 0, entry.msgid
            plain = "".join(said.split("`")[::2])
            shown = re.search(r"/[a-z]+ (?=[@{\dA-Z])(?!\{kept|\{n)", plain)
            assert entry.msgid.startswith(("filters.example", "command.")) or not shown, entry.msgid


@pytest.mark.parametrize("language", READERS)
async def test_a_day_ahead_is_answered_with_where_the_latest_is(
    scene: World, language: str
) -> None:
    said = (await scene.ask("/rates USD 2099-01-01", chat=READERS[language]))["text"]
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
    world.bot.services.cards.forget()
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
