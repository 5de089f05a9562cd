"""Web pages without a feed: a list page → entries, an article page → its text.

A list page is described by CSS selectors in the catalog (`bot/sources/selectors.py` says which). A
page where nothing matches has been redesigned: that is an error, not an empty day.

Article pages are read by trafilatura (the best measured extractor); it knows the day of publication
only, so the moment is looked for first where publishers state it: JSON-LD, meta elements, `<time>`.

24.kg and others print only "15:12" beside a headline, in local time, and mean today, or last
night's.

Runs in a worker process: no network, no database; `now` is an argument. trafilatura takes 100 MB
and half a second to import, so it is imported when the first article comes, and lxml and cssselect
when the first page does: the program that only reads the catalog does without.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from functools import cache, partial
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from bot.errors import ParseError
from bot.languages import any_of, values_of, words_of
from bot.model.news import Entry
from bot.reasons import reason
from bot.sources.dates import Order, order_of, parse_date, parse_published
from bot.sources.encodings import decode
from bot.sources.entries import two_letter
from bot.sources.links import absolute_link
from bot.sources.listed import Article, ArticleReader, EntryReader
from bot.sources.specs import NewsSpec
from bot.sources.text import LONGEST_TEXT, clean, one_line, plain_text, with_signs
from bot.sources.timetable import FAST_CLOCK
from bot.sources.trees import inner_text, tree_of

if TYPE_CHECKING:
    from lxml import html
    from trafilatura.settings import Document


@dataclass(frozen=True, slots=True, kw_only=True)
class PageSpec(NewsSpec):
    """A list page read by CSS selectors: `item` is one entry, the others are looked for inside it.

    `body` is for the article page behind `link`; without it the extractor decides.
    """

    item: str
    link: str
    title: str | None = None
    time: str | None = None
    body: str | None = None

    def entries(self, now: datetime) -> EntryReader:
        """The reader of the list; `now` dates a bare "15:12"."""
        return partial(parse_list_page, spec=self, now=now)

    @property
    def article(self) -> ArticleReader:
        """The reader of the page behind a headline."""
        return partial(parse_article, selector=self.body, zone=ZoneInfo(self.poll.zone))


def parse_list_page(
    body: bytes,
    spec: PageSpec,
    *,
    now: datetime,
    content_type: str | None = None,
    url: str | None = None,
) -> tuple[Entry, ...]:
    """The entries of a list page in its own order, each link once; the link is the id.

    `now` dates a bare "15:12"; `url` is where the page came from in the end (else the configured
    address). Raises ParseError when the selectors find nothing.
    """
    from bot.sources.selectors import xpath_of

    entries: dict[str, Entry] = {}
    items = tree_of(decode(body, content_type)).xpath(xpath_of(spec.item))
    order = order_of(_dates_in(items, spec), now)
    for item in items:
        entry = _list_entry(item, spec, now=now, base=url or spec.url, order=order)
        if entry is not None:
            entries.setdefault(entry.id, entry)
    if not entries:
        raise ParseError(
            reason("page.changed", "the page has changed: its selectors find no entries")
        )
    return tuple(entries.values())


def parse_article(
    body: bytes,
    *,
    url: str | None = None,
    content_type: str | None = None,
    selector: str | None = None,
    zone: tzinfo | None = None,
) -> Article:
    """The article on a page; its text is what `selector` finds, else what the extractor takes.

    `url` is the page's address, for the result; with the publisher's `zone` a day without a time
    is known as one. Raises ParseError when there is no article.
    """
    # the extractor would end a paragraph where a quotation mark is written as an element
    text = with_signs(decode(body, content_type))
    page = tree_of(text)
    found = _extracted(text, url)
    content = ""
    if selector:
        from bot.sources.selectors import xpath_of

        content = "\n\n".join(map(inner_text, page.xpath(xpath_of(selector))))
    missed = bool(selector) and not content
    # A selector that finds nothing has outlived a redesign: the extractor is better than no text.
    if not content and found is not None and found.text:
        content = _as_written(found.text.splitlines(), inner_text(page))
    title = _headline(
        _first(page, "//meta[@property='og:title']/@content") or (found and found.title) or ""
    )
    title = title or _headline(_first(page, "//title/text()"))
    if not content or not title:
        raise ParseError(reason("page.no_article", "no article on this page"))
    author = None
    published_at = _published_at(page, text)
    if found is not None:
        # trafilatura parts the names of several authors by semicolons
        author = one_line((found.author or "").replace(";", ",")) or None
        published_at = published_at or _day_of(found.date or "", zone)
    return Article(
        title=title,
        text=content,
        author=author,
        published_at=published_at,
        language=two_letter(
            _first(page, "/html/@lang") or _first(page, "//meta[@property='og:locale']/@content")
        ),
        url=url or absolute_link(_first(page, "//link[@rel='canonical']/@href"), None),
        missed=missed,
    )


def _extracted(text: str, url: str | None) -> Document | None:
    """The article that trafilatura finds in a page; None where it finds none."""
    # Only here: the module's docstring says what the import costs.
    from trafilatura import bare_extraction

    # what they cannot read is told by our own error
    for library in ("trafilatura", "htmldate", "courlan"):
        logging.getLogger(library).setLevel(logging.CRITICAL)
    found = bare_extraction(
        text,
        url=url,
        include_comments=False,
        include_tables=False,
        with_metadata=True,
    )
    if isinstance(found, dict):  # only for the deprecated `as_dict`, says its documentation
        raise TypeError("trafilatura changed its answer")
    return found


# --- list pages -----------------------------------------------------------------------------------


def _dates_in(items: Iterable[html.HtmlElement], spec: PageSpec) -> Iterator[str]:
    """The dates of all items of a list, as they are written."""
    for item in items:
        dated = _inside(item, spec.time)
        if dated is not None:
            yield from _written(dated)


def _list_entry(
    item: html.HtmlElement, spec: PageSpec, *, now: datetime, base: str, order: Order | None
) -> Entry | None:
    """One item of the list; None where it has no link or no title (advertising, an empty row)."""
    anchor = _inside(item, spec.link)
    if anchor is None:
        return None
    link = absolute_link(
        anchor.get("href") or _first(anchor, ".//@href") or _first(anchor, "ancestor::a/@href"),
        base,
    )
    named = anchor
    if spec.title:
        named = _inside(item, spec.title)
    if not link or named is None:
        return None
    title = one_line(inner_text(named))
    if not title:
        return None
    moment = None
    dated = _inside(item, spec.time)
    if dated is not None:
        moment = _moment(dated, now.astimezone(ZoneInfo(spec.poll.zone)), order)
    return Entry(id=link, title=title, link=link, published_at=moment, language=spec.language)


def _inside(item: html.HtmlElement, selector: str | None) -> html.HtmlElement | None:
    """The first element that a selector finds in an item of the list, the item itself included."""
    if selector is None:
        return None
    from bot.sources.selectors import xpath_of

    found = item.xpath(xpath_of(selector, start="descendant-or-self::"))
    return next(iter(found), None)


@cache
def _clock() -> re.Pattern[str]:
    """A time of day, alone or behind a word: "вчера, 15.12"."""
    at = any_of(words_of(lambda spoken: spoken.days.at))
    day = rf"(?P<yesterday>{_named(-1)})|{_named(0)}"
    return re.compile(
        rf"(?:(?P<day>{day})[,\s]+(?:(?:{at})\s+)?)?(?P<hour>\d{{1,2}})[:.](?P<minute>\d{{2}})"
    )


def _named(day: int) -> str:
    """A pattern of the words for a day so many days from today."""
    return "|".join(values_of(lambda spoken: spoken.days.named.get(day, "")))


def _written(dated: html.HtmlElement) -> tuple[str, str]:
    """The time of an item as it is stated for programs, and as it is shown."""
    stated = _first(dated, "descendant-or-self::*/@datetime")
    return stated, " ".join(dated.text_content().split()).lower()


def _moment(dated: html.HtmlElement, here: datetime, order: Order | None) -> datetime | None:
    """The time at which an item says it appeared; `here` is now in the page's zone."""
    zone = here.tzinfo or UTC
    stated, text = _written(dated)
    for written in (stated, text):
        found = parse_published(written, zone, unsaid=zone, order=order)
        if found is not None:
            return found
    match = _clock().fullmatch(text)
    if match is None:
        return None
    hour, minute = int(match["hour"]), int(match["minute"])
    if hour > 23 or minute > 59:
        return None
    moment = datetime.combine(here.date(), time(hour, minute), here.tzinfo)
    # Shortly after midnight the list still shows the evening before. A few minutes ahead of us
    # are the publisher's clock, no other day.
    if match["yesterday"] or (not match["day"] and moment > here + FAST_CLOCK):
        moment -= timedelta(days=1)
    return moment.astimezone(UTC)


