"""Between-person and within-person variance of repeated measurements.

A random-intercept model by restricted maximum likelihood (REML), with covariates, fast enough for a thousand bootstrap
samples of people; and the one-way analysis of variance.

REML: Patterson and Thompson 1971, doi 10.1093/biomet/58.3.545. The likelihood depends only on the cross products of all
rows and of the people's sums, by the number of rows of a person; so a bootstrap sample is a weighted sum of cross
products that are computed once (``CrossProducts``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

LARGEST_CORRELATION = 0.9999
# Of the search for the intraclass correlation, which is exact to about the last step.
START, SMALLEST_STEP, MOST_STEPS = 0.4, 1e-10, 60


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

    D are the person's rows of covariates and measurements (last), s its column sums.

    Attributes:
        rows: people x q(q+1)/2, upper triangle of D'D.
        sums: people x v(v+1)/2, upper triangle of s s' of the columns that vary. Of any other pair of columns the
            product of the sums is the number of rows times the entry of D'D, as one of the two is constant.
        measurements: people, number of rows of each.
        varies: q, whether a column of D differs between the rows of any person.
    """

    rows: np.ndarray
    sums: np.ndarray
    measurements: np.ndarray
    varies: np.ndarray


@dataclass(frozen=True)
class SampleTotals:
    """Cross products summed over the people of samples.

    Attributes:
        rows: samples x q x q, sum of D'D.
        sums: sizes x samples x q x q, sum of s s' over the people with so many rows.
        people: sizes x samples, number of people with so many rows.
        sizes: the numbers of rows that people have.
        lengths: q, of the columns of D in all people; ``rows`` and ``sums`` are of columns divided by them.
    """

    rows: np.ndarray
    sums: np.ndarray
    people: np.ndarray
    sizes: np.ndarray
    lengths: np.ndarray

    def of(self, columns: Sequence[int]) -> SampleTotals:
        """Those of some columns of D, the measurement last."""
        down, across = np.ix_(columns, columns)
        return replace(
            self,
            rows=self.rows[:, down, across],
            sums=self.sums[:, :, down, across],
            lengths=self.lengths[list(columns)],
        )


def cross_products(values: np.ndarray, person: np.ndarray, covariates: np.ndarray | None = None) -> CrossProducts:
    """Cross products by person.

    Args:
        values: N measurements, or N x m of several kinds.
        person: N; the rows of a person must be adjacent.
        covariates: N x p of full rank, the intercept included; an intercept alone unless given.

    Raises:
        ValueError: there is no measurement, or one is not finite, or a person's rows are not adjacent.
    """
    X = np.ones((len(values), 1)) if covariates is None else np.asarray(covariates, dtype="float64")
    D = np.column_stack([X, np.asarray(values, dtype="float64")])
    if len(D) == 0 or not np.isfinite(D).all():
        raise ValueError("measurements and covariates must be finite numbers, at least one")
    first = np.flatnonzero(np.r_[True, person[1:] != person[:-1]])
    if len(first) != len(set(person[first].tolist())):
        raise ValueError("the rows of a person must be adjacent")
    measurements = np.diff(np.append(first, len(D)))
    varies = (np.repeat(D[first], measurements, axis=0) != D).any(axis=0)
    sums = np.add.reduceat(D[:, varies], first, axis=0)
    return CrossProducts(
        rows=np.column_stack([np.add.reduceat(D[:, i] * D[:, j], first) for i, j in _pairs(D.shape[1])]),
        sums=np.column_stack([np.zeros((len(first), 0)), *(sums[:, i] * sums[:, j] for i, j in _pairs(sums.shape[1]))]),
        measurements=measurements,
        varies=varies,
    )


def sample_totals(products: CrossProducts, counts: np.ndarray | None = None) -> SampleTotals:
    """The cross products of samples of people.

    Args:
        products: of the people.
        counts: samples x people, how often each person is in each sample; one sample with everyone once unless given.
    """
    counts = np.ones((1, len(products.measurements))) if counts is None else np.asarray(counts, dtype="float64")
    q = len(products.varies)
    lengths = np.sqrt([products.rows[:, at].sum() for at, (i, j) in enumerate(_pairs(q)) if i == j])
    lengths[lengths == 0] = 1.0
    scale = np.outer(lengths, lengths)
    both_vary = np.array([products.varies[i] and products.varies[j] for i, j in _pairs(q)])
    sizes = np.unique(products.measurements)
    rows, people, sums = np.zeros((len(counts), products.rows.shape[1])), [], []
    for size in sizes:
        these = products.measurements == size
        drawn = counts[:, these]
        of_size = drawn @ products.rows[these]
        rows += of_size
        sum_products = size * of_size
        sum_products[:, both_vary] = drawn @ products.sums[these]
        sums.append(_square(sum_products, q) / scale)
        people.append(drawn.sum(axis=1))
    return SampleTotals(_square(rows, q) / scale, np.stack(sums), np.stack(people), sizes, lengths)


