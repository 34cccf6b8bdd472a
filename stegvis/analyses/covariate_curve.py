"""Covariates that enter a model as restricted cubic splines instead of straight lines."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from stegvis.statistics.restricted_cubic_spline import basis, knots_of
from stegvis.statistics.terms import Linear
from stegvis.study.protocol_models import Spline


def with_curves(
    sample: pd.DataFrame, columns: Sequence[str], spline: Spline
) -> tuple[pd.DataFrame, dict[str, tuple[Linear, ...]]]:
    """Add the cubic terms of covariates, with knots at percentiles of the sample.

    Args:
        sample: one row per person.
        columns: numbers; missing values stay missing.
        spline: number of knots, and the rule for percentiles.

    Returns:
        The sample with the terms' columns, and the terms of each covariate, which belong beside its linear one. Where
        knots coincide there is no curve, and the terms are constant, so that the contract leaves them out with a note.
    """
    terms: dict[str, tuple[Linear, ...]] = {}
    for column in columns:
        values = sample[column].to_numpy(dtype="float64")
        names = [f"{column}_curve_{number}" for number in range(1, spline.knots - 1)]
        try:
            bends = basis(values, knots_of(values[~np.isnan(values)], spline.knots, spline.percentile_rule))[:, 1:]
        except (ValueError, IndexError):
            bends = np.zeros((len(values), len(names)))
        sample = sample.assign(**dict(zip(names, bends.T, strict=True)))
        terms[column] = tuple(Linear(name, covariate=True) for name in names)
    return sample, terms
