"""The words on settings that make no sense: letter for letter, because operators act on them."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.config import Settings, catalog_path, load_settings
from bot.errors import ConfigError

TOKEN = "123456789:AAHcanarycanarycanarycanarycanary1"
SECRET = "a-secret-of-the-webhook"
HOOK = {"updates": "webhook", "webhook_url": "https://x.example/hook", "webhook_secret": SECRET}
NEEDS_URL = "WEBHOOK_URL: required when UPDATES=webhook"
NEEDS_SECRET = "WEBHOOK_SECRET: 16 to 256 letters, digits, _ or - are required when UPDATES=webhook"


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No settings but those of the test."""
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize(
    ("settings", "lines"),
    [
        (
            {"bot_token": "x"},
            ["BOT_TOKEN: should be a bot token; @BotFather gives one like 123456789:AA…"],
        ),
        ({"updates": "webhook"}, [NEEDS_URL, NEEDS_SECRET]),
        ({**HOOK, "webhook_secret": "x" * 15}, [NEEDS_SECRET]),
        ({**HOOK, "webhook_secret": "x" * 16}, []),
        ({**HOOK, "webhook_secret": "x" * 256}, []),
        ({**HOOK, "webhook_secret": "x" * 257}, [NEEDS_SECRET]),
        (
            {**HOOK, "webhook_url": "http://x.example/hook"},
            ["WEBHOOK_URL: Telegram posts to https addresses alone"],
        ),
        (
            {**HOOK, "webhook_url": "https://x.example:81/hook"},
            ["WEBHOOK_URL: Telegram posts to ports 443, 80, 88 and 8443 alone"],
        ),
        (
            {**HOOK, "webhook_listen": "off"},
            ["WEBHOOK_LISTEN: host:port is required when UPDATES=webhook"],
        ),
        (
            {**HOOK, "webhook_listen": "127.0.0.1:9", "ops_listen": "127.0.0.1:9"},
            ["WEBHOOK_LISTEN: OPS_LISTEN listens there already"],
        ),
        ({**HOOK, "webhook_listen": "127.0.0.1:0", "ops_listen": "127.0.0.1:0"}, []),
        (
            {"security_policy": "approve"},
            ["SECURITY_POLICY: approve needs ADMIN_IDS, who are asked"],
        ),
        ({"security_policy": "approve", "admin_ids": "5"}, []),
        ({"send_rate": "30"}, []),
        (
            {"send_rate": "30.1"},
            ["SEND_RATE: above 30 needs PAID_BROADCAST=true, and 1000 is the most"],
        ),
        ({"send_rate": "1000", "paid_broadcast": "true"}, []),
        (
            {"send_rate": "1000.1", "paid_broadcast": "true"},
            ["SEND_RATE: above 30 needs PAID_BROADCAST=true, and 1000 is the most"],
        ),
    ],
)
def test_each_problem_is_one_line_that_says_what_to_do(
    settings: dict[str, str], lines: list[str]
) -> None:
    """And what is right is taken."""
    if not lines:
        load_settings(**settings)
        return
    with pytest.raises(ConfigError) as refusal:
        load_settings(**settings)
    assert list(refusal.value.problems) == lines


def test_problems_of_one_setting_and_of_several_together_are_told_at_once() -> None:
    """Each setting once: of one that is wrong by itself nothing further is said."""
    with pytest.raises(ConfigError) as refusal:
        load_settings(
            home_currency="?", updates="webhook", webhook_url="x", security_policy="approve"
        )
    said = list(refusal.value.problems)
    assert [line.partition(":")[0] for line in said] == [
        "HOME_CURRENCY",
        "WEBHOOK_URL",
        "SECURITY_POLICY",
        "WEBHOOK_SECRET",
    ]


def test_without_a_token_its_place_is_named() -> None:
    with pytest.raises(ConfigError) as refusal:
        _ = load_settings().token
    assert refusal.value.problems == ("BOT_TOKEN: missing; @BotFather gives one, put it into .env",)


def test_what_was_copied_with_spaces_around_is_taken_without_them() -> None:
    found = load_settings(bot_token=f" {TOKEN}\n", **{**HOOK, "webhook_secret": f"\t{SECRET} "})
    assert found.token == TOKEN
    assert found.secrets == (TOKEN, SECRET)


def test_S6_what_no_log_may_show_is_known_in_the_clear() -> None:
    """The password of the database as it is typed at its prompt too; nothing that is not set."""
    found = load_settings(
        database_url="postgresql://jarchy:p%40ss%2Fword@db/jarchy", bot_token=TOKEN
    )
    assert found.secrets[0] == TOKEN
    assert "p@ss/word" in found.secrets
    assert load_settings().secrets == ()


