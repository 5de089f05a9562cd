"""A text travels unchanged from its source to the reader: feed or page, store, digest, /news,
Telegram.
"""

from __future__ import annotations

import asyncio
import html
import json
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import date
from pathlib import Path

import pytest

import storage.chats
from bot.deliver.compose import Composer
from bot.deliver.editor import ChannelEditor
from bot.deliver.unread import UnreadAlerts
from bot.deliver.worker import Worker
from bot.detect.security import detect
from bot.detect.stories import same_story, title_key
from bot.detect.topics import topics_of
from bot.emulator import TEST_TOKEN, Emulator
from bot.ingest import Ingest
from bot.model.chats import ChatKind, Style
from bot.model.news import Story
from bot.model.text import comparable, has_invisible, without_invisible
from bot.readers.news import news_page
from bot.reasons import Reason
from bot.render import digest as digest_words
from bot.render import news as news_words
from bot.render.cutting import cut
from bot.render.text import message
from bot.running import process_name
from bot.sources.catalog import parse_catalog
from bot.sources.feeds import parse_feed
from bot.sources.pages import parse_article
from bot.telegram.api import Api
from bot.telegram.session import open_session
from bot.workers import Workers
from storage.db import Store
from tests.factories import chat as a_chat
from tests.factories import entry
from tests.publishers import Publishers, daily
from tests.test_cli import jarchy
from tests.test_ingest import NOW
from tests.world import Here, loopback_fetcher

TITLE = "Жарчы сообщает: «мост» в\u00a0Ноокате открыт, цена 1\u202f200\u00a0сом"
# One line for each kind of character that got lost somewhere: in a feed reader, a store, a
# renderer.
LINES = {
    "no-break space": "in\u00a0the region of\u00a0Osh",
    "narrow and thin space": "1\u202f200 som, 40\u2009km, 5\u2007%",
    "soft hyphen": "со\u00adвме\u00adстные уси\u00adлия",
    "quotes and dashes": "„so“, ‚so‘, «ёлочки», “so” — – ‑ …",
    "emoji of several parts": "👩\u200d👩\u200d👧\u200d👦 ❤\ufe0f\u200d🔥 👍🏽 🇰🇬 1\ufe0f\u20e3",
    "a flag made of tags": "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f goes on",
    "variation selectors": "☎\ufe0e and ☎\ufe0f",
    "combining letters": "за\u0301мок и\u0306 е\u0308 q\u0307\u0323",
    "Kyrgyz letters": "Бүгүн Өкмөт жаңы чечим кабыл алды: Ү, Ө, Ң",
    "joiners that are spelling": "می\u200cخواهم क्\u200dष",
    "signs of markup": 'AT&T <b> 1 < 2 & 3 > 2 "so"',
}
TEXT = "\n\n".join(LINES.values())
BROKEN = "First line\nsecond line of\u00a0it\n\nAnother paragraph"
PUBLISHED = "Wed, 20 Oct 2021 06:00:00 +0000"


def paragraphs(text: str, *, named: bool = False) -> str:
    """HTML of a text: paragraphs, and breaks in them; no-break spaces by their name, where
    wanted.
    """
    blocks = (
        html.escape(block, quote=False).replace("\n", "<br/>") for block in text.split("\n\n")
    )
    whole = "\n".join(f"<p>{block}</p>" for block in blocks)
    return whole.replace("\u00a0", "&nbsp;").replace("\u00ad", "&shy;") if named else whole


def rss(title: str, body: str) -> bytes:
    item = f"<guid>1</guid><title>{html.escape(title)}</title><link>https://news.example/1</link>"
    whole = f"{item}<pubDate>{PUBLISHED}</pubDate>{body}"
    space = 'xmlns:content="http://purl.org/rss/1.0/modules/content/"'
    channel = f"<channel><item>{whole}</item></channel>"
    return f'<?xml version="1.0"?><rss version="2.0" {space}>{channel}</rss>'.encode()


