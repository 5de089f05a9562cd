"""What reports are of what an institute measured, and what only sounds like it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from bot.detect import hazards
from bot.detect.hazards import kinds_reported, measured_story
from bot.languages import language as spoken
from bot.languages.parts import HazardWords
from bot.model.hazards import Hazard, HazardKind
from bot.model.news import Entry, StoredEntry

pytestmark = pytest.mark.cases

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
STORY, OTHER = 7, 8
KAJI_SAY = "40 km S of Kaji-Say, Kyrgyzstan"
QUAKE = "Землетрясение магнитудой 5,4 произошло в Кыргызстане"
FLOOD = "Сель сошел в Караколе: эвакуированы люди"
HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)


def institutes(
    kind: str = "earthquake",
    place: str = KAJI_SAY,
    *,
    size: str | None = "5.4",
    at: datetime = NOW,
    story: int = STORY,
    point: tuple[float | None, float | None] = (42.0, 75.0),
    withdrawn: bool = False,
) -> StoredEntry:
    """What an institute measured, as it is stored."""
    hazard = Hazard(
        kind=HazardKind(kind),
        size=Decimal(size) if size else None,
        place=place,
        latitude=point[0],
        longitude=point[1],
        withdrawn=withdrawn,
    )
    item = Entry(
        id=f"KG-{story}",
        title=f"{kind.capitalize()}: {place}",
        published_at=at,
        content=str(hazard),
        language="en",
    )
    return StoredEntry(pk=story, feed="met", entry=item, seen_at=at, story=story)


def agencys(
    title: str, text: str = "", *, at: datetime = NOW, story: int = STORY, language: str = ""
) -> StoredEntry:
    """What an agency wrote, as it is stored."""
    item = Entry(id="r", title=title, summary=text, published_at=at, language=language or None)
    return StoredEntry(pk=story, feed="agency", entry=item, seen_at=at, story=story)


def story_of(report: StoredEntry, *recent: StoredEntry) -> int | None:
    """The story that an entry joins."""
    return measured_story(report.entry, report.feed, recent, at=report.at)


def joins(kind: str, place: str, title: str, text: str, language: str = "") -> bool:
    """Whether a report of now is of what was measured an hour ago."""
    size = "5.4" if kind == "earthquake" else "3.0"
    measured = institutes(kind, place, size=size, at=NOW - timedelta(hours=1))
    report = agencys(title, text, language=language)
    asked = HazardKind(kind) in kinds_reported(report.entry)
    return asked and story_of(report, measured) == STORY


@pytest.fixture(autouse=True)
def words_read_anew() -> Iterator[None]:
    """A test has the words as they are now, and leaves none to others."""
    hazards._words.cache_clear()
    yield
    hazards._words.cache_clear()


@pytest.mark.parametrize(
    ("kind", "place", "title", "text"),
    [
        ("flood", "Issyk-Kul, Kyrgyzstan", "Сель сошел на Иссык-Куле: эвакуированы люди", ""),
        ("flood", "Issyk-Kul, Kyrgyzstan", "Mudflow hits Karakol, killing three", ""),
        ("flood", "Issyk-Kul, Kyrgyzstan", "Паводок затопил дома", "Вода пришла в Каракол."),
        ("flood", "Иссык-Кульская область", "Mudflow hits Karakol, killing three", ""),
        ("flood", "Ысык-Көл облусу", "Сель сошел в Караколе", "Погибли двое."),
        ("landslide", "Osh, Kyrgyzstan", "Оползень накрыл дом в Оше, погибли дети", ""),
        ("landslide", "Osh, Kyrgyzstan", "Three killed by landslide in Osh", ""),
        ("landslide", "Osh, Kyrgyzstan", "Ошто жер көчкү үйдү басып калды", ""),
        ("avalanche", "Naryn, Kyrgyzstan", "Лавина накрыла лыжников в Нарыне", ""),
        ("flood", "Pakistan", "Floods kill 50 in Pakistan", "India offered help."),
        (
            "earthquake",
            "40 km N of Almaty, Kazakhstan",
            "Землетрясение магнитудой 5,4 ощутили в Бишкеке",
            "Толчки были слабыми. Эпицентр находился в Казахстане.",
        ),
        ("earthquake", KAJI_SAY, "Землетрясение магнитудой 5,4 напугало жителей", ""),
        (
            "earthquake",
            KAJI_SAY,
            "Землетрясение магнитудой 5,4 напугало жителей",
            "Эпицентр находился в Кыргызстане.",
        ),
        ("earthquake", "Far out at sea", "Earthquake of magnitude 5.4 felt in Kyrgyzstan", ""),
        ("flood", "Karakol", "", "Сель сошел в Караколе. Погибли двое."),
        ("landslide", "Osh, Kyrgyzstan", "", "Оползень накрыл дом в Оше. Погибли дети."),
    ],
)
def test_a_report_is_of_what_was_measured(kind: str, place: str, title: str, text: str) -> None:
    assert joins(kind, place, title, text)


@pytest.mark.parametrize(
    ("kind", "place", "title", "text"),
    [
        ("flood", "Bishkek", "Flood of refugees reaches Bishkek", "Troops help them."),
        ("flood", "Karakol", "Поток беженцев затопил Каракол", ""),
        ("flood", "Karakol", "Прорыв трубы затопил больницу в Караколе", ""),
        ("flood", "Bishkek", "Bishkek police flooded with calls", "They ask for help."),
        ("avalanche", "Bishkek", "Лавина звонков обрушилась на полицию Бишкека", ""),
        ("avalanche", "Bishkek", "Avalanche of complaints in Bishkek", ""),
        ("landslide", "Osh", "Opposition wins by a landslide in Osh", ""),
        ("landslide", "Bishkek", "Building collapses in Bishkek, three killed", ""),
        ("landslide", "Bishkek", "В Бишкеке обрушилась стена школы", "Ранены дети."),
        ("flood", "Karakol", "Взрыв затопил шахту в Караколе", ""),
        ("flood", "Karakol", "Годовщина: пять лет назад сель в Караколе унёс 12 жизней", ""),
        ("flood", "Karakol", "Ten years since the Karakol flood that killed 30", ""),
        ("flood", "Karakol", "Сель сошел в Баткене", "Ранее сель сошел в Караколе."),
        ("flood", "Issyk-Kul", "Наводнение в Пакистане", "Погибли жители Иссык-Куля."),
        ("storm", "Bishkek", "Hurricane kills 20 in Florida", "One was from Bishkek."),
        ("flood", "Pakistan", "Floods kill 50 in India", "Pakistan offered help."),
        ("flood", "Jalal-Abad", "Flood in Jalalabad, Afghanistan, kills 20", ""),
        (
            "earthquake",
            "40 km S of Kaji-Say, Kyrgyzstan",
            "Землетрясение магнитудой 5,4 произошло в Японии",
            "Эпицентр был в море у берегов Японии. Граждане Кыргызстана не пострадали.",
        ),
        (
            "earthquake",
            "40 km S of Kaji-Say, Kyrgyzstan",
            "Год назад землетрясение магнитудой 5,4 разрушило дома на Иссык-Куле",
            "",
        ),
        ("earthquake", "Bishkek", "Earthquake drill in Bishkek: magnitude 5.4", ""),
        (
            "earthquake",
            KAJI_SAY,
            "Землетрясение магнитудой 5,4 напугало жителей",
            "Эпицентр находился в Японии.",
        ),
        ("flood", "Osh, Kyrgyzstan", "Наводнение в Кыргызстане", ""),
        ("flood", "Pakistan", "Flood in Karachi kills 20", ""),
        ("flood", "Ala-Buka", "Наводнение затопило дома", ""),
        ("avalanche", "Bishkek", "", "Лавина звонков обрушилась на полицию Бишкека. Ей помогут."),
        ("landslide", "Bishkek", "", "В Бишкеке обрушилась стена школы. Ранены дети."),
        ("flood", "Karakol", "", "Пять лет назад сель в Караколе унёс 12 жизней. Их помнят."),
        ("flood", "Karakol", "", "Сель сошел в селе Лебединовка. Ранее он сошел в Караколе."),
    ],
)
def test_what_sounds_like_it_is_no_report_of_it(
    kind: str, place: str, title: str, text: str
) -> None:
    """Figures of speech, buildings, the past, and other places; what joins is told nowhere else."""
    assert not joins(kind, place, title, text)


def test_a_report_is_read_in_the_language_that_its_source_says() -> None:
    """Of two words nobody can tell."""
    assert joins("flood", "Karakol", "Каракол: сел", "", language="ky")
    assert not joins("flood", "Karakol", "Каракол: сел", "")


def test_a_language_without_words_for_figures_of_speech_has_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A language's folder may leave them out; its slides are none then, for buildings collapse."""
    bare = replace(spoken("ru"), hazards=HazardWords())
    monkeypatch.setattr(hazards, "speech", lambda _code: bare)
    assert joins("flood", "Karakol", FLOOD, "")
    assert not joins("landslide", "Osh", "Оползень накрыл дом в Оше, погибли дети", "")


