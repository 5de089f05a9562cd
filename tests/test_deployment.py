"""The program as others start it: systemd, a container, the two replicas of compose.yaml."""

from __future__ import annotations

import asyncio
import configparser
import json
import re
import shutil
import subprocess
import sys
import tomllib
from asyncio.subprocess import DEVNULL
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web
from typer.main import get_command

from bot.cli import cli
from bot.clock import utc_now
from bot.config import Settings
from bot.listening import serve
from bot.ops import Operated, Readiness, ops_app
from bot.sources.catalog import load_catalog
from bot.typed import CALLED
from storage.opening import open_store
from tests.conftest import ROOT
from tests.ports import free_port

UNIT = ROOT / "docs" / "jarchy.service"
COMPOSE = (ROOT / "compose.yaml").read_text(encoding="utf-8")
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")


@pytest.fixture
def service() -> configparser.SectionProxy:
    """The unit's section on the process."""
    unit = configparser.ConfigParser(interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]  # keys keep their case
    unit.read(UNIT, encoding="utf-8")
    return unit["Service"]


def test_S20_the_unit_runs_the_program_hardened(service: configparser.SectionProxy) -> None:
    """No root, no new rights, nothing to write but its own folder, a bound on memory, only sockets
    that it needs.
    """
    for key in (
        "DynamicUser",
        "NoNewPrivileges",
        "PrivateTmp",
        "PrivateDevices",
        "ProtectHome",
        "RestrictNamespaces",
    ):
        assert service[key] == "yes", key
    assert service["ProtectSystem"] == "strict"
    assert service["CapabilityBoundingSet"] == ""
    assert re.fullmatch(r"\d+M", service["MemoryMax"])
    assert set(service["RestrictAddressFamilies"].split()) == {"AF_INET", "AF_INET6", "AF_UNIX"}
    assert service["UMask"] == "0077"


def test_the_unit_keeps_secrets_in_a_file_and_does_not_repeat_a_wrong_setting(
    service: configparser.SectionProxy,
) -> None:
    """The token is in no argument; 78 means that settings are wrong."""
    assert service["EnvironmentFile"] == "/etc/jarchy/jarchy.env"
    assert service["ExecStart"].endswith("/bin/jarchy run")
    assert service["RestartPreventExitStatus"] == "78"
    assert int(service["TimeoutStopSec"]) > 15  # its own limit for a stop


def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    """Every key is one it knows."""
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is not here")
    unit = tmp_path / "jarchy.service"
    words = UNIT.read_text(encoding="utf-8")
    unit.write_text(re.sub(r"(?m)^ExecStart=\S+", f'ExecStart="{sys.executable}"', words))
    done = subprocess.run(
        [program, "verify", "--man=no", unit], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "jarchy.service" not in done.stderr  # what it says of the machine it runs on is not ours


def test_S20_the_container_is_not_root_and_writes_nowhere_but_its_data() -> None:
    """What it installs is what the lock's hashes say."""
    last = DOCKERFILE.rpartition("FROM ")[2]
    assert re.search(r"(?m)^USER jarchy$", last)
    assert "--require-hashes" in DOCKERFILE
    program = COMPOSE.partition("  jarchy:\n")[2].partition("\n  postgres:\n")[0]
    for words in (
        "read_only: true",
        "cap_drop: [ALL]",
        "no-new-privileges:true",
        "replicas: 2",
        "memory: ",
    ):
        assert words in program, words


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1), (None, 0)])
async def test_the_container_says_when_it_is_unwell_wherever_it_listens(
    status: int | None, code: int
) -> None:
    """By its own command; where it listens nowhere there is nothing to ask."""

    async def healthz(_request: web.Request) -> web.Response:
        return web.Response(status=status or 500)

    told = re.search(r"(?m)^HEALTHCHECK .*\\\n  CMD (.*)$", DOCKERFILE)
    assert told is not None
    app = web.Application()
    app.router.add_get("/healthz", healthz)
    async with AsyncExitStack() as stack:
        place = f"127.0.0.1:{free_port()}"
        await serve(stack, app, place, setting="OPS_LISTEN")
        listens = "off" if status is None else place
        asked = await asyncio.create_subprocess_exec(
            sys.executable, *json.loads(told[1])[1:], env={"OPS_LISTEN": listens}, stderr=DEVNULL
        )
        assert await asked.wait() == code


def test_S20_systemd_finds_little_exposed(tmp_path: Path) -> None:
    """By its own scale, where 10 is all."""
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is not here")
    unit = shutil.copy(UNIT, tmp_path / "jarchy.service")
    words = [program, "security", "--offline=true", "--threshold=20", "--no-pager", unit]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_docker_takes_compose(tmp_path: Path) -> None:
    """Every key is one it knows, with and without PgBouncer."""
    docker = shutil.which("docker")
    if (
        docker is None
        or subprocess.run(
            [docker, "compose", "version"], capture_output=True, check=False
        ).returncode
    ):
        pytest.skip("docker compose is not here")
    shutil.copy(ROOT / "compose.yaml", tmp_path)
    (tmp_path / ".env").write_text("DATABASE_PASSWORD=abc123\n")
    for profile in ([], ["--profile", "pgbouncer"], ["--profile", "monitoring"]):
        words = [docker, "compose", *profile, "config", "--quiet"]
        done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


