"""Terms of a model's right-hand side, and the covariates of the study's two models."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Literal

from stegvis.statistics.levels import Levels
from stegvis.study.protocol import Exposure, Protocol

Model = Literal["age", "adjusted"]
MODELS: tuple[Model, ...] = ("age", "adjusted")


@dataclass(frozen=True)
class Categorical:
    """One indicator per level but the first, which is the reference.

    ``required`` is for the term whose contrasts are reported: without its reference, or with one level only, there is
    nothing to estimate. Absent levels of other terms are omitted. Of a ``covariate`` rare levels are joined
    (``rare_levels``), and it is left out if everybody has the same.
    """

    column: str
    levels: tuple[Hashable, ...]
    required: bool = False
    covariate: bool = False

    def coefficient(self, level: Hashable) -> str:
        """The name of a level's coefficient."""
        return f"{self.column}[{level}]"


@dataclass(frozen=True)
class Linear:
    """One column, divided by ``unit``, so that its coefficient is per unit; a constant ``covariate`` is left out."""

    column: str
    unit: float = 1.0
    covariate: bool = False


Term = Categorical | Linear


def product_coefficient(first: Categorical, one: Hashable, second: Categorical, other: Hashable) -> str:
    """The name of the coefficient of the product of two levels."""
    return f"{first.coefficient(one)}:{second.coefficient(other)}"


def category_term(exposure: Exposure, protocol: Protocol) -> Categorical:
    """The categories of an exposure, the lowest as the reference."""
    return Categorical(f"{exposure}_category", protocol.exposures.scale(exposure).categories, required=True)


def covariate_terms(model: Model, protocol: Protocol, levels: Levels) -> tuple[Term, ...]:
    """The covariates of a model as terms; those without levels are linear."""
    return columns_terms(protocol.models.age if model == "age" else protocol.models.adjusted, levels)


def columns_terms(columns: Iterable[str], levels: Levels) -> tuple[Term, ...]:
    """Columns as terms of covariates; those without levels are linear."""
    return tuple(
        Categorical(column, levels[column], covariate=True) if column in levels else Linear(column, covariate=True)
        for column in columns
    )
