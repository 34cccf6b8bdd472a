"""The ordered levels of the categorical covariates, the reference first.

Belongs here: which covariates have levels, and where their order comes from. Does not belong here: reading the codebook
(``stegvis.study.codebook``), recoding of delivered values.
"""

from __future__ import annotations

from collections.abc import Mapping

from stegvis.study.codebook import Codebook
from stegvis.study.codebook import levels as coded_levels

Levels = Mapping[str, tuple[str, ...]]

# Told in Table 1 beside the covariates; who is not employed has no type of work.
CODED_CHARACTERISTICS = ("work_type", "self_rated_health", "pain_last_4_weeks", "exercise_frequency")
CODED_COVARIATES = ("sex", "education", "income", "employment", "smoking")


def covariate_levels(codebook: Codebook) -> dict[str, tuple[str, ...]]:
    """Levels by column name, in the order of the codebook.

    Depression is derived from a score, so its levels are named here.

    Raises:
        KeyError: the codebook has no codes for a covariate.
    """
    participants = codebook["participants"]
    return {name: coded_levels(participants, name) for name in CODED_COVARIATES} | {"depression": ("no", "yes")}


def characteristic_levels(codebook: Codebook) -> dict[str, tuple[str, ...]]:
    """Levels of the characteristics that are no covariates, as ``covariate_levels`` gives those of the covariates.

    Raises:
        KeyError: the codebook has no codes for a characteristic.
    """
    participants = codebook["participants"]
    coded = {name: coded_levels(participants, name) for name in CODED_CHARACTERISTICS}
    return coded | {"work_type": (*coded["work_type"], "none"), "other_disease": ("no", "yes")}
