"""The published wheel in an empty environment, with what the lock names and none of the clone."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import aiohttp
import pytest

from bot.emulator import TEST_TOKEN, Emulator
from tests.conftest import ROOT

#: Most of it is what an environment compiles of its packages when they are first imported.
long = pytest.mark.slow
pytestmark = pytest.mark.timeout(600)
OPERATOR = 1001
UV = Path(sys.executable).parent / "uv"
PACKAGED = ("bot", "handlers", "storage")


def _call(*words: str | Path, cwd: Path) -> None:
    done = subprocess.run(words, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, as `uv build` makes it."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    for name in PACKAGED:  # building leaves its own folders beside them
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    _call(
        *(UV, "build", "--quiet", "--offline", "--wheel", "--no-build-isolation"),
        *("--python", sys.executable, "--out-dir", folder, source),
        cwd=folder,
    )
    (made,) = folder.glob("jarchy-*.whl")
    return made


@pytest.fixture(scope="module")
def installed(wheel: Path) -> Path:
    """The `jarchy` of an environment that has the wheel and the lock's packages."""
    folder = wheel.parent
    env = folder / "env"
    _call(UV, "venv", "--quiet", "--python", sys.executable, env, cwd=folder)
    install = (UV, "pip", "install", "--quiet", "--no-deps", "--python", env / "bin" / "python")
    lock = ROOT / "requirements.lock"
    _call(*install, "--require-hashes", "--requirement", lock, cwd=folder)
    _call(*install, wheel, cwd=folder)
    return env / "bin" / "jarchy"


@pytest.fixture
def environment(tmp_path: Path) -> Mapping[str, str]:
    """Nothing of ours but what a shell has."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    return {**kept, "HOME": str(tmp_path)}


@pytest.fixture
async def telegram() -> AsyncIterator[Emulator]:
    """A Telegram with one person, who will be the operator."""
    async with Emulator(TEST_TOKEN, "jarchy_bot") as emulator:
        emulator.add_private(emulator.add_user(OPERATOR, "Aigul", "en"))
        yield emulator


def test_the_wheel_has_all_files_of_the_program(wheel: Path) -> None:
    """Words, pages and tables too; and the program's name starts it."""
    packed = zipfile.Path(wheel)
    (about,) = (one for one in packed.iterdir() if one.name.endswith(".dist-info"))
    names = zipfile.ZipFile(wheel).namelist()
    ours = {one for one in names if not one.startswith(about.name)}
    assert ours == {
        path.relative_to(ROOT).as_posix()
        for room in PACKAGED
        for path in (ROOT / room).rglob("*.*")
        if path.is_file() and path.parent.name != "__pycache__"
    }
    started = (about / "entry_points.txt").read_text()
    assert "jarchy = bot.__main__:main" in started.splitlines()


@long
async def test_the_wheel_shows_the_demonstration(
    installed: Path, environment: Mapping[str, str], tmp_path: Path
) -> None:
    """The page is there; nothing is missing from the wheel that the clone has."""
    words = (installed, "demo", "--port", "0", "--exit-after", "60")
    demo = await asyncio.create_subprocess_exec(
        *words, cwd=tmp_path, env=environment, stdout=PIPE, stderr=PIPE
    )
    assert demo.stdout is not None
    assert demo.stderr is not None
    address = (await demo.stdout.readline()).decode().strip()
    async with aiohttp.ClientSession() as session, session.get(address) as page:
        assert page.status == 200
        assert (await page.text()).startswith("<!doctype html>")
    async for line in demo.stdout:
        if b"is ready" in line:
            break
    demo.terminate()
    said = (await demo.stderr.read()).decode()
    assert (await demo.wait(), said) == (0, "")


@long
async def test_the_wheel_is_set_up_and_checked(
    installed: Path, environment: Mapping[str, str], tmp_path: Path, telegram: Emulator
) -> None:
    """`init` writes the settings, `check` reads them, and all is in order."""
    env = {**environment, "BOT_API_URL": telegram.api_url}
    init = await asyncio.create_subprocess_exec(
        installed, "init", cwd=tmp_path, env=env, stdin=PIPE, stdout=PIPE, stderr=PIPE
    )
    assert init.stdin is not None
    assert init.stderr is not None
    init.stdin.write(f"{TEST_TOKEN}\n".encode())
    init.stdin.close()
    said = ""
    while not (code := re.search(r"start=(\w+)", said)):
        said += (await init.stderr.readline()).decode()
    await telegram.send_text(OPERATOR, f"/start {code[1]}")
    _, rest = await init.communicate()
    assert init.returncode == 0, rest.decode()
    env = {**environment, "OPS_LISTEN": "127.0.0.1:0"}
    check = await asyncio.create_subprocess_exec(
        installed, "check", "--json", cwd=tmp_path, env=env, stdout=PIPE, stderr=PIPE
    )
    out, err = await check.communicate()
    assert check.returncode == 0, err.decode()
    assert json.loads(out.splitlines()[0])