def atom(title: str, body: str) -> bytes:
    item = f'<id>1</id><title>{html.escape(title)}</title><link href="https://news.example/1"/>'
    whole = f"<entry>{item}<published>2021-10-20T06:00:00Z</published>{body}</entry>"
    return f'<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom">{whole}</feed>'.encode()


def json_feed(title: str, **fields: str) -> bytes:
    item = {
        "id": "1",
        "url": "https://news.example/1",
        "title": title,
        "date_published": "2021-10-20T06:00:00Z",
    }
    return json.dumps(
        {"version": "https://jsonfeed.org/version/1.1", "items": [item | fields]}
    ).encode()


def escaped(text: str, *, named: bool = False) -> str:
    return html.escape(paragraphs(text, named=named))


FORMS: dict[str, Callable[[str, str], bytes]] = {
    "RSS description": lambda title, text: rss(
        title, f"<description>{escaped(text)}</description>"
    ),
    "RSS description in CDATA": lambda title, text: rss(
        title, f"<description><![CDATA[{paragraphs(text)}]]></description>"
    ),
    "RSS content:encoded": lambda title, text: rss(
        title,
        "<description>In short.</description>"
        f"<content:encoded><![CDATA[{paragraphs(text, named=True)}]]></content:encoded>",
    ),
    "RSS by character references": lambda title, text: rss(
        title,
        "<description>"
        f"{escaped(text, named=True).replace('&amp;nbsp;', '&amp;#160;')}"
        "</description>",
    ),
    "Atom html": lambda title, text: atom(title, f'<content type="html">{escaped(text)}</content>'),
    "Atom xhtml": lambda title, text: atom(
        title,
        '<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">'
        f"{paragraphs(text)}</div></content>",
    ),
    "JSON Feed content_html": lambda title, text: json_feed(
        title, content_html=paragraphs(text, named=True)
    ),
    "JSON Feed content_text": lambda title, text: json_feed(title, content_text=text),
}


@pytest.mark.parametrize(
    "text", [TEXT, BROKEN, *LINES.values()], ids=["all", "line breaks", *LINES]
)
@pytest.mark.parametrize("form", FORMS)
def test_F25_a_feeds_text_is_read_as_it_was_written(form: str, text: str) -> None:
    """Every form a feed has for a text, every kind of character."""
    (read,) = parse_feed(FORMS[form](TITLE, text)).entries
    wanted = (
        text.replace('AT&T <b> 1 < 2 & 3 > 2 "so"', 'AT&T  1 < 2 & 3 > 2 "so"')
        if "_text" in form
        else text
    )
    assert read.title == TITLE
    assert (read.content or read.summary).split("\n") == wanted.replace("  ", " ").split("\n")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.cases(keep=4)
def test_F25_a_space_at_the_edge_of_a_title_or_a_text_is_no_word_of_the_source(form: str) -> None:
    """Of whatever kind: it keeps nothing apart, feed libraries and Telegram take it away as well,
    and systems that publish leave it there by mistake. Within a text every one stays, those at the
    edges of its lines too: verse is set in by them.
    """
    inner = "in\u00a0Osh,\u202f40\u2009km\n\u00a0\u00a0set in\n\nthe end"
    for edge in ("\u00a0", "\u202f", "\u2009", "\u3000", "\u00a0 \u00a0"):
        [read] = parse_feed(FORMS[form](f"{edge}{TITLE}{edge}", f"{edge}{inner}{edge}")).entries
        assert read.title == TITLE
        # what is laid out in columns has its first line's indent too
        indent = edge if form == "JSON Feed content_text" else ""
        assert (read.content or read.summary) == indent + inner


@pytest.mark.parametrize(
    "text", ["USD    84,79\n  EUR   98,85", "a  b", "wide\u2003 \u00a0 spaces", "1 < 2  &  3 > 2"]
)
def test_F25_a_plain_text_keeps_its_columns(text: str) -> None:
    """A text that a feed promises to be plain has no layout but its own."""
    (read,) = parse_feed(json_feed(TITLE, content_text=f"\n{text} \n\n\n\nend  ")).entries
    assert read.content == f"{text}\n\nend"


