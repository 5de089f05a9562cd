"""WebSub: a hub rings, and the feed is polled; whoever else rings is not heard."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import io
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import cast

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

import bot.hubs
import storage.hubs
import storage.notes
import storage.sources
from bot.fetch import Fetcher, Limits
from bot.hubs import (
    LEASE,
    LONGEST_LEASE,
    POLLS_AT_ONCE,
    SHORTEST_LEASE,
    UNCONFIRMED_PAUSE,
    Hubs,
)
from bot.ingest.notices import TOLD_AFTER
from bot.intake.bells import LARGEST_BELL, add_bells
from bot.intake.inbox import Inbox
from bot.intake.webhook import Hook, webhook_app
from bot.sources.catalog import parse_catalog
from bot.sources.feeds import new_entries, parse_feed
from bot.sources.hubs import header_links
from storage.db import Store
from storage.hubs import Hub
from storage.schema import note
from tests.publishers import Publishers
from tests.world import NOW, World, loopback_fetcher, poll_flow

pytestmark = pytest.mark.cases  # what is decided, whatever the database

RSS = (
    '<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom"><channel><title>A</title>'
    '<atom:link rel="hub" href="{hub}"/><atom:link rel="self" href="{topic}"/>'
    "<item><title>Bridge {number} is open</title><link>https://a.example/{number}</link></item>"
    "</channel></rss>"
)
#: A signature, by which a body is read.
SIGNED = {"X-Hub-Signature": "sha256=00"}


@dataclass
class Hubworld:
    """A feed with its hub on one loopback server, our public address on another."""

    store: Store
    feed: str
    hubs: Hubs
    world: World
    ours: TestClient[web.Request, web.Application]
    now: datetime = NOW
    asked: list[dict[str, str]] = field(default_factory=list)
    number: int = 1
    text: str = RSS
    headers: dict[str, str] = field(default_factory=dict)
    refuses: bool = False
    rings: bool = False  # while the feed is fetched
    fails: bool = False  # then

    async def polls(self, looks: int) -> int:
        """How many polls the wishes made of so many looks for them, a second apart."""
        polls = 0
        for _ in range(looks):
            self.now += timedelta(seconds=1)
            if await self.wished():
                await self.world.poll("a")
                polls += 1
        return polls

    async def poll(self) -> None:
        """One poll of the feed."""
        report = await self.world.poll("a")
        assert report.error is None

    async def known(self) -> Hub:
        """The stored state of the hub."""
        async with self.store.reading() as db:
            hub = await storage.hubs.get(db, "a")
        assert hub is not None
        return hub

    async def path(self) -> str:
        """The path at which the hub reaches us."""
        return f"/hook/websub/a/{(await self.known()).token}"

    async def confirm(self, **other: str) -> tuple[int, str]:
        """The hub's question after a subscription, and our answer."""
        said = {"mode": "subscribe", "topic": self.feed, "challenge": "c1", "lease_seconds": "3600"}
        said |= other
        query = {f"hub.{name}": value for name, value in said.items() if value}
        answer = await self.ours.get(await self.path(), params=query)
        return answer.status, await answer.text()

    async def ring(self, body: bytes = b"new", method: str = "sha256", secret: str = "") -> int:
        """The hub's message, signed."""
        secret = secret or (await self.known()).secret
        sign = hmac.new(secret.encode(), body, getattr(hashlib, method)).hexdigest()
        headers = {"X-Hub-Signature": f"{method}={sign}"}
        return (await self.ours.post(await self.path(), data=body, headers=headers)).status

    async def wished(self) -> bool:
        """Whether the feed is to be polled now, for somebody wished it."""
        async with self.store.reading() as db:
            return bool(await storage.sources.due(db, now=NOW - timedelta(days=9), known={"a"}))


