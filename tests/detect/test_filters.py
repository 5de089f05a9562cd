"""Filters on stories: words in any form and language, places, sources, topics, one story."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from itertools import count

import pytest

from bot.detect import filters
from bot.detect.filters import LONGEST_OFFERED, Looked, keeps_back, less_of, source_code
from bot.detect.search import sequence_of, words_of
from bot.model.filters import Sense, StoredFilter, Trait
from bot.model.news import StoredEntry, Story
from tests.factories import NOW, entry

NUMBERS = count(1)


def story(
    title: str, text: str = "", *, language: str = "en", feeds: str = "one", measured: str = ""
) -> Story:
    """A story that each of these feeds reports in the same words; or what an institute wrote."""
    entries = [
        StoredEntry(
            pk=number,
            feed=feed,
            entry=entry(title=title, summary=text, content=measured, language=language),
            seen_at=NOW,
            story=7,
        )
        for number, feed in enumerate(feeds.split())
    ]
    return Story(pk=7, entries=tuple(entries), topics=("security",))


def a_filter(what: str, sense: Sense = Sense.NEVER, trait: Trait = Trait.WORD) -> StoredFilter:
    """One of a chat."""
    return StoredFilter(id=next(NUMBERS), chat=1, sense=sense, trait=trait, what=what, said=what)


@pytest.mark.parametrize(
    ("what", "title", "language", "kept"),
    [
        ("drone", "Two drones fell near the bridge", "en", True),
        ("drone", "The dronefly is back", "en", False),
        ("футбол", "Сборная по футболу вышла в финал", "ru", True),
        ("выборы", "Итоги выборов объявят в среду", "ru", True),
        ("жер титирөө", "Нарында жер титирөө болду", "ky", True),
        ("жер титироо", "Нарында жер титирөөдөн үйлөр кулады", "ky", True),
        ("border guards", "A border guard was hurt", "en", True),
        ("border guards", "A guard at the border was hurt", "en", False),
        ("border guards", "A border post. Guards came later", "en", False),
        ("step by step guide", "A step by step guide to visas", "en", True),
        ("day by day", "Day by night", "en", False),
        ("100%", "Prices rose by 100 som", "en", True),
        ("?", "What now?", "en", False),
        # names in other letters than the text's
        ("wildberries", "На складе Wildberries пожар", "ru", True),
        ("Wildberries", "Wildberries кампасында өрт чыкты", "ky", True),
        ("Кумтор", "The Кумтор mine is closed", "en", True),
        ("24.kg", "Об этом сообщает 24.kg", "ru", True),
    ],
)
def test_a_word_is_found_in_any_form_and_several_side_by_side(
    what: str, title: str, language: str, kept: bool
) -> None:
    looked = Looked(story(title, language=language))
    assert (keeps_back([a_filter(what)], looked) is not None) is kept


@pytest.mark.slow
def test_words_that_nobody_has_any_more_are_forgotten() -> None:
    """However many chats had however many of their own: what stays of them is a few megabytes."""
    keeps_back([a_filter("выборы")], Looked(story("Итоги выборов", language="ru")))
    tracemalloc.start()
    try:
        begun, _ = tracemalloc.get_traced_memory()
        for number in range(12_000):
            keeps_back([a_filter(f"выбор{number} округ{number}")], Looked(story("Итоги", feeds="")))
        looked, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (looked - begun) / 1024 / 1024 < 6


def test_a_word_is_looked_for_in_every_report() -> None:
    """Also in those that do not lead."""
    two = story("Fire in a market", feeds="one")
    more = story("Пожар на рынке", language="ru", feeds="two")
    both = Story(pk=7, entries=(*two.entries, *more.entries))
    assert keeps_back([a_filter("пожары")], Looked(both))
    assert not keeps_back([a_filter("пожары")], Looked(two))


@pytest.mark.parametrize(
    ("title", "language"),
    [
        ("Shots near Batken", "en"),
        ("В Баткене слышали выстрелы", "ru"),
        ("Баткенде ок атылды", "ky"),
        ("Floods in Leilek district", "en"),  # a part of Batken
    ],
)
def test_a_place_is_the_same_in_every_language_and_has_its_parts(title: str, language: str) -> None:
    place = a_filter("batken", trait=Trait.PLACE)
    assert keeps_back([place], Looked(story(title, language=language))) is place
    assert not keeps_back([place], Looked(story("Shots near Osh")))


def test_only_lets_through_what_has_one_of_the_marks() -> None:
    only = [
        a_filter("osh", Sense.ONLY, Trait.PLACE),
        a_filter("earthquake", Sense.ONLY),
    ]
    assert keeps_back(only, Looked(story("Fire in Osh"))) is None
    assert keeps_back(only, Looked(story("Earthquake in Naryn"))) is None
    assert keeps_back(only, Looked(story("Fire in Naryn"))) is only[0]


def test_must_asks_for_each_and_never_outranks_only() -> None:
    must = [a_filter("fire", Sense.MUST), a_filter("osh", Sense.MUST, Trait.PLACE)]
    assert keeps_back(must, Looked(story("Fire in Osh"))) is None
    assert keeps_back(must, Looked(story("Fire in Naryn"))) is must[1]
    both = [a_filter("osh", Sense.ONLY, Trait.PLACE), a_filter("football")]
    assert keeps_back(both, Looked(story("Football in Osh"))) is both[1]


def test_a_story_is_told_while_a_source_that_is_not_muted_reports_it() -> None:
    """Of two sources the one is not heard of, and the other is no worse for it."""
    muted = a_filter("one", trait=Trait.SOURCE)
    assert keeps_back([muted], Looked(story("Fire"))) is muted
    assert keeps_back([muted], Looked(story("Fire", feeds="one two"))) is None
    both = [muted, a_filter("two", trait=Trait.SOURCE)]
    assert keeps_back(both, Looked(story("Fire", feeds="one two"))) is muted
    only = a_filter("two", Sense.ONLY, Trait.SOURCE)
    assert keeps_back([only], Looked(story("Fire", feeds="one two"))) is None
    assert keeps_back([only], Looked(story("Fire"))) is only


def test_a_topic_and_one_story() -> None:
    for one in (a_filter("security", trait=Trait.TOPIC), a_filter("7", trait=Trait.STORY)):
        assert keeps_back([one], Looked(story("Fire"))) is one
    for one in (a_filter("economy", trait=Trait.TOPIC), a_filter("8", trait=Trait.STORY)):
        assert keeps_back([one], Looked(story("Fire"))) is None


def test_less_of_a_story_is_less_of_it_of_its_sources_its_places_or_its_words() -> None:
    """A source and a place as the reader calls them; at most so many of each as fit on a screen."""
    told = story(
        "Shelling near Batken, Osh and Naryn: evacuation continues overnight",
        feeds="agency two three four",
    )
    offered = less_of(told, {"agency": "Горные вести"}, "en")
    assert list(offered) == [
        "story", *map(source_code, ("agency", "two", "three")), "place-batken", "place-osh",
        "word-shelling", "word-evacuation",
    ]  # fmt: skip
    assert {one.sense for one in offered.values()} == {Sense.NEVER}
    found = {code: (one.trait, one.what, one.said) for code, one in offered.items()}
    assert found[source_code("agency")] == (Trait.SOURCE, "agency", "Горные вести")
    assert found[source_code("two")] == (Trait.SOURCE, "two", "two")
    assert found["word-evacuation"] == (Trait.WORD, "evacuation", "evacuation")


def test_the_sources_offered_are_those_that_the_message_credits() -> None:
    """Who is told it in their language reads other names first than those that were first."""
    reports = [
        replace(one, entry=replace(one.entry, language=written))
        for one, written in zip(
            story("Fire", feeds="a b c d").entries, ("en", "en", "en", "ru"), strict=True
        )
    ]
    told = replace(story("Fire"), entries=tuple(reports))
    offered = less_of(told, {}, "ru")
    sources = [one.what for one in offered.values() if one.trait is Trait.SOURCE]
    assert tuple(sources) == told.told_in("ru").feeds[:3] == ("d", "a", "b")


def test_a_button_names_the_same_source_when_one_that_leads_has_joined() -> None:
    """The menu that somebody looks at was made before."""
    before, after = (story("Fire", feeds=feeds) for feeds in ("gossip", "ministry gossip"))
    offered = {code: one.what for code, one in less_of(before, {}, "en").items()}
    since = {code: one.what for code, one in less_of(after, {}, "en").items()}
    assert offered.items() <= since.items()


@pytest.mark.parametrize(
    ("title", "language", "words", "places"),
    [
        (
            "Перестрелка на границе в Баткене: 2 пограничника ранены",
            "ru",
            ["перестрелка", "граница", "пограничник"],
            ["Баткен"],
        ),
        (
            "Нарында жер титирөө болду, куткаруучулар 140 тургунду эвакуациялады",
            "ky",
            ["жер титирөө", "куткаруучу", "эвакуация"],
            ["Нарын"],
        ),
        # what its reader cannot read is nothing to choose by; a place has a name all the same
        ("Earthquake hits Naryn", "ky", [], ["Нарын"]),
        ("earthquake 5.4: Naryn, Kyrgyzstan", "ky", ["жер титирөө"], ["Нарын"]),
    ],
)
def test_words_and_places_are_offered_as_a_dictionary_of_the_readers_language_has_them(
    title: str, language: str, words: list[str], places: list[str]
) -> None:
    """The name of a measured event counts as said in every language. Whatever is offered under a
    story would have kept it back.
    """
    measured = title if title.startswith("earthquake") else ""
    told = story(title, language="en" if title.isascii() else language, measured=measured)
    offered = less_of(told, {}, language)
    by_trait = {trait: [one for one in offered.values() if one.trait is trait] for trait in Trait}
    assert [one.said for one in by_trait[Trait.WORD]] == words
    # as one that is typed is kept, so that it is the same filter
    assert [one.what for one in by_trait[Trait.WORD]] == [words_of(one) for one in words]
    assert [one.said for one in by_trait[Trait.PLACE]][:1] == places
    for one in (*by_trait[Trait.WORD], *by_trait[Trait.PLACE]):
        assert keeps_back([a_filter(one.what, trait=one.trait)], Looked(told)) is not None, one


def test_what_is_offered_fits_a_button_and_a_filter() -> None:
    """A headline is cut, a word too long for a button's data is left out."""
    offered = less_of(story("Ы" * 19 + " " + "word " * 30), {}, "en")
    assert offered["story"].said == ("Ы" * 19 + " " + "word " * 30)[:60]
    assert not [code for code in offered if len(code.encode()) > LONGEST_OFFERED + len("word-")]


