"""Write a release: an immutable, hashed folder of everything that is published, and the bridge from the previous one.

The folder is written beside its final name and moved; its name is the day and the digest of its content, so that the
same content is never released twice. It becomes the latest when as many people signed it as the protocol asks for, and
is in the ledger from the start (``stegvis/storage/releases.py``).

A release holds nobody's row, so what the next bridge starts from stays in the warehouse: ``released_people``, those
whose data the newest release had, replaced with the table ``release`` in one transaction.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from stegvis import version as program
from stegvis.analyses.declared import declared_of_waves
from stegvis.data_files import data_file
from stegvis.disclosure.published import RETRACTED
from stegvis.disclosure.suppression import Controlled
from stegvis.release.bridge import bridge
from stegvis.release.bridge_steps import compared
from stegvis.release.descriptions import write_descriptions
from stegvis.reproduction import r, stata
from stegvis.reproduction.commands import commands
from stegvis.statistics.levels import covariate_levels
from stegvis.storage.acceptance import accepted_names
from stegvis.storage.editions import say_unchanged
from stegvis.storage.lineage import lineage
from stegvis.storage.lost import lost
from stegvis.storage.publication import keyed_lineage, new_origins, origins
from stegvis.storage.published_people import PublishedPeople, store
from stegvis.storage.registration import copy_documents, registration_state
from stegvis.storage.release_bridge import PROTOCOL, bridge_from, results_of
from stegvis.storage.release_numbers import (
    across_origin,
    check_editions,
    computed_tables,
    everything_to_publish,
    published_now,
)
from stegvis.storage.release_pages import index_inputs, write_index, write_reader_pages, write_wave_pages
from stegvis.storage.releases import MANIFEST, Published, enter_in_ledger, newest, newest_published
from stegvis.storage.report_inputs import as_records, checks_to_publish, provenance, records
from stegvis.storage.rows import Rows
from stegvis.storage.signatures import advance_latest
from stegvis.storage.sources import Sources
from stegvis.study.study import FILES
from stegvis.study.waves import ACROSS

PACKAGES = ("dagster", "duckdb", "pandas", "numpy", "scipy", "statsmodels", "great-expectations")
STUDY = "study"
LINEAGE = "lineage.json"
# What a release is compared with, or how it was made: not part of its content.
HISTORY = ("bridge.json", PROTOCOL, LINEAGE)

# Everyone whose data a wave has, analyzed or excluded.
PEOPLE = """
select x.wave, x.person, x.reason, {columns}
from exclusions as x
left join analysis_set as a using (wave, person)
where x.reason is null or x.reason not in ('no_accelerometer_day', 'followup_screen_missing')
order by x.wave, x.person
"""


def write_release(sources: Sources) -> Rows:
    """Write the release beside its place; it moves there when it is published.

    Returns:
        One row per file, and the people whose data the release has.

    Raises:
        ReleaseError: an earlier release cannot be read.
        ChecklistError: the release does not answer the reporting checklists.
    """
    read = sources.warehouse.frame
    before = newest(sources.home.releases)
    published, gone = newest_published(sources.home.releases), lost(sources.home.releases)
    origin_rows = read("select * from published_origins order by wave")
    origin_of = origins(published, gone.repeated, origin_rows, "")
    editions = new_origins(origin_of)
    check_editions(sources.home.root, published, gone, {wave: origin_of[wave] for wave in editions})
    staging = _new_staging(sources.home.releases)
    controlled, across = everything_to_publish(sources, published, gone, computed_tables(sources))
    results = controlled.tables.results
    _write_tables(controlled, read("select * from published_histogram order by wave, rowid"), staging)
    _write_declared(sources, results, staging)
    _write_commands(results, sources, staging)
    _write_study(sources, staging)
    people = read(PEOPLE.format(columns=", ".join(f'a."{name}"' for name in compared(sources.protocol))))
    kinds = {wave: origin_of[wave].get("edition", "") for wave in editions}
    facts = _write_bridge(before, sources, people, results, kinds, staging)
    checks, claims = _write_pages(sources, controlled, staging)
    # What the release says, without when and against what: the same content gets the same name.
    content = _digest({name: sha for name, sha in _hashes(staging).items() if name not in HISTORY})
    summary = {"unprotected": float(controlled.unprotected)}
    if before and before.name.endswith(content[:12]):
        shutil.rmtree(staging)
        return Rows(
            _files(before),
            summary=summary,
            also={"released_people": people},
            metadata={"release": before.name, "unchanged": True},
            on_publish=lambda: _same_again(sources, published, editions),
        )
    name = f"{datetime.now(UTC):%Y-%m-%d}-{content[:12]}"
    waves = origins(published, gone.repeated, origin_rows, name)
    write_index(staging, index_inputs(sources, name, controlled.tables, checks, claims, facts, _packages(), waves))
    _write_descriptions(sources, staging, name)
    _write_manifest(sources, name, staging, before, waves | across_origin(across, name))
    memories = published_now(sources, name, editions)
    return Rows(
        _files(staging).assign(release=name),
        summary=summary,
        also={"released_people": people},
        metadata={
            "release": name,
            "report": sources.home.report_address(name),
            "folder": str(sources.home.releases / name),
            "estimates": len(results),
            "changed_estimates": len(facts["changes"]),
        },
        on_publish=lambda: _move_into_place(staging, sources, name, memories),
        scratch=staging,
    )


def _write_pages(
    sources: Sources, controlled: Controlled, staging: Path
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Write the pages of waves, check results, claims and lineage; returns the check results and the claims."""
    with sources.warehouse.session() as connection:
        write_wave_pages(connection, staging)
        checks = checks_to_publish(connection, sources, None)
        claims = records(connection, "select * from claims order by wave, rowid")
        lineage_of_release = keyed_lineage(sources.home.root, lineage(connection, sources.history))
    _write_json(staging / "checks.json", checks)
    _write_json(staging / "claims.json", claims)
    _write_json(staging / LINEAGE, lineage_of_release)
    write_reader_pages(controlled.tables, sources.landing.synthetic, sources.study, staging)
    return checks, claims


