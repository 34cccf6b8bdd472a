"""Rows of ``overlap``, ``doubly_robust`` and ``overlap_weighted``: what they hold, and why there may be none."""

import numpy as np
import pandas as pd
import pytest

from stegvis.analyses.diagnostics import with_diagnostics
from stegvis.analyses.overlap import overlap_rows, publishable_share
from stegvis.analyses.standardized_risk import standardized_risk_rows
from stegvis.analyses.wave_data import WaveData, fit
from stegvis.statistics.categories import add_categories
from stegvis.statistics.members import Members
from stegvis.statistics.results import members_of
from stegvis.study.protocol import Protocol
from tests.stegvis.conftest import PROTOCOL, analysis_set_of, wave_data_of


def with_overlap(**values: object) -> Protocol:
    return PROTOCOL.model_copy(update={"overlap": PROTOCOL.overlap.model_copy(update=values)})


def older_walk_less(people: int = 2500, seed: int = 1, fall: float = 0.12) -> pd.DataFrame:
    """People whose walking falls with age (its log, per 12 years), and whose risk rises with it."""
    frame = analysis_set_of(people, seed)
    random = np.random.default_rng(seed)
    older = (frame["age"] - 55) / 12
    frame["walking_minutes"] = frame["walking_minutes"] * np.exp(-fall * older)
    risk = 0.2 * np.exp(-0.003 * (frame["walking_minutes"] - 100) + 0.2 * older)
    frame["low_back_pain"] = (random.random(people) < risk).astype("int64")
    return add_categories(frame, PROTOCOL)


@pytest.fixture(scope="module")
def wave() -> WaveData:
    return wave_data_of(older_walk_less())


@pytest.fixture(scope="module")
def results(wave: WaveData) -> pd.DataFrame:
    return fit((overlap_rows,), wave)


def block(results: pd.DataFrame, analysis: str, measure: str, exposure: str = "walking_minutes") -> pd.DataFrame:
    chosen = (results["analysis"] == analysis) & (results["measure"] == measure) & (results["exposure"] == exposure)
    return results[chosen].set_index("level")


def test_rows_of_each_analysis(results):
    assert (results["status"] == "ok").all()
    sizes = results[results["exposure"] == "walking_minutes"].groupby(["analysis", "measure"]).size()
    covariates = len(PROTOCOL.models.adjusted)
    assert sizes["overlap"].to_dict() == {
        "smallest_probability": 4, "equipoise": 3, "ess": 4, "smd": covariates, "smd_weighted": covariates,
    }  # fmt: skip
    assert sizes["overlap:overlap_weights"].to_dict() == {"ess": 4, "smd_weighted": covariates}
    assert sizes["doubly_robust"].to_dict() == {"risk": 4, "rd": 4, "rr": 4, "ratio_of_rr": 4}
    assert sizes["overlap_weighted"].to_dict() == {"rd": 4, "rr": 4, "ratio_of_rr": 4}
    assert len(results) < 150


def test_weights_balance_what_differs(results):
    smd = block(results, "overlap", "smd").set_index("term")["estimate"]
    assert smd["age"] > 0.5
    for analysis in ("overlap", "overlap:overlap_weights"):
        weighted = block(results, analysis, "smd_weighted").set_index("term")["estimate"]
        assert weighted["age"] < 0.2 * smd["age"]
    for measure in ("ess", "smallest_probability", "equipoise"):
        rows = block(results, "overlap", measure)
        assert (rows["events"].isna()).all()
        assert (rows["n"] == 625).all()
        limit = 625 if measure == "ess" else 1
        assert rows["estimate"].between(0, limit, inclusive="neither").all()
    # Nearest categories overlap most, and overlap weights keep more of the people than inverse probabilities do.
    assert block(results, "overlap", "equipoise")["estimate"].is_monotonic_decreasing
    sizes = [block(results, analysis, "ess")["estimate"].sum() for analysis in ("overlap", "overlap:overlap_weights")]
    assert sizes[0] < sizes[1]


def test_differences_and_ratios_follow_from_the_risks(results, wave):
    risk, rd, rr = (block(results, "doubly_robust", measure)["estimate"] for measure in ("risk", "rd", "rr"))
    assert list(rd) == pytest.approx(list(risk - risk.iloc[0]))
    assert list(rr) == pytest.approx(list(risk / risk.iloc[0]))
    standardized = fit((standardized_risk_rows,), wave).query("model == 'adjusted'")
    for analysis in ("doubly_robust", "overlap_weighted"):
        ratio, apart = (block(results, analysis, measure) for measure in ("rr", "ratio_of_rr"))
        theirs = block(standardized, "standardized_risk", "rr")["estimate"]
        assert list(apart["estimate"]) == pytest.approx(list(ratio["estimate"] / theirs))
        # An E-value is of a ratio of risks, not of a ratio of two estimates.
        assert apart["e_value"].isna().all()
        assert ratio["e_value"].iloc[1:].notna().all()
        assert (apart["std_error"].iloc[1:] < ratio["std_error"].iloc[1:]).all()


def test_everyone_behind_a_row_is_recorded(wave):
    rows = overlap_rows(wave)
    assert all(isinstance(row.members, Members) for row in rows)
    assert set(members_of(rows)["person"]) == set(wave.people["person"])


