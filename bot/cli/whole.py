"""Nothing half-registered runs: what a start and `jarchy check` refuse the program for.

What is found by its place or stands in a table has all its parts, or is told by its name before
anything is opened. Languages and sources are told with the settings and the catalog, which every
verb reads (`bot.config`, `bot.sources.catalog`).
"""

from __future__ import annotations

import re
import sys
from collections.abc import Collection, Sequence

from bot import i18n
from bot.errors import ConfigError
from bot.found import PROGRAM, ROOMS, mistake_of
from bot.sources.catalog import unasked
from bot.sources.specs import Catalog
from storage import versions


def must_be_whole(catalog: Catalog, others: Sequence[str] = ()) -> None:
    """ConfigError with a sentence for each part that something lacks, `others` behind them."""
    if lacking := [*problems(catalog), *others]:
        raise ConfigError(lacking)


def problems(catalog: Catalog) -> list[str]:
    """The missing parts of routes, subjects, kinds of alerts, jobs, banks and migrations, languages
    that cannot be written, and names in a language's words for what is not there; a sentence each.
    """
    apart = unasked(catalog) + versions.problems() + i18n.problems()
    try:
        import handlers
        from bot import jobs, recurring
        from bot.convert import named as named_by_readers
        from bot.detect import named
    except ConfigError as error:  # said on purpose
        return [*error.problems, *apart]
    # a line that gives a part which there is not (`evry=5.0`), or means nothing
    except Exception as error:  # noqa: BLE001 - whatever it is, it is told as a line
        mistake = mistake_of(error)
        # of some mistakes the line is not known, or not even the file
        said = [one for one in (mistake.where, mistake.code, mistake.words) if one]
        return [": ".join(said), *apart]
    found = handlers.problems() + jobs.problems(recurring) + undecided()
    return found + apart + named.problems() + named_by_readers.problems()


def undecided() -> list[str]:
    """The kinds of alert that no other file of the program names, so that nobody decides one; a
    sentence each.
    """
    from bot.alerts import KINDS, label_of

    modules = [type(kind).__module__ for kind in KINDS.values()]
    found: list[str] = []
    for module in sorted(set(modules) - _imported(modules)):
        # one that is loaded later may decide it
        if not _is_named(module.rpartition(".")[2]):
            found.append(f"{label_of(module)}: no other file names it, so nobody decides one")
    return found


def _imported(modules: Collection[str]) -> set[str]:
    """The modules of which another that was loaded has something, or all."""
    loaded = sys.modules
    names = {id(loaded[module]): module for module in modules}
    tables = {module.rpartition(".")[0] for module in modules}  # that have all they find
    imported: set[str] = set()
    for name, other in list(loaded.items()):
        if name.partition(".")[0] in ROOMS and name not in tables:
            for one in vars(other).values():
                whose = names.get(id(one)) or getattr(one, "__module__", None)
                if whose != name and isinstance(whose, str):
                    imported.add(whose)
    return imported


def _is_named(kind: str) -> bool:
    """Whether another file of the program says a kind's name."""
    name = re.compile(rf"\b{re.escape(kind)}\b".encode())
    for room in sorted(ROOMS):
        for path in (PROGRAM / room).rglob("*.py"):
            if path.stem != kind and name.search(path.read_bytes()):
                return True
    return False
