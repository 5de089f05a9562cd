"""Settings: every one with bad values, what does not go together, and the file they come from."""

from __future__ import annotations

import base64
import functools
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from urllib.parse import unquote

import pytest
import typer.main
from yarl import URL

from bot.cli import main
from bot.config import Settings, catalog_path, load_settings
from bot.convert.zones import read_zone
from bot.errors import ConfigError
from bot.grammar import clash, parse_address, parse_duration, parse_proxy
from bot.proxies import http_proxy
from bot.proxy_address import introduction
from storage.address import parse_url

TOKEN = "123456789:AAHcanarycanarycanarycanarycanary1"
SECRET = "canary-secret-of-a-webhook"
ADDRESSES = [
    "x",
    "ftp://x.example",
    "https://",
    "https://x.example:99999",
    "https://x.example:0",
    "https://a b",
    f"https://user:{SECRET}@x.example/",
    "https://x\n.example",
    "https://x.example/\0",
    "https://" + "x" * 5000,
    "http://[::1",
    "https//x.example",
    "https://x..example/",
    f"https://{'x' * 64}.example/",
    "https://999.1.1.1/",
    "https://-x.example/",
    f"https://{'ж' * 64}.example/",
    f"https://юзер:{SECRET}@x.example/",
    "https://./",
    "https://127.0.0.1./",
    "http://[::1]8081",
    "http://a[::1]/",
]
LISTEN = [
    "abc",
    "127.0.0.1",
    "127.0.0.1:99999",
    "127.0.0.1:-1",
    "127.0.0.1:",
    "999.1.1.1:80",
    "127.0.0.1:٨٠",
    "a b:80",
    "[::x]:80",
    "a..b:80",
    "x" * 64 + ".example:80",
    "::1:80",
    "127.0.0.1:80\0",
    "http://127.0.0.1:80",
    "OFF",
]
#: What the driver is told by an address, and cannot make sense of: nobody is asked for it.
ODD_OPTIONS = [
    f"postgresql://u:{SECRET}@x/{options}"
    for options in (
        "y?port=abc",
        "y?port=1,x",
        "y?host=a:1&host=b:x",
        "y?host=a:1&host=b:2&port=3",
        "y?host=a,b&port=1,2,3",
        f"y?port={SECRET}",
        "y?host=a..b",
        "y?row_factory=x",
        "y?cursor_factory=x",
        "y?context=x",
        "y?conninfo=x",
        "y?a b=c",
        "y?nonsense=1",
    )
] + [
    f"postgresql://u:{SECRET}@a..b/y",
    f"postgresql://u:{SECRET}@{'x' * 64}.example/y",
    "sqlite:///x.db?timeout=abc",
    "sqlite:///x.db?timeout=1&timeout=2",
    "sqlite:///x.db?check_same_thread=maybe",
    "sqlite:///x.db?detect_types=x",
    "sqlite:///x.db?cached_statements=x",
    "sqlite:///x.db?uri=maybe",
    "sqlite:///x.db?nonsense=1",
]
NO_FILES = ["/no/such/file", ".", "/dev/null", "/proc/self/mem", "x" * 5000, "a\0b"]
#: Each setting with values that make no sense; one that is not here fails below.
BAD: dict[str, list[str]] = {
    "BOT_TOKEN": [
        "x",
        "123",
        f"{TOKEN} {TOKEN}",
        TOKEN.replace("A", "Ж"),
        TOKEN.replace(":", ""),
        f"{TOKEN[:20]}\n{TOKEN}",
    ],
    "BOT_API_URL": [*ADDRESSES, "https://x.example/x?y", "https://x.example/#f"],
    "DATABASE_URL": [
        "x",
        "mysql://x",
        "sqlite://",
        "sqlite:///",
        "sqlite:///:memory:",
        "postgresql",
        "://",
        "sqlite:///a\0b",
        "sqlite:///a\nb",
        "sqlite:///" + "x" * 5000,
        "sqlite:///" + "y" * 255,
        "sqlite:///" + "ж" * 200,
        "postgresql://" + "x" * 5000,
        f"mysql://u:{SECRET}@x/y",
        f"postgresql://u:{SECRET}@[::1/y",
        f"postgresql://u:{SECRET}@x:99999/y",
        "sqlite:///folder/",
        "sqlite://folder/x.db",
        "sqlite:///a%00b",
        f"postgresql://u:{SECRET}@x/y?dbname=a%00b",
        *ODD_OPTIONS,
    ],
    "CATALOG": ["/no/such/catalog.toml", ".", "x" * 5000, "a\0b", "~"],
    "BACKUPS": ["/dev/null", "x" * 5000, "a\0b", "/dev/null/x"],
    "BOT_TOKEN_FILE": NO_FILES,
    "WEBHOOK_SECRET_FILE": NO_FILES,
    "DATABASE_URL_FILE": NO_FILES,
    "PROXY": [
        "x",
        "ftp://127.0.0.1:1",
        "127.0.0.1:8080",
        "http://",
        "http://127.0.0.1:99999",
        "socks5://127.0.0.1:0",
        "socks4://127.0.0.1:1",
        "http://[::1]8080",
        f"socks5://user:{SECRET}@a[::1]:1",
        "http://a..b:1",
        f"http://{'n' * 64}:1",
        "socks5://300.1.1.1:1",
        f"http://user:{SECRET}@127.0.0.1:1#x",
        f"http://us%3Aer:{SECRET}@127.0.0.1:1",
        f"socks5://:{SECRET}@127.0.0.1:1",
        f"socks5://user:{SECRET}{'x' * 255}@127.0.0.1:1",
        f"http://user:{SECRET}@127.0.0.1:1/path",
        f"http://user:{SECRET}@127.0.0.1:1?x",
        f"socks5://user:{SECRET} @127.0.0.1:1",
        "http://[::1",
        "http://127.0.0.1:1\0",
    ],
    "ADMIN_IDS": [
        "x",
        "1,x",
        "1_000",
        "١٢٣",
        "1.5",
        "-5",
        "0",
        "1e9",
        "1000000000000000000000000000000",
        "9" * 5000,
        "1087968824",
        "5,136817688",
        "777000",
        "4503599627370497",
        "5 6",
        "5\0",
    ],
    "PROXY_FOR": ["all", "x", "Telegram", "telegram,all", "\0"],  # all: none is there to be asked
    "HOME_CURRENCY": ["QQQ", "x", "xx", "XXXX", "K1S", "СОМ", "K S", "KGS\0", "$", "9" * 5000],
    "TIME_ZONE": [
        "Mars/Base",
        "../../etc/passwd",
        "/etc/passwd",
        "Asia",
        "+06:00",
        "Asia/Bishkek\0",
        "x" * 5000,
        "Азия/Бишкек",
        "\udcff",
    ],
    "DEFAULT_LANGUAGE": ["x", "EN", "kg", "en,ru", "русский", "en\0"],
    "UPDATES": ["x", "pull", "Polling", "webhook,polling", "0"],
    "WEBHOOK_URL": [*ADDRESSES, "http://x.example/", "https://x.example:8444/"],
    "WEBHOOK_SECRET": [],  # judged with UPDATES, below
    "WEBHOOK_LISTEN": LISTEN,
    "OPS_LISTEN": LISTEN,
    "HEARTBEAT_URL": ADDRESSES,
    "SEND_RATE": [
        "x",
        "0",
        "-1",
        "nan",
        "inf",
        "-inf",
        "1e9",
        "31",
        "0.0001",
        "25/s",
        "двадцать",
        "1e400",
        "2,5",
        "25\0",
    ],
    "PAID_BROADCAST": ["x", "2", "maybe", "да", "\0", "truetrue"],
    "SECURITY_POLICY": [
        "x",
        "Publish",
        "two sources",
        "approve",
        "publish\0",
    ],  # approve: nobody is there to be asked
    "ALERTS_PER_HOUR": ["x", "-1", "2.5", "1e3", "nan", "\0", "1000001", str(2**63), "9" * 5000],
    "QUIET_HOURS": ["x", "23", "23-7", "07:00-07:00", "00:00-23:59", "\0"],
    "USER_FEEDS": ["x", "-1", "41", "2.5", "1e3", "nan", "\0"],
    "POLL_EVERY": [
        "x",
        "0",
        "5",
        "0s",
        "-5m",
        "5 m",
        "30m1h",
        "999999999999d",
        "367d",
        "1e3s",
        "nan",
        "inf",
        "٥m",
        "5м",
        "5m\0",
        "0.0001ms",
        "9" * 5000,
    ],
    "LOG_FORMAT": ["x", "JSON", "json,console", "xml"],
    "LOG_LEVEL": ["x", "INFO", "warn", "10", "critical", "debug\0"],
}


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No settings but those of the test."""
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def told(**settings: str) -> tuple[str, ...]:
    """The problems told of settings in a file."""
    with pytest.raises(ConfigError) as refusal:
        load_settings(**settings)
    return refusal.value.problems


def test_every_setting_is_tried_with_bad_values() -> None:
    """A new setting needs a row."""
    assert BAD.keys() == {name.upper() for name in Settings.model_fields}


@pytest.mark.parametrize(
    ("parse", "wrong"), [(parse_proxy, BAD["PROXY"]), (parse_address, ADDRESSES)]
)
def test_no_client_meets_an_address_that_it_cannot_read(
    parse: Callable[[object], str], wrong: list[str]
) -> None:
    """It would end the program with a traceback; of each of these the long run starts a verb."""
    taken: list[str] = []
    for value in wrong:
        with suppress(ValueError):
            taken.append(parse(value))
    assert taken == []


#: The verbs, built once: each start builds all of them, half of what a case would cost.
COMMANDS = functools.cache(typer.main.get_command)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param(
            name, value, id=f"{name}-{number}", marks=() if number % 8 == 0 else pytest.mark.slow
        )
        for name, values in BAD.items()
        for number, value in enumerate(values)
    ],
)
@pytest.mark.cases(keep=24)
def test_a_bad_value_is_one_short_line_and_the_exit_78(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Through the verb; no traceback, no secret, nothing of what was typed that is longer than the
    line.
    """
    monkeypatch.setenv("BOT_TOKEN", TOKEN)
    # no environment and no .env holds these: they come by the API alone
    if "\0" in value or "\udcff" in value:
        monkeypatch.setattr("os.environ", {**__import__("os").environ, name: value})
    else:
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.argv", ["jarchy", "check"])
    monkeypatch.setattr("typer.main.get_command", COMMANDS)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 78
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1, lines
    assert lines[0].startswith(f"jarchy: {name}: ")
    assert len(lines[0]) < 300
    assert SECRET not in lines[0]
    assert TOKEN[:20] not in lines[0]


