"""Retries of requests to Telegram: policies, and the one loop that keeps them.

A pause doubles with each failure up to a cap; what Telegram itself asks for is kept instead. A
request that nobody knows the end of is made again only as often as the policy has doubts to spend.
"""

from __future__ import annotations

import math
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from bot import clock
from bot.telegram.api import BotApi
from bot.telegram.outcomes import Ambiguous, Outcome, Retry, Sent, is_final, wait_of

#: The doubts of what may have its effect as often as it likes.
NO_HARM = math.inf
#: The longest wait that an answer's handler keeps by itself; a longer one is the outbox's.
SHORT_WAIT = 10.0

Pause = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """The pauses between tries, in seconds: `base`, then `growth` times as long each time, at most
    `cap`.

    `jitter` is the part of a pause that chance adds or takes away, so that many do not come back at
    once. `tries` beyond the first are made, None for as many as it takes; `doubts` of them although
    the one before may have had its effect. A wait of more than `longest` seconds, when Telegram
    asks for it, ends the tries. A refusal ends them too, but for the first so many `refusals`.
    """

    base: float
    cap: float
    growth: float = 2.0
    jitter: float = 0.0
    tries: int | None = None
    doubts: float = 0
    longest: float = math.inf
    refusals: float = 0

    def pause(self, failures: int, outcome: Outcome | None = None) -> float:
        """The seconds until the next try after so many failures before this one."""
        if isinstance(outcome, Retry) and outcome.after:
            return outcome.after
        grown = min(self.base * self.growth ** min(failures, 30), self.cap)
        if not self.jitter:
            return grown
        return grown * random.uniform(1 - self.jitter, 1 + self.jitter)

    def spent(self, failures: int) -> bool:
        """After so many failures there is no further try."""
        return self.tries is not None and failures >= self.tries

    def is_over(self, failures: int, refused: int, doubts: int, outcome: Outcome) -> bool:
        """Whether so many failures, `refused` and of unknown end some of them, let this outcome
        stand.
        """
        if self.spent(failures):
            return True
        if is_final(outcome):
            return refused >= self.refusals
        if isinstance(outcome, Ambiguous):
            return doubts >= self.doubts
        return wait_of(outcome) > self.longest


#: What the program needs of Telegram to be there at all, whatever it says: what was asked in an
#: outage is heard soon after it.
LISTENING = RetryPolicy(base=1.0, cap=4.0, doubts=NO_HARM, refusals=math.inf)
#: What may be done twice and nobody waits for: until Telegram takes it, or refuses it as it is.
UNTIL_TAKEN = RetryPolicy(base=1.0, cap=4.0, doubts=NO_HARM)
#: What is said at the start alone. A refusal may be a mistake that is over within seconds, and
#: would hold until the next start; one that lasts is meant.
INTRODUCTION = RetryPolicy(base=1.0, cap=4.0, doubts=NO_HARM, refusals=4)
#: While somebody else asks for updates with our token: it may be the old process, about to stop.
RIVAL = RetryPolicy(base=1.0, cap=30.0)
#: An answer that somebody waits for, before it is left to the outbox.
ANSWER = RetryPolicy(base=1.0, cap=4.0, tries=3, doubts=1, longest=SHORT_WAIT)
#: A question that changes nothing, and whose answer nobody waits for so long.
QUESTION = RetryPolicy(base=1.0, cap=4.0, tries=3, doubts=NO_HARM, longest=60.0)
#: A word to an operator that the outbox cannot hold: until Telegram takes it.
ALARM = RetryPolicy(base=1.0, cap=4.0, doubts=1)
#: One before the program ends.
LAST_WORD = RetryPolicy(base=1.0, cap=4.0, tries=3, doubts=1, longest=10.0)
#: A delivery of the outbox; its lane says how many doubts it may spend.
DELIVERY = RetryPolicy(base=1.0, cap=60.0, jitter=0.5)
#: One delivery, which asks for all while Telegram takes none.
ONE_FOR_ALL = RetryPolicy(base=2.0, cap=2.0)
#: The delivery that has just asked for all: later than another, so that a message nobody takes does
#: not go on asking.
SAME_AGAIN = RetryPolicy(base=3.0, cap=3.0)
#: A delivery that its chat refuses though the bot may write to it.
CONTRADICTED = RetryPolicy(base=1.0, cap=5.0, growth=5.0, tries=2)
#: A delivery whose topic is refused, before it goes to General, as all later ones then do.
MISPLACED = RetryPolicy(base=2.0, cap=2.0, tries=1)
#: A question of somebody who comes back to it by themselves.
ONCE = RetryPolicy(base=0.0, cap=0.0, tries=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A request that Telegram did not take, after so many failures `before` it.

    `wait` is the policy's seconds until the next try, None where it knows of none.
    """

    outcome: Outcome
    before: int
    wait: float | None


#: Told of each failure; the seconds until the next try, or None to let the outcome stand.
React = Callable[[Failure], Awaitable[float | None]]


async def as_its_policy_says(failure: Failure) -> float | None:
    """The reaction of who has nothing to add to the policy."""
    return failure.wait


async def insist(
    request: Callable[[], Awaitable[Outcome]],
    policy: RetryPolicy,
    *,
    react: React = as_its_policy_says,
    pause: Pause = clock.pause,
) -> Outcome:
    """The outcome of a request made until Telegram takes it, or no further try is wanted.

    Whoever reacts to a refusal with another try has mended the request: that is not counted.
    """
    failures, refused, doubts = 0, 0, 0
    while True:
        outcome = await request()
        if isinstance(outcome, Sent):
            return outcome
        wait = None
        if not policy.is_over(failures, refused, doubts, outcome):
            wait = policy.pause(failures, outcome)
        again_in = await react(Failure(outcome=outcome, before=failures, wait=wait))
        if again_in is None:
            return outcome
        if again_in:
            await pause(again_in)
        failures += policy.refusals > 0 or not is_final(outcome)
        refused += is_final(outcome)
        doubts += isinstance(outcome, Ambiguous)


async def taken(
    api: BotApi,
    method: str,
    *,
    policy: RetryPolicy = UNTIL_TAKEN,
    pause: Pause = clock.pause,
    **parameters: Any,  # noqa: ANN401 - any JSON value
) -> Outcome:
    """The outcome of a method called until Telegram takes it, or refuses it as it is.

    A `policy` with an end may end it before: then the last outcome is not final.
    """
    return await insist(partial(api.call, method, **parameters), policy, pause=pause)
