"""Nothing half-registered: what is found by its place or stands in a table has all its parts."""

from __future__ import annotations

import ast
import inspect
import re
import sys
import tomllib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import chain, product
from pathlib import Path
from typing import Any

import pytest
from grimp import ImportGraph

import handlers
from bench.contracts import Allowed
from bot import jobs, languages, listening, recurring
from bot.alerts import KINDS
from bot.cli import given, whole
from bot.config import Settings
from bot.deliver import reach
from bot.detect import named
from bot.emulator import TEST_TOKEN
from bot.i18n import known
from bot.languages import LANGUAGES
from bot.secret_files import FROM_FILES
from bot.sources import banks, kinds
from bot.sources.catalog import load_catalog, unasked
from handlers import BUTTONS, COMMANDS, MEMBERSHIP, WORDS, With
from handlers.shown import unrouted
from tests import forkserver, source
from tests.alerts.test_one_more_kind import FILE
from tests.conftest import ROOT
from tests.forkserver import copied
from tests.reasons import TOLD_OTHERWISE, all_given

#: Reached by no table, because it is what looks into one.
TABLES_OWN = {
    "handlers.press",
    # asked by `begin`, `said` and `anything`, which have routes
    "handlers.broadcasts.written",
    "handlers.convert.text",
    "handlers.subscriptions.start",
    "handlers.unknown.unknown",
    # called by commands that have routes, and are no button's
    "handlers.channels.ask",
    "handlers.rules.opened",
}
#: Settings that only the settings themselves read: the token has a property, who pays may ask for a
#: higher rate, and a file holds another setting.
OF_THE_SETTINGS = {"bot_token", "paid_broadcast", *(f"{name}_file" for name in FROM_FILES)}


def test_nothing_lacks_a_part() -> None:
    """Banks, kinds of sources, languages, commands, subjects, kinds of alerts, jobs, reasons."""
    assert banks.problems() == []
    assert kinds.problems() == []
    assert languages.problems() == ()
    assert named.problems() == []
    assert handlers.problems() == []
    assert jobs.problems(recurring) == []
    assert given.problems() == []


def test_every_bank_has_a_section_of_the_catalog() -> None:
    """One without would be asked by nobody, and nobody told."""
    assert {spec.parser for spec in load_catalog().rates.values()} == {*banks.SOURCES}
    assert unasked(load_catalog()) == []


def test_every_handler_has_a_route() -> None:
    """One without would answer nobody."""
    routed = set(TABLES_OWN)
    for route in (*COMMANDS.values(), *WORDS.values(), MEMBERSHIP):
        routed.add(f"{route.handler.__module__}.{route.handler.__name__}")
    unrouted = [
        name
        for name, takes, _ in _handlers()
        if takes == ["Update", "Context"] and name not in routed
    ]
    assert unrouted == []


def _handlers() -> Iterator[tuple[str, list[str], str]]:
    """Each public coroutine function of `handlers`, the types of what it takes and gives."""
    for path in sorted((ROOT / "handlers").glob("*.py")):
        module = "handlers" if path.stem == "__init__" else f"handlers.{path.stem}"
        for node in source.tree(path).body:
            if isinstance(node, ast.AsyncFunctionDef) and not node.name.startswith("_"):
                given = [ast.unparse(one.annotation) for one in node.args.args if one.annotation]
                yield (
                    f"{module}.{node.name}",
                    given,
                    ast.unparse(node.returns or ast.Constant(None)),
                )


def test_every_buttons_handler_has_a_line() -> None:
    """One without would answer no press: every public `(Context, str, …) -> None` is a button's."""
    routed = set(TABLES_OWN)
    for route in BUTTONS.values():
        pressed = route.handler.pressed if isinstance(route.handler, With) else route.handler
        routed.add(f"{pressed.__module__}.{pressed.__name__}")
    unrouted: list[str] = []
    for name, takes, gives in _handlers():
        if _is_press(takes) and gives == "None" and name not in routed:
            unrouted.append(name)
    assert unrouted == []


