from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from study.characteristics import characteristics
from study.disclosure import (
    COMPLEMENTARY,
    hidden_counts,
    suppress_attrition,
    suppress_characteristics,
    suppress_results,
)
from study.protocol import protocol
from study.statistics.categories import add_categories
from study.statistics.levels import covariate_levels
from study.statistics.results import ESTIMATE_COLUMNS, ResultRow, to_frame, validate
from study.statistics.risk_ratio import Ratio

tables = st.tuples(st.integers(1, 4), st.integers(1, 5)).flatmap(
    lambda shape: arrays("int64", shape, elements=st.integers(0, 12))
)


def results_of(cells, **fields):
    """Results of one model from (people, events) per category, with the total's joint test."""
    rows = [
        ResultRow("2021-2023", "main", "all", "age", "walking_met", "walking_met_category", f"level {k}", n=n, events=e)
        for k, (n, e) in enumerate(cells)
    ]
    return to_frame([row.with_ratio(Ratio(0.8, 0.7, 0.9, 0.1, 0.01)) for row in rows])


# --- the rule itself


def test_nothing_is_hidden_without_a_small_count():
    assert not hidden_counts(np.array([[5, 0], [7, 30]]), 5)[0].any()


def test_one_small_count_hides_three_more_at_the_corners_of_a_rectangle():
    inner = np.array([[36, 30, 30, 4], [32, 26, 30, 16], [17, 18, 29, 23], [13, 23, 28, 39]])
    hidden, primary = hidden_counts(inner, 5)
    assert np.argwhere(primary).tolist() == [[0, 3]]
    # By brute force over all patterns these three, 71 people in all, are the fewest and smallest that protect it.
    assert np.argwhere(hidden).tolist() == [[0, 1], [0, 3], [2, 1], [2, 3]]


def test_two_small_counts_can_protect_each_other_in_a_rectangle():
    hidden, _ = hidden_counts(np.array([[120, 3, 77], [45, 60, 51], [88, 90, 2]]), 5)
    assert np.argwhere(hidden).tolist() == [[0, 1], [0, 2], [2, 1], [2, 2]]


@given(tables, st.integers(2, 6))
def test_no_hidden_count_is_a_difference_of_told_ones(inner, smallest):
    hidden, primary = hidden_counts(inner, smallest)
    table = np.zeros(hidden.shape, dtype=int)
    table[:-1, :-1] = inner
    table[:-1, -1] = inner.sum(axis=1)
    table[-1] = table[:-1].sum(axis=0)
    assert (primary == ((table > 0) & (table < smallest))).all()
    assert (hidden | ~primary).all()
    assert 1 not in hidden.sum(axis=0)
    assert 1 not in hidden.sum(axis=1)
    if not primary.any():
        assert not hidden.any()


# --- results


def test_results_without_small_counts_are_untouched():
    results = results_of([(50, 10), (60, 12), (70, 0)])
    kept, held_back = suppress_results(results, 5)
    pd.testing.assert_frame_equal(kept, results)
    assert held_back.empty
    assert list(held_back) == ["table", "where", "rule"]


@pytest.mark.parametrize("small", [(50, 3), (50, 47)])
def test_few_events_or_non_events_hide_the_row_and_one_more(small):
    results = results_of([small, (60, 30), (70, 35), (80, 40)])
    kept, held_back = suppress_results(results, 5)
    validate(kept)
    assert kept["status"].tolist() == ["suppressed", "suppressed", "ok", "ok"]
    assert kept["events"].isna().tolist() == [True, True, False, False]
    assert kept["n"].tolist() == [50, 60, 70, 80]
    assert kept.loc[:1, list(ESTIMATE_COLUMNS)].isna().all(axis=None)
    assert held_back["rule"].tolist() == ["count below 5", COMPLEMENTARY]
    assert held_back["where"].iloc[0].endswith("walking_met_category / rr / level 0")
    assert kept["note"].tolist()[:2] == held_back["rule"].tolist()


def test_few_people_hide_n_too():
    kept, _ = suppress_results(results_of([(4, 4), (60, 12), (70, 30)]), 5)
    assert kept["n"].isna().tolist() == [True, True, False]


def test_a_single_row_with_few_events_is_hidden():
    kept, _ = suppress_results(results_of([(300, 2)]), 5)
    assert kept["status"].tolist() == ["suppressed"]
    assert kept["n"].tolist() == [300]


def test_a_row_that_was_not_estimable_loses_its_counts_but_not_its_reason():
    template = ResultRow("2021-2023", "main", "all", "age", "walking_met", "walking_met_category")
    rows = [ResultRow(**{**vars(template), "level": str(k), "n": 40, "events": e}) for k, e in enumerate((2, 12, 15))]
    kept, _ = suppress_results(to_frame([row.not_estimable("level 1 has fewer than 5 events") for row in rows]), 5)
    assert kept["status"].tolist() == ["suppressed", "suppressed", "not_estimable"]
    assert kept.loc[0, "note"] == "level 1 has fewer than 5 events; count below 5"