@pytest.mark.parametrize(
    "option",
    [
        *("sslmode=bogus", "target_session_attrs=nobody", "port=99999", "port=0"),
        *("connect_timeout=soon", "keepalives=maybe", "ssl_min_protocol_version=TLSv7"),
        *("channel_binding=x", "load_balance_hosts=x", "require_auth=x"),
    ],
)
def test_a_value_that_no_server_is_asked_with_is_told_by_its_option(option: str) -> None:
    """Or the bot would be started again and again, as for a server that is away."""
    name, _, value = option.partition("=")
    settings = load_settings(database_url=f"postgresql://u:{SECRET}@db.example/y?{option}")
    with pytest.raises(ConfigError) as refused:
        parse_url(settings.database_url)
    problem = str(refused.value)
    assert problem.startswith("DATABASE_URL: ")
    assert name in problem
    assert value not in problem.split()
    assert SECRET not in problem


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://u:p@/y?host=a:1&host=b:2&target_session_attrs=read-write",
        "postgresql://u:p@/y?host=a,b&port=1,2&sslmode=verify-full&connect_timeout=3",
        "postgresql://u:p@[::1]:5432/y?application_name=a+b&prepare_threshold=0",
        "postgresql:///y?host=/var/run/postgresql.old/..",
        "postgres://u:p@банк.example/y",
        "sqlite:///x.db?timeout=30",
        "sqlite:///x%20y.db",
    ],
)
def test_options_that_a_connection_may_have_are_taken(address: str) -> None:
    """Those of the README among them."""
    assert parse_url(load_settings(database_url=address).database_url)


