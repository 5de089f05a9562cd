"""The topics of texts in three languages; with stories of our own."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from typer.testing import CliRunner

from bot.cli import cli
from bot.detect.topics import topics_of
from bot.ingest.stories import judge_entry
from bot.sources.feeds import FeedSpec
from bot.sources.timetable import PollSpec
from tests.factories import entry


@pytest.mark.parametrize(
    ("title", "text", "language", "wanted"),
    [
        (
            "Inflation slows to four percent",
            "Prices of food rose less than a year ago.",
            "en",
            {"economy"},
        ),
        (
            "Parliament dismisses two ministers",
            "Deputies voted late on Tuesday.",
            "en",
            {"politics"},
        ),
        (
            "New school opens in a mountain village",
            "Ninety children no longer walk an hour.",
            "en",
            {"society"},
        ),
        ("Apricot trees bloom early", "The valley is white and the bees are busy.", "en", set()),
        (
            "Нацбанк сохранил учётную ставку",
            "Инфляция замедляется третий месяц.",
            "ru",
            {"economy"},
        ),
        (
            "Депутаты приняли конституционный закон",
            "За него голосовали семьдесят человек.",
            "ru",
            {"politics"},
        ),
        (
            "В селе открыли больницу",
            "Врачи примут первых пациентов в понедельник.",
            "ru",
            {"society"},
        ),
        ("Абрикосы зацвели раньше", "Долина побелела за одну ночь.", "ru", set()),
        (
            "Салык жаңы жылдан тарта төмөндөйт",
            "Ишкерлер бюджетке азыраак төлөйт.",
            "ky",
            {"economy"},
        ),
        (
            "Жогорку Кеңеш жаңы төраганы шайлады",
            "Депутаттар кечинде добуш берди.",
            "ky",
            {"politics"},
        ),
        ("Айылда жаңы мектеп ачылды", "Токсон бала эми алыс баспайт.", "ky", {"society"}),
        ("Өрүк эрте гүлдөдү", "Өрөөн бир түндө агарып калды.", "ky", set()),
        ("President visits a school", "He spoke with teachers.", None, {"politics", "society"}),
        ("", "", "en", set()),
    ],
)
def test_a_story_belongs_to_the_topics_its_words_say(
    title: str, text: str, language: str | None, wanted: set[str]
) -> None:
    """And to none when they say nothing clearly."""
    assert set(topics_of(title, text, language)) == wanted


@pytest.mark.parametrize(
    ("title", "text", "language"),
    [
        (
            "Explosion at a market in Osh kills 14",
            "Prices of flour rise, says the ministry of economy.",
            "en",
        ),
        ("Парламент принял бюджет на год", "Депутаты обсудили инфляцию.", "ru"),
        ("Apple harvest begins", "Growers are glad.", "en"),
    ],
)
def test_the_verb_prints_the_topics_that_the_bot_stores(
    title: str, text: str, language: str
) -> None:
    """`jarchy detect security` and the poll flow give one answer."""
    spec = FeedSpec(
        key="one", names={}, url="", poll=PollSpec(every=timedelta(hours=1)), language=language
    )
    item = entry(title=title, summary=text, language=language)
    line = {"id": 1, "title": title, "text": text, "lang": language}
    done = CliRunner().invoke(cli, ["detect", "security"], input=json.dumps(line))
    assert tuple(json.loads(done.stdout)["topics"]) == judge_entry(item, spec).topics
