"""Analysis ``regression_dilution``: reliability of a week's mean, and the association of usual exposure.

The correction is for day-to-day variation within a week; a week gives no information on changes over the years of
follow-up. The intensity of a person is a ratio of means; here the ratios of single days are used instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from stegvis.analyses.wave_data import WaveData
from stegvis.statistics.contract import INTERCEPT, OUTCOME, Design, NotEstimable, prepare
from stegvis.statistics.regression_dilution import corrected_ratio, dilution, usual_means
from stegvis.statistics.results import ResultRow, joined
from stegvis.statistics.risk_ratio import Fit, fit_design
from stegvis.statistics.terms import MODELS, Linear, Model
from stegvis.statistics.variance_components import (
    CrossProducts,
    bootstrap_counts,
    cross_products,
    reml_of_totals,
    sample_totals,
)
from stegvis.study.protocol import Exposure

NOTE = "day-to-day variation within a week only"
# Bootstrap samples are processed in blocks of this size, to limit memory.
AT_A_TIME = 100
# Columns of days, beside the covariates of people.
_WEEKEND = ("weekend", "date unknown")

Block = tuple[Exposure, Model]


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
    designs = {
        (exposure, model): prepare(
            data.people, [_linear(exposure, data), *data.covariates(model)], data.protocol.models
        )
        for exposure in data.protocol.exposures.names
        for model in MODELS
    }
    found = _reliabilities(designs, data)
    return [row for block, design in designs.items() for row in _rows(block, design, found[block], data)]


def _linear(exposure: Exposure, data: WaveData) -> Linear:
    return Linear(exposure, data.protocol.exposures.scale(exposure).trend_unit)


def _rows(
    block: Block, design: Design | NotEstimable, found: Reliability | NotEstimable, data: WaveData
) -> list[ResultRow]:
    exposure, model = block
    scale = data.protocol.exposures.scale(exposure)
    template = data.template("regression_dilution", model, exposure)
    template = replace(template, term=f"{exposure}_linear", note=joined(template.note, NOTE))
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
    rows.append(_corrected_row(row, _linear(exposure, data), design, found, data))
    # The usual means use the unadjusted reliability; the age model is closest to it.
    if model == MODELS[0]:
        rows += _usual_mean_rows(exposure, template, found, people, data)
    return rows


def _reliabilities(
    designs: Mapping[Block, Design | NotEstimable], data: WaveData
) -> dict[Block, Reliability | NotEstimable]:
    """The reliability behind each model; models of the same days share their cross products and samples."""
    rules = data.protocol.regression_dilution
    days = data.days.assign(at=pd.Index(data.people["person"]).get_indexer(data.days["person"]))
    days = days[days["at"] >= 0].sort_values(["at", "day"], kind="stable")
    found: dict[Block, Reliability | NotEstimable] = {}
    alike: dict[bytes, dict[Block, Design]] = {}
    for block, design in designs.items():
        if isinstance(design, NotEstimable):
            found[block] = design
            continue
        kept = _known(block[0], design, days, data)
        if int((np.bincount(days["at"][kept]) > 1).sum()) < rules.fewest_people:
            found[block] = NotEstimable(f"fewer than {rules.fewest_people} people have repeated days")
        else:
            alike.setdefault(kept.tobytes(), {})[block] = design
    for which, of_same_days in alike.items():
        found |= _of_same_days(of_same_days, days[np.frombuffer(which, dtype=bool)], data)
    return found


def _known(exposure: Exposure, design: Design, days: pd.DataFrame, data: WaveData) -> np.ndarray:
    """Of each day, whether the exposure is known and the person is in the design."""
    in_design = data.people.index.isin(design.X.index)
    known: np.ndarray = days[exposure].notna().to_numpy(dtype=bool) & in_design[days["at"].to_numpy()]
    return known


def _of_same_days(
    designs: Mapping[Block, Design], days: pd.DataFrame, data: WaveData
) -> dict[Block, Reliability | NotEstimable]:
    """The reliability behind models of the same people and days.

    The covariates of all models and all exposures are one matrix, whose cross products are computed once.
    """
    rules = data.protocol.regression_dilution
    columns: dict[str, np.ndarray] = {}
    of_model: dict[Block, list[str]] = {}
    for block, design in designs.items():
        at = design.X.index.get_indexer(data.people.index[days["at"].to_numpy()])
        covariates = {str(name): values.to_numpy()[at] for name, values in design.X.items() if name != block[0]}
        of_model[block] = list(covariates)
        columns |= covariates
    columns = {name: _standardized(values) for name, values in columns.items() if np.ptp(values) > 0}
    columns = {INTERCEPT: np.ones(len(days)), **columns, **_weekend(days["weekend"])}
    exposures = list(dict.fromkeys(exposure for exposure, _ in designs))
    products = cross_products(
        days[exposures].to_numpy(dtype="float64"), days["at"].to_numpy(), np.column_stack(list(columns.values()))
    )
    places = {name: at for at, name in enumerate([*columns, *exposures])}
    always = [INTERCEPT, *_WEEKEND]
    chosen = {
        block: [places[name] for name in columns if name in of_model[block] or name in always] + [places[block[0]]]
        for block in designs
    }
    everyone = sample_totals(products)
    components = {block: reml_of_totals(everyone.of(columns)) for block, columns in chosen.items()}
    means = {block: float(dilution(each, products.measurements)[0]) for block, each in components.items()}
    refused = NotEstimable("differences between people could not be separated from those between days")
    chosen = {block: columns for block, columns in chosen.items() if 0 < means[block] <= 1}
    draws = _bootstrap(products, chosen, rules.bootstrap_draws, np.random.default_rng(rules.seed))
    people = data.people[["person"]].iloc[days["at"].unique()]
    return dict.fromkeys(designs, refused) | {
        block: Reliability(
            float(components[block].intraclass_correlation[0]), means[block], *draws[block], people=people
        )
        for block in chosen
    }


def _standardized(values: np.ndarray) -> np.ndarray:
    """Centered and scaled, so that units do not matter."""
    centered: np.ndarray = (values - values.mean()) / values.std()
    return centered


def _weekend(weekend: pd.Series) -> dict[str, np.ndarray]:
    """Columns for weekend days, and for days of unknown date if others are known; none that do not vary."""
    columns = (weekend.fillna(False).to_numpy(dtype="float64"), weekend.isna().to_numpy(dtype="float64"))
    return {name: column for name, column in zip(_WEEKEND, columns, strict=True) if np.ptp(column) > 0}


def _bootstrap(
    products: CrossProducts, chosen: Mapping[Block, list[int]], draws: int, random: np.random.Generator
) -> dict[Block, tuple[np.ndarray, np.ndarray]]:
    """Reliability of the means, and of single days, in the same samples of people for each choice of columns."""
    means: dict[Block, list[np.ndarray]] = {block: [] for block in chosen}
    singles: dict[Block, list[np.ndarray]] = {block: [] for block in chosen}
    for start in range(0, draws, AT_A_TIME):
        counts = bootstrap_counts(len(products.measurements), min(AT_A_TIME, draws - start), random)
        totals = sample_totals(products, counts)
        for block, columns in chosen.items():
            components = reml_of_totals(totals.of(columns))
            means[block].append(dilution(components, totals.sizes, totals.people.T))
            singles[block].append(components.intraclass_correlation)
    return {block: (np.concatenate(means[block]), np.concatenate(singles[block])) for block in chosen}


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
