"""One decorator that makes a Dagster asset of a function which returns a table's rows.

Every table takes the same path: the home is locked, the function runs, its rows are staged and evaluated against their
expectations, and they replace the published rows in one transaction, together with a record of what they were made
from. If a critical expectation fails, the last good rows stay and the run fails with its meaning.
"""

# No postponed annotations here: Dagster reads the type of ``context`` when the asset is defined.
import base64
import inspect
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import dagster as dg

from stegvis.assets.home import StegvisHome
from stegvis.expectations.expectation import THEMES, CheckResult, Theme
from stegvis.provenance.columns import columns_from
from stegvis.provenance.fingerprint import fingerprint
from stegvis.storage.lock import locked
from stegvis.storage.process import this_process
from stegvis.storage.publishing import Published, publish
from stegvis.storage.reader import Reader
from stegvis.storage.rows import Rows
from stegvis.storage.tables import Records, Table, inputs
from stegvis.storage.unexpected import describe_error
from stegvis.storage.warehouse import Warehouse
from stegvis.study.dictionary import column_descriptions
from stegvis.study.study import Study

CHECKS: dict[Theme, str] = {
    "keys": "Who is in the table, and once; blocks.",
    "complete": "Nothing is missing that must be there; blocks.",
    "valid": "Values are possible; blocks.",
    "plausible": "Values are likely; warns.",
}
PROCESS_TAG = "stegvis/process"
LARGEST_PICTURE = 100_000  # bytes; a picture is kept in Dagster's event log
TABLES: dict[str, Table] = {}  # by the name of each member
_NAMED_RUNS: set[str] = set()

Dependency = dg.AssetsDefinition | dg.AssetSpec


def table(
    *,
    deps: Sequence[Dependency],
    group_name: str,
    partitions_def: dg.DynamicPartitionsDefinition | None = None,
    owners: Sequence[str] = ("team:data",),
    kinds: set[str],
    also: Mapping[str, str] | None = None,
) -> Callable[[Callable[..., Any]], dg.AssetsDefinition]:
    """Make an asset of a function that returns a table's rows: a frame, a SELECT, or ``Rows``.

    The function may take ``context``, ``warehouse`` (a ``Reader`` of the tables it depends on), ``study`` (protocol and
    codebook; what is read of them is recorded) and ``home``. Its docstring is the asset's description.

    Args:
        deps: the tables and deliveries it is made from.
        group_name: of the graph.
        partitions_def: waves, batches, or none.
        owners: teams.
        kinds: shown in the graph.
        also: further tables that the function makes, each with its description.
    """

    def decorate(make: Callable[..., Any]) -> dg.AssetsDefinition:
        described = {make.__name__: inspect.getdoc(make) or "", **(also or {})}
        return _asset(_table(make.__name__, described, deps, partitions_def, make), described, deps, partitions_def,
                      group_name=group_name, owners=list(owners), kinds=kinds)  # fmt: skip

    return decorate


def sql_table(
    name: str,
    description: str,
    *,
    deps: Sequence[Dependency],
    group_name: str,
    partitions_def: dg.DynamicPartitionsDefinition | None = None,
    owners: Sequence[str] = ("team:data",),
) -> dg.AssetsDefinition:
    """An asset whose rows are exactly those of ``sql/<name>.sql``."""
    described = {name: description}
    return _asset(_table(name, described, deps, partitions_def, None), described, deps, partitions_def,
                  group_name=group_name, owners=list(owners), kinds={"duckdb", "sql"})  # fmt: skip


def _table(
    name: str,
    members: Mapping[str, str],
    deps: Sequence[Dependency],
    partitions_def: dg.DynamicPartitionsDefinition | None,
    make: Callable[..., Any] | None,
) -> Table:
    deliveries = [dep.key.path[1] for dep in deps if isinstance(dep, dg.AssetSpec)]
    upstream = [TABLES[dep.keys.__iter__().__next__().path[-1]] for dep in deps if isinstance(dep, dg.AssetsDefinition)]
    kind: Any = partitions_def.name if partitions_def else None
    delivery: Any = deliveries[0] if deliveries else None
    defined = Table(name, tuple(members), kind, tuple(upstream), delivery, make)
    TABLES.update(dict.fromkeys(members, defined))
    return defined


