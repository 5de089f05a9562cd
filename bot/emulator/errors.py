"""The Bot API's refusals of a call.

Descriptions are the server's own words: clients tell "blocked" from "our message is bad" by them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import orjson

Json = dict[str, Any]
#: Words of the demonstration, alike for all or by language.
Words = str | Mapping[str, str]


def encoded(value: object) -> bytes:
    """A value as JSON, also a broken server's: nested by the hundred, or half a surrogate pair."""
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:
        return json.dumps(value).encode()


class ApiError(Exception):
    """A refused call: `code` is both the HTTP status and `error_code` of the body."""

    def __init__(
        self,
        code: int,
        description: str,
        *,
        retry_after: int | None = None,
        migrate_to: int | None = None,
    ) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.retry_after = retry_after
        self.migrate_to = migrate_to

    def body(self) -> Json:
        """The JSON body the server sends with this refusal."""
        body: Json = {"ok": False, "error_code": self.code, "description": self.description}
        if self.retry_after is not None:
            body["parameters"] = {"retry_after": self.retry_after}
        elif self.migrate_to is not None:
            body["parameters"] = {"migrate_to_chat_id": self.migrate_to}
        return body


def bad_request(description: str) -> ApiError:
    """A 400 in the server's form."""
    return ApiError(400, f"Bad Request: {description}")


def forbidden(description: str) -> ApiError:
    """A 403 in the server's form."""
    return ApiError(403, f"Forbidden: {description}")


class ScenarioError(Exception):
    """The scenario asks for something the world does not have, such as an unknown chat."""
