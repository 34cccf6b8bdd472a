import numpy as np
import pandas as pd
import pytest

from stegvis.accelerometry.activity import UNLABELED, ActivityCode
from stegvis.accelerometry.recording import RecordingError
from stegvis.accelerometry.walking_speed_set import read_walking_speeds
from tests.stegvis.accelerometry.settings import EPOCHS
from tests.stegvis.accelerometry.simulated_signals import clock, gait


def person(name: str, seed: int) -> pd.DataFrame:
    """Ten seconds each of walking at 3.1 and 6.1 km/h, as the set stores them: the other way up, with a time zone."""
    felt = np.concatenate([gait(85, 10, seed), gait(125, 10, seed + 1)]) * [-1, 1, -1, -1, 1, -1]
    axes = [f"{sensor}_acc_{axis}" for sensor in ("back", "thigh") for axis in "xyz"]
    table = pd.DataFrame(felt, columns=axes)
    table.insert(0, "subject", name)
    table["timestamp"] = pd.DatetimeIndex(clock(len(felt))).tz_localize("Europe/Oslo")
    table["label"], table["variant"] = "walk", np.repeat(["slow", "fast"], 500)
    return table.assign(speed_kph=np.repeat([3.1, 6.1], 500))


@pytest.mark.parametrize("suffix", ["parquet", "csv"])
def test_each_subject_is_a_person_with_speeds(tmp_path, suffix):
    file = tmp_path / f"all.{suffix}"
    table = pd.concat([person("a", 1), person("b", 2)])
    table.to_parquet(file) if suffix == "parquet" else table.to_csv(file, index=False)
    found = read_walking_speeds(file, EPOCHS)
    assert list(found) == ["a", "b"]
    assert (found["a"].activity == ActivityCode.WALKING).all()
    assert not found["a"].stairs.any()
    assert found["b"].km_per_hour[[0, -1]] == pytest.approx([3.1, 6.1])
    # 08:00 in Oslo is 07:00 universal time.
    assert found["a"].signal.timestamps[0] == clock(1)[0] - np.timedelta64(1, "h")
    assert found["a"].signal.acceleration[:, 0].mean() == pytest.approx(1, abs=0.1)


def test_unknown_labels_become_unlabeled(tmp_path):
    person("a", 1).assign(label="jump").to_parquet(tmp_path / "a.parquet")
    assert (read_walking_speeds(tmp_path / "a.parquet", EPOCHS)["a"].activity == UNLABELED).all()


def test_a_missing_column_and_a_wrong_unit_are_refused(tmp_path):
    file = tmp_path / "a.parquet"
    person("a", 1).drop(columns="speed_kph").to_parquet(file)
    with pytest.raises(RecordingError, match=r"a\.parquet: missing column speed_kph"):
        read_walking_speeds(file, EPOCHS)
    wrong = person("a", 1)
    wrong[["back_acc_x", "back_acc_y", "back_acc_z"]] *= 9.81
    wrong.to_parquet(file)
    with pytest.raises(RecordingError, match=r"a\.parquet: the back sensor does not read about 1 g"):
        read_walking_speeds(file, EPOCHS)
