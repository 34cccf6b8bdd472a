import pytest

from stegvis.analyses.cross_estimator import ESTIMATORS, cross_estimator_rows
from stegvis.analyses.main_models import main_rows
from stegvis.analyses.wave_data import fit


def test_estimators_are_reported_with_the_published_one(analysis_set, make_wave_data):
    data = make_wave_data(analysis_set)
    results = fit((cross_estimator_rows,), data)
    main = fit((main_rows,), data).query("measure == 'rr'").set_index(["exposure", "model", "level"])
    assert (results["status"] == "ok").all()
    assert len(results) == len(ESTIMATORS) * len(main)
    for name, rows in results.groupby("term"):
        rows = rows.set_index(["exposure", "model", "level"]).loc[main.index]
        compared = main["std_error"].notna()
        assert (rows.loc[~compared, "estimate"] == 1).all()
        # Other estimators of the same ratios: alike, but for Cox not the same.
        agreed = 1e-9 if name == "cox" else 0.05
        assert rows["estimate"].to_numpy() == pytest.approx(main["estimate"].to_numpy(), rel=agreed)
        errors = rows.loc[compared, "std_error"] / main.loc[compared, "std_error"]
        assert errors.between(0.9, 1.1).all()
        if name != "cox":
            assert (rows.loc[compared, "estimate"] != main.loc[compared, "estimate"]).all()


def test_a_log_binomial_model_that_does_not_converge_is_reported(make_analysis_set, make_wave_data):
    """A risk of 1 above an age is at the boundary of the model."""
    frame = make_analysis_set(900)
    frame["low_back_pain"] = (frame["age"] > 52).astype("int64")
    frame.loc[frame.index % 7 == 0, "low_back_pain"] = 0
    results = fit((cross_estimator_rows,), make_wave_data(frame))
    rows = results.query("term == 'log_binomial' and model == 'age'")
    assert set(rows["status"]) == {"not_estimable"}
    assert rows["note"].str.contains("log-binomial model").all()