@pytest.mark.parametrize(
    "secret", [None, "short", "x" * 257, "with a space in it", "with/slashes/in/it", "с" * 20]
)
def test_S7_a_webhook_needs_a_secret_of_its_own_form(secret: str | None) -> None:
    settings = {"updates": "webhook", "webhook_url": "https://x.example/hook"}
    [problem] = told(**settings, **({} if secret is None else {"webhook_secret": secret}))
    assert problem.startswith("WEBHOOK_SECRET: ")
    assert secret is None or secret not in problem


def test_what_a_webhook_needs_is_told_together() -> None:
    problems = told(updates="webhook", webhook_listen="off")
    assert [line.partition(":")[0] for line in problems] == [
        "WEBHOOK_URL",
        "WEBHOOK_SECRET",
        "WEBHOOK_LISTEN",
    ]


def test_two_servers_do_not_listen_at_one_place() -> None:
    webhook = {
        "updates": "webhook",
        "webhook_url": "https://x.example/hook",
        "webhook_secret": "a" * 16,
    }
    for listen in ("127.0.0.1:8080", ":8080"):
        [problem] = told(**webhook, webhook_listen=listen)
        assert problem.startswith("WEBHOOK_LISTEN: ")
    load_settings(**webhook, webhook_listen="127.0.0.1:0", ops_listen="127.0.0.1:0")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (":8080", "127.0.0.1:8080", True),
        ("localhost:8080", "127.0.0.1:8080", True),
        ("LOCALHOST:8080", "[::1]:8080", True),
        ("0.0.0.0:8080", "127.0.0.1:8080", True),
        ("0.0.0.0:8080", "localhost:8080", True),
        ("[::]:8080", "localhost:8080", True),
        ("bot.example:8080", "0.0.0.0:8080", True),
        ("127.0.0.1:08080", "127.0.0.1:8080", True),
        ("[0:0:0:0:0:0:0:1]:8080", "[::1]:8080", True),
        ("[0::0]:8080", "localhost:8080", True),
        (":8080", "127.0.0.1:8081", False),
        ("[::]:8080", "127.0.0.1:8080", False),
        ("10.0.0.1:8080", "127.0.0.1:8080", False),
        ("off", "127.0.0.1:8080", False),
        ("0.0.0.0:0", "127.0.0.1:0", False),
        ("127.0.0.1:00", "127.0.0.1:0", False),
    ],
)
def test_a_place_to_listen_at_is_one_however_it_is_said(
    one: str, other: str, *, same: bool
) -> None:
    """Else the second server of the program finds the first, and calls it another program."""
    assert clash(one, other) is clash(other, one) is same


