"""Languages: all that is said or read in one stands in one folder, `bot/languages/<code>/`.

A language is found by its place: a folder here is a language, its name the code that Telegram and
CLDR call it by. `PARTS` and `TABLES` are what it must bring. A part may be a stub (an empty value,
a table without rows); a part that is not there is a problem by name, and nothing runs (`problems`,
at start and in `make check`).

Where two languages claim a word, the one that stands earlier in `LANGUAGES` has it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

from bot.errors import ConfigError
from bot.found import problem_of_module
from bot.languages import files, meanings, wordings
from bot.languages.fields import wrong_fields
from bot.languages.parts import (
    LEFT_OUT,
    CommandWords,
    Days,
    FilterWords,
    HazardWords,
    Money,
    News,
    Numbers,
    Questions,
    QuietWords,
    Reading,
    RuleWords,
    Zones,
)
from bot.languages.tables import OPTIONAL, TABLES, problem_of_table
from bot.languages.texts import problem_of_texts, said_by, wrong_texts

FOLDER = Path(__file__).parent
FALLBACK = "en"  # what is said where a language has no words of its own
TEXTS = "jarchy.po"
DEMO_TEXTS = "demo.po"  # what only the demonstration says; a language may do without
CODE = re.compile(r"[a-z]{2,3}")  # as ISO 639 writes a language, and Telegram and CLDR after it
OWN_NAME = re.compile(r'^msgid "language\.name"\nmsgstr "[^"]', re.MULTILINE)
#: Each part of a language: the module of its folder, and what that defines.
PARTS: dict[str, type] = {
    "reading": Reading,
    "days": Days,
    "numbers": Numbers,
    "money": Money,
    "questions": Questions,
    "rules": RuleWords,
    "filters": FilterWords,
    "quiet": QuietWords,
    "commands": CommandWords,
    "zones": Zones,
    "news": News,
    "hazards": HazardWords,
}
#: Tables that are learnt, by their files; a language may do without.
LEARNT: dict[str, type[wordings.Wording | meanings.Meaning]] = {
    wordings.FILE: wordings.Wording,
    meanings.FILE: meanings.Meaning,
}
#: All files of a language's folder that are read; those of one name are none of another's.
FILES = (
    *(f"{part}.py" for part in PARTS),
    *(f"{table}.tsv" for table in (*TABLES, *OPTIONAL)),
    *LEARNT,
    TEXTS,
    DEMO_TEXTS,
)
LAST = 1_000  # the place of a folder that does not say its own


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """One language, as its folder brings it."""

    code: str
    reading: Reading
    days: Days
    numbers: Numbers
    money: Money
    questions: Questions
    rules: RuleWords
    filters: FilterWords
    quiet: QuietWords
    commands: CommandWords
    zones: Zones
    news: News
    hazards: HazardWords

    @property
    def texts(self) -> Path:
        """The gettext catalog of all that the bot says."""
        return FOLDER / self.code / TEXTS

    @property
    def demo_texts(self) -> Path:
        """The catalog of all that the demonstration says; it may be absent."""
        return FOLDER / self.code / DEMO_TEXTS

    def rows(self, table: str) -> Iterator[list[str]]:
        """The rows of one of its tables, read anew each time; none of an optional one not there."""
        path = FOLDER / self.code / f"{table}.tsv"
        if not path.exists():
            return
        for line in path.read_text(encoding="utf-8").splitlines():
            if line and not line.startswith("#"):
                yield line.split("\t")


def _found() -> tuple[str, ...]:
    """The codes of all folders here, by the `ORDER` that each gives itself in menus."""
    codes = [name for name in _folders() if CODE.fullmatch(name)]
    return tuple(sorted(codes, key=lambda code: (_order(code), code)))


def _folders() -> list[str]:
    """The names of all folders here but Python's own, hidden ones, and what is left of one that is
    gone: going to another branch, git leaves what Python compiled.
    """
    names: list[str] = []
    for path in FOLDER.iterdir():
        if not path.is_dir() or path.name.startswith(("_", ".")):
            continue
        if {one.name for one in path.iterdir()} - {"__pycache__"}:
            names.append(path.name)
    return sorted(names)


def _broken(code: str, name: str = "__init__") -> str:
    """The fault for which a file of a language's folder cannot be read; "" where it can."""
    module = f"{__name__}.{code}" if name == "__init__" else f"{__name__}.{code}.{name}"
    return problem_of_module(module, f"bot/languages/{code}/{name}.py")


