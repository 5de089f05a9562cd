"""A language is a folder: each brings every part, what lacks one is refused by its name, a new
folder is spoken.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import fields
from pathlib import Path
from typing import Any

import polib
import pytest

from bot import languages
from bot.cli import main, whole
from bot.convert.commands import SPANS, UNITS
from bot.detect import named
from bot.languages import LANGUAGES, PARTS, client_language, language
from bot.languages.en import numbers
from bot.languages.fields import wrong_fields
from bot.languages.parts import (
    Days,
    HazardWords,
    Head,
    Money,
    News,
    Numbers,
    Reading,
    RuleWords,
    Zones,
)
from bot.languages.tables import TABLES
from bot.sources.specs import Catalog
from tests import forkserver
from tests.forkserver import copied
from tests.languages.expected import EXPECTED, WHOLE

ROOT = Path(__file__).parents[2]
LANGUAGE_FOLDERS = Path("bot", "languages")
PROGRAM_FOLDERS = ("bot", "handlers", "storage")
TIMEOUT = 110  # seconds that a program beside other busy ones may take

TEXTS = """msgid ""
msgstr "Content-Type: text/plain; charset=UTF-8\\nPlural-Forms: nplurals=2; plural=(n != 1);\\n"

msgid "language.name"
msgstr "oʻzbekcha"

msgid "start.hello"
msgstr "Salom!"

msgid "rates.today"
msgstr "bugun"
"""
STUBS = {
    "__init__": '"""Uzbek."""\n\nORDER = 4\n',
    "reading": 'READING = Reading(script=Script.LATIN, words="va bilan uchun emas ham bu deb")',
    "days": """DAYS = Days(
    named={-1: "kecha", 0: "bugun"},
    month_starts=(
        "yan", "fev", "mar", "apr", "may", "iyun", "iy", "avg", "sen", "okt", "noy", "dek"
    ),
    months=(
        "yanvar", "fevral", "mart", "aprel", "may", "iyun", "iyul", "avgust", "sentabr",
        "oktabr", "noyabr", "dekabr",
    ),
    ordinal="-?chi",
    before_month="kuni",
    year="yil",
    at="soat",
)""",
    "numbers": 'NUMBERS = Numbers(words={5: "besh"}, hundred="yuz", scales={1000: "ming"})',
    "money": 'MONEY = Money(short_forms={"dollarni": "USD"})',
    "questions": """QUESTIONS = Questions(
    words={"Q": "qancha", "t": "ga"},
    between_amounts="va",
    between_targets="hamda",
    before_day="uchun",
    behind_day="kuni",
    of_one="qancha",
)""",
    "rules": "RULES = RuleWords()",
    "filters": "FILTERS = FilterWords()",
    "quiet": "QUIET = QuietWords()",
    "commands": """COMMANDS = CommandWords(
    around="va|oxirgi",
    ranges={30: "oy", 365: "yil"},
    one_range={365: "yil"},
    whole="hammasi,butun davr",
    off="oʻchir",
)""",
    "zones": 'ZONES = Zones(cities={"Asia/Tashkent": "toshkent"}, moscow="mosk")',
    "news": 'NEWS = News(shortened="koʻch")',
    "hazards": 'HAZARDS = HazardWords(events={"flood": "suv bos", "cold": "sovuq"})',
}

NAMED = 'msgid "language.name"\nmsgstr "X"\n'
HEAD = """msgid ""
msgstr ""
"Plural-Forms: {}\\n"
"Content-Type: text/plain; charset=UTF-8\\n"

msgid "language.name"
msgstr "X"
"""
OWN_NAME_EMPTY = 'msgid "language.name"\nmsgstr ""\n'


def program_with_uzbek(folder: Path) -> Path:
    """A copy of the program with one folder more, mostly stubs: a fourth language."""
    for name in PROGRAM_FOLDERS:
        copied(ROOT / name, folder / name)
    added = folder / LANGUAGE_FOLDERS / "uz"
    # where there is an Uzbek of the program's own by now, this one takes its place
    shutil.rmtree(added, ignore_errors=True)
    added.mkdir()
    for name, text in STUBS.items():
        head = "" if name == "__init__" else "from bot.languages.parts import *\n\n"
        (added / f"{name}.py").write_text(head + text + "\n", encoding="utf-8")
    for name in TABLES:
        (added / f"{name}.tsv").write_text("# nothing yet\n", encoding="utf-8")
    (added / "jarchy.po").write_text(TEXTS, encoding="utf-8")
    return folder


def run(program: Path, *arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
    """One process of that copy, which finds the tests' factories here and the program there."""
    module, *words = arguments[1:] if arguments[0] == "-m" else arguments
    done = forkserver.run(
        module,
        *words,
        cwd=program,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "BOT_TOKEN": ""},
        stdin=given.encode(),
        timeout=TIMEOUT,
        copy=True,
    )
    out, error = done.stdout.decode(), done.stderr.decode()
    return subprocess.CompletedProcess(done.args, done.returncode, out, error)


