"""RSS, Atom, RDF and JSON Feed → `Feed` of `Entry`: plain text, absolute links, times in UTC.

feedparser reads the XML, because half of the world's feeds are not well-formed; what it gets wrong for us is done
here before or after it. Facts that shaped this file:

* feedparser calls an HTML page well-formed: only an empty `version` tells that it was no feed.
* Encodings lie. windows-1251 comes labelled utf-8, utf-8 comes labelled windows-1251, a cut inside a character
  makes one invalid byte in a megabyte. Valid multi-byte UTF-8 is never an accident, so it wins over any label;
  text that reads as Russian words in a Cyrillic table wins over a Latin label.
* feedparser opens a *file* when given bytes that are a path, and a URL when given a string: it gets a stream.
* It resolves a guid against the feed's address, so the same item read from a file and from the network would
  have two ids: it is not told the address, links are made absolute here.
* A title's type is a guess in RSS: "AT&amp;T", "AT&amp;amp;T" and "1 &lt; 2" must all come out as a reader expects.
* Zone names such as MSK are not in feedparser's table, nor are Russian months.
* libxml2 2.14 tokenises HTML as browsers do, in linear time and at any depth (a tree is never built).

No network, no clock, no database. Runs in a worker process: a hostile megabyte may take seconds.
"""

from __future__ import annotations

import codecs
import hashlib
import io
import json
import re
import warnings
from calendar import timegm
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import partial
from typing import Any
from urllib.parse import urljoin, urlsplit, urlunsplit
from xml.sax import SAXException

from lxml import etree

from bot.errors import ParseError
from bot.model.news import Entry
from bot.model.text import without_invisible

LONGEST_TITLE = 1_000  # characters; a headline of a megabyte is an attack
LONGEST_TEXT = 200_000
EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)  # older dates (epoch 0, year 1) are somebody's missing value


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """A feed as published; entries in its own order, each id once."""

    title: str
    language: str | None
    entries: tuple[Entry, ...]


def parse_feed(body: bytes, *, content_type: str | None = None, url: str | None = None) -> Feed:
    """Read a feed of any usual format, well-formed or not.

    `content_type` is the HTTP header, whose charset is believed only where the bytes allow it; `url` is where the
    body came from, for relative links. Raises ParseError when it is not a feed.
    """
    text = decode(body, content_type).lstrip("\ufeff \t\r\n")
    if text.startswith("{"):
        return _parse_json_feed(text, url)
    return _parse_xml_feed(text, url)


# --- XML formats ------------------------------------------------------------------------------------------------------

_DECLARATION = re.compile(r"<\?xml\b[^<>]*>")
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")

# What feedparser, sgmllib and expat let through on hostile bytes.
_GIVES_UP = (
    ValueError, LookupError, TypeError, AttributeError, AssertionError, ArithmeticError, RecursionError, SAXException,
)  # fmt: skip

Fields = Mapping[str, Any]  # feedparser's dictionaries


def _parse_xml_feed(text: str, url: str | None) -> Feed:
    import feedparser  # in the worker process only

    # The declaration's encoding is no longer true, and version 1.1 would stop expat.
    plain = _NOT_XML.sub("", _DECLARATION.sub("", text, count=1))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # feedparser's notes about its own future
            parsed = feedparser.parse(
                io.BytesIO(plain.encode()),
                response_headers={"content-type": "application/xml; charset=utf-8"},
                resolve_relative_uris=False,
                sanitize_html=False,
            )
    except _GIVES_UP as error:
        raise ParseError("the feed cannot be read") from error
    if not _get(parsed, "version"):  # of an empty document it has not even that
        raise ParseError("not a feed")
    language = two_letter(_get(parsed.feed, "language"))
    return Feed(
        title=one_line(_text_of(parsed.feed, "title")),
        language=language,
        entries=_each_id_once(_xml_entry(item, url, language) for item in parsed.entries),
    )