def _order(code: str) -> int:
    # What is wrong is told by `problems`; an import that raised would tell nobody.
    if _broken(code):
        return LAST
    order = getattr(import_module(f"{__name__}.{code}"), "ORDER", LAST)
    return order if isinstance(order, int) else LAST


LANGUAGES = _found()


@cache
def language(code: str) -> Language:
    """The language of a code of `LANGUAGES`; ConfigError names what its folder lacks."""
    wrong = list(_problems_of(code))
    if wrong:
        raise ConfigError(wrong)
    return Language(code=code, **{name: _part(code, name) for name in PARTS})


@cache
def languages() -> tuple[Language, ...]:
    """Every language, in the order of menus."""
    return tuple(language(code) for code in LANGUAGES)


def values_of(part: Callable[[Language], str]) -> list[str]:
    """One part of every language, in the order of menus, without the empty ones of stubs."""
    return list(filter(None, map(part, languages())))


def words_of(part: Callable[[Language], str]) -> list[str]:
    """The words that every language lists in one part, in the order of menus."""
    words: list[str] = []
    for listed in values_of(part):
        words += listed.split()
    return words


def phrases_of(part: Callable[[Language], str]) -> list[str]:
    """The phrases that every language lists in one part, apart by commas there."""
    phrases: list[str] = []
    for listed in values_of(part):
        phrases += listed.split(",")
    return phrases


def any_of(phrases: Iterable[str]) -> str:
    """A pattern of any of these words or phrases; of none, one that fits nothing."""
    # the longest first: "all" would leave " time" of "all time"
    listed = sorted(filter(None, phrases), key=len, reverse=True)
    return "|".join(map(re.escape, listed)) or "(?!)"


@cache  # every reading of the settings asks, and no folder changes under a program
def problems() -> tuple[str, ...]:
    """The missing parts of every language's folder, a sentence each, the part by its name."""
    found: list[str] = []
    for name in _folders():
        # skipped in silence, a language put in as pt_BR would never be spoken, and nobody told
        if not CODE.fullmatch(name):
            found.append(f"bot/languages/{name} is no language: its name is no code such as ky")
    for code in LANGUAGES:
        found += _problems_of(code)
        # here alone: a worker process says nothing, and a language is spoken after the start
        found += _unsaid(code)
        for wrong in files.unread(FOLDER / code, FILES):
            found.append(f"language {code}: bot/languages/{code}{wrong}")
    # English's texts: nobody needs them again once all languages were compared with them
    said_by.cache_clear()
    found += _copied()
    for one, other in pairwise(LANGUAGES):  # the copy of a folder, in which it was forgotten
        if _order(one) == _order(other) != LAST:
            found.append(f"languages {one} and {other} have one ORDER, and one place in menus")
    return tuple(found)


def client_language(code: str | None, default: str) -> str:
    """The reader's language from Telegram's `language_code` ("ru-RU"), else the default."""
    short = (code or "").split("-", 1)[0].lower()
    if short in LANGUAGES:
        return short
    return default


def _part(code: str, name: str) -> Any:  # noqa: ANN401 - one of the types of PARTS
    return getattr(import_module(f"{__name__}.{code}.{name}"), name.upper())


def _problems_of(code: str) -> Iterator[str]:
    folder = FOLDER / code
    label = f"language {code}: bot/languages/{code}"
    if wrong := _broken(code):  # then no file of it can be
        yield f"{label}/__init__.py{wrong}"
        return
    if not isinstance(getattr(import_module(f"{__name__}.{code}"), "ORDER", None), int):
        yield f"{label}/__init__.py lacks ORDER, its place in menus"
    yield from _problems_of_parts(code, label)
    for name in (*TABLES, *OPTIONAL):
        if wrong := problem_of_table(folder / f"{name}.tsv"):
            yield f"{label}{wrong}"
    for name in LEARNT:
        if wrong := problem_of_learnt(folder / name):
            yield f"{label}{wrong}"
    for name in (TEXTS, DEMO_TEXTS):
        for wrong in _problems_of_texts(code, name):
            yield f"{label}{wrong}"


