"""Pages: a list page by CSS selectors, and the article behind each headline."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from bot.sources.kind import Kind, Line, written
from bot.sources.pages import PageSpec, parse_article
from bot.sources.sections import NewsSection
from bot.sources.values import Selector


class PageSection(NewsSection):
    """`[pages.KEY]`: a list page and the articles behind it, by CSS selectors."""

    DEFAULT_EVERY = timedelta(minutes=15)

    item: Selector
    link: Selector
    title: Selector | None = None
    time: Selector | None = None
    body: Selector | None = None

    def spec(self, key: str) -> PageSpec:
        """The source that this section describes."""
        return PageSpec(
            item=self.item,
            link=self.link,
            title=self.title,
            time=self.time,
            body=self.body,
            **self.described(key),
        )


def shown(body: bytes, url: str | None) -> Iterator[Line]:
    """The article of a page, as the reader sees it: the list is seen by polling it."""
    article = parse_article(body, url=url)
    yield {
        "title": article.title,
        "text": article.text,
        "author": article.author,
        "published_at": written(article.published_at),
        "language": article.language,
        "url": article.url,
    }


KIND = Kind(
    section=PageSection,
    verb="page",
    help="What the article reader sees, a JSON line a page. "
    "Example: jarchy inspect page article.html",
    shown=shown,
)
