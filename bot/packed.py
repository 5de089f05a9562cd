"""Compressed bodies, unpacked by what the bytes are: servers announce one thing and send another.

A `.gz` file, a cache that packs without saying so, `x-gzip`, a plain text announced as gzip: all
are met at publishers, and every browser reads most of them. So the first bytes decide, and the
header only where the bytes cannot tell (deflate). A small archive may hold gigabytes, and a body of
very many members costs more than its size tells: both have an end here.
"""

from __future__ import annotations

import zlib

GZIP = b"\x1f\x8b"
MOST_LAYERS = 2  # a .gz file, packed again on its way
# pigz and log rotation write a few members; 150,000 empty ones stalled clients for half a second
MOST_MEMBERS = 100
_GZIP_ONLY, _ZLIB, _RAW = zlib.MAX_WBITS | 16, zlib.MAX_WBITS, -zlib.MAX_WBITS


def unpacked(body: bytes, encoding: str, *, most: int) -> bytes:
    """The body as it was before it was packed; cut one byte beyond `most`.

    `encoding` is what `Content-Encoding` says. Raises `zlib.error` where it breaks off.
    """
    # some servers pack with gzip and call it deflate
    if encoding.strip().lower() == "deflate" and not body.startswith(GZIP):
        return _inflated(body, most)
    for _ in range(MOST_LAYERS):
        if not body.startswith(GZIP) or len(body) > most:
            break
        body = _members(body, most)
    return body


def _members(body: bytes, most: int) -> bytes:
    """All members of a gzip body, one behind the other; what stands behind the last is dropped."""
    plain = bytearray()
    for _ in range(MOST_MEMBERS):
        unpacker = zlib.decompressobj(_GZIP_ONLY)
        plain += unpacker.decompress(body, most + 1 - len(plain))
        if len(plain) > most:
            return bytes(plain)
        if not unpacker.eof:
            raise zlib.error("the body breaks off")
        body = unpacker.unused_data
        if not body.startswith(GZIP):
            return bytes(plain)
    raise zlib.error("too many members")


def _inflated(body: bytes, most: int) -> bytes:
    """A deflated body, with zlib's two bytes before it or, as some servers send it, without."""
    for window in (_ZLIB, _RAW):
        unpacker = zlib.decompressobj(window)
        try:
            plain = unpacker.decompress(body, most + 1)
        except zlib.error:
            continue
        if len(plain) > most or unpacker.eof:
            return plain
    if body[:1] in {b"<", b"{"}:  # announced, and not done
        return body
    raise zlib.error("the body breaks off")
