import pytest

from stegvis.analyses.misclassified import misclassification_rows
from stegvis.analyses.standardized_risk import standardized_risk_rows
from stegvis.analyses.wave_data import fit
from stegvis.study.protocol_models import ErrorPrior
from tests.stegvis.conftest import PROTOCOL

CHOSEN = "measure == 'rr' and model == 'adjusted' and exposure == 'walking_minutes'"


def believing(**what):
    rules = PROTOCOL.misclassification.model_copy(update=what)
    return PROTOCOL.model_copy(update={"misclassification": rules})


def rows_of(data, analysis):
    return fit((misclassification_rows,), data).query(f"{CHOSEN} and analysis == '{analysis}'")


def test_error_that_is_allowed_for_moves_the_ratio_away_from_one(analysis_set, make_wave_data):
    data = make_wave_data(analysis_set)
    plain = fit((standardized_risk_rows,), data).query(f"{CHOSEN} and analysis == 'standardized_risk'")
    simple, spread = (rows_of(data, f"misclassification{suffix}") for suffix in ("", "_probabilistic"))
    assert (simple["status"] == "ok").all()
    for category in (1, 2, 3):
        observed, corrected = plain["estimate"].iloc[category], simple["estimate"].iloc[category]
        assert abs(corrected - 1) > abs(observed - 1)
        row = spread.iloc[category]
        assert row["ci_low"] < row["estimate"] < row["ci_high"]
        wider = plain["ci_high"].iloc[category] / plain["ci_low"].iloc[category]
        assert row["ci_high"] / row["ci_low"] > wider
    assert simple["note"].str.contains("assumed sensitivity 0.8, specificity 0.97").all()
    assert spread["note"].str.contains("10000 draws, 0 impossible ones dropped").all()


def test_perfect_reporting_gives_the_standardized_ratios(analysis_set, make_wave_data):
    data = make_wave_data(analysis_set, believing(sensitivity=1.0, specificity=1.0))
    plain = fit((standardized_risk_rows,), data).query(f"{CHOSEN} and analysis == 'standardized_risk'")
    assert list(rows_of(data, "misclassification")["estimate"]) == pytest.approx(list(plain["estimate"]))


def test_beliefs_that_the_data_contradict_are_refused(analysis_set, make_wave_data):
    prior = ErrorPrior(shape="trapezoidal", values=(0.5, 0.6, 0.9, 0.95))
    data = make_wave_data(analysis_set, believing(specificity=0.7, specificity_prior=prior))
    assert rows_of(data, "misclassification")["note"].str.contains("contradict this").all()
    refused = rows_of(data, "misclassification_probabilistic")
    assert refused["note"].str.contains("contradict more than 10% of the priors' draws").all()
    assert set(refused["status"]) == {"not_estimable"}


def test_the_same_wave_gives_the_same_rows(analysis_set, make_wave_data):
    data = make_wave_data(analysis_set)
    assert fit((misclassification_rows,), data).equals(fit((misclassification_rows,), data))