def test_the_catalog_is_found_however_wrong_the_other_settings_are(tmp_path: Path) -> None:
    """In a file that can be read; else what the environment says counts."""
    env = tmp_path / "some.env"
    env.write_text("CATALOG=mine.toml\nBOT_TOKEN=x\nSEND_RATE=x\n", encoding="utf-8")
    assert catalog_path(env) == Path("mine.toml")
    env.write_bytes("CATALOG=mine.toml\nTIME_ZONE=Азия\n".encode("cp1251"))
    assert catalog_path(env) is None
    assert catalog_path(tmp_path / "nowhere.env") is None
    Path(".env").write_text("CATALOG=here.toml\n", encoding="utf-8")
    assert catalog_path() == Path("here.toml")


READ, SENT = "read your token", "change it, and have your token sent to them"


@pytest.mark.parametrize(
    ("mode", "told"),
    [(0o600, ""), (0o660, ""), (0o604, READ), (0o644, READ), (0o646, READ), (0o602, SENT)],
)
def test_S18_a_file_that_others_can_read_or_write_is_refused(
    tmp_path: Path, mode: int, told: str
) -> None:
    """With the word that mends it, besides whatever else is wrong in it."""
    env = tmp_path / "some.env"
    env.write_text("HOME_CURRENCY=?\n", encoding="utf-8")
    env.chmod(mode)
    with pytest.raises(ConfigError) as refusal:
        load_settings(env)
    first = f"{env}: others can {told}; run: chmod 600 {env}"
    assert (refusal.value.problems[0] == first) is bool(told)
    assert refusal.value.problems[-1].startswith("HOME_CURRENCY: ")


def test_a_file_of_settings_that_is_none_is_said_by_its_name(tmp_path: Path) -> None:
    """The environment's settings are looked at all the same."""
    broken = tmp_path / "broken.env"
    broken.write_bytes(b"BOT_TOKEN=\xff\n")
    for path, line in (
        (tmp_path, f"{tmp_path}: a folder, and should be a file of settings"),
        (broken, f"{broken}: not UTF-8 text (byte 11)"),
        (Path("x" * 5000), f"{'x' * 5000}: cannot be read: File name too long"),
    ):
        with pytest.raises(ConfigError) as refusal:
            load_settings(path, updates="webhook")
        assert refusal.value.problems[0] == line
        assert list(refusal.value.problems[-2:]) == [NEEDS_URL, NEEDS_SECRET]


@pytest.mark.parametrize(
    ("written", "lines"),
    [
        ("POLL_EVERY 5s\n", [1]),
        ("# a note\n\n  \nthis is nothing\nLOG_LEVEL=debug\n=5\n", [4, 6]),
        ("HOME_CURRENCY='KGS\nLOG_LEVEL=debug\n", [1]),
        ("POLL_EVERY\n\nexport TIME_ZONE\n", [1, 3]),
        ("LOG_LEVEL: debug\r\n", [1]),
        ("", []),
        ("\ufeff# a note\nexport LOG_LEVEL=debug\n\nUSER_FEEDS=\nOTHER = 'two\nlines'\n", []),
    ],
)
def test_a_line_that_sets_nothing_is_said_by_its_number(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, written: str, lines: list[int]
) -> None:
    """Not by its words, which may be a token's; no setting is silently left as it was. What else
    is wrong in the file is told too.
    """
    env = tmp_path / "some.env"
    env.write_text(f"{written}HOME_CURRENCY=?\n", encoding="utf-8", newline="")
    env.chmod(0o600)
    with pytest.raises(ConfigError) as refusal:
        load_settings(env)
    *said, last = refusal.value.problems
    assert said == [
        f"{env}: line {line} sets nothing; it should be NAME=value, quotes closed" for line in lines
    ]
    assert last.startswith("HOME_CURRENCY: ")
    assert caplog.records == []


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("ADMIN_ID=77", "ADMIN_IDS"),
        ("BOT_TOKENS=x", "BOT_TOKEN"),
        ("TIMEZONE=Asia/Bishkek", "TIME_ZONE"),
        ("export poll_evry=5m", "POLL_EVERY"),
        ("WEBHOOK_SECRETS_FILE=/run/x", "WEBHOOK_SECRET_FILE"),
    ],
)
def test_a_setting_that_is_mistyped_in_the_file_is_named_with_what_was_meant(
    tmp_path: Path, written: str, meant: str
) -> None:
    """It would be left as it was, and nobody would hear of it."""
    env = tmp_path / "some.env"
    env.write_text(written + "\n", encoding="utf-8")
    env.chmod(0o600)
    with pytest.raises(ConfigError) as refusal:
        load_settings(env)
    name = written.removeprefix("export ").partition("=")[0]
    assert list(refusal.value.problems) == [
        f"{env}: {name}: no such setting; did you mean {meant}?"
    ]


def test_what_stands_in_the_file_for_another_program_is_its_own(tmp_path: Path) -> None:
    """Compose reads the same file, and shells have names of their own."""
    env = tmp_path / "some.env"
    others = ("POSTGRES_PASSWORD", "GRAFANA_PASSWORD", "PGHOST", "TOKEN", "LANG", "LOG_FILE", "TZ")
    env.write_text("".join(f"{name}=x\n" for name in others), encoding="utf-8")
    env.chmod(0o600)
    load_settings(env)