def pictured(alt: str) -> str:
    """A picture as WordPress puts it in the place of an emoji, in every feed."""
    at = 'src="https://s.w.org/images/core/emoji/15.0.3/72x72/1f525.png"'
    return f'<img {at} alt="{alt}" class="wp-smiley" style="height: 1em; max-height: 1em;" />'


@pytest.mark.parametrize(
    "emoji", [*LINES["emoji of several parts"].split(), "⚡\ufe0f", "&#x1f525;"]
)
def test_F25_an_emoji_that_a_publisher_made_a_picture_of_is_one_again(emoji: str) -> None:
    """In a feed and on a page, by a selector and by the extractor; no other picture is text."""
    said, shown = html.unescape(emoji), f"{pictured('A bridge, 5')}{pictured(emoji)}"
    paragraph = f"<p>Мост {shown}\u00a0открыт, проезд бесплатный для всех до первого числа.</p>"
    told = f"Мост {said}\u00a0открыт, проезд бесплатный для всех до первого числа."
    (read,) = parse_feed(rss(TITLE, f"<description><![CDATA[{paragraph}]]></description>")).entries
    assert read.summary == told
    page = f"<title>{TITLE}</title><body><article>{paragraph * 4}</article>".encode()
    for selector in ("article", None):
        assert parse_article(page, selector=selector).text.split("\n\n")[0] == told


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("&#55357;&#56832;", "😀"),
        ("&#xD83D;&#56832;", "😀"),
        ("&#xd83d&#x0de00;", "😀"),
        ("&#55357;", ""),
        ("&#xDE00;&#xD83D;&#128512;", "😀"),
        ("&#1114112;&#99999999999;&#x110000;&#0001078;", "ж"),
        ("\ud83d\ude00", "😀"),
    ],
)
def test_F25_an_emoji_in_two_halves_is_one_and_what_is_no_character_spoils_nothing(
    written: str, read: str
) -> None:
    """As UTF-16 has it, by two references or in six bytes, however they are escaped."""
    raw = written.encode("utf-8", "surrogatepass")
    for markup in (raw, b"<![CDATA[%s]]>" % raw, raw.replace(b"&", b"&amp;")):
        body = rss(TITLE, "<description>Мост @ открыт.</description>").replace(b"@", markup)
        [entry_read] = parse_feed(body).entries
        assert entry_read.summary == f"Мост {read} открыт.".replace("  ", " ")
    page = b"<title>A</title><body><p>%s.</p>" % raw
    assert parse_article(page, selector="p").text == f"{read}."


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Сказал: <q>мост <q cite=a>Ала-Тоо</q> открыт</q>", "Сказал: «мост „Ала-Тоо“ открыт»"),
        ("He said: <Q>the <q>old</q> bridge</Q>", "He said: “the ‘old’ bridge”"),
        ("</q>Айтты: <q><q>Ак көпүрө</q></q><q> </q>", "Айтты: «„Ак көпүрө“»"),
    ],
)
def test_F25_a_quotation_keeps_its_marks_where_they_are_an_element(written: str, read: str) -> None:
    """In a feed and on a page, by a selector and by the extractor."""
    tail = ", and\u00a0the way over it is free for all of them until the first of the month."
    paragraph, told = f"<p>{written}{tail}</p>", f"{read}{tail}"
    (found,) = parse_feed(
        rss(TITLE, f"<description>{html.escape(paragraph)}</description>")
    ).entries
    assert found.summary == told
    page = f"<title>{TITLE}</title><body><article>{paragraph * 4}</article>".encode()
    for selector in ("article", None):
        assert parse_article(page, selector=selector).text.split("\n\n")[0] == told


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("a\x00b\x1bc\x7f", "abc"),
        ("\u202eevil\u202c \u2066x\u2069 \u200e\u200f\u061c", "evil x "),
        ("zero\u200bwidth\ufeff\u2060", "zerowidth"),
        ("a\u200db \u200d👩\u200d", "ab 👩"),
        ("\U000e0067\U000e0062 tags alone", " tags alone"),
        ("z" + "\u0301" * 50, "z\u0301\u0301\u0301"),
        ("ก" + "็" * 50, "ก" + "็" * 3),
    ],
)
def test_F25_only_what_is_invisible_and_deceives_is_taken_out(written: str, read: str) -> None:
    """Controls, direction overrides, zero-width characters that join nothing, towers of marks."""
    assert without_invisible(written) == read
    assert without_invisible(read) == read
    assert has_invisible(written) or "\u0301" in written or "็" in written


