"""When a job of the queue is tried again.

By itself Procrastinate says so by the clock of the machine it runs on, and the server compares that
with its own. On a machine that is ahead, or beside a server that was set back, what is tried again
would wait for as long as they differ, and keep its like out of the queue meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from procrastinate import BaseRetryStrategy, RetryDecision
from procrastinate.jobs import Job

#: A moment that is past by any clock.
LONG_AGO = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True)
class _Again(BaseRetryStrategy):
    """A job that failed is tried again after a pause, by the clock that replicas share."""

    pause: timedelta
    clock: Callable[[], datetime]

    def get_retry_decision(
        self,
        *,
        exception: BaseException,  # noqa: ARG002 - whatever it failed by
        job: Job,  # noqa: ARG002 - however often
    ) -> RetryDecision:
        """The moment of the next try."""
        return RetryDecision(retry_at=self.clock() + self.pause)


def tried_again(pause: float | None, clock: Callable[[], datetime]) -> BaseRetryStrategy | bool:
    """The strategy of a job that is tried again after so many seconds; False where it is not."""
    if pause is None:
        return False
    return _Again(timedelta(seconds=pause), clock)
