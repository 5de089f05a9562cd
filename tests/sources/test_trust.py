"""Trust, report by report: who leads a story, and how loud a report may make it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.model.alerts import Severity
from bot.model.chats import Style
from bot.model.news import StoredEntry, Story, Verdict
from bot.reasons import Reason
from bot.sources.catalog import parse_catalog
from bot.sources.feeds import FeedSpec
from bot.sources.standing import AGGREGATORS_REASON, OFFICIAL_REASON, led, publishers, weighed
from bot.sources.timetable import PollSpec
from tests.factories import NOW, entry

INFO, NOTABLE, URGENT = Severity.INFO, Severity.NOTABLE, Severity.URGENT
WHY, MORE = Reason("near"), Reason("calm")
TRUST = {"official": 1, "agency": 2, "other": 2, "aggregator": 3, "echo": 3}
FEEDS = {
    key: FeedSpec(
        key=key,
        names={},
        url="https://x.example/",
        poll=PollSpec(every=NOW - NOW),
        trust=trust,
        style=Style.FULL if key == "official" else Style.HEADLINE,
    )
    for key, trust in TRUST.items()
}


def story(*feeds: str, severity: Severity = NOTABLE, reasons: tuple[Reason, ...] = (WHY,)) -> Story:
    """A story that these feeds reported, in that order."""
    entries = [
        StoredEntry(pk=pk, feed=feed, entry=entry(id=str(pk)), seen_at=NOW, story=1)
        for pk, feed in enumerate(feeds)
    ]
    return Story(pk=1, entries=tuple(entries), severity=severity, reasons=reasons)


def verdict(severity: Severity = URGENT, *, security: bool = True) -> Verdict:
    """The detector's."""
    return Verdict(security=security, score=1.0, severity=severity, reasons=(WHY,))


def test_the_most_trusted_report_leads_and_among_equals_the_first() -> None:
    """A feed that is in the catalog no more counts as an agency's and keeps its text short."""
    found = led(story("echo", "gone", "agency", "aggregator", "official"), FEEDS)
    assert [item.feed for item in found.entries] == [
        "official", "gone", "agency", "echo", "aggregator",
    ]  # fmt: skip
    assert [item.trust for item in found.entries] == [1, 2, 2, 3, 3]
    full, brief, *others = [item.style for item in found.entries]
    assert (full, brief, *others) == (Style.FULL, Style.BRIEF, *[Style.HEADLINE] * 3)
    assert found.pk == 1


def test_what_an_operator_worded_leads_whoever_reports_it_later() -> None:
    told = story("agency", "official")
    worded = replace(told.entries[0], headline="As the operator has it")
    found = led(replace(told, entries=(worded, told.entries[1])), FEEDS)
    assert [item.feed for item in found.entries] == ["agency", "official"]


@pytest.mark.parametrize(
    ("feed", "before", "severity", "reasons"),
    [
        ("official", (), URGENT, (WHY, OFFICIAL_REASON)),
        ("official", ("aggregator",), URGENT, (WHY, OFFICIAL_REASON)),
        ("agency", (), URGENT, (WHY,)),
        ("aggregator", (), NOTABLE, (WHY, AGGREGATORS_REASON)),
        ("aggregator", ("echo",), NOTABLE, (WHY, AGGREGATORS_REASON)),
        ("aggregator", ("agency",), URGENT, (WHY,)),
        ("aggregator", ("echo", "official"), URGENT, (WHY,)),
        ("aggregator", ("official", "echo"), URGENT, (WHY,)),
        ("aggregator", ("gone",), URGENT, (WHY,)),
    ],
)
def test_what_is_urgent_needs_somebody_who_is_no_aggregator(
    feed: str, before: tuple[str, ...], severity: Severity, reasons: tuple[Reason, ...]
) -> None:
    known = story(*before) if before else None
    found = weighed(verdict(), FEEDS[feed], known, FEEDS)
    assert found == replace(verdict(), severity=severity, reasons=reasons)