def test_cross_fitting_is_an_option_of_the_protocol():
    people = older_walk_less(fall=0.05)

    def made(**values: object) -> pd.DataFrame:
        return fit((overlap_rows,), wave_data_of(people, with_overlap(**values)))

    plain, crossed = made(), made(folds=5)
    pd.testing.assert_frame_equal(crossed, made(folds=5))
    each = (crossed, plain, made(folds=5, seed=3))
    mine, theirs, other = (block(found, "doubly_robust", "rr").iloc[1:] for found in each)
    assert (mine["estimate"] != theirs["estimate"]).all()
    assert (mine["estimate"] != other["estimate"]).all()
    assert (np.abs(np.log(mine["estimate"] / theirs["estimate"])) < 0.3 * theirs["std_error"]).all()
    assert mine["note"].str.contains("cross-fitted in 5 folds").all()
    # Nothing else uses folds.
    same = ~plain["analysis"].eq("doubly_robust")
    pd.testing.assert_frame_equal(plain[same], crossed[same])


def test_a_share_of_few_people_is_a_bound():
    people = np.zeros(100, dtype=bool)
    assert publishable_share(people, 5).value == 0
    people[:3] = True
    assert (publishable_share(people, 5).value, publishable_share(people, 5).note) == (0.05, "at most this")
    people[:5] = True
    assert (publishable_share(people, 5).value, publishable_share(people, 5).note) == (0.05, "")
    people[:97] = True
    assert (publishable_share(people, 5).value, publishable_share(people, 5).note) == (0.95, "at least this")


def test_equipoise_is_within_the_scores_of_the_protocol(wave):
    narrow = fit((overlap_rows,), wave_data_of(wave.people, with_overlap(equipoise=(0.49, 0.51))))
    assert (block(narrow, "overlap", "equipoise")["estimate"] < 0.2).all()


def test_a_smallest_probability_is_not_one_persons(wave):
    few = 50
    used = PROTOCOL.model_copy(update={"disclosure": PROTOCOL.disclosure.model_copy(update={"smallest_count": few})})
    mine = block(fit((overlap_rows,), wave_data_of(wave.people, used)), "overlap", "smallest_probability")
    assert mine["note"].str.contains("mean of the 50 smallest").all()
    usual = block(fit((overlap_rows,), wave), "overlap", "smallest_probability")
    assert (mine["estimate"] > usual["estimate"]).all()


@pytest.mark.parametrize(
    ("fall", "kept"), [(0.12, {"doubly_robust", "overlap_weighted"}), (0.25, {"overlap_weighted"}), (0.5, set())]
)
def test_the_less_overlap_the_fewer_estimates_rest_on_it(fall, kept):
    made = fit((standardized_risk_rows, overlap_rows), wave_data_of(older_walk_less(fall=fall)))
    assert (made["status"] == "ok").all()
    shown = with_diagnostics(made, PROTOCOL)
    mine = shown[(shown["exposure"] == "walking_minutes") & (shown["status"] == "ok")]
    assert set(mine["analysis"]) & {"doubly_robust", "overlap_weighted"} == kept
    # What does not use the propensity stays, and so does what shows why the rest does not.
    assert {"standardized_risk", "overlap", "overlap:overlap_weights"} <= set(mine["analysis"])
    gone = shown["analysis"].isin({"doubly_robust", "overlap_weighted"} - kept) & (
        shown["exposure"] == "walking_minutes"
    )
    assert shown.loc[gone, "note"].str.contains("; withheld: ").all()
    # The other exposure does not depend on age.
    met = shown[(shown["exposure"] == "walking_met") & shown["analysis"].isin(["doubly_robust", "overlap_weighted"])]
    assert (met["status"] == "ok").all()


def reasons_of(frame: pd.DataFrame) -> set[str]:
    """Why nothing is estimated of volume."""
    results = fit((overlap_rows,), wave_data_of(frame))
    mine = results[results["exposure"] == "walking_minutes"]
    assert set(mine["status"]) == {"not_estimable"}
    return {str(note).split("; ")[-1] for note in mine["note"]}


def test_a_level_that_a_category_never_has_is_said():
    frame = older_walk_less(1500)
    frame["smoking"] = frame["smoking"].mask(frame["walking_minutes_category"] == 4, frame["smoking"].iloc[0])
    (reason,) = reasons_of(frame)
    assert reason.startswith("model of the categories: ")
    assert reason.endswith(("did not converge", "too large to be credible"))


def test_few_events_and_nobody_in_a_category_are_said():
    frame = older_walk_less(1500)
    highest = frame["walking_minutes_category"] == 4
    few = frame.assign(low_back_pain=frame["low_back_pain"].mask(highest, 0))
    assert reasons_of(few) == {"level 4 of walking_minutes_category has fewer than 5 events"}
    # Two kinds of walkers: categories in between are empty, the others are estimated.
    two = frame.assign(walking_minutes=np.where(np.arange(len(frame)) % 2, 60.0, 130.0))
    results = fit((overlap_rows,), wave_data_of(add_categories(two, PROTOCOL)))
    status = block(results, "doubly_robust", "rr").groupby("status").size()
    assert status["ok"] == 2
    empty = block(results, "doubly_robust", "rr").query("status == 'not_estimable'")
    assert empty["note"].str.contains("nobody is in this category").all()
