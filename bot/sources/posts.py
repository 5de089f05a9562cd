"""The posts of a public Telegram channel, by the preview that t.me shows to everybody.

`https://t.me/s/NAME` lists the latest twenty posts, the oldest first. A post is a
`tgme_widget_message` whose `data-post` is "NAME/ID"; its words are the first
`tgme_widget_message_text` that is not inside the reply above it, and an album is one post with one
text. A channel's own news (a new picture, a pinned post), polls, and posts that are a picture alone
say nothing that could be told.

Posts have no titles: the first sentence stands for one. An edited post keeps its id and says
nothing of when; its new words are found by comparing.

A channel that is private or gone, and one whose owner switched the preview off, is redirected to a
page that invites to the app: no error by its status. Runs in a worker process.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from typing import TYPE_CHECKING
from unicodedata import combining

from bot.errors import ParseError
from bot.languages import any_of, phrases_of, words_of
from bot.model.news import Entry
from bot.reasons import reason
from bot.sources.dates import parse_date
from bot.sources.encodings import decode
from bot.sources.listed import EntryReader
from bot.sources.specs import NewsSpec
from bot.sources.text import one_line
from bot.sources.trees import inner_text, tree_of

if TYPE_CHECKING:
    from lxml import html

LONGEST_HEADLINE = 200  # characters; a first sentence may be a whole post
ZERO_WIDTH_JOINER = "\u200d"


@dataclass(frozen=True, slots=True, kw_only=True)
class TelegramSpec(NewsSpec):
    """A public channel, by its name without @."""

    channel: str

    def entries(self, now: datetime) -> EntryReader:  # noqa: ARG002 - posts say the moment
        """The reader of its preview."""
        return partial(parse_posts, channel=self.channel, language=self.language)


def parse_posts(
    body: bytes,
    /,
    *,
    channel: str,
    url: str | None = None,  # noqa: ARG001 - links stand in the posts
    content_type: str | None = None,
    language: str | None = None,
) -> Sequence[Entry]:
    """The posts with words of a channel's preview, the newest first.

    Raises ParseError, in words for an operator, where t.me shows no channel.
    """
    page = tree_of(decode(body, content_type))
    if not page.xpath(_SHOWS_POSTS):
        raise ParseError(
            reason(
                "page.no_posts",
                "no posts of @{channel} are shown: it is private or gone, it is no channel, or its "
                "preview is switched off",
                channel=channel,
            )
        )
    entries: dict[str, Entry] = {}
    for post in reversed(page.xpath(_POSTS)):
        entry = _entry(post, language)
        if entry is not None:
            entries.setdefault(entry.id, entry)
    return tuple(entries.values())


def headline_of(text: str) -> str:
    """The first sentence of a post, in its first line that has a word beside hashtags, addresses,
    names of channels and calls for attention.
    """
    for line in text.splitlines():
        if not _WORD.search(_NO_WORDS.sub("", line)) or _only_calls(line):
            continue  # "⚡️", "#срочно", "СРОЧНО", the address of what is told about
        return _short(one_line(_first_sentence(line.strip())))
    return _short(one_line(text))


def _short(sentence: str) -> str:
    if len(sentence) <= LONGEST_HEADLINE:
        return sentence
    return sentence[: _end_of_a_word(sentence)] + "…"


def _end_of_a_word(sentence: str) -> int:
    """The place to cut a long one at: behind a word of its second half, else behind a letter with
    its marks, as in a script without spaces or in an address.
    """
    end = LONGEST_HEADLINE
    for at in range(end, end // 2, -1):
        if sentence[at].isspace():
            return at
    while end > 1 and (
        combining(sentence[end]) or ZERO_WIDTH_JOINER in sentence[end - 1 : end + 1]
    ):
        end -= 1
    return end


def _having(name: str) -> str:
    """The condition of an XPath on an element that has this class, among others."""
    return f"contains(concat(' ', normalize-space(@class), ' '), ' {name} ')"


_POSTS = f"//div[{_having('tgme_widget_message')}][not({_having('service_message')})][@data-post]"
# an empty channel has its head and no post; an invitation has neither
_SHOWS_POSTS = (
    f"//div[{_having('tgme_widget_message')}][@data-post]"
    f" | //*[{_having('tgme_channel_info')} or {_having('tgme_channel_history')}]"
)
_TEXT = f".//div[{_having('tgme_widget_message_text')}]"
_OF_A_REPLY = f"ancestor::*[{_having('tgme_widget_message_reply')}]"
_TEXTS = f"{_TEXT}[not({_OF_A_REPLY})]"
_MOMENT = f".//a[{_having('tgme_widget_message_date')}]//time/@datetime"
_NAMED = re.compile(r"[A-Za-z]\w{3,31}/[1-9][0-9]{0,18}", re.ASCII)


def _entry(post: html.HtmlElement, language: str | None) -> Entry | None:
    """One post; None where it has no words, or no name to find it by."""
    name = str(post.get("data-post"))
    texts = post.xpath(_TEXTS)
    if not texts or not _NAMED.fullmatch(name):
        return None
    text = inner_text(texts[0])
    if not _WORD.search(text):
        return None
    moments = post.xpath(_MOMENT)
    return Entry(
        id=name,
        title=headline_of(text),
        link=f"https://t.me/{name}",
        published_at=parse_date(str(moments[0])) if moments else None,
        content=text,
        language=language,
    )


_WORD = re.compile(r"\w")
_NO_WORDS = re.compile(r"#\w+|(?:https?://|www\.|t\.me/)\S+|(?<!\w)@\w+")
# the end of a sentence, its quotation marks and brackets included, before a new one
_END = re.compile(r"[.!?…]+[»”“\")\]]*(?=\s+[^\w\s]*([^\W_]))")


@cache
def _shortened() -> re.Pattern[str]:
    """Words that end in a full stop and end no sentence: "г. Бишкек", "Dr. Smith", initials."""
    words = any_of(words_of(lambda spoken: spoken.news.shortened))
    return re.compile(rf"(?:^|[\s(«„“\".])(?:\w|{words})\.$", re.IGNORECASE)


@cache
def _calls() -> re.Pattern[str]:
    """Words that call for attention and say nothing else: "Breaking", "Молния"."""
    phrases = map(str.strip, phrases_of(lambda spoken: spoken.news.calls))
    return re.compile(rf"[\W_]*(?:(?:{any_of(phrases)})[\W_]+)+", re.IGNORECASE)


def _only_calls(stretch: str) -> bool:
    # the end of a line ends its last word, too
    return _calls().fullmatch(f"{stretch}\n") is not None


def _first_sentence(line: str) -> str:
    for end in _END.finditer(line):
        begins = end[1]  # in capitals or figures, of whatever letters
        if not (begins.isupper() or begins.isdigit()) or _only_calls(line[: end.end()]):
            continue
        if not _shortened().search(line[: end.end()]):
            return line[: end.end()]
    return line