def _asset(
    defined: Table,
    described: Mapping[str, str],
    deps: Sequence[Dependency],
    partitions_def: dg.DynamicPartitionsDefinition | None,
    **spec: Any,
) -> dg.AssetsDefinition:
    shipped = Study.shipped()
    code_version = fingerprint(defined.method(shipped))
    above = [each for dep in deps for each in (dep.specs if isinstance(dep, dg.AssetsDefinition) else [dep])]

    @dg.multi_asset(
        name=defined.name,
        specs=[
            dg.AssetSpec(
                member,
                deps=[_dependency(each, partitions_def) for each in above],
                description=description,
                partitions_def=partitions_def,
                code_version=code_version,
                metadata={"dagster/table_name": member},
                **spec,
            )
            for member, description in described.items()
        ],
        check_specs=[
            dg.AssetCheckSpec(
                theme,
                asset=member,
                blocking=theme != "plausible",
                partitions_def=partitions_def,
                description=CHECKS[theme],
            )
            for member in described
            for theme in THEMES
            if theme in {each.theme for each in defined.expectations(member, shipped.protocol)}
        ],
    )
    def made(context: dg.AssetExecutionContext, home: StegvisHome) -> Iterator[Any]:
        key = context.partition_key if partitions_def else ""
        _name_process(context)
        # One table at a time in a home, whoever makes it: a second one would be made from tables that change meanwhile.
        with locked(
            home.home().refresh_lock,
            f"{defined.name} {key}".strip(),
            wait_seconds=None,
            on_wait=lambda who: context.log.info("waiting for %s", who),
            reentrant=True,
        ):
            yield from _materialize(defined, key, context, home)

    return made


def _dependency(above: dg.AssetSpec, partitions_def: dg.DynamicPartitionsDefinition | None) -> dg.AssetDep:
    other = above.partitions_def is not None and above.partitions_def != partitions_def
    return dg.AssetDep(above.key, partition_mapping=dg.AllPartitionMapping() if other else None)


def _materialize(defined: Table, key: str, context: dg.AssetExecutionContext, resource: StegvisHome) -> Iterator[Any]:
    """Make one partition of a table and publish it if its critical expectations hold.

    Raises:
        dagster.Failure: a critical expectation failed; nothing was published.
    """
    # Great Expectations takes two seconds to import: only where something is made.
    from stegvis.expectations.evaluate import evaluate

    started = time.perf_counter()
    home, study = resource.home(), Study.shipped()
    place = f"{defined.name} [{key}]" if key else defined.name
    method = defined.method(study)
    data, absent = inputs(defined, key, Records(home), resource.landing())
    if absent:
        raise dg.Failure(f"{place} cannot be made before {', '.join(absent)}", allow_retries=False)
    recorded = study.recording()
    reader = Reader(Warehouse(home), defined.name, defined.readable, defined.rows_of(key), recorded)
    failure: dg.Failure | None = None
    try:
        rows = _call(defined, {"context": context, "warehouse": reader, "study": recorded, "home": resource})
        published = publish(
            defined,
            reader,
            rows,
            lambda member, frame, summary: evaluate(defined.expectations(member, study.protocol), frame, summary),
            lambda: method | data | recorded.reads,
            context.run.run_id,
        )
        if rows.scratch:
            shutil.rmtree(rows.scratch, ignore_errors=True)
    except dg.Failure:
        raise
    except Exception as error:
        message, where = describe_error(error)
        failure = dg.Failure(message, metadata={"where": dg.MetadataValue.md(where)}, allow_retries=False)
    if failure:
        raise failure from None  # or Dagster would record the error it came from, whose text could hold a person's data
    for member, results in published.results.items():
        yield from _check_results(member, results)
    if not published.ok:
        failed = "; ".join(
            r.sentence() for each in published.results.values() for r in each if r.blocks and not r.passed
        )
        raise dg.Failure(f"{place} was not published: {failed}. The last good rows stay.", allow_retries=False)
    yield from _results(defined, published, rows, context, time.perf_counter() - started)


