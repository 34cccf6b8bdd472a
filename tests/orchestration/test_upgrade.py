"""A home made by the first version is upgraded: what it published stays, and the estimates do not change."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from stegvis.storage.home import Home
from stegvis.storage.home_format import FORMAT, read_format
from tests.orchestration.command import stegvis
from tests.orchestration.old_version import unpack
from tests.orchestration.story import Story

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]

FIRST_VERSION = "c80fd63"
PEOPLE = 600
OF_AN_ESTIMATE = ["wave", "analysis", "population", "model", "exposure", "term", "level", "measure"]


@pytest.fixture(scope="module")
def old_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home that the first version made, with everything run and a release."""
    folder = tmp_path_factory.mktemp("upgrade")
    code, home = unpack(FIRST_VERSION, folder / "code"), folder / "home"
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("STEGVIS_", "DAGSTER_"))}
    command = ["-m", "orchestration", "demo", "--home", str(home), "--people", str(PEOPLE), "--waves", "1"]
    made = subprocess.run(
        [sys.executable, *command], cwd=code, env=clean | {"PYTHONPATH": str(code)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    return home


def estimates(home: Path) -> pd.DataFrame:
    """The estimates of a home's warehouse, with all their digits."""
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as connection:
        found = connection.execute("select * from fitted_models where estimate is not null").df()
    return found.set_index(OF_AN_ESTIMATE).sort_index()[["estimate", "ci_low", "ci_high"]]


def test_a_home_of_the_first_version_is_upgraded_as_the_documentation_says(old_home: Path) -> None:
    home = Home(old_home, old_home / "landing")
    before, (release,) = estimates(old_home), home.releases.glob("2*/")
    content = {file: hashlib.sha256(file.read_bytes()).hexdigest() for file in release.rglob("*") if file.is_file()}
    assert read_format(old_home)[0] == 1

    unstudied = stegvis("status", home=old_home)
    assert unstudied.returncode == 1
    assert "stegvis init" in unstudied.stderr
    assert stegvis("init", old_home, "--study", "hunt4_walking").returncode == 0
    assert "never made" in stegvis("status", home=old_home).stdout
    refreshed = stegvis("refresh", home=old_home)
    assert refreshed.returncode == 0, refreshed.stderr

    assert read_format(old_home)[0] == FORMAT
    assert {file: hashlib.sha256(file.read_bytes()).hexdigest() for file in content} == content
    for name in (release.name, (home.releases / "latest").resolve().name):
        verified = stegvis("verify", name, home=old_home)
        assert verified.returncode == 0, verified.stdout
    after = estimates(old_home)
    # Not those whose meaning has changed: the smallest probabilities are of everybody eligible.
    known = after.index.intersection(before.index)
    known = known[known.get_level_values("term") != "positivity"]
    assert len(known) > 50
    # Signals are classified by the second since, and reliabilities found by another method.
    pd.testing.assert_frame_equal(after.loc[known], before.loc[known], rtol=1e-3)
    now = pd.read_parquet(home.releases / "latest" / "results.parquet").set_index(OF_AN_ESTIMATE).sort_index()
    then = pd.read_parquet(release / "results.parquet").set_index(OF_AN_ESTIMATE).sort_index()
    pd.testing.assert_frame_equal(now, then)
    assert Story(home).steps() == []
