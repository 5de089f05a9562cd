"""The digest: rates, one line a currency; an empty line; headline; an empty line; the text.

Plain, it is exactly the sample that started the project. Posted, the codes are
bold, the headline links to its page, and last lines say who reports it and whose rates these are.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from bot.i18n import day as day_text
from bot.i18n import t
from bot.model.chats import Style
from bot.model.news import Story
from bot.model.rates import Rate
from bot.render.news import Names, reporters, text, title
from bot.render.news import left_out as said_left_out
from bot.render.numbers import short
from bot.render.phrases import phrase
from bot.render.rates import kind_name
from bot.render.text import (
    LIMIT,
    Message,
    Rich,
    bold,
    cut,
    italic,
    join,
    lines,
    link,
    message,
    units,
)


def digest(
    rates: Sequence[Rate],
    story: Story | None,
    style: Style,
    language: str,
    day: date,
    *,
    plain: bool = False,
    late: bool = False,
    source_name: str = "",
    feed_names: Names | None = None,
    left_out: int = 0,
) -> Message:
    """The digest of `day`, in the order of `rates`, within one message; silent, as routine is.

    `source_name` names the source of the rates, in the language; `late` marks one that was caught
    up. With `feed_names` it says who reports the story, and how many they are. `left_out`
    counts what a chat's filters kept back.
    """
    blocks, feet = [], []
    if late and not plain:
        blocks.append(italic(phrase("digest.late", language, day=day_text(day, language))))
    blocks.append(lines(*(_line(rate, language, plain=plain) for rate in rates)))
    if story is not None:
        story = story.told_in(language)
        blocks += _story(story, style, language, plain=plain)
        if feed_names is not None and not plain:
            feet.append(reporters(story, feed_names, language))
    if rates and not plain:
        feet.append(_source(rates, language, source_name))
    if not plain and (kept := said_left_out(left_out, language)):
        feet.append(kept)
    said = join("\n\n", blocks) or phrase("digest.empty", language, day=day_text(day, language))
    foot = join("\n\n", feet)
    room = LIMIT
    if foot:
        room -= units(foot.text) + 2  # the empty line before it
    short_enough = cut(message(said), room, more=_more(story, language))
    # cut before the foot is put under it: whose rates and whose story it is must not be lost
    whole = join("\n\n", [Rich(short_enough.text, short_enough.entities), foot])
    return message(whole, silent=True)


def _line(rate: Rate, language: str, *, plain: bool) -> Rich:
    code = Rich(rate.pair.base)
    if not plain:
        code = bold(code)
    return join(" ", [code, short(rate.per_unit, language)])


def _story(story: Story, style: Style, language: str, *, plain: bool) -> list[Rich]:
    head = Rich(title(story, language))
    if not plain:
        head = bold(link(head, story.lead.entry.link))
    return [head, text(story, style, language)]


def _source(rates: Sequence[Rate], language: str, name: str) -> Rich:
    # rates of one card may be of several days; the oldest promises nothing that is not so
    oldest = min(rates, key=lambda rate: rate.effective_on)
    parts = [
        name or rates[0].source,
        kind_name(rates[0].kind, language),
        day_text(oldest.effective_on, language),
    ]
    return italic(join(" · ", parts))


def _more(story: Story | None, language: str) -> Rich:
    if story is None or not story.lead.entry.link:
        return Rich()
    return link(t("news.read_on", language), story.lead.entry.link)
