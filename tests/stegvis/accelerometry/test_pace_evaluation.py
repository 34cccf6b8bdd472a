import numpy as np
import pandas as pd
import pytest

from stegvis.accelerometry.pace_evaluation import PACES, evaluate_pace, leave_one_out
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
