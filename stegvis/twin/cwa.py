"""Write raw Axivity AX3 files (CWA), as the device would have.

The format is that of the Open Movement project (github.com/openmovementproject/openmovement, Docs/ax3); its names and
bytes are those of ``stegvis.accelerometry.cwa_format``; ``stegvis.accelerometry.cwa`` reads them.

Belongs here: samples and a clock to bytes. Does not belong here: what the samples are (``gait``), which faults a
recording has (``raw``), reading.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
from numpy.typing import NDArray

from stegvis.accelerometry.cwa_format import (
    CAPACITY,
    DATA_BYTES,
    HEADER,
    HEADER_LENGTH,
    HEADER_MAGIC,
    PACKED_UNITS_PER_G,
    SECTOR,
    SECTOR_BYTES,
    SECTOR_LENGTH,
    SECTOR_MAGIC,
    range_g,
    rate_hz,
)
from stegvis.twin.activities import SECONDS_PER_DAY

PACKED, UNPACKED = 0x30, 0x32
AX3_HARDWARE = 0x17
UNSET = 0xFFFFFFFF
# The device reads its clock only when the sensor delivers a group of 25 samples: a sector's stamp is the first such
# reading at or after its last sample.
BUFFERED_SAMPLES = 25
# The clock's fractions of a second: 15 bits.
FRACTIONS = 32768
# Sectors made at a time.
SLAB = 2048


@dataclass(frozen=True)
class Device:
    """A device and its clock.

    Attributes:
        device_id: serial number.
        recording_id: number of the recording (session).
        true_rate_hz: actual samples per second of true time; real devices are up to a few percent off the nominal rate.
        clock_drift_seconds_per_day: how much its clock gains on true time.
        nominal_rate_hz, largest_g: its configuration.
        packed: 10-bit samples, 120 to a sector; else 16-bit, 80.
        firmware: its revision.
        battery_volt: at the start; it falls by ``battery_volt_per_day``.
        annotations: free text by key (``_p`` body location, ``_sc`` subject code ...).
    """

    device_id: int
    recording_id: int
    true_rate_hz: float
    clock_drift_seconds_per_day: float = 0.0
    nominal_rate_hz: float = 50.0
    largest_g: int = 8
    packed: bool = True
    firmware: int = 44
    battery_volt: float = 4.15
    battery_volt_per_day: float = 0.03
    annotations: dict[str, str] = field(default_factory=dict)

    @property
    def rate_code(self) -> int:
        """The byte of nominal rate and range.

        Raises:
            ValueError: the device knows no such rate or range.
        """
        for code in range(6, 256):
            if code & 15 >= 6 and rate_hz(code) == self.nominal_rate_hz and range_g(code) == self.largest_g:
                return code
        raise ValueError("an AX3 has no such sampling rate or range")

    @property
    def samples_per_sector(self) -> int:
        return CAPACITY[PACKED if self.packed else UNPACKED]

    @property
    def clock_seconds_per_sample(self) -> float:
        """By the device's own clock."""
        return (1 + self.clock_drift_seconds_per_day / SECONDS_PER_DAY) / self.true_rate_hz


