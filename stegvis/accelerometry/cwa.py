"""Read the raw file of an Axivity AX3 or AX6 accelerometer (CWA, "continuous wave accelerometry").

The format is that of the Open Movement project (github.com/openmovementproject/openmovement, Docs/ax3): a 1024-byte
header, then sectors of 512 bytes, each with up to 120 samples, a clock stamp and a checksum. Time is read from the
stamps, never from a count of samples at the nominal rate: real devices run up to a few percent beside it.

A sector is used only if its checksum holds and another sector close by confirms its clock; all others are masked and
named in ``CwaRecording.blocks``. Where the sequence restarts or the clock jumps, a new segment begins, and time is
never interpolated from one segment into another.

Belongs here: bytes to samples and their times in device time. Does not belong here: resampling, calibration,
synchronization of two sensors, and writing such files (``stegvis.twin.cwa``).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import numpy as np
import pandas as pd
from numpy.typing import NDArray

HEADER_BYTES = 1024
SECTOR_BYTES = 512
DATA_BYTES = 480
DATA_OFFSET = 30

HEADER = np.dtype(
    {
        "names": [
            "magic", "length", "hardware", "device_low", "recording", "device_high", "logging_start", "logging_end",
            "sensor_config", "rate_code", "last_change", "firmware", "annotation",
        ],
        "formats": ["<u2", "<u2", "u1", "<u2", "<u4", "<u2", "<u4", "<u4", "u1", "u1", "<u4", "u1", "S448"],
        "offsets": [0, 2, 4, 5, 7, 11, 13, 17, 35, 36, 37, 41, 64],
        "itemsize": HEADER_BYTES,
    }
)  # fmt: skip
SECTOR_HEAD = np.dtype(
    [
        ("magic", "<u2"), ("length", "<u2"), ("fraction", "<u2"), ("recording", "<u4"), ("sequence", "<u4"),
        ("stamp", "<u4"), ("light_scale", "<u2"), ("temperature", "<u2"), ("events", "u1"), ("battery", "u1"),
        ("rate_code", "u1"), ("axes", "u1"), ("stamp_index", "<i2"), ("count", "<u2"),
    ]
)  # fmt: skip
SECTOR = np.dtype([*SECTOR_HEAD.descr, ("data", f"V{DATA_BYTES}"), ("checksum", "<u2")])

HEADER_MAGIC, HEADER_LENGTH = 0x444D, 1020  # "MD"
SECTOR_MAGIC, SECTOR_LENGTH = 0x5841, 508  # "AX"
AX6_HARDWARE = 0x64

# Samples a sector can hold, by its byte of axes and sample width: packed, three 16-bit axes, gyroscope + accelerometer.
CAPACITY = {0x30: 120, 0x32: 80, 0x62: 40}
_CAPACITIES = np.array([CAPACITY.get(axes, 0) for axes in range(256)])
PACKED_UNITS_PER_G = 256

# The devices' rates are 6.25 Hz (code 6) to 3200 Hz (code 15).
SMALLEST_RATE_CODE = 6

# A device's true rate is within this share of the nominal one; real ones were within 2.5 %.
RATE_TOLERANCE = 0.05
# Pairs of neighboring sectors needed to know it: of fewer, one wrong stamp would make a rate that confirms itself.
FEWEST_PAIRS = 3
# Two clocks agree if the time between them is that of the samples between them at the recording's own rate, within so
# many samples (stamps of old firmware are a sample or two off) and this share (the rate changes with temperature).
CLOCK_TOLERANCE_SAMPLES = 3.0
CLOCK_TOLERANCE = 0.005
# How many sectors to each side may confirm a clock.
CONFIRMING_SECTORS = 2
# A stamp belongs to a sample at most this many sectors after the start of its own.
LATEST_STAMP_SECTORS = 4
# A clock further than this from its neighbors' is left out of the interpolation.
OUTLYING_SAMPLES = 2.5
# Knots from which time is extrapolated before the first and after the last of a segment.
EXTRAPOLATION_KNOTS = 25

# Sectors decoded at a time: their samples stay in the processor's cache.
SLAB = 256

STATUS = ("good", "no_sector", "checksum", "format", "clock")
GOOD, NO_SECTOR, CHECKSUM, FORMAT, CLOCK = range(len(STATUS))
_STATUS = pd.CategoricalDtype(list(STATUS))


class CwaError(ValueError):
    """A file that cannot be read as a CWA recording; the message says why, and shows none of it."""


@dataclass(frozen=True)
class CwaHeader:
    """What the device wrote about itself. Times are device-local; ``None`` where unset or impossible.

    Attributes:
        hardware: ``AX3`` or ``AX6``.
        device_id: serial number.
        recording_id: number of the recording (session), set by whoever configured the device.
        rate_hz: nominal sampling rate.
        range_g: largest acceleration, plus or minus.
        firmware: its revision.
        annotations: free text by key (``_p`` body location, ``_sc`` subject code ...); may identify a person.
    """

    hardware: str
    device_id: int
    recording_id: int
    rate_hz: float
    range_g: int
    firmware: int
    logging_start: np.datetime64 | None
    logging_end: np.datetime64 | None
    last_change: np.datetime64 | None
    annotations: dict[str, str]


@dataclass(frozen=True)
class Segment:
    """Samples without a gap.

    Attributes:
        first_sample: index of its first sample in the recording.
        samples: how many.
        start, end: device time of its first and last sample, datetime64[us].
        rate_hz: true sampling rate by the device's clock.
    """

    first_sample: int
    samples: int
    start: np.datetime64
    end: np.datetime64
    rate_hz: float


@dataclass(frozen=True)
class CwaRecording:
    """A raw recording.

    Attributes:
        header: what the device wrote about itself.
        blocks: one row per sector of the file, in file order: ``status`` (one of ``STATUS``), ``segment``,
            ``first_sample`` and ``samples`` (-1, -1 and 0 where masked), ``start`` (device time of the first sample,
            datetime64[us], NaT where masked), ``sequence``, ``temperature_c``, ``battery_volt``. Outside good sectors
            the last three are not to be trusted.
        samples: (n, 3) int16, counts of the accelerometer's x, y, z; ``g_per_count`` is the unit.
        gyroscope: (n, 3) int16 of an AX6 that recorded it, else ``None``; ``degrees_per_second_per_count`` the unit.
        segments: stretches without a gap, in file order.
        sample_seconds: (good sectors,) time between two samples of a sector.
        trailing_bytes: bytes after the last whole sector; above zero the file was cut off.
    """

    header: CwaHeader
    blocks: pd.DataFrame
    samples: NDArray[np.int16]
    g_per_count: float
    gyroscope: NDArray[np.int16] | None
    degrees_per_second_per_count: float
    segments: tuple[Segment, ...]
    sample_seconds: NDArray[np.float64]
    trailing_bytes: int

    @property
    def masked_blocks(self) -> dict[str, int]:
        """Sectors that were not used, by reason; empty if all were."""
        counts = self.blocks["status"].value_counts()
        return {name: int(counts[name]) for name in STATUS if name != "good" and counts[name] > 0}

    @property
    def clock_goes_back(self) -> bool:
        """Whether a segment begins before the one ahead of it ends: the clock was set back during the recording."""
        return any(later.start <= earlier.end for earlier, later in pairwise(self.segments))

    @cached_property
    def times(self) -> NDArray[Any]:
        """(n,) datetime64[us], device time of each sample; increasing within each segment."""
        good = self.blocks["first_sample"].to_numpy() >= 0
        counts = self.blocks["samples"].to_numpy()[good]
        start = self.blocks["start"].to_numpy()[good].astype(np.int64)
        capacity = int(counts.max())
        times = np.empty((len(counts), capacity), dtype=np.int64)
        for begin in range(0, len(counts), SLAB):
            slab = slice(begin, begin + SLAB)
            times[slab] = start[slab, None] + 1e6 * self.sample_seconds[slab, None] * np.arange(capacity)
        flat = times.ravel() if (counts == capacity).all() else times[np.arange(capacity) < counts[:, None]]
        return flat.view("datetime64[us]")

    def acceleration(self) -> NDArray[np.float32]:
        """(n, 3) float32, g."""
        return self.samples * np.float32(self.g_per_count)


def read_cwa(path: Path) -> CwaRecording:
    """Read a CWA file of an AX3 or AX6, packed or not.

    Sectors without a checksum (firmware before 2012) are not supported: they count as damaged.

    Raises:
        CwaError: empty or cut within its header; no CWA file; a sampling rate no device has, or one that the header
            and the sectors disagree about; too few neighboring sectors whose checksums hold and whose clocks agree.
        OSError: the file cannot be opened.
    """
    content = np.fromfile(path, dtype=np.uint8)
    header = _header(content)
    whole = (len(content) - HEADER_BYTES) // SECTOR_BYTES
    if whole == 0:
        raise CwaError("the file has a header and no data")
    end = HEADER_BYTES + whole * SECTOR_BYTES
    body = content[HEADER_BYTES:end]
    # Everything but the samples, side by side in memory: it is looked at many times.
    sectors = body.reshape(whole, SECTOR_BYTES)[:, :DATA_OFFSET].copy().view(SECTOR_HEAD)[:, 0]

    status = _status(body, sectors, header.rate_hz)
    usable = np.flatnonzero(status == GOOD)
    if len(usable) == 0:
        raise CwaError("no sector of the file is intact")
    layout = _layout(sectors, usable)
    status[usable[layout.fields[usable] != layout.common]] = FORMAT
    if layout.rate_code != content[:HEADER_BYTES].view(HEADER)[0]["rate_code"]:
        raise CwaError("the header and the data disagree about the sampling rate or range")

    clock = _clock(sectors, header.rate_hz)
    usable = np.flatnonzero(status == GOOD)
    true_hz = _true_rate(sectors, clock, usable, header.rate_hz)
    confirmed = _confirmed(sectors, clock, usable, true_hz)
    status[usable[~confirmed]] = CLOCK
    good = usable[confirmed]
    if len(good) == 0:
        raise CwaError("no two sectors have clocks that agree with each other and with the sampling rate")

    counts = sectors["count"][good].astype(np.int64)
    segment = np.cumsum(~_continues(sectors, clock, good, true_hz)) - 1
    start, sample_seconds = _timing(clock, good, segment, counts, layout.capacity, true_hz)
    blocks = _blocks(sectors, status, good, segment, counts, start)
    samples, gyroscope = _decode(content, sectors, good, counts, layout)
    return CwaRecording(
        header=header,
        blocks=blocks,
        samples=samples,
        g_per_count=layout.g_per_count,
        gyroscope=gyroscope,
        degrees_per_second_per_count=layout.degrees_per_second_per_count,
        segments=_segments(segment, counts, start, sample_seconds),
        sample_seconds=sample_seconds,
        trailing_bytes=len(content) - end,
    )


def read_header(path: Path) -> CwaHeader:
    """The header of a CWA file alone, without its data.

    Raises:
        CwaError: empty or cut within its header; no CWA file; a sampling rate no device has.
        OSError: the file cannot be opened.
    """
    return _header(np.fromfile(path, dtype=np.uint8, count=HEADER_BYTES))


def rate_hz(rate_code: int) -> float:
    """Nominal sampling rate of a rate code, Hz; its upper two bits are the range."""
    return 3200 / 2 ** (15 - (rate_code & 15))


def range_g(rate_code: int) -> int:
    """Largest acceleration of a rate code, plus or minus g."""
    return 16 >> (rate_code >> 6)


def decode_stamps(stamps: NDArray[np.uint32]) -> NDArray[Any]:
    """Device time (n,) datetime64[s] of packed stamps, bits YYYYYYMM MMDDDDDh hhhhmmmm mmssssss; NaT if impossible."""
    raw = stamps.astype(np.int64)
    year, month, day = 2000 + (raw >> 26), (raw >> 22) & 15, (raw >> 17) & 31
    hour, minute, second = (raw >> 12) & 31, (raw >> 6) & 63, raw & 63
    months = ((year - 1970) * 12 + month - 1).astype("datetime64[M]")
    date = months.astype("datetime64[D]") + (day - 1)
    time = date.astype("datetime64[s]") + (hour * 3600 + minute * 60 + second)
    possible = (month >= 1) & (month <= 12) & (day >= 1) & (hour < 24) & (minute < 60) & (second < 60)
    # A 31 April would run over into May.
    possible &= date.astype("datetime64[M]") == months
    return np.where(possible, time, np.datetime64("NaT", "s"))


# --- header and sectors ---------------------------------------------------------------------------------------------


def _header(content: NDArray[np.uint8]) -> CwaHeader:
    if len(content) == 0:
        raise CwaError("the file is empty")
    if len(content) < 4 or content[:4].view("<u2").tolist() != [HEADER_MAGIC, HEADER_LENGTH]:
        raise CwaError("not a CWA file: it does not begin with the header of one")
    if len(content) < HEADER_BYTES:
        raise CwaError("the file is cut off within its header")
    raw = content[:HEADER_BYTES].view(HEADER)[0]
    code = int(raw["rate_code"])
    if code & 15 < SMALLEST_RATE_CODE:
        raise CwaError("the header's sampling rate is none that a device has")
    stamps = decode_stamps(np.array([raw["logging_start"], raw["logging_end"], raw["last_change"]], dtype=np.uint32))
    start, end, change = (None if np.isnat(stamp) else stamp for stamp in stamps)
    high = int(raw["device_high"])
    return CwaHeader(
        hardware="AX6" if raw["hardware"] == AX6_HARDWARE else "AX3",
        device_id=int(raw["device_low"]) + (0 if high == 0xFFFF else high << 16),
        recording_id=int(raw["recording"]),
        rate_hz=rate_hz(code),
        range_g=range_g(code),
        firmware=int(raw["firmware"]),
        logging_start=start,
        logging_end=end,
        last_change=change,
        annotations=_annotations(bytes(raw["annotation"])),
    )


def _annotations(raw: bytes) -> dict[str, str]:
    text = raw.rstrip(b"\xff\x00 ").decode("latin-1")
    return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=None, errors="replace"))


def _status(body: NDArray[np.uint8], sectors: NDArray[Any], rate: float) -> NDArray[np.uint8]:
    """What is wrong with each sector by itself: magic, checksum, fields out of range."""
    status = np.full(len(sectors), GOOD, dtype=np.uint8)
    with np.errstate(over="ignore"):
        # The 256 words of a sector add up to zero, in 16 bits.
        sums = body.view("<u2").reshape(len(sectors), -1).sum(axis=1, dtype=np.uint16)
    capacity = _CAPACITIES[sectors["axes"]]
    count, code = sectors["count"], sectors["rate_code"]
    fits = (count > 0) & (count <= capacity) & ((code & 15) >= SMALLEST_RATE_CODE)
    fits &= ~np.isnat(decode_stamps(sectors["stamp"]))
    # Stamps are of a sample in the sector or shortly after it (the sensor's own buffer holds 25 or 32).
    index = _stamp_index(sectors, rate)
    fits &= (index >= -capacity) & (index <= LATEST_STAMP_SECTORS * capacity)
    status[~fits] = FORMAT
    status[sums != 0] = CHECKSUM
    status[(sectors["magic"] != SECTOR_MAGIC) | (sectors["length"] != SECTOR_LENGTH)] = NO_SECTOR
    return status


@dataclass(frozen=True)
class _Layout:
    """How samples are stored. A file has one layout; ``fields`` tells each sector's, to find those that differ."""

    rate_code: int
    axes: int
    g_per_count: float
    degrees_per_second_per_count: float
    common: int
    fields: NDArray[np.int64]

    @property
    def capacity(self) -> int:
        return CAPACITY[self.axes]

    @property
    def packed(self) -> bool:
        return self.axes & 15 == 0