def test_models_with_the_same_counts_hide_the_same_cells():
    age = results_of([(50, 3), (60, 12), (60, 12), (80, 35)])
    both = pd.concat([age, age.assign(model="adjusted")], ignore_index=True)
    status = suppress_results(both, 5)[0].groupby("model")["status"].agg(list)
    assert status["age"] == status["adjusted"] == ["suppressed", "suppressed", "ok", "ok"]


def test_results_and_table_1_may_come_back_from_a_database_with_other_types(people):
    results = results_of([(4, 3), (60, 12), (70, 30)])
    plain = results.astype({"n": "int32", "events": "float64", "note": object})
    pd.testing.assert_frame_equal(suppress_results(plain, 5)[0], suppress_results(results, 5)[0])
    people.loc[people.index[:398], "sex"] = "male"
    people.loc[people.index[398:], "sex"] = "female"
    table = table_1(people)
    plain = table.astype({"n": "int64", "level": object})
    pd.testing.assert_frame_equal(suppress_characteristics(plain, 5)[0], suppress_characteristics(table, 5)[0])


# --- Table 1


@pytest.fixture
def people():
    random = np.random.default_rng(9)
    levels = covariate_levels()
    frame = pd.DataFrame(
        {
            "wave": "2021-2023",
            "age": random.normal(55, 12, 400),
            **{name: random.choice(names, 400) for name, names in levels.items()},
            "walking_minutes": random.permutation(np.linspace(30, 200, 400)),
            "walking_met": random.normal(3.1, 0.2, 400),
            "valid_days": random.integers(1, 8, 400),
            "low_back_pain": random.integers(0, 2, 400),
        }
    )
    return add_categories(frame, protocol())


def table_1(frame):
    return characteristics(frame, protocol(), covariate_levels())


def test_table_1_without_small_counts_is_untouched(people):
    table = table_1(people)
    kept, held_back = suppress_characteristics(table, 5)
    pd.testing.assert_frame_equal(kept, table)
    assert held_back.empty


def test_a_rare_level_is_hidden_with_what_would_reveal_it(people):
    people["depression"] = "no"
    people.loc[people.index[people["walking_minutes_category"] == 3][:3], "depression"] = "yes"
    people.loc[people.index[people["walking_minutes_category"] == 1][:20], "depression"] = "yes"
    people.loc[people.index[people["walking_minutes_category"] == 2][:30], "depression"] = "yes"
    kept, held_back = suppress_characteristics(table_1(people), 5)
    gone = kept[kept["status"] == "suppressed"]
    assert set(gone["variable"]) == {"depression"}
    assert gone[["n", "percent", "mean", "sd"]].isna().all(axis=None)
    third = people.loc[people["walking_minutes_category"] == 3, "walking_minutes_level"].iloc[0]
    first = people.loc[people["walking_minutes_category"] == 1, "walking_minutes_level"].iloc[0]
    assert set(zip(gone["category"], gone["level"], strict=True)) == {
        (category, level) for category in (first, third) for level in ("no", "yes")
    }
    assert held_back["rule"].value_counts().to_dict() == {"count below 5": 1, COMPLEMENTARY: 3}
    assert len(held_back) == len(gone)


def test_a_category_of_few_people_is_hidden_entirely_with_another(people):
    small = people.index[people["walking_minutes_category"] == 4]
    kept, _ = suppress_characteristics(table_1(people.drop(index=small[3:])), 5)
    hidden = kept.groupby("category", sort=False)["status"].agg(lambda status: (status == "suppressed").mean())
    assert (hidden == 1).sum() == 2
    assert hidden["all"] < 1
    assert kept.loc[kept["category"] == people.loc[small[0], "walking_minutes_level"], "n"].isna().all()


def test_a_tiny_wave_tells_nothing_but_empty_categories(people):
    kept, _ = suppress_characteristics(table_1(people.head(4)), 5)
    told = kept[kept["status"] == "ok"]
    assert told["n"].eq(0).all()
    assert told[["percent", "mean", "sd"]].isna().all(axis=None)
    assert "all" not in set(told["category"])


