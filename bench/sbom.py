"""The parts that the bot runs on, as a bill of materials (CycloneDX 1.6, JSON): `make sbom`.

It is read off requirements.lock, so that it says what is installed and by which hashes, and needs
no network. Where it was fetched from is nobody's business but the machine's.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL

ROOT = Path(__file__).resolve().parents[1]
_ENTRY = re.compile(r"(?m)^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


def bill(lock: str, *, version: str) -> Bom:
    """The packages of a lock as components, each with the hashes of all its files."""
    bom = Bom()
    bom.metadata.component = Component(
        name="jarchy", version=version, type=ComponentType.APPLICATION, bom_ref="jarchy"
    )
    begins = list(_ENTRY.finditer(lock))
    ends = [one.start() for one in begins[1:]] + [len(lock)]
    for entry, end in zip(begins, ends, strict=True):
        name, number = entry.groups()
        hashes = []
        for digest in _HASH.findall(lock, entry.end(), end):
            hashes.append(HashType(alg=HashAlgorithm.SHA_256, content=digest))
        url = PackageURL(type="pypi", name=name, version=number)
        bom.components.add(
            Component(name=name, version=number, purl=url, bom_ref=str(url), hashes=hashes)
        )
    bom.register_dependency(bom.metadata.component, bom.components)
    return bom


def main() -> None:
    """Write the bill to standard output."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    made = bill(lock, version=project["version"])
    out = make_outputter(made, OutputFormat.JSON, SchemaVersion.V1_6)
    sys.stdout.write(out.output_as_string(indent=2) + "\n")


if __name__ == "__main__":
    main()