@pytest.fixture
async def hub(store: Store) -> AsyncIterator[Hubworld]:
    """The feed was polled once, and its hub is not asked yet."""
    made: Hubworld

    async def feed(_request: web.Request) -> web.Response:
        text = made.text.format(hub="/hub", topic=made.feed, number=made.number)
        if made.fails:
            raise web.HTTPInternalServerError
        if made.rings:
            assert await made.ring() == 200
        return web.Response(text=text, content_type="application/rss+xml", headers=made.headers)

    async def subscribe(request: web.Request) -> web.Response:
        made.asked.append({name: str(value) for name, value in (await request.post()).items()})
        return web.Response(status=500 if made.refuses else 202)

    publisher = web.Application()
    publisher.router.add_get("/rss", feed)
    publisher.router.add_post("/hub", subscribe)
    async with TestServer(publisher) as theirs, loopback_fetcher() as fetcher:
        address = str(theirs.make_url("/rss"))
        catalog = parse_catalog(f'[feeds.a]\nname = {{ en = "A" }}\nurl = "{address}"\n')
        world = World(store, catalog)
        hubs = Hubs(
            store=store,
            fetcher=fetcher,
            clock=lambda: made.now,
            news=catalog.news,
            base="https://bot.example/hook",
        )
        # as where Telegram posts: its server takes every address that the bells do not
        nobody = cast("Inbox", None)
        application = webhook_app(nobody, Hook(url="https://bot.example/hook", secret="s"))
        add_bells(application, hubs, "/hook")
        async with TestClient(TestServer(application)) as ours:
            world.ingest = poll_flow(store, fetcher, clock=lambda: made.now, feeds=catalog.news)
            made = Hubworld(store=store, feed=address, hubs=hubs, world=world, ours=ours)
            await made.poll()
            yield made


async def test_a_hub_that_a_feed_names_is_asked_once_and_rings_when_it_confirmed(
    hub: Hubworld,
) -> None:
    """Subscribed with a secret and an address of its own, its ring heard."""
    assert await hub.hubs.renew() == 1
    (form,) = hub.asked
    known = await hub.known()
    assert form == {
        "hub.mode": "subscribe",
        "hub.topic": hub.feed,
        "hub.callback": f"https://bot.example/hook/websub/a/{known.token}",
        "hub.secret": known.secret,
        "hub.lease_seconds": str(int(LEASE.total_seconds())),
    }
    assert await hub.confirm() == (200, "c1")
    assert not await hub.wished()
    assert await hub.ring() == 200
    assert await hub.wished()
    hub.number = 2
    await hub.poll()
    assert not await hub.wished()
    assert await hub.hubs.renew() == 0


@pytest.mark.parametrize("wished", [False, True])
async def test_a_bell_that_rings_while_the_feed_is_fetched_is_of_what_comes_next(
    hub: Hubworld, *, wished: bool
) -> None:
    """What was fetched is older than that; and the poll after it fulfils both wishes."""
    await hub.hubs.renew()
    await hub.confirm()
    if wished:
        await hub.ring()
        hub.now += timedelta(seconds=1)
    hub.rings = True
    await hub.poll()
    assert await hub.wished()
    hub.rings, hub.fails = False, wished
    report = await hub.world.poll("a")
    assert (report.error is not None) is wished
    assert not await hub.wished()  # one that failed comes again at its own time


async def test_a_hub_that_rings_without_end_has_its_source_polled_as_the_catalog_does(
    hub: Hubworld,
) -> None:
    """A few times at once, then once in each pause, and once after its last ring."""
    await hub.hubs.renew()
    await hub.confirm()
    every = hub.hubs.news["a"].poll.every
    hub.rings = True
    assert await hub.ring() == 200
    assert await hub.polls(6) == POLLS_AT_ONCE
    for _ in range(2):
        hub.now += every
        await hub.hubs.renew()
        assert await hub.polls(3) == 1
        await hub.hubs.renew()
        assert not await hub.wished()
    hub.rings = False
    hub.now += every
    await hub.hubs.renew()
    assert await hub.polls(2) == 1, "of the last ring"
    hub.now += every * (POLLS_AT_ONCE + 1)
    await hub.hubs.renew()
    assert not await hub.wished()
    hub.rings = True
    await hub.ring()
    assert await hub.polls(6) == POLLS_AT_ONCE, "whoever was quiet is heard at once again"


async def test_a_ring_shortens_no_rest_of_a_source_that_fails(hub: Hubworld) -> None:
    """Its server may have asked for that; the ring is answered when it is well again."""
    await hub.hubs.renew()
    await hub.confirm()
    hub.fails = True
    await hub.world.poll("a")
    assert await hub.ring() == 200
    await hub.hubs.renew()
    assert not await hub.wished()
    hub.fails = False
    await hub.poll()
    await hub.hubs.renew()
    assert await hub.polls(2) == 1


