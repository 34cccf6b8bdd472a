"""disclosure: a wave's published tables, and the log of what was suppressed.

The report's page and the release both read ``published_results``, ``published_attrition``,
``published_characteristics`` and ``published_histogram``, which are published with the log in one transaction: no page
shows a count that the release's tables suppress.

A wave is published once. Once it is in a release, these tables repeat that release's numbers, whatever has changed in
the home since; another method with unchanged deliveries makes a new edition, and so does the decision of a named person
where the influence audit passes (``stegvis/storage/editions.py``).
"""

from __future__ import annotations

import dagster as dg

from stegvis.assets.absolute_risks import absolute_risks
from stegvis.assets.analysis_set import analysis_set
from stegvis.assets.attrition import attrition
from stegvis.assets.bias_models import bias_models
from stegvis.assets.characteristics import characteristics
from stegvis.assets.dose_response import dose_response
from stegvis.assets.exclusions import exclusions
from stegvis.assets.fitted_models import fitted_models
from stegvis.assets.home import WAVES, StegvisHome
from stegvis.assets.risk_ratios import risk_ratios
from stegvis.assets.sensitivity_models import sensitivity_models
from stegvis.assets.table import table
from stegvis.assets.time_use_models import time_use_models
from stegvis.storage.reader import Reader
from stegvis.storage.rows import Rows
from stegvis.study.study import Study


@table(
    # The groups of estimates with the people behind them, beside all estimates of the wave.
    deps=[
        risk_ratios, absolute_risks, bias_models, dose_response, sensitivity_models, time_use_models, fitted_models,
        attrition, characteristics, exclusions, analysis_set,
    ],
    partitions_def=WAVES,
    group_name="reporting",
    owners=["team:statistics"],
    kinds={"python"},
    also={
        "published_results": "The estimates of a wave that may be published.",
        "published_attrition": "The exclusion steps of a wave that may be published.",
        "published_characteristics": "Table 1 of a wave as it may be published.",
        "published_histogram": "The histogram of each exposure as it may be published.",
        "published_origins": "What a wave's published numbers were made from, as hashes.",
    },
)  # fmt: skip
def disclosure(context: dg.AssetExecutionContext, warehouse: Reader, study: Study, home: StegvisHome) -> Rows:
    """The numbers of a wave that may be published, and those that are suppressed, with the rule."""
    from stegvis.storage.published_wave import wave_to_publish
    from stegvis.storage.sources import Sources

    wave = context.partition_key
    return wave_to_publish(Sources(warehouse, study, home.home(), home.landing(), context.log, wave))
