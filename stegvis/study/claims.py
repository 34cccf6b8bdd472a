"""The statements of a study that are evaluated against each wave's estimates (``claims.toml``)."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from stegvis.study.protocol_models import Exposure
from stegvis.study.settings import Section

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
    """One statement and the criterion that tests it on the fully adjusted estimates."""

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


class Claims(Section):
    """The statements, in the order of the file; a study may have none."""

    indivisible = True

    claim: tuple[Claim, ...] = ()

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        names = [each.name for each in self.claim]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two claims are called {', '.join(twice)}")
        return self
