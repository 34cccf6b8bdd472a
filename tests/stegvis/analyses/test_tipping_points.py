import pytest

from stegvis.analyses.main_models import main_rows
from stegvis.analyses.tipping_points import tipping_point_rows
from stegvis.analyses.wave_data import fit
from stegvis.statistics.tipping_point import ratio_in_everyone


def rows_of(data, measure="tipping_point", exposure="walking_minutes"):
    results = fit((tipping_point_rows,), data)
    return results.query("measure == @measure and exposure == @exposure").set_index("level")


def headline(data):
    chosen = "measure == 'rr' and model == 'adjusted' and exposure == 'walking_minutes'"
    return fit((main_rows,), data).query(chosen).set_index("level")


def test_at_the_tipping_point_the_headline_is_gone(lossy_wave):
    main, rows = headline(lossy_wave), rows_of(lossy_wave)
    category = lossy_wave.people.groupby("walking_minutes_level")["walking_minutes"]
    assert len(rows) == 3
    for level, row in rows.iterrows():
        low, high = category.min()[level], category.max()[level]
        inside = lossy_wave.eligible[lossy_wave.eligible["walking_minutes"].between(low, high)]
        lost = 1 - inside["answered"].mean()
        # The cut is between two analyzed people: a few of those lost may be on its other side.
        everyone = ratio_in_everyone(main["estimate"][level], lost, row["estimate"], lost)
        assert everyone == pytest.approx(1, abs=0.02)
        assert (row["n"], row["events"]) == (main["n"][level], main["events"][level])


def test_a_limit_beyond_one_is_tipped_by_nothing(lossy_wave):
    main, limits, points = headline(lossy_wave), rows_of(lossy_wave, "tipping_point_limit"), rows_of(lossy_wave)
    for level, row in limits.iterrows():
        if main["ci_low"][level] <= 1 <= main["ci_high"][level]:
            assert row["estimate"] == 1
        else:
            assert 1 < row["estimate"] < points["estimate"][level]


def test_too_few_lost_to_follow_up_are_not_published(make_lossy_wave):
    rows = rows_of(make_lossy_wave(900, lost=0))
    assert set(rows["status"]) == {"not_estimable"}
    assert rows["note"].str.contains("fewer than 5 people of the category were lost").all()
