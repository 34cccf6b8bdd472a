"""One decorator that makes a Dagster asset of a function which returns a table's rows.

Every table takes the same path: the home is locked, the function runs, its rows are staged and evaluated against their
expectations, and they replace the published rows in one transaction, together with a record of what they were made
from. If a critical expectation fails, the last good rows stay and the run fails with its meaning.
"""

# No postponed annotations here: Dagster reads the type of ``context`` when the asset is defined.
import inspect
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import dagster as dg

from stegvis.assets.home import StegvisHome
from stegvis.assets.ui import check_results, check_specs, materialize_results, shown_of
from stegvis.expectations.expectation import columns_read, measured, settled
from stegvis.provenance.fingerprint import fingerprint
from stegvis.sql import sql_text
from stegvis.storage.lock import locked
from stegvis.storage.process import this_process
from stegvis.storage.publishing import publish, waiting_items
from stegvis.storage.reader import Reader
from stegvis.storage.rows import Rows
from stegvis.storage.tables import Records, Table, changed_while_read, inputs
from stegvis.storage.unexpected import describe_error
from stegvis.storage.warehouse import Warehouse
from stegvis.study.study import Study

PROCESS_TAG = "stegvis/process"
TABLES: dict[str, Table] = {}  # by the name of each member
# For what is defined at import, before there is a home; a materialization reads the study of its home.
_FIRST = Study.shipped()

Dependency = dg.AssetsDefinition | dg.AssetSpec


def table(
    *,
    deps: Sequence[Dependency],
    group_name: str,
    kinds: set[str],
    partitions_def: dg.DynamicPartitionsDefinition | None = None,
    owners: Sequence[str] = ("team:data",),
    also: Mapping[str, str] | None = None,
    until_accepted: bool = False,
) -> Callable[[Callable[..., Any]], dg.AssetsDefinition]:
    """Make an asset of a function that returns a table's rows: a frame, a SELECT, or ``Rows``.

    The function may take ``context``, ``warehouse`` (a ``Reader`` of the tables it depends on), ``study`` (what is read
    of it is recorded), ``home``, and ``made`` (the tables that the run makes). Its docstring describes the asset.

    Args:
        deps: the tables and deliveries it is made from.
        partitions_def: waves, batches, or none.
        group_name: of the graph; ``kinds`` and ``owners`` (teams) are shown there, too.
        also: further tables that the function makes, each with its description.
        until_accepted: a new wave or batch that is far from what is expected waits until a named person accepts it.
    """
    shown: Any = {"group_name": group_name, "kinds": kinds, "owners": list(owners), "partitions_def": partitions_def}
    above = [spec for dep in deps for spec in (dep.specs if isinstance(dep, dg.AssetsDefinition) else [dep])]

    def decorate(make: Callable[..., Any]) -> dg.AssetsDefinition:
        described = {make.__name__: inspect.getdoc(make), **(also or {})}
        defined = _define(make, tuple(described), deps, partitions_def, until_accepted)
        code_version = fingerprint(defined.method(_FIRST))

        @dg.multi_asset(
            name=defined.name,
            specs=[
                dg.AssetSpec(
                    member,
                    deps=[_dependency(spec, partitions_def) for spec in above],
                    description=description,
                    code_version=code_version,
                    **(shown | shown_of(defined, member)),
                )
                for member, description in described.items()
            ],
            check_specs=[spec for member in described for spec in check_specs(defined, member, _FIRST.protocol)],
            pool="warehouse",  # it has one writer at a time
        )
        def made(context: dg.AssetExecutionContext, home: StegvisHome) -> Iterator[Any]:
            key = context.partition_key if partitions_def else ""
            # The run names its process, so that it can be ended when that is killed.
            if PROCESS_TAG not in context.run.tags:
                context.instance.add_run_tags(context.run.run_id, {PROCESS_TAG: this_process()})
            # One table at a time in a home: a second one would be made from tables that change meanwhile.
            what, on_wait = f"{defined.name} {key}".strip(), partial(context.log.info, "waiting for %s")
            with locked(home.home().refresh_lock, what, wait_seconds=None, on_wait=on_wait, reentrant=True):
                yield from _materialize(defined, key, context, home)

        return made

    return decorate


