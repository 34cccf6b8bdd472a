"""The published claims (``claims.toml``), and the order of the categories they name."""

from __future__ import annotations

import math
import re
import tomllib
from functools import cache
from typing import Any, Literal

from pydantic import Field

from stegvis.data_files import data_file
from stegvis.study.protocol import Exposure
from stegvis.study.settings import Section

_EMPTY_CATEGORY = re.compile(r"category (\d) \(empty\)")

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
    """One published statement and the criterion that tests it on the fully adjusted estimates."""

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


def ranked(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of an exposure's categories in ascending order; an empty category keeps its position."""
    empty = {int(found[1]): r for r in records if (found := _EMPTY_CATEGORY.fullmatch(str(r["level"])))}
    ordered = sorted(
        (r for r in records if not _EMPTY_CATEGORY.fullmatch(str(r["level"]))),
        key=lambda r: level_order(str(r["level"])),
    )
    # The label of an empty category has no bound; its number is its position among the four.
    for position, record in sorted(empty.items()):
        ordered.insert(position - 1, record)
    return ordered


def level_order(label: str) -> float:
    """The position of a category label: ``<78`` before ``78-100`` before ``>=125``."""
    number = re.search(r"\d+(\.\d+)?", label)
    if label.startswith("<") or number is None:
        return -math.inf
    return float(number.group())
