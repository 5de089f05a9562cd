"""A publisher's timetable: its hours, its days of work, and what it missed. No clock here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DEFAULT_ZONE = "Asia/Bishkek"
WEEK = 7
LONGEST_REST = 30  # days looked back for a day of publication: a catalog may name only holidays
WORK_AHEAD, WORK_BEHIND = 2, 5  # days of publication around today that a rate may be effective on
FAST_CLOCK = timedelta(minutes=5)  # how far a publisher's clock may be ahead of ours
LONGEST_HOLIDAY = timedelta(days=10)  # New Year's in the region: 31 December to 9 January


@dataclass(frozen=True, slots=True, kw_only=True)
class PollSpec:
    """The times of polls: every so often, and when the publisher is expected to publish.

    `between` is the publisher's window of local time in `zone` on `days` (Monday is 0); None means
    all day. `holidays` are days without publication: single dates, and (month, day) of every year.
    With a `slowest` pause a source that brings nothing is asked less and less often, up to it.
    """

    every: timedelta
    slowest: timedelta | None = None
    between: tuple[time, time] | None = None
    zone: str = DEFAULT_ZONE
    days: frozenset[int] = frozenset(range(WEEK))
    holidays: frozenset[date | tuple[int, int]] = frozenset()

    @property
    def rests(self) -> bool:
        """Whether there are hours or days in which nothing is published."""
        return self.between is not None or len(self.days) < WEEK or bool(self.holidays)

    def publishes_on(self, day: date) -> bool:
        """Whether the publisher works on that day of its own calendar."""
        return (
            day.weekday() in self.days
            and day not in self.holidays
            and (day.month, day.day) not in self.holidays
        )

    def last_window(self, now: datetime) -> date:
        """The latest day of publication whose window is over."""
        local = now.astimezone(ZoneInfo(self.zone))
        day = local.date()
        # Without a window the whole day is one, so today's is never over.
        if self.between is None or local.time() < self.between[1]:
            day -= timedelta(days=1)
        for _ in range(LONGEST_REST):
            if self.publishes_on(day):
                break
            day -= timedelta(days=1)
        return day

    def near(self, now: datetime) -> tuple[date, date]:
        """The first and the last day that a rate published now may be effective on.

        Banks publish for their next days of work, and correct those that just went by: from the
        fifth day of publication before today to the day after the second that comes, and at least
        ten days either way, since a catalog may not list a holiday such as 31 December to 9
        January.
        """
        today = now.astimezone(ZoneInfo(self.zone)).date()
        first = self._work(today, -1, WORK_BEHIND)
        last = self._work(today, 1, WORK_AHEAD) + timedelta(days=1)
        return min(first, today - LONGEST_HOLIDAY), max(last, today + LONGEST_HOLIDAY)

    def _work(self, day: date, step: int, times: int) -> date:
        """The publishing day `step` days away (-1: before); a rest has an end."""
        for _ in range(times):
            for _ in range(LONGEST_REST):
                day += timedelta(days=step)
                if self.publishes_on(day):
                    break
        return day

    def missed(self, newest: date, now: datetime) -> int:
        """The publishing days after `newest` that brought nothing new, counted to a hundred."""
        days = (self.last_window(now) - newest).days
        missed = 0
        for ahead in range(1, min(days, 100) + 1):
            missed += self.publishes_on(newest + timedelta(days=ahead))
        return missed
