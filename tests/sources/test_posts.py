"""Public Telegram channels by their preview: pages of our own, in the structure that t.me has."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import ConfigError, ParseError
from bot.ingest.trial import try_source
from bot.model.news import Entry
from bot.sources.catalog import parse_catalog
from bot.sources.posts import LONGEST_HEADLINE, headline_of, parse_posts
from storage.db import Store
from storage.schema import entry as stored_entry
from tests.factories import NOW
from tests.publishers import Publishers
from tests.world import Here, loopback_fetcher, polling

HEAD = (
    '<div class="tgme_channel_info"><div class="tgme_channel_info_header_title">Border</div></div>'
)
INVITATION = (
    b'<html><body><div class="tgme_page"><div class="tgme_page_title"><span>Border</span></div>'
    b'<div class="tgme_page_extra">1 234 subscribers</div><a class="tgme_action_button_new" '
    b'href="tg://resolve?domain=border">View in Telegram</a></div></body></html>'
)


def words(text: str) -> str:
    return f'<div class="tgme_widget_message_text js-message_text" dir="auto">{text}</div>'


def post(
    number: int,
    inside: str,
    *,
    more: str = "",
    at: str = "2026-11-28T09:15:07+06:00",
    meta: str = "",
) -> str:
    """A post, with what it holds; `more` classes, `meta` before its time."""
    return (
        f'<div class="tgme_widget_message_wrap js-widget_message_wrap"><div '
        f'class="tgme_widget_message {more} js-widget_message" data-post="border/{number}">'
        f'<div class="tgme_widget_message_bubble"><div class="tgme_widget_message_author">'
        f'<a class="tgme_widget_message_owner_name"><span>Border</span></a></div>{inside}'
        f'<div class="tgme_widget_message_footer"><div class="tgme_widget_message_info">'
        f'<span class="tgme_widget_message_views">1.2K</span>'
        f'<span class="tgme_widget_message_meta">{meta}<a class="tgme_widget_message_date" '
        f'href="https://t.me/border/{number}"><time datetime="{at}" class="time">09:15</time></a>'
        f"</span></div></div></div></div></div>"
    )


def preview(*posts: str) -> bytes:
    body = f'<main><section class="tgme_channel_history">{"".join(posts)}</section></main>'
    return f"<!DOCTYPE html><html><body>{HEAD}{body}</body></html>".encode()


def read(*posts: str) -> list[Entry]:
    return list(parse_posts(preview(*posts), channel="border", language="ru"))


PICTURE = '<a class="tgme_widget_message_photo_wrap" href="https://t.me/border/7?single"></a>'
POLL = (
    '<div class="tgme_widget_message_poll"><h4 class="tgme_widget_message_poll_question">Кто?</h4>'
    '<div class="tgme_widget_message_poll_option_text">Я</div></div>'
)


def test_a_post_is_an_entry_whose_first_sentence_is_the_headline() -> None:
    """Text as written, time with its zone, the address of the post; the newest first."""
    said = (
        'Закрыт КПП <b>«Кордай»</b>. Ремонт продлится до 6 утра.<br><br><i class="emoji"><b>⚠️</b>'
        '</i> Объезд через <a href="https://x.example/">Ак-Тилек</a> &amp; Токмок.'
    )
    first, second = read(post(1, words("Первый пост.")), post(2, words(said)))
    assert second.title == "Первый пост."
    assert first == Entry(
        id="border/2",
        title="Закрыт КПП «Кордай».",
        link="https://t.me/border/2",
        published_at=datetime(2026, 11, 28, 3, 15, 7, tzinfo=UTC),
        content=(
            "Закрыт КПП «Кордай». Ремонт продлится до 6 утра.\n\n⚠️ Объезд через Ак-Тилек & Токмок."
        ),
        language="ru",
    )


def test_edited_and_forwarded_posts_albums_and_replies_are_posts() -> None:
    """An album has one text; a reply's own words are told, not those it answers."""
    forwarded = (
        '<div class="tgme_widget_message_forwarded_from">Forwarded from <a class='
        '"tgme_widget_message_forwarded_from_name" href="https://t.me/other/5">Other</a></div>'
    )
    album = f'<div class="tgme_widget_message_grouped_wrap">{PICTURE * 3}</div>'
    reply = (
        '<a class="tgme_widget_message_reply" href="https://t.me/border/1"><div class='
        '"tgme_widget_message_text js-message_reply_text">Старое</div></a>'
    )
    card = '<a class="tgme_widget_message_link_preview"><b class="link_preview_title">Сайт</b></a>'
    found = read(
        post(1, words("Исправлено"), meta="edited "),
        post(2, forwarded + words("Чужое")),
        post(3, album + words("Альбом")),
        post(4, reply + words("Новое") + card),
        post(5, words(words("Вложено"))),
    )
    assert [one.content for one in found] == ["Вложено", "Новое", "Альбом", "Чужое", "Исправлено"]
    assert len({one.id for one in found}) == 5


