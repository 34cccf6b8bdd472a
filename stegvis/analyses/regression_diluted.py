"""Analysis ``regression_dilution``: reliability of a week's mean, and the association of usual exposure.

The correction is for day-to-day variation within a week; a week gives no information on changes over the years of
follow-up. The intensity of a person is a ratio of means; here the ratios of single days are used instead.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from stegvis.analyses.wave_data import WaveData
from stegvis.statistics.contract import OUTCOME, Design, NotEstimable, prepare
from stegvis.statistics.regression_dilution import corrected_ratio, dilution, usual_means
from stegvis.statistics.results import ResultRow, joined
from stegvis.statistics.risk_ratio import Fit, fit_design
from stegvis.statistics.terms import MODELS, Linear, Model
from stegvis.statistics.variance_components import CrossProducts, bootstrap_counts, cross_products, reml
from stegvis.study.protocol import Exposure

NOTE = "day-to-day variation within a week only"
# Bootstrap samples are processed in blocks of this size, to limit memory.
AT_A_TIME = 100


@dataclass(frozen=True)
class Reliability:
    """Reliability of single days and of people's means, given a model's covariates, and the people with days."""

    single_day: float
    mean: float
    mean_draws: np.ndarray
    single_day_draws: np.ndarray
    people: pd.DataFrame


def regression_dilution_rows(data: WaveData) -> list[ResultRow]:
    """Measures ``icc`` (a single day), ``reliability`` (people's means), ``rr``, ``usual_mean`` by category."""
    return [
        row for exposure in data.protocol.exposures.names for model in MODELS for row in _rows(exposure, model, data)
    ]


def _rows(exposure: Exposure, model: Model, data: WaveData) -> list[ResultRow]:
    scale = data.protocol.exposures.scale(exposure)
    template = data.template("regression_dilution", model, exposure)
    template = replace(template, term=f"{exposure}_linear", note=joined(template.note, NOTE))
    linear = Linear(exposure, scale.trend_unit)
    design = prepare(data.people, [linear, *data.covariates(model)], data.protocol.models)
    found = design if isinstance(design, NotEstimable) else _reliability(exposure, design, data)
    rows = []
    for measure in ("icc", "reliability"):
        row = replace(template, measure=measure)
        rows.append(
            row.not_estimable(found.reason)
            if isinstance(found, NotEstimable)
            else _reliability_row(row, found, data.protocol.models.confidence)
        )
    people = data.people if isinstance(design, NotEstimable) else data.people.loc[design.X.index]
    row = replace(template, level=f"per {scale.trend_unit:g} {scale.unit}").counting(people, OUTCOME)
    rows.append(_corrected_row(row, linear, design, found, data))
    # The usual means use the unadjusted reliability; the age model is closest to it.
    if model == MODELS[0]:
        rows += _usual_mean_rows(exposure, template, found, people, data)
    return rows


def _reliability(exposure: Exposure, design: Design, data: WaveData) -> Reliability | NotEstimable:
    rules = data.protocol.regression_dilution
    person = data.people.loc[design.X.index, "person"]
    covariates = design.X.drop(columns=exposure).set_index(person.to_numpy())
    days = data.days.dropna(subset=[exposure])
    days = days[days["person"].isin(covariates.index)].sort_values(["person", "day"], kind="stable")
    repeated = days.groupby("person").size()
    if int((repeated > 1).sum()) < rules.fewest_people:
        return NotEstimable(f"fewer than {rules.fewest_people} people have repeated days")
    X = covariates.loc[days["person"]].to_numpy()
    # Centered and scaled, so that units do not matter; the intercept first.
    spread = X[:, 1:].std(axis=0)
    X = np.column_stack([X[:, :1], (X[:, 1:] - X[:, 1:].mean(axis=0))[:, spread > 0] / spread[spread > 0]])
    X = np.column_stack([X, *_weekend(days["weekend"])])
    products = cross_products(days[exposure].to_numpy(dtype="float64"), days["person"].to_numpy(), X)
    components = reml(products)
    mean = float(dilution(components, products.measurements)[0])
    if not 0 < mean <= 1:
        return NotEstimable("differences between people could not be separated from those between days")
    draws = _bootstrap(products, rules.bootstrap_draws, np.random.default_rng(rules.seed))
    people = days[["person"]].drop_duplicates()
    return Reliability(float(components.intraclass_correlation[0]), mean, *draws, people=people)


def _weekend(weekend: pd.Series) -> list[np.ndarray]:
    """Columns for weekend days, and for days of unknown date if others are known; none that do not vary."""
    unknown = weekend.isna().to_numpy(dtype="float64")
    columns = [weekend.fillna(False).to_numpy(dtype="float64"), unknown]
    return [column for column in columns if np.ptp(column) > 0]


def _bootstrap(products: CrossProducts, draws: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Reliability of the means, and of single days, in samples of people."""
    means, singles = [], []
    for start in range(0, draws, AT_A_TIME):
        counts = bootstrap_counts(len(products.measurements), min(AT_A_TIME, draws - start), random)
        components = reml(products, counts)
        means.append(dilution(components, products.measurements, counts))
        singles.append(components.intraclass_correlation)
    return np.concatenate(means), np.concatenate(singles)


def _reliability_row(row: ResultRow, found: Reliability, confidence: float) -> ResultRow:
    estimate, draws = (
        (found.mean, found.mean_draws) if row.measure == "reliability" else (found.single_day, found.single_day_draws)
    )
    tail = (1 - confidence) / 2
    low, high = np.quantile(draws, [tail, 1 - tail])
    return replace(
        row.counting(found.people, None),
        estimate=estimate,
        # A percentile interval need not include the estimate; a published interval must.
        ci_low=min(float(low), estimate),
        ci_high=max(float(high), estimate),
        std_error=float(draws.std(ddof=1)),
        note=joined(row.note, "bootstrap of people"),
    )


def _corrected_row(
    row: ResultRow,
    linear: Linear,
    design: Design | NotEstimable,
    found: Reliability | NotEstimable,
    data: WaveData,
) -> ResultRow:
    if isinstance(design, NotEstimable):
        return row.not_estimable(design.reason)
    if isinstance(found, NotEstimable):
        return row.not_estimable(found.reason)
    fit = fit_design(design, data.protocol.models)
    if not isinstance(fit, Fit):
        return row.not_estimable(fit.reason)
    corrected = corrected_ratio(
        float(fit.coefficients[linear.column]),
        fit.ratio(linear.column).std_error,
        found.mean,
        float(found.mean_draws.var(ddof=1)),
        data.protocol.models.confidence,
    )
    return row.with_ratio(corrected)


def _usual_mean_rows(
    exposure: Exposure,
    template: ResultRow,
    found: Reliability | NotEstimable,
    people: pd.DataFrame,
    data: WaveData,
) -> list[ResultRow]:
    """The mean usual exposure of each category (MacMahon), the proper x value of its ratio."""
    rows = []
    for category, label in data.labels(exposure).items():
        these = people[people[f"{exposure}_category"] == category]
        row = replace(
            template,
            term=f"{exposure}_category",
            level=label,
            measure="usual_mean",
        ).counting(these, OUTCOME)
        if isinstance(found, NotEstimable):
            rows.append(row.not_estimable(found.reason))
        elif these.empty:
            rows.append(row.not_estimable("nobody is in this category"))
        else:
            usual = usual_means(np.array([these[exposure].mean()]), float(people[exposure].mean()), found.mean)
            rows.append(replace(row, estimate=float(usual[0])))
    return rows
