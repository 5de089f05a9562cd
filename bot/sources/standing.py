"""How much a feed is believed, and how much of its text may be shown: what `trust` and `style` of
the catalog mean.

* The most trusted report of a story leads it: its headline and its text are told. Among equals the
  first that came does; a report in the reader's language still goes before any other.
* A text is told in the style its feed allows, at most: a reader who asks for everything gets the
  brief of a feed that allows no more.
* An aggregator repeats what others write. A story that only aggregators report is never urgent; it
  becomes so when an agency or an official source reports it too. An official source needs nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from bot.model.alerts import Severity
from bot.model.news import Story, Verdict
from bot.model.reasons import Reason
from bot.sources.specs import NewsSpec

OFFICIAL, AGGREGATOR = 1, 3  # of `NewsSpec.trust`; 2 is an agency
OFFICIAL_REASON = Reason("official")
AGGREGATORS_REASON = Reason("aggregators")


def led(story: Story, feeds: Mapping[str, NewsSpec]) -> Story:
    """The story with its most trusted report first, each report marked with the style its feed
    allows.

    A feed that the catalog does not name any more is an agency that allows its brief.
    """
    marked = []
    for item in story.entries:
        spec = feeds.get(item.feed)
        marked.append(
            replace(item, trust=spec.trust, style=spec.style) if spec is not None else item
        )
    return replace(story, entries=tuple(sorted(marked, key=lambda item: item.trust)))


def weighed(
    verdict: Verdict, spec: NewsSpec, before: Story | None, feeds: Mapping[str, NewsSpec]
) -> Verdict:
    """The verdict on an entry as it counts for its story, of which `before` is what was reported so
    far.

    `verdict` is the detector's, on the text alone; `feeds` knows the other reports' trust.
    """
    if not verdict.security or verdict.severity is Severity.INFO:
        return _lifted(verdict, spec, before)
    if spec.trust == OFFICIAL:
        verdict = replace(verdict, reasons=(*verdict.reasons, OFFICIAL_REASON))
    if verdict.severity is not Severity.URGENT:
        return _lifted(verdict, spec, before)
    others = before.feeds if before is not None else ()
    if spec.trust == AGGREGATOR and _aggregators(others, feeds):
        return replace(
            verdict, severity=Severity.NOTABLE, reasons=(*verdict.reasons, AGGREGATORS_REASON)
        )
    return verdict


def _aggregators(keys: Iterable[str], feeds: Mapping[str, NewsSpec]) -> bool:
    """Whether all these feeds are aggregators."""
    known = [feeds.get(key) for key in keys]
    return all(spec is not None and spec.trust == AGGREGATOR for spec in known)


def _lifted(verdict: Verdict, spec: NewsSpec, before: Story | None) -> Verdict:
    """Aggregators' word is believed now: somebody else reports the event, however calmly."""
    if spec.trust == AGGREGATOR or before is None or AGGREGATORS_REASON not in before.reasons:
        return verdict
    reasons = tuple(reason for reason in before.reasons if reason != AGGREGATORS_REASON)
    return replace(verdict, severity=Severity.URGENT, reasons=reasons)
