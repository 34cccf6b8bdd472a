"""Between-person and within-person variance of repeated measurements.

A random-intercept model by restricted maximum likelihood (REML), with covariates, fast enough for a thousand bootstrap
samples of people; and the one-way analysis of variance.

REML: Patterson and Thompson 1971, doi 10.1093/biomet/58.3.545. The likelihood depends only on the cross products of all
rows and of the people's sums, by the number of rows of a person; so a bootstrap sample is a weighted sum of cross
products that are computed once (``CrossProducts``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

# Steps of the golden section search; each reduces the interval of the intraclass correlation to 0.62.
GOLDEN_STEPS = 48
LARGEST_CORRELATION = 0.9999


@dataclass(frozen=True)
class Components:
    """Variances on the squared scale of the measurement; arrays of one entry per sample."""

    between: np.ndarray
    within: np.ndarray

    @property
    def intraclass_correlation(self) -> np.ndarray:
        """ICC(1): the reliability of a single measurement."""
        correlation: np.ndarray = self.between / (self.between + self.within)
        return correlation

    def reliability(self, measurements: float | np.ndarray) -> np.ndarray:
        """Reliability of a mean of this number of measurements."""
        reliability: np.ndarray = self.between / (self.between + self.within / measurements)
        return reliability


@dataclass(frozen=True)
class CrossProducts:
    """The sufficient statistics of each person for REML.

    Attributes:
        rows: people x q(q+1)/2, upper triangle of D'D, D being the person's rows of covariates and measurement (last).
        sums: people x q(q+1)/2, upper triangle of s s', s being the column sums of D.
        measurements: people, number of rows of each.
        columns: q, of D.
    """

    rows: np.ndarray
    sums: np.ndarray
    measurements: np.ndarray
    columns: int


def cross_products(values: np.ndarray, person: np.ndarray, covariates: np.ndarray | None = None) -> CrossProducts:
    """Cross products by person.

    Args:
        values: N measurements.
        person: N; the rows of a person must be adjacent.
        covariates: N x p of full rank, the intercept included; an intercept alone unless given.

    Raises:
        ValueError: there is no measurement, or one is not finite, or a person's rows are not adjacent.
    """
    X = np.ones((len(values), 1)) if covariates is None else np.asarray(covariates, dtype="float64")
    D = np.column_stack([X, np.asarray(values, dtype="float64")])
    if len(D) == 0 or not np.isfinite(D).all():
        raise ValueError("measurements and covariates must be finite numbers, at least one")
    new = np.r_[True, person[1:] != person[:-1]]
    first = np.flatnonzero(new)
    if len(first) != len(set(person[first].tolist())):
        raise ValueError("the rows of a person must be adjacent")
    sums = np.add.reduceat(D, first, axis=0)
    upper = list(zip(*np.triu_indices(D.shape[1]), strict=True))
    return CrossProducts(
        rows=np.column_stack([np.add.reduceat(D[:, i] * D[:, j], first) for i, j in upper]),
        sums=np.column_stack([sums[:, i] * sums[:, j] for i, j in upper]),
        measurements=np.diff(np.append(first, len(D))),
        columns=D.shape[1],
    )


def reml(products: CrossProducts, counts: np.ndarray | None = None) -> Components:
    """REML variance components of y = Xb + u_person + e.

    Args:
        products: of the people.
        counts: samples x people, how often each person is in each sample; one sample with everyone once unless given.

    Returns:
        One entry per sample; nan if nobody has a second measurement.
    """
    counts = np.ones((1, len(products.measurements))) if counts is None else np.asarray(counts, dtype="float64")
    q = products.columns
    # Columns of equal length, and a small ridge, because a sample may lack a rare level.
    length = np.sqrt(_squares(products.rows.sum(axis=0), q))
    length[length == 0] = 1.0
    scale = np.outer(length, length)
    total = _square(counts @ products.rows, q) / scale
    ridge = np.zeros(q)
    ridge[:-1] = 1e-12
    total[:, np.arange(q), np.arange(q)] += ridge
    sizes = np.unique(products.measurements)
    people = np.stack([counts[:, products.measurements == size].sum(axis=1) for size in sizes])
    sums = np.stack(
        [
            _square(counts[:, products.measurements == size] @ products.sums[products.measurements == size], q) / scale
            for size in sizes
        ]
    )
    freedom = (people * sizes[:, np.newaxis]).sum(axis=0) - (q - 1)
    if (sizes < 2).all() or (freedom <= 0).any():
        undetermined = np.full(len(counts), np.nan)
        return Components(undetermined, undetermined)

    def profile(correlation: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Minus twice the restricted log likelihood up to a constant, and the within variance it implies."""
        ratio = correlation / (1 - correlation)
        shrink = ratio / (1 + np.outer(sizes, ratio))
        M = total - np.einsum("gs,gsij->sij", shrink, sums)
        A, b = M[:, :-1, :-1], M[:, :-1, -1]
        residual = M[:, -1, -1] - np.einsum("si,si->s", b, np.linalg.solve(A, b[..., np.newaxis])[..., 0])
        within = np.maximum(residual, 1e-300) / freedom
        spread = (people * np.log1p(np.outer(sizes, ratio))).sum(axis=0)
        return freedom * np.log(within) + spread + np.linalg.slogdet(A)[1], within

    correlation = _golden_section(lambda value: profile(value)[0], len(counts))
    within = profile(correlation)[1] * length[-1] ** 2
    return Components(within * correlation / (1 - correlation), within)


