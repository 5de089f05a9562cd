"""Settings that a file holds (`BOT_TOKEN_FILE`), as Docker and systemd hand out secrets."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator
from pydantic_settings import PydanticBaseSettingsSource

LONGEST_SECRET = 4096  # bytes of a file with one


def content(path: Path) -> str:
    """The one line of a file that holds a secret; ValueError where there is none."""
    right = "the name of a file with that setting in it"
    try:
        if not path.is_file():
            raise ValueError(f"{right}; there is none")
        with path.open("rb") as file:
            line = file.read(LONGEST_SECRET + 1).decode("utf-8-sig").strip()
    except OSError as error:
        raise ValueError(f"{right}; it cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ValueError(f"{right}; it is not text") from None
    if not line or len(line) > LONGEST_SECRET or len(line.splitlines()) > 1:
        raise ValueError(f"{right}, in one line")
    return line


def _with_content(path: Path) -> Path:
    content(path)
    return path


SecretFile = Annotated[Path, AfterValidator(_with_content)]
#: Settings that may be given by a file that holds them, as Docker and systemd hand out secrets.
FROM_FILES = ("bot_token", "webhook_secret", "database_url")


class SecretFiles(PydanticBaseSettingsSource):
    """The values in the files of `BOT_TOKEN_FILE` and its like, where the setting itself is not
    said.

    A file that holds nothing is left out here: the name of the file is the setting that is wrong.
    """

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:  # noqa: ANN401, ARG002 - the library's
        """Nothing for a field by itself: `__call__` reads them all at once."""
        return None, field_name, False

    def __call__(self) -> dict[str, str]:
        """The settings by their names."""
        found: dict[str, str] = {}
        for name in FROM_FILES:
            file = self.current_state.get(f"{name}_file")
            if file and name not in self.current_state:
                with suppress(ValueError):
                    found[name] = content(Path(file))
        return found
