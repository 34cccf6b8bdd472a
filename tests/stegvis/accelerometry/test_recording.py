import numpy as np
import pandas as pd
import pytest

from stegvis.accelerometry.recording import RecordingError, read_labeled, read_signal
from tests.stegvis.accelerometry.settings import EPOCHS
from tests.stegvis.accelerometry.simulated_signals import AXES, UPRIGHT, day_in_short, posture, table


@pytest.fixture
def frame() -> pd.DataFrame:
    return table(*day_in_short(seed=1, seconds=5))


def counts(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(**{axis: (frame[axis] * 4096).round().astype("int16") for axis in AXES})


def test_integers_are_counts_and_floats_are_g(tmp_path, frame):
    frame.to_parquet(tmp_path / "floats.parquet")
    counts(frame).to_parquet(tmp_path / "counts.parquet")
    floats = read_signal(tmp_path / "floats.parquet", EPOCHS).acceleration
    assert floats == pytest.approx(frame[AXES].to_numpy())
    assert read_signal(tmp_path / "counts.parquet", EPOCHS).acceleration == pytest.approx(floats, abs=1 / 4096)


def test_csv_reads_like_parquet(tmp_path, frame):
    frame.to_parquet(tmp_path / "a.parquet")
    frame.to_csv(tmp_path / "a.csv", index=False)
    parquet, csv = read_labeled(tmp_path / "a.parquet", EPOCHS), read_labeled(tmp_path / "a.csv", EPOCHS)
    assert np.array_equal(parquet.signal.timestamps, csv.signal.timestamps)
    assert csv.signal.acceleration == pytest.approx(parquet.signal.acceleration, abs=1e-6)
    assert np.array_equal(parquet.activity, csv.activity)


def test_labels_of_missing_samples_are_dropped(tmp_path, frame):
    frame.loc[0:249, "thigh_x"] = np.nan  # the first 5 seconds, lying
    frame.to_parquet(tmp_path / "a.parquet")
    recording = read_labeled(tmp_path / "a.parquet", EPOCHS)
    assert len(recording.activity) == len(recording.signal.timestamps) == len(frame) - 250
    assert set(recording.activity) == {2, 3, 4, 5, 6}


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_recording_without_the_back_is_refused_by_name(tmp_path, frame, suffix):
    thigh_only = frame.drop(columns=["back_x", "back_y", "back_z"])
    file = tmp_path / f"K12.{suffix}"
    thigh_only.to_csv(file, index=False) if suffix == "csv" else thigh_only.to_parquet(file)
    with pytest.raises(RecordingError, match=rf"^K12\.{suffix}: no complete back sensor"):
        read_labeled(file, EPOCHS)


def test_a_missing_label_column_is_named(tmp_path):
    table(posture(UPRIGHT, 10, seed=1)).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(RecordingError, match=r"a\.parquet: missing column label"):
        read_labeled(tmp_path / "a.parquet", EPOCHS)


def test_the_error_names_the_file(tmp_path, frame):
    frame[::-1].to_parquet(tmp_path / "back_to_front.parquet")
    with pytest.raises(RecordingError, match=r"^back_to_front\.parquet: the timestamps do not increase"):
        read_signal(tmp_path / "back_to_front.parquet", EPOCHS)


def test_text_in_a_column_is_not_quoted(tmp_path, frame):
    frame.astype({"back_x": object}).replace({"back_x": {frame["back_x"][3]: "secret"}}).to_csv(tmp_path / "a.csv")
    with pytest.raises(RecordingError, match="not numeric") as refused:
        read_signal(tmp_path / "a.csv", EPOCHS)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("name", ["a.parquet", "a.csv"])
def test_a_file_that_is_not_a_table_is_refused_by_name(tmp_path, name):
    (tmp_path / name).write_bytes(b"\x00\x01 not a table \xff")
    with pytest.raises(RecordingError, match=name):
        read_signal(tmp_path / name, EPOCHS)


def test_a_missing_file_and_another_format_are_refused(tmp_path):
    with pytest.raises(RecordingError, match=r"missing\.parquet"):
        read_signal(tmp_path / "missing.parquet", EPOCHS)
    with pytest.raises(RecordingError, match=r"\.parquet or \.csv"):
        read_signal(tmp_path / "a.xlsx", EPOCHS)
