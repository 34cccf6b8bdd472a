"""The table of commands: for each estimate, the command that reproduces it in R and in Stata."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pandas as pd

from stegvis.reproduction import overlap, r, r_beyond, stata, stata_beyond, vital_status
from stegvis.reproduction.models import EstimateRow
from stegvis.statistics.levels import Levels
from stegvis.statistics.rare_levels import TAKEN_TOGETHER
from stegvis.statistics.results import KEY_COLUMNS
from stegvis.study.protocol import Protocol

COMMAND_COLUMNS = (*KEY_COLUMNS, "r", "stata")
CommandFunction = Callable[[EstimateRow], str]

_CATEGORIES = (r.categories, stata.categories)
_SPLINE = (r.spline, stata.spline)
_NONE = (r_beyond.none, r_beyond.none)
_PAIN_COURSE = (r_beyond.pain_course, stata_beyond.pain_course)
# By analysis (without the variant after the colon): the functions that write the command in R and in Stata.
COMMAND_FUNCTIONS: Mapping[str, tuple[CommandFunction, CommandFunction]] = {
    "main": _CATEGORIES,
    "fixed_cuts": _CATEGORIES,
    "sample_cuts": _CATEGORIES,
    "mutual": _CATEGORIES,
    "mutual_categories": _CATEGORIES,
    "stratified": _CATEGORIES,
    "within_intensity": _CATEGORIES,
    "within_volume": _CATEGORIES,
    "sensitivity": _CATEGORIES,
    "outcome": _CATEGORIES,
    "trend": (r.trend, stata.trend),
    "joint": (r.joint, stata.joint),
    "interaction": (r.interaction, stata.interaction),
    "spline": _SPLINE,
    "spline_fixed_knots": _SPLINE,
    "spline_sample_knots": _SPLINE,
    "mutual_spline": _SPLINE,
    # Stata's margins cannot move a spline together with its exposure.
    "shifted": (r.shifted, r_beyond.none),
    "fit_quality": (r_beyond.fit_quality, stata_beyond.fit_quality),
    "additive_interaction": (r_beyond.additive, stata_beyond.additive),
    "standardized_risk": (r_beyond.standardized_risk, stata_beyond.standardized_risk),
    "cross_estimator": (r_beyond.cross_estimator, stata_beyond.cross_estimator),
    "overlap": (overlap.overlap, overlap.overlap_in_stata),
    "doubly_robust": (overlap.estimates, r_beyond.none),
    "overlap_weighted": (overlap.estimates, overlap.overlap_weighted_in_stata),
    "attrition_weighted": (r_beyond.attrition_weighted, stata_beyond.attrition_weighted),
    "attrition_weights": (r_beyond.attrition_weights, stata_beyond.attrition_weights),
    "attrition_balance": (r_beyond.attrition_balance, stata_beyond.attrition_balance),
    # In Stata: which predictors a step has follows from the data.
    "selection_weighted": (r_beyond.selection_weighted, r_beyond.none),
    "selection_weights": (r_beyond.selection_weights, r_beyond.none),
    "tipping_point": (r_beyond.tipping_point, stata_beyond.tipping_point),
    "follow_up_states": (vital_status.states_in_r, vital_status.states_in_stata),
    # Stata has no command of its own for competing events in several states.
    "vital_status": (vital_status.incidence_in_r, r_beyond.none),
    "death_bounds": (vital_status.bounds_in_r, vital_status.bounds_in_stata),
    "imputed": (r_beyond.imputed, stata_beyond.imputed),
    "regression_dilution": (r_beyond.regression_dilution, stata_beyond.regression_dilution),
    "misclassification": (r_beyond.misclassification, stata_beyond.misclassification),
    # Stata has no command for draws from priors or for log-ratio EM.
    "misclassification_probabilistic": (r_beyond.misclassification_probabilistic, r_beyond.none),
    "combined_bias": (r_beyond.combined_bias, r_beyond.none),
    "isotemporal": (r_beyond.isotemporal, stata_beyond.isotemporal),
    "composition": (r_beyond.composition, r_beyond.none),
    "pooled": (r_beyond.pooled, stata_beyond.pooled),
    "pooled_spline": _SPLINE,
    "wave_interaction": (r_beyond.wave_interaction, stata_beyond.wave_interaction),
    "incidence": _PAIN_COURSE,
    "persistence": _PAIN_COURSE,
    "recurrence": _PAIN_COURSE,
    "projection": (r_beyond.projection, stata_beyond.projection),
    # Derived from other rows, or from columns that only a local protocol names.
    "diagnostics": _NONE,
    "negative_controls": _NONE,
}


def commands(results: pd.DataFrame, protocol: Protocol, levels: Levels) -> pd.DataFrame:
    """The commands of every row of a wave's results.

    Args:
        results: rows of one wave, or of the analyses across waves, in their original order.
        protocol: the protocol they were made under.
        levels: of the categorical covariates, the reference first.

    Returns:
        ``KEY_COLUMNS``, ``r`` and ``stata``; a command is empty where no command gives the row (see
        docs/results.md).
    """
    labels = category_labels(results, protocol)
    block = ["analysis", "population", "model", "exposure", "term", "measure"]
    places = results.groupby(block, sort=False).cumcount() + 1
    rows = []
    for place, record in zip(places, results.to_dict("records"), strict=True):
        row = EstimateRow({str(name): str(value) for name, value in record.items()}, place, protocol, levels, labels)
        in_r, in_stata = (command(row) for command in COMMAND_FUNCTIONS.get(row.analysis, _NONE))
        # The functions in R join rare levels of covariates; commands in Stata do not.
        rows.append(
            (*(row.key[key] for key in KEY_COLUMNS), in_r, "" if TAKEN_TOGETHER in row.key["note"] else in_stata)
        )
    return pd.DataFrame(rows, columns=list(COMMAND_COLUMNS), dtype="str")


def category_labels(results: pd.DataFrame, protocol: Protocol) -> Mapping[str, Sequence[str]]:
    """The category labels of each exposure in the main models, the lowest first."""
    main = results[(results["analysis"] == "main") & (results["model"] == "adjusted") & (results["measure"] == "rr")]
    return {each: main.loc[main["exposure"] == each, "level"].tolist() for each in protocol.exposures.names}
