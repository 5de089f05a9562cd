"""Figures for alarms: what `docs/metrics.md` promises is what /metrics shows after a driven day."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from prometheus_client.samples import Sample

from bot.emulator import TEST_TOKEN
from tests.conftest import ROOT
from tests.e2e.driven import OPERATOR, Day, value
from tests.e2e.program import CHANNEL, READER

ROW = re.compile(
    r"\| `(?P<name>jarchy_\w+)` \| (?P<kind>\w+) \| (?P<of>process|database) "
    r"\|(?P<labels>[^|]*)\| (?P<says>.+) \|"
)
#: What an operator's alarms may be written with; more may be added, none may go.
PROMISED = {
    "jarchy_polls_total": ("source", "outcome"),
    "jarchy_entries_total": ("source",),
    "jarchy_alerts_total": ("kind", "severity"),
    "jarchy_deliveries_total": ("lane", "outcome"),
    "jarchy_outbox_oldest_seconds": ("lane",),
    "jarchy_publication_to_delivery_seconds": ("kind",),
    "jarchy_telegram_calls_total": ("method", "outcome"),
    "jarchy_telegram_up": (),
    "jarchy_loop_lag_seconds": (),
    "jarchy_database_seconds": ("operation",),
    "jarchy_reply_seconds": (),
}
PARTS_OF_A_HISTOGRAM = ("_bucket", "_sum", "_count")


def documented() -> Mapping[str, tuple[str, tuple[str, ...]]]:
    """The table of `docs/metrics.md`: each name's kind and labels."""
    found: dict[str, tuple[str, tuple[str, ...]]] = {}
    for row in ROW.finditer((ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")):
        labels = tuple(re.findall(r"`(\w+)`", row["labels"]))
        assert row["name"] not in found, row["name"]
        found[row["name"]] = (row["kind"], labels)
    return found


def owners() -> Mapping[str, str]:
    """Whose each figure is by the same table: the process's, or the database's."""
    text = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    return {row["name"]: row["of"] for row in ROW.finditer(text)}


def shown(samples: Sequence[Sample]) -> Mapping[str, tuple[str, ...]]:
    """The names that have a value, with their labels; those of a histogram by its own name."""
    found: dict[str, tuple[str, ...]] = {}
    kinds = {name: kind for name, (kind, _) in documented().items()}
    for sample in samples:
        name = sample.name
        for part in PARTS_OF_A_HISTOGRAM:
            if kinds.get(name.removesuffix(part)) == "histogram":
                name = name.removesuffix(part)
        labels = tuple(sorted(set(sample.labels) - {"le"}))
        assert found.setdefault(name, labels) == labels, name
    return found


def test_what_was_promised_is_documented() -> None:
    """By its name and its labels."""
    table = documented()
    for name, labels in PROMISED.items():
        assert sorted(table[name][1]) == sorted(labels), name


def no_counter_appears_after_the_first_look(day: Day, then: Sequence[Sample]) -> None:
    """What a counter counted before Prometheus saw it is not growth: each has its series from the
    start, for all that happened on this day.
    """
    table = documented()
    begun = {(one.name, frozenset(one.labels.items())) for one in day.begun}
    for sample in then:
        whole = sample.name
        for part in PARTS_OF_A_HISTOGRAM:
            if table.get(sample.name.removesuffix(part), ("",))[0] == "histogram":
                whole = sample.name.removesuffix(part)
        if table.get(whole, ("",))[0] in {"counter", "histogram"}:
            assert (sample.name, frozenset(sample.labels.items())) in begun


async def every_documented_name_has_a_value_and_no_other_is_shown(day: Day) -> None:
    """After a day of polls, a move, a story and a question; no label holds a number of a chat, a
    text or a secret.
    """
    table = {name: tuple(sorted(labels)) for name, (_, labels) in documented().items()}
    samples = await day.counted(lambda samples: shown(samples).keys() >= table.keys())
    assert shown(samples) == table
    assert value(samples, "jarchy_polls_total", source="broken", outcome="failed") >= 1
    assert value(samples, "jarchy_source_failures", source="broken") >= 1
    # three rates of two days, one entry and then another
    assert value(samples, "jarchy_entries_total", source="nbkr") == 6
    assert value(samples, "jarchy_entries_total", source="test") == 2
    assert value(samples, "jarchy_alerts_total", kind="story") == 1
    told = await day.counted(
        lambda samples: value(samples, "jarchy_deliveries_total", outcome="sent") >= 4
    )
    name = "jarchy_publication_to_delivery_seconds_count"
    assert value(told, name, kind="story") == 2, "the reader and the channel"
    assert value(told, name, kind="move") >= 2
    calls = value(told, "jarchy_telegram_calls_total", method="sendMessage", outcome="sent")
    assert calls >= value(told, "jarchy_deliveries_total", outcome="sent")
    assert value(told, "jarchy_telegram_up") == 1
    assert value(told, "jarchy_jobs_total", job="poll") >= 3
    text = (await day.get("/metrics"))[2]
    # what a figure is may be anything: seconds have sixteen digits
    labels = "".join(re.findall(r"\{[^}]*\}|^#.*", text, re.MULTILINE))
    hidden = (str(READER), str(OPERATOR), str(CHANNEL), "Aigul", "border post", "84.79")
    assert [one for one in hidden if one in labels] == []
    assert TEST_TOKEN.partition(":")[2] not in text
    assert not re.findall(r'="[^"]*\d{4,}[^"]*"', text), "a number of somebody's in a label"
