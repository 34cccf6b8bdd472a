"""From a recipe to a Dagster asset: make, stage, judge, publish, remember.

Belongs here: the one path every table takes. A table is published only if every critical expectation holds; otherwise
the last good rows stay and the run fails with the rule's name. Does not belong here: anything about one stage.
"""

# No postponed annotations here: Dagster reads the type of ``context`` when the asset is defined.
import shutil
import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb

from stegvis.assets.building.build import Build
from stegvis.assets.building.history import history
from stegvis.assets.building.lineage import column_lineage
from stegvis.assets.building.partitions import DEFINITIONS, partition_of
from stegvis.assets.building.pictures import pictures_of
from stegvis.assets.building.recipe import Recipe, Rows, fingerprint
from stegvis.assets.building.records import Records, inputs
from stegvis.assets.building.resources import StegvisHome
from stegvis.assets.building.sources import source_key
from stegvis.expectations.rules import CRITICAL, THEMES, Theme, Verdict
from stegvis.storage.disk import refusal
from stegvis.storage.lock import locked
from stegvis.storage.process import this_process
from stegvis.storage.records import Materialization, describe_files, write_record
from stegvis.storage.warehouse import (
    STAGED,
    Content,
    erase_people,
    replace_partition,
    replace_quarantine,
    replace_verdicts,
    stage,
    transaction,
)
from stegvis.study.dictionary import column_descriptions
from stegvis.study.protocol import Protocol, protocol

CHECKS: dict[Theme, str] = {
    "keys": "Who is in the table, and once; blocks.",
    "complete": "Nothing is missing that must be there; blocks.",
    "valid": "Values are possible; blocks.",
    "plausible": "Values are likely; warns.",
}
PROCESS_TAG = "stegvis/process"
_NAMED: set[str] = set()


def as_asset(
    recipe: Recipe, recipes: Mapping[str, Recipe], automation: dg.AutomationCondition | None = None
) -> dg.AssetsDefinition:
    """The Dagster asset of a recipe."""
    in_force = protocol()
    partitions = DEFINITIONS[recipe.partition] if recipe.partition else None
    themes = {rule.theme for rule in recipe.rules(in_force)}

    @dg.asset(
        name=recipe.name,
        group_name=recipe.group,
        description=recipe.description,
        deps=[
            *([source_key(recipe.delivery)] if recipe.delivery else []),
            *(_dependency(recipe, recipes[name]) for name in recipe.upstream),
        ],
        automation_condition=automation,
        partitions_def=partitions,
        code_version=recipe.code_version(in_force),
        kinds=set(recipe.kinds),
        owners=[recipe.owner],
        metadata={"dagster/table_name": recipe.name},
        check_specs=[
            dg.AssetCheckSpec(
                theme,
                asset=recipe.name,
                blocking=theme != "plausible",
                partitions_def=partitions,
                description=CHECKS[theme],
            )
            for theme in THEMES
            if theme in themes
        ],
    )
    def made(context: dg.AssetExecutionContext, stegvis: StegvisHome) -> Iterator[Any]:
        key = context.partition_key if recipe.partition else None
        _name_process(context)
        # One stage at a time in a home, whoever runs it: a second one would be made from tables that move under it.
        with locked(
            stegvis.home().refresh_lock,
            f"{recipe.name} {key or ''}".strip(),
            wait_seconds=None,
            on_wait=lambda who: context.log.info("waiting for %s", who),
            reentrant=True,
        ):
            yield from materialize(recipe, recipes, key, context, stegvis, in_force)

    return made


def materialize(
    recipe: Recipe,
    recipes: Mapping[str, Recipe],
    key: str | None,
    context: dg.AssetExecutionContext,
    stegvis: StegvisHome,
    in_force: Protocol,
) -> Iterator[Any]:
    """Make one partition of a stage and publish it if its critical expectations hold.

    Raises:
        dagster.Failure: a critical expectation failed; nothing was published.
    """
    started = time.perf_counter()
    home, landing = stegvis.home(), stegvis.landing()
    partition = partition_of(recipe.partition, key)
    records = Records(home)
    data, absent = inputs(recipe, partition.label, recipes, records, landing)
    if absent:
        raise dg.Failure(f"{recipe.name} cannot be made before {', '.join(absent)}", allow_retries=False)
    provenance = recipe.method(in_force) | data
    build = Build(recipe, partition, in_force, home, landing, context.log, lambda: history(recipes, records))
    with _values_withheld():
        rows = recipe.make(build)
        content, digest, verdicts, holds, pictures = _publish(recipe, build, rows, provenance, context.run.run_id)
        if rows.scratch:
            shutil.rmtree(rows.scratch, ignore_errors=True)
    yield from _check_results(verdicts)
    if not holds:
        failed = "; ".join(v.sentence() for v in verdicts if not v.passed and v.rule.severity == CRITICAL)
        raise dg.Failure(
            f"{recipe.name}{f' [{key}]' if key else ''} was not published: {failed}. The last good rows stay.",
            allow_retries=False,
        )
    yield dg.MaterializeResult(
        data_version=dg.DataVersion(digest),
        tags={"stegvis/fingerprint": fingerprint(provenance)},
        metadata=_metadata(recipe, content, rows, time.perf_counter() - started)
        | pictures
        | {"provenance": dg.MetadataValue.json(provenance)},
    )