def test_the_unit_and_the_page_on_copies_name_one_database(
    service: configparser.SectionProxy,
) -> None:
    """A copy is put back where the unit's bot looks: its file of settings outweighs what the unit
    says, so it is told to leave the address of .env.example out.
    """
    [ours] = re.findall(r"DATABASE_URL=(\S+)", service["Environment"])
    page = (ROOT / "docs" / "backing-up.md").read_text(encoding="utf-8")
    assert f"DATABASE_URL={ours} /opt/jarchy/.venv/bin/jarchy db restore" in page
    assert ours.startswith(f"sqlite:///{service['WorkingDirectory']}/")
    what_to_put_where = UNIT.read_text(encoding="utf-8").partition("[Unit]")[0]
    assert "as .env.example but without its DATABASE_URL" in what_to_put_where


def test_what_is_set_where_the_program_is_started_are_settings(
    service: configparser.SectionProxy,
) -> None:
    """A name that changed in the program changes here too; the others are Python's, its libraries'
    and the system's.
    """
    others = {"PATH", "HOME", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE", "MPLCONFIGDIR", CALLED}
    block = COMPOSE.partition("    environment:\n")[2].partition("    deploy:\n")[0]
    in_image = re.search(r"(?ms)^ENV (.*?[^\\])$", DOCKERFILE)
    assert in_image is not None
    places = {
        "compose.yaml": re.findall(r"(?m)^      (\w+): ", block),
        "Dockerfile": re.findall(r"(\w+)=", in_image[1]),
        "jarchy.service": re.findall(r"(\w+)=", service["Environment"]),
    }
    for place, names in places.items():
        assert "DATABASE_URL" in names, place
        assert set(names) - others <= {name.upper() for name in Settings.model_fields}, place


def test_what_is_started_is_a_verb(service: configparser.SectionProxy) -> None:
    """By the name under which the package installs the program."""
    (script,) = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"][
        "scripts"
    ]
    verbs = get_command(cli).commands  # type: ignore[attr-defined]  # a click group
    entry, command = (
        re.search(rf'(?m)^{word} \["([^"]+)"\]$', DOCKERFILE) for word in ("ENTRYPOINT", "CMD")
    )
    assert entry is not None
    assert command is not None
    program, verb = service["ExecStart"].split()
    assert {entry[1], Path(program).name} == {script}
    assert {command[1], verb} <= set(verbs)


async def test_the_health_check_asks_what_the_program_answers(tmp_path: Path) -> None:
    """The address that the image asks where no other is set is the program's own, and the page
    exists.
    """
    asked = re.search(
        r"'OPS_LISTEN', '(127\.0\.0\.1:\d+)'\).* urlopen\(f'http://{at}(/\w+)'", DOCKERFILE
    )
    assert asked is not None
    assert asked[1] == Settings.model_fields["ops_listen"].default
    port = asked[1].rpartition(":")[2]
    assert f"OPS_LISTEN: 0.0.0.0:{port} " in COMPOSE  # every address of the container: its own too
    store = await open_store(f"sqlite:///{tmp_path / 'jarchy.db'}")
    pages = ops_app(
        Operated(store=store, catalog=load_catalog(), clock=utc_now, readiness=Readiness())
    ).router
    assert asked[2] in {
        route.resource.canonical for route in pages.routes() if route.resource is not None
    }
    await store.close()


def test_compose_has_no_secret_and_no_port_open() -> None:
    """The password comes from .env, and nobody outside reaches the database or the status page."""
    services = yaml.safe_load(COMPOSE)["services"]
    for name, one in services.items():
        for port in one.get("ports", []):
            assert name == "grafana", name
            assert port.startswith("127.0.0.1:"), port
    for line in COMPOSE.splitlines():
        if "PASSWORD" in line and not line.startswith("#"):
            assert "${DATABASE_PASSWORD:?" in line or "${GRAFANA_PASSWORD:-}" in line, line
    assert "pool_mode = transaction" in COMPOSE


def test_compose_watches_every_replica_with_the_rules_and_the_dashboard_of_the_documents() -> None:
    """Prometheus asks where the program listens; Grafana finds Prometheus, and the dashboard."""
    compose = yaml.safe_load(COMPOSE)
    services, configs = compose["services"], compose["configs"]
    watched = yaml.safe_load(configs["prometheus"]["content"])
    (job,) = watched["scrape_configs"]
    (found,) = job["dns_sd_configs"]
    listens = services["jarchy"]["environment"]["OPS_LISTEN"]
    assert (found["names"], found["port"]) == (["jarchy"], int(listens.rpartition(":")[2]))
    for name, service in services.items():
        for config in service.get("configs", []):
            given = configs[config["source"]]
            assert "content" in given or (ROOT / given["file"]).is_file(), (name, config)
    assert watched["rule_files"] == [_target(services["prometheus"], "alerts")]
    (source,) = yaml.safe_load(configs["datasource"]["content"])["datasources"]
    assert source["type"] == "prometheus"
    assert source["url"].startswith("http://prometheus:")
    (provider,) = yaml.safe_load(configs["dashboards"]["content"])["providers"]
    shown = Path(_target(services["grafana"], "dashboard"))
    assert shown.parent == Path(provider["options"]["path"])


def _target(service: dict[str, Any], source: str) -> str:
    """The path at which a service finds one of the configs."""
    (target,) = (one["target"] for one in service["configs"] if one["source"] == source)
    return str(target)


def test_what_the_image_copies_is_what_is_packaged() -> None:
    """A new top-level package would otherwise be missing there alone."""
    copied = set(re.findall(r"(?m)^COPY (\w+) \1$", DOCKERFILE))
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests", "bench"}
    assert copied == packages
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8")
    for name in copied:
        assert f"!{name}\n" in ignored, name
