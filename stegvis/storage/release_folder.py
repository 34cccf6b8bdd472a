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
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from stegvis import version as program
from stegvis.disclosure.control import People, control_across_waves
from stegvis.disclosure.published import RETRACTED, across_of, retracted
from stegvis.disclosure.suppression import SUPPRESSED_COLUMNS, Controlled
from stegvis.disclosure.tables import ACROSS, Tables
from stegvis.release.bridge import bridge, changed_values
from stegvis.release.bridge_steps import bridge_steps, compared, protocol_before
from stegvis.release.descriptions import write_descriptions
from stegvis.reproduction import r, stata
from stegvis.reproduction.commands import commands
from stegvis.statistics.levels import covariate_levels
from stegvis.statistics.results import GROUPS, RESULT_COLUMNS
from stegvis.storage.acceptance import accepted_names
from stegvis.storage.lineage import lineage
from stegvis.storage.publication import keyed_lineage, origins
from stegvis.storage.release_pages import index_inputs, write_index, write_plain_pages, write_wave_pages
from stegvis.storage.releases import MANIFEST, Published, enter_in_ledger, newest, newest_published
from stegvis.storage.report_inputs import as_records, checks_to_publish, provenance, records
from stegvis.storage.retraction import retracted_waves
from stegvis.storage.rows import Rows
from stegvis.storage.signatures import advance_latest
from stegvis.storage.sources import Sources
from stegvis.storage.warehouse import table_exists
from stegvis.study.study import FILES

