"""Damaged files are either refused or read with correct times, in bounded time.

Small files of the twin's writer are mutated, most often with corrected checksums so that the damage passes the check.
The result is compared with a second, slow reader below, which reads one sector at a time, and with the times of the
writer's clock. Everything is seeded: a failure names the seed of its file.
"""

import faulthandler
import struct
import sys
import warnings
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stegvis.accelerometry.cwa import CwaRecording, read_cwa
from stegvis.accelerometry.cwa_format import HEADER_BYTES, SECTOR, SECTOR_BYTES, CwaError
from stegvis.twin.cwa import Device, write_cwa
from tests.sizes import FULL, examples
from tests.stegvis.accelerometry.cwa_mutations import OF_BYTES, OF_SECTORS, mutated

START = np.datetime64("2018-02-28T23:59:30.500000", "us")
# No sample may be further than this from its true time: the tolerance between two clocks that agree, plus a share of
# the samples that were skipped between them.
LARGEST_ERROR_SAMPLES = 4.5
LARGEST_RATE_ERROR = 0.01
# Function calls to read a file, by its sectors: the reader must be linear.
CALLS, CALLS_PER_SECTOR = 5000, 150
FILES = 100_000 if FULL else 5_000


# --- the files ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Base:
    """An intact file, and when each of its sectors (by its bytes) began, in microseconds since 1970."""

    content: bytes
    truth: dict[bytes, float]


def written(folder: Path, start: np.datetime64, device: Device, sectors: int, seed: int) -> Base:
    count = sectors * device.samples_per_sector - 13
    samples = np.random.default_rng(seed).normal(0, 1, (count, 3)).astype(np.float32)
    write_cwa(folder / "base.cwa", samples, start, device)
    content = (folder / "base.cwa").read_bytes()
    step = device.samples_per_sector * device.clock_seconds_per_sample * 1e6
    began = start.astype("datetime64[us]").astype(np.int64)
    return Base(content, {each: began + number * step for number, each in enumerate(sectors_of(content))})


def joined(one: Base, other: Base) -> Base:
    """The sectors of the second after those of the first."""
    return Base(one.content + other.content[HEADER_BYTES:], one.truth | other.truth)


def sectors_of(content: bytes) -> list[bytes]:
    return [
        content[at : at + SECTOR_BYTES] for at in range(HEADER_BYTES, len(content) - SECTOR_BYTES + 1, SECTOR_BYTES)
    ]


@pytest.fixture(scope="module")
def bases(tmp_path_factory) -> list[Base]:
    """Packed and not, slow and fast devices, 50 to 200 Hz, and a recording that was interrupted."""
    folder = tmp_path_factory.mktemp("bases")
    slow = Device(123_456, 7, 49.3, clock_drift_seconds_per_day=2.0)
    later = START + np.timedelta64(243_900_000, "us")
    first = written(folder, START, slow, 8, seed=1)
    return [
        written(folder, START, slow, 18, seed=2),
        written(folder, START, Device(17, 3, 101.2, nominal_rate_hz=100.0, packed=False), 16, seed=3),
        written(folder, START, Device(18, 4, 197.3, nominal_rate_hz=200.0, largest_g=16), 14, seed=4),
        joined(first, written(folder, later, slow, 8, seed=5)),
    ]


# --- the second reader ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sector:
    """One sector: the microsecond (since 1970) of its stamp, the sample it belongs to, and the samples."""

    stamp: float
    index: int
    samples: np.ndarray


