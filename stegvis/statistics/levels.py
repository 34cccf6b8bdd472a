"""The ordered levels of the categorical covariates, the reference first.

Their order is that of the codebook.
"""

from __future__ import annotations

from collections.abc import Mapping

from stegvis.study.codebook import Codebook
from stegvis.study.codebook import levels as coded_levels

Levels = Mapping[str, tuple[str, ...]]

# Reported in Table 1 in addition to the covariates; people who are not employed have no type of work.
CODED_CHARACTERISTICS = ("work_type", "self_rated_health", "pain_last_4_weeks", "exercise_frequency")
CODED_COVARIATES = ("sex", "education", "income", "employment", "smoking")


def covariate_levels(codebook: Codebook) -> dict[str, tuple[str, ...]]:
    """Levels by column name, in the order of the codebook.

    Depression is derived from a score, so its levels are defined here.

    Raises:
        KeyError: the codebook has no codes for a covariate.
    """
    participants = codebook["participants"]
    added = [name for name, column in participants.columns.items() if column.covariate and column.codes]
    coded = {name: coded_levels(participants, name) for name in (*CODED_COVARIATES, *added)}
    return coded | {"depression": ("no", "yes")}


def characteristic_levels(codebook: Codebook) -> dict[str, tuple[str, ...]]:
    """Levels of the characteristics that are not covariates, by column name.

    Raises:
        KeyError: the codebook has no codes for a characteristic.
    """
    participants = codebook["participants"]
    coded = {name: coded_levels(participants, name) for name in CODED_CHARACTERISTICS}
    return coded | {"work_type": (*coded["work_type"], "none"), "other_disease": ("no", "yes")}