@pytest.mark.parametrize(
    ("kind", "title", "lasts"), [("earthquake", QUAKE, 6 * HOUR), ("flood", FLOOD, 24 * HOUR)]
)
def test_a_report_is_of_what_was_measured_hours_ago_and_of_nothing_older(
    kind: str, title: str, lasts: timedelta
) -> None:
    measured = institutes(kind, "Karakol, Kyrgyzstan")
    assert story_of(agencys(title, at=NOW + lasts, story=OTHER), measured) == STORY
    assert story_of(agencys(title, at=NOW + lasts + SECOND, story=OTHER), measured) is None


@pytest.mark.parametrize(
    ("size", "same"),
    [("5.0", False), ("5.1", True), ("5.7", True), ("5.8", False), (None, False)],
)
def test_a_report_names_the_measured_size_to_three_tenths(size: str | None, same: bool) -> None:
    found = story_of(agencys(QUAKE, story=OTHER), institutes(size=size))
    assert (found == STORY) is same


def test_an_agency_is_three_hours_faster_and_no_more() -> None:
    """Whatever else was told meanwhile, or has its institute already."""
    others = (
        agencys(QUAKE, at=NOW - 5 * HOUR, story=OTHER),
        agencys(QUAKE, story=OTHER + 1),
        institutes(size="3.0", story=OTHER + 1),
    )
    for ahead, found in ((3 * HOUR, STORY), (3 * HOUR + SECOND, None)):
        assert story_of(institutes(), *others, agencys(QUAKE, at=NOW - ahead)) == found


