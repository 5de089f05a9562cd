"""What is counted; names and labels hold no chat ids and no texts."""

from __future__ import annotations

from functools import cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

REGISTRY = CollectorRegistry()

UPDATES = Counter("jarchy_updates", "Updates received", ["kind", "outcome"], registry=REGISTRY)
SENT = Counter(
    "jarchy_deliveries", "Deliveries by what became of them", ["lane", "outcome"], registry=REGISTRY
)
POLLS = Counter("jarchy_polls", "Polls of sources", ["source", "outcome"], registry=REGISTRY)
FRESH = Gauge(
    "jarchy_source_last_ok_timestamp_seconds",
    "When a source last answered",
    ["source"],
    registry=REGISTRY,
)
ROLE = Gauge("jarchy_role", "1 while this replica has a role", ["role"], registry=REGISTRY)
JOBS = Counter(
    "jarchy_jobs", "Jobs this replica did of those shared by all", ["job"], registry=REGISTRY
)
WAITING = Gauge("jarchy_deliveries_waiting", "Deliveries not yet final", registry=REGISTRY)
REPLY = Histogram(
    "jarchy_reply_seconds",
    "From a stored update to its reply handed over",
    buckets=(0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10),
    registry=REGISTRY,
)


@cache
def sent(lane: str, outcome: str) -> Counter:
    """A counter of deliveries, kept: looking it up by labels costs a twentieth of a delivery."""
    return SENT.labels(lane.lower(), outcome.lower())
