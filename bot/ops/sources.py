"""The sources on the operator's page: those in trouble first, a page of them at a time.

A catalog may name a thousand, and what a server says of itself is anybody's words, of which each
may be six bytes once it is written for HTML. So what is said of a page of sources has a size in
bytes, and shares it.
"""

from __future__ import annotations

import html
from collections.abc import Sequence

from bot.i18n import ago, clock, name_of, t
from bot.model.status import SourceStatus
from bot.ops.view import LONGEST_NAME, LONGEST_TROUBLE, View, bounded, text
from bot.ops.whole import Whole
from bot.render.reasons import told
from bot.render.status import trouble_of

SOURCES_SHOWN = 40  # on one page: a thousand would be half a megabyte
#: Bytes of all names and troubles of a page: so the page stays below 50 KB, whoever says what.
SAID_OF_SOURCES = 11_000
WIDTH, HEIGHT = 72, 18  # of a trend: three units an hour


def sources(whole: Whole, view: View) -> str:
    """The sources in trouble first, then in the catalog's order, so many on a page."""
    found: list[SourceStatus] = []
    for one in whole.sources:
        if view.find.casefold() in f"{one.key} {_name(one, view)}".casefold():
            found.append(one)
    order = {"bad": 0, "warn": 1, "new": 2, "good": 3}
    found.sort(key=lambda one: order[mark_of(one, view, whole)])
    pages = max(-(-len(found) // SOURCES_SHOWN), 1)
    # the last one for an address from when there were more
    page = min(view.page, pages)
    rows: list[str] = []
    of_page = found[(page - 1) * SOURCES_SHOWN : page * SOURCES_SHOWN]
    for one, (name, trouble) in zip(of_page, _said(of_page, view, whole), strict=True):
        rows.append(_source(one, name, trouble, view, whole))
    well = len([one for one in whole.sources if mark_of(one, view, whole) == "good"])
    return (
        f"<h2>{text('page.sources', view)} <small>{well} / {len(whole.sources)}</small></h2>"
        f'{_finder(whole, view)}<ul class="rows">{"".join(rows)}</ul>{_pages(page, pages, view)}'
    )


def _finder(whole: Whole, view: View) -> str:
    """The field that looks for a source, once there are more than fit on a page; else ""."""
    if len(whole.sources) <= SOURCES_SHOWN:
        return ""
    find, code = html.escape(view.find), html.escape(view.language)
    return (
        f'<form action="/status"><input type="hidden" name="lang" value="{code}">'
        f'<input type="search" name="find" value="{find}" '
        f'placeholder="{text("page.find", view)}" aria-label="{text("page.find", view)}"></form>'
    )


def _pages(page: int, pages: int, view: View) -> str:
    if pages == 1:
        return ""
    links: list[str] = []
    for at, words in ((page - 1, "←"), (page + 1, "→")):
        if 1 <= at <= pages:
            address = html.escape(view.address("/status", page=at))
            links.append(f'<a href="{address}" aria-label="{at}">{words}</a>')
    return f'<nav class="pages">{" ".join(links)} <span>{page} / {pages}</span></nav>'


def _said(of_page: Sequence[SourceStatus], view: View, whole: Whole) -> Sequence[tuple[str, str]]:
    """The name of each source of a page and what ails it, for HTML. Where all that is more than the
    page has room for, each that has a trouble gets an equal part of it for that.
    """
    names = [bounded(_name(one, view), LONGEST_NAME) for one in of_page]
    ails = ["; ".join(_troubles(one, view, whole)) for one in of_page]
    shown = [bounded(words, LONGEST_TROUBLE) for words in ails]
    room = SAID_OF_SOURCES - len("".join(names).encode())
    if len("".join(shown).encode()) > room:
        part = room // len([words for words in ails if words])
        shown = [bounded(words, LONGEST_TROUBLE, part) for words in ails]
    return list(zip(names, shown, strict=True))


def _source(one: SourceStatus, name: str, trouble: str, view: View, whole: Whole) -> str:
    """One source: its mark, name, last success, next poll, its day, and what ails it."""
    seen, due = text("page.never", view), ""
    if one.last_ok_at is not None:
        seen = html.escape(ago(whole.now - one.last_ok_at, view.language))
    if one.paused:
        due = html.escape(t("status.paused", view.language))
    elif one.next_due_at is not None:
        due = text("page.next", view, at=clock(one.next_due_at, whole.zone))
        if one.next_due_at <= whole.now:
            due = text("page.due_now", view)
    if trouble:
        trouble = f"<small>{trouble}</small>"
    return (
        f'<li class="{mark_of(one, view, whole)}"><b>{name}</b>'
        f"{trend(whole.trends.get(one.key, ()), view)}"
        f"<span>{seen}</span><span>{due}</span>{trouble}</li>"
    )


def _name(one: SourceStatus, view: View) -> str:
    return name_of(one.names, view.language) or one.key


def mark_of(one: SourceStatus, view: View, whole: Whole) -> str:
    """The standing of a source: bad, warn (it answers in part, or nothing new), new or good."""
    if one.paused:
        return "new"
    if one.failures:
        return "bad"
    if _troubles(one, view, whole):
        return "warn"
    if one.last_ok_at is None:
        return "new"
    return "good"


def _troubles(one: SourceStatus, view: View, whole: Whole) -> list[str]:
    """The troubles of a source, in the page's language."""
    if one.paused:
        return []
    said = [part.text for part in trouble_of(one, today=whole.now.date(), language=view.language)]
    if one.error is not None:
        said.append(told(one.error, view.language, today=whole.now.date()).text)
    return said


def trend(hours: Sequence[int], view: View) -> str:
    """The hourly amounts of a source in a day, as bars; a line where it brought nothing."""
    label = text("page.trend", view, n=sum(hours))
    most = max(hours, default=0)
    # strokes that stand on the line of nought: outlines would be a third of the page
    path = f"M0 0H{WIDTH}"
    step = WIDTH // max(len(hours), 1)
    for index, count in enumerate(hours):
        if count:
            # never less than two: one entry beside a flood of a thousand is seen all the same
            height = max(round(count / most * (HEIGHT - 2)), 2)
            path += f"M{index * step + 1} 0v-{height}"
    return (
        f'<svg viewBox="0 -{HEIGHT} {WIDTH} {HEIGHT}" role="img"><title>{label}</title>'
        f'<path d="{path}"/></svg>'
    )
