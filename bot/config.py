"""Settings, read once from environment and `.env`: all problems are told at once, secrets hide."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import unquote, urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainValidator,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from bot import settings_file
from bot.database_address import DatabaseAddress, password_in
from bot.errors import ConfigError
from bot.grammar import (
    Address,
    Currency,
    Duration,
    Listen,
    Quiet,
    SettingFlag,
    UserIds,
    Zone,
    clash,
    in_unicode,
    one_of,
    parse_language,
    parse_proxy,
)
from bot.languages import FALLBACK
from bot.languages import problems as language_problems
from bot.proxy_address import secrets_in
from bot.secret_files import FROM_FILES, SecretFile, SecretFiles, content

TOKEN = re.compile(r"[0-9]{6,}:[A-Za-z0-9_-]{30,}")
WEBHOOK_SECRET = re.compile(r"[A-Za-z0-9_-]{16,256}")
SHORTEST_KEY = 16  # characters of an address by which a client is known
LOWEST_RATE = 0.1  # messages a second; slower than one in ten seconds is a typing mistake
FREE_RATE = 30  # messages a second that Telegram takes of any bot
PAID_RATE = 1000  # and of one that pays for broadcasts
TELEGRAM = "https://api.telegram.org"
TELEGRAM_PORTS = frozenset({443, 80, 88, 8443})  # to which Telegram's own server posts updates

ProxyUse = Literal["telegram", "all"]
UpdatesName = Literal["polling", "webhook"]
PolicyName = Literal["publish", "two_sources", "approve"]
LogFormat = Literal["console", "json"]
LogLevel = Literal["debug", "info", "warning", "error"]


def _stripped(value: object) -> object:
    """A text without the spaces and line ends that come along when it is copied."""
    if isinstance(value, str):
        return value.strip()
    return value


def _token(value: SecretStr) -> SecretStr:
    """A token in @BotFather's form; whether it is one, only Telegram knows."""
    if not TOKEN.fullmatch(value.get_secret_value()):
        raise ValueError("a bot token; @BotFather gives one like 123456789:AA…")
    return value


Token = Annotated[SecretStr, BeforeValidator(_stripped), AfterValidator(_token)]


ProxyAddress = Annotated[str, PlainValidator(parse_proxy)]


def _without_slash(address: str) -> str:
    return address.rstrip("/")


def _without_query(address: str) -> str:
    if "?" in address or "#" in address:  # what is asked would stand behind it
        raise ValueError("an address without ? and #")
    return address


def _folder(name: str) -> str:
    """A folder that is there or could be, or the word for none."""
    if name.strip().lower() == "off":
        return "off"
    path = Path(name).absolute()
    try:
        nearest = next(one for one in (path, *path.parents) if one.exists())
    except OSError:  # a name that no file can have
        raise ValueError("the name of a folder, or off") from None
    if "\0" in name or not nearest.is_dir():
        raise ValueError(f"the name of a folder, or off; {nearest} is none")
    return name


#: Of what no reader would see the end; a database cannot count beyond 2^63.
MOST_ALERTS_PER_HOUR = 1_000_000
MOST_USER_FEEDS = 40  # of one chat: each is a line and two buttons of one message


