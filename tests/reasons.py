"""Every reason that the program gives, read out of its source: a code, and its figures by name."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from bot.cli.given import OF_VERBS
from bot.reasons import Percent, Reason, Share, reason
from bot.render.reasons import OF_ALERTS, OF_FINDINGS, UNSAID
from tests import source
from tests.conftest import ROOT

#: Reasons whose words are made of more than themselves: of what they found, or of the payload of
#: the move or rule that they are about.
TOLD_OTHERWISE = UNSAID | OF_ALERTS | OF_FINDINGS
#: What stands for a figure of a name, where it is more than a text.
SAMPLES: Mapping[str, object] = {
    "n": 3,
    "failed": 1,
    "all": 4,
    "seconds": 8.5,
    "size": 5,
    "free": 1200,
    "percent": Percent("+31.00"),
    "most": Share(15),
    "why": reason("fetch.status", status="503"),
    "which": (reason("document", name="daily.xml", why=reason("document.empty")),),
}


@dataclass(frozen=True, slots=True)
class Given:
    """A place where a reason is given."""

    code: str
    words: str | None  # None where they are put together
    names: tuple[str, ...]
    where: str

    @property
    def sample(self) -> Reason:
        """Such a reason."""
        figures = {name: SAMPLES.get(name, f"<{name}>") for name in self.names}
        return reason(self.code, self.words or "", **figures)


@cache
def all_given() -> Sequence[Given]:
    """All reasons that the program gives, the same one as often as it is given."""
    given: list[Given] = []
    for path in source.files(*source.ROOMS):
        if "reason(" in source.text(path):  # reading all would cost each process of a run a second
            given += _given_in(path)
    return given


@cache
def all_told() -> Mapping[str, Given]:
    """The reasons that operators and readers are told, once each, by code."""
    return {
        one.code: one
        for one in all_given()
        if not one.where.startswith(OF_VERBS) and one.code not in TOLD_OTHERWISE
    }


def _given_in(path: Path) -> Iterator[Given]:
    named: dict[str, str] = {}  # texts that have a name in this file
    for assigned in source.nodes(path, ast.Assign):
        match assigned:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=str(text))):
                named[name] = text
    where = str(path.relative_to(ROOT))
    for node in source.nodes(path, ast.Call):
        if getattr(node.func, "id", "") != "reason" or not node.args:
            continue
        names = tuple(keyword.arg for keyword in node.keywords if keyword.arg is not None)
        words = None
        if len(node.args) > 1 and isinstance(node.args[1], ast.Constant):
            words = node.args[1].value
        yield Given(_text(node.args[0], named), words, names, f"{where}:{node.lineno}")


def _text(node: ast.expr, named: Mapping[str, str]) -> str:
    if isinstance(node, ast.Name):
        return named[node.id]
    assert isinstance(node, ast.Constant), ast.unparse(node)
    return str(node.value)
