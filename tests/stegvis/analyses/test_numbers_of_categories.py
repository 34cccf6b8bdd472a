"""Every analysis with 2 to 6 categories of volume and of intensity, quantiles or fixed cuts, and of volume alone."""

import json
from functools import cache

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from stegvis.analyses.across_waves import fit_across_waves
from stegvis.analyses.characteristics import ALL, characteristics, characteristics_members
from stegvis.analyses.diagnostics import with_diagnostics
from stegvis.analyses.histogram import histogram
from stegvis.analyses.suite import SUITE
from stegvis.analyses.wave_data import WaveData, fit
from stegvis.release.bridge_steps import bridge_steps, compared
from stegvis.reproduction.commands import commands
from stegvis.statistics.categories import add_categories
from stegvis.study.protocol import EXPOSURES, Protocol
from stegvis.study.protocol_models import NegativeControl
from tests.stegvis.conftest import LEVELS, PROTOCOL, TABLE_ONE_LEVELS, analysis_set_of, lossy_wave_of, protocol_of

QUANTILES, FIXED = "sample_quantiles", "fixed_published"
DESIGNS = [
    (2, 6, QUANTILES),
    (5, 3, FIXED),
    (4, 5, QUANTILES),
    (6, 2, FIXED),
    (3, None, QUANTILES),
    (5, None, FIXED),
]
OF_BOTH = ("mutual", "mutual_categories", "mutual_spline", "joint", "within_volume", "within_intensity")
# Rows of one category that have none of the reference.
WITHOUT_REFERENCE = ("nnt", "fmi", "equipoise", "tipping_point", "tipping_point_limit", "null_mean", "null_sd", "ease")
designs = pytest.mark.parametrize(("volume", "intensity", "rule"), DESIGNS)


def quick(protocol: Protocol) -> Protocol:
    """Few draws, few sensitivity analyses, and two negative controls so that they run."""
    controls = tuple(NegativeControl(column=name, role="outcome") for name in ("other_disease", "baseline_pain_screen"))
    return protocol.model_copy(
        update={
            "sensitivity": tuple(each for each in protocol.sensitivity if each.name in ("bmi", "valid_days")),
            "imputation": protocol.imputation.model_copy(update={"imputations": 2, "iterations": 1}),
            "regression_dilution": protocol.regression_dilution.model_copy(update={"bootstrap_draws": 10}),
            "misclassification": protocol.misclassification.model_copy(update={"draws": 100}),
            "combined_bias": protocol.combined_bias.model_copy(update={"draws": 100}),
            "negative_controls": protocol.negative_controls.model_copy(update={"fewest": 2, "controls": controls}),
        }
    )


@cache
def wave(volume: int, intensity: int | None, rule: str) -> WaveData:
    used = quick(protocol_of(volume, intensity, rule))
    data = lossy_wave_of(1000, used=used)
    absent = [name for name in EXPOSURES if name not in used.exposures.names]
    frames = {name: getattr(data, name) for name in ("people", "eligible", "days", "cohort")}
    frames = {name: frame.drop(columns=absent, errors="ignore") for name, frame in frames.items()}
    return WaveData(**frames, protocol=used, levels=data.levels)


@cache
def results(volume: int, intensity: int | None, rule: str) -> pd.DataFrame:
    data = wave(volume, intensity, rule)
    return with_diagnostics(
        fit([each for name, group in SUITE.items() if name != "time_use_models" for each in group], data), data.protocol
    )


def number_of(volume: int, intensity: int | None) -> dict[str, int]:
    return {name: n for name, n in (("walking_minutes", volume), ("walking_met", intensity)) if n}


@designs
def test_each_analysis_has_a_row_for_each_category(volume, intensity, rule):
    found, numbers = results(volume, intensity, rule), number_of(volume, intensity)
    data = wave(volume, intensity, rule)
    other = {"fixed_cuts", "sample_cuts"}
    rows = found[~found["analysis"].isin(other)]
    for exposure, number in numbers.items():
        labels = list(data.labels(exposure).values())
        mine = rows[(rows["exposure"] == exposure) & rows["level"].isin(labels)]
        blocks = mine.groupby(["analysis", "population", "model", "term", "measure"])["level"].agg(list)
        assert len(blocks) > 40
        for key, levels in blocks.items():
            own = labels if key[-1] not in WITHOUT_REFERENCE and key[0] != "negative_controls" else labels[1:]
            if key[0] == "combined_bias":
                own = labels[-1:]
            if not key[0].startswith("sensitivity:") or rule == FIXED:
                assert levels == own, key
        analyses = set(mine["analysis"])
        assert {"main", "stratified", "interaction", "attrition_weighted", "imputed", "negative_controls"} <= analyses
        assert {"standardized_risk", "cross_estimator", "misclassification", "tipping_point"} <= analyses
        assert {"overlap", "overlap:overlap_weights", "doubly_robust", "overlap_weighted"} <= analyses
        main = found[(found["analysis"] == "main") & (found["exposure"] == exposure) & (found["measure"] == "rr")]
        assert len(main) == 2 * number
        assert (main["status"] == "ok").all()
    if intensity:
        assert (found["analysis"] == "joint").sum() == 2 * (volume * intensity + 2)
        assert set(OF_BOTH) <= set(found["analysis"])
    elif rule == FIXED:
        assert (found["analysis"] == "sample_cuts").any()
    else:
        assert not (found["analysis"] == "fixed_cuts").any(), "there are no published bounds"


