"""Tables of made-up people, before and after disclosure control."""

from __future__ import annotations

import pandas as pd

from stegvis.analyses import additive, joint, main_models, sensitivity, strata, time_use_models
from stegvis.analyses.characteristics import characteristics
from stegvis.analyses.wave_data import fit
from stegvis.disclosure.leaving import control_disclosure
from stegvis.disclosure.tables import Tables
from stegvis.disclosure.taking_out import Controlled, close_rule, small_rule
from stegvis.statistics.results import ResultRow, to_frame, validate
from stegvis.statistics.risk_ratio import Ratio
from stegvis.study.protocol import Protocol
from tests.stegvis.conftest import LEVELS, PROTOCOL, wave_data_of

SMALL, CLOSE = small_rule(5), close_rule(5)
LOW = PROTOCOL.additive_interaction.low_categories
WAVE = "2021-2023"
# Cuts that do not depend on the sample, so that a category means the same in two releases.
FIXED = PROTOCOL.model_copy(
    update={"exposures": PROTOCOL.exposures.model_copy(update={"categories": "fixed_published"})}
)


def changed(**release: object) -> Protocol:
    return PROTOCOL.model_copy(update={"release": PROTOCOL.release.model_copy(update=release)})


# Counts are published or suppressed, never carried forward.
ANEW = FIXED.model_copy(update={"release": changed(carried_forward_share=0.0).release})


def results_of(cells, wave=WAVE, **fields):
    """Results of one model from (people, cases) per category, with the joint test of all."""
    template = ResultRow(wave, "main", "all", "age", "walking_met", "walking_met_category")
    rows = [ResultRow(**vars(template) | {"level": f"{k}", "n": n, "events": e}) for k, (n, e) in enumerate(cells)]
    total = {"n": sum(n for n, _ in cells), "events": sum(e for _, e in cells), "measure": "p_joint"}
    rows.append(ResultRow(**vars(template) | total))
    return to_frame([ResultRow(**vars(row) | fields).with_ratio(Ratio(0.8, 0.7, 0.9, 0.1, 0.01)) for row in rows])


def controlled(results, used=None, earlier=()):
    found = control_disclosure(
        Tables.of_results(results), used or PROTOCOL, [Tables.of_results(each) for each in earlier]
    )
    assert not found.unprotected
    validate(found.tables.results)
    return found


def together(decided):
    """The tables and the log of all waves."""
    frames = zip(*(vars(each.tables).values() for each in decided), strict=True)
    tables = Tables(*(pd.concat(each, ignore_index=True) for each in frames))
    return Controlled(tables, pd.concat([each.suppressed for each in decided], ignore_index=True), ())


def steps_of(remaining, wave=WAVE):
    names = ("cohort", "no_accelerometer_day", "baseline_low_back_pain", "followup_screen_missing", "covariate_missing")
    rows = [
        {"wave": wave, "step": step, "rule": rule, "excluded": before - left, "remaining": left, "status": "ok"}
        for step, (rule, before, left) in enumerate(zip(names, [remaining[0], *remaining], remaining, strict=False))
    ]
    return pd.DataFrame(rows)


def tables_of(people, used=FIXED, remaining=None):
    """The tables of a wave: with enough analyses that the same people are in many rows."""
    analyses = (
        main_models.main_rows, joint.joint_rows, additive.additive_rows, strata.stratified_rows,
        strata.within_intensity_rows, strata.within_volume_rows, sensitivity.sensitivity_rows,
        *time_use_models.ANALYSES,
    )  # fmt: skip
    results = fit(analyses, wave_data_of(people, used))
    n = len(people)
    steps = steps_of(remaining or [n + 900, n + 500, n + 300, n + 100, n])
    return Tables(results, steps, characteristics(people, used, LEVELS))
