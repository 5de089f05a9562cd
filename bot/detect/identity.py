"""Is an entry one that its feed has brought before? Weighed by all it has: id, link, headline, text
and time, none of which decides alone.

Facts of the outside world:

* Feeds give one id, or one link, to all they have, give an id to another article later, put tokens
  and sessions into links, change every id when they move, and publish again what they took back.
* An editor corrects a headline or a text and leaves the rest; a rewritten article keeps its id, its
  link and mostly its date. Another article has another text, and comes hours later.
* Short texts are formulas ("Air raid alert in Kyiv"): equal ones are no proof, hours apart they
  are two events. A long text is not written twice on one day; warnings of mudflows and of raids are
  the same, word for word, each time, under an id and an address of their own.
* A publisher who gives a known headline an id and a link of their own has written another article,
  unless its words are the old ones' within hours; but a site that moves does so with all it has.
* Some keep one page, id and headline for whatever shakes next: another place or magnitude there,
  hours later, is another event. Others keep page and id and tell there what happens next, minutes
  later: where headline and text are others too, a kind of event has to be in both.

Equal is cheap to see; how alike differing words are is asked only where it decides: `bounds` says
the least and the most that is possible without. A key that several entries of a document have, or
several stored ones, says nothing of any of them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from urllib.parse import urldefrag, urlsplit

from bot.detect import corrections, weighing
from bot.detect.facts import Facts, facts_of
from bot.detect.language import known_language
from bot.detect.stories import title_key
from bot.model.news import Entry
from bot.model.text import LONG_TEXT, alike, first_sentence, nearly_equal

KNOWN_FROM = 0.0  # from here on it is known
ENOUGH_IN_ONE_DOCUMENT = 1.0  # no editor lists an article and its correction
# what each speaks for one entry, or below zero for two; why is told above
OWN_ID, OTHER_ID = 2.5, -0.75
LINK, ONLY_LINK, OTHER_FRAGMENT, OTHER_LINK, OTHER_ONLY_LINK = 2.5, 4.5, 1.0, -1.0, -1.75
HEADLINE, ALIKE_HEADLINE, OTHER_HEADLINE = 2.0, -0.5, -2.5
TEXT, SHORT_TEXT, ALIKE_TEXT, OTHER_TEXT, OTHER_EVENT, ANOTHER_EVENT = (
    3.0, 1.0, -0.25, -1.5, -3.0, -4.5,
)  # fmt: skip
SAME_TIME, NEAR, LATER, ANOTHER_LATER = 1.5, -0.5, -1.5, -3.0
ANOTHER_EVENT_LATER = -5.0
MINUTES, HOURS, DAY = timedelta(minutes=2), timedelta(hours=3), timedelta(days=1)
ANEW = timedelta(hours=12)  # so much later the same words, elsewhere, are of another event
MOVED = 3  # so many headlines come again under other ids and links where a site moves
COMMON_TIME = 3  # so many entries of one moment: it is the document's own
KEY_CHARS = 500  # of a text, of which its key is made
DISTINGUISHED = re.compile(r"#[0-9a-f]{20}$")  # behind an id that another article has
MADE = re.compile(r"[0-9a-f]{64}")  # of the words, by whoever read the feed


@dataclass(frozen=True, kw_only=True, eq=False)
class Fingerprint:
    """The features by which an entry is recognised; `item` has its words, where they are at hand.

    `guid` is the publisher's own id, None where it was made of the link or the words; `seen_at` is
    when it was first had, which stands for a time that it does not say.
    """

    id: str
    guid: str | None
    link: str | None
    link_key: str | None
    title_key: str | None
    published_at: datetime | None
    day_only: bool
    item: Entry | None = None
    told_text_key: str | None = None
    seen_at: datetime | None = None

    @cached_property
    def text_key(self) -> str | None:
        """A short hash of how the text begins; empty without a text, None where it is unknown."""
        if self.item is None:
            return self.told_text_key
        return text_key(self.item)


def fingerprint(
    item: Entry, link_key: str | None, *, seen_at: datetime | None = None
) -> Fingerprint:
    """The fingerprint of an entry as published; `link_key` is what its link is compared by."""
    return Fingerprint(
        id=item.id,
        guid=own_id(item.id, item.link),
        link=item.link,
        link_key=link_key,
        title_key=headline_key(item),
        published_at=item.published_at,
        day_only=item.day_only,
        item=item,
        seen_at=seen_at,
    )


def own_id(said: str, link: str | None) -> str | None:
    """The id that a publisher gave; None where it was made of the link or the words."""
    own = DISTINGUISHED.sub("", said)
    if own == link or (not link and MADE.fullmatch(own)):
        return None
    return own


def headline_key(item: Entry) -> str | None:
    """The hash of an entry's headline; the first sentence stands for a missing one."""
    headline = item.title or first_sentence(item.summary or item.content)
    return title_key(headline) if headline.strip() else None


