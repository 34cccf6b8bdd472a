"""fitted_models: Every estimate of a wave."""

from __future__ import annotations

from stegvis.expectations.expectation import WARNING, Expectation, between, estimate_expectations, one_of, where
from stegvis.study.protocol import Protocol
from stegvis.study.protocol_models import Limits

# The names of ``stegvis.analyses.diagnostics``, as a reader knows them.
DIAGNOSTICS = {
    "balance": "respondents resemble non-respondents once weighted",
    "positivity": "everyone had some chance of responding",
    "effective_sample_size": "the weighted sample is large enough",
    "minimum_detectable_rr": "the study could detect a ratio near 1",
    "events_per_coefficient": "there are enough events for the covariates",
    "share_above_one": "fitted risks stay below 1",
    "exposure_balance": "categories of an exposure resemble each other once weighted",
    "exposure_overlap": "the covariates do not decide the category",
    "exposure_positivity": "everyone had some chance of each category",
    "exposure_effective_sample_size": "each weighted category is large enough",
    "overlap_weighted_balance": "categories resemble each other with overlap weights",
}


def suite(protocol: Protocol) -> list[Expectation]:
    """What must hold before the table is published, and what is reported."""
    return [
        *estimate_expectations("main"),
        between("diagnostics_fail", None, 0, "no diagnostic fails and withholds estimates", WARNING, "summary"),
        *(_passes(name, protocol) for name in DIAGNOSTICS),
    ]


def _passes(name: str, protocol: Protocol) -> Expectation:
    limits: Limits = getattr(protocol.diagnostics, name)
    meaning = f"{DIAGNOSTICS[name]} ({name.replace('_', ' ')} {limits.words()})"
    return where(f"analysis == 'diagnostics' and term == '{name}'", one_of("level", ["pass"], meaning, WARNING))
