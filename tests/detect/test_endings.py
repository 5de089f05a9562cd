"""A headline says that its event is over, or does not; in the three languages."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.detect.endings import LATE_REPORTS, begins_anew, says_it_is_over
from bot.model.news import StoredEntry, Story
from tests.factories import NOW, entry

OVER = (
    ("en", "Bishkek to Osh road opens again after avalanche"),
    ("en", "Torugart crossing reopened to lorries"),
    ("en", "Fire at Karakol market put out"),
    ("ru", "Дорога Бишкек – Ош вновь открыта"),
    ("ru", "Пожар на складе в Оше потушен"),
    ("ky", "Бишкек – Ош жолу кайра ачылды"),
    ("ky", "Базардагы өрт өчүрүлдү"),
    ("en", "Flights resume at Manas airport"),
    ("ru", "Движение по трассе возобновлено"),
    ("ru", "Огонь на складе потушили"),
    ("ru", "Пожар в г. Ош потушен. Кто виноват?"),
    ("en", "Kyrgyzstan reopens border crossing: who can cross?"),
    ("en", "Torugart crossing reopens, what next?"),
    ("en", "Ready or not, Torugart reopens"),
    ("en", "Fire at Karakol market put out: man arrested?"),
    ("ru", "Движение по трассе возобновлено: кто может проехать?"),
    ("ru", "Пожар на складе потушен — что известно?"),
    ("ru", "Пожар на складе потушен, а кто виноват?"),
    ("ru", "Пожар потушен, частично сгорела крыша"),
    ("ru", "Движение по трассе возобновлено лишь сегодня"),
    ("ky", "Базардагы өрт өчүрүлдү: эмне белгилүү?"),
)
GOING_ON = (
    ("en", "Landslide blocks the road to Osh"),
    ("en", "Police reports a put option fraud"),
    ("ru", "Взрыв на рынке в Оше"),
    ("ru", "В Оше открыта новая школа"),
    ("ky", "Ошто жаңы мектеп ачылды"),
    ("en", ""),
    ("en", "Shelling of Batken resumes"),
    ("en", "Troops reopen fire on a village"),
    ("en", "Wildfire is still not contained"),
    ("en", "Firefighters battle to put out a blaze in Osh"),
    ("en", "Ceasefire is over"),
    ("ru", "На границе вновь открыли огонь"),
    ("ru", "Обстрелы Баткена возобновились"),
    ("ru", "В Оше снова открылась стрельба"),
    ("ru", "Пожар до сих пор не потушен"),
    ("ru", "Пожарные не могут потушить лес"),
    ("ky", "Өрт өчүрүлө элек"),
    ("ky", "Өрт азырынча өчүрүлгөн жок"),
    ("ky", "Чек арада кагылыш кайрадан ачылды"),
    ("en", "Is the fire at Karakol market put out?"),
    ("ru", "Движение по трассе восстановлено? Ответ министерства"),
    ("ky", "Базардагы өрт өчүрүлдүбү?"),
    ("ru", "Движение по трассе будет восстановлено завтра"),
    ("ru", "Пожар на складе потушен лишь частично"),
    ("en", "Torugart crossing partially reopens"),
    ("en", "Reopening delayed at Torugart"),
    ("en", "Is the fire put out, and who is guilty?"),
    ("en", "Shelling, once halted, resumes"),
    ("ru", "Восстановлено движение по трассе Бишкек – Ош?"),
    ("ru", "Потушен ли пожар: ответ министерства"),
    ("ky", "Торугарт бекети жарым-жартылай кайра ачылды"),
    ("ky", "Өрт жарым-жартылай өчүрүлдү"),
    ("ky", "Өрт өчүрүлдүбү: ӨКМ жооп берди"),
    ("ky", "Өрт толук өчүрүлгөнбү"),
)


@pytest.mark.parametrize(("language", "title"), OVER)
def test_what_ended_is_said_so(language: str, title: str) -> None:
    assert says_it_is_over(entry(title=title, language=language))


@pytest.mark.parametrize(("language", "title"), GOING_ON)
def test_what_goes_on_or_merely_begins_is_no_end(language: str, title: str) -> None:
    assert not says_it_is_over(entry(title=title, language=language))


ANEW = (
    ("en", "Fire at Karakol market flares up again"),
    ("en", "Shelling of Batken resumes"),
    ("ru", "Рынок в Караколе снова горит"),
    ("ru", "Обстрелы Баткена возобновились"),
    ("ky", "Караколдо базар кайрадан күйүп жатат"),
)


@pytest.mark.parametrize(("language", "title"), ANEW)
def test_what_begins_anew_does_so_after_an_end_alone(language: str, title: str) -> None:
    """And a road that is open again does not."""
    titles = ("Fire at Karakol market", "Fire at Karakol market put out")
    told = [
        StoredEntry(
            pk=number,
            feed="one",
            entry=entry(title=one, language="en", published_at=NOW),
            seen_at=NOW,
            story=1,
        )
        for number, one in enumerate(titles)
    ]
    story, begun = Story(pk=1, entries=tuple(told)), entry(title=title, language=language)
    assert begins_anew(begun, story, NOW + timedelta(hours=1))
    assert not begins_anew(begun, story, NOW - timedelta(hours=1))
    assert not begins_anew(begun, Story(pk=1, entries=(told[0],)), NOW + timedelta(hours=1))
    for code, over in OVER:
        assert not begins_anew(entry(title=over, language=code), story, NOW + timedelta(hours=1))
    # without such a word by the hours, unless it tells of what was long ago
    for headline, anew in (
        (titles[0], True),
        ("Ten years since the fire at Karakol market", False),
    ):
        said = entry(title=headline, language="en")
        assert begins_anew(said, story, NOW + LATE_REPORTS) is anew
        assert not begins_anew(said, story, NOW + LATE_REPORTS - timedelta(seconds=1))
