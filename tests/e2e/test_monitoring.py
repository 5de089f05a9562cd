"""The alarms and pictures that come with the program: each is written with what /metrics shows,
each alarm rings for its trouble and for no other, each picture has something to show.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pytest
import yaml
from prometheus_client.samples import Sample

from tests.conftest import ROOT
from tests.e2e.driven import TODAY, Day, value
from tests.e2e.program import READER
from tests.e2e.test_metrics import PARTS_OF_A_HISTOGRAM, documented, owners
from tests.promql import Labels, Look, asked, evaluate, parse, selectors
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
OF_PROMETHEUS = {"instance", "job"}
A_MINUTE = 60.0
#: These ring for who does not answer: nothing that /metrics shows is their trouble.
GONE, MISSED = "JarchyIsGone", "JarchyReplicaIsGone"


def test_every_expression_is_written_with_documented_names_and_labels() -> None:
    """In the alarms and in the pictures."""
    table = documented()
    for expression in [rule["expr"] for rule in RULES] + [target for _, target in TARGETS]:
        for name, labels in selectors(parse(expression)):
            if name == "up":  # whether a target answers is Prometheus's own
                assert labels == {"job"}, expression
                continue
            whole = name
            for part in PARTS_OF_A_HISTOGRAM:
                if table.get(name.removesuffix(part), ("",))[0] == "histogram":
                    whole = name.removesuffix(part)
            assert whole in table, expression
            assert labels <= {*table[whole][1], *OF_PROMETHEUS, "le"}, expression


def test_a_counter_grows_from_the_first_look_that_shows_it() -> None:
    """As Prometheus has it: before that it may have been anything, and less than before is more."""

    def look(at: float, **counted: float) -> Look:
        return Look(at, [Sample("c_total", {"job": job}, count) for job, count in counted.items()])

    looks = [look(0.0, old=5.0), look(60.0, old=7.0, begun=0.0), look(120.0, old=3.0, new=9.0)]
    grown = evaluate(parse("increase(c_total[5m])"), looks)
    assert grown == {frozenset({("job", "old")}): 5.0}
    again = evaluate(parse("increase(c_total[5m])"), [*looks, look(180.0, begun=4.0, new=9.0)])
    assert again == {
        frozenset({("job", job)}): growth
        for job, growth in (("old", 5.0), ("begun", 4.0), ("new", 0.0))
    }


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
    "JarchyAlertReachedNobody": [("jarchy_alerts_unheard", {}, 1)],
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
    "JarchyWorkerJobsEnd": [
        ("jarchy_worker_jobs_total", {"job": "with_entries", "outcome": "ended"}, 4)
    ],
}
#: The source that fails on a good day too, and is meant to.
FAILS_ANYWAY = "broken"
#: What all replicas tell alike: of the database.
OF_ALL = {name for name, of in owners().items() if of == "database"}
ONE, TWO = ({"job": "jarchy", "instance": name} for name in ("one", "two"))


def good(look: Look) -> Look:
    """A look at a day without the source that is meant to fail."""
    return Look(look.at, [one for one in look.samples if one.labels.get("source") != FAILS_ANYWAY])


def with_trouble(look: Look, trouble: Sequence[tuple[str, Mapping[str, str], float]]) -> Look:
    """A look that shows a trouble besides."""
    wrong = {(name, frozenset(labels.items())) for name, labels, _ in trouble}
    kept = [one for one in look.samples if (one.name, frozenset(one.labels.items())) not in wrong]
    return Look(
        look.at, [*kept, *(Sample(name, labels, figure) for name, labels, figure in trouble)]
    )


def at_replicas(first: Look, second: Look) -> Look:
    """What Prometheus has of a look at each of two replicas."""
    both = asked(first, **ONE), asked(second, **TWO)
    return Look(first.at, [*both[0].samples, *both[1].samples])


async def three_looks(day: Day) -> Sequence[Look]:
    """What Prometheus sees of a day: before it, after it, and when a figure was corrected and a
    question answered.
    """
    first = await day.samples()
    await _go_on(day)
    then = await day.counted(lambda samples: _has_grown(first, samples))
    return [Look(-A_MINUTE, day.begun), Look(0.0, first), Look(A_MINUTE, then)]


def every_picture_has_data(looks: Sequence[Look]) -> None:
    """At least one series with a figure, of a single process as of two replicas."""
    waited = [_with_more_waiting(look) for look in looks]
    single = [asked(look, **ONE) for look in waited]
    both = [at_replicas(look, look) for look in waited]
    for title, expression in TARGETS:
        alone, together = _figures(expression, single), _figures(expression, both)
        assert alone, title
        if "instance" in expression:
            assert len(together) == 2 * len(alone), title
            continue
        # processes count for themselves, and what they count is put together; all else is the same
        counts = ("rate(" in expression or "increase(" in expression) and not (
            "histogram_quantile" in expression or "/" in expression
        )
        whole = {labels: figure * (2 if counts else 1) for labels, figure in alone.items()}
        assert together == pytest.approx(whole), title


def _with_more_waiting(look: Look) -> Look:
    """A look at which the database's figures, after a day on which all was sent, are not 0."""
    changed = []
    for one in look.samples:
        changed.append(one._replace(value=one.value + 1) if one.name in OF_ALL else one)
    return Look(look.at, changed)


