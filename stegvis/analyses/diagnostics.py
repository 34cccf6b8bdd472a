"""Analysis ``diagnostics``: study diagnostics against the protocol's thresholds, which withhold estimates if they fail.

The result (pass, warning, fail) is in ``level``. A failed diagnostic withholds the estimates that depend on it: they
become ``not_estimable``, with the diagnostic in the note. One of a main model is about the model and its people, so
every estimate of that exposure and model is withheld, by whatever analysis; those of both exposures in one model with
it, and those of time use when the models of all exposures fail. One of weights withholds what has these weights,
whatever the model, one of overlap what rests on it. Modeled on the diagnostics of OHDSI (Schuemie et al. 2020, Harvard
Data Science Review 2(1), doi 10.1162/99608f92.147cc28e), which must pass before estimates are unblinded.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pandas as pd

from stegvis.analyses.fit_quality import EVENTS_PER_COEFFICIENT, SHARE_ABOVE_ONE
from stegvis.analyses.overlap_gates import GATES, Gate, value_of
from stegvis.analyses.time_use import EXPOSURE as TIME_USE
from stegvis.statistics.gates import detectable_ratio
from stegvis.statistics.results import ESTIMATE_COLUMNS, RESULT_COLUMNS, ResultRow, joined, options_note, to_frame
from stegvis.study.protocol import EXPOSURES, Protocol
from stegvis.study.protocol_models import Limits

PASS, WARNING, FAIL = "pass", "warning", "fail"
ANALYSIS = "diagnostics"
WEIGHTED, SELECTED = "attrition_weighted", "selection_weighted"
# What describes models and weights is kept, since it shows why estimates are withheld.
DESCRIPTIVE = (
    ANALYSIS, "fit_quality", "attrition_weights", "attrition_balance", "selection_weights", "overlap",
    "overlap:overlap_weights", "follow_up_states", "vital_status",
)  # fmt: skip
# Analyses with the categories of every exposure in one model.
OF_EVERY_EXPOSURE = "mutual"


@dataclass(frozen=True)
class Diagnostic:
    """One diagnostic.

    Attributes:
        name: key of the protocol's section.
        measure: ``measure`` of its row.
        exposure: of the estimates that depend on it.
        model: of the estimates that depend on it.
        weighted: how the analyses with the weights that it is about are named; empty if it is about a main model.
        value: computed from a wave's results; NaN if it cannot be computed.
    """

    name: str
    measure: str
    exposure: str
    model: str
    weighted: str
    value: Callable[[pd.DataFrame, Protocol], float]


def with_diagnostics(results: pd.DataFrame, protocol: Protocol) -> pd.DataFrame:
    """The results of one wave with the diagnostics' rows; estimates that depend on a failed one are withheld.

    Args:
        results: rows of one wave.
        protocol: the study's protocol.
    """
    if results.empty:
        return results
    shown = results.copy()
    rows = []
    failed: dict[str, str] = {}
    for diagnostic in _diagnostics(protocol):
        row = _evaluated(diagnostic, results, protocol)
        rows.append(row)
        if row.status == "ok" and row.level == FAIL:
            limits: Limits = getattr(protocol.diagnostics, diagnostic.name)
            reason = f"withheld: {diagnostic.name.replace('_', ' ')} fails ({limits.words()})"
            _withhold(shown, _depending(shown, diagnostic, protocol), reason)
            if not diagnostic.weighted:
                failed.setdefault(diagnostic.exposure, reason)
    if failed.keys() == set(protocol.exposures.names):
        _withhold(shown, shown["exposure"] == TIME_USE, failed[protocol.exposures.names[0]])
    return pd.concat([shown, to_frame(rows)], ignore_index=True).astype(RESULT_COLUMNS)


def _evaluated(diagnostic: Diagnostic, results: pd.DataFrame, protocol: Protocol) -> ResultRow:
    """The row of a diagnostic."""
    limits: Limits = getattr(protocol.diagnostics, diagnostic.name)
    value = diagnostic.value(results, protocol)
    row = ResultRow(
        str(results["wave"].iloc[0]),
        ANALYSIS,
        "all",
        diagnostic.model,
        diagnostic.exposure,
        term=diagnostic.name,
        level=limits.assess(value),
        measure=diagnostic.measure,
        note=joined(options_note(protocol), limits.words()),
    )
    return row.not_estimable("what it judges could not be made") if math.isnan(value) else replace(row, estimate=value)


def diagnostic_counts(results: pd.DataFrame) -> dict[str, int]:
    """Numbers of diagnostics with a warning and with a failure."""
    rows = results[(results["analysis"] == ANALYSIS) & (results["status"] == "ok")]
    return {f"diagnostics_{name}": int((rows["level"] == name).sum()) for name in (WARNING, FAIL)}


def _depending(results: pd.DataFrame, diagnostic: Diagnostic, protocol: Protocol) -> pd.Series[bool]:
    """The rows that depend on a diagnostic."""
    if diagnostic.weighted:
        rows = results["analysis"].str.startswith(diagnostic.weighted)
        return rows & (results["exposure"] == diagnostic.exposure) if diagnostic.exposure in EXPOSURES else rows
    rows = results["model"] == diagnostic.model
    together = results["analysis"].str.startswith(OF_EVERY_EXPOSURE) | (
        results["exposure"] == protocol.exposures.of_all
    )
    return rows & ((results["exposure"] == diagnostic.exposure) | together)


def _withhold(results: pd.DataFrame, chosen: pd.Series[bool], reason: str) -> None:
    """Remove the estimates of these rows, but for what is descriptive (in place)."""
    chosen = chosen & (results["status"] == "ok") & ~results["analysis"].isin(DESCRIPTIVE)
    results.loc[chosen, list(ESTIMATE_COLUMNS)] = float("nan")
    results.loc[chosen, "note"] = [joined(note, reason) for note in results.loc[chosen, "note"]]
    results.loc[chosen, "status"] = "not_estimable"


def _diagnostics(protocol: Protocol) -> Iterator[Diagnostic]:
    every = protocol.exposures.of_all
    yield Diagnostic("balance", "largest_smd_weighted", every, "adjusted", WEIGHTED, _largest_smd)
    yield Diagnostic("positivity", "selection_probability", every, "adjusted", SELECTED, _selection_positivity)
    yield Diagnostic("effective_sample_size", "selection_ess_share", every, "adjusted", SELECTED, _selection_ess_share)
    for exposure in protocol.exposures.names:
        weighted = (exposure, "adjusted", WEIGHTED)
        yield Diagnostic("positivity", "smallest_probability", *weighted, _positivity(exposure))
        yield Diagnostic("effective_sample_size", "ess_share", *weighted, _ess_share(exposure))
        main = (exposure, "adjusted", "")
        yield Diagnostic("minimum_detectable_rr", "minimum_detectable_rr", *main, _detectable(exposure))
        yield Diagnostic(EVENTS_PER_COEFFICIENT, EVENTS_PER_COEFFICIENT, *main, _fit(EVENTS_PER_COEFFICIENT, exposure))
        yield Diagnostic(SHARE_ABOVE_ONE, SHARE_ABOVE_ONE, *main, _fit(SHARE_ABOVE_ONE, exposure))
        for gate in GATES:
            yield Diagnostic(gate.name, gate.measure, exposure, "adjusted", gate.withholds, _overlap(gate, exposure))


def _ok(results: pd.DataFrame, **wanted: str) -> pd.DataFrame:
    chosen = results["status"] == "ok"
    for column, value in wanted.items():
        chosen &= results[column] == value
    return results[chosen]


def _largest_smd(results: pd.DataFrame, protocol: Protocol) -> float:
    """The largest standardized difference between respondents and non-respondents after weighting."""
    return float(_ok(results, analysis="attrition_balance", measure="smd_weighted")["estimate"].abs().max())


def _positivity(exposure: str) -> Callable[[pd.DataFrame, Protocol], float]:
    """The smallest probabilities of responding of everyone whom the weights should represent, respondents or not."""

    def value(results: pd.DataFrame, protocol: Protocol) -> float:
        rows = _ok(results, analysis="attrition_weights", measure="smallest_probabilities", exposure=exposure)
        return float(rows["estimate"].min())

    return value


def _ess_share(exposure: str) -> Callable[[pd.DataFrame, Protocol], float]:
    """The effective sample size of the stabilized weights, as a share of the respondents."""

    def value(results: pd.DataFrame, protocol: Protocol) -> float:
        rows = _ok(results, analysis="attrition_weights", term="stabilized", measure="ess", exposure=exposure)
        return float((rows["estimate"] / rows["n"].astype("float64")).min())

    return value


def _overlap(gate: Gate, exposure: str) -> Callable[[pd.DataFrame, Protocol], float]:
    """The value of a diagnostic of overlap."""
    return lambda results, protocol: value_of(gate, exposure, results)


def _selection_positivity(results: pd.DataFrame, protocol: Protocol) -> float:
    """The smallest probabilities of passing a step, of the step where they are smallest."""
    rows = _ok(results, analysis="selection_weights", measure="smallest_probabilities")
    return float(rows["estimate"].min())


def _selection_ess_share(results: pd.DataFrame, protocol: Protocol) -> float:
    """The effective sample size of the product of inverse probabilities, as a share of the analyzed people."""
    rows = _ok(results, analysis="selection_weights", term="product", measure="ess")
    return float((rows["estimate"] / rows["n"].astype("float64")).min())


def _detectable(exposure: str) -> Callable[[pd.DataFrame, Protocol], float]:
    """The detectable risk ratio below 1 of the category with the largest standard error, at the protocol's power."""

    def value(results: pd.DataFrame, protocol: Protocol) -> float:
        errors = _ok(results, analysis="main", model="adjusted", exposure=exposure, measure="rr")["std_error"].dropna()
        limits = (protocol.models.confidence, protocol.diagnostics.power)
        return detectable_ratio(float(errors.max()), *limits) if len(errors) else float("nan")

    return value


def _fit(measure: str, exposure: str) -> Callable[[pd.DataFrame, Protocol], float]:
    def value(results: pd.DataFrame, protocol: Protocol) -> float:
        rows = _ok(results, analysis="fit_quality", model="adjusted", exposure=exposure, measure=measure)
        return float(rows["estimate"].max())

    return value
