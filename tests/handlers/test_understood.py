"""Words that all commands understand alike: currencies, days, zones, numbers; in all languages."""

from __future__ import annotations

import re
from typing import Any

import pytest

from bot.i18n import t, zone_place
from handlers.services import Services
from tests.handlers.conftest import READER, RUSSIAN, STRANGER, World, days

READERS = {"en": READER, "ru": RUSSIAN, "ky": STRANGER}


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is told to slow down: this reader asks a lot."""
    monkeypatch.setattr(Services, "allow", lambda *_: True)


def said(message: dict[str, Any]) -> str:
    """The words of a message or of a picture."""
    return str(message.get("text", message.get("caption", "")))


@pytest.mark.parametrize("language", READERS)
async def test_rates_takes_a_currency_by_any_name_and_a_day_in_words(
    scene: World, language: str
) -> None:
    chat = READERS[language]
    await scene.keep(days("USD/KGS", ["80.1111", "81.2222", "84.7935"]))
    mark = "." if language == "en" else ","
    today, yesterday = f"84{mark}7935", f"81{mark}2222"
    for words in (
        "доллар",
        "$",
        "usd/kgs",
        "USDKGS",
        "Доллар США",
        "АКШ доллары",
        "US dollars",
        "долларга",
        "сом/$",
    ):
        card = said(await scene.ask(f"/rates {words}", chat=chat))
        assert today in card, words
        assert "EUR" not in card, words
    both = said(await scene.ask("/rates евро и доллар", chat=chat))
    assert both.index("EUR") < both.index("USD")
    for words in (
        "вчера", "кечээ $", "usd yesterday", "19.10", "2021-10-19", "19-10-2021", "19 октября",
        "Oct 19", "usd 19‑октябрь", "2021‑жылдын 19‑октябры", "19/10/21 доллар",
    ):  # fmt: skip
        assert yesterday in said(await scene.ask(f"/rates {words}", chat=chat)), words


async def test_charts_take_pairs_and_ranges_in_words(scene: World) -> None:
    await scene.keep(days("USD/KGS", [f"84.{number:02}" for number in range(99)]))
    for words in (
        "доллар год",
        "$ 1y",
        "доллар/сом 1 год",
        "сом к доллару за год",
        "АКШ доллары 1 жыл",
        "usdkgs 12 мес.",
        "доллар всё время",
        "АКШ доллары бүт мезгил",
    ):
        assert said(await scene.ask(f"/chart {words}", fits="USD/KGS")).startswith("USD/KGS"), words


async def test_words_around_currencies_mean_nothing_to_rates_and_charts(scene: World) -> None:
    """Both commands pass over the same ones, of every language."""
    await scene.keep(days("USD/KGS", [f"84.{number:02}" for number in range(99)]))
    for words in ("price of $", "курс доллара", "$ за последнюю", "акыркы доллар баасы"):
        assert "84.7935" in said(await scene.ask(f"/rates {words}")), words
        assert said(await scene.ask(f"/chart {words}", fits="USD/KGS")).startswith("USD/KGS"), words


@pytest.mark.parametrize(
    ("language", "word"), [("en", "stop"), ("ru", "Отключи."), ("ky", "очуруу")]
)
async def test_a_word_for_off_is_one_to_digests_and_to_quiet_hours(
    scene: World, language: str, word: str
) -> None:
    """A reader who has learnt it at one command writes it to the other."""
    chat = READERS[language]
    await scene.ask("/digest 09:00", chat=chat, fits="09:00")
    await scene.ask("/quiet 23-7", chat=chat, fits="23:00")
    digest = said(await scene.ask(f"/digest {word}", chat=chat))
    assert digest == t("digest.off", language)
    quiet = said(await scene.ask(f"/quiet {word}", chat=chat))
    assert t("quiet.none", language) in quiet.splitlines()[0]


@pytest.mark.parametrize("language", READERS)
async def test_a_bare_number_near_the_rate_is_a_level_and_says_so(
    scene: World, language: str
) -> None:
    """Far from it, it is a move, and says how a level is written; a sign in front leaves no
    question.
    """
    chat = READERS[language]
    for typed, wanted in (
        ("USD 85", "> 85"),
        ("доллар 84", "< 84"),
        ("$ 85,5", "> 85.5"),
        ("USD 22", "< 22"),
        ("EUR 100 once", "> 100"),
        ("рубль 1.2", "> 1.2"),
        ("доллар до 85", "> 85"),
        ("USD until 84", "< 84"),
        ("USD 0.5", "±0.5"),
        ("USD 20", "±20"),
        ("RUB 0.01", "±0.01"),
        ("USD ±85", "±85"),
        ("USD +85", "+85"),
    ):
        preview = said(await scene.ask(f"/alert {typed}", chat=chat, fits="KGS"))
        first, *rest = preview.replace(",", ".").splitlines()
        assert f"/KGS {wanted}" in first, typed
        hint = next((line for line in rest if "/alert" in line), "")
        if "±8" in typed or "+" in typed:
            assert not hint, typed
        else:
            other = re.search(r"/alert [A-Z]{3}/[A-Z]{3} ([<>]|1%)", hint)
            assert other is not None, preview
            assert (other[1] == "1%") == ("±" not in wanted), typed


async def test_a_level_has_no_window_and_the_answer_says_so(scene: World) -> None:
    assert "7d" in said(await scene.ask("/alert USD 85 7d"))


@pytest.mark.parametrize("language", READERS)
async def test_alerts_take_currencies_pairs_and_days_in_words(scene: World, language: str) -> None:
    chat = READERS[language]
    await scene.keep(days("USD/EUR", ["0.85", "0.86"]))
    for typed, wanted in (
        ("доллар США выше 90", "USD/KGS > 90"),
        ("АКШ доллары 90дон жогору", "USD/KGS > 90"),
        ("$ USD > 90", "USD/KGS > 90"),
        ("usd/kgs > 90", "USD/KGS > 90"),
        ("usdkgs > 90", "USD/KGS > 90"),
        ("доллар/евро > 0,9", "USD/EUR > 0.9"),
        ("доллар к евро > 0,9", "USD/EUR > 0.9"),
        ("usd to eur > 0.9", "USD/EUR > 0.9"),
        ("USD > 90 сом", "USD/KGS > 90"),
        ("если доллар упадёт ниже 80", "USD/KGS < 80"),
        ("доллар > 90 до 31 декабря", "USD/KGS > 90"),
        ("USD > 90 until 31.12", "USD/KGS > 90"),
        ("доллар 90дон жогору 31-декабрга чейин", "USD/KGS > 90"),
    ):
        first = said(await scene.ask(f"/alert {typed}", chat=chat, fits=wanted[:7])).splitlines()[0]
        assert wanted in first.replace("0,9", "0.9"), typed
        if "31" in typed:
            assert "2021" in first, typed


@pytest.mark.parametrize("language", READERS)
async def test_settings_take_a_zone_as_people_write_it(scene: World, language: str) -> None:
    chat = READERS[language]
    for typed, zone, clock in (
        ("europe/moscow", "Europe/Moscow", "07:00"),
        ("в Москве", "Europe/Moscow", "07:00"),
        ("Ошто", "Asia/Bishkek", "10:00"),
        ("Нью-Йорк", "America/New_York", "00:00"),
        ("UTC+6", "Etc/GMT-6", "10:00"),
        ("−3", "Etc/GMT+3", "01:00"),
        ("+0530", "Asia/Kolkata", "09:30"),
        ("GMT+06:00", "Etc/GMT-6", "10:00"),
    ):
        shown = zone_place(zone, language)
        answer = said(await scene.ask(f"/settings {typed}", chat=chat, fits=clock))
        assert shown in answer, typed
        assert shown in said(
            await scene.ask("/settings", chat=chat, fits="UTC" if "UTC" in shown else shown)
        ), typed
