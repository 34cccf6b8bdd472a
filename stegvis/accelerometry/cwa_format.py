"""The binary format of an Axivity AX3 or AX6 recording (CWA, "continuous wave accelerometry").

The format is that of the Open Movement project (github.com/openmovementproject/openmovement, Docs/ax3): a 1024-byte
header, then sectors of 512 bytes, each with up to 120 samples, a clock stamp and a checksum.
"""

from __future__ import annotations

from typing import Any

import numpy as np
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

# Samples in a full sector, by its byte for axes and sample width: packed, three 16-bit axes, six axes with a gyroscope.
CAPACITY = {0x30: 120, 0x32: 80, 0x62: 40}
# The same by the value of that byte; 0 where there is no such layout.
CAPACITIES = np.array([CAPACITY.get(axes, 0) for axes in range(256)])
PACKED_UNITS_PER_G = 256

# Sampling rates range from 6.25 Hz (code 6) to 3200 Hz (code 15).
SMALLEST_RATE_CODE = 6

# What is wrong with a sector, by its code.
STATUS = ("good", "no_sector", "checksum", "format", "clock")
GOOD, NO_SECTOR, CHECKSUM, FORMAT, CLOCK = range(len(STATUS))


class CwaError(ValueError):
    """A file that cannot be read as a CWA recording; the message says why and shows none of its content."""


def rate_hz(rate_code: int) -> float:
    """Nominal sampling rate of a rate code, Hz; the upper two bits of the code are the range."""
    return float(3200 / 2 ** (15 - (rate_code & 15)))


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
    # 31 April would become 1 May.
    possible &= date.astype("datetime64[M]") == months
    return np.where(possible, time, np.datetime64("NaT", "s"))
