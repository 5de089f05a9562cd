"""Feeds of every format and encoding come out as the same plain entries."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import ParseError
from bot.model.news import Entry
from bot.sources.dates import parse_date
from bot.sources.encodings import decode
from bot.sources.entries import Feed, two_letter
from bot.sources.feeds import parse_feed
from bot.sources.links import absolute_link, normalise_link
from bot.sources.text import clean

SEEN = datetime(2021, 10, 20, 9, 12, tzinfo=UTC)
RUSSIAN = "На границе двух областей открыли новый пункт пропуска, сообщили в ведомстве"


def rss(
    item: str,
    *,
    channel: str = "<title>T</title>",
    head: str = "<?xml version='1.0' encoding='utf-8'?>",
) -> str:
    return (
        f"{head}<rss version='2.0' xmlns:content='http://purl.org/rss/1.0/modules/content/' "
        f"xmlns:dc='http://purl.org/dc/elements/1.1/'><channel>{channel}"
        f"<item>{item}</item></channel></rss>"
    )


def atom(entry: str, *, root: str = "") -> str:
    return (
        f"<feed xmlns='http://www.w3.org/2005/Atom' "
        f"{root}><title>Вестник</title><entry>{entry}</entry></feed>"
    )


def only(document: str | bytes, url: str | None = None) -> Entry:
    feed = parse_feed(document.encode() if isinstance(document, str) else document, url=url)
    assert len(feed.entries) == 1
    return feed.entries[0]


WANTED = Entry(
    id="n-1",
    title="Мост открыт",
    link="https://news.example/1",
    published_at=SEEN,
    summary="Коротко о мосте.",
    content="Первый абзац.\n\nВторой абзац.",
    language="ru",
)
FORMATS = {
    "rss20": rss(
        "<title>Мост открыт</title><link>https://news.example/1</link><guid "
        "isPermaLink='false'>n-1</guid>"
        "<pubDate>Wed, 20 Oct 2021 15:12:00 +0600</pubDate><description>Коротко о "
        "мосте.</description>"
        "<content:encoded><![CDATA[<p>Первый абзац.</p><p>Второй абзац.</p>]]></content:encoded>",
        channel="<title>Вестник</title><language>ru-RU</language>",
    ),
    "rss092": (
        "<rss version='0.92'><channel><title>Вестник</title><language>ru</language>"
        "<item><title>Мост открыт</title><link>https://news.example/1</link><guid>n-1</guid>"
        "<pubDate>2021-10-20 09:12:00</pubDate><description>Коротко о мосте.</description>"
        "<fullitem>&lt;p&gt;Первый абзац.&lt;p&gt;Второй абзац.</fullitem></item></channel></rss>"
    ),
    "rdf": (
        "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' "
        "xmlns='http://purl.org/rss/1.0/' xmlns:dc='http://purl.org/dc/elements/1.1/' "
        "xmlns:content='http://purl.org/rss/1.0/modules/content/'>"
        "<channel rdf:about='https://news.example/'>"
        "<title>Вестник</title><dc:language>ru</dc:language></channel>"
        "<item rdf:about='n-1'><title>Мост открыт</title><link>https://news.example/1</link>"
        "<dc:date>2021-10-20T15:12:00+06:00</dc:date><description>Коротко о мосте.</description>"
        "<content:encoded>&lt;div&gt;Первый абзац.&lt;/div&gt;"
        "&lt;div&gt;Второй абзац.&lt;/div&gt;</content:encoded></item></rdf:RDF>"
    ),
    "atom10": atom(
        "<id>n-1</id><title type='html'>Мост &lt;b&gt;открыт&lt;/b&gt;</title>"
        "<link href='https://news.example/1'/>"
        "<link rel='enclosure' href='https://news.example/1.mp3'/>"
        "<published>2021-10-20T09:12:00Z</published><summary>Коротко о мосте.</summary>"
        "<content type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml'>"
        "<p>Первый абзац.</p><p>Второй абзац.</p></div></content>",
        root="xml:lang='ru'",
    ),
    "atom03": (
        "<feed version='0.3' xmlns='http://purl.org/atom/ns#' xml:lang='ru'><title>Вестник</title>"
        "<entry><id>n-1</id><title mode='escaped' type='text/html'>Мост открыт</title>"
        "<issued>2021-10-20T15:12:00+06:00</issued>"
        "<link rel='alternate' type='text/html' href='https://news.example/1'/>"
        "<summary>Коротко о мосте.</summary><content type='text/html' mode='escaped'>"
        "&lt;p&gt;Первый абзац.&lt;/p&gt; &lt;p&gt;Второй абзац.</content></entry></feed>"
    ),
    "json": (
        '{"version": "https://jsonfeed.org/version/1.1", "title": "Вестник", "language": "ru-RU", '
        '"items": [{"id": "n-1", "url": "https://news.example/1", "title": "Мост открыт", '
        '"summary": "Коротко о мосте.", "date_published": "2021-10-20T15:12:00+06:00", '
        '"content_html": "<p>Первый абзац.</p><p>Второй абзац.</p>"}]}'
    ),
}


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_tells_the_same_story(name: str) -> None:
    feed = parse_feed(FORMATS[name].encode())
    (entry,) = feed.entries
    assert (feed.title, feed.language) == ("Вестник", "ru")
    expected = dict(vars(WANTED))
    got = dict(vars(entry))
    if name == "rdf":  # dc:date does not say whether it is the first or the last one
        expected["updated_at"] = SEEN
    assert got == expected


@pytest.mark.parametrize(
    "body",
    [
        b"", b" ", b"\0\0\0\0", b"hello", b"{}", b"[]", b"{broken", b"\xff\xfe\x00",
        b'{"version": "1", "items": []}',
        b"<html><head><title>Log in</title></head><body><form></form></body></html>",
        b"<!DOCTYPE html><html><body><p>Not found</body></html>",
        b"<?xml version='1.0'?><error>503</error>",
        (b"<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'>"
         b"<url><loc>http://e.org/</loc></url></urlset>"),
        b"<opml version='2.0'><body><outline text='x' xmlUrl='http://e.org/rss'/></body></opml>",
        b"%PDF-1.4 \xe2\xe3", b"\x89PNG\r\n\x1a\n\0\0", b"/etc/passwd", b"http://127.0.0.1/",
    ],
)  # fmt: skip
def test_F1_what_is_no_feed_is_a_parse_error(body: bytes) -> None:
    with pytest.raises(ParseError, match="not a feed"):
        parse_feed(body)


def test_a_feed_without_entries_is_a_feed() -> None:
    assert parse_feed(b"<rss version='2.0'><channel><title>T</title></channel></rss>") == Feed(
        title="T", language=None, entries=()
    )


# --- broken and mislabelled documents ---


@pytest.mark.parametrize("encoding", ["utf-8", "cp1251", "koi8-r", "iso8859-5", "cp866"])
@pytest.mark.parametrize(
    "label", ["utf-8", "windows-1251", "koi8-r", "iso-8859-1", "windows-1252", "nonsense", None]
)
def test_F10_russian_is_read_right_whatever_the_label_says(
    encoding: str, label: str | None
) -> None:
    head = f"<?xml version='1.0' encoding='{label}'?>" if label else ""
    body = rss(f"<title>{RUSSIAN}</title>", head=head).encode(encoding)
    assert only(body).title == RUSSIAN


@pytest.mark.parametrize("charset", ["utf-8", "windows-1251", "iso-8859-1"])
def test_F10_the_http_header_is_doubted_like_the_declaration(charset: str) -> None:
    body = rss(f"<title>{RUSSIAN}</title>", head="").encode("cp1251")
    assert parse_feed(body, content_type=f"text/xml; charset={charset}").entries[0].title == RUSSIAN


def test_F10_the_declaration_rules_where_the_header_is_silent() -> None:
    body = rss(
        "<title>Größe café</title>", head="<?xml version='1.0' encoding='iso-8859-15'?>"
    ).encode("iso-8859-15")
    assert parse_feed(body, content_type="text/xml").entries[0].title == "Größe café"


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("iso-8859-1", "L'été à la forêt, où naît la rosée"),
        ("windows-1252", "Größe, Übermut und Straße – „so“"),
        ("iso-8859-2", "Żółta łódź płynie"),
        ("windows-1254", "Türkiye'de yağmur ve güneş"),
        ("shift_jis", "東京で地震がありました"),
        ("gb2312", "北京今天下雨了"),
        ("euc-kr", "서울에서 회의가 열렸다"),
        ("iso-2022-jp", "東京で地震がありました"),
        ("utf-16", "Түштүк облусунда жол ачылды"),
        ("utf-32", "Түштүк облусунда жол ачылды"),
        ("utf-8-sig", "Түштүк облусунда жол ачылды"),
    ],
)
def test_F10_a_true_label_is_believed(encoding: str, text: str) -> None:
    body = rss(
        f"<title>{text}</title>", head=f"<?xml version='1.0' encoding='{encoding}'?>"
    ).encode(encoding)
    assert only(body).title == text


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_F10_wide_characters_are_seen_without_a_mark(encoding: str) -> None:
    assert only(rss(f"<title>{RUSSIAN}</title>").encode(encoding)).title == RUSSIAN


def test_F10_a_character_cut_in_two_spoils_only_itself() -> None:
    body = rss(f"<title>{RUSSIAN}</title><description>{RUSSIAN}</description>").encode()
    cut = body.replace("пропуска".encode(), "пропуск".encode() + "а".encode()[:1], 1)
    entry = only(cut)
    assert entry.title.startswith("На границе двух областей открыли новый пункт пропуск")
    assert entry.summary == RUSSIAN


@given(st.binary(max_size=300))
def test_any_bytes_are_a_feed_or_a_parse_error(body: bytes) -> None:
    assert isinstance(decode(body, None), str)
    with contextlib.suppress(ParseError):
        parse_feed(body)


@given(
    st.lists(
        st.tuples(
            st.integers(0, 3000),
            st.sampled_from([b"<", b"&", b"\0", b"]]>", b"\xff", b"<a", b"</item>", b"'"]),
        ),
        max_size=6,
    ),
    st.sampled_from(sorted(FORMATS)),
)
def test_a_damaged_feed_is_still_a_feed_or_a_parse_error(
    damage: list[tuple[int, bytes]], name: str
) -> None:
    body = FORMATS[name].encode()
    for place, piece in damage:
        body = body[:place] + piece + body[place:]
    try:
        feed = parse_feed(body)
    except ParseError:
        return
    assert len({entry.id for entry in feed.entries}) == len(feed.entries)


def test_malformed_xml_still_gives_its_entries() -> None:
    cut = "</item></channel></rss>"
    item = (
        "<title>A & B</title><link>https://news.example/1</link><description>an <b>open "
        "tag</description>"
    )
    body = rss(item).replace(cut, "")
    entry = only(body)
    assert (entry.title, entry.link, entry.summary) == (
        "A & B",
        "https://news.example/1",
        "an open tag",
    )


def test_blank_lines_before_the_declaration_and_version_1_1_do_no_harm() -> None:
    assert only("\n\n  " + rss("<title>x</title>", head="<?xml version='1.1'?>")).title == "x"


# --- text ---


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("AT&amp;T", "AT&T"),
        ("AT&amp;amp;T", "AT&T"),
        ("<![CDATA[AT&T]]>", "AT&T"),
        ("<![CDATA[AT&amp;T]]>", "AT&T"),
        ("1 &lt; 2", "1 < 2"),
        ("<![CDATA[1 < 2 & 3 > 2]]>", "1 < 2 & 3 > 2"),
        ("&lt;b&gt;Bold&lt;/b&gt; news", "Bold news"),
        ("<![CDATA[<b>Bold</b> news]]>", "Bold news"),
        ("&lt;p&gt;unclosed", "unclosed"),
        ("<b>inline</b> markup", "inline markup"),
        ("a &lt;b and c&gt; d", "a <b and c> d"),
        ("&amp;laquo;Мост&amp;raquo; &amp;mdash; открыт", "«Мост» — открыт"),
        ("&#171;Мост&#187; &#8212; открыт", "«Мост» — открыт"),
        ("&laquo;Мост&raquo;&nbsp;открыт", "«Мост»\u00a0открыт"),
        ("  two\n  lines\t ", "two lines"),
        ("<![CDATA[<script>alert(1)</script>quiet]]>", "quiet"),
        ("&lt;![CDATA[twice &lt;b&gt;wrapped&lt;/b&gt;]]&gt;", "twice wrapped"),
        ("C&#150;1&#133;2", "C–1…2"),
        ("\u202eevil\u202c \u2066x\u2069", "evil x"),
        ("zero\u200bwidth\ufeff soft\u00adhyphen", "zerowidth soft\u00adhyphen"),
        ("👨\u200d👩\u200d👧 🇰🇬", "👨\u200d👩\u200d👧 🇰🇬"),
        ("z\u0301\u0301\u0301\u0301\u0301\u0301\u0301", "z\u0301\u0301\u0301"),
        ("NUL\0 bell\x07", "NUL bell"),
        ("", ""),
    ],
)
def test_F17_a_title_is_plain_text_decoded_once(source: str, wanted: str) -> None:
    assert only(rss(f"<guid>1</guid><title>{source}</title>")).title == wanted


def test_an_atom_title_that_says_it_is_text_is_taken_at_its_word() -> None:
    assert only(
        atom("<id>1</id><title>History of the &lt;blink&gt; tag: 1 &amp;lt; 2</title>")
    ).title == ("History of the <blink> tag: 1 &lt; 2")


def test_blocks_become_paragraphs_and_breaks_become_lines() -> None:
    html = (
        "<h2>Head</h2><p>One\n "
        "two<br>three</p>\n<ul><li>a</li><li>b</li></ul><div><p>last</p></div>"
        "<style>p {}</style><iframe "
        "src='x'></iframe><table><tr><td>1</td><td>2</td></tr></table><!-- not this -->"
    )
    entry = only(rss(f"<title>t</title><description><![CDATA[{html}]]></description>"))
    assert entry.summary == "Head\n\nOne two\nthree\n\na\nb\n\nlast\n\n1 2"


def test_plain_text_keeps_its_paragraphs_and_loses_its_wrapping() -> None:
    entry = only(atom("<id>1</id><title>t</title><summary>one\n  two\n\nthree\r\nfour</summary>"))
    assert entry.summary == "one two\n\nthree four"


def test_a_summary_that_only_repeats_the_content_is_left_out() -> None:
    entry = only(
        atom("<id>1</id><title>t</title><content type='html'>&lt;p&gt;all&lt;/p&gt;</content>")
    )
    assert (entry.summary, entry.content) == ("", "all")


def test_a_picture_is_no_content() -> None:
    entry = only(
        atom(
            "<id>1</id><title>t</title><content "
            "type='image/png'>aGVsbG8=</content><summary>s</summary>"
        )
    )
    assert (entry.summary, entry.content) == ("s", "")


def test_a_title_of_a_megabyte_is_cut() -> None:
    title = only(rss(f"<title>{'слово ' * 100_000}</title>")).title
    assert len(title) == 1000
    assert title.endswith("…")


_DECEIVING_CODES = (
    *range(9), 0x0B, 0x0C, *range(0x0E, 0x20), 0x7F, 0x200B, 0x2060, 0xFEFF, *range(0x202A, 0x202F),
    *range(0x2066, 0x206A), 0xD800, 0xDFFF,
)  # fmt: skip
DECEIVING = [chr(code) for code in _DECEIVING_CODES]


@given(st.lists(st.one_of(st.characters(), st.sampled_from(DECEIVING))).map("".join))
def test_F17_cleaned_text_never_deceives_and_cleaning_twice_changes_nothing(text: str) -> None:
    cleaned = clean(text)
    assert not set(DECEIVING) & set(cleaned)
    cleaned.encode()  # no half of a surrogate pair is left
    assert clean(cleaned) == cleaned


# --- identity, links, languages ---


def test_an_entry_is_known_by_its_guid_else_its_link_else_what_it_says() -> None:
    assert (
        only(rss("<guid>tag:x,2021:1</guid><link>https://e.org/1</link><title>t</title>")).id
        == "tag:x,2021:1"
    )
    assert only(rss("<link>https://e.org/1</link><title>t</title>")).id == "https://e.org/1"
    first, again = (
        only(rss(f"<title>t</title><description>{text}</description>")).id for text in ("a", "b")
    )
    assert first == again
    assert first != only(rss("<title>u</title>")).id


def test_an_id_does_not_depend_on_where_the_feed_was_read_from() -> None:
    body = rss("<guid>12345</guid><title>t</title>")
    assert only(body, url="https://e.org/rss").id == only(body).id == "12345"


def test_a_guid_that_is_no_address_is_no_link() -> None:
    assert only(rss("<guid>12345</guid><title>t</title>"), url="https://e.org/rss").link is None
    assert only(rss("<guid>https://e.org/5</guid><title>t</title>")).link == "https://e.org/5"


def test_F12_duplicates_of_an_id_keep_the_first() -> None:
    body = rss(
        "<guid>1</guid><title>new</title></item><item><guid>1</guid><title>old</title></item><item>"
        "<guid>2</guid>"
    )
    assert [(entry.id, entry.title) for entry in parse_feed(body.encode()).entries] == [
        ("1", "new"),
        ("2", ""),
    ]


def test_links_are_absolute_by_xml_base_and_by_the_feeds_address() -> None:
    assert (
        only(rss("<link>/a?b=1&amp;c=2</link>"), url="https://e.org/x/rss").link
        == "https://e.org/a?b=1&c=2"
    )
    based = atom("<id>1</id><link href='a'/>", root="xml:base='https://b.org/dir/'")
    assert only(based, url="https://e.org/rss").link == "https://b.org/dir/a"
    assert only(rss("<link>/a</link><guid isPermaLink='false'>1</guid>")).link is None


@pytest.mark.parametrize(
    "link",
    [
        "javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "ftp://e.org/x",
        "mailto:a@e.org", "tel:1", "http://", "http://[::1", "JaVaScRiPt:alert(1)",
        "java\nscript:alert(1)", "\u202ejavascript:x", "https:///x", "vbscript:x", "",
    ],
)  # fmt: skip
def test_S5_only_web_addresses_are_links(link: str) -> None:
    assert absolute_link(link, None) is None


@given(st.text(), st.one_of(st.none(), st.just("https://e.org/rss")))
def test_a_link_is_always_a_web_address_or_none(link: str, base: str | None) -> None:
    found = absolute_link(link, base)
    assert found is None or found.lower().startswith(("http://", "https://"))


@pytest.mark.parametrize(
    "link",
    [
        "https://News.Example/a/b",
        "http://news.example/a/b/",
        "https://news.example:443/a/b#comments",
        "http://news.example:80/a/b?utm_source=rss&utm_medium=feed",
        "https://news.example/a/b?fbclid=1&gclid=2&yclid=3",
        "  https://news.example/a/b?at_medium=RSS&ysclid=x&_openstat=y  ",
    ],
)
def test_F13_addresses_of_one_article_have_one_key(link: str) -> None:
    assert normalise_link(link) == "https://news.example/a/b"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://e.org/?id=1", "https://e.org/?id=2"),
        ("https://www.e.org/a", "https://e.org/a"),
        ("https://e.org/a", "https://e.org/A"),
        ("https://e.org:8443/a", "https://e.org/a"),
        ("https://e.org/a?b=", "https://e.org/a"),
    ],
)
def test_F13_different_articles_keep_different_keys(one: str, other: str) -> None:
    assert normalise_link(one) != normalise_link(other)


@given(
    st.one_of(
        st.text(),
        st.from_regex(r"https?://[a-z.]{1,9}(:\d{1,5})?/[a-z/]{0,9}(\?[a-z_=&]{0,20})?(#x)?"),
    )
)
def test_F13_a_key_is_its_own_key(link: str) -> None:
    assert normalise_link(normalise_link(link)) == normalise_link(link)


@pytest.mark.parametrize(
    ("tag", "wanted"),
    [
        ("ru", "ru"), ("ru-RU", "ru"), ("EN_us", "en"), ("ky", "ky"), ("kir", "ky"), ("kg", "ky"),
        ("rus", "ru"), ("", None), (None, None), ("russian", None), ("x-default", None),
        ("abc", None), (5, None),
    ],
)  # fmt: skip
def test_a_language_is_two_letters_or_none(tag: object, wanted: str | None) -> None:
    assert two_letter(tag) == wanted


def test_an_entrys_own_language_wins_over_the_feeds() -> None:
    body = atom("<id>1</id><title xml:lang='ky'>т</title>", root="xml:lang='ru'")
    assert only(body).language == "ky"
    assert (
        only(
            rss("<title>t</title><dc:language>en</dc:language>", channel="<language>ru</language>")
        ).language
        == "en"
    )


# --- dates ---


@pytest.mark.parametrize(
    "text",
    [
        "Wed, 20 Oct 2021 15:12:00 +0600", "Wed, 20 Oct 2021 09:12:00 GMT",
        "Wed, 20 Oct 2021 09:12:00", "20 Oct 21 09:12 UT", "Wed, 20 Oct 2021 12:12:00 MSK",
        "Wed, 20 October 2021 05:12:00 EDT", "wed,20 oct 2021 15:12:00 GMT+6",
        "Wed, 20 Oct 2021 15:12:00 +06:00", "2021-10-20T15:12:00+06:00", "2021-10-20T09:12:00Z",
        "2021-10-20T09:12:00.000Z", "2021-10-20 09:12", "2021-10-20 09:12:00 UTC",
        "2021-10-20T15:12+0600", "20211020T091200Z", "2021/10/20 09:12", "Wed Oct 20 09:12:00 2021",
        "October 20, 2021 9:12 am", "Oct 20 2021 09:12:00", "20.10.2021 09:12", "09:12, 20.10.2021",
        "20-10-2021 09:12", "20-10-2021T15:12:00+06:00", "20/10/2021 09:12", "20.10.21 09:12",
        "20.10.21T09:12", "20.10.21 T15:12:00+06:00", "20/10/2021T09:12",
        "10/20/2021 9:12:00 AM", "20-Oct-2021 09:12:00", "1634721120", "1634721120000",
        "  Wed,  20 Oct 2021\n09:12:00 GMT ", "среда, 20 октября 2021 г., 09:12",
        "20 октября 2021 09:12", "20 окт. 2021 в 12:12 МСК", "20 Октябрь 2021, 09:12",
        "Ср, 20 окт 2021 15:12:00 +0600", "Wed, 20 Oct 2021 15:12:00 gmt+6",
        "October 20th, 2021 9:12 am", "20th October 2021, 09:12", "20-го октября 2021, 09:12",
    ],
)  # fmt: skip
def test_F11_a_moment_is_read_from_every_usual_form(text: str) -> None:
    assert parse_date(text) == SEEN


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("2021-10-20", datetime(2021, 10, 20, tzinfo=UTC)),
        ("20 мая 2021", datetime(2021, 5, 20, tzinfo=UTC)),
        ("2021-10-20T24:00:00Z", datetime(2021, 10, 21, tzinfo=UTC)),
        ("2021-06-30T23:59:60Z", datetime(2021, 7, 1, tzinfo=UTC)),
        ("20 Oct 99 00:00:00 GMT", datetime(1999, 10, 20, tzinfo=UTC)),
        ("10/20/2021 12:05 AM", datetime(2021, 10, 20, 0, 5, tzinfo=UTC)),
        (
            "2099-01-01T00:00:00Z",
            datetime(2099, 1, 1, tzinfo=UTC),
        ),  # storage decides what to believe
    ],
)
def test_F11_odd_dates_mean_what_they_say(text: str, wanted: datetime) -> None:
    assert parse_date(text) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "", "soon", "Thu, 01 Jan 1970 00:00:00 GMT", "0", "1970-01-01", "0001-01-01T00:00:00Z",
        "31 Feb 2021 10:00:00", "2021-13-01", "9999-12-31T23:59:59-10:00", "2021-10-20T25:00:00Z",
        "Wed, 20 Xyz 2021 10:00:00", "99999999999999999999", "00.00.0000",
    ],
)  # fmt: skip
def test_F11_an_unbelievable_date_is_none(text: str) -> None:
    assert parse_date(text) is None


@given(
    st.datetimes(min_value=datetime(1991, 1, 1), max_value=datetime(2090, 1, 1)),  # noqa: DTZ001
    st.integers(-12 * 60, 14 * 60),
)
def test_F11_dates_survive_both_standard_forms(moment: datetime, minutes: int) -> None:
    moment = moment.replace(microsecond=0, tzinfo=timezone(timedelta(minutes=minutes)))
    assert parse_date(moment.isoformat()) == moment
    assert parse_date(format_datetime(moment)) == moment


@given(st.text(alphabet="0123456789:.-/, TZоктябряOctamp+", max_size=40))
def test_F11_no_text_breaks_the_date_reader(text: str) -> None:
    found = parse_date(text)
    assert found is None or found.tzinfo is UTC


def test_updated_stands_in_for_a_missing_publication_date() -> None:
    entry = only(atom("<id>1</id><title>t</title><updated>2021-10-20T09:12:00Z</updated>"))
    assert (entry.published_at, entry.updated_at) == (SEEN, SEEN)
    entry = only(rss("<title>t</title><pubDate>rubbish</pubDate>"))
    assert (entry.published_at, entry.updated_at) == (None, None)
