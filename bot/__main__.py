"""`python -m bot` and `jarchy`."""

import gc
import sys
from types import ModuleType

#: What libraries of ours import where it is installed, for what we never ask of them: structlog and
#: httpx draw with rich, the latter in pygments' colours, python-telegram-bot reads passports with
#: cryptography. Together they would be a sixth of an idle bot's memory.
UNUSED = ("rich", "pygments", "cryptography")
#: What SQLAlchemy imports beside the engine we use, and with it the whole of its ORM: 6 MB. It is
#: not there for the asking, so names that nobody calls stand for it.
SESSIONS = ("sqlalchemy.ext.asyncio.session", "sqlalchemy.ext.asyncio.scoping")


#: Objects made between two looks for garbage while modules are imported: what they make stays, and
#: looking through it again and again would be a tenth of a start, which makes two thirds of these.
AT_START = 300_000


class NamesAlone(ModuleType):
    """A module from which every name can be imported, and none can be used."""

    def __getattr__(self, name: str) -> None:
        if name.startswith("__"):  # what the import system asks of a module
            raise AttributeError(name)


def leave_out() -> None:
    """Import nothing from now on that libraries bring and nobody asks for."""
    for name in UNUSED:
        sys.modules[name] = None  # type: ignore[assignment]  # the documented way to make an import fail
    for name in SESSIONS:
        sys.modules.setdefault(name, NamesAlone(name))


def main() -> None:
    """Run a verb, without what nobody asked for."""
    gc.set_threshold(AT_START)
    leave_out()
    from bot.cli import main as run_verb

    run_verb()


if __name__ == "__main__":
    main()
