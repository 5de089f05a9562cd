"""One loop for every request: how often it is made again, when, and who may decide otherwise."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from bot.emulator import TEST_TOKEN, Emulator, Fault
from bot.reasons import said
from bot.telegram.api import Api
from bot.telegram.outcomes import BLOCKED, Ambiguous, Outcome, Rejected, Retry, Sent
from bot.telegram.retry import (
    ALARM,
    ANSWER,
    CONTRADICTED,
    DELIVERY,
    LAST_WORD,
    LISTENING,
    NO_HARM,
    QUESTION,
    SHORT_WAIT,
    UNTIL_TAKEN,
    Failure,
    RetryPolicy,
    insist,
    taken,
)
from bot.telegram.session import open_session

BUSY, LOST, REFUSED = Retry(said("502")), Ambiguous(said("reset")), Rejected(said("bad"))
DONE = Sent(7)
PLAIN = RetryPolicy(base=1.0, cap=4.0)


class Telegram:
    """Answers one outcome after another; notes the pauses between the requests."""

    def __init__(self, *outcomes: Outcome) -> None:
        self.left = list(outcomes)
        self.pauses: list[float] = []

    async def request(self) -> Outcome:
        """The next outcome."""
        return self.left.pop(0)

    async def pause(self, seconds: float) -> None:
        """No time passes."""
        self.pauses.append(seconds)


def always(wait: float | None) -> Callable[[Failure], Awaitable[float | None]]:
    """A reaction that does not ask the policy."""

    async def react(_failure: Failure) -> float | None:
        return wait

    return react


@pytest.mark.parametrize(
    ("policy", "outcomes", "end", "pauses"),
    [
        (PLAIN, [DONE], DONE, []),
        (PLAIN, [BUSY, BUSY, BUSY, BUSY, DONE], DONE, [1, 2, 4, 4]),
        (PLAIN, [Retry(said("x"), after=9.0), BUSY, DONE], DONE, [9, 2]),
        (PLAIN, [REFUSED], REFUSED, []),
        (PLAIN, [LOST], LOST, []),
        (LISTENING, [*[REFUSED, BLOCKED] * 9, DONE], DONE, [1, 2, *[4] * 16]),
        (replace(PLAIN, refusals=2), [REFUSED, BUSY, BLOCKED, DONE], DONE, [1, 2, 4]),
        (replace(PLAIN, refusals=2), [REFUSED, BUSY, LOST], LOST, [1, 2]),
        (replace(PLAIN, refusals=2), [BUSY, *[REFUSED] * 3], REFUSED, [1, 2, 4]),
        (replace(PLAIN, doubts=1), [LOST, BUSY, LOST], LOST, [1, 2]),
        (replace(PLAIN, doubts=NO_HARM), [LOST, LOST, LOST, DONE], DONE, [1, 2, 4]),
        (replace(PLAIN, tries=2), [BUSY, BUSY, BUSY], BUSY, [1, 2]),
        (replace(PLAIN, growth=5.0, cap=30.0), [BUSY, BUSY, BUSY, DONE], DONE, [1, 5, 25]),
    ],
)
async def test_G20_G21_a_request_is_made_as_often_and_as_late_as_its_policy_says(
    policy: RetryPolicy, outcomes: list[Outcome], end: Outcome, pauses: list[float]
) -> None:
    """And not once more: nothing is left to ask for."""
    telegram = Telegram(*outcomes)
    assert await insist(telegram.request, policy, pause=telegram.pause) == end
    assert (telegram.pauses, telegram.left) == (pauses, [])


@pytest.mark.parametrize("policy", [ANSWER, ALARM, LAST_WORD])
async def test_G20_what_a_reader_sees_is_sent_twice_at_most_when_nobody_knows_whether_it_came(
    policy: RetryPolicy,
) -> None:
    """Also when Telegram was away in between."""
    telegram = Telegram(LOST, BUSY, LOST)
    assert await insist(telegram.request, policy, pause=telegram.pause) == LOST
    assert telegram.left == []


@pytest.mark.parametrize(("policy", "longest"), [(ANSWER, 10), (LAST_WORD, 10), (QUESTION, 60)])
async def test_G21_whoever_has_an_end_waits_so_long_and_no_longer_for_telegram(
    policy: RetryPolicy, longest: float
) -> None:
    """A wait that is asked for ends the tries where it is longer."""
    long, short = Retry(said("x"), after=longest + 1), Retry(said("x"), after=longest)
    telegram = Telegram(short, short, long)
    assert await insist(telegram.request, policy, pause=telegram.pause) == long
    assert telegram.pauses == [longest, longest]


async def test_G20_a_method_is_called_as_its_policy_says() -> None:
    """With its parameters each time, and the policy's pauses between."""
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    async with Emulator(open_chats=True) as emulator, open_session() as session:
        api = Api(session, url=emulator.api_url, token=TEST_TOKEN)
        emulator.faults.add(Fault.server_error(502, times=2))
        done = await taken(api, "sendMessage", pause=pause, chat_id=7, text="hello")
        assert isinstance(done, Sent)
        assert [one["text"] for one in emulator.messages(7)] == ["hello"]
        assert pauses == [1, 2]
        emulator.faults.add(Fault.server_error(502))
        busy = await taken(api, "getMe", policy=replace(PLAIN, tries=1), pause=pause)
        assert isinstance(busy, Retry)
        assert pauses == [1, 2, 1]


