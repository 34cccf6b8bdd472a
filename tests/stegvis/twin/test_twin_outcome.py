"""The outcome: the shape of the risk, its level, and waves that do not depend on later ones."""

from functools import cache

import numpy as np
import pytest

from stegvis.twin.observed import observe
from stegvis.twin.outcome import bent, draw_waves, fading, falling, first_delivery, log_risk, true_log_risk_ratios
from stegvis.twin.parameters import Bend, FadingBend, Fall, parameters
from stegvis.twin.population import draw_population
from stegvis.twin.walking import Habits, draw_days, draw_habits
from tests.study import PROTOCOL


@cache
def population_drawn():
    return draw_population(20_000, seed=5, parameters=parameters())


@cache
def habits_drawn():
    return draw_habits(population_drawn(), 5, parameters(), PROTOCOL.exposures)


@cache
def observed_drawn():
    return observe(
        population_drawn(), draw_days(population_drawn(), habits_drawn(), 5, parameters(), PROTOCOL), PROTOCOL.exposures
    )


@cache
def waves_drawn():
    return draw_waves(population_drawn(), habits_drawn(), observed_drawn(), 2, 5, parameters(), PROTOCOL.covariates)


@cache
def balanced_drawn():
    return draw_waves(
        population_drawn(), habits_drawn(), observed_drawn(), 2, 5, parameters(), PROTOCOL.covariates, balanced=True
    )


def analyzed(wave):
    kept = (
        observed_drawn().valid
        & population_drawn().pain_answered
        & ~population_drawn().flags("back_pain")
        & population_drawn().complete
    )
    return kept & ~population_drawn().flags("withdrawn") & wave.screen_answered


def test_a_bent_line_has_its_two_slopes():
    shape = Bend(bend=100.0, width=5.0, below=-0.01, above=0.002)
    low, high = bent(np.array([20.0, 30.0]), shape), bent(np.array([170.0, 180.0]), shape)
    assert low[1] - low[0] == pytest.approx(-0.1, abs=1e-6)
    assert high[1] - high[0] == pytest.approx(0.02, abs=1e-6)


def test_a_fall_falls_once_and_by_more_in_the_older():
    shape = Fall(fall=0.4, older_more=0.2, middle=100.0, width=5.0)
    assert falling(np.array([20.0, 100.0, 180.0]), shape) == pytest.approx([0.4, 0.2, 0.0], abs=1e-6)
    assert falling(np.array([20.0]), shape, 1.0) == pytest.approx([0.6], abs=1e-6)


def test_intensity_matters_for_those_who_walk_little():
    shape = FadingBend(bend=3.1, width=0.01, below=-1.0, above=0.0, fades_to=2.9, fades_at=120.0, fades_width=5.0)
    at = np.array([2.9, 3.3])
    assert np.diff(fading(at, np.full(2, 60.0), shape)) == pytest.approx([-0.2], abs=1e-4)
    assert np.diff(fading(at, np.full(2, 180.0), shape)) == pytest.approx([0.0], abs=1e-4)


def test_more_walking_means_less_risk_and_more_so_in_the_older():
    n = len(population_drawn())
    slow = np.full(n, parameters().outcome.intensity.fades_to)
    low = log_risk(population_drawn(), Habits(np.full(n, 60.0), slow), parameters(), PROTOCOL.covariates)
    high = log_risk(population_drawn(), Habits(np.full(n, 100.0), slow), parameters(), PROTOCOL.covariates)
    older = population_drawn().numbers("age") >= 65
    assert (high < low).all()
    assert (high - low)[older].max() < (high - low)[~older].min()
    truth = true_log_risk_ratios(parameters())
    assert (high - low)[~older] == pytest.approx(truth["walking_minutes 100 v 60"])
    assert (high - low)[older] == pytest.approx(truth["walking_minutes 100 v 60, age 65+"])


def test_balanced_waves_have_the_published_numbers_to_scale():
    first = balanced_drawn()[0]
    who = analyzed(first)
    assert who.sum() == round(20_000 * 11_194 / 56_042)
    assert (who & ~population_drawn().flags("male")).sum() == round(20_000 * 6_564 / 56_042)
    assert (who & first.back_pain).sum() == round(who.sum() * 1_659 / 11_194)
    assert first.risk[who].sum() == pytest.approx((who & first.back_pain).sum())