@pytest.mark.parametrize(
    "zone", ["localtime", "Factory", "posixrules", "posix/Asia/Bishkek", "right/Asia/Bishkek"]
)
def test_a_zone_is_the_same_on_every_machine(zone: str) -> None:
    """To readers and operators alike."""
    assert told(time_zone=zone) == ('TIME_ZONE: should be a time zone such as "Asia/Bishkek"',)
    assert read_zone(zone) is None


@pytest.mark.parametrize("code", ["XXX", "XTS"])
def test_a_code_for_no_currency_is_none(code: str) -> None:
    (problem,) = told(home_currency=code)
    assert problem.startswith("HOME_CURRENCY: should be a currency code of ISO 4217")


def test_a_problem_is_one_sentence_whoever_found_it() -> None:
    """The library's problems of a value read as ours do."""
    assert told(user_feeds="9" * 5000) == ("USER_FEEDS: should be a number of fewer digits",)
    unknown = 'should be a currency code of ISO 4217 such as "KGS"; KGZ is none; did you mean KGS?'
    assert told(home_currency="kgz") == (f"HOME_CURRENCY: {unknown}",)
    no_number = "should be a valid number, unable to parse string as a number"
    assert told(send_rate="x") == (f"SEND_RATE: {no_number}",)


def test_copies_go_to_a_folder_that_is_there_or_could_be_or_nowhere(tmp_path: Path) -> None:
    """The word for nowhere in any case of letters; no other is read as it."""
    (tmp_path / "file").write_text("")
    for said, read in (
        (" OFF ", "off"),
        ("Off", "off"),
        (" copies/new ", "copies/new"),
        (".", "."),
    ):
        assert load_settings(backups=said).backups == read
    right = "BACKUPS: should be the name of a folder, or off"
    assert told(backups="file/copies") == (f"{right}; {tmp_path / 'file'} is none",)
    assert told(backups="x" * 5000) == (right,)
    assert told(backups="a\0b") == (f"{right}; {tmp_path} is none",)