async def test_T8_a_clock_set_back_makes_a_hub_wait_no_longer(hub: Hubworld) -> None:
    """What its rings took up of a later time is forgotten."""
    await hub.hubs.renew()
    await hub.confirm()
    hub.rings = True
    await hub.ring()
    await hub.polls(5)
    hub.now -= timedelta(hours=5)
    await hub.hubs.renew()
    assert await hub.polls(1) == 1


async def test_a_hub_that_an_earlier_program_noted_goes_on_and_stays_readable_to_it(
    hub: Hubworld,
) -> None:
    """That program beside this one, or in its place again, knows no share of polls."""
    await hub.poll()
    noted = {"hub": "h", "topic": hub.feed, "token": "t", "secret": "s", "until_at": None}
    noted["asked_at"] = NOW.isoformat()
    async with hub.store.writing() as db:
        await storage.notes.put(db, "hub:a", json.dumps(noted))
        await storage.notes.drop(db, "hub rung:a")
    assert await hub.confirm() == (200, "c1")
    assert await hub.ring() == 200
    assert await hub.wished()
    assert (await hub.known()).spent_until is not None
    async with hub.store.reading() as db:
        by_now = json.loads(await storage.notes.get(db, "hub:a") or "")
    assert by_now.keys() == noted.keys()


async def test_a_hub_in_the_answers_header_counts_before_the_documents(hub: Hubworld) -> None:
    """As the specification has it; also where the document names none."""
    hub.headers = {"Link": '</other>; rel="hub", </rss?x=1>; rel="self"'}
    hub.number = 2
    await hub.poll()
    known = await hub.known()
    assert known.hub == hub.feed.replace("/rss", "/other")
    assert known.topic == f"{hub.feed}?x=1"


JSON_FEED = (
    '{{"version": "https://jsonfeed.org/version/1.1", "title": "A", "feed_url": "{topic}", '
    '"hubs": [{{"type": "rssCloud", "url": "/cloud"}}, {{"type": "WebSub", "url": "/hub2"}}], '
    '"items": [{{"id": "{number}", "title": "Bridge {number} is open", "content_text": "."}}]}}'
)


async def test_a_json_feed_names_its_hub_too(hub: Hubworld) -> None:
    """The one among several that speaks WebSub."""
    hub.text, hub.number = JSON_FEED, 3
    await hub.poll()
    known = await hub.known()
    assert (known.hub, known.topic) == (hub.feed.replace("/rss", "/hub2"), hub.feed)


@pytest.mark.parametrize(
    ("headers", "links"),
    [
        (['<https://h.example/>; rel="hub"'], {"hub": "https://h.example/"}),
        (["</hub>; rel=hub; x=y, </f>;rel=self"], {"hub": "/hub", "self": "/f"}),
        (["</a>; rel=hub", "</b>; rel=hub"], {"hub": "/a"}),
        (['</f>; title="a; rel=hub"; rel="self next"; rel=hub'], {"self": "/f", "next": "/f"}),
        (['</f>; REL="Hub"'], {"hub": "/f"}),
        (["</f>; relation=hub", "no link", "<>; rel=hub", "", "</f"], {}),
        (["<" * 9000, "; rel=hub" * 9000], {}),
        (["</f>; a=" + " " * 8000 + "!"], {}),
        (["<" + "x" * 9000], {}),
        (["</f>" + "; a" * 3000], {}),
    ],
)
@pytest.mark.timeout(20)
def test_links_of_a_header_are_read(headers: list[str], links: dict[str, str]) -> None:
    """By their relation, the first of each; what is no link is passed over, and soon: a reading
    that goes back and forth in it takes minutes for so many.
    """
    for _ in range(500):
        assert header_links(headers) == links


