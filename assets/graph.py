"""Every table, in the order the data flow: a new one is a module in this folder and a name in this list.

Tables with the same partitions are neighbors where the flow allows, since a refresh makes them in one Dagster run.
"""

from __future__ import annotations

import dagster as dg

from stegvis.assets.absolute_risks import absolute_risks
from stegvis.assets.analysis_set import analysis_set
from stegvis.assets.attrition import attrition
from stegvis.assets.baseline_questionnaire import baseline_questionnaire
from stegvis.assets.bias_models import bias_models
from stegvis.assets.characteristics import characteristics
from stegvis.assets.claims import claims
from stegvis.assets.cohort import cohort
from stegvis.assets.daily_exposures import daily_exposures
from stegvis.assets.disclosure import disclosure
from stegvis.assets.dose_response import dose_response
from stegvis.assets.eligible_people import eligible_people
from stegvis.assets.epoch_classification import epoch_classification
from stegvis.assets.exclusions import exclusions
from stegvis.assets.fitted_models import fitted_models
from stegvis.assets.followup_questionnaire import followup_questionnaire
from stegvis.assets.outcome_questionnaire import outcome_questionnaire
from stegvis.assets.pooled_models import pooled_models
from stegvis.assets.release import release
from stegvis.assets.report import report
from stegvis.assets.risk_ratios import risk_ratios
from stegvis.assets.sensitivity_models import sensitivity_models
from stegvis.assets.table import TABLES
from stegvis.assets.time_use_models import time_use_models
from stegvis.assets.vital_status import vital_status
from stegvis.assets.walking_exposures import walking_exposures
from stegvis.assets.wave_drift import wave_drift
from stegvis.assets.withdrawals import withdrawals
from stegvis.storage.tables import Table

ASSETS: list[dg.AssetsDefinition] = [
    withdrawals,
    baseline_questionnaire,
    vital_status,
    epoch_classification,
    daily_exposures,
    cohort,
    walking_exposures,
    followup_questionnaire,
    outcome_questionnaire,
    exclusions,
    attrition,
    eligible_people,
    analysis_set,
    risk_ratios,
    absolute_risks,
    bias_models,
    dose_response,
    sensitivity_models,
    time_use_models,
    fitted_models,
    characteristics,
    disclosure,
    claims,
    report,
    wave_drift,
    pooled_models,
    release,
]


def tables() -> dict[str, Table]:
    """The definition of each asset's table by name, upstream before downstream."""
    return {asset.node_def.name: TABLES[asset.node_def.name] for asset in ASSETS}
