"""A room's imports as an allow-list: a kind of contract for import-linter (`make check`).

Its own kinds say who may import a module (`protected`), or what a room may not (`forbidden`), which
knows nothing of a room that is added later. Direct imports are looked at, those inside functions
too; what comes by way of another room is that room's affair. The standard library is free.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import cast

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


class Allowed(Contract):
    """The rooms of `source_modules` import each other and `allowed_modules`, and nothing else."""

    type_name = "allowed"

    source_modules = fields.ListField(subfield=fields.StringField())
    allowed_modules = fields.ListField(subfield=fields.StringField(), required=False)

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:  # noqa: ARG002, FBT001 - as its parent
        """Kept where every import of the rooms is allowed, and every one allowed is there."""
        sources, allowed = _names(self.source_modules), _names(self.allowed_modules)
        used: set[str] = set()
        told = [f"{room} is no room" for room in sources if room not in graph.modules]
        for importer, imported in _imports(graph, sources):
            found = _part_of(imported, allowed)
            if found is None:
                told.append(f"{importer} imports {imported}")
            else:
                used.add(found)
        # one that nobody imports any more would let it in again unseen
        told += [f"nobody imports {name}: allow it no more" for name in allowed if name not in used]
        return ContractCheck(kept=not told, metadata={"told": sorted(told)})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Each import that is not allowed, a line each."""
        for line in check.metadata["told"]:
            output.print_error(line, bold=False)
        output.new_line()


def _names(field: object) -> list[str]:
    """A contract's field once it is read; empty where it is left out."""
    return list(cast("Iterable[str] | None", field) or ())


def _imports(graph: ImportGraph, rooms: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Importer and imported of each import from outside these rooms, but the standard library's."""
    rooms = list(rooms)
    for room in graph.modules.intersection(rooms):
        for importer in {room} | graph.find_descendants(room):
            for imported in graph.find_modules_directly_imported_by(importer):
                outside = _part_of(imported, rooms) is None
                if outside and imported.partition(".")[0] not in sys.stdlib_module_names:
                    yield importer, imported


def _part_of(module: str, rooms: Iterable[str]) -> str | None:
    """The room that a module is, or lies in; None where it is outside of all."""
    for room in rooms:
        if module == room or module.startswith(f"{room}."):
            return room
    return None