def test_of_an_address_only_the_slash_at_its_end_is_left_out() -> None:
    settings = load_settings(bot_api_url="https://x.example/X/")
    assert settings.bot_api_url == "https://x.example/X"


def test_a_local_bot_api_server_may_post_to_any_address() -> None:
    """Telegram's own server only to https, at four ports."""
    local = load_settings(
        bot_api_url="http://127.0.0.1:8081/", webhook_url="http://127.0.0.1:9999/hook/"
    )
    assert local.webhook_url == "http://127.0.0.1:9999/hook/"
    assert local.bot_api_url == "http://127.0.0.1:8081"
    for port in ("", ":443", ":80", ":88", ":8443"):
        assert load_settings(webhook_url=f"https://x.example{port}/hook").webhook_url


def test_a_rate_above_telegrams_needs_to_be_paid_for() -> None:
    assert load_settings(send_rate="30").send_rate == 30
    assert load_settings(send_rate="1000", paid_broadcast="true").send_rate == 1000
    [problem] = told(send_rate="1000.5", paid_broadcast="yes")
    assert problem.startswith("SEND_RATE: ")


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("updates", ["polling"]),
        ("security_policy", ["publish", "two_sources"]),
        ("log_format", ["console", "json"]),
        ("log_level", ["debug", "info", "warning", "error"]),
    ],
)
def test_each_word_of_a_choice_is_taken(name: str, values: list[str]) -> None:
    """And no other: the sentence names them all."""
    for value in values:
        assert getattr(load_settings(**{name: value}), name) == value
    [problem] = told(**{name: "nothing of it"})
    assert problem.startswith(f"{name.upper()}: should be one of {', '.join(values)}")


@pytest.mark.parametrize(
    ("name", "fewest", "most", "beyond"),
    [
        ("send_rate", "0.1", "30", ("0.09", "30.01", "nan", "inf")),
        ("user_feeds", "0", "40", ("-1", "41")),
        ("alerts_per_hour", "0", "1000000", ("-1", "1000001", str(2**63))),
    ],
)
def test_a_number_is_taken_to_its_bounds(
    name: str, fewest: str, most: str, beyond: tuple[str, ...]
) -> None:
    """And not a step further."""
    for value in (fewest, most):
        assert getattr(load_settings(**{name: value}), name) == float(value)
    for value in beyond:
        [problem] = told(**{name: value})
        assert problem.startswith(f"{name.upper()}: ")


def test_every_number_has_an_end_that_a_database_can_count_to() -> None:
    """One without it is found out at the first statement that it is part of, by a story untold."""
    numbers = [
        name for name, field in Settings.model_fields.items() if field.annotation in (int, float)
    ]
    assert {"alerts_per_hour", "user_feeds", "send_rate"} <= set(numbers)
    for name in numbers:
        [problem] = told(**{name: str(2**63)})
        assert problem.startswith(f"{name.upper()}: ")


def test_S6_what_an_address_knows_its_client_by_is_a_secret() -> None:
    """A part of sixteen characters or more; a shorter one is a word that logs have anyway."""
    for key, hidden in (("k" * 15, True), ("k" * 14, False)):
        address = f"https://switch.example/{key}?x{key}"
        secrets = load_settings(heartbeat_url=address).secrets
        assert address in secrets
        assert (f"/{key}" in secrets, f"x{key}" in secrets) == (hidden, hidden)
        assert key not in repr(load_settings(heartbeat_url=address))


