"""When a text that was changed is a correction, and when it is only worded anew."""

from __future__ import annotations

import pytest

from bot.detect.revisions import tells_otherwise
from bot.model.news import Entry

TEXT = (
    "The bomb went off at the gate of the market in Osh at 11:20 and killed 14 people, said "
    "officer Kubat Ermekov; 1204 have read this. Two men from Uzbekistan were arrested."
)


@pytest.mark.parametrize(
    ("was", "now", "otherwise"),
    [
        ("killed 14", "killed 12", True),
        ("in Osh", "in Batken", True),
        ("Kubat Ermekov", "Kubat Sydykov", True),
        ("killed 14 people", "killed 14 people and wounded 37", False),
        ("said officer Kubat Ermekov", "officer Ermekov told reporters", False),
        ("The bomb went off", "A bomb exploded", False),
        ("11:20", "11:50", False),  # as in "updated at"
        ("1204 have read", "1309 have read", False),
        ("1204 have read", "1204 people have read", False),  # who they are was only left unsaid
        ("The bomb", "Correction: the bomb", False),  # its label is no fact of the text
        # what was added says nothing else, though it has a "not"
        ("in Osh", "in Osh, not far from Batken,", False),
        ("Kubat Ermekov", "Kubat Ermekov with Asel Bekova", False),
        # in the place of one, among words that stay
        ("killed 14", "wounded 14", True),
        ("the market", "the school", True),
        ("from Uzbekistan", "from Tajikistan", True),
        ("were arrested", "were not arrested", True),
        ("The bomb went off", "A fire broke out, they say,", True),
        ("have read this", "have never read this", True),
        ("were arrested", "were arrested, nobody was hurt, and the school was not far away", False),
        ("at the gate of the market in Osh", "not far from Osh’s market, by the gate,", False),
    ],
)
def test_another_text_is_a_correction_where_a_fact_stands_in_anothers_place(
    was: str, now: str, *, otherwise: bool
) -> None:
    before = Entry(id="a", title="Blast at a market", summary=TEXT, language="en")
    after = Entry(id="a", title="Blast at a market", summary=TEXT.replace(was, now), language="en")
    assert tells_otherwise(before, after) is otherwise


def test_a_label_that_comes_is_a_correction_and_one_that_stays_is_none() -> None:
    plain, labelled = (
        Entry(id="a", title=one, summary=TEXT) for one in ("Blast", "Blast (corrected)")
    )
    assert tells_otherwise(plain, labelled)
    assert not tells_otherwise(labelled, labelled)
    assert not tells_otherwise(labelled, plain)


@pytest.mark.parametrize(
    ("language", "was", "now"),
    [
        ("ru", "Задержаны двое жителей Оша", "Не задержаны двое жителей Оша"),
        ("ru", "На рынке в Оше взорвалась бомба", "На рынке в Оше загорелся баллон"),
        ("ru", "Ранены 14 человек в Оше", "Погибли 14 человек в Оше"),
        # six words beside two that stay at the beginning, and beside one at the end
        (
            "en",
            "In Osh gunmen with black masks killed four at the gate of a market",
            "In Osh men who wore no uniform hurt four at the gate of a market",
        ),
        (
            "en",
            "At the gate of a market in Osh gunmen with black masks came suddenly",
            "At the gate of a market in Osh men who wore no masks came suddenly",
        ),
        # behind what was worded anew around two words that stay
        (
            "en",
            "Police in the south say that two men near a market in Osh town were arrested",
            "Police of the south said that two men near a market in Osh town were not arrested",
        ),
        ("ru", "Учения у Оша проводит НАТО", "Учения у Оша проводит ОДКБ"),
        ("en", "Guards seized 40 kg of heroin in Osh", "Guards seized 40 kg of gold in Osh"),
        ("ky", "Ошто эки киши кармалды, дейт ИИМ", "Ошто эки киши кармалган жок, дейт ИИМ"),
    ],
)
def test_a_correction_is_one_in_every_language(language: str, was: str, now: str) -> None:
    before, after = (
        Entry(id="a", title="Ош", summary=one, language=language) for one in (was, now)
    )
    assert tells_otherwise(before, after)


@pytest.mark.parametrize(
    ("language", "text", "added"),
    [
        ("en", "A market burned in Osh on Monday, police said.", " No casualties."),
        ("ru", "В Оше сгорел рынок, сообщили в МЧС утром.", " Пострадавших нет."),
        ("ky", "Ошто базар күйдү, деп билдирди ӨКМ бүгүн.", " Жабыркагандар жок."),
        ("ru", "В Оше сгорел рынок,", " без пострадавших,"),
    ],
)
def test_a_clause_that_was_added_or_left_out_turns_no_other(
    language: str, text: str, added: str
) -> None:
    """Such as the one by which nobody was hurt, which is known an hour later."""
    short, long = (
        Entry(id="a", title="Ош", summary=f"{one} Огонь потушен.", language=language)
        for one in (text, text + added)
    )
    assert not tells_otherwise(short, long)
    assert not tells_otherwise(long, short)


def test_a_not_that_ends_a_sentence_turns_it() -> None:
    """As Kyrgyz has it: no clause of its own."""
    was, now = "Ошто эки киши өлгөн.", "Ошто эки киши өлгөн жок."
    before, after = (Entry(id="a", title="Ош", summary=one, language="ky") for one in (was, now))
    assert tells_otherwise(before, after)


def test_a_text_of_few_words_is_not_laid_beside_another() -> None:
    """It is nobody's text, and the loop would wait for it; its facts are compared all the same."""
    was = "fire here " * 41 + "killed 14 people "
    for now, otherwise in ((f"{was}not", False), (was.replace("14", "15"), True)):
        before, after = (Entry(id="a", title="x", summary=one, language="en") for one in (was, now))
        assert tells_otherwise(before, after) is otherwise


def test_a_not_that_stands_elsewhere_says_the_same() -> None:
    """Of one in two sentences nobody can tell whose it was."""
    was = "По данным полиции, никто не пострадал в аварии на трассе."
    now = "По данным полиции, никто в аварии на трассе не пострадал."
    before, after = (Entry(id="a", title="Ош", summary=one, language="ru") for one in (was, now))
    assert not tells_otherwise(before, after)