def _is_press(given: list[str]) -> bool:
    """Whether these are the parameters of what a button does."""
    return given[:1] == ["Context"] and all(one == "str" for one in given[1:])


#: Each way to make a button, and what looks like one.
SHOWN = """
def shown(number, verb):
    Button(t("button.why", "en"), f"lost:{number}")
    Button(
        "a (b", colour=None,  # a :)
        data=f"gone:{number}:{verb}")
    Button("x", data="alone"), Button("x", data=f"{verb}:1"), Button("x", url="https://a/b:c")
    Button("x", data=number), Button("x", data=f"why:{number}")
"""


def test_a_button_that_is_shown_without_a_line_is_told_by_name(tmp_path: Path) -> None:
    """Whoever pressed it would be told that it is out of date; a start and a check refuse it."""
    (tmp_path / "card.py").write_text(SHOWN, encoding="utf-8")
    told = [one.partition(":")[0] for one in unrouted(BUTTONS, [tmp_path])]
    assert told == [
        "button lost with 1 words",
        "button gone with 2 words",
        "button alone with 0 words",
    ]


@pytest.mark.parametrize("button", [("less", 1), ("held", 2), ("news", 2), ("story", 3)])
def test_a_start_misses_the_line_of_a_button_that_is_shown(
    monkeypatch: pytest.MonkeyPatch, button: tuple[str, int]
) -> None:
    """Of a kind of alert, of a renderer, of a handler."""
    monkeypatch.delitem(BUTTONS, button)
    (told,) = handlers.problems()
    assert told.startswith(f"button {button[0]} with {button[1]} words: no line of BUTTONS, and ")


def test_every_kind_of_alert_is_decided_somewhere() -> None:
    """The maker of an alert in the file of its kind is called from another, or nobody is ever told.

    A kind whose file makes none is made where it is decided: its payload is named there.
    """
    named = {str(path): _named(path) for path in source.files(*source.ROOMS)}
    undecided: list[str] = []
    for kind in KINDS.values():
        file = inspect.getfile(type(kind))
        own = f"{type(kind).__module__.rpartition('.')[2]}."
        elsewhere = {name for path, names in named.items() if path != file for name in names}
        wanted = {own + maker for maker in _makers(Path(file))} or {kind.payload.__name__}
        if not wanted & elsewhere:
            undecided.append(kind.payload.KIND)
    assert undecided == []


def test_every_job_and_every_role_has_a_name_on_the_status_page() -> None:
    """In each language, or an operator reads a word of the program there."""
    keys = [f"page.job.{job.name}" for job in recurring.JOBS]
    keys += [f"page.role.{role}" for role in (listening.ROLE, reach.ROLE)]
    for language in LANGUAGES:
        assert [key for key in keys if not known(key, language)] == [], language


def _makers(path: Path) -> Iterator[str]:
    """The public functions of a file that make an alert."""
    for node in source.tree(path).body:
        returns = getattr(node, "returns", None)
        if returns is not None and re.search(r"\bAlert\b", ast.unparse(returns)):
            yield str(getattr(node, "name", ""))


def _named(path: Path) -> set[str]:
    """The names that a file uses, and those behind a module's; `alert` of moves is `moves.alert`,
    however the module is called there.
    """
    called: dict[str, str] = {}
    found: set[str] = set()
    for imported in source.nodes(path, ast.ImportFrom):
        for one in imported.names:
            called[one.asname or one.name] = one.name
            found |= {one.name, f"{(imported.module or '').rpartition('.')[2]}.{one.name}"}
    for node in source.nodes(path, ast.Attribute):
        found.add(node.attr)
        if isinstance(node.value, ast.Name):
            found.add(f"{called.get(node.value.id, node.value.id)}.{node.attr}")
    return found


def test_every_setting_is_read() -> None:
    """One that nobody reads would be a promise of `.env.example` that nobody keeps."""
    read: set[str] = set()
    for path, node in source.every(ast.Attribute):
        if path != ROOT / "bot" / "config.py":
            read.add(node.attr)
    assert Settings.model_fields.keys() - read - OF_THE_SETTINGS == set()


