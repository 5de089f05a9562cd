"""Alerts, one file a kind: payload and stored form, key and life, audience, words, why, buttons.

A file here is a kind: it defines one subclass of `Kind`, and `KINDS` finds it by its place. A kind
that lacks a part is refused when this is imported, by the name of the part; one that lacks a text,
when the program starts.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import CodeType, ModuleType

from bot.alerts.kind import Kind, Kit, Reader, kind_among, label_of, table
from bot.errors import ConfigError, NewerError
from bot.found import BrokenModule, modules_of
from bot.i18n import known
from storage.alerts import StoredAlert

FOLDER = Path(__file__).parent
NO_KINDS = {"__init__", "kind"}


def kind_in(module: ModuleType) -> type[Kind]:
    """The kind that a file defines; ConfigError when there is not exactly one."""
    kinds = []
    for one in vars(module).values():
        # what it imports is another file's kind: an edit is told in the words of its story
        if isinstance(one, type) and issubclass(one, Kind) and one.__module__ == module.__name__:
            kinds.append(one)
    if len(kinds) != 1:
        label = label_of(module.__name__)
        raise ConfigError(f"{label} should define one Kind, and defines {len(kinds)}")
    return kinds[0]


def _found() -> Mapping[str, Kind]:
    """The kinds of all files here by the names that are stored; ConfigError with all problems."""
    found: list[type[Kind]] = []
    problems: list[str] = []
    for name, module in modules_of(__name__, FOLDER, but=NO_KINDS).items():
        if isinstance(module, BrokenModule):
            problems.append(label_of(f"{__name__}.{name}") + module.wrong)
            continue
        try:
            found.append(kind_in(module))
        except ConfigError as error:
            problems += error.problems
    kinds: Mapping[str, Kind] = {}
    try:
        kinds = table(*found)
    except ConfigError as error:
        problems += error.problems
    if problems:
        raise ConfigError(problems)
    return kinds


#: The kinds of alert by the name that is stored.
KINDS = _found()


def kind_of(told: StoredAlert) -> Kind:
    """The kind of a stored alert; NewerError where this program does not read its stored form."""
    return kind_among(KINDS, told)


def reads(told: StoredAlert) -> bool:
    """Whether this program reads a stored alert: among others it is left out where it does not."""
    try:
        kind_of(told).payload.read(told.payload)
    except NewerError:
        return False
    return True


def texts_lacking(language: str) -> list[str]:
    """The texts that kinds of alert are made of and a language does not have, a sentence each; with
    them what the status page calls a kind of post.
    """
    found: list[str] = []
    for name, kind in KINDS.items():
        needed = list(kind.texts)
        if kind.payload.POST is not None:
            needed.append(f"page.kind.{name}")
        for msgid in needed:
            if not known(msgid, language):
                found.append(f"kind of alert {name}: the texts of {language} lack {msgid}")
    return found


def texts_unlisted() -> list[str]:
    """The texts that the file of a kind names and its `texts` do not, a sentence each: a language
    could be without them, and no start would tell.
    """
    found: list[str] = []
    for kind in KINDS.values():
        module = type(kind).__module__
        for msgid in sorted(set(_strings(module)) - set(kind.texts)):
            if msgid and known(msgid):
                found.append(f"{label_of(module)}: its texts lack {msgid}, which it says")
    return found


def _strings(module: str) -> Iterator[str]:
    """The strings in a module's code; as it was compiled, which is read faster than its source."""
    loader = getattr(sys.modules[module], "__loader__", None)
    waiting: list[object] = []
    if loader is not None:
        waiting.append(loader.get_code(module))
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            yield one
        # a function, or a class body, within
        elif isinstance(one, CodeType):
            waiting += one.co_consts
        elif isinstance(one, tuple | frozenset):
            waiting += one


__all__ = [
    "KINDS",
    "Kind",
    "Kit",
    "Reader",
    "kind_of",
    "label_of",
    "reads",
    "texts_lacking",
    "texts_unlisted",
]
