"""What Dagster's UI shows of a table: checks and their results, columns and where they come from, small plots."""

from __future__ import annotations

import base64
import itertools
import sys
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import dagster as dg

from stegvis.assets.home import PARTITIONS
from stegvis.expectations.expectation import THEMES, CheckResult, Theme
from stegvis.provenance.columns import columns_from
from stegvis.sql import SQL
from stegvis.storage.faults import Fault
from stegvis.storage.publishing import Published
from stegvis.storage.rows import Rows
from stegvis.storage.tables import Table
from stegvis.study.codebook import Codebook
from stegvis.study.dictionary import column_descriptions
from stegvis.study.protocol import Protocol

# Of an asset: whether its rows are about single people, who sees them only where they are stored.
ROWS_TAG = "stegvis/rows"
MOST_ROWS = 100  # of a table in metadata
LARGEST_PICTURE = 100_000  # bytes; a picture is kept in Dagster's event log


def rows_of(member: str) -> str:
    """What the rows of a table are about: ``people`` (an identifier is among its columns) or ``aggregates``."""
    return "people" if "person" in column_descriptions(member) else "aggregates"


def shown_of(defined: Table, member: str) -> dict[str, Any]:
    """What the UI shows of a table's definition: its name in the warehouse, links to its code, a tag."""
    return {
        "metadata": {"dagster/table_name": member, "dagster/code_references": _source_code(defined)},
        "tags": {ROWS_TAG: rows_of(member)},
    }


def _source_code(defined: Table) -> dg.CodeReferencesMetadataValue:
    """Links to a table's module and SELECT, for the editor of whoever runs the UI in a checkout."""
    module, made_by = Path(str(sys.modules[defined.make.__module__].__file__)), defined.make.__code__
    # A table that is one SELECT has no function of its own in its module.
    places = [(module, made_by.co_firstlineno if made_by.co_filename == str(module) else 1)]
    if (select := SQL / f"{defined.name}.sql").is_file():
        places.append((select, 1))
    links: list[dg.LocalFileCodeReference | dg.UrlCodeReference] = [
        dg.LocalFileCodeReference(file_path=str(file), line_number=line, label=file.name) for file, line in places
    ]
    return dg.CodeReferencesMetadataValue(code_references=links)


def check_specs(defined: Table, member: str, protocol: Protocol) -> Iterator[dg.AssetCheckSpec]:
    """The checks of a table: one for each theme that it has expectations of."""
    themes = {each.theme for each in defined.expectations(member, protocol)}
    for theme, description in THEMES.items():
        if theme in themes:
            yield dg.AssetCheckSpec(
                theme,
                asset=member,
                blocking=theme != "plausible",
                partitions_def=PARTITIONS[defined.partition] if defined.partition else None,
                description=description,
            )


def check_results(
    published: Published[CheckResult], faults: Sequence[Fault], declared: Collection[tuple[str, str]] = ()
) -> Iterator[dg.AssetCheckResult]:
    """One result per table and check, with the expectations and the faults of deliveries behind it: counts only.

    A check that is declared, and of which the study has no expectation (of intensity, in one of volume alone), passes:
    Dagster wants a result of each.
    """
    for member, theme in itertools.product(published.results, THEMES):
        mine = [result for result in published.results[member] if result.expectation.theme == theme]
        if mine:
            listed: list[dict[str, str | int | bool | None]] = [
                {
                    "expectation": result.expectation.meaning,
                    "column": result.expectation.column,
                    "passed": result.passed,
                    "failing": result.failing,
                    "of": result.total,
                    "found": result.detail,
                }
                for result in mine
            ]
            yield dg.AssetCheckResult(
                asset_key=member,
                check_name=theme,
                passed=all(result.passed for result in mine),
                severity=_severity(theme, mine),
                metadata=_of_deliveries(faults if theme == "valid" else ())
                | {
                    "expectations": dg.MetadataValue.table([dg.TableRecord(each) for each in listed]),
                    "expectations_failed": sum(not result.passed for result in mine),
                    "failing_rows": sum(result.failing for result in mine),
                },
            )
        elif (member, theme) in declared:
            yield dg.AssetCheckResult(
                asset_key=member, check_name=theme, passed=True, metadata={"expectations": "none in this study"}
            )


def _severity(theme: Theme, results: Sequence[CheckResult]) -> dg.AssetCheckSeverity:
    waits = any(result.waits for result in results)
    return dg.AssetCheckSeverity.WARN if theme == "plausible" and not waits else dg.AssetCheckSeverity.ERROR


def _of_deliveries(faults: Sequence[Fault]) -> dict[str, Any]:
    """What is wrong with deliveries, as a table; nothing if nothing is."""
    if not faults:
        return {}
    records = [dg.TableRecord({**vars(fault), "next": "stegvis validate on the drop"}) for fault in faults[:MOST_ROWS]]
    return {"faults": dg.MetadataValue.table(records)}


def materialize_results(
    defined: Table,
    published: Published[CheckResult],
    rows: Rows,
    context: dg.AssetExecutionContext,
    codebook: Codebook,
    seconds: float,
) -> Iterator[dg.MaterializeResult]:
    """One result per table: rows, columns with their descriptions and sources, counts and small plots."""
    count = "dagster/partition_row_count" if defined.partition else "dagster/row_count"
    for member, content in published.content.items():
        described, lineage = column_descriptions(member), columns_from(member, defined.delivery, codebook)
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
