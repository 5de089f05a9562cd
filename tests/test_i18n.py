"""The catalogs are complete and alike in every language, and numbers and dates read as each
language writes them.
"""

from __future__ import annotations

import ast
import functools
import io
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from gettext import GNUTranslations
from pathlib import Path

import polib
import pytest
from babel import Locale
from babel.messages.pofile import read_po
from hypothesis import given
from hypothesis import strategies as st

from bot import i18n, listening
from bot.alerts import KINDS
from bot.cli.given import SAID
from bot.convert.currencies import codes
from bot.deliver import reach
from bot.detect.security import lexicon
from bot.languages import FALLBACK, LANGUAGES, languages
from bot.languages.texts import _entries, wrong_texts
from bot.model.alerts import Approval, Severity
from bot.model.chats import Editorial, Post, Sound, Style, Wakes
from bot.model.filters import Sense
from bot.model.hazards import HazardKind
from bot.model.news import Mending
from bot.model.rates import RateKind
from bot.model.rules import RuleStanding
from bot.model.subjects import READERS_TOPICS
from bot.recurring import JOBS
from bot.render.charts import RANGES
from bot.render.filters import SPANS
from bot.render.text import fill, placeholders
from handlers import COMMANDS
from tests import source
from tests.conftest import ROOT
from tests.languages.expected import WHOLE, expected
from tests.reasons import TOLD_OTHERWISE, all_told

CATALOGS = {
    language: polib.pofile(str(ROOT / "bot" / "languages" / language / "jarchy.po"))
    for language in WHOLE
}
FORMS = {
    language: int(re.findall(r"nplurals=(\d+)", catalog.metadata["Plural-Forms"])[0])
    for language, catalog in CATALOGS.items()
}
KEY = re.compile(r"[a-z]+(\.[A-Za-z_]+)+")
# Words that are the same as in English, and are meant to be.
SHARED_WORDS = {
    "button.chart", "currency.EUR", "currency.KGS", "date.day", "date.year",
    "filters.example_mute", "filters.topic",
    "filters.word", "hazard.tsunami",
    "months.day", "months.since", "months.since_year", "months.year",
    "topic.economy", "topic.sport",
    # names and figures alone
    "reason.found", "reason.row", "reason.document", "reason.copy.folder", "reason.telegram.status",
}  # fmt: skip


def entries(language: str) -> dict[str, polib.POEntry]:
    return {entry.msgid: entry for entry in CATALOGS[language]}


def texts(entry: polib.POEntry) -> list[str]:
    return list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]


def in_code() -> tuple[set[str], set[str]]:
    """Every string of the program that looks like a key, and the beginnings of those put together
    (f"topic.{…}").
    """
    whole, begun = set(), set()
    for _, node in source.every(ast.Constant, "bot", "handlers"):
        if isinstance(node.value, str):
            whole.add(node.value)
    for _, joined in source.every(ast.JoinedStr, "bot", "handlers"):
        if isinstance(joined.values[0], ast.Constant):
            begun.add(str(joined.values[0].value))
    return whole, begun


@functools.cache
def used_keys() -> set[str]:
    """The literal keys given to t, tn, say, UserError and Notice anywhere in the program."""
    found = set()
    for _, node in source.every(ast.Call, "bot", "handlers"):
        called = (
            node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        )
        given_ = [*node.args[:1], *(k.value for k in node.keywords if k.arg == "msgid")]
        if called in {"t", "tn", "phrase", "counted", "say", "UserError", "Notice"}:
            found |= {
                arg.value
                for arg in given_
                if isinstance(arg, ast.Constant) and KEY.fullmatch(str(arg.value))
            }
    return found


def test_no_key_appears_twice_in_a_catalog() -> None:
    for language in WHOLE:
        assert len(entries(language)) == len(CATALOGS[language])


def test_what_is_counted_is_asked_for_with_its_number() -> None:
    """Asked for as any other text it is in the form of one: "6 story about security"."""
    counted = [re.escape(key) for key, entry in entries("en").items() if entry.msgid_plural]
    wrong = re.compile(rf'\b(?:phrase|say|t)\(\s*"(?:{"|".join(counted)})"')
    assert wrong.search('phrase("news.sources", language)')
    for file in source.files("bot", "handlers"):
        assert not wrong.search(source.text(file)), file


