"""When a source is asked again: hours, jitter, back-off, caps, and what its server asked for."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot import schedule
from bot.model.local_time import first_instant
from bot.schedule import (
    JITTER,
    LONGEST_BACKOFF,
    OUTSIDE_FACTOR,
    SHORTEST_BACKOFF,
    brought_forward,
    due,
    next_due,
    next_pause,
    retry_due,
    within,
)
from bot.sources.feeds import FeedSpec
from bot.sources.timetable import PollSpec
from storage.sources import SourceState

BISHKEK = ZoneInfo("Asia/Bishkek")
NOON = datetime(2026, 11, 25, 6, 0, tzinfo=UTC)  # Wednesday, 12:00 in Bishkek
EVERY = timedelta(minutes=30)
ALWAYS = PollSpec(every=EVERY)
HOURS = PollSpec(every=EVERY, between=(time(14), time(19)), days=frozenset(range(5)))
LOWEST, MIDDLE, HIGHEST = 0.0, 0.5, 1.0


@pytest.fixture(params=[LOWEST, MIDDLE, HIGHEST])
def chance(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> float:
    """Chance at its ends and in its middle."""
    drawn: float = request.param
    monkeypatch.setattr(schedule.random, "random", lambda: drawn)
    monkeypatch.setattr(schedule.random, "uniform", lambda low, high: low + (high - low) * drawn)
    return drawn


def jittered(span: timedelta, chance: float) -> timedelta:
    """A span as chance makes it."""
    return span * (1 - JITTER + 2 * JITTER * chance)


def close(found: datetime, wanted: datetime) -> bool:
    """Equal but for the rounding of floats."""
    return abs(found - wanted) < timedelta(milliseconds=1)


def local(text: str) -> datetime:
    """A time in Bishkek."""
    return datetime.fromisoformat(text).replace(tzinfo=BISHKEK)


# ── what is due ─────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("state", "wanted"),
    [
        (None, True),
        (SourceState(key="x"), True),
        (SourceState(key="x", next_due_at=NOON), True),
        (SourceState(key="x", next_due_at=NOON - EVERY), True),
        (SourceState(key="x", next_due_at=NOON + timedelta(microseconds=1)), False),
        (SourceState(key="x", next_due_at=NOON + EVERY, gone_at=NOON - EVERY), False),
        (SourceState(key="x", next_due_at=NOON - EVERY, gone_at=NOON - EVERY), True),
        (SourceState(key="x", next_due_at=NOON + EVERY, asked_at=NOON), True),
        (SourceState(key="x", gone_at=NOON, asked_at=NOON), True),
    ],
    ids=[
        "never tried",
        "never dated",
        "now",
        "late",
        "soon",
        "gone",
        "gone, a day later",
        "wished for",
        "gone and wished for",
    ],
)
def test_what_is_due(state: SourceState | None, wanted: bool) -> None:
    """A source that is gone waits for its day like any other."""
    spec = FeedSpec(key="x", names={}, url="https://x.example/", poll=ALWAYS)
    other = FeedSpec(key="y", names={}, url="https://x.example/", poll=ALWAYS)
    states = {"y": SourceState(key="y", next_due_at=NOON + EVERY)} | (
        {} if state is None else {"x": state}
    )
    assert due([spec, other], states, now=NOON) == ([spec] if wanted else [])


def test_of_what_is_due_the_wished_for_comes_first_then_whoever_waits_longest() -> None:
    """Where there is more than can be polled, each has its turn."""
    states = {
        "late": SourceState(key="late", next_due_at=NOON - EVERY),
        "later": SourceState(key="later", next_due_at=NOON - 3 * EVERY),
        "never dated": SourceState(key="never dated"),
        "wished": SourceState(key="wished", next_due_at=NOON + EVERY, asked_at=NOON),
        "wished before": SourceState(
            key="wished before", next_due_at=NOON - 9 * EVERY, asked_at=NOON - EVERY
        ),
    }
    names = ["late", "never dated", "wished", "later", "wished before"]
    specs = [FeedSpec(key=name, names={}, url="https://x.example/", poll=ALWAYS) for name in names]
    found = [spec.key for spec in due(specs, states, now=NOON)]
    assert found == ["wished before", "wished", "never dated", "later", "late"]


def test_a_source_never_tried_has_its_turn_after_the_wished_for_and_before_the_late() -> None:
    states = {
        "late": SourceState(key="late", next_due_at=NOON - EVERY),
        "wished": SourceState(key="wished", asked_at=NOON),
    }
    specs = [
        FeedSpec(key=name, names={}, url="https://x.example/", poll=ALWAYS)
        for name in ("late", "new", "wished", "a")
    ]
    assert [spec.key for spec in due(specs, states, now=NOON)] == ["wished", "new", "a", "late"]


# ── the publisher's hours ───────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("at", "inside"),
    [
        ("2026-11-25T14:00", True), ("2026-11-25T19:00", True), ("2026-11-25T13:59:59", False),
        ("2026-11-25T19:00:01", False), ("2026-11-28T15:00", False), ("2026-11-30T15:00", True),
    ],
)  # fmt: skip
def test_hours_are_the_publishers_own_both_ends_included(at: str, inside: bool) -> None:
    """In its zone, on its days."""
    assert within(HOURS, local(at)) is inside
    assert within(HOURS, local(at).astimezone(UTC)) is inside
    assert within(ALWAYS, local(at))


def test_a_holiday_is_outside_of_the_hours() -> None:
    holiday = PollSpec(every=EVERY, holidays=frozenset({(11, 25)}))
    assert not within(holiday, NOON)


# ── after a poll that went well ─────────────────────────────────────────────


def test_after_a_good_poll_the_next_is_an_interval_later_give_or_take_a_tenth(
    chance: float,
) -> None:
    assert close(next_due(ALWAYS, now=NOON), NOON + jittered(EVERY, chance))
    assert close(
        next_due(HOURS, now=local("2026-11-25T15:00")),
        local("2026-11-25T15:00") + jittered(EVERY, chance),
    )


def test_the_hours_count_of_the_next_poll_not_of_this_one(chance: float) -> None:
    """Ten minutes before they begin an interval leads into them; ten minutes before their end out
    of them.
    """
    before, last = local("2026-11-25T13:50"), local("2026-11-25T18:50")
    assert close(next_due(HOURS, now=before), before + jittered(EVERY, chance))
    assert close(next_due(HOURS, now=last), last + jittered(EVERY, chance) * OUTSIDE_FACTOR)


def test_outside_its_hours_a_source_is_asked_six_times_less_often(chance: float) -> None:
    """But soon after they begin, each at a moment of its own."""
    evening = local("2026-11-25T20:00")
    assert close(next_due(HOURS, now=evening), evening + jittered(EVERY, chance) * 6)
    before = local("2026-11-25T13:00")
    opening = local("2026-11-25T14:00") + jittered(EVERY, chance) * chance
    assert close(next_due(HOURS, now=before), opening)


def test_over_a_weekend_a_slow_source_waits_for_monday(chance: float) -> None:
    """And for the end of a rest longer than a fortnight no longer than a day's worth of looking."""
    slow = PollSpec(every=timedelta(days=1), between=(time(14), time(19)), days=frozenset({0}))
    saturday = local("2026-11-28T15:00")
    assert close(
        next_due(slow, now=saturday),
        local("2026-11-30T14:00") + jittered(slow.every, chance) * chance,
    )
    resting = PollSpec(
        every=timedelta(days=1), days=frozenset({0}), holidays=frozenset({(11, 30), (12, 7)})
    )
    span = jittered(resting.every, chance)
    assert close(
        next_due(resting, now=saturday), saturday + span + timedelta(days=1) + span * chance
    )


