"""The statements of a study that are evaluated against each wave's estimates (``claims.toml``)."""

from __future__ import annotations

import re
from typing import Literal, Self

from pydantic import Field, model_validator

from stegvis.study.protocol_models import Exposure
from stegvis.study.settings import Section

# The label of a category: below a bound, between two, or from one on.
LABEL = r"(?:<|>=)\d+(?:\.\d+)?|\d+(?:\.\d+)?-\d+(?:\.\d+)?"
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

# Statements that there is no difference, which a margin can support.
OF_NO_DIFFERENCE = ("no_difference", "nothing_clear")


class Claim(Section):
    """One statement and the criterion that tests it on the fully adjusted estimates.

    Attributes:
        margin: of a statement of no difference, the smallest and the largest ratio that count as none.
        within: bounds of the same kind beside the test of interaction, for a statement without a margin.
    """

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
    margin: tuple[float, float] | None = None

    @model_validator(mode="after")
    def _margin_around_1(self) -> Self:
        if self.margin is None:
            return self
        if self.rule not in OF_NO_DIFFERENCE:
            raise ValueError(f"{self.name}: margin belongs to the rules {' and '.join(OF_NO_DIFFERENCE)}")
        if not 0 < self.margin[0] < 1 < self.margin[1]:
            raise ValueError(f"{self.name}: margin is two ratios, one below 1 and one above")
        if self.within is not None:
            raise ValueError(f"{self.name}: margin takes the place of within: give one of them")
        return self


class Categories(Section):
    """The categories of an exposure that the statements are about, by value.

    Attributes:
        levels: their labels in ascending order, the reference first: ``<78``, ``78-100``, ``>=125``.
        tolerance: how far a bound of a wave's category may be from that of the label, in the exposure's unit.
    """

    levels: tuple[str, ...] = Field(min_length=2, max_length=6)
    tolerance: float = Field(ge=0)

    @model_validator(mode="after")
    def _have_bounds(self) -> Self:
        without = [level for level in self.levels if not re.fullmatch(LABEL, level)]
        if without:
            raise ValueError(f"{without[0]} is no category such as <78, 78-100 or >=125")
        return self


class Claims(Section):
    """The statements, in the order of the file; a study may have none.

    Attributes:
        categories: by exposure, the categories that the ranks of the statements mean; without them a rank is that of
            the wave's own categories, whatever their values.
    """

    indivisible = True

    claim: tuple[Claim, ...] = ()
    categories: dict[Exposure, Categories] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        names = [each.name for each in self.claim]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two claims are called {', '.join(twice)}")
        return self
