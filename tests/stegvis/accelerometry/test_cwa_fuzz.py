"""Files that were damaged in every way we could think of: refused, or read at the right time, in bounded work.

Small files of the twin's writer are mutated, most often with checksums put right so that the damage gets past them.
What is read is held against a second reader below, which looks at one sector at a time, slowly, and against the times
at which the writer's clock stood. Everything is seeded: a failure names the seed of its file.
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
from stegvis.twin.cwa import Device, with_checksums, write_cwa

START = np.datetime64("2018-02-28T23:59:30.500000", "us")
# No sample may be further than this from its true time: what two clocks that agree may differ by, and beyond that a
# share of the samples that were left out between them.
LARGEST_ERROR_SAMPLES = 4.5
LARGEST_RATE_ERROR = 0.01
# Python calls to read a file, by its sectors: nothing in the reader may be worse than linear.
CALLS, CALLS_PER_SECTOR = 5000, 150


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


# --- what happens to files ------------------------------------------------------------------------------------------


def run_of(sectors: np.ndarray, rng: np.random.Generator) -> slice:
    first = rng.integers(len(sectors))
    return slice(first, first + rng.choice([1, 1, 1, 2, 3, 6]))


def repaired(sectors: np.ndarray, which: slice) -> None:
    sectors[which] = with_checksums(sectors[which].copy())


def bytes_of_fields(header, sectors, rng):
    """Random bytes in the fields of some sectors."""
    which = run_of(sectors, rng)
    raw = sectors.view(np.uint8).reshape(-1, SECTOR_BYTES)
    raw[which, rng.integers(0, 30, rng.integers(1, 4))] = rng.integers(0, 256)
    repaired(sectors, which)


def special_values(header, sectors, rng):
    """A field at its borders."""
    which = run_of(sectors, rng)
    name = rng.choice(
        ["count", "axes", "rate_code", "sequence", "recording", "stamp", "fraction", "stamp_index", "length"]
    )
    kind = sectors.dtype[name]
    choices = [0, 1, np.iinfo(kind).max, np.iinfo(kind).min, np.iinfo(kind).max // 2 + 1, *rng.integers(0, 128, 3)]
    sectors[name][which] = np.array(rng.choice(choices)).astype(kind)
    repaired(sectors, which)


def wrong_clock(header, sectors, rng):
    """Stamps some seconds, minutes or days aside."""
    which = run_of(sectors, rng)
    seconds = int(rng.choice([1, 2, 5, 64, 3600, 86400, rng.integers(1, 10_000)])) * int(rng.choice([-1, 1]))
    field = rng.choice([1, 64, 4096, 1 << 17])  # of the packed stamp: second, minute, hour, day
    change = seconds if rng.random() < 0.5 else field * int(rng.choice([-1, 1]))
    sectors["stamp"][which] = (sectors["stamp"][which].astype(np.int64) + change).astype(np.uint32)
    repaired(sectors, which)


def wrong_fraction(header, sectors, rng):
    """Stamps a few samples aside, up to several sectors."""
    which = run_of(sectors, rng)
    if rng.random() < 0.5:
        sectors["stamp_index"][which] += rng.integers(-200, 200).astype(np.int16) // rng.choice([1, 10, 40])
    else:
        sectors["fraction"][which] ^= rng.integers(0, 1 << 16, dtype=np.uint16)
    repaired(sectors, which)


def wrong_count(header, sectors, rng):
    which = run_of(sectors, rng)
    sectors["count"][which] = rng.integers(0, 122)
    repaired(sectors, which)


def rates(header, sectors, rng):
    """Another rate or range in the header, in the sectors, or in both."""
    code = rng.integers(0, 256)
    if rng.random() < 0.6:
        header[36] = code
    if rng.random() < 0.6:
        which = slice(None) if rng.random() < 0.5 else run_of(sectors, rng)
        sectors["rate_code"][which] = code
        repaired(sectors, which)


def header_bytes(header, sectors, rng):
    header[rng.integers(0, HEADER_BYTES, rng.integers(1, 6))] = rng.integers(0, 256)


def exchanged(header, sectors, rng):
    a, b = rng.integers(0, len(sectors), 2)
    sectors[[a, b]] = sectors[[b, a]]


def shuffled(header, sectors, rng):
    which = slice(*np.sort(rng.integers(0, len(sectors) + 1, 2)))
    sectors[which] = sectors[which][rng.permutation(len(sectors[which]))]


def lost_or_doubled(header, sectors, rng):
    sectors[:] = sectors[np.sort(rng.integers(0, len(sectors), len(sectors)))]


def copied(header, sectors, rng):
    """A stretch of sectors that is there twice, as after a failed write."""
    length = rng.integers(1, 7)
    source, target = rng.integers(0, max(1, len(sectors) - length), 2)
    sectors[target : target + length] = sectors[source : source + length].copy()


def blank(header, sectors, rng):
    which = run_of(sectors, rng)
    sectors.view(np.uint8).reshape(-1, SECTOR_BYTES)[which] = rng.choice([0, 255])


def samples_changed(header, sectors, rng):
    which = run_of(sectors, rng)
    raw = sectors.view(np.uint8).reshape(-1, SECTOR_BYTES)
    raw[which, rng.integers(30, 510, rng.integers(1, 30))] = rng.integers(0, 256)
    if rng.random() < 0.5:
        repaired(sectors, which)


OF_SECTORS = (
    bytes_of_fields, special_values, wrong_clock, wrong_fraction, wrong_count, rates, header_bytes, exchanged, shuffled,
    lost_or_doubled, copied, blank, samples_changed,
)  # fmt: skip


def flipped(content: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    where = rng.integers(0, len(content), rng.integers(1, 20))
    content[where] ^= (1 << rng.integers(0, 8, len(where))).astype(np.uint8)
    return content


def cut(content: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return content[: rng.integers(0, len(content))]


def bytes_lost(content: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    first = rng.integers(0, len(content))
    return np.delete(content, slice(first, first + rng.integers(1, 600)))


def bytes_put_in(content: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return np.insert(content, rng.integers(0, len(content)), rng.integers(0, 256, rng.integers(1, 600), dtype=np.uint8))


OF_BYTES = (flipped, cut, bytes_lost, bytes_put_in)


def mutated(content: bytes, seed: int) -> bytes:
    """One to three things that happen to sectors, and sometimes one that knows of none."""
    rng = np.random.default_rng(seed)
    everything = np.frombuffer(content, np.uint8).copy()
    header, sectors = everything[:HEADER_BYTES], everything[HEADER_BYTES:].view(SECTOR)
    for number in rng.integers(0, len(OF_SECTORS), rng.integers(1, 4)):
        OF_SECTORS[number](header, sectors, rng)
    if rng.random() < 0.25:
        everything = OF_BYTES[rng.integers(len(OF_BYTES))](everything, rng)
    return everything.tobytes()


# --- the second reader ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sector:
    """What one sector says of itself: at which microsecond (since 1970) which of its samples was taken, and samples."""

    stamp: float
    index: int
    samples: np.ndarray


@lru_cache(maxsize=50_000)
def read_alone(sector: bytes, nominal_hz: int) -> Sector | None:
    """One sector by the format's description, value by value; ``None`` if it is none or its checksum fails."""
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
    """Nothing is read at a wrong time and nobody told. Returns how many sectors were used, and how many there are."""
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
    """Files refused, files read, and the share of the latter's sectors that was used; other ends fail with the seed."""
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
    """Functions called, of Python and of C, while reading a file."""
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