# --- article pages --------------------------------------------------------------------------------

_STATED = (
    "//meta[@property='article:published_time']/@content",
    "//meta[@itemprop='datePublished']/@content",
    (
        "//meta[@name='pubdate' or @name='publish-date' or @name='date' or "
        "@name='mediator_published_time']/@content"
    ),
    "//*[@itemprop='datePublished']/@datetime",
    "//time[@pubdate]/@datetime",
    "//article//time/@datetime",
)


def _headline(title: str) -> str:
    """A title without the site's name behind a bar ("Bridge opens today | Example Times")."""
    whole = one_line(title)
    bare = re.split(r"\s[|•*]\s", whole)[0]
    if len(bare.split()) < 3:  # the bar is the headline's own: "Live | What we know so far"
        return whole
    return bare


def _published_at(page: html.HtmlElement, text: str) -> datetime | None:
    """The moment a publisher states for machines; None when it states only a day, or nothing."""
    # A pattern finds it in whatever list or graph of JSON-LD it stands.
    stated = re.findall(r"\"datePublished\"\s*:\s*\"([^\"]{8,60})\"", text)
    for query in _STATED:
        stated += page.xpath(query)
    for value in stated:
        if ":" not in value:  # a day alone
            continue
        moment = parse_date(value)
        if moment is not None:
            return moment
    return None


