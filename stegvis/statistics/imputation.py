"""Multiple imputation of missing covariates by fully conditional specification.

The estimates are pooled by ``rubin``. Outcomes of non-respondents are not imputed (``attrition_weights``,
``tipping_point``).

Each incomplete variable is drawn given all others, in turn and repeatedly (van Buuren 2007, doi
10.1177/0962280206074463): numbers from a linear regression, levels from a multinomial logistic one, the coefficients
themselves being drawn first (proper imputation; Rubin 1987, doi 10.1002/9780470316696). A wide normal prior on the
logistic coefficients prevents divergence for a nearly separated level.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from itertools import pairwise

import numpy as np
import pandas as pd

from stegvis.statistics.matrices import cross_product, linear_predictor
from stegvis.statistics.terms import Linear, Term

MOST_NEWTON_STEPS = 50
# Of the Newton decrement: the mode is exact to a hundredth of a standard error, far below the noise of the draw.
TOLERANCE = 1e-4
# A step longer than this, in squared standard errors, is checked for a higher likelihood.
FAR = 50.0


def impute(
    frame: pd.DataFrame,
    terms: Sequence[Term],
    *,
    imputations: int,
    iterations: int,
    prior_sd: float,
    random: np.random.Generator,
) -> Iterator[pd.DataFrame]:
    """Yield completed copies of a frame.

    Args:
        frame: one row per person.
        terms: every variable of the analysis, the outcome and the exposures included: each predicts the others, and
            those with missing values are imputed. A linear term is a number, a categorical one has levels.
        imputations: number of copies.
        iterations: rounds through the incomplete variables before a copy is taken.
        prior_sd: standard deviation of the prior of a logistic coefficient, per standard deviation of its column.
        random: source of all draws.

    Raises:
        ValueError: a variable has no known value, or a value outside its levels.
    """
    variables = [_variable(frame, term) for term in terms]
    incomplete = [variable for variable in variables if variable.missing.any()]
    for _ in range(imputations):
        for variable in incomplete:
            variable.draw_from_known(random)
        matrix = _Matrix(variables)
        for round_number in range(iterations):
            for variable in incomplete:
                if isinstance(variable, _Number):
                    _draw_numbers(matrix, variable, random)
                else:
                    _draw_levels(matrix, variable, prior_sd, random, first_round=round_number == 0)
                matrix.update(variable)
        yield frame.assign(**{variable.column: variable.as_series(frame) for variable in incomplete})


def incomplete_columns(frame: pd.DataFrame, terms: Sequence[Term]) -> list[str]:
    """The columns of these terms that have a missing value."""
    return [term.column for term in terms if frame[term.column].isna().any()]


class _Number:
    """A numeric variable; ``values`` (n) holds the known and, between draws, the imputed."""

    def __init__(self, column: str, values: np.ndarray, missing: np.ndarray) -> None:
        self.column, self.values, self.missing = column, values, missing
        known = values[~missing]
        self._center, self._spread = known.mean(), known.std()
        self.width = int(np.ptp(known) > 0)

    def block(self, people: np.ndarray) -> np.ndarray:
        """width x people, standardized by the known values; a constant has no columns."""
        scaled: np.ndarray = (self.values[np.newaxis, people] - self._center) / (self._spread or 1.0)
        return scaled[: self.width]

    def draw_from_known(self, random: np.random.Generator) -> None:
        self.values[self.missing] = random.choice(self.values[~self.missing], int(self.missing.sum()))

    def as_series(self, frame: pd.DataFrame) -> pd.Series:
        return pd.Series(self.values.copy(), frame.index)


class _Levels:
    """A categorical variable with the levels that occur; ``codes`` (n) are their positions.

    ``known_indicators`` is width x n, of all levels but the first, zero where the level is missing. ``mode`` and
    ``factor`` are kept from one fit to the next: the coefficients, and the inverse of the Cholesky factor of their
    information.
    """

    def __init__(self, column: str, levels: list[Hashable], codes: np.ndarray, missing: np.ndarray) -> None:
        self.column, self.levels, self.codes, self.missing = column, levels, codes, missing
        self.width = len(levels) - 1
        known = self._indicators(np.flatnonzero(~missing))
        self._center = known.mean(axis=1, keepdims=True)
        self._spread = known.std(axis=1, keepdims=True)
        self.known_indicators = self._indicators(np.arange(len(codes))) * ~missing
        self.mode: np.ndarray | None = None
        self.factor: np.ndarray | None = None

    def _indicators(self, people: np.ndarray) -> np.ndarray:
        """width x people: of all levels but the first."""
        indicators: np.ndarray = (self.codes[np.newaxis, people] == np.arange(1, self.width + 1)[:, np.newaxis]).astype(
            "float64"
        )
        return indicators

    def block(self, people: np.ndarray) -> np.ndarray:
        """width x people, standardized by the known values."""
        scaled: np.ndarray = (self._indicators(people) - self._center) / self._spread
        return scaled

    def draw_from_known(self, random: np.random.Generator) -> None:
        self.codes[self.missing] = random.choice(self.codes[~self.missing], int(self.missing.sum()))

    def as_series(self, frame: pd.DataFrame) -> pd.Series:
        return pd.Series(np.array(self.levels, dtype=object)[self.codes], frame.index).astype(frame[self.column].dtype)


def _variable(frame: pd.DataFrame, term: Term) -> _Number | _Levels:
    column = frame[term.column]
    missing = column.isna().to_numpy(dtype=bool)
    if missing.all():
        raise ValueError(f"{term.column} has no known value to impute from")
    if isinstance(term, Linear):
        return _Number(term.column, column.to_numpy(dtype="float64", na_value=np.nan, copy=True), missing)
    known = column[~missing]
    if not known.isin(term.levels).all():
        raise ValueError(f"{term.column} holds a value outside its levels")
    used = [level for level in term.levels if (known == level).any()]
    codes = column.map({level: code for code, level in enumerate(used)}).fillna(-1).to_numpy(dtype="int64", copy=True)
    return _Levels(term.column, used, codes, missing)


class _Matrix:
    """All variables as one matrix: ``rows`` is K x n, the intercept first, then the columns of each variable."""

    def __init__(self, variables: Sequence[_Number | _Levels]) -> None:
        everyone = np.arange(len(variables[0].missing))
        edges = np.cumsum([1, *(variable.width for variable in variables)]).tolist()
        self._place = {v.column: slice(a, b) for v, (a, b) in zip(variables, pairwise(edges), strict=True)}
        self.rows = np.vstack([np.ones((1, len(everyone))), *(variable.block(everyone) for variable in variables)])

    def others(self, variable: _Number | _Levels) -> np.ndarray:
        """Positions of the rows of every other variable, and of the intercept."""
        return np.delete(np.arange(len(self.rows)), self._place[variable.column])

    def update(self, variable: _Number | _Levels) -> None:
        """Copy the imputed values into the rows of a variable."""
        people = np.flatnonzero(variable.missing)
        self.rows[self._place[variable.column], people] = variable.block(people)


def _draw_numbers(matrix: _Matrix, variable: _Number, random: np.random.Generator) -> None:
    """New values from a linear regression whose variance and coefficients are drawn first."""
    others = matrix.rows[matrix.others(variable)]
    known = ~variable.missing
    X, y = others[:, known], variable.values[known]
    precision = cross_product(X.T, X.T)
    # A small ridge, as in R's mice, so that collinear columns do not stop the draw.
    precision[np.diag_indices_from(precision)] *= 1 + 1e-5
    b = np.linalg.solve(precision, X @ y)
    residual = y - b @ X
    freedom = max(X.shape[1] - X.shape[0], 1)
    sigma = np.sqrt(residual @ residual / random.chisquare(freedom))
    factor = np.linalg.cholesky(precision)
    b = b + sigma * np.linalg.solve(factor.T, random.standard_normal(len(b)))
    noise = sigma * random.standard_normal(int(variable.missing.sum()))
    variable.values[variable.missing] = b @ others[:, variable.missing] + noise


def _draw_levels(
    matrix: _Matrix, variable: _Levels, prior_sd: float, random: np.random.Generator, *, first_round: bool
) -> None:
    """New codes from a multinomial regression whose coefficients are drawn first."""
    if variable.width == 0:
        variable.codes[variable.missing] = 0
        return
    others = matrix.others(variable)
    mode, factor = _fit_levels(matrix.rows, others, variable, prior_sd, anew=first_round)
    drawn = mode.copy()
    noise = factor.T @ random.standard_normal(variable.width * len(others))
    drawn[:, others] += noise.reshape(variable.width, -1)
    probabilities = _probabilities(drawn @ matrix.rows[:, variable.missing])
    # From the last level down to the first, which has the remaining probability.
    passed = np.cumsum(probabilities[::-1], axis=0)
    variable.codes[variable.missing] = variable.width - (random.random(passed.shape[1]) >= passed).sum(axis=0)


def _fit_levels(
    rows: np.ndarray, others: np.ndarray, variable: _Levels, prior_sd: float, *, anew: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Mode of a multinomial regression on the other variables; inverse of the Cholesky factor of its information.

    The information is recomputed if ``anew``, and if the previous one does not lead to the mode. Otherwise it is
    reused: from one round to the next only the imputed values change, and the information by about a thousandth.

    Returns:
        (width x K, zero in the variable's own columns; width k x width k, of the k other columns).
    """
    indicators, known = variable.known_indicators, ~variable.missing
    penalty = np.full(len(rows), prior_sd**-2.0)
    penalty[0] = 0.0
    b = np.zeros((variable.width, len(rows))) if variable.mode is None else variable.mode
    factor = None if anew else variable.factor

    def gradient(b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        P = _probabilities(_predictors(b, rows)) * known
        return cross_product((indicators - P).T, rows.T) - penalty * b, P

    def objective(b: np.ndarray) -> float:
        eta = _predictors(b, rows)
        top = np.maximum(eta.max(axis=0), 0)
        total = np.log(np.exp(-top) + np.exp(eta - top).sum(axis=0)) + top
        return float((indicators * eta).sum() - total[known].sum() - 0.5 * (penalty * b**2).sum())

    slope, P = gradient(b)
    for _ in range(MOST_NEWTON_STEPS):
        if factor is None:
            factor = np.linalg.inv(np.linalg.cholesky(_information(rows[others], P, penalty[others])))
        before = np.inf
        while True:
            half = factor @ slope[:, others].ravel()
            decrement = float(half @ half)
            if decrement > before / 4:
                break  # the information is out of date: recompute it
            step = np.zeros_like(b)
            step[:, others] = (factor.T @ half).reshape(variable.width, -1)
            if decrement > FAR:
                value = objective(b)
                while objective(b + step) < value and np.abs(step).max() > 1e-8:
                    step = step / 2
            b, before = b + step, decrement
            if decrement < TOLERANCE:
                variable.mode, variable.factor = b, factor
                return b, factor
            slope, P = gradient(b)
        factor = None
    raise np.linalg.LinAlgError(f"the regression of {variable.column} did not converge")


def _information(X: np.ndarray, P: np.ndarray, penalty: np.ndarray) -> np.ndarray:
    J, k = P.shape[0], X.shape[0]
    information = np.empty((J * k, J * k))
    for j in range(J):
        for other in range(j + 1):
            weight = P[j] * ((j == other) - P[other])
            block = cross_product((X * weight).T, X.T)
            information[j * k : (j + 1) * k, other * k : (other + 1) * k] = block
            information[other * k : (other + 1) * k, j * k : (j + 1) * k] = block.T
    # In addition to the prior a small ridge, so that the matrix is positive definite with a rare level.
    information[np.diag_indices(J * k)] += np.tile(penalty, J) + 1e-8
    return information


def _predictors(b: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """J x n linear predictors, contiguous by level: otherwise maximum and sum over levels take forty times as long."""
    return np.ascontiguousarray(linear_predictor(rows.T, b.T).T)


def _probabilities(eta: np.ndarray) -> np.ndarray:
    """J x n probabilities of all levels but the first, whose linear predictor is 0."""
    top = np.maximum(eta.max(axis=0), 0)
    each = np.exp(eta - top)
    probabilities: np.ndarray = each / (np.exp(-top) + each.sum(axis=0))
    return probabilities
