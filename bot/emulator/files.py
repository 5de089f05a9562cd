"""Files the bot has uploaded: kept by id, the oldest forgotten first."""

from __future__ import annotations

import secrets
import struct
from collections import OrderedDict
from dataclasses import dataclass

from bot.emulator.errors import Json, bad_request
from bot.emulator.params import Upload

# bytes, as the Bot API's documentation has them
_PHOTO_LIMIT = 10 * 1024 * 1024
_DOCUMENT_LIMIT = 50 * 1024 * 1024
_DOWNLOAD_LIMIT = 20 * 1024 * 1024  # that a bot may get from Telegram's own server
_SIDES_LIMIT = 10_000  # width and height of a photo together
_RATIO_LIMIT = 20  # of a photo's sides


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """One file and how messages show it."""

    id: str
    path: str
    content: bytes
    content_type: str
    card: Json


class Files:
    """Files by id, at most `limit` bytes of them."""

    def __init__(self, limit: int = 64 * 1024 * 1024) -> None:
        self._limit = limit
        self._size = 0
        self._files: OrderedDict[str, StoredFile] = OrderedDict()

    def photo(self, source: Upload | str) -> list[Json]:
        """The PhotoSize list of an uploaded picture or of one sent before."""
        if isinstance(source, str):
            return [self.get(source).card]
        if len(source.content) > _PHOTO_LIMIT:
            raise bad_request(f"file of size {len(source.content)} bytes is too big for a photo")
        width, height = _image_size(source.content)
        if width + height > _SIDES_LIMIT or max(width, height) > _RATIO_LIMIT * min(width, height):
            raise bad_request("PHOTO_INVALID_DIMENSIONS")
        extra = {"width": width, "height": height}
        kind = "image/jpeg"  # whatever the upload says of itself
        if source.content[:4] == b"\x89PNG":
            kind = "image/png"
        return [self._keep(source, "photos", kind, extra).card]

    def document(self, source: Upload | str) -> Json:
        """The Document of an uploaded file or of one sent before."""
        if isinstance(source, str):
            return self.get(source).card
        if not source.content:
            raise bad_request("file must be non-empty")
        if len(source.content) > _DOCUMENT_LIMIT:
            raise bad_request("file is too big")
        extra = {"file_name": source.name, "mime_type": source.content_type}
        return self._keep(source, "documents", source.content_type, extra).card

    def sent(self, name: str, content: bytes, content_type: str) -> Json:
        """The Document of a file that a person sends."""
        upload = Upload(name=name, content=content, content_type=content_type)
        extra = {"file_name": name, "mime_type": content_type}
        return self._keep(upload, "documents", content_type, extra).card

    def to_download(self, file_id: str) -> StoredFile:
        """A file that a bot wants to have; a large one is known and not given."""
        if not file_id:
            raise bad_request("file_id not specified")
        file = self._files.get(file_id)
        if file is None:
            raise bad_request("wrong file_id or the file is temporarily unavailable")
        if len(file.content) > _DOWNLOAD_LIMIT:
            raise bad_request("file is too big")
        return file

    def get(self, file_id: str) -> StoredFile:
        """A file by its id; without a network an address is refused like an unknown id."""
        if not file_id:
            raise bad_request("there is no photo in the request")
        if file_id.startswith(("http://", "https://")):
            raise bad_request("failed to get HTTP URL content")
        try:
            return self._files[file_id]
        except KeyError:
            raise bad_request("wrong file identifier/HTTP URL specified") from None

    def by_path(self, path: str) -> StoredFile | None:
        """A file by the path getFile gave."""
        for file in self._files.values():
            if file.path == path:
                return file
        return None

    def _keep(self, upload: Upload, folder: str, content_type: str, extra: Json) -> StoredFile:
        unique = secrets.token_urlsafe(12)
        file_id = f"AgACAgIA{unique}"  # begins as a real photo's does
        suffix = "bin"
        if folder == "photos":
            suffix = content_type.rpartition("/")[2]
        card = {
            "file_id": file_id,
            "file_unique_id": unique,
            "file_size": len(upload.content),
            **extra,
        }
        path = f"{folder}/file_{unique}.{suffix}"
        file = StoredFile(
            id=file_id, path=path, content=upload.content, content_type=content_type, card=card
        )
        self._files[file_id] = file
        self._size += len(upload.content)
        # the last one stays, however large: its message was sent just now
        while self._size > self._limit and len(self._files) > 1:
            _, forgotten = self._files.popitem(last=False)
            self._size -= len(forgotten.content)
        return file


def _image_size(content: bytes) -> tuple[int, int]:
    if content[:8] == b"\x89PNG\r\n\x1a\n" and len(content) >= 24:
        width, height = struct.unpack(">II", content[16:24])
        return width, height
    if content[:2] == b"\xff\xd8":
        return _jpeg_size(content)
    raise bad_request("IMAGE_PROCESS_FAILED")


def _jpeg_size(content: bytes) -> tuple[int, int]:
    at = 2
    while at + 9 <= len(content) and content[at] == 0xFF:
        marker = content[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in {0xC4, 0xC8, 0xCC}:  # a start-of-frame segment
            height, width = struct.unpack(">HH", content[at + 5 : at + 9])
            return width, height
        at += 2 + int(struct.unpack(">H", content[at + 2 : at + 4])[0])
    raise bad_request("IMAGE_PROCESS_FAILED")
