"""Files that are found by their place: one file more in a folder is one thing more.

What is wrong in one is a line that names the file and the line of it, and no traceback: whoever
adds a language or a bank need not know Python. A bracket that is not closed, a field that there is
not, a name that means nothing.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from dataclasses import fields, is_dataclass
from difflib import SequenceMatcher, get_close_matches
from functools import cache
from importlib import import_module
from itertools import takewhile
from pathlib import Path
from traceback import extract_tb
from types import ModuleType
from typing import NamedTuple

PROGRAM = Path(__file__).parents[1]
ROOMS = {"bot", "handlers", "storage"}  # beside them in a folder may lie every library there is
NEIGHBOURS = 20  # of a word that are compared: currencies have many
LONGEST_HINT = 60  # letters of a word worth looking for a neighbour of
BODY = "<module>"  # what a traceback calls the lines of a file that stand in no function


class Mistake(NamedTuple):
    """A mistake and where it is: a file of the program ("" in none), its line, how that reads."""

    file: str
    line: int | None
    code: str
    words: str

    @property
    def where(self) -> str:
        """The file and the line."""
        return self.file + self.at

    @property
    def at(self) -> str:
        """The line, to be said behind the file; "" where nobody knows it."""
        return f", line {self.line}" if self.line else ""


def modules_of(
    package: str, folder: Path, *, but: Container[str] = ()
) -> dict[str, ModuleType | BrokenModule]:
    """A package's modules by their names, in place of one that cannot be read what is wrong there.

    A name that begins with _ is the package's own, and so are those of `but`.
    """
    modules: dict[str, ModuleType | BrokenModule] = {}
    for path in sorted(folder.glob("[!_.]*/__init__.py")):  # it would be passed over in silence
        modules[path.parent.name] = BrokenModule(" should be a file, and is a folder")
    for path in sorted(folder.glob("[!_]*.py")):
        if path.stem in but:
            continue
        name = f"{package}.{path.stem}"
        wrong = problem_of_module(name, f"{package.replace('.', '/')}/{path.name}")
        modules[path.stem] = BrokenModule(wrong) if wrong else import_module(name)
    return modules


def nearest(word: str, known: Iterable[str]) -> str:
    """A hint at the nearest known word ("; did you mean poll?"); empty when none is near.

    Nearest is one whose letters are only turned, nbkr for nbrk; of several as near it is one that
    begins alike: USX is USD, not UZS.
    """
    by_small_letters = {one.lower(): one for one in known}
    said = word[:LONGEST_HINT].lower()
    near = get_close_matches(said, list(by_small_letters), n=NEIGHBOURS)
    if not near:
        return ""

    def nearness(one: str) -> tuple[bool, float, int]:
        turned = sorted(one) == sorted(said)
        alike = takewhile(lambda pair: pair[0] == pair[1], zip(one, said, strict=False))
        return turned, SequenceMatcher(None, one, said).ratio(), len(list(alike))

    return f"; did you mean {by_small_letters[max(near, key=nearness)]}?"


def misspelt(made: type[object], model: type[object]) -> Iterator[str]:
    """The public names of a class that are nearly those of its model's parts, each with the one
    that was meant: a part that may be left out would be, and nothing told.
    """
    known = {name for name in {*dir(model), *model.__annotations__} if not name.startswith("_")}
    for one in made.__mro__:
        if one is model or not issubclass(one, model):
            continue
        # its values; what is for all of a class is none of them
        values = [field.name for field in fields(one)] if is_dataclass(one) else []
        for name in vars(one):
            if name.startswith("_") or name in known or name in values:
                continue
            hint = nearest(name, sorted(part for part in known if part.isupper() == name.isupper()))
            if hint:
                yield name + hint


class BrokenModule(NamedTuple):
    """In the place of a module that cannot be read: what is wrong, to be said behind its file."""

    wrong: str


@cache  # a start looks at some twice: with all of them, and when one is used
def problem_of_module(name: str, file: str) -> str:
    """The fault for which a module cannot be read, to be said behind its file; "" where it can.

    A mistake in what it imports is told with the file where it is.
    """
    try:
        import_module(name)
    # whatever is wrong in it is told as a line, and it is not for a file to end the program
    except (Exception, SystemExit) as error:  # noqa: BLE001
        mistake = mistake_of(error)
        if mistake.file in {file, ""}:
            return f"{mistake.at}: {mistake.words}"
        return f": {mistake.where}: {mistake.words}"
    return ""


def mistake_of(error: BaseException) -> Mistake:
    """The mistake for which files could not be imported.

    Its line is of the file that was being read, whatever that called: a check of a part's own or a
    library tells of the line that gave it what does not fit.
    """
    words = f"{type(error).__name__}: {_said(error)}"
    if isinstance(error, SyntaxError):
        # of bytes that are no text Python does not say which file has them
        file = _file(error.filename) if error.filename else _holding_no_text()
        if file:
            return Mistake(file, error.lineno, (error.text or "").strip(), words)
    found, read = Mistake("", None, "", words), ""
    for at in extract_tb(error.__traceback__):
        file = _file(at.filename)
        if at.name == BODY and file:
            read = file
        if file and file == read:
            found = Mistake(file, at.lineno, (at.line or "").rstrip(","), words)
    return found


def _said(error: BaseException) -> str:
    # "(days.py, line 3)" is said before, by its whole path
    return error.msg if isinstance(error, SyntaxError) else str(error)


def _file(path: str | None) -> str:
    """A file of the program as the repository calls it, "" of any other."""
    name = Path(path or "")
    if not name.is_relative_to(PROGRAM):
        return ""
    inside = name.relative_to(PROGRAM)
    return inside.as_posix() if inside.parts[0] in ROOMS else ""


def _holding_no_text() -> str:
    """The first file of the program with a zero byte, as one saved in UTF-16 has many; "" where
    there is none.
    """
    for room in sorted(ROOMS):
        for path in sorted((PROGRAM / room).rglob("*.py")):
            if path.is_file() and b"\0" in path.read_bytes():
                return _file(str(path))
    return ""
