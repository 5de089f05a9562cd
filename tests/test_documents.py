"""The documents say what is so."""

from __future__ import annotations

import re
import tomllib

from typer.main import get_command

from bot.cli import cli
from bot.config import Settings
from bot.model.alerts import State
from handlers import COMMANDS
from tests.conftest import ROOT
from tests.faults.catalogue import rows

#: A bank, a feed, a kind of source, a command, an alert, a language, a migration, a job, a setting.
ONE_MORE = 10
TWO_SCREENS = 80  # lines
SHORT_PAGE = 40  # lines
COLUMNS = 100
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = {path.stem: path.read_text(encoding="utf-8") for path in ROOT.glob("docs/*.md")}
DESIGN = (ROOT / "DESIGN.md").read_text(encoding="utf-8")


def env_example() -> dict[str, str]:
    """Names and defaults of `.env.example`."""
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def test_env_example_has_every_setting_with_its_default() -> None:
    """No more, no less, each explained by the line above it."""
    shown = env_example()
    settings = {name.upper() for name in Settings.model_fields}
    assert settings - shown.keys() == set(), ".env.example lacks their lines, NAME=default"
    assert shown.keys() - settings == set(), "no settings"
    for name, field in Settings.model_fields.items():
        default = field.default
        text = (
            ""
            if default in (None, ())
            else str(default).lower()
            if isinstance(default, bool)
            else str(default)
        )
        assert shown[name.upper()] == text, name


def test_the_readme_is_two_screens_and_leads_to_every_page() -> None:
    """And to none that is not there."""
    assert len(README.splitlines()) <= TWO_SCREENS
    led = set(re.findall(r"`docs/([\w-]+)\.md`", README))
    adding = {name for name in PAGES if name.startswith("add-a")}
    assert led == PAGES.keys() - adding


def test_the_pages_name_every_setting_command_and_verb() -> None:
    """A reader finds what exists."""
    for name in (field.upper() for field in Settings.model_fields):
        assert f"`{name}`" in PAGES["settings"], name
    for command in COMMANDS:
        assert re.search(rf"`/{command}\b", PAGES["commands"]), command
    root = get_command(cli)
    for name, command in root.commands.items():  # type: ignore[attr-defined]  # a click group
        for verb in [f"{name} {leaf}" for leaf in getattr(command, "commands", {})] or [name]:
            assert f"`{verb}`" in PAGES["running"], verb


def test_the_code_map_names_every_room() -> None:
    """Nothing at the top of bot/ is unexplained."""
    for path in (ROOT / "bot").iterdir():
        # the latter are of what mutmut breaks
        if path.name.startswith("__") or path.suffix in {".meta", ".spans"}:
            continue
        shown = f"`bot/{path.name}/`" if path.is_dir() else f"`bot/{path.name}`"
        assert shown in PAGES["code-map"], shown


def test_design_gives_a_reason_for_every_dependency() -> None:
    """A dependency earns a line."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    table = DESIGN.partition("## Dependencies")[2].partition("## Decisions")[0]
    for requirement in project["dependencies"]:
        name = re.match(r"[\w-]+", requirement)
        assert name is not None
        assert name[0] in table, name[0]


def test_each_page_on_adding_something_is_short() -> None:
    """Forty lines are read before one begins, and none runs out of the window."""
    pages = {path.name: path.read_text(encoding="utf-8") for path in ROOT.glob("docs/add-a*.md")}
    assert len(pages) == ONE_MORE
    for name, page in pages.items():
        assert len(page.splitlines()) <= SHORT_PAGE, name
        assert [line for line in page.splitlines() if len(line) > COLUMNS] == [], name


def test_the_picture_of_a_deliverys_life_has_every_state() -> None:
    """And none besides."""
    picture = (ROOT / "docs" / "flows.md").read_text(encoding="utf-8").partition("stateDiagram")[2]
    named = set(re.findall(r"\b[a-z]+\b(?= -->)|(?<=--> )\b[a-z]+\b", picture.partition("```")[0]))
    assert named == {*State}


def test_every_decision_has_its_price_and_its_day() -> None:
    decisions = DESIGN.partition("## Decisions")[2].split("\n\n")
    for decision in decisions:
        if decision.startswith("**"):
            assert "*Price:*" in decision, decision[:80]
            assert re.search(r"\(20\d\d-\d\d-\d\d\)$", decision.rstrip()), decision[:80]


def test_the_threat_model_names_every_security_row_once() -> None:
    """The promises of `docs/faults.md` on attacks, by who makes them."""
    model = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    named = sorted(re.findall(r"\bS\d+\b", model))
    promised = {code for code in rows() if code.startswith("S")} | {"S13"}  # without a promise yet
    assert named == sorted(promised)