@pytest.mark.parametrize("feed", ["official", "agency"])
@pytest.mark.parametrize("severity", [INFO, NOTABLE])
@pytest.mark.parametrize("security", [True, False])
def test_a_calm_report_makes_an_aggregators_word_believed(
    feed: str, severity: Severity, *, security: bool
) -> None:
    """With the reasons it had, but for the one that held it back."""
    doubted = story("aggregator", reasons=(WHY, AGGREGATORS_REASON, MORE))
    found = weighed(verdict(severity, security=security), FEEDS[feed], doubted, FEEDS)
    assert (found.severity, found.reasons) == (URGENT, (WHY, MORE))


@pytest.mark.parametrize(
    ("feed", "before"),
    [
        ("aggregator", story("echo", reasons=(WHY, AGGREGATORS_REASON))),
        ("agency", story("echo")),
        ("agency", None),
    ],
    ids=["an aggregator again", "nothing held it back", "it is the first"],
)
@pytest.mark.parametrize("severity", [INFO, NOTABLE])
def test_otherwise_a_calm_report_stays_calm(
    feed: str, before: Story | None, severity: Severity
) -> None:
    said = verdict(severity)
    assert weighed(said, FEEDS[feed], before, FEEDS) == said


def test_of_what_is_no_security_an_official_source_says_nothing_more() -> None:
    """Its word counts where something might be said aloud."""
    for said in (verdict(URGENT, security=False), verdict(INFO)):
        assert weighed(said, FEEDS["official"], None, FEEDS) == said
    noted = weighed(verdict(NOTABLE), FEEDS["official"], None, FEEDS)
    assert noted.reasons == (WHY, OFFICIAL_REASON)


HOUSES = {
    "of one host": ({"a": "https://a.example/1", "b": "http://WWW.a.example:80/2"}, {}, 1),
    "of two": ({"a": "https://a.example/", "b": "https://en.a.example/"}, {}, 2),
    "of two, one name": (
        {"a": "https://a.example/", "b": "https://b.example/"},
        {"a": "A", "b": "A"},
        1,
    ),
    "of one host, two names": (
        {"a": "https://a.example/1", "b": "https://a.example/2"},
        {"a": "A", "b": "B"},
        2,
    ),
    "named once": ({"a": "https://a.example/1", "b": "https://a.example/2"}, {"b": "B"}, 1),
    "named by two others": (
        {key: f"https://a.example/{key}" for key in "abcd"},
        {"a": "A", "b": "B"},
        3,
    ),
    "a relay of one's own": ({"a": "http://localhost/1", "b": "http://localhost/2"}, {}, 2),
    "by number": ({"a": "http://127.0.0.1:1/1", "b": "http://127.0.0.1:1/2"}, {}, 2),
    "in a network of one's own": ({"a": "http://rss.lan/1", "b": "http://rss.lan/2"}, {}, 2),
    "two ports": ({"a": "https://a.example:81/", "b": "https://a.example/"}, {}, 2),
}


@pytest.mark.parametrize("which", HOUSES)
@pytest.mark.cases(keep=1)
def test_feeds_are_one_publishers_where_the_catalog_or_their_host_says_so(which: str) -> None:
    """A report of a feed that is in the catalog no more is its own's."""
    urls, named, count = HOUSES[which]
    lines: list[str] = []
    for key, url in urls.items():
        lines += [f"[feeds.{key}]", f'name = {{ en = "{key}" }}', f'url = "{url}"']
        if key in named:
            lines.append(f'publisher = "{named[key]}"')
    catalog = parse_catalog("\n".join(lines))
    assert len(publishers(story(*urls), catalog.news)) == count
    assert len({catalog.kin.get(key, key) for key in urls}) == count
    assert len(publishers(story(*urls, "gone"), catalog.news)) == count + 1


def test_channels_are_each_a_publisher() -> None:
    """All of them are at one host."""
    catalog = parse_catalog('[telegram.a]\nchannel = "first"\n[telegram.b]\nchannel = "other"\n')
    assert len(publishers(story("a", "b"), catalog.news)) == 2
    assert catalog.kin == {}


def test_a_channel_is_one_publisher_by_whatever_address_it_is_read() -> None:
    lines = (
        "[telegram.a]",
        'channel = "first"',
        "[telegram.b]",
        'channel = "FIRST"',
        'url = "https://relay.example/first"',
    )
    assert parse_catalog("\n".join(lines)).kin == {"b": "a"}