class Settings(BaseSettings):
    """The settings, which an operator decides; `.env.example` explains each in a line."""

    model_config = SettingsConfigDict(
        env_file=".env", env_file_encoding="utf-8-sig", extra="ignore", env_ignore_empty=True
    )

    bot_token: Token | None = None
    bot_token_file: SecretFile | None = None
    bot_api_url: Annotated[
        Address, AfterValidator(_without_query), AfterValidator(_without_slash)
    ] = TELEGRAM
    # not shown, because it may carry a password
    database_url: Annotated[DatabaseAddress, Field(repr=False)] = "sqlite:///data/jarchy.db"
    database_url_file: SecretFile | None = None
    catalog: Path | None = None
    admin_ids: Annotated[UserIds, NoDecode] = ()
    # not shown, because it may carry a password
    proxy: Annotated[ProxyAddress | None, Field(repr=False)] = None
    proxy_for: Annotated[ProxyUse, BeforeValidator(one_of(("telegram", "all")))] = "telegram"
    home_currency: Currency = "KGS"
    time_zone: Zone = "Asia/Bishkek"
    default_language: Annotated[str, BeforeValidator(parse_language)] = FALLBACK
    updates: Annotated[UpdatesName, BeforeValidator(one_of(("polling", "webhook")))] = "polling"
    # as it is written, for what stands before us may tell /hook from /hook/
    webhook_url: Address | None = None
    webhook_secret: Annotated[SecretStr, BeforeValidator(_stripped)] | None = None
    webhook_secret_file: SecretFile | None = None
    webhook_listen: Listen = "127.0.0.1:8443"
    ops_listen: Listen = "127.0.0.1:8080"
    # not shown, because whoever knows it may give the sign of life
    heartbeat_url: Annotated[Address | None, Field(repr=False)] = None
    send_rate: Annotated[float, Field(ge=LOWEST_RATE, allow_inf_nan=False)] = 25
    paid_broadcast: SettingFlag = False
    security_policy: Annotated[
        PolicyName, BeforeValidator(one_of(("publish", "two_sources", "approve")))
    ] = "publish"
    user_feeds: Annotated[int, Field(ge=0, le=MOST_USER_FEEDS)] = 20
    quiet_hours: Annotated[Quiet | None, NoDecode] = None
    alerts_per_hour: Annotated[int, Field(ge=0, le=MOST_ALERTS_PER_HOUR)] = 20
    backups: Annotated[str, BeforeValidator(_stripped), AfterValidator(_folder)] | None = None
    poll_every: Duration | None = None
    log_format: Annotated[LogFormat, BeforeValidator(one_of(("console", "json")))] | None = None
    log_level: Annotated[
        LogLevel, BeforeValidator(one_of(("debug", "info", "warning", "error")))
    ] = "info"

    @field_validator("*", mode="before")
    @classmethod
    def _text(cls, value: object) -> object:
        return in_unicode(value)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - a folder of them: not ours
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, dotenv_settings, SecretFiles(settings_cls)

    @model_validator(mode="after")
    def _together(self) -> Settings:
        """Check the settings against one another: each alone may be right."""
        problems: list[str] = []
        highest = FREE_RATE
        if self.paid_broadcast:
            highest = PAID_RATE
        if self.send_rate > highest:
            problems.append(
                f"SEND_RATE: above {FREE_RATE} needs PAID_BROADCAST=true, and {PAID_RATE} is the "
                f"most"
            )
        problems += self._said_twice()
        if self.proxy_for == "all" and self.proxy is None:
            problems.append("PROXY_FOR: all needs a PROXY")
        if self.security_policy == "approve" and not self.admin_ids:
            problems.append("SECURITY_POLICY: approve needs ADMIN_IDS, who are asked")
        if self.webhook_url is not None and self.bot_api_url == TELEGRAM:
            problems += self._unreachable(self.webhook_url)
        if self.updates == "webhook":
            problems += self._missing_for_webhook()
        if problems:
            raise ValueError("\n".join(problems))
        return self

    def _said_twice(self) -> list[str]:
        """The settings that a file holds and that are said besides, otherwise."""
        problems: list[str] = []
        for name in FROM_FILES:
            file, value = getattr(self, f"{name}_file"), getattr(self, name)
            if isinstance(value, SecretStr):
                value = value.get_secret_value()
            if file is not None and content(file) != value:
                problems.append(f"{name.upper()}_FILE: {name.upper()} says otherwise; drop one")
        return problems

    @staticmethod
    def _unreachable(webhook_url: str) -> list[str]:
        """Reasons for Telegram to refuse the webhook's address; a local Bot API server has none."""
        parts = urlsplit(webhook_url)
        if parts.scheme != "https":
            return ["WEBHOOK_URL: Telegram posts to https addresses alone"]
        if (parts.port or 443) not in TELEGRAM_PORTS:
            return ["WEBHOOK_URL: Telegram posts to ports 443, 80, 88 and 8443 alone"]
        return []

    def _missing_for_webhook(self) -> list[str]:
        """The settings that UPDATES=webhook needs besides and lacks, a sentence each."""
        problems: list[str] = []
        if self.webhook_url is None:
            problems.append("WEBHOOK_URL: required when UPDATES=webhook")
        secret = ""
        if self.webhook_secret is not None:
            secret = self.webhook_secret.get_secret_value()
        if not WEBHOOK_SECRET.fullmatch(secret):
            problems.append(
                "WEBHOOK_SECRET: 16 to 256 letters, digits, _ or - are required when "
                "UPDATES=webhook"
            )
        if self.webhook_listen == "off":
            problems.append("WEBHOOK_LISTEN: host:port is required when UPDATES=webhook")
        elif clash(self.webhook_listen, self.ops_listen):
            problems.append("WEBHOOK_LISTEN: OPS_LISTEN listens there already")
        return problems

    @property
    def token(self) -> str:
        """The bot token; ConfigError when there is none."""
        if self.bot_token is None:
            raise ConfigError("BOT_TOKEN: missing; @BotFather gives one, put it into .env")
        return self.bot_token.get_secret_value()

    @property
    def proxies_past_home(self) -> bool:
        """Whether a Bot API server on the operator's own machine is asked past the proxy, which
        leads to all others; Telegram's is none, and nobody need look up where it is.
        """
        return self.proxy_for == "all" and self.bot_api_url != TELEGRAM

    @property
    def proxy_to_others(self) -> str | None:
        """The proxy by which all but Telegram is asked; None where each is asked itself."""
        if self.proxy_for == "all":
            return self.proxy
        return None

    @property
    def token_name(self) -> str:
        """The name of the token's pace and switch in the store: the bot's number, no secret."""
        return self.token.partition(":")[0]

    @property
    def secrets(self) -> tuple[str, ...]:
        """Values that no log may show: token, webhook's secret, passwords, keys in addresses."""
        kept: list[str] = []
        for value in (self.bot_token, self.webhook_secret):
            if value is not None:
                kept.append(value.get_secret_value())
        if (password := password_in(self.database_url)) is not None:
            # as it is typed in an address (%40), and as a driver's message may show it (@)
            kept += [password, unquote(password)]
        if self.proxy is not None:
            kept += secrets_in(self.proxy)
        # such a service knows its client by the address alone
        if self.heartbeat_url is not None:
            parts = urlsplit(self.heartbeat_url)
            kept.append(self.heartbeat_url)
            for part in (parts.path, parts.query):
                if len(part) >= SHORTEST_KEY:  # what is shorter is a word that logs have anyway
                    kept.append(part)
        return tuple(kept)


