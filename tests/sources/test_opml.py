"""Lists of feeds as other readers export them: what a browser would make sense of is read."""

from __future__ import annotations

import codecs

import pytest

from bot.errors import ParseError
from bot.sources.opml import read_opml

NEWS = 'text="Новости &amp; погода" xmlUrl="https://example.org/rss?a=1&amp;b=2"'
LIST = '<opml version="1.0"><head><title>x</title></head><body>{}</body></opml>'
PLAIN = LIST.format(f"<outline {NEWS}/>")
FOUND = ("https://example.org/rss?a=1&b=2", "Новости & погода")


@pytest.mark.parametrize(
    "written",
    [
        PLAIN,
        PLAIN.replace("&amp;", "&"),
        PLAIN.replace("xmlUrl", "xmlURL"),
        PLAIN.replace("xmlUrl", "XMLURL").replace("outline", "Outline").replace("opml", "OPML"),
        PLAIN.replace("<", "<o:").replace("<o:/", "</o:").replace("<o:opml", '<o:opml xmlns:o="u"'),
        f"<!DOCTYPE opml>{PLAIN}",
        f'<!DOCTYPE opml SYSTEM "http://example.org/opml.dtd">{PLAIN}',
        f"<!DOCTYPE opml [<!ELEMENT opml (head, body)><!ELEMENT head ANY>]>{PLAIN}",
        PLAIN.replace(" &amp; погода", "&nbsp;&amp; погода"),
        PLAIN.replace("<outline ", '<outline text="a"><outline text="b">' * 300 + "<outline "),
        PLAIN.encode("cp1251"),
        b'<?xml version="1.0" encoding="utf-8"?>' + PLAIN.encode("cp1251"),
        b'<?xml version="1.0" encoding="x-none"?>' + PLAIN.encode(),
        codecs.BOM_UTF8 + PLAIN.encode(),
        codecs.BOM_UTF16_LE + PLAIN.encode("utf-16-le"),
        f'\n \n<?xml version="1.0" encoding="utf-16"?>\n{PLAIN}\n<!-- made by x -->\n',
        PLAIN.replace("<outline", '<outline text=""/><outline xmlUrl=""/><outline'),
        PLAIN.replace("<outline", '<!-- <outline xmlUrl="https://no.example/"/> --><outline'),
        PLAIN.replace("<outline", '<?x <outline xmlUrl="https://no.example/" ?><outline'),
        PLAIN.replace("<outline", '<feed xmlUrl="https://no.example/"/><outline'),
        f'<outline xmlUrl="https://no.example/"/>{PLAIN}',
        PLAIN.replace("text=", 'folder:id="1" htmlUrl="https://no.example/" text='),
        PLAIN.replace("text=", 'title="" description="a < b > c \x0b" text='),
        PLAIN.replace("погода", "погода\x08"),
        f"<br /><b>Notice</b>: deprecated in export.php{PLAIN}",
        PLAIN.replace(" text=", "\n\ttext = ").replace(" xmlUrl=", " = xmlUrl\n=\n"),
        PLAIN.replace("<outline", "a < b <1 <> <!-- > --><? > <<outline").replace("/>", " / >"),
    ],
)
def test_a_list_is_read_as_readers_export_it(written: str | bytes) -> None:
    """Whatever else is wrong with it."""
    body = written.encode() if isinstance(written, str) else written
    listed = read_opml(body)
    said = [(one.url, " ".join(name.split())) for one, name in listed.feeds]
    assert said == [FOUND]


def test_an_address_is_read_to_its_letter() -> None:
    """A parameter may be called as HTML calls a sign."""
    url = "https://example.org/?a=1&copy=2&reg=3&lt=4&unheard;"
    for written in (url, url.replace("&", "&amp;"), url.replace("&", "&#38;")):
        listed = read_opml(LIST.format(f"<outline xmlUrl='{written}'/>").encode())
        assert [one.url for one, _ in listed.feeds] == [url]


@pytest.mark.parametrize(
    ("written", "name"),
    [('text="a" title="b"', "b"), ('text="a"', "a"), ('text="a" title=""', "a"), ("", "")],
)
def test_a_title_is_the_name_before_a_text_and_what_is_no_address_is_counted(
    written: str, name: str
) -> None:
    """Folders are no addresses, and count as nothing."""
    feed = f'<outline {written} xmlUrl="https://example.org/"/>'
    listed = read_opml(LIST.format(f'<outline text="c">{feed}</outline>').encode())
    assert ([said for _, said in listed.feeds], listed.odd) == ([name], 0)
    listed = read_opml(LIST.format('<outline xmlUrl="no"/>' + feed).encode())
    assert (len(listed.feeds), listed.odd) == (1, 1)


@pytest.mark.parametrize(
    "written",
    [
        PLAIN[:-7],
        PLAIN[:-1],
        PLAIN.replace("<body>", "<body><!--"),
        "<!DOCTYPE opml [<!ENTITY amp SYSTEM 'file:///etc/passwd'>]>" + PLAIN,
        "<!doctype opml [<!entity a 'b'>]>" + PLAIN,
        f"<!DOCTYPE html><html>{PLAIN}</html>",
        f"<rss><channel><outline {NEWS}/></channel></rss></opml>",
        "",
    ],
)
def test_what_is_no_list_or_declares_entities_is_refused(written: str) -> None:
    """Half of a list is none."""
    with pytest.raises(ParseError):
        read_opml(written.encode())


@pytest.mark.timeout(20)
def test_a_file_made_to_take_long_takes_no_longer_than_its_size() -> None:
    """A megabyte: where each end is looked for among all that is open, that takes minutes; a worker
    has five seconds.
    """
    inside = "<outline>" * 70_000 + "</x>" * 90_000
    listed = read_opml(LIST.format(f"<outline {NEWS}/>{inside}").encode())
    assert [(one.url, name) for one, name in listed.feeds] == [FOUND]
