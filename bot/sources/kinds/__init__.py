"""Kinds of sources besides banks: a file here is one, its name the section of the catalog.

A file defines `KIND`, a `Kind`: the section that describes such a source, and what `jarchy inspect`
shows of its documents. The section makes the spec, and the spec names the readers that run in a
worker process. A file that lacks `KIND` is a problem by name, and no catalog is read (`problems`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from inspect import isabstract
from pathlib import Path
from typing import get_type_hints

from bot.found import BrokenModule, misspelt, modules_of
from bot.sources.kind import Kind
from bot.sources.sections import SourceSection
from bot.sources.specs import NewsSpec, SourceSpec

FOLDER = Path(__file__).parent
#: The sections of the catalog that are no kind of source.
OTHER_SECTIONS = frozenset({"rates", "channels", "places"})
#: The words of `jarchy inspect` that are no kind's, and whose they are.
OTHER_VERBS = {"rates": "banks"}


def kinds_of(modules: Mapping[str, object]) -> dict[str, Kind]:
    """The kinds among these modules, by the names of their sections."""
    found: dict[str, Kind] = {}
    for name, module in modules.items():
        kind = getattr(module, "KIND", None)
        if isinstance(kind, Kind) and not list(kind.lacking()):
            found[name] = kind
    return found


def problems_of(modules: Mapping[str, object]) -> list[str]:
    """The parts that these modules lack to be kinds of sources, a sentence each."""
    problems: list[str] = []
    found = kinds_of(modules)
    verbs = dict(OTHER_VERBS)
    for name, module in modules.items():
        file = f"kind of source {name}: bot/sources/kinds/{name}.py"
        if name in OTHER_SECTIONS:
            problems.append(f"{file}: a catalog's [{name}.KEY] is another section already")
        if isinstance(module, BrokenModule):
            problems.append(f"{file}{module.wrong}")
            continue
        kind = getattr(module, "KIND", None)
        if not isinstance(kind, Kind):
            problems.append(f"{file} lacks KIND, a Kind")
        elif name not in found:
            problems += [f"{file}: KIND lacks {part}" for part in kind.lacking()]
        if name not in found:
            continue
        section = found[name].section
        every: object = getattr(section, "DEFAULT_EVERY", None)
        if not isinstance(every, timedelta) or not every:
            problems.append(f"{file}: {section.__name__} lacks DEFAULT_EVERY, how often to ask")
        if (found[name].shown is None) == (found[name].shown_of is None):
            problems.append(f"{file}: KIND needs either shown or shown_of")
        if isabstract(section):
            problems.append(f"{file}: {section.__name__} lacks spec, what it describes")
        else:
            of_spec = f"{file}: the spec of {section.__name__}"
            problems += [f"{of_spec} lacks {part}" for part in _lacking_of_spec(section)]
        verb = found[name].verb
        if verb in verbs:
            problems.append(f"{file}: `inspect {verb}` is a verb of {verbs[verb]}")
        verbs[verb] = name
    return problems


def _lacking_of_spec(section: type[SourceSection]) -> list[str]:
    """The parts that the spec of a section is without, by name; it says itself what it makes."""
    try:
        made = get_type_hints(section.spec).get("return", SourceSpec)
    except NameError:  # a name for mypy alone: only a section of it can tell
        return []
    if made in (NewsSpec, SourceSpec):
        return []
    model = NewsSpec if issubclass(made, NewsSpec) else SourceSpec
    strangers = [f"a use for {one}" for one in misspelt(made, model)]
    return sorted(getattr(made, "__abstractmethods__", ())) + strangers


KINDS = kinds_of(modules_of(__name__, FOLDER))


def problems() -> list[str]:
    """The parts that the files here lack, a sentence each."""
    return problems_of(modules_of(__name__, FOLDER))
