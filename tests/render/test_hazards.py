"""The place of a hazard, as its reader calls it."""

from __future__ import annotations

import pytest

from bot.detect.facts import surroundings
from bot.i18n import place_name
from bot.languages import LANGUAGES
from bot.model.hazards import Hazard, HazardKind
from bot.render.hazards import place


def where(said: str, language: str) -> str:
    """The words for a place as an institute writes it."""
    hazard = Hazard(
        kind=HazardKind.EARTHQUAKE, size=None, place=said, latitude=None, longitude=None
    )
    return place(hazard, language)


@pytest.mark.parametrize(
    ("said", "russian", "kyrgyz"),
    [
        (
            "24 km S of Kadji-Sai, Kyrgyzstan",
            "Каджи-Сай, Кыргызстан: 24\u00a0км к югу",
            "Кажы-Сай, Кыргызстан: түштүккө карай 24\u00a0км",
        ),
        (
            "12 km WNW of Gul’cha, Kyrgyzstan",
            "Гульча, Кыргызстан: 12\u00a0км к северо-западу",
            "Гүлчө, Кыргызстан: түндүк-батышка карай 12\u00a0км",
        ),
        (
            "5 km N of Jalalabad, Afghanistan",
            "Джелалабад, Афганистан: 5\u00a0км к северу",
            "Жалалабад, Ооганстан: түндүккө карай 5\u00a0км",
        ),
        (
            "Kyrgyzstan-Xinjiang border region",
            "граница: Кыргызстан – Синьцзян",
            "чек ара: Кыргызстан – Шинжаң",
        ),
        ("Tajikistan", "Таджикистан", "Тажикстан"),
    ],
)
def test_a_place_that_has_a_name_in_the_readers_language_is_told_by_it(
    said: str, russian: str, kyrgyz: str
) -> None:
    assert (where(said, "ru"), where(said, "ky")) == (russian, kyrgyz)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_place_that_nobody_here_knows_stays_as_it_was_written(language: str) -> None:
    assert where("Nowhere-on-Sea", language) == "Nowhere-on-Sea"
    assert where("Чуйская область, Сокулукский район", language).startswith("Чуйская область")
    assert where("7 km S of Nowhere, Kyrgyzstan", language).count("Nowhere") == 1


def test_an_english_reader_has_the_institutes_own_words() -> None:
    assert where("24 km S of Kadji-Sai, Kyrgyzstan", "en") == (
        "24\u00a0km south of Kadji-Sai, Kyrgyzstan"
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_place_that_is_found_in_texts_has_a_name(language: str) -> None:
    """Filters offer it by that, and never as a headline had it."""
    unnamed = []
    for key, around in surroundings().items():
        if around not in {("org",), ("head",)} and place_name(key, language) is None:
            unnamed.append(key)
    assert unnamed == []
