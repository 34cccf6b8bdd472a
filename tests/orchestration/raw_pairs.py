"""Raw pairs for the tests: one day of the twin, copied, spoiled, or recorded again by another device."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from stegvis.accelerometry.cwa import read_cwa
from stegvis.accelerometry.cwa_format import HEADER_BYTES
from stegvis.twin.cwa import Device, write_cwa
from tests.orchestration.story import Story, complete
from tests.study import home_with_study

START = np.datetime64("2018-05-02T00:00:00")
# Where in the header the serial number and the rate code stand.
RATE_CODE = 36
Spoil = Callable[[bytes, bytes], tuple[bytes, bytes]]


def empty_home(folder: Path) -> Story:
    """A home to which nothing has been delivered."""
    return Story(home_with_study(folder).create())


def copies(pair: Path, folder: Path, people: list[str]) -> None:
    """The pair ``P`` as each of these people's, without taking space, and the ``drop.json``."""
    folder.mkdir(parents=True)
    for person in people:
        for half in ("back", "thigh"):
            os.link(pair / f"P_{half}.cwa", folder / f"{person}_{half}.cwa")
    complete(folder)


def recorded_again(
    file: Path, into: Path, device_id: int, gain: tuple[float, float, float], offset: tuple[float, float, float]
) -> None:
    """What a device of this gain and offset would have recorded in the place of a perfect one."""
    recording = read_cwa(file)
    samples = recording.acceleration() * np.array(gain) + np.array(offset)
    device = Device(device_id, 1, recording.segments[0].rate_hz, annotations=recording.header.annotations)
    write_cwa(into, samples, recording.segments[0].start, device, 33.0)


def still(file: Path, start: np.datetime64 = START) -> bytes:
    """A day of a sensor that lies on a table."""
    lying = np.random.default_rng(1).normal((0, 0, 1), 0.003, (24 * 3600 * 50 + 3000, 3))
    write_cwa(file, lying, start, Device(7, 1, 50.0), 21.0)
    content = file.read_bytes()
    file.unlink()
    return content


def also_on_the_thigh(thigh: bytes, scratch: Path) -> bytes:
    """What another device beside the one on the thigh would have recorded."""
    files = scratch / "one.cwa", scratch / "other.cwa"
    files[0].write_bytes(thigh)
    recorded_again(files[0], files[1], 99, (1.02, 0.99, 1.0), (0.01, 0.0, -0.01))
    content = files[1].read_bytes()
    for file in files:
        file.unlink()
    return content


def spoiled(back: bytes, thigh: bytes, scratch: Path) -> dict[str, tuple[bytes, bytes, str, str]]:
    """Pairs that cannot be classified, by what is wrong: back, thigh, the rule and words of the message to expect."""
    absurd = thigh[:RATE_CODE] + b"\x43" + thigh[RATE_CODE + 1 :]
    noise = thigh[:HEADER_BYTES] + np.random.default_rng(1).bytes(1 << 20)
    next_week, at_noon = START + np.timedelta64(7, "D"), START + np.timedelta64(12, "h")
    return {
        "truncated": (back, thigh[: len(thigh) // 2], "short_overlap", "12.0 hours"),
        "empty": (back, b"", "unreadable", "thigh recording cannot be read: the file is empty"),
        "twothighs": (also_on_the_thigh(thigh, scratch), thigh, "same_place", "same part of the body"),
        "weeks": (back, still(scratch / "week.cwa", next_week), "different_weeks", "no time in common"),
        "halfday": (back, still(scratch / "noon.cwa", at_noon), "short_overlap", "hours in common"),
        "unworn": (back, still(scratch / "still.cwa"), "not_worn", "the thigh sensor was not worn"),
        "noise": (back, noise, "unreadable", "no sector of the file is intact"),
        "absurd": (back, absurd, "unreadable", "sampling rate is none that a device has"),
    }  # fmt: skip
