"""Each published claim, held against the current estimates.

Belongs here: reading ``claims.toml`` and the rules that turn an interval into a verdict. Does not belong here: fitting
(``study/statistics``), printing (``study/reporting``).
"""

from __future__ import annotations

import math
import re
import tomllib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from study.protocol import Exposure
from study.settings import Section

if TYPE_CHECKING:
    import pandas as pd

CLAIMS_FILE = Path(__file__).with_name("claims.toml")
_EMPTY_CATEGORY = re.compile(r"category (\d) \(empty\)")
COLUMNS = ["wave", "claim", "statement", "verdict", "evidence"]

Verdict = Literal["supported", "not supported", "unclear"]


class Claim(Section):
    """One published statement as a rule over the adjusted risk ratios."""

    name: str
    statement: str
    exposure: Exposure
    rank: int = Field(ge=2, le=4)
    expect: Literal["lower", "e_value"]
    at_least: float | None = None


@cache
def claims() -> tuple[Claim, ...]:
    """The published claims, in the order of the file."""
    return tuple(Claim(**c) for c in tomllib.loads(CLAIMS_FILE.read_text(encoding="utf-8"))["claim"])


def judge_claims(results: pd.DataFrame, wave: str) -> pd.DataFrame:
    """The verdict on each claim from a wave's results.

    Args:
        results: rows of ``results`` of one wave.
        wave: its name.

    Returns:
        One row per claim: wave, claim, statement, verdict, evidence.
    """
    import pandas as pd

    rows = []
    for claim in claims():
        verdict, evidence = _judge(claim, results)
        rows.append((wave, claim.name, claim.statement, verdict, evidence))
    return pd.DataFrame(rows, columns=COLUMNS)


def _judge(claim: Claim, results: pd.DataFrame) -> tuple[Verdict, str]:
    row = _contrast(claim, results)
    if row is None:
        return "unclear", "the estimate is not among the results"
    if row["status"] != "ok":
        return "unclear", f"the estimate is {str(row['status']).replace('_', ' ')}"
    low, high = float(row["ci_low"]), float(row["ci_high"])
    shown = (
        f"RR {float(row['estimate']):.2f} (95% CI {low:.2f} to {high:.2f}), {row['level']} against {row['reference']}"
    )
    if claim.expect == "e_value":
        limit = float(row["e_value_ci"])
        shown = f"E-value of the limit {limit:.2f}; {shown}"
        if math.isnan(limit):
            return "unclear", shown
        return ("supported" if limit >= (claim.at_least or 1.0) else "not supported"), shown
    if high < 1:
        return "supported", shown
    if low > 1:
        return "not supported", shown
    return "unclear", shown


def _contrast(claim: Claim, results: pd.DataFrame) -> dict[str, Any] | None:
    rows = results[
        (results["analysis"] == "main")
        & (results["population"] == "all")
        & (results["model"] == "adjusted")
        & (results["exposure"] == claim.exposure)
        & (results["measure"] == "rr")
    ]
    records: list[dict[str, Any]] = [dict(row) for _, row in rows.iterrows()]
    empty = {int(found[1]): r for r in records if (found := _EMPTY_CATEGORY.fullmatch(str(r["level"])))}
    ordered = sorted(
        (r for r in records if not _EMPTY_CATEGORY.fullmatch(str(r["level"]))),
        key=lambda r: level_order(str(r["level"])),
    )
    # The label of an empty category has no bound; its number is its place among the four.
    for place, record in sorted(empty.items()):
        ordered.insert(place - 1, record)
    return ordered[claim.rank - 1] if len(ordered) >= claim.rank else None


def level_order(label: str) -> float:
    """Where a printed category stands: ``<78`` before ``78-100`` before ``>=125``."""
    number = re.search(r"\d+(\.\d+)?", label)
    if label.startswith("<") or number is None:
        return -math.inf
    return float(number.group())
