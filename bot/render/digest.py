"""The digest: rates, one line a currency; an empty line; headline; an empty line; the text.

Plain, it is exactly the sample that started the project. Posted, the codes are
bold, the headline links to its page, and last lines say who reports it and whose rates these are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from bot.i18n import day as day_text
from bot.i18n import day_at, decimal_mark, t
from bot.model.chats import Style
from bot.model.news import Story
from bot.model.rates import Move, Rate
from bot.render.cutting import cut
from bot.render.layout import as_lines
from bot.render.news import Names, measured, reporters, text, title
from bot.render.news import left_out as said_left_out
from bot.render.numbers import change, short
from bot.render.phrases import phrase
from bot.render.rates import kind_name
from bot.render.tables import Align, Column, Table
from bot.render.text import LIMIT, Message, Rich, bold, italic, join, lines, link, message, units

NOTHING_FOLLOWS: Mapping[str, Rate] = {}


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
    following: Mapping[str, Rate] = NOTHING_FOLLOWS,
    left_out: int = 0,
    zone: str | None = None,
    told: Rich | None = None,
) -> Message:
    """The digest of `day`, in the order of `rates`, within one message; silent, as routine is.

    `source_name` names the source of the rates, in the language; `late` marks one that was caught
    up, in its last lines: a push shows the first. `following` are tomorrow's rates by currency, as
    far as they are known. With `feed_names` it says who reports the story, and how many they are.
    `left_out` counts what a chat's filters kept back; `zone` is the chat's. `told` says
    when an alert told the story already.
    """
    blocks, feet = [], []
    table = _table(rates, NOTHING_FOLLOWS if plain else following, language)
    blocks.append(as_lines(table, plain=plain))
    if story is not None:
        story = story.told_in(language)
        blocks += _story(story, style, language, plain=plain, zone=zone)
        if told is not None:
            blocks.append(told)
        if feed_names is not None and not plain:
            feet.append(reporters(story, feed_names, language))
    if rates and not plain:
        feet.append(_source(rates, language, source_name))
    if late and not plain:
        feet.append(italic(phrase("digest.late", language, day=day_at(day, language))))
    if not plain and (kept := said_left_out(left_out, language)):
        feet.append(kept)
    said = join("\n\n", blocks) or phrase("digest.empty", language, day=day_text(day, language))
    foot = lines(*feet)
    room = LIMIT
    if foot:
        room -= units(foot.text) + 2  # the empty line before it
    short_enough = cut(message(said), room, more=_more(story, language))
    # cut before the foot is put under it: whose rates and whose story it is must not be lost
    whole = join("\n\n", [short_enough.body, foot])
    return message(whole, silent=True)


def _table(rates: Sequence[Rate], following: Mapping[str, Rate], language: str) -> Table:
    """The rates, and where tomorrow's is another one as they are written here, that too."""
    rows: list[tuple[str, str, str, str]] = []
    for rate in rates:
        now, then, moved = short(rate.per_unit, language), "", ""
        if (coming := following.get(rate.pair.base)) is not None:
            then = short(coming.per_unit, language)
            moved = change(Move(old=rate, new=coming).percent, language, 1)
        if then == now:
            then, moved = "", ""
        rows.append((rate.pair.base, now, then, moved))
    columns = [Column(align=Align.LEFT), Column(title=t("rates.rate", language), before=" ")]
    if any(then for _, _, then, _ in rows):
        tomorrow = t("rates.tomorrow", language)
        columns += [Column(title=tomorrow, before=" → ", named=True), Column(before=" ")]
    kept = tuple(row[: len(columns)] for row in rows)
    return Table(columns=tuple(columns), rows=kept, mark=decimal_mark(language))


def _story(
    story: Story, style: Style, language: str, *, plain: bool, zone: str | None
) -> list[Rich]:
    head = Rich(title(story, language))
    if not plain:
        head = bold(link(head, story.lead.entry.link))
    written = story.lead.entry.language
    if not plain and written not in {None, language} and not measured(story):
        style = Style.HEADLINE  # a paragraph that its reader may not understand
    return [head, text(story, style, language, zone)]


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