@designs
def test_main_ratios_are_those_of_groups_made_by_rank_or_bounds(volume, intensity, rule):
    """Independent of the code: statsmodels, with groups from the ranks of the people, or counted bounds."""
    people, found = wave(volume, intensity, rule).people, results(volume, intensity, rule)
    for exposure, number in number_of(volume, intensity).items():
        values = people[exposure].to_numpy()
        if rule == FIXED:
            bounds = wave(volume, intensity, rule).protocol.exposures.scale(exposure).published_lower_bounds
            group = sum((values >= bound).astype(int) for bound in bounds)
        else:
            rank, n = people[exposure].rank(method="first").to_numpy(), len(people)
            group = sum((rank > -(-n * k // number)).astype(int) for k in range(1, number))
            assert np.ptp(np.bincount(group)) <= 1
        X = pd.DataFrame({f"g{k}": group == k for k in range(1, number)}, dtype="float64").assign(age=people["age"])
        model = sm.GLM(people["low_back_pain"].astype(float), sm.add_constant(X), family=sm.families.Poisson()).fit()
        main = found[(found["analysis"] == "main") & (found["exposure"] == exposure) & (found["model"] == "age")]
        ratios = main[main["measure"] == "rr"]["estimate"].to_numpy()
        expected = np.exp([0, *(model.params[f"g{k}"] for k in range(1, number))])
        assert np.allclose(ratios, expected, rtol=1e-6)


@designs
def test_nothing_is_said_of_an_exposure_that_the_study_does_not_have(volume, intensity, rule):
    found = results(volume, intensity, rule)
    if intensity:
        assert set(found["exposure"]) == {*EXPOSURES, "both"}
        return
    assert set(found["exposure"]) == {"walking_minutes"}
    assert not found["analysis"].isin(OF_BOTH).any()
    assert not found["analysis"].eq("additive_interaction").any()
    text = found.astype(str).to_csv()
    assert "walking_met" not in text
    assert "intensity" not in text
    assert (found["analysis"] == "attrition_balance").any()
    assert (found[found["analysis"] == "diagnostics"]["term"] == "balance").sum() == 1


@designs
def test_table_one_histogram_and_commands_have_the_categories_of_the_study(volume, intensity, rule):
    data, found = wave(volume, intensity, rule), results(volume, intensity, rule)
    table = characteristics(data.people, data.protocol, TABLE_ONE_LEVELS)
    assert list(table["category"].unique()) == [ALL, *data.labels("walking_minutes").values()]
    assert ("walking_met" in set(table["variable"])) == (intensity is not None)
    counts = table[table["variable"] == "people"].set_index("category")["n"]
    assert counts.drop(ALL).sum() == counts[ALL]
    assert len(characteristics_members(table, data.people, data.protocol))
    assert set(histogram(data.people, data.protocol)["exposure"]) == set(data.protocol.exposures.names)
    written = commands(found, data.protocol, data.levels)
    text = written.to_csv()
    assert ("walking_met" in text) == (intensity is not None)
    stata = written.loc[written["analysis"] == "sensitivity:valid_days", "stata"].str.cat()
    assert (f"nq({volume})" in stata) == (rule == QUANTILES)


@designs
def test_waves_together_have_the_categories_of_the_study(volume, intensity, rule):
    data = wave(volume, intensity, rule)
    used, absent = data.protocol, [name for name in EXPOSURES if name not in data.protocol.exposures.names]
    waves = [analysis_set_of(700, seed, name).drop(columns=absent) for seed, name in ((1, "2021-2023"), (2, "2024"))]
    stacked = pd.concat(waves, ignore_index=True)
    histories = stacked.assign(previous_low_back_pain=0, earlier_low_back_pain=pd.NA)
    histories["previous_low_back_pain"] = np.arange(len(histories)) % 3 == 0
    found = fit_across_waves(stacked, histories.astype({"previous_low_back_pain": "Int64"}), used, LEVELS)
    assert set(found["exposure"]) == set(used.exposures.names)
    for exposure, number in number_of(volume, intensity).items():
        mine = found[(found["exposure"] == exposure) & (found["measure"] == "rr") & (found["model"] == "age")]
        counts = mine.groupby(["analysis", "population"]).size()
        assert set(counts) == {number}
        assert {"pooled", "wave_interaction", "incidence", "persistence"} <= set(mine["analysis"])


@designs
def test_the_bridge_follows_the_categories(volume, intensity, rule):
    data, found = wave(volume, intensity, rule), results(volume, intensity, rule)
    columns = ["wave", "person", *compared(data.protocol)]
    now, before = data.people[columns], data.people[columns].iloc[:-60].assign(reason=None)
    earlier = results_of_main(before, data.protocol)
    found = found[found["analysis"] == "main"]
    bridged = bridge_steps(before, now, earlier, found, data.protocol, data.protocol, data.levels)
    assert len(bridged) == 2 * sum(number - 1 for number in number_of(volume, intensity).values())
    for each in bridged:
        assert np.isclose(sum(step.change or 0 for step in each.steps), each.change)
    another = data.protocol.model_copy(update={"exposures": protocol_of(volume % 5 + 2, intensity, rule).exposures})
    changed = bridge_steps(before, now, results_of_main(before, another), found, another, data.protocol, data.levels)
    assert {each.exposure for each in changed} == set(number_of(volume, intensity)) - {"walking_minutes"}


def results_of_main(people: pd.DataFrame, protocol: Protocol) -> pd.DataFrame:
    from stegvis.analyses.main_models import main_rows
    from stegvis.statistics.results import to_frame

    frame = add_categories(people.drop(columns="reason").reset_index(drop=True), protocol)
    return to_frame(main_rows(WaveData(frame, frame, frame, protocol, LEVELS)))


def test_the_first_study_has_four_categories_as_it_is():
    assert {each: PROTOCOL.exposures.scale(each).categories for each in EXPOSURES} == dict.fromkeys(
        EXPOSURES, (1, 2, 3, 4)
    )
    assert json.dumps(PROTOCOL.value("exposures.walking_minutes.groups")) == "null"
