"""Nothing half-registered runs: what a start and `jarchy check` refuse the program for.

What is found by its place or stands in a table has all its parts, or is told by its name before
anything is opened. Languages and sources are told with the settings and the catalog, which every
verb reads (`bot.config`, `bot.sources.catalog`).
"""

from __future__ import annotations

from collections.abc import Sequence

from bot import i18n
from bot.errors import ConfigError
from bot.found import mistake_of
from bot.sources.catalog import unasked
from bot.sources.specs import Catalog
from storage import versions


def must_be_whole(catalog: Catalog, others: Sequence[str] = ()) -> None:
    """ConfigError with a sentence for each part that something lacks, `others` behind them."""
    if lacking := [*problems(catalog), *others]:
        raise ConfigError(lacking)


def problems(catalog: Catalog) -> list[str]:
    """What a route, a subject, a kind of alert, a job, a bank or a migration lacks, a language that
    cannot be written, and what a language's words name that is not there; a sentence each.
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
        said = [one for one in (mistake.place, mistake.code, mistake.words) if one]
        return [": ".join(said), *apart]
    found = handlers.problems() + jobs.lacking(vars(recurring).get("JOBS"))
    return found + apart + named.problems() + named_by_readers.problems()