#: What a reader writes in Kyrgyz, and words of texts that mean it.
FORMS = """
түрмө: түрмөдө түрмөнүн түрмөлөрдөн түрмөсүндө
түрмөдө: түрмө түрмөлөр
мектеп: мектебинде мектептер мектепке
кырсык: кырсыгы кырсыктан
жарылуу: жарылды жарылган жарылуусу
аткылоо: аткылады аткылоодо
ракета: ракеталар ракетасы
депутаттардын: депутат депутаты
китеби: китеп китептер
чек: чеги чекте
жолу: жол жолду жолдо жолдордун жолунда
өртү: өрт өрттүн өртүнөн
суусу: суу сууда суулары
"""
#: And words that only begin like it.
OTHERS = """
түрмө: тургун турмуш түрк
мина: министр минут
банда: банк бандит
контрабанда: контракт
карантин: карандаш
жаран: жарым жардам
билим: билет билик
салык: салым салат
концерт: концерн
жолу: жолдош жолборс
баасы: баатыр
"""


def pairs(table: str) -> list[tuple[str, str]]:
    """Each word that is written, beside each of a text."""
    found: list[tuple[str, str]] = []
    for line in table.strip().splitlines():
        written, _, words = line.partition(": ")
        found += [(written, word) for word in words.split()]
    return found


