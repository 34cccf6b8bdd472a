import numpy as np
import pytest

from stegvis.accelerometry.activity import ActivityCode
from stegvis.accelerometry.datasets import Dataset
from stegvis.accelerometry.epoch_model import CLASSES, STAIRS, WALKING
from stegvis.accelerometry.labeled_people import labeled_person, read_people, rotation
from stegvis.accelerometry.recording import read_labeled
from tests.stegvis.accelerometry.settings import EPOCHS, PROTOCOL
from tests.stegvis.accelerometry.simulated_signals import day_in_short, gait, table, write_people


def test_windows_without_a_label_are_excluded(tmp_path):
    acceleration, labels = day_in_short(1, 10)
    labels = labels.astype(float)
    labels[:500] = np.nan  # lying
    table(acceleration, labels).to_parquet(tmp_path / "a.parquet")
    person = labeled_person("a", read_labeled(tmp_path / "a.parquet", EPOCHS), Dataset(name="set"), EPOCHS)
    assert (person.windows_without_label, len(person.activity), len(person.X)) == (2, 10, 10)
    assert person.labeled_walking_minutes == pytest.approx(10 / 60)
    assert not person.follows[0]
    assert person.follows[1:].all()


def test_stairs_are_walking_for_the_study_and_a_class_of_the_model(tmp_path):
    labels = np.repeat([1, 4, 5, 6], 250)
    table(gait(100, 20, seed=1), labels).to_parquet(tmp_path / "a.parquet")
    person = labeled_person("a", read_labeled(tmp_path / "a.parquet", EPOCHS), Dataset(name="set"), EPOCHS)
    assert person.activity.tolist() == [ActivityCode.WALKING] * 3 + [ActivityCode.STANDING]
    assert person.classes.tolist() == [WALKING, STAIRS, STAIRS, CLASSES.index("standing")]


def test_copies_begin_at_every_second_as_they_are_tilted_and_tilted_widely(tmp_path):
    acceleration, labels = day_in_short(1, 10)
    table(acceleration, labels).to_parquet(tmp_path / "a.parquet")
    person = labeled_person("a", read_labeled(tmp_path / "a.parquet", EPOCHS), Dataset(name="set"), EPOCHS)
    X, classes = person.copies
    # Twelve windows of 5 seconds in a minute, and 56 that begin at one of its seconds.
    assert len(X) == len(classes) == 3 * 56
    assert classes[:56:5].tolist() == person.classes.tolist()
    assert np.allclose(X[:56:5], person.X)
    assert not np.allclose(X[56:112:5], person.X)
    assert not np.allclose(X[112::5], X[56:112:5])
    again = labeled_person("a", read_labeled(tmp_path / "a.parquet", EPOCHS), Dataset(name="set"), EPOCHS)
    assert np.array_equal(again.copies[0], X)


def test_a_rotation_keeps_lengths_and_turns_by_the_angle():
    turned = np.array([[1.0, 0.0, 0.0]]) @ rotation(np.array([[0.0, 0.0, 1.0]]), np.radians([30.0]))[0]
    assert np.linalg.norm(turned) == pytest.approx(1)
    assert turned[0, 0] == pytest.approx(np.cos(np.radians(30)))


def test_people_without_labels_are_not_among_the_people(tmp_path):
    folder = write_people(tmp_path / "set", people=5, seconds=5)
    acceleration, labels = day_in_short(1, 5)
    table(acceleration, np.full(len(labels), np.nan)).to_parquet(folder / "unlabeled.parquet")
    assert [each.person for each in read_people([folder], PROTOCOL, lambda _: None)] == [f"P{n}" for n in range(5)]