def test_balanced_cases_are_spread_over_the_quarters_as_expected():
    first = balanced_drawn()[0]
    who = analyzed(first)
    for values in (observed_drawn().volume, observed_drawn().intensity):
        cuts = np.quantile(values[who], [0.25, 0.5, 0.75])
        quarter = np.searchsorted(cuts, values[who])
        expected = np.bincount(quarter, weights=first.risk[who])
        assert np.bincount(quarter, weights=first.back_pain[who]) == pytest.approx(expected, abs=4)


def test_waves_correlate_alike_with_and_without_balancing():
    for waves in (waves_drawn(), balanced_drawn()):
        pain = np.corrcoef(waves[0].back_pain, waves[1].back_pain)[0, 1]
        answers = np.corrcoef(waves[0].answered, waves[1].answered)[0, 1]
        assert pain == pytest.approx(0.42, abs=0.04)
        assert answers == pytest.approx(0.43, abs=0.04)


def test_some_people_return_after_missing_a_wave():
    back = ~waves_drawn()[0].answered & waves_drawn()[1].answered
    away = waves_drawn()[0].answered & ~waves_drawn()[1].answered
    assert 0.05 < back.mean() < 0.25
    assert 0.05 < away.mean() < 0.30


def test_the_first_delivery_lacks_the_late_and_misreads_a_few():
    wave, delivered = waves_drawn()[0], first_delivery(waves_drawn()[0])
    model = parameters().followup
    assert wave.late.sum() == round(model.late_share * wave.answered.sum()) > 0
    assert np.array_equal(wave.answered & ~delivered.answered, wave.late)
    assert np.array_equal(wave.back_pain != delivered.back_pain, wave.misread)
    assert (wave.misread & delivered.screen_answered).sum() == wave.misread.sum() > 0
    assert not (waves_drawn()[1].late | waves_drawn()[1].misread).any()


def test_the_analyzed_of_the_first_wave_have_the_published_mean_risk():
    who = analyzed(waves_drawn()[0])
    assert who.sum() == pytest.approx(20_000 * 11_194 / 56_042, rel=0.03)
    assert waves_drawn()[0].risk[who].mean() == pytest.approx(1_659 / 11_194, abs=1 / who.sum())
    assert waves_drawn()[0].back_pain[who].mean() == pytest.approx(0.148, abs=0.02)


def test_cases_follow_their_risk():
    for wave in waves_drawn():
        for group in (wave.risk < np.median(wave.risk), wave.risk >= np.median(wave.risk)):
            assert wave.back_pain[group].mean() == pytest.approx(wave.risk[group].mean(), abs=0.015)


def test_another_wave_does_not_change_the_earlier_ones():
    again = draw_waves(population_drawn(), habits_drawn(), observed_drawn(), 3, 5, parameters(), PROTOCOL.covariates)
    assert [wave.name for wave in again] == ["2021-2023", "2024-2026", "2027-2029"]
    for old, new in zip(waves_drawn(), again, strict=False):
        assert all(np.array_equal(getattr(old, name), getattr(new, name)) for name in vars(old) if name != "name")


def test_a_persons_waves_resemble_each_other():
    first, second = waves_drawn()
    assert np.corrcoef(first.back_pain, second.back_pain)[0, 1] > 0.2
    assert np.corrcoef(first.answered, second.answered)[0, 1] > 0.25


def test_responses_are_dated_within_the_wave():
    dates, late = waves_drawn()[0].date, waves_drawn()[0].late
    assert dates.min() >= np.datetime64("2021-01-01")
    assert dates[~late].max() <= np.datetime64("2023-12-31")
    assert dates[late].min() > np.datetime64("2023-12-31")
    assert dates[late].max() <= np.datetime64("2024-03-31")
    years = (dates - population_drawn().people["baseline_date"].to_numpy().astype("datetime64[D]")).astype(float) / 365
    assert years.mean() == pytest.approx(4.2, abs=0.1)


def test_only_people_in_pain_are_limited_by_it():
    wave = waves_drawn()[0]
    assert not (wave.limited & ~wave.back_pain & ~wave.other_pain).any()
    assert not (wave.back_pain & wave.other_pain).any()