def sql_table(name: str, description: str, **options: Any) -> dg.AssetsDefinition:
    """An asset whose rows are exactly those of ``sql/<name>.sql``; ``options`` as for ``table``."""

    def make() -> str:
        return sql_text(name)

    make.__name__, make.__doc__, make.__module__ = name, description, f"stegvis.assets.{name}"
    return table(kinds={"duckdb", "sql"}, **options)(make)


def _define(
    make: Callable[..., Any],
    members: tuple[str, ...],
    deps: Sequence[Dependency],
    partitions_def: dg.DynamicPartitionsDefinition | None,
    until_accepted: bool,
) -> Table:
    kind: Any = partitions_def.name if partitions_def else None
    delivery: Any = next((dep.key.path[1] for dep in deps if isinstance(dep, dg.AssetSpec)), None)
    upstream = tuple(TABLES[dep.node_def.name] for dep in deps if isinstance(dep, dg.AssetsDefinition))
    defined = Table(members[0], members, make, kind, upstream, delivery, until_accepted)
    TABLES.update(dict.fromkeys(members, defined))
    return defined


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
    home, study = resource.home(), Study.of(resource.home().root)
    place = f"{defined.name} [{key}]" if key else defined.name
    method = defined.method(study)
    records = Records(home)
    data, absent = inputs(defined, key, records, landing := resource.landing())
    if absent:
        raise dg.Failure(f"{place} cannot be made before {', '.join(absent)}", allow_retries=False)
    recorded = study.recording()
    reader = Reader(Warehouse(home), defined.name, defined.readable, defined.rows_of(key), recorded, defined.delivery)
    failure: dg.Failure | None = None
    try:
        made = {key.to_user_string() for key in context.run.asset_selection or ()}
        offered = {"context": context, "warehouse": reader, "study": recorded, "home": resource, "made": made}
        rows = Rows.of(defined.make(**{name: offered[name] for name in inspect.signature(defined.make).parameters}))
        if why := changed_while_read(defined, key, landing):
            raise dg.Failure(f"{place} was not published: {why}", allow_retries=False)
        waiting = waiting_items(defined, key, rows, data, records)
        published = publish(
            defined,
            reader,
            rows,
            lambda member, frame, summary: settled(
                evaluate(measured(defined.expectations(member, study.protocol), summary), frame, summary),
                {each.item: each.sentence() for each in rows.compared},
                {each.item for each in waiting},
            ),
            lambda member, columns: columns_read(defined.expectations(member, study.protocol), columns),
            lambda: method | data | recorded.reads,
            context.run.run_id,
            waiting,
        )
        if rows.scratch:
            shutil.rmtree(rows.scratch, ignore_errors=True)
    except Exception as error:
        message, where = describe_error(error)
        unexpected = dg.Failure(message, metadata={"where": dg.MetadataValue.md(where)}, allow_retries=False)
        failure = error if isinstance(error, dg.Failure) else unexpected
    if failure:
        raise failure from None  # or Dagster would record the error it came from, whose text could hold a person's data
    records.forget()
    checks = {(each, spec.name) for each in published.results for spec in check_specs(defined, each, _FIRST.protocol)}
    yield from check_results(published, records.faults(defined.name, key) if rows.problems is not None else (), checks)
    if not published.ok:
        failed = "; ".join(records.why_refused(defined, key))
        raise dg.Failure(f"{place} was not published: {failed}. The last good rows stay.", allow_retries=False)
    yield from materialize_results(defined, published, rows, context, study.codebook, time.perf_counter() - started)
