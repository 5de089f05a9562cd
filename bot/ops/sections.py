"""The sections of the operator's page, each a piece of HTML of its own."""

from __future__ import annotations

import html
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal

from bot.i18n import ago, clock, day, known, moment, name_of, number, span, t
from bot.model.alerts import Severity
from bot.model.rates import CardRow, Freshness
from bot.ops.sources import mark_of
from bot.ops.view import LONGEST_NAME, LONGEST_TROUBLE, View, bounded, text
from bot.ops.whole import ToldAlert, Whole
from bot.render.admin import LANES
from bot.render.numbers import as_printed, change
from bot.render.reasons import told
from bot.render.status import stopped_line

LONGEST_TITLE = 110  # characters of an alert's
PARTS: Mapping[str, str] = {
    "receives": "page.part.receives",
    "sends": "page.part.sends",
    "writes": "page.part.writes",
    "reads": "page.part.reads",
    "fresh": "page.part.fresh",
    "webhook": "page.part.webhook",
}
MEGABYTE = 1024 * 1024


# --- the whole ------------------------------------------------------------------------------------


def verdict(whole: Whole, view: View) -> str:
    """Whether all is well, and if not, what is not; when this was true."""
    troubles: list[str] = []
    for part, why in whole.troubles.items():
        said = bounded(told(why, view.language).text, LONGEST_TROUBLE)
        troubles.append(f"<li>{text(PARTS[part], view)}<small>{said}</small></li>")
    if whole.stopped_at is not None:
        said = stopped_line(whole.now - whole.stopped_at, view.language).text
        troubles.append(f"<li>{html.escape(said)}</li>")
    if whole.unheard:
        troubles.append(f"<li>{text('page.unheard', view, n=len(whole.unheard))}</li>")
    failing = len([one for one in whole.sources if mark_of(one, view, whole) == "bad"])
    if failing:
        troubles.append(f"<li>{text('page.failing', view, n=failing)}</li>")
    mark, said = "good", "page.well"
    if failing:
        mark, said = "warn", "page.mostly_well"
    if whole.troubles or whole.unheard or whole.stopped_at is not None:
        mark, said = "bad", "page.not_well"
    at = html.escape(clock(whole.now, whole.zone)) + f":{whole.now:%S}"
    listed = ""
    if troubles:
        listed = f"<ul>{''.join(troubles)}</ul>"
    return (
        f'<p class="big {mark}">{text(said, view)}</p>{listed}'
        f'<p class="dim">{text("page.as_of", view)} <time>{at}</time> '
        f"· {html.escape(whole.zone)}</p>"
    )


# --- alerts and rates -----------------------------------------------------------------------------


def alerts(whole: Whole, view: View) -> str:
    """The last alerts, each with how far it came and how long that took."""
    rows = [_alert(one, view, whole) for one in whole.alerts]
    listed = f'<ul class="rows">{"".join(rows)}</ul>'
    if not rows:
        listed = f'<p class="dim">{text("page.no_alerts", view)}</p>'
    return f"<h2>{text('page.alerts', view)}</h2>{listed}"


def _alert(one: ToldAlert, view: View, whole: Whole) -> str:
    """A row about an alert: when it was decided, how many it reached, who waits, who is blocked."""
    told, decided = one.told, one.alert.created_at
    msgid = f"page.kind.{one.alert.payload.kind}"
    if not known(msgid):  # what is no post of its own, such as a notice
        msgid = "page.kind.other"
    kind = text(msgid, view)
    counts = [text("page.reached", view, n=told.reached)]
    for msgid, count in (
        ("page.waiting", told.waiting),
        ("page.held", told.held),
        ("page.withheld", told.withheld),
        ("page.blocked", told.blocked),
    ):
        if count:
            counts.append(text(msgid, view, n=count))
    if told.last_at is not None:
        # decided by the program's clock, sent by the database's
        took = max((told.last_at - decided).total_seconds(), 0.0)
        counts.append(text("page.took", view, time=_short(took, view)))
    mark = "good"
    if told.waiting:
        mark = "warn"
    elif not told.reached and told.blocked:
        mark = "bad"
    elif not told.reached:
        mark = "new"
    title = bounded(one.title, LONGEST_TITLE)
    if one.alert.severity is not Severity.INFO:
        kind += f" · {text(f'severity.{one.alert.severity}', view)}"
    at = html.escape(moment(decided, view.language, whole.zone, now=whole.now))
    return (
        f'<li class="{mark}"><b>{title or kind}</b><time>{at}</time>'
        f"<span>{kind if title else ''}</span><span>{' · '.join(counts)}</span></li>"
    )


def _short(seconds: float, view: View) -> str:
    """A span of seconds: with a decimal below ten, in words from two minutes on."""
    if seconds >= 120:
        return span(timedelta(seconds=seconds), view.language)
    digits = 1
    if seconds >= 10:
        digits = 0
    shown = number(Decimal(seconds), view.language, digits)
    return t("page.seconds", view.language).format(n=shown)


def rates(whole: Whole, view: View) -> str:
    """Today's rates of the leading source, with their change."""
    head = f"<h2>{text('page.rates', view)}</h2>"
    card = whole.card
    if card is None:
        return f'{head}<p class="dim">{text("page.no_rates", view)}</p>'
    rows: list[str] = []
    for row in card.rows:
        rows.append(_rate(row, card.quote, view))
    source = bounded(name_of(card.source_names, view.language) or card.source, LONGEST_NAME)
    on = html.escape(day(card.on, view.language, today=whole.now.date()))
    late = ""
    if card.freshness is Freshness.LATE:
        late = f' <b class="bad">{text("page.late", view)}</b>'
    return f'{head}<p class="dim">{source} · {on}{late}</p><table>{"".join(rows)}</table>'


