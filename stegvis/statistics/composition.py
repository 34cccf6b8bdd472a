"""The 24-hour day as a composition: closure, zeros, log-ratios, and reallocation of time.

The estimators work for any number of parts of a whole. Absolute minutes are modeled by ``isotemporal``.

Time use is relative: more of one part is less of the others, so a model uses the logarithms of ratios of parts
(Aitchison 1982, doi 10.1111/j.2517-6161.1982.tb01195.x) in isometric log-ratio coordinates (Egozcue et al. 2003, doi
10.1023/A:1023818213614). Any orthonormal basis gives the same model; estimates are reported as log-contrasts, one
coefficient per part that sum to zero, which do not depend on the basis.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special

from stegvis.statistics.contract import OUTCOME, NotEstimable, complete_rows
from stegvis.statistics.risk_ratio import Fit, JointWald, Ratio, fit_risk_ratio, ratio
from stegvis.statistics.terms import Linear, Term
from stegvis.study.protocol_models import Models


def closure(parts: np.ndarray, total: float) -> np.ndarray:
    """Rows (n x D) rescaled so that each sums to ``total``.

    Raises:
        ValueError: a part is negative or not finite, or a row sums to zero.
    """
    parts = np.asarray(parts, dtype="float64")
    sums = parts.sum(axis=1, keepdims=True)
    if not np.isfinite(parts).all() or (parts < 0).any() or not (sums > 0).all():
        raise ValueError("the parts of a whole must not be negative or missing, nor all zero")
    closed: np.ndarray = parts * (total / sums)
    return closed


def pivot_basis(parts: int) -> np.ndarray:
    """An orthonormal basis (D x D-1) of log-contrasts: each part against the geometric mean of those after it."""
    basis = np.zeros((parts, parts - 1))
    for column in range(parts - 1):
        after = parts - column - 1
        basis[column, column] = math.sqrt(after / (after + 1))
        basis[column + 1 :, column] = -1 / math.sqrt(after * (after + 1))
    return basis


def ilr(parts: np.ndarray, basis: np.ndarray | None = None) -> np.ndarray:
    """Isometric log-ratio coordinates, n x D-1, of positive parts (n x D).

    Raises:
        ValueError: a part is not positive; zeros must be imputed first.
    """
    parts = np.asarray(parts, dtype="float64")
    if not (parts > 0).all():
        raise ValueError("every part must be positive before logarithms are taken")
    coordinates: np.ndarray = np.log(parts) @ (pivot_basis(parts.shape[1]) if basis is None else basis)
    return coordinates


def inverse_ilr(coordinates: np.ndarray, total: float, basis: np.ndarray | None = None) -> np.ndarray:
    """The parts (n x D), closed to ``total``, of coordinates (n x D-1)."""
    coordinates = np.asarray(coordinates, dtype="float64")
    used = pivot_basis(coordinates.shape[1] + 1) if basis is None else basis
    return closure(np.exp(coordinates @ used.T), total)


def center(parts: np.ndarray, total: float) -> np.ndarray:
    """The compositional mean: the closed geometric mean of each part (D)."""
    mean: np.ndarray = inverse_ilr(ilr(parts).mean(axis=0, keepdims=True), total)[0]
    return mean


def impute_zeros(
    parts: np.ndarray, part: int, limits: np.ndarray, *, tolerance: float = 1e-8, iterations: int = 10_000
) -> np.ndarray:
    """Replace the zeros of one part by their expectation below a detection limit: log-ratio EM.

    The method of ``lrEM`` in R's zCompositions (Palarea-Albaladejo and Martin-Fernandez 2015, doi
    10.1016/j.chemolab.2015.02.019): a zero is a value below the limit; log-ratios are normal given the other parts, and
    the zero gets its conditional expectation. With zeros in one part only, the model is a regression of that
    part's additive log-ratio on those of the others, censored at the limit.

    Args:
        parts: n x D, closed or not; only ratios matter.
        part: the column that may be zero; every other part must be positive.
        limits: the smallest detectable amount, in the unit of the parts; n, or one for all.
        tolerance: largest change of the imputed logarithms at which the iteration ends.
        iterations: most iterations.

    Returns:
        n x D: the parts with the zeros replaced by positive numbers below their limits. Rows are not closed again.

    Raises:
        ValueError: another part or a limit is not positive, too few rows have the part, or there is no convergence.
    """
    parts = np.array(parts, dtype="float64")
    limits = np.broadcast_to(np.asarray(limits, dtype="float64"), len(parts))
    others = np.delete(parts, part, axis=1)
    if not (others > 0).all():
        raise ValueError("only one part may be zero")
    if (parts[:, part] < 0).any() or not (limits > 0).all():
        raise ValueError("amounts must not be negative, and limits must be positive")
    zero = parts[:, part] == 0
    if not zero.any():
        return parts
    reference = others[:, -1]
    X = np.column_stack([np.ones(len(parts)), np.log(others[:, :-1] / reference[:, None])])
    seen = ~zero
    if seen.sum() <= X.shape[1]:
        raise ValueError("too few people have an amount above zero to impute from")
    y = np.empty(len(parts))
    y[seen] = np.log(parts[seen, part] / reference[seen])
    ceiling = np.log(limits[zero] / reference[zero])
    y[zero] = ceiling
    variance_of_zeros = np.zeros(int(zero.sum()))
    solve = np.linalg.pinv(X)
    for _ in range(iterations):
        mean = X @ (solve @ y)
        spread = math.sqrt((((y - mean) ** 2).sum() + variance_of_zeros.sum()) / len(y))
        distance = (ceiling - mean[zero]) / spread
        # The inverse Mills ratio by logarithms: far in the tail both densities vanish.
        log_density = -(distance**2) / 2 - math.log(math.sqrt(2 * math.pi))
        mills = np.exp(log_density - special.log_ndtr(distance))
        expected = mean[zero] - spread * mills
        variance_of_zeros = spread**2 * np.maximum(1 - distance * mills - mills**2, 0)
        change = np.abs(expected - y[zero]).max()
        y[zero] = expected
        if change < tolerance:
            parts[zero, part] = np.exp(expected) * reference[zero]
            return parts
    raise ValueError("the imputation of zeros did not converge")


@dataclass(frozen=True)
class CompositionFit:
    """A model of an outcome on a composition, without data of individuals.

    Attributes:
        log_contrast: D coefficients that sum to zero: the log ratio between two days is their product with the
            difference of the days' logarithms.
        covariance: D x D, of the log-contrasts.
        center: D, the compositional mean, which sums to ``total``.
        total: the sum of the parts, for example 1440 minutes.
        joint: Wald test of all log-ratio coordinates.
        fit: the modified Poisson fit.
    """

    log_contrast: pd.Series
    covariance: pd.DataFrame
    center: pd.Series
    total: float
    joint: JointWald
    fit: Fit

    def reallocation(self, source: str, target: str, amount: float) -> Ratio | NotEstimable:
        """The ratio between the mean day with ``amount`` moved from one part to another and the mean day.

        The standard error is by the delta method, with the mean day taken as fixed.

        Raises:
            KeyError: no such part.
        """
        moved = self.center.copy()
        moved[source] -= amount
        moved[target] += amount
        if not (moved > 0).all():
            return NotEstimable(f"the mean day has less than {amount:g} min of {source}")
        return self._ratio(np.log(moved.to_numpy() / self.center.to_numpy()))

    def doubling(self, part: str) -> Ratio:
        """The ratio when one part doubles relative to all others, whose mutual ratios do not change.

        Raises:
            KeyError: no such part.
        """
        if part not in self.center.index:
            raise KeyError(part)
        return self._ratio(np.where(self.center.index == part, math.log(2), 0.0))

    def _ratio(self, d: np.ndarray) -> Ratio:
        """The ratio between two days whose logarithms differ by ``d`` (D)."""
        variance = float(d @ self.covariance.to_numpy() @ d)
        return ratio(float(d @ self.log_contrast.to_numpy()), math.sqrt(max(variance, 0.0)), self.fit.confidence)


def fit_composition(
    frame: pd.DataFrame,
    parts: Sequence[str],
    covariates: Sequence[Term],
    models: Models,
    *,
    total: float,
    outcome: str = OUTCOME,
    basis: np.ndarray | None = None,
) -> CompositionFit | NotEstimable:
    """Modified Poisson regression (robust variance) of a 0/1 outcome on the log-ratios of parts and covariates.

    Args:
        frame: one row per person; the parts' columns are positive (see ``impute_zeros``).
        parts: D columns that make up the whole.
        covariates: other terms of the model.
        models: variance, confidence and limits, from the protocol.
        total: the sum of the parts, for example 1440 minutes.
        outcome: column of 0 and 1.
        basis: orthonormal log-contrasts (D x D-1); it changes no estimate.

    Raises:
        ValueError: a part is not positive, or the caller broke the contract of ``prepare``.
    """
    used = pivot_basis(len(parts)) if basis is None else basis
    frame, _ = complete_rows(frame, [*parts, *(term.column for term in covariates), outcome])
    values = frame[list(parts)].to_numpy(dtype="float64")
    names = [f"ilr_{number}" for number in range(1, len(parts))]
    coordinates = pd.DataFrame(ilr(values, used), frame.index, names)
    fit = fit_risk_ratio(
        pd.concat([frame, coordinates], axis=1), [*map(Linear, names), *covariates], models, outcome=outcome
    )
    if isinstance(fit, NotEstimable):
        return fit
    b = fit.coefficients[names].to_numpy()
    V = fit.covariance.loc[names, names].to_numpy()
    return CompositionFit(
        log_contrast=pd.Series(used @ b, list(parts)),
        covariance=pd.DataFrame(used @ V @ used.T, list(parts), list(parts)),
        center=pd.Series(center(values, total), list(parts)),
        total=total,
        joint=fit.joint_wald(names),
        fit=fit,
    )