def test_a_window_opens_by_the_publishers_day_where_utc_is_a_day_ahead(chance: float) -> None:
    """Half past eight in the evening in New York is tomorrow in UTC; the window of this evening is
    meant.
    """
    late = PollSpec(every=EVERY, zone="America/New_York", between=(time(22), time(23)))
    evening = datetime(2026, 11, 25, 20, 30, tzinfo=ZoneInfo("America/New_York"))
    opening = datetime(2026, 11, 25, 22, 0, tzinfo=ZoneInfo("America/New_York"))
    assert close(next_due(late, now=evening), opening + jittered(EVERY, chance) * chance)


def test_an_interval_for_all_sources_takes_no_notice_of_hours_nor_chance() -> None:
    evening = local("2026-11-25T20:00")
    assert next_due(HOURS, now=evening, every=timedelta(seconds=2)) == evening + timedelta(
        seconds=2
    )


# ── after another catalog ───────────────────────────────────────────────────

SLOWER = PollSpec(every=timedelta(minutes=5), slowest=timedelta(hours=2))
PATTERNS = {
    "always": ALWAYS,
    "hours": HOURS,
    "slower": SLOWER,
    "monday": PollSpec(every=timedelta(days=1), between=(time(14), time(19)), days=frozenset({0})),
    "late": PollSpec(every=EVERY, zone="America/New_York", between=(time(22), time(23))),
    "resting": PollSpec(
        every=timedelta(days=1), days=frozenset({0}), holidays=frozenset({(11, 30), (12, 7)})
    ),
}


