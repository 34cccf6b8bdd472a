"""The ordered levels of the categorical covariates, the reference first.

Their order is that of the codebook.
"""

from __future__ import annotations

from collections.abc import Mapping

from stegvis.study.codebook import Codebook, covariates, participant_levels

Levels = Mapping[str, tuple[str, ...]]


def covariate_levels(codebook: Codebook) -> dict[str, tuple[str, ...]]:
    """Levels by name of covariate, in the order of the codebook; a covariate without levels is linear."""
    coded = participant_levels(codebook)
    return {name: coded[name] for name in covariates(codebook) if name in coded}
