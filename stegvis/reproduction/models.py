"""The model behind a row of the results, independent of language: sample, outcome and right-hand side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

from stegvis.analyses.condition import Condition
from stegvis.analyses.secondary_outcomes import PREFIX, sample_of
from stegvis.analyses.sensitivity import sensitivities
from stegvis.statistics.levels import Levels
from stegvis.study.protocol import EXPOSURES, Exposure, Protocol
from stegvis.study.protocol_models import ExposureScale


@dataclass(frozen=True)
class EstimateRow:
    """One row of the results.

    Attributes:
        key: its key columns and ``reference``.
        place: the number of its level within its block, from 1.
        protocol: the protocol the results were made under.
        levels: of the categorical covariates, the reference first.
        labels: of the categories of each exposure, the lowest first.
    """

    key: Mapping[str, str]
    place: int
    protocol: Protocol
    levels: Levels
    labels: Mapping[str, Sequence[str]]

    @property
    def measure(self) -> str:
        """The measure."""
        return self.key["measure"]

    @property
    def analysis(self) -> str:
        """The analysis without the variant after the colon."""
        return self.key["analysis"].split(":")[0]

    @property
    def variant(self) -> str:
        """The variant after the colon of the analysis; empty without one."""
        return self.key["analysis"].partition(":")[2]

    @property
    def exposure(self) -> Exposure:
        """The exposure; only for rows about one of the two."""
        return cast(Exposure, self.key["exposure"])

    @property
    def other(self) -> Exposure:
        """The other exposure, in a study of two."""
        return next(each for each in EXPOSURES if each != self.exposure)

    @property
    def scale(self) -> ExposureScale:
        """Name, unit and categories of the exposure."""
        return self.protocol.exposures.scale(self.exposure)

    @property
    def category(self) -> str:
        """The column with the categories of the exposure."""
        return f"{self.exposure}_category"

    @property
    def covariates(self) -> tuple[str, ...]:
        """The columns of the covariates in the model."""
        return self.protocol.models.age if self.key["model"] == "age" else self.protocol.models.adjusted


@dataclass(frozen=True)
class Sample:
    """A sample of participants.

    Attributes:
        where: conditions, all of which must be true.
        cut: empty for the existing categories; ``quantiles`` of the sample itself, or at the ``published`` bounds.
    """

    where: tuple[Condition, ...] = ()
    cut: str = ""


@dataclass(frozen=True)
class Model:
    """A model of the outcome.

    Attributes:
        sample: the participants it is fitted to.
        term: the term whose contrasts are estimated.
        covariates: columns of the other terms; those with levels are categorical.
        outcome: column of 0 and 1.
        curved: those of the covariates that enter as restricted cubic splines.
    """

    sample: Sample
    term: str
    covariates: tuple[str, ...]
    outcome: str = "low_back_pain"
    curved: tuple[str, ...] = ()


def plain(row: EstimateRow) -> Model:
    """The categories and covariates of the row, in the whole sample."""
    return Model(Sample(), row.category, row.covariates)


def model_of(row: EstimateRow) -> Model:
    """The model behind a row of a categorical analysis.

    Raises:
        KeyError: it is a row of another analysis.
    """
    model, analysis = plain(row), row.analysis
    if analysis in ("main", "fit_quality", "tipping_point", "death_bounds"):
        return model
    if analysis in ("fixed_cuts", "sample_cuts"):
        return replace(model, sample=Sample(cut="published" if analysis == "fixed_cuts" else "quantiles"))
    if analysis == "mutual":
        return replace(model, covariates=(*model.covariates, row.other))
    if analysis == "mutual_categories":
        return replace(model, covariates=(*model.covariates, f"{row.other}_category"))
    if analysis == "stratified":
        sample, dropped = _stratum(row.key["population"], row.protocol)
        return replace(model, sample=sample, covariates=tuple(c for c in model.covariates if c not in dropped))
    if analysis in ("within_intensity", "within_volume"):
        return replace(model, sample=_within(row))
    if analysis == "sensitivity":
        return _sensitivity(row)
    if analysis == "outcome":
        sample = Sample(sample_of(row.variant, row.key["population"]))
        return replace(model, sample=sample, outcome=f"{PREFIX}{row.variant}")
    raise KeyError(analysis)


def _stratum(population: str, protocol: Protocol) -> tuple[Sample, tuple[str, ...]]:
    age = protocol.covariates.older_from_age
    if population.startswith("age"):
        return Sample((Condition("age", ">=" if ">=" in population else "<", age),)), ()
    return Sample((Condition("sex", "==", "female" if population == "women" else "male"),)), ("sex",)


def _within(row: EstimateRow) -> Sample:
    """The category of a label; for any other text, everyone below the highest category."""
    exposure, label = row.key["population"].split(" ", 1)
    labels = list(row.labels.get(exposure, ()))
    if label in labels:
        return Sample((Condition(f"{exposure}_category", "==", 1 + labels.index(label)),))
    highest = row.protocol.exposures.scale(cast(Exposure, exposure)).categories[-1]
    return Sample((Condition(f"{exposure}_category", "<", highest),))


def _sensitivity(row: EstimateRow) -> Model:
    analysis = next(each for each in sensitivities(row.protocol) if each.name == row.variant)
    # Published cut points are the same in every sample.
    cut = "" if row.protocol.exposures.fixed else "quantiles"
    further = [column for column in analysis.added if column not in row.covariates]
    added = further if row.key["model"] == "adjusted" else ()
    return replace(
        plain(row),
        sample=Sample(analysis.where, cut=cut),
        covariates=(*row.covariates, *added),
        outcome=analysis.outcome,
        curved=tuple(column for column in analysis.curved if column in row.covariates),
    )


@dataclass(frozen=True)
class Curve:
    """Knots and reference of a curve; None where they are percentiles of the sample."""

    knots: tuple[float, ...] | None
    reference: float | None
    mutual: bool
    knots_of_other: tuple[float, ...] | None


def curve_of(row: EstimateRow) -> Curve:
    """The curve behind a row of the dose-response analyses."""
    rule = row.protocol.spline.knots_from
    if row.analysis.startswith("spline_"):
        rule = "fixed" if row.analysis == "spline_fixed_knots" else "sample"
    if row.analysis == "pooled_spline":
        rule = "fixed"
    mutual = row.analysis == "mutual_spline"
    if rule == "sample":
        return Curve(None, None, mutual, None)
    scale = row.protocol.spline.scale
    others = scale(row.other).fixed_knots if mutual else None
    return Curve(scale(row.exposure).fixed_knots, scale(row.exposure).fixed_reference, mutual, others)
