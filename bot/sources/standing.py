"""The standing of feeds, how much each is believed and shown: the catalog's `trust`, `style` and
`pictures`.

* The most trusted report of a story leads it: its headline and its text are told. Among equals the
  first that came does; a report in the reader's language still goes before any other.
* A text is told in the style its feed allows, at most: a reader who asks for everything gets the
  brief of a feed that allows no more.
* The picture of a page is shown where its feed allows it: Telegram fetches it from the publisher.
* An aggregator repeats what others write. A story that only aggregators report is never urgent; it
  becomes so when an agency or an official source reports it too. An official source needs nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from bot.model.alerts import Severity
from bot.model.hazards import Hazard
from bot.model.news import StoredEntry, Story, Verdict
from bot.reasons import reason
from bot.sources.specs import NewsSpec

OFFICIAL, AGGREGATOR = 1, 3  # of `NewsSpec.trust`; 2 is an agency
OFFICIAL_REASON = reason("official", "official source")
AGGREGATORS_REASON = reason("aggregators", "only aggregators")


def led(story: Story, feeds: Mapping[str, NewsSpec]) -> Story:
    """The story with its most trusted report first, each report in the style its feed allows, and
    known as its publisher's.

    A feed that the catalog does not name any more is an agency that allows its brief.
    """
    marked: list[StoredEntry] = []
    for item in story.entries:
        spec = feeds.get(item.feed)
        if spec is None:
            marked.append(item)
        else:
            marked.append(
                replace(
                    item,
                    trust=spec.trust,
                    style=spec.style,
                    pictures=spec.pictures,
                    publisher=spec.publisher,
                )
            )
    # what an operator worded goes before all; a stable sort: of equals the first that came leads
    marked.sort(key=lambda item: (item.headline is None, _did_happen(item, story), item.trust))
    return replace(story, entries=tuple(marked))


def _did_happen(item: StoredEntry, story: Story) -> bool:
    """Whether an institute took back what others of a story say did happen: then they lead it."""
    hazard = Hazard.read(item.entry.content)
    if hazard is None or not hazard.withdrawn:
        return False
    others = (Hazard.read(one.entry.content) for one in story.entries)
    measured = any(one is not None and not one.withdrawn for one in others)
    return measured or (not hazard.measured and is_reported(story))


def is_reported(story: Story) -> bool:
    """Whether somebody reports a story who did not measure it.

    A flood that was seen did happen, though the warning of it is called off; an earthquake that
    reports have from an institute is none when that takes it back.
    """
    return any(Hazard.read(item.entry.content) is None for item in story.entries)


def publishers(story: Story, feeds: Mapping[str, NewsSpec]) -> frozenset[str]:
    """The publishers that report a story: one that does in two languages is one."""
    found: set[str] = set()
    for key in story.feeds:
        spec = feeds.get(key)
        found.add((spec and spec.publisher) or key)
    return frozenset(found)


def is_confirmed(story: Story, feeds: Mapping[str, NewsSpec]) -> bool:
    """Whether a second publisher reports a story, too, or an institute measured it: that is no
    rumour, and nobody else could say more.
    """
    return len(publishers(story, feeds)) > 1 or _is_measured(story, feeds)


def _is_measured(story: Story, feeds: Mapping[str, NewsSpec]) -> bool:
    """Whether an institute of the catalog says that an event of a story is one."""
    for one in story.entries:
        spec = feeds.get(one.feed)
        known = None if spec is None else spec.verdict(one.entry)
        if known is not None and known.severity is not Severity.INFO:  # as what it took back
            return True
    return False


def weighed(
    verdict: Verdict, spec: NewsSpec, before: Story | None, feeds: Mapping[str, NewsSpec]
) -> Verdict:
    """The verdict on an entry as it counts for its story.

    `verdict` is the detector's, on the text alone; `before` the story as reported so far; `feeds`
    knows the other reports' trust.
    """
    if not verdict.security or verdict.severity is Severity.INFO:
        return _lifted(verdict, spec, before)
    if spec.trust == OFFICIAL:
        verdict = replace(verdict, reasons=(*verdict.reasons, OFFICIAL_REASON))
    if verdict.severity is not Severity.URGENT:
        return _lifted(verdict, spec, before)
    if spec.trust != AGGREGATOR or _vouched_for(before, feeds):
        return verdict
    return replace(
        verdict, severity=Severity.NOTABLE, reasons=(*verdict.reasons, AGGREGATORS_REASON)
    )


def _vouched_for(before: Story | None, feeds: Mapping[str, NewsSpec]) -> bool:
    """Whether somebody who is no aggregator has reported the story already."""
    if before is None:
        return False
    for key in before.feeds:
        spec = feeds.get(key)
        if spec is None or spec.trust != AGGREGATOR:
            return True
    return False


def _lifted(verdict: Verdict, spec: NewsSpec, before: Story | None) -> Verdict:
    """Aggregators' word is believed now: somebody else reports the event, however calmly."""
    if spec.trust == AGGREGATOR or before is None or AGGREGATORS_REASON not in before.reasons:
        return verdict
    # The story's own reasons, since they made it urgent; only what held it back goes.
    reasons = [reason for reason in before.reasons if reason != AGGREGATORS_REASON]
    return replace(verdict, severity=Severity.URGENT, reasons=tuple(reasons))
