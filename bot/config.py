"""Settings, read once from the environment and `.env`; all problems are reported together, secrets hide themselves."""

from __future__ import annotations

import re
import stat
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from bot.errors import ConfigError

TOKEN = re.compile(r"\d{6,}:[\w-]{30,}")
#: Accounts that many people share: anonymous administrators, channel posts, Telegram itself.
NOBODYS_IDS = frozenset({1087968824, 136817688, 777000})
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}


def parse_duration(text: str) -> timedelta:
    """`30s`, `5m`, `1.5h`, `2d`; ValueError for anything else or for nothing at all."""
    match = _DURATION.fullmatch(text.strip())
    if match is None or float(match[1]) == 0:
        raise ValueError(f"{text!r} is not a duration such as 30s or 5m")
    return timedelta(seconds=float(match[1]) * _UNITS[match[2]])


def _duration(value: object) -> object:
    return parse_duration(value) if isinstance(value, str) and value else value or None


def _ids(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return tuple(int(part) for part in value.replace(";", ",").split(",") if part.strip())
    except ValueError:
        raise ValueError("numeric user ids, separated by commas") from None


def _real_people(ids: tuple[int, ...]) -> tuple[int, ...]:
    if shared := NOBODYS_IDS.intersection(ids):
        raise ValueError(f"{min(shared)} is not one person's account")
    if any(number <= 0 for number in ids):
        raise ValueError("user ids are positive; a group cannot be an administrator")
    return ids


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{name!r} is no time zone such as Asia/Bishkek") from None
    return name


def _currency(code: str) -> str:
    if not re.fullmatch(r"[A-Z]{3}", code.upper()):
        raise ValueError(f"{code!r} is no currency code such as KGS")
    return code.upper()


def _web_address(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(f"{url!r} is no http address")
    return url.rstrip("/")


def _listen(value: str) -> str:
    if value != "off" and not re.fullmatch(r"[\w.:\[\]-]*:\d{1,5}", value):
        raise ValueError(f"{value!r} is neither host:port nor off")
    return value


def _token(value: SecretStr | None) -> SecretStr | None:
    if value is not None and not TOKEN.fullmatch(value.get_secret_value()):
        raise ValueError("this is no bot token; @BotFather gives one like 123456789:AA…")
    return value


class Settings(BaseSettings):
    """What an operator decides; `.env.example` explains each in a line."""

    model_config = SettingsConfigDict(env_file=".env", env_file_encoding="utf-8", extra="ignore", env_ignore_empty=True)

    bot_token: Annotated[SecretStr | None, AfterValidator(_token)] = None
    bot_api_url: Annotated[str, AfterValidator(_web_address)] = "https://api.telegram.org"
    database_url: Annotated[str, Field(repr=False)] = "sqlite:///data/jarchy.db"  # may carry a password
    catalog: Path | None = None
    admin_ids: Annotated[tuple[int, ...], NoDecode, BeforeValidator(_ids), AfterValidator(_real_people)] = ()
    home_currency: Annotated[str, AfterValidator(_currency)] = "KGS"
    time_zone: Annotated[str, AfterValidator(_zone)] = "Asia/Bishkek"
    default_language: Literal["en", "ru", "ky"] = "en"
    updates: Literal["polling", "webhook"] = "polling"
    webhook_url: Annotated[str, AfterValidator(_web_address)] | None = None
    webhook_secret: SecretStr | None = None
    webhook_listen: Annotated[str, AfterValidator(_listen)] = "127.0.0.1:8443"
    ops_listen: Annotated[str, AfterValidator(_listen)] = "127.0.0.1:8080"
    send_rate: Annotated[float, Field(gt=0)] = 25
    paid_broadcast: bool = False
    security_policy: Literal["publish", "two_sources", "approve"] = "publish"
    poll_every: Annotated[timedelta | None, BeforeValidator(_duration)] = None
    log_format: Literal["console", "json"] | None = None
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @model_validator(mode="after")
    def _together(self) -> Settings:
        problems = []
        if self.send_rate > (1000 if self.paid_broadcast else 30):
            problems.append("SEND_RATE: above 30 needs PAID_BROADCAST=true, and 1000 is the most")
        if self.security_policy == "approve" and not self.admin_ids:
            problems.append("SECURITY_POLICY: approve needs ADMIN_IDS, who are asked")
        if self.updates == "webhook":
            if self.webhook_url is None:
                problems.append("WEBHOOK_URL: required when UPDATES=webhook")
            secret = self.webhook_secret.get_secret_value() if self.webhook_secret else ""
            if not re.fullmatch(r"[A-Za-z0-9_-]{16,256}", secret):
                problems.append("WEBHOOK_SECRET: 16 to 256 letters, digits, _ or - are required when UPDATES=webhook")
        if problems:
            raise ValueError("\n".join(problems))
        return self

    @property
    def token(self) -> str:
        """The bot token; ConfigError when there is none."""
        if self.bot_token is None:
            raise ConfigError("BOT_TOKEN: missing; @BotFather gives one, put it into .env")
        return self.bot_token.get_secret_value()

    @property
    def secrets(self) -> tuple[str, ...]:
        """What no log may show: the token, the webhook's secret, the database's password."""
        kept = [value.get_secret_value() for value in (self.bot_token, self.webhook_secret) if value is not None]
        password = urlsplit(self.database_url).password
        return (*kept, *([unquote(password)] if password else []))


def load_settings(env_file: Path | None = None, **overrides: Any) -> Settings:  # noqa: ANN401 - any field
    """Read the settings; ConfigError lists every problem, each by the setting's name and never by its secret value."""
    path = env_file or Path(".env")
    if path.is_file() and stat.S_IMODE(path.stat().st_mode) & 0o004:
        raise ConfigError(f"{path}: others can read your token; run: chmod 600 {path}")
    try:
        return Settings(_env_file=path, **overrides)
    except ValidationError as error:
        wrong = error
    fields = {str(item["loc"][0]) for item in wrong.errors() if item["loc"]}
    problems = _problems(wrong)
    try:  # what does not go together is only looked at when each by itself is right
        Settings(_env_file=path, **{**overrides, **{name: Settings.model_fields[name].default for name in fields}})
    except ValidationError as error:
        told = {line.partition(":")[0] for line in problems}
        problems += [line for line in _problems(error) if line.partition(":")[0] not in told]
    raise ConfigError(problems)


def _problems(error: ValidationError) -> list[str]:
    return [line for item in error.errors() for line in _explain(item)]


def _explain(item: Any) -> list[str]:  # noqa: ANN401 - pydantic's error details
    message = str(item["msg"]).removeprefix("Value error, ")
    if not item["loc"]:
        return message.splitlines()
    return [f"{str(item['loc'][0]).upper()}: {message}"]
