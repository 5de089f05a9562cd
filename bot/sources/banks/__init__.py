"""Publishers of rates: a file here is one, its name the catalog's word for its parser.

A file defines `SOURCE`, a `RateSource`; that says what the publisher is asked and what it lacks (a
source without `history` has none that we can read). A file without it, or without a part of it, is
a problem by name, and no catalog is read (`problems`).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bot.found import BrokenModule, modules_of
from bot.sources.base import RateSource

FOLDER = Path(__file__).parent


def sources_of(modules: Mapping[str, object]) -> dict[str, RateSource]:
    """The publishers among these modules, by their names."""
    found: dict[str, RateSource] = {}
    for name, module in modules.items():
        source = getattr(module, "SOURCE", None)
        if isinstance(source, RateSource) and not list(source.lacking()):
            found[name] = source
    return found


def problems_of(modules: Mapping[str, object]) -> list[str]:
    """The parts that these modules lack to be publishers, a sentence each."""
    # what opens a worker process reads no settings, and none of what they are read with
    from bot.grammar import no_currency

    problems: list[str] = []
    for name, module in modules.items():
        file = f"bank {name}: bot/sources/banks/{name}.py"
        if isinstance(module, BrokenModule):
            problems.append(f"{file}{module.wrong}")
            continue
        source = getattr(module, "SOURCE", None)
        if not isinstance(source, RateSource):
            problems.append(f"{file} lacks SOURCE, a RateSource")
            continue
        lacking = [f"{file}: SOURCE lacks {part}" for part in source.lacking()]
        problems += lacking
        if not lacking and (wrong := no_currency(source.home)):
            problems.append(f"{file}: SOURCE: home should be a currency of ISO 4217{wrong}")
    return problems


# A file that is no bank, or half of one, is left out here and told by `problems`, when a catalog is
# read: an import that raised would end the program before anybody could be told why.
SOURCES = sources_of(modules_of(__name__, FOLDER))


def problems() -> list[str]:
    """The parts that the files here lack, a sentence each."""
    return problems_of(modules_of(__name__, FOLDER))
