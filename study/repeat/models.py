"""What a row's model is, in words that R and Stata share: the people, the outcome, and the right-hand side.

Belongs here: reading a row of the results back into its model. Does not belong here: either language.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

from study.protocol import EXPOSURES, Exposure, ExposureScale, Protocol
from study.statistics.categories import CATEGORIES

Row = Mapping[str, str]
# A column, an operator (== < >= known in), a value.
Condition = tuple[str, str, object]


@dataclass(frozen=True)
class Sample:
    """Some of the people.

    Attributes:
        where: conditions, all of which hold.
        recut: whether the categories are cut anew in them; ``fixed`` cuts them at the published bounds.
    """

    where: tuple[Condition, ...] = ()
    recut: bool = False
    fixed: bool = False


@dataclass(frozen=True)
class Model:
    """A model of the outcome.

    Attributes:
        sample: whom it is fitted to.
        term: the term whose contrasts are told.
        covariates: the rest, by column; those in ``categorical`` have levels.
        outcome: column of 0 and 1.
    """

    sample: Sample
    term: str
    covariates: tuple[str, ...]
    outcome: str = "low_back_pain"


def other(exposure: str) -> Exposure:
    """The exposure that is not this one."""
    return next(each for each in EXPOSURES if each != exposure)


def covariates_of(row: Row, protocol: Protocol) -> tuple[str, ...]:
    """The covariates of a row's model, by column."""
    return protocol.models.age if row["model"] == "age" else protocol.models.adjusted


def scale_of(row: Row, protocol: Protocol) -> ExposureScale:
    """How a row's exposure is named, printed and cut."""
    return protocol.exposures.scale(cast(Exposure, row["exposure"]))


def model_of(row: Row, protocol: Protocol, labels: Mapping[str, Sequence[str]]) -> Model | None:
    """The model behind a row; None for an analysis that is no single model of the categories.

    Args:
        row: the key columns of a row of the results.
        protocol: the protocol the results were made under.
        labels: of the categories of each exposure, the lowest first.
    """
    covariates = covariates_of(row, protocol)
    category = f"{row['exposure']}_category"
    plain = Model(Sample(), category, covariates)
    analysis = row["analysis"]
    if analysis in ("main", "joint"):
        return plain
    if analysis in ("fixed_cuts", "sample_cuts"):
        return replace(plain, sample=Sample(recut=analysis == "sample_cuts", fixed=analysis == "fixed_cuts"))
    if analysis == "mutual":
        return replace(plain, covariates=(*covariates, other(row["exposure"])))
    if analysis == "mutual_categories":
        return replace(plain, covariates=(*covariates, f"{other(row['exposure'])}_category"))
    if analysis == "stratified":
        sample, dropped = _stratum(row["population"], protocol)
        return replace(plain, sample=sample, covariates=tuple(c for c in covariates if c not in dropped))
    if analysis in ("within_intensity", "within_volume"):
        return replace(plain, sample=_within(row["population"], labels))
    if analysis.startswith("sensitivity:"):
        return _sensitivity(analysis.removeprefix("sensitivity:"), plain, row["model"], protocol)
    return None


def _stratum(population: str, protocol: Protocol) -> tuple[Sample, tuple[str, ...]]:
    age = protocol.covariates.older_from_age
    if population.startswith("age"):
        return Sample((("age", ">=" if ">=" in population else "<", age),)), ()
    return Sample((("sex", "==", "female" if population == "women" else "male"),)), ("sex",)


def _within(population: str, labels: Mapping[str, Sequence[str]]) -> Sample:
    """A category by its label, or (the one that is no label) everyone below the highest."""
    exposure, label = population.split(" ", 1)
    if label in labels.get(exposure, ()):
        return Sample(((f"{exposure}_category", "==", 1 + list(labels[exposure]).index(label)),))
    return Sample(((f"{exposure}_category", "<", CATEGORIES[-1]),))


def _sensitivity(name: str, plain: Model, model: str, protocol: Protocol) -> Model | None:
    rules = protocol.sensitivity
    mode = protocol.study.mode
    for each in ("as_published", "strict"):
        if name.endswith(f"_{each}"):
            name, mode = name.removesuffix(f"_{each}"), each
    health = (("self_rated_health", "in or unknown" if mode == "as_published" else "in", rules.good_health),)
    where: dict[str, tuple[Condition, ...]] = {
        "bmi": (("bmi", "known", None),),
        "running_cycling": (("running_cycling_minutes", "known", None),),
        "valid_days": (("valid_days", ">=", rules.smallest_valid_days),),
        "no_pain": (("baseline_pain_screen", "==", "no"),),
        "little_pain": (("pain_last_4_weeks", "in", rules.little_pain),),
        "good_health": health,
        "no_disease": (("other_disease", "==", "no"),),
        "severe_pain": ((f"severe_low_back_pain_{mode}", "known", None),),
    }
    if name not in where:
        return None
    added = {"bmi": ("bmi",), "running_cycling": ("running_cycling_minutes",)}.get(name, ())
    return replace(
        plain,
        sample=Sample(where[name], recut=True),
        covariates=(*plain.covariates, *(added if model == "adjusted" else ())),
        outcome=f"severe_low_back_pain_{mode}" if name == "severe_pain" else plain.outcome,
    )
