"""Quiet hours by the clocks of a place: over midnight, over both changes of the clocks."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.model.chats import Post, Sound, read_sounds, write_sounds
from bot.model.quiet import LONGEST_QUIET, QuietHours

NIGHT = QuietHours(time(23), time(7))
ZONES = (
    "Asia/Bishkek",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Tehran",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
)


@pytest.mark.parametrize(
    ("hours", "zone", "now", "span"),
    [
        # no clocks change: within, before, after
        ("23:00-07:00", "Asia/Bishkek", "2026-11-28 18:00", ("28 17:00", "29 01:00")),
        ("23:00-07:00", "Asia/Bishkek", "2026-11-28 00:59", ("27 17:00", "28 01:00")),
        ("23:00-07:00", "Asia/Bishkek", "2026-11-28 01:00", ("28 17:00", "29 01:00")),
        ("13:00-15:00", "Asia/Bishkek", "2026-11-28 08:00", ("28 07:00", "28 09:00")),
        ("13:00-15:00", "Asia/Bishkek", "2026-11-28 09:00", ("29 07:00", "29 09:00")),
        # forward: the night is an hour shorter
        ("23:00-07:00", "Europe/Berlin", "2026-03-28 23:00", ("28 22:00", "29 05:00")),
        # back: an hour longer
        ("23:00-07:00", "Europe/Berlin", "2026-10-25 01:30", ("24 21:00", "25 06:00")),
        # an end that the gap swallows comes with its end, and a beginning too
        ("23:00-02:30", "Europe/Berlin", "2026-03-28 23:00", ("28 22:00", "29 01:00")),
        ("02:30-08:00", "Europe/Berlin", "2026-03-29 00:00", ("29 01:00", "29 06:00")),
        # a span within the gap is passed over
        ("02:10-02:50", "Europe/Berlin", "2026-03-29 00:00", ("30 00:10", "30 00:50")),
        # what the clock shows twice is quiet both times
        ("23:00-02:30", "Europe/Berlin", "2026-10-25 00:45", ("24 21:00", "25 01:30")),
        ("02:30-08:00", "Europe/Berlin", "2026-10-25 00:45", ("25 00:30", "25 07:00")),
        # half an hour's change
        ("23:00-01:45", "Australia/Lord_Howe", "2026-04-04 14:50", ("04 12:00", "04 15:15")),
    ],
)
def test_T2_quiet_hours_are_those_of_the_clock_on_the_wall(
    hours: str, zone: str, now: str, span: tuple[str, str]
) -> None:
    at = datetime.fromisoformat(now).replace(tzinfo=UTC)
    found = QuietHours.parse(hours).at(at, zone)
    assert tuple(f"{one:%d %H:%M}" for one in found) == span


@given(
    begins=st.times(),
    ends=st.times(),
    zone=st.sampled_from(ZONES),
    now=st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)),  # noqa: DTZ001 - UTC is put in
)
def test_T2_within_them_the_clock_shows_one_of_the_hours(
    begins: time, ends: time, zone: str, now: datetime
) -> None:
    """Whatever the clocks do: at a moment of the span, and at none before it."""
    begins, ends = (one.replace(second=0, microsecond=0) for one in (begins, ends))
    try:
        hours = QuietHours(begins, ends)
    except ValueError:
        return
    at = now.replace(tzinfo=UTC)
    found = hours.at(at, zone)
    assert found.begins_at < found.ends_at
    assert at < found.ends_at
    assert found.ends_at - found.begins_at <= LONGEST_QUIET + timedelta(hours=1)
    local = at.astimezone(ZoneInfo(zone)).time().replace(second=0, microsecond=0)
    shown = begins <= local < ends if begins < ends else not ends <= local < begins
    # the hour that is shown twice belongs to them as a whole
    if shown:
        assert found.begins_at <= at
    # after them come the next
    later = hours.at(found.ends_at, zone)
    assert later.begins_at >= found.ends_at


@pytest.mark.parametrize(
    "wrong", ["", "23:00", "23:00-24:00", "07:00-07:00", "00:00-23:00", "7:00-8:00", "x" * 999]
)
def test_what_is_no_span_or_leaves_nothing_of_the_day_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="quiet hours"):
        QuietHours.parse(wrong)


def test_a_span_is_written_as_it_is_read() -> None:
    assert str(NIGHT) == "23:00-07:00"
    assert QuietHours.parse("23:00-07:00") == NIGHT


def test_how_loud_kinds_of_post_are_is_written_as_it_is_read() -> None:
    """In one form; what a newer program wrote is passed over."""
    sounds = {Post.RATES: Sound.SILENT, Post.FEEDS: Sound.OFF}
    assert write_sounds(sounds) == "feeds=off rates=silent"
    assert read_sounds(write_sounds(sounds)) == sounds
    assert read_sounds("boards=off feeds=off rates=hum") == {Post.FEEDS: Sound.OFF}
