"""`python -m bot` and `jarchy`."""

import gc
import sys
from types import ModuleType

from bot.undocumented import import_without_texts

#: What libraries of ours import where it is installed, for what we never ask of them: structlog
#: draws with rich, in pygments' colours, python-telegram-bot reads passports with cryptography,
#: Babel takes its time zones from pytz. Together they would be a sixth of an idle bot's memory.
UNUSED = ("rich", "pygments", "cryptography", "pytz")
#: What they import whether it is there or not, so that names which nobody calls stand for it:
#: python-telegram-bot's HTTP client (`bot.telegram` gives it ours; 3 MB), and what SQLAlchemy has
#: beside the engine we use, and with it the whole of its ORM (6 MB).
NEVER_CALLED = (
    "httpx",
    "telegram.request._httpxrequest",
    "sqlalchemy.ext.asyncio.session",
    "sqlalchemy.ext.asyncio.scoping",
)
#: The libraries with the longest documentation.
DOCUMENTED = frozenset({"aiohttp", "pydantic", "sqlalchemy", "structlog", "telegram"})

#: Objects made between two looks for garbage while modules are imported: what they make stays, and
#: looking through it as often as ever would be a tenth of a start. With more of them the garbage of
#: the imports themselves is a megabyte of the idle bot.
AT_START = 50_000


class NamesAlone(ModuleType):
    """A module from which every name can be imported, as a class of nothing, and none be used."""

    def __getattr__(self, name: str) -> type:
        if name.startswith("__"):  # what the import system asks of a module
            raise AttributeError(name)
        return type(name, (), {})


def leave_out() -> None:
    """Import nothing from now on that libraries bring and nobody asks for."""
    for name in UNUSED:
        sys.modules[name] = None  # type: ignore[assignment]  # the documented way to make an import fail
    for name in NEVER_CALLED:
        sys.modules.setdefault(name, NamesAlone(name))


def main() -> None:
    """Run a verb, without what nobody asked for."""
    gc.set_threshold(AT_START)
    leave_out()
    import_without_texts(DOCUMENTED)
    from bot.cli import main as run_verb

    run_verb()


if __name__ == "__main__":
    main()