def _write_bridge(
    before: Path | None,
    sources: Sources,
    people: pd.DataFrame,
    results: pd.DataFrame,
    kinds: Mapping[str, str],
    staging: Path,
) -> dict[str, Any]:
    """Write what changed since the release before, and why; returns what is written."""
    changes = as_records(_changes(before, results))
    facts = {"previous_release": before.name if before else None, "changes": changes}
    facts |= bridge_from(before, sources, people, results, kinds)
    _write_json(staging / "bridge.json", facts)
    return facts


def _new_staging(releases: Path) -> Path:
    """An empty folder to write a release in.

    Nobody else makes a release of this home now, so an earlier folder belongs to a run that was killed.
    """
    for abandoned in releases.glob(".staging-*"):
        shutil.rmtree(abandoned)
    staging = releases / f".staging-{os.getpid()}"
    staging.mkdir(parents=True)
    return staging


def _write_tables(controlled: Controlled, histogram: pd.DataFrame, folder: Path) -> None:
    tables = controlled.tables
    histogram.to_csv(folder / "histogram.csv", index=False)
    _write_json(folder / "disclosure.json", {"held_back": as_records(controlled.suppressed)})
    for name in ("results", "attrition", "characteristics"):
        getattr(tables, name).to_csv(folder / f"{name}.csv", index=False)
    tables.results.to_parquet(folder / "results.parquet", index=False)


def _write_declared(sources: Sources, results: pd.DataFrame, folder: Path) -> None:
    """Write the declared estimates, and what was registered of each wave, with its documents."""
    waves = sorted({str(wave) for wave in results["wave"]} - {ACROSS})
    declared_of_waves(results, sources.protocol, waves).to_csv(folder / "declared_estimates.csv", index=False)
    registered = registration_state(sources.home.root, sources.home.study, sources.study, waves)
    _write_json(folder / "registration.json", {"waves": registered})
    copy_documents(sources.home.root, waves, folder)


