"""S6: the whole program, with a canary for each secret that it has, while all goes wrong that can:
Telegram, the proxy, a publisher, a forged webhook; none comes out anywhere. That of a database that
goes away is `test_ops`'s.
"""

from __future__ import annotations

import asyncio
import base64
import json
from pathlib import Path
from urllib.parse import quote

import aiohttp
from yarl import URL

from bot.emulator import Emulator, Fault
from bot.intake.webhook import HEADER
from bot.languages import LANGUAGES
from tests.e2e.driven import OPERATOR
from tests.e2e.program import Program
from tests.ports import free_port
from tests.proxy import Proxy, proxy_to
from tests.publishers import Publishers, agency_at

TOKEN = "7654321:AAsparrow-token-sparrow_token-sparrow-tok"
#: With letters that an address, a JSON line and a request's head each write otherwise.
PASSWORD = "sparrow/пароль@7"
BASIC = base64.b64encode(f"me:{PASSWORD}".encode()).decode()
SECRET = "sparrow-webhook-secret-0123"
CANARIES = ("sparrow", "пароль", json.dumps("пароль")[1:-1], quote("пароль"), BASIC)
NAME = "telegram.example"  # nobody but the proxy knows it
PAGES = ("/healthz", "/readyz", "/metrics", *(f"/status?lang={code}" for code in LANGUAGES))


def catalog(publishers: str, proxy: URL) -> str:
    """An agency that wants a key and one behind a proxy, that leads it nowhere."""
    return f"""{agency_at(publishers)}
headers = {{ X-Key = "sparrow-key-of-an-agency" }}

[feeds.walled]
name = {{ en = "Behind a wall" }}
url = "https://walled.example/feed.xml"
language = "en"
proxy = "{proxy}"
poll = {{ every = "1s" }}
"""


#: A server on the way that repeats whatever it was told.
REPEATED = f"no such place: /bot{TOKEN}/ {BASIC} {SECRET} {PASSWORD}"
GOES_WRONG = (
    Fault.unauthorized(method="sendMessage", times=1),
    Fault.flood(1, method="sendMessage", times=1),
    Fault.server_error(500, method="sendMessage", times=1),
    Fault.reset(method="sendMessage", times=1),
    Fault.truncated(method="sendMessage", times=1),
    Fault.bad_request(REPEATED, method="sendMessage", times=1),
)


async def looked_at(program: Program) -> list[str]:
    """What each page says to a stranger."""
    line = await program.said(lambda line: '"event": "listening"' in line)
    said: list[str] = []
    async with aiohttp.ClientSession(f"http://{json.loads(line)['address']}") as session:
        for page in PAGES:
            async with session.get(page) as answer:
                said.append(f"{answer.status} {answer.headers} {await answer.text()}")
    return said


async def answered(emulator: Emulator, text: str) -> None:
    """A question of the operator's, and its answer."""
    asked = await emulator.send_text(OPERATOR, text)
    await emulator.wait_message(
        OPERATOR, lambda m: m.get("from", {}).get("is_bot", False), after=asked, timeout=60
    )


async def all_goes_wrong(emulator: Emulator, proxy: Proxy) -> None:
    """Each fault of Telegram's, then a proxy that refuses; a question is answered all the same."""
    for fault in GOES_WRONG:
        emulator.faults.add(fault)
        await answered(emulator, "/admin")
        assert fault.hits
    proxy.refuse()
    asked = asyncio.create_task(answered(emulator, "/admin"))
    await proxy.refused.wait()
    proxy.refuses = False
    await asked


async def test_S6_no_fault_of_a_run_says_a_secret(tmp_path: Path) -> None:
    """In no line of the log, however detailed, on no page, in no chat."""
    port = free_port()
    async with (
        Emulator(TOKEN, "jarchy_bot") as emulator,
        Publishers() as publishers,
        proxy_to(emulator.port, "http", password=quote(PASSWORD, safe="")) as proxy,
    ):
        emulator.add_private(emulator.add_user(OPERATOR, "Bakyt", "en"))
        publishers.put("/feed.xml", b"sparrow-key-of-an-agency", status=403)
        program = Program(
            tmp_path,
            emulator,
            catalog(publishers.url, URL(proxy.url).with_password("sparrow-of-a-wall")),
            BOT_TOKEN=TOKEN,
            BOT_API_URL=f"http://{NAME}",
            PROXY=proxy.url,
            UPDATES="webhook",
            WEBHOOK_URL=f"http://127.0.0.1:{port}/hook",
            WEBHOOK_LISTEN=f"127.0.0.1:{port}",
            WEBHOOK_SECRET=SECRET,
            HEARTBEAT_URL="http://127.0.0.1:1/sparrow-of-a-dead-man-s-switch",
            ADMIN_IDS=str(OPERATOR),
            LOG_LEVEL="debug",
            POLL_EVERY="1h",
        )
        refused = emulator.faults.add(Fault.bad_request(REPEATED, method="setWebhook"))
        await program.start()
        for source in ("test", "walled"):
            await program.said(lambda line, one=source: "polled" in line and f'"{one}"' in line)
        said = await looked_at(program)
        assert any(page.startswith("503") for page in said)
        emulator.faults.remove(refused)
        await all_goes_wrong(emulator, proxy)
        async with aiohttp.ClientSession() as session:
            forged = {HEADER: "sparrow-webhook-secret-0124"}
            answer = await session.post(program.environment["WEBHOOK_URL"], headers=forged)
            said.append(f"{answer.status} {answer.headers} {await answer.text()}")
        assert said[-1].startswith("403")
        assert [one for one in said if "aiohttp" in one] == [], (
            "nor what answers, and how old it is"
        )
        said += await looked_at(program)
        assert await program.end() == 0, "".join(program.log)
        said += [str(message) for message in emulator.messages(OPERATOR)]
    said += program.log
    found = [line for line in said if any(canary in line for canary in CANARIES)]
    assert found == [], [line.replace("sparrow", "SPARROW") for line in found]