def test_G15_deliveries_that_failed_together_do_not_come_back_together() -> None:
    """Each within half its pause around it, and they fill that span."""
    pauses = [DELIVERY.pause(3) for _ in range(500)]
    assert 4 <= min(pauses) < 4.4
    assert 11.6 < max(pauses) <= 12
    assert LISTENING.pause(1) == LISTENING.pause(1) == 2


async def test_G21_an_answer_waits_no_longer_than_its_reader_would() -> None:
    """A call that Telegram wants kept for longer is left to the outbox."""
    for after, pauses in ((SHORT_WAIT, [SHORT_WAIT]), (SHORT_WAIT + 1, [])):
        telegram = Telegram(Retry(said("x"), after=after, flood=True), DONE)
        await insist(telegram.request, ANSWER, pause=telegram.pause)
        assert telegram.pauses == pauses


async def test_who_asks_may_react_otherwise_than_the_policy() -> None:
    """Let an outcome stand that it would not, or try again what it would let stand."""
    telegram = Telegram(BUSY)
    assert await insist(telegram.request, PLAIN, react=always(None), pause=telegram.pause) == BUSY
    telegram = Telegram(REFUSED, DONE)
    assert await insist(telegram.request, PLAIN, react=always(3.0), pause=telegram.pause) == DONE
    assert telegram.pauses == [3]


async def test_a_request_that_was_mended_has_all_its_tries() -> None:
    """At once; its refusals count as no failure, though there were more than the policy's tries."""
    telegram = Telegram(*[REFUSED] * 5, *[BUSY] * 3, DONE)
    heard: list[tuple[int, float | None]] = []

    async def react(failure: Failure) -> float | None:
        heard.append((failure.before, failure.wait))
        return 0.0 if failure.outcome == REFUSED else failure.wait

    assert await insist(telegram.request, ANSWER, react=react, pause=telegram.pause) == DONE
    assert heard == [(0, None)] * 5 + [(0, 1.0), (1, 2.0), (2, 4.0)]
    assert telegram.pauses == [1, 2, 4]


def test_G12_a_chat_that_refuses_in_spite_of_the_right_to_write_has_two_more_tries() -> None:
    """A second and five seconds later."""
    assert [CONTRADICTED.pause(times) for times in range(2)] == [1, 5]
    assert [CONTRADICTED.spent(times) for times in range(3)] == [False, False, True]


@pytest.mark.parametrize("policy", [LISTENING, UNTIL_TAKEN, ALARM])
def test_G15_whoever_asks_on_and_on_is_heard_soon_after_an_outage_of_any_length(
    policy: RetryPolicy,
) -> None:
    """No pause is longer than four seconds, and none of them asks without one."""
    assert [policy.pause(failures) for failures in (0, 1, 2, 3, 9999)] == [1, 2, 4, 4, 4]
