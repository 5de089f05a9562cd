"""What a newsroom puts right or takes back, by its label."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.detect.corrections import as_mended, mended, mending, mends
from bot.model.hazards import Hazard, HazardKind
from bot.model.news import Entry, Mending, StoredEntry, Story

CORRECTED, TAKEN_BACK = Mending.CORRECTED, Mending.TAKEN_BACK


@pytest.mark.parametrize(
    ("headline", "how"),
    [
        ("Correction: Market blast in Osh killed 12, not 14", CORRECTED),
        ("CORRECTED-Market blast in Osh kills 12", CORRECTED),
        ("Market blast in Osh kills 12 (corrected)", CORRECTED),
        ("Исправление: в Оше погибли 12 человек", CORRECTED),
        ("УТОЧНЕНИЕ — в Оше погибли 12 человек", CORRECTED),
        ("Оңдоо: Оштогу жарылууда 12 киши каза болду", CORRECTED),
        ("RETRACTED: Market blast in Osh kills 14", TAKEN_BACK),
        ("[Withdrawn] Market blast in Osh kills 14", TAKEN_BACK),
        ("Report of a market blast: story has been withdrawn by the agency", TAKEN_BACK),
        ("Опровержение: взрыва в Оше не было", TAKEN_BACK),
        ("Агентство отзывает сообщение о взрыве в Оше", TAKEN_BACK),
        ("Кайтарып алынды: Оштогу жарылуу", TAKEN_BACK),
        ("CORRECTED-UPDATE 1-Market blast in Osh kills 12", CORRECTED),
        ("Correction - Market blast in Osh kills 12", CORRECTED),
        ("Correction – “Market blast in Osh kills 12”", CORRECTED),
        ("CORRECTED - market blast in Osh kills 12", CORRECTED),
        ("Correction.", CORRECTED),
        ("Hotel-prices fall in Osh (correction)", CORRECTED),
        ("Market blast in Osh. This article has been retracted", TAKEN_BACK),
        ("Взрыв на рынке в Оше: новость отозвана", TAKEN_BACK),
        ("Редакция отозвала сообщение о взрыве в Оше", TAKEN_BACK),
        ("❗ Бул кабар кайтарып алынды: Оштогу жарылуу", TAKEN_BACK),
        # among words that only say that something was added
        ("Взрыв на рынке в Оше (дополнено, исправлено)", CORRECTED),
        ("Взрыв на рынке в Оше (исправлено и дополнено)", CORRECTED),
        ("Market blast in Osh kills 12 (updated, corrected at 12:40)", CORRECTED),
        ("UPDATED/CORRECTED: Market blast in Osh kills 12", CORRECTED),
        ("Оштогу жарылуу (толукталды, оңдолду)", CORRECTED),
        ("Market blast in Osh kills 14 [updated; retracted]", TAKEN_BACK),
        ("Market blast in Osh kills 14 (updated)", None),
        ("Troops leave Batken (withdrawn, not disbanded)", None),
        ("Withdrawn, updated and paid: the taxes of 2025", None),
        ("Market blast in Osh kills 14 (retracted, corrected)", TAKEN_BACK),
        ("Correction and clarification: what a newsroom owes", None),
        # in capitals alone nothing says whether a sentence goes on behind a dash
        ("ИСПРАВЛЕНИЕ: В ОШЕ ПОГИБЛИ 12 ЧЕЛОВЕК", CORRECTED),
        ("Correction — …", CORRECTED),
        ("ОҢДОО – ТҮЗӨТҮҮ ИШТЕРИ", None),
        ("ПОПРАВКА – ШАГ НАЗАД", None),
        ("ПОПРАВКА — ШАГ НАЗАД", None),
        ("WITHDRAWN - THE TROOPS OF BATKEN", None),
        ("Tajikistan troops withdrawn from the border", None),
        # others take back what is theirs
        ("Rescue agency withdraws its report on a dam burst that drowned 30", None),
        ("Tehran says inspectors' report has been withdrawn", None),
        ("Medical journal's article has been retracted over made-up data", None),
        ("“This report has been withdrawn”: envoy blames a clerk", None),
        ("Генштаб отозвало сообщение о потопленном корабле", None),
        ("Клип группы снят с публикации по требованию прокуратуры", None),
        ("МИД: сообщение отозвано по ошибке", None),
        ("Чек ара кызматы кабарын кайтарып алды", None),
        ("Ырчынын видеосу жарыялоодон алынды", None),
        # nor is a label what is a part of a word, of a name or a sentence by itself
        ("Оңдоо-түзөтүү иштеринен улам Ошто суу өчүрүлөт", None),
        ("Оңдоо/түзөтүү иштери башталды", None),
        ("Оңдоо – түзөтүү иштери башталды", None),
        ("Поправка — шаг назад, считают депутаты", None),
        ("Withdrawn - but not forgotten: the troops of Batken", None),
        ("Retraction / withdrawal of troops begins", None),
        ("Correction-centre fire kills 5 in Osh", None),
        ("CORRECTION-CENTRE FIRE KILLS 5 IN OSH", None),
        ("Отозвано. Лицензии 12 банков больше не действуют", None),
        ("Withdrawn! The last soldiers leave Batken", None),
        ("«Поправка» к закону о дронах принята", None),
        ("Withdrawn troops return home: ministry", None),
        ("Correction facility in Osh burns", None),
        ("Ministry refutes reports of a blast", None),
        ("Retraction of the bill angers deputies", None),
        ("Опровержение МВД: взрыва в Оше не было", None),
        ("Уточнение данных о погибших займёт неделю", None),
        ("Жолду оңдоо уланууда: Ошто тыгын", None),
        ("", None),
    ],
)
def test_a_headline_says_by_its_label_what_it_mends(headline: str, how: Mending | None) -> None:
    """A label, in brackets or before a mark, or a phrase of the newsroom about its own story: a
    word alone may mean anything.
    """
    assert mends(Entry(id="a", title=headline)) is how


def test_what_an_institute_measured_says_so_by_its_values() -> None:
    kind = HazardKind.EARTHQUAKE
    hazard = Hazard(kind=kind, size=None, place="Osh", latitude=None, longitude=None)
    assert mends(Entry(id="a", title="Withdrawn: M 5.1", content=str(hazard))) is None


def stored(pk: int, title: str, text: str = "", *, feed: str = "one") -> StoredEntry:
    """A report as the archive keeps it."""
    entry = Entry(id=str(pk), title=title, summary=text, language="en")
    return StoredEntry(pk=pk, feed=feed, entry=entry, seen_at=AT, story=pk)


AT = datetime(2026, 8, 13, tzinfo=UTC)
BLAST = "Explosion at a market in Osh kills 14"


def test_a_label_leads_to_the_report_that_is_most_like_it() -> None:
    told = [
        stored(1, BLAST),
        stored(2, "Explosion at a market in Osh"),
        stored(3, "Fire at a hotel in Bishkek"),
    ]
    found = mended(Entry(id="c", title=f"Correction: {BLAST}", language="en"), told)
    assert found is not None
    assert found.pk == 1
    other = Entry(id="c", title="Correction: Price of wheat in Kazakhstan falls", language="en")
    assert mended(other, told) is None


def test_a_headline_that_one_story_alone_tells_whole_names_it() -> None:
    """Though its text says nothing of the event; where two tell as much it names none."""
    text = "Officer Kubat Ermekov said that the bomb went off by the northern gate at 11:20 sharp."
    first = stored(1, f"{BLAST}, 37 wounded at the northern gate", text)
    second = stored(2, f"{BLAST}, a second one in a week, 5 in hospital", text)
    sorry = "The agency regrets its report and apologises to all of its readers for that."
    gone = Entry(id="c", title="Retracted: Explosion at a market in Osh", summary=sorry)
    found = mended(gone, [first, stored(3, "Fire at a market in Osh", text)])
    assert found is not None
    assert found.pk == 1
    assert mended(gone, [first, second]) is None
    assert mended(replace(gone, title="Retracted: Market in Osh"), [first]) is None  # of any event


def test_a_correction_repeats_the_headline_that_it_is_about() -> None:
    """In its text; one that two stories have names none."""
    title = "Teachers of Talas stop work over unpaid wages"
    text = (
        "Three schools stayed shut this morning. Parents were told by telephone; the head of the "
        "district promises a meeting, and says that the treasury is late with what it owes."
    )
    sorry = (
        f"In our report “{title}” we were wrong. Editors look into how it came about: a name was "
        "taken from an old list, and nobody had asked at the office, as our rules demand."
    )
    first, second = stored(1, title, text), stored(2, title, text)
    wrong = Entry(id="c", title="Correction: a word about names", summary=sorry, language="en")
    found = mended(wrong, [first])
    assert found is not None
    assert found.pk == 1
    assert mended(wrong, [first, second]) is None


def test_the_word_of_another_publisher_mends_nothing() -> None:
    """Nor does a label under which its publisher told the story for the first time."""
    first, second = stored(1, BLAST), stored(2, f"Correction: {BLAST}", feed="two")
    assert mending(Story(pk=1, entries=(first, second))) is None
    assert mending(Story(pk=1, entries=(stored(1, f"Retracted: {BLAST}"),))) is None
    taken = stored(1, f"Retracted: {BLAST}")  # as it is worded by now
    assert mending(Story(pk=1, entries=(taken, stored(2, BLAST, feed="two")))) == (
        taken,
        TAKEN_BACK,
    )


def test_what_an_operator_worded_goes_before_a_correction_and_no_retraction() -> None:
    worded = replace(stored(1, BLAST), headline="A blast in Osh")
    for label, first in ((f"Correction: {BLAST}", 1), (f"Retracted: {BLAST}", 2)):
        story = Story(pk=1, entries=(worded, stored(2, label)))
        assert as_mended(story, mending(story)).lead.pk == first
