"""The findings of polls before any of it is stored: rates, entries, or why there is nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import Enum, auto
from typing import Self

import structlog

from bot.detect.corrections import mends
from bot.detect.endings import says_it_is_over
from bot.detect.identity import Fingerprint
from bot.errors import SourceError
from bot.ingest.documents import Looked, trouble_of
from bot.ingest.notices import TOLD_AFTER
from bot.model.alerts import Severity
from bot.model.news import Entry, Verdict
from bot.model.rates import Rate, Series
from bot.reasons import Reason, reason
from bot.sources.base import Parsed
from bot.sources.listed import HubOffer
from bot.sources.specs import NewsSpec, RateSpec
from bot.sources.timetable import FAST_CLOCK
from storage.sources import Document, SourceState

log = structlog.get_logger(__name__)

Spec = RateSpec | NewsSpec

# so many new entries at once from a known feed: its ids changed, or it was down for long
FLOOD = 20
BACKLOG = 10  # entries of a first poll or a flood; fewer are a publisher's latest news
FRESH_IN_A_FLOOD = timedelta(minutes=30)  # told even in a flood, by the time that it says
# urgent measurements of one document that are told all the same: on a day of storms a service warns
# of one in each of its districts, and no country has more of them
MEASURED_IN_A_FLOOD = 100
# what an entry weighs beside its row: one that is compared, decided, told and edited, or has the
# label of a correction; and one about security that tells nobody anything. And a rate, judged by
# its past, other banks and rules
DECIDED, COMPARED, RATED = 15, 7, 5
#: The outcomes of a poll where it is counted.
OK, PARTLY, FAILED = OUTCOMES = ("ok", "partly", "failed")


class During(Enum):
    """The stage of a poll at which something went wrong."""

    READING = auto()
    KNOWING = auto()  # compared with what is known
    STORING = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """The past of polling a source, and its documents as we last saw them, by address.

    `flood` is how many new entries a poll had that ended in the middle of storing them; and
    `rewriting`, how many in other words.
    """

    state: SourceState
    documents: Mapping[str, Document] = field(default_factory=dict)
    flood: int = 0
    rewriting: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RatesFound:
    """A bank's documents and the rates of the changed ones; `trouble` where some failed.

    `contradicted` are rates of one day that two of its documents give different values for.
    """

    spec: RateSpec
    state: SourceState
    seen: Sequence[Document]
    rates: Sequence[Rate]
    problems: Sequence[Reason]
    contradicted: Sequence[Rate] = ()
    trouble: SourceError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognised:
    """The entries of a feed that it had not brought before, and those in other words now; and the
    fingerprints of the former, where they were recognised by any.

    `unsure` is whether an entry has a key in common with a stored one of another id: then all that
    stands in the document beside it is needed.
    """

    unknown: Sequence[Entry] = ()
    fingerprints: Mapping[Entry, Fingerprint] = field(default_factory=dict)
    reworded: Sequence[Entry] = ()
    unsure: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NewsFound:
    """A publisher's document: how many entries, the new ones judged, the newest first.

    `whole` is whether it was asked for without conditions, as once a day; `quiet`, whether what it
    brought alerts nobody: at the first poll, and in a flood.
    """

    spec: NewsSpec
    state: SourceState
    looked: Looked
    whole: bool = False
    entries: int = 0
    judged: Mapping[Entry, Verdict] = field(default_factory=dict)
    #: What new entries are recognised by, of those that are still as they were listed.
    fingerprints: Mapping[Entry, Fingerprint] = field(default_factory=dict)
    #: Entries in other words than are stored; of so many as an editor writes, what those say.
    reworded: Sequence[Entry] = ()
    judged_anew: Mapping[Entry, Verdict] = field(default_factory=dict)
    quiet: bool = True
    #: Who tells of changes, where the document names a hub.
    hub: HubOffer | None = None
    #: Of a flood the ids of what is told all the same.
    loud: frozenset[str] = frozenset()
    #: Vectors (`bot.ingest.meaning`): of its new entries and of those in other words by id, of
    #: stored ones by number.
    meanings: Mapping[str, bytes] = field(default_factory=dict)
    recalled: Mapping[int, bytes] = field(default_factory=dict)
    #: How many new entries it has a part of: an earlier poll did not store them all, or it is one
    #: of several pieces. And of how many in other words.
    flood: int = 0
    rewriting: int = 0
    #: Why some of its entries are left out, where they cannot be stored.
    trouble: Reason | None = None

    @property
    def backlog(self) -> bool:
        """Whether a poll brought what was there before we came: its calm entries tell nobody
        anything, and are not compared with what others told in other words.
        """
        return self.quiet and max(len(self.judged), self.flood) > BACKLOG

    @property
    def rewritten(self) -> bool:
        """Whether so many entries have other words that no editor wrote them: none is judged anew.

        An institute's are: it revises what it measured.
        """
        return is_rewritten(self.spec, max(len(self.reworded), self.rewriting))

    @property
    def weight(self) -> int:
        """The weight of what is stored of it, as `weight_of` says it."""
        weights = [*map(self._new_weight, self.judged), *map(self._reworded_weight, self.reworded)]
        return max(sum(weights), 1)

    def _new_weight(self, item: Entry) -> int:
        # compared with hundreds of what its feed told; of a first poll nothing was told before
        if self.state.first_ok_at is not None and may_be_of_old(item):
            return 1 + DECIDED
        if not self.judged[item].security:
            return 1
        # a measurement may be of what anybody reported: it is compared with all of that
        tells_nobody = self.quiet and item.id not in self.loud and not self.spec.measures
        return 1 + (COMPARED if tells_nobody else DECIDED)

    def _reworded_weight(self, _: Entry) -> int:
        return 1 if self.rewritten else 1 + DECIDED

    @property
    def unchanged(self) -> bool:
        """Whether nothing follows but that it was asked: no entry, and no trouble that is over."""
        return self.looked.changed is None and not self.whole and not was_told(self.state)

    def pieces(self, most: int) -> Sequence[NewsFound]:
        """The find in pieces that weigh `most` or are one entry each; one where there is none.

        New entries stand before those in other words, the oldest of them first. A piece of many is
        one, whatever the others are: who tells nobody anything goes on so when it ends between two.
        """
        whole = replace(self, rewriting=max(self.rewriting, len(self.reworded)))
        if self.quiet:
            whole = replace(whole, flood=max(self.flood, len(self.judged)))
        pieces: list[NewsFound] = []
        new: list[Entry] = []
        reworded: list[Entry] = []
        weight = 0

        def end() -> None:
            judged = {item: self.judged[item] for item in reversed(new)}
            pieces.append(replace(whole, judged=judged, reworded=tuple(reworded)))
            new.clear()
            reworded.clear()

        weighed = [(new, item, self._new_weight(item)) for item in reversed(list(self.judged))]
        weighed += [(reworded, item, self._reworded_weight(item)) for item in self.reworded]
        for into, item, heavy in weighed:
            if weight + heavy > most and weight:
                end()
                weight = 0
            into.append(item)
            weight += heavy
        end()
        return pieces if len(pieces) > 1 else [self]


def may_be_of_old(item: Entry) -> bool:
    """Whether an entry puts right, takes back or ends what may have been told weeks ago."""
    return mends(item) is not None or says_it_is_over(item)


def is_rewritten(spec: NewsSpec, count: int) -> bool:
    """Whether `count` entries in other words are more than an editor writes."""
    return count > FLOOD and not spec.measures


def fresh_in_a_flood(
    judged: Mapping[Entry, Verdict],
    spec: NewsSpec,
    now: datetime,
    silent_until: datetime | None = None,
) -> frozenset[str]:
    """The ids of what would wake readers and is minutes old among a backlog, or came after what had
    listed nothing until then.

    Where many say they are that new, as on a site that dates everything anew, only what is urgent
    of an institute's: its numbers say that these are as many events.
    """
    since = min(now - FRESH_IN_A_FLOOD, silent_until or now)
    fresh: list[Entry] = []
    for item in judged:
        at = spec.told_at(item)
        if at is not None and not item.day_only and since <= at <= now + FAST_CLOCK:
            fresh.append(item)
    if len(fresh) <= FLOOD:
        return frozenset(item.id for item in fresh if judged[item].severity is not Severity.INFO)
    if not spec.measures:
        return frozenset()
    urgent = [item.id for item in fresh if judged[item].severity is Severity.URGENT]
    return frozenset(urgent[:MEASURED_IN_A_FLOOD])


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """The stored part of a source's poll: new entries and their alerts; those of pieces add up."""

    new: int = 0
    alerts: int = 0

    def __add__(self, other: Self) -> Self:
        """The sum of two polls or pieces."""
        return replace(self, new=self.new + other.new, alerts=self.alerts + other.alerts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """A poll that brought nothing, and why; `seen` are documents to remember otherwise by it."""

    spec: Spec
    state: SourceState
    error: SourceError
    seen: Sequence[Document] = ()


Found = RatesFound | NewsFound | Failed


def was_told(state: SourceState) -> bool:
    """Whether operators were told that a source fails: it was gone, or failed many times."""
    return state.gone_at is not None or state.failures >= TOLD_AFTER


def rates_in(
    spec: RateSpec, state: SourceState, read: Sequence[tuple[Looked, Parsed | None]]
) -> RatesFound:
    """The rates of the changed documents, and the rows not believed.

    What two documents say differently of one day is not believed of either. SourceError when there
    is no document.
    """
    rates: dict[tuple[Series, date], Rate] = {}
    problems: list[Reason] = []
    disputed: dict[tuple[Series, date], list[Rate]] = {}
    for _, parsed in read:
        if parsed is None:
            continue
        problems += parsed.problems
        for rate in parsed.rates:
            about = (rate.series, rate.effective_on)
            if about in rates and rates[about].per_unit != rate.per_unit:
                disputed.setdefault(about, [rates[about]]).append(rate)
            rates.setdefault(about, rate)
    contradicted: list[Rate] = []
    for about, said in disputed.items():
        del rates[about]
        problems.append(two_documents(said[0]))
        contradicted += said
    looked = [one for one, _ in read]
    trouble = trouble_of(looked)
    seen: list[Document] = []
    for one in looked:
        if one.seen is not None:
            seen.append(one.seen)
    if trouble is not None and not seen:
        raise trouble
    return RatesFound(
        spec=spec,
        state=state,
        seen=seen,
        rates=list(rates.values()),
        problems=problems,
        contradicted=contradicted,
        trouble=trouble,
    )


def two_documents(rate: Rate) -> Reason:
    """The reason for which none of the values that two documents give for a day is believed."""
    words = "{pair}: two documents say different values for {day}"
    return reason("row.two_documents", words, pair=rate.pair, day=rate.effective_on)


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestReport:
    """The result of a poll of a source; `error` is why it failed, whole or `partly`."""

    source: str
    fetched: int = 0
    new: int = 0
    alerts: int = 0
    error: Reason | None = None
    partly: bool = False

    @property
    def outcome(self) -> str:
        """The outcome in a word, one of `OUTCOMES`."""
        if self.error is None:
            return OK
        if self.partly:
            return PARTLY
        return FAILED


def unforeseen(spec: Spec, error: Exception, *, during: During) -> SourceError:
    """A fault of ours that one source brings up: logged whole, and told as that source's."""
    log.error("poll failed", source=spec.key, exc_info=error)
    name = type(error.__cause__ or error).__name__
    match during:
        case During.READING:
            why = reason("poll.unread", "it could not be read: {error}", error=name)
        case During.KNOWING:
            why = reason("poll.unknown", "it could not be looked up: {error}", error=name)
        case _:
            why = reason("poll.unstored", "it could not be stored: {error}", error=name)
    return SourceError(why)


def weight_of(found: Found) -> int:
    """The weight of what a poll brings, in rows of calm new entries; at least its own row."""
    match found:
        case NewsFound():
            return found.weight
        case RatesFound():
            return max((1 + RATED) * len(found.rates), 1)
        case _:
            return 1
