"""Nothing half-registered runs: what a start and `jarchy check` refuse the program for.

What is found by its place or stands in a table has all its parts, or is told by its name before
anything is opened. Languages and sources are told with the settings and the catalog, which every
verb reads (`bot.config`, `bot.sources.catalog`).
"""

from __future__ import annotations

from bot.errors import ConfigError


def must_be_whole() -> None:
    """ConfigError with a sentence for each part that something lacks."""
    if lacking := problems():
        raise ConfigError(lacking)


def problems() -> list[str]:
    """What a route, a subject, a kind of alert or a job lacks, a sentence each."""
    import handlers
    from bot import jobs, recurring

    return handlers.problems() + jobs.lacking(recurring.JOBS)
