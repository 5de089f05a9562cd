"""The histogram of our own, beside the library's: the same text for the same values."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Histogram, generate_latest

from bot.metrics import REGISTRY, Spread

BOUNDS = (1, 5, 15.5)
VALUES = (0.0, 1.0, 1.1, 5.0, 15.5, 15.6, 900.0)


def test_it_is_written_as_the_librarys() -> None:
    """Each value in the buckets whose bound is not below it."""
    theirs = CollectorRegistry()
    library = Histogram("told_seconds", "After", ["kind"], buckets=BOUNDS, registry=theirs)
    ours = Spread("told_seconds", "After", "kind", bounds=BOUNDS)
    only = CollectorRegistry()
    only.register(ours)
    try:
        for kind in ("move", "story"):
            for value in VALUES:
                library.labels(kind).observe(value)
                ours.observe(value, kind)
        expected = [line for line in text(theirs) if "_created" not in line]
        assert text(only) == expected
    finally:
        REGISTRY.unregister(ours)


def text(registry: CollectorRegistry) -> list[str]:
    """The lines that a scrape of it reads."""
    return generate_latest(registry).decode().splitlines()
