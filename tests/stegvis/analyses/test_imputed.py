import pytest

from stegvis.analyses.imputed import imputed_rows
from stegvis.analyses.main_models import main_rows
from stegvis.analyses.wave_data import fit
from tests.stegvis.conftest import PROTOCOL

KEY = ["exposure", "model", "level"]


def few_imputations():
    shorter = PROTOCOL.imputation.model_copy(update={"imputations": 3, "iterations": 2})
    return PROTOCOL.model_copy(update={"imputation": shorter})


@pytest.fixture(scope="module")
def wave(lossy_wave):
    from dataclasses import replace

    return replace(lossy_wave, protocol=few_imputations())


@pytest.fixture(scope="module")
def results(wave):
    return fit((imputed_rows,), wave)


def test_all_respondents_are_included(results, wave):
    assert (results["status"] == "ok").all()
    assert set(results["population"]) == {"answered"}
    assert set(results["n"]) == {int(wave.eligible["answered"].sum())}
    assert results["events"].isna().all()
    assert results["note"].str.contains("3 imputations").all()
    assert results.groupby("measure").size().to_dict() == {"rr": 16, "fmi": 12, "p_joint": 4}


def test_more_people_move_the_estimates_little_and_sharpen_them(results, wave):
    main = fit((main_rows,), wave).query("measure == 'rr'").set_index(KEY)
    rows = results.query("measure == 'rr'").set_index(KEY).loc[main.index]
    assert rows["estimate"].to_numpy() == pytest.approx(main["estimate"].to_numpy(), rel=0.25)
    assert (rows["std_error"] / main["std_error"]).dropna().between(0.85, 1.02).all()


def test_missing_covariates_cost_the_walking_estimates_little_information(results):
    missing = results.query("measure == 'fmi' and model == 'adjusted'")["estimate"]
    assert missing.between(0, 0.1).all()
    # Age is always known here, so its model is the same in every copy.
    assert (results.query("measure == 'fmi' and model == 'age'")["estimate"] < 0.01).all()


def test_the_same_wave_gives_the_same_rows(results, wave):
    assert fit((imputed_rows,), wave).equals(results)


def test_nothing_missing_gives_the_published_ratios(analysis_set, make_wave_data):
    data = make_wave_data(analysis_set)
    main = fit((main_rows,), data).query("measure == 'rr'").set_index(KEY)
    rows = fit((imputed_rows,), data).query("measure == 'rr'").set_index(KEY).loc[main.index]
    assert rows["estimate"].to_numpy() == pytest.approx(main["estimate"].to_numpy(), rel=1e-7)
    assert rows["std_error"].to_numpy() == pytest.approx(main["std_error"].to_numpy(), rel=1e-7, nan_ok=True)
    assert rows["note"].str.contains("no covariate is missing").all()


def test_a_few_people_more_are_not_counted(analysis_set, make_wave_data):
    """Three more than analyzed would reveal how many have a missing covariate."""
    eligible = analysis_set.assign(answered=True)
    analyzed = analysis_set.iloc[3:]
    eligible.loc[eligible.index[:3], "education"] = None
    results = fit((imputed_rows,), make_wave_data(analyzed, few_imputations(), eligible=eligible))
    assert results["n"].isna().all()
    assert (results["status"] == "ok").all()