def reml(products: CrossProducts, counts: np.ndarray | None = None) -> Components:
    """REML variance components of y = Xb + u_person + e.

    Args:
        products: of the people.
        counts: samples x people, how often each person is in each sample; one sample with everyone once unless given.

    Returns:
        One entry per sample; nan if nobody has a second measurement.
    """
    return reml_of_totals(sample_totals(products, counts))


def reml_of_totals(totals: SampleTotals) -> Components:
    """As ``reml``, of samples whose cross products are summed already."""
    sizes, people = totals.sizes, totals.people
    samples, q = totals.rows.shape[:2]
    freedom = (people * sizes[:, np.newaxis]).sum(axis=0) - (q - 1)
    if (sizes < 2).all() or (freedom <= 0).any():
        undetermined = np.full(samples, np.nan)
        return Components(undetermined, undetermined)
    # A small ridge, because a sample may lack a rare level.
    rows = totals.rows.copy()
    rows[:, np.arange(q - 1), np.arange(q - 1)] += 1e-12

    def slopes(correlation: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """First and second derivative of minus twice the restricted log likelihood, and the within variance."""
        ratio = correlation / (1 - correlation)
        shrunk = 1 + np.outer(sizes, ratio)
        weights = np.stack([-ratio / shrunk, -1 / shrunk**2, 2 * sizes[:, np.newaxis] / shrunk**3])
        M, M1, M2 = np.einsum("dgs,gsij->dsij", weights, totals.sums)
        M += rows
        inverse = np.linalg.inv(M[:, :-1, :-1])
        residual = np.concatenate([-np.einsum("sij,sj->si", inverse, M[:, :-1, -1]), np.ones((samples, 1))], axis=1)
        error, error1, error2 = (np.einsum("si,sij,sj->s", residual, each, residual) for each in (M, M1, M2))
        error = np.maximum(error, 1e-300)
        moved = np.einsum("sij,sj->si", M1, residual)[:, :-1]
        error2 = error2 - 2 * np.einsum("si,sij,sj->s", moved, inverse, moved)
        turned = inverse @ M1[:, :-1, :-1]
        first = (
            freedom * error1 / error
            + (people * sizes[:, np.newaxis] / shrunk).sum(axis=0)
            + np.einsum("sii->s", turned)
        )
        second = (
            freedom * (error2 / error - (error1 / error) ** 2)
            - (people * (sizes[:, np.newaxis] / shrunk) ** 2).sum(axis=0)
            + np.einsum("sij,sji->s", inverse, M2[:, :-1, :-1])
            - np.einsum("sij,sji->s", turned, turned)
        )
        # By the correlation instead of the ratio.
        per = 1 + ratio
        return first * per**2, second * per**4 + 2 * first * per**3, error / freedom

    correlation = _root(lambda value: slopes(value)[:2], samples)
    within = slopes(correlation)[2] * totals.lengths[-1] ** 2
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


def _root(slopes: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]], samples: int) -> np.ndarray:
    """The correlation at which a function that falls and then rises is lowest, for all samples at once.

    Newton's method for the root of the first derivative, in an interval that its sign narrows; where a step would leave
    the interval, half of it.

    Args:
        slopes: gives the first and second derivative of the function.
        samples: how many there are.
    """
    low, high = np.zeros(samples), np.full(samples, LARGEST_CORRELATION)
    # A function that does not fall from the start is lowest there: at the boundary there is no correlation.
    high = np.where(slopes(low)[0] >= 0, 0.0, high)
    at = np.minimum(START, high)
    for _ in range(MOST_STEPS):
        first, second = slopes(at)
        low, high = np.where(first < 0, at, low), np.where(first < 0, high, at)
        with np.errstate(divide="ignore", invalid="ignore"):
            newton = at - first / second
        inside = (second > 0) & (newton >= low) & (newton <= high)
        new = np.where(inside, newton, (low + high) / 2)
        if np.abs(new - at).max() < SMALLEST_STEP:
            return new
        at = new
    return at


def _pairs(q: int) -> list[tuple[int, int]]:
    """The pairs of columns in the upper triangle of a q x q matrix, row by row."""
    i, j = np.triu_indices(q)
    return list(zip(i.tolist(), j.tolist(), strict=True))


def _square(triangle: np.ndarray, q: int) -> np.ndarray:
    """samples x q x q symmetric matrices from their upper triangles."""
    square = np.empty((len(triangle), q, q))
    i, j = np.triu_indices(q)
    square[:, i, j] = triangle
    square[:, j, i] = triangle
    return square
