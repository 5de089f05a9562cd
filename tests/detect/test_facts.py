"""One event told in two languages is one story; two events never are."""

from __future__ import annotations

import json
from datetime import timedelta
from itertools import combinations
from pathlib import Path

import pytest

from bot.detect.facts import events, facts_of, name_key, places, units
from bot.detect.stories import ENOUGH, best_match, same_story
from bot.detect.weighing import same_name, weigh
from bot.model.news import Entry, StoredEntry
from tests.factories import NOW, entry


def told() -> list[tuple[str, Entry]]:
    """Invented events, each as an English, a Russian and a Kyrgyz newsroom would report it."""
    lines = Path(__file__).with_name("events.tsv").read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if not line.startswith("#")]
    return [
        (event, entry(id=f"{event} {language}", title=title, summary=text, language=language))
        for event, language, title, text in rows
    ]


ABROAD = [
    (event == other, a, b)
    for (event, a), (other, b) in combinations(told(), 2)
    if a.language != b.language
]


def test_an_event_is_recognised_in_another_language() -> None:
    """At least nine of ten pairs of the invented events; the rest is one message more."""
    found = [same_story(a, b).same for same, a, b in ABROAD if same]
    assert len(found) > 150
    assert sum(found) / len(found) >= 0.9


def test_two_events_are_never_one_in_two_languages() -> None:
    """Two earthquakes, two summits, two raids with drones, a crash and its funeral: not one pair of
    thousands.
    """
    joined = [(a.title, b.title) for same, a, b in ABROAD if not same and same_story(a, b).same]
    assert joined == []


def pair(en: str, ru: str, *, hours: float = 0) -> bool:
    """Whether an English and a Russian headline are one event."""
    return same_story(
        entry(title=en, summary=""), entry(title=ru, summary="", language="ru"), hours_apart=hours
    ).same


EN, RU = (
    "Blast at Uzgen market kills 7, wounds 23",
    "На рынке в Узгене взрыв: 7 погибших, 23 раненых",
)


@pytest.mark.parametrize(
    ("en", "ru"),
    [
        (EN, RU.replace("Узгене", "Нарыне")),
        (EN, "В школе в Узгене взрыв: 7 погибших"),
        (EN, "На рынке в Узгене взрыв: 40 погибших, 90 раненых"),
        (EN, "В Узгене опровергли взрыв на рынке: 7 погибших, 23 раненых – ложь"),
        (EN, "Расследование взрыва на рынке в Узгене: 7 погибших, 23 раненых"),
        (EN, "На рынке в Узгене пожар: 7 погибших, 23 раненых"),
    ],
)
def test_what_contradicts_keeps_two_languages_apart(en: str, ru: str) -> None:
    """Another place, scene, toll or kind of event, a denial, an inquiry."""
    assert pair(EN, RU)
    assert not pair(en, ru)


def test_magnitudes_of_one_earthquake_may_differ_by_a_little() -> None:
    """Two seismic networks say 5.1 and 5.3; 4.6 is the next shock."""
    en = "Earthquake of magnitude 5.1 shakes Leilek"
    assert pair(en, "Землетрясение магнитудой 5,3 в Лейлеке")
    assert not pair(en, "Землетрясение магнитудой 4,6 в Лейлеке")


def test_another_language_is_given_a_day_and_a_half() -> None:
    assert pair(EN, RU, hours=24)
    assert not pair(EN, RU, hours=37)


def test_a_city_under_fire_every_day_is_not_one_event() -> None:
    """The same city and the same toll a day later: another night."""
    en, ru = "Russian missiles hit Kharkiv, 5 killed", "Ракетный удар по Харькову: пятеро погибших"
    assert pair(en, ru, hours=2)
    assert not pair(en, ru, hours=22)


def test_kyrgyz_without_its_own_letters_is_read_alike() -> None:
    """ө, ү and ң are typed о, у and н on many keyboards."""
    title = "Өзгөндө сел жүрүп, үч киши каза болду, 34 үй-бүлө көчүрүлдү"
    plain = title.translate(str.maketrans("өүңӨҮҢ", "оунОУН"))
    assert facts_of(plain, "", "ky") == facts_of(title, "", "ky")
    en = entry(title="Mudflow in Uzgen kills three, 34 families evacuated", summary="")
    assert same_story(en, entry(title=plain, summary="", language="ky")).same


