"""report: the HTML pages of a wave.

The pages hold nothing about a release (name, date, changes since the last): that is on the release's index page, so
that a page changes only when what it shows changes.
"""

from __future__ import annotations

import dagster as dg

from stegvis.assets.analysis_set import analysis_set
from stegvis.assets.attrition import attrition
from stegvis.assets.baseline_questionnaire import baseline_questionnaire
from stegvis.assets.characteristics import characteristics
from stegvis.assets.claims import claims
from stegvis.assets.cohort import cohort
from stegvis.assets.daily_exposures import daily_exposures
from stegvis.assets.disclosure import disclosure
from stegvis.assets.epoch_classification import epoch_classification
from stegvis.assets.exclusions import exclusions
from stegvis.assets.fitted_models import fitted_models
from stegvis.assets.followup_questionnaire import followup_questionnaire
from stegvis.assets.home import WAVES, StegvisHome
from stegvis.assets.outcome_questionnaire import outcome_questionnaire
from stegvis.assets.table import table
from stegvis.assets.vital_status import vital_status
from stegvis.assets.walking_exposures import walking_exposures
from stegvis.storage.reader import Reader
from stegvis.storage.rows import Rows
from stegvis.study.study import Study


@table(
    # Every table whose check results the pages show.
    deps=[
        baseline_questionnaire, vital_status, followup_questionnaire, cohort, epoch_classification, daily_exposures,
        walking_exposures, outcome_questionnaire, exclusions, attrition, analysis_set, fitted_models, characteristics,
        disclosure, claims,
    ],
    partitions_def=WAVES,
    group_name="reporting",
    owners=["team:statistics"],
    kinds={"html"},
)  # fmt: skip
def report(context: dg.AssetExecutionContext, warehouse: Reader, study: Study, home: StegvisHome) -> Rows:
    """The HTML pages of a wave: main results, further analyses, data quality and methods."""
    import pandas as pd

    from stegvis.reporting.page import render_wave
    from stegvis.storage.report_inputs import wave_report
    from stegvis.storage.sources import Sources

    wave = context.partition_key
    sources = Sources(warehouse, study, home.home(), home.landing(), context.log, wave)
    with warehouse.session() as connection:
        inputs = wave_report(connection, sources, wave)
    rows = [(wave, file, html, len(html.encode())) for file, html in render_wave(inputs).items()]
    frame = pd.DataFrame(rows, columns=["wave", "file", "html", "bytes"])
    context.log.info("rendered %d pages of wave %s, %d kB", len(frame), wave, frame["bytes"].sum() // 1000)
    largest = float(frame["bytes"].max()) / 1000
    return Rows(
        frame.astype({"wave": "string", "file": "string", "html": "string"}),
        metadata={"pages": len(frame), "largest_page_kilobytes": largest},
    )