@pytest.mark.parametrize("code", WHOLE)
def test_each_language_brings_every_part_and_no_stub(code: str) -> None:
    spoken = language(code)
    assert not list(languages._problems_of(code))
    for name, kind in PARTS.items():
        assert isinstance(getattr(spoken, name), kind), name
    assert len(spoken.days.months) == len(spoken.days.month_starts) == 12
    assert spoken.numbers.words
    assert all((spoken.questions.words, spoken.news.denials, spoken.rules.below))
    assert all((spoken.questions.between_amounts, spoken.questions.between_targets))
    for words in fields(spoken.commands):
        if not words.name.startswith("given"):
            assert getattr(spoken.commands, words.name), words.name
    assert spoken.commands.given or spoken.commands.given_last
    assert spoken.days.at
    assert spoken.news.shortened
    assert [head for head in spoken.money.heads() if head.code == "USD"]
    for name in TABLES:
        assert len(list(spoken.rows(name))) > 20, name


def test_the_same_places_have_a_name_in_each_language() -> None:
    named = [[name for name, _ in language(code).rows("places")] for code in WHOLE]
    assert all(names == named[0] for names in named)


def test_languages_stand_in_the_order_they_give_themselves() -> None:
    assert LANGUAGES[:3] == ("en", "ru", "ky")


def test_two_languages_with_one_place_in_menus_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder begins as another's copy, and its order is forgotten easily."""
    monkeypatch.setattr("bot.languages.ru.ORDER", languages._order("en"))
    found = languages.problems.__wrapped__()  # what is kept is of the folders as they are
    assert found == ("languages en and ru have one ORDER, and one place in menus",)


def test_a_language_whose_texts_are_all_there_has_its_expected_texts() -> None:
    """And all of them: so that what is promised of a whole language is tried on it."""
    english = {entry.msgid for entry in polib.pofile(str(language("en").texts))}
    for code in LANGUAGES:
        if {entry.msgid for entry in polib.pofile(str(language(code).texts))} == english:
            assert code in WHOLE
    for code in WHOLE:
        assert _names(EXPECTED[code]) == _names(EXPECTED["en"])


def _names(texts: dict[str, dict[str, Any]]) -> set[str]:
    return {f"{section}.{name}" for section, named in texts.items() for name in named}


@pytest.mark.parametrize("code", LANGUAGES)
def test_a_charts_range_is_counted_in_units_that_its_buttons_have(code: str) -> None:
    words = language(code).commands
    assert set(words.ranges) <= set(UNITS.values())
    assert set(words.one_range) <= set(SPANS)


def test_an_unknown_language_of_telegram_is_the_default() -> None:
    assert [client_language(code, "ky") for code in ("ru-RU", "de", None, "EN")] == [
        "ru",
        "ky",
        "ky",
        "en",
    ]


