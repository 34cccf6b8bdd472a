"""Who runs a study (``study.toml``), and what was published of it before (``published.toml``)."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from stegvis.study.settings import Section


class About(Section):
    """Who runs the study, whom to contact, and how to cite it.

    Attributes:
        name: of the study among those that come with the program, whose protocol this one is compared with; another
            name for a study of one's own.
        licence: of the released tables and pages.
        link: an address with more about the study.
        cite: how to cite it.
        next_wave: when the next follow-up is expected, in words; empty where that is not known.
    """

    name: str = Field(min_length=1)
    run_by: str = Field(min_length=1)
    contact: str = Field(min_length=1)
    licence: str
    link: str = ""
    cite: str
    next_wave: str = ""


class PrintedRatios(Section):
    """The published risk ratios of an exposure, as printed: each level against the reference."""

    reference: str
    levels: tuple[str, ...]
    ratios: tuple[str, ...]

    @model_validator(mode="after")
    def _one_of_each(self) -> Self:
        if len(self.levels) != len(self.ratios):
            raise ValueError("levels and ratios are not equally many")
        return self


Counterpart = Literal[
    "included", "table-1", "results", "curves", "joint", "certainty", "mutual", "strata", "sensitivity"
]


class PublishedItem(Section):
    """A published table or figure: what it is, the section that has its counterpart, and where in that section."""

    item: str = Field(min_length=1)
    section: Counterpart
    where: str = ""


class Published(Section):
    """The numbers that the study published before, as printed, and its tables and figures."""

    indivisible = True

    reference: str
    remark: str
    people: str
    cases: str
    women: str
    age: str
    valid_days: str
    follow_up_years: str
    walking_minutes: PrintedRatios
    walking_met: PrintedRatios | None = None
    items: tuple[PublishedItem, ...] = ()


class PublishedBefore(Section):
    """What was published before; nothing where the study has no ``published.toml``."""

    indivisible = True

    numbers: Published | None = None
