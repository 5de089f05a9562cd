"""The judgement on a broadcast that was struck: what `python -m bench --only chaos` lets pass."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

from bench.course import End, Report, judged
from bench.replicas import Message

STRUCK, OVER, UNTIL = 6.0, 8.0, 24.0
EACH = 20  # messages a second of each replica
GOOD = End(code=0, told=signal.SIGTERM)


def course(senders: Sequence[int], *, left: Sequence[int], ends: Sequence[End]) -> Report:
    """A broadcast of these senders, of whom some are left after the trouble."""
    arrived: list[Message] = []
    for begin, until, some in ((0.0, STRUCK, senders), (OVER, UNTIL, left)):
        for number in range(int((until - begin) * EACH)):
            at = begin + number / EACH
            arrived += [Message(at, at, 0, by) for by in some]
    arrived = [one._replace(chat=chat) for chat, one in enumerate(arrived)]
    return Report(
        count=len(arrived), arrived=arrived, struck=STRUCK, over=OVER, ends=ends, errors=()
    )


WELL = course([1, 2, 3], left=[1, 2, 3], ends=[GOOD] * 3)
KILLED = End(code=-9, told=signal.SIGKILL)


def missed(report: Report) -> Iterator[str]:
    """The goals that a course misses."""
    return (one.name.strip() for one in judged("struck", report, copies=1) if one.verdict == "over")


def test_a_course_without_loss_is_well() -> None:
    """So is one whose replicas were killed and have successors; what each sent is told."""
    assert list(missed(WELL)) == []
    successors = course([1, 2, 3], left=[4, 5, 6], ends=[KILLED] * 3 + [GOOD] * 3)
    assert list(missed(successors)) == []
    assert judged("struck", WELL, copies=1)[1].note == "of all: 33%, 33%, 33%"


ENDED = "replicas that ended wrongly"


@pytest.mark.parametrize(
    ("report", "misses"),
    [
        pytest.param(
            course([1, 2, 3], left=[1, 2], ends=[GOOD] * 3),
            ["struck", "least that a replica sends after it"],
            id="one replica hangs, and the others cannot do its part",
        ),
        pytest.param(
            course([1, 2, 3], left=[1, 1, 2], ends=[GOOD] * 3),
            ["least that a replica sends after it"],
            id="one replica hangs, and another does its part",
        ),
        pytest.param(
            replace(WELL, ends=[GOOD, GOOD, End(code=1, told=signal.SIGTERM)]),
            [ENDED],
            id="one fails when it is told to stop",
        ),
        pytest.param(
            replace(WELL, ends=[GOOD, GOOD, End(code=0, told=None)]),
            [ENDED],
            id="one ends unasked",
        ),
        pytest.param(
            replace(WELL, ends=[GOOD, GOOD, End(code=-9, told=signal.SIGTERM)]),
            [ENDED],
            id="one does not stop, and is killed",
        ),
        pytest.param(replace(WELL, errors=["Traceback"]), ["lines of errors"], id="an error"),
        pytest.param(replace(WELL, arrived=WELL.arrived[:-1]), ["lost"], id="one message is lost"),
        pytest.param(
            replace(WELL, arrived=[*WELL.arrived, WELL.arrived[-1]]),
            ["most copies for a chat"],
            id="one comes twice",
        ),
    ],
)
def test_what_goes_wrong_misses_its_goal(report: Report, misses: Sequence[str]) -> None:
    """And no other one."""
    assert list(missed(report)) == misses