def test_a_secret_may_be_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As Docker and systemd hand it out: with a line end, named in the environment or in `.env`; or
    written on Windows, with a byte order mark.
    """
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    (tmp_path / "hook").write_text(f"{SECRET}\r\n", encoding="utf-8-sig")
    (tmp_path / "db").write_text(f"postgresql://u:{SECRET}@x/y")
    (tmp_path / ".env").write_text("BOT_TOKEN_FILE=token\nWEBHOOK_SECRET_FILE=hook\n")
    (tmp_path / ".env").chmod(0o600)
    monkeypatch.setenv("DATABASE_URL_FILE", str(tmp_path / "db"))
    settings = load_settings()
    assert settings.token == TOKEN
    assert settings.webhook_secret is not None
    assert settings.webhook_secret.get_secret_value() == SECRET
    assert settings.database_url == f"postgresql://u:{SECRET}@x/y"
    assert {TOKEN, SECRET} <= set(settings.secrets)
    assert SECRET not in repr(settings)


def test_a_secret_said_twice_is_said_otherwise_by_mistake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "token").write_text(TOKEN)
    monkeypatch.setenv("BOT_TOKEN", TOKEN)
    assert load_settings(bot_token_file="token").token == TOKEN
    monkeypatch.setenv("BOT_TOKEN", TOKEN.replace("c", "d"))
    [problem] = told(bot_token_file="token")
    assert problem == "BOT_TOKEN_FILE: BOT_TOKEN says otherwise; drop one"


@pytest.mark.parametrize("content", [b"", b" \n", b"a\nb", b"\xff\xfe", b"x" * 5000])
def test_a_file_without_one_line_of_text_holds_no_secret(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "hook").write_bytes(content)
    [problem] = told(webhook_secret_file="hook")
    assert problem.startswith("WEBHOOK_SECRET_FILE: should be the name of a file with that setting")


def test_what_a_file_holds_is_judged_like_what_is_said(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("no-token")
    [problem] = told(bot_token_file="token")
    assert problem.startswith("BOT_TOKEN: ")


def test_a_proxys_password_is_a_secret() -> None:
    """As it is typed, as it is meant, and beside the name as a request's head has it; a name that
    is all there is is a key.
    """
    settings = load_settings(proxy="socks5://me:q7%40secret@127.0.0.1:1080")
    assert settings.proxy == "socks5://me:q7%40secret@127.0.0.1:1080"
    basic = base64.b64encode(b"me:q7@secret").decode()
    assert {"q7%40secret", "q7@secret", basic} <= set(settings.secrets)
    assert "q7" not in repr(settings)
    assert "q7-is-a-key" in load_settings(proxy="http://q7-is-a-key@127.0.0.1:1").secrets


@pytest.mark.parametrize(
    ("typed", "read", "said"),
    [
        (
            "u:пароль@сайт.рф:1",
            "u:%D0%BF%D0%B0%D1%80%D0%BE%D0%BB%D1%8C@xn--80aswg.xn--p1ai:1",
            ("u", "пароль"),
        ),
        ("u:%D0%BF%40@h:1/", "u:%D0%BF%40@h:1", ("u", "п@")),
        ("u:a@b:c%w\\@[::1]:1", "u:a%40b%3Ac%25w%5C@[::1]:1", ("u", "a@b:c%w\\")),
        ("u:p%E9@h", "u:p%E9@h", ("u", b"p\xe9")),
        (":p%0d%0ax@h", ":p%0D%0Ax@h", ("", "p\r\nx")),
        ("u@h", "u@h", ("u", "")),
        ("h", "h", ("", "")),
    ],
)
def test_a_proxy_is_told_a_name_and_a_password_of_any_letters(
    typed: str, read: str, said: tuple[str | bytes, ...]
) -> None:
    """In UTF-8, or as the bytes that are percent-encoded."""
    settings = load_settings(proxy=f"HTTP://{typed}")
    assert settings.proxy == f"http://{read}"
    expected = [one if isinstance(one, bytes) else one.encode() for one in said]
    assert list(introduction(settings.proxy)) == expected
    named = http_proxy(settings.proxy)
    assert named is not None
    got = [(one or "").encode("latin-1") for one in (named.user, named.password)]
    assert got == expected, "aiohttp says letters of Latin-1"


def test_what_is_asked_by_a_proxy_is_telegram_or_all() -> None:
    """Past the one to all others another Bot API server than Telegram's may be looked for."""
    way, own = "http://127.0.0.1:1", "http://10.0.0.5:8081"
    for said, others, past_home in (
        ({}, None, False),
        ({"bot_api_url": own}, None, False),
        ({"proxy_for": "all"}, way, False),
        ({"proxy_for": "all", "bot_api_url": own}, way, True),
    ):
        settings = load_settings(proxy=way, **said)
        assert (settings.proxy_to_others, settings.proxies_past_home) == (others, past_home)


