"""What is installed: hashes in the lock files, allowed licences, a current SBOM, and nothing abandoned."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
import tomllib
from datetime import date
from importlib import metadata
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LOCKS = [
    ROOT / name
    for name in ("requirements.lock", *(f"requirements-{extra}.lock" for extra in ("postgres", "cluster", "dev")))
]


def load() -> ModuleType:
    """``deploy/supply_chain.py``, which is in no package."""
    spec = importlib.util.spec_from_file_location("supply_chain", ROOT / "deploy" / "supply_chain.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["supply_chain"] = module
    spec.loader.exec_module(module)
    return module


chain = load()
needs_postgres_driver = pytest.mark.skipif(
    importlib.util.find_spec("dagster_postgres") is None, reason="needs requirements-postgres.lock"
)


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_every_locked_version_has_the_hashes_of_its_files(lock: Path) -> None:
    text = re.sub(r"\\\n\s*", "", "".join(line for line in lock.open(encoding="utf-8") if not line.startswith("#")))
    entries = [line for line in text.splitlines() if line.strip()]
    assert len(entries) == len(chain.locked(lock)) > 1
    for entry in entries:
        assert re.fullmatch(r"[\w.-]+==[\w.!+]+( *--hash=sha256:[0-9a-f]{64})+", entry), entry[:80]


def test_no_package_is_locked_twice_and_what_is_asked_for_is_locked() -> None:
    names = [name for lock in LOCKS for name in chain.locked(lock)]
    assert len(names) == len(set(names))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = [*project["dependencies"], *(name for extra in project["optional-dependencies"].values() for name in extra)]
    assert {canonicalize_name(Requirement(name).name) for name in asked} <= set(names)


@needs_postgres_driver
def test_licences_and_sbom_are_those_of_what_is_installed() -> None:
    """After a version changed: make lock."""
    found = chain.packages()
    assert chain.TABLE.read_text(encoding="utf-8") == chain.table(found)
    assert chain.SBOM.read_text(encoding="utf-8") == chain.sbom(found)


def test_the_sbom_has_every_locked_package_and_nothing_of_a_machine_or_time() -> None:
    content = json.loads(chain.SBOM.read_text(encoding="utf-8"))
    listed = {each["name"]: each["version"] for each in content["components"]}
    assert listed == {name: version for lock in LOCKS[:3] for name, version in chain.locked(lock).items()}
    assert "serialNumber" not in content
    assert "timestamp" not in content["metadata"]
    refs = {each["bom-ref"] for each in content["components"]} | {content["metadata"]["component"]["bom-ref"]}
    assert {each["ref"] for each in content["dependencies"]} == refs
    assert {ref for each in content["dependencies"] for ref in each["dependsOn"]} < refs


def facts(**fields: str) -> metadata.PackageMetadata:
    message = metadata.Distribution.from_name("pytest").metadata
    for name in set(message.keys()):
        del message[name]  # type: ignore[attr-defined]
    for name, value in fields.items():
        message[name.replace("_", "-")] = value  # type: ignore[index]
    return message


@pytest.mark.parametrize(
    ("fields", "expression"),
    [
        ({"License_Expression": "MIT"}, "MIT"),
        ({"License_Expression": "BSD-3-Clause AND 0BSD"}, "BSD-3-Clause AND 0BSD"),
        ({"License": "Apache 2.0"}, "Apache-2.0"),
        ({"License": "a whole text", "Classifier": "License :: OSI Approved :: MIT License"}, "MIT"),
        ({"License_Expression": "GPL-3.0-only"}, None),
        ({"License_Expression": "MIT AND AGPL-3.0-or-later"}, None),
        ({"Classifier": "License :: OSI Approved :: BSD License"}, None),
        ({"License": "Proprietary"}, None),
        ({}, None),
    ],
)
def test_a_licence_is_allowed_or_refused(fields: dict[str, str], expression: str | None) -> None:
    if expression:
        assert chain.licence("x", facts(**fields)) == expression
    else:
        with pytest.raises(chain.LicenceError, match="x: its licence is not known or not allowed"):
            chain.licence("x", facts(**fields))


def test_no_direct_dependency_is_abandoned() -> None:
    noted = tomllib.loads((ROOT / "deploy" / "last_releases.toml").read_text(encoding="utf-8"))
    assert sorted(noted["last_release"]) == chain.direct_dependencies()
    checked = date.fromisoformat(noted["checked"])
    for name, month in noted["last_release"].items():
        released = date.fromisoformat(f"{month}-01")
        months = (checked.year - released.year) * 12 + checked.month - released.month
        assert 0 <= months <= noted["most_months"], name


@pytest.mark.parametrize("version", ["1.6"])
def test_the_sbom_is_of_cyclonedxs_form(version: str) -> None:
    schema = pytest.importorskip(
        "cyclonedx.validation.json", reason="needs cyclonedx-python-lib (requirements-dev.lock)"
    )
    from cyclonedx.schema import SchemaVersion

    validator = schema.JsonStrictValidator(SchemaVersion.from_version(version))
    text = chain.SBOM.read_text(encoding="utf-8")
    assert validator.validate_str(text) is None
    assert validator.validate_str(text.replace('"library"', '"librari"', 1)) is not None