def feed(poll: PollSpec) -> FeedSpec:
    """A feed with that timetable."""
    return FeedSpec(key="x", names={}, url="https://x.example/", poll=poll)


@pytest.mark.parametrize("name", PATTERNS)
def test_what_this_catalog_put_off_is_left_where_it_is(name: str, chance: float) -> None:
    """At each half hour of a week, for the shortest and the longest pause that it may have."""
    poll = PATTERNS[name]
    for half_hours in range(7 * 48):
        now = NOON + timedelta(minutes=30 * half_hours)
        for pause in (None, round((poll.slowest or poll.every).total_seconds())):
            wanted = next_due(poll, now=now, pause=pause)
            state = SourceState(key="x", last_tried_at=now, next_due_at=wanted)
            assert brought_forward([feed(poll)], {"x": state}) == {}, (now, pause)


@pytest.mark.parametrize(
    ("poll", "every", "failures", "latest"),
    [
        (ALWAYS, None, 0, EVERY * 1.1),
        (SLOWER, None, 0, timedelta(hours=2.2)),
        (HOURS, None, 0, EVERY * 1.1 * OUTSIDE_FACTOR),
        (HOURS, timedelta(seconds=2), 0, timedelta(seconds=2)),
        (ALWAYS, None, 1, None),
    ],
    ids=["a pause", "the slowest", "hours", "of all", "its server's wish"],
)
def test_what_another_catalog_put_off_is_asked_as_this_one_says(
    poll: PollSpec, every: timedelta | None, failures: int, latest: timedelta | None
) -> None:
    """A pause of a day is not waited for when it is minutes now; what fails keeps its back-off."""
    tried = local("2026-11-25T15:00")
    day = timedelta(days=1)
    state = SourceState(key="x", last_tried_at=tried, next_due_at=tried + day, failures=failures)
    wanted = {} if latest is None else {"x": tried + latest}
    found = brought_forward([feed(poll)], {"x": state}, every=every)
    assert found.keys() == wanted.keys()
    assert all(close(found[key], wanted[key]) for key in wanted)


# ── after a failure ─────────────────────────────────────────────────────────


@pytest.mark.parametrize("failures", range(14))
def test_each_failure_doubles_the_wait_up_to_six_hours(failures: int, chance: float) -> None:
    minute = PollSpec(every=timedelta(minutes=1))
    wanted = min(timedelta(minutes=1) * 2 ** min(failures, 10), LONGEST_BACKOFF)
    assert close(retry_due(minute, now=NOON, failures=failures), NOON + jittered(wanted, chance))


def test_the_wait_never_falls_below_half_a_minute_nor_rises_above_six_hours(chance: float) -> None:
    """However short or long the interval; an interval for all sources is its own floor."""
    assert timedelta(hours=6) == LONGEST_BACKOFF
    second = PollSpec(every=timedelta(seconds=1))
    assert close(retry_due(second, now=NOON, failures=0), NOON + jittered(SHORTEST_BACKOFF, chance))
    daily = PollSpec(every=timedelta(days=1))
    assert close(retry_due(daily, now=NOON, failures=3), NOON + jittered(LONGEST_BACKOFF, chance))
    assert close(
        retry_due(second, now=NOON, failures=20), NOON + jittered(timedelta(seconds=1024), chance)
    )
    quick = timedelta(seconds=2)
    assert close(
        retry_due(daily, now=NOON, failures=0, every=quick), NOON + jittered(quick, chance)
    )
    slow = timedelta(hours=8)
    assert close(retry_due(second, now=NOON, failures=0, every=slow), NOON + jittered(slow, chance))


