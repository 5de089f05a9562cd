"""`python -m bot` and `jarchy`."""

import sys


def main() -> None:
    """Run a verb, without rich: structlog and httpx import it where it is, for colours nobody sees.

    It would be a tenth of an idle bot's memory.
    """
    sys.modules["rich"] = None  # type: ignore[assignment]  # the documented way to make an import fail
    from bot.cli import main as run_verb

    run_verb()


if __name__ == "__main__":
    main()
