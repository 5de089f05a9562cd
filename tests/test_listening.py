"""From silence to service: what is done before the first update is handled."""

from __future__ import annotations

from typing import Any

import babel.messages.pofile
import babel.numbers
import pytest

from bot import i18n
from bot.convert import currencies, parse_question
from bot.listening import read_ahead


@pytest.mark.parametrize(
    ("language", "question"),
    [("en", "100 us dollars in soms"), ("ru", "100 долларов сша"), ("ky", "100 АКШ доллары")],
)
def test_the_first_question_reads_no_languages_data(
    language: str, question: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tenth of a second for names and words would be one in which nobody is answered."""
    for read in (currencies._names, currencies._vocabulary, i18n._catalog):
        read.cache_clear()
    read_ahead()

    def late(*_: Any, **__: Any) -> None:
        raise AssertionError

    monkeypatch.setattr(babel.numbers, "get_currency_name", late)
    monkeypatch.setattr(babel.messages.pofile, "read_po", late)
    assert parse_question(question, language=language, home="KGS").source == "USD"
    assert i18n.t("rates.today", language)