def _problems_of_texts(code: str, name: str) -> Iterator[str]:
    path = FOLDER / code / name
    if not path.exists():
        if name == TEXTS or code == FALLBACK:
            yield f" lacks {name}"
        return
    if wrong := problem_of_texts(path):
        yield f"/{name}{wrong}"
        return
    if name == TEXTS and not OWN_NAME.search(path.read_text(encoding="utf-8")):
        yield f"/{TEXTS} lacks language.name, what the language calls itself"


def _unsaid(code: str) -> Iterator[str]:
    """The texts of a language that could not be said, where it and English have sound catalogs."""
    for name in (TEXTS, DEMO_TEXTS):
        path, english = FOLDER / code / name, FOLDER / FALLBACK / name
        if all(one.exists() and not problem_of_texts(one) for one in (path, english)):
            for wrong in wrong_texts(path, english):
                yield f"language {code}: bot/languages/{code}/{name}{wrong}"


def _copied() -> Iterator[str]:
    """The files of a language that are another's, a sentence for each two languages."""
    for code, other in combinations(LANGUAGES, 2):
        names = list(FILES)
        if FALLBACK in {code, other}:  # whose texts are looked at one by one
            names = [name for name in FILES if not name.endswith(".po")]
        same = files.same(FOLDER / code, FOLDER / other, names)
        copies = ", ".join(name for name in same if not _is_stub(code, name))
        if copies:
            yield (
                f"languages {code} and {other} have the same files, to the byte: {copies}; "
                "each should be its language's own, or a stub"
            )


def _is_stub(code: str, name: str) -> bool:
    """Whether a file brings nothing yet; of two languages such files may well be the same."""
    path = FOLDER / code / name
    if path.suffix == ".tsv":
        return not files.has_rows(path)
    if path.suffix != ".py":
        return False
    kind = PARTS[path.stem]
    if _broken(code, path.stem):  # which is told
        return True
    part = getattr(import_module(f"{__name__}.{code}.{path.stem}"), path.stem.upper(), None)
    # no reading is without its script, not even a stub's
    stub = Reading(script=part.script) if isinstance(part, Reading) else kind()
    return bool(part == stub)


def _problems_of_parts(code: str, label: str) -> Iterator[str]:
    for name, kind in PARTS.items():
        if not (FOLDER / code / f"{name}.py").exists():
            yield f"{label} lacks {name}.py"
            continue
        if wrong := _broken(code, name):
            yield f"{label}/{name}.py{wrong}"
            continue
        module = import_module(f"{__name__}.{code}.{name}")
        part = getattr(module, name.upper(), None)
        if not isinstance(part, kind):
            yield f"{label}/{name}.py lacks {name.upper()}, a {kind.__name__}"
            continue
        mistaken = [f"{name.upper()}: {wrong}" for wrong in wrong_fields(part)]
        if isinstance(part, Reading) and part.script is LEFT_OUT:
            # said in words, in place of what a look at types makes of it
            mistaken = ["READING lacks script, the letters it is written in"]
        for wrong in mistaken:
            yield f"{label}/{name}.py: {wrong}"
        if isinstance(part, Numbers) and not mistaken:
            for word in _said_twice(part):
                yield f"{label}/{name}.py: {word}"


def _said_twice(numbers: Numbers) -> Iterator[str]:
    """Words for two numbers: the later would have them, and nobody could write the other."""
    meant: dict[str, int] = {}
    for number, words in numbers.words.items():
        for word in words.split():
            if meant.setdefault(word, number) != number:
                yield f"{word} is said of {meant[word]} and of {number}"


def problem_of_learnt(path: Path) -> str:
    """The fault of a learnt table, to be said behind its folder; "" where it has none."""
    if path.exists():
        try:
            LEARNT[path.name].read(path.read_bytes())
        except ValueError as error:
            return f"/{path.name} {error}"
    return ""
