from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from stegvis.accelerometry.pace_evaluation import PACES, _share, evaluate_pace, leave_one_out
from stegvis.accelerometry.recording import RecordingError
from tests.stegvis.accelerometry.settings import PROTOCOL
from tests.stegvis.accelerometry.simulated_signals import START, gait

STEPS = {"walk_slow": 90, "walk_mod": 108, "walk_fast": 124}


def thigh(seed: int) -> pd.DataFrame:
    """Half a minute of each pace at 98.5 Hz, in counts; faster steps are larger."""
    parts = []
    for name, steps in STEPS.items():
        felt = gait(steps, 30, seed, size=(steps / 105) ** 2)[:, 3:]
        seconds = np.arange(0, 29.9, 1 / 98.5)
        sampled = [np.interp(seconds, np.arange(len(felt)) / 50, felt[:, axis]) for axis in range(3)]
        counts = np.round(4096 * np.stack(sampled, axis=1)).astype(np.int16)
        part = pd.DataFrame(counts, columns=["thigh_x", "thigh_y", "thigh_z"])
        offset = 40 * len(parts)
        part.insert(0, "timestamp", START + np.round((seconds + offset) * 1e6).astype("timedelta64[us]"))
        parts.append(part.assign(label=name))
    return pd.concat(parts, ignore_index=True)


def test_paces_of_simulated_people_are_ordered_and_distinguished(tmp_path):
    for number in range(5):
        thigh(number).to_parquet(tmp_path / f"{number}.parquet")
    found = evaluate_pace(tmp_path, PROTOCOL)
    assert (found.people, found.ordered) == (5, 5)
    assert found.mean_cadence == pytest.approx(tuple(STEPS.values()), rel=0.02)
    assert found.accuracy > 0.95
    assert found.met_error < 0.1
    assert set(found.shares) == {"speed, learned", "speed, protocol", "cadence, learned", "cadence, fixed"}
    assert found.shares["speed, learned"].share == pytest.approx(found.accuracy)
    assert found.shares["speed, protocol"].share == pytest.approx(found.protocol_accuracy)
    # 90, 108 and 124 steps/min are on the right sides of 100 and 115.
    assert found.shares["cadence, fixed"].share == found.shares["cadence, learned"].share == 1
    assert found.cadence_ordered == 5
    assert all(0 <= each.low <= each.share <= each.high <= 1 for each in found.shares.values())


def test_intervals_are_over_people_and_not_epochs():
    person = np.repeat(np.arange(4), 1000)
    alike = _share(person, np.tile([True, False], 2000))
    assert (alike.low, alike.share, alike.high) == (0.5, 0.5, 0.5)
    apart = _share(person, person < 2)
    assert (apart.low, apart.share, apart.high) == (0, 0.5, 1)


def test_too_few_people_are_refused(tmp_path):
    thigh(1).to_parquet(tmp_path / "1.parquet")
    with pytest.raises(RecordingError, match="too few people"):
        evaluate_pace(tmp_path, PROTOCOL)


def test_cut_points_are_learned_only_from_the_others():
    labeled = np.tile(np.repeat(np.arange(len(PACES)), 10), 2)
    person = np.repeat([0, 1], 30)
    rng = np.random.default_rng(1)
    # Both people vary alike, but the second one's scores are far higher: by the first one's cut points all are fast.
    score = labeled + 10.0 * person + rng.normal(0, 0.1, 60)
    found = leave_one_out(person, labeled, score)
    assert (found[person == 1] == 2).all()
    assert (found[person == 0] == 0).all()


def with_labels_apart(folder: Path, name: str, seed: int) -> None:
    """The same half minutes as a patch of 12.5 Hz with labels by second, x and y the other way round."""
    table = thigh(seed)
    seconds = (table["timestamp"] - table["timestamp"].iloc[0]).dt.total_seconds().to_numpy()
    time = table["timestamp"].iloc[0].tz_localize("UTC")
    felt, labels = [], []
    for number, label in enumerate(STEPS):
        inside = seconds[(table["label"] == label).to_numpy()]
        at = np.arange(inside[0], inside[-1], 0.08)
        x, y, z = (np.interp(at, seconds, table[f"thigh_{axis}"]) / 4096 for axis in "xyz")
        index = time + pd.to_timedelta(at, unit="s")
        felt.append(pd.DataFrame({"acc_x": -x, "acc_y": -y, "acc_z": z}, index=index))
        each_second = time + pd.to_timedelta(np.arange(40 * number, 40 * number + 30), unit="s")
        labels.append(pd.DataFrame({"ground_truth": f"walking_{label[5:]}"}, index=each_second))
    for kind, tables in (("thigh", felt), ("ground_truth", labels)):
        (folder / kind).mkdir(exist_ok=True)
        pd.concat(tables).to_parquet(folder / kind / f"{name}.parquet")


def test_labels_by_second_in_a_folder_of_their_own(tmp_path):
    for name, seed in (("P1", 1), ("P2", 2), ("P2_2", 3), ("P3", 4), ("P4", 5), ("P5", 6)):
        with_labels_apart(tmp_path, name, seed)
    found = evaluate_pace(tmp_path, PROTOCOL)
    assert (found.people, found.cadence_ordered) == (5, 5)
    assert found.mean_cadence == pytest.approx(tuple(STEPS.values()), rel=0.03)


def test_a_missing_file_of_labels_is_named(tmp_path):
    with_labels_apart(tmp_path, "P1", 1)
    (tmp_path / "ground_truth" / "P1.parquet").unlink()
    with pytest.raises(RecordingError, match=r"P1.parquet: not a thigh recording with paces"):
        evaluate_pace(tmp_path, PROTOCOL)
