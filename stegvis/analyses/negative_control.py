"""Analysis ``negative_controls``: the headline ratios calibrated by the protocol's negative controls."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
import pandas as pd

from stegvis.analyses.category_design import category_design
from stegvis.analyses.wave_data import WaveData
from stegvis.statistics.categories import REFERENCE, Cuts
from stegvis.statistics.contract import NotEstimable
from stegvis.statistics.negative_controls import EmpiricalNull, empirical_null
from stegvis.statistics.results import ResultRow, joined
from stegvis.statistics.risk_ratio import Fit, fit_design, fit_risk_ratio
from stegvis.statistics.terms import Categorical, category_term
from stegvis.study.protocol import Exposure
from stegvis.study.protocol_models import NegativeControl

Found = tuple[float, float]


def negative_control_rows(data: WaveData) -> list[ResultRow]:
    """Measure ``controls`` (number of estimable controls) per exposure.

    With enough of them in one role, also ``null_mean``, ``null_sd``, ``ease`` and calibrated ``rr`` per category, of
    the adjusted model. Outcomes that walking cannot affect show in which direction ratios are wrong, and by how much.
    Exposures that cannot affect the outcome, cut into as many categories, show only by how much: which end of their
    scale is the upper one is arbitrary. So they widen an interval and never move an estimate.
    """
    rules = data.protocol.negative_controls
    rows = []
    for exposure in data.protocol.exposures.names:
        found = {
            "outcome": [_of_outcome(each, exposure, data) for each in rules.controls if each.role == "outcome"],
            "exposure": [_of_exposure(each, exposure, data) for each in rules.controls if each.role == "exposure"],
        }
        by_category = {
            category: Controls(*([each[category] for each in found[role] if category in each] for role in found))
            for category in data.protocol.exposures.scale(exposure).categories[1:]
        }
        few = min(by_category.values(), key=lambda each: len(each.outcomes) + len(each.exposures))
        template = data.template("negative_controls", "adjusted", exposure)
        counted = replace(template, measure="controls", estimate=float(len(few.outcomes) + len(few.exposures)))
        counted = replace(counted, note=joined(counted.note, _left_out(found["exposure"])))
        nulls = {category: null for category, each in by_category.items() if (null := each.null(rules.fewest))}
        if len(nulls) < len(by_category):
            reason = f"not run: {rules.fewest} controls of one role are needed"
            rows.append(replace(counted, note=joined(counted.note, reason)))
        else:
            words = {category: each.words(rules.fewest) for category, each in by_category.items()}
            rows += [counted, *_calibrated(template, nulls, words, data)]
    return rows


@dataclass(frozen=True)
class Controls:
    """Log ratios and standard errors of one category, of outcomes and of exposures."""

    outcomes: list[Found]
    exposures: list[Found]

    def null(self, fewest: int) -> EmpiricalNull | None:
        """The distribution of the error: by the outcomes, as wide as the exposures say; None with too few of both."""
        of_outcomes = empirical_null(*np.array(self.outcomes).T) if len(self.outcomes) >= fewest else None
        if len(self.exposures) < fewest:
            return of_outcomes
        of_exposures = empirical_null(*np.array(self.exposures).T, about_zero=True)
        if of_outcomes is None:
            return of_exposures
        return replace(of_outcomes, sd=max(of_outcomes.sd, of_exposures.sd))

    def words(self, fewest: int) -> str:
        """How many of each role are used."""
        used = [
            f"{len(each)} {role}s"
            for each, role in ((self.outcomes, "outcome"), (self.exposures, "exposure"))
            if len(each) >= fewest
        ]
        return f"calibrated by negative controls: {' and '.join(used)}"


def _left_out(of_exposures: list[dict[int, Found]]) -> str:
    """Why controls are not used, in the note."""
    count = sum(not each for each in of_exposures)
    return f"{count} exposure controls cannot be cut into the categories or estimated" if count else ""


def _of_outcome(control: NegativeControl, exposure: Exposure, data: WaveData) -> dict[int, Found]:
    """Log ratio and standard error of each category for an outcome that walking cannot affect."""
    frame = _as_numbers(data.people, control)
    term = category_term(exposure, data.protocol)
    covariates = data.covariates("adjusted")
    return _ratios(fit_risk_ratio(frame, [term, *covariates], data.protocol.models, outcome=control.column), term)


def _of_exposure(control: NegativeControl, exposure: Exposure, data: WaveData) -> dict[int, Found]:
    """Log ratio and standard error of the outcome in each category of a number that cannot affect it.

    The number is cut so that as many people are in each category as in the exposure's. One with too few different
    values for that, as an answer of yes or no, is not comparable to the exposure and has none.
    """
    term = category_term(exposure, data.protocol)
    frame = _as_numbers(data.people, control)
    values = frame[control.column].to_numpy()
    known = np.isfinite(values)
    shares = data.people[term.column].value_counts(normalize=True).reindex(list(term.levels), fill_value=0.0)
    points = np.quantile(values[known], np.cumsum(shares)[:-1], method="inverted_cdf") if known.any() else np.empty(0)
    cut = Cuts(tuple(points), right_closed=True, decimals=0).categories(values)
    if len(np.unique(cut[known])) < len(term.levels):
        return {}
    frame[term.column] = pd.Series(cut, frame.index).where(known).astype("Int64")
    others = [each for each in data.covariates("adjusted") if each.column != control.column]
    return _ratios(fit_risk_ratio(frame, [term, *others], data.protocol.models), term)


def _ratios(found: Fit | NotEstimable, term: Categorical) -> dict[int, Found]:
    """Log ratio and standard error of each category but the lowest; none if the model cannot be fitted."""
    if isinstance(found, NotEstimable):
        return {}
    names = {cast(int, category): term.coefficient(category) for category in term.levels[1:]}
    return {
        category: (float(found.coefficients[name]), found.ratio(name).std_error)
        for category, name in names.items()
        if name in found.coefficients.index
    }


def _as_numbers(people: pd.DataFrame, control: NegativeControl) -> pd.DataFrame:
    """The people with the control as numbers; yes and no are 1 and 0.

    Raises:
        ValueError: the control is not a column of the analysis set, or is neither numeric nor yes and no.
    """
    if control.column not in people:
        raise ValueError(f"the negative control {control.column} is not a column of the analysis set")
    values = people[control.column]
    if not (pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values)):
        if not values.dropna().isin(("yes", "no")).all():
            raise ValueError(f"the negative control {control.column} is neither numeric nor yes and no")
        values = values.map({"yes": 1.0, "no": 0.0})
    return people.assign(**{control.column: values.astype("float64")})


def _calibrated(
    template: ResultRow, nulls: dict[int, EmpiricalNull], words: dict[int, str], data: WaveData
) -> list[ResultRow]:
    made = category_design(data, template)
    main = made.design if isinstance(made.design, NotEstimable) else fit_design(made.design, data.protocol.models)
    rows = []
    for category, row in made.rows.items():
        if category == REFERENCE:
            continue
        null = nulls[category]
        bare = replace(row, n=None, events=None)
        for measure, value in (
            ("null_mean", null.mean),
            ("null_sd", null.sd),
            ("ease", null.expected_absolute_error),
        ):
            rows.append(replace(bare, measure=measure, estimate=value))
        row = replace(row, note=joined(row.note, words[category]))
        name = made.term.coefficient(category)
        if not isinstance(main, Fit):
            rows.append(row.not_estimable(main.reason))
        elif category not in made.occupied:
            rows.append(row.not_estimable("nobody is in this category"))
        else:
            # The mean error is itself an estimate.
            std_error = math.hypot(main.ratio(name).std_error, null.mean_std_error)
            calibrated = null.calibrated(float(main.coefficients[name]), std_error, data.protocol.models.confidence)
            rows.append(row.with_estimate(calibrated))
    return rows
