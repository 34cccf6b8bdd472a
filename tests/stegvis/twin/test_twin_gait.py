"""The model of movement: cadence, strength, postures, and the published spectra."""

import numpy as np
import pytest

from stegvis.accelerometry.activity import ActivityCode
from stegvis.accelerometry.method import Method
from stegvis.accelerometry.walking_speed import movement, speed_from_movement
from stegvis.twin.activities import ActivitySequence, draw_activities
from stegvis.twin.draws import stream
from stegvis.twin.gait import SENSORS, draw_motion, stride_hz
from stegvis.twin.gait_parameters import GAIT_FILE, GaitParametersError, gait_parameters, read_gait_parameters
from stegvis.twin.mounting import draw_mounting
from stegvis.twin.spectra import hunt4_spectra, spectra
from tests.study import PROTOCOL

METHOD = Method.of(PROTOCOL)

PARAMETERS = gait_parameters()


def signal(sequence: ActivitySequence, seed: int = 1, *, mounted: bool = False) -> np.ndarray:
    """Both sensors at exactly 50 Hz, with their noise and resolution; in body axes, or as they were attached."""
    rng = stream(seed, "gait")
    motion = draw_motion(sequence, PARAMETERS, rng)
    seconds = np.arange(int(motion.seconds * 50)) / 50
    noise = (PARAMETERS.sensors.noise_back, PARAMETERS.sensors.noise_thigh)
    felt = [motion.acceleration(sensor, seconds, rng) for sensor in SENSORS]
    if mounted:
        mountings = [draw_mounting(sensor, sequence, PARAMETERS, stream(seed, sensor)) for sensor in SENSORS]
        felt = [mounting.worn(each, seconds) for mounting, each in zip(mountings, felt, strict=True)]
    felt = [each + rng.normal(0, size, each.shape) for each, size in zip(felt, noise, strict=True)]
    return np.rint(np.hstack(felt) * 64).astype(np.float32) / 64


def bout(code: ActivityCode, minutes: float = 3, km_per_hour: float = 0.0) -> ActivitySequence:
    epochs = round(minutes * 12)
    return ActivitySequence(np.full(epochs, code, np.uint8), np.full(epochs, km_per_hour, np.float32), 5)


def steps_per_minute(felt: np.ndarray) -> float:
    vertical = felt[:, 0] - felt[:, 0].mean()
    spectrum, hertz = np.abs(np.fft.rfft(vertical)) ** 2, np.fft.rfftfreq(len(vertical), 1 / 50)
    smooth = np.convolve(spectrum, np.ones(15), "same")
    inside = (hertz > 1) & (hertz < 3.2)
    return float(60 * hertz[inside][smooth[inside].argmax()])


@pytest.mark.parametrize("km_per_hour", [3.0, 4.5, 6.0])
def test_cadence_grows_with_speed_as_the_parameters_say(km_per_hour):
    found = [steps_per_minute(signal(bout(ActivityCode.WALKING, 3, km_per_hour), seed)) for seed in range(6)]
    assert np.mean(found) == pytest.approx(120 * stride_hz(km_per_hour / 3.6, PARAMETERS), rel=0.06)


def test_faster_gait_is_stronger():
    slow, quick = (signal(bout(ActivityCode.WALKING, 3, speed)).std(axis=0) for speed in (2.5, 5.5))
    assert (quick > 1.4 * slow).all()


@pytest.mark.parametrize("metres_per_second", [0.7, 1.05, 1.4])
def test_the_back_rises_and_falls_as_measured(metres_per_second):
    sequence = bout(ActivityCode.WALKING, 2, 3.6 * metres_per_second)
    found = np.median(
        [movement(signal(sequence, seed).reshape(-1, 250, 6), METHOD.walking_speed, 50)[:, 0] for seed in range(9)]
    )
    # Fitted to recordings of known speed: 0.17 g at 1.05 m/s, 0.28 at 1.4. Slow walking indoors, in turns, shows more.
    assert found == pytest.approx(0.155 * metres_per_second**1.75, rel=0.08)


def test_people_differ_as_back_and_thigh_of_real_people_disagree():
    """The SD between people of the ratio of both sensors' speeds is 7 to 8 % in HARTH and HAR70+."""
    sequence = bout(ActivityCode.WALKING, 1.5, 4.3)
    speeds = [
        speed_from_movement(
            movement(signal(sequence, seed).reshape(-1, 250, 6), METHOD.walking_speed, 50), METHOD.walking_speed
        )
        for seed in range(60)
    ]
    ratio = [np.median(np.log(each[:, 0] / each[:, 1])) for each in speeds]
    assert 0.055 < np.std(ratio) < 0.090
    assert np.mean(ratio) == pytest.approx(0, abs=0.03)


@pytest.mark.parametrize(
    ("code", "speed", "low", "high"),
    [
        # Between what people of HARTH and HAR70+ show: SD of back_x, back_y, back_z, thigh_x, thigh_y, thigh_z.
        (ActivityCode.WALKING, 4.3, (0.10, 0.08, 0.09, 0.20, 0.18, 0.22), (0.36, 0.24, 0.28, 0.80, 0.58, 0.70)),
        (ActivityCode.RUNNING, 0, (0.80, 0.25, 0.25, 1.10, 0.50, 0.85), (1.40, 0.65, 0.65, 1.90, 1.20, 1.80)),
        (ActivityCode.CYCLING, 0, (0.08, 0.06, 0.06, 0.30, 0.09, 0.30), (0.25, 0.18, 0.20, 0.75, 0.30, 0.85)),
    ],
)
def test_movements_are_as_strong_as_those_of_real_people(code, speed, low, high):
    spread = np.median([signal(bout(code, 2, speed), seed).std(axis=0) for seed in range(9)], axis=0)
    assert (spread > low).all()
    assert (spread < high).all()


