"""When the same request to Telegram is made again: one policy, with a base and cap for each wait.

A pause doubles with each failure up to a cap; what Telegram itself asks for is kept instead. A
request that nobody knows the end of is made again only as often as the policy has doubts to spend.
"""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from bot.telegram.api import BotApi
from bot.telegram.outcomes import Ambiguous, Outcome, Retry, is_final, wait_of

#: The doubts of what may have its effect as often as it likes.
NO_HARM = math.inf


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The pauses between tries, in seconds: `base`, then twice as long each time, at most `cap`.

    `jitter` is the part of a pause that chance adds or takes away, so that many do not come back at
    once. `tries` beyond the first are made, None for as many as it takes; `doubts` of them although
    the one before may have had its effect. A wait of more than `longest` seconds, when Telegram
    asks for it, ends the tries.
    """

    base: float
    cap: float
    jitter: float = 0.0
    tries: int | None = None
    doubts: float = 0
    longest: float | None = None

    def pause(self, failures: int, outcome: Outcome | None = None) -> float:
        """The seconds until the next try after so many failures before this one."""
        if isinstance(outcome, Retry) and outcome.after:
            return outcome.after
        grown = min(self.base * 2.0 ** min(failures, 30), self.cap)
        if not self.jitter:
            return grown
        return grown * random.uniform(1 - self.jitter, 1 + self.jitter)

    def spent(self, failures: int) -> bool:
        """After so many failures there is no further try."""
        return self.tries is not None and failures >= self.tries

    def is_over(self, failures: int, doubts: int, outcome: Outcome) -> bool:
        """Whether so many failures, `doubts` of them of unknown end, let this outcome stand."""
        if is_final(outcome) or self.spent(failures):
            return True
        if isinstance(outcome, Ambiguous):
            return doubts >= self.doubts
        return self.longest is not None and wait_of(outcome) > self.longest


#: What the program needs of Telegram to be there at all: what was asked in an outage is heard soon
#: after it.
LISTENING = Policy(base=1.0, cap=4.0, doubts=NO_HARM)
#: While somebody else asks for updates with our token: it may be the old process, about to stop.
RIVAL = Policy(base=1.0, cap=30.0)
#: An answer that somebody waits for, before it is left to the outbox.
ANSWER = Policy(base=1.0, cap=4.0, tries=3, doubts=1)
#: A question that changes nothing, and whose answer nobody waits for so long.
QUESTION = Policy(base=1.0, cap=4.0, tries=3, doubts=NO_HARM, longest=60.0)
#: A word to an operator that the outbox cannot hold: until Telegram takes it.
ALARM = Policy(base=1.0, cap=4.0, doubts=1)
#: One before the program ends.
LAST_WORD = Policy(base=1.0, cap=4.0, tries=3, doubts=1, longest=10.0)
#: A delivery of the outbox; its lane says how many doubts it may spend.
DELIVERY = Policy(base=1.0, cap=60.0, jitter=0.5)


async def taken(
    api: BotApi,
    method: str,
    *,
    policy: Policy | None = None,
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    **parameters: Any,  # noqa: ANN401 - any JSON value
) -> Outcome:
    """The outcome of a method called until Telegram takes it, or refuses it as it is.

    A `policy` with an end may end it before: then the last outcome is not final.
    """
    policy = policy or LISTENING
    failures, doubts = 0, 0
    while True:
        outcome = await api.call(method, **parameters)
        if policy.is_over(failures, doubts, outcome):
            return outcome
        await pause(policy.pause(failures, outcome))
        failures += 1
        doubts += isinstance(outcome, Ambiguous)
