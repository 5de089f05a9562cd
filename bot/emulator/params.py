"""The parameters of a call: query, form, JSON or multipart, read as the server reads them.

In a form everything is text, and what is structured is JSON within it; numbers may come as text and
flags as "true", "True" or 1. A file is a form part, named directly or as `attach://part`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import orjson
from aiohttp import web

from bot.emulator.errors import Json, bad_request

_TRUE = frozenset({"true", "True", "1", "yes", "y"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file that came with the call."""

    name: str
    content: bytes
    content_type: str


@dataclass(slots=True)
class Params:
    """Named parameters of one call; each reader raises the 400 the server would."""

    values: Json
    files: dict[str, Upload] = field(default_factory=dict)

    def integer(self, name: str, default: int | None = None) -> int | None:
        """A whole number, or `default` when the parameter is missing."""
        value = self.values.get(name)
        if value is None or value == "":
            return default
        if type(value) is int:  # true is none, though Python thinks so
            return value
        try:
            return int(str(value))
        except ValueError:
            raise bad_request(f"can't parse field {name}: expected an Integer") from None

    def count(self, name: str, default: int) -> int:
        """A whole number that always has a value."""
        value = self.integer(name)
        if value is None:
            return default
        return value

    def text(self, name: str) -> str:
        """A text, empty when missing."""
        value = self.values.get(name)
        if value is None:
            return ""
        return str(value)

    def flag(self, name: str) -> bool:
        """A Boolean, False when missing."""
        value = self.values.get(name)
        return value is True or str(value) in _TRUE

    def structure(self, name: str) -> object:
        """An object or a list, decoded if it came as text; None when missing."""
        value = self.values.get(name)
        if not isinstance(value, str):
            return value
        if not value:
            return None
        try:
            decoded: object = orjson.loads(value)
        except orjson.JSONDecodeError:
            raise bad_request(f"can't parse {name.replace('_', ' ')} JSON object") from None
        return decoded

    def mapping(self, name: str) -> Json:
        """An object, empty when missing."""
        value = self.structure(name)
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise bad_request(f"can't parse field {name}: expected an Object")
        return value

    def items(self, name: str) -> list[Json]:
        """A list of objects, empty when missing."""
        value = self.structure(name)
        if value is None:
            return []
        if not isinstance(value, list):
            raise bad_request(f"can't parse {name}: expected an Array")
        return value

    def file(self, name: str) -> Upload | str:
        """An uploaded file, or the file id or address given instead."""
        direct = self.files.get(name)
        if direct is not None:
            return direct
        return self.attached(self.text(name))

    def attached(self, reference: str) -> Upload | str:
        """The upload that `attach://part` refers to; any other text is returned as it is."""
        if not reference.startswith("attach://"):
            return reference
        try:
            return self.files[reference.removeprefix("attach://")]
        except KeyError:
            raise bad_request("wrong file identifier/HTTP URL specified") from None


async def read_params(request: web.BaseRequest) -> Params:
    """The parameters of a request; those in the body win over those in the address."""
    values: Json = {}
    if request.query_string:  # else there is nothing to parse, in nearly every call of a bot
        values = dict(request.query)
    # GET too is a call of the Bot API, with everything in the address
    if request.method != "POST" or not request.body_exists:
        return Params(values)
    kind = request.content_type
    if kind == "application/json":
        return Params(values | _decoded(await request.read()))
    if kind in {"multipart/form-data", "application/x-www-form-urlencoded"}:
        files = {}
        for name, value in (await request.post()).items():
            if isinstance(value, web.FileField):
                # aiohttp keeps it in a temporary file, which goes with the request
                content = value.file.read()
                files[name] = Upload(
                    name=value.filename, content=content, content_type=value.content_type
                )
            else:
                values[name] = value
        return Params(values, files)
    return Params(values)


def _decoded(body: bytes) -> Json:
    if not body:
        return {}
    try:
        decoded = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise bad_request("can't parse request JSON object") from None
    if not isinstance(decoded, dict):
        raise bad_request("can't parse request: expected an Object")
    return decoded