def test_every_reason_is_found_where_it_is_given() -> None:
    """As whoever parses the source finds it: what a start does not see it would not miss."""
    parsed = {one.code for one in all_given() if not one.where.startswith(given.OF_VERBS)}
    assert given.given().keys() == parsed


#: Each way to give a reason and to say a text, and what looks like one.
WAYS = """
COLD: Final = "ways.cold"
WET = "ways.wet"
# reason("ways.noted"), t("ways.remarked", "en")
def decide(other):
    reason("ways.plain", "words")
    reason(
        COLD, "words"
    )
    reason(WET)
    reason(other, "words")
    raise UserError("ways.wrong", n=1)
def say():
    i18n.t('ways.told', "en")
    Notice(msgid="ways.noticed")
    known("ways.asked")
    tell(db, admins, "notice.ways", {})
    tell(db, admins, f"notice.{other}", {})
"""


def test_each_way_to_give_a_reason_and_to_say_a_text_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And nothing else; a file that is no Python is another's to tell."""
    monkeypatch.setattr(given, "PROGRAM", tmp_path)
    (tmp_path / "handlers").mkdir()
    (tmp_path / "handlers" / "ways.py").write_text(WAYS, encoding="utf-8")
    broken = 'reason("ways.lost"\nt("ways.lost", "en"'
    (tmp_path / "handlers" / "broken.py").write_text(broken, encoding="utf-8")
    said = ["ways.wrong", "ways.told", "ways.noticed", "notice.ways"]
    assert list(given.given()) == ["ways.plain", "ways.cold", "ways.wet"]
    assert sorted(given.unsaid()) == sorted(
        f"the texts lack {key}, which handlers/ways.py says" for key in said
    )


def test_every_reason_that_is_not_said_is_given() -> None:
    """A line of a list for a reason that nobody gives any more would hide the next of its name."""
    assert given.given().keys() >= TOLD_OTHERWISE


