import json
import os

import numpy as np
import pandas as pd
import pytest

from stegvis.accelerometry.classifier import classify_signal
from stegvis.accelerometry.epoch_model import model_digest
from stegvis.accelerometry.labeled_people import TrainingError
from stegvis.accelerometry.recording import RecordingError
from stegvis.accelerometry.training import train
from tests.stegvis.accelerometry.settings import METHOD, PROTOCOL
from tests.stegvis.accelerometry.simulated_signals import clock, day_in_short, table, write_people
from tests.stegvis.accelerometry.test_walking_speed_set import person as walking_person


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Six people of a public dataset, five of one that is not public, and the model trained on them."""
    home = tmp_path_factory.mktemp("training")
    public = write_people(home / "open", people=6, seconds=30)
    (public / "dataset.toml").write_text(
        'name = "Open set"\nlicence = "CC0"\ncitation = "Nobody 2020"\npublic = true\n'
    )
    private = home / "clinic"
    private.mkdir()
    for number in range(5):
        table(*day_in_short(1000 + number, 20)).to_csv(private / f"patient{number}.csv", index=False)
    lines: list[str] = []
    report = train([public, private], home / "made" / "model.npz", PROTOCOL, lines.append)
    return report, home, lines


def test_the_model_distinguishes_simulated_activities(trained):
    report, home, _ = trained
    assert report.everyone.accuracy > 0.95
    expected = np.repeat([1, 2, 3, 4, 5, 6], 6)
    for seed in (4321, 4322, 4323):
        acceleration, _ = day_in_short(seed, seconds=30)
        found = classify_signal(clock(len(acceleration)), acceleration, METHOD, model_file=home / "made" / "model.npz")
        assert (found["activity"] == expected).mean() > 0.9


@pytest.mark.slow
def test_the_same_recordings_give_the_same_bytes(trained, tmp_path, monkeypatch):
    report, home, _ = trained
    # In another order, and started where matrix products may use two threads.
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    again = train([home / "clinic", home / "open"], tmp_path / "model.npz", PROTOCOL, lambda _: None)
    assert (tmp_path / "model.npz").read_bytes() == (home / "made" / "model.npz").read_bytes()
    assert again.everyone == report.everyone
    assert os.environ["OMP_NUM_THREADS"] == "2"


def test_the_report_is_the_json_card_and_has_the_digest_of_the_model(trained):
    report, home, _ = trained
    card = json.loads((home / "made" / "model_card.json").read_text())
    assert card == report.model_dump(mode="json")
    assert card["model_sha256"] == model_digest(home / "made" / "model.npz")
    assert not list((home / "made").glob("*.part"))


def test_the_card_names_datasets_with_licence_and_only_public_people(trained):
    report, home, lines = trained
    card = (home / "made" / "model_card.md").read_text()
    assert "Open set" in card
    assert "CC0" in card
    assert "Nobody 2020" in card
    assert "| P3 |" in card
    assert {each.person for each in report.people} == {f"P{n}" for n in range(6)}
    assert "patient" not in card + (home / "made" / "model_card.json").read_text() + "".join(lines)


def test_every_class_of_the_confusion_adds_up(trained):
    report, _, _ = trained
    assert sum(map(sum, report.everyone.confusion)) == report.everyone.windows
    assert [sum(row) for row in report.everyone.confusion] == [each.windows for each in report.everyone.classes]


def test_a_private_dataset_of_a_few_people_is_refused(tmp_path):
    few = write_people(tmp_path / "few", people=4, seconds=5)
    with pytest.raises(TrainingError, match="few is not a public dataset and has fewer than 5 people"):
        train([few], tmp_path / "model.npz", PROTOCOL, lambda _: None)


@pytest.mark.slow
def test_each_person_is_evaluated_by_a_model_fitted_on_everyone_else(tmp_path):
    """One person's labels are wrong: only a model fitted on them would reproduce them."""
    for number in range(6):
        acceleration, labels = day_in_short(number, 30)
        folder = tmp_path / "set"
        folder.mkdir(exist_ok=True)
        if number == 0:
            labels = np.where(labels == 8, 7, np.where(labels == 7, 8, labels))
        table(acceleration, labels).to_parquet(folder / f"P{number}.parquet")
    (folder / "dataset.toml").write_text('name = "Set"\npublic = true\n')
    report = train([folder], tmp_path / "model.npz", PROTOCOL, lambda _: None)
    accuracy = {each.person: each.accuracy for each in report.people}
    assert accuracy["P0"] < 0.75
    assert min(accuracy[f"P{number}"] for number in range(1, 6)) > 0.9


def test_the_card_reports_rotated_sensors(trained):
    report, home, _ = trained
    prescribed = report.turned[0]
    for turn in report.turned:
        if turn.worn in ("turned", "upside_down", "upside_down_and_turned"):
            assert turn.accuracy == prescribed.accuracy
    assert {turn.sensor for turn in report.turned} == {"both", "back", "thigh"}
    assert "| thigh | upside down |" in (home / "made" / "model_card.md").read_text()


def test_without_measured_speeds_the_card_says_so(trained):
    report, home, _ = trained
    assert report.measured_speed is None
    assert "the km/h have not been evaluated" in (home / "made" / "model_card.md").read_text()


@pytest.mark.slow
def test_a_dataset_of_walking_speeds_is_used_for_training_and_to_evaluate_speed(tmp_path):
    others = write_people(tmp_path / "others", people=5, seconds=10)
    speeds = tmp_path / "har_ws_adults"
    speeds.mkdir()
    pd.concat([walking_person(f"adult{n}", seed=n) for n in range(5)]).to_parquet(speeds / "all.parquet")
    report = train([others, speeds], tmp_path / "model.npz", PROTOCOL, lambda _: None)
    assert [each.people for each in report.datasets] == [5, 5]
    found = report.measured_speed
    assert (found.people, found.windows) == (5, 5 * 4)
    assert sum(map(sum, found.confusion)) == found.windows
    assert "Compared with measured speeds (5 people, 20 epochs)" in (tmp_path / "model_card.md").read_text()


def test_too_few_people_are_refused(tmp_path):
    harth = write_people(tmp_path / "harth", people=4, seconds=5)
    with pytest.raises(TrainingError, match="at least 5 people"):
        train([harth], tmp_path / "model.npz", PROTOCOL, lambda _: None)


def test_a_person_in_two_folders_is_refused(tmp_path):
    folders = [write_people(tmp_path / name, people=5, seconds=5) for name in ("a", "b")]
    with pytest.raises(TrainingError, match=r"P0\.parquet occurs twice"):
        train(folders, tmp_path / "model.npz", PROTOCOL, lambda _: None)


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(TrainingError, match="recordings in"):
        train([tmp_path], tmp_path / "model.npz", PROTOCOL, lambda _: None)


def test_a_recording_without_the_back_is_refused_and_no_model_is_written(tmp_path):
    folder = write_people(tmp_path / "set", people=5, seconds=5)
    table(*day_in_short(1, 5)).drop(columns=["back_x", "back_y", "back_z"]).to_parquet(folder / "thigh_only.parquet")
    with pytest.raises(RecordingError, match=r"thigh_only\.parquet: no complete back sensor"):
        train([folder], tmp_path / "model.npz", PROTOCOL, lambda _: None)
    assert not (tmp_path / "model.npz").exists()
