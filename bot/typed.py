"""How this program is called where it runs, for lines that tell whoever reads them a verb to type.

`jarchy` alone is right where a shell finds it: of an installation on PATH, or an environment that
is active. A clone has it in `.venv/bin`, `make` starts `python -m bot`, and what `uvx` and `pipx
run` start is on no PATH afterwards. In a container only its engine knows how the program is called
from outside: whoever makes the image says so in `JARCHY_CALLED`.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import unquote, urlsplit

NAME = "jarchy"
CALLED = "JARCHY_CALLED"  # no setting of the bot's, but of what packages it
MODULE = Path(__file__).with_name("__main__.py")
#: What marks a folder as a cache, by which `uvx` and `pipx run` mark theirs, too
#: (https://bford.info/cachedir/).
CACHE_TAG = "CACHEDIR.TAG"
PIPX_NOTE = "pipx_metadata.json"  # in each environment that pipx made


def typed(verb: str) -> str:
    """The words by which a verb is run here: `.venv/bin/jarchy db check`."""
    return f"{program()} {verb}"


def program() -> str:
    """The words before the verb. Of another program, such as a test, the name alone."""
    if called := os.environ.get(CALLED):
        return called
    environment = Path(sys.prefix)
    if any((folder / CACHE_TAG).exists() for folder in environment.parents):
        return shlex.join(_of_one_run(environment))
    started = Path(sys.argv[0])
    if started == MODULE:
        return f"{_in_a_shell(sys.executable)} -m {MODULE.parent.name}"
    if started.stem == NAME:
        return _in_a_shell(sys.argv[0])
    return NAME


def _in_a_shell(file: str) -> str:
    """The name of a program that is on PATH, else its place, from this folder if it is below."""
    path = Path(_here() or "", file)
    found = shutil.which(path.name)
    if found is not None and Path(found).absolute() == path:
        return path.name
    return shlex.quote(_from_here(path))


def _here() -> Path | None:
    """The folder we are in; None where that is gone, as an upgrade leaves a bot that runs on."""
    with suppress(FileNotFoundError):
        return Path.cwd()
    return None


def _from_here(path: Path) -> str:
    here = _here()
    if here is None or here == here.parent or not path.is_relative_to(here):
        return str(path)
    place = path.relative_to(here)
    # without a slash a shell would look for it on PATH
    return str(place) if place.parent.name else f"./{place}"


def _of_one_run(environment: Path) -> Sequence[str]:
    """The words that start an environment again which its maker may delete at any time."""
    origin = _origin()
    if (environment / PIPX_NOTE).exists():
        return ["pipx", "run", *(["--spec", origin] if origin else []), NAME]
    return ["uvx", *(["--from", origin] if origin else []), NAME]


def _origin() -> str | None:
    """The file or address that the program was installed from; None where that was an index."""
    # half of what this module would cost at each start
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        noted = distribution(NAME).read_text("direct_url.json")
    except PackageNotFoundError:
        return None
    if noted is None:
        return None
    direct = json.loads(noted)
    url = str(direct["url"])
    if url.startswith("file:"):
        return _from_here(Path(unquote(urlsplit(url).path)))
    repository = direct.get("vcs_info")
    return f"{repository['vcs']}+{url}" if repository else url
