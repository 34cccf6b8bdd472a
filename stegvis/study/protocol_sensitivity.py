"""The protocol's sensitivity analyses: restrictions, additions, other outcomes."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from stegvis.study.settings import Section

Mode = Literal["as_published", "strict"]


class Restriction(Section):
    """Which people are in a sample.

    Attributes:
        column: of the analysis set.
        known: whether it must be known, whatever its value is.
        levels: those that are kept.
        or_unknown: whether people of whom it is not known are kept with the levels.
        at_least: the smallest number that is kept.
        below: numbers below this are kept.
    """

    column: str
    known: bool = False
    levels: tuple[str, ...] = ()
    or_unknown: bool = False
    at_least: int | float | None = None
    below: int | float | None = None

    @model_validator(mode="after")
    def _one_rule(self) -> Self:
        ranged = self.at_least is not None or self.below is not None
        if self.known + bool(self.levels) + ranged != 1:
            raise ValueError("a restriction has known = true, levels, or at_least and below")
        if self.or_unknown and not self.levels:
            raise ValueError("or_unknown belongs to levels")
        return self


class SensitivityEntry(Section):
    """One analysis ``sensitivity:<name>``.

    Attributes:
        name: after ``sensitivity:``.
        population: name of the sample in the results.
        where: restrictions that everybody in the sample meets.
        add: columns added to the adjusted model: numbers, or covariates of the codebook.
        curved: numbers of the models that enter as restricted cubic splines, with as many knots as ``spline``.
        outcome: another outcome: a column of the analysis set with 0 and 1.
        note: a remark for the results.
        answer: the entry is one of two answers to the same question. That of the protocol's mode has the plain name,
            the other ``<name>_<answer>``.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    population: str = Field(min_length=1)
    where: tuple[Restriction, ...] = ()
    add: tuple[str, ...] = ()
    curved: tuple[str, ...] = ()
    outcome: str | None = None
    note: str = ""
    answer: Mode | None = None

    @model_validator(mode="after")
    def _differs(self) -> Self:
        if not (self.where or self.add or self.curved or self.outcome):
            raise ValueError(f"{self.name} is the main analysis: give where, add, curved or outcome")
        return self
