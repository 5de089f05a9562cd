"""A story's reasons in the reader's language, whatever was found: nothing stays in English."""

from __future__ import annotations

import re

import pytest

from bot.alerts.moves import why_move
from bot.alerts.stories import why_story
from bot.detect.moves import replay
from bot.detect.security import detect
from tests.factories import rate

#: Real wording of agencies; between them the detector gives every kind of reason it has.
STORIES = [
    (
        "На границе в Баткене обстреляли пограничников, трое погибших",
        "Погранслужба сообщила о перестрелке.",
        "ru",
    ),
    ("Баткенде чек арачылар атышууда каза болду, 3 киши набыт кетти", "Чек арада ок атылды.", "ky"),
    (
        "В Оше взорвался дом, 12 человек погибли",
        "Спасатели МЧС разбирают завалы, полиция оцепила район.",
        "ru",
    ),
    (
        "В Джалал-Абаде сошёл сель, эвакуированы жители",
        "Сель повредил мост, спасатели эвакуировали людей.",
        "ru",
    ),
    (
        "В Бишкеке прошли учения по борьбе с терроризмом",
        "Спецслужбы отработали захват заложников на учениях.",
        "ru",
    ),
    (
        "ГКНБ задержал подозреваемого в подготовке теракта",
        "Спецслужбы изъяли взрывчатку, возбуждено дело.",
        "ru",
    ),
    (
        "Страны ОДКБ проведут учения в Таджикистане",
        "Учения ОДКБ пройдут у границы с Афганистаном.",
        "ru",
    ),
    (
        "Нарында жер титирөө болду, үйлөр кыйрады",
        "Өзгөчө кырдаалдар министрлиги куткаруучуларды жөнөттү.",
        "ky",
    ),
    ("УКМК террордук уюмдун мүчөлөрүн кармады", "Атайын кызматтар курал-жарак тапты.", "ky"),
]
PLAIN = {"grave", "danger", "near", "calm", "dead"}


@pytest.mark.parametrize("reader", ["ru", "ky"])
@pytest.mark.parametrize("story", STORIES)
def test_no_reason_is_left_in_english(story: tuple[str, str, str], reader: str) -> None:
    *texts, language = story
    found = detect(texts[0], texts[1], language)
    assert found.reasons
    shown = why_story(found.severity, found.reasons, reader, topics=found.topics, texts=texts).text
    assert not re.search(r"(?<![/\w])[A-Za-z]{2,}", shown), shown


def test_the_stories_above_bring_every_plain_reason_there_is() -> None:
    """So that a reason the detector calls otherwise is noticed here before a reader sees it."""
    said = {
        reason.code
        for title, text, language in STORIES
        for reason in detect(title, text, language).reasons
    }
    assert said >= PLAIN


@pytest.mark.parametrize("reader", ["ru", "ky"])
def test_every_rule_of_a_big_move_has_words(reader: str) -> None:
    """The rules the detector names are those the message and its *Why?* know."""
    values = [
        "85.00",
        *(f"85.{day % 7:02}" for day in range(200)),
        "90.00",
        "89.9",
        "84",
        "83.5",
        "83",
        "79",
        "79.1",
    ]
    history = [
        rate(value=value, on=f"2021-{1 + day // 28:02}-{1 + day % 28:02}")
        for day, value in enumerate(values)
    ]
    found = list(replay(history))
    assert found
    assert {rule for move in found for rule in move.moved.rules} == {
        "fixing",
        "drift",
        "high",
        "low",
    }
    for move in found:
        shown = why_move(move.moved, reader, since=None).text.replace("USD/KGS", "")
        assert not re.search(r"(?<![/\w])[A-Za-z]{2,}", shown), shown
