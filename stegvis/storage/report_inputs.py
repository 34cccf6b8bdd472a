"""What the pages of a wave show, read from its published tables and check results."""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from stegvis.analyses.declared import declared_estimates
from stegvis.disclosure.checks import carried_forward, without_small
from stegvis.reporting.inputs import WaveReport
from stegvis.reporting.steps import described
from stegvis.reporting.words import Words
from stegvis.reproduction.commands import commands
from stegvis.statistics.levels import covariate_levels
from stegvis.storage.releases import published_checks
from stegvis.storage.sources import Sources
from stegvis.study.study import PROTOCOL, Study
from stegvis.study.texts import covariate_labels

SHOWN = (
    "baseline_questionnaire", "vital_status", "recordings", "followup_questionnaire", "cohort", "epoch_classification",
    "daily_exposures", "walking_exposures", "outcome_questionnaire", "exclusions", "attrition", "analysis_set",
    "fitted_models", "characteristics", "disclosure", "claims",
)  # fmt: skip


# They compare waves, so they are on the index: a wave's page would change with every later wave.
ACROSS = ("wave_drift", "pooled_models")


def wave_report(connection: duckdb.DuckDBPyConnection, sources: Sources, wave: str) -> WaveReport:
    """What the pages of a wave show: its published tables (``assets/disclosure.py``)."""
    steps = connection.execute("select * from published_attrition where wave = ? order by step", [wave]).df()
    results = connection.execute("select * from published_results where wave = ? order by rowid", [wave]).df()
    table_one = connection.execute("select * from published_characteristics where wave = ? order by rowid", [wave]).df()
    words = study_words(sources.study)
    return WaveReport(
        wave=wave,
        synthetic=sources.landing.synthetic,
        exclusion_steps=described(steps, words),
        characteristics=table_one,
        results=results,
        checks=checks_to_publish(connection, sources, wave),
        claims=records(connection, "select * exclude wave from claims where wave = ? order by rowid", [wave]),
        provenance=provenance(sources),
        protocol=sources.protocol,
        about=sources.study.about,
        texts=words.texts,
        labels=words.labels,
        published=sources.study.published.numbers,
        histogram=connection.execute("select * from published_histogram where wave = ? order by rowid", [wave]).df(),
        commands=commands(results, sources.protocol, covariate_levels(sources.codebook)),
        declared=declared_estimates(results, wave, sources.protocol),
    )


def study_words(study: Study) -> Words:
    """What a study is called in English."""
    return Words(study.texts, study.protocol, "en", covariate_labels(study.codebook))


def checks_to_publish(
    connection: duckdb.DuckDBPyConnection, sources: Sources, wave: str | None
) -> list[dict[str, Any]]:
    """The check results behind a wave (or all), without small counts; those published before as they were published."""
    checks = without_small(checks_of(connection, wave), sources.protocol)
    # Sorted as published: the order of today's results would say what has changed since.
    return sorted(carried_forward(checks, published_checks(sources.home.releases)), key=_place)


def _place(check: Mapping[str, Any]) -> tuple[str, ...]:
    """A total order, the failed ones first: the same checks must give the same release."""
    names = ("severity", "asset", "meaning", "partition", "check", "rule")
    return (str(int(check["passed"])), *(str(check[name] or "") for name in names))


def checks_of(connection: duckdb.DuckDBPyConnection, wave: str | None) -> list[dict[str, Any]]:
    """The check results behind a wave (or all), one per table and expectation; those of batches are summed."""
    return records(
        connection,
        """
        select
            asset,
            if(bool_or(partition <> '' and partition = coalesce($wave, partition) and not is_batch), max(partition), '')
                as partition,
            rule as "check",
            bool_and(passed) as passed,
            severity,
            sum(failing)::bigint as failing,
            any_value(column_name) as rule,
            meaning
        from (
            select *, asset in ('recordings', 'epoch_classification', 'daily_exposures') as is_batch
            from checks
        )
        where list_contains($shown, asset)
            and ($wave is null or partition in ('', $wave) or is_batch)
        group by asset, rule, column_name, meaning, severity, if(is_batch, '', partition)
        """,
        {"wave": wave, "shown": list(SHOWN if wave else (*SHOWN, *ACROSS))},
    )


def provenance(sources: Sources) -> dict[str, Any]:
    """What decides the numbers besides the deliveries."""
    return {
        "release": None,
        "created": None,
        "protocol_hash": hashlib.sha256((sources.home.study / PROTOCOL).read_bytes()).hexdigest(),
        "code_hash": source_digest(),
        "mode": sources.protocol.study.mode,
        "packages": {},
        "published": [],
    }


def source_digest() -> str:
    """One hash over every source file of the package."""
    digest = hashlib.sha256()
    for package in ("stegvis", "stegvis.assets", "stegvis.expectations", "stegvis.orchestration", "stegvis.sql"):
        folder = Path(importlib.import_module(package).__file__ or "").parent
        for file in sorted(folder.rglob("*")):
            if file.suffix in {".py", ".sql", ".toml", ".j2", ".css", ".js", ".npz", ".ttf"}:
                digest.update(f"{file.relative_to(folder)}\0".encode() + file.read_bytes() + b"\0")
    return digest.hexdigest()


def records(
    connection: duckdb.DuckDBPyConnection, query: str, parameters: list[Any] | dict[str, Any] | None = None
) -> list[dict[str, Any]]:
    """The rows of a query as dictionaries."""
    return as_records(connection.execute(query, parameters or []).df())


def as_records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """A frame's rows as dictionaries of plain values, None where missing."""
    columns = {str(name): [_plain(value) for value in frame[name]] for name in frame}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _plain(value: Any) -> Any:
    if pd.isna(value):
        return None
    return value.item() if hasattr(value, "item") else value