def _call(defined: Table, offered: Mapping[str, Any]) -> Rows:
    if defined.make is None:
        from stegvis.sql import sql_text

        return Rows(sql_text(defined.name))
    wanted = inspect.signature(defined.make).parameters
    made = defined.make(**{name: offered[name] for name in wanted})
    return made if isinstance(made, Rows) else Rows(made)


def _name_process(context: dg.AssetExecutionContext) -> None:
    """Mark the run with its process, so that it can be ended when that is killed."""
    run = context.run
    if run.run_id not in _NAMED_RUNS and PROCESS_TAG not in run.tags:
        _NAMED_RUNS.add(run.run_id)
        context.instance.add_run_tags(run.run_id, {PROCESS_TAG: this_process()})


def _check_results(member: str, results: Sequence[CheckResult]) -> Iterator[dg.AssetCheckResult]:
    for theme in THEMES:
        mine = [result for result in results if result.expectation.theme == theme]
        if mine:
            listed: list[dict[str, str | int | float | bool | None]] = [{"expectation": r.expectation.meaning, "column": r.expectation.column, "passed": r.passed,
                       "failing": r.failing, "of": r.total} for r in mine]  # fmt: skip
            yield dg.AssetCheckResult(
                asset_key=member,
                check_name=theme,
                passed=all(result.passed for result in mine),
                severity=dg.AssetCheckSeverity.WARN if theme == "plausible" else dg.AssetCheckSeverity.ERROR,
                metadata={
                    "expectations": dg.MetadataValue.table([dg.TableRecord(each) for each in listed]),
                    "expectations_failed": sum(not result.passed for result in mine),
                    "failing_rows": sum(result.failing for result in mine),
                },
            )


def _results(
    defined: Table, published: Published[CheckResult], rows: Rows, context: dg.AssetExecutionContext, seconds: float
) -> Iterator[dg.MaterializeResult]:
    count = "dagster/partition_row_count" if defined.partition else "dagster/row_count"
    for member, content in published.content.items():
        described, lineage = column_descriptions(member), columns_from(member, defined.delivery)
        columns = [dg.TableColumn(name, kind, described.get(name)) for name, kind in content.columns.items()]
        metadata: dict[str, Any] = {count: content.rows, "dagster/column_schema": dg.TableSchema(columns)}
        if lineage:
            metadata["dagster/column_lineage"] = dg.TableColumnLineage(
                {name: [dg.TableColumnDep(dg.AssetKey(up.split("/")), column) for up, column in found]
                 for name, found in lineage.items() if found}
            )  # fmt: skip
        metadata |= {"seconds": round(seconds, 2), **rows.summary}
        if member == defined.name:
            metadata |= {**rows.metadata, **_pictures(rows, context)}
        yield dg.MaterializeResult(
            asset_key=member, data_version=dg.DataVersion(published.versions[member]), metadata=metadata
        )


def _pictures(rows: Rows, context: dg.AssetExecutionContext) -> dict[str, dg.MetadataValue]:
    """The plots of a table. Dagster has no picture among its metadata: it is Markdown with the image inside."""
    from stegvis.reporting.thumbnails import png

    try:
        drawn = {name: png(svg) for name, svg in rows.pictures().items() if svg}
    except Exception as error:
        # The rows are published: a missing plot must not call them failed. The class only: a text could hold a value.
        context.log.warning("the plots could not be drawn: %s", type(error).__name__)
        return {}
    return {
        name: dg.MetadataValue.md(f"![plot](data:image/png;base64,{base64.b64encode(image).decode()})")
        for name, image in drawn.items()
        if len(image) <= LARGEST_PICTURE
    }