def test_who_is_asked_must_be_there() -> None:
    assert load_settings(security_policy="approve", admin_ids="5").security_policy == "approve"


def test_all_problems_are_told_at_once_those_of_the_catalog_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Whatever is wrong with the other settings."""
    (tmp_path / "mine.toml").write_text("[feeds.x]\n[sorces]\n")
    (tmp_path / ".env").write_text(
        "CATALOG=mine.toml\nTIME_ZONE=Mars\nSEND_RATE=500\nPOLL_EVERY=often\n"
    )
    (tmp_path / ".env").chmod(0o600)
    monkeypatch.setattr("sys.argv", ["jarchy", "run"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 78
    names = [line.split(": ")[1] for line in capsys.readouterr().err.splitlines()]
    assert names == ["TIME_ZONE", "POLL_EVERY", "SEND_RATE", "[feeds.x] url", "[sorces]"]


@pytest.mark.parametrize("name", [name.upper() for name in Settings.model_fields])
def test_a_value_whose_bytes_are_not_utf_8_is_told_at_the_start(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the setting: some were taken, and ended the program at the first night's copy."""
    odd = {"DATABASE_URL": "sqlite:///\udcff.db", "BOT_TOKEN": f"{TOKEN}\udcff"}
    monkeypatch.setenv(name, odd.get(name, "https://x.example/\udcff"))
    [problem] = told()
    assert problem == f"{name}: should be text in UTF-8"
    assert name != "CATALOG" or catalog_path() is None


