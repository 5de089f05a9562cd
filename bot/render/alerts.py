"""What the bot says by itself: a rate moved, a story broke, something needs the operator; and why
it spoke.

A channel's readers have no settings here, so a channel's message carries no
buttons that change any.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal

from bot.i18n import day, day_since, known, name_of, number, percent, t, tn
from bot.model.alerts import Notice, RateMoved, RuleFired, Severity
from bot.model.chats import Style
from bot.model.news import Story
from bot.model.rates import Move, Pair, Rate, RateKind
from bot.model.reasons import Reason
from bot.render.buttons import rows_of
from bot.render.news import (
    URGENT_MARK,
    Names,
    body,
    headline,
    open_button,
    reporters,
    share_story,
    told,
    topic_name,
)
from bot.render.numbers import arrow, as_printed, change
from bot.render.rates import kind_name
from bot.render.reasons import said
from bot.render.text import Button, Message, Rich, Rows, bold, fill, join, lines, link, message

CHART = "90d"
#: Notices that ask for the operator's word → the first word of their buttons.
DECIDED = {"notice.held": "held", "notice.story": "story"}
NO_NAMES: Mapping[str, str] = {}
_TRIVIAL = timedelta(days=7)  # "largest fall since last Tuesday" says nothing


def headline_move(moved: RateMoved) -> Move:
    """The change the leading rule speaks of: against the previous fixing, or against the last
    alerted rate.
    """
    return Move(
        old=moved.previous if moved.rules[:1] == ("fixing",) else moved.baseline, new=moved.new
    )


def move(
    moved: RateMoved,
    *,
    alert: int,
    language: str,
    source_names: dict[str, str],
    channel: bool = False,
    rule: str | None = None,
) -> Message:
    """A big move: what, from what to what, since when, how unusual, whose number.

    `rule` is the chat's own rule that spoke.
    """
    shift = headline_move(moved)
    today = moved.new.effective_on
    source = name_of(source_names, language) or moved.new.source
    if moved.new.kind not in {RateKind.OFFICIAL, RateKind.REFERENCE}:
        source = f"{source} · {kind_name(moved.new.kind, language)}"
    text = lines(
        _first_line(shift, language),
        fill(t("rule.yours", language), rule=bold(rule)) if rule else None,
        join(" · ", [_since(moved, language), _unusual(moved, language)]),
        fill(t("move.effective", language), source=source, day=day(today, language)),
        None if moved.confirmed else fill(t("move.unconfirmed", language)),
    )
    return message(text, _move_buttons(moved.new.pair, alert, language, channel=channel))


def story(
    story: Story,
    *,
    alert: int,
    style: Style,
    language: str,
    feed_names: Names,
    severity: Severity | None = None,
    channel: bool = False,
    bot: str = "",
) -> Message:
    """A story that broke: headline, as much text as the style tells, who reports it; urgent ones
    are marked.

    Shown again with more entries, it is the edit of the same message. With the name of the `bot` it
    can be shared.
    """
    story = story.told_in(language)
    urgent = (severity or story.severity) is Severity.URGENT
    title = (f"{URGENT_MARK} " if urgent else "") + bold(
        link(headline(story), story.lead.entry.link)
    )
    shown = told(title, body(story, style), reporters(story, feed_names, language), story, language)
    return Message(
        shown.text, shown.entities, _story_buttons(story, alert, language, channel=channel, bot=bot)
    )


def notice(notice: Notice, language: str, *, banks: Mapping[str, str] = NO_NAMES) -> Message:
    """Something an operator must know; a notice without words of its own still tells what it
    carries.

    `banks` are the names of rate sources by key, for those notices that call them by name.
    """
    if known(notice.msgid):
        values = {name: _said(name, value, language, banks) for name, value in notice.values}
        held, what = values.pop("held", None), DECIDED.get(notice.msgid)
        buttons = _decision(what, held, language) if what and held else ()
        return message(fill(t(notice.msgid, language), **values), buttons)
    what = ", ".join([notice.msgid, *(f"{name}: {value}" for name, value in notice.values)])
    return message(fill(t("notice.other", language), what=what))


def _said(name: str, value: str, language: str, banks: Mapping[str, str]) -> str:
    """A notice's value in words: a bank by its name, a day as people write it."""
    if name in {"bank", "other"}:
        return banks.get(value, value)
    if name in {"rate", "theirs"} and value.replace(".", "", 1).isdecimal():
        return as_printed(Decimal(value), language)
    return day(date.fromisoformat(value), language) if name == "day" else value


