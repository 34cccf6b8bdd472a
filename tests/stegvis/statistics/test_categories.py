import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stegvis.statistics.categories import Cuts, add_categories, cuts, level_labels, published_cuts, quantile_cuts
from tests.stegvis.conftest import PROTOCOL

FIXED = PROTOCOL.model_copy(
    update={"exposures": PROTOCOL.exposures.model_copy(update={"categories": "fixed_published"})}
)
values = st.lists(st.floats(0, 400, allow_nan=False).map(lambda x: round(x, 1)), min_size=1, max_size=60)


@pytest.mark.parametrize(
    ("minutes", "category"),
    [(0, 1), (77.99, 1), (78, 2), (100.99, 2), (101, 3), (124.99, 3), (125, 4), (300, 4)],
)
def test_published_volume_cuts_are_lower_bounds(minutes, category):
    assert published_cuts(PROTOCOL.exposures.walking_minutes).categories(np.array([minutes])) == category


@pytest.mark.parametrize(
    ("met", "category"), [(2.999, 1), (3.00, 2), (3.119, 2), (3.12, 3), (3.269, 3), (3.27, 4), (4.2, 4)]
)
def test_published_intensity_cuts_are_lower_bounds(met, category):
    assert published_cuts(PROTOCOL.exposures.walking_met).categories(np.array([met])) == category


def test_published_labels():
    assert published_cuts(PROTOCOL.exposures.walking_minutes).labels() == ("<78", "78-100", "101-124", ">=125")
    assert published_cuts(PROTOCOL.exposures.walking_met).labels() == ("<3.00", "3.00-3.11", "3.12-3.26", ">=3.27")


def test_quartile_cut_between_two_people_is_their_mean_and_otherwise_a_person():
    # Stata: n*p an integer takes the mean of the neighbors, else the next one up.
    assert quantile_cuts(np.arange(1.0, 9), 4, 0).points == (2.5, 4.5, 6.5)
    assert quantile_cuts(np.arange(1.0, 7), 4, 0).points == (2, 3.5, 5)


def test_a_value_on_a_quartile_cut_goes_to_the_lower_category():
    assert list(quantile_cuts(np.arange(1.0, 7), 4, 0).categories(np.array([2, 3.5, 5, 5.01]))) == [1, 2, 3, 4]


@given(values, st.integers(2, 6))
def test_quantiles_follow_the_printed_definition(sample, groups):
    sample = np.array(sample)
    ordered = np.sort(sample)
    n = len(sample)
    expected = []
    for part in range(1, groups):
        whole, rest = divmod(n * part, groups)
        expected.append((ordered[whole - 1] + ordered[whole]) / 2 if rest == 0 else ordered[whole])
    found = quantile_cuts(sample, groups, 0)
    assert np.allclose(found.points, expected)
    category = found.categories(sample)
    assert [1 + sum(point < value for point in found.points) for value in sample] == list(category)
    assert category.min() == 1


@pytest.mark.parametrize("groups", range(2, 7))
def test_a_cut_of_a_sample_that_divides_evenly_is_the_mean_of_two_neighbors_whatever_its_size(groups):
    """A share such as 2/3 is no binary number: n times it must not miss the whole number."""
    for size in range(groups, 3000, groups):
        assert quantile_cuts(np.arange(1.0, size + 1), groups, 0).points[-1] == size * (groups - 1) // groups + 0.5


@given(values, st.integers(2, 6))
def test_higher_values_never_get_a_lower_category_and_labels_are_distinct(sample, groups):
    cut = quantile_cuts(np.array(sample), groups, 0)
    assert (np.diff(cut.categories(np.sort(sample))) >= 0).all()
    assert len(set(cut.labels())) == groups


def test_cuts_that_would_print_alike_get_more_decimals():
    assert Cuts((78.1, 78.4, 125.0), True, 0).labels() == ("<78.1", "78.1-78.3", "78.4-124.9", ">=125.0")


def test_ties_make_an_empty_category_with_its_own_label():
    cut = quantile_cuts(np.array([60.0, 70, 70, 70, 70, 70, 80, 90]), 4, 0)
    assert cut.points == (70, 70, 75)
    assert cut.labels() == ("<70", "category 2 (empty)", "70-74", ">=75")
    assert set(cut.categories(np.array([60.0, 70, 80, 90]))) == {1, 4}


def test_added_columns_agree_and_the_frame_is_not_changed():
    frame = pd.DataFrame({"walking_minutes": [50.0, 78, 101, 125], "walking_met": [2.9, 3.0, 3.12, 3.27]})
    cut = add_categories(frame, FIXED)
    assert list(frame) == ["walking_minutes", "walking_met"]
    assert list(cut["walking_minutes_category"]) == list(cut["walking_met_category"]) == [1, 2, 3, 4]
    assert list(cut["walking_minutes_level"]) == ["<78", "78-100", "101-124", ">=125"]
    assert list(cut["walking_met_level"]) == ["<3.00", "3.00-3.11", "3.12-3.26", ">=3.27"]


def test_labels_of_empty_categories():
    cut = add_categories(pd.DataFrame({"walking_minutes": [50.0, 60], "walking_met": [2.9, 3.0]}), FIXED)
    assert level_labels(cut, "walking_minutes", FIXED) == {1: "<78", 2: "78-100", 3: "101-124", 4: ">=125"}
    tied = add_categories(pd.DataFrame({"walking_minutes": [50.0] * 4, "walking_met": [3.0] * 4}), PROTOCOL)
    assert level_labels(tied, "walking_minutes", PROTOCOL)[3] == "category 3 (empty)"


def test_published_bins_of_the_reference_cohort(cohort):
    for column, exposure, reference in (
        ("walk_min", "walking_minutes", "vol_cat"),
        ("walk_met", "walking_met", "int_cat"),
    ):
        found = published_cuts(PROTOCOL.exposures.scale(exposure)).categories(cohort[column].to_numpy())
        assert (found == cohort[reference]).all()


def test_nothing_to_cut_and_missing_values_are_refused():
    with pytest.raises(ValueError, match="empty"):
        cuts([], "walking_met", PROTOCOL)
    with pytest.raises(ValueError, match="missing"):
        cuts([1.0, np.nan], "walking_met", PROTOCOL)


def test_who_lacks_an_exposure_has_no_category_and_moves_no_cut():
    minutes = [60.0, 80.0, 100.0, 120.0, np.nan]
    cut = add_categories(pd.DataFrame({"walking_minutes": minutes, "walking_met": [3.0, 3.1, 3.2, 3.3, 3.4]}), PROTOCOL)
    assert cut["walking_minutes_category"].to_list() == [1, 2, 3, 4, pd.NA]
    assert pd.isna(cut["walking_minutes_level"].iloc[4])
    assert cut["walking_met_category"].notna().all()


def test_a_frame_without_people_gets_empty_columns():
    cut = add_categories(pd.DataFrame({"walking_minutes": [], "walking_met": []}, dtype="float64"), PROTOCOL)
    assert list(cut.filter(like="_category")) == ["walking_minutes_category", "walking_met_category"]
    assert len(cut) == 0
