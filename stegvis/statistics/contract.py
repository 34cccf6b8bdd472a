"""The contract a frame must keep before anything is fitted to it.

Belongs here: complete rows, levels, smallest numbers of events, rank and conditioning; the outcome is a design that can
be fitted, or the reason why not. Does not belong here: the fit, and what is checked after it (``risk_ratio``).

Why it exists: without it, a category without events "converges" at a risk ratio of 0.00 with a tiny standard error,
missing rows vanish silently, and an unused level stops the program.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd

from stegvis.statistics.matrices import cross_product
from stegvis.statistics.terms import Categorical, Linear, Term, product_coefficient
from stegvis.study.protocol_models import Models

INTERCEPT = "intercept"
OUTCOME = "low_back_pain"
# A condition number that correlations still tell exactly: its square is far from the precision of a number.
PLAINLY_APART = 1e5


@dataclass(frozen=True)
class NotEstimable:
    """Why there is no estimate, in words that name no person and no count."""

    reason: str


@dataclass(frozen=True)
class Design:
    """A design that kept the contract. X is n x k with named columns, the intercept first; y is 0.0 or 1.0."""

    X: pd.DataFrame
    y: np.ndarray
    weights: np.ndarray | None
    groups: np.ndarray | None
    dropped: int
    levels_lost: tuple[str, ...]


def complete_rows(frame: pd.DataFrame, columns: Sequence[str]) -> tuple[pd.DataFrame, int]:
    """The rows in which every column is known, and how many rows that left out."""
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

    ``weights`` and ``groups`` name columns: analysis weights, and the person (cluster) a row belongs to. ``products``
    are pairs of the terms whose products are added; every pair of their levels must keep the contract too.

    Raises:
        ValueError: the outcome is not 0 or 1, a value is outside its levels, or a weight is not positive. These are
            mistakes of the caller, not of the data, so they are not results.
    """
    extra = [column for column in (outcome, weights, groups) if column is not None]
    complete, dropped = complete_rows(frame, [*(term.column for term in terms), *extra])
    y = complete[outcome].to_numpy(dtype="float64")
    if not np.isin(y, (0.0, 1.0)).all():
        raise ValueError(f"the outcome {outcome} holds values other than 0 and 1")
    for term in terms:
        if isinstance(term, Categorical) and not complete[term.column].isin(term.levels).all():
            raise ValueError(f"{term.column} holds a value outside its levels")

    if reason := too_few(y, "the sample", models.minimum_events):
        return NotEstimable(reason)
    columns: dict[str, np.ndarray] = {INTERCEPT: np.ones(len(complete))}
    levels_lost: list[str] = []
    used_levels: dict[str, list[Hashable]] = {}
    for term in terms:
        if isinstance(term, Linear):
            columns[term.column] = complete[term.column].to_numpy(dtype="float64") / term.unit
            continue
        values = complete[term.column].to_numpy()
        used = used_levels[term.column] = [level for level in term.levels if (values == level).any()]
        levels_lost += [term.coefficient(level) for level in term.levels if level not in used]
        if term.required and (len(used) < 2 or used[0] != term.levels[0]):
            return NotEstimable(f"{term.column} has no reference level or only one level")
        for level in used:
            if reason := too_few(y[values == level], f"level {level} of {term.column}", models.minimum_events):
                return NotEstimable(reason)
        columns.update({term.coefficient(level): (values == level).astype("float64") for level in used[1:]})
    for first, second in products:
        for one, other in product(used_levels[first.column], used_levels[second.column]):
            both = ((complete[first.column] == one) & (complete[second.column] == other)).to_numpy(dtype=bool)
            where = f"level {one} of {first.column} with level {other} of {second.column}"
            if reason := too_few(y[both], where, models.minimum_events):
                return NotEstimable(reason)
            if one != used_levels[first.column][0] and other != used_levels[second.column][0]:
                columns[product_coefficient(first, one, second, other)] = both.astype("float64")

    X = pd.DataFrame(columns, index=complete.index)
    if reason := _ill_conditioned(X.to_numpy(), models.largest_condition_number):
        return NotEstimable(reason)
    return Design(
        X=X,
        y=y,
        weights=_positive(complete[weights].to_numpy(dtype="float64")) if weights is not None else None,
        groups=pd.factorize(complete[groups])[0] if groups is not None else None,
        dropped=dropped,
        levels_lost=tuple(levels_lost),
    )


def too_few(y: np.ndarray, where: str, minimum: int) -> str | None:
    """Why people with these outcomes (0 or 1) are too few to estimate anything in, if so."""
    events = y.sum()
    if events < minimum:
        return f"{where} has fewer than {minimum} events"
    if len(y) - events < minimum:
        return f"{where} has fewer than {minimum} non-events"
    return None


def _ill_conditioned(X: np.ndarray, largest: float) -> str | None:
    """Why the columns cannot be told apart, if so. They are standardized first: units must not decide."""
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
    standardized = (columns - columns.mean(axis=0)) / columns.std(axis=0)
    # Correlations tell at little cost that columns are well apart; how near to each other the others are, they cannot.
    eigenvalues = np.linalg.eigvalsh(cross_product(standardized, standardized))
    if eigenvalues[0] > eigenvalues[-1] / min(largest, PLAINLY_APART) ** 2:
        return None
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