FEED = """
[rates.nbkr]
name = {{ en = "National Bank" }}
urls = ["{url}/daily.xml"]
[feeds.one]
name = {{ en = "One" }}
url = "{url}/one"
style = "full"
language = "ru"
[pages.chosen]
name = {{ en = "Page" }}
url = "{url}/list"
item = "li"
link = "a"
body = "div.text"
style = "full"
language = "ru"
[pages.found]
name = {{ en = "Page" }}
url = "{url}/list"
item = "ul > li"
link = "a"
style = "full"
language = "ru"
"""


class World:
    """Publishers, a store, the flow."""

    def __init__(self, publishers: Publishers, ingest: Ingest) -> None:
        self.publishers, self.ingest, self.store = publishers, ingest, ingest.store
        self.catalog = parse_catalog(FEED.format(url=publishers.url))

    async def story(self, key: str) -> Story:
        """A source is polled and has one story: as it is shown."""
        report = await self.ingest.poll(self.catalog.news[key])
        assert (report.error, report.new) == (None, 1)
        async with self.store.reading() as db:
            page = await news_page(db, self.catalog, topic=None, number=0, now=NOW)
        return page.stories[0]

    def site(self, title: str, text: str) -> None:
        """A list page and the article behind its only headline."""
        listed = (
            f"<html><body><ul><li><a href='/a/1'>{html.escape(title)}</a></li></ul></body></html>"
        )
        head = f"<head><title>{html.escape(title)}</title></head>"
        article = (
            f"<article><h1>{html.escape(title)}</h1><div "
            f"class='text'>{paragraphs(text, named=True)}</div></article>"
        )
        self.publishers.put(
            "/list", listed.encode(), kind="text/html; charset=utf-8".partition(";")[0]
        )
        self.publishers.put(
            "/a/1", f"<html>{head}<body>{article}</body></html>".encode(), kind="text/html"
        )


@pytest.fixture
async def world(store: Store) -> AsyncIterator[World]:
    """Nothing polled yet."""
    async with Publishers() as publishers, Here() as workers, loopback_fetcher() as fetcher:
        yield World(
            publishers, Ingest(store=store, fetcher=fetcher, workers=workers, clock=lambda: NOW)
        )


@pytest.fixture
async def working(store: Store) -> AsyncIterator[World]:
    """The same, in which documents are read by a worker process, as in the program."""
    async with (
        Publishers() as publishers,
        Workers(size=1) as workers,
        loopback_fetcher() as fetcher,
    ):
        yield World(
            publishers, Ingest(store=store, fetcher=fetcher, workers=workers, clock=lambda: NOW)
        )


@pytest.mark.parametrize("form", [*FORMS, "page"])
@pytest.mark.cases(keep=5)
async def test_F25_what_is_stored_and_shown_is_what_the_source_wrote(
    world: World, form: str
) -> None:
    """On every database; the digest and /news say the source's characters."""
    if form == "page":
        world.site(TITLE, BROKEN + "\n\n" + TEXT)
    else:
        world.publishers.put("/one", FORMS[form](TITLE, BROKEN + "\n\n" + TEXT))
    story = await world.story("chosen" if form == "page" else "one")
    stored = story.lead.entry.content or story.lead.entry.summary
    assert stored.startswith(BROKEN + "\n\n")
    wanted = stored if form == "JSON Feed content_text" else f"{BROKEN}\n\n{TEXT}"
    assert (
        digest_words.digest([], story, Style.FULL, "ru", date(2021, 10, 20), plain=True).text
        == f"{TITLE}\n\n{wanted}"
    )
    shown = news_words.story(story, Style.FULL, "ru", {}, zone="UTC", now=NOW)
    assert shown.text.startswith(f"{TITLE}\n\n{wanted}\n\n")


