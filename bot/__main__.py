"""`python -m bot` and `jarchy`."""

import gc
import sys

#: What libraries of ours import where it is installed, for what we never ask of them: structlog and
#: httpx draw with rich, the latter in pygments' colours, python-telegram-bot reads passports with
#: cryptography. Together they would be a sixth of an idle bot's memory.
UNUSED = ("rich", "pygments", "cryptography")


#: Objects made between two looks for garbage while modules are imported: what they make stays, and
#: looking through it again and again would be a tenth of a start, which makes two thirds of these.
AT_START = 300_000


def main() -> None:
    """Run a verb, without what nobody asked for."""
    gc.set_threshold(AT_START)
    for name in UNUSED:
        sys.modules[name] = None  # type: ignore[assignment]  # the documented way to make an import fail
    from bot.cli import main as run_verb

    run_verb()


if __name__ == "__main__":
    main()