@lru_cache(maxsize=50_000)
def read_alone(sector: bytes, nominal_hz: int) -> Sector | None:
    """One sector, read value by value; ``None`` if it is not a sector or its checksum is wrong."""
    if sector[:2] != b"AX" or sum(struct.unpack("<256H", sector)) % 65536 != 0:
        return None
    (fraction,) = struct.unpack_from("<H", sector, 4)
    (stamp,) = struct.unpack_from("<I", sector, 14)
    axes, (index, count) = sector[25], struct.unpack_from("<hH", sector, 26)
    date = f"{2000 + (stamp >> 26)}-{(stamp >> 22) & 15:02}-{(stamp >> 17) & 31:02}"
    clock = f"{(stamp >> 12) & 31:02}:{(stamp >> 6) & 63:02}:{stamp & 63:02}"
    when = int(np.datetime64(f"{date}T{clock}", "us").astype(np.int64))
    if fraction & 0x8000:
        ticks = 2 * (fraction & 0x7FFF)  # of 65536 to a second
        when, index = when + ticks * 1_000_000 / 65536, index + (ticks * nominal_hz) // 65536
    samples = []
    for number in range(count):
        if axes == 0x30:
            (word,) = struct.unpack_from("<I", sector, 30 + 4 * number)
            packed = [(word >> shift) & 1023 for shift in (0, 10, 20)]
            samples.append([(v - 1024 if v > 511 else v) << (word >> 30) for v in packed])
        else:
            samples.append(struct.unpack_from("<3h", sector, 30 + 6 * number))
    return Sector(when, index, np.array(samples))


def assert_right(content: bytes, recording: CwaRecording, truth: dict[bytes, float]) -> tuple[int, int]:
    """Check that no sample has a wrong time. Returns the number of sectors used, and of all sectors."""
    sectors, nominal = sectors_of(content), int(recording.header.rate_hz)
    assert len(recording.blocks) == len(sectors)
    first = recording.blocks["first_sample"].to_numpy()
    start = recording.blocks["start"].to_numpy().astype("datetime64[us]").astype(np.int64)
    segment = recording.blocks["segment"].to_numpy()
    used = np.flatnonzero(first >= 0)
    step = 1e6 * recording.sample_seconds
    near = LARGEST_ERROR_SAMPLES * 1e6 / nominal
    # How many sectors were left out beside each one that was used, on the side where more were.
    left_out = np.diff(used) - 1
    left_out = np.maximum(np.append(left_out, 0), np.insert(left_out, 0, 0))
    at, goes_back = 0, False
    for k, number in enumerate(used.tolist()):
        alone = read_alone(sectors[number], nominal)
        assert alone is not None
        assert first[number] == at
        at += len(alone.samples)
        capacity = 120 if sectors[number][25] == 0x30 else 80
        assert np.array_equal(recording.samples[first[number] : at], alone.samples)
        # By its own stamp, and where its bytes were left alone, by the clock of the device that wrote it.
        stamped = start[number] + alone.index * step[k]
        allowed = near + LARGEST_RATE_ERROR * left_out[k] * capacity * step[k]
        assert abs(stamped - alone.stamp) <= allowed
        if sectors[number] in truth:
            assert abs(start[number] - truth[sectors[number]]) <= allowed
        if k:
            # Within a segment, time goes on over what was left out, and over nothing else.
            before = used[k - 1]
            waited = start[number] - start[before] - step[k - 1] * (at - len(alone.samples) - first[before])
            missing = (number - before - 1) * capacity * step[k]
            if segment[number] == segment[before]:
                assert abs(waited - missing) <= near + LARGEST_RATE_ERROR * missing
            goes_back |= bool(waited < -near)
    assert at == len(recording.samples) == len(recording.times)
    assert recording.clock_goes_back or not goes_back
    later = np.diff(recording.times.astype(np.int64)) > 0
    borders = np.array([each.first_sample for each in recording.segments[1:]], dtype=np.int64)
    assert np.delete(later, borders - 1).all()
    return len(used), len(sectors)


# --- the tests ------------------------------------------------------------------------------------------------------


def try_mutations(bases: list[Base], file: Path, seeds: range) -> tuple[int, int, float]:
    """Files refused, files read, and the share of the sectors of these that was used; anything else fails."""
    refused = read = used = there = 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for seed in seeds:
            if seed % 1000 == 0:
                # Not a claim about speed: a hang would otherwise say nothing of where it is.
                faulthandler.dump_traceback_later(600, exit=True)
            base = bases[seed % len(bases)]
            content = mutated(base.content, seed)
            file.unlink(missing_ok=True)  # writing over a file is slower than writing a new one
            file.write_bytes(content)
            try:
                recording = read_cwa(file)
                found = assert_right(content, recording, base.truth)
            except CwaError:
                refused += 1
            except Exception as error:
                raise AssertionError(f"the mutated file of seed {seed}") from error
            else:
                read, used, there = read + 1, used + found[0], there + found[1]
    faulthandler.cancel_dump_traceback_later()
    return refused, read, used / there