async def test_F25_a_page_that_names_no_selector_keeps_its_characters_too(working: World) -> None:
    """The extractor turns every space into a plain one; the page's own are put back."""
    said = [
        f"Сообщает корреспондент\u00a0№\u202f{n}: на\u00a0мосту в\u00a0Ноокате уси\u00adлен "
        f"кон\u00adтроль, «пост {n}»."
        for n in range(6)
    ]
    text = "\n\n".join(said)
    working.site(TITLE, text)
    story = await working.story("found")
    assert story.lead.entry.content in {
        text,
        f"{TITLE}\n\n{text}",
    }  # a headline that is repeated is not shown twice


SPOKEN = (
    "Сообщает корреспондент: мост в\u00a0Ноокате открыт, проезд стоит 1\u202f200\u00a0сом, "
    "со\u00adвместные по\u00adсты — на\u00a0обоих берегах."
)


PICTURE = "<figure><img src=a><figcaption>У\u00a0моста</figcaption></figure>"
LEFT_OUT = {
    "a list": f"<ul><li>{SPOKEN}</li><li>Второй\u00a0пункт о\u00a0том же мосте.</li></ul>",
    "a picture": "<p>" + SPOKEN.replace(",", f"{PICTURE},", 1) + "</p>",
    "what is hidden": (
        "<p>" + SPOKEN.replace("открыт", "<span style=display:none>мост в</span>открыт") + "</p>"
    ),
}


@pytest.mark.parametrize("markup", LEFT_OUT.values(), ids=LEFT_OUT.keys())
def test_F25_what_the_extractor_leaves_out_costs_no_character_of_the_rest(markup: str) -> None:
    """Of a paragraph with a picture, a list; also without a selector."""
    more = "".join(
        f"<p>Абзац {n} о\u00a0том, как чинят дорогу и\u00a0строят новый мост через реку.</p>"
        for n in range(4)
    )
    page = (
        f"<html><head><title>{TITLE}</title></head><body><article>{markup}{more}</article></body>"
    )
    text = parse_article(page.encode()).text
    assert SPOKEN in text
    assert "Абзац 3 о\u00a0том, как чинят дорогу и\u00a0строят" in text


async def _no_trouble(msgid: str, values: dict[str, str], *_why: Reason) -> None:
    raise AssertionError(f"{msgid}: {values}")


READER = 1001
ATTACK = (
    "Взрыв на\u00a0рынке в\u00a0Оше: 14\u00a0погибших",
    (
        "Бомба сработала в\u00a011:20 у\u202fсеверных ворот, ми\u00adлиция ищет\u2009«серый "
        "фургон» 👩\u200d🚒.\n\nАбзац."
    ),
)


async def test_F25_a_message_says_what_the_source_wrote(world: World) -> None:
    """Feed, store, outbox, worker, Telegram: the text of the alert that arrives."""
    async with Emulator(TEST_TOKEN) as emulator, open_session() as session:
        emulator.add_private(emulator.add_user(READER, "Reader", "ru"))
        async with world.store.writing() as db:
            reader = a_chat(READER, kind=ChatKind.PRIVATE, language="ru", style=Style.FULL)
            await storage.chats.add(db, reader, now=NOW)
            await storage.chats.subscribe(db, READER, ["topic:security"], now=NOW)
        world.publishers.put("/one", json_feed("Яблоки", content_text="Урожай."))
        await world.ingest.poll(world.catalog.news["one"])
        fresh = {"date_published": NOW.isoformat(), "id": "2", "url": "https://news.example/2"}
        world.publishers.put(
            "/one", json_feed(ATTACK[0], content_html=paragraphs(ATTACK[1], named=True), **fresh)
        )
        assert (await world.ingest.poll(world.catalog.news["one"])).alerts == 1
        worker = Worker(
            store=world.store,
            api=Api(session, url=emulator.api_url, token=TEST_TOKEN),
            composer=Composer(world.store, world.catalog),
            editor=ChannelEditor(feeds=world.catalog.news),
            unread=UnreadAlerts(_no_trouble),
            token_name="t",
            holder=process_name(),
            rate=100.0,
            on_trouble=_no_trouble,
        )
        sending = asyncio.create_task(worker.run())
        arrived = await emulator.wait_message(
            READER, lambda sent: ATTACK[0] in sent.get("text", ""), timeout=30
        )
        worker.stop()
        await sending
    assert f"{ATTACK[0]}\n\n{ATTACK[1]}\n\n" in arrived["text"]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.cases(keep=1)