@pytest.mark.parametrize(
    ("lost", "said"),
    [
        *((f"{name}.py", f"lacks {name}.py") for name in ("money", "news", "reading")),
        ("severity.tsv", "lacks severity.tsv"),
        ("jarchy.po", "lacks jarchy.po"),
    ],
)
def test_a_language_that_lacks_a_part_is_refused_by_the_parts_name(
    lost: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(ROOT / LANGUAGE_FOLDERS / "ky", tmp_path / "ky")
    (tmp_path / "ky" / lost).unlink()
    monkeypatch.setattr(languages, "FOLDER", tmp_path)
    problems = list(languages._problems_of("ky"))
    assert len(problems) == 1
    assert "language ky" in problems[0]
    assert said in problems[0]


def test_a_word_for_two_numbers_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in `500: "five hundred"`: these are two words, and 100 could not be written any more."""
    twice = Numbers(words={5: "five", 100: "hundred", 500: "five hundred"})
    monkeypatch.setattr(numbers, "NUMBERS", twice)
    assert list(languages._problems_of("en")) == [
        "language en: bot/languages/en/numbers.py: five is said of 5 and of 500",
        "language en: bot/languages/en/numbers.py: hundred is said of 100 and of 500",
    ]


@pytest.mark.parametrize(
    ("texts", "wrong"),
    [
        (f"{NAMED}rubbish", ', line 3: should be msgid, msgstr or more of one, between two "'),
        (f'{NAMED}msgid "x\nmsgstr "y"', ", line 3: should be msgid, msgstr or more of one"),
        (f'{NAMED}msgstr "y" z', ", line 3: should be msgid, msgstr or more of one"),
        (f'"lost"\n{NAMED}', ", line 1: a string is out of place"),
        (f'{NAMED}msgid "x"\nmsgid "y"', ", line 4: msgid is out of place"),
        (f'msgstr "x"\n{NAMED}', ", line 1: msgstr is out of place"),
        (f'{NAMED}msgid "x"\n# y\nmsgstr "z"', ", line 4: a comment is out of place"),
        (f'{NAMED}msgid "x"\nmsgstr "y"\n# y\n"z"', ", line 6: a string is out of place"),
        (f'{NAMED}msgid "x"\n""\n', " ends with a msgid, without its text"),
        (HEAD.format("nplurals=x; plural=0;"), ", line 3: Plural-Forms should be a rule such as"),
        (HEAD.format("nplurals=2; plural=(n != ;"), ", line 3: Plural-Forms should be a rule"),
        (HEAD.format("nplurals=2; plural=n;"), ", line 3: Plural-Forms should be a rule such as"),
        (HEAD.format("nplurals=1; plural=0;").replace("UTF-8", "KOI8-R"), ", line 4: Content-Type"),
        (b"\xd3\xc5", " is not UTF-8 text"),
    ],
)
def test_texts_that_are_no_catalog_to_their_end_are_refused_with_the_line(
    texts: str | bytes, wrong: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reader of the program itself would go on in English, without a word."""
    shutil.copytree(ROOT / LANGUAGE_FOLDERS / "ky", tmp_path / "ky")
    raw = texts if isinstance(texts, bytes) else texts.encode()
    (tmp_path / "ky" / "jarchy.po").write_bytes(raw)
    (tmp_path / "ky" / "units.tsv").write_bytes(b"\xd3\xc5\t1")
    monkeypatch.setattr(languages, "FOLDER", tmp_path)
    problems = list(languages._problems_of("ky"))
    assert problems[0] == "language ky: bot/languages/ky/units.tsv is not UTF-8 text"
    assert problems[1].startswith(f"language ky: bot/languages/ky/jarchy.po{wrong}")
    assert len(problems) == 2


@pytest.mark.parametrize("name", ["", 'msgid "language.named"\nmsgstr "X"\n', OWN_NAME_EMPTY])
def test_a_language_without_a_name_of_its_own_is_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A button without words would be all that leads to it."""
    shutil.copytree(ROOT / LANGUAGE_FOLDERS / "ky", tmp_path / "ky")
    (tmp_path / "ky" / "jarchy.po").write_text(name, encoding="utf-8")
    monkeypatch.setattr(languages, "FOLDER", tmp_path)
    (problem,) = languages._problems_of("ky")
    assert "jarchy.po lacks language.name" in problem


def test_a_language_may_do_without_words_of_the_demonstration_and_english_may_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are said in English where a language has none."""
    monkeypatch.setattr(languages, "FOLDER", tmp_path)
    for code in ("en", "ky"):
        shutil.copytree(ROOT / LANGUAGE_FOLDERS / code, tmp_path / code)
        (tmp_path / code / "demo.po").unlink()
    assert list(languages._problems_of("ky")) == []
    assert list(languages._problems_of("en")) == ["language en: bot/languages/en lacks demo.po"]


@pytest.mark.parametrize("name", ["pt_BR", "UZ", "uz2", "uzbek"])
def test_a_folder_that_is_named_like_no_language_is_told(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would never be spoken, and nobody would know why; Python's own folders are no matter."""
    for folder in (name, "__pycache__", ".cache"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "days.py").touch()
    (tmp_path / "uz" / "__pycache__").mkdir(parents=True)  # what git leaves of another branch's
    monkeypatch.setattr(languages, "FOLDER", tmp_path)
    monkeypatch.setattr(languages, "LANGUAGES", ())
    assert languages._found() == ()
    assert list(languages.problems.__wrapped__()) == [
        f"bot/languages/{name} is no language: its name is no code such as ky"
    ]


def test_a_folder_whose_code_cldr_has_not_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first figure in it ended in a traceback, also that of the demonstration."""
    monkeypatch.setattr("bot.i18n.LANGUAGES", ("en", "xx"))
    told = "bot/languages/xx is no language that CLDR knows by this code"
    assert whole.problems(Catalog()) == [told]
    monkeypatch.setattr("sys.argv", ["jarchy", "demo", "--port", "0", "--exit-after", "0"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 78
    assert capsys.readouterr().err == f"jarchy: {told}\n"


def test_a_table_with_a_missing_column_is_refused_with_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(ROOT / LANGUAGE_FOLDERS / "ky", tmp_path / "ky")
    (tmp_path / "ky" / "topics.tsv").write_text("# topics\n\neconomy\tакча\n", encoding="utf-8")
    monkeypatch.setattr(languages, "FOLDER", tmp_path)
    (problem,) = languages._problems_of("ky")
    assert problem.endswith("topics.tsv, line 3: should have 3 columns")


@pytest.mark.parametrize(
    ("table", "row", "wrong"),
    [
        ("topics", "economy\theavy\tакча", "'heavy' should be a number"),
        ("odds", "_аб\tx", "'x' should be a number"),
        ("units", "dead\t*", "a word is missing"),
        ("places", "kg\tкыргыз*,", "a word is missing"),
        ("odds", "_аб", "should have 2 columns"),
    ],
)
def test_a_row_that_nothing_can_be_made_of_is_refused_with_its_line(
    table: str, row: str, wrong: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the first text in which it is looked for would end in an error."""
    shutil.copytree(ROOT / LANGUAGE_FOLDERS / "ky", tmp_path / "ky")
    (tmp_path / "ky" / f"{table}.tsv").write_text(f"# head\n{row}\n", encoding="utf-8")
    monkeypatch.setattr(languages, "FOLDER", tmp_path)
    assert list(languages._problems_of("ky")) == [
        f"language ky: bot/languages/ky/{table}.tsv, line 2: {wrong}"
    ]


@pytest.mark.parametrize(
    ("part", "wrong"),
    [
        (Reading(script="latin"), "script has 'latin' where a Script should be"),
        (Days(at=5), "at has 5 where text should be"),
        (Days(named={"-1": "kecha"}), "named has '-1' where a whole number should be"),
        (Days(named={-1: "kecha("}), "named has 'kecha(', which is no pattern: missing )"),
        (Days(months="yanvar"), "months has 'yanvar' where several in round brackets should be"),
        (Days(months=("yanvar",)), "months has 1, not 12"),
        (Days(weekdays=("[",) * 7), "weekdays has '[', which is no pattern"),
        (Numbers(scales=["ming"]), "scales has ['ming'] where a table in curly brackets should be"),
        (Numbers(words={True: "bir"}), "words has True where a whole number should be"),
        (Numbers(ten_joins=1), "ten_joins has 1 where True or False should be"),
        (Money(heads="dollar"), "heads has 'dollar' where a function should be"),
        (Money(heads=lambda: [1]), "heads has 1 where a Head should be"),
        (Money(heads=lambda: 1 / 0), "heads fails: ZeroDivisionError: division by zero"),
        (
            Money(heads=lambda: [Head(code="USD", stands_for="d", forms=(("d",),))]),
            "forms has ('d',) where 2 in round brackets should be",
        ),
        (RuleWords(kinds={"offical": "x"}), "kinds has 'offical' where one of official, "),
        (HazardWords(events={"floood": "x"}), "events has 'floood' where one of earthquake, "),
        (Zones(cities={"Asia/Biskek": "x"}), "cities has 'Asia/Biskek' where a time zone such as"),
        (Zones(cities={"../x": "x"}), "cities has '../x' where a time zone such as"),
    ],
)
def test_a_field_that_holds_something_else_is_told(part: object, wrong: str) -> None:
    """As mypy would, and what it cannot see: patterns, names of kinds, how many there are."""
    (told,) = wrong_fields(part)
    assert wrong in told


def test_a_field_that_holds_something_else_is_told_with_its_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bot.languages.ky.days.DAYS", Days(at=5, week=7))
    assert list(languages.problems.__wrapped__()) == [
        f"language ky: bot/languages/ky/days.py: DAYS: {name} has {value} where text should be"
        for name, value in (("week", 7), ("at", 5))
    ]


def test_what_a_languages_tables_name_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """A place that nothing knows would end the first story of it in an error."""
    rows = {
        "places": [["kgg", "кыргыз*"]],
        "severity": [["neer", "кыргыз*"]],
        "events": [["quack", "титирө*"], ["quack", "жер титирө*"]],
        "units": [["deed", "каза*"]],
        "topics": [["econmy", "1.0", "инфляция*"]],
        "security": [["bias", "-1.0", ""], ["krime", "1.0", "кылмыш*"]],
    }
    english = {"events": "quake", "units": "dead", "topics": "economy", "security": "bias"}

    def rows_of(one: languages.Language, table: str) -> list[list[str]]:
        if one.code == "en":
            return [[english[table], "x"]] if table in english else []
        return rows[table] if one.code == "ky" else []

    monkeypatch.setattr(languages.Language, "rows", rows_of)
    monkeypatch.setattr("bot.languages.ky.news.NEWS", News(stemmer="turkisch"))
    languages.language.cache_clear()
    languages.languages.cache_clear()
    try:
        told = named.problems()
    finally:
        monkeypatch.undo()
        languages.language.cache_clear()
        languages.languages.cache_clear()
    file, of = "language ky: bot/languages/ky/", "bot/languages/en/"
    assert told == [
        f"{file}places.tsv: kgg is no place of bot/detect/data/places.tsv; did you mean kg?",
        f"{file}severity.tsv: neer is no cue: near, danger, calm, death; did you mean near?",
        f"{file}events.tsv: quack is no event of {of}events.tsv; did you mean quake?",
        f"{file}units.tsv: deed is no unit of {of}units.tsv; did you mean dead?",
        f"{file}topics.tsv: econmy is no topic of {of}topics.tsv; did you mean economy?",
        f"{file}security.tsv: krime is no kind of words of {of}security.tsv",
        f"{file}news.py: Snowball has no stemmer turkisch; did you mean turkish?",
    ]


SPEAK = """
import json
from bot.convert import parse_question, read_zone
from bot.convert.dates import read_day
from bot.detect.language import language_of
from bot.detect.stories import same_story
from bot.detect.topics import judged
from bot.i18n import number, t
from bot.languages import LANGUAGES, problems
from bot.render import news, rates, welcome
from tests.factories import entry
from tests.render.world import rate_card
from datetime import date

one = entry(title="Toshkentda yong'in", language="uz")
two = entry(title="Fire in Tashkent", language="en")
three = entry(title="Fire in Tashkent", language="xx")
asked = parse_question("qancha dollar yuz euro", language="uz")
print(json.dumps({
    "languages": LANGUAGES,
    "problems": problems(),
    "start": welcome.start("uz", currencies=["USD"], topics=["security"]).text,
    "card": rates.card(rate_card(), "uz").text,
    "asked": [str(asked.amount), asked.source, asked.target],
    "million": number(1000000, "uz"),
    "day": str(read_day("kecha", today=date(2026, 11, 28))),
    "month": str(read_day("20-chi kuni oktabr", today=date(2026, 11, 28))),
    "zone": read_zone("toshkent"),
    "uzbek": language_of("Bu kitob va daftar bilan emas"),
    "english": language_of("A fire in the market"),
    "security": judged("Toshkentda yong'in", "", "uz").security,
    "same": [same_story(one, two).same, same_story(two, three).same],
    "told in": [news._written_in(code, language) for code, language in (
        ("uz", "en"), ("uz", "ru"), ("uz", "uz"), ("de", "en"), ("ru", "uz"))],
}))
"""


def test_one_folder_more_is_one_language_more(tmp_path: Path) -> None:
    """Greeting, rates card, questions, days, cities and detection work in a language of a handful
    of words.
    """
    done = run(program_with_uzbek(tmp_path), "-c", SPEAK)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    others = [code for code in LANGUAGES if code != "uz"]
    assert said["languages"] == [*others, "uz"]
    assert said["problems"] == []
    assert said["start"].startswith("Salom!")
    assert "USD" in said["card"]
    assert said["asked"] == ["100", "EUR", "USD"]
    assert said["million"] == "1\u00a0000\u00a0000"
    assert said["month"] == "2026-10-20"
    assert (said["day"], said["zone"]) == ("2026-11-27", "Asia/Tashkent")
    assert (said["uzbek"], said["english"]) == ("uz", "en")
    assert said["security"] is False
    assert said["same"] == [False, True]
    other = "in another language"
    assert said["told in"] == ["Uzbek", "узбекский", "", other, "in Russian"]


COMMAND = """
import json
from datetime import date
from bot.convert import parse_inquiry
from bot.convert.quiet import parse_quiet
from handlers.charts import parse_chart
from handlers.digest import times_or_off
from handlers.rates import parse_rates_request

today = date(2026, 11, 28)

def rates(words):
    codes, on = parse_rates_request(words.split(), today=today, home="KGS")
    return [*codes, str(on)]

def chart(words):
    pair, span = parse_chart(words.split(), home="KGS")
    return [str(pair), span]

def asked(words):
    found = parse_inquiry(words, today=today, language="uz")
    questions = [f"{one.amount} {one.source} {one.target}" for one in found.questions]
    return [*questions, str(found.on)]

print(json.dumps({
    "rates": rates("USD va EUR kecha"),
    "charts": [chart(f"USD {words}") for words in ("1 yil", "oxirgi yil", "3 oy", "butun davr")],
    "digest": [[str(at) for at in times_or_off(words)] for words in ("oʻchir", "9:00 20:30")],
    "quiet": str(parse_quiet("Oʻchir.")),
    "amounts": asked("100 usd va 50 eur"),
    "targets": asked("100 usd eur hamda rub"),
    "days": [asked("100 usd uchun kecha"), asked("100 usd kecha kuni")],
    "of one": [asked("qancha доллар сом"), asked("how many доллар сом")],
}))
"""


@pytest.mark.slow
def test_one_folder_more_is_read_behind_commands_and_in_lists(tmp_path: Path) -> None:
    """Its words for nothing, for ranges, for none, and what stands between amounts and days."""
    done = run(program_with_uzbek(tmp_path), "-c", COMMAND)
    assert done.returncode == 0, done.stderr
    read = json.loads(done.stdout)
    assert read["rates"] == ["USD", "EUR", "2026-11-27"]
    ranges = ("1y", "1y", "90d", "all")
    assert read["charts"] == [["USD/KGS", span] for span in ranges]
    assert (read["digest"], read["quiet"]) == ([[], ["09:00:00", "20:30:00"]], "None")
    assert read["amounts"] == ["100 USD None", "50 EUR None", "None"]
    assert read["targets"] == ["100 USD EUR", "100 USD RUB", "None"]
    assert read["days"] == [["100 USD None", "2026-11-27"]] * 2
    assert read["of one"] == [["1 USD KGS", "None"], ["1 KGS USD", "None"]]


DOCUMENTS = """
import sys

for left_out in [name for name, module in sys.modules.items() if module is None]:
    del sys.modules[left_out]  # a running bot has no pygments, and pytest wants it

import json
from datetime import timezone, timedelta
from bot.sources.cap import parse_cap
from bot.sources.dates import parse_date
from bot.sources.pages import parse_list_page
from bot.sources.posts import headline_of
from tests.sources.test_hazards import cap
from tests.sources.test_pages import NOW, SPEC, page, row

zone = timezone(timedelta(hours=5))

def event(words):
    (found,) = parse_cap(cap(event=words).encode(), None)
    return found.hazard.kind

dates = (
    "20-chi oktabr 2021 yil, soat 15:12", "1 iyun 2021", "1 iyul 2021", "1 may 2021 mosk",
    "1 mayda 2021 15:12 mosk",
)
listed = page(row("kecha, soat 23:50", "/a/1", "Bir"), row("bugun 10:00", "/a/2", "Ikki"))
print(json.dumps({
    "dates": [str(parse_date(one, zone=zone)) for one in dates],
    "listed": [str(one.published_at) for one in parse_list_page(listed, SPEC, now=NOW)],
    "hazards": [event("Suv bosishi"), event("Sovuqlar"), event("Nimadir")],
    "headline": headline_of("Amir Temur koʻch. Toshkent boʻylab yopildi. Ҳаракат йўқ. Ӣ"),
    "letters": headline_of("Роҳ баста шуд. Ӯ рафт."),
}))
"""


@pytest.mark.slow
def test_one_folder_more_is_read_in_what_publishers_write(tmp_path: Path) -> None:
    """Its months, hours, yesterday, dangers, and words that a full stop shortens."""
    done = run(program_with_uzbek(tmp_path), "-c", DOCUMENTS)
    assert done.returncode == 0, done.stderr
    read = json.loads(done.stdout)
    assert read["dates"] == [
        "2021-10-20 10:12:00+00:00",
        "2021-05-31 19:00:00+00:00",
        "2021-06-30 19:00:00+00:00",
        "2021-04-30 21:00:00+00:00",
        "2021-05-01 12:12:00+00:00",
    ]
    assert read["listed"] == ["2021-10-19 17:50:00+00:00", "2021-10-20 04:00:00+00:00"]
    assert read["hazards"] == ["flood", "cold", "other"]
    assert read["headline"] == "Amir Temur koʻch. Toshkent boʻylab yopildi."
    assert read["letters"] == "Роҳ баста шуд."


def test_the_verbs_speak_it_and_name_what_it_lacks(tmp_path: Path) -> None:
    program = program_with_uzbek(tmp_path)
    asked = run(program, "-m", "bot", "convert", "yuz dollarni", "--language", "uz", "--parse-only")
    assert asked.returncode == 0, asked.stderr
    assert json.loads(asked.stdout)["amount"] == "100"
    told = run(
        program,
        "-m",
        "bot",
        "detect",
        "security",
        given='{"id": 1, "title": "Salom", "lang": "uz"}\n',
    )
    assert json.loads(told.stdout)["lang"] == "uz"
    (program / LANGUAGE_FOLDERS / "uz" / "zones.py").unlink()
    checked = run(program, "-m", "bot", "check")
    assert checked.returncode == 78
    assert "language uz: bot/languages/uz lacks zones.py" in checked.stderr


#: What makes the stub one of a third script: Georgian, by its code.
GEORGIAN = """READING = Reading(
    script=Script.GEORGIAN,
    latin=dict(zip("აბგდევზთიკლმნოპრსტუფხჯ", "abgdevztiklmnoprstupxj")) | {"შ": "sh", "ჩ": "ch"},
)"""
THIRD = """
import json
from bot.detect.facts import name_key
from bot.detect.language import language_of
from bot.detect.search import asked, tokens_of
from bot.languages import LANGUAGES, problems

texts = ("ხანძარი თბილისის ბაზარში", "A fire in Tbilisi", "Пожар в Тбилиси", "თბილისი, Reuters")
print(json.dumps({
    "problems": problems(),
    "read": [language_of(text) for text in texts],
    "names": [name_key(name) for name in ("თბილისი", "Тбилиси", "Tbilisi", "ბათუმი", "Batumi")],
    "asked": sorted(token.text for token in asked("ბაზარი")[0]),
    "found": tokens_of("ხანძარი ბაზარი", "ka"),
}))
"""


def test_one_folder_more_is_one_script_more(tmp_path: Path) -> None:
    """Its texts are told by their letters, its names are joined with those of others, its words
    found.
    """
    program = program_with_uzbek(tmp_path)
    folder = program / LANGUAGE_FOLDERS
    (folder / "uz").rename(folder / "ka")
    (folder / "ka" / "reading.py").write_text(
        f"from bot.languages.parts import *\n\n{GEORGIAN}\n", encoding="utf-8"
    )
    done = run(program, "-c", THIRD)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["problems"] == []
    assert said["read"] == ["ka", "en", "ru", "ka"]
    assert said["names"][:3] == ["tbls"] * 3
    assert said["names"][3] == said["names"][4] == "btm"
    assert any(token.startswith("ka") for token in said["asked"])
    # in texts of other letters as it stands
    others = {token for token in said["asked"] if token.startswith(("en", "ru", "ky"))}
    assert others == {f"{code}ბაზარი" for code in ("en", "ru", "ky")}
    assert all(token.startswith("ka") for token in said["found"])