@pytest.mark.parametrize(
    "named",
    [
        "5",
        '{"type": "WebSub"}',
        '[5, {"type": ["WebSub"]}]',
        '[{"type": "WebSub", "url": "javascript:x"}]',
    ],
)
def test_a_json_feeds_nonsense_for_hubs_is_none(named: str) -> None:
    """The entries are read all the same."""
    version = '"version": "https://jsonfeed.org/version/1"'
    text = f'{{{version}, "hubs": {named}, "items": [{{"id": "1"}}]}}'
    feed = parse_feed(text.encode(), url="https://a.example/feed.json")
    assert (feed.hub, len(feed.entries)) == (None, 1)


@pytest.mark.parametrize("method", ["sha1", "sha384", "sha512"])
async def test_every_method_of_signing_is_known(hub: Hubworld, method: str) -> None:
    """A hub chooses."""
    await hub.hubs.renew()
    await hub.confirm()
    assert await hub.ring(method=method) == 200
    assert await hub.wished()


async def test_what_the_hub_did_not_sign_is_passed_over(hub: Hubworld) -> None:
    """Another secret, another method, no signature: nothing is polled for it."""
    await hub.hubs.renew()
    await hub.confirm()
    assert await hub.ring(secret="another") == 200
    assert await hub.ring(method="md5") == 200
    assert (await hub.ours.post(await hub.path(), data=b"new")).status == 200
    reader, writer = await asyncio.open_connection("127.0.0.1", hub.ours.port)
    head = f"POST {await hub.path()} HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n".encode()
    writer.write(head + b"Connection: close\r\nX-Hub-Signature: sha256=\xff\xfe\r\n\r\nnew")
    assert (await reader.read()).startswith(b"HTTP/1.1 200 ")
    writer.close()
    assert not await hub.wished()


async def test_nobody_else_confirms_or_rings(hub: Hubworld) -> None:
    """A wrong token, another topic, a source we do not have, a subscription that we did not ask."""
    assert (await hub.confirm())[0] == 404, "we have not asked yet"
    await hub.hubs.renew()
    assert (await hub.confirm(topic="https://other.example/rss"))[0] == 404
    assert (await hub.confirm(mode="unsubscribe"))[0] == 404
    assert (await hub.confirm(challenge=""))[0] == 404
    for path in ("/hook/websub/a/wrong", "/hook/websub/b/wrong"):
        asked = {"hub.mode": "subscribe", "hub.topic": hub.feed, "hub.challenge": "c"}
        assert (await hub.ours.get(path, params=asked)).status == 404
        assert (await hub.ours.post(path, data=b"new")).status == 410
    assert await hub.ring() == 410, "it has not confirmed"
    async with hub.store.writing(), asyncio.timeout(20):  # nor does who guesses wait to write
        for path in ("/hook/websub/a/wrong", "/hook/websub/%00/wrong"):
            assert (await hub.ours.get(path, params=asked)).status == 404
            assert (await hub.ours.post(path, data=b"new")).status == 410
    hub.now += timedelta(days=2)
    assert (await hub.confirm())[0] == 404, "too late"
    assert not await hub.wished()


async def test_a_lease_is_renewed_before_its_end_and_a_hub_that_does_not_confirm_left_for_hours(
    hub: Hubworld,
) -> None:
    """The feed is polled as before all the while."""
    hub.refuses = True
    await hub.hubs.renew()
    assert await hub.hubs.renew() == 0
    hub.now += UNCONFIRMED_PAUSE
    hub.refuses = False
    assert await hub.hubs.renew() == 1
    await hub.confirm(lease_seconds="86400")
    hub.now += timedelta(hours=18)
    assert await hub.hubs.renew() == 0
    hub.now += timedelta(hours=2)
    assert await hub.hubs.renew() == 1
    assert await hub.hubs.renew() == 0, "it may confirm yet"
    assert (await hub.known()).until_at is not None
    await hub.poll()


async def test_a_hub_is_told_once_where_we_are_reached_by_now(hub: Hubworld) -> None:
    """Its lease may last for days yet, and it rings at the address that it knows."""
    await hub.hubs.renew()
    await hub.confirm(lease_seconds="864000")
    assert await hub.hubs.renew() == 0
    moved = replace(hub.hubs, base="https://new.example/hook")
    hub.refuses = True  # it may be away just then
    assert [await moved.renew() for _ in range(2)] == [1, 0]
    hub.refuses = False
    hub.now += UNCONFIRMED_PAUSE
    assert [await moved.renew() for _ in range(2)] == [1, 0]
    assert hub.asked[-1]["hub.callback"].startswith("https://new.example/hook/websub/a/")
    assert (await hub.confirm())[0] == 200