def _layout(sectors: NDArray[Any], usable: NDArray[np.int64]) -> _Layout:
    """The layout most of the usable sectors have."""
    axes = sectors["axes"].astype(np.int64)
    # The upper six bits of the light value are the scales of an AX6; an AX3 in packed mode has none.
    scales = np.where(axes & 15 == 0, 0, sectors["light_scale"].astype(np.int64) >> 10)
    fields = (scales << 16) | (axes << 8) | sectors["rate_code"]
    values, counts = np.unique(fields[usable], return_counts=True)
    common = int(values[counts.argmax()])
    accelerometer, gyroscope = common >> 19, (common >> 16) & 7
    six_axes = (common >> 8) & 255 == 0x62
    return _Layout(
        rate_code=common & 255,
        axes=(common >> 8) & 255,
        g_per_count=1 / (PACKED_UNITS_PER_G << accelerometer),
        degrees_per_second_per_count=8000 / 2**gyroscope / 32768 if six_axes else 0.0,
        common=common,
        fields=fields,
    )


# --- clock ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Clock:
    """Each sector's clock: ``seconds`` since 1970 at sample ``index`` of the sector, which may lie outside it."""

    seconds: NDArray[np.float64]
    index: NDArray[np.int64]


def _fraction(sectors: NDArray[Any]) -> NDArray[np.int64]:
    """Fraction of a second of each stamp, in 1/65536 s; zero where the device wrote whole seconds."""
    raw = sectors["fraction"].astype(np.int64)
    return np.where(raw & 0x8000, (raw & 0x7FFF) << 1, 0)