def test_what_says_nothing_is_left_out() -> None:
    """Service posts, polls, pictures alone, emoji alone, what has no name."""
    nameless = post(9, words("Без имени")).replace('data-post="border/9"', 'data-post="../x"')
    found = read(
        post(1, words("Border pinned «Правила»"), more="service_message"),
        post(2, POLL),
        post(3, PICTURE),
        post(4, words("🔥🔥")),
        post(5, '<div class="message_media_not_supported_label">See in Telegram</div>'),
        nameless,
        post(6, words("Слова")),
    )
    assert [one.id for one in found] == ["border/6"]


def test_a_post_that_does_not_say_its_time_is_told_all_the_same() -> None:
    untimed = post(1, words("Слова")).replace("<time ", "<span ").replace("</time>", "</span>")
    assert [(one.content, one.published_at) for one in read(untimed)] == [("Слова", None)]


@pytest.mark.parametrize(
    "body",
    [INVITATION, b"<html><body>502</body></html>", b"", b"\x00\xff"],
    ids=["private, gone or without a preview", "a gateway", "nothing", "noise"],
)
def test_a_channel_that_is_not_shown_says_so_in_words(body: bytes) -> None:
    with pytest.raises(ParseError) as caught:
        parse_posts(body, channel="border")
    if body.strip(b"\x00\xff"):
        assert "no posts of @border are shown: it is private or gone" in str(caught.value)


def test_a_channel_without_posts_yet_is_no_error() -> None:
    assert read() == []


@pytest.mark.parametrize(
    ("text", "headline"),
    [
        ("Взрыв в г. Ош. Есть раненые.", "Взрыв в г. Ош."),
        ("Ул. Чуй перекрыта до 18.00. Объезд есть.", "Ул. Чуй перекрыта до 18.00."),
        ("Магнитуда 6.3 в 10 км. Жертв нет", "Магнитуда 6.3 в 10 км."),
        ("Президент С. Жапаров прибыл! Встреча в 9.", "Президент С. Жапаров прибыл!"),
        ("«Всё кончено.» Так он сказал", "«Всё кончено.»"),
        ("⚡️\n#срочно #Ош\n⚡️Землетрясение\nВторая строка", "⚡️Землетрясение"),
        ("Что происходит? ⚡️Рассказываем", "Что происходит?"),
        ("Жүк 5 тн. менен келди. Жол ачык.", "Жүк 5 тн. менен келди."),
        ("Нет точки и нет конца", "Нет точки и нет конца"),
        ("Бүгүн жол жабык. Өтмөк иштебейт.", "Бүгүн жол жабык."),
        ("Dr. Smith left U.S. Embassy. He is well.", "Dr. Smith left U.S. Embassy."),
        ("#срочно", "#срочно"),
        ("https://t.me/a/1\n@border t.me/b\nЗемлетрясение", "Землетрясение"),
        ("❗️СРОЧНО / Молния\n\nСтрельба на границе", "Стрельба на границе"),
        ("⚡️Шашылыш кабар! Ошто жарылуу болду. Бири", "⚡️Шашылыш кабар! Ошто жарылуу болду."),
        ("Срочно требуется кровь. Звоните", "Срочно требуется кровь."),
        ("Срочно!", "Срочно!"),
    ],
)
def test_the_headline_is_the_first_sentence(text: str, headline: str) -> None:
    assert headline_of(text) == headline


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("слово " * 400, "слово…"),
        ("слово\N{NO-BREAK SPACE}" * 400, "слово…"),
        ("https://example.org/" + "a" * 400, "a" * 180 + "…"),
        ("新聞" * 400, "新聞…"),
        ("Отчёт: " + "a" * 400, "a" * 193 + "…"),
        ("a" * 199 + "и\N{COMBINING BREVE}" * 200, "a" * 199 + "…"),
    ],
    ids=["words", "no-break spaces", "an address", "no spaces", "a word before it", "marks"],
)
def test_a_post_of_one_long_sentence_has_a_headline_of_its_beginning(text: str, end: str) -> None:
    """It ends behind a word where there is one, and behind a letter's marks."""
    headline = headline_of(text)
    assert len(headline) <= LONGEST_HEADLINE + 1
    assert headline.endswith(end)
    assert len(headline) > LONGEST_HEADLINE // 2