PACKAGES = ("dagster", "duckdb", "pandas", "numpy", "scipy", "statsmodels", "great-expectations")
PROTOCOL = "protocol.json"
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
    staging = _new_staging(sources.home.releases)
    before = newest(sources.home.releases)
    published = newest_published(sources.home.releases)
    origin_rows = read("select * from published_origins order by wave")
    editions = [wave for wave, origin in origins(published, origin_rows, "").items() if not origin["release"]]
    controlled = _controlled(sources, published, editions)
    _write_tables(controlled, read("select * from published_histogram order by wave, rowid"), staging)
    results = controlled.tables.results
    _write_commands(results, sources, staging)
    _write_study(sources, staging)
    people = read(PEOPLE.format(columns=", ".join(f'a."{name}"' for name in compared(sources.protocol))))
    changes = _changes(before, results)
    facts = {"previous_release": before.name if before else None, "changes": as_records(changes)}
    facts |= _bridge_from(before, sources, people, controlled, editions)
    _write_json(staging / "bridge.json", facts)
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
            on_publish=lambda: advance_latest(sources.home.releases, sources.protocol.release.signatures),
        )
    name = f"{datetime.now(UTC):%Y-%m-%d}-{content[:12]}"
    waves = origins(published, origin_rows, name)
    write_index(staging, index_inputs(sources, name, results, checks, claims, facts, _packages(), waves))
    _write_descriptions(sources, staging, name)
    _write_json(staging / MANIFEST, _manifest(sources, name, staging, before) | {"waves": waves})
    files = _files(staging).assign(release=name)
    sources.log.info("release %s has %d files", name, len(files))
    return Rows(
        files,
        summary=summary,
        also={"released_people": people},
        metadata={
            "release": name,
            "report": sources.home.report_address(name),
            "folder": str(sources.home.releases / name),
            "estimates": len(results),
            "changed_estimates": len(changes),
        },
        on_publish=lambda: _move_into_place(staging, sources, name),
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
    write_plain_pages(controlled.tables, sources.landing.synthetic, sources.study, staging)
    return checks, claims


def _new_staging(releases: Path) -> Path:
    """An empty folder to write a release in.

    Nobody else makes a release of this home now, so an earlier folder belongs to a run that was killed.
    """
    for abandoned in releases.glob(".staging-*"):
        shutil.rmtree(abandoned)
    staging = releases / f".staging-{os.getpid()}"
    staging.mkdir(parents=True)
    return staging


def _controlled(sources: Sources, published: Published | None, editions: Sequence[str]) -> Controlled:
    """Everything that may be published. The results across waves are published once for each set of waves."""
    with sources.warehouse.session() as connection:
        waves = "where wave in (select wave from published_results)"
        fitted = connection.execute(f"select * from fitted_models {waves} order by wave, rowid").df()
        pooled = connection.execute("select * from pooled_models order by rowid").df()
        computed = Tables(
            pd.concat([fitted, pooled], ignore_index=True),
            connection.execute(f"select * from attrition {waves} order by wave, step").df(),
            connection.execute(f"select * from characteristics {waves} order by wave, rowid").df(),
        )
        tables = Tables(
            connection.execute("select * from published_results order by wave, rowid").df(),
            connection.execute("select * from published_attrition order by wave, step").df(),
            connection.execute("select * from published_characteristics order by wave, rowid").df(),
        )
        suppressed = connection.execute("select * from disclosure order by wave, rowid").df()
        groups = [_with_people(connection, group, waves) for group in (*GROUPS, "pooled_models")]
        excluded = connection.execute(f"select wave, person, reason from exclusions {waves} order by wave, person").df()
        table_one = connection.execute(f"select * from characteristics_people {waves}").df()
    again = across_of(published.tables, list(tables.attrition["wave"].unique())) if published and not editions else None
    if published and again is not None:
        log = pd.DataFrame(published.suppressed, columns=list(SUPPRESSED_COLUMNS)).astype("str")
        across = Controlled(Tables.of_results(again.astype(RESULT_COLUMNS)), log[log["wave"] == ACROSS], 0)
    else:
        people = People(
            [each for pair in groups for each in _by_wave(*pair)],
            {str(wave): rows for wave, rows in table_one.groupby("wave")},
            excluded,
        )
        across = control_across_waves(computed, tables, people, sources.protocol)
    suppressed = pd.concat([suppressed, across.suppressed], ignore_index=True)
    sources.log.info("disclosure control suppressed %d numbers", len(suppressed))
    results = pd.concat([tables.results.astype(RESULT_COLUMNS), across.tables.results], ignore_index=True)
    every = Tables(results, tables.attrition, tables.characteristics)
    return Controlled(retracted(every, retracted_waves(sources.home.root)), suppressed, across.unprotected)


def _with_people(connection: duckdb.DuckDBPyConnection, group: str, waves: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows of a group of analyses (a constant, never input), and the people behind them."""
    of_waves = "" if group == "pooled_models" else waves
    rows = connection.execute(f"select * from {group} {of_waves} order by rowid").df()
    return rows, connection.execute(f"select * from {group}_people {of_waves}").df()


def _by_wave(rows: pd.DataFrame, people: pd.DataFrame) -> Iterator[tuple[pd.DataFrame, pd.DataFrame]]:
    """Each wave's rows with their people; those across waves count people of several waves."""
    for wave, mine in rows.groupby("wave", sort=False):
        yield mine, people if wave == ACROSS else people[people["wave"] == wave]


def _write_tables(controlled: Controlled, histogram: pd.DataFrame, folder: Path) -> None:
    tables = controlled.tables
    histogram.to_csv(folder / "histogram.csv", index=False)
    _write_json(folder / "disclosure.json", {"held_back": as_records(controlled.suppressed)})
    for name in ("results", "attrition", "characteristics"):
        getattr(tables, name).to_csv(folder / f"{name}.csv", index=False)
    tables.results.to_parquet(folder / "results.parquet", index=False)


def _write_commands(results: pd.DataFrame, sources: Sources, folder: Path) -> None:
    """How to repeat each estimate: the commands, and the functions and codes they rest on."""
    levels = covariate_levels(sources.codebook)
    of_waves = [commands(rows, sources.protocol, levels) for _, rows in results.groupby("wave", sort=False)]
    pd.concat(of_waves, ignore_index=True).to_csv(folder / "commands.csv", index=False)
    (folder / "repeat.R").write_text(r.settings(sources.protocol, levels) + r.functions(), encoding="utf-8")
    (folder / "repeat.do").write_text(stata.preparation(levels), encoding="utf-8")


def _results_of(release: Path | None) -> pd.DataFrame | None:
    if release is None or not (release / "results.parquet").exists():
        return None
    return pd.read_parquet(release / "results.parquet")


def _changes(before: Path | None, results: pd.DataFrame) -> pd.DataFrame:
    """The estimates that changed since a release; not those retracted: that would repeat a number that was wrong."""
    changes = bridge(_results_of(before), results)
    return changes[~changes["wave"].isin(results.loc[results["note"] == RETRACTED, "wave"])]


def _bridge_from(
    before: Path | None, sources: Sources, people: pd.DataFrame, controlled: Controlled, editions: Sequence[str]
) -> dict[str, Any]:
    """The main estimates' changes since the release before, step by step, or why they cannot be explained.

    Only new editions change: their people are the same, so no step is about few people.
    """
    earlier = _results_of(before)
    if before is None or earlier is None:
        return {"steps": [], "protocol_changes": [], "note": "there is no release before"}
    values = json.loads((before / PROTOCOL).read_text(encoding="utf-8")) if (before / PROTOCOL).exists() else {}
    then_people = _people_behind(sources, before.name)
    changed = changed_values(values, sources.protocol.model_dump(mode="json")) if values else []
    if then_people is None:
        return {
            "steps": [],
            "protocol_changes": changed,
            "note": "the rows behind the release before are not kept here",
        }
    lacking = [name for name in compared(sources.protocol) if name not in then_people]
    if lacking:
        note = f"the rows behind the release before have no {', '.join(lacking)}"
        return {"steps": [], "protocol_changes": changed, "note": note}
    try:
        then = protocol_before(values, sources.protocol)
    except (KeyError, ValueError):
        note = "the protocol of the release before is not of a form that this version reads"
        return {"steps": [], "protocol_changes": changed, "note": note}
    now = people[people["reason"].isna() & people["wave"].isin(editions)]
    then_people = then_people[then_people["wave"].isin(editions)]
    earlier = earlier[earlier["wave"].isin(editions)]
    found = bridge_steps(
        then_people, now, earlier, controlled.tables.results, then, sources.protocol, covariate_levels(sources.codebook)
    )
    return {"steps": [asdict(each) for each in found], "protocol_changes": changed, "note": ""}


def _people_behind(sources: Sources, release: str) -> pd.DataFrame | None:
    """The people behind a release; None when the warehouse has those of another one, or of none."""
    with sources.warehouse.session() as connection:
        if not table_exists(connection, "released_people") or not table_exists(connection, "release"):
            return None
        names = {row[0] for row in connection.execute("select distinct release from release").fetchall()}
        if names != {release}:
            return None
        return connection.execute("select * from released_people order by wave, person").df()


def _write_descriptions(sources: Sources, folder: Path, name: str) -> None:
    waves = [str(wave) for wave in sources.warehouse.frame("select distinct wave from report order by wave")["wave"]]
    write_descriptions(folder, name, datetime.now(UTC), sources.study, sources.landing.synthetic, waves, MANIFEST)


def _packages() -> dict[str, str]:
    return {package: version(package) for package in PACKAGES}


def _manifest(sources: Sources, name: str, folder: Path, before: Path | None) -> dict[str, Any]:
    facts = provenance(sources)
    return {
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
    }


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
            (folder / STUDY / name).write_bytes((sources.home.study / name).read_bytes())


def _write_json(file: Path, content: Any) -> None:
    file.write_text(json.dumps(content, indent=2, allow_nan=False) + "\n", encoding="utf-8")


def _move_into_place(staging: Path, sources: Sources, name: str) -> None:
    target = sources.home.releases / name
    if target.exists():
        shutil.rmtree(staging)
    else:
        for file in staging.rglob("*"):
            file.chmod(0o755 if file.is_dir() else 0o444)
        staging.rename(target)
    enter_in_ledger(sources.home.releases, name)
    advance_latest(sources.home.releases, sources.protocol.release.signatures)
