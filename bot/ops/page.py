"""The operator's page: how fresh each source is, how long the queue."""

from __future__ import annotations

import html
from datetime import UTC, datetime

from bot.i18n import ago, t
from bot.model.status import SourceStatus, Status
from bot.render.status import stopped_line

_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="refresh" content="30"><title>Jarchy · status</title><style>
:root{{color-scheme:light dark;--line:#8884;--good:#1a8a4a;--bad:#c0392b}}
body{{font:16px/1.5 system-ui,sans-serif;margin:0 auto;max-width:56rem;padding:1.5rem 1rem}}
h1{{font-size:1.3rem;margin:0 0 .25rem}}p{{margin:.25rem 0 1.25rem;opacity:.75}}
.cards{{display:flex;flex-wrap:wrap;gap:.75rem;margin:0 0 1.5rem}}
.card{{flex:1 1 9rem;border:1px solid var(--line);border-radius:.75rem;padding:.75rem 1rem}}
.card b{{display:block;font-size:1.5rem;font-variant-numeric:tabular-nums}}
ul{{list-style:none;margin:0;padding:0}}
li{{display:grid;grid-template-columns:1.2rem 1fr auto;gap:.25rem .5rem;
border-top:1px solid var(--line);padding:.6rem 0}}
li small{{grid-column:2/4;color:var(--bad);overflow-wrap:anywhere}}
.good::before{{content:"●";color:var(--good)}}.bad::before{{content:"▲";color:var(--bad)}}
.new::before{{content:"○"}}time{{opacity:.75;white-space:nowrap}}
.stopped{{opacity:1;color:var(--bad)}}</style>
<h1>Jarchy</h1><p>{now}</p>{stopped}<div class="cards">{cards}</div><ul>{sources}</ul></html>"""


def _source_row(source: SourceStatus, now: datetime) -> str:
    """A source as a row of the page: a mark, its name, when it was last read, what ails it."""
    seen, mark = t("status.never", "en"), "new"
    if source.last_ok_at:
        seen, mark = ago(now - source.last_ok_at, "en"), "good"
    trouble = source.error or ""
    if source.paused:
        seen, mark, trouble = t("status.paused", "en"), "new", ""
    if not trouble and source.stuck_on:
        trouble = f"last rates of {source.stuck_on}"
    if trouble:
        mark, trouble = "bad", f"<small>{html.escape(trouble)}</small>"
    name = html.escape(source.names.get("en") or source.key)
    return (
        f'<li><span class="{mark}"></span><span>{name}</span>'
        f"<time>{html.escape(seen)}</time>{trouble}</li>"
    )


def status_page(found: Status) -> str:
    """The status as a page that reads well on a phone."""
    sent = "–"
    if found.last_sent_at is not None:
        sent = ago(found.now - found.last_sent_at, "en")
    fresh = 0
    for source in found.sources:
        if source.error is None and source.stuck_on is None and source.last_ok_at:
            fresh += 1
    cards = [
        _card(f"{fresh} / {len(found.sources)}", "sources fresh"),
        _card(str(found.waiting), "deliveries waiting"),
        _card(sent, "last delivery"),
    ]
    rows = [_source_row(source, found.now) for source in found.sources]
    stopped = ""
    if found.stopped_at is not None:
        words = stopped_line(found.now - found.stopped_at, "en").text
        stopped = f'<p class="stopped">{html.escape(words)}</p>'
    return _PAGE.format(
        stopped=stopped,
        now=f"{found.now.astimezone(UTC):%Y-%m-%d %H:%M} UTC",
        cards="".join(cards),
        sources="".join(rows),
    )


def _card(figure: str, label: str) -> str:
    return f'<div class="card"><b>{html.escape(figure)}</b>{label}</div>'
