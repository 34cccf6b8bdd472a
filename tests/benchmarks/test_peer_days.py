"""The peers count the same seconds as each other, from Parquet and from CSV, and a difference is found."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from benchmarks.compare_days import LABELS, differences
from benchmarks.peer_days import TASKS

ROWS = """
select * from (values
    ('P1', timestamp '2020-01-01 23:59:55', 'walking', 'slow'),
    ('P1', timestamp '2020-01-02 00:00:00', 'walking', 'slow'),
    ('P1', timestamp '2020-01-02 00:00:05', 'walking', 'slow'),
    ('P1', timestamp '2020-01-02 00:00:10', 'sitting', null),
    ('P1', timestamp '2020-01-03 00:00:00', 'nonwear', null),
    ('P2', timestamp '2020-01-02 00:00:00', 'walking', 'brisk')
) as epochs (person, epoch_start, activity, speed)
"""
EXPECTED = """
select * from (values
    ('P1', date '2020-01-01', 'walking', 'slow', 5),
    ('P1', date '2020-01-02', 'walking', 'slow', 10),
    ('P1', date '2020-01-02', 'sitting', null, 5),
    ('P2', date '2020-01-02', 'walking', 'brisk', 5)
) as days (person, date, activity, speed, seconds)
"""


@pytest.fixture
def expected(tmp_path: Path) -> Path:
    duckdb.sql(EXPECTED).write_parquet(str(tmp_path / "expected.parquet"))
    return tmp_path / "expected.parquet"


@pytest.fixture(params=["parquet", "csv"])
def epochs(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    file = tmp_path / f"epochs.{request.param}"
    if request.param == "parquet":
        duckdb.sql(ROWS).write_parquet(str(file))
    else:
        cases = " ".join(f"when '{word}' then {number}" for word, number in LABELS.items())
        labeled = f"select person, epoch_start, case activity {cases} end as activity, speed from ({ROWS})"
        duckdb.sql(f"{labeled} where activity <> 'nonwear'").write_csv(str(file), header=True)
    return file


# polars and PySpark are not dependencies; a benchmark compares them in the same way.
@pytest.mark.parametrize("program", ["duckdb", "pandas"])
def test_a_peer_counts_the_seconds_of_each_day(program: str, epochs: Path, expected: Path, tmp_path: Path) -> None:
    days = tmp_path / "days.parquet"
    TASKS[program](epochs, days)()
    assert differences(expected, days) == 0


@pytest.mark.parametrize(
    "changed",
    ["select * replace (seconds + 5 as seconds) from ({})", "from ({}) limit 3", "from ({0}) union all ({0})"],
)
def test_a_difference_is_found(changed: str, expected: Path, tmp_path: Path) -> None:
    duckdb.sql(changed.format(EXPECTED)).write_parquet(str(tmp_path / "other.parquet"))
    assert differences(expected, tmp_path / "other.parquet") > 0
