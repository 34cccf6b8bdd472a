"""Each published claim, held against the current estimates.

Belongs here: reading ``claims.toml``, finding the estimates a claim is about, and the verdict with its evidence. Does
not belong here: what each rule asks of them (``claim_rules.py``), fitting (``stegvis/statistics``), printing
(``stegvis/reporting``).
"""

from __future__ import annotations

import math
import re
import tomllib
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from stegvis.data_files import data_file
from stegvis.study.protocol import Exposure
from stegvis.study.settings import Section

if TYPE_CHECKING:
    import pandas as pd

_EMPTY_CATEGORY = re.compile(r"category (\d) \(empty\)")
COLUMNS = ["wave", "claim", "source", "statement", "verdict", "evidence", "turn"]

RuleName = Literal[
    "lower",
    "agrees",
    "e_value",
    "lowest_of_all",
    "flattens",
    "ratio_lower",
    "more_categories_lower",
    "no_difference",
    "weakened",
    "no_lower_than_middle",
    "nothing_clear",
    "stronger_than_other",
]


class Claim(Section):
    """One published statement as a rule over the fully adjusted estimates."""

    name: str
    source: Literal["paper", "lay summary"]
    statement: str
    rule: RuleName
    exposure: Exposure
    analysis: str = "main"
    populations: tuple[str, ...] = ("all",)
    ranks: tuple[int, ...] = Field(default=(), max_length=3)
    modifier: Literal["older", "sex"] | None = None
    value: float | None = None
    at_least: float | None = None
    at_most: float | None = None
    within: tuple[float, float] | None = None


@cache
def claims() -> tuple[Claim, ...]:
    """The published claims, in the order of the file."""
    text = data_file("claims/claims.toml").read_text(encoding="utf-8")
    return tuple(Claim(**each) for each in tomllib.loads(text)["claim"])


def evaluate_claims(results: pd.DataFrame, wave: str) -> pd.DataFrame:
    """The verdict on each claim from a wave's results.

    Args:
        results: rows of ``results`` of one wave.
        wave: its name.

    Returns:
        One row per claim: wave, claim, source, statement, verdict, evidence, and ``turn``: what would have to change
        for the verdict to turn.
    """
    import pandas as pd

    from stegvis.claims.rules import RULES, UnknownError

    rows: list[tuple[str, ...]] = []
    for claim in claims():
        try:
            judged = RULES[claim.rule](claim, results)
            rows.append((wave, claim.name, claim.source, claim.statement, *judged))
        except UnknownError as reason:
            told = ("unclear", str(reason), "the estimates it rests on would have to be there")
            rows.append((wave, claim.name, claim.source, claim.statement, *told))
    return pd.DataFrame(rows, columns=COLUMNS)


def ranked(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of an exposure's categories as they rise, whatever their labels; an empty one keeps its place."""
    empty = {int(found[1]): r for r in records if (found := _EMPTY_CATEGORY.fullmatch(str(r["level"])))}
    ordered = sorted(
        (r for r in records if not _EMPTY_CATEGORY.fullmatch(str(r["level"]))),
        key=lambda r: level_order(str(r["level"])),
    )
    # The label of an empty category has no bound; its number is its place among the four.
    for place, record in sorted(empty.items()):
        ordered.insert(place - 1, record)
    return ordered


def level_order(label: str) -> float:
    """Where a printed category stands: ``<78`` before ``78-100`` before ``>=125``."""
    number = re.search(r"\d+(\.\d+)?", label)
    if label.startswith("<") or number is None:
        return -math.inf
    return float(number.group())