@pytest.mark.parametrize(
    ("latin", "cyrillic"),
    [
        ("Zhaparov", "Жапаровдун"),
        ("Japarov", "Жапарова"),
        ("Soltonoev", "Солтоноевым"),
        ("Cholponbayev", "Чолпонбаев"),
        ("Ömüraliev", "Өмүралиев"),
        ("Akhmedkhodzhaev", "Ахмедходжаева"),
    ],
)
def test_a_name_is_the_same_in_two_alphabets(latin: str, cyrillic: str) -> None:
    """Transliterations disagree on vowels, zh and j, kh and h; case endings come after."""
    assert same_name(name_key(latin), name_key(cyrillic))
    assert not same_name(name_key("Toktosunov"), name_key(cyrillic))


@pytest.mark.parametrize(
    ("language", "text", "unit", "value"),
    [
        ("en", "twenty-three people killed and 5 wounded", "dead", 23),
        ("en", "$3 million was stolen", "usd", 3_000_000),
        ("en", "1,200 troops take part", "troops", 1200),
        ("ru", "погибли трое, 12 ранены", "dead", 3),
        ("ru", "погибли трое, 12 ранены", "hurt", 12),
        ("ru", "взятка в 40 тысяч долларов", "usd", 40_000),
        ("ru", "толчки в 6:40 утра", "clock", 400),
        ("ky", "жыйырма үч киши каза тапты", "dead", 23),
        ("ky", "38 кг героин табылды", "kg", 38),
        ("ky", "9-октябрга чейин", "month 10", 9),
    ],
)
def test_numbers_say_what_they_count(language: str, text: str, unit: str, value: float) -> None:
    """Digits, words, thousands and millions, with the word they belong to."""
    assert (unit, value) in facts_of("", text, language).numbers


def test_the_tables_speak_three_languages() -> None:
    """Every place has a name in each language, every kind of event and unit a word."""
    for table in (events, units, places):
        kinds = []
        for language in ("en", "ru", "ky"):
            lexicon = table(language)
            indexed = [*lexicon.exact.values(), *lexicon.stems.values()]
            kinds.append({pattern.kind for patterns in indexed for pattern in patterns})
        assert (
            kinds[0] - {"-"} - {kind for kind in kinds[0] if kind.startswith("= ")}
            <= kinds[1] & kinds[2]
        )


def test_the_best_of_the_recent_entries_may_be_in_another_language() -> None:
    """The right event among the invented ones, and none for a new one."""
    everything = told()
    recent = [
        StoredEntry(pk=pk, feed="f", entry=item, seen_at=NOW - timedelta(hours=1), story=pk)
        for pk, (_, item) in enumerate(everything)
        if item.language != "ru"
    ]
    asked = next(
        item for event, item in everything if event == "heli.naryn" and item.language == "ru"
    )
    found = best_match(asked, recent, now=NOW)
    assert found is not None
    assert everything[found[0].pk][0] == "heli.naryn"
    new = entry(id="new", title="Взрыв на складе в Таласе, двое раненых", summary="", language="ru")
    assert best_match(new, recent, now=NOW) is None


def test_real_stories_years_apart_are_not_joined(shared: Path) -> None:
    """Security stories of 2020 to 2023 in English and of 2024 in Russian: one yes in 160 000 at
    most.
    """
    sides = []
    for language in ("en", "ru"):
        lines = (
            (shared / f"data/security/{language}.dev.jsonl")
            .read_text(encoding="utf-8")
            .splitlines()
        )
        rows = [row for row in map(json.loads, lines) if row["label"] == "security"][:400]
        sides.append([facts_of(row["title"], row["text"], language) for row in rows])
    said = sum(weigh(a, b)[0] >= ENOUGH for a in sides[0] for b in sides[1])
    assert len(sides[0]) * len(sides[1]) == 160_000
    assert said <= 1
