"""The licences of what is installed, and the SBOM: ``make lock`` runs this after a version changed.

Writes ``docs/licences.md`` and ``stegvis/sbom.cdx.json`` (CycloneDX) from the lock files and the metadata of the
installed packages. The same versions give the same bytes: no time, no serial number, no machine. The test
``tests/packaging/test_supply_chain.py`` fails when a file differs, or a licence is not one of ``ALLOWED``.
"""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
TABLE = ROOT / "docs" / "licences.md"
SBOM = ROOT / "stegvis" / "sbom.cdx.json"
# What is installed where Stegvis runs: always, for PostgreSQL, and for object storage.
EXTRAS = {"postgres": "PostgreSQL only", "cluster": "object storage only"}
LOCKS = {"": ROOT / "requirements.lock"} | {extra: ROOT / f"requirements-{extra}.lock" for extra in EXTRAS}

# Licences by SPDX that go with MIT when a package is installed beside the program and not changed: permissive ones,
# and weak copyleft that reaches no further than the package itself.
ALLOWED = {
    "0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "ISC", "MIT", "MIT-0", "MPL-2.0", "PSF-2.0",
    "Zlib", "LGPL-3.0-or-later",
}  # fmt: skip
WEAK = {"MPL-2.0", "LGPL-3.0-or-later"}
# What older packages write instead of SPDX, in the field License or as a classifier.
SPELLINGS = {
    "Apache 2.0": "Apache-2.0", "Apache License Version 2.0": "Apache-2.0", "Apache Software License": "Apache-2.0",
    "MIT License": "MIT", "MIT license": "MIT", "ISC License": "ISC", "2-clause BSD": "BSD-2-Clause",
    "3-Clause BSD License": "BSD-3-Clause", "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}  # fmt: skip
# Packages whose metadata leave the version of a licence open: read in the licence file that they install.
READ_BY_HAND = {
    "altair": "BSD-3-Clause", "antlr4-python3-runtime": "BSD-3-Clause", "dagster-postgres": "Apache-2.0",
    "jinja2": "BSD-3-Clause", "partd": "BSD-3-Clause", "psycopg2-binary": "LGPL-3.0-or-later",
    "python-dateutil": "Apache-2.0 OR BSD-3-Clause", "s3fs": "BSD-3-Clause", "scipy": "BSD-3-Clause",
    "uvloop": "MIT OR Apache-2.0", "zict": "BSD-3-Clause",
}  # fmt: skip


class LicenceError(ValueError):
    """A licence is not known, or not allowed."""


@dataclass(frozen=True)
class Package:
    """One locked package: its licence as an SPDX expression, the packages it needs, and the extra it belongs to."""

    name: str
    version: str
    licence: str
    needs: tuple[str, ...]
    extra: str


def locked(file: Path) -> dict[str, str]:
    """Version by name of a lock file."""
    found = re.findall(r"^([\w.-]+)==(\S+)", file.read_text(encoding="utf-8"), re.MULTILINE)
    return {canonicalize_name(name): version for name, version in found}


def licence(name: str, facts: metadata.PackageMetadata) -> str:
    """The licence of a package as an SPDX expression.

    Raises:
        LicenceError: the metadata do not say, or it is not allowed.
    """
    classifiers = [
        each.rpartition(" :: ")[2] for each in facts.get_all("Classifier") or [] if each.startswith("License ::")
    ]
    stated = [facts.get("License-Expression"), READ_BY_HAND.get(name), facts.get("License"), *classifiers]
    for text in (each.strip() for each in stated if each):
        expression = SPELLINGS.get(text, text)
        parts = set(re.split(r" AND | OR ", expression))
        if parts <= ALLOWED:
            return expression
    raise LicenceError(
        f"{name}: its licence is not known or not allowed: {[str(each)[:60] for each in stated if each]}"
    )


def packages() -> list[Package]:
    """Every locked package, by name.

    Raises:
        LicenceError: a licence is not known or not allowed.
        LookupError: another version is installed than the locked one.
    """
    versions = {name: (version, extra) for extra, file in LOCKS.items() for name, version in locked(file).items()}
    found = []
    for name, (version, extra) in sorted(versions.items()):
        distribution = metadata.distribution(name)
        if distribution.version != version:
            raise LookupError(f"{name} {distribution.version} is installed, not {version}: make lock")
        needs = (Requirement(text) for text in distribution.requires or ())
        # What an extra asks for is not needed; what another platform asks for is not in the lock file.
        named = {canonicalize_name(each.name) for each in needs if "extra ==" not in str(each.marker or "")}
        found.append(
            Package(name, version, licence(name, distribution.metadata), tuple(sorted(named & set(versions))), extra)
        )
    return found


def sbom(found: list[Package]) -> str:
    """The SBOM as CycloneDX 1.6."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    refs = {each.name: f"pkg:pypi/{each.name}@{each.version}" for each in found}
    own = f"pkg:generic/{project['name']}@{project['version']}"
    components: list[dict[str, Any]] = [
        {
            "type": "library", "bom-ref": refs[each.name], "name": each.name, "version": each.version,
            "purl": refs[each.name], "licenses": [_licence_entry(each.licence)],
            "scope": "optional" if each.extra else "required",
        }
        for each in found
    ]  # fmt: skip
    direct = [canonicalize_name(name) for name in direct_dependencies()]
    content = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application", "bom-ref": own, "name": project["name"], "version": project["version"],
                "licenses": [{"expression": project["license"]}],
            }
        },
        "components": components,
        "dependencies": [
            {"ref": own, "dependsOn": sorted(refs[name] for name in direct)},
            *({"ref": refs[each.name], "dependsOn": [refs[name] for name in each.needs]} for each in found),
        ],
    }  # fmt: skip
    return json.dumps(content, indent=1) + "\n"


def _licence_entry(expression: str) -> dict[str, Any]:
    return {"expression": expression} if " " in expression else {"license": {"id": expression}}


def direct_dependencies() -> list[str]:
    """The packages that pyproject.toml asks for, with those of the extras."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    return sorted({*project["dependencies"], *(name for extra in EXTRAS for name in extras[extra])})


def table(found: list[Package]) -> str:
    """The page of licences."""
    noted = tomllib.loads((ROOT / "deploy" / "last_releases.toml").read_text(encoding="utf-8"))
    dates = {canonicalize_name(name): date for name, date in noted["last_release"].items()}
    rows = [
        f"| {each.name} | {each.version} | {each.licence} | {dates.get(each.name, '')} |"
        + (f" {EXTRAS[each.extra]} |" if each.extra else " |")
        for each in found
    ]
    weak = [each.name for each in found if set(re.split(r" AND | OR ", each.licence)) & WEAK]
    return f"""# Licences

What `requirements.lock`, `requirements-postgres.lock` and `requirements-cluster.lock` install, with the licence that
each package states.
`make lock` writes this page, and a test fails when it differs from what is installed or a licence is not an
allowed one ([decision 27](decisions/0027-what-is-installed-is-listed.md)).

All are permissive but {", ".join(weak[:-1])} and {weak[-1]}. Their licences (MPL-2.0, LGPL) reach no
further than the package itself, which is installed beside Stegvis, unchanged. Stegvis itself is under the MIT
License, its font under Apache-2.0.

Last release: of the packages that Stegvis asks for itself, the month of the newest release of any version,
looked up on {noted["checked"]}.

| package | version | licence | last release | |
|---|---|---|---|---|
{chr(10).join(rows)}
"""


def main() -> None:
    """Write both files."""
    found = packages()
    TABLE.write_text(table(found), encoding="utf-8")
    SBOM.write_text(sbom(found), encoding="utf-8")


if __name__ == "__main__":
    main()