def test_the_words_we_use_stand_on_python_alone() -> None:
    """`bot.model` and `bot.errors` are beneath all, and a worker process loads them first."""
    others: set[str] = set()
    for path in (ROOT / "bot" / "errors.py", *(ROOT / "bot" / "model").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                others |= {one.name.partition(".")[0] for one in node.names}
            elif isinstance(node, ast.ImportFrom):
                others.add((node.module or "").partition(".")[0])
    assert others - sys.stdlib_module_names == {"bot"}


def test_every_room_has_its_place_among_the_layers() -> None:
    """A new room or file of the program is guarded from its first day: whoever adds it says who may
    import it.
    """
    (layers,) = [contract["layers"] for contract in contracts() if contract["type"] == "layers"]
    placed = {name.strip() for layer in layers for name in layer.split("|")}
    rooms = {f"bot.{path.stem}" for path in (ROOT / "bot").iterdir() if path.suffix == ".py"}
    rooms |= {
        f"bot.{path.name}" for path in (ROOT / "bot").iterdir() if (path / "__init__.py").exists()
    }
    every = rooms - {"bot.__init__"} | {"handlers", "storage"}
    assert every == placed
    listed = [
        contract["source_modules"] for contract in contracts() if contract["type"] == "allowed"
    ]
    assert sorted(chain.from_iterable(listed)) == sorted(every)  # what each may import, once


def test_the_table_of_rooms_is_the_one_that_is_enforced() -> None:
    """Line by line: what `DESIGN.md` says of who may import whom is so."""
    (layers,) = [contract["layers"] for contract in contracts() if contract["type"] == "layers"]
    said = (ROOT / "DESIGN.md").read_text(encoding="utf-8").partition("## Rooms")[2]
    lines: list[set[str]] = []
    for line in re.findall(r"^\| (`.+?) \|", said.partition("\n## ")[0], re.MULTILINE):
        rooms = re.findall(r"`([\w/]+?)(?:\.py|/)`", line)
        lines.append({room.replace("/", ".") for room in rooms})
    assert lines == [{name.strip() for name in layer.split("|")} for layer in layers]


def contracts() -> list[dict[str, Any]]:
    """The contracts on who may import whom, as import-linter reads them."""
    said = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return list(said["tool"]["importlinter"]["contracts"])


def test_no_room_is_guarded_by_a_list_of_what_it_may_not_import() -> None:
    """Such a list knows nothing of a room that is added later."""
    assert {one["type"] for one in contracts()} <= {
        "layers",
        "acyclic_siblings",
        "protected",
        "allowed",
    }


@pytest.mark.parametrize(
    ("imports", "told"),
    [
        ([("app.words", "app.numbers"), ("app.words.deep", "orjson.core")], []),
        ([("app.words", "app.words.deep"), ("app.words", "app.numbers"), ("app.words", "json")],
         ["nobody imports orjson: allow it no more"]),
        ([("app.words.deep", "app.store"), ("app.words", "app.numbers"), ("app.words", "orjson")],
         ["app.words.deep imports app.store"]),
        ([("app.words", "app.numbersign"), ("app.words", "app.numbers"), ("app.words", "orjson")],
         ["app.words imports app.numbersign"]),
    ],
    ids=["as allowed", "within, and Python's own", "another room", "a name that begins alike"],
)  # fmt: skip
def test_a_room_imports_what_it_is_allowed_and_nothing_else(
    imports: list[tuple[str, str]], told: list[str]
) -> None:
    """A permission that nobody uses is told, too."""
    graph = ImportGraph()
    for importer, imported in [*imports, ("app.other", "app.store"), ("app.other", "sqlalchemy")]:
        graph.add_import(importer=importer, imported=imported)
    said = {"source_modules": ["app.words"], "allowed_modules": ["app.numbers", "orjson"]}
    checked = Allowed("words", {}, said).check(graph, verbose=False)
    assert (checked.kept, checked.metadata["told"]) == (not told, told)


def test_an_allow_list_of_a_room_that_is_gone_is_told() -> None:
    """It would be kept for ever."""
    checked = Allowed("words", {}, {"source_modules": ["app.words"]}).check(
        ImportGraph(), verbose=False
    )
    assert checked.metadata["told"] == ["app.words is no room"]


#: What somebody left out of the program: file, what stands there, what does now, what is told.
HALVES = [
    (
        "handlers/__init__.py",
        '"status": Route',
        '"statuses": Route',
        "command /statuses: the texts lack command.statuses",
    ),
    (
        "bot/recurring.py",
        'Job(name="boards", every=5.0, do=boards, rests=True)',
        'Job(name="boards", every=5.0)',
        "job 'boards': lacks `do`, a coroutine function",
    ),
    (
        "bot/recurring.py",
        '    Job(name="index", every=5.0, do=index, rests=True),\n',
        "",
        "no line of the jobs does index, which takes the program",
    ),
    (
        "bot/recurring.py",
        "every=5.0, do=digests)",
        'every=float("nan"), do=poll)',
        "job 'digests': `do`, poll, should take (Running)",
    ),
    (
        "bot/recurring.py",
        'follows="poll", do=fan_out',
        'follows="fan_out", do=fan_out',
        "job 'fan_out': follows itself",
    ),
    (
        "handlers/__init__.py",
        "Route(charts.chart, Who.ANYBODY)",
        "Route(charts.chart)",
        "command /chart: its route lacks `who`, who may use it",
    ),
    (
        "handlers/__init__.py",
        "Route(quiet.quiet, looking_or_changing, offered=Who.ANYBODY)",
        "quiet.quiet",
        "command /quiet: its line is no Route",
    ),
    (
        "handlers/__init__.py",
        "Route(digest.pressed, Who.ADMINISTRATOR)",
        "Route()",
        "button hour with 1 words: its route lacks a handler",
    ),
    (
        "handlers/__init__.py",
        "Route(places.opened, Who.ADMINISTRATOR)",
        "Route(rates.rates, Who.ADMINISTRATOR)",
        "button places with 1 words: rates should take (Context, str)",
    ),
    (
        "handlers/__init__.py",
        "Route(rates.rates, Who.ANYBODY)",
        "Route(privacy.pressed, Who.ANYBODY)",
        "command /rates: its handler, pressed, should take (Update, Context)",
    ),
    (
        "handlers/__init__.py",
        "here.here, Who.ADMINISTRATOR, where",
        "here.here, rates.rates, offered=Who.ANYBODY, where",
        "command /here: `who` of its route, rates, should take (Context)",
    ),
    (
        "handlers/__init__.py",
        "Route(inline.inline, Who.ANYBODY)",
        "Route(rates.rates, Who.ANYBODY)",
        "what is asked inline: its handler, rates, should take (Services, Update)",
    ),
    (
        "handlers/__init__.py",
        "Route(broadcasts.broadcast, Who.OPERATOR, where=Where.PRIVATE)",
        "Route(broadcasts.broadcast, Who.OPERATOR, where=None)",
        "command /broadcast: its route lacks `where`, in which chats it is used",
    ),
    (
        "handlers/__init__.py",
        '"privacy": Route',
        '"Status-All": Route',
        "command /Status-All: its name is not 1 to 32 of a-z, 0-9 and _",
    ),
    (
        "handlers/__init__.py",
        '("anon", 1)',
        '"anon"',
        "button 'anon': its key is not (first word, how many follow)",
    ),
    (
        "bot/alerts/moves.py",
        '"move.unconfirmed",\n',
        "",
        "kind of alert moves: bot/alerts/moves.py: its texts lack move.unconfirmed, which it says",
    ),
    (
        "bot/alerts/moves.py",
        'KIND = "move"',
        'KIND = "jump"',
        "kind of alert jump: the texts of en lack page.kind.jump",
    ),
    (
        "bot/languages/ky/places.tsv",
        "kg\t",
        "kgx\t",
        "language ky: bot/languages/ky/places.tsv: kgx is no place of bot/detect/data/places.tsv",
    ),
    (
        "bot/languages/en/news.py",
        'stemmer="english"',
        'stemmer="englisch"',
        "language en: bot/languages/en/news.py: Snowball has no stemmer englisch; did you mean eng",
    ),
    (
        "handlers/__init__.py",
        '("lift", 1)',
        '("li:ft", 1)',
        "button li:ft with 1 words: its first word is one without a colon",
    ),
    (
        "bot/sources/catalog.toml",
        "[rates.nbt]",
        '[rates.nbt-again]\nparser = "cbr"',
        "bank nbt: bot/sources/catalog.toml lacks its section, [rates.nbt]",
    ),
    (
        "storage/migrations/versions/0034_reasons_named.py",
        'down_revision = "0033"',
        'down_revision = "0032"',
        "0034: storage/migrations/versions/0034_reasons_named.py lacks down_revision = '0033'",
    ),
]
#: The same, by the check alone: a running bot would keep all that is read for it. A comment beside
#: it may be in any encoding, as Windows saves one.
HALVES_OF_REASONS = [
    (
        "handlers/search.py",
        'UserError("error.search_long")',
        'UserError("error.serch_long")',
        "the texts lack error.serch_long, which handlers/search.py says",
    ),
    (
        "bot/detect/severity.py",
        'reason("calm", "not',
        'reason("over",  # \udcf3\udce6\udce5\n "not',
        "reason over: the texts lack reason.over, which bot/detect/severity.py gives",
    ),
    (
        "bot/languages/ru/security.tsv",
        "terror\t",
        "riot\t",
        "reason riot: the texts lack reason.riot, which bot/languages/ru/security.tsv gives",
    ),
]
#: The same in what a running bot does not say.
HALVES_OF_THE_DEMONSTRATION = [
    (
        "bot/demo/hands.py",
        'words("demo.next_day")',
        'words("demo.next_dey"  # \udce4\udce5\udced\udcfc\n)',
        "bot/languages/en/demo.po lacks demo.next_dey, which bot/demo/hands.py says",
    )
]
#: The same in what every verb reads first.
HALVES_OF_LANGUAGES_AND_SOURCES = [
    (
        "bot/languages/ky/jarchy.po",
        'msgid "months.day"',
        'rubbish\nmsgid "months.day"',
        "language ky: bot/languages/ky/jarchy.po, line 13: should be msgid, msgstr",
    ),
    (
        "bot/languages/ru/jarchy.po",
        'msgid "date.day"\nmsgstr "{day} {month}',
        'msgid "date.day"\nmsgstr "{day} {nope}',
        "language ru: bot/languages/ru/jarchy.po, line {line}: date.day has places for",
    ),
    (
        "bot/languages/ru/jarchy.po",
        'msgid "date.moment"\nmsgstr "',
        'msgid "date.moment"\nmsgstr "{',
        "language ru: bot/languages/ru/jarchy.po, line {line}: date.moment is no text to fill in: ",
    ),
    (
        "bot/languages/ru/jarchy.po",
        'msgid "months.since"\nmsgstr "',
        'msgid "months.since"\nmsgstr "январь ',
        "language ru: bot/languages/ru/jarchy.po, line {line}: months.since should have 12 words",
    ),
    (
        "bot/languages/en/jarchy.po",
        '"Plural-Forms: ',
        '"X-Forms: ',
        "language en: bot/languages/en/jarchy.po lacks Plural-Forms in its head, a rule such as",
    ),
    (
        "bot/languages/en/demo.po",
        'msgid "demo.next_day"',
        'msgid "demo.next_dey"',
        "language ru: bot/languages/ru/demo.po, line 17: demo.next_day is said nowhere: English",
    ),
    (
        "bot/languages/en/__init__.py",
        "ORDER = 1",
        "ORDER = 2",
        "languages en and ru have one ORDER, and one place in menus",
    ),
    (
        "bot/languages/ru/reading.py",
        "    script=Script.CYRILLIC,",
        "",
        "language ru: bot/languages/ru/reading.py: READING lacks script",
    ),
    (
        "bot/languages/ky/days.py",
        "months=",
        "mounths=",
        "language ky: bot/languages/ky/days.py, line 8: TypeError: Days.__init__() got an unexpec",
    ),
    (
        "bot/languages/ky/quiet.py",
        "QuietWords(",
        "QuietWords((",
        "language ky: bot/languages/ky/quiet.py, line 5: SyntaxError: '(' was never closed",
    ),
    (
        "bot/languages/en/commands.py",
        "CommandWords(",
        "CommandWordz(",
        "language en: bot/languages/en/commands.py, line 5: NameError: name 'CommandWordz'",
    ),
    (
        "bot/languages/ru/rules.py",
        'percent=r"',
        'percent=r"(',
        "language ru: bot/languages/ru/rules.py: RULES: percent has '(",
    ),
    (
        "bot/languages/ky/odds.tsv",
        "_а_\t",
        "_а_\tx",
        "language ky: bot/languages/ky/odds.tsv, line 2: 'x-2.2' should be a number",
    ),
    (
        "bot/sources/banks/nbt.py",
        "read=read",
        "read=None",
        "bank nbt: bot/sources/banks/nbt.py: SOURCE lacks read, which makes a Sheet of",
    ),
    (
        "bot/sources/banks/cbr.py",
        "read=read",
        "reed=read",
        "bank cbr: bot/sources/banks/cbr.py, line {line}: TypeError: RateSource.__init_",
    ),
    (
        "bot/sources/kinds/telegram.py",
        "KIND = Kind(\n    section=",
        "KIND = Kind(\n    sektion=",
        "kind of source telegram: bot/sources/kinds/telegram.py, line {line}: TypeError: Kind.__i",
    ),
    (
        "bot/sources/banks/ecb.py",
        "kind=RateKind.REFERENCE,",
        "",
        "bank ecb: bot/sources/banks/ecb.py: SOURCE lacks kind, a RateKind",
    ),
    (
        "bot/sources/kinds/pages.py",
        'verb="page",',
        "",
        "kind of source pages: bot/sources/kinds/pages.py: KIND lacks verb",
    ),
    (
        "bot/sources/banks/nbrb.py",
        'home="BYN"',
        'home="BYX"',
        "bank nbrb: bot/sources/banks/nbrb.py: SOURCE: home should be a currency of ISO 4217; BYX",
    ),
    (
        "bot/sources/banks/nbu.py",
        "def read(",
        "async def read(",
        "bank nbu: bot/sources/banks/nbu.py: SOURCE lacks read, which makes a Sheet of",
    ),
    (
        "bot/sources/banks/nbm.py",
        "read=read",
        "read=lambda body: None",
        "bank nbm: bot/sources/banks/nbm.py: SOURCE lacks read, which makes a Sheet of",
    ),
    (
        "bot/sources/kinds/feeds.py",
        "shown=shown",
        "shown=lambda: ()",
        "kind of source feeds: bot/sources/kinds/feeds.py: KIND lacks shown, which makes lines of",
    ),
    (
        "bot/sources/banks/nbg.py",
        "SOURCE = RateSource(",
        "SOURCE = RateSource((",
        "bank nbg: bot/sources/banks/nbg.py, line {line}: SyntaxError: ",
    ),
    (
        "bot/sources/banks/erapi.py",
        "SOURCE = RateSource(",
        "raise SystemExit\nSOURCE = RateSource(",
        "bank erapi: bot/sources/banks/erapi.py, line {line}: SystemExit",
    ),
    (
        "bot/sources/kinds/hazards.py",
        "KIND = Kind(",
        "KIND = Kindd(",
        "kind of source hazards: bot/sources/kinds/hazards.py, line {line}: NameError: name",
    ),
]
#: The same in files of kinds of alert.
HALVES_OF_ALERTS = [
    (
        "bot/alerts/pins.py",
        "LASTS = timedelta(",
        "LASTS = timedelta((",
        "kind of alert pins: bot/alerts/pins.py, line {line}: SyntaxError: ",
    ),
    (
        "bot/alerts/broadcasts.py",
        "class Broadcast(Payload):",
        "class Broadcast(Payloads):",
        "kind of alert broadcasts: bot/alerts/broadcasts.py, line {line}: NameError: name",
    ),
    (
        "bot/alerts/answers.py",
        "    async def words(",
        "    def words(",
        "kind of alert answers: bot/alerts/answers.py: Answers lacks words, a coroutine function",
    ),
    (
        "bot/alerts/feeds.py",
        "    POST = Post.FEEDS",
        '    POST = "feed"',
        "kind of alert feeds: bot/alerts/feeds.py: Feeds lacks payload.POST, a Post or None",
    ),
]


#: A list that is gone.
JOBLESS = [
    (
        "bot/recurring.py",
        "JOBS = (",
        "JOBBS = (",
        "bot/recurring.py lacks JOBS, jobs in round brackets",
    )
]
#: What cannot be read of a file in which tables stand, or that they name: a part that there is not,
#: a bracket that is not closed.
MISTYPED = [
    (
        "handlers/charts.py",
        "async def chart(",
        "async def chart((",
        "handlers/charts.py, line {line}: async def chart((_update: Update",
    ),
]
#: A file that is no text: what an editor saves in UTF-16 is half zeros.
NO_TEXT = [
    (
        "handlers/charts.py",
        "async def chart(",
        "async def chart(\0",
        "handlers/charts.py: SyntaxError: source code string cannot contain null bytes",
    ),
]
MISTYPED_JOB = [
    (
        "bot/recurring.py",
        'Job(name="boards", every=5.0',
        'Job(name="boards", evry=5.0',
        'bot/recurring.py, line {line}: Job(name="boards", evry=5.0, do=boards, rests=True): Type',
    ),
]
#: What would hide other mistakes: each is the only one of its program.
BY_THEMSELVES = (
    *(HALVES_OF_LANGUAGES_AND_SOURCES, HALVES_OF_ALERTS),
    *(MISTYPED, MISTYPED_JOB, NO_TEXT, JOBLESS),
)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the program, in which nothing is missing yet."""
    folder = tmp_path_factory.mktemp("program")
    for name in ("bot", "handlers", "storage"):
        copied(ROOT / name, folder / name)
    return folder


@contextmanager
def written_over(program: Path, file: str, text: str, other: str) -> Iterator[None]:
    """A file of the copy with another text in place of one, for as long as this lasts; a byte that
    is no UTF-8 is a surrogate in it.
    """
    path = program / file
    whole = path.read_text(encoding="utf-8")
    assert text in whole
    changed = whole.replace(text, other, 1)
    path.write_text(changed, encoding="utf-8", errors="surrogateescape")
    try:
        yield
    finally:
        path.write_text(whole, encoding="utf-8")


def in_full(program: Path, file: str, text: str, sentence: str) -> str:
    """A sentence with the `{line}` of its file in which the text begins."""
    before, _, _ = (program / file).read_text(encoding="utf-8").partition(text)
    return sentence.replace("{line}", str(before.count("\n") + 1))


def refused(program: Path, verb: str) -> str:
    """The words of a verb that does not run: it opened nothing."""
    # nothing compiled is kept: of a file with a part's name changed in the same second it would be
    # another's
    env = {"PYTHONDONTWRITEBYTECODE": "1", "PATH": "/usr/bin:/bin", "BOT_TOKEN": TEST_TOKEN}
    asked = forkserver.run("bot", verb, cwd=program, env=env, timeout=110, copy=True)
    said = asked.stderr.decode()
    assert asked.returncode == 78, said
    assert "Traceback" not in said
    assert not list(program.glob("*.db"))
    return said


@pytest.mark.parametrize("verb", ["check", pytest.param("run", marks=pytest.mark.slow)])
def test_a_part_that_is_gone_or_that_nobody_uses_is_named_before_anything_is_opened(
    program: Path, verb: str
) -> None:
    """A migration that is gone ended the making of the first database; a kind of alert that nobody
    decides is one of which nobody would ever be told, and nothing else would be wrong.
    """
    file = program / "storage" / "migrations" / "versions" / "0034_reasons_named.py"
    kind = program / "bot" / "alerts" / "sinkhole.py"
    kind.write_text(FILE.format(name="sinkhole", terms=""), encoding="utf-8")
    gone = file.rename(program / file.name)
    try:
        told = refused(program, verb)
    finally:
        gone.rename(file)
        kind.unlink()
    assert told == (
        "jarchy: kind of alert sinkhole: bot/alerts/sinkhole.py: no other file names it, so nobody "
        "decides one\njarchy: migration 0034: storage/migrations/versions lacks its file\n"
    )


def test_a_kind_that_is_decided_by_what_is_loaded_later_is_a_whole_one() -> None:
    """Its name in a file is enough."""
    assert whole._is_named("moves")
    assert not whole._is_named("moved_mountains")


@pytest.mark.parametrize(
    ("verb", "halves"),
    [
        ("check", [*HALVES, *HALVES_OF_REASONS, *HALVES_OF_THE_DEMONSTRATION]),
        pytest.param("demo", HALVES_OF_THE_DEMONSTRATION, marks=pytest.mark.slow),
        pytest.param("run", HALVES, marks=pytest.mark.slow),
        *(
            pytest.param(
                *(verb, halves),
                marks=() if (verb, halves) == ("check", MISTYPED) else pytest.mark.slow,
            )
            for verb, halves in product(["check", "run"], BY_THEMSELVES)
        ),
    ],
)
def test_what_lacks_a_part_is_named_before_anything_is_opened(
    program: Path, verb: str, halves: list[tuple[str, str, str, str]]
) -> None:
    """All at once, and by the verb an operator asks first as by the one that would run it."""
    sentences = [in_full(program, file, text, told) for file, text, _, told in halves]
    with ExitStack() as changes:
        for file, text, other, _ in halves:
            changes.enter_context(written_over(program, file, text, other))
        told = refused(program, verb)
    assert [sentence for sentence in sentences if sentence not in told] == [], told
