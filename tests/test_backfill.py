"""`jarchy backfill`: a publisher's past from a loopback server, by the real program."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import func, select

import storage.alerts
import storage.baselines
import storage.rates
from bot.alerts.moves import RateMoved
from bot.backfill import plan
from bot.detect.moves import Moved
from bot.model.alerts import Alert, Audience, Lane, Severity
from bot.sources.catalog import load_catalog, parse_catalog
from storage.opening import open_store
from storage.schema import alert, delivery
from tests import forkserver
from tests.conftest import ROOT
from tests.factories import rate
from tests.publishers import Publishers
from tests.world import migrated_copy

THIS_YEAR = datetime.now(UTC).year
SINCE = f"{THIS_YEAR - 2}-01-01"


def page(*rows: tuple[str, str]) -> bytes:
    """A history page of the bank's shape, of our own making."""
    cells = "".join(
        f"<tr><td><!--date-->{day}<!--date--></td><td><!--value-->{value}<!--value--></td></tr>"
        for day, value in rows
    )
    return f"<table>{cells}</table>".encode()


class Machine:
    """A folder with a catalog of one bank, and the verb as a process."""

    def __init__(self, folder: Path, url: str, key: str = "nbkr") -> None:
        self.folder = folder
        if not (folder / "jarchy.db").exists():
            migrated_copy(folder / "jarchy.db")
        (folder / "catalog.toml").write_text(
            f'[rates.{key}]\nname = {{ en = "A bank" }}\nurls = ["{url}/now"]\narchive = '
            f'"{url}"\npairs = ["USD/KGS"]\n'
        )

    async def start(self, *words: str) -> forkserver.Process | asyncio.subprocess.Process:
        """`jarchy backfill …`"""
        keep = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        own = {
            "PYTHONPATH": str(ROOT),
            "DATABASE_URL": f"sqlite:///{self.folder / 'jarchy.db'}",
            "CATALOG": str(self.folder / "catalog.toml"),
            "LOG_LEVEL": "warning",
        }
        return await forkserver.start(
            "bot",
            "backfill",
            *words,
            cwd=self.folder,
            env={**keep, **own},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    async def finish(self, *words: str) -> tuple[int | None, bytes, str]:
        """Its exit code, stdout and stderr."""
        process = await self.start(*words)
        out, err = await process.communicate()
        return process.returncode, out, err.decode()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
async def test_a_stopped_backfill_goes_on_where_it_was_and_never_alerts(
    tmp_path: Path, how: signal.Signals
) -> None:
    """Rates stored before the kill are not asked for again; nothing is lost, nothing is told."""
    async with Publishers() as bank:
        bank.put(
            "/index1.jsp",
            page(("05.03.2022", "105,0003"), ("04.03.2022", "96,4397")),
            kind="text/html",
        )
        machine = Machine(tmp_path, bank.url)
        first = await machine.start("nbkr", "--since", SINCE, "--pause", "60")
        assert first.stderr is not None
        told = (await first.stderr.readline()).decode()
        assert told.startswith("1/3 http://127.0.0.1:"), told
        assert told.endswith(": 2 rates\n")
        first.send_signal(how)
        _, rest = await first.communicate()
        assert b"Traceback" not in rest
        assert first.returncode != 0
        code, out, err = await machine.finish("nbkr", "--since", SINCE, "--pause", "0")
        assert code == 0, err
        assert json.loads(out) == {
            "source": "nbkr",
            "asked": 2,
            "skipped": 1,
            "rates": 4,
            "unreadable": 0,
        }
        code, out, _ = await machine.finish("nbkr", "--since", SINCE, "--pause", "0")
        assert (code, json.loads(out)["asked"]) == (0, 0)
        assert len(bank.asked) == 3
    store = await open_store(f"sqlite:///{tmp_path / 'jarchy.db'}")
    async with store.reading() as db:
        got = await storage.rates.history(
            db, rate().series, since=date(2022, 1, 1), until=date(2022, 12, 31)
        )
        alerts = (await db.execute(select(func.count()).select_from(alert))).scalar_one()
    await store.close()
    assert [(str(item.effective_on), str(item.value)) for item in got] == [
        ("2022-03-04", "96.4397"),
        ("2022-03-05", "105.0003"),
    ]
    assert alerts == 0


async def test_R5_a_back_filled_correction_of_an_alerted_move_is_one_correction(
    tmp_path: Path,
) -> None:
    """A revision row, the baseline with it, one correction for who got the alert; what is far off
    is not believed.
    """
    told_on, odd = date(THIS_YEAR, 1, 5), date(THIS_YEAR, 1, 6)
    new = rate(value="89.9000", on=str(told_on))
    now = datetime.now(UTC)
    store = await open_store(migrated_copy(tmp_path / "jarchy.db"))
    async with store.writing() as db:
        await storage.rates.add(db, [new, rate(value="89.9500", on=str(odd))], seen_at=now)
        await storage.baselines.put(db, [new], severity=Severity.NOTABLE, now=now)
        moved = RateMoved(
            Moved(baseline=rate(), previous=rate(), new=new, rules=("fixing",), usual=Decimal(1))
        )
        pk = await storage.alerts.enqueue(
            db,
            Alert(
                dedup_key=f"move:nbkr:USD/KGS:official:{told_on}:up:notable",
                payload=moved,
                severity=Severity.NOTABLE,
                lane=Lane.ALERT,
                audience=Audience(subscription="pair:USD/KGS"),
                created_at=now,
                expires_at=now + timedelta(days=1),
            ),
        )
        values = {
            "alert_id": pk,
            "chat_id": 1,
            "lane": 1,
            "state": "sent",
            "not_before": now,
            "expires_at": now,
        }
        await db.execute(delivery.insert().values(**values))
    await store.close()
    async with Publishers() as bank:
        rows = ((f"{told_on:%d.%m.%Y}", "88,9000"), (f"{odd:%d.%m.%Y}", "8,9950"))
        bank.put("/index1.jsp", page(*rows), kind="text/html")
        machine = Machine(tmp_path, bank.url)
        for since in ("01-01", "01-02"):  # another span is another request: the same page once more
            code, _, err = await machine.finish(
                "nbkr", "--since", f"{THIS_YEAR}-{since}", "--pause", "0"
            )
            assert code == 0, err
            assert "not believed: USD/KGS" in err
    store = await open_store(f"sqlite:///{tmp_path / 'jarchy.db'}")
    async with store.reading() as db:
        got = await storage.rates.history(db, rate().series, since=told_on, until=odd)
        known = await storage.baselines.get(db, rate().series)
        rows_of = (await db.execute(select(alert).order_by(alert.c.id))).all()
    await store.close()
    assert [(str(item.value), item.revision) for item in got] == [("88.9000", 1), ("89.9500", 0)]
    assert known is not None
    assert str(known[0].value) == "88.9000"
    assert [(row.kind, row.audience_told) for row in rows_of] == [
        ("move", None),
        ("correction", pk),
    ]


async def test_a_source_without_history_says_so(tmp_path: Path) -> None:
    """In one line, with exit code 1."""
    code, _, err = await Machine(tmp_path, "http://127.0.0.1:9", "erapi").finish(
        "erapi", "--since", SINCE
    )
    assert (code, err) == (1, "jarchy: erapi has no history that can be fetched for these days\n")


async def test_an_answer_that_cannot_be_read_is_said_and_asked_for_again(tmp_path: Path) -> None:
    """A maintenance page is not history."""
    async with Publishers() as bank:
        bank.put("/index1.jsp", b"<html><p>maintenance</p></html>", kind="text/html")
        machine = Machine(tmp_path, bank.url)
        code, _, err = await machine.finish("nbkr", "--since", f"{THIS_YEAR}-01-01", "--pause", "0")
        assert code == 1
        assert "a web page instead of XML" in err
        bank.put("/index1.jsp", page(("04.03.2022", "96,4397")), kind="text/html")
        code, out, _ = await machine.finish("nbkr", "--since", f"{THIS_YEAR}-01-01", "--pause", "0")
        assert (code, json.loads(out)["rates"]) == (0, 1)


async def test_a_past_that_is_absent_as_a_whole_was_not_had(tmp_path: Path) -> None:
    """A server that has nothing at any address has moved, or is not itself; beside an answer that
    is there it has no more.
    """
    since = f"{THIS_YEAR - 1}-01-01"
    async with Publishers() as bank:
        machine = Machine(tmp_path, bank.url)
        code, _, err = await machine.finish("nbkr", "--since", since, "--pause", "0")
        assert code == 1
        assert "nothing at any of 2 addresses" in err
        bank.put("/index1.jsp", page(("04.03.2022", "96,4397")), kind="text/html")
        code, out, _ = await machine.finish("nbkr", "--since", since, "--pause", "0")
        assert (code, json.loads(out)["asked"], json.loads(out)["rates"]) == (0, 2, 2)


@pytest.mark.parametrize("key", ["nbk", "nbt"])
def test_a_day_that_is_over_is_the_same_request_on_any_day(key: str) -> None:
    """What a run that was stopped before midnight fetched is not asked for again behind it."""
    spec = load_catalog().rates[key]
    monday, tuesday = (plan(spec, date(2023, 3, 1), date(2023, 3, day)) for day in (27, 28))
    assert len(set(monday) - set(tuesday)) == 1  # that day's own, which was not over
    assert len(set(tuesday) - set(monday)) == 2


def test_finished_years_are_asked_for_in_the_same_way_on_any_day() -> None:
    """So that what a run of yesterday fetched is skipped today; of the year under way a range is
    asked for again.
    """
    for spec in load_catalog().rates.values():
        monday, tuesday = (set(plan(spec, date(2022, 12, 1), date(2023, 1, day))) for day in (2, 3))
        old = set(plan(spec, date(2022, 12, 1), date(2022, 12, 30)))
        assert bool(monday) == (spec.source.history is not None), spec.key
        if monday and len(monday) > 2:  # more than the two years' requests: some are finished ones
            assert monday & tuesday, spec.key
        assert not old or old != tuesday


def test_an_archive_is_asked_instead_of_the_publisher() -> None:
    """At the same paths, with the same questions."""
    spec = parse_catalog(
        '[rates.cbr]\nname = { en = "x" }\nurls = ["https://a.example/"]\narchive = '
        '"http://10.0.0.1:81"\n'
    ).rates["cbr"]
    assert all(
        one.url.startswith("http://10.0.0.1:81/")
        for one in spec.history(date(2022, 1, 1), date(2022, 1, 2))
    )
    assert spec.history(date(2022, 1, 1), date(2022, 1, 1) + timedelta(days=1))
