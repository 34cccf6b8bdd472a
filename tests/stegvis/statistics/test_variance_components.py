import numpy as np
import pytest
import statsmodels.api as sm

from stegvis.statistics.variance_components import (
    Components,
    anova,
    bootstrap_counts,
    cross_products,
    reml,
    reml_of_totals,
    sample_totals,
)


@pytest.fixture
def days(oracle_rows):
    return oracle_rows("days")


def fitted(days, *columns) -> Components:
    X = np.column_stack([np.ones(len(days)), *columns])
    return reml(cross_products(days["walk_min"].to_numpy(), days["id"].to_numpy(), X))


def test_reml_agrees_with_lme4(days, expected):
    reference = expected("reliability")
    for found, wanted in (
        (fitted(days), reference["reml"]),
        (fitted(days, days["weekend"]), reference["reml_weekend"]),
    ):
        assert found.between[0] == pytest.approx(wanted["between"], rel=1e-4)
        assert found.within[0] == pytest.approx(wanted["within"], rel=1e-4)
        assert found.intraclass_correlation[0] == pytest.approx(wanted["icc1"], rel=1e-4)
    plain = fitted(days)
    for k, reliability in enumerate(reference["reliability_of_mean"].values(), start=1):
        assert plain.reliability(k)[0] == pytest.approx(reliability, rel=1e-4)
    measured = days.groupby("id").size().to_numpy()
    assert plain.reliability(measured).mean() == pytest.approx(reference["mean_lambda_over_people"], rel=1e-4)


def test_analysis_of_variance_agrees_with_r(days, expected):
    reference = expected("reliability")["anova"]
    found = anova(days["walk_min"].to_numpy(), days["id"].to_numpy())
    assert found.between[0] == pytest.approx(reference["between"], rel=1e-9)
    assert found.within[0] == pytest.approx(reference["within"], rel=1e-9)
    assert found.intraclass_correlation[0] == pytest.approx(reference["icc1"], rel=1e-9)


def test_reml_with_covariates_agrees_with_statsmodels(days):
    person = days["id"].to_numpy()
    height = np.random.default_rng(1).normal(size=person.max() + 1)[person]
    found = fitted(days, height, days["weekend"])
    X = np.column_stack([np.ones(len(days)), height, days["weekend"]])
    theirs = sm.MixedLM(days["walk_min"].to_numpy(), X, groups=person).fit(reml=True)
    assert found.between[0] == pytest.approx(float(theirs.cov_re[0, 0]), rel=1e-3)
    assert found.within[0] == pytest.approx(theirs.scale, rel=1e-3)


def test_a_sample_by_counts_is_the_sample_itself(days):
    """A person drawn twice is two people with the same days."""
    people = days["id"].unique()
    counts = bootstrap_counts(len(people), 3, np.random.default_rng(5))
    assert (counts.sum(axis=1) == len(people)).all()
    by_counts = reml(cross_products(days["walk_min"].to_numpy(), days["id"].to_numpy()), counts)
    own = dict(list(days.groupby("id")["walk_min"]))
    for sample, count in enumerate(counts):
        drawn = np.repeat(people, count)
        values = np.concatenate([own[person].to_numpy() for person in drawn])
        code = np.repeat(np.arange(len(drawn)), [len(own[person]) for person in drawn])
        by_rows = reml(cross_products(values, code))
        assert by_counts.between[sample] == pytest.approx(by_rows.between[0], rel=1e-6)
        assert by_counts.within[sample] == pytest.approx(by_rows.within[0], rel=1e-6)


def test_of_equally_many_measurements_the_maximum_is_the_analysis_of_variance():
    """A closed form (Searle, Casella and McCulloch 1992), so that the maximum is seen to be exact."""
    person = np.repeat(np.arange(800), 4)
    values = np.random.default_rng(7).normal(90, 12, 800)[person] + np.random.default_rng(8).normal(0, 30, 3200)
    found, exact = reml(cross_products(values, person)), anova(values, person)
    assert found.between[0] == pytest.approx(exact.between[0], rel=1e-9)
    assert found.within[0] == pytest.approx(exact.within[0], rel=1e-9)


def test_of_equally_many_measurements_that_differ_no_more_than_days_there_is_no_correlation():
    values = np.tile([0.0, 10.0, 20.0, 30.0], 50) + np.repeat(np.random.default_rng(1).normal(0, 0.1, 50), 4)
    person = np.repeat(np.arange(50), 4)
    assert anova(values, person).between[0] < 0
    found = reml(cross_products(values, person))
    assert found.between[0] == 0
    assert found.within[0] == pytest.approx(values.var(ddof=1), rel=1e-10)


def test_a_choice_of_columns_is_the_model_of_those_columns(days):
    """One matrix of everything serves models with some of the covariates, and either of two measurements."""
    person = days["id"].to_numpy()
    height = np.random.default_rng(1).normal(size=person.max() + 1)[person]
    X = np.column_stack([np.ones(len(days)), height, days["weekend"]])
    both = np.column_stack([days["walk_min"], days["walk_min"] ** 2])
    counts = bootstrap_counts(len(set(person)), 3, np.random.default_rng(5))
    totals = sample_totals(cross_products(both, person, X), counts)
    for columns, measured in (((0, 1, 2), 0), ((0, 2), 1), ((0,), 0)):
        shared = reml_of_totals(totals.of([*columns, 3 + measured]))
        alone = reml(cross_products(both[:, measured], person, X[:, columns]), counts)
        assert shared.between == pytest.approx(alone.between, rel=1e-9)
        assert shared.within == pytest.approx(alone.within, rel=1e-9)


def test_units_do_not_matter_and_people_alike_have_no_variance_between(days):
    plain = fitted(days)
    thousand = days.assign(walk_min=days["walk_min"] * 1000)
    assert fitted(thousand).between[0] == pytest.approx(plain.between[0] * 1e6, rel=1e-6)
    noise = days.assign(walk_min=np.tile([1.0, -1.0], len(days))[: len(days)])
    assert fitted(noise).between[0] == pytest.approx(0, abs=0.02)


def test_with_one_measurement_each_the_variances_are_undetermined():
    values, person = np.array([1.0, 2.0, 3.0]), np.array([1, 2, 3])
    assert np.isnan(reml(cross_products(values, person)).between[0])
    assert np.isnan(anova(values, person).between[0])


def test_rows_of_a_person_must_be_adjacent_and_finite():
    with pytest.raises(ValueError, match="adjacent"):
        cross_products(np.ones(3), np.array([1, 2, 1]))
    with pytest.raises(ValueError, match="finite"):
        cross_products(np.array([1.0, np.nan]), np.array([1, 1]))