def text_key(item: Entry) -> str:
    """A short hash of how an entry's text begins; empty where it has none."""
    text = _text(item)
    return title_key(text[:KEY_CHARS]) if text.strip() else ""


def another_id(one: Fingerprint) -> str:
    """An id for an entry whose own is another article's: the same whenever it is made."""
    said = (one.title_key, one.text_key, one.link_key, str(one.published_at))
    return f"{one.id}#{title_key(' '.join(map(str, said)))}"


@dataclass(frozen=True, kw_only=True)
class Shared:
    """The keys that say nothing, because different entries have them.

    `moved` is whether other ids and links say nothing either, because all of a site has them.
    """

    guids: frozenset[str] = field(default=frozenset())
    links: frozenset[str] = field(default=frozenset())
    addresses: frozenset[str] = field(default=frozenset())
    times: frozenset[datetime] = field(default=frozenset())
    moved: bool = False


def shared(
    document: Collection[Fingerprint],
    stored: Collection[Fingerprint] = (),
    strange: Collection[Fingerprint] = (),
) -> Shared:
    """The keys that several entries of a document have, or several of those that are stored.

    Beside the `strange` ones of a document all others are known by their keys.
    """
    guids, links, addresses = set[str](), set[str](), set[str]()
    times = Counter[datetime]()
    for side in (document, stored):
        seen: dict[tuple[str, str], tuple[str | None, str | None]] = {}
        for one in side:
            # one article under two ids shares its link with nobody but itself
            said = (one.title_key, None if one.title_key else one.text_key)
            for found, kind, key in (
                (guids, "guid", one.guid),
                (links, "key", one.link_key),
                (addresses, "link", one.link),
            ):
                if key is not None and seen.setdefault((kind, key), said) != said:
                    found.add(key)
            # stored entries came with other documents: a moment that those share is not this one's
            if side is document and one.published_at is not None:
                times[one.published_at] += 1
    common = [time for time, count in times.items() if count >= COMMON_TIME]
    keys = Shared(
        guids=frozenset(guids),
        links=frozenset(links),
        addresses=frozenset(addresses),
        times=frozenset(common),
    )
    known = len(document) - len(strange)
    return replace(keys, moved=_moved(strange, stored, keys, known=known))


def _moved(
    strange: Iterable[Fingerprint], stored: Iterable[Fingerprint], keys: Shared, *, known: int
) -> bool:
    """Whether a document's headlines come again under other ids and links: several, and more than
    are `known` by what they had.
    """
    ids: set[str | None] = {None, *keys.guids}
    links: set[str | None] = {None, *keys.links}
    own_ids = {one.guid for one in stored} - ids
    own_links = {one.link_key for one in stored} - links
    titles = {one.title_key for one in stored} - {None}
    again: set[str | None] = set()
    for one in strange:
        if one.guid in own_ids or one.link_key in own_links:
            known += 1
        elif one.title_key in titles:
            again.add(one.title_key)
    return len(again) >= MOVED and len(again) > known


def bounds(a: Fingerprint, b: Fingerprint, keys: Shared) -> tuple[float, float]:
    """The least and the most that speaks for two fingerprints being of one entry, whatever words
    differ.
    """
    equal = _ids(a, b, keys) + _links(a, b, keys)
    least = _words(a, b, keys, headline=OTHER_HEADLINE, text=ANOTHER_EVENT)
    return equal + least, equal + _words(a, b, keys, headline=ALIKE_HEADLINE, text=ALIKE_TEXT)


