"""Stories: a page of them, and one alone."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime

from bot.i18n import language_name, name_of, t
from bot.languages import LANGUAGES
from bot.model.alerts import Severity
from bot.model.chats import Style
from bot.model.hazards import Hazard
from bot.model.news import FoundPage, NewsPage, Story
from bot.model.text import first_sentence
from bot.render import hazards
from bot.render.buttons import rows_of, share_button
from bot.render.cutting import cut
from bot.render.phrases import counted, phrase, when
from bot.render.text import (
    LIMIT,
    Button,
    Message,
    Rich,
    bold,
    clean,
    join,
    lines,
    link,
    message,
    one_line,
    safe_url,
    units,
)

BRIEF_LENGTH = 420  # one paragraph on a phone: about six lines
TITLE_LENGTH = 100  # so much of the text stands in for a missing title
REPORTERS_NAMED = 3  # so many reporters are named, the rest are counted
URGENT_MARK = "❗"
FOUND_MARK = "🔎"  # begins a page of what was found; its buttons find the words behind it
STORY_LINK = "s_"  # begins what a link to a story carries
_BLANKS = re.compile(r" +")

Names = Mapping[str, Mapping[str, str]]


def page(
    page: NewsPage, language: str, *, zone: str, now: datetime, topics: Sequence[str] = ()
) -> Message:
    """A page of stories: headline with its link, who reports it, when.

    Buttons turn the page; `topics` are offered as filters.
    """
    told = []
    for story in page.stories:
        told.append(item(story.told_in(language), page.feed_names, language, zone, now))
    buttons = [_pages(page, language), *_filters(topics, page.topic, language)]
    if not told:
        none = phrase("news.none", language)
        return message(join("\n\n", [none, left_out(page.left_out, language)]), buttons)
    foot = left_out(page.left_out, language)
    return message(join("\n\n", [_page_title(page, language), *told, foot]), buttons)


def found(page: FoundPage, language: str, *, zone: str, now: datetime) -> Message:
    """A page of what was found: the words on a line of their own, by which its buttons turn it."""
    asked = lines(join("", [f"{FOUND_MARK} ", bold(one_line(page.words))]))
    buttons = []
    if page.number:
        buttons.append(Button(t("news.newer", language), f"find:{page.number - 1}"))
    if page.more:
        buttons.append(Button(t("news.older", language), f"find:{page.number + 1}"))
    foot = left_out(page.left_out, language)
    if not page.stories:
        return message(join("\n\n", [asked, phrase("search.none", language), foot]), [buttons])
    told = [
        item(story.told_in(language), page.feed_names, language, zone, now)
        for story in page.stories
    ]
    return message(join("\n\n", [asked, *told, foot]), [buttons])


def words_of_found(text: str) -> str | None:
    """The words that a page of ours was found by, from its text; None for another message."""
    first = text.partition("\n")[0]
    if not first.startswith(f"{FOUND_MARK} "):
        return None
    return first.removeprefix(f"{FOUND_MARK} ").strip() or None


def story(
    story: Story,
    style: Style,
    language: str,
    feed_names: Names,
    *,
    zone: str,
    now: datetime | None = None,
    bot: str = "",
) -> Message:
    """One story: headline, as much of the text as the style tells, who reports it and when.

    With the name of the `bot` it has buttons: to its page, and to share it.
    """
    story = story.told_in(language)
    foot = join(
        " · ",
        [reporters(story, feed_names, language), when(story.lead.at, language, zone, now=now)],
    )
    shown = told(
        bold(link(title(story, language), story.lead.entry.link)),
        text(story, style, language, zone),
        foot,
        story,
        language,
    )
    if not bot:
        return shown
    return Message(
        shown.text,
        shown.entities,
        ((*open_button(story, language), share_story(story.pk, bot, language)),),
    )


def open_button(story: Story, language: str) -> list[Button]:
    """Opens the page of its publisher, where it has a proper address."""
    address = safe_url(story.lead.entry.link)
    if address is None:
        return []
    return [Button(t("button.open", language), url=address)]


def pictured(story: Story, style: Style) -> str | None:
    """The page whose picture is shown with a story: where its feed allows that, and the reader
    wants more than a headline.
    """
    if not story.lead.pictures or style is Style.HEADLINE:
        return None
    return safe_url(story.lead.entry.link)


def share_story(story: int, bot: str, language: str) -> Button:
    """Passes a story on: the link opens it in a chat with the bot of this name."""
    address = f"https://t.me/{bot}?start={STORY_LINK}{story}"
    return share_button(address, language)


def told(title: Rich, text: Rich, foot: Rich, story: Story, language: str) -> Message:
    """Title, text and foot in one message; a text that is too long leads on to its page."""
    room = LIMIT - units(foot.text) - 2  # the empty line before the foot
    onward = Rich()
    if story.lead.entry.link:
        onward = link(t("news.read_on", language), story.lead.entry.link)
    shortened = cut(message(join("\n\n", [title, text])), room, more=onward)
    return message(join("\n\n", [shortened.body, foot]))


def headline(story: Story) -> str:
    """The lead's title on one line, as an operator worded it where one did; without one its first
    sentence, else its address.
    """
    if story.lead.headline:
        return story.lead.headline
    entry = story.lead.entry
    if title := one_line(entry.title):
        return title
    begins = message(one_line(first_sentence(entry.summary or entry.content)))
    return cut(begins, TITLE_LENGTH).text or entry.link or story.lead.feed


def title(story: Story, language: str) -> str:
    """The title of a story: its headline, and of a measured event the values in words, unless an
    operator found others.
    """
    hazard = Hazard.read(story.lead.entry.content)
    if hazard is not None and not story.lead.headline:
        return hazards.headline(hazard, language)
    return headline(story)


def measured(story: Story) -> bool:
    """Whether an institute measured it: its values are said in any language."""
    return Hazard.read(story.lead.entry.content) is not None


def text(story: Story, style: Style, language: str, zone: str | None = None) -> Rich:
    """The text below the title; of a measured event its point and its time in a `zone`, since the
    place stands in the title.
    """
    hazard = Hazard.read(story.lead.entry.content)
    if hazard is not None and style is not Style.HEADLINE:
        return hazards.point(hazard, story.lead.at, language, zone)
    return body(story, style) if hazard is None else Rich()


def body(story: Story, style: Style) -> Rich:
    """The text that the style tells and the lead's feed allows: all, one paragraph or none."""
    entry, styles = story.lead.entry, list(Style)  # the fullest first
    # a publisher's terms go before a reader's wish: the later in the list says less
    style = max(style, story.lead.style, key=styles.index)
    if style is Style.HEADLINE:
        return Rich()
    if style is Style.FULL:
        return Rich("\n\n".join(_paragraphs(entry.content or entry.summary, headline(story))))
    return _brief(_paragraphs(entry.summary or entry.content, headline(story)))


