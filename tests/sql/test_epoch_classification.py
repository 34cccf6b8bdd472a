"""epoch_classification.sql: the profile of a batch's epochs, one row per person."""

from __future__ import annotations

import pytest

from tests.sql.tables import answer, drawn

EPOCHS = """
    person | epoch_start         | activity | speed | confidence
    P1     | 2018-03-01 00:00:00 | lying    | -     | 255
    P1     | 2018-03-01 00:00:05 | walking  | slow  | 204
    P1     | 2018-03-01 00:00:10 | walking  | -     | 153
    P2     | 2018-03-02 08:00:00 | -        | -     | 255
    P2     | 2018-03-02 08:00:00 | sitting  | brisk | 255
    """


def test_epochs_are_counted_and_their_faults_with_them() -> None:
    expected = """
        person | epochs | first_epoch         | last_epoch          | unknown_activities | repeated_epochs | speeds_without_walking | mean_confidence
        P1     | 3      | 2018-03-01 00:00:00 | 2018-03-01 00:00:10 | 0                  | 0               | 0                      | 0.8
        P2     | 2      | 2018-03-02 08:00:00 | 2018-03-02 08:00:00 | 1                  | 1               | 1                      | 1
        """
    assert answer("epoch_classification", expected, epochs=EPOCHS) == drawn(expected)


def contents(epochs: str) -> list[tuple[str, ...]]:
    return answer("epoch_classification", "person | content", epochs=epochs)


def test_the_digest_of_a_person_changes_with_any_of_their_epochs_and_with_no_other() -> None:
    (_, before_1), (_, before_2) = contents(EPOCHS)
    for old, new in [("slow ", "brisk"), ("lying  ", "sitting"), ("00:10", "00:15"), ("153", "154")]:
        assert old in EPOCHS
        (_, now_1), (_, now_2) = contents(EPOCHS.replace(old, new, 1))
        assert now_1 != before_1
        assert now_2 == before_2


IN_ONE_SHARD = """
    shard | person | epoch_start         | activity
    a     | P1     | 2018-03-01 00:00:00 | lying
    a     | P1     | 2018-03-01 00:00:05 | sitting
    a     | P1     | 2018-03-01 00:00:15 | standing
    a     | P2     | 2018-03-01 00:00:05 | lying
    """
IN_SEVERAL = """
    shard | person | epoch_start         | activity
    b     | P1     | 2018-03-01 00:00:00 | lying
    c     | P1     | 2018-03-01 00:00:05 | sitting
    a     | P1     | 2018-03-01 00:00:15 | standing
    b     | P2     | 2018-03-01 00:00:05 | lying
    """


def test_neither_the_order_of_the_epochs_nor_their_shards_matter() -> None:
    columns = "person | epochs | first_epoch | last_epoch | repeated_epochs | content"
    one, several = (answer("epoch_classification", columns, epochs=epochs) for epochs in (IN_ONE_SHARD, IN_SEVERAL))
    assert one == several


@pytest.mark.parametrize(
    ("moments", "repeated"),
    [
        ("00:00 00:05 00:10", 0),
        ("00:00 00:05 00:05", 1),
        ("00:00 00:00 00:00", 2),
        ("00:00 00:05 00:00", 1),
        ("00:00 00:10 00:05", 0),
        ("00:00 00:00 00:05 00:05 00:10", 2),
    ],
)
@pytest.mark.parametrize("shards", ["aaaaa", "ababa", "abcde"])
def test_duplicate_epochs_are_counted_wherever_they_are(moments: str, repeated: int, shards: str) -> None:
    rows = [
        f"{shard} | P1 | 2018-03-01 08:{moment} | lying" for shard, moment in zip(shards, moments.split(), strict=False)
    ]
    other = "a | P2 | 2018-03-01 08:00:00 | lying"
    expected = f"person | repeated_epochs\nP1 | {repeated}\nP2 | 0"
    drawing = "\n".join(["shard | person | epoch_start | activity", *rows, other])
    assert answer("epoch_classification", expected, epochs=drawing) == drawn(expected)


def test_a_batch_without_epochs_has_no_profile() -> None:
    assert answer("epoch_classification", "person", epochs="person | epoch_start") == []
