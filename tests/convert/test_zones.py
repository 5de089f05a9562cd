"""A time zone by a city in three languages, by an offset, by its name in any case."""

from __future__ import annotations

import pytest

from bot.convert import read_zone
from bot.i18n import zone_name

ZONES = """
Europe/Moscow | Europe/Moscow, europe/moscow, EUROPE/MOSCOW, Moscow, Москва
Europe/Moscow | в Москве, по Москве, Москвада, мск, MSK
Europe/Moscow | московское время, по московскому времени, Moscow time
Europe/Moscow | Москва убактысы, Санкт-Петербург, Казань
Asia/Bishkek | Бишкек, Bishkek, asia/bishkek, Бишкекте, в Бишкеке, Ош
Asia/Bishkek | Osh, Ошто, Каракол, Кыргызстан, Kyrgyzstan
Asia/Bishkek | Джалал-Абад, Жалал-Абад, бишкекское время, asia bishkek
Asia/Almaty | Алматы, Алма-Ата, Almaty, Астана, Казахстан, Казакстан, Алматыда
Asia/Tashkent | Ташкент, Tashkent, в Ташкенте, Ташкентте, Өзбекстан
Europe/Istanbul | Istanbul, Стамбул, Стамбулда, Турция
Europe/Berlin | Берлин, Berlin, Берлинде, Мюнхен, Germany
America/New_York | New York, new-york, New_York, Нью-Йорк
America/New_York | america/new_york, Нью-Йоркто, America/New York
Asia/Seoul | Сеул, Seoul, Сеулда
Asia/Shanghai | Пекин, Beijing, Шанхай, Китай, Кытай
Asia/Dubai | Дубай, Dubai, ДУБАЙДА, ОАЭ
Europe/Zurich | Zurich, Zürich, Цюрих
Etc/GMT-6 | +6, UTC+6, utc+6, GMT+06:00, +06:00, +0600, UTC +6, utc 6
Etc/GMT-3 | GMT+3, UTC+3, +3, +03, UTC+03:00
Etc/GMT+5 | UTC-5, −5, UTC−5, GMT–05:00, -5
Etc/GMT-7 | мск+4, MSK+4
Asia/Kolkata | +5:30, +0530, UTC+5:30, UTC+05:30, GMT+5.5
Asia/Kathmandu | UTC+5:45, +0545
Etc/UTC | UTC+0, +0, -0, UTC, utc, GMT
Etc/GMT-14 | +14
Etc/GMT+12 | -12
"""


def pairs() -> list[tuple[str, str]]:
    """Each name with its zone."""
    found = []
    for line in ZONES.strip().splitlines():
        key, names = line.split(" | ")
        found += [(name, key) for name in names.split(", ")]
    return found


@pytest.mark.parametrize(("name", "key"), pairs())
def test_a_zone_is_known_by_city_offset_and_name(name: str, key: str) -> None:
    assert read_zone(name) == key
    assert read_zone(f"  {name}. ") == key


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "x",
            "Mars/Base",
            "../../etc/passwd",
            "/etc/localtime",
            "localtime",
            "Factory",
            "x" * 300,
            "6",
            "06:00",
        ),
        *(
            "UTC+15",
            "-13",
            "+6:75",
            "+5:20",
            "UTC+",
            "+",
            "Россия",
            "курс",
            "the",
            "время",
            "\x00",
            "+6+6",
            "Moscow Berlin",
        ),
    ],
)
def test_what_names_no_zone_is_none(text: str) -> None:
    """Also a country of many zones, and an offset nobody keeps."""
    assert read_zone(text) is None


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("Moscow, Russia", "Europe/Moscow"),
        ("Россия, Москва", "Europe/Moscow"),
        ("Москва (РФ)", "Europe/Moscow"),
        ("в Москве, Россия", "Europe/Moscow"),
        ("Bishkek, Kyrgyzstan", "Asia/Bishkek"),
        ("Ош шаары, Кыргызстан", "Asia/Bishkek"),
        ("Samarkand, Uzbekistan", "Asia/Samarkand"),
        ("New York, USA", "America/New_York"),
        ("London, England", "Europe/London"),
        ("Istanbul, Turkey", "Europe/Istanbul"),
        ("Moscow, Germany", None),
        ("Paris, Texas", None),
        ("Moscow, Berlin", None),
        ("Moscow, ", "Europe/Moscow"),
        ("Osh, Osh, Kyrgyzstan", None),
    ],
)
def test_a_city_is_known_beside_its_own_country_alone(text: str, key: str | None) -> None:
    """In either order; a city of that name elsewhere is another one."""
    assert read_zone(text) == key


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("Джалалабад", "Asia/Bishkek"),
        ("Жалалабад", "Asia/Bishkek"),
        ("Жалалабадда", "Asia/Bishkek"),
        ("в Джалалабаде", "Asia/Bishkek"),
        ("Jalalabad", "Asia/Bishkek"),
        ("Карабалта", "Asia/Bishkek"),
        ("Ысыккөл", "Asia/Bishkek"),
        ("Алмаата", "Asia/Almaty"),
        ("Уланбатор", "Asia/Ulaanbaatar"),
        ("Нью Йорк", "America/New_York"),
        ("newyork", "America/New_York"),
    ],
)
def test_a_name_of_two_words_is_known_as_one(text: str, key: str) -> None:
    assert read_zone(text) == key


def test_an_offset_is_shown_as_it_was_written() -> None:
    """The key's sign is turned round; readers never see that."""
    shown = [
        zone_name(key) for key in ("Etc/GMT-6", "Etc/GMT+5", "Asia/Bishkek", "Etc/UTC", "Etc/GMT")
    ]
    assert shown == ["UTC+6", "UTC−5", "Asia/Bishkek", "Etc/UTC", "Etc/GMT"]