def _day_of(text: str, zone: tzinfo | None) -> datetime | None:
    if zone is None:
        return parse_date(text)
    return parse_published(text, zone)


def _as_written(paragraphs: Sequence[str], page: str) -> str:
    """The extractor's paragraphs as they stand on the page.

    It makes one kind of space of every kind, drops soft hyphens and joiners, puts "- " before an
    item of a list, and leaves out what stands inside a paragraph (a picture's caption, a button).
    """
    written = _Written(page)
    said: list[str] = []
    for paragraph in paragraphs:
        cleaned = clean(paragraph)
        stretch = written.find(cleaned)
        if stretch is None:
            stretch = written.find(cleaned.removeprefix("- "))
        if stretch is None:
            stretch = written.words(plain_text(paragraph, html=False))
        said.append(stretch)
    return "\n\n".join(filter(None, said))[:LONGEST_TEXT].rstrip()


#: After so many letters a paragraph that goes on is another one.
LEFT_OUT = 2000


class _Written:
    """A page's text, in which what was extracted from it is found again, from front to back.

    Both are compared by their visible letters alone, and `_shown_at` leads back to the page.
    """

    def __init__(self, page: str) -> None:
        self._page = page
        self._shown_at = _visible(page)
        self._letters = "".join([page[index] for index in self._shown_at])
        self._end = 0  # the letter behind what was found last

    def find(self, text: str, *, within: int | None = None) -> str | None:
        """A text as the page writes it in one stretch, beginning so many letters on at most."""
        wanted = "".join([text[index] for index in _visible(text)])
        if not wanted:
            return ""
        last = None
        if within is not None:
            last = self._end + within + len(wanted)
        at = self._letters.find(wanted, self._end, last)
        if at < 0:
            return None
        self._end = at + len(wanted)
        return self._page[self._shown_at[at] : self._shown_at[self._end - 1] + 1]

    def words(self, text: str) -> str:
        """A text of which the page has more, word by word; what is not found stays as it is."""
        said = ""
        words = text.split()
        for word, following in zip(words, [*words[1:], ""], strict=True):
            before = self._end
            # What was left out is passed over, to where this word and the next stand together: a
            # short one alone is found anywhere.
            if (
                self.find(word, within=0) is None
                and following
                and self.find(word + following, within=LEFT_OUT)
            ):
                self._end -= len(_visible(following))
            found = word
            start = self._end - len(_visible(word))
            if self._end > before:
                found = self._page[self._shown_at[start] : self._shown_at[self._end - 1] + 1]
            if said:
                said += self._between(before, start)
            said += found
        return said

    def _between(self, before: int, start: int) -> str:
        """The spaces of the page between two letters; one, where the page has more than spaces."""
        between = self._page[self._shown_at[before - 1] + 1 : self._shown_at[start]]
        if before == start and between.isspace() and "\n" not in between:
            return between
        return " "


def _visible(text: str) -> list[int]:
    """The places of the letters that show; spaces and joiners do not."""
    shown_at: list[int] = []
    for index, char in enumerate(text):
        if char.isprintable() and not char.isspace():
            shown_at.append(index)
    return shown_at


def _first(element: html.HtmlElement, query: str) -> str:
    """The first text or attribute that an XPath finds; empty where it finds none."""
    found = element.xpath(query)
    return str(next(iter(found), ""))
