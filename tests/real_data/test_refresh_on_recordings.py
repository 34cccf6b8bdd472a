"""The main job on real recordings: five older adults' signals go through a refresh to epochs, days and a release."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from stegvis.accelerometry.activity import ActivityCode, from_ntnu_labels
from stegvis.orchestration.refresh import refresh
from stegvis.storage.warehouse import Warehouse
from stegvis.twin import write_twin
from tests.real_data.make_signal_drop import write_signal_drop
from tests.study import CODEBOOK, PROTOCOL, home_with_study

pytestmark = [pytest.mark.real_data, pytest.mark.slow]

PEOPLE = ("501", "502", "504", "505", "506")


def labeled_walking_minutes(file: Path) -> float:
    """Minutes labeled as walking (stairs included), from the labels of the samples."""
    recording = pd.read_parquet(file, columns=["timestamp", "label"])
    walking = from_ntnu_labels(recording["label"].to_numpy("float64", na_value=float("nan"))) == ActivityCode.WALKING
    return float(walking.sum() / 50 / 60)


def test_five_recordings_go_through_a_refresh_to_a_release(
    real_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = home_with_study(tmp_path / "home")
    write_twin(home.landing, PROTOCOL, CODEBOOK, people=400, waves=1, seed=3)
    withdrawn = set(pd.read_csv(next((home.landing / "withdrawals").glob("*.csv")), dtype=str)["person"])
    everyone = pd.read_csv(next(home.landing.glob("baseline/*/participants.csv")), dtype=str)["person"]
    chosen = sorted(set(everyone) - withdrawn)[: len(PEOPLE)]
    files = {person: real_data / "har70plus" / f"{name}.parquet" for person, name in zip(chosen, PEOPLE, strict=True)}
    write_signal_drop(home.landing / "recordings" / "2019-09-signals", files)

    done = refresh(home)
    assert done.ok, done.failed

    with Warehouse(home).session("test") as connection:
        days = connection.execute(
            """
            select person, sum(walking) / 60 as walking_minutes, bool_or(valid) as valid
            from daily_exposures where batch = '2019-09-signals' group by person
            """
        ).df()
        epochs = connection.execute(
            "select person, status, epochs from epoch_classification where batch = '2019-09-signals'"
        ).df()
    assert set(epochs["person"]) == set(chosen)
    assert set(epochs["status"]) == {"classified"}
    predicted = days.set_index("person")["walking_minutes"]
    with capsys.disabled():
        print("\nHAR70+   predicted   labeled walking minutes")
        for person, name in zip(chosen, PEOPLE, strict=True):
            labeled = labeled_walking_minutes(files[person])
            print(f"{name:>6} {predicted[person]:11.1f} {labeled:9.1f}")
            # The shipped model was fitted on these people: this tests the pipeline, not the accuracy.
            assert predicted[person] == pytest.approx(labeled, rel=0.10)
    assert (home.releases / "latest" / "report" / "index.html").exists()
