import numpy as np
import pytest

from stegvis.analyses.main_models import main_rows
from stegvis.analyses.negative_control import negative_control_rows
from stegvis.analyses.wave_data import fit
from stegvis.study.protocol_models import NegativeControl
from tests.stegvis.conftest import PROTOCOL


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
    assert rows["note"].str.contains("not run: 5 controls are needed").all()


def test_four_controls_are_too_few(frame, make_wave_data):
    used = controlled_by(*((f"outcome_{n}", "outcome") for n in range(4)))
    rows = fit((negative_control_rows,), make_wave_data(frame, used))
    assert rows["estimate"].tolist() == [4, 4]


def test_calibrated_ratios_are_wider_and_near_the_published(frame, make_wave_data):
    outcomes = ((f"outcome_{n}", "outcome") for n in range(6))
    used = controlled_by(*outcomes, ("shoe_size", "exposure"), ("left_handed", "exposure"))
    data = make_wave_data(frame, used)
    rows = fit((negative_control_rows,), data)
    assert set(rows.loc[rows["measure"] == "controls", "estimate"]) == {8}
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
