"""Analysis ``negative_controls``: the headline ratios calibrated by the protocol's negative controls."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from stegvis.analyses.category_design import category_design
from stegvis.analyses.wave_data import WaveData
from stegvis.statistics.categories import REFERENCE
from stegvis.statistics.contract import NotEstimable
from stegvis.statistics.negative_controls import empirical_null
from stegvis.statistics.results import ResultRow, joined
from stegvis.statistics.risk_ratio import Fit, fit_design, fit_risk_ratio
from stegvis.statistics.terms import Linear, category_term
from stegvis.study.protocol import Exposure
from stegvis.study.protocol_models import NegativeControl

Found = tuple[float, float]


def negative_control_rows(data: WaveData) -> list[ResultRow]:
    """Measure ``controls`` (number of estimable controls) per exposure.

    With enough of them, also ``null_mean``, ``null_sd``, ``ease`` and calibrated ``rr`` per category, of the adjusted
    model.
    """
    rules = data.protocol.negative_controls
    of_exposures = [found for c in rules.controls if c.role == "exposure" if (found := _of_exposure(c, data))]
    rows = []
    for exposure in data.protocol.exposures.names:
        of_outcomes = [_of_outcome(c, exposure, data) for c in rules.controls if c.role == "outcome"]
        template = data.template("negative_controls", "adjusted", exposure)
        by_category = {
            category: [*(found[category] for found in of_outcomes if category in found), *of_exposures]
            for category in data.protocol.exposures.scale(exposure).categories[1:]
        }
        fewest = min(len(found) for found in by_category.values())
        counted = replace(template, measure="controls", estimate=float(fewest))
        if fewest < rules.fewest:
            rows.append(replace(counted, note=joined(counted.note, f"not run: {rules.fewest} controls are needed")))
        else:
            rows += [counted, *_calibrated(template, by_category, data)]
    return rows


def _of_outcome(control: NegativeControl, exposure: Exposure, data: WaveData) -> dict[int, Found]:
    """Log ratio and standard error of each category for an outcome that walking cannot affect."""
    frame = _as_numbers(data.people, control)
    term = category_term(exposure, data.protocol)
    fit = fit_risk_ratio(frame, [term, *data.covariates("adjusted")], data.protocol.models, outcome=control.column)
    if isinstance(fit, NotEstimable):
        return {}
    names = {
        c: term.coefficient(c)
        for c in data.protocol.exposures.scale(exposure).categories[1:]
        if term.coefficient(c) in fit.coefficients.index
    }
    return {c: (float(fit.coefficients[name]), fit.ratio(name).std_error) for c, name in names.items()}


def _of_exposure(control: NegativeControl, data: WaveData) -> Found | None:
    """Log ratio and standard error of low back pain, per standard deviation of a number, or for one of two levels."""
    frame = _as_numbers(data.people, control)
    values = frame[control.column]
    spread = 1.0 if values.dropna().isin((0.0, 1.0)).all() else float(values.std())
    if not spread > 0:
        return None
    others = [term for term in data.covariates("adjusted") if term.column != control.column]
    fit = fit_risk_ratio(frame, [Linear(control.column, spread), *others], data.protocol.models)
    if isinstance(fit, NotEstimable):
        return None
    return float(fit.coefficients[control.column]), fit.ratio(control.column).std_error


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


def _calibrated(template: ResultRow, by_category: dict[int, list[Found]], data: WaveData) -> list[ResultRow]:
    made = category_design(data, template)
    main = made.design if isinstance(made.design, NotEstimable) else fit_design(made.design, data.protocol.models)
    rows = []
    for category, row in made.rows.items():
        if category == REFERENCE:
            continue
        estimates, errors = np.array(by_category[category]).T
        null = empirical_null(estimates, errors)
        bare = replace(row, n=None, events=None)
        for measure, value in (
            ("null_mean", null.mean),
            ("null_sd", null.sd),
            ("ease", null.expected_absolute_error),
        ):
            rows.append(replace(bare, measure=measure, estimate=value))
        row = replace(row, note=joined(row.note, f"calibrated by {len(estimates)} negative controls"))
        name = made.term.coefficient(category)
        if not isinstance(main, Fit):
            rows.append(row.not_estimable(main.reason))
        elif category not in made.occupied:
            rows.append(row.not_estimable("nobody is in this category"))
        else:
            std_error = main.ratio(name).std_error
            calibrated = null.calibrated(float(main.coefficients[name]), std_error, data.protocol.models.confidence)
            rows.append(row.with_estimate(calibrated))
    return rows