def anova(values: np.ndarray, person: np.ndarray) -> Components:
    """One-way analysis of variance for unequal numbers of measurements (Searle, Casella and McCulloch 1992).

    Args:
        values: N measurements.
        person: N.

    Returns:
        Arrays of one entry; the between variance may be negative. Undetermined components are nan.
    """
    _, code = np.unique(person, return_inverse=True)
    sizes = np.bincount(code)
    means = np.bincount(code, weights=values) / sizes
    people, rows = len(sizes), len(values)
    if rows == people or people < 2:
        return Components(np.array([np.nan]), np.array([np.nan]))
    within = float(((values - means[code]) ** 2).sum()) / (rows - people)
    between_squares = float((sizes * (means - values.mean()) ** 2).sum()) / (people - 1)
    usual_size = (rows - float((sizes**2).sum()) / rows) / (people - 1)
    return Components(np.array([(between_squares - within) / usual_size]), np.array([within]))


def bootstrap_counts(people: int, draws: int, random: np.random.Generator) -> np.ndarray:
    """draws x people: how often each person is drawn in samples with replacement of the same size."""
    return np.stack([np.bincount(random.integers(people, size=people), minlength=people) for _ in range(draws)])


def _golden_section(objective: Callable[[np.ndarray], np.ndarray], samples: int) -> np.ndarray:
    """The minimum of a function of the correlation, for all samples at once."""
    golden = (np.sqrt(5) - 1) / 2
    low, high = np.zeros(samples), np.full(samples, LARGEST_CORRELATION)
    inner, outer = high - golden * (high - low), low + golden * (high - low)
    at_inner, at_outer = objective(inner), objective(outer)
    for _ in range(GOLDEN_STEPS):
        left = at_inner < at_outer
        high, low = np.where(left, outer, high), np.where(left, low, inner)
        fresh = np.where(left, high - golden * (high - low), low + golden * (high - low))
        value = objective(fresh)
        inner, outer = np.where(left, fresh, outer), np.where(left, inner, fresh)
        at_inner, at_outer = np.where(left, value, at_outer), np.where(left, at_inner, value)
    middle = (low + high) / 2
    # At the boundary there is no correlation.
    edge = objective(np.zeros(samples)) <= objective(middle)
    found: np.ndarray = np.where(edge, 0.0, middle)
    return found


def _square(triangle: np.ndarray, q: int) -> np.ndarray:
    """samples x q x q symmetric matrices from their upper triangles."""
    square = np.empty((len(triangle), q, q))
    i, j = np.triu_indices(q)
    square[:, i, j] = triangle
    square[:, j, i] = triangle
    return square


def _squares(triangle: np.ndarray, q: int) -> np.ndarray:
    i, j = np.triu_indices(q)
    diagonal: np.ndarray = triangle[i == j]
    return diagonal