def _decision(what: str, number: str, language: str) -> Rows:
    words = (("button.approve", "approve"), ("button.reject", "reject"))
    return (
        tuple(Button(t(word, language), data=f"{what}:{verb}:{number}") for word, verb in words),
    )


def why_move(moved: RateMoved, language: str) -> Message:
    """Why a move was told: the rules that fired, and the usual size of a day."""
    pair = bold(str(moved.new.pair))
    shift = headline_move(moved)
    usual: Rich | None = None
    if moved.usual:
        times = number(abs(shift.percent) / moved.usual, language, 1)
        usual = fill(t("why.usual", language), usual=number(moved.usual, language, 2), times=times)
    rules = [f"• {_rule(rule, moved, language).text}" for rule in moved.rules]
    return message(
        lines(fill(t("why.move", language), pair=pair), *rules, usual, t("why.tune", language))
    )


def why_rule(fired: RuleFired, rule: str, language: str) -> Message:
    """Why a chat's own rule spoke: the rule, from what to what, and since when."""
    shift = Move(old=fired.baseline, new=fired.new)
    old, new = as_printed(shift.old.per_unit, language), as_printed(shift.new.per_unit, language)
    since = day(shift.old.effective_on, language, today=shift.new.effective_on)
    measured = fill(
        t("why.fixing", language), change=change(shift.percent, language).strip(), day=since
    )
    return message(
        lines(
            fill(t("why.move", language), pair=bold(str(fired.new.pair))),
            "• " + fill(t("rule.yours", language), rule=bold(rule)),
            "• " + measured + f": {old} → {new}",
            t("why.rules", language),
        )
    )


def why_story(
    severity: Severity,
    reasons: Sequence[Reason],
    language: str,
    *,
    topics: Sequence[str] = (),
    sources: int = 1,
    texts: Sequence[str] = (),
) -> Message:
    """Why a story was told: how severe it was judged, its topics, the reasons, how many report it.

    The detector names stems; what a reader sees of them are the words that stand in the story's own
    `texts`.
    """
    named = ", ".join(topic_name(topic, language) for topic in topics)
    return message(
        lines(
            fill(
                t("why.story", language), severity=bold(t(f"severity.{severity.value}", language))
            ),
            fill(t("why.topics", language), topics=named) if named else None,
            *("• " + reason for reason in said(reasons, language, texts)),
            "• " + fill(tn("news.sources", sources, language), n=sources) if sources > 1 else None,
            t("why.tune", language),
        )
    )


def correction(old: Rate, new: Rate, language: str, *, source_names: dict[str, str]) -> Message:
    """The source revised a rate that was told: what it was, what it is."""
    source = name_of(source_names, language) or new.source
    return message(
        lines(
            bold(
                fill(
                    t("correction.rate", language),
                    pair=str(new.pair),
                    day=day(new.effective_on, language),
                )
            ),
            f"{as_printed(old.per_unit, language)} → {as_printed(new.per_unit, language)}",
            fill(t("correction.source", language), source=source),
        )
    )


def _first_line(shift: Move, language: str) -> Rich:
    old, new = as_printed(shift.old.per_unit, language), as_printed(shift.new.per_unit, language)
    size = percent(shift.percent, language, 1)
    return bold(f"{arrow(shift.percent)} {shift.new.pair} {size}".strip()) + f"  {old} → {new}"


