"""The demo's estimates stay what they were: a change of the program's shape is not a change of its numbers.

``demo_results.parquet`` holds the results of ``stegvis demo --people 3000`` with all digits: those of the first version
(commit c80fd63), but for what classification version 4 changed (walking minutes of the two people with signals, which
moved no estimate by more than 0.0004 of its standard error), reallocations of time to where nobody is, which are no
longer estimated, weights for the living alone, and models that a rare level of a covariate no longer refuses. They are
compared with what the home computes, before disclosure control and rounding: whatever the first version did not
suppress is the same number today.

A change that is meant to move them replaces the file and says so in CHANGELOG.md.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from stegvis.statistics.results import KEY_COLUMNS


def instructions() -> str:
    """The instruction sets of this processor, as a short digest; empty where the system does not list them."""
    file = Path("/proc/cpuinfo")
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    flags = next((line for line in lines if line.startswith("flags")), "")
    return hashlib.sha256(" ".join(sorted(flags.split())).encode()).hexdigest()[:12] if flags else ""


EXPECTED = Path(__file__).with_name("demo_results.parquet")
# To the last digit on a processor with the instructions of the one where the file was made; others round differently,
# which a few limits found by bisection feel in the seventh digit.
MADE_WITH = "6f0ec8cdd6dc"
TOLERANCE = 0.0 if instructions() == MADE_WITH else 1e-6
NUMBERS = ["estimate", "ci_low", "ci_high", "std_error", "p_value", "e_value", "e_value_ci"]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    home = tmp_path_factory.mktemp("demo") / "home"
    command = [sys.executable, "-m", "stegvis.orchestration", "demo", "--people", "3000", "--home", str(home)]
    # One thread: the order of additions in linear algebra depends on their number.
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    subprocess.run(command, env=environment, check=True, capture_output=True, timeout=900)
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as connection:
        waves = connection.execute("select * from fitted_models order by wave, rowid").df()
        across = connection.execute("select * from pooled_models order by rowid").df()
    return pd.concat([waves, across], ignore_index=True)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_demo_publishes_the_same_results_as_the_first_version(results: pd.DataFrame) -> None:
    expected = pd.read_parquet(EXPECTED)
    keys = list(KEY_COLUMNS)
    pd.testing.assert_frame_equal(results[keys].astype("str"), expected[keys].astype("str"))
    shown = expected["status"] != "suppressed"
    assert (results.loc[shown, "status"] == expected.loc[shown, "status"]).all()
    for column in ("n", "events"):
        # Rows of time use that leave out fewer than five people give no counts.
        both = expected[column].notna() & results[column].notna()
        assert both.sum() > 0.8 * expected[column].notna().sum()
        assert (results.loc[both, column] == expected.loc[both, column]).all()
    for column in NUMBERS:
        np.testing.assert_allclose(
            results.loc[shown, column].to_numpy(float, na_value=np.nan),
            expected.loc[shown, column].to_numpy(float, na_value=np.nan),
            rtol=TOLERANCE,
            atol=0,
            err_msg=column,
        )
