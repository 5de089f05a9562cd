"""The summary of a week: what each currency did, what happened, and the picture of its rates."""

from __future__ import annotations

from dataclasses import replace

from bot.i18n import day, t
from bot.model.news import Story
from bot.model.weeks import CurrencyWeek, WeekSummary
from bot.render.cutting import cut
from bot.render.news import left_out as said_left_out
from bot.render.news import title
from bot.render.numbers import as_printed, change
from bot.render.panels import Panel, Panels
from bot.render.phrases import counted, phrase
from bot.render.rates import kind_name
from bot.render.text import (
    CAPTION,
    Message,
    Rich,
    bold,
    clipped,
    italic,
    join,
    lines,
    link,
    message,
    units,
)

TITLE_LETTERS = 110  # of a story: a caption has little room


def week(found: WeekSummary, language: str, *, source_name: str) -> Message | None:
    """The summary of a week, with its picture where there is a line to draw; silent, as routine is.
    None where there is nothing to tell.
    """
    if not found.currencies and not found.count:
        return None
    days = f"{day(found.first, language)} – {day(found.last, language)}"
    blocks: list[Rich] = [bold(phrase("week.title", language, days=days))]
    for one in found.currencies:
        blocks.append(_currency(one, language))
    whole = join("\n\n", [lines(*blocks), _news(found, language)])
    foot = lines(_source(found, language, source_name), said_left_out(found.left_out, language))
    # two line breaks stand before the foot
    short = cut(message(whole), CAPTION - units(foot.text) - 2).body
    said = message(join("\n\n", [short, foot]), silent=True)
    return replace(said, picture=_picture(found, language, source_name))


def _currency(one: CurrencyWeek, language: str) -> Rich:
    """The first and the last rate, and the lowest and highest where these are others."""
    old, new = one.move.old, one.move.new
    before, now = as_printed(old.per_unit, language), as_printed(new.per_unit, language)
    if one.lowest.per_unit == one.highest.per_unit:
        return join(" ", [bold(new.pair.base), now, "·", t("week.same", language)])
    moved = change(one.move.percent, language).strip()
    said = join(" ", [bold(new.pair.base), before, "→", now, "", moved])
    ends = {old.per_unit, new.per_unit}
    if {one.lowest.per_unit, one.highest.per_unit} == ends:
        return said
    low, high = (
        as_printed(one.lowest.per_unit, language),
        as_printed(one.highest.per_unit, language),
    )
    return lines(said, phrase("week.between", language, low=low, high=high))


def _news(found: WeekSummary, language: str) -> Rich:
    """The number of stories about security, and the headlines of those most worth it."""
    if found.stories is None:
        return Rich()
    if not found.stories:
        return phrase("week.calm", language)
    told: list[Rich | str] = [counted("week.security", found.count, language)]
    for story in found.stories:
        told.append(join(" ", ["•", _headline(story.told_in(language), language)]))
    return lines(*told)


def _headline(story: Story, language: str) -> Rich:
    words = Rich(title(story, language))
    if len(words.text) > TITLE_LETTERS:
        # between two words
        words = clipped(words, words.text.rfind(" ", 0, TITLE_LETTERS)) + "…"
    return link(words, story.lead.entry.link)


def _source(found: WeekSummary, language: str, name: str) -> Rich | None:
    if not found.currencies:
        return None
    rate = found.currencies[0].move.new
    return italic(join(" · ", [name or rate.source, kind_name(rate.kind, language)]))


def _picture(found: WeekSummary, language: str, source: str) -> Panels | None:
    """The picture of the currencies that have two days or more; None where none has."""
    drawn: list[CurrencyWeek] = []
    panels: list[Panel] = []
    for one in found.currencies:
        if len(one.points) > 1:
            drawn.append(one)
            panels.append(_panel(one, language))
    if not drawn:
        return None
    first = min(panel.points[0][0] for panel in panels)
    kind = kind_name(drawn[0].move.new.kind, language)
    return Panels(
        title=t("week.picture", language),
        source=f"{source or drawn[0].move.new.source} · {kind}",
        panels=tuple(panels),
        first=first,
        last=found.last,
        marked=found.first,
        days=tuple((on, day(on, language)) for on in (first, found.first, found.last)),
    )


def _panel(one: CurrencyWeek, language: str) -> Panel:
    rate, points = one.move.new, one.points
    _, values = zip(*points, strict=True)
    return Panel(
        name=str(rate.pair),
        last=as_printed(rate.per_unit, language),
        change=change(one.move.percent, language).strip(),
        points=tuple(points),
        lowest=as_printed(min(values), language),
        highest=as_printed(max(values), language),
    )
