"""The sectors of a CWA file: which of them are intact, and how their samples are stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stegvis.accelerometry.cwa_clock import stamp_index
from stegvis.accelerometry.cwa_format import (
    CAPACITIES,
    CAPACITY,
    CHECKSUM,
    FORMAT,
    GOOD,
    NO_SECTOR,
    PACKED_UNITS_PER_G,
    SECTOR_LENGTH,
    SECTOR_MAGIC,
    SMALLEST_RATE_CODE,
    decode_stamps,
)

# A stamp belongs to a sample at most this many sectors after the start of its own sector.
LATEST_STAMP_SECTORS = 4


def sector_status(body: NDArray[np.uint8], sectors: NDArray[Any], rate: float) -> NDArray[np.uint8]:
    """The status code of each sector on its own (k,): magic number, checksum, range of its fields.

    Args:
        body: the bytes of all sectors.
        sectors: (k,) their heads, ``cwa_format.SECTOR_HEAD``.
        rate: nominal sampling rate, Hz.
    """
    status = np.full(len(sectors), GOOD, dtype=np.uint8)
    with np.errstate(over="ignore"):
        # The 256 words of a sector add up to zero, in 16 bits.
        sums = body.view("<u2").reshape(len(sectors), -1).sum(axis=1, dtype=np.uint16)
    capacity = CAPACITIES[sectors["axes"]]
    count, code = sectors["count"], sectors["rate_code"]
    fits = (count > 0) & (count <= capacity) & ((code & 15) >= SMALLEST_RATE_CODE)
    fits &= ~np.isnat(decode_stamps(sectors["stamp"]))
    # A stamp belongs to a sample in the sector or shortly after it (the sensor buffers 25 or 32 samples).
    index = stamp_index(sectors, rate)
    fits &= (index >= -capacity) & (index <= LATEST_STAMP_SECTORS * capacity)
    status[~fits] = FORMAT
    status[sums != 0] = CHECKSUM
    status[(sectors["magic"] != SECTOR_MAGIC) | (sectors["length"] != SECTOR_LENGTH)] = NO_SECTOR
    return status


@dataclass(frozen=True)
class Layout:
    """How samples are stored. A file has one layout, coded in ``common``; ``fields`` has the code of each sector, to
    find those that differ.
    """

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


def common_layout(sectors: NDArray[Any], usable: NDArray[np.int64]) -> Layout:
    """The most frequent layout of the usable sectors."""
    axes = sectors["axes"].astype(np.int64)
    # The upper six bits of the light value are the scales of an AX6; an AX3 in packed mode has none.
    scales = np.where(axes & 15 == 0, 0, sectors["light_scale"].astype(np.int64) >> 10)
    fields = (scales << 16) | (axes << 8) | sectors["rate_code"]
    values, counts = np.unique(fields[usable], return_counts=True)
    common = int(values[counts.argmax()])
    accelerometer, gyroscope = common >> 19, (common >> 16) & 7
    six_axes = (common >> 8) & 255 == 0x62
    return Layout(
        rate_code=common & 255,
        axes=(common >> 8) & 255,
        g_per_count=1 / (PACKED_UNITS_PER_G << accelerometer),
        degrees_per_second_per_count=8000 / 2**gyroscope / 32768 if six_axes else 0.0,
        common=common,
        fields=fields,
    )
