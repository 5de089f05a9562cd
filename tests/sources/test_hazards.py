"""Institutes' documents as hazards: documents of our own, in the forms that they publish."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import ConfigError, ParseError
from bot.model.alerts import Severity
from bot.model.areas import Circle
from bot.model.hazards import Hazard, HazardKind, Reported
from bot.sources.cap import read_cap
from bot.sources.catalog import parse_catalog
from bot.sources.hazards import HazardSpec, list_hazards, parse_entries, parse_hazards
from tests.test_cli import jarchy

AT = datetime(2026, 11, 28, 3, 15, tzinfo=UTC)
KAJI_SAY = Hazard(
    kind=HazardKind.EARTHQUAKE,
    size=Decimal("5.4"),
    place="40 km S of Kaji-Say, Kyrgyzstan",
    latitude=41.77,
    longitude=77.18,
)
NEAR = "near = { latitude = 42.87, longitude = 74.59, radius_km = 600 }\nat_least = 4.5"


def feature(name: str = "us7000abc", **changes: object) -> dict[str, object]:
    told: dict[str, object] = {
        "mag": 5.42,
        "place": "40 km S of Kaji-Say, Kyrgyzstan",
        "time": int(AT.timestamp()) * 1000,
        "updated": int(AT.timestamp()) * 1000 + 900_000,
        "url": f"https://earthquake.usgs.gov/earthquakes/eventpage/{name}",
        "status": "automatic",
        "type": "earthquake",
    }
    where = changes.pop("coordinates", [77.18, 41.77, 10.0])
    return {
        "type": "Feature",
        "id": name,
        "properties": {**told, **changes},
        "geometry": {"type": "Point", "coordinates": where},
    }


def summary(*features: object) -> bytes:
    whole = {"type": "FeatureCollection", "metadata": {"count": 1}, "features": features}
    return json.dumps(whole).encode()


def gdacs(*items: str) -> bytes:
    spaces = (
        'xmlns:gdacs="http://www.gdacs.org" xmlns:georss="http://www.georss.org/georss" '
        'xmlns:geo="http://www.w3.org/2003/01/geo/wgs84_pos#"'
    )
    channel = f"<channel><title>GDACS</title>{''.join(items)}</channel>"
    return f'<?xml version="1.0"?><rss version="2.0" {spaces}>{channel}</rss>'.encode()


def episode(kind: str, severity: str, *, level: str = "Green", name: str = "") -> str:
    return f"""<item><title>{level} alert</title><link>https://gdacs.example/{kind}</link>
<pubDate>Sat, 28 Nov 2026 04:00:00 GMT</pubDate><guid>{kind}1499</guid>
<gdacs:fromdate>Sat, 28 Nov 2026 03:15:00 GMT</gdacs:fromdate>
<gdacs:eventtype>{kind}</gdacs:eventtype><gdacs:eventid>1499</gdacs:eventid>
<gdacs:alertlevel>{level}</gdacs:alertlevel><gdacs:eventname>{name}</gdacs:eventname>
<gdacs:severity unit="M" value="{severity}">Magnitude {severity}M</gdacs:severity>
<gdacs:country>Kyrgyzstan</gdacs:country><georss:point>41.77 77.18</georss:point></item>"""


def cap(
    name: str = "KG-1",
    *,
    references: str = "",
    kind: str = "Alert",
    status: str = "Actual",
    event: str = "Flood warning",
    area: str = "<circle>41.77,77.18 30.0</circle>",
    severity: str = "Severe",
) -> str:
    refers = f"<references>{references}</references>" if references else ""
    return f"""<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>{name}</identifier>