def _since(moved: RateMoved, language: str) -> Rich:
    """Which earlier rate the change is counted from, and the drift beside it when both rules
    fired.
    """
    today = moved.new.effective_on
    previous, base = moved.previous.effective_on, moved.baseline.effective_on
    if headline_move(moved).old is moved.baseline and base != previous:
        key = "move.since" if moved.told else "move.since_first"
        return fill(t(key, language), day=day(base, language, today=today))
    fixing = fill(t("move.fixing", language), day=day(previous, language, today=today))
    if "drift" in moved.rules and base != previous:
        drift = percent(Move(old=moved.baseline, new=moved.new).percent, language, 1)
        key = "move.drift" if moved.told else "move.drift_first"
        both = fill(t(key, language), percent=drift, day=day(base, language, today=today))
        return join(" · ", [fixing, both])
    return fixing


def _unusual(moved: RateMoved, language: str) -> Rich | None:
    """How long it was since the like: of a jump for a single day's move, of a level for a drift."""
    since, today = moved.extreme_since, moved.new.effective_on
    if since is not None and today - since < _TRIVIAL:
        return None
    jump = moved.rules[:1] == ("fixing",)
    key = "move.largest_" if jump else "move.level_"
    key += "rise" if headline_move(moved).percent > 0 else "fall"
    if since is not None:
        return fill(t(key, language), day=day_since(since, language, today=today))
    level = {"high": "move.high", "low": "move.low"}
    return next((fill(t(level[rule], language)) for rule in moved.rules if rule in level), None)


def _rule(rule: str, moved: RateMoved, language: str) -> Rich:
    """One fired rule with its own figure; a rule we have no words for is a chat's own and speaks
    for itself.
    """
    today = moved.new.effective_on
    old = {"fixing": moved.previous, "drift": moved.baseline}.get(rule)
    if old is not None:
        size = change(Move(old=old, new=moved.new).percent, language).strip()
        first = "_first" if rule == "drift" and not moved.told else ""
        template = t(f"why.{rule}{first}", language)
        return fill(template, change=size, day=day(old.effective_on, language, today=today))
    return fill(t(f"move.{rule}", language)) if rule in {"high", "low"} else Rich(rule)


def _move_buttons(pair: Pair, alert: int, language: str, *, channel: bool) -> Rows:
    """Two rows of two: four words in a row are cut off on a phone in Russian and Kyrgyz."""
    chart = Button(t("button.chart", language), f"chart:{pair}:{CHART}")
    if channel:
        return ((chart,),)
    return (
        (chart, _why(alert, language)),
        (snooze_button(alert, language), mute_button(alert, pair.base, language)),
    )


def _story_buttons(story: Story, alert: int, language: str, *, channel: bool, bot: str) -> Rows:
    opened = open_button(story, language)
    if channel:
        return (tuple(opened),) if opened else ()
    topic = next(iter(story.topics), "")
    what = topic_name(topic, language).lower() if topic else t("news.title", language).lower()
    first = [*opened, _why(alert, language), snooze_button(alert, language)]
    if bot:
        first.append(share_story(story.pk, bot, language))
    return (*map(tuple, rows_of(first, 2 if bot else 3)), (mute_button(alert, what, language),))


def _why(alert: int, language: str) -> Button:
    return Button(t("button.why", language), f"why:{alert}")


def mute_button(alert: int, what: str, language: str, *, muted: bool = False) -> Button:
    """Silences what an alert was about; when `muted`, undoes it."""
    verb = "unmute" if muted else "mute"
    return Button(fill(t(f"button.{verb}", language), what=what).text, f"{verb}:{alert}")


def snooze_button(alert: int, language: str, *, until: str | None = None) -> Button:
    """Silences it for a while; with the hour that lasts `until`, undoes it."""
    if until is None:
        return Button(t("button.snooze", language), f"snooze:{alert}")
    return Button(fill(t("button.snoozed", language), time=until).text, f"unsnooze:{alert}")
