"""Read the raw file of an Axivity AX3 or AX6 accelerometer (CWA, "continuous wave accelerometry").

A sector is used only if its checksum is correct and another sector close by confirms its clock. All others are masked
and listed in ``CwaRecording.blocks``. Where the sequence restarts or the clock jumps, a new segment begins, and time is
never interpolated from one segment to another. Such files are written by ``stegvis.twin.cwa``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stegvis.accelerometry.cwa_clock import confirmed_sectors, follows_previous, sector_clock, sector_times, true_rate
from stegvis.accelerometry.cwa_format import (
    CLOCK,
    DATA_OFFSET,
    FORMAT,
    GOOD,
    HEADER,
    HEADER_BYTES,
    SECTOR_BYTES,
    SECTOR_HEAD,
    STATUS,
    CwaError,
)
from stegvis.accelerometry.cwa_header import CwaHeader, parse_header
from stegvis.accelerometry.cwa_samples import SLAB, decode
from stegvis.accelerometry.cwa_sectors import common_layout, sector_status

STATUS_TYPE = pd.CategoricalDtype(list(STATUS))


@dataclass(frozen=True)
class Segment:
    """Samples without a gap.

    Attributes:
        first_sample: index of its first sample in the recording.
        samples: number of samples.
        start, end: device time of its first and last sample, datetime64[us].
        rate_hz: true sampling rate according to the device's clock.
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
        header: what the device recorded about itself.
        blocks: one row per sector of the file, in file order: ``status`` (one of ``STATUS``), ``segment``,
            ``first_sample`` and ``samples`` (-1, -1 and 0 where masked), ``start`` (device time of the first sample,
            datetime64[us], NaT where masked), ``sequence``, ``temperature_c``, ``battery_volt``. The last three are
            unreliable outside of good sectors.
        samples: (n, 3) int16, counts of the accelerometer's x, y, z; their unit is ``g_per_count``.
        gyroscope: (n, 3) int16 of an AX6 that recorded it, else ``None``; its unit is ``degrees_per_second_per_count``.
        segments: stretches without a gap, in file order.
        sample_seconds: (good sectors,) time between two samples of a sector.
        trailing_bytes: bytes after the last complete sector; above zero if the file was cut off.
        stub_seconds: length of what was left out because the clock was set (``clock_resets``).
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
    stub_seconds: float = 0.0

    @property
    def masked_blocks(self) -> dict[str, int]:
        """Number of sectors that were not used, by reason; empty if all were used."""
        counts = self.blocks["status"].value_counts()
        return {name: int(counts[name]) for name in STATUS if name != "good" and counts[name] > 0}

    @property
    def clock_goes_back(self) -> bool:
        """Whether a segment begins before the previous one ends: the clock was set back during the recording."""
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
        CwaError: the file is empty, cut off within its header or not a CWA file; its sampling rate is impossible, or
            header and sectors disagree about it; too few neighboring sectors have correct checksums and clocks that
            agree.
        OSError: the file cannot be opened.
    """
    content = np.fromfile(path, dtype=np.uint8)
    header = parse_header(content)
    whole = (len(content) - HEADER_BYTES) // SECTOR_BYTES
    if whole == 0:
        raise CwaError("the file has a header and no data")
    end = HEADER_BYTES + whole * SECTOR_BYTES
    body = content[HEADER_BYTES:end]
    # The heads of the sectors, contiguous in memory because they are read many times.
    sectors = body.reshape(whole, SECTOR_BYTES)[:, :DATA_OFFSET].copy().view(SECTOR_HEAD)[:, 0]

    status = sector_status(body, sectors, header.rate_hz)
    usable = np.flatnonzero(status == GOOD)
    if len(usable) == 0:
        raise CwaError("no sector of the file is intact")
    layout = common_layout(sectors, usable)
    status[usable[layout.fields[usable] != layout.common]] = FORMAT
    if layout.rate_code != content[:HEADER_BYTES].view(HEADER)[0]["rate_code"]:
        raise CwaError("the header and the data disagree about the sampling rate or range")

    clock = sector_clock(sectors, header.rate_hz)
    usable = np.flatnonzero(status == GOOD)
    true_hz = true_rate(sectors, clock, usable, header.rate_hz)
    confirmed = confirmed_sectors(sectors, clock, usable, true_hz)
    status[usable[~confirmed]] = CLOCK
    good = usable[confirmed]
    if len(good) == 0:
        raise CwaError("no two sectors have clocks that agree with each other and with the sampling rate")

    counts = sectors["count"][good].astype(np.int64)
    segment = np.cumsum(~follows_previous(sectors, clock, good, true_hz)) - 1
    start, sample_seconds = sector_times(clock, good, segment, counts, layout.capacity, true_hz)
    blocks = _blocks(sectors, status, good, segment, counts, start)
    samples, gyroscope = decode(content, sectors, good, counts, layout)
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
            "status": pd.Categorical.from_codes(status.astype(np.int64), dtype=STATUS_TYPE),
            **columns,
            "sequence": sectors["sequence"].astype(np.int64),
            # The official formulas; others that are in use differ by several degrees.
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
    # The rate is that of the recorded samples, without the time of masked sectors.
    covered = np.add.reduceat(counts * sample_seconds, first)
    recorded = np.add.reduceat(counts, first)
    return tuple(
        Segment(
            first_sample=int(begin[a]),
            samples=int(number),
            start=np.datetime64(int(start[a]), "us"),
            end=np.datetime64(int(end[b]), "us"),
            rate_hz=float(number / seconds),
        )
        for a, b, number, seconds in zip(first, last, recorded, covered, strict=True)
    )