def evidence(a: Fingerprint, b: Fingerprint, keys: Shared) -> float:
    """The weight for two fingerprints being of one entry, by their words too; see KNOWN_FROM."""
    if a.item is None or b.item is None:
        return bounds(a, b, keys)[0]
    headline, text = OTHER_HEADLINE, OTHER_TEXT
    if a.title_key == b.title_key or alike(_headline(a.item), _headline(b.item)):
        headline = ALIKE_HEADLINE
    one, other = _text(a.item)[:KEY_CHARS], _text(b.item)[:KEY_CHARS]
    if a.text_key != b.text_key and alike(one, other):
        text = ALIKE_TEXT
    if a.text_key != b.text_key or headline == OTHER_HEADLINE:
        wholly = headline == OTHER_HEADLINE and text == OTHER_TEXT
        strangers = _strangers(a, b, keys)
        if strangers and not nearly_equal(one, other):
            text = OTHER_EVENT
        text = min(text, _contradiction(a.item, b.item, wholly=wholly, strangers=strangers))
        if not strangers and corrections.mends(a.item) is not corrections.mends(b.item):
            headline, text = ALIKE_HEADLINE, ALIKE_TEXT  # its editor's label says whose it is
    words = _words(a, b, keys, headline=headline, text=text)
    return _ids(a, b, keys) + _links(a, b, keys) + words


def same_in_document(a: Fingerprint, b: Fingerprint, keys: Shared) -> bool:
    """Whether two entries of one document are one article, listed twice."""
    return evidence(a, b, keys) >= ENOUGH_IN_ONE_DOCUMENT


def _ids(a: Fingerprint, b: Fingerprint, keys: Shared) -> float:
    if a.guid is None or b.guid is None or {a.guid, b.guid} & keys.guids:
        return 0.0
    return OWN_ID if a.guid == b.guid else OTHER_ID


def _links(a: Fingerprint, b: Fingerprint, keys: Shared) -> float:
    if not a.link or not b.link or is_home(a.link) or is_home(b.link):
        return 0.0
    if {a.link_key, b.link_key} & keys.links:  # a fragment may tell them apart
        told = urldefrag(a.link)[1] and not {a.link, b.link} & keys.addresses
        return LINK if told and a.link == b.link else 0.0
    # where a feed gives no ids, the link is all that names an article
    if a.link_key != b.link_key:
        return OTHER_ONLY_LINK if a.guid is b.guid is None else OTHER_LINK
    fragments = {urldefrag(one.link or "")[1] for one in (a, b)} - {""}
    if len(fragments) > 1:
        return OTHER_FRAGMENT
    return ONLY_LINK if a.guid is b.guid is None else LINK


def _strangers(a: Fingerprint, b: Fingerprint, keys: Shared) -> bool:
    """Whether a publisher named two entries as two: other ids or links, and none that is one's."""
    if keys.moved:
        return False
    ids, links = _ids(a, b, keys), _links(a, b, keys)
    return max(ids, links) <= 0 and min(ids, links) < 0


def is_home(link: str) -> bool:
    """Whether a link leads to a site's first page, and to no article."""
    parts = urlsplit(link)
    return not parts.path.strip("/") and not parts.query and not parts.fragment


def _words(a: Fingerprint, b: Fingerprint, keys: Shared, *, headline: float, text: float) -> float:
    """The weight of headline, text and time; `headline` and `text` are those of differing ones."""
    score, other, against = 0.0, False, 0.0
    if a.title_key and b.title_key:
        if a.title_key == b.title_key:
            score += HEADLINE
        else:
            score += headline
            other = headline < ALIKE_HEADLINE
    if a.text_key is None or b.text_key is None:  # stored before its key was, maybe without one
        other = text < ALIKE_TEXT
        against = text if other else 0.0
        score += against or TEXT
    elif a.text_key and b.text_key and a.text_key != b.text_key:
        against = text
        score += against
        other = text < ALIKE_TEXT
    elif a.text_key and b.text_key and (_long(a) or _long(b)):
        score += TEXT
        other = False
    else:
        if a.text_key and b.text_key:
            score += SHORT_TEXT
        elif (a.text_key or b.text_key) and _strangers(a, b, keys):
            score += OTHER_TEXT  # as of a page's list: its article may tell anything
        # a formula, or none: then the headlines tell of one event or of two
        if other and text <= OTHER_EVENT:
            against = text
            score += against
    return score + _time(a, b, keys, other=other, against=against)


