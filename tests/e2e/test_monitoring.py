"""The alarms and pictures that come with the program: each is written with what /metrics shows,
each alarm rings for its trouble and for no other, each picture has something to show.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import yaml
from prometheus_client.samples import Sample

from tests.conftest import ROOT
from tests.e2e.driven import TODAY, Day, value
from tests.e2e.program import READER
from tests.e2e.test_metrics import PARTS_OF_A_HISTOGRAM, documented
from tests.promql import Look, evaluate, parse, selectors
from tests.publishers import daily

FOLDER = ROOT / "docs" / "monitoring"
RULES: Sequence[Mapping[str, Any]] = [
    rule
    for group in yaml.safe_load((FOLDER / "alerts.yml").read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
]
BOARD: Mapping[str, Any] = json.loads((FOLDER / "dashboard.json").read_text(encoding="utf-8"))
TARGETS = [
    (panel["title"], target["expr"]) for panel in BOARD["panels"] for target in panel["targets"]
]
#: Labels that Prometheus adds to what it asks.
OF_PROMETHEUS = {"instance"}
A_MINUTE = 60.0
GONE = "JarchyIsGone"  # for it there is nothing to look at


def test_every_expression_is_written_with_documented_names_and_labels() -> None:
    """In the alarms and in the pictures."""
    table = documented()
    for expression in [rule["expr"] for rule in RULES] + [target for _, target in TARGETS]:
        for name, labels in selectors(parse(expression)):
            whole = name
            for part in PARTS_OF_A_HISTOGRAM:
                if table.get(name.removesuffix(part), ("",))[0] == "histogram":
                    whole = name.removesuffix(part)
            assert whole in table, expression
            assert labels <= {*table[whole][1], *OF_PROMETHEUS, "le"}, expression


def test_every_name_is_looked_at_by_a_picture() -> None:
    """Every counter is shown."""
    asked = {one.name for _, target in TARGETS for one in selectors(parse(target))}
    for name, (kind, _) in documented().items():
        names = {name}
        if kind == "histogram":
            names = {name + part for part in PARTS_OF_A_HISTOGRAM}
        assert asked & names, name


def test_every_alarm_says_what_is_wrong_and_how_bad_it_is() -> None:
    """By a name of its own; its words name no label that its expression loses."""
    names = [rule["alert"] for rule in RULES]
    assert len(set(names)) == len(names)
    for rule in RULES:
        assert rule["labels"]["severity"] in {"page", "ticket"}, rule["alert"]
        assert rule["annotations"]["summary"], rule["alert"]
        for label in ("part", "lane", "source", "job"):
            if f"$labels.{label}" in str(rule["annotations"]):
                assert f"by ({label})" in rule["expr"], rule["alert"]


async def _go_on(day: Day) -> None:
    day.publishers.put("/daily.xml", daily(f"{TODAY:%d.%m.%Y}", "91,5000", "98,8600", "1,1950"))
    asked = await day.emulator.send_text(READER, "/rates EUR")
    await day.emulator.wait_message(
        READER, lambda m: "98.86" in m.get("text", ""), after=asked, timeout=60
    )


def _has_grown(before: Sequence[Sample], after: Sequence[Sample]) -> bool:
    names = ("jarchy_publication_to_delivery_seconds_count", "jarchy_reply_seconds_count")
    return all(value(after, name) > value(before, name) for name in names)


#: Each alarm's trouble: what the last look shows besides, or instead, by name and labels.
TROUBLES: Mapping[str, Sequence[tuple[str, Mapping[str, str], float]]] = {
    "JarchyIsNotReady": [("jarchy_ready", {"part": "fresh"}, 0)],
    "JarchyAlertsAreLate": [("jarchy_outbox_oldest_seconds", {"lane": "urgent"}, 121)],
    "JarchyTelegramIsAway": [("jarchy_telegram_up", {}, 0)],
    "JarchyTelegramRefuses": [
        ("jarchy_telegram_calls_total", {"method": "sendMessage", "outcome": "retry"}, 900)
    ],
    "JarchySourceFails": [("jarchy_source_failures", {"source": "gone"}, 3)],
    "JarchyNewsIsOld": [
        ("jarchy_publication_to_delivery_seconds_bucket", {"kind": "story", "le": bound}, count)
        for bound, count in (("600.0", 1), ("900.0", 900), ("+Inf", 900))
    ],
    "JarchyAnswersAreSlow": [
        ("jarchy_reply_seconds_bucket", {"le": bound}, count)
        for bound, count in (("1.0", 1), ("3.0", 900), ("10.0", 900), ("+Inf", 900))
    ],
    "JarchyLoopStandsStill": [("jarchy_loop_lag_seconds", {}, 2.5)],
    "JarchyDatabaseIsSlow": [
        ("jarchy_database_seconds_sum", {"operation": "commit"}, 90_000),
    ],
    "JarchyUpdatesFail": [("jarchy_updates_total", {"kind": "message", "outcome": "failed"}, 6)],
    "JarchyWorkerJobsEnd": [("jarchy_worker_jobs_total", {"job": "read", "outcome": "ended"}, 4)],
}
#: The source that fails on a good day too, and is meant to.
FAILS_ANYWAY = "broken"


def with_trouble(look: Look, trouble: Sequence[tuple[str, Mapping[str, str], float]]) -> Look:
    """A look that shows a trouble besides."""
    wrong = {(name, frozenset(labels.items())) for name, labels, _ in trouble}
    kept: list[Sample] = []
    for sample in look.samples:
        named = (sample.name, frozenset(sample.labels.items()))
        if named not in wrong and sample.labels.get("source") != FAILS_ANYWAY:
            kept.append(sample)
    return Look(
        look.at, [*kept, *(Sample(name, labels, figure) for name, labels, figure in trouble)]
    )


async def two_looks(day: Day) -> Sequence[Look]:
    """What Prometheus sees of a day, between whose looks a figure is corrected and a question
    answered.
    """
    first = await day.samples()
    await _go_on(day)
    then = await day.counted(lambda samples: _has_grown(first, samples))
    return [Look(0.0, first), Look(A_MINUTE, then)]


def every_picture_has_data_and_every_alarm_rings_for_its_trouble_alone(
    looks: Sequence[Look],
) -> None:
    """A picture has at least one series with a figure. An alarm does not ring on a good day, nor
    for what another one is for.
    """
    assert [title for title, expression in TARGETS if not _figures(expression, looks)] == []
    good = [with_trouble(look, []) for look in looks]
    for rule in RULES:
        expression = parse(rule["expr"])
        assert evaluate(expression, good) == {}, rule["alert"]
        rings = {
            name
            for name, trouble in TROUBLES.items()
            if evaluate(expression, [good[0], with_trouble(looks[1], trouble)]) != {}
        }
        if rule["alert"] == GONE:
            assert rings == set()
            assert evaluate(expression, [Look(A_MINUTE, [])]) != {}
        else:
            assert rings == {rule["alert"]}


def _figures(expression: str, looks: Sequence[Look]) -> Sequence[float]:
    """The figures that an expression shows."""
    found = evaluate(parse(expression), looks)
    assert not isinstance(found, float), expression
    return [figure for figure in found.values() if not math.isnan(figure)]


def test_every_alarm_is_tried() -> None:
    """One that is added needs its trouble in the table."""
    assert {rule["alert"] for rule in RULES} == TROUBLES.keys() | {GONE}


def test_the_board_fits_together() -> None:
    """Panels have numbers and titles of their own, and do not lie on one another."""
    panels = BOARD["panels"]
    for key in ("id", "title"):
        assert len({panel[key] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        at = panel["gridPos"]
        cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24, panel["title"]
        taken |= cells