def _xml_entry(item: Fields, url: str | None, language: str | None) -> Entry:
    updated_at = _date_of(item, "updated")
    content = _content_of(item)
    # Without a summary of its own, feedparser repeats the content there.
    summary = "" if content and not _get(item, "summary_detail") else _text_of(item, "summary")
    own_id = str(_get(item, "id") or "")
    return _entry(
        own_id=own_id,
        title=_text_of(item, "title"),
        link=absolute_link(_raw_link(item, own_id), url),
        published_at=_date_of(item, "published") or updated_at or _date_of(item, "created"),
        updated_at=updated_at,
        summary=summary,
        content=content,
        language=two_letter(_get(item, "language") or _get(_get(item, "title_detail"), "language")) or language,
    )


def _get(fields: Fields | None, key: str) -> Any:  # noqa: ANN401 - feedparser's values have no one type
    """A field as it is: feedparser's own `get` answers `updated` with `published`, and warns about it."""
    return dict.get(fields, key) if isinstance(fields, dict) else None


def _text_of(item: Fields, key: str) -> str:
    detail = _get(item, f"{key}_detail")
    return plain_text(str(_get(item, key) or ""), html=_is_html(detail) if detail else key != "title")


def _is_html(detail: Fields) -> bool:
    return _get(detail, "type") in {"text/html", "application/xhtml+xml"}


def _content_of(item: Fields) -> str:
    """The fullest of the texts an entry carries; pictures and other attachments are none."""
    texts = [
        plain_text(str(_get(part, "value") or ""), html=_is_html(part))
        for part in _get(item, "content") or ()
        if _is_html(part) or _get(part, "type") in {None, "", "text/plain"}
    ]
    return max(texts, key=len, default="")


def _raw_link(item: Fields, own_id: str) -> str:
    link = str(_get(item, "link") or "")
    if link == own_id and not re.match(r"https?://|/", link):
        link = ""  # a guid that only forgot to say it is no permalink
    if link:
        return link
    links = [part for part in _get(item, "links") or () if _get(part, "rel") in {None, "alternate"}]
    return str(_get(links[0], "href") or "") if links else ""


def _date_of(item: Fields, key: str) -> datetime | None:
    found = parse_date(str(_get(item, key) or ""))
    if found is not None:
        return found
    other = _get(item, f"{key}_parsed")  # feedparser knows Korean, Greek and Hungarian forms too
    return _believable(lambda: datetime.fromtimestamp(timegm(other), UTC)) if other else None


# --- JSON Feed --------------------------------------------------------------------------------------------------------


def _parse_json_feed(text: str, url: str | None) -> Feed:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        raise ParseError("not a feed") from None
    if not isinstance(data, dict):
        raise ParseError("not a feed")
    items = data.get("items")
    # Some write version "1.1" where the specification asks for an address.
    if "jsonfeed.org/version/" not in str(data.get("version")) and not ("feed_url" in data and isinstance(items, list)):
        raise ParseError("not a feed")
    language = two_letter(data.get("language"))
    home = absolute_link(_string(data, "feed_url"), url) or url
    return Feed(
        title=one_line(plain_text(_string(data, "title"), html=False)),
        language=language,
        entries=_each_id_once(
            _json_entry(item, home, language)
            for item in (items if isinstance(items, list) else ())
            if isinstance(item, dict)
        ),
    )


def _json_entry(item: dict[str, Any], url: str | None, language: str | None) -> Entry:
    updated_at = parse_date(_string(item, "date_modified"))
    html = _string(item, "content_html")
    return _entry(
        own_id=_string(item, "id"),
        title=plain_text(_string(item, "title"), html=False),
        link=absolute_link(_string(item, "url"), url) or absolute_link(_string(item, "external_url"), url),
        published_at=parse_date(_string(item, "date_published")) or updated_at,
        updated_at=updated_at,
        summary=plain_text(_string(item, "summary"), html=False),
        content=plain_text(html, html=True)
        if html
        else plain_text(_string(item, "content_text"), html=False, wrapped=False),
        language=two_letter(item.get("language")) or language,
    )


