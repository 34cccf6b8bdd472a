"""The contract that a frame must meet before a model is fitted to it.

Complete rows, levels, smallest numbers of events, rank and conditioning; the result is a design that can be fitted, or
the reason why not. Rare levels of covariates are joined and constant covariates left out, with a note. Checks after the
fit are in ``risk_ratio``.

Without it, a category without events "converges" at a risk ratio of 0.00 with a tiny standard error, missing rows
disappear silently, and an unused level stops the program.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd

from stegvis.statistics.matrices import cross_product
from stegvis.statistics.rare_levels import TAKEN_TOGETHER, Group, joined_levels
from stegvis.statistics.terms import Categorical, Linear, Term, product_coefficient
from stegvis.study.protocol_models import Models

INTERCEPT = "intercept"
OUTCOME = "low_back_pain"
# Condition numbers up to this can be computed exactly from correlations: the square is far below floating-point limits.
RELIABLE_CONDITION = 1e5


@dataclass(frozen=True)
class NotEstimable:
    """The reason why there is no estimate, without persons or counts."""

    reason: str


@dataclass(frozen=True)
class Design:
    """A design that meets the contract.

    Attributes:
        X: n x k with named columns, the intercept first.
        y: n, 0.0 or 1.0.
        weights: n analysis weights, or None.
        groups: n cluster numbers from 0, or None.
        dropped: number of incomplete rows.
        absent_levels: coefficients of levels that nobody has.
        simplified: what was joined or left out of the covariates, in words.
    """

    X: pd.DataFrame
    y: np.ndarray
    weights: np.ndarray | None
    groups: np.ndarray | None
    dropped: int
    absent_levels: tuple[str, ...]
    simplified: tuple[str, ...] = ()


def complete_rows(frame: pd.DataFrame, columns: Sequence[str]) -> tuple[pd.DataFrame, int]:
    """The rows in which every column is known, and the number of the others."""
    known = np.ones(len(frame), dtype=bool)
    for column in dict.fromkeys(columns):
        known &= frame[column].notna().to_numpy()
    return (frame, 0) if known.all() else (frame[known], int((~known).sum()))


def prepare(
    frame: pd.DataFrame,
    terms: Sequence[Term],
    models: Models,
    *,
    outcome: str = OUTCOME,
    weights: str | None = None,
    groups: str | None = None,
    products: Sequence[tuple[Categorical, Categorical]] = (),
) -> Design | NotEstimable:
    """Check a frame against the contract and build its design.

    Args:
        frame: one row per person (or per person and wave, with ``groups``).
        terms: the right-hand side.
        models: limits, from the protocol.
        outcome: column of 0 and 1.
        weights: column of analysis weights.
        groups: column of the person (cluster) of a row.
        products: pairs of terms whose products are added; every pair of their levels must meet the contract, too.

    Returns:
        The design, or why nothing can be estimated from these data.

    Raises:
        ValueError: an error of the caller: the outcome is not 0 or 1, a value is outside its levels, or a weight is
            not positive.
    """
    extra = [column for column in (outcome, weights, groups) if column is not None]
    complete, dropped = complete_rows(frame, [*(term.column for term in terms), *extra])
    y = complete[outcome].to_numpy(dtype="float64")
    if not np.isin(y, (0.0, 1.0)).all():
        raise ValueError(f"the outcome {outcome} holds values other than 0 and 1")
    codes = _codes(complete, terms)

    if reason := too_few(y, "the sample", models.minimum_events):
        return NotEstimable(reason)
    built = _columns(complete, codes, y, terms, products, models.minimum_events)
    if isinstance(built, NotEstimable):
        return built
    columns, absent, simplified = built

    X = pd.DataFrame(np.stack(list(columns.values())).T, index=complete.index, columns=list(columns))
    if reason := _ill_conditioned(X.to_numpy(), models.largest_condition_number):
        return NotEstimable(reason)
    if len(y) - X.shape[1] < models.minimum_residual_df:
        return NotEstimable(f"fewer than {models.minimum_residual_df} residual degrees of freedom")
    if reason := _sparse(y, X.shape[1] - 1, models.minimum_events_per_coefficient):
        return NotEstimable(reason)
    return Design(
        X=X,
        y=y,
        weights=_positive(complete[weights].to_numpy(dtype="float64")) if weights is not None else None,
        groups=pd.factorize(complete[groups])[0] if groups is not None else None,
        dropped=dropped,
        absent_levels=absent,
        simplified=simplified,
    )


def _codes(complete: pd.DataFrame, terms: Sequence[Term]) -> dict[str, np.ndarray]:
    """Of each categorical term's column: of each person (n) the position among the term's levels.

    A column of text is read once; comparing small numbers with each level is many times faster than comparing text.

    Raises:
        ValueError: a value is outside the levels of its term.
    """
    codes = {}
    for term in terms:
        if isinstance(term, Categorical):
            of_value, values = pd.factorize(complete[term.column])
            places = {level: place for place, level in enumerate(term.levels)}
            if not places.keys() >= set(values):
                raise ValueError(f"{term.column} holds a value outside its levels")
            codes[term.column] = np.array([places[value] for value in values], dtype="int64")[of_value]
    return codes


def _columns(
    complete: pd.DataFrame,
    codes: Mapping[str, np.ndarray],
    y: np.ndarray,
    terms: Sequence[Term],
    products: Sequence[tuple[Categorical, Categorical]],
    minimum: int,
) -> tuple[dict[str, np.ndarray], tuple[str, ...], tuple[str, ...]] | NotEstimable:
    """The columns of the design (n each) by name, the coefficients of levels that nobody has, what was simplified."""
    columns: dict[str, np.ndarray] = {INTERCEPT: np.ones(len(complete))}
    absent: list[str] = []
    simplified: list[str] = []
    crossed = {term for pair in products for term in pair}
    for term in terms:
        if isinstance(term, Linear):
            values = complete[term.column].to_numpy(dtype="float64") / term.unit
            if term.covariate and np.ptp(values) == 0:
                simplified.append(_left_out(term))
            else:
                columns[term.column] = values
            continue
        having = _by_level(term, codes)
        absent += [term.coefficient(level) for level in term.levels if level not in having]
        if term.covariate and term not in crossed:
            groups = joined_levels(having, y, minimum)
            simplified += _joined(term, groups)
            names = {group: term.coefficient(" or ".join(map(str, group))) for group in groups}
            columns.update({names[group]: groups[group].astype("float64") for group in list(groups)[1:]})
            continue
        indicators = _indicators(term, having, y, minimum)
        if isinstance(indicators, NotEstimable):
            return indicators
        columns.update(indicators)
    for first, second in products:
        pair = (_by_level(first, codes), _by_level(second, codes))
        found = _product_columns((first, second), pair, y, minimum)
        if isinstance(found, NotEstimable):
            return found
        columns.update(found)
    return columns, tuple(absent), tuple(simplified)


def _left_out(term: Term) -> str:
    return f"{term.column} is the same for everybody and is left out"


def _joined(term: Categorical, groups: Iterable[Group]) -> list[str]:
    """What was joined, in words."""
    groups = list(groups)
    if len(groups) == 1:
        return [_left_out(term) if len(groups[0]) == 1 else f"{term.column} has too few events and is left out"]
    return [
        f"levels of {term.column} {TAKEN_TOGETHER}: {' and '.join(map(str, group))}"
        for group in groups
        if len(group) > 1
    ]


def _by_level(term: Categorical, codes: Mapping[str, np.ndarray]) -> dict[Hashable, np.ndarray]:
    """Of each level in use: who has it (n, bool)."""
    having = {level: codes[term.column] == place for place, level in enumerate(term.levels)}
    return {level: people for level, people in having.items() if people.any()}


def _indicators(
    term: Categorical, having: Mapping[Hashable, np.ndarray], y: np.ndarray, minimum: int
) -> dict[str, np.ndarray] | NotEstimable:
    """The indicator columns of a term by coefficient name, for the levels in use but the first."""
    used = list(having)
    if term.required and (len(used) < 2 or used[0] != term.levels[0]):
        return NotEstimable(f"{term.column} has no reference level or only one level")
    for level, people in having.items():
        if reason := too_few(y[people], f"level {level} of {term.column}", minimum):
            return NotEstimable(reason)
    return {term.coefficient(level): having[level].astype("float64") for level in used[1:]}


def _product_columns(
    terms: tuple[Categorical, Categorical],
    having: tuple[Mapping[Hashable, np.ndarray], Mapping[Hashable, np.ndarray]],
    y: np.ndarray,
    minimum: int,
) -> dict[str, np.ndarray] | NotEstimable:
    """The product columns of two terms by coefficient name, from who has each level; the first is the reference."""
    first, second = terms
    references = tuple(next(iter(levels)) for levels in having)
    columns: dict[str, np.ndarray] = {}
    for one, other in product(*having):
        both = having[0][one] & having[1][other]
        where = f"level {one} of {first.column} with level {other} of {second.column}"
        if reason := too_few(y[both], where, minimum):
            return NotEstimable(reason)
        if one != references[0] and other != references[1]:
            columns[product_coefficient(first, one, second, other)] = both.astype("float64")
    return columns


def too_few(y: np.ndarray, where: str, minimum: int) -> str | None:
    """The reason why people with these outcomes (n, 0 or 1) have too few events or non-events; None if enough."""
    events = y.sum()
    if events < minimum:
        return f"{where} has fewer than {minimum} events"
    if len(y) - events < minimum:
        return f"{where} has fewer than {minimum} non-events"
    return None


def _sparse(y: np.ndarray, coefficients: int, minimum: float) -> str | None:
    """The reason why there are too few events or non-events for so many coefficients, or None.

    Ratios of such models are anything, and far from 1 (Peduzzi et al. 1996, Journal of Clinical Epidemiology
    49(12):1373-1379, doi 10.1016/S0895-4356(96)00236-3).
    """
    for count, name in ((y.sum(), "events"), (len(y) - y.sum(), "non-events")):
        if count < minimum * coefficients:
            return f"fewer than {minimum:g} {name} per coefficient"
    return None


def _ill_conditioned(X: np.ndarray, largest: float) -> str | None:
    """The reason why the columns are not independent, or None. They are standardized, so that units do not matter."""
    if not np.isfinite(X).all():
        return "a covariate holds an infinite value"
    if len(X) <= X.shape[1]:
        return "there are no more rows than coefficients"
    columns = X[:, 1:]
    if columns.shape[1] == 0:
        return None
    # Not the standard deviation: that of a constant is rarely exactly zero.
    if (np.ptp(columns, axis=0) == 0).any():
        return "a covariate is constant"
    # Correlations show cheaply that columns are independent; a large condition number needs the exact calculation.
    centered = columns - columns.mean(axis=0)
    covariances = cross_product(centered, centered)
    lengths = np.sqrt(np.diag(covariances))
    eigenvalues = np.linalg.eigvalsh(covariances / np.outer(lengths, lengths))
    if eigenvalues[0] > eigenvalues[-1] / min(largest, RELIABLE_CONDITION) ** 2:
        return None
    standardized = centered / columns.std(axis=0)
    singular = np.linalg.svd(standardized, compute_uv=False)
    if singular[-1] <= singular[0] * max(standardized.shape) * np.finfo("float64").eps:
        return "one covariate is determined by the others"
    if singular[0] / singular[-1] > largest:
        return "the covariates are too nearly collinear"
    return None


def _positive(weights: np.ndarray) -> np.ndarray:
    if not (np.isfinite(weights) & (weights > 0)).all():
        raise ValueError("a weight is not a positive number")
    return weights
