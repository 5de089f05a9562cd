"""The catalog's names: sources that readers or commands cannot tell apart, topics and pairs of
nobody.
"""

from __future__ import annotations

import pytest

from bot.errors import ConfigError
from bot.i18n import name_of
from bot.languages import LANGUAGES
from bot.model.subjects import READERS_TOPICS
from bot.sources.catalog import parse_catalog
from bot.sources.values import TOPICS

BANK = 'name = { en = "First", ru = "Первый" }\nurls = ["https://x.example/"]\n'
FEED = 'url = "https://x.example/feed"\n'


def problems(text: str) -> tuple[str, ...]:
    """The problems that are told of a catalog."""
    with pytest.raises(ConfigError) as refusal:
        parse_catalog(text)
    return refusal.value.problems


@pytest.mark.parametrize(
    ("second", "told"),
    [
        (
            f'[feeds.b]\nname = {{ en = "first" }}\n{FEED}',
            "[feeds.b] name: en is the name of [rates.nbkr] too",
        ),
        (
            f'[feeds.b]\nname = {{ ru = "ПЕРВЫЙ" }}\n{FEED}',
            "[feeds.b] name: ru is the name of [rates.nbkr] too",
        ),
        (f"[rates.cbr]\n{BANK}", "[rates.cbr] name: en is the name of [rates.nbkr] too"),
        (f"[feeds.nbkr]\n{FEED}", "[feeds.nbkr]: the key is already used by [rates.nbkr]"),
        (f"[feeds.NBKR]\n{FEED}", "[feeds.NBKR]: differs from [rates.nbkr] by capitals alone"),
    ],
)
def test_two_sources_of_one_name_are_told_by_their_sections(second: str, told: str) -> None:
    assert problems(f"[rates.nbkr]\n{BANK}{second}")[0].startswith(told)


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        ('en = "A"', 'ru = "a"', "ru is the name of [KIND.a] too"),
        ('ky = "A"', 'en = "B", ru = "A"', "ru is the name of [KIND.a] too"),
        ('en = "B", ky = "A"', 'en = "A"', "in ky it reads as that of [KIND.a]; say another in ky"),
        ('en = "A", ru = "B"', 'ky = "C", ru = "A"', ""),
        ('en = "A"', 'en = "B", ru = "C"', ""),
    ],
)
@pytest.mark.parametrize("kind", ["feeds", "places"])
def test_two_names_are_one_where_a_reader_reads_one(
    kind: str, first: str, second: str, told: str
) -> None:
    """In a language of which a source has no name its English one is read, or whatever it has."""
    text = ""
    for key, names in (("a", first), ("b", second)):
        text += f"[{kind}.{key}]\nname = {{ {names} }}\n"
        if kind == "feeds":
            text += f'url = "https://{key}.example/"\n'
    catalog = parse_catalog(text) if not told else None
    if catalog is None:
        [problem] = problems(text)
        assert problem.startswith(f"[{kind}.b] name: {told.replace('KIND', kind)}")
        return
    specs = [*catalog.news.values(), *catalog.places.values()]
    for language in LANGUAGES:
        assert len({name_of(one.names, language) for one in specs}) == 2


def test_a_source_without_a_name_has_its_keys() -> None:
    """As its readers read it."""
    [told] = problems(
        f'[feeds.a]\n{FEED}[feeds.b]\nname = {{ ru = "A" }}\nurl = "https://y.example/"'
    )
    assert told.startswith("[feeds.b] name: ru is the name of [feeds.a] too")


def test_the_name_of_a_source_that_is_off_is_free() -> None:
    """A mirror that is kept beside; and without a name the key is one, which is used once."""
    catalog = parse_catalog(
        f"[rates.nbkr]\n{BANK}[rates.cbr]\n{BANK}disabled = "
        f'true\n[feeds.a]\n{FEED}[feeds.b]\nurl = "https://x.example/b"\n'
    )
    assert [spec.key for spec in catalog.polled] == ["nbkr", "a", "b"]


