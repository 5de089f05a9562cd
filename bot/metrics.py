"""The metrics; names and labels hold no chat ids and no texts. `docs/metrics.md` lists all.

Prometheus counts growth from the first value that it sees of a series: a counter that appears with
its first failure has not grown. So whoever counts says beforehand what can happen (`expect`).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, product

from prometheus_client import CollectorRegistry, Gauge
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

REGISTRY = CollectorRegistry()


class _Plain(Collector):
    """Figures by their labels, changed in the event loop alone and read when they are asked for.

    The library's own take a lock each time, a twentieth of a delivery, and two kilobytes for each
    source.
    """

    family: type[CounterMetricFamily | GaugeMetricFamily]

    def __init__(self, name: str, documentation: str, *labels: str) -> None:
        self._name, self._documentation, self._labels = name, documentation, labels
        self._values: dict[tuple[str, ...], float] = {}
        REGISTRY.register(self)

    def collect(self) -> Iterator[CounterMetricFamily | GaugeMetricFamily]:
        """The values by now."""
        family = self.family(self._name, self._documentation, labels=self._labels)
        for labels, value in self._values.items():
            family.add_metric(labels, value)
        yield family


class Tally(_Plain):
    """A counter that a scrape reads, kept plainly."""

    family = CounterMetricFamily

    def expect(self, *labels: Iterable[str]) -> None:
        """Show 0 until it happens for each combination of these values, a group for each label."""
        for combined in product(*labels):
            self._values.setdefault(combined, 0)

    def add(self, *labels: str, count: int = 1) -> None:
        """Count so many more with these labels."""
        self._values[labels] = self._values.get(labels, 0) + count


class Level(_Plain):
    """A gauge that a scrape reads, kept plainly."""

    family = GaugeMetricFamily

    def set(self, value: float, *labels: str) -> None:
        """Set the value with these labels."""
        self._values[labels] = value

    def clear(self) -> None:
        """Forget all values."""
        self._values.clear()


class Spread(Collector):
    """A histogram with these bounds, kept as plainly: ten of the library's would be a tenth of a
    delivery.
    """

    def __init__(
        self, name: str, documentation: str, *labels: str, bounds: Sequence[float]
    ) -> None:
        self._name, self._documentation, self._labels = name, documentation, labels
        self._bounds = bounds
        # how many are above a bound and not above the next
        self._found: dict[tuple[str, ...], list[int]] = {}
        self._sums: dict[tuple[str, ...], float] = {}
        REGISTRY.register(self)

    def expect(self, *labels: Iterable[str]) -> None:
        """Show empty buckets until something is observed, as a `Tally` shows 0."""
        for combined in product(*labels):
            self._row(combined)

    def observe(self, value: float, *labels: str) -> None:
        """One more of this size with these labels."""
        found = self._row(labels)
        found[bisect_left(self._bounds, value)] += 1
        self._sums[labels] += value

    def _row(self, labels: tuple[str, ...]) -> list[int]:
        found = self._found.get(labels)
        if found is None:
            found = self._found[labels] = [0] * (len(self._bounds) + 1)
            self._sums[labels] = 0.0
        return found

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """The counts by now, in buckets."""
        family = HistogramMetricFamily(self._name, self._documentation, labels=self._labels)
        upto = [*(str(float(bound)) for bound in self._bounds), "+Inf"]
        for labels, found in self._found.items():
            buckets = list(zip(upto, accumulate(found), strict=True))
            family.add_metric(labels, buckets, self._sums[labels])
        yield family


#: Bounds in seconds of what a reader waits for.
WAITED = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10)
#: Bounds in seconds of one step in the database.
STEP = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10)
#: Bounds in seconds from a publication to a reader: feeds are asked every few minutes.
TOLD = (1, 5, 15, 30, 60, 120, 300, 600, 900)

# --- polls ----------------------------------------------------------------------------------------

POLLS = Tally("jarchy_polls", "Polls of sources", "source", "outcome")
ENTRIES = Tally("jarchy_entries", "New rates and entries stored, by their source", "source")
FRESH = Level("jarchy_source_last_ok_timestamp_seconds", "When a source last answered", "source")
#: By the database: of a source that fails, replicas see a poll each, ever more seldom.
FAILING = Level("jarchy_source_failures", "Failures in a row of a source that fails", "source")

# --- alerts and deliveries ------------------------------------------------------------------------

ALERTS = Tally("jarchy_alerts", "Alerts decided", "kind", "severity")
SENT = Tally("jarchy_deliveries", "Deliveries by what became of them", "lane", "outcome")
WAITING = Gauge(
    "jarchy_deliveries_waiting", "Deliveries not yet final", ["lane"], registry=REGISTRY
)
OLDEST = Gauge(
    "jarchy_outbox_oldest_seconds",
    "Age of the oldest alert that somebody still waits for; 0 where nobody does",
    ["lane"],
    registry=REGISTRY,
)
UNHEARD = Level("jarchy_alerts_unheard", "Alerts that reached nobody within two minutes")
TOLD_AFTER = Spread(
    "jarchy_publication_to_delivery_seconds",
    "From what was published to the message about it",
    "kind",
    bounds=TOLD,
)

# --- Telegram -------------------------------------------------------------------------------------

CALLS = Tally(
    "jarchy_telegram_calls", "Requests to Telegram by what became of them", "method", "outcome"
)
TELEGRAM_UP = Gauge(
    "jarchy_telegram_up", "1 while Telegram answers, as far as is known", registry=REGISTRY
)
UPDATES = Tally("jarchy_updates", "Updates received", "kind", "outcome")
REPLY = Spread(
    "jarchy_reply_seconds", "From an update's arrival here to its reply handed over", bounds=WAITED
)
REPLY.expect()

# --- the process ----------------------------------------------------------------------------------

READY = Gauge(
    "jarchy_ready", "1 for each part of /readyz that is well, else 0", ["part"], registry=REGISTRY
)
LOOP_LAG = Gauge(
    "jarchy_loop_lag_seconds",
    "How late the event loop was at most within the last minute",
    registry=REGISTRY,
)
DATABASE = Spread(
    "jarchy_database_seconds",
    "One step in the database, the wait for it counted",
    "operation",
    bounds=STEP,
)
ROLE = Gauge("jarchy_role", "1 while this replica has a role", ["role"], registry=REGISTRY)
JOBS = Tally("jarchy_jobs", "Recurring jobs that this process did", "job")
WORKER_JOBS = Tally(
    "jarchy_worker_jobs", "Jobs given to worker processes by what became of them", "job", "outcome"
)
INFO = Gauge("jarchy_info", "Always 1; its label is the version", ["version"], registry=REGISTRY)
