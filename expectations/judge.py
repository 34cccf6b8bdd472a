"""Run rules over a table with Great Expectations, and keep counts only.

Belongs here: the bridge to Great Expectations, imported late because it takes two seconds. Does not belong here: what
the rules are.
"""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")

import great_expectations as gx
import pandas as pd
from great_expectations.data_context.types.base import (
    DataContextConfig,
    InMemoryStoreBackendDefaults,
    ProgressBarsConfig,
)

from stegvis.expectations.rules import Rule, Verdict

if TYPE_CHECKING:
    from great_expectations.datasource.fluent.interfaces import Batch

# Counts, never a value: the default results carry examples of what failed.
_COUNTS_ONLY: dict[str, Any] = {"result_format": "SUMMARY", "partial_unexpected_count": 0}

logging.getLogger("great_expectations").setLevel(logging.WARNING)


class BrokenRuleError(RuntimeError):
    """A rule could not be evaluated at all: a fault of the rule or of the table's columns, not of its values."""


def judge(rules: Sequence[Rule], rows: pd.DataFrame, summary: Mapping[str, float]) -> list[Verdict]:
    """Judge a table's rows and the summary of its making.

    Args:
        rules: what must be true.
        rows: the table.
        summary: counts about its making, judged as a table of one row.

    Raises:
        BrokenRuleError: a rule could not be evaluated.
    """
    if not rules:
        return []
    # Without its own documentation site, which would leave a temporary folder behind each time.
    in_memory = InMemoryStoreBackendDefaults(init_temp_docs_sites=False)
    context = gx.get_context(mode="ephemeral", project_config=DataContextConfig(store_backend_defaults=in_memory))
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    verdicts: dict[int, Verdict] = {}
    for about, frame in (("rows", rows), ("summary", pd.DataFrame([dict(summary)]))):
        mine = [(place, rule) for place, rule in enumerate(rules) if rule.about == about]
        if not mine:
            continue
        batch = (
            context.data_sources.add_pandas(about)
            .add_dataframe_asset(about)
            .add_batch_definition_whole_dataframe(about)
            .get_batch(batch_parameters={"dataframe": frame})
        )
        verdicts |= zip(
            (place for place, _ in mine), _together(batch, [rule for _, rule in mine], len(frame)), strict=True
        )
    return [verdicts[place] for place in sorted(verdicts)]


def _together(batch: Batch, rules: Sequence[Rule], rows: int) -> list[Verdict]:
    """Rules over one batch, judged in one pass."""
    from great_expectations.expectations.registry import get_expectation_impl

    # The place keeps two rules apart that ask the same of the rows, and finds each one's result again.
    asked = [
        get_expectation_impl(rule.expectation)(**rule.arguments, meta={"place": place})
        for place, rule in enumerate(rules)
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        answers = batch.validate(gx.ExpectationSuite("rules", expectations=asked), result_format=_COUNTS_ONLY).results
    by_place = {answer.expectation_config.meta["place"]: answer for answer in answers if answer.expectation_config}
    return [_verdict(rule, by_place[place], rows) for place, rule in enumerate(rules)]


def _verdict(rule: Rule, answer: Any, rows: int) -> Verdict:
    if answer.exception_info and _raised(answer.exception_info):
        raise BrokenRuleError(f"the rule '{rule.meaning}' ({rule.expectation}) could not be evaluated")
    counted = (answer.result or {}).get("unexpected_count")
    failing = int(counted) if counted is not None else int(not answer.success)
    return Verdict(rule, bool(answer.success), failing, rows)


def _raised(info: Any) -> bool:
    if isinstance(info, Mapping):
        if "raised_exception" in info:
            return bool(info["raised_exception"])
        return any(_raised(value) for value in info.values())
    return False
