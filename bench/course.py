"""The course of a trouble in the middle of a broadcast by replicas, and whether it went well.

Nobody without, nobody with more than was promised; as fast as before; each of them still there, at
its work, and gone only when it was told to.
"""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from bench.figure import Figure, Goal
from bench.replicas import Message

REPLICAS = 3
BEFORE = 6.0  # seconds until the trouble in which the rate is measured
SETTLED = 4.0  # seconds after the trouble from which the rate is measured
MEASURED = 8.0
HELD = 0.9  # of the rate before, at least
FAIR = 0.5  # of an equal share, at least, by the replica that sends least
SHOWN = 200  # characters of the first error
#: How a program ends that was told to by a signal.
ENDS = {signal.SIGTERM: 0, signal.SIGKILL: -signal.SIGKILL}


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """The end of a replica: its exit code, and the signal that it was told to end by; None where it
    ended by itself, which none should.
    """

    code: int | None
    told: signal.Signals | None

    @property
    def wrong(self) -> bool:
        """Whether it should have ended otherwise."""
        return self.told is None or self.code != ENDS[self.told]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The course of a trouble; times on the clock of all processes."""

    count: int
    arrived: list[Message]
    struck: float
    over: float
    ends: Sequence[End]
    errors: Sequence[str]

    def rate(self, begin: float, end: float) -> float:
        """Messages a second that arrived between two times."""
        return sum(begin <= one.at < end for one in self.arrived) / (end - begin)

    @property
    def before(self) -> float:
        """The rate before the trouble."""
        return self.rate(self.struck - BEFORE, self.struck)

    @property
    def after(self) -> float:
        """The rate once it was over, and what is usual then had settled."""
        return self.rate(*self._afterwards)

    @property
    def _afterwards(self) -> tuple[float, float]:
        return self.over + SETTLED, self.over + SETTLED + MEASURED

    @property
    def shares(self) -> list[float]:
        """The part of the messages after it that each replica sent, the largest first; 0 of one
        that sends no more.
        """
        begin, end = self._afterwards
        sent = Counter(one.by for one in self.arrived if begin <= one.at < end)
        shares = [count / sent.total() for _, count in sent.most_common()]
        return shares + [0.0] * (REPLICAS - len(shares))

    @property
    def back(self) -> float:
        """Seconds from its end until two had nine tenths of the rate before."""
        whole = 0.9 * self.before
        at = self.over
        while self.rate(at, at + 2.0) < whole and at < self.over + 60.0:
            at += 0.1
        return at - self.over

    @property
    def lost(self) -> int:
        """Chats that got nothing."""
        return self.count - len({one.chat for one in self.arrived})

    @property
    def most_copies(self) -> int:
        """For one chat."""
        return max(Counter(one.chat for one in self.arrived).values())

    @property
    def wrong_ends(self) -> list[str]:
        """The replicas that ended otherwise than they were told to."""
        wrong: list[str] = []
        for number, one in enumerate(self.ends, 1):
            if one.wrong:
                told = "unasked" if one.told is None else f"at {one.told.name}"
                wrong.append(f"replica {number} ended {told} with {one.code}")
        return wrong


def judged(name: str, report: Report, *, copies: int) -> list[Figure]:
    """The figures of a trouble's course, each with its goal: what is lost, comes too often or goes
    wrong misses one.
    """
    shares = report.shares
    return [
        Figure(
            name=name,
            value=report.after,
            unit="/s",
            baseline=report.before,
            goal=Goal(of="ratio", least=HELD),
            note=f"before it; nine tenths again after {report.back:.1f} s",
        ),
        Figure(
            name="  least that a replica sends after it",
            value=min(shares) * REPLICAS,
            unit="of an equal share",
            goal=Goal(of="figure", least=FAIR),
            note="of all: " + ", ".join(f"{share:.0%}" for share in shares),
        ),
        Figure(name="  lost", value=report.lost, unit="", goal=Goal(of="figure", most=0.5)),
        Figure(
            name="  most copies for a chat",
            value=report.most_copies,
            unit="",
            goal=Goal(of="figure", most=copies),
        ),
        Figure(
            name="  replicas that ended wrongly",
            value=len(report.wrong_ends),
            unit="",
            goal=Goal(of="figure", most=0.5),
            note="; ".join(report.wrong_ends),
        ),
        Figure(
            name="  lines of errors",
            value=len(report.errors),
            unit="",
            goal=Goal(of="figure", most=0.5),
            note=report.errors[0][:SHOWN] if report.errors else "",
        ),
    ]