@pytest.mark.parametrize("language", WHOLE)
def test_a_catalog_misses_no_key_and_no_plural_form_and_leaves_none_empty(language: str) -> None:
    assert entries(language).keys() == entries("en").keys()
    for key, entry in entries(language).items():
        assert bool(entry.msgid_plural) == bool(entries("en")[key].msgid_plural), key
        assert len(texts(entry)) == (FORMS[language] if entry.msgid_plural else 1), key
        assert all(text.strip() == text != "" for text in texts(entry)), key


@pytest.mark.parametrize("language", WHOLE)
def test_every_translation_has_the_same_places_to_fill(language: str) -> None:
    for key, entry in entries(language).items():
        wanted = placeholders(texts(entries("en")[key])[0])
        for text in texts(entry):
            assert placeholders(text) == wanted, key
            fill(text, **dict.fromkeys(wanted, "x"))


@pytest.mark.parametrize("name", ["jarchy.po", "demo.po"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_what_a_language_says_can_be_said(language: str, name: str) -> None:
    """A stub may say little; what it says, an alert is made of as of any other language's."""
    folder = ROOT / "bot" / "languages"
    if not (folder / language / name).exists():
        assert name == "demo.po"  # which a language may do without
        return
    assert wrong_texts(folder / language / name, folder / "en" / name) == []


#: Entries of a catalog, and what is told of them behind their keys.
UNSAID = {
    'msgid "move.effective"\nmsgstr "{who}, {day}"': "has places for {day} {who}, and English for "
    "{day} {source}",
    'msgid "move.effective"\nmsgstr "{day"': "is no text to fill in: expected '}'",
    'msgid "move.effective"\nmsgstr "{day} {source"\n"}}"': "is no text to fill in: ",
    'msgid "move.effective"\nmsgstr "{day:>5} {source}"': "is no text to fill in: only plain names",
    'msgid "months.day"\nmsgstr "yan fev"': "should have 12 words",
    'msgid "weekdays.of"\nmsgstr "1 2 3 4 5 6"': "should have 7 words",
    'msgid "move.efective"\nmsgstr "x"': "is said nowhere: English has no such text",
    'msgid "rates.today"\nmsgid_plural "rates.today"\nmsgstr[0] "x"\nmsgstr[1] "y"': "should be "
    "without a msgid_plural",
    'msgid "news.sources"\nmsgstr "x {n}"': "should be counted, with a msgid_plural",
    'msgid "news.sources"\nmsgid_plural "news.sources"\nmsgstr[0] "{n}"': "has 1 forms, and Plur",
    'msgid "rates.today"\nmsgstr "x"\n\nmsgid "rates.today"\nmsgstr "y"': "stands there twice",
}


@pytest.mark.parametrize("entry", UNSAID)
def test_what_cannot_be_said_is_told_by_its_key(entry: str, tmp_path: Path) -> None:
    """At the start too, before a reader waits for it."""
    head = 'msgid ""\nmsgstr "Plural-Forms: nplurals=2; plural=(n != 1);\\n"\n\n# a comment\n'
    path = tmp_path / "jarchy.po"
    path.write_text(f"{head}{entry}\n\n", encoding="utf-8")
    (told,) = wrong_texts(path, ROOT / "bot" / "languages" / "en" / "jarchy.po")
    key = entry.split('"')[1]
    line = head.count("\n") + 1 + (3 if "twice" in UNSAID[entry] else 0)
    assert told.startswith(f", line {line}: {key} {UNSAID[entry]}")


def test_counted_texts_without_a_rule_are_told_once_and_a_stub_may_be_silent(
    tmp_path: Path,
) -> None:
    path = tmp_path / "jarchy.po"
    counted = 'msgid "{0}"\nmsgid_plural "{0}"\nmsgstr[0] "{{n}}"\nmsgstr[1] "{{n}}"\n\n'
    said = "".join(map(counted.format, ("news.sources", "status.failures")))
    english = ROOT / "bot" / "languages" / "en" / "jarchy.po"
    path.write_text(said, encoding="utf-8")
    assert [one.partition(",")[0] for one in wrong_texts(path, english)] == [
        " lacks Plural-Forms in its head"
    ]
    path.write_text('msgid "move.effective"\nmsgstr ""\n', encoding="utf-8")
    assert wrong_texts(path, english) == []


def test_a_head_that_is_another_languages_is_told(tmp_path: Path) -> None:
    """A copy of the English file begins so, and translators' programs go by it."""
    path = tmp_path / "uz" / "jarchy.po"
    path.parent.mkdir()
    path.write_text('msgid ""\nmsgstr "Language: en\\n"\n', encoding="utf-8")
    english = ROOT / "bot" / "languages" / "en" / "jarchy.po"
    assert wrong_texts(path, english) == [", line 1: Language should be uz"]


def test_an_entry_is_read_however_it_is_written(tmp_path: Path) -> None:
    """Over several lines, with quotes, and with what looks like a keyword."""
    path = tmp_path / "jarchy.po"
    path.write_text(
        'msgid "a.b"\nmsgid_plural "a.b"\nmsgstr[0] ""\n"say \\"msgstr\\" "\n"\\n{n}"\n'
        'msgstr[1] "C:\\\\n"\n',
        encoding="utf-8",
    )
    (entry,) = _entries(path)
    assert entry.forms == ('say "msgstr" \n{n}', "C:\\n")
    (read,) = (one for one in read_po(io.BytesIO(path.read_bytes())) if one.id)
    assert read.string == entry.forms


def test_a_texts_entries_are_what_babel_reads() -> None:
    """The texts that are looked at are those that will be said."""
    for language in LANGUAGES:
        for name in ("jarchy.po", "demo.po"):
            path = ROOT / "bot" / "languages" / language / name
            if name == "demo.po" and not path.exists():  # a language may do without
                continue
            read: dict[object, tuple[object, ...]] = {}
            for one in read_po(io.BytesIO(path.read_bytes())):
                key = one.id[0] if isinstance(one.id, tuple) else one.id
                forms = one.string if isinstance(one.string, tuple) else (one.string,)
                read[key] = forms
            read.pop("")
            assert {one.key: one.forms for one in _entries(path) if one.key} == read


@pytest.mark.parametrize("language", [one for one in WHOLE if one != FALLBACK])
def test_no_language_is_a_copy_of_english(language: str) -> None:
    """Of each other two may be: a word that both took from elsewhere is bent for no test."""
    for key in entries(FALLBACK).keys() - SHARED_WORDS:
        assert texts(entries(language)[key]) != texts(entries(FALLBACK)[key]), key


def test_every_key_the_program_uses_exists() -> None:
    missing = used_keys() - entries("en").keys()
    assert not missing


def test_jarchy_check_sees_every_key_that_is_said() -> None:
    """It reads whole only those files in which it sees one without a text."""
    seen: set[str] = set()
    for path in source.files("bot", "handlers"):
        seen |= {key.decode() for key in SAID.findall(path.read_bytes())}
    assert used_keys() - seen == set()


def test_every_answer_and_error_brings_the_values_its_words_need() -> None:
    """Where its key stands in the code: no more and no fewer."""
    found = 0
    for path, node in source.every(ast.Call, "bot", "handlers"):
        if not node.args or getattr(node.func, "id", "") not in {"phrase", "say", "UserError"}:
            continue
        key, brought = node.args[0], {one.arg for one in node.keywords} - {"today"}
        if isinstance(key, ast.Constant) and None not in brought:
            assert placeholders(i18n.t(str(key.value), "en")) == brought, (path, key.value)
            found += 1
    assert found > 100


@functools.cache
def families() -> Mapping[str, set[str]]:
    """Families of keys that are put together at run time → everything their last part can be, by
    the program's own lists.
    """
    return {
        "button.": {"mute", "unmute", "pause", "resume", "edit", "delete"},
        "chart.range.": {*RANGES},
        "command.": {*COMMANDS},
        "currency.": codes(),
        "error.story_": {*Approval},
        "filters.": {*Sense},
        "page.kind.": {*KINDS},
        "page.job.": {job.name for job in JOBS},
        "page.role.": {listening.ROLE, reach.ROLE},
        "filters.for.": {str(days) for days in SPANS},
        "hazard.": {*HazardKind},
        "kind.": {*RateKind},
        "news.": {*Mending},
        "news.in.": {*LANGUAGES},
        "move.": {"largest_rise", "largest_fall", "level_rise", "level_fall", "high", "low"},
        "post.": {*Post},
        "policy.": {*Editorial},
        "channel.policy_by_": {*Editorial} - {Editorial.PUBLISH},  # nobody asks less
        "reason.": {
            *all_told(),
            *TOLD_OTHERWISE,
            *(
                pattern.kind
                for language in LANGUAGES
                for patterns in (
                    *lexicon(language).exact.values(),
                    *lexicon(language).stems.values(),
                )
                for pattern in patterns
            ),
        },
        "rule.standing.": {*RuleStanding},
        "severity.": {*Severity},
        "sound.": {*Sound},
        "style.": {*Style},
        "wind.": {"n", "ne", "e", "se", "s", "sw", "w", "nw"},
        "topic.": {
            *READERS_TOPICS,
            "world",
            "sport",
            "culture",
        },  # the last three by a feed's own `topics` alone
        "wakes.": set(Wakes),
        "why.": {"fixing", "drift", "drift_first"},
    }


def test_no_catalog_keeps_a_key_nobody_uses() -> None:
    """A key is used where code names it, or makes it from a list of its own."""
    whole, begun = in_code()
    assert {one for one in begun if KEY.match(one + "x")} - families().keys() <= {
        "pages.",
        "payload.",
        "reason.gone.",  # what an earlier version stored as words
    }
    made = {prefix + last for prefix, lasts in families().items() for last in lasts}
    assert not entries("en").keys() - whole - made


def test_every_command_has_a_line_and_every_line_a_command() -> None:
    said = {key.removeprefix("command.") for key in entries("en") if key.startswith("command.")}
    assert said == COMMANDS.keys()


@pytest.mark.parametrize("language", WHOLE)
def test_a_whole_number_takes_the_plural_form_cldr_gives_it(language: str) -> None:
    rule = Locale(language).plural_form
    by_tag: dict[str, set[str]] = {}
    for n in range(250):
        by_tag.setdefault(rule(n), set()).add(i18n.tn("status.failures", n, language))
    assert all(len(forms) == 1 for forms in by_tag.values())
    assert len(by_tag) == FORMS[language]


def test_russian_counts_as_russian_does() -> None:
    said = [fill(i18n.tn("news.sources", n, "ru"), n=n).text for n in (1, 2, 5, 11, 21, 112)]
    assert said == [
        "1\u00a0источник",
        "2\u00a0источника",
        "5\u00a0источников",
        "11\u00a0источников",
        "21\u00a0источник",
        "112\u00a0источников",
    ]


def test_an_unknown_key_raises_and_is_never_shown() -> None:
    with pytest.raises(KeyError):
        i18n.t("no.such_key", "ru")
    with pytest.raises(KeyError):
        i18n.tn("no.such_key", 2, "ky")


def test_an_unknown_language_is_answered_in_english() -> None:
    assert i18n.t("rates.today", "de") == "today"


def test_what_a_language_lacks_is_said_in_english(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for language in ("en", "ky"):
        catalog = tmp_path / language / "jarchy.po"
        catalog.parent.mkdir(parents=True)
        word = 'msgid "rates.today"\nmsgstr "today"\n' if language == "en" else ""
        catalog.write_text(
            f'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\n{word}',
            encoding="utf-8",
        )
    languages()  # whose other parts are where they were
    monkeypatch.setattr("bot.languages.FOLDER", tmp_path)
    i18n._catalog.cache_clear()
    try:
        assert i18n.t("rates.today", "ky") == "today"
    finally:
        i18n._catalog.cache_clear()


def test_lists_of_months_and_weekdays_are_complete() -> None:
    for language in WHOLE:
        for key in (
            "months.day",
            "months.year",
            "months.since",
            "months.since_year",
            "months.until_year",
            "months.at",
            "months.at_year",
        ):
            assert len(i18n.t(key, language).split()) == 12, (language, key)
        assert len(i18n.t("weekdays.of", language).split()) == 7


@pytest.mark.parametrize("language", WHOLE)
def test_dates_read_as_the_language_writes_them(language: str) -> None:
    """The Kyrgyz hyphen is one at which no line breaks."""
    plain = expected("dates.day", language)
    with_year = expected("dates.day_and_year", language)
    since = expected("dates.since", language)
    since_with_year = expected("dates.since_day_and_year", language)
    october, march = date(2021, 10, 20), date(2021, 3, 3)
    this_year, next_year = date(2021, 12, 31), date(2022, 1, 1)
    assert i18n.day(october, language, today=this_year) == i18n.day(october, language) == plain
    assert i18n.day(october, language, today=next_year) == with_year
    assert i18n.day_since(march, language, today=this_year) == since
    assert i18n.day_since(march, language, today=next_year) == since_with_year
    assert i18n.day_at(october, language, today=this_year) == expected("dates.at", language)
    with_year = expected("dates.at_and_year", language)
    assert i18n.day_at(october, language, today=next_year) == with_year


@pytest.mark.parametrize(
    ("language", "value", "digits", "shown"),
    [
        ("en", "1234567.8", None, "1,234,567.8"),
        ("ru", "1234567.8", None, "1\u00a0234\u00a0567,8"),
        ("ky", "-1234.5", 2, "−1\u00a0234,50"),
        ("en", "84.7935", 2, "84.79"),
        ("en", "1.1948", None, "1.1948"),
        ("en", "0.125", 2, "0.13"),
        ("ru", "-0.001", 2, "0,00"),
        (
            "en",
            "123456789012345678901234567890.12",
            None,
            "123,456,789,012,345,678,901,234,567,890.12",
        ),
    ],
)
def test_numbers_are_exact_and_wear_the_marks_of_the_language(
    language: str, value: str, digits: int | None, shown: str
) -> None:
    assert i18n.number(Decimal(value), language, digits) == shown


@given(
    st.decimals(
        allow_nan=False, allow_infinity=False, places=4, min_value=-(10**12), max_value=10**12
    )
)
def test_a_number_can_be_read_back(value: Decimal) -> None:
    """In every language nothing is lost or added."""
    for language in LANGUAGES:
        decimal_mark, group = i18n._marks(language)
        shown = (
            i18n.number(value, language)
            .replace(group, "")
            .replace(decimal_mark, ".")
            .replace("−", "-")
        )
        assert Decimal(shown) == value


@pytest.mark.parametrize(
    ("value", "language", "shown"),
    [
        ("0.0194", "en", "+0.02\u00a0%"),
        ("-0.2543", "en", "−0.25\u00a0%"),
        ("-2.4", "ru", "−2,40\u00a0%"),
        ("0", "ky", "0,00\u00a0%"),
        ("-0.004", "en", "0.00\u00a0%"),
    ],
)
def test_a_percent_always_has_its_sign_unless_nothing_moved(
    value: str, language: str, shown: str
) -> None:
    assert i18n.percent(Decimal(value), language) == shown


def test_hours_are_told_in_the_readers_zone() -> None:
    at = datetime(2021, 10, 20, 20, 5, tzinfo=UTC)
    assert i18n.clock(at, "Asia/Bishkek") == "02:05"
    assert i18n.clock(time(9, 0)) == "09:00"
    assert i18n.moment(at, "ru", "Asia/Bishkek") == "21\u00a0октября в 02:05"
    assert i18n.moment(at, "ru", "Asia/Bishkek", now=at + timedelta(hours=3)) == "02:05"
    assert (
        i18n.moment(at, "en", "Asia/Bishkek", now=at + timedelta(days=100))
        == "21\u00a0Oct 2021 02:05"
    )


def test_ages_are_told_in_words() -> None:
    said = [i18n.ago(timedelta(minutes=5), language) for language in ("en", "ru", "ky")]
    assert said == ["5\u00a0minutes ago", "5\u00a0минут назад", "5\u00a0мүнөт мурун"]
    assert i18n.ago(timedelta(seconds=3), "ky") == "азыр эле"
    assert i18n.span(timedelta(hours=3), "ru") == "3\u00a0часа"


def test_som_and_sum_are_two_currencies_and_others_are_named_by_cldr() -> None:
    assert [i18n.currency_name("KGS", language) for language in ("en", "ru", "ky")] == [
        "som",
        "сом",
        "сом",
    ]
    assert [i18n.currency_name("UZS", language) for language in ("en", "ru", "ky")] == [
        "Uzbek soum",
        "узбекский сум",
        "өзбек суму",
    ]
    assert i18n.currency_name("USD", "ky") == "АКШ доллары"
    assert i18n.currency_name("TRY", "ru") == "турецкая лира"
    assert i18n.currency_name("XQX", "en") == "XQX"


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_nobody_asks_of_a_language_is_not_kept(language: str) -> None:
    """CLDR says how fathoms are called; that and its like would be a megabyte for each language."""
    known = i18n.cldr(language)
    assert known.territories["KG"]
    assert not known.scripts
    assert not known.meta_zones


def test_a_source_without_a_name_in_the_language_is_named_in_english() -> None:
    assert i18n.name_of({"en": "Kaktus", "ru": "Кактус"}, "ky") == "Kaktus"
    assert i18n.name_of({"ru": "Кактус"}, "ky") == "Кактус"
    assert i18n.name_of({}, "ky") == ""


def test_a_text_with_plurals_is_found_by_every_release_of_python(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """3.11.2, which is Debian 12's, does not look for one where no number is said."""
    found = i18n.t("news.sources", "en")

    def as_in_3_11_2(catalog: GNUTranslations, msgid: str) -> str:
        return str(vars(catalog)["_catalog"].get(msgid, msgid))

    monkeypatch.setattr(GNUTranslations, "gettext", as_in_3_11_2)
    assert i18n.known("news.sources", "en")
    assert i18n.t("news.sources", "en") == found
    assert not i18n.known("news.nothing", "en")