def reporters(story: Story, feed_names: Names, language: str, *, beside: bool = False) -> Rich:
    """The reporters: "24.kg, Kaktus · 2 sources"; after three names only the count goes on.

    Whoever is told the story in another language than theirs is told so: "24.kg · in Kyrgyz". With
    `beside` an agency's words stand beside what was measured.
    """
    names = []
    for feed in story.feeds[:REPORTERS_NAMED]:
        # a feed that left the catalog has no name any more, only its key
        name = name_of(dict(feed_names.get(feed, {})), language) or feed
        names.append(one_line(name))
    named = ", ".join(names)
    parts: list[Rich | str] = [named]
    if len(story.feeds) > 1:
        parts.append(counted("news.sources", len(story.feeds), language))
    parts.append(_in_another_language(story, language, beside=beside))
    return join(" · ", parts)


def _in_another_language(story: Story, language: str, *, beside: bool) -> str:
    """The language of the words that are told, where it is not the reader's; values have none."""
    for one in story.entries:
        if Hazard.read(one.entry.content) is None:
            return _written_in(one.entry.language, language)
        if not beside:  # the values are all that is told
            break
    return ""


def _written_in(written: str | None, language: str) -> str:
    if written is None or written == language:
        return ""
    if written not in LANGUAGES:
        return t("news.in.other", language)
    try:
        return t(f"news.in.{written}", language)
    except KeyError:  # no text says that of a language that was added
        return language_name(written, language)


def _paragraphs(text: str, title: str) -> list[str]:
    """The paragraphs of a text with the author's own line breaks in them, without the headline."""
    paragraphs: list[list[str]] = [[]]
    for raw in clean(text).split("\n"):
        line = _BLANKS.sub(" ", raw).strip(" ")
        if line.strip():
            paragraphs[-1].append(line)
        elif paragraphs[-1]:
            paragraphs.append([])
    # many feeds begin the text with the headline, and readers would see it twice
    if paragraphs[0] and one_line(paragraphs[0][0]) == title:
        del paragraphs[0][0]
    return ["\n".join(kept) for kept in filter(None, paragraphs)]


def _brief(paragraphs: Sequence[str]) -> Rich:
    """The first line of a text that says something, ended at a sentence where it is long."""
    if not paragraphs:
        return Rich()
    short = cut(message(paragraphs[0].partition("\n")[0]), BRIEF_LENGTH)
    return short.body


def left_out(count: int, language: str) -> Rich | None:
    """The line about the stories that filters kept back from a page of news; None of none."""
    if not count:
        return None
    return phrase("filters.left_out", language, n=count)


def item(story: Story, names: Names, language: str, zone: str, now: datetime) -> Rich:
    """A story among others: its headline, who reports it, and when it was."""
    head = link(title(story, language), story.lead.entry.link)
    if story.severity is Severity.URGENT:
        head = f"{URGENT_MARK} " + head
    at = when(story.lead.at, language, zone, now=now)
    return lines(head, join(" · ", [reporters(story, names, language), at]))


def _page_title(page: NewsPage, language: str) -> Rich:
    if page.topic is None:
        return bold(t("news.title", language))
    return bold(topic_name(page.topic, language))


def topic_name(topic: str, language: str) -> str:
    """A topic as the reader calls it; one we have no word for stays as it is."""
    try:
        return t(f"topic.{topic}", language)
    except KeyError:
        return topic


def _pages(page: NewsPage, language: str) -> list[Button]:
    """Newer to the left, older to the right, as one turns pages."""
    key = f"news:{page.topic or '-'}:"
    buttons = []
    if page.number:
        buttons.append(Button(t("news.newer", language), f"{key}{page.number - 1}"))
    if page.more:
        buttons.append(Button(t("news.older", language), f"{key}{page.number + 1}"))
    return buttons


def _filters(topics: Sequence[str], chosen: str | None, language: str) -> list[list[Button]]:
    buttons = []
    if chosen and topics:
        buttons.append(Button(t("news.all", language), "news:-:0"))
    for topic in topics:
        if topic != chosen:
            buttons.append(Button(topic_name(topic, language), f"news:{topic}:0"))
    return list(rows_of(buttons, 3))