# ── the file ────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (f"BOT_TOKEN={TOKEN}\nTIME_ZONE=Азия".encode("cp1251"), "not UTF-8"),
        (f"BOT_TOKEN={TOKEN}".encode("utf-16"), "not UTF-8"),
        (bytes(range(256)), "not UTF-8"),
        (None, "folder"),
    ],
    ids=["windows-1251", "utf-16", "garbage", "a folder"],
)
def test_a_file_of_settings_that_cannot_be_read_is_told(
    content: bytes | None, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what the environment says is looked at all the same."""
    if content is None:
        (tmp_path / ".env").mkdir(mode=0o700)
    else:
        (tmp_path / ".env").write_bytes(content)
        (tmp_path / ".env").chmod(0o600)
    monkeypatch.setenv("TIME_ZONE", "Mars")
    file, zone = told()
    assert file.startswith(".env: ")
    assert why in file
    assert TOKEN not in file
    assert zone.startswith("TIME_ZONE: ")


def test_S18_a_file_that_others_can_read_is_refused_beside_other_problems(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("TIME_ZONE=Mars\n")
    (tmp_path / ".env").chmod(0o644)
    assert [line.partition(":")[0] for line in told()] == [".env", "TIME_ZONE"]
    (tmp_path / ".env").write_text(f"BOT_TOKEN={TOKEN}\n")
    assert "chmod 600" in told()[0]
    (tmp_path / ".env").chmod(0o640)  # a group's own file is its own business
    assert load_settings().token == TOKEN


@pytest.mark.parametrize(
    ("name", "why"),
    [("x" * 5000, "File name too long"), ("a\0b", "no file has such a name")],
    ids=["too long", "a zero"],
)
def test_a_name_that_no_file_can_have_is_one_problem(name: str, why: str) -> None:
    """And none that others could read."""
    with pytest.raises(ConfigError) as found:
        load_settings(Path(name))
    assert found.value.problems == (f"{name}: cannot be read: {why}",)


def test_a_file_that_others_may_run_but_not_read_is_nobodys_business(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(f"BOT_TOKEN={TOKEN}\n")
    (tmp_path / ".env").chmod(0o601)
    assert load_settings().token == TOKEN


def test_a_file_written_on_windows_is_read(tmp_path: Path) -> None:
    """With a byte order mark, with its line ends, with spaces behind a value; an empty value is
    none.
    """
    lines = [
        f"BOT_TOKEN={TOKEN}  ",
        "ADMIN_IDS=5; 6,5,",
        "POLL_EVERY=1h30m",
        "HOME_CURRENCY=usd",
        "LOG_LEVEL=",
        "OTHER=1",
    ]
    (tmp_path / ".env").write_bytes("\r\n".join(lines).encode("utf-8-sig"))
    (tmp_path / ".env").chmod(0o600)
    found = load_settings()
    assert (found.token, found.admin_ids, found.home_currency) == (TOKEN, (5, 6), "USD")
    assert (found.poll_every, found.log_level) == (timedelta(minutes=90), "info")


def test_S6_settings_show_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """However they are printed."""
    found = load_settings(bot_token=TOKEN, webhook_secret=SECRET)
    assert TOKEN not in f"{found!r} {found} {found.model_dump()}"
    assert SECRET not in f"{found!r} {found} {found.model_dump()}"
    with pytest.raises(ConfigError, match="BOT_TOKEN: missing"):
        _ = load_settings().token


@pytest.mark.parametrize("password", ["p#ss-word", "p/ss?word", "p%23ss-word", "пароль-тут"])
def test_S6_a_password_of_any_letters_is_hidden(password: str) -> None:
    """As it was typed and as it is."""
    found = load_settings(
        database_url=f"postgresql://user:{password}@db:5432/jarchy?host=a:1&host=b:2"
    )
    assert {password, unquote(password)} <= set(found.secrets)


@pytest.mark.parametrize(
    "listen",
    ["off", ":8080", "127.0.0.1:0", "0.0.0.0:65535", "[::1]:8080", "localhost:80", "a-b.example:1"],
)
def test_where_to_listen(listen: str) -> None:
    found = load_settings(ops_listen=listen)
    assert found.ops_listen == listen


# ── durations: one grammar for settings and catalog ─────────────────────────


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("30m", 1800),
        ("1.5h", 5400),
        ("1h30m", 5400),
        ("2d", 172800),
        ("1d1h1m1s", 90061),
        (" 5m ", 300),
        ("200ms", 0.2),
        ("1ms", 0.001),
        ("366d", 366 * 86400),
        ("0d5m", 300),
        ("1s500ms", 1.5),
    ],
)
def test_a_duration_is_read(text: str, seconds: float) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text",
    [
        "366d1s",
        "0.9ms",
        "0h0m",
        "",
        " ",
        "m",
        "1h 30m",
        "1H",
        "+5m",
        "1..5h",
        ".5h",
        "5.h",
        None,
        5,
    ],
)
def test_what_is_no_duration_or_out_of_bounds_says_what_is(text: object) -> None:
    with pytest.raises(ValueError, match=r'^a duration such as "30s"'):
        parse_duration(text)


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("https://сайт.рф/лента?q=ы", "https://xn--80aswg.xn--p1ai/лента?q=ы"),
        ("http://Жарчы.example:8080", "http://xn--80al5a2au.example:8080"),
        ("https://x.example/ы@ю", "https://x.example/ы@ю"),
        ("HTTPS://x.example./Ы", "https://x.example./Ы"),
    ],
)
def test_a_host_of_other_letters_is_asked_by_the_name_that_servers_know(
    written: str, asked: str
) -> None:
    """Agencies have domains in their own script."""
    found = parse_address(written)
    assert found == asked
    assert URL(found).raw_host == URL(written).raw_host