@pytest.mark.parametrize(
    ("asked", "waits"),
    [(0.0, timedelta(seconds=60)), (59.0, timedelta(seconds=60)), (90.0, timedelta(seconds=90)),
     (86400.0, timedelta(days=1))],
)  # fmt: skip
def test_F16_what_the_server_asked_for_is_kept(
    asked: float, waits: timedelta, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even above the six hours; less than our own wait changes nothing."""
    monkeypatch.setattr(schedule.random, "uniform", lambda low, high: (low + high) / 2)
    minute = PollSpec(every=timedelta(minutes=1))
    assert close(retry_due(minute, now=NOON, failures=0, retry_after=asked), NOON + waits)


def test_a_source_that_is_gone_is_looked_at_a_day_later_at_the_soonest(chance: float) -> None:
    """Whatever its rhythm and its failures: publishers say 410 by mistake."""
    minute = PollSpec(every=timedelta(minutes=1))
    wanted = NOON + timedelta(days=1) * (1 + JITTER * chance)
    assert close(retry_due(minute, now=NOON, failures=9, gone=True), wanted)
    assert close(
        retry_due(minute, now=NOON, failures=0, gone=True, retry_after=5, every=EVERY), wanted
    )


# ── local times ─────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("zone", "wanted", "utc"),
    [
        ("Asia/Bishkek", "2026-11-25T08:00", "2026-11-25T02:00"),
        ("Europe/Berlin", "2026-03-29T01:59:59", "2026-03-29T00:59:59"),
        ("Europe/Berlin", "2026-03-29T02:00", "2026-03-29T01:00"),  # an hour that is not there
        ("Europe/Berlin", "2026-03-29T02:30", "2026-03-29T01:00"),
        ("Europe/Berlin", "2026-03-29T02:59:59", "2026-03-29T01:00"),
        ("Europe/Berlin", "2026-03-29T03:00", "2026-03-29T01:00"),
        ("Europe/Berlin", "2026-10-25T02:30", "2026-10-25T00:30"),  # an hour that comes twice
        ("Europe/Berlin", "2026-10-25T03:00", "2026-10-25T02:00"),
        ("Australia/Lord_Howe", "2026-10-04T02:10", "2026-10-03T15:30"),  # a gap of half an hour
        ("Pacific/Apia", "2011-12-30T12:00", "2011-12-30T10:00"),  # a day that is not there
        ("America/New_York", "2026-03-08T02:30", "2026-03-08T07:00"),
    ],
)
def test_T2_a_local_time_is_the_first_instant_at_or_after_it(
    zone: str, wanted: str, utc: str
) -> None:
    """Where the clocks go forward the moment they do; where they go back the first of the two; in
    UTC.
    """
    found = first_instant(datetime.fromisoformat(wanted), ZoneInfo(zone))
    assert found.tzinfo is UTC
    assert found == datetime.fromisoformat(utc).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "begins"),
    [
        ("Europe/Berlin", "2026-03-29T02:00"),
        ("America/New_York", "2026-03-08T02:00"),
        ("Europe/Dublin", "2026-03-29T01:00"),
    ],
)
def test_T2_every_second_of_a_gap_is_the_same_instant(zone: str, begins: str) -> None:
    """The moment at which the clocks go forward, to the second."""
    there, begin = ZoneInfo(zone), datetime.fromisoformat(begins)
    after = (begin + timedelta(hours=1)).replace(tzinfo=there).astimezone(UTC)
    gap = [begin + timedelta(seconds=second) for second in range(0, 3600, 37)]
    assert {first_instant(wanted, there) for wanted in gap} == {after}


# ── quiet and busy sources ──────────────────────────────────────────────────

ADAPTIVE = PollSpec(every=timedelta(minutes=5), slowest=timedelta(minutes=30))


def paces(pause: int | None, *brought: int) -> list[int | None]:
    """The pauses after polls that brought so much."""
    found: list[int | None] = []
    for count in brought:
        pause = next_pause(ADAPTIVE, pause, count)
        found.append(pause)
    return found


def test_a_quiet_source_is_asked_less_and_less_and_never_less_than_the_catalog_says() -> None:
    found = paces(None, *[0] * 12)
    assert found[:3] == [360, 432, 518]
    assert found[-1] == 1800
    assert found == sorted(found, key=lambda pause: pause or 0)


def test_a_source_that_speaks_again_has_its_old_pace_after_a_few_polls() -> None:
    assert paces(1800, 3, 1, 2) == [900, 450, 300]
    assert paces(300, 5) == [300]


def test_a_source_without_a_slowest_pause_is_asked_as_the_catalog_says() -> None:
    assert next_pause(ALWAYS, None, 0) is None
    assert next_pause(ALWAYS, 1800, 0) is None, "the catalog had one before"


def test_a_pause_the_catalog_does_not_have_any_more_is_brought_within_its_bounds() -> None:
    assert next_pause(ADAPTIVE, 86_400, 0) == 1800
    assert next_pause(ADAPTIVE, 1, 0) == 300


def test_the_next_poll_is_after_the_sources_own_pause(chance: float) -> None:
    found = next_due(ADAPTIVE, now=NOON, pause=1200)
    assert close(found, NOON + jittered(timedelta(minutes=20), chance))
    everywhere = next_due(ADAPTIVE, now=NOON, every=timedelta(seconds=2), pause=1200)
    assert everywhere == NOON + timedelta(seconds=2)