def _rate(row: CardRow, quote: str, view: View) -> str:
    shown = row.tomorrow or row.today
    value, moved, way = "–", "", ""
    if shown is not None:
        value = as_printed(shown.per_unit, view.language)
    if row.move is not None:
        moved = change(row.move.percent, view.language).strip()
        way = "up" if row.move.percent > 0 else "down"
    return (
        f"<tr><th>{html.escape(row.pair.base)}/{html.escape(quote)}</th>"
        f'<td>{html.escape(value)}</td><td class="{way}">{html.escape(moved)}</td></tr>'
    )


# --- the machinery --------------------------------------------------------------------------------


def outbox(whole: Whole, view: View) -> str:
    """The deliveries that wait in each lane, and since when; who is written to."""
    rows: list[str] = []
    for waits in whole.overview.lanes:
        oldest = "–"
        if waits.oldest is not None:
            oldest = _short(waits.oldest.total_seconds(), view)
        rows.append(
            f"<tr><th>{text(LANES[waits.lane], view)}</th><td>{waits.waiting}</td>"
            f"<td>{html.escape(oldest)}</td></tr>"
        )
    head = (
        f"<tr><th></th><th>{text('page.waits', view)}</th><th>{text('page.oldest', view)}</th></tr>"
    )
    facts = {
        "page.chats": number(whole.overview.chats.total, view.language),
        "page.subscriptions": number(whole.overview.subscriptions, view.language),
        "page.to_decide": number(whole.overview.held + whole.overview.stories, view.language),
    }
    table = f"<table>{head}{''.join(rows)}</table>"
    return f"<h2>{text('page.outbox', view)}</h2>{table}{_facts(facts, view)}"


def telegram(whole: Whole, view: View) -> str:
    """Whether Telegram answers, and what it refuses until when."""
    mark, said = "good", "page.telegram_up"
    why = whole.troubles.get("sends") or whole.troubles.get("receives")
    if whole.paused_until is not None:
        mark, said = "warn", "page.telegram_paused"
    if why is not None:
        mark, said = "bad", "page.telegram_away"
    facts: dict[str, str] = {}
    if whole.paused_until is not None:
        facts["page.paused_until"] = clock(whole.paused_until, whole.zone)
    if whole.stopped_at is not None:
        facts["page.stopped_at"] = moment(
            whole.stopped_at, view.language, whole.zone, now=whole.now
        )
    trouble = ""
    if why is not None:
        trouble = f'<p class="dim">{bounded(told(why, view.language).text, LONGEST_TROUBLE)}</p>'
    return (
        f'<h2>Telegram</h2><p class="{mark}">{text(said, view)}</p>{trouble}{_facts(facts, view)}'
    )


def processes(whole: Whole, view: View) -> str:
    """The processes that run, their roles, and when each recurring job was done here."""
    facts = {"page.process": whole.holder.host or "–"}
    if whole.replicas is not None:
        facts["page.replicas"] = str(whole.replicas)
    else:
        facts["page.replicas"] = t("page.alone", view.language)
    for held in whole.roles:
        role = _called("page.role.", held.role.name)
        facts[role] = t("page.role_here", view.language)
        if held.holder != whole.holder:
            facts[role] = held.holder.host
    done: dict[str, str] = {}
    for job, at in whole.done.items():
        done[t(_called("page.job.", job), view.language)] = _age(whole.now, at, view)
    jobs: list[str] = []
    for name, age in sorted(done.items()):
        jobs.append(f"<tr><th>{html.escape(name)}</th><td>{html.escape(age)}</td></tr>")
    listed = ""
    if jobs:
        listed = f"<h3>{text('page.jobs', view)}</h3><table>{''.join(jobs)}</table>"
    return f"<h2>{text('page.processes', view)}</h2>{_facts(facts, view)}{listed}"


def _called(family: str, name: str) -> str:
    """The key of a name's words; the name itself of what another version has and we do not know."""
    if known(family + name):
        return family + name
    return name


def _age(now: datetime, at: datetime, view: View) -> str:
    return ago(max(now - at, timedelta(0)), view.language)


def database(whole: Whole, view: View) -> str:
    """The database, its copies, and the versions of all."""
    facts = {
        whole.database.kind: whole.database.version,
        "page.size": t("page.megabytes", view.language).format(
            n=number(Decimal(whole.database.size) / MEGABYTE, view.language, 1)
        ),
        "page.schema": whole.database.schema,
        "page.backups": t("page.backups_elsewhere", view.language),
        "Jarchy": whole.version,
        "Python": whole.python,
    }
    if whole.backups is not None:
        facts["page.backups"] = t("page.no_backups", view.language)
        if whole.backups.newest_on is not None:
            newest = day(whole.backups.newest_on, view.language, today=whole.now.date())
            facts["page.backups"] = f"{newest} ({whole.backups.count})"
            if not whole.backups.count:  # of replicas another one made it, on its machine
                gone = t("page.backups_not_here", view.language)
                facts["page.backups"] = gone.format(day=newest)
    return f"<h2>{text('page.database', view)}</h2>{_facts(facts, view)}"


def _facts(facts: Mapping[str, str], view: View) -> str:
    """Names with their values; what is no text of the page is a name as it stands."""
    if not facts:
        return ""
    rows: list[str] = []
    for key, value in facts.items():
        said = bounded(key, LONGEST_NAME)
        if key.startswith("page."):
            said = text(key, view)
        rows.append(f"<dt>{said}</dt><dd>{bounded(value, LONGEST_NAME)}</dd>")
    return f"<dl>{''.join(rows)}</dl>"