def test_a_report_is_of_the_one_that_is_like_it_among_all_that_was_measured() -> None:
    recent = (
        agencys(FLOOD, story=OTHER),
        institutes("flood", "Karakol", story=OTHER, withdrawn=True),
        institutes("wildfire", "Karakol", story=OTHER),
        institutes("flood", "Batken", story=OTHER),
        institutes("flood", "Karakol"),
    )
    assert story_of(agencys(FLOOD), *recent) == STORY


KYRGYZ = "Ысык-Көл облусунда очогунда күчү 5 баллга жеткен жер титирөө катталды"
KAZAKH = "Жер титирөө Бишкекте сезилди", "Эпицентри Казакстанда."
BATKEN = "В Баткенской области произошло землетрясение силой 4 балла"


@pytest.mark.parametrize(
    ("place", "title", "text", "same"),
    [
        (KAJI_SAY, "В Иссык-Кульской области произошло землетрясение силой 5 баллов", "", True),
        (KAJI_SAY, KYRGYZ, "Каджи-Сай айылында 5 балл.", True),
        (KAJI_SAY, "Жители Иссык-Кульской области ощутили подземные толчки", "", True),
        (KAJI_SAY, "Tremors felt in Bishkek", "", True),
        (KAJI_SAY, "Ночью произошло землетрясение", "Толчки ощутили в Оше.", True),
        ("20 km N of Almaty, Kazakhstan", *KAZAKH, True),
        ("12 km E of Karakol, Kyrgyzstan", "Tremors felt in Bishkek", "It was near Tyup.", False),
        ("12 km E of Karakol, Kyrgyzstan", "Tremors felt in Bishkek", "It was in Karakol.", True),
        (KAJI_SAY, *KAZAKH, False),
        ("12 km E of Karakol, Kyrgyzstan", BATKEN, "", False),
        (KAJI_SAY, "Землетрясение силой 5 баллов произошло в Японии", "", False),
        (KAJI_SAY, "Ночью произошло землетрясение", "", False),
        (KAJI_SAY, "Учения на случай землетрясения прошли в Бишкеке", "", False),
        (KAJI_SAY, "Пожар произошёл в Бишкеке", "", False),
    ],
)
def test_a_report_without_a_magnitude_is_of_the_only_earthquake_of_its_country(
    place: str, title: str, text: str, same: bool
) -> None:
    """Most have how strongly it was felt, in points, or nothing."""
    assert joins("earthquake", place, title, text) is same