def _string(data: Mapping[str, Any], key: str) -> str:
    value = data.get(key)
    return str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


# --- entries ----------------------------------------------------------------------------------------------------------


def _entry(
    *,
    own_id: str,
    title: str,
    link: str | None,
    published_at: datetime | None,
    updated_at: datetime | None,
    summary: str,
    content: str,
    language: str | None,
) -> Entry:
    """One entry; without an id and a link it is known by what it says, and when."""
    title, own_id = one_line(title), one_line(own_id)
    said = title or summary or content or str(published_at)
    return Entry(
        id=own_id or link or hashlib.sha256(said.encode()).hexdigest(),
        title=title,
        link=link,
        published_at=published_at,
        updated_at=updated_at,
        summary=summary,
        content=content if content != summary else "",
        language=language,
    )


def _each_id_once(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """The first of each id: feeds put the newest version first."""
    first: dict[str, Entry] = {}
    for entry in entries:
        first.setdefault(entry.id, entry)
    return tuple(first.values())


_LANGUAGE = re.compile(r"([A-Za-z]{2,3})(?:[-_].*)?")
# ISO 639-2 and, often met in Kyrgyzstan, the country's code in place of the language's.
_LANGUAGE_ALIASES = {"eng": "en", "rus": "ru", "kir": "ky", "kaz": "kk", "uzb": "uz", "tgk": "tg", "kg": "ky"}


def two_letter(language: object) -> str | None:
    """ "ru-RU" → "ru"; None for what is no language tag."""
    match = _LANGUAGE.fullmatch(str(language or "").strip())
    if match is None:
        return None
    code = match[1].lower()
    code = _LANGUAGE_ALIASES.get(code, code)
    return code if len(code) == 2 else None


# --- text -------------------------------------------------------------------------------------------------------------

# C1 controls are windows-1252 punctuation that lost its way.
_C1 = {code: bytes([code]).decode("cp1252", "ignore") for code in range(0x80, 0xA0)}
# Breaks that mean a new line; the other spaces of ASCII are layout, those beyond it are the author's.
_BREAK = re.compile("\r\n?|[\u2028\u2029]")
_LAYOUT = re.compile(r"[ \t\n\r\f\v]+")
_BLANKS = re.compile(r"[ \t\r\f\v]+")

_SKIPPED = frozenset({"script", "style", "template", "iframe", "noscript", "svg", "audio", "video", "canvas"})
_PARAGRAPHS = frozenset({
    "address", "article", "aside", "blockquote", "center", "details", "div", "dl", "fieldset", "figcaption", "figure",
    "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "main", "nav", "ol", "p", "pre", "section",
    "table", "ul",
})  # fmt: skip
_LINES = frozenset({"br", "caption", "dd", "dt", "legend", "li", "option", "summary", "tr"})
_CELLS = frozenset({"td", "th"})
_INLINE = frozenset({
    "a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "del", "dfn", "em", "font", "i", "img", "ins",
    "kbd", "mark", "object", "q", "s", "samp", "small", "span", "strike", "strong", "sub", "sup", "time", "tt", "u",
    "var", "wbr",
})  # fmt: skip
_KNOWN = "|".join(sorted(_SKIPPED | _PARAGRAPHS | _LINES | _CELLS | _INLINE, key=len, reverse=True))
# A real tag, attributes and all; "a <b and c> d" is none.
_TAG = re.compile(
    rf"</?(?:{_KNOWN})(?:\s+[\w:.-]+\s*=\s*(?:\"[^\"<>]*\"|'[^'<>]*'|[^\s\"'<>=]+))*\s*/?>", re.IGNORECASE
)
_BLOCK = re.compile(rf"<(?:{'|'.join(_PARAGRAPHS | {'br'})})\b", re.IGNORECASE)


def plain_text(value: str, *, html: bool, wrapped: bool = True) -> str:
    """Plain text of a value: paragraphs separated by blank lines, nothing a chat should not see.

    Spaces of the author's choosing (no-break, thin) stay. In a text without markup a line break
    alone is only wrapping, unless it is said not to be `wrapped`.
    """
    if not value:
        return ""
    value = _BREAK.sub("\n", value)
    # Where plain text was promised but tags came, no reader wants to see them.
    if html or _TAG.search(value):
        if not html and not wrapped and not _BLOCK.search(value):
            value = value.replace("\n", "<br>")  # its breaks are in the text, whatever tags stand in a line
        value = _without_markup(value) if "<" in value or "&" in value else _LAYOUT.sub(" ", value)
    elif wrapped:
        value = " ".join(line.strip() or "\n\n" for line in value.split("\n"))
    return _tidy(clean(value))[:LONGEST_TEXT].rstrip()


def clean(text: str) -> str:
    """Foreign text as it is stored, without what deceives or breaks a display; see `bot.model.text`."""
    return without_invisible(text.translate(_C1))


def one_line(text: str) -> str:
    """Text on one line, at most `LONGEST_TITLE` characters; no-break spaces inside are the author's."""
    line = _LAYOUT.sub(" ", clean(_BREAK.sub("\n", text[: 2 * LONGEST_TITLE]))).strip()
    return line if len(line) <= LONGEST_TITLE else line[: LONGEST_TITLE - 1].rstrip() + "…"


def _tidy(text: str) -> str:
    """Lines without layout around them; one that shows nothing (a lone no-break space) is blank."""
    lines = (line.strip(" ") for line in _BLANKS.sub(" ", text).split("\n"))
    whole = "\n".join(line if line.strip() else "" for line in lines)
    return re.sub(r"\n{3,}", "\n\n", whole).strip()


def _without_markup(value: str) -> str:
    parser = etree.HTMLParser(target=_TextTarget(), huge_tree=True, encoding="utf-8")
    # A CDATA section inside HTML is a comment to a browser; in a feed it is a text wrapped twice.
    unwrapped = value.replace("<![CDATA[", "").replace("]]>", "") if "<![CDATA[" in value else value
    parser.feed(_NOT_XML.sub("", unwrapped).encode())
    return str(parser.close())


class _TextTarget:
    """Collects the text between tags; called by the HTML tokeniser, no tree is built."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._skipping = 0
        self._preformatted = 0

    def start(self, tag: str | bytes, _attributes: Mapping[Any, Any]) -> None:
        if tag in _SKIPPED:
            self._skipping += 1
        self._preformatted += tag == "pre"
        self._break(tag)

    def end(self, tag: str | bytes) -> None:
        if tag in _SKIPPED:
            self._skipping -= 1
        self._preformatted -= tag == "pre"
        if tag in _PARAGRAPHS:
            self._break(tag)

    def data(self, data: str | bytes) -> None:
        if not self._skipping:
            text = str(data)
            self._parts.append(text if self._preformatted else text.replace("\n", " ").replace("\r", " "))

    def comment(self, text: str | bytes) -> None:
        """Nobody reads comments."""

    def close(self) -> str:
        return "".join(self._parts)

    def _break(self, tag: str | bytes) -> None:
        if tag in _PARAGRAPHS:
            self._parts.append("\n\n")
        elif tag in _LINES:
            self._parts.append("\n")
        elif tag in _CELLS:
            self._parts.append(" ")


# --- links ------------------------------------------------------------------------------------------------------------

_TRACKING = re.compile(
    r"utm_\w*|at_(?:medium|campaign|custom\w*|link\w*)|ns_\w+|mc_[ce]id|[a-z]*clid|_openstat|igshid|_ga|_gl|wt_mc|"
    r"ref_src|cmpid|rss|from_rss|ysclid|yptr|mkt_tok|oly_\w+_id|vero_id|fb_\w+",
    re.IGNORECASE,
)


def absolute_link(link: str, base: str | None) -> str | None:
    """An http(s) address, made absolute with `base`; None for anything else."""
    cleaned = re.sub(r"[\r\n\t\xad\u200c\u200d]", "", clean(link)).strip()
    try:
        joined = urljoin(base, cleaned) if base and cleaned else cleaned
        parts = urlsplit(joined)
        if parts.scheme.lower() not in {"http", "https"} or not parts.hostname:
            return None
    except ValueError:
        return None
    return joined.replace(" ", "%20").replace('"', "%22").replace("<", "%3C").replace(">", "%3E")


def normalise_link(link: str) -> str:
    """What two addresses of one article have in common: a key to compare with, not an address to open.

    The scheme, the default port, the fragment, a closing slash and tracking parameters do not count; "www." does.
    A text that is no address comes back as it is.
    """
    try:
        parts = urlsplit(link.strip())
        host, port = parts.hostname, parts.port
    except ValueError:
        return link
    if parts.scheme not in {"http", "https"} or not host:
        return link
    place = host if port in {None, 80, 443} else f"{host}:{port}"
    query = "&".join(
        piece for piece in parts.query.split("&") if piece and not _TRACKING.fullmatch(piece.partition("=")[0])
    )
    return urlunsplit(("https", place, parts.path.rstrip("/"), query, ""))


# --- dates ------------------------------------------------------------------------------------------------------------

_MONTHS = {
    name: number
    for names in (
        "jan feb mar apr may jun jul aug sep oct nov dec",
        "янв фев мар апр май июн июл авг сен окт ноя дек",
        "янв фев мар апр мая июн июл авг сен окт ноя дек",
    )
    for number, name in enumerate(names.split(), start=1)
}
# Minutes east of UTC. Names that mean two places (IST, CST, BST in Dhaka) are read as the mail standards do.
_ZONES = {
    "msk": 180, "msd": 240, "мск": 180, "kgt": 360, "kgst": 360, "almt": 360, "qyzt": 300, "uzt": 300, "tjt": 300,
    "tmt": 300, "yekt": 300, "omst": 360, "novt": 420, "krat": 420, "samt": 240, "gst": 240, "azt": 240, "amt": 240,
    "wet": 0, "west": 60, "bst": 60, "cet": 60, "cest": 120, "met": 60, "mest": 120, "eet": 120, "eest": 180,
    "trt": 180, "jst": 540, "kst": 540, "hkt": 480, "sgt": 480, "ist": 330, "pkt": 300, "aest": 600, "aedt": 660,
    "adt": -180, "ast": -240, "edt": -240, "est": -300, "cdt": -300, "cst": -360, "mdt": -360, "mst": -420,
    "pdt": -420, "pst": -480, "akst": -540, "akdt": -480, "hst": -600,
}  # fmt: skip
_YEAR = r"(?P<year>\d{4})"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_NAME = r"(?P<name>[^\W\d]+)\.?"
_WEEKDAY = r"(?:[^\W\d]+\.?,?\s*)?"
_CLOCK = r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,]\d+)?)?(?:\s*(?P<half>[ap])\.?m\b\.?)?"
_TIME = rf"(?:,?\s*(?:в\s+|at\s+)?{_CLOCK})?\s*(?P<zone>.*)"
_FORMS = tuple(
    re.compile(form, re.IGNORECASE)
    for form in (
        # 2021-10-20T15:12:00+06:00, 2021-10-20, 2021/10/20 15:12
        rf"{_YEAR}[-/.](?P<month>\d{{1,2}})(?:[-/.](?P<day>\d{{1,2}})T?)?{_TIME}",
        # 20211020T151200Z, 20211020
        rf"{_YEAR}(?P<month>\d\d)(?P<day>\d\d)(?:T?(?P<hour>\d\d)(?P<minute>\d\d)(?P<second>\d\d)?)?(?!\d)(?P<zone>.*)",
        # Wed, 20 Oct 2021 15:12:00 +0600; среда, 20 октября 2021 г., 15:12
        rf"{_WEEKDAY}{_DAY}[\s.-]+{_NAME},?[\s-]+(?P<year>\d{{4}}|\d\d)\b\s*(?:г(?:ода|\.)?)?{_TIME}",
        # October 20, 2021 3:12 pm
        rf"(?:[^\W\d]+\.?,?\s+)?{_NAME}\s+{_DAY},?\s+{_YEAR}\b{_TIME}",
        # Wed Oct 20 15:12:00 2021
        rf"[^\W\d]+\s+{_NAME}\s+{_DAY}\s+{_CLOCK}\s*(?P<zone>[^\W\d]*)\s+{_YEAR}",
        # 20.10.2021 15:12
        rf"(?P<day>\d{{1,2}})\.(?P<month>\d{{1,2}})\.{_YEAR}{_TIME}",
        # 15:12 20.10.2021
        rf"{_CLOCK},?\s*(?P<day>\d{{1,2}})\.(?P<month>\d{{1,2}})\.{_YEAR}(?P<zone>.*)",
        # 10/20/2021 3:12:00 PM
        rf"(?P<month>\d{{1,2}})/(?P<day>\d{{1,2}})/{_YEAR}{_TIME}",
    )
)


def parse_date(text: str, *, zone: tzinfo = UTC) -> datetime | None:
    """A moment in UTC from any form feeds use; one that names no zone is meant in `zone`.

    None for what cannot be read or believed (before 1990). Dates in the future are left as they are.
    """
    text = " ".join(text[:100].split())
    if re.fullmatch(r"\d{10}|\d{13}", text):
        return _believable(lambda: datetime.fromtimestamp(int(text[:10]), UTC))
    for form in _FORMS:
        match = form.fullmatch(text)
        found = _believable(partial(_assemble, match.groupdict(), zone)) if match is not None else None
        if found is not None:
            return found
    return None


def _assemble(fields: Mapping[str, str | None], zone: tzinfo) -> datetime:
    """A moment from the named parts of a form; ValueError or KeyError when they make none."""
    name = (fields.get("name") or "")[:3].lower()
    month = _MONTHS[name] if name else int(fields.get("month") or 0)
    written = fields["year"] or ""
    year = int(written) + (0 if len(written) > 2 else 2000 if int(written) < 70 else 1900)
    hour = int(fields.get("hour") or 0)
    if half := fields.get("half"):
        hour = hour % 12 + (12 if half.lower() == "p" else 0)
    # 24:00 is the next midnight, second 60 a leap second.
    start = datetime(year, month, int(fields.get("day") or 1), tzinfo=_zone(fields.get("zone") or "") or zone)
    if hour > 24 or (minute := int(fields.get("minute") or 0)) > 59:
        raise ValueError("no time of day")
    return (start + timedelta(hours=hour, minutes=minute, seconds=int(fields.get("second") or 0))).astimezone(UTC)


def _zone(text: str) -> timezone | None:
    """The zone a text names; UTC for a name we do not know, None where there is none."""
    match = re.match(r"(?:GMT|UTC|Z|UT)?\s*([+-])(\d{1,2}):?(\d{2})?(?!\d)", text, re.IGNORECASE)
    if match is not None:
        minutes = int(match[2]) * 60 + int(match[3] or 0)
        return timezone(timedelta(minutes=-minutes if match[1] == "-" else minutes))
    word = re.match(r"[^\W\d]+", text)
    return timezone(timedelta(minutes=_ZONES.get(word[0].lower(), 0))) if word else None


def _believable(make: Callable[[], datetime]) -> datetime | None:
    try:
        moment = make()
    except (ValueError, KeyError, OverflowError, OSError):
        return None
    return moment if moment >= EARLIEST else None


# --- encodings --------------------------------------------------------------------------------------------------------

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before utf-16, whose mark begins it
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_STARTS = (  # "<?" or "<r" or "{" without a mark
    (b"<\0\0\0", "utf-32-le"), (b"\0\0\0<", "utf-32-be"), (b"<\0", "utf-16-le"), (b"\0<", "utf-16-be"),
    (b"{\0", "utf-16-le"), (b"\0{", "utf-16-be"), (b"\x4c\x6f\xa7\x94", "cp037"),
)  # fmt: skip
_CYRILLIC = ("cp1251", "koi8_r", "iso8859_5", "cp866", "mac_cyrillic")
_SINGLE_BYTE = re.compile(r"cp125\d|iso8859.*|latin.*|koi8.*|cp866|mac.*|ascii|cp437|cp850")
_COMMON_RUSSIAN = frozenset("оеаинтсрвлкмдпу")


def decode(body: bytes, content_type: str | None = None) -> str:
    """The text of a document whose labels may lie; never fails, the worst case is replacement characters."""
    for mark, encoding in _BOMS:
        if body.startswith(mark):
            return body.decode(encoding, "replace")
    for start, encoding in _STARTS:
        if body.startswith(start):
            return body.decode(encoding, "replace")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return _decode_legacy(body, _labels(body, content_type))
    if "\x1b" in text:  # seven-bit encodings of Japanese and Korean look like ASCII
        for label in _labels(body, content_type):
            if label.startswith("iso2022"):
                return body.decode(label, "replace")
    return text


def _labels(body: bytes, content_type: str | None) -> list[str]:
    """The encodings the document claims, by Python's names: the header's first, then the declaration's or a page's."""
    claims = re.findall(r"charset\s*=\s*[\"']?([\w.:-]+)", content_type or "", re.IGNORECASE)
    declared = re.findall(rb"<\?xml[^>]*?encoding\s*=\s*[\"']([\w.:-]+)", body[:1000])
    declared += re.findall(rb"<meta[^>]*?charset\s*=\s*[\"']?([\w.:-]+)", body[:4000], re.IGNORECASE)
    claims += [claim.decode("ascii") for claim in declared]
    labels: list[str] = []
    for claim in claims:
        name = re.sub(r"^(?:x-|win-?(?=\d))", lambda m: "cp" if m[0].startswith("win") else "", claim.lower())
        try:
            info = codecs.lookup(name)
        except LookupError:
            continue
        # utf-16 would have shown by its zeros; Latin-1 means windows-1252 on the web.
        if not info.name.startswith(("utf-16", "utf-32")) and info.name not in labels:
            labels.append("cp1252" if info.name in {"iso8859-1", "ascii"} else info.name)
    return labels


def _decode_legacy(body: bytes, labels: list[str]) -> str:
    """Text that is not UTF-8: the first label that fits, unless a Cyrillic table reads it as Russian words."""
    broken = body.decode("utf-8", "replace")
    replaced = broken.count("\ufffd")
    if replaced * 20 < sum(not char.isascii() for char in broken):
        return broken  # UTF-8 with a few cut characters
    fitting = [text for label in labels if (text := _strictly(body, label)) is not None and label != "utf-8"]
    single = [label for label in labels if _SINGLE_BYTE.fullmatch(label)]
    if fitting and not single:
        return fitting[0]  # a multi-byte encoding that decodes is right
    claimed = fitting[0] if fitting else None
    candidates = [(_russian(text), text) for name in _CYRILLIC if (text := _strictly(body, name)) is not None]
    score, best = max(candidates, default=(0.0, ""), key=lambda pair: pair[0])
    if score >= 0.5 and (claimed is None or score > _russian(claimed) + 0.1):
        return best
    if claimed is not None:
        return claimed
    return body.decode(_guess(body), "replace")


def _strictly(body: bytes, encoding: str) -> str | None:
    try:
        return body.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        return None


def _guess(body: bytes) -> str:
    import chardet  # in the worker process only

    name = chardet.detect(body[:200_000]).get("encoding") or "cp1252"
    try:
        return codecs.lookup(name).name
    except LookupError:
        return "cp1252"


def _russian(text: str) -> float:
    """How much of the text's foreign letters are the commonest Russian small ones, standing side by side (0 to 1).

    In the wrong table they turn into capitals and rare letters; the accents of French or German stand alone.
    """
    runs = re.findall(r"[^\x00-\x7f]+", text[:400_000])
    letters = sum(len(run) for run in runs)
    if not letters or letters < 2 * len(runs):
        return 0.0
    return sum(char in _COMMON_RUSSIAN for run in runs for char in run) / letters