def _long(one: Fingerprint) -> bool:
    return one.item is not None and len(_text(one.item)) >= LONG_TEXT


def _time(a: Fingerprint, b: Fingerprint, keys: Shared, *, other: bool, against: float) -> float:
    """The weight of the times; hours later, `other` words are another article's, and a text that
    speaks `against` one event by its facts is of another event.
    """
    if a.published_at is None or b.published_at is None:
        return _seen_time(a, b, keys)
    apart = abs(a.published_at - b.published_at)
    # a day without a time stands as its end, which says nothing about hours
    if (a.day_only or b.day_only) and apart < DAY:
        return _seen_time(a, b, keys)
    if apart <= MINUTES:
        return 0.0 if a.published_at in keys.times else SAME_TIME
    if apart < HOURS:
        return NEAR if against > ANOTHER_EVENT else ANOTHER_EVENT_LATER
    anew = apart >= ANEW and _elsewhere(a, b) and not {a.published_at, b.published_at} & keys.times
    if against <= OTHER_EVENT or anew:
        return ANOTHER_EVENT_LATER
    return ANOTHER_LATER if other else LATER


def _seen_time(a: Fingerprint, b: Fingerprint, keys: Shared) -> float:
    """The weight of the times at which entries without one of their own were had: hours later,
    under other names, is later; a feed goes on listing what it has under the same ones.
    """
    here, there = (
        one.seen_at if one.published_at is None or one.day_only else one.published_at
        for one in (a, b)
    )
    if here is None or there is None or not _strangers(a, b, keys):
        return 0.0
    apart = abs(here - there)
    if apart < HOURS:
        return 0.0
    return ANOTHER_EVENT_LATER if apart >= ANEW else LATER


def _elsewhere(a: Fingerprint, b: Fingerprint) -> bool:
    """Whether nothing of two ids and links is the same; a site may move to another host."""
    if not a.link_key or not b.link_key or (a.guid is None) != (b.guid is None):
        return False
    if a.guid is not None and a.guid == b.guid:
        return False
    here, there = urlsplit(a.link_key), urlsplit(b.link_key)
    # "?id=7" may be all that names an article; a token there says no less for one that is so new
    return (here.path, here.query) != (there.path, there.query)


def said_anew(a: Fingerprint, b: Fingerprint, apart: timedelta) -> bool:
    """Whether two entries of one feed are two events told in the same words, by formula."""
    same = a.title_key == b.title_key and a.text_key == b.text_key
    return same and apart >= ANEW and _elsewhere(a, b)


def another_article(a: Fingerprint, b: Fingerprint) -> bool:
    """Whether a feed's two entries under one headline are of two events: ids or links of their own,
    and in each a name or a place instead of the other's.
    """
    if a.item is None or b.item is None or a.title_key != b.title_key:
        return False
    return _strangers(a, b, Shared()) and weighing.names_others(*_facts(a.item, b.item))


def _contradiction(a: Entry, b: Entry, *, wholly: bool, strangers: bool) -> float:
    """The weight of the facts of two texts against their being of one event; 0 or less.

    Of `strangers`, neither may have a name or a figure instead of the other's. Where the words are
    `wholly` others, a kind of event in common has to speak for one: an editor who words all anew
    leaves at least the date, which outweighs the doubt.
    """
    here, there = _facts(a, b)
    if weighing.wholly_other_event(here, there):
        return ANOTHER_EVENT
    if wholly and not weighing.kinds_in_common(here, there):
        if here.head.kinds and there.head.kinds:
            return ANOTHER_EVENT
        return OTHER_EVENT
    if weighing.other_event(here, there) or (strangers and weighing.told_otherwise(here, there)):
        return OTHER_EVENT
    return 0.0


def _facts(a: Entry, b: Entry) -> tuple[Facts, Facts]:
    code = known_language(a.language, f"{a.title}\n{_text(a)[:KEY_CHARS]}")
    return facts_of(a.title, _text(a), code), facts_of(b.title, _text(b), code)


def _headline(item: Entry) -> str:
    return item.title or first_sentence(_text(item))


def _text(item: Entry) -> str:
    return item.summary or item.content