def write_cwa(
    path: Path,
    samples_g: NDArray[np.floating[Any]] | Iterable[NDArray[np.floating[Any]]],
    start: np.datetime64,
    device: Device,
    temperature_c: NDArray[np.floating[Any]] | float = 30.0,
    first_sequence: int = 0,
) -> int:
    """Write a recording; samples are clipped and rounded to the device's range and resolution.

    Args:
        path: the file to write.
        samples_g: (n, 3) g, sampled at ``device.true_rate_hz``; or such arrays one after the other, each but the last
            a whole number of sectors long.
        start: device time of the first sample.
        device: the device and its clock.
        temperature_c: one for all, or (sectors,).
        first_sequence: number of the first sector.

    Returns:
        Samples written.

    Raises:
        ValueError: an AX3 has no such configuration, or a chunk before the last ends within a sector.
    """
    pieces = [samples_g] if isinstance(samples_g, np.ndarray) else samples_g
    capacity, written = device.samples_per_sector, 0
    header = _header(start, device)
    with path.open("wb") as file:
        file.write(header)
        for piece in pieces:
            if written % capacity:
                raise ValueError("only the last chunk of samples may end within a sector")
            for begin in range(0, len(piece), SLAB * capacity):
                slab = piece[begin : begin + SLAB * capacity]
                file.write(_sectors(slab, written // capacity, start, device, temperature_c, first_sequence).data)
                written += len(slab)
    return written


def with_checksums(sectors: NDArray[Any]) -> NDArray[Any]:
    """Sectors (k,) with the last word set so that all 256 words add up to zero. Changes and returns them."""
    sectors["checksum"] = 0
    words = sectors.view("<u2").reshape(len(sectors), -1)
    sectors["checksum"] = -words.sum(axis=1, dtype=np.uint16)
    return sectors


def encode_stamps(times: NDArray[Any]) -> NDArray[np.uint32]:
    """Packed stamps (n,) of times in whole seconds, bits YYYYYYMM MMDDDDDh hhhhmmmm mmssssss."""
    days = times.astype("datetime64[D]")
    months = days.astype("datetime64[M]")
    month = months.astype(np.int64)
    second = (times - days).astype("timedelta64[s]").astype(np.int64)
    stamps = (
        ((month // 12 + 1970 - 2000) << 26)
        | ((month % 12 + 1) << 22)
        | (((days - months).astype(np.int64) + 1) << 17)
        | ((second // 3600) << 12)
        | ((second // 60 % 60) << 6)
        | (second % 60)
    )
    return np.asarray(stamps, dtype=np.uint32)


def _header(start: np.datetime64, device: Device) -> bytes:
    header = np.zeros(1, dtype=HEADER)
    # As on the device: unset bytes are 0xff, the annotation is padded with spaces.
    header.view(np.uint8)[:] = 0xFF
    annotation = urlencode(device.annotations).encode("ascii", "replace")
    if len(annotation) > 448:
        raise ValueError("the annotations do not fit into the header")
    values = {
        "magic": HEADER_MAGIC,
        "length": HEADER_LENGTH,
        "hardware": AX3_HARDWARE,
        "device_low": device.device_id & 0xFFFF,
        "device_high": device.device_id >> 16 or 0xFFFF,
        "recording": device.recording_id,
        "logging_start": encode_stamps(np.array([start], dtype="datetime64[s]"))[0],
        "logging_end": UNSET,
        "rate_code": device.rate_code,
        "last_change": encode_stamps(np.array([start], dtype="datetime64[s]") - np.timedelta64(1, "h"))[0],
        "firmware": device.firmware,
        "annotation": annotation.ljust(448),
    }
    for name, value in values.items():
        header[name] = value
    return header.tobytes()


def _sectors(
    samples_g: NDArray[np.floating[Any]],
    first: int,
    start: np.datetime64,
    device: Device,
    temperature_c: NDArray[np.floating[Any]] | float,
    first_sequence: int,
) -> NDArray[Any]:
    """The sectors of one slab; ``first`` is the number of its first sector in the recording."""
    capacity = device.samples_per_sector
    count = -(-len(samples_g) // capacity)
    number = first + np.arange(count)
    sectors = np.zeros(count, dtype=SECTOR)
    sectors["magic"], sectors["length"] = SECTOR_MAGIC, SECTOR_LENGTH
    sectors["recording"] = device.recording_id
    sectors["sequence"] = number + first_sequence
    sectors["events"] = number == 0
    sectors["rate_code"] = device.rate_code
    sectors["axes"] = PACKED if device.packed else UNPACKED
    sectors["count"] = capacity
    sectors["count"][-1] = len(samples_g) - capacity * (count - 1)
    celsius = temperature_c if isinstance(temperature_c, float) else np.asarray(temperature_c)[number]
    sectors["temperature"] = np.clip(np.round((np.asarray(celsius) + 50) * 256 / 75), 0, 1023)
    days = number * capacity / device.true_rate_hz / SECONDS_PER_DAY
    volt = device.battery_volt - device.battery_volt_per_day * days
    sectors["battery"] = np.clip(np.round(volt * 1024 / 6 - 512), 0, 255)

    # The clock is read when the sensor next delivers its buffer.
    ends = (number + 1) * capacity
    position = -(-ends // BUFFERED_SAMPLES) * BUFFERED_SAMPLES
    within = (start.astype("datetime64[us]") - start.astype("datetime64[s]")) / np.timedelta64(1, "s")
    ticks = np.floor((within + position * device.clock_seconds_per_sample) * FRACTIONS).astype(np.int64)
    seconds, fraction = np.divmod(ticks, FRACTIONS)
    sectors["stamp"] = encode_stamps(start.astype("datetime64[s]") + seconds.astype("timedelta64[s]"))
    sectors["fraction"] = 0x8000 | fraction
    sectors["stamp_index"] = position - number * capacity - ((2 * fraction * int(device.nominal_rate_hz)) >> 16)

    data = _pack(samples_g, count, device) if device.packed else _unpacked(samples_g, count, device)
    raw = np.ndarray((count, DATA_BYTES), np.uint8, sectors.data, SECTOR.fields["data"][1], (SECTOR_BYTES, 1))  # type: ignore[index]
    raw[:] = data.view(np.uint8).reshape(count, DATA_BYTES)
    return with_checksums(sectors)


def _pack(samples_g: NDArray[np.floating[Any]], count: int, device: Device) -> NDArray[np.uint32]:
    """Words (count * 120,) of three 10-bit numbers and the exponent that goes with the range."""
    exponent = int(np.log2(device.largest_g / 2))
    per_g = np.float32(PACKED_UNITS_PER_G >> exponent)
    words = np.zeros(count * device.samples_per_sector, dtype=np.uint32)
    filled = words[: len(samples_g)]
    filled[:] = exponent << 30
    for axis, left in enumerate((0, 10, 20)):
        steps = np.rint(np.clip(samples_g[:, axis] * per_g, -512, 511)).astype(np.int32)
        filled |= (steps & 1023).view(np.uint32) << np.uint32(left)
    return words


def _unpacked(samples_g: NDArray[np.floating[Any]], count: int, device: Device) -> NDArray[np.int16]:
    """Numbers (count * 80 * 3,) in 1/256 g."""
    numbers = np.zeros((count * device.samples_per_sector, 3), dtype="<i2")
    largest = device.largest_g * PACKED_UNITS_PER_G
    numbers[: len(samples_g)] = np.rint(np.clip(samples_g * PACKED_UNITS_PER_G, -largest, largest - 1))
    return numbers.ravel()
