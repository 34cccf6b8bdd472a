"""Training of the thigh's classifier on made-up people, and the signals that it is trained and evaluated on."""

import numpy as np
import pandas as pd
import pytest

from stegvis.accelerometry.activity import ActivityCode
from stegvis.accelerometry.epoch_model import model_digest
from stegvis.accelerometry.labeled_people import TrainingError
from stegvis.accelerometry.recording import LabeledRecording
from stegvis.accelerometry.signal import Signal
from stegvis.accelerometry.thigh_model import load_thigh_model
from stegvis.accelerometry.thigh_sets import thigh_people, without_back
from stegvis.accelerometry.thigh_training import train_thigh
from tests.stegvis.accelerometry.settings import EPOCHS, PROTOCOL
from tests.stegvis.accelerometry.simulated_signals import clock, day_in_short, table, write_people


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    home = tmp_path_factory.mktemp("thigh")
    public = write_people(home / "open", people=6, seconds=30)
    (public / "dataset.toml").write_text('name = "Open set"\npublic = true\n')
    private = home / "clinic"
    private.mkdir()
    for number in range(5):
        table(*day_in_short(1000 + number, 20)).to_csv(private / f"patient{number}.csv", index=False)
    lines: list[str] = []
    return train_thigh([public, private], home / "thigh.npz", 12.5, PROTOCOL, lines.append), home, lines


def test_the_thigh_alone_distinguishes_simulated_activities(trained):
    report, home, _ = trained
    assert report.together.accuracy > 0.95
    assert report.together.walking_sensitivity > 0.9
    assert report.together.people == 11
    assert report.rate_hz == 12.5
    assert report.model_sha256 == model_digest(home / "thigh.npz")
    load_thigh_model(home / "thigh.npz")


def test_the_card_names_public_people_alone(trained):
    report, home, lines = trained
    card = (home / "thigh_card.md").read_text()
    assert "12.5 samples per second" in card
    assert "| P3 |" in card
    assert "patient" not in card + (home / "thigh_card.json").read_text() + "".join(lines)
    assert {each.person for each in report.people} == {f"P{n}" for n in range(6)}


def test_a_rate_without_a_model_and_too_few_people_are_refused(trained, tmp_path):
    _, home, _ = trained
    with pytest.raises(TrainingError, match=r"50 or 12\.5 samples per second, not 30"):
        train_thigh([home / "open"], tmp_path / "m.npz", 30.0, PROTOCOL, print)
    with pytest.raises(TrainingError, match="at least 5 people"):
        train_thigh([write_people(tmp_path / "harth", 2, 10)], tmp_path / "m.npz", 50.0, PROTOCOL, print)
    assert not (tmp_path / "m.npz").exists()


def labeled(acceleration: np.ndarray, times: np.ndarray) -> LabeledRecording:
    nothing = np.zeros(len(times), dtype=bool)
    return LabeledRecording(Signal(times, acceleration.astype(np.float32)), nothing.astype(np.uint8), nothing)


def test_a_slow_device_keeps_means_and_nothing_crosses_a_gap():
    times = clock(1000)
    times[500:] += np.timedelta64(10, "s")
    seconds = np.arange(1000) / 50
    acceleration = np.tile(np.sin(2 * np.pi * 1.0 * seconds)[:, None], (1, 6)).astype(np.float32)
    acceleration[500:] += 5
    acceleration[:, 4] += (-1) ** np.arange(1000)  # 25 Hz, which no device of 12.5 Hz sees
    before = acceleration.copy()
    found = without_back(labeled(acceleration, times), 4, EPOCHS).signal.acceleration
    assert (found[:, :3] == 0).all()
    assert found[10:490, 3] == pytest.approx(before[10:490, 3], abs=0.05)
    assert found[10:490, 4] == pytest.approx(before[10:490, 3], abs=0.05)
    assert found[:500, 3].max() < 1.1 < found[500:, 3].min()
    assert (acceleration == before).all()
    assert (without_back(labeled(acceleration, times), 1, EPOCHS).signal.acceleration[:, 3:] == before[:, 3:]).all()


def test_a_set_of_one_sensor_is_read_on_the_grid_in_the_order_of_time(tmp_path):
    rate = 100
    parts = [(600.0, "walk_mod", 10), (0.0, "sitting", 10), (700.0, "heel", 10)]
    rows = []
    for start, label, length in parts:
        seconds = start + np.arange(length * rate) / rate
        stamps = pd.Timestamp("2020-01-01") + pd.to_timedelta(seconds, unit="s")
        rows.append(
            pd.DataFrame({"timestamp": stamps, "thigh_x": -1.0, "thigh_y": 0.5, "thigh_z": 0.0, "label": label})
        )
    pd.concat(rows).to_parquet(tmp_path / "P1.parquet")
    ((found_rate, (recording,)),) = thigh_people(tmp_path, EPOCHS)
    assert found_rate == pytest.approx(rate)
    steps = np.diff(recording.signal.timestamps) / np.timedelta64(1, "us")
    assert (steps > 0).all()
    assert np.median(steps) == 20_000
    assert recording.activity.tolist()[::500][:3] == [ActivityCode.SITTING, ActivityCode.WALKING, 255]
    assert recording.signal.acceleration[5] == pytest.approx([0, 0, 0, -1, 0.5, 0], abs=1e-6)
