"""A source's due time: by its publisher's hours, back-off after failures, the server's wish."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.sources.specs import NewsSpec, RateSpec
from bot.sources.timetable import PollSpec
from storage.sources import SourceState

JITTER = 0.1  # so that sources of one interval do not come due together for ever
LONGEST_REST = 15  # days looked ahead for a day of publication
LONGEST_BACKOFF = timedelta(hours=6)  # between tries of a source that fails
SHORTEST_BACKOFF = timedelta(seconds=30)  # however often a source is polled
LAST_DOUBLING = 10  # a minute is 17 hours by then: a source's own interval is shorter
GONE_RETRY = timedelta(days=1)  # 410 is meant for good, and said by mistake sometimes
# outside its publisher's window a source is still looked at, this many times less often
OUTSIDE_FACTOR = 6
# what a pause is multiplied by after a poll that brought nothing, and after one that brought
# something: after a night of silence two or three polls are enough for the old pace
QUIETER, BUSIER = 1.2, 0.5

Spec = RateSpec | NewsSpec


def due(specs: Iterable[Spec], states: Mapping[str, SourceState], *, now: datetime) -> list[Spec]:
    """The sources to poll now: never tried, wished for, or past their time.

    First those that were wished for, then whichever waits longest: where there is more than can be
    polled, each has its turn.
    """
    found: list[Spec] = []
    for spec in specs:
        state = states.get(spec.key)
        if state is None or _is_due(state, now):
            found.append(spec)
    found.sort(key=lambda spec: _since(states.get(spec.key)))
    return found


def _since(state: SourceState | None) -> tuple[bool, datetime]:
    """The sort key of a source that is due: wished ones first, then who waits longest."""
    never = datetime.min.replace(tzinfo=UTC)
    if state is None:
        return True, never
    if state.asked_at is not None:
        return False, state.asked_at
    return True, state.next_due_at or never


def _is_due(state: SourceState, now: datetime) -> bool:
    if state.paused_at is not None:  # by an operator, whoever wishes it polled
        return False
    if state.asked_at is not None:
        return True
    return state.next_due_at is None or state.next_due_at <= now


def next_pause(poll: PollSpec, pause: int | None, brought: int) -> int | None:
    """The seconds until a source is asked again, after `pause` seconds; None as the catalog says.

    Where the catalog has a `slowest` pause, a source that `brought` nothing is asked a little less
    often each time, and one that brought something twice as often: it comes back in a few polls.
    """
    if poll.slowest is None:
        return None
    shortest = poll.every.total_seconds()
    longest = poll.slowest.total_seconds()
    wanted = (pause or shortest) * (BUSIER if brought else QUIETER)
    return round(min(max(wanted, shortest), longest))


def next_due(
    poll: PollSpec,
    *,
    now: datetime,
    every: timedelta | None = None,
    pause: int | None = None,
) -> datetime:
    """The next poll after one that went well; `every` replaces the catalog's figure and windows.

    A `pause` of so many seconds is the source's own at this time, between the catalog's bounds.
    """
    if every is not None:
        return now + every
    usual = poll.every if pause is None else timedelta(seconds=pause)
    span = usual * random.uniform(1 - JITTER, 1 + JITTER)
    if within(poll, now + span):
        return now + span
    # Anywhere in the first span after the opening: those that open together are not asked together.
    opening = _opens(poll, now + span) + span * random.random()
    sooner: datetime = min(now + span * OUTSIDE_FACTOR, opening)
    return sooner


def brought_forward(
    specs: Iterable[Spec], states: Mapping[str, SourceState], *, every: timedelta | None = None
) -> dict[str, datetime]:
    """The sources that were to be asked later than their catalog can mean, and when at the latest.

    An earlier catalog had a longer pause, or other hours; who shortens it does not wait for what it
    said. What fails keeps its back-off, and what its server asked for.
    """
    found: dict[str, datetime] = {}
    for spec in specs:
        state = states[spec.key]
        tried, wanted = state.last_tried_at, state.next_due_at
        if tried is None or wanted is None or state.failures:
            continue
        # most are within one pause: ten thousand are looked at when a process starts
        span = every or max(spec.poll.every, spec.poll.slowest or spec.poll.every) * (1 + JITTER)
        latest = tried + span
        if wanted > latest and every is None and spec.poll.rests:
            opening = _opens(spec.poll, latest) + span
            latest = max(latest, min(tried + span * OUTSIDE_FACTOR, opening))
        if wanted > latest:
            found[spec.key] = latest
    return found


def retry_due(
    poll: PollSpec,
    *,
    now: datetime,
    failures: int,
    retry_after: float | None = None,
    every: timedelta | None = None,
    gone: bool = False,
) -> datetime:
    """The next poll after the `failures`-th failure in a row: later each time, never hammering.

    A source that said it is `gone` (410) is looked at once a day, whatever its rhythm: publishers
    say so by mistake.
    """
    if gone:
        return now + GONE_RETRY * random.uniform(1, 1 + JITTER)
    base, floor = poll.every, SHORTEST_BACKOFF
    if every is not None:
        base = floor = every
    wait = max(min(doubled(base, failures), LONGEST_BACKOFF), floor)
    wait *= random.uniform(1 - JITTER, 1 + JITTER)
    if retry_after is not None:
        wait = max(wait, timedelta(seconds=retry_after))
    return now + wait


def doubled(span: timedelta, times: int) -> timedelta:
    """A span twice as long each time, until `LAST_DOUBLING`: then nobody waits for it any more."""
    longer: timedelta = span * (1 << min(times, LAST_DOUBLING))
    return longer


def within(poll: PollSpec, at: datetime) -> bool:
    """Whether the publisher is expected to publish at that moment."""
    local = at.astimezone(ZoneInfo(poll.zone))
    if not poll.publishes_on(local.date()):
        return False
    return poll.between is None or poll.between[0] <= local.time() <= poll.between[1]


def _opens(poll: PollSpec, after: datetime) -> datetime:
    """The opening of the next window after that time, in the publisher's zone."""
    zone = ZoneInfo(poll.zone)
    local = after.astimezone(zone)
    start = time.min
    if poll.between is not None:
        start = poll.between[0]
    for ahead in range(LONGEST_REST):
        day = local.date() + timedelta(days=ahead)
        opening = datetime.combine(day, start, zone)
        if poll.publishes_on(day) and opening >= local:
            return opening
    return local + timedelta(days=1)
