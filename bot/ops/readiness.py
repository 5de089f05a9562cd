"""Whether the program is ready: each of its parts by a name that does not change."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from bot import metrics
from bot.clock import boottime
from bot.log import redact
from bot.reasons import Reason, reason

# after so long without a good poll of any source, what readers see is old
STALE = timedelta(hours=12)
# in a row, where nothing was ever read; at the usual rhythm an hour
NEVER_READ_FAILURES = 3
#: Seconds that a part which says again and again that it is well may be silent, or say otherwise,
#: beyond its time: what is asked again after a refusal is mostly answered then.
GRACE = 10.0
#: The parts of a program that is ready. Their names stay: alarms are written with them.
RECEIVES = "receives"  # Telegram is asked for updates, and answers
SENDS = "sends"  # Telegram answers at all
WRITES = "writes"
READS = "reads"
FRESH = "fresh"
WEBHOOK = "webhook"  # it is set, and Telegram can deliver to it; well where there is none
PARTS = (RECEIVES, SENDS, WRITES, READS, FRESH, WEBHOOK)

NEVER_READ = reason("data.never", "data: no source could be read yet")
SILENT = reason("telegram.unheard", "telegram: nothing was heard of it for too long")


class Readiness:
    """The reasons that the program is not ready: each of its parts has one at a time, or none."""

    def __init__(self) -> None:
        self._told: dict[str, Reason] = {}
        self._asked: dict[str, Callable[[], Reason | None]] = {}
        self._well_until: dict[str, float] = {}  # by `boottime`, of parts that say so again

    def tell(self, part: str, why: Reason | None) -> None:
        """A part is not ready for a reason, or is ready (None)."""
        self._well_until.pop(part, None)
        self._note(part, why)

    def tell_again(self, part: str, why: Reason | None, *, within: float) -> None:
        """What Telegram's last answer, or none, says of a part: it is well (None), which is said
        again within so many seconds, or not, for a reason.

        Once it was well it is ready until that has not been said for `GRACE` seconds too long: one
        refusal is none, and silence is a reason.
        """
        if why is None:
            self._well_until[part] = boottime() + within + GRACE
        self._note(part, why)

    def _note(self, part: str, why: Reason | None) -> None:
        if why is None:
            self._told.pop(part, None)
        else:
            self._told[part] = why

    def ask(self, part: str, why: Callable[[], Reason | None]) -> None:
        """A part that is asked whenever somebody wants to know."""
        self._asked[part] = why

    def troubles(self) -> Mapping[str, Reason]:
        """The reason of each part that is not ready; empty when everything is."""
        found: dict[str, Reason] = {}
        for part in PARTS:
            why = self._of(part)
            if why is None and part in self._asked:
                why = self._asked[part]()
            if why is not None:
                found[part] = why
        return found

    def _of(self, part: str) -> Reason | None:
        why = self._told.get(part)
        if part not in self._well_until:
            return why
        return None if boottime() <= self._well_until[part] else why or SILENT


def answer(troubles: Mapping[str, Reason]) -> dict[str, object]:
    """The answer of /readyz: whether all is well, the reasons in words, and by the parts' names."""
    if not troubles:
        return {"ready": True, "reasons": []}
    parts = {part: redact(str(why)) for part, why in troubles.items()}
    return {"ready": False, "reasons": list(dict.fromkeys(parts.values())), "parts": parts}


def note(troubles: Mapping[str, Reason]) -> None:
    """Put into the figures which parts are ready."""
    for part in PARTS:
        metrics.READY.labels(part).set(part not in troubles)
    metrics.TELEGRAM_UP.set(SENDS not in troubles)


def stale(last_ok_at: datetime | None, now: datetime, *, failures: int) -> Reason | None:
    """The reason that there is nothing fresh to read: the last good poll is too old, or none ever
    was and a source failed so often that it is no accident of the start. Before that it is None.
    """
    if last_ok_at is None:
        return NEVER_READ if failures >= NEVER_READ_FAILURES else None
    if now - last_ok_at <= STALE:
        return None
    words = "data: no source was read since {since} UTC"
    return reason("data.stale", words, since=f"{last_ok_at.astimezone(UTC):%Y-%m-%d %H:%M}")