def _publish(
    recipe: Recipe, build: Build, rows: Rows, made_from: dict[str, str], run_id: str
) -> tuple[Content, str, list[Verdict], bool, dict[str, Any]]:
    """Stage the rows, judge them, and replace the published ones if every critical rule holds.

    Returns:
        What was staged, its digest with the verdicts', the verdicts, whether it was published, and its plots.
    """
    # Great Expectations takes two seconds to import: not while the warehouse is held.
    from stegvis.expectations.judge import judge

    partition = build.partition
    with build.session() as connection:
        if rows.prepare:
            rows.prepare(connection)
        content = stage(connection, rows.source)
        parts = {"rows": content.digest}
        for table, frame in rows.also.items():
            parts[table] = stage(connection, frame, f"{STAGED}_{table}").digest
        staged = connection.execute(f"select * from {STAGED}").df()
        verdicts = judge(recipe.rules(build.protocol), staged, rows.summary)
        # What the checks found is shown in the report, so a change of it is a change of content.
        parts["verdicts"] = repr([v.as_row() for v in verdicts])
        holds = all(v.passed for v in verdicts if v.rule.severity == CRITICAL)
        with transaction(connection):
            if rows.problems is not None:
                replace_quarantine(connection, recipe.name, partition, rows.problems)
            replace_verdicts(
                connection, recipe.name, partition, [v.as_row() for v in verdicts], fingerprint(made_from), holds
            )
            if holds:
                replace_partition(connection, recipe.name, partition)
                for table in rows.also:
                    replace_partition(connection, table, partition, f"{STAGED}_{table}")
                for table in rows.erased_from:
                    erase_people(connection, table)
                if rows.on_publish:
                    rows.on_publish()
                _record(connection, build, content, fingerprint(parts), made_from, rows, run_id)
    return content, fingerprint(parts), verdicts, holds, pictures_of(staged, rows.also, build) if holds else {}


def _record(
    connection: duckdb.DuckDBPyConnection,
    build: Build,
    content: Content,
    data_version: str,
    made_from: dict[str, str],
    rows: Rows,
    run_id: str,
) -> None:
    """Record what the rows were made from, in the transaction that publishes them."""
    files = describe_files(build.home.root, rows.lake_files)
    write_record(
        connection,
        Materialization(
            build.recipe.name, build.partition.label, data_version, fingerprint(made_from), made_from, files, run_id,
            time.time(), content.rows, tuple(rows.also),
        ),
    )  # fmt: skip


def _name_process(context: dg.AssetExecutionContext) -> None:
    """Mark the run with its process, so that it can be ended when that is killed."""
    run = context.run
    if run.run_id not in _NAMED and PROCESS_TAG not in run.tags:
        _NAMED.add(run.run_id)
        context.instance.add_run_tags(run.run_id, {PROCESS_TAG: this_process()})


@contextmanager
def _values_withheld() -> Iterator[None]:
    """An unexpected error is told by its class and its place in the code.

    Its text, and the values in its traceback, could hold a person's data.
    """
    failure: dg.Failure | None = None
    try:
        yield
    except dg.Failure:
        raise
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)
        place = frames[-1]
        where = f"{Path(place.filename).name} line {place.lineno}, {place.name}"
        failure = dg.Failure(
            refusal(error) or f"unexpected {type(error).__name__} in {where}",
            metadata={"where": dg.MetadataValue.md("```\n" + "".join(traceback.format_list(frames)) + "```")},
            allow_retries=False,
        )
    if failure:
        raise failure from None  # or Dagster would record the error it came from


def _dependency(recipe: Recipe, upstream: Recipe) -> dg.AssetDep:
    if upstream.partition and upstream.partition != recipe.partition:
        return dg.AssetDep(upstream.name, partition_mapping=dg.AllPartitionMapping())
    return dg.AssetDep(upstream.name)


def _check_results(verdicts: list[Verdict]) -> Iterator[dg.AssetCheckResult]:
    for theme in THEMES:
        mine = [v for v in verdicts if v.rule.theme == theme]
        if mine:
            yield dg.AssetCheckResult(
                check_name=theme,
                passed=all(v.passed for v in mine),
                severity=dg.AssetCheckSeverity.WARN if theme == "plausible" else dg.AssetCheckSeverity.ERROR,
                metadata={
                    "rules": len(mine),
                    "rules_failed": sum(not v.passed for v in mine),
                    "failing_rows": sum(v.failing for v in mine),
                    "verdicts": dg.MetadataValue.table(
                        [
                            dg.TableRecord(
                                {
                                    "rule": v.rule.meaning,
                                    "column": v.rule.column,
                                    "passed": v.passed,
                                    "failing": v.failing,
                                    "of": v.total,
                                }
                            )
                            for v in mine
                        ]
                    ),
                },
            )


def _metadata(recipe: Recipe, content: Content, rows: Rows, seconds: float) -> dict[str, Any]:
    described = column_descriptions(recipe.name)
    count = "dagster/partition_row_count" if recipe.partition else "dagster/row_count"
    return {
        count: content.rows,
        "dagster/column_schema": dg.TableSchema(
            [dg.TableColumn(name, kind, described.get(name)) for name, kind in content.columns.items()]
        ),
        "seconds": round(seconds, 2),
        **({"dagster/column_lineage": lineage} if (lineage := column_lineage(recipe)) else {}),
        **rows.summary,
        **rows.metadata,
    }