def test_kyrgyz_words_are_found_in_their_forms_and_no_others() -> None:
    """An ending is cut where one can stand, and no letter besides; by letters of a Russian keyboard
    too.
    """
    for written, word in [*pairs(FORMS), ("турмо", "түрмөдө")]:
        assert keeps_back([a_filter(written)], Looked(story(word, language="ky"))), (written, word)
    for written, word in pairs(OTHERS):
        assert not keeps_back([a_filter(written)], Looked(story(word, language="ky"))), (
            written,
            word,
        )


def test_of_a_great_events_reports_so_much_is_looked_into_as_holds_nobody_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of few reports all; of hundreds the beginning of each, in which the last one's word is."""
    read: list[int] = []

    def counted(text: str, code: str | None) -> list[str]:
        read.append(len(text))
        return sequence_of(text, code)

    monkeypatch.setattr(filters, "sequence_of", counted)
    long = story("Flood", "water and mud " * 500, feeds=" ".join(map(str, range(300))))
    last = replace(long.entries[-1], entry=entry(title="A drone fell", language="en"))
    assert Looked(replace(long, entries=(*long.entries, last))).has(Trait.WORD, "drone")
    assert sum(read) <= filters.LOOKED_INTO
    few = replace(long, entries=long.entries[:5])
    assert not Looked(few).has(Trait.WORD, "drone")
    assert min(read[-5:]) > 7000