<sender>met@kg.example</sender><sent>2026-11-28T09:15:00+06:00</sent><status>{status}</status>
<msgType>{kind}</msgType><scope>Public</scope>{refers}
<info><language>ru-RU</language><event>Паводок</event><severity>{severity}</severity>
<headline>Паводок</headline><area><areaDesc>Иссык-Кульская область</areaDesc>{area}</area></info>
<info><language>en-US</language><category>Met</category><event>{event}</event>
<severity>{severity}</severity><onset>2026-11-28T09:15:00+06:00</onset>
<web>https://met.example/1</web>
<area><areaDesc>Issyk-Kul Region</areaDesc>{area}</area></info></alert>"""


def test_usgs_summaries_are_earthquakes() -> None:
    """Magnitude to a tenth; blasts and events that were none are left out."""
    found = parse_hazards(
        summary(
            feature(),
            feature("blast", type="quarry blast"),
            feature("gone", status="deleted"),
            feature("bare", mag=None, place=None, time=None, coordinates=None),
        )
    )
    first, bare = found
    assert first.hazard == KAJI_SAY
    assert (first.id, first.at) == ("us7000abc", AT)
    assert first.link == "https://earthquake.usgs.gov/earthquakes/eventpage/us7000abc"
    assert (bare.hazard.size, bare.hazard.latitude, bare.at) == (None, None, None)


def test_gdacs_events_have_magnitudes_or_levels() -> None:
    """One id for all episodes of an event."""
    quake, flood, storm = parse_hazards(
        gdacs(
            episode("EQ", "5.4"),
            episode("FL", "0", level="Orange"),
            episode("TC", "120", level="Red", name="Ayla"),
        )
    )
    assert quake == Reported(
        id="EQ1499",
        hazard=Hazard(
            kind=HazardKind.EARTHQUAKE,
            size=Decimal("5.4"),
            place="Kyrgyzstan",
            latitude=41.77,
            longitude=77.18,
        ),
        at=AT,
        updated_at=AT + timedelta(minutes=45),
        link="https://gdacs.example/EQ",
    )
    assert (flood.hazard.kind, flood.hazard.size) == (HazardKind.FLOOD, Decimal("2.0"))
    assert (storm.hazard.size, storm.hazard.place) == (Decimal("3.0"), "Ayla, Kyrgyzstan")


def test_cap_alerts_are_read_alone_and_in_a_feed() -> None:
    """The English part, the middle of the area, and one id for an alert and its updates."""
    (alone,) = parse_hazards(cap().encode())
    assert alone == Reported(
        id="KG-1",
        hazard=Hazard(
            kind=HazardKind.FLOOD,
            size=Decimal("3.0"),
            place="Issyk-Kul Region",
            latitude=41.77,
            longitude=77.18,
        ),
        at=AT,
        updated_at=AT,
        link="https://met.example/1",
        also=("KG-1",),
        areas=(Circle(41.77, 77.18, 30.0),),
    )
    follows = "met@kg.example,KG-1,2026-11-28T09:15:00+06:00"
    ring = "<polygon>41,77 43,77 43,79 41,79 41,77</polygon>"
    feed = "".join(
        [
            '<feed xmlns="http://www.w3.org/2005/Atom">',
            cap(),
            cap("KG-2", references=follows, kind="Update", severity="Extreme", area=ring),
            cap("KG-3", event="Strong wind", area=""),
            cap("KG-4"),
            cap("KG-5", references=follows.replace("KG-1", "KG-4"), kind="Cancel"),
            cap("KG-6", status="Exercise"),
            "</feed>",
        ]
    )
    updated, wind = parse_hazards(feed.encode())
    assert (updated.id, updated.hazard.size) == ("KG-1", Decimal("4.0"))
    assert (updated.hazard.latitude, updated.hazard.longitude) == (42, 78)
    assert (wind.hazard.kind, wind.hazard.latitude) == (HazardKind.STORM, None)


def test_what_follows_and_cancels_is_found_in_any_order() -> None:
    """The latest that was sent counts, also behind an update of an update; a cancel may name
    several, and one of an exercise cancels nothing.
    """
    sent = "met@kg.example,{},2026-11-28T09:15:00+06:00"
    second = cap("KG-2", references=sent.format("KG-1"), kind="Update", severity="Severe")
    third = cap("KG-3", references=sent.format("KG-2"), kind="Update", severity="Extreme")
    later = third.replace("<sent>2026-11-28T09:15", "<sent>2026-11-28T11:15")
    for order in ((cap(), second, later), (later, second, cap())):
        (one,) = parse_hazards(f"<feed>{''.join(order)}</feed>".encode())
        assert (one.id, one.hazard.size) == ("KG-1", Decimal("4.0"))
    both = " ".join(map(sent.format, ("KG-3", "KG-7")))
    over = cap("KG-9", references=both, kind="Cancel")
    every = f"<feed>{over}{later}{second}{cap()}{cap('KG-7')}</feed>"
    assert parse_hazards(every.encode()) == []
    drill = cap("KG-9", references=both, kind="Cancel", status="Exercise")
    assert len(parse_hazards(every.replace(over, drill).encode())) == 2
    circle = cap("KG-1", references=sent.format("KG-2"), kind="Update") + second
    assert parse_hazards(f"<feed>{circle}</feed>".encode())


def test_an_event_is_known_by_all_that_its_alerts_name() -> None:
    """Whichever of the earlier ones stands in the document, and in whatever order they are named;
    a cancel of one of them takes back the event.
    """
    sent = "met@kg.example,{},2026-11-28T09:15:00+06:00"
    update = cap("KG-3", references=" ".join(map(sent.format, ("KG-2", "KG-1"))), kind="Update")
    (alone,) = parse_hazards(update.encode())
    assert {alone.id, *alone.also} == {"KG-1", "KG-2", "KG-3"}
    other = cap("KG-4", references=sent.format("KG-1"), kind="Update")
    (both,) = parse_hazards(f"<feed>{update}{other}</feed>".encode())
    assert {both.id, *both.also} == {"KG-1", "KG-2", "KG-3", "KG-4"}
    cancel = cap("KG-9", references=sent.format("KG-4"), kind="Cancel")
    met = parse_catalog(
        '[hazards.met]\nname = { en = "Met" }\nurl = "https://met.example/"\nformat = "cap"\n'
    ).news["met"]
    assert isinstance(met, HazardSpec)
    listed = list_hazards(f"<feed>{cancel}{update}{other}</feed>".encode(), spec=met)
    assert listed.numbered is not None
    assert listed.entries == ()
    assert listed.numbered.withdrawn == {"KG-1", "KG-2", "KG-3", "KG-4"}


def test_a_chain_of_updates_as_long_as_a_document_is_followed_at_once() -> None:
    sent = "met@kg.example,KG-{},2026-11-28T09:15:00+06:00"
    chain = [cap(f"KG-{n}", references=sent.format(n - 1), kind="Update") for n in range(1, 400)]
    (one,) = parse_hazards(f"<feed>{''.join(chain)}</feed>".encode())
    assert (one.id, len(one.also)) == ("KG-0", 400)


def test_what_is_known_of_events_is_bounded_and_the_latest_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bot.sources.cap.MOST_REMEMBERED", 200)
    sent = "met@kg.example,KG-{},2026-11-28T09:15:00+06:00"
    known = b""
    for number in range(0, 60, 2):
        update = cap(f"KG-{number + 1}", references=sent.format(number), kind="Update")
        _, known = read_cap(update.encode(), None, known)
        assert len(known) <= 200
    last = cap("KG-60", references=sent.format(59), kind="Update")
    (one,), _ = read_cap(last.encode(), None, known)
    assert one.id == "KG-58"
    for strange in (b"\xff\x00", b"5", b"[5]", b"[[[]]]", b'"x"'):  # of another kind of source
        assert [one.id for one in read_cap(last.encode(), None, strange)[0]] == ["KG-59"]


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        ("Оползень", "landslide"),
        ("Сильный ветер в селе Кызыл-Суу", "storm"),
        ("Заморозки опасны для сельского хозяйства", "cold"),
        ("Мороз до 30 градусов", "cold"),
        ("Сел жүрүү коркунучу", "landslide"),
        ("Катуу шамал", "storm"),
        ("Ысык-Көл облусу: үшүк", "cold"),
        ("Cold wave: close all windows", "cold"),
    ],
)
def test_a_danger_is_known_by_its_word_and_not_by_one_that_begins_like_it(
    event: str, kind: str
) -> None:
    (found,) = parse_hazards(cap(event=event).encode())
    assert found.hazard.kind == kind


def test_a_magnitude_in_words_is_an_earthquakes_size() -> None:
    (found,) = parse_hazards(cap(event="Earthquake M 6,1").encode())
    assert found.hazard.size == Decimal("6.1")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b'{"type": "FeatureCollection", "features": 5}',
        b'{"type": "FeatureCollection", "features": [5]}',
        b"<html><body>Login</body></html>",
        b"<rss><channel>",
        b'<!DOCTYPE x [<!ENTITY a "b">]><alert>&a;</alert>',
        b"<opml/>",
        b"\x00\xff",
        b'<feed><entry><title>Flood</title><link href="https://met.example/1.xml"/></entry></feed>',
        b"<rss><channel><item><title>Flood</title></item></channel></rss>",
    ],
)
def test_what_is_no_such_document_is_an_error(body: bytes) -> None:
    """Also what lists other things, or links: it would read as a quiet day."""
    with pytest.raises(ParseError):
        parse_hazards(body)


@pytest.mark.parametrize("form", ["usgs", "gdacs", "cap"])
@given(noise=st.text(max_size=60))
def test_nonsense_in_its_fields_costs_that_field_alone(form: str, noise: str) -> None:
    quoted = "".join(char for char in noise if char.isalnum() or char in " .,-")
    bodies = {
        "usgs": summary(feature(mag=noise, time=noise, coordinates=[noise, noise])),
        "gdacs": gdacs(episode("EQ", quoted, level=quoted, name=quoted)),
        "cap": cap(severity=quoted, area=f"<circle>{quoted}</circle>").encode(),
    }
    with suppress(ParseError):
        for one in parse_hazards(bodies[form]):
            assert Hazard.read(str(one.hazard)) is not None


def test_a_number_without_end_and_an_id_of_no_text_cost_their_field_alone() -> None:
    """The first would fill the memory of who reads it."""
    odd = summary(feature("us1", ids=",us1,us\ud83d2,", place="near \ud83d Osh"), feature("us2"))
    odd = odd.replace(b'"time": 1', b'"time": 1E+999999999999, "was": 1', 1)
    first, second = parse_hazards(odd)
    assert (first.at, second.at) == (None, AT)
    assert first.also == ("us1", "us2")
    assert first.hazard.size == second.hazard.size
    str((first.hazard, first.also)).encode()


@given(
    st.builds(
        Hazard,
        kind=st.sampled_from(HazardKind),
        size=st.none() | st.decimals(0, 99, places=1),
        place=st.text(max_size=300),
        latitude=st.just(-12.3456),
        longitude=st.just(179.0),
    )
)
def test_the_written_form_is_read_back(hazard: Hazard) -> None:
    """Whatever is in its place's name; the store has the text and no more."""
    read = Hazard.read(str(hazard))
    assert read is not None
    assert str(read) == str(hazard)
    assert (read.kind, read.size) == (hazard.kind, hazard.size)