class GivenSettings(Settings):
    """Settings as whoever makes them gives them: nothing is read of the environment or a file."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - as of those that are read
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - likewise
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - likewise
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - likewise
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What is given alone."""
        return (init_settings,)


class _CatalogSetting(BaseSettings):
    """One setting alone, for when others are wrong."""

    model_config = Settings.model_config

    catalog: Annotated[Path, BeforeValidator(in_unicode)] | None = None


def load_settings(env_file: Path | None = None, **overrides: Any) -> Settings:  # noqa: ANN401 - any field
    """Read the settings; ConfigError names every setting with a problem, and tells no secret."""
    path = env_file or Path(".env")
    problems = [*language_problems(), *settings_file.problems(path, _names())]
    readable = settings_file.readable(path)
    try:
        settings = Settings(_env_file=readable, **overrides)
    except ValidationError as error:
        problems += _all_problems(error, readable, overrides)
    except SettingsError as error:  # pydantic-settings could not even read a value
        problems.append(str(error))
    else:
        if not problems:
            return settings
    raise ConfigError(problems)


def _names() -> frozenset[str]:
    """The settings as they are written in the environment, those that a file holds among them."""
    names = {name.upper() for name in Settings.model_fields}
    return frozenset(names | {f"{name.upper()}_FILE" for name in FROM_FILES})


def catalog_path(env_file: Path | None = None) -> Path | None:
    """The setting CATALOG, however wrong the others are."""
    path = env_file or Path(".env")
    try:
        return _CatalogSetting(_env_file=settings_file.readable(path)).catalog
    except (ValidationError, SettingsError):
        return None


def _all_problems(
    error: ValidationError, path: Path | None, overrides: dict[str, Any]
) -> list[str]:
    """Problems of each setting, then, where each is right, those of several together."""
    problems = _problems(error)
    told = {line.partition(":")[0] for line in problems}
    # pydantic looks at settings together only when each is right: once more, without the wrong.
    right = dict(overrides)
    for item in error.errors():
        if item["loc"]:
            name = str(item["loc"][0])
            right[name] = Settings.model_fields[name].default
            if name in FROM_FILES:
                right[f"{name}_file"] = None
    try:
        Settings(_env_file=path, **right)
    except ValidationError as together:
        for line in _problems(together):
            if line.partition(":")[0] not in told:
                problems.append(line)
    return problems


def _problems(error: ValidationError) -> list[str]:
    """All that pydantic found, a line each."""
    lines: list[str] = []
    for item in error.errors():
        lines += _explain(item)
    return lines


def _explain(item: Any) -> list[str]:  # noqa: ANN401 - pydantic's error details
    """One problem that pydantic found, in a line that names the setting; never its value."""
    message = str(item["msg"]).removeprefix("Value error, ")
    if not item["loc"]:
        return message.splitlines()
    if item["type"] == "int_parsing_size":  # what the library says of it is no end of our sentence
        message = "a number of fewer digits"
    if item["type"] == "missing":
        return [f"{str(item['loc'][0]).upper()}: missing"]
    return [f"{str(item['loc'][0]).upper()}: should be {message.removeprefix('Input should be ')}"]