def test_feeds_of_one_publisher_may_share_its_name() -> None:
    """One host, one publisher; another host's feed of that name is a mistake."""
    name = 'name = { en = "Agency" }\n'
    twice = f'[feeds.a]\n{name}{FEED}[feeds.b]\n{name}url = "https://X.example/b"\n'
    parse_catalog(twice)
    [told] = problems(f'{twice}[feeds.c]\n{name}url = "https://y.example/"\n')
    assert told.startswith("[feeds.c] name: en is the name of [feeds.a] too")


@pytest.mark.parametrize("channel", ["second_one", "@Second_One"])
def test_two_public_channels_have_two_names_though_they_are_at_one_host(channel: str) -> None:
    """Everybody's are at t.me."""
    first = '[telegram.a]\nname = { en = "Big Agency" }\nchannel = "first_one"\n'
    [told] = problems(f'{first}[telegram.b]\nname = {{ en = "big agency" }}\nchannel = "{channel}"')
    assert told.startswith("[telegram.b] name: en is the name of [telegram.a] too")
    parse_catalog(f'{first}[telegram.b]\nname = {{ en = "Other" }}\nchannel = "{channel}"')


@pytest.mark.parametrize("twin", ["First_One", "@FIRST_ONE", "https://t.me/first_one"])
def test_a_public_channel_is_one_however_it_is_written(twin: str) -> None:
    """Its posts would all be there twice."""
    [told] = problems(f'[telegram.a]\nchannel = "first_one"\n[telegram.b]\nchannel = "{twin}"')
    assert told == "[telegram.b] url: is the address of [telegram.a] too"


def test_two_places_of_one_name_are_told_where_they_are_offered_side_by_side() -> None:
    """Not the villages of two provinces."""
    osh = '[places.osh]\nname = { en = "Osh", ru = "Ош" }\n'
    assert problems(f'{osh}[places.other]\nname = {{ ru = "ош" }}') == (
        "[places.other] name: ru is the name of [places.osh] too; choose another",
    )
    red = 'name = { en = "Kyzyl-Suu" }\n'
    talas = '[places.talas]\nname = { en = "Talas" }\n'
    two = f'{osh}{talas}[places.a]\nwithin = "osh"\n{red}[places.b]\nwithin = "WHERE"\n{red}'
    parse_catalog(two.replace("WHERE", "talas"))
    [told] = problems(two.replace("WHERE", "osh"))
    assert told.startswith("[places.b] name: en is the name of [places.a] too")


@pytest.mark.parametrize(
    "name", ["x" * 101, "Big\\nAgency", "Big \\u202eycnegA", "Big\\u2028Agency"]
)
def test_a_name_is_a_line_that_fits_into_a_message(name: str) -> None:
    """It stands in each that names its source."""
    [told] = problems(f'[feeds.a]\nname = {{ en = "{name}" }}\n{FEED}')
    assert told.startswith("[feeds.a] name: should be a table of names by language")
    assert told.endswith("in one line of at most 100 letters")


@pytest.mark.parametrize("name", ["Big Agency", "Big\u00a0Agency", "BIG  agency ", "Big Ａgency"])
def test_names_that_look_alike_are_one_name(name: str) -> None:
    """Spaces of any kind, capitals, wide letters."""
    first = f'[feeds.a]\nname = {{ en = "Big Agency" }}\n{FEED}'
    [told] = problems(f'{first}[feeds.b]\nname = {{ en = "{name}" }}\nurl = "https://y.example/"\n')
    assert told.startswith("[feeds.b] name: en is the name of [feeds.a] too")


