"""Same event or not: cautiously, and the same whichever comes first."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.detect.stories import best_match, same_story, title_key, undecided
from bot.model.news import Entry, StoredEntry
from tests.factories import NOW, entry

LANDSLIDE = entry(
    id="a",
    title="Landslide blocks the Bishkek - Osh road near Töö-Ashuu",
    summary="A landslide has blocked the Bishkek - Osh road at the 129th kilometre near the "
    "Töö-Ashuu pass. Nobody was hurt; road crews are at work and traffic is stopped until the "
    "evening, the transport ministry says.",
)
SAME_LANDSLIDE = entry(
    id="b",
    title="Bishkek - Osh road closed by landslide at Töö-Ashuu",
    summary="Traffic on the Bishkek - Osh road is stopped: a landslide came down at the 129th "
    "kilometre, near the Töö-Ashuu pass. The transport ministry has sent road crews. There are no "
    "injured.",
)
OTHER = entry(
    id="c",
    title="Road tolls to rise on the Bishkek - Osh road",
    summary=(
        "The transport ministry proposes higher tolls for lorries from January; cars stay free of "
        "charge."
    ),
)


def stored(story: Entry, hours: float = 1, pk: int = 1) -> StoredEntry:
    return StoredEntry(pk=pk, feed="f", entry=story, seen_at=NOW - timedelta(hours=hours), story=pk)


def ru(title: str, summary: str = "") -> Entry:
    return entry(title=title, summary=summary, language="ru")


def test_two_agencies_about_one_landslide_are_one_story() -> None:
    match = same_story(LANDSLIDE, SAME_LANDSLIDE)
    assert match.same
    assert "both" in match.reasons[0]
    assert not same_story(LANDSLIDE, OTHER).same


def test_the_same_headline_is_the_same_story_however_it_is_punctuated() -> None:
    match = same_story(ru("Ош: «Пожар» на рынке!"), ru("ОШ - пожар на рынке"))
    assert match.same
    assert match.score == 1
    assert title_key("Ещё снег") == title_key("еще снег…")
    assert title_key("Ещё снег") != title_key("Снег ещё")


def test_a_denial_is_another_story() -> None:
    news = ru("Стало известно о закрытии аэропорта Манас на ремонт")
    denial = ru("Закрытие аэропорта Манас на ремонт опровергли")
    assert not same_story(news, denial).same
    long = "Аэропорт Манас закроют на ремонт полосы с первого мая, рейсы переведут в Ош."
    with_text = same_story(ru(news.title, long), ru(denial.title, long))
    assert (
        with_text.score < same_story(ru(news.title, long), ru(f"{news.title} полосы", long)).score
    )


def test_bare_headlines_with_other_numbers_are_not_joined() -> None:
    one, other = ru("Магнитуда землетрясения в Нарыне 4"), ru("Магнитуда землетрясения в Нарыне 5")
    assert not same_story(one, other).same


def test_two_languages_need_more_than_the_same_words() -> None:
    match = same_story(LANDSLIDE, entry(title=LANDSLIDE.title, summary="", language="ru"))
    assert not match.same
    assert match.reasons[0] == "two languages"


def test_the_same_words_days_later_are_a_development() -> None:
    assert not same_story(LANDSLIDE, LANDSLIDE, hours_apart=73).same
    near, far = (
        same_story(LANDSLIDE, SAME_LANDSLIDE, hours_apart=hours).score for hours in (1, 48)
    )
    assert near > far


HAY = entry(
    id="hay",
    title="Ministry bans export of hay until June",
    summary="The dry winter is the reason, the ministry of agriculture said.",
)
METAL = entry(
    id="metal",
    title="Ministry bans export of scrap metal until June",
    summary="Smelters at home lack metal, the ministry of economy said.",
)


def test_vectors_decide_where_words_do_not() -> None:
    """And nowhere else: not of what is plainly one event, or plainly none."""
    assert undecided(HAY, METAL)
    assert same_story(HAY, METAL, alike=0.97).same
    assert not same_story(HAY, METAL, alike=0.90).same
    assert not undecided(HAY, OTHER)
    assert not same_story(HAY, OTHER, alike=1.0).same
    assert not undecided(LANDSLIDE, LANDSLIDE)
    assert same_story(LANDSLIDE, LANDSLIDE, alike=0.0).same
    bare, abroad = entry(title=METAL.title, summary=""), entry(title="Сено", language="ru")
    assert not undecided(HAY, bare)
    assert not undecided(HAY, abroad)


def test_the_best_of_the_recent_entries_is_found() -> None:
    recent = [
        stored(OTHER, pk=1),
        stored(SAME_LANDSLIDE, pk=2),
        stored(LANDSLIDE, pk=3),
        stored(LANDSLIDE, 80, pk=4),
    ]
    published = entry(id="d", title=LANDSLIDE.title, summary=LANDSLIDE.summary, published_at=None)
    found = best_match(published, recent, now=NOW)
    assert found is not None
    assert found[0].pk == 3
    assert best_match(entry(), recent, now=NOW) is None


TEXTS = st.text(max_size=60)


@given(titles=st.tuples(TEXTS, TEXTS), texts=st.tuples(TEXTS, TEXTS), hours=st.floats(0, 100))
def test_the_order_of_two_entries_does_not_matter(
    titles: tuple[str, str], texts: tuple[str, str], hours: float
) -> None:
    a, b = (entry(title=title, summary=text) for title, text in zip(titles, texts, strict=True))
    there, back = same_story(a, b, hours_apart=hours), same_story(b, a, hours_apart=hours)
    assert there.same == back.same
    assert there.score == pytest.approx(back.score, abs=2e-4)


def test_human_judgements_are_met(shared: Path) -> None:
    """Of pairs with text, at least 0.82 of our yes are right and 0.84 of the true ones are
    found.
    """
    said = true = hit = 0
    for line in (
        (shared / "data/clusters/pairs_gold.dev.jsonl").read_text(encoding="utf-8").splitlines()
    ):
        row = json.loads(line)
        if not (row["a"]["text"] and row["b"]["text"]):
            continue
        a, b = (
            entry(title=row[side]["title"], summary=row[side]["text"], language=row["lang"])
            for side in "ab"
        )
        same = same_story(a, b).same
        said, true, hit = said + same, true + row["same"], hit + (same and row["same"])
    assert hit / said >= 0.82
    assert hit / true >= 0.84


def test_alike_reports_of_two_places_are_two_stories() -> None:
    """A formula filled with another town is another event, however alike the words."""
    text = (
        "A fire broke out at a clothes market in {} on Tuesday evening. Four crews of firefighters "
        "were at work, 200 square metres burned, nobody was hurt, the emergencies ministry said."
    )
    osh = entry(
        title="Fire breaks out at clothes market, crews at work", summary=text.format("Osh")
    )
    naryn = entry(
        title="Fire breaks out at clothes market: crews work", summary=text.format("Naryn")
    )
    again = entry(title=naryn.title, summary=text.format("Osh"))
    assert same_story(osh, again).same
    match = same_story(osh, naryn)
    assert not match.same
    assert "another place or magnitude" in match.reasons


def test_what_a_long_text_says_late_counts_too() -> None:
    """Two long reports of one event may begin with other things, and share what follows."""
    common = (
        "The avalanche came down at the Tosor pass on Thursday and buried a snowcat with two "
        "drivers, Askar Beishenov and Maksat Toktogulov; rescuers from Karakol dug them out alive "
        "after nine hours and took both to the hospital in Barskoon with frostbite. "
    )
    padding = "Winter has been long this year, the elders of the valley say, and nobody travels. "
    one = entry(title="Two drivers dug out alive", summary=padding * 8 + common * 2)
    other = entry(title="Snowcat buried at Tosor", summary=common * 2 + padding * 8)
    assert same_story(one, other).same


def test_one_event_in_other_words_is_one_story_by_its_facts() -> None:
    """Place, number and kind agree; another place or another number of the kind does not."""
    one = entry(
        title="Drones hit the port of Odesa before dawn",
        summary="Russia struck Odesa with drones before dawn, killing 14 people, officials said. "
        "A grain terminal in the Peresyp district was hit and firemen were at work there.",
    )
    other = entry(
        title="Fourteen dead after attack on Odesa, governor says",
        summary="Fourteen people were killed when Russian drones struck Odesa in the night. The "
        "grain terminal of the Peresyp district was burning, and firemen were still there.",
    )
    elsewhere = entry(
        title=other.title.replace("Odesa", "Kharkiv"), summary="Fourteen people died."
    )
    assert same_story(one, other).same
    assert not same_story(one, elsewhere).same