def _stamp_index(sectors: NDArray[Any], nominal_hz: float) -> NDArray[np.int64]:
    """The sample of the sector each stamp belongs to.

    The device shifts it back by as many samples as the fraction is long, for readers who know no fractions.
    """
    return sectors["stamp_index"].astype(np.int64) + ((_fraction(sectors) * int(nominal_hz)) >> 16)


def _clock(sectors: NDArray[Any], nominal_hz: float) -> _Clock:
    stamps = decode_stamps(sectors["stamp"])
    seconds = np.where(np.isnat(stamps), 0, stamps.astype(np.int64)) + _fraction(sectors) / 65536
    return _Clock(seconds, _stamp_index(sectors, nominal_hz))


def _consecutive(sectors: NDArray[Any], earlier: NDArray[np.int64], later: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether two sectors belong to one uninterrupted recording by id and sequence."""
    same = sectors["recording"][earlier] == sectors["recording"][later]
    same &= sectors["sequence"][later].astype(np.int64) - sectors["sequence"][earlier] == later - earlier
    # Only the last sector of a recording is not full, and so were the masked ones in between.
    same &= sectors["count"][earlier] == _CAPACITIES[sectors["axes"][earlier]]
    return np.asarray(same)


def _true_rate(sectors: NDArray[Any], clock: _Clock, usable: NDArray[np.int64], nominal_hz: float) -> float:
    """The recording's own sampling rate by its clock: the median between neighboring sectors.

    Raises:
        CwaError: it is not near the nominal rate, or too few neighbors are left to tell.
    """
    earlier, later = usable[:-1], usable[1:]
    elapsed = clock.seconds[later] - clock.seconds[earlier]
    apart = (later - earlier) * _CAPACITIES[sectors["axes"][earlier]] + clock.index[later] - clock.index[earlier]
    fit = _consecutive(sectors, earlier, later) & (elapsed > 0) & (apart > 0)
    rates = apart[fit] / elapsed[fit]
    near = np.abs(rates / nominal_hz - 1) <= RATE_TOLERANCE
    if 2 * near.sum() <= len(rates):
        raise CwaError("no two sectors have clocks that agree with each other and with the sampling rate")
    if near.sum() < FEWEST_PAIRS:
        raise CwaError("too few sectors are left to tell at which rate they were sampled")
    return float(np.median(rates[near]))


def _agree(
    sectors: NDArray[Any], clock: _Clock, earlier: NDArray[np.int64], later: NDArray[np.int64], true_hz: float
) -> NDArray[np.bool_]:
    """Whether two sectors belong to one uninterrupted recording, by id, sequence and clock."""
    capacity = _CAPACITIES[sectors["axes"][earlier]]
    expected = ((later - earlier) * capacity + clock.index[later] - clock.index[earlier]) / true_hz
    elapsed = clock.seconds[later] - clock.seconds[earlier]
    tolerance = CLOCK_TOLERANCE * np.abs(expected) + CLOCK_TOLERANCE_SAMPLES / true_hz
    agree = (np.abs(elapsed - expected) <= tolerance) & (elapsed > 0)
    return np.asarray(agree & _consecutive(sectors, earlier, later))


def _confirmed(sectors: NDArray[Any], clock: _Clock, usable: NDArray[np.int64], true_hz: float) -> NDArray[np.bool_]:
    """Which usable sectors (k,) have a clock that another one close by agrees with.

    A wrong stamp under a right checksum would otherwise put its samples at a wrong time, and nobody would know.
    """
    confirmed = np.zeros(len(usable), dtype=bool)
    for distance in range(1, min(CONFIRMING_SECTORS, len(usable) - 1) + 1):
        agree = _agree(sectors, clock, usable[:-distance], usable[distance:], true_hz)
        confirmed[:-distance] |= agree
        confirmed[distance:] |= agree
    return confirmed


def _continues(sectors: NDArray[Any], clock: _Clock, good: NDArray[np.int64], true_hz: float) -> NDArray[np.bool_]:
    """Whether each good sector (k,) goes on from the good one before it; false for the first."""
    return np.concatenate([[False], _agree(sectors, clock, good[:-1], good[1:], true_hz)])


def _timing(
    clock: _Clock,
    good: NDArray[np.int64],
    segment: NDArray[np.int64],
    counts: NDArray[np.int64],
    capacity: int,
    true_hz: float,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Time of the first sample of each good sector (k,), microseconds since 1970, and its seconds per sample (k,)."""
    start = np.empty(len(good), dtype=np.int64)
    sample_seconds = np.empty(len(good))
    borders = np.concatenate([[0], np.flatnonzero(np.diff(segment)) + 1, [len(good)]])
    for first, end in pairwise(borders.tolist()):
        here = slice(first, end)
        # Positions on the device's own count of samples, in which masked sectors keep their place.
        missing = np.diff(good[here], prepend=good[first] - 1) - 1
        ends = np.cumsum(counts[here] + missing * capacity)
        begin = ends - counts[here]
        origin = np.floor(clock.seconds[first])  # small numbers keep microseconds exact
        knots, seconds = begin + clock.index[good[here]], clock.seconds[good[here]] - origin
        keep = _not_outlying(knots, seconds, true_hz)
        knots, seconds = knots[keep], seconds[keep]
        at = _interpolate(knots, seconds, np.concatenate([begin, ends]), true_hz)
        length = end - first
        start[here] = np.round((at[:length] + origin) * 1e6).astype(np.int64)
        sample_seconds[here] = (at[length:] - at[:length]) / counts[here]
    return start, sample_seconds


def _not_outlying(knots: NDArray[np.int64], seconds: NDArray[np.float64], true_hz: float) -> NDArray[np.bool_]:
    """Which knots (k,) lie where their neighbors say, within a few samples, and further on than the one before."""
    increasing = np.diff(knots, prepend=knots[0] - 1) > 0
    if len(knots) < 5 or not increasing.all():
        return np.asarray(increasing)
    # Away from a running median of five: what slowly happens to the rate is in the median.
    drift = seconds - knots / true_hz
    padded = np.concatenate([drift[:2], drift, drift[-2:]])
    median = np.median(np.lib.stride_tricks.sliding_window_view(padded, 5), axis=1)
    return np.asarray(np.abs(drift - median) <= OUTLYING_SAMPLES / true_hz)


def _interpolate(
    knots: NDArray[np.int64], seconds: NDArray[np.float64], at: NDArray[np.int64], true_hz: float
) -> NDArray[np.float64]:
    """Time at sample positions: linear between knots, and on beyond them at the rate of the nearest knots.

    The first stamp often lies more than a sector after the first sample; holding time still there would be wrong by
    more than a second.
    """
    if len(knots) == 1:
        return np.asarray(seconds[0] + (at - knots[0]) / true_hz)
    time = np.interp(at, knots, seconds)
    last = min(EXTRAPOLATION_KNOTS, len(knots) - 1)
    for beyond, near, far in ((at < knots[0], 0, last), (at > knots[-1], -1, -1 - last)):
        slope = (seconds[far] - seconds[near]) / (knots[far] - knots[near])
        # Two knots close to each other tell no rate: a sample between them is many further on.
        slope = np.clip(slope, (1 - CLOCK_TOLERANCE) / true_hz, (1 + CLOCK_TOLERANCE) / true_hz)
        time[beyond] = seconds[near] + (at[beyond] - knots[near]) * slope
    return time


# --- what is handed over --------------------------------------------------------------------------------------------


def _blocks(
    sectors: NDArray[Any],
    status: NDArray[np.uint8],
    good: NDArray[np.int64],
    segment: NDArray[np.int64],
    counts: NDArray[np.int64],
    start: NDArray[np.int64],
) -> pd.DataFrame:
    n = len(sectors)
    columns = {
        "segment": np.full(n, -1),
        "first_sample": np.full(n, -1),
        "samples": np.zeros(n, dtype=np.int64),
        "start": np.full(n, np.datetime64("NaT", "us")),
    }
    columns["segment"][good] = segment
    columns["first_sample"][good] = np.cumsum(counts) - counts
    columns["samples"][good] = counts
    columns["start"][good] = start.view("datetime64[us]")
    return pd.DataFrame(
        {
            "status": pd.Categorical.from_codes(status.astype(np.int64), dtype=_STATUS),
            **columns,
            "sequence": sectors["sequence"].astype(np.int64),
            # The official formulas; others in use differ by several degrees.
            "temperature_c": (sectors["temperature"] & 1023) * 75 / 256 - 50,
            "battery_volt": (sectors["battery"].astype(np.float64) + 512) * 6 / 1024,
        }
    )


def _segments(
    segment: NDArray[np.int64], counts: NDArray[np.int64], start: NDArray[np.int64], sample_seconds: NDArray[np.float64]
) -> tuple[Segment, ...]:
    first = np.flatnonzero(np.diff(segment, prepend=-1))
    last = np.append(first[1:], len(segment)) - 1
    begin = np.cumsum(counts) - counts
    end = start + np.round((counts - 1) * sample_seconds * 1e6).astype(np.int64)
    # The rate is that of the samples; time in masked sectors has none.
    covered = np.add.reduceat(counts * sample_seconds, first)
    held = np.add.reduceat(counts, first)
    return tuple(
        Segment(
            first_sample=int(begin[a]),
            samples=int(number),
            start=np.datetime64(int(start[a]), "us"),
            end=np.datetime64(int(end[b]), "us"),
            rate_hz=float(number / seconds),
        )
        for a, b, number, seconds in zip(first, last, held, covered, strict=True)
    )


def _decode(
    content: NDArray[np.uint8],
    sectors: NDArray[Any],
    good: NDArray[np.int64],
    counts: NDArray[np.int64],
    layout: _Layout,
) -> tuple[NDArray[np.int16], NDArray[np.int16] | None]:
    """Samples of the good sectors, one after the other: accelerometer (n, 3), and gyroscope (n, 3) or ``None``.

    Each axis is contiguous in memory, which is what everything after wants.
    """
    capacity = layout.capacity
    axes = layout.axes >> 4
    decoded = np.empty((axes, len(good), capacity), dtype=np.int16)
    # Data begin at an odd multiple of two bytes: a strided view reads 32-bit words from there, a cast would not.
    width: tuple[int, str] = (4, "<u4") if layout.packed else (2, "<i2")
    words = np.ndarray(
        (len(sectors), DATA_BYTES // width[0]),
        dtype=width[1],
        buffer=content.data,
        offset=HEADER_BYTES + DATA_OFFSET,
        strides=(SECTOR_BYTES, width[0]),
    )
    unbroken = len(good) == good[-1] - good[0] + 1
    for begin in range(0, len(good), SLAB):
        which = good[begin : begin + SLAB]
        slab = words[which[0] : which[-1] + 1] if unbroken else words[which]
        if layout.packed:
            _unpack(slab, decoded[:, begin : begin + SLAB])
        else:
            decoded[:, begin : begin + SLAB] = slab[:, : capacity * axes].reshape(-1, capacity, axes).transpose(2, 0, 1)
    full = counts == capacity
    flat = decoded.reshape(axes, -1)
    if not full.all():
        # Most often only the last sector is short: then a slice will do.
        flat = flat[:, : counts.sum()] if full[:-1].all() else flat[:, (np.arange(capacity) < counts[:, None]).ravel()]
    return flat[-3:].T, (flat[:3].T if axes == 6 else None)


def _unpack(slab: NDArray[np.uint32], into: NDArray[np.int16]) -> None:
    """Words ``eezzzzzz zzzzyyyy yyyyyyxx xxxxxxxx``: three 10-bit numbers, each times two to the power of e."""
    words = np.ascontiguousarray(slab)
    signed = words.view(np.int32)
    exponent = words >> 30
    # The exponent goes with the range, and so is nearly always the same.
    shift = exponent.flat[0] if (exponent == exponent.flat[0]).all() else exponent
    for axis, left in enumerate((22, 12, 2)):
        into[axis] = ((signed << left) >> 22) << shift.astype(np.int32)
