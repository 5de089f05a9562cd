"""The version that a stored form says of itself: what a newer program wrote is left to that."""

from __future__ import annotations

from collections.abc import Mapping

from bot.errors import NewerError
from bot.reasons import reason


def must_read(what: str, stored: object, known: int) -> None:
    """NewerError unless `what` is stored in a version up to the newest `known`.

    Of a newer one a program would take the fields that it knows, and tell something else.
    """
    version: object = stored.get("v") if isinstance(stored, Mapping) else None
    # True would pass for 1
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        words = "a stored {kind} that does not say its version"
        raise NewerError(reason("alert.no_version", words, kind=what))
    if version > known:
        words = "a stored {kind} of version {version}, and {known} is the newest known"
        raise NewerError(reason("alert.newer", words, kind=what, version=version, known=known))
