"""How sensors are attached: angles as drawn, attached anew, loose, and more or less of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from stegvis.accelerometry.activity import ActivityCode
from stegvis.twin.activities import ActivitySequence, draw_activities
from stegvis.twin.draws import stream
from stegvis.twin.gait import SENSORS, draw_motion
from stegvis.twin.gait_parameters import gait_parameters
from stegvis.twin.mounting import Attached, Mounting, draw_mounting

PARAMETERS = gait_parameters()
WEEK = draw_activities(7, PARAMETERS, stream(1, "week"))
UPRIGHT = np.array([[-1.0, 0.0, 0.0]], dtype=np.float32)


def only(attached: Attached, body: float = 0.0) -> Mounting:
    return Mounting((attached,), (), (), body, 1.0)


def angles(gravity: np.ndarray) -> tuple[float, float]:
    """Sagittal and sideways angle, degrees."""
    sagittal, sideways = np.degrees(np.arctan2(gravity[[2, 1]], -gravity[0]))
    return float(sagittal), float(sideways)


def test_the_angles_are_those_of_gravity_in_walking_and_roll_that_in_sitting():
    sagittal, sideways = angles(only(Attached(0, -20, 8, 0)).worn(UPRIGHT, np.zeros(1))[0])
    assert (sagittal, sideways) == pytest.approx((-20, 8), abs=1)
    _, y, z = only(Attached(0, 0, 0, 15)).worn(np.array([[0, 0, -1.0]], dtype=np.float32), np.zeros(1))[0]
    assert np.degrees(np.arctan2(y, -z)) == pytest.approx(15)
    # The body's own angle counts.
    leaning = np.array([[-np.cos(np.radians(10)), 0, -np.sin(np.radians(10))]], dtype=np.float32)
    found = only(Attached(0, -20, 0, 0), body=-10).worn(leaning, np.zeros(1))[0]
    assert angles(found)[0] == pytest.approx(-20, abs=0.1)


@pytest.mark.parametrize(
    ("how", "signs"), [("upside_down", (-1, -1, 1)), ("turned", (1, -1, -1)), ("other_leg", (1, -1, 1))]
)
def test_half_turns_and_the_other_leg_change_signs(how, signs):
    felt = np.array([[-0.8, 0.3, 0.5]], dtype=np.float32)
    found = only(replace(Attached(0, 0, 0, 0), **{how: True})).worn(felt, np.zeros(1))
    np.testing.assert_allclose(found, felt * np.array(signs), atol=1e-6)


def test_a_sensor_attached_anew_reads_otherwise_from_then_on():
    mounting = Mounting((Attached(0, 0, 0, 0), Attached(100, 30, 0, 0)), ((90, 100),), (), 0.0, 1.0)
    seconds = np.array([-5.0, 99.9, 100.0, 500.0])
    found = [angles(each)[0] for each in mounting.worn(np.repeat(UPRIGHT, 4, axis=0), seconds)]
    assert found == pytest.approx([0, 0, 30, 30], abs=0.1)


def drawn(amount: float, people: int = 400) -> list[tuple[Mounting, Mounting]]:
    parameters = PARAMETERS.with_mess(amount)
    return [
        tuple(draw_mounting(sensor, WEEK, parameters, stream(n, f"worn.{sensor}")) for sensor in SENSORS)
        for n in range(people)
    ]


@pytest.fixture(scope="module")
def people():
    return drawn(1)


def test_people_s_angles_have_the_stated_quantiles(people):
    degrees = PARAMETERS.worn.degrees
    for place, sensor in enumerate(SENSORS):
        for angle in ("sagittal", "sideways", "roll"):
            found = [getattr(each[place].attached[0], angle) for each in people]
            stated = getattr(degrees, f"{sensor}_{angle}")
            assert min(found) >= stated[0]
            assert max(found) <= stated[-1]
            spread = stated[-1] - stated[0]
            assert np.quantile(found, degrees.levels[1:-1]) == pytest.approx(stated[1:-1], abs=0.1 * spread)


def test_sensors_are_attached_anew_and_loose_as_often_as_stated(people):
    for place in range(2):
        anew = np.mean([len(each[place].attached) - 1 for each in people])
        assert anew == pytest.approx(PARAMETERS.worn.anew.per_week, abs=0.06)
    again = [each for pair in people for mounting in pair for each in mounting.attached[1:]]
    assert {(each.turned, each.upside_down) for each in again} >= {(False, False), (True, False), (False, True)}
    assert any(each.other_leg for each in again)
    assert not any(back.loose for back, _ in people)
    assert np.mean([thigh.loose for _, thigh in people]) == pytest.approx(PARAMETERS.worn.loose.share, abs=0.05)


def test_a_sensor_comes_off_for_minutes_while_people_sit_or_stand(people):
    for mounting in (mounting for pair in people for mounting in pair if len(mounting.attached) > 1):
        ((start, end),) = mounting.off
        assert end == mounting.attached[1].seconds
        assert 3 * 60 <= end - start <= 15 * 60
        assert WEEK.activity[int(start)] in (ActivityCode.SITTING, ActivityCode.STANDING)


def test_without_mess_everyone_is_alike():
    for back, thigh in drawn(0, people=5):
        assert back.attached == (Attached(0.0, -13.0, -3.0, 0.0),)
        assert thigh.attached == (Attached(0.0, -6.5, -4.0, -4.5),)
        assert not thigh.loose


def test_more_mess_is_further_from_the_middle(people):
    for (back, _), (same, _) in zip(drawn(2, people=20), people, strict=False):
        assert back.attached[0].sagittal + 13 == pytest.approx(2 * (same.attached[0].sagittal + 13))


def test_a_recording_shows_the_drawn_angle():
    """In walking at the middle of people's posture, whoever it is."""
    walking = ActivitySequence(np.full(120, ActivityCode.WALKING, np.uint8), np.full(120, 4.5, np.float32), 1)
    seconds = np.arange(0, 120, 0.02)
    for seed in range(5):
        for sensor in SENSORS:
            mounting = draw_mounting(sensor, walking, PARAMETERS, stream(seed, f"worn.{sensor}"))
            motion = draw_motion(walking, PARAMETERS, stream(seed, "motion"))
            felt = mounting.worn(motion.acceleration(sensor, seconds, stream(seed, "noise")), seconds)
            if not mounting.loose:
                assert angles(np.median(felt.reshape(-1, 250, 3).mean(axis=1), axis=0))[0] == pytest.approx(
                    mounting.attached[0].sagittal, abs=7
                )