def test_a_report_without_a_magnitude_is_of_the_last_two_hours_and_of_none_of_several() -> None:
    felt = "Tremors felt at Issyk-Kul"
    for after, same in ((-600, True), (-601, False), (7200, True), (7201, False)):
        report = agencys(felt, at=NOW + after * SECOND, story=OTHER)
        assert (story_of(report, institutes()) == STORY) is same
        measured = replace(institutes(story=1), feed="met")
        assert (story_of(measured, report) == OTHER) is same
    another = institutes(size="4.9", at=NOW + HOUR, story=OTHER)
    assert story_of(agencys(felt, at=NOW + HOUR), another, institutes()) is None
    too = institutes(at=NOW + SECOND)  # of another institute, in one story
    assert story_of(agencys(felt, at=NOW + HOUR), too, institutes()) == STORY


@pytest.mark.parametrize(
    ("kind", "after", "point", "same"),
    [
        ("earthquake", timedelta(minutes=15), (42.5, 76.0), True),
        ("earthquake", timedelta(minutes=15, seconds=1), (42.5, 76.0), False),
        ("earthquake", HOUR, (42.0, 75.0), False),
        ("earthquake", timedelta(0), (45.0, 75.0), False),
        ("earthquake", timedelta(0), (None, None), False),
        ("tsunami", timedelta(0), (42.0, 75.0), False),
    ],
    ids=["the same", "a second late", "an hour late", "far", "nowhere", "another kind"],
)
def test_two_institutes_measure_one_event_at_one_time_and_place(
    kind: str,
    after: timedelta,
    point: tuple[float | None, float | None],
    same: bool,
) -> None:
    """Either may be the one that does not say where."""
    one = institutes()
    another = replace(institutes(kind, at=NOW + after, point=point, story=OTHER), feed="other")
    assert (story_of(another, one) == STORY) is same
    assert (story_of(one, another) == OTHER) is same


@pytest.mark.parametrize(
    ("size", "after", "same"),
    [
        ("6.4", timedelta(minutes=10), True),
        ("6.5", timedelta(minutes=10), False),
        ("6.5", timedelta(minutes=2), True),
        (None, timedelta(minutes=10), True),
    ],
    ids=["alike", "greater", "greater at once", "unsized"],
)
def test_a_great_earthquake_minutes_after_a_small_one_is_none_of_it(
    size: str | None, after: timedelta, *, same: bool
) -> None:
    """First values of one that was at the same time may be far off."""
    small = institutes(size="5.4")
    great = replace(institutes(size=size, at=NOW + after, story=OTHER), feed="other")
    assert (story_of(great, small) == STORY) is same
    assert (story_of(small, great) == OTHER) is same


def test_of_two_earthquakes_each_is_the_one_that_is_nearest_and_has_no_measure_of_its_own() -> None:
    second = institutes(at=NOW + timedelta(minutes=8), story=OTHER)
    theirs = replace(second, feed="other")
    assert story_of(theirs, institutes(), second) == OTHER
    first_of_theirs = replace(institutes(), feed="other")
    assert story_of(theirs, institutes(), first_of_theirs) is None
    taken_back = replace(institutes(withdrawn=True), feed="other")
    assert story_of(theirs, institutes(), taken_back) == STORY


def test_reports_of_other_kinds_are_told_by_their_headlines_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The texts of hundreds would hold everybody up."""
    monkeypatch.setattr(hazards, "facts_of", None)
    told = agencys("Взрыв в Оше", "Паводок.", language="ru")
    for kind in ("earthquake", "flood"):
        assert story_of(institutes(kind, "Osh"), told) is None
