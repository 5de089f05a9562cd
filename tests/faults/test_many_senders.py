"""Senders that are processes of their own, on one PostgreSQL, before a Telegram that counts."""

from __future__ import annotations

import signal
from collections import Counter
from datetime import timedelta

import pytest

from bench import flaky
from bench.replicas import Plan, broadcast
from tests import forkserver

pytestmark = pytest.mark.postgres
COUNT, AT = 900, 300
SHORT = {"lease": timedelta(seconds=3), "margin": 1.5}


@pytest.mark.slow
async def test_P2_a_killed_sender_loses_nothing(postgres_url: str) -> None:
    """SIGKILL to one of three at a thousand a second: the others send what it held, and nobody gets
    three.
    """
    report = await broadcast(
        postgres_url, Plan(count=COUNT, number=signal.SIGKILL, at=AT, **SHORT), forkserver.start
    )
    assert report.states == Counter(sent=COUNT)
    assert set(report.copies) == set(range(1, COUNT + 1))
    assert max(report.copies.values()) <= 2


@pytest.mark.slow  # one of three that is killed: test_senders.py
async def test_P2_a_killed_sender_loses_nothing_on_a_bad_day(postgres_url: str) -> None:
    """The same while Telegram answers 502 and 429, resets after it accepted, and some have blocked
    the bot.
    """
    report = await broadcast(
        postgres_url,
        Plan(count=COUNT, number=signal.SIGKILL, at=AT, bad=True, **SHORT),
        forkserver.start,
    )
    blocked = COUNT // flaky.BLOCKED
    assert report.states == Counter(sent=COUNT - blocked, dead=blocked)
    assert set(report.copies) == {chat for chat in range(1, COUNT + 1) if chat % flaky.BLOCKED}
    assert max(report.copies.values()) <= 3  # 1 + U + a crash


@pytest.mark.slow  # one that is stopped and hands over: test_senders.py
async def test_P4_a_stopped_sender_hands_over_and_nobody_gets_two(postgres_url: str) -> None:
    """SIGTERM to one of three: it finishes what is in flight, gives back the rest and ends; the
    others send that.
    """
    report = await broadcast(
        postgres_url, Plan(count=COUNT, number=signal.SIGTERM, at=AT), forkserver.start
    )
    assert report.states == Counter(sent=COUNT)
    assert set(report.copies.values()) == {1}
    assert len(report.copies) == COUNT
