"""Encodings that lie: bytes → text.

windows-1251 comes labelled utf-8, utf-8 comes labelled windows-1251, a cut inside a character makes
one invalid byte in a megabyte. Valid multi-byte UTF-8 is never an accident, so it wins over any
label; text that reads as Russian words in a Cyrillic table wins over a Latin label. A byte order
mark is believed. What publishes by Java or JavaScript may write an emoji as UTF-16 has it, in two
halves: by two references to characters that there are not, or in six bytes.
"""

from __future__ import annotations

import codecs
import re
import sys
from functools import cache

from bot.languages import languages
from bot.languages.parts import Script

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before utf-16, whose mark begins it
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_STARTS = (  # "<?" or "<r" or "{" without a mark
    (b"<\0\0\0", "utf-32-le"), (b"\0\0\0<", "utf-32-be"), (b"<\0", "utf-16-le"), (b"\0<",
    "utf-16-be"),
    (b"{\0", "utf-16-le"), (b"\0{", "utf-16-be"), (b"\x4c\x6f\xa7\x94", "cp037"),
)  # fmt: skip
_CYRILLIC = ("cp1251", "koi8_r", "iso8859_5", "cp866", "mac_cyrillic")
_SINGLE_BYTE = re.compile(r"cp125\d|iso8859.*|latin.*|koi8.*|cp866|mac.*|ascii|cp437|cp850")
_FOREIGN_RUN = re.compile(r"[^\x00-\x7f]+")
_ASCII = re.compile(r"[\x00-\x7f]+")
# "&#55357;&#56832;", also within markup that is escaped itself
_REFERENCE = (
    r"(?P<{0}mark>&(?:amp;)*\#)(?:x0*(?P<{0}hex>{1})(?![0-9a-f])|0*(?P<{0}dec>{2})(?!\d));?"
)
_PAIR = re.compile(
    _REFERENCE.format("a", "d[89ab][0-9a-f]{2}", r"5[56]\d{3}")
    + _REFERENCE.format("b", "d[c-f][0-9a-f]{2}", r"5[67]\d{3}"),
    re.IGNORECASE | re.ASCII,
)
_NO_CHARACTER = re.compile(
    _REFERENCE.format("", "d[89a-f][0-9a-f]{2}|[0-9a-f]{6,}", r"5[5-7]\d{3}|\d{7,}"),
    re.IGNORECASE | re.ASCII,
)
_PAIR_OF_BYTES = re.compile(rb"\xed[\xa0-\xaf][\x80-\xbf]\xed[\xb0-\xbf][\x80-\xbf]")


def by_mark(body: bytes) -> str | None:
    """The text of a document without its byte order mark; None when it has none."""
    for mark, encoding in _BOMS:
        if body.startswith(mark):
            return body[len(mark) :].decode(encoding, "replace")
    return None


def decode(body: bytes, content_type: str | None = None) -> str:
    """A document's text though its labels may lie, with what its references can mean; never fails,
    at worst with U+FFFD.
    """
    return _with_characters(_decoded(body, content_type))


def _decoded(body: bytes, content_type: str | None) -> str:
    if (marked := by_mark(body)) is not None:
        return marked
    for start, encoding in _STARTS:
        if body.startswith(start):
            return body.decode(encoding, "replace")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        whole = _strictly(_PAIR_OF_BYTES.sub(_of_six_bytes, body), "utf-8")
        return _decode_legacy(body, _labels(body, content_type)) if whole is None else whole
    if "\x1b" in text:  # seven-bit encodings of Japanese and Korean look like ASCII
        for label in _labels(body, content_type):
            if label.startswith("iso2022"):
                return body.decode(label, "replace")
    return text


def _of_six_bytes(pair: re.Match[bytes]) -> bytes:
    halves = pair[0].decode("utf-8", "surrogatepass").encode("utf-16-le", "surrogatepass")
    return halves.decode("utf-16-le").encode()


def _with_characters(text: str) -> str:
    """A document in which two references to the halves of a character are one to it. Any other to
    no character is left out: one alone makes a whole feed unreadable.
    """
    if "&" not in text:
        return text
    return _NO_CHARACTER.sub(_if_there_is, _PAIR.sub(_whole, text))