async def test_a_hub_that_hangs_holds_up_those_of_its_own_host_alone(
    hub: Hubworld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They have their turn at the next look; others are asked meanwhile."""
    monkeypatch.setattr(bot.hubs, "HOST_SECONDS", 0.0)
    patient = Fetcher(limits=Limits(total=90.0, pause=0.0))
    async with Publishers() as theirs, patient:
        elsewhere = theirs.url.replace("127.0.0.1", "localhost")
        named = {"a": f"{theirs.url}/slow", "b": f"{theirs.url}/slow", "c": f"{elsewhere}/hub"}
        feeds = "".join(f'[feeds.{key}]\nurl = "{url}/{key}"\n' for key, url in named.items())
        hubs = replace(hub.hubs, news=parse_catalog(feeds).news, fetcher=patient)
        async with hub.store.writing() as db:
            for key, url in named.items():
                await storage.hubs.note(db, key, url, hub.feed)
        theirs.held["/slow"] = asyncio.Event()
        looking = asyncio.create_task(hubs.renew())
        await theirs.asked_again("/hub")
        assert not looking.done()
        theirs.held["/slow"].set()
        assert await looking == 2
        assert await hubs.renew() == 1
        assert theirs.asked.count("/slow") == 2


async def test_a_hub_decides_for_how_long_it_tells_within_reason(hub: Hubworld) -> None:
    """One that names no time does so for as long as it was asked to."""
    await hub.hubs.renew()
    for said, lease in (
        ("", LEASE),
        ("for ever", LEASE),
        ("7200", timedelta(hours=2)),
        ("1", SHORTEST_LEASE),
        ("9" * 40, LONGEST_LEASE),
    ):
        assert await hub.confirm(lease_seconds=said) == (200, "c1"), said
        assert (await hub.known()).until_at == hub.now + lease, said


async def test_T8_a_clock_set_back_does_not_put_off_the_question_to_a_hub(hub: Hubworld) -> None:
    """A question of tomorrow's is asked once now."""
    await hub.hubs.renew()
    hub.now -= timedelta(days=1)
    assert await hub.hubs.renew() == 1
    assert await hub.hubs.renew() == 0


async def test_a_hub_that_denies_is_left_alone_for_hours(hub: Hubworld) -> None:
    """And may deny later what it confirmed."""
    await hub.hubs.renew()
    await hub.confirm()
    assert (await hub.confirm(mode="denied"))[0] == 200
    assert (await hub.known()).until_at is None
    assert await hub.ring() == 410
    assert await hub.hubs.renew() == 0


async def test_a_body_larger_than_a_bell_is_refused(hub: Hubworld) -> None:
    """The next poll finds out by itself."""
    await hub.hubs.renew()
    await hub.confirm()
    body = io.BytesIO(b"x" * (LARGEST_BELL + 1))
    answer = await hub.ours.post(await hub.path(), data=body, headers=SIGNED)
    assert answer.status == 413
    assert not await hub.wished()


async def test_nothing_is_read_at_an_address_that_nobody_was_told(hub: Hubworld) -> None:
    """Anybody knows the way there, and many at once would fill the memory."""
    reader, writer = await asyncio.open_connection(hub.ours.host, hub.ours.port)
    head = f"POST /hook/websub/a/guessed HTTP/1.1\r\nHost: us\r\nContent-Length: {LARGEST_BELL}"
    writer.write(f"{head}\r\n\r\n".encode())
    async with asyncio.timeout(20):
        assert b" 410 " in await reader.readline()
    writer.close()


async def test_a_body_that_is_packed_otherwise_than_it_says_is_a_bad_request(
    hub: Hubworld,
) -> None:
    await hub.hubs.renew()
    await hub.confirm()
    headers = {"Content-Encoding": "gzip", **SIGNED}
    answer = await hub.ours.post(await hub.path(), data=b"new", headers=headers)
    assert answer.status == 400


async def test_S4_a_hub_is_no_way_to_the_operators_other_machines(hub: Hubworld) -> None:
    """It is judged like a redirect from its feed, whoever that belongs to."""
    async with Publishers() as inside:
        hub.headers, hub.number = {"Link": f'<{inside.url}/hub>; rel="hub"'}, 2
        await hub.poll()
        assert await hub.hubs.renew() == 1
        assert inside.asked == []


async def test_a_hub_is_asked_no_more_often_by_a_feed_that_calls_itself_otherwise_each_time(
    hub: Hubworld,
) -> None:
    """As with a time in its own address: each subscription would be another one's end."""
    hub.text = RSS.replace("{topic}", "{topic}?at={number}")
    for hub.number in range(2, 6):
        await hub.poll()
        await hub.hubs.renew()
        hub.now += timedelta(minutes=5)
    assert len(hub.asked) == 1
    hub.now += UNCONFIRMED_PAUSE
    assert await hub.hubs.renew() == 1
    assert hub.asked[-1]["hub.topic"] == f"{hub.feed}?at=5"


async def test_another_hub_is_a_stranger(hub: Hubworld) -> None:
    """It gets a secret and an address of its own; the same one keeps what it has."""
    first = await hub.known()
    async with hub.store.writing() as db:
        await storage.hubs.note(db, "a", first.hub, first.topic)
    assert await hub.known() == first
    async with hub.store.writing() as db:
        await storage.hubs.note(db, "a", "https://other.example/hub", first.topic)
    other = await hub.known()
    assert {other.token, other.secret}.isdisjoint({first.token, first.secret})


async def test_hubs_of_more_sources_than_one_statement_names_are_all_there(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """None of them would be renewed, or heard, that was not among the last."""
    monkeypatch.setattr(storage.hubs, "AT_ONCE", 2)
    keys = ["a", "b", "c", "d", "e"]
    async with store.writing() as db:
        for key in keys:
            await storage.hubs.put(db, key, Hub(hub="h", topic=key, token="t", secret="s"))
        found = await storage.hubs.among(db, [*keys, "none"])
    assert {key: hub.topic for key, hub in found.items()} == dict(zip(keys, keys, strict=True))


def test_the_hub_is_read_from_atom_too_and_is_a_plain_web_address() -> None:
    """A feed without its own link is known to the hub by its address."""
    atom = '<feed xmlns="http://www.w3.org/2005/Atom"><link rel="hub" href="{}"/></feed>'
    url = "https://a.example/feed"
    found = new_entries(atom.format("https://h.example/").encode(), url=url, content_type=None).hub
    assert found is not None
    assert (found.hub, found.topic) == ("https://h.example/", url)
    loose = atom.format("https://h.example/").replace("<link", "<title>a<b>b</b></title><link")
    assert new_entries(loose.encode(), url=url, content_type=None).hub == found
    none = new_entries(atom.format("ftp://h.example/").encode(), url=url, content_type=None)
    assert none.hub is None


@pytest.mark.parametrize("fails", [0, TOLD_AFTER], ids=["daily", "well again"])
async def test_a_feed_that_is_read_whole_and_did_not_change_keeps_its_hub(
    hub: Hubworld, fails: int
) -> None:
    """Its lease is renewed and its ring heard, after a day and after a trouble that was told."""
    await hub.hubs.renew()
    await hub.confirm()
    path, hub.fails = await hub.path(), True
    for _ in range(fails):
        await hub.world.poll("a")
    hub.fails = False
    hub.now += timedelta(hours=0 if fails else 30)
    await hub.poll()
    assert await hub.path() == path
    assert await hub.ring() == 200
    assert await hub.wished()


async def test_a_hub_that_a_feed_names_no_more_is_forgotten_and_asked_nothing(
    hub: Hubworld,
) -> None:
    """Its lease was renewed for ever. A feed that did not change says nothing of it."""
    path = await hub.path()
    await hub.poll()
    assert await hub.known()
    hub.number, hub.text = 2, RSS.replace('<atom:link rel="hub" href="{hub}"/>', "")
    await hub.poll()
    async with hub.store.reading() as db:
        assert await storage.hubs.get(db, "a") is None
    assert not [row for row in await hub.world.stored(note) if row.name.startswith("hub")]
    assert await hub.hubs.renew() == 0
    assert hub.asked == []
    assert (await hub.ours.post(path, data=b"new")).status == 410
