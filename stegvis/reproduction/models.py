"""What a row asks for, in words that R and Stata share: the people, the outcome, and the right-hand side.

Belongs here: reading a row of the results back into its model. Does not belong here: either language.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

from stegvis.analyses.condition import Condition
from stegvis.analyses.sensitivity import sensitivities
from stegvis.statistics.categories import CATEGORIES
from stegvis.statistics.levels import Levels
from stegvis.study.protocol import EXPOSURES, Exposure, Protocol
from stegvis.study.protocol_models import ExposureScale


@dataclass(frozen=True)
class Asked:
    """One row of the results.

    Attributes:
        row: its key columns and ``reference``.
        place: which of its block's levels it is, from 1.
        protocol: the protocol the results were made under.
        levels: of the categorical covariates, the reference first.
        labels: of the categories of each exposure, the lowest first.
    """

    row: Mapping[str, str]
    place: int
    protocol: Protocol
    levels: Levels
    labels: Mapping[str, Sequence[str]]

    @property
    def measure(self) -> str:
        return self.row["measure"]

    @property
    def analysis(self) -> str:
        """Without the variant after the colon."""
        return self.row["analysis"].split(":")[0]

    @property
    def variant(self) -> str:
        """What stands after the colon; empty where nothing does."""
        return self.row["analysis"].partition(":")[2]

    @property
    def exposure(self) -> Exposure:
        """The exposure, of rows about one of the two."""
        return cast(Exposure, self.row["exposure"])

    @property
    def other(self) -> Exposure:
        """The exposure that is not this one."""
        return next(each for each in EXPOSURES if each != self.exposure)

    @property
    def scale(self) -> ExposureScale:
        """How the row's exposure is named, printed and cut."""
        return self.protocol.exposures.scale(self.exposure)

    @property
    def category(self) -> str:
        """The column of the categories."""
        return f"{self.exposure}_category"

    @property
    def covariates(self) -> tuple[str, ...]:
        """The covariates of the row's model, by column."""
        return self.protocol.models.age if self.row["model"] == "age" else self.protocol.models.adjusted


@dataclass(frozen=True)
class Sample:
    """Some of the people.

    Attributes:
        where: conditions, all of which hold.
        cut: empty: as they are; ``quartiles`` or ``published``: cut anew in the sample itself, or at those bounds.
    """

    where: tuple[Condition, ...] = ()
    cut: str = ""


@dataclass(frozen=True)
class Model:
    """A model of the outcome.

    Attributes:
        sample: whom it is fitted to.
        term: the term whose contrasts are told.
        covariates: the rest, by column; those with levels are categorical.
        outcome: column of 0 and 1.
    """

    sample: Sample
    term: str
    covariates: tuple[str, ...]
    outcome: str = "low_back_pain"


def plain(asked: Asked) -> Model:
    """The row's own categories and covariates, in everybody."""
    return Model(Sample(), asked.category, asked.covariates)


def model_of(asked: Asked) -> Model:
    """The model behind a row of the published models of the categories.

    Raises:
        KeyError: it is a row of another analysis.
    """
    model, analysis = plain(asked), asked.analysis
    if analysis in ("main", "fit_quality", "tipping_point"):
        return model
    if analysis in ("fixed_cuts", "sample_cuts"):
        return replace(model, sample=Sample(cut="published" if analysis == "fixed_cuts" else "quartiles"))
    if analysis == "mutual":
        return replace(model, covariates=(*model.covariates, asked.other))
    if analysis == "mutual_categories":
        return replace(model, covariates=(*model.covariates, f"{asked.other}_category"))
    if analysis == "stratified":
        sample, dropped = _stratum(asked.row["population"], asked.protocol)
        return replace(model, sample=sample, covariates=tuple(c for c in model.covariates if c not in dropped))
    if analysis in ("within_intensity", "within_volume"):
        return replace(model, sample=_within(asked.row["population"], asked.labels))
    if analysis == "sensitivity":
        return _sensitivity(asked)
    raise KeyError(analysis)


def _stratum(population: str, protocol: Protocol) -> tuple[Sample, tuple[str, ...]]:
    age = protocol.covariates.older_from_age
    if population.startswith("age"):
        return Sample((Condition("age", ">=" if ">=" in population else "<", age),)), ()
    return Sample((Condition("sex", "==", "female" if population == "women" else "male"),)), ("sex",)


def _within(population: str, labels: Mapping[str, Sequence[str]]) -> Sample:
    """A category by its label, or (the one that is no label) everyone below the highest."""
    exposure, label = population.split(" ", 1)
    if label in labels.get(exposure, ()):
        return Sample((Condition(f"{exposure}_category", "==", 1 + list(labels[exposure]).index(label)),))
    return Sample((Condition(f"{exposure}_category", "<", CATEGORIES[-1]),))


def _sensitivity(asked: Asked) -> Model:
    each = next(each for each in sensitivities(asked.protocol) if each.name == asked.variant)
    # Published cuts are the same in every sample.
    cut = "quartiles" if asked.protocol.exposures.categories == "sample_quartiles" else ""
    added = each.added if asked.row["model"] == "adjusted" else ()
    return replace(
        plain(asked),
        sample=Sample(each.where, cut=cut),
        covariates=(*asked.covariates, *added),
        outcome=each.outcome,
    )


@dataclass(frozen=True)
class Curve:
    """Where a curve bends and what it is compared with; None where the sample's percentiles say so."""

    knots: tuple[float, ...] | None
    reference: float | None
    mutual: bool
    knots_of_other: tuple[float, ...] | None


def curve_of(asked: Asked) -> Curve:
    """The curve behind a row of the dose-response analyses."""
    rule = asked.protocol.spline.knots_from
    if asked.analysis.startswith("spline_"):
        rule = "fixed" if asked.analysis == "spline_fixed_knots" else "sample"
    scales = [asked.protocol.spline.scale(each) for each in (asked.exposure, asked.other)]
    own, others = (scale.fixed_knots if rule == "fixed" else None for scale in scales)
    reference = scales[0].fixed_reference if rule == "fixed" else None
    return Curve(own, reference, asked.analysis == "mutual_spline", others)
