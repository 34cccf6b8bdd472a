"""Analysis ``projection``: what the next wave would add to the pooled estimates, and when they would be precise enough.

The next wave is assumed to bring the protocol's share of the newest wave's responses, with the newest wave's risk, and
ratios are assumed not to change. The closed forms are in ``stegvis.statistics.projection``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from stegvis.disclosure import is_small
from stegvis.statistics.contract import OUTCOME
from stegvis.statistics.projection import detectable_ratio, projected_error, waves_needed
from stegvis.statistics.results import ResultRow, to_frame
from stegvis.statistics.risk_ratio import ratio
from stegvis.study.protocol import Protocol

IDENTITY = ("wave", "population", "model", "exposure", "term", "level", "reference")


def projection_rows(pooled_rows: Sequence[ResultRow], answers: pd.DataFrame, protocol: Protocol) -> list[ResultRow]:
    """``projected_rr``, ``detectable_rr`` and ``waves_needed`` of each pooled ratio.

    Args:
        pooled_rows: of analysis ``pooled``.
        answers: the data they were fitted to: ``wave`` and the outcome, one row per response.
        protocol: the study's protocol.
    """
    newest = answers[answers["wave"] == answers["wave"].max()]
    share = protocol.projection.answer_share
    more = share * float(newest[OUTCOME].sum())
    note = f"assumes a next wave with {share:.0%} of the newest wave's answers, its risk, and the ratio as it is"
    pooled = to_frame(pooled_rows)
    joint = {(row.model, row.exposure): row for row in pooled_rows if row.measure == "p_joint"}
    rows: list[ResultRow] = []
    for (_, found), own in zip(pooled.iterrows(), pooled_rows, strict=True):
        if own.measure != "rr":
            continue
        whole = joint[own.model, own.exposure]
        named: dict[str, Any] = {column: str(found[column]) for column in IDENTITY}
        row = ResultRow(**named, analysis="projection", note=f"{found['note']}; {note}")
        every = replace(row, n=whole.n, events=whole.events, members=whole.members)
        mine = replace(row, measure="projected_rr", n=own.n, events=own.events, members=own.members)
        rows += _projected(mine, every, found, more, protocol)
    return rows


def _projected(row: ResultRow, every: ResultRow, found: pd.Series, more: float, protocol: Protocol) -> list[ResultRow]:
    """The rows of one pooled ratio ``found``: ``row`` with its own counts, ``every`` with those of the whole sample."""
    if row.level == row.reference and found["status"] == "ok":
        return [replace(row, estimate=1.0)]
    detectable, waves = (replace(every, measure=measure) for measure in ("detectable_rr", "waves_needed"))
    counts = pd.Series([row.n, row.events, (row.n or 0) - (row.events or 0)]).to_numpy(dtype="int64")
    small = bool(is_small(counts, protocol.disclosure.smallest_count).any())
    if found["status"] != "ok" or small or not more:
        reason = (
            "there is no pooled estimate to project" if found["status"] != "ok" else "too few people to project from"
        )
        return [each.not_estimable(reason) for each in (row, detectable, waves)]
    confidence, power = protocol.models.confidence, protocol.projection.power
    log_ratio, std_error, events = math.log(found["estimate"]), float(found["std_error"]), every.events or 0
    error = projected_error(std_error, events, more)
    needed = waves_needed(log_ratio, std_error, events, more, confidence, power) if log_ratio else math.inf
    most = protocol.projection.most_waves
    return [
        # Of an estimate that nobody has made there is no E-value.
        row.with_estimate(ratio(log_ratio, error, confidence)),
        replace(detectable, estimate=detectable_ratio(error, confidence, power)),
        replace(waves, estimate=float(needed))
        if needed <= most
        else waves.not_estimable(f"more than {most} further waves, if the ratio stays so near 1"),
    ]
