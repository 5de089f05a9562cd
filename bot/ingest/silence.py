"""Publishers of stories that answer and say nothing: told to the operators, as for banks.

A frozen cache serves yesterday's document for weeks, and a site that moved leaves its last feed
behind; neither is ever an error. What is long depends on the publisher: an agency is missed after
a week, a monthly after three of its months.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import storage.brought
import storage.entries
import storage.notes
from bot.alerts.notices import Notice, tell
from bot.ingest.found import NewsFound
from bot.reasons import Since, SourceKey
from bot.sources.specs import NewsSpec
from storage.db import Db, Store

LEAST_PATIENCE = timedelta(days=7)  # a holiday of an agency that writes every day
LONGEST_PATIENCE = timedelta(days=60)  # of a silence, however seldom a publisher speaks
PAUSES_MISSED = 3  # the longest pause among the latest entries, so many times
LATEST_ENTRIES = 30  # entries that tell a publisher's pace


async def watch(
    db: Db,
    found: Sequence[NewsFound],
    brought: Mapping[str, int],
    *,
    admins: Sequence[int],
    now: datetime,
) -> None:
    """Tell the operators once that a source answers but brings nothing new, and once of its end.

    `brought` says how many new entries each has. Looked at with the day's unconditional question.
    """
    asked: list[NewsFound] = []
    for one in found:
        # a first answer, or one that says "as before", tells nothing of a publisher's pace
        if one.state.first_ok_at is not None and (one.whole or brought[one.spec.key]):
            asked.append(one)
    if not asked:
        return
    names = {one.spec.key: storage.notes.stale(one.spec.key) for one in asked}
    told = await storage.notes.among(db, list(names.values()))
    for one in asked:
        key = one.spec.key
        silent = names[key] in told
        if brought[key] and silent:
            await storage.notes.drop(db, names[key])
            told_again = Notice.of("notice.speaks", {"source": SourceKey(key)})
            await tell(db, admins, told_again, now=now)
        elif one.spec.speaks_often and not brought[key] and not silent:
            await _missed(db, one, admins=admins, now=now)


async def _missed(db: Db, one: NewsFound, *, admins: Sequence[int], now: datetime) -> None:
    """Tell of a source whose silence is longer than its pace explains."""
    key = one.spec.key
    times = await storage.entries.latest_times(db, key, most=LATEST_ENTRIES)
    last = max((seen for seen, _ in times), default=one.state.first_ok_at)
    if last is None or now - last < _patience([at for _, at in times]):
        return
    day = Since.fromordinal(last.astimezone(UTC).toordinal())
    await storage.notes.put(db, storage.notes.stale(key), str(day))
    told = Notice.of("notice.silent", {"source": SourceKey(key)}, day=day)
    await tell(db, admins, told, now=now)


async def is_broken(store: Store, spec: NewsSpec) -> bool:
    """Whether new entries are the first that a source brings, whose documents were empty before, as
    while a site is being repaired: they are a backlog as at a first poll.

    An institute's empty list says that nothing happened: what it brings then did since.
    """
    if spec.measures:
        return False
    async with store.reading() as db:
        return not await storage.brought.anything(db, spec.key)


def _patience(times: Sequence[datetime]) -> timedelta:
    """The longest silence of a publisher that wrote at those times which is no trouble yet."""
    ordered = sorted(times)
    pauses = [late - early for early, late in pairwise(ordered)]
    patience = PAUSES_MISSED * max(pauses, default=LEAST_PATIENCE)
    return min(max(patience, LEAST_PATIENCE), LONGEST_PATIENCE)