def test_the_second_reader_agrees_about_intact_files(bases, tmp_path):
    for base in bases:
        (tmp_path / "x.cwa").write_bytes(base.content)
        recording = read_cwa(tmp_path / "x.cwa")
        used, there = assert_right(base.content, recording, base.truth)
        assert used == there == len(base.truth)
        began = recording.blocks["start"].to_numpy().astype(np.int64)
        assert np.abs(began - list(base.truth.values())).max() < 1000


def test_the_second_reader_would_see_a_wrong_time_and_a_wrong_sample(bases, tmp_path):
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


def test_reading_takes_work_in_proportion_to_the_sectors(bases, tmp_path):
    file = tmp_path / "x.cwa"
    for seed in range(200):
        content = mutated(bases[seed % len(bases)].content, seed)
        file.write_bytes(content)
        assert calls_to_read(file) <= CALLS + CALLS_PER_SECTOR * len(sectors_of(content))


@pytest.mark.parametrize("pairs", [10, 400])
def test_as_many_segments_as_can_be_are_bounded_too(bases, tmp_path, pairs):
    # Two sectors that confirm each other, again and again: every pair is a segment.
    content = bases[0].content[:HEADER_BYTES] + pairs * bases[0].content[HEADER_BYTES : HEADER_BYTES + 2 * SECTOR_BYTES]
    (tmp_path / "x.cwa").write_bytes(content)
    assert len(read_cwa(tmp_path / "x.cwa").segments) == pairs
    assert calls_to_read(tmp_path / "x.cwa") <= CALLS + CALLS_PER_SECTOR * 2 * pairs


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
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
def test_a_hundred_thousand_mutated_files(bases, tmp_path):
    refused, read, used = try_mutations(bases, tmp_path / "x.cwa", range(1_000, 101_000))
    assert refused + read == 100_000
    assert read > 50_000
    assert used > 0.5
