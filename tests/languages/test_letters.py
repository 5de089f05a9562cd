"""Two spellings of a word compare as one, whatever keyboard they were typed on."""

from __future__ import annotations

import pytest

from bot.detect.language import language_of
from bot.languages.letters import fold, fold_typed


def test_letters_that_newsrooms_do_not_agree_on_compare_as_one() -> None:
    assert fold("Четырёх") == fold("четырех") == "четырех"
    assert fold("Өлкө") == "өлкө"


@pytest.mark.parametrize(
    ("written", "typed"),
    [("төрт", "торт"), ("жүз", "жуз"), ("миң", "мин"), ("Қазақстан", "казакстан"), ("Gül", "gul")],
)
def test_letters_a_foreign_keyboard_lacks_compare_as_those_typed_for_them(
    written: str, typed: str
) -> None:
    assert fold_typed(written) == typed == fold_typed(typed)


def test_a_text_without_letters_has_the_language_that_claims_it() -> None:
    """Unless whoever asks knows better."""
    assert language_of("12:30 – 14:00") == "ru"
    assert language_of("12:30 – 14:00", "ky") == "ky"