def every_alarm_rings_for_its_trouble_alone(looks: Sequence[Look]) -> None:
    """An alarm does not ring on a good day, nor for what another one is for: of a single process,
    and of two replicas of which one is in trouble, where it is no trouble of the database's.
    """
    before, last = [good(look) for look in looks[:-1]], good(looks[-1])
    alone = [asked(look, **ONE) for look in before]
    both = [at_replicas(look, look) for look in before]
    assert ringing([*alone, asked(last, **ONE)]) == set()
    assert ringing([*both, at_replicas(last, last)]) == set()
    for name, trouble in TROUBLES.items():
        wrong = with_trouble(last, trouble)
        other = with_trouble(last, [one for one in trouble if one[0] in OF_ALL])
        assert ringing([*alone, asked(wrong, **ONE)]) == {name}
        assert ringing([*both, at_replicas(wrong, other)]) == {name}
    # nobody answers any more: Prometheus knows that they are down, or knows nothing of them
    down = [Sample("up", target, 0.0) for target in (ONE, TWO)]
    for left in (down, []):
        assert ringing([*both, Look(last.at, left)]) == {GONE}


def one_replica_is_missed(looks: Sequence[Look]) -> None:
    """Where Prometheus knows that it is down, by its name; where it is asked no more, because fewer
    answer than before. One that was never there is not missed, nor one that was there for a moment.
    """
    alone = [asked(good(look), **ONE) for look in looks]
    both = [at_replicas(good(look), good(look)) for look in looks]
    down = Look(alone[-1].at, [*alone[-1].samples, Sample("up", TWO, 0.0)])
    assert ringing([*both[:-1], down]) == {MISSED}
    (rung,) = _rung(MISSED, [*both[:-1], down])
    assert dict(rung)["instance"] == "two"
    assert ringing([*both[:-1], alone[-1]]) == {MISSED}
    assert ringing([alone[0], both[1], alone[2]]) == set()


def ringing(looks: Sequence[Look]) -> set[str]:
    """The alarms that ring."""
    return {rule["alert"] for rule in RULES if _rung(rule["alert"], looks)}


def _rung(name: str, looks: Sequence[Look]) -> Collection[Labels]:
    (expression,) = (rule["expr"] for rule in RULES if rule["alert"] == name)
    found = evaluate(parse(expression), looks)
    assert not isinstance(found, float), name
    return found.keys()


def _figures(expression: str, looks: Sequence[Look]) -> Mapping[Labels, float]:
    """The figures that an expression shows, each by its labels."""
    found = evaluate(parse(expression), looks)
    assert not isinstance(found, float), expression
    return {labels: figure for labels, figure in found.items() if not math.isnan(figure)}


def test_every_alarm_is_tried() -> None:
    """One that is added needs its trouble in the table."""
    assert {rule["alert"] for rule in RULES} == TROUBLES.keys() | {GONE, MISSED}


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
