"""The demonstration's words in every language: `demo.po` in the languages' folders."""

from __future__ import annotations

import re
from collections.abc import Mapping

from babel.core import Locale

from bot.emulator import Dates, Tongue
from bot.i18n import demo_texts, t
from bot.languages import FALLBACK, LANGUAGES

Words = Mapping[str, str]
OURS = "demo."  # begins the keys of the demonstration itself; the others are the chat page's words


def words(key: str) -> Words:
    """The words of a key by language, English where one has none; KeyError without English ones."""
    english = demo_texts(FALLBACK)[key]
    return {code: demo_texts(code).get(key, english) for code in LANGUAGES}


def filled(key: str, **values: str) -> Words:
    """The words of a key by language, with values in their places."""
    return {code: said.format(**values) for code, said in words(key).items()}


def late() -> re.Pattern[str]:
    """The pattern of a digest that says, in any language, that it came later than at its hour."""
    said = []
    for code in LANGUAGES:
        around = [re.escape(part) for part in t("digest.late", code).split("{day}")]
        said.append("[^\n]+".join(around))
    return re.compile("|".join(said))


def tongues() -> dict[str, Tongue]:
    """The languages that people of the chat page may choose, with the page's own words in them."""
    found: dict[str, Tongue] = {}
    for code in LANGUAGES:
        said: dict[str, str] = {}
        for key, text in demo_texts(code).items():
            if not key.startswith(OURS):
                said[key] = text
        found[code] = Tongue(name=t("language.name", code), words=said, dates=dates(code))
    return found


def dates(code: str) -> Dates:
    """The dates of a language by CLDR: browsers know fewer languages than we speak."""
    locale = Locale.parse("en_GB" if code == "en" else code)
    long = locale.date_formats["long"].pattern
    forms = {form: locale.datetime_skeletons.get(form) for form in ("MMMMd", "MMMd")}
    day, short = (long if form is None else form.pattern for form in forms.values())
    wide, abbreviated = (locale.months["format"][width] for width in ("wide", "abbreviated"))
    return Dates(
        months=[wide[month] for month in range(1, 13)],
        short_months=[abbreviated[month] for month in range(1, 13)],
        weekdays=[locale.days["format"]["wide"][weekday] for weekday in range(7)],
        full=locale.date_formats["full"].pattern,
        long=long,
        day=day,
        short=short,
    )
