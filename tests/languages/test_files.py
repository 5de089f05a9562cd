"""Files in a language's folder are read, and are its own: others are told by their names."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from bot import languages
from bot.languages import FILES, LANGUAGES
from bot.languages.parts import FilterWords, Reading, Script

#: How the head of a catalog names its language.
IN_ENGLISH, IN_RUSSIAN = '"Language: en\\n"', '"Language: ru\\n"'


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Copies of English and Russian, with which a third may begin."""
    for code in ("en", "ru"):
        shutil.copytree(languages.FOLDER / code, tmp_path / code)
    monkeypatch.setattr(languages, "FOLDER", tmp_path)
    monkeypatch.setattr(languages, "LANGUAGES", ("en", "ru"))
    return tmp_path


def told() -> list[str]:
    """The problems that a start tells of the folders as they are now."""
    return list(languages.problems.__wrapped__())


MISSPELT = {
    "ods.tsv": "; did you mean odds.tsv?",
    "meanin.bin": "; did you mean meaning.bin?",
    "dayz.py": "; did you mean days.py?",
    "Odds.TSV": "; did you mean odds.tsv?",
    "demo.po~": "; did you mean demo.po?",
    "README": "",
}


def test_a_file_that_nothing_reads_is_told(folders: Path) -> None:
    """Where a language may do without, a misspelt name would be taken for none at all."""
    for name in MISSPELT:
        (folders / "ru" / name).touch()
    place = "language ru: bot/languages/ru/"
    wanted = [f"{place}{name} is read by nothing{hint}" for name, hint in MISSPELT.items()]
    assert sorted(told()) == sorted(wanted)


def test_a_folder_in_a_languages_folder_is_told(folders: Path) -> None:
    (folders / "ru" / "tables").mkdir()
    (line,) = told()
    assert line.startswith("language ru: bot/languages/ru/tables is read by nothing")


def test_what_python_and_editors_leave_is_no_matter(folders: Path) -> None:
    (folders / "ru" / "__pycache__").mkdir(exist_ok=True)
    for name in (".days.py.swp", "_endings.py"):
        (folders / "ru" / name).touch()
    assert told() == []


def test_every_file_of_a_language_is_one_that_is_read() -> None:
    assert languages.problems() == ()
    for code in LANGUAGES:
        there = {path.name for path in (languages.FOLDER / code).iterdir()} - {"__pycache__"}
        assert there <= set(FILES) | {"__init__.py"}


@pytest.mark.cases(keep=6)
@pytest.mark.parametrize("name", [name for name in FILES if name not in {"odds.tsv", "demo.po"}])
def test_a_file_that_is_still_another_languages_is_told(folders: Path, name: str) -> None:
    """Learnt tables and lexicons of English would judge Russian news, and nobody be told."""
    if name == "jarchy.po":
        texts = (folders / "en" / name).read_text(encoding="utf-8")
        own = texts.replace('msgstr "English"', 'msgstr "Русский"').replace(IN_ENGLISH, IN_RUSSIAN)
        assert own != texts
        (folders / "ru" / name).write_text(own, encoding="utf-8")
        (line,) = told()
        assert line.startswith("language ru: bot/languages/ru/jarchy.po says ")
        assert line.endswith(" texts as English does: leave out what is not translated")
        return
    shutil.copyfile(folders / "en" / name, folders / "ru" / name)
    (line,) = told()
    assert line.startswith(f"languages en and ru have the same files, to the byte: {name}; each")


def test_texts_copied_from_another_language_than_english_are_told(
    folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(languages.FOLDER / "ru", folders / "tg")
    monkeypatch.setattr(languages, "LANGUAGES", ("en", "ru", "tg"))
    monkeypatch.setattr(languages, "_broken", lambda *_: "")
    monkeypatch.setattr(languages, "_problems_of", lambda _: [])
    monkeypatch.setattr(languages, "_order", {"en": 1, "ru": 2, "tg": 3}.get)
    monkeypatch.setattr(languages, "_is_stub", lambda *_: False)
    lines = told()
    assert [one.endswith("Language should be tg") for one in lines].count(True) == 2
    (line,) = (one for one in lines if not one.endswith("Language should be tg"))
    assert line.startswith("languages ru and tg have the same files, to the byte: ")
    assert {"jarchy.po", "demo.po", "wording.bin", "money.py"} <= set(
        line.replace(";", ",").split(", ")
    )


@pytest.mark.parametrize(("english", "own", "is_told"), [(20, 1, 0), (25, 30, 0), (31, 28, 1)])
def test_texts_are_told_as_english_where_most_and_more_than_a_few_are(
    folders: Path, english: int, own: int, is_told: int
) -> None:
    """Figures and names may well be as in English, and what a stub says is a few words."""
    head, *texts = (folders / "en" / "jarchy.po").read_text(encoding="utf-8").split("\n\n")
    head = head.replace(IN_ENGLISH, IN_RUSSIAN)
    plain = [text for text in texts if text.startswith("msgid") and "{" not in text]
    plain = [text for text in plain if not re.search("_plural|months|weekdays|language.name", text)]
    changed = [re.sub(r'\nmsgstr "', '\nmsgstr "x', text) for text in plain[english:][:own]]
    said = [head, 'msgid "language.name"\nmsgstr "X"', *plain[:english], *changed]
    (folders / "ru" / "jarchy.po").write_text("\n\n".join(said) + "\n", encoding="utf-8")
    line = f"language ru: bot/languages/ru/jarchy.po says {english} texts as English does: "
    assert told() == [f"{line}leave out what is not translated"][:is_told]


def test_stubs_may_be_the_same(folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty part, a table of its comment alone, a script without a word."""
    empty = "from bot.languages.parts import FilterWords\n\nFILTERS = FilterWords()\n"
    for code in ("en", "ru"):
        (folders / code / "filters.py").write_text(empty, encoding="utf-8")
        (folders / code / "reading.py").write_text("# a script\n", encoding="utf-8")
        (folders / code / "units.tsv").write_text("# nothing yet\n\n", encoding="utf-8")
        monkeypatch.setattr(f"bot.languages.{code}.filters.FILTERS", FilterWords())
        monkeypatch.setattr(f"bot.languages.{code}.reading.READING", Reading(script=Script.LATIN))
    assert told() == []
    for code in ("en", "ru"):
        monkeypatch.setattr(f"bot.languages.{code}.filters.FILTERS", FilterWords(lead="for"))
    (line,) = told()
    assert "to the byte: filters.py;" in line