@given(st.text(max_size=300))
def test_any_text_gives_a_headline_on_one_line(text: str) -> None:
    headline = headline_of(text)
    assert "\n" not in headline
    assert len(headline) <= 1000


@given(st.binary(max_size=400))
def test_any_bytes_are_posts_or_a_parse_error(body: bytes) -> None:
    with suppress(ParseError):
        parse_posts(b'<div class="tgme_widget_message" data-post="a' + body, channel="x")


SECTION = (
    '[telegram.border]\nname = {{ en = "Border Service" }}\nchannel = "{0}"\nlanguage = "ru"\n'
)


@pytest.mark.parametrize("name", ["border_kg", "@border_kg", "https://t.me/border_kg", "t.me/s/x"])
def test_the_catalog_takes_the_name_in_its_usual_forms(name: str) -> None:
    if name == "t.me/s/x":
        with pytest.raises(ConfigError, match=r"\[telegram\.border\] channel: should be"):
            parse_catalog(SECTION.format(name))
        return
    spec = parse_catalog(SECTION.format(name)).news["border"]
    assert spec.url == "https://t.me/s/border_kg"
    assert spec.poll.every.total_seconds() == 300


async def test_a_channel_is_polled_and_its_edits_are_taken_over(store: Store) -> None:
    """New posts are new entries once; a changed first sentence is a new headline, no new entry."""

    def catalog(url: str) -> object:
        return parse_catalog(SECTION.format("border_kg") + f'url = "{url}/s/border_kg"\n')

    async with polling(store, catalog, now=NOW) as world:  # type: ignore[arg-type]  # the test's own
        at = NOW.isoformat()
        world.serve("border", preview(post(1, words("Граница открыта."), at=at)))
        assert (await world.poll("border")).new == 1
        edited = post(1, words("Граница закрыта. Ждите."), at=at, meta="edited ")
        world.serve("border", preview(edited, post(2, words("Второй пост."), at=at)))
        assert (await world.poll("border")).new == 1
        assert (await world.poll("border")).new == 0
        rows = await world.stored(stored_entry)
    assert sorted((row.guid, row.title) for row in rows) == [
        ("border/1", "Граница закрыта."),
        ("border/2", "Второй пост."),
    ]


async def test_check_sources_says_what_a_private_channel_is() -> None:
    async with Publishers() as publishers, loopback_fetcher() as fetcher:
        publishers.put("/s/border_kg", INVITATION, kind="text/html")
        text = SECTION.format("border_kg") + f'url = "{publishers.url}/s/border_kg"\n'
        (spec,) = parse_catalog(text).polled
        trial = await try_source(spec, fetcher, Here(), now=NOW)
    assert not trial.ok
    assert "@border_kg are shown: it is private or gone" in trial.words