@pytest.mark.parametrize("text", ["", "Earthquake 5.4: x", "earthquake in Osh", "riot 5.4: x"])
def test_other_texts_are_no_hazards(text: str) -> None:
    assert Hazard.read(text) is None


def spec(more: str = NEAR, form: str = "usgs") -> HazardSpec:
    text = f'[hazards.x]\nurl = "https://usgs.example/2.5_day.geojson"\nformat = "{form}"\n{more}'
    found = parse_catalog(text).news["x"]
    assert isinstance(found, HazardSpec)
    return found


def test_the_catalog_says_what_is_near_and_large_enough() -> None:
    """Without a magnitude a hazard counts from the second level on; without a place it is far."""
    body = summary(
        feature("near"),
        feature("small", mag=4.4),
        feature("far", coordinates=[139.7, 35.6, 10]),
        feature("nowhere", coordinates=None),
        feature("unmeasured", mag=None),
    )
    assert [one.id for one in parse_entries(body, spec=spec())] == ["near"]
    assert len(parse_entries(body, spec=spec(""))) == 4
    floods = gdacs(episode("FL", "0"), episode("TC", "90", level="Orange"))
    assert [one.id for one in parse_entries(floods, spec=spec(NEAR, "gdacs"))] == ["TC1499"]


def test_an_entry_has_a_headline_and_the_written_form() -> None:
    (entry,) = parse_entries(summary(feature()), spec=spec())
    assert entry.title == "Earthquake of magnitude 5.4: 40 km S of Kaji-Say, Kyrgyzstan"
    assert Hazard.read(entry.content) == KAJI_SAY
    assert entry.language == "en"


