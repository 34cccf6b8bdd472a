"""The twin's deaths and emigrations as parameters: a part of ``parameters.toml``."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from stegvis.study.settings import Section


class Hazard(Section):
    """A rate of deaths or emigrations that grows or falls with age by a constant factor a year (Gompertz).

    Attributes:
        per_year: of women of average health at the age ``at_age``.
        at_age: years.
        growth_per_year: log ratio by year of age.
        men_against_women: ratio of rates.
        health: log ratio by SD of health.
    """

    per_year: float = Field(gt=0)
    at_age: float
    growth_per_year: float
    men_against_women: float = Field(gt=0)
    health: float


class Registry(Section):
    """What a register of the population knows: who died or emigrated; and the formats of its extracts in turn."""

    formats: tuple[Literal["csv", "parquet", "sav", "dta"], ...] = Field(min_length=1)
    death: Hazard
    emigration: Hazard