@pytest.mark.parametrize(
    ("code", "axis", "value"),
    [
        (ActivityCode.STANDING, 0, -1.0),
        (ActivityCode.STANDING, 3, -1.0),
        (ActivityCode.SITTING, 5, -1.0),
        (ActivityCode.SITTING, 3, 0.0),
        (ActivityCode.LYING, 0, -0.1),
        (ActivityCode.LYING, 3, 0.0),
        (ActivityCode.WALKING, 0, -1.0),
        (ActivityCode.CYCLING, 3, -0.83),
    ],
)
def test_gravity_points_where_the_posture_puts_it(code, axis, value):
    speed = 4.0 if code is ActivityCode.WALKING else 0.0
    means = [signal(bout(code, 2, speed), seed)[:, axis].mean() for seed in range(25)]
    assert np.median(means) == pytest.approx(value, abs=0.12)


def test_a_still_body_measures_one_g():
    felt = signal(bout(ActivityCode.LYING, 10))
    for sensor in (felt[:, :3], felt[:, 3:]):
        assert np.median(np.linalg.norm(sensor, axis=1)) == pytest.approx(1, abs=0.02)


def test_both_sensors_turn_together_in_bed():
    night = signal(bout(ActivityCode.LYING, 480))[::50]
    # The outward axes point in opposite directions: what the back's says, the thigh's denies.
    assert np.corrcoef(night[:, 2], night[:, 5])[0, 1] < -0.9
    assert np.corrcoef(night[:, 1], night[:, 4])[0, 1] < -0.9


def test_a_motion_can_be_sampled_in_pieces():
    motion = draw_motion(bout(ActivityCode.SITTING, 10), PARAMETERS, stream(1, "pieces"))
    seconds = np.arange(30_000) / 50
    whole = motion.acceleration("back", seconds, stream(1, "noise"))
    pieces = [motion.acceleration("back", part, stream(1, "noise")) for part in np.split(seconds, [7, 11_111, 20_000])]
    np.testing.assert_allclose(np.concatenate(pieces), whole, atol=1e-6)


def test_before_and_after_the_recording_the_body_is_still():
    motion = draw_motion(bout(ActivityCode.STANDING, 1), PARAMETERS, stream(1, "edge"))
    outside = motion.acceleration("thigh", np.array([-8.0, -1.0, 75.0, 90.0]), stream(1, "noise"))
    np.testing.assert_allclose(np.linalg.norm(outside, axis=1), 1, atol=1e-5)


def test_an_unknown_parameter_is_an_error(tmp_path):
    file = tmp_path / "gait.toml"
    file.write_text(GAIT_FILE.read_text().replace("[running]", "[running]\nstyle = 3", 1))
    with pytest.raises(GaitParametersError, match=r"running\.style"):
        read_gait_parameters(file)


def test_every_axis_needs_its_harmonics(tmp_path):
    file = tmp_path / "gait.toml"
    text = GAIT_FILE.read_text()
    line = next(line for line in text.splitlines() if line.startswith("thigh_y = [0."))
    file.write_text(text.replace(line, "", 1))
    with pytest.raises(GaitParametersError, match="walking"):
        read_gait_parameters(file)


def test_every_number_states_its_source_class_or_its_block_does():
    block_marked = False
    for line in GAIT_FILE.read_text().splitlines():
        if line.startswith("#"):
            block_marked = block_marked or any(mark in line for mark in ("VERIFIED", "INFERRED", "ASSUMED"))
        elif line.startswith("[") and not line.startswith(
            ("[postures", "[day", "[walking.", "[running.", "[cycling.", "[worn.")
        ):
            block_marked = False
        elif "=" in line:
            assert block_marked or any(mark in line for mark in ("VERIFIED", "INFERRED", "ASSUMED")), line


@pytest.mark.slow
def test_days_have_the_spectra_of_hunt4_within_a_factor_of_two():
    """Mean magnitude at 0 to 25 Hz on six axes, over 100,000 h of real recordings."""
    days = [spectra(signal(draw_activities(1, PARAMETERS, stream(n, "day")), n, mounted=True)) for n in range(4)]
    ratio = np.mean([day.mean for day in days], axis=0) / hunt4_spectra().mean
    assert ((ratio > 0.5) & (ratio < 2)).all()
    spread = np.sqrt(
        np.mean([day.sd**2 + day.mean**2 for day in days], axis=0) - np.mean([d.mean for d in days], axis=0) ** 2
    )
    ratio = spread / hunt4_spectra().sd
    assert ((ratio > 0.5) & (ratio < 2)).mean() > 0.85


@pytest.mark.slow
def test_the_shipped_classifier_recognizes_a_simulated_day():
    from stegvis.accelerometry.classifier import classify_signal

    # Epochs of one activity: by the second, see tests/stegvis/accelerometry.
    sequence = draw_activities(1, PARAMETERS, stream(1, "day"), 5)
    felt = signal(sequence)
    times = np.datetime64("2018-05-02", "us") + np.arange(len(felt)) * np.timedelta64(20_000, "us")
    found = classify_signal(times, felt, METHOD)["activity"].to_numpy()
    assert (found == sequence.activity).mean() > 0.93
    minutes = [(each == ActivityCode.WALKING).sum() / 12 for each in (sequence.activity, found)]
    assert minutes[1] == pytest.approx(minutes[0], rel=0.15)