async def test_F25_the_sample_comes_out_of_a_feed_byte_for_byte(
    tmp_path: Path, shared: Path, form: str
) -> None:
    """`jarchy poll`, then `jarchy digest`: the digest that started the project."""
    sample = (shared / "seed" / "sample.txt").read_bytes().decode()
    _, title, text = sample.split("\n\n", 2)
    assert await _digest(tmp_path, FORMS[form](title, text), ["--language", "en"]) == sample


async def test_F25_a_sample_of_our_own_comes_out_of_a_feed_byte_for_byte(tmp_path: Path) -> None:
    """The same with a text of this project's."""
    text = "The ministers\u00a0met in\u00a0Osh\u202f– „at\u00a0last“.\n\n"
    text += "Border guards of\u00a0both sides agreed.\nA map\u2009follows."
    said = await _digest(
        tmp_path,
        FORMS["RSS content:encoded"]("Border talks in\u00a0Osh", text),
        ["--language", "en"],
    )
    assert said == f"USD 84.79\nEUR 98.85\nRUB 1.19\n\nBorder talks in\u00a0Osh\n\n{text}"


async def _digest(folder: Path, feed: bytes, words: Sequence[str]) -> str:
    """The output of `jarchy digest` for 20 October 2021, after a bank and a feed were polled."""
    async with Publishers() as publishers:
        publishers.put("/one", feed)
        publishers.put("/daily.xml", daily("20.10.2021", "84,7935", "98,8523", "1,1948"))
        (folder / "catalog.toml").write_text(
            FEED.format(url=publishers.url).replace('"ru"', '"en"')
        )
        settings = {"CATALOG": str(folder / "catalog.toml"), "LOG_LEVEL": "error"}
        polled = await asyncio.to_thread(jarchy, folder, "poll", "nbkr", "one", **settings)
        assert polled.returncode == 0, polled.stderr
    command = ["digest", "--date", "2021-10-20", "--plain", "--style", "full", *words]
    done = await asyncio.to_thread(jarchy, folder, *command, **settings)
    assert done.returncode == 0, done.stderr
    return done.stdout.decode().removesuffix("\n")


def test_F25_only_comparisons_normalise() -> None:
    """The same words with other spaces, hyphenation and marks are the same story, detected
    alike.
    """
    plain = entry(
        title="Взрыв на рынке в Оше, погибли 14",
        summary="Бомба сработала у ворот милиции.",
        language="ru",
    )
    written = entry(
        title="Взрыв на\u00a0рынке в\u2009Оше, по\u00adгиб\u00adли\u202f14",
        summary="Бом\u00adба сра\u00adбо\u00adта\u00adла у\u00a0воро\u0301т ми\u00adлиции.",
        language="ru",
    )
    assert title_key(plain.title) == title_key(written.title)
    assert same_story(plain, written).same
    assert detect(plain.title, plain.summary) == detect(written.title, written.summary)
    money = "Курс до\u00adлла\u00adра и\u00a0ин\u00adфляция"
    assert topics_of(money, "", "ru") == topics_of(comparable(money), "", "ru") != ()


@pytest.mark.parametrize("limit", range(8, 34))
def test_F25_a_cut_never_splits_an_emoji_of_several_parts(limit: int) -> None:
    """A cut in the middle of a family would show other people."""
    family = "👩\u200d👩\u200d👧"
    short = cut(message(f"abcd{family}{family}🇰🇬{family}{family}"), limit).text.rstrip("…")
    assert short.replace(family, "") in {"abcd", "abcd🇰🇬"}
