"""The section of the protocol that says what was asked first: one primary estimate, and secondary ones.

Every other estimate of a wave is exploratory. Categories are named by their number from the lowest, since their labels
are cut points of a sample that nobody knows beforehand.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field, model_validator

from stegvis.study.protocol_models import EXPOSURES, Exposure
from stegvis.study.settings import Section

if TYPE_CHECKING:
    from stegvis.study.codebook import Codebook
    from stegvis.study.protocol import Protocol

PRIMARY, SECONDARY = "primary", "secondary"
# Analyses with a risk ratio for each category in everyone, and what they are in words; those of the protocol's and
# the codebook's entries are sensitivity:<name> and outcome:<name>.
OF_CATEGORIES = {
    "main": "main analysis",
    "fixed_cuts": "categories with fixed cuts",
    "mutual": "adjusted for the other exposure",
    "mutual_categories": "adjusted for the categories of the other exposure",
    "attrition_weighted": "weighted for loss to follow-up",
    "imputed": "missing answers imputed",
}
# By the ending of its term, what a trend is taken over.
TRENDS = {"median": "category medians", "ordinal": "category numbers", "linear": "the exposure itself"}
ENTRIES = ("sensitivity", "outcome")
# Analyses that need two exposures, and those without an age-adjusted model.
OF_TWO_EXPOSURES = ("mutual", "mutual_categories")


class DeclaredEstimate(Section):
    """One estimate, by what is known of its row before the data are.

    Attributes:
        analysis: of ``OF_CATEGORIES``, ``trend``, ``sensitivity:<name>`` or ``outcome:<name>``.
        exposure: which exposure.
        model: ``adjusted`` or ``age``.
        measure: ``rr``, or ``p_joint`` for the test of all categories together.
        category: of a risk ratio, the number of the category from the lowest, which is 1 and the reference.
        trend: of ``trend``, what it is taken over.
    """

    analysis: str = Field(default="main", min_length=1)
    exposure: Exposure
    model: Literal["adjusted", "age"] = "adjusted"
    measure: Literal["rr", "p_joint"] = "rr"
    category: int | None = Field(default=None, ge=2)
    trend: Literal["median", "ordinal", "linear"] | None = None

    @model_validator(mode="after")
    def _one_row(self) -> Self:
        if (self.trend is not None) != (self.analysis == "trend"):
            raise ValueError("analysis trend needs trend = median, ordinal or linear, and no other analysis has it")
        of_category = self.analysis != "trend" and self.measure == "rr"
        if of_category and self.category is None:
            raise ValueError("a risk ratio of categories needs category, its number from the lowest (2 or more)")
        if not of_category and self.category is not None:
            raise ValueError("category belongs to a risk ratio of categories: not to a trend, nor to p_joint")
        if self.analysis == "trend" and self.measure != "rr":
            raise ValueError("a trend has the measure rr")
        if self.model == "age" and self.analysis in OF_TWO_EXPOSURES:
            raise ValueError(f"{self.analysis} has the adjusted model only")
        return self

    @property
    def term(self) -> str:
        """The term of its row of results."""
        return f"{self.exposure}_{self.trend or 'category'}"


class Estimates(Section):
    """What was asked first.

    Attributes:
        primary: the one primary estimate; None declares none, and then every estimate is exploratory.
        secondary: the secondary estimates, in their order.
    """

    indivisible = True

    primary: DeclaredEstimate | None = None
    secondary: tuple[DeclaredEstimate, ...] = ()

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        if self.secondary and self.primary is None:
            raise ValueError("there are secondary estimates and no primary one: declare primary, too")
        seen: list[str] = []
        for purpose, each in self.declared():
            key = repr(each)
            if key in seen:
                raise ValueError(f"{purpose} names an estimate that is declared already ({each.analysis}, {each.term})")
            seen.append(key)
        return self

    def declared(self) -> list[tuple[str, DeclaredEstimate]]:
        """Each declared estimate with its purpose, the primary one first."""
        first = [(PRIMARY, self.primary)] if self.primary is not None else []
        return [*first, *((SECONDARY, each) for each in self.secondary)]


def estimate_contradictions(protocol: Protocol, codebook: Codebook) -> Iterator[str]:
    """Declared estimates that the study cannot have, with file and key, and what there is."""
    names = protocol.exposures.names
    known = (*OF_CATEGORIES, "trend", *_entries(protocol, codebook))
    for place, (purpose, each) in enumerate(protocol.estimates.declared()):
        # Counted from 0, as in the errors of single values.
        key = f"protocol.toml: estimates.{purpose}" + (f".{place - 1}" if purpose == SECONDARY else "")
        if each.exposure not in names:
            yield f"{key}.exposure: there is no exposure '{each.exposure}'; there are: {', '.join(names)}"
            continue
        if each.analysis not in known:
            yield f"{key}.analysis: there is no analysis '{each.analysis}' to declare; there are: {', '.join(known)}"
        if each.analysis in OF_TWO_EXPOSURES and len(names) < len(EXPOSURES):
            yield f"{key}.analysis: {each.analysis} is about two exposures; there is: {names[0]}"
        if each.analysis == "fixed_cuts" and not protocol.exposures.scale(each.exposure).published_lower_bounds:
            yield f"{key}.analysis: fixed_cuts needs published_lower_bounds of {each.exposure}"
        last = len(protocol.exposures.scale(each.exposure).categories)
        if each.category is not None and each.category > last:
            yield f"{key}.category: {each.exposure} has no category {each.category}; there are 1 to {last}"


def _entries(protocol: Protocol, codebook: Codebook) -> list[str]:
    """Analyses that the protocol and the codebook add, by name."""
    names = [
        each.name if each.answer in (None, protocol.study.mode) else f"{each.name}_{each.answer}"
        for each in protocol.sensitivity
    ]
    others = [name for name, each in codebook.outcomes.items() if not each.primary]
    return [*(f"sensitivity:{name}" for name in names), *(f"outcome:{name}" for name in others)]


def in_words(each: DeclaredEstimate, protocol: Protocol) -> str:
    """A declared estimate as a phrase, as a registration and the pages print it."""
    scale = protocol.exposures.scale(each.exposure)
    model = "fully adjusted" if each.model == "adjusted" else "age-adjusted"
    if each.trend:
        return f"{scale.name}: {model} trend over {TRENDS[each.trend]}"
    kind, _, name = each.analysis.partition(":")
    analysis = OF_CATEGORIES.get(each.analysis, f"{kind} {name}".replace("_", " "))
    ending = "" if each.analysis == "main" else f" ({analysis})"
    if each.measure == "p_joint":
        return f"{scale.name}: {model} test of all categories together{ending}"
    last = len(scale.categories)
    place = "the highest category" if each.category == last else f"category {each.category} of {last}"
    return f"{scale.name}: {model} risk ratio of {place} against the lowest{ending}"