def calls_to_read(file: Path) -> int:
    """Number of Python and C function calls while reading a file."""
    calls = 0

    def count(frame, event, argument):
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        read_cwa(file)
    except CwaError:
        pass
    finally:
        sys.setprofile(None)
    return calls


def test_the_second_reader_agrees_on_intact_files(bases, tmp_path):
    for base in bases:
        (tmp_path / "x.cwa").write_bytes(base.content)
        recording = read_cwa(tmp_path / "x.cwa")
        used, there = assert_right(base.content, recording, base.truth)
        assert used == there == len(base.truth)
        began = recording.blocks["start"].to_numpy().astype(np.int64)
        assert np.abs(began - list(base.truth.values())).max() < 1000


def test_the_check_would_notice_a_wrong_time_and_a_wrong_sample(bases, tmp_path):
    base = bases[0]
    (tmp_path / "x.cwa").write_bytes(base.content)
    recording = read_cwa(tmp_path / "x.cwa")
    recording.samples[200, 1] += 1
    with pytest.raises(AssertionError):
        assert_right(base.content, recording, base.truth)
    recording = read_cwa(tmp_path / "x.cwa")
    recording.blocks.loc[5, "start"] += np.timedelta64(100, "ms")
    with pytest.raises(AssertionError):
        assert_right(base.content, recording, base.truth)


@pytest.mark.parametrize("change", [*OF_SECTORS, *OF_BYTES])
def test_every_mutation_changes_something(bases, change):
    changed = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        content = np.frombuffer(bases[0].content, np.uint8).copy()
        if change in OF_SECTORS:
            change(content[:HEADER_BYTES], content[HEADER_BYTES:].view(SECTOR), rng)
        else:
            content = change(content, rng)
        changed += content.tobytes() != bases[0].content
    assert changed >= 10


def test_mutated_files_are_refused_or_read_at_the_right_time(bases, tmp_path):
    refused, read, used = try_mutations(bases, tmp_path / "x.cwa", range(1, 601))
    assert refused > 30
    assert read > 300
    assert used > 0.5


def test_reading_is_linear_in_the_number_of_sectors(bases, tmp_path):
    file = tmp_path / "x.cwa"
    for seed in range(200):
        content = mutated(bases[seed % len(bases)].content, seed)
        file.write_bytes(content)
        assert calls_to_read(file) <= CALLS + CALLS_PER_SECTOR * len(sectors_of(content))


@pytest.mark.parametrize("pairs", [10, 400])
def test_reading_is_linear_with_many_segments(bases, tmp_path, pairs):
    # Two sectors that confirm each other, again and again: every pair is a segment.
    content = bases[0].content[:HEADER_BYTES] + pairs * bases[0].content[HEADER_BYTES : HEADER_BYTES + 2 * SECTOR_BYTES]
    (tmp_path / "x.cwa").write_bytes(content)
    assert len(read_cwa(tmp_path / "x.cwa").segments) == pairs
    assert calls_to_read(tmp_path / "x.cwa") <= CALLS + CALLS_PER_SECTOR * 2 * pairs


@settings(max_examples=examples(100), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    changes=st.dictionaries(st.integers(0, HEADER_BYTES - 1 + 512 * 8), st.integers(0, 255), min_size=1, max_size=12)
)
def test_any_bytes_changed(bases, tmp_path, changes):
    content = bytearray(bases[0].content)
    for where, value in changes.items():
        content[where] = value
    (tmp_path / "x.cwa").write_bytes(content)
    try:
        recording = read_cwa(tmp_path / "x.cwa")
    except CwaError:
        return
    assert_right(bytes(content), recording, bases[0].truth)


@pytest.mark.slow
@pytest.mark.timeout(2400)
def test_tens_of_thousands_of_mutated_files(bases, tmp_path):
    refused, read, used = try_mutations(bases, tmp_path / "x.cwa", range(1_000, 1_000 + FILES))
    assert refused + read == FILES
    assert read > FILES / 2
    assert used > 0.5
