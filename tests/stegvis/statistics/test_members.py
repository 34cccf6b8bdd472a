"""The people behind counts are the same whether their names are texts or categories."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from stegvis.statistics.members import Members, MembersError, recorded, unpacked


def counted(*frames: pd.DataFrame) -> list[tuple[int, int, Members | None]]:
    return [(len(frame), int(frame["pain"].sum()), Members.of(frame, "pain")) for frame in frames]


@pytest.fixture
def people() -> pd.DataFrame:
    random = np.random.default_rng(1)
    names = pd.Series([f"p{number}" for number in random.permutation(200)], dtype="str")
    return pd.DataFrame({"person": names, "pain": random.integers(0, 2, 200)})


@pytest.mark.parametrize("waves", [1, 2])
def test_texts_and_categories_give_the_same_people(people: pd.DataFrame, waves: int) -> None:
    if waves > 1:
        people["wave"] = pd.Series(["2021", "2024"] * 100, dtype="str")
    kind = pd.CategoricalDtype(pd.Series([*sorted(people["person"]), "nobody"], dtype="str"))
    chosen = [people.iloc[::2], people.iloc[:0], people.iloc[50:120], people[people["pain"] == 1]]
    texts = recorded("2021", counted(*chosen))
    numbers = recorded("2021", counted(*(frame.astype({"person": kind}) for frame in chosen)))
    pd.testing.assert_frame_equal(texts, numbers)
    assert texts["person"].is_monotonic_increasing or waves > 1
    bits = unpacked(texts["numbers"], len(chosen))
    assert bits.sum(axis=1).tolist() == [number for n, events, _ in counted(*chosen) for number in (n, events)]
    mine = texts.loc[bits[4], ["person"] if waves == 1 else ["wave", "person"]]
    assert {tuple(row) for row in mine.to_numpy()} == {tuple(row) for row in chosen[2][list(mine)].to_numpy()}


def test_frames_of_different_categories_are_compared_by_name(people: pd.DataFrame) -> None:
    one, other = people.iloc[:5], people.iloc[3:8]
    mixed = recorded("w", counted(one.astype({"person": "category"}), other.astype({"person": "category"})))
    pd.testing.assert_frame_equal(mixed, recorded("w", counted(one, other)))
    assert len(mixed) == 8


def test_a_count_of_other_people_than_were_recorded_is_refused(people: pd.DataFrame) -> None:
    (n, events, members) = counted(people)[0]
    with pytest.raises(MembersError, match="other people"):
        recorded("w", [(n - 1, events, members)])
    with pytest.raises(MembersError, match="not recorded"):
        recorded("w", [(n, events, None)])