@pytest.mark.parametrize(
    ("size", "severity"), [(5.4, Severity.NOTABLE), (5.5, Severity.URGENT), (7.1, Severity.URGENT)]
)
def test_it_is_urgent_from_a_size_on(size: float, severity: Severity) -> None:
    (entry,) = parse_entries(summary(feature(mag=size)), spec=spec())
    verdict = spec().verdict(entry)
    assert verdict is not None
    assert (verdict.severity, verdict.topics) == (severity, ("security",))


@pytest.mark.parametrize(
    ("line", "right"),
    [
        ("near = 5", "should be a place such as"),
        ("near = { latitude = 95, longitude = 74, radius_km = 6 }", "should be a place such as"),
        ("near = { latitude = 42, longitude = 74 }", "should be a place such as"),
        ("near = { latitude = true, longitude = 74, radius_km = 6 }", "should be a place such as"),
        ('at_least = "4.5"', "should be a magnitude"),
        ("at_least = 45", "should be a magnitude"),
        ("atleast = 4", "did you mean at_least?"),
    ],
)
def test_a_mistake_is_told_with_what_would_be_right(line: str, right: str) -> None:
    with pytest.raises(ConfigError, match=right.replace("?", r"\?")):
        spec(line)
    with pytest.raises(ConfigError, match="format: should be"):
        spec("", "emsc")


def test_the_verb_prints_all_of_it(tmp_path: Path) -> None:
    """Near or far: what the reader sees is for whoever writes the catalog."""
    (tmp_path / "all.geojson").write_bytes(
        summary(feature(), feature("far", coordinates=[0, 0, 1]))
    )
    done = jarchy(tmp_path, "inspect", "hazards", "all.geojson")
    assert done.returncode == 0, done.stderr
    first, second = map(json.loads, done.stdout.splitlines())
    assert first == {
        "id": "us7000abc",
        "kind": "earthquake",
        "size": 5.4,
        "place": "40 km S of Kaji-Say, Kyrgyzstan",
        "latitude": 41.77,
        "longitude": 77.18,
        "at": "2026-11-28T03:15:00+00:00",
        "link": "https://earthquake.usgs.gov/earthquakes/eventpage/us7000abc",
    }
    assert second["id"] == "far"
