import numpy as np
import pytest
from scipy.stats import binom

from stegvis.analyses.main_models import main_rows
from stegvis.analyses.negative_control import negative_control_rows
from stegvis.analyses.wave_data import fit
from stegvis.statistics.categories import add_categories
from stegvis.study.protocol_models import NegativeControl
from tests.sizes import FULL
from tests.stegvis.conftest import PROTOCOL, analysis_set_of, wave_data_of


def controlled_by(*controls):
    rules = PROTOCOL.negative_controls.model_copy(
        update={"controls": tuple(NegativeControl(column=name, role=role) for name, role in controls)}
    )
    return PROTOCOL.model_copy(update={"negative_controls": rules})


@pytest.fixture
def frame(make_analysis_set):
    """Six outcomes that walking has nothing to do with, one of them in words, and two exposures."""
    made, random = make_analysis_set(1500), np.random.default_rng(9)
    for number in range(5):
        made[f"outcome_{number}"] = (random.random(1500) < 0.2).astype("int64")
    made["outcome_5"] = np.where(random.random(1500) < 0.3, "yes", "no")
    return made.assign(shoe_size=random.normal(42, 3, 1500), left_handed=random.random(1500) < 0.1)


def test_without_controls_it_says_that_it_was_not_run(analysis_set, make_wave_data):
    rows = fit((negative_control_rows,), make_wave_data(analysis_set))
    assert rows["measure"].tolist() == ["controls", "controls"]
    assert rows["estimate"].tolist() == [0, 0]
    assert rows["note"].str.contains("not run: 5 controls of one role are needed").all()


def test_four_controls_are_too_few(frame, make_wave_data):
    used = controlled_by(*((f"outcome_{n}", "outcome") for n in range(4)))
    rows = fit((negative_control_rows,), make_wave_data(frame, used))
    assert rows["estimate"].tolist() == [4, 4]


def test_calibrated_ratios_are_wider_and_near_the_published(frame, make_wave_data):
    outcomes = ((f"outcome_{n}", "outcome") for n in range(6))
    used = controlled_by(*outcomes, ("shoe_size", "exposure"), ("left_handed", "exposure"))
    data = make_wave_data(frame, used)
    rows = fit((negative_control_rows,), data)
    counted = rows[rows["measure"] == "controls"]
    assert set(counted["estimate"]) == {7}
    assert counted["note"].str.contains("1 exposure controls cannot be cut").all()
    assert rows.loc[rows["measure"] == "rr", "note"].str.contains("calibrated by negative controls: 6 outcomes$").all()
    key = ["exposure", "level"]
    main = fit((main_rows,), data).query("model == 'adjusted' and measure == 'rr'").set_index(key)
    calibrated = rows.query("measure == 'rr'").set_index(key)
    main = main.loc[calibrated.index]
    assert len(calibrated) == 6
    assert (calibrated["std_error"] >= main["std_error"] * (1 - 1e-9)).all()
    null = rows.query("measure == 'null_mean'").set_index(key)["estimate"]
    assert np.log(calibrated["estimate"]).to_numpy() == pytest.approx((np.log(main["estimate"]) - null).to_numpy())
    assert calibrated["e_value"].isna().all()
    assert rows.query("measure == 'ease'")["estimate"].between(0, 0.5).all()


@pytest.mark.parametrize(
    ("column", "message"), [("horoscope", "not a column"), ("education", "neither numeric nor yes and no")]
)
def test_a_control_that_cannot_be_one_is_refused(frame, make_wave_data, column, message):
    with pytest.raises(ValueError, match=f"{column} is {message}"):
        fit((negative_control_rows,), make_wave_data(frame, controlled_by((column, "outcome"))))


def cohort(seed: int, people: int = 1500):
    """Walking has no effect; somebody's frailty, which nobody measured, makes them walk less and have more pain.

    Six outcomes have the frailty as their cause as well, more or less. Six numbers are signs of it, of either sign.
    """
    random = np.random.default_rng([4, seed])
    frame, frailty = analysis_set_of(people, seed), random.normal(size=people)
    minutes = np.maximum(100 - 20 * frailty + random.normal(0, 25, people), 1)
    frame = frame.assign(walking_minutes=minutes, walking_met=3 + minutes / 100)
    frame["low_back_pain"] = (random.random(people) < 0.2 * np.exp(0.4 * frailty - 0.08)).astype("int64")
    for number in range(6):
        risk = 0.2 * np.exp(random.normal(0.4, 0.05) * frailty - 0.08)
        frame[f"outcome_{number}"] = (random.random(people) < risk).astype("int64")
        frame[f"sign_{number}"] = random.choice([-1, 1]) * frailty + random.normal(size=people)
    return add_categories(frame, PROTOCOL)


def ratios(seed: int, *controls):
    """The top category's log ratio and its error, uncalibrated and calibrated."""
    data = wave_data_of(cohort(seed), controlled_by(*controls))
    found = fit((main_rows, negative_control_rows), data)
    found = found[(found["measure"] == "rr") & (found["model"] == "adjusted")]
    return found[found["exposure"] == "walking_minutes"].groupby("analysis").nth(-1).set_index("analysis")


OUTCOMES = tuple((f"outcome_{number}", "outcome") for number in range(6))
SIGNS = tuple((f"sign_{number}", "exposure") for number in range(6))


@pytest.mark.parametrize("seed", range(3))
def test_exposures_that_cannot_matter_widen_an_interval_and_move_no_estimate(seed):
    found = ratios(seed, *SIGNS)
    main, calibrated = found.loc["main"], found.loc["negative_controls"]
    assert calibrated["estimate"] == pytest.approx(main["estimate"], rel=1e-12)
    assert calibrated["std_error"] > 1.2 * main["std_error"]


@pytest.mark.slow
def test_calibrated_intervals_cover_the_truth_where_others_do_not():
    """In 24 cohorts, or 200 in the full size: no effect, and a strong cause of both that nobody measured."""
    cohorts = 200 if FULL else 24
    covered = {"main": 0, "negative_controls": 0}
    for seed in range(cohorts):
        found = ratios(seed, *OUTCOMES, *SIGNS)
        for name in covered:
            covered[name] += bool(found.loc[name, "ci_low"] <= 1 <= found.loc[name, "ci_high"])
    # Fewer than this would happen once in a thousand times if the coverage were 95 %.
    assert covered["negative_controls"] >= binom.ppf(0.001, cohorts, 0.95)
    assert covered["main"] < 0.8 * cohorts