def _whole(pair: re.Match[str]) -> str:
    high, low = (_number(pair[f"{one}hex"], pair[f"{one}dec"]) for one in "ab")
    if not (0xD800 <= high < 0xDC00 <= low < 0xE000) or pair["amark"] != pair["bmark"]:
        return pair[0]
    return f"{pair['amark']}{0x10000 + (high - 0xD800) * 0x400 + low - 0xDC00};"


def _if_there_is(reference: re.Match[str]) -> str:
    number = _number(reference["hex"], reference["dec"])
    return "" if 0xD800 <= number < 0xE000 or number > sys.maxunicode else reference[0]


def _number(hexadecimal: str | None, decimal: str | None) -> int:
    """A reference's number; beyond all characters where it has too many figures for any."""
    figures, base = (decimal or "", 10) if hexadecimal is None else (hexadecimal, 16)
    figures = figures.lstrip("0")
    return int(figures or "0", base) if len(figures) <= 7 else sys.maxunicode + 1


def _labels(body: bytes, content_type: str | None) -> list[str]:
    """Encodings a document claims, by Python's names: the header's, then its declaration's."""
    claims = re.findall(r"charset\s*=\s*[\"']?([\w.:-]+)", content_type or "", re.IGNORECASE)
    # a declaration stands at the beginning; further on, such words are somebody's text
    declared = re.findall(rb"<\?xml[^>]*?encoding\s*=\s*[\"']([\w.:-]+)", body[:1000])
    declared += re.findall(
        rb"<meta[^>]*?charset\s*=\s*[\"']?([\w.:-]+)", body[:4000], re.IGNORECASE
    )
    claims += [claim.decode("ascii") for claim in declared]
    labels: list[str] = []
    for claim in claims:
        name = claim.lower().removeprefix("x-")
        if name == claim.lower():
            name = re.sub(r"^win-?(?=\d)", "cp", name)
        try:
            info = codecs.lookup(name)
        except LookupError:
            continue
        if info.name.startswith(("utf-16", "utf-32")):  # it would have shown by its zeros
            continue
        label = info.name
        if label in {"iso8859-1", "ascii"}:  # on the web they mean windows-1252
            label = "cp1252"
        if label not in labels:
            labels.append(label)
    return labels


def _decode_legacy(body: bytes, labels: list[str]) -> str:
    """Text that is not UTF-8 by the first label that fits, unless it is Russian by another."""
    broken = body.decode("utf-8", "replace")
    replaced = broken.count("\ufffd")
    foreign = len(_ASCII.sub("", broken))
    # of the foreign letters fewer than one in twenty: another encoding would break nearly all
    if replaced * 20 < foreign:
        return broken  # UTF-8 with a few cut characters
    claimed: str | None = None
    for label in labels:
        if claimed is None and label != "utf-8":
            claimed = _strictly(body, label)
    if claimed is not None and not any(map(_SINGLE_BYTE.fullmatch, labels)):
        return claimed  # a multi-byte encoding that decodes is right
    score, best = 0.0, ""
    for name in _CYRILLIC:
        text = _strictly(body, name)
        if text is not None and _russian(text) > score:
            score, best = _russian(text), text
    # a label is believed until another table reads clearly better
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

    # chardet takes seconds for megabytes
    name = chardet.detect(body[:200_000]).get("encoding") or "cp1252"
    try:
        return codecs.lookup(name).name
    except LookupError:
        return "cp1252"


def _russian(text: str) -> float:
    """The share (0 to 1) of a text's foreign letters that are the commonest small ones of Russian.

    In the wrong table they turn into capitals and rare letters. The accents of French or German
    stand alone, those of a Russian word side by side: a text of short runs is none.
    """
    # enough to tell a language, and its cost has a limit
    runs = _FOREIGN_RUN.findall(text[:400_000])
    letters = "".join(runs)
    if not letters or len(letters) < 2 * len(runs):
        return 0.0
    return len(_common().findall(letters)) / len(letters)


@cache
def _common() -> re.Pattern[str]:
    """The commonest letters of the languages that are written in Cyrillic ones."""
    cyrillic = [one.reading for one in languages() if one.reading.script is Script.CYRILLIC]
    letters = "".join(one.common for one in cyrillic)
    return re.compile(f"[{letters}]" if letters else "(?!)")
