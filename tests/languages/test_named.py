"""Names in a language's words exist in the program, and each text that the program puts together
has its words: both are told at the start by name.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot import languages
from bot.cli import whole
from bot.convert import named
from bot.convert.commands import SPANS, UNITS
from bot.languages import LANGUAGES, language
from bot.languages.parts import CommandWords, Form, Head, Money, Questions, Zones
from bot.render import families
from bot.sources.specs import Catalog


@pytest.fixture
def kyrgyz(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Parts of Kyrgyz that may be replaced; what was read of them is forgotten before and after."""
    languages.language.cache_clear()
    languages.languages.cache_clear()
    yield monkeypatch
    monkeypatch.undo()
    languages.language.cache_clear()
    languages.languages.cache_clear()


MONEY = Money(
    heads=lambda: [Head(code="USX", stands_for="d", forms=(("d", Form.PLAIN),))],
    short_forms={"сом": "KGZ"},
    initials={"с": "KGS", "д": "DOL"},
    sure_initials="с м",
    abbreviations={"кр": "SEK NKO"},
    names={"EURO": "евро"},
)
#: A part of Kyrgyz, where it stands, and what is told of it.
NAMED = [
    (
        MONEY,
        "money.MONEY",
        [
            "short_forms: KGZ is no code of a currency; did you mean KGS?",
            "initials: DOL is no code of a currency; did you mean DOP?",
            "names: EURO is no code of a currency; did you mean EUR?",
            "abbreviations: NKO is no code of a currency; did you mean NOK?",
            "heads: USX is no code of a currency; did you mean USD?",
            "sure_initials: м is none of its `initials`",
        ],
    ),
    (
        Questions(words={"q": "эмне", "Z": "канча", "qQ": "кандай"}),
        "questions.QUESTIONS",
        [
            "words: Z is no part of a question: q, Q, t, T, f, r, i, x, p, w",
            "words: qQ is no part of a question: q, Q, t, T, f, r, i, x, p, w; did you mean Q?",
        ],
    ),
    (
        CommandWords(ranges={14: "жума", 7: "апта"}, one_range={31: "ай"}),
        "commands.COMMANDS",
        [
            "ranges: 14 is no unit of a chart's range, in days: 1, 7, 30, 365",
            "one_range: 31 is no unit of a chart's range, in days: 1, 7, 14, 30, 90, 180, 365",
        ],
    ),
    (
        Zones(countries={"UK": "улуу британия", "KG": "кыргызстан", "US": "акш"}),
        "zones.ZONES",
        [
            "countries: UK is no code of a country with several time zones",
            "countries: KG is no code of a country with several time zones",
        ],
    ),
]


@pytest.mark.parametrize(("part", "place", "told"), NAMED, ids=[place for _, place, _ in NAMED])
def test_what_a_languages_words_name_is_there(
    kyrgyz: pytest.MonkeyPatch, part: object, place: str, told: list[str]
) -> None:
    """Else a reader's word would be read as something else, or ended in an error."""
    file = place.partition(".")[0]
    kyrgyz.setattr(f"bot.languages.ky.{place}", part)
    found = whole.problems(Catalog())
    assert found == [f"language ky: bot/languages/ky/{file}.py: {one}" for one in told]


def test_what_every_language_names_is_there() -> None:
    assert named.problems() == []
    for code in LANGUAGES:
        assert set(language(code).commands.ranges) <= set(UNITS.values())
        assert set(language(code).commands.one_range) <= set(SPANS)


@pytest.fixture
def english(tmp_path: Path, kyrgyz: pytest.MonkeyPatch) -> Path:
    """A copy of the English texts, which may be changed."""
    texts = tmp_path / "jarchy.po"
    texts.write_text(language("en").texts.read_text("utf-8"), encoding="utf-8")
    kyrgyz.setattr(languages.Language, "texts", property(lambda _: texts))
    return texts


def test_a_text_that_a_list_of_the_program_makes_is_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One more kind of hazard, post or rate is one more text; the first of it ended in an error."""
    for begun, names in families.FAMILIES.items():
        more = {**families.FAMILIES, begun: names | {"new"}}
        monkeypatch.setattr(families, "FAMILIES", more)
        assert families.problems() == [
            f"the texts of en lack {begun}new, made of a list of the program"
        ]
        monkeypatch.undo()


@pytest.mark.cases(keep=4)
@pytest.mark.parametrize("begun", families.CLOSED)
def test_a_text_that_no_list_makes_any_more_is_told(english: Path, begun: str) -> None:
    """It is misspelt, or what it was for is gone; further words of another id are no matter."""
    said = english.read_text("utf-8")
    for name in ("neww", "other.id"):
        said += f'\nmsgid "{begun}{name}"\nmsgstr "x"\n'
    english.write_text(said, encoding="utf-8")
    assert families.problems() == [
        f"the texts of en say {begun}neww, which no list of the program asks for"
    ]
    assert families.problems()[0] in whole.problems(Catalog())