def _write_commands(results: pd.DataFrame, sources: Sources, folder: Path) -> None:
    """How to repeat each estimate: the commands, and the functions and codes they rest on."""
    levels = covariate_levels(sources.codebook)
    of_waves = [commands(rows, sources.protocol, levels) for _, rows in results.groupby("wave", sort=False)]
    pd.concat(of_waves, ignore_index=True).to_csv(folder / "commands.csv", index=False)
    (folder / "repeat.R").write_text(r.settings(sources.protocol, levels) + r.functions(), encoding="utf-8")
    (folder / "repeat.do").write_text(stata.preparation(levels), encoding="utf-8")


def _changes(before: Path | None, results: pd.DataFrame) -> pd.DataFrame:
    """The estimates that changed since a release; not those retracted: that would repeat a number that was wrong."""
    changes = bridge(results_of(before), results)
    return changes[~changes["wave"].isin(results.loc[results["note"] == RETRACTED, "wave"])]


def _write_descriptions(sources: Sources, folder: Path, name: str) -> None:
    # Which libraries the program consists of: not part of what the release says, so other versions do not rename it.
    shutil.copyfile(data_file("sbom.cdx.json"), folder / "sbom.cdx.json")
    waves = [str(wave) for wave in sources.warehouse.frame("select distinct wave from report order by wave")["wave"]]
    write_descriptions(folder, name, datetime.now(UTC), sources.study, sources.landing.synthetic, waves, MANIFEST)


def _packages() -> dict[str, str]:
    return {package: version(package) for package in PACKAGES}


def _write_manifest(
    sources: Sources, name: str, folder: Path, before: Path | None, waves: Mapping[str, Mapping[str, str]]
) -> None:
    facts = provenance(sources)
    content = {
        "release": name,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "previous_release": before.name if before else None,
        "synthetic": sources.landing.synthetic,
        "mode": sources.protocol.study.mode,
        "signatures_needed": sources.protocol.release.signatures,
        "protocol_sha256": facts["protocol_hash"],
        "code_sha256": facts["code_hash"],
        "stegvis": {"version": program.version(), "commit": program.commit()},
        "packages": _packages(),
        "accepted": accepted_names(sources.home.root),
        "files": _hashes(folder),
        "waves": waves,
    }
    _write_json(folder / MANIFEST, content)


def _files(folder: Path) -> pd.DataFrame:
    rows = [
        {"release": folder.name, "file": name, "sha256": sha, "bytes": (folder / name).stat().st_size}
        for name, sha in _hashes(folder).items()
    ]
    return pd.DataFrame(rows).astype({"release": "string", "file": "string", "sha256": "string"})


def _hashes(folder: Path) -> dict[str, str]:
    files = sorted(f for f in folder.rglob("*") if f.is_file())
    return {f.relative_to(folder).as_posix(): hashlib.sha256(f.read_bytes()).hexdigest() for f in files}


def _digest(parts: dict[str, str]) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _write_study(sources: Sources, folder: Path) -> None:
    """The values of the protocol, and the files of the study: nothing else that lies in its folder."""
    _write_json(folder / PROTOCOL, sources.protocol.model_dump(mode="json"))
    (folder / STUDY).mkdir()
    for name in FILES:
        if (sources.home.study / name).exists():
            (folder / STUDY / name).parent.mkdir(exist_ok=True)
            (folder / STUDY / name).write_bytes((sources.home.study / name).read_bytes())


def _write_json(file: Path, content: Any) -> None:
    file.write_text(json.dumps(content, indent=2, allow_nan=False) + "\n", encoding="utf-8")


def _same_again(sources: Sources, published: Published | None, editions: Sequence[str]) -> None:
    """The newest release says everything already, also what somebody asked for."""
    if published:
        for wave in editions:
            say_unchanged(sources, wave, published.origin(wave))
    advance_latest(sources.home.releases, sources.protocol.release.signatures)


def _move_into_place(staging: Path, sources: Sources, name: str, people: Mapping[str, PublishedPeople]) -> None:
    for wave, behind in people.items():
        store(sources.home.root, wave, behind)
    target = sources.home.releases / name
    if target.exists():
        shutil.rmtree(staging)
    else:
        for file in staging.rglob("*"):
            file.chmod(0o755 if file.is_dir() else 0o444)
        staging.rename(target)
    enter_in_ledger(sources.home.releases, name)
    advance_latest(sources.home.releases, sources.protocol.release.signatures)
