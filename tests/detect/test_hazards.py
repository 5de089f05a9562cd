"""What reports are of what an institute measured, and what only sounds like it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from bot.detect import hazards
from bot.detect.hazards import kinds_reported, measured_story
from bot.model.hazards import Hazard, HazardKind
from bot.model.news import Entry, StoredEntry

pytestmark = pytest.mark.cases

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
STORY = 7


def joins(kind: str, place: str, title: str, text: str) -> bool:
    """Whether a report of now is of what was measured an hour ago."""
    at = NOW - timedelta(hours=1)
    size = Decimal("5.4" if kind == "earthquake" else "3.0")
    hazard = Hazard(kind=HazardKind(kind), size=size, place=place, latitude=42.0, longitude=75.0)
    measured = Entry(
        id="KG-1",
        title=f"{kind.capitalize()}: {place}",
        published_at=at,
        content=str(hazard),
        language="en",
    )
    stored = StoredEntry(pk=1, feed="met", entry=measured, seen_at=at, story=STORY)
    report = Entry(id="r", title=title, summary=text, published_at=NOW)
    asked = HazardKind(kind) in kinds_reported(report)
    return asked and measured_story(report, "agency", [stored], at=NOW) == STORY


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
    ],
)
def test_what_sounds_like_it_is_no_report_of_it(
    kind: str, place: str, title: str, text: str
) -> None:
    """Figures of speech, buildings, the past, and other places; what joins is told nowhere else."""
    assert not joins(kind, place, title, text)


def test_reports_of_other_kinds_are_told_by_their_headlines_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The texts of hundreds would hold everybody up."""
    monkeypatch.setattr(hazards, "facts_of", None)
    report = Entry(id="r", title="Взрыв в Оше", summary="Паводок.", language="ru", published_at=NOW)
    told = [StoredEntry(pk=1, feed="agency", entry=report, seen_at=NOW, story=STORY)]
    for kind in ("earthquake", "flood"):
        hazard = Hazard(
            kind=HazardKind(kind), size=Decimal("5.4"), place="Osh", latitude=42.0, longitude=75.0
        )
        measured = Entry(id="m", title="Osh", content=str(hazard), language="en", published_at=NOW)
        assert measured_story(measured, "met", told, at=NOW) is None