@pytest.mark.parametrize(
    "url", ["https://x.example/feed", "https://X.example/feed", "https://x.example/feed#top"]
)
def test_two_sources_of_one_address_are_told_by_their_sections(url: str) -> None:
    """One that is off is not asked; of one list page two may take other items."""
    twin = f'[feeds.b]\nurl = "{url}"\n'
    [told] = problems(f"[feeds.a]\n{FEED}{twin}")
    assert told == "[feeds.b] url: is the address of [feeds.a] too"
    parse_catalog(f"[feeds.a]\n{FEED}{twin}disabled = true\n")
    parse_catalog(f'[feeds.a]\n{FEED}[feeds.c]\nurl = "https://x.example/feed?page=2"\n')
    page = f'[pages.{{0}}]\nurl = "{url}"\nlink = "a"\nitem = "{{1}}"\n'
    parse_catalog(f"[feeds.a]\n{FEED}" + page.format("b", ".one") + page.format("c", ".two"))
    [told] = problems(page.format("b", ".one") + page.format("c", ".one"))
    assert told == "[pages.c] url: is the address of [pages.b] too"


@pytest.mark.parametrize("section", ["[feeds.a]\n" + FEED, '[channels."@example"]\n'])
def test_a_mistyped_topic_is_told_with_the_nearest(section: str) -> None:
    """A channel would never hear of it, and a feed's stories be looked for in vain."""
    [told] = problems(f'{section}topics = ["economy", "sekurity"]')
    assert told.endswith(
        'topics: should be a list of topics such as ["security"]; did you mean security?'
    )


def test_a_topic_of_the_catalogs_own_is_one_that_a_source_brings() -> None:
    channel = '[channels."@example"]\ntopics = ["mountains"]\n'
    parse_catalog(f'[feeds.a]\n{FEED}topics = ["mountains"]\n{channel}')
    [told] = problems(f"[feeds.a]\n{FEED}{channel}")
    assert told.startswith(
        '[channels."@example"] topics: mountains is no topic; known are security, '
    )


def test_the_topics_of_the_menu_are_topics() -> None:
    assert set(READERS_TOPICS) <= set(TOPICS)


def test_a_currency_against_itself_is_no_pair() -> None:
    [told] = problems('[channels."@example"]\npairs = ["USD/KGS", "USD/USD"]')
    assert told.endswith("; USD/USD never moves")


@pytest.mark.parametrize(
    ("section", "pairs", "wrong"),
    [
        ('channels."@example"', '["USD/XQZ"]', "XQZ is none"),
        ('channels."@example"', '["USD/KGS", "KGX/USD"]', "KGX is none; did you mean KGS?"),
        ("rates.nbkr", '["USD/RUX"]', "RUX is none; did you mean RUB?"),
        ("rates.nbkr", '["GPB/USD"]', "GPB is none; did you mean GBP?"),
    ],
)
def test_a_code_of_no_currency_is_told_with_the_nearest(
    section: str, pairs: str, wrong: str
) -> None:
    """No source could ever have a rate of it; nobody would know why nothing comes."""
    rest = BANK if section.startswith("rates") else ""
    (told,) = problems(f"[{section}]\n{rest}pairs = {pairs}")
    assert told.endswith(f'pairs: should be a list of pairs such as ["USD/KGS"]; {wrong}')


def test_what_banks_quote_beside_money_and_what_is_money_no_more_has_a_code() -> None:
    """A catalog may name it: whoever gives no rate of it any more has one in its history."""
    (channel,) = parse_catalog(
        '[channels."@example"]\npairs = ["XDR/KGS", "XAU/KGS", "HRK/KGS"]'
    ).channels.values()
    assert [pair.base for pair in channel.pairs] == ["XDR", "XAU", "HRK"]


def test_keys_that_stand_without_a_section_of_their_own() -> None:
    assert problems('[feeds]\nurl = "https://x.example/"') == (
        "[feeds] url: belongs into a section of its own such as [feeds.example]",
    )


def test_a_number_too_long_for_python_is_a_problem_like_others() -> None:
    assert problems(f"[feeds.a]\ntrust = {'9' * 5000}") == (
        "CATALOG: not TOML: a number with too many digits",
    )
