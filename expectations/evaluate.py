"""Evaluate expectations with Great Expectations, and keep counts only.

Import it where it is used: Great Expectations takes two seconds to import.
"""

from __future__ import annotations

import logging
import os
import sys
import warnings
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from stegvis.lazy_import import load_when_used

os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
# It imports scipy.stats, which takes half a second, for expectations that are not used here.
if "scipy.stats" not in sys.modules:
    load_when_used("scipy", "stats")

import great_expectations as gx
import pandas as pd
from great_expectations.data_context.types.base import (
    DataContextConfig,
    InMemoryStoreBackendDefaults,
    ProgressBarsConfig,
)

from stegvis.expectations.expectation import CheckResult, Expectation

if TYPE_CHECKING:
    from great_expectations.core.batch_definition import BatchDefinition
    from great_expectations.datasource.fluent.interfaces import Batch

# Counts, never a value: the default results carry examples of what failed.
_COUNTS_ONLY: dict[str, Any] = {"result_format": "SUMMARY", "partial_unexpected_count": 0}

logging.getLogger("great_expectations").setLevel(logging.WARNING)


class BrokenExpectationError(RuntimeError):
    """An expectation could not be evaluated: it is wrong itself, or a column that it names is absent."""


def evaluate(
    expectations: Sequence[Expectation], rows: pd.DataFrame, summary: Mapping[str, float]
) -> list[CheckResult]:
    """Evaluate the expectations of a table's rows and of the summary of its making.

    Args:
        expectations: what must be true.
        rows: the table.
        summary: counts about its making, evaluated as a table of one row.

    Raises:
        BrokenExpectationError: an expectation could not be evaluated.
    """
    if not expectations:
        return []
    results: dict[int, CheckResult] = {}
    for about, frame in (("rows", rows), ("summary", pd.DataFrame([dict(summary)]))):
        mine = [(place, each) for place, each in enumerate(expectations) if each.about == about]
        if not mine:
            continue
        batch = _batches().get_batch(batch_parameters={"dataframe": frame})
        results |= zip(
            (place for place, _ in mine), _together(batch, [each for _, each in mine], len(frame)), strict=True
        )
    return [results[place] for place in sorted(results)]


@cache
def _batches() -> BatchDefinition:
    """What makes a batch of a frame: the same for all, since making it costs as much as most evaluations."""
    # Without its own documentation site, which would leave a temporary folder behind.
    in_memory = InMemoryStoreBackendDefaults(init_temp_docs_sites=False)
    context = gx.get_context(mode="ephemeral", project_config=DataContextConfig(store_backend_defaults=in_memory))
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    asset = context.data_sources.add_pandas("home").add_dataframe_asset("table")
    return asset.add_batch_definition_whole_dataframe("rows")


def _together(batch: Batch, expectations: Sequence[Expectation], rows: int) -> list[CheckResult]:
    """Evaluate expectations of one batch in one pass."""
    from great_expectations.expectations.registry import get_expectation_impl

    # The place keeps two expectations apart that ask the same of the rows, and finds each one's result again.
    asked = [
        get_expectation_impl(each.type_name)(**each.arguments, meta={"place": place})
        for place, each in enumerate(expectations)
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        answers = batch.validate(gx.ExpectationSuite("table", expectations=asked), result_format=_COUNTS_ONLY).results
    by_place = {answer.expectation_config.meta["place"]: answer for answer in answers if answer.expectation_config}
    return [_result(each, by_place[place], rows) for place, each in enumerate(expectations)]


def _result(expected: Expectation, answer: Any, rows: int) -> CheckResult:
    if answer.exception_info and _raised(answer.exception_info):
        raise BrokenExpectationError(
            f"the expectation '{expected.meaning}' ({expected.type_name}) could not be evaluated"
        )
    counted = (answer.result or {}).get("unexpected_count")
    failing = int(counted) if counted is not None else int(not answer.success)
    return CheckResult(expected, bool(answer.success), failing, rows)


def _raised(info: Any) -> bool:
    if isinstance(info, Mapping):
        if "raised_exception" in info:
            return bool(info["raised_exception"])
        return any(_raised(value) for value in info.values())
    return False