@settings(deadline=None, max_examples=12)
@given(st.integers(5, 60), st.integers(0, 50))
def test_no_line_of_table_1_has_a_single_hidden_count(size, seed):
    random = np.random.default_rng(seed)
    levels = covariate_levels()
    frame = pd.DataFrame(
        {
            "wave": "2021-2023",
            **{name: random.choice(names, size) for name, names in levels.items()},
            **{name: random.normal(100, 10, size) for name in ("age", "walking_minutes", "walking_met", "valid_days")},
            "low_back_pain": random.integers(0, 2, size),
        }
    )
    before = table_1(add_categories(frame, protocol()))
    kept, held_back = suppress_characteristics(before, 5)
    assert not kept["n"].between(1, 4).any()
    assert len(held_back) == (kept["status"] == "suppressed").sum()
    people = kept[kept["variable"] == "people"].set_index("category")["n"]
    for _, rows in kept[kept["variable"].isin([*levels, "low_back_pain"])].groupby("variable"):
        counts = rows.pivot(index="level", columns="category", values="n")
        assert 1 not in counts.isna().sum(axis=1).to_numpy()
        assert 1 not in (counts.isna().sum(axis=0) + people[counts.columns].isna()).to_numpy()
    # A percentage or mean never stands beside a hidden base.
    bare = kept[kept["category"].isin(people.index[people.isna()]) & (kept["status"] == "ok")]
    assert bare.empty


def test_results_and_table_1_hide_the_same_cases(people):
    people["low_back_pain"] = (np.arange(400) % 4 == 0).astype(int)
    third = people["walking_minutes_category"] == 3
    people.loc[third, "low_back_pain"] = 0
    people.loc[people.index[third][:3], "low_back_pain"] = 1
    cells = people.groupby("walking_minutes_category")["low_back_pain"].agg(["size", "sum"])
    results, _ = suppress_results(results_of(cells.itertuples(index=False, name=None)), 5)
    kept, _ = suppress_characteristics(table_1(people), 5)
    cases = kept.query("variable == 'low_back_pain' and level == 'yes' and category != 'all'")
    assert cases["n"].isna().tolist() == results["events"].isna().tolist()
    assert cases["n"].isna().sum() == 2


# --- attrition


def steps_of(remaining, **columns):
    excluded = [0, *(before - after for before, after in pairwise(remaining))]
    step = range(len(remaining))
    return pd.DataFrame({"wave": "2021-2023", "step": step, "excluded": excluded, "remaining": remaining, **columns})


def told(steps, column):
    return [None if pd.isna(value) else int(value) for value in steps[column]]


@pytest.mark.parametrize(
    ("remaining", "remaining_told", "excluded_told"),
    [
        ([1000, 900, 900, 700], [1000, 900, 900, 700], [0, 100, 0, 200]),
        # The small step is merged with the one after it,
        ([1000, 997, 900, 700], [1000, None, 900, 700], [0, None, None, 200]),
        # through steps without exclusions,
        ([1000, 997, 997, 700], [1000, None, None, 700], [0, None, None, None]),
        # at the end with the one before it,
        ([1000, 900, 700, 698], [1000, 900, None, 698], [0, 100, None, None]),
        # and with as many as are needed.
        ([1000, 999, 998, 990], [1000, None, None, 990], [0, None, None, None]),
        # All exclusions together are small: the start would give them away.
        ([1000, 998, 997], [None, None, 997], [0, None, None]),
        # Few are left at the end.
        ([1000, 900, 3], [1000, 900, None], [0, 100, None]),
        ([3, 2], [None, None], [0, None]),
    ],
)
def test_small_exclusions_are_merged(remaining, remaining_told, excluded_told):
    kept, held_back = suppress_attrition(steps_of(remaining), 5)
    assert told(kept, "remaining") == remaining_told
    assert told(kept, "excluded") == excluded_told
    changed = kept["remaining"].isna() | kept["excluded"].isna()
    assert (kept["status"] == "suppressed").tolist() == changed.tolist()
    assert len(held_back) == changed.sum()


@given(st.integers(0, 40), st.lists(st.sampled_from([0, 0, 1, 2, 4, 5, 9, 200]), min_size=0, max_size=6))
def test_no_small_exclusion_can_be_worked_out(left, exclusions):
    remaining = [left + sum(exclusions[k:]) for k in range(len(exclusions) + 1)]
    kept, _ = suppress_attrition(steps_of(remaining), 5)
    known = [value for value in told(kept, "remaining") if value is not None]
    assert not any(0 < before - after < 5 for before, after in pairwise(known))
    assert not any(0 < value < 5 for value in known)
    for row, value in enumerate(told(kept, "excluded")):
        assert value is None or not 0 < value < 5
        if row and value is None:
            beside = told(kept, "remaining")[row - 1 : row + 1]
            assert None in beside


def test_steps_without_excluded_and_several_waves():
    steps = pd.concat([steps_of([1000, 997, 900]), steps_of([800, 700, 600]).assign(wave="2027-2029")])
    kept, held_back = suppress_attrition(steps.drop(columns="excluded").reset_index(drop=True), 5)
    assert told(kept, "remaining") == [1000, None, 900, 800, 700, 600]
    assert held_back["where"].tolist() == ["2021-2023 / 1", "2021-2023 / 2"]
    assert held_back["rule"].tolist() == ["count below 5", COMPLEMENTARY]


def test_people_cannot_come_back():
    with pytest.raises(ValueError, match="increase"):
        suppress_attrition(steps_of([10, 12]), 5)
